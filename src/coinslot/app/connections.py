"""Limits for connections of clients that have not sent a whole request yet, so that they cost
little.

uvicorn waits without limit for a half-sent request, and for a client that does not read."""

import asyncio
import logging
from collections import Counter
from functools import partial
from typing import Any

import h11
import msgspec
import structlog
import uvicorn
from msgspec import Struct
from uvicorn.protocols.http.h11_impl import H11Protocol

from coinslot.kit.clock import Clock
from coinslot.kit.ids import token
from coinslot.pages.errors import CODES, Wrong, WrongAnswer
from coinslot.pages.peer import Network, is_one_of

log = structlog.get_logger(__name__)

_LOG_EVERY_MS = 10_000
_HEAD_MAX_BYTES = 16 * 1024
_FRAME_MAX_BYTES = 64 * 1024  # Engine.IO looks at a message's size only after the whole frame
_FRAMING = {b"content-length", b"transfer-encoding"}
# uvicorn logs a line for each request that is not HTTP; here they are counted and logged together.
_uvicorn = logging.getLogger("uvicorn.error.http")
_uvicorn.setLevel(logging.ERROR)


class Bounds(Struct, frozen=True, kw_only=True):
    """How long a request may take to come, and how many may be on their way at once."""

    request_s: float = 15.0  # from its first byte, or the connection, to its last byte
    reading_s: float = 30.0  # a client that reads no byte of an answer for so long
    waiting_max: int = 1000  # from everyone; one more ends the oldest
    waiting_each: int = 100  # from one address
    trusted: tuple[Network, ...] = ()  # proxies: they speak for many


class Waiting:
    """The requests of this server that are on their way, oldest first."""

    def __init__(self, bounds: Bounds, clock: Clock) -> None:
        self.bounds = bounds
        self._clock = clock
        self._all: dict[BoundedHttp, str] = {}
        self._of: dict[str, dict[BoundedHttp, None]] = {}
        self._ended: Counter[str] = Counter()
        self._logged_ms = -_LOG_EVERY_MS

    def begin(self, connection: "BoundedHttp", address: str) -> None:
        """Over a limit the oldest connection is closed: a real client sends its whole request at
        once."""
        if connection in self._all:
            return
        of_them = self._of.setdefault(address, {})
        if len(of_them) >= self.bounds.waiting_each and not is_one_of(address, self.bounds.trusted):
            next(iter(of_them)).hang_up("too many unfinished requests of one address")
        elif len(self._all) >= self.bounds.waiting_max:
            next(iter(self._all)).hang_up("too many unfinished requests")
        self._all[connection] = address
        self._of.setdefault(address, {})[connection] = None

    def end(self, connection: "BoundedHttp") -> None:
        address = self._all.pop(connection, None)
        if address is not None:
            del self._of[address][connection]
            if not self._of[address]:
                del self._of[address]

    def count_ended(self, reason: str) -> None:
        """One line for many: closing thousands of connections must not fill the log."""
        self._ended[reason] += 1
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._logged_ms >= _LOG_EVERY_MS:
            self._logged_ms = now_ms
            log.warning("connections_ended", since_the_last_line=dict(self._ended))
            self._ended.clear()


class _Strict(h11.Connection):
    """Refuses what a proxy before us may read differently: a request with two lengths."""

    ended: Any

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            if len(_FRAMING & {name for name, _ in event.headers}) > 1:
                raise h11.RemoteProtocolError("Content-Length and Transfer-Encoding together")
            # h11 bounds only what comes in pieces.
            if sum(len(name) + len(value) for name, value in event.headers) > _HEAD_MAX_BYTES:
                raise h11.RemoteProtocolError("too much before the body")
        elif isinstance(event, h11.EndOfMessage):
            self.ended()
        return event


class BoundedHttp(H11Protocol):
    """uvicorn's HTTP, within bounds."""

    def __init__(self, waiting: Waiting, clock: Clock, **known: Any) -> None:
        super().__init__(**known)
        self._waiting, self._clock = waiting, clock
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self.logger = _uvicorn
        strict = _Strict(h11.SERVER)
        strict.ended = self._arrived
        self.conn = strict
        self._websocket = self.ws_protocol_class
        self.ws_protocol_class = self._upgraded  # type: ignore[assignment]

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self.conn.their_state is h11.IDLE:
            self._expect()
        try:
            super().data_received(data)
        except h11.LocalProtocolError:  # unreadable in the middle of our answer
            self.hang_up("unreadable requests")

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        seconds = self._waiting.bounds.reading_s
        self._unread = self.loop.call_later(seconds, self.hang_up, "answers that nobody read")

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """In the format of every other error."""
        self._waiting.count_ended("unreadable requests")
        wrong = Wrong(CODES[400], "This is no HTTP request.", {}, self._clock.now(), token(12))
        body = msgspec.json.encode(WrongAnswer(wrong))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for part in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(part) or b"")
        self.transport.close()

    def hang_up(self, reason: str) -> None:
        """At once, without an answer."""
        self._arrived()
        self._waiting.count_ended(reason)
        self.transport.abort()

    def _expect(self) -> None:
        self._waiting.begin(self, self.client[0] if self.client else "")
        seconds = self._waiting.bounds.request_s
        self._deadline = self.loop.call_later(seconds, self.hang_up, "half-sent requests")

    def _upgraded(self, **known: Any) -> asyncio.Protocol:
        """From here on the Socket.IO channel bounds it."""
        assert self._websocket is not None
        self._arrived()
        return self._websocket(**known)

    def _arrived(self) -> None:
        self._waiting.end(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def served(app: Any, bounds: Bounds, clock: Clock) -> uvicorn.Config:
    """How an application is served: within limits, and with the client's real address.

    The address is the connection's own. X-Forwarded-For counts only when a trusted proxy sent it,
    and only the part that the last untrusted party could not have written."""
    http: Any = partial(BoundedHttp, Waiting(bounds, clock), clock)
    return uvicorn.Config(
        app,
        http=http,
        ws="wsproto",
        ws_max_size=_FRAME_MAX_BYTES,
        proxy_headers=bool(bounds.trusted),
        forwarded_allow_ips=[str(network) for network in bounds.trusted],
        log_config=None,
        access_log=False,
    )
