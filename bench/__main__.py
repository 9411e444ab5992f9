"""`make bench`: lays the ground, runs the laps, says what it sees, and writes the results."""

import argparse
import asyncio
import logging
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import structlog
import uvloop
from msgspec import Struct

from bench import computer, idle, laps, outgoing, report
from bench.ground import Base, Ground
from bench.measure import share
from bench.parts import Failures, Part, told
from coinslot.kit.clock import SystemClock

RESULTS = Path(__file__).parent / "RESULTS.md"
_CHANNELS = ("mqtt", "socketio")
_VENDING = 400  # machines of (c)
# Each part ends by then, or is said to have failed; the others go on.
_LAP_S = 300.0  # beside its rounds: copies, starts, and queues that are worked off
_ROUNDS_OF_LAP = 8
_OUTGOING_S, _IDLE_S = 300.0, 300.0


class Plan(Struct, frozen=True, kw_only=True):
    """What is measured, and how long."""

    orders: tuple[int, ...]
    rounds: int
    seconds: float
    machines: int
    parts: tuple[Part, ...]
    write: bool


def _parts(*, quick: bool) -> tuple[Part, ...]:
    """What runs as a program of its own, after the laps."""
    if quick:
        return (
            Part("A coffee", ("bench.coffee", "--cups", "5"), 120),
            Part("A counter", ("bench.counter", "--quick"), 180),
            Part(
                "Open pages",
                ("bench.live_pages", "--pages", "20", "--rounds", "1", "--seconds", "2"),
                90,
            ),
            Part("What people would take instead", ("bench.peers", "--quick"), 240),
            Part("Machines by hundreds and thousands", ("bench.machines", "--quick"), 150),
            Part("Brokers by themselves", ("bench.brokers", "--quick"), 90),
        )
    return (
        Part("A coffee", ("bench.coffee", "--cups", "40"), 600),
        Part("A counter", ("bench.counter", "--rounds", "80"), 1200),
        Part("Open pages", ("bench.live_pages",), 600),
        Part("What people would take instead", ("bench.peers",), 900),
        Part("Machines by hundreds and thousands", ("bench.machines",), 3600),
        Part("Brokers by themselves", ("bench.brokers",), 600),
    )


