"""A loop whose clock jumps to the next timer, and a device without a network on it: hours of
leases and repetitions in a moment, the same each time."""

import asyncio
import json
import random
import selectors
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from coinslot.conformance.bench import Bench, Patience, Subject
from coinslot.conformance.line import VENDS, Wire
from coinslot.conformance.run import Report, examine
from coinslot.kit.clock import SystemClock
from machine_simulator.clock import Ticks
from machine_simulator.files import Record, encode
from machine_simulator.leased import LeasedMachine
from machine_simulator.link import Backoff, Ears, Link
from machine_simulator.mqtt_link import TOPICS_UP
from machine_simulator.settings import MachineSpec, Timing
from machine_simulator.voice import Voice

T = TypeVar("T")

TIMING = Timing(
    vend_s=1.0, fall_s=0.2, restore_s=1.0, resend_s=1.0, health_s=1e6, food_s=1e6, count_s=1e6,
    progress_s=1e6, backoff_first_s=0.1, backoff_last_s=0.1,
)  # fmt: skip


class _Jumping(selectors.DefaultSelector):
    """Does not wait: what it would have waited has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if not found and timeout is not None:
            self.passed_s += max(timeout, 0.0)
        elif not found:
            return super().select(None)
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed_s


def run_virtual(coroutine: Awaitable[T]) -> T:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


class MemoryLink(Link):
    """The machine's end of the line."""

    def __init__(self, ears: Ears, backoff: Backoff, up: Callable[[str, bytes], None]) -> None:
        super().__init__(ears, backoff)
        self._up = up
        self._broken = asyncio.Event()

    async def _session(self) -> None:
        self._broken.clear()
        self._mark(up=True)
        await self._broken.wait()

    def say(self, event: str, message: dict[str, Any]) -> bool:
        if self.connected:
            self._up(TOPICS_UP[event], encode(message).encode())
        return self.connected

    def cut(self) -> None:
        self._mark(up=False)
        self._broken.set()

    async def flush(self) -> None:
        pass

    async def farewell(self) -> None:
        self.cut()

    def hear(self, body: bytes) -> None:
        if not self.connected:
            return
        try:
            message = json.loads(body)
        except ValueError:
            return
        if isinstance(message, dict):
            self.ears.hear("vend", message)


class Timed(LeasedMachine):
    """Its ticks are those of the loop."""

    def _set_clock(self) -> None:
        self._ticks = Ticks(monotonic=asyncio.get_running_loop().time)


Kind = type[Timed]


class World:
    """One machine, its power, and the kit at the other end. It is the kit's line and its hands."""

    def __init__(self, folder: Path, spec: MachineSpec, kind: Kind) -> None:
        self.wire: Wire | None = Wire()
        self.folder, self._spec, self._kind = folder, spec, kind
        self.bench: Bench | None = None
        self._up: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._life: asyncio.Task[None] | None = None
        self.machine = self._made()

    def _made(self) -> LeasedMachine:
        machine = self._kind(self._spec, TIMING, self.folder)
        heard = Ears(machine.came_up, machine.draw, machine._hear)
        machine.link = MemoryLink(heard, Backoff(0.1, 0.1), self._say)
        machine.voice = Voice(machine.link.say, machine.faults, TIMING.late_s)
        return machine

    def _say(self, branch: str, body: bytes) -> None:
        self._up.put_nowait((branch, body))

    async def live(self) -> None:
        self.power()
        while True:
            branch, body = await self._up.get()
            assert self.bench is not None
            await self.bench.take(branch, body)

    def power(self) -> None:
        self.machine = self._made()
        self._life = asyncio.create_task(self.machine.live())

    async def off(self) -> None:
        assert self._life is not None
        self._life.cancel()
        await asyncio.gather(self._life, return_exceptions=True)

    # The line

    async def send(self, branch: str, body: bytes) -> None:
        link = self.machine.link
        assert isinstance(link, MemoryLink)
        link.hear(body)
        await asyncio.sleep(0)

    def cut(self) -> bool:
        self.machine.link.cut()
        return True

    async def retained(self) -> set[str]:
        return set()

    # The hands

    async def ready(self, text: str) -> bool:
        return True

    async def cut_power(self, when: str) -> bool:
        await self.off()
        await asyncio.sleep(0.5)
        self.power()
        return True

    async def cut_network(self, when: str) -> bool:
        return self.cut()

    async def jam(self, *, on: bool) -> bool:
        (self.folder / "faults.json").write_text(json.dumps({"jam": on}))
        return True

    async def fell(self) -> int | None:
        return None


def report_on(folder: Path, kind: Kind = Timed, world: type[World] = World, **more: Any) -> Report:
    """What the kit says of such a machine."""
    random.seed(7)  # the machine spreads its rhythms by it

    async def main() -> Report:
        spec = MachineSpec(
            id="M01", channel="mqtt", dialect="leased", login="M01", secret="s3cret",
            slots={"A1": 60, "B1": 5}, key_id="1", journal_capacity=6, journal_keep=4, **more,
        )  # fmt: skip
        there = world(folder, spec, kind)
        tested = Subject(machine="M01", secret="s3cret", patience=Patience(5, 10, 20, 10))
        bench = Bench(there, tested, there, random.Random(7), SystemClock())
        bench.syncs = False
        there.bench = bench
        life = asyncio.create_task(there.live())
        try:
            return await examine(bench, 7)
        finally:
            await there.off()
            life.cancel()

    return run_virtual(main())


__all__ = ["VENDS", "Record", "Ticks", "World", "report_on"]
