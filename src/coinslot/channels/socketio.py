"""Machines that connect by Socket.IO, in the leased protocol or in the simple dialect.

`asgi` is mounted at /socket.io. The secret in the handshake authenticates the machine."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, ClassVar, Final

import msgspec
import socketio
from msgspec import Meta, Struct

from coinslot.channels.base import Inbox, Login, Powers, Sending
from coinslot.channels.handshakes import HandshakeLimits, Handshakes
from coinslot.channels.machine_queues import Limits, MachineQueues, Work
from coinslot.channels.messages import MAX_MESSAGE_BYTES, OTHER_TOPICS, Id
from coinslot.channels.reports import KINDS
from coinslot.kit.clock import Clock

HANG_UP_S: Final = 1.0
EXPIRE_EVERY_S: Final = 0.5
# What the libraries raise on invalid frames. They would log each with a traceback, so that a
# stranger could fill the disk and block the event loop.
UNREADABLE: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
_libraries = logging.getLogger("coinslot.socketio.libraries")
_libraries.setLevel(logging.CRITICAL)


_SID, _POLICY = "coinslot.sid", 1008


class SocketIoOptions(Struct, frozen=True, kw_only=True):
    """How often silence is checked, and how much is listened to."""

    ping_interval_s: float = 10.0
    ping_timeout_s: float = 10.0
    limits: Limits = Limits()
    handshakes: HandshakeLimits = HandshakeLimits()


class Auth(Struct, frozen=True, rename="camel"):
    """What a machine shows at the handshake."""

    machine_id: Id
    secret: Annotated[str, Meta(min_length=1, max_length=256)]


class SocketIo:
    """The server's end; one connection per machine, the newest counts."""

    name: ClassVar[str] = "socketio"
    powers: ClassVar[Mapping[str, Powers]] = {
        "leased": Powers(
            idempotent_command=True,
            status_query=True,
            result_push=True,
            expiry=True,
            evidence=True,
        ),
        "simple": Powers(result_push=True),
    }

    def __init__(self, options: SocketIoOptions, clock: Clock) -> None:
        self.queues = MachineQueues(options.limits)
        self.ignored = 0  # events that nobody knows
        self._clock = clock
        self._inbox: Inbox | None = None
        self._sid_of: dict[str, str] = {}
        self._outlet_of: dict[str, str] = {}
        self._server: Any = socketio.AsyncServer(
            async_mode="asgi",
            async_handlers=False,  # events of one machine in the order in which it sent them
            cors_allowed_origins=[],  # machines are no browsers
            max_http_buffer_size=2 * MAX_MESSAGE_BYTES,
            ping_interval=options.ping_interval_s,
            ping_timeout=options.ping_timeout_s,
            logger=_libraries,
            engineio_logger=_libraries,
        )
        self._application: Any = socketio.ASGIApp(self._server, socketio_path=None)

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            await self._served(scope, receive, send)

        self.asgi = asgi  # a function: servers take a bound method for ASGI 2
        self._handshakes = Handshakes(options.handshakes, clock, self._end)
        self._ending: set[asyncio.Task[None]] = set()
        for event, heard in (
            ("connect", self._opened), ("message", self._said), ("disconnect", self._closed),
        ):  # fmt: skip
            self._server.eio.on(event, heard)
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        self._server.on("vend", self._vend)
        self._server.on("machine:done", self._done)
        self._server.on("machine:heartbeat", self._heartbeat)
        for kind in KINDS:
            self._server.on(kind, partial(self._reported, kind))
        self._server.on("*", self._ignore)

    def reaches(self, outlet: str) -> bool:
        """Only the process that holds the machine's connection reaches it."""
        return outlet in self._sid_of

    async def send(self, outlet: str, message: Mapping[str, object]) -> Sending:
        """Emit one command on the machine's connection, if it is connected here."""
        sid = self._sid_of.get(outlet)
        if sid is None:
            return Sending.UNREACHABLE
        if message.get("type") == "machine:dispense":
            body = {key: value for key, value in message.items() if key != "type"}
            await self._server.emit("machine:dispense", body, to=sid)
        else:
            _topic, event = OTHER_TOPICS.get(str(message.get("type")), ("", "vend"))
            await self._server.emit(event, message, to=sid)
        return Sending.SENT

    async def hang_up(self, outlet: str) -> None:
        """This machine has to show its secret again, if it is connected here."""
        sid = self._sid_of.get(outlet)
        if sid is not None:
            await self._server.disconnect(sid)

    def connected(self) -> list[str]:
        """The machines that are connected here."""
        return list(self._sid_of)

    async def run(self, inbox: Inbox) -> None:
        """Admit machines until cancelled; before and after that all are refused."""
        self._inbox = inbox
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self.queues.run())
                both.create_task(self._expire())
        finally:
            self._inbox = None
            await self._hang_up()

    async def _served(self, scope: Any, receive: Any, send: Any) -> None:
        """What cannot be read is the end of its connection."""
        begun = False

        async def recording_send(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._application(scope, receive, recording_send)
        except UNREADABLE:
            self._handshakes.refuse(scope.get(_SID, ""), "unreadable frames")
            if scope["type"] == "http" and not begun:
                headers = [(b"content-length", b"0"), (b"connection", b"close")]
                await send({"type": "http.response.start", "status": 400, "headers": headers})
                await send({"type": "http.response.body", "body": b""})

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_EVERY_S)
            self._handshakes.expire()

    async def _opened(self, eio: str, environ: dict[str, Any]) -> None:
        scope = environ["asgi.scope"]
        scope[_SID] = eio
        await self._server._handle_eio_connect(eio, environ)
        client = scope.get("client")
        self._handshakes.begin(eio, client[0] if client else "")

    async def _said(self, eio: str, data: object) -> None:
        if eio not in self._server.environ:  # it is being closed, and still sends
            return
        if not self._handshakes.allows(eio, data):
            self._handshakes.refuse(eio, "talk before the secret")
            return
        try:
            await self._server._handle_eio_message(eio, data)
        except UNREADABLE:
            self._handshakes.refuse(eio, "unreadable frames")

    async def _closed(self, eio: str, reason: str) -> None:
        self._handshakes.end(eio)
        await self._server._handle_eio_disconnect(eio, reason)

    def _end(self, eio: str) -> None:
        """Soon: it may be in the middle of its own message."""
        environ = self._server.environ.get(eio)
        if environ is not None:
            self._ending.add(ending := asyncio.create_task(self._ended(eio, environ)))
            ending.add_done_callback(self._ending.discard)

    async def _ended(self, eio: str, environ: dict[str, Any]) -> None:
        # First the connection itself: a peer that does not read is not waited for.
        if environ["asgi.scope"]["type"] == "websocket":
            with suppress(RuntimeError, OSError):
                await environ["asgi.send"]({"type": "websocket.close", "code": _POLICY})
        with suppress(TimeoutError, *UNREADABLE):
            async with asyncio.timeout(HANG_UP_S):
                await self._server.eio.disconnect(eio)

    async def _hang_up(self) -> None:
        # Otherwise the web server waits for connections that are no longer served.
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_S):
                if self._server.eio.sockets:
                    await self._server.eio.disconnect()
                await self._server.shutdown()
                if self._ending:
                    await asyncio.wait(set(self._ending))

    async def _connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:
        inbox = self._inbox
        if inbox is None or sid in self._outlet_of:  # an event named "connect" is no handshake
            raise socketio.exceptions.ConnectionRefusedError("not now")
        try:
            shown = msgspec.convert(auth, Auth)
        except (msgspec.ValidationError, ValueError) as error:
            raise socketio.exceptions.ConnectionRefusedError("machineId and secret") from error
        if not await inbox.admitted(Login(shown.machine_id, shown.secret)):
            raise socketio.exceptions.ConnectionRefusedError("unknown machine or secret")
        outlet = shown.machine_id
        while (old := self._sid_of.pop(outlet, None)) is not None:
            await self._server.disconnect(old)
        # Nothing is awaited from here on: nobody can send before the handshake's own answer.
        self._sid_of[outlet] = sid
        self._outlet_of[sid] = outlet
        self._handshakes.end(environ["asgi.scope"].get(_SID, ""))
        self.queues.put(outlet, partial(inbox.connected, outlet, self.name))

    async def _disconnect(self, sid: str, _reason: object = None) -> None:
        outlet = self._outlet_of.pop(sid, None)
        if outlet is not None and self._sid_of.get(outlet) == sid:
            del self._sid_of[outlet]
            if self._inbox is not None:
                self.queues.put(outlet, partial(self._inbox.disconnected, outlet, self.name))

    async def _vend(self, sid: str, *said: object) -> None:
        self._put(sid, said, None)

    async def _done(self, sid: str, *said: object) -> None:
        self._put(sid, said, "machine:done")

    async def _heartbeat(self, sid: str, *_said: object) -> None:
        outlet = self._outlet_of.get(sid)
        if outlet is not None and self._inbox is not None:
            await self._inbox.heartbeat(outlet)

    async def _ignore(self, *_said: object) -> None:
        self.ignored += 1

    async def _reported(self, kind: str, sid: str, *said: object) -> None:
        outlet, inbox = self._outlet_of.get(sid), self._inbox
        if outlet is None or inbox is None:
            return
        if kind == "health":
            await inbox.heartbeat(outlet)
        if inbox.wants(outlet, kind):
            body = said[0] if said and isinstance(said[0], dict) else {"": None}
            now = self._clock.now()
            self.queues.put(outlet, partial(inbox.reported, outlet, kind, body, now))

    def _put(self, sid: str, said: tuple[object, ...], kind: str | None) -> None:
        outlet, inbox = self._outlet_of.get(sid), self._inbox
        if outlet is None or inbox is None:
            return
        body = said[0] if said and isinstance(said[0], dict) else {}
        if kind is not None:
            body = {**body, "type": kind}
        work: Work = partial(inbox.received, outlet, body, self._clock.now())
        self.queues.put(outlet, work)
