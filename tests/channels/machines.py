"""A machine's end of each transport, and the business end of the server, for the contract suite."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import aiomqtt
import socketio

from coinslot.channels.messages import Down, MachineDone, Up
from coinslot.channels.reports import REPORT_TOPICS, Report
from tests.channels.brokers import secret_of

UNIT = UUID("0192f0c1-2345-7abc-8def-0123456789ab")
Wire = dict[str, Any]


def result(event_seq: int, **more: object) -> Wire:
    """A readable message up, told apart by its number."""
    unit = {"type": "RESULT", "unit_id": str(UNIT), "journal_id": "j1", "event_seq": event_seq}
    return {**unit, "slot": "A1", "outcome": "VENDED", **more}


class RecordingHandler:
    """A handler that records what it receives and answers what the test wants."""

    def __init__(self) -> None:
        self.up: asyncio.Queue[tuple[str, Up]] = asyncio.Queue()
        self.done: asyncio.Queue[tuple[str, MachineDone]] = asyncio.Queue()
        self.greeted: asyncio.Queue[str] = asyncio.Queue()
        self.batches: asyncio.Queue[list[str]] = asyncio.Queue()
        self.answer: Callable[[str, Up], list[Down]] = lambda _outlet, _up: []
        self.reports: asyncio.Queue[tuple[str, Report]] = asyncio.Queue()
        self.not_taken: set[str] = set()
        self.away = False
        self.held: dict[str, asyncio.Event] = {}  # outlets whose messages wait for the event

    async def admit(self, outlet: str, secret: str) -> bool:
        if self.away:
            raise ConnectionError("the database is away")
        return secret == secret_of(outlet)

    async def receive(self, outlet: str, up: Up, at: datetime) -> list[Down]:
        assert at.tzinfo is not None
        if outlet in self.held:
            await self.held[outlet].wait()
        answers = self.answer(outlet, up)
        self.up.put_nowait((outlet, up))
        return answers

    async def receive_simple(self, outlet: str, done: MachineDone, at: datetime) -> None:
        assert at.tzinfo is not None
        self.done.put_nowait((outlet, done))

    async def connected(self, outlet: str) -> None:
        self.greeted.put_nowait(outlet)

    def takes(self, kind: str) -> bool:
        return kind not in self.not_taken

    async def receive_report(self, outlet: str, report: Report, at: datetime) -> list[Down]:
        assert at.tzinfo is not None
        self.reports.put_nowait((outlet, report))
        return []

    async def record_heartbeats(self, heartbeats: list[tuple[str, datetime]]) -> None:
        self.batches.put_nowait([outlet for outlet, _ in heartbeats])


class Machine(Protocol):
    """What the contract suite asks of a machine's end."""

    received: asyncio.Queue[Wire]
    topics: list[str]

    async def connect(self) -> None: ...

    async def say(self, message: object) -> None: ...

    async def beat(self) -> None: ...

    async def report(self, kind: str, body: object) -> None: ...

    async def close(self) -> None: ...


class RefusedError(Exception):
    """The server does not let the machine in."""


