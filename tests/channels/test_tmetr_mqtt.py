"""Commands to coffee machines at a real broker: one frame each, and what proves that none left."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from msgspec.structs import replace

from coinslot.channels.tmetr import Broker, Make, Refused, Settings, Size, Taken, Unclear, frame
from coinslot.channels.tmetr.mqtt import Commands, connect, trust
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.channels.brokers import Broker as Running
from tests.channels.brokers import Mosquitto, Nats

SETTINGS = Settings(host="http://127.0.0.1:9", token=Secret("jwt"))
WANTED = Make(device="M01", order="ord-1", drink="d1", size=Size.MEDIUM, price=Money(15_000, "RUB"))
TOPIC = "devices/{device}/commands/make"


@pytest.fixture(params=[Nats, Mosquitto])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    if request.param is Mosquitto and not Mosquitto.installed():
        pytest.skip("no mosquitto here")
    broker: Running = request.param(tmp_path)
    await broker.start()
    yield broker
    await broker.stop()


def at(running: Running, **more: Any) -> Broker:
    known: dict[str, Any] = {"login": "coinslot", "topic": TOPIC}
    known["password"] = Secret("of-the-server")
    return Broker(host="127.0.0.1", port=running.port, tls=False, **(known | more))


async def test_a_command_is_one_frame_on_the_machines_topic(running: Running) -> None:
    machine = aiomqtt.Client(
        "127.0.0.1", running.port, username="M01", password=running.logins["M01"]
    )
    async with machine:
        await machine.subscribe("devices/M01/commands/make", qos=1)
        assert await Commands(SETTINGS, at(running)).make(WANTED) == Taken()
        async with asyncio.timeout(5):
            message = await anext(aiter(machine.messages))
    assert message.payload == frame.make(SETTINGS, WANTED)
    assert str(message.topic) == "devices/M01/commands/make"


async def test_a_wrong_password_and_no_broker_prove_that_nothing_left(running: Running) -> None:
    said = await Commands(SETTINGS, at(running, password=Secret("wrong"))).make(WANTED)
    assert isinstance(said, Refused)
    await running.stop()
    assert isinstance(await Commands(SETTINGS, at(running)).make(WANTED), Refused)


async def test_a_broker_that_never_acknowledges_leaves_doubt() -> None:
    """It takes the connection and says nothing to what is published."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(bytes.fromhex("20020000"))  # CONNACK
        await writer.drain()
        while await reader.read(1024):
            pass
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    broker = Broker(host="127.0.0.1", port=port, tls=False, answer_s=1)
    said = await Commands(SETTINGS, broker).make(WANTED)
    server.close()
    assert isinstance(said, Unclear)


async def test_a_price_that_fits_no_frame_is_refused_before_anything_is_opened() -> None:
    def never(_broker: Broker) -> aiomqtt.Client:
        raise AssertionError("it was opened")

    euros = Make(device="M01", order="o", drink="d", size=Size.BIG, price=Money(1, "EUR"))
    commands = Commands(SETTINGS, Broker(host="127.0.0.1", topic=TOPIC), connected=never)
    assert isinstance(await commands.make(euros), Refused)
    for device in ("M01+", "#"):
        assert isinstance(await commands.make(replace(WANTED, device=device)), Refused)


async def test_a_certificate_that_is_not_there_is_told(tmp_path: Path) -> None:
    missing = Broker(host="b", certificate_file=str(tmp_path / "none.pem"))
    with pytest.raises(OSError):
        trust(missing)
    assert trust(Broker(host="b", tls=False)) is None
    assert connect(Broker(host="b", tls=False)).identifier.startswith("coinslot-")