def plan(arguments: list[str] | None = None) -> Plan:
    """From the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure throughput and latency on this machine."
    )
    parser.add_argument("--quick", action="store_true", help="some minutes, to see that it works")
    parser.add_argument(
        "--short", action="store_true", help="long laps, and what is measured besides as by --quick"
    )
    parser.add_argument("--orders", help="orders that are there before, e.g. 1000,1000000")
    parser.add_argument("--rounds", type=int, help="laps for each number of orders")
    parser.add_argument("--seconds", type=float, help="length of each round")
    parser.add_argument("--machines", type=int, help="idle machines of each channel")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} as well")
    given = parser.parse_args(arguments)
    usual = ("1000,5000", 1, 1.0, 50) if given.quick else ("1000,1000000", 3, 5.0, 1000)
    orders = given.orders or usual[0]
    return Plan(
        orders=tuple(sorted({int(number) for number in orders.split(",")})),
        rounds=given.rounds or usual[1],
        seconds=given.seconds or usual[2],
        machines=given.machines or usual[3],
        parts=_parts(quick=given.quick or given.short),
        write=given.write,
    )


class Bench:
    """One run, from an empty folder to the page."""

    def __init__(self, wanted: Plan, folder: Path) -> None:
        self._plan = wanted
        self._folder = folder
        self._ground = Ground(folder)
        self.failures = Failures(self._say)
        self._began = perf_counter()

    async def run(self) -> str:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGINT):  # nothing stays behind when it is ended
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        await self._ground.open()
        try:
            measured = await self._measured()
        finally:
            await self._ground.close()
        return measured + await self._programs()

    async def _programs(self) -> str:
        """Each over a ground of its own."""
        pages = []
        for part in self._plan.parts:
            async with self.failures.noted(part.name, part.bound_s + 60):
                page = await told(part)
                pages.append(f"\n## {part.name}\n\n{page.strip()}\n")
                self._say(part.name)
        return "".join(pages)

    async def _measured(self) -> str:
        ground, wanted = self._ground, self._plan
        self._say("laying the ground")
        bare = await ground.make("bare", self._outlets())
        courses = [await self._course(bare, existing) for existing in wanted.orders]
        run: dict[int, list[laps.Lap]] = {course.existing: [] for course in courses}
        for number in range(wanted.rounds):
            done: dict[int, laps.Lap] = {}
            for course in courses:
                name = f"lap {number + 1} of {wanted.rounds}, {course.existing:,} orders before"
                async with self.failures.noted(name, _LAP_S + _ROUNDS_OF_LAP * course.seconds):
                    lap = await laps.run(ground, course, number, self._folder / "serving")
                    done[course.existing] = lap
                    self._say(f"lap {number + 1} of {wanted.rounds}, {_told(course.existing, lap)}")
            if len(done) == len(courses):  # ratios are of laps that were all there
                for existing, lap in done.items():
                    run[existing].append(lap)
        sent: outgoing.Sent | None = None
        async with self.failures.noted("(e)", _OUTGOING_S):
            sent = await outgoing.measure(ground, bare, self._folder / "serving", wanted.seconds)
            self._say(f"(e) {sent.ours.per_s:.0f}/s = {outgoing.ratio(sent):.2f} of a plain loop")
        costs: list[idle.Cost] = []
        for channel in _CHANNELS:
            async with self.failures.noted(f"idle machines over {channel}", _IDLE_S):
                costs.append(await self._idle(bare, channel))
        version = await ground.one(bare, "SELECT version()")
        facts = computer.facts(str(version).split(" on ")[0].removeprefix("PostgreSQL "))
        return report.page(run, costs, facts, SystemClock().now(), report.Beside(sent=sent))

    async def _course(self, bare: Base, existing: int) -> laps.Course:
        self._say(f"{existing:,} orders of long ago")
        base = await self._ground.copy(bare, f"orders_{existing}")
        await self._ground.fill(base, existing)
        machines = [code for code, channel in self._outlets().items() if channel == "mqtt"]
        return laps.Course(
            existing=existing, base=base, machines=machines[:_VENDING], seconds=self._plan.seconds
        )

    async def _idle(self, bare: Base, channel: str) -> idle.Cost:
        outlets = [code for code, where in self._outlets().items() if where == channel]
        cost = await idle.cost(
            self._ground, bare, channel, outlets[: self._plan.machines], self._folder / "serving"
        )
        self._say(f"{channel}, {report.usage_line(cost.full)}")
        return cost

    def _outlets(self) -> dict[str, str]:
        numbers = range(max(self._plan.machines, _VENDING))
        return {f"{where[0].upper()}{n:05}": where for where in _CHANNELS for n in numbers}

    def _say(self, line: str) -> None:
        print(f"{perf_counter() - self._began:6.0f} s  {line}", flush=True)


def _told(existing: int, lap: laps.Lap) -> str:
    a, b, c = lap.pgbench.per_s, lap.taken.per_s, lap.offered.per_s
    return (
        f"{existing:,} orders before: (a) {a:.0f}/s, (b) {b:.0f}/s = {b / a:.2f}, "
        f"(c) {c:.0f}/s = {c / a:.2f}, p99 of (c) at {lap.pace_per_s:.0f}/s "
        f"{lap.paced.p99_ms:.0f} ms, (d) {lap.bought.both.per_s:.0f}/s, p95 "
        f"{share(lap.bought_paced.both.took_ms, 0.95):.0f} ms, others {lap.others:.0%}"
    )


def main() -> None:
    wanted = plan()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    folder = Path(tempfile.mkdtemp(prefix="coinslot-bench-"))
    folder.chmod(0o755)  # the server runs as another user
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            bench = Bench(wanted, folder)
            page = runner.run(bench.run())
    except asyncio.CancelledError:
        sys.exit("bench: ended before its time")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    page += bench.failures.page()
    sys.stdout.write("\n" + page)
    if wanted.write:
        RESULTS.write_text(page, encoding="utf-8")
    if bench.failures.found:
        sys.exit(f"bench: {len(bench.failures.found)} parts failed")


if __name__ == "__main__":
    main()