class MqttMachine:
    """A clean session with a random client id, reconnecting."""

    def __init__(self, port: int, outlet: str, secret: str) -> None:
        self.received: asyncio.Queue[Wire] = asyncio.Queue()
        self.topics: list[str] = []  # of what was received
        self._port, self._outlet, self._secret = port, outlet, secret
        self._there = asyncio.Event()
        self._client: aiomqtt.Client | None = None
        self._life: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self._life = asyncio.create_task(self._live())
        there = asyncio.create_task(self._there.wait())
        await asyncio.wait({there, self._life}, return_when=asyncio.FIRST_COMPLETED)
        there.cancel()
        if self._life.done():
            await self._life

    async def _live(self) -> None:
        while True:
            try:
                await self._listen()
            except aiomqtt.exceptions.MqttConnectError as error:
                raise RefusedError(str(error)) from error
            except aiomqtt.MqttError:
                self._there.clear()
                await asyncio.sleep(0.05)  # between two attempts

    async def _listen(self) -> None:
        client = aiomqtt.Client(
            "127.0.0.1", self._port, username=self._outlet, password=self._secret
        )
        async with client:
            own = f"devices/{self._outlet}"
            await client.subscribe([(f"{own}/commands/#", 1), (f"{own}/config/#", 1)])
            self._client = client
            self._there.set()
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                assert not message.retain
                self.topics.append(message.topic.value.removeprefix(f"{own}/"))
                self.received.put_nowait(json.loads(message.payload))

    async def publish(self, topic: str, body: bytes, *, retain: bool = False) -> None:
        while True:
            await self._there.wait()
            assert self._client is not None
            try:
                return await self._client.publish(topic, body, qos=1, retain=retain)
            except aiomqtt.MqttError:
                self._there.clear()  # until it is connected again

    async def say(self, message: object) -> None:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        await self.publish(f"devices/{self._outlet}/status/dispense", body)

    async def report(self, kind: str, body: object) -> None:
        topic = next(topic for topic, known in REPORT_TOPICS.items() if known == kind)
        whole = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.publish(f"devices/{self._outlet}/{topic}", whole)

    async def beat(self) -> None:
        await self.publish(f"devices/{self._outlet}/status/health", b'{"type": "HEALTH"}')

    async def close(self) -> None:
        if self._life is not None:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError, RefusedError):
                await self._life


class SocketIoMachine:
    """python-socketio's own client."""

    def __init__(self, port: int, outlet: str, secret: str) -> None:
        self.received: asyncio.Queue[Wire] = asyncio.Queue()
        self.dispenses: asyncio.Queue[Wire] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.there = asyncio.Event()
        self.transports = ["websocket"]
        self._url = f"http://127.0.0.1:{port}"
        self.auth: Any = {"machineId": outlet, "secret": secret}
        self._client: Any = socketio.AsyncClient(
            reconnection_delay=0.05, reconnection_delay_max=0.1
        )
        self.topics: list[str] = []  # the events of what was received
        for event in ("vend", "config", "firmware"):
            self._client.on(event, partial(self._take, event))
        self._client.on("machine:dispense", self._dispense)
        self._client.on("connect", self._connected)
        self._client.on("disconnect", self._disconnected)

    async def connect(self) -> None:
        try:
            await self._client.connect(self._url, auth=self.auth, transports=self.transports)
        except socketio.exceptions.ConnectionError as error:
            raise RefusedError(str(error)) from error

    async def say(self, message: object) -> None:
        await self.emit("vend", message)

    async def emit(self, event: str, *said: object) -> None:
        await self.there.wait()
        await self._client.emit(event, said)

    async def report(self, kind: str, body: object) -> None:
        await self.emit(kind, body)

    async def beat(self) -> None:
        await self.emit("machine:heartbeat")

    async def raw(self, packet: str) -> None:
        """Send an Engine.IO message as it stands."""
        await self._client.eio.send(packet)

    async def understood(self) -> bool:
        """Whether the server took all that was sent so far; False when it hung up instead."""
        answer = asyncio.create_task(self._client.call("machine:heartbeat"))
        gone = asyncio.create_task(self.gone.wait())
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        answer.cancel()
        return answer.done() and not answer.cancelled() and answer.exception() is None

    async def close(self) -> None:
        await self._client.shutdown()

    async def _take(self, event: str, message: Wire) -> None:
        self.topics.append(event)
        self.received.put_nowait(message)

    async def _dispense(self, message: Wire) -> None:
        self.dispenses.put_nowait(message)

    async def _connected(self) -> None:
        self.gone.clear()
        self.there.set()

    async def _disconnected(self, _reason: object = None) -> None:
        self.there.clear()
        self.gone.set()
