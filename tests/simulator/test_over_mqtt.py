"""A whole simulator process against real brokers: vend, faults, power cuts, kill -9."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.ports import free_port
from tests.simulator.brokers import MOSQUITTO, mosquitto, nats
from tests.simulator.mini_server import Message, MiniServer
from tests.simulator.running import SimulatorProcess

SECRET = "s3cret"
TIMING = {
    "vend_s": 0.2,
    "slow_s": 1.2,
    "restore_s": 0.3,
    "resend_s": 0.2,
    "health_s": 0.5,
    "count_s": 0.5,
    "late_s": 1.0,
    "progress_s": 0.4,
    "backoff_last_s": 0.5,
}

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
    async with aiomqtt.Client("127.0.0.1", port, username="server", password="server") as client:

        async def send(message: Message) -> None:
            await client.publish("devices/M01/commands/dispense", json.dumps(message), qos=1)

        async def listen() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                about = server.counted if "/inventory" in message.topic.value else server.hear
                await about(json.loads(message.payload))

        server = MiniServer(send, SECRET)
        await client.subscribe("devices/+/status/#", qos=1)
        listening = asyncio.create_task(listen())
        try:
            yield server
        finally:
            listening.cancel()


@dataclass
class House:
    """One broker, one server, one machine."""

    server: MiniServer
    simulator: SimulatorProcess

    def fell(self) -> list[str | None]:
        return [drop["unit_id"] for drop in self.simulator.drops("M01")]


@contextlib.asynccontextmanager
async def running(folder: Path, broker: Callable[..., Any] = nats) -> AsyncIterator[House]:
    port = free_port()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(broker(folder, port))
        server = await stack.enter_async_context(serving(port))
        simulator = SimulatorProcess([machine(port)], folder / "machines", TIMING)
        await stack.enter_async_context(simulator)
        await server.expect("HELLO")
        yield House(server, simulator)


@pytest.mark.parametrize("broker", BROKERS)
async def test_a_unit_drops_once_and_is_reported_until_acknowledged(
    tmp_path: Path, broker: Callable[..., Any]
) -> None:
    async with running(tmp_path, broker) as house:
        server = house.server
        server.acknowledges = False
        unit_id = await server.vend()
        result = await server.expect("RESULT", unit_id=unit_id)
        assert (result["outcome"], result["slot"]) == ("VENDED", "A1")
        assert result["evidence"]["drop"] == "yes"
        await server.heard_often("RESULT", 3, unit_id=unit_id)
        await server.heard_often("STARTED", 3, unit_id=unit_id)
        assert house.fell() == [unit_id]
        server.acknowledges = True
        await server.silence_of("RESULT")


async def test_a_jam_fails_and_nothing_falls(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        house.simulator.fault("M01", jam=True)
        unit_id = await house.server.vend()
        result = await house.server.expect("RESULT", unit_id=unit_id)
        assert (result["outcome"], result["failure_code"]) == ("FAILED", "JAM")
        assert house.fell() == []


async def test_a_cut_after_the_accept_brings_the_machine_back_without_its_lease(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as house:
        server = house.server
        house.simulator.fault("M01", power_cut_at="accepted")
        unit_id, seq = await server.offer()
        accept = await server.expect("ACCEPT", unit_id=unit_id)
        hello = await server.rebooted(accept)
        assert hello["journal_id"] == accept["journal_id"]
        await server.go(accept)
        await server.expect("RESULT", unit_id=unit_id, outcome="TOMBSTONED")
        status = await server.query(unit_id, seq, accept["journal_id"])
        assert status["state"] == "TOMBSTONED"
        assert house.fell() == []
        assert house.simulator.faults("M01")["power_cut_at"] is None


CUTS = [("started", "INTERRUPTED", "no"), ("dropped", "INTERRUPTED", "yes")]


@pytest.mark.parametrize(("step", "outcome", "drop"), [*CUTS, ("recorded", "VENDED", "yes")])
async def test_a_cut_during_a_vend_is_told_with_its_evidence(
    tmp_path: Path, step: str, outcome: str, drop: str
) -> None:
    async with running(tmp_path) as house:
        house.simulator.fault("M01", power_cut_at=step)
        unit_id = await house.server.vend()
        result = await house.server.expect("RESULT", unit_id=unit_id)
        assert (result["outcome"], result["evidence"]["drop"]) == (outcome, drop)
        assert house.fell() == ([unit_id] if drop == "yes" else [])
        again = await house.server.vend()
        await house.server.expect("RESULT", unit_id=again, outcome="VENDED")


async def test_kill_minus_nine_in_mid_vend_is_a_power_cut(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        house.simulator.fault("M01", slow=True)
        unit_id = await house.server.vend()
        await house.server.expect("STARTED", unit_id=unit_id)
        await house.simulator.kill()
        house.simulator.fault("M01", slow=False)
        await house.simulator.start()
        result = await house.server.expect("RESULT", unit_id=unit_id)
        assert (result["outcome"], result["evidence"]["drop"]) == ("INTERRUPTED", "no")
        again = await house.server.vend()
        await house.server.expect("RESULT", unit_id=again, outcome="VENDED")
        assert house.fell() == [again]
        assert house.simulator.state("M01")["slots"] == {"A1": 9, "B1": 10}


@pytest.mark.parametrize("seed", [1])
async def test_kill_minus_nine_at_any_instant_leaves_one_true_story(
    tmp_path: Path, seed: int
) -> None:
    instants = random.Random(seed)
    async with running(tmp_path) as house:
        server = house.server
        for _ in range(5):
            unit_id, seq = await server.offer()
            accept = await server.expect("ACCEPT", unit_id=unit_id)
            await server.go(accept)
            await asyncio.sleep(instants.uniform(0, 0.4))
            await house.simulator.kill()
            await house.simulator.start()
            await server.rebooted(accept)
            status = await server.query(unit_id, seq, accept["journal_id"])
            fell = house.fell().count(unit_id)
            truth = {
                "VENDED": 1,
                "TOMBSTONED": 0,
                "INTERRUPTED": int(status["evidence"]["drop"] == "yes"),
            }
            assert fell == truth[status["state"]], status
            result = await server.expect("RESULT", unit_id=unit_id)
            assert result["outcome"] == status["state"]


async def test_offline_it_works_on_and_tells_later(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        house.simulator.fault("M01", slow=True)
        unit_id = await house.server.vend()
        await house.server.expect("STARTED", unit_id=unit_id)
        house.simulator.fault("M01", offline=True)
        await house.simulator.until(
            lambda: bool(house.fell()) and house.simulator.state("M01")["step"] == "idle"
        )
        assert not house.simulator.state("M01")["connected"]
        assert house.server.all("RESULT") == []
        house.simulator.fault("M01", offline=False)
        await house.server.expect("RESULT", unit_id=unit_id, outcome="VENDED")


async def test_a_slow_vend_says_progress(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        house.simulator.fault("M01", slow=True)
        unit_id = await house.server.vend()
        result = await house.server.expect("RESULT", unit_id=unit_id)
        numbers = {m["event_seq"] for m in house.server.all("PROGRESS", unit_id=unit_id)}
        assert numbers == set(range(2, result["event_seq"])) != set()


async def test_duplicate_and_late_answers_are_as_asked_for(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        server = house.server
        house.simulator.fault("M01", duplicate_done=True)
        unit_id = await server.vend()
        await server.heard_often("RESULT", 3, unit_id=unit_id)
        house.simulator.fault("M01", duplicate_done=False, late_done=True)
        late = await server.vend()
        await house.simulator.until(lambda: len(house.fell()) == 2)
        status = await server.query(late, 2, server.heard[0]["journal_id"])
        assert status["state"] in ("STARTED", "VENDED")
        assert server.all("RESULT", unit_id=late) == []
        await server.expect("RESULT", unit_id=late, outcome="VENDED")


async def test_the_slot_that_really_turned_is_named(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        house.simulator.fault("M01", wrong_slot=True)
        unit_id = await house.server.vend("A1")
        result = await house.server.expect("RESULT", unit_id=unit_id)
        assert (result["outcome"], result["slot"]) == ("VENDED", "B1")
        assert [drop["slot"] for drop in house.simulator.drops("M01")] == ["B1"]


async def test_a_wiped_journal_comes_back_under_a_new_name(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        first = await house.server.expect("HELLO")
        house.simulator.fault("M01", wipe_journal=True)
        second = await house.server.rebooted(first)
        assert second["journal_id"] != first["journal_id"]
        assert house.simulator.faults("M01")["wipe_journal"] is False


async def test_with_a_wrong_clock_leases_still_hold(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        house.simulator.fault("M01", wrong_clock=True)
        async with asyncio.timeout(10):
            while (await house.server.expect_later("HEALTH"))["wall"].startswith("20"):
                pass
        unit_id = await house.server.vend()
        accept = await house.server.expect("ACCEPT", unit_id=unit_id)
        assert accept["mono_ms"] + 10_000 > 2**30
        await house.server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
