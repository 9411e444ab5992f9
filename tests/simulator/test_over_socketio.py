"""The simulator over Socket.IO: the leased protocol as `vend`, and the simple dialect."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import socketio
from aiohttp import web

from tests.ports import free_port
from tests.simulator.mini_server import Message, MiniServer
from tests.simulator.running import SimulatorProcess

SECRET = "s3cret"
TIMING = {
    "vend_s": 0.2,
    "slow_s": 1.0,
    "restore_s": 0.3,
    "resend_s": 0.2,
    "health_s": 0.3,
    "late_s": 0.8,
    "backoff_last_s": 0.3,
}


@dataclass
class Hall:
    """A Socket.IO server with one machine in it; `events` is all it emitted."""

    simulator: SimulatorProcess
    leased: MiniServer
    events: list[tuple[str, Message]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    arrivals: int = 0
    emit: Any = None

    async def until_done(self, times: int) -> list[Message]:
        await self.simulator.until(lambda: len(self.done()) >= times)
        return self.done()

    def done(self) -> list[Message]:
        return [message for name, message in self.events if name == "machine:done"]

    def fell(self) -> list[str | None]:
        return [drop["unit_id"] for drop in self.simulator.drops("S01")]

    async def dispense(self, order_id: str, slot: str = "A1") -> None:
        about: Message = {"orderId": order_id, "unitId": f"unit-{order_id}", "machineId": "S01"}
        about |= {"slot": slot, "amount": 4000, "currency": "INR"}
        await self.emit("machine:dispense", about)


@contextlib.asynccontextmanager
async def hall(folder: Path, dialect: str, **more: object) -> AsyncIterator[Hall]:
    port = free_port()
    about: dict[str, object] = {"id": "S01", "channel": "socketio", "dialect": dialect}
    about |= {"secret": SECRET, "slots": {"A1": 5}, "url": f"http://127.0.0.1:{port}"}
    simulator = SimulatorProcess([about | more], folder, TIMING)

    server = socketio.AsyncServer(async_mode="aiohttp")

    async def send(message: Message) -> None:
        await server.emit("vend", message)

    it = Hall(simulator, MiniServer(send, SECRET), emit=server.emit)
    _register(server, it)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with simulator:
            await simulator.until(lambda: it.arrivals > 0)
            yield it
    finally:
        await server.shutdown()
        await runner.cleanup()


def _register(server: socketio.AsyncServer, it: Hall) -> None:
    async def connect(_sid: str, _environ: object, auth: Message) -> bool:
        it.arrivals += 1
        return auth == {"machineId": "S01", "secret": SECRET}

    async def disconnect(_sid: str, reason: str) -> None:
        it.reasons.append(reason)

    async def anything(event: str, _sid: str, message: Message) -> None:
        it.events.append((event, message))
        if event in ("vend", "health"):
            await it.leased.hear(message)

    server.on("connect", connect)
    server.on("disconnect", disconnect)
    server.on("*", anything)


async def test_the_leased_protocol_is_the_same_over_socketio(tmp_path: Path) -> None:
    async with hall(tmp_path, "leased") as it:
        await it.leased.expect("HELLO")
        unit_id = await it.leased.vend()
        result = await it.leased.expect("RESULT", unit_id=unit_id)
        assert result["outcome"] == "VENDED"
        await it.leased.expect("HEALTH")
        await it.leased.silence_of("RESULT")
        assert it.fell() == [unit_id]


async def test_a_power_cut_tears_the_connection_without_a_goodbye(tmp_path: Path) -> None:
    async with hall(tmp_path, "leased") as it:
        await it.leased.expect("HELLO")
        it.simulator.fault("S01", power_cut_at="dropped")
        unit_id = await it.leased.vend()
        result = await it.leased.expect("RESULT", unit_id=unit_id)
        assert (result["outcome"], result["evidence"]["drop"]) == ("INTERRUPTED", "yes")
        assert it.reasons == ["transport close"]


async def test_a_stopped_machine_is_gone_at_once(tmp_path: Path) -> None:
    async with hall(tmp_path, "leased") as it:
        await it.leased.expect("HELLO")
        await it.simulator.stop()
        await it.simulator.until(lambda: len(it.reasons) == 1)


async def test_the_simple_dialect_answers_one_command_with_one_word(tmp_path: Path) -> None:
    async with hall(tmp_path, "simple") as it:
        await it.dispense("o-1")
        assert await it.until_done(1) == [{"orderId": "o-1", "status": "SUCCESS"}]
        assert it.fell() == ["unit-o-1"]
        heartbeats = [m for name, m in it.events if name == "machine:heartbeat"]
        assert heartbeats[0]["machineId"] == "S01"


async def test_a_simple_machine_says_what_went_wrong(tmp_path: Path) -> None:
    async with hall(tmp_path, "simple") as it:
        it.simulator.fault("S01", jam=True)
        await it.dispense("o-1")
        await it.dispense("o-2")
        await it.until_done(2)
        it.simulator.fault("S01", jam=False)
        await it.dispense("o-3", slot="Z9")
        assert await it.until_done(3) == [
            {"orderId": "o-2", "status": "FAILED", "failureCode": "BUSY"},
            {"orderId": "o-1", "status": "FAILED", "failureCode": "JAM"},
            {"orderId": "o-3", "status": "FAILED", "failureCode": "SLOT_FAULT"},
        ]
        assert it.fell() == []


async def test_a_simple_machine_vends_again_for_a_repeated_command(tmp_path: Path) -> None:
    async with hall(tmp_path, "simple") as it:
        for times in (1, 2):
            await it.dispense("o-1")
            await it.until_done(times)
        assert it.fell() == ["unit-o-1"] * 2


async def test_after_a_cut_a_simple_machine_remembers_nothing(tmp_path: Path) -> None:
    async with hall(tmp_path, "simple") as it:
        it.simulator.fault("S01", power_cut_at="recorded")
        await it.dispense("o-1")
        await it.simulator.until(lambda: it.arrivals == 2)
        await it.dispense("o-2")
        assert await it.until_done(1) == [{"orderId": "o-2", "status": "SUCCESS"}]
        assert it.fell() == ["unit-o-1", "unit-o-2"]


async def test_an_answer_that_found_no_network_comes_when_it_is_back(tmp_path: Path) -> None:
    async with hall(tmp_path, "simple") as it:
        it.simulator.fault("S01", slow=True)
        await it.dispense("o-1")
        await it.simulator.until(lambda: it.simulator.state("S01")["step"] == "running")
        it.simulator.fault("S01", offline=True)
        await it.simulator.until(lambda: it.simulator.state("S01")["step"] == "idle")
        assert it.done() == []
        it.simulator.fault("S01", offline=False)
        await it.until_done(1)


async def test_simple_answers_may_come_three_times_or_late(tmp_path: Path) -> None:
    async with hall(tmp_path, "simple") as it:
        it.simulator.fault("S01", duplicate_done=True)
        await it.dispense("o-1")
        assert await it.until_done(3) == [{"orderId": "o-1", "status": "SUCCESS"}] * 3
        it.simulator.fault("S01", duplicate_done=False, late_done=True)
        await it.dispense("o-2")
        await it.simulator.until(lambda: len(it.fell()) == 2)
        await asyncio.sleep(0.3)
        assert len(it.done()) == 3
        await it.until_done(4)
