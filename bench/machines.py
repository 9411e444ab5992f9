"""`python -m bench.machines [--sizes 100,1000,10000] [--channels mqtt,socketio] [--write]`: what
machines cost that stand there, and how that grows. They are held by several loader processes; each
says its health every few seconds, so that 10,000 say 3,000 a second; then all of them get a new
configuration."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter
from typing import Final

import structlog
import uvloop
from msgspec import Struct

from bench import computer, held
from bench.goods import SLUG
from bench.ground import Base, Ground
from bench.parts import end_on_sigterm
from bench.serving import Serving, busy_s, cpu_s, family, rss_kib
from coinslot.kit.clock import SystemClock

RESULTS: Final = Path(__file__).parent / "MACHINES.md"
SIZES: Final = (100, 1_000, 10_000)
CHANNELS: Final = ("mqtt", "socketio")
_LOOK_S = 0.5
_LATELY_S: Final = 2 * held.EVERY_S
_HEARD = f"""
SELECT count(*) FROM devices WHERE last_seen_at > clock_timestamp() - interval '{_LATELY_S} s'
"""
_APPLIED = """
SELECT count(*) FROM devices d JOIN outlets o ON o.id = d.outlet_id
WHERE d.config_version = o.config_version AND d.config_version > $1
"""
_INTRO = """\
# Machines that only stand there, by hundreds and by thousands

Written by `python -m bench.machines --write`: `coinslot device` with its broker and PostgreSQL, and
the machines, on the same cores. Every machine says its health every {every} s. Memory and processor
time of a machine are what the server takes with them, less what it takes alone. **x** is against
the smallest number of machines: a straight line is x 1.0.

"""


class Size(Struct, frozen=True, kw_only=True):
    """What so many machines of one channel take."""

    channel: str
    machines: int
    arrived_s: float
    heard: int
    reports_per_s: float
    device_kib: float  # of one machine
    broker_kib: float
    core: float  # of one machine: device, broker and PostgreSQL, in cores
    transactions_per_s: float
    configured_s: float
    others: float  # share of all processor time that neither side took

    def against(self, first: "Size") -> list[str]:
        """Of one machine, against the smallest number of them."""
        pairs = (
            (self.device_kib + self.broker_kib, first.device_kib + first.broker_kib),
            (self.core, first.core),
            (self.configured_s / self.machines, first.configured_s / first.machines),
            (self.transactions_per_s / self.machines, first.transactions_per_s / first.machines),
        )
        return [f"x {mine / theirs:.2f}" if theirs > 0 else "-" for mine, theirs in pairs]


class Pace(Struct, frozen=True, kw_only=True):
    """By how many processes the machines are held, and how long it lasts."""

    loaders: int = 4
    settle_s: float = 10.0
    measure_s: float = 20.0


class Loaders:
    """Processes that hold the machines."""

    def __init__(self, channel: str, port: int, secrets: dict[str, str], processes: int) -> None:
        self._about = (channel, str(port))
        names = sorted(secrets)
        self._shares = [
            {name: secrets[name] for name in names[first::processes]} for first in range(processes)
        ]
        self._processes: list[asyncio.subprocess.Process] = []

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    async def start(self) -> None:
        """All are there on return."""
        for share in self._shares:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bench.held", *self._about,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            self._processes.append(process)
            assert process.stdin is not None
            process.stdin.write(json.dumps(share).encode() + b"\n")
        for process in self._processes:
            assert process.stdout is not None
            line = await process.stdout.readline()
            if not line.startswith(b"there"):
                raise RuntimeError("a loader ended before its machines were there")

    async def stop(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.terminate()
        for process in self._processes:
            await process.wait()


class Machines:
    """One run over all sizes and channels."""

    def __init__(self, ground: Ground, folder: Path, pace: Pace) -> None:
        self._ground, self._folder, self._pace = ground, folder, pace

    async def measure(self, base: Base, channel: str, codes: Sequence[str]) -> Size:
        device = Serving("device", base, self._folder / f"{channel}-{len(codes)}")
        secrets = {code: base.devices[code] for code in codes}
        async with AsyncExitStack() as stack:
            # One address plays all machines here.
            await device.start(LOG_LEVEL="WARNING", COINSLOT_SWEEP_S="0.5")
            stack.push_async_callback(device.stop)
            await asyncio.sleep(3)
            alone = (rss_kib([device.pid]), rss_kib(_broker(device)), await self._usage(device))
            port = device.mqtt_port if channel == "mqtt" else device.port
            loaders = Loaders(channel, port, secrets, self._pace.loaders)
            stack.push_async_callback(loaders.stop)
            began = perf_counter()
            await loaders.start()
            arrived_s = perf_counter() - began
            await asyncio.sleep(self._pace.settle_s)
            full = (rss_kib([device.pid]), rss_kib(_broker(device)), await self._usage(device))
            heard = await self._ground.one(base, _HEARD)
            assert isinstance(heard, int)
            configured_s = await self._configure(base, codes)
        many = len(codes)
        return Size(
            channel=channel, machines=many, arrived_s=arrived_s, heard=heard,
            reports_per_s=many / held.EVERY_S,
            device_kib=(full[0] - alone[0]) / many, broker_kib=(full[1] - alone[1]) / many,
            core=(full[2][0] - alone[2][0]) / many, transactions_per_s=full[2][1],
            configured_s=configured_s, others=full[2][2],
        )  # fmt: skip

    async def _usage(self, device: Serving) -> tuple[float, float, float]:
        """Cores of the server's side, transactions a second, and how busy the computer was."""
        pids = [*family(device.pid), *family(self._ground.pid)]
        transactions = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        began, used, busy = perf_counter(), cpu_s(pids), busy_s()
        before = await self._ground.one(device.base, transactions)
        await asyncio.sleep(self._pace.measure_s)
        after = await self._ground.one(device.base, transactions)
        took_s = perf_counter() - began
        assert isinstance(before, int)
        assert isinstance(after, int)
        core = (cpu_s(pids) - used) / took_s
        return core, (after - before) / took_s, (busy_s() - busy) / took_s

    async def _configure(self, base: Base, codes: Sequence[str]) -> float:
        """From the command that changes all, to the last machine that says that it has it."""
        before = await self._ground.one(base, "SELECT max(config_version) FROM outlets")
        began = perf_counter()
        command = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "coinslot", "machines", "assign-template", SLUG, "one-slot",
            ",".join(codes), stdout=asyncio.subprocess.DEVNULL,
            env={
                "PATH": "/usr/bin:/bin", "DATABASE_URL": base.app, "COINSLOT_DOOR_URL": base.door,
                "COINSLOT_KEYS": base.keys, "COINSLOT_DATA": str(self._folder / "command"),
            },
        )  # fmt: skip
        bound_s = 60 + len(codes) / 5
        while await self._ground.one(base, _APPLIED, before) != len(codes):
            if perf_counter() - began > bound_s:
                if command.returncode is None:
                    command.kill()
                await command.wait()
                return float("nan")
            await asyncio.sleep(_LOOK_S)
        await command.wait()
        return perf_counter() - began


