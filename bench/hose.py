"""A load generator for HTTP that costs little: prepared bytes over connections that stay open, as
long as the server leaves them so. One that closes each gets new ones: it is measured with them."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Final, cast

from bench.measure import WARM_S, Round

_LENGTH: Final = b"\r\ncontent-length:"
_CHUNKED: Final = b"\r\ntransfer-encoding: chunked"
_CLOSES: Final = b"\r\nconnection: close"
_LAST_CHUNK: Final = b"0\r\n\r\n"
_CUT_OFF: Final = 0  # the status of a request that got no whole answer
_ANSWERS_WITHIN_S: Final = 30.0


class Tap(asyncio.Protocol):
    """One connection: a request is written when the answer to the one before is complete.

    `more` is called when it may ask (again), `told` with each status, and `over` after an answer
    with which the server closes, or when the connection is lost during a request."""

    def __init__(
        self,
        more: Callable[["Tap"], None],
        told: Callable[[int, float], None],
        over: Callable[["Tap"], None] = lambda _tap: None,
    ) -> None:
        self._more, self._told, self._over = more, told, over
        self._held = b""
        self._began = 0.0
        self._asked = False
        self.transport: asyncio.Transport | None = None
        self.answer = b""  # the last one's body, chunks as they came

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._more(self)

    def pour(self, request: bytes) -> None:
        assert self.transport is not None
        self._began, self._asked = perf_counter(), True
        self.transport.write(request)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, found, body = self._held.partition(b"\r\n\r\n")
        if found and _whole(head.lower(), body):
            self._answered(head, body)

    def connection_lost(self, _error: Exception | None) -> None:
        """Also the end of an answer that says neither its length nor its chunks."""
        if not self._asked:
            return
        head, found, body = self._held.partition(b"\r\n\r\n")
        if found and not _says_its_end(head.lower()):
            self._answered(head, body)
        else:
            self._asked = False
            self._told(_CUT_OFF, (perf_counter() - self._began) * 1000)
            self._over(self)

    def _answered(self, head: bytes, body: bytes) -> None:
        self.answer, self._held, self._asked = body, b"", False
        self._told(int(head[9:12]), (perf_counter() - self._began) * 1000)
        lower = head.lower()
        if _CLOSES in lower or not _says_its_end(lower):
            self.close()
            self._over(self)
        else:
            self._more(self)


def _says_its_end(head: bytes) -> bool:
    return _LENGTH in head or _CHUNKED in head or head[9:12] in {b"204", b"304"}


def _whole(head: bytes, body: bytes) -> bool:
    if _CHUNKED in head:
        return body.endswith(_LAST_CHUNK)
    at = head.find(_LENGTH)
    if at < 0:
        return head[9:12] in {b"204", b"304"}  # else it ends with the connection
    return len(body) >= int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


class RefusedError(Exception):
    """A webhook was not answered with 200."""


class StalledError(Exception):
    """Requests were left without an answer."""


class _Crowd:
    """So many connections that ask without a pause until `end`."""

    def __init__(self, port: int, next_request: Callable[[], bytes], seconds: float) -> None:
        self._port, self._next_request = port, next_request
        self._began = perf_counter() + WARM_S
        self._end = self._began + seconds
        self._anew: set[asyncio.Task[None]] = set()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.open: set[Tap] = set()
        self.took_ms: list[float] = []
        self.refused: list[int] = []

    async def connect(self) -> None:
        await asyncio.get_running_loop().create_connection(
            lambda: Tap(self._more, self._told, self._over), "127.0.0.1", self._port
        )

    @property
    def _asks(self) -> bool:
        return perf_counter() < self._end and not self.refused

    def _more(self, tap: Tap) -> None:
        self.open.add(tap)
        if self._asks:
            tap.pour(self._next_request())
            return
        self.open.discard(tap)
        tap.close()
        self._finish()

    def _over(self, tap: Tap) -> None:
        self.open.discard(tap)
        if self._asks:
            task = asyncio.get_running_loop().create_task(self.connect())
            self._anew.add(task)
            task.add_done_callback(self._connected)
        self._finish()

    def _connected(self, task: "asyncio.Task[None]") -> None:
        self._anew.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.refused.append(_CUT_OFF)
        self._finish()

    def _finish(self) -> None:
        if not self.open and not self._anew and not self.done.done():
            self.done.set_result(None)

    def _told(self, status: int, ms: float) -> None:
        if status != 200:
            self.refused.append(status)
        elif self._began <= perf_counter() < self._end:
            self.took_ms.append(ms)


async def saturate(
    port: int,
    next_request: Callable[[], bytes],
    connections: int,
    seconds: float,
    answers_within_s: float = _ANSWERS_WITHIN_S,
) -> Round:
    """As many as go, `connections` at a time, after a moment that does not count.

    Raises RefusedError for any answer but 200, StalledError where answers do not come."""
    crowd = _Crowd(port, next_request, seconds)
    try:
        async with asyncio.timeout(WARM_S + seconds + answers_within_s):
            for _ in range(connections):
                await crowd.connect()
            await crowd.done
    except TimeoutError as error:
        raise StalledError(f"{len(crowd.open)} requests got no answer") from error
    finally:
        for tap in list(crowd.open):
            tap.close()
    if crowd.refused:
        raise RefusedError(f"answered {crowd.refused[0] or 'by a closed connection'}")
    return Round(per_s=len(crowd.took_ms) / seconds, took_ms=crowd.took_ms)
