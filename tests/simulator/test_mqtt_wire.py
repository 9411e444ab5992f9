"""The simulator's own MQTT client against a broker that only listens: goodbyes, pings, refusals."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from machine_simulator.link import Backoff, Ears, LinkLostError
from machine_simulator.mqtt_link import MqttLink
from machine_simulator.mqtt_wire import Broker, MqttConnection

WAIT_S = 5
CONNACK_OK, CONNACK_BAD = bytes([0x20, 2, 0, 0]), bytes([0x20, 2, 0, 5])
DISCONNECT = bytes([0xE0, 0])


@dataclass
class Listener:
    """Answers CONNECT and SUBSCRIBE, keeps every byte, answers nothing else."""

    port: int = 0
    connack: bytes = CONNACK_OK
    heard: bytearray = field(default_factory=bytearray)
    writer: asyncio.StreamWriter | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(4096):
                self.heard += chunk
                if chunk[0] == 0x10:
                    writer.write(self.connack)
                if chunk[0] == 0x82:
                    writer.write(bytes([0x90, 3, *chunk[2:4], 1]))
        self.closed.set()
        writer.close()


@contextlib.asynccontextmanager
async def listening(connack: bytes = CONNACK_OK) -> AsyncIterator[Listener]:
    listener = Listener(connack=connack)
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    async with server, asyncio.timeout(WAIT_S):
        yield listener


@contextlib.asynccontextmanager
async def connected(listener: Listener) -> AsyncIterator[MqttLink]:
    up = asyncio.Event()
    ears = Ears(up.set, lambda: None, lambda _event, _message: None)
    broker = Broker("127.0.0.1", listener.port, "M01", "s3cret")
    link = MqttLink("M01", broker, ears, Backoff(first_s=60))
    running = asyncio.create_task(link.run())
    try:
        await up.wait()
        yield link
    finally:
        running.cancel()


async def test_a_farewell_is_a_disconnect() -> None:
    async with listening() as listener, connected(listener) as link:
        await link.farewell()
        await listener.closed.wait()
        assert listener.heard.endswith(DISCONNECT)


async def test_a_cut_says_nothing() -> None:
    async with listening() as listener, connected(listener) as link:
        link.cut()
        await listener.closed.wait()
        assert DISCONNECT not in listener.heard


async def test_what_is_said_without_a_connection_is_not_sent() -> None:
    async with listening() as listener, connected(listener) as link:
        assert link.say("vend", {"type": "HELLO"})
        link.cut()
        assert not link.say("vend", {"type": "HELLO"})


async def test_every_login_uses_another_client_id() -> None:
    seen = set()
    for _ in range(2):
        async with listening() as listener, connected(listener):
            seen.add(bytes(listener.heard[:40]))
    assert len(seen) == 2


async def test_a_refused_login_is_an_error_that_hides_the_secret() -> None:
    async with listening(CONNACK_BAD) as listener:
        with pytest.raises(LinkLostError, match="M01") as error:
            await MqttConnection.open(Broker("127.0.0.1", listener.port, "M01", "s3cret"))
        assert "s3cret" not in str(error.value)


async def test_a_broker_that_answers_no_ping_is_given_up() -> None:
    async with listening() as listener:
        broker = Broker("127.0.0.1", listener.port, "M01", "s3cret")
        connection = await MqttConnection.open(broker)
        with pytest.raises(ExceptionGroup) as group:
            await connection.listen(lambda _payload: None, keepalive_s=0)
        assert group.group_contains(LinkLostError)


async def test_a_broker_that_closes_is_noticed() -> None:
    async with listening() as listener:
        broker = Broker("127.0.0.1", listener.port, "M01", "s3cret")
        connection = await MqttConnection.open(broker)
        assert listener.writer is not None
        listener.writer.close()
        with pytest.raises(ExceptionGroup) as group:
            await connection.listen(lambda _payload: None, keepalive_s=60)
        assert group.group_contains(LinkLostError)
