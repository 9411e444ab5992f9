"""A whole simulator process against real brokers: vend, power cuts, kill -9, a broker that dies."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.simulator.brokers import MOSQUITTO, free_port, mosquitto, nats
from tests.simulator.mini_server import Message, MiniServer
from tests.simulator.running import SimulatorProcess

SECRET = "s3cret"
TIMING = {"vend_s": 0.2, "slow_s": 1.2, "restore_s": 0.3, "resend_s": 0.2, "health_s": 0.5}

BROKERS: list[Any] = [
    pytest.param(nats, id="nats"),
    pytest.param(
        mosquitto,
        id="mosquitto",
        marks=pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
    ),
]


def machine(port: int, **more: object) -> dict[str, object]:
    about: dict[str, object] = {"id": "M01", "channel": "mqtt", "dialect": "leased"}
    about |= {"login": "M01", "secret": SECRET, "slots": {"A1": 10, "B1": 10}}
    return about | {"mqtt": {"host": "127.0.0.1", "port": port}} | more


@contextlib.asynccontextmanager
async def serving(port: int) -> AsyncIterator[MiniServer]:
    login = {"username": "server", "password": "server"}
    async with aiomqtt.Client("127.0.0.1", port, **login) as client:

        async def send(message: Message) -> None:
            await client.publish("devices/M01/commands/dispense", json.dumps(message), qos=1)

        async def listen() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                await server.on_mqtt(message.payload)

        server = MiniServer(send, SECRET)
        await client.subscribe("devices/+/status/#", qos=1)
        listening = asyncio.create_task(listen())
        try:
            yield server
        finally:
            listening.cancel()


@pytest.mark.parametrize("broker", BROKERS)
async def test_a_paid_unit_drops_once_and_is_reported_until_acknowledged(
    tmp_path: Path, broker: Callable[..., Any]
) -> None:
    port = free_port()
    async with broker(tmp_path, port), serving(port) as server:
        async with SimulatorProcess([machine(port)], tmp_path / "machines", TIMING) as simulator:
            await server.expect("HELLO")
            server.acknowledges = False
            unit_id = await server.vend()
            result = await server.expect("RESULT", unit_id=unit_id)
            assert (result["outcome"], result["slot"]) == ("VENDED", "A1")
            assert result["evidence"]["drop"] == "yes"
            while len(server.all("RESULT", unit_id=unit_id)) < 3:
                await server.expect("HEALTH")
                await asyncio.sleep(0.05)
            assert [drop["unit_id"] for drop in simulator.drops("M01")] == [unit_id]
