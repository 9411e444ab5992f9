"""A channel with its edge on a real transport, for one test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from coinslot.channels.base import Channel, Sending
from coinslot.channels.machine_queues import Limits
from coinslot.channels.mqtt import Mqtt, MqttOptions
from coinslot.channels.socketio import SocketIo, SocketIoOptions
from coinslot.device.edge import Edge, EdgeInbox, EdgeOptions
from coinslot.kit.clock import SystemClock
from tests.channels.brokers import Broker, secret_of
from tests.channels.machines import Machine, MqttMachine, RecordingHandler, SocketIoMachine
from tests.ports import free_port

LIMITS = Limits(workers=4, per_second=2_000)
PATIENCE_S = 20.0


class WebServer(uvicorn.Server):
    """uvicorn that tells when it listens and leaves the signals alone."""

    def __init__(self, app: Any, port: int) -> None:
        config = uvicorn.Config(app, "127.0.0.1", port, log_level="critical", lifespan="off")
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Rig:
    """The server's end: channel, edge, handler. Machines are made by the test."""

    channel: Channel

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.handler = RecordingHandler()
        self.machines: list[Machine] = []
        options = EdgeOptions(heartbeats_every_s=0.05, patience_s=PATIENCE_S)
        self.edge = Edge(self.handler, [channel], SystemClock(), options)

    def inbox(self) -> EdgeInbox:
        return EdgeInbox(self.edge, self.channel.name)

    async def send(self, outlet: str, message: dict[str, Any]) -> Sending:
        return await self.edge.send(outlet, self.channel.name, message)

    async def machine(self, outlet: str, secret: str | None = None) -> Machine:
        """A machine that is connected."""
        made: Machine = self.make(outlet, secret or secret_of(outlet))
        self.machines.append(made)
        async with asyncio.timeout(PATIENCE_S):
            await made.connect()
        return made

    def make(self, outlet: str, secret: str) -> Machine:
        raise NotImplementedError

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Rig"]:
        edge = asyncio.create_task(self.edge.run())
        try:
            await self.start()
            yield self
        finally:
            edge.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await edge
            for machine in self.machines:
                await machine.close()
            await self.stop()


class MqttRig(Rig):
    def __init__(self, broker: Broker) -> None:
        options = MqttOptions(
            url=broker.url, first_retry_s=0.05, longest_retry_s=0.2, limits=LIMITS
        )
        self.mqtt = Mqtt(options, SystemClock())
        super().__init__(self.mqtt)
        self.broker = broker

    def make(self, outlet: str, secret: str) -> MqttMachine:
        return MqttMachine(self.broker.port, outlet, secret)

    async def start(self) -> None:
        await self.broker.start()
        async with asyncio.timeout(PATIENCE_S):
            await self.mqtt.standing.wait()

    async def stop(self) -> None:
        await self.broker.stop()


class SocketIoRig(Rig):
    def __init__(self, options: SocketIoOptions | None = None) -> None:
        self.socketio = SocketIo(options or SocketIoOptions(limits=LIMITS), SystemClock())
        super().__init__(self.socketio)
        self.port = free_port()
        self.app: Any = self.socketio.asgi
        self._server: WebServer | None = None
        self._serving: asyncio.Task[None] | None = None

    def make(self, outlet: str, secret: str) -> SocketIoMachine:
        return SocketIoMachine(self.port, outlet, secret)

    async def start(self) -> None:
        self._server = WebServer(self.app, self.port)
        self._serving = asyncio.create_task(self._server.serve())
        async with asyncio.timeout(PATIENCE_S):
            await self._server.listening.wait()

    async def stop(self) -> None:
        assert self._server is not None
        assert self._serving is not None
        self._server.force_exit = self._server.should_exit = True
        await self._serving