def _broker(device: Serving) -> list[int]:
    return [pid for pid in family(device.pid) if pid != device.pid]


def table(found: Sequence[Size]) -> str:
    """Of all sizes, by channel."""
    head = [
        "channel", "machines", "there after", "heard", "health/s", "KiB of a machine", "x",
        "1/1000 core of a machine", "x", "commits/s", "x", "configured", "x a machine", "all busy",
    ]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for size in found:
        first = next(each for each in found if each.channel == size.channel)
        memory, core, configured, commits = size.against(first)
        cells = [
            size.channel, f"{size.machines:,}", f"{size.arrived_s:.0f} s", f"{size.heard:,}",
            f"{size.reports_per_s:,.0f}", f"{size.device_kib:.0f} + {size.broker_kib:.0f}", memory,
            f"{size.core * 1000:.2f}", core, f"{size.transactions_per_s:.0f}", commits,
            f"{size.configured_s:.0f} s", configured, f"{size.others:.1f} cores",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


async def run(chosen: argparse.Namespace, folder: Path) -> str:
    sizes, channels = _numbers(chosen.sizes), chosen.channels.split(",")
    pace = Pace(loaders=chosen.loaders)
    if chosen.quick:
        pace = Pace(loaders=1, settle_s=4.0, measure_s=5.0)
    ground = Ground(folder)
    await ground.open()
    try:
        found = []
        for channel in channels:
            codes = [f"{channel[0].upper()}{n:05}" for n in range(max(sizes))]
            for size in sizes:
                base = await ground.make(f"{channel}_{size}", dict.fromkeys(codes[:size], channel))
                machines = Machines(ground, folder / "serving", pace)
                found.append(await machines.measure(base, channel, codes[:size]))
                print(table(found).splitlines()[-1], file=sys.stderr, flush=True)
                await ground.drop(base)
        version = "embedded"
        facts = "".join(f"- {name}: {value}\n" for name, value in computer.facts(version))
        when = SystemClock().now()
        intro = _INTRO.format(every=held.EVERY_S)
        return f"{intro}{table(found)}\n{facts}- At: {when:%Y-%m-%d %H:%M} UTC\n"
    finally:
        await ground.close()


def _numbers(text: str) -> list[int]:
    return sorted({int(number) for number in text.split(",")})


def main() -> None:
    end_on_sigterm()
    parser = argparse.ArgumentParser(prog="python -m bench.machines", description=__doc__)
    # `make bench` gives both benches the same arguments; what is not for this one is the other's.
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of machines")
    parser.add_argument("--channels", default=",".join(CHANNELS))
    parser.add_argument("--loaders", type=int, default=4, help="processes that hold machines")
    parser.add_argument("--quick", action="store_true", help="50 machines, for a moment")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} as well")
    chosen, _others = parser.parse_known_args()
    if chosen.quick:
        chosen.sizes = "50"
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    folder = Path(tempfile.mkdtemp(prefix="coinslot-machines-"))
    folder.chmod(0o755)  # the server runs as another user
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            page = runner.run(run(chosen, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write("\n" + page)
    if chosen.write:
        RESULTS.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
