"""What the health of machines costs: `python -m bench.machine_health` prints the bytes on disk of a
machine and a day, of 10,000 machines, the time of a chart of a year, and what a report costs
gathered and written once a second, beside one INSERT for each. The numbers stand in
docs/fleet.md."""

import argparse
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import asyncpg
import msgspec
import uvloop
from msgspec import Struct

from bench.ground import Base, Ground
from bench.measure import share
from bench.serving import cpu_s
from coinslot.channels.reports import HealthReport
from coinslot.context import Windows
from coinslot.db.pool import Database, RawConnection
from coinslot.kit.clock import SystemClock
from coinslot.telemetry import store
from coinslot.telemetry.readings import Heard
from coinslot.telemetry.report_buffer import AT_ONCE

FLEET: Final = 10_000
YEAR: Final = 365
REPORTS: Final = 3_000  # of a second
LINES: Final = 2_000  # of a machine's log and a day: the limit
_MIB: Final = 1024**2
_KEPT: Final[dict[int, str]] = {
    300: "short_samples_kept_s", 3600: "hour_samples_kept_s", 86400: "day_samples_kept_s",
}  # fmt: skip
# As `keep_samples` leaves them, of the days `$2` to `$3` before today.
_SAMPLES: Final = """
INSERT INTO machine_samples (outlet_id, span, at, merchant_id, low, high, sum_c, readings_c,
    heard_s, free_heap, rssi, journal_used)
SELECT o.id, p.span, t.at, o.merchant_id, 3.5, 4.5, 4.0 * p.span / 60, p.span / 60, p.span, 45000,
    -61, 12
FROM generate_series(date_trunc('day', $1::timestamptz) - make_interval(days => $2),
    date_trunc('day', $1::timestamptz) - make_interval(days => $3) - interval '1 second',
    '300 seconds') t (at)
CROSS JOIN (VALUES (300), (3600), (86400)) p (span) CROSS JOIN outlets o
WHERE extract(epoch FROM t.at)::bigint % p.span = 0 ORDER BY t.at, o.id
"""
_LOG: Final = """
INSERT INTO machine_logs (outlet_id, merchant_id, at, mono_ms, level, text)
SELECT o.id, o.merchant_id, $1::timestamptz - make_interval(secs => n * 43), n, 'info',
    'configuration ' || n || ' applied, 4 slots, motor A1 ready, sensor tested'
FROM generate_series(1, $2::integer) n CROSS JOIN (SELECT * FROM outlets LIMIT 1) o
"""
_PEER: Final = """
CREATE UNLOGGED TABLE IF NOT EXISTS peer (); DROP TABLE peer;
CREATE TABLE peer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, outlet_id text NOT NULL,
    at timestamptz NOT NULL, said jsonb NOT NULL);
CREATE INDEX peer_of ON peer (outlet_id, at)
"""
_INSERT: Final = "INSERT INTO peer (outlet_id, at, said) VALUES ($1, $2, $3)"


class Disk(Struct, frozen=True, kw_only=True):
    """Of `machines` over a year."""

    machines: int
    written_a_day: float  # bytes of one machine
    kept_rows: float  # of one machine after a year
    row: float  # bytes, indexes included
    pruned_s: float
    pruned_rows: int
    before: int
    after: int  # with another week, pruned too: the room of what was pruned is used again
    line: float  # bytes of a line of a log
    chart_ms: list[float]


class Cost(Struct, frozen=True, kw_only=True):
    """Of one report, in microseconds of processor: ours, and the server's."""

    ours: float
    server: float
    statements: int

    @property
    def whole(self) -> float:
        return self.ours + self.server


async def disk(ground: Ground, base: Base, machines: int) -> Disk:
    now, windows = SystemClock().now(), Windows()
    conn = await asyncpg.connect(ground._superuser(base.name))
    try:
        await conn.execute("SET synchronous_commit = off")
        await conn.execute(_SAMPLES, now, YEAR, 0, timeout=600)
        await conn.execute("VACUUM ANALYZE machine_samples")
        rows = await conn.fetchval("SELECT count(*) FROM machine_samples")
        before = await _size(conn, "machine_samples")
        began = perf_counter()
        await _prune(conn, windows, now)
        pruned_s = perf_counter() - began
        await conn.execute("VACUUM ANALYZE machine_samples")
        kept = await conn.fetchval("SELECT count(*) FROM machine_samples")
        chart_ms = await _charts(conn, now)
        await conn.execute(_SAMPLES, now + timedelta(days=7), 7, 0, timeout=600)
        await _prune(conn, windows, now + timedelta(days=7))
        empty = await _size(conn, "machine_logs")
        await conn.execute(_LOG, now, 30 * LINES)
        await conn.execute("VACUUM ANALYZE machine_logs")
        line = (await _size(conn, "machine_logs") - empty) / (30 * LINES)
        return Disk(
            machines=machines, written_a_day=before / machines / YEAR, kept_rows=kept / machines,
            row=before / rows, pruned_s=pruned_s, pruned_rows=rows - kept, before=before,
            after=await _size(conn, "machine_samples"), line=line, chart_ms=chart_ms,
        )  # fmt: skip
    finally:
        await conn.close()


async def _size(conn: RawConnection, table: str) -> int:
    size: int = await conn.fetchval("SELECT pg_total_relation_size($1::regclass)", table)
    return size


async def _prune(conn: RawConnection, windows: Windows, now: object) -> None:
    """As the worker does it, some at a time."""
    for span, window in _KEPT.items():
        before = now - windows.span(window)  # type: ignore[operator]
        while await conn.fetchval("SELECT prune_samples($1, $2, 1000)", span, before):
            pass


async def _charts(conn: RawConnection, now: object) -> list[float]:
    machines = [row["id"] for row in await conn.fetch("SELECT id FROM outlets ORDER BY id")]
    took = []
    for number in range(60):
        began = perf_counter()
        rows = await conn.fetch(
            store.SAMPLES, machines[number % len(machines)], 86400,
            now - timedelta(days=YEAR), now,  # type: ignore[operator]
        )  # fmt: skip
        took.append((perf_counter() - began) * 1000)
        assert len(rows) >= YEAR - 1
    return took[10:]


async def written(base: Base, seconds: int) -> Cost:
    """All machines say something each second; it is gathered and written as the server does."""
    db = await Database.open(base.app, base.door, size=1)
    online = Windows().span("online_s")
    try:
        machines = await _machines(db)
        async with db.system_transaction() as conn:
            pid = await conn.fetchval("SELECT pg_backend_pid()")
        at, spent, theirs, statements = SystemClock().now(), 0.0, cpu_s([pid]), 0
        for second in range(seconds + 2):
            if second == 2:  # the first make the rows
                spent, theirs, statements = 0.0, cpu_s([pid]), 0
            began = process_time()
            heard = {name: Heard.of(_report(n, second), at) for n, name in enumerate(machines)}
            names = list(heard)
            for start in range(0, len(names), AT_ONCE):
                batch = names[start : start + AT_ONCE]
                async with db.system_transaction() as conn:
                    await conn.fetch(
                        store.TAKE_READINGS, batch, [heard[name].at for name in batch],
                        [dict(heard[name].said) for name in batch], online,
                    )  # fmt: skip
                statements += 1
            spent += process_time() - began
            at += timedelta(seconds=1)
        each = 1_000_000 / (seconds * len(machines))
        return Cost(
            ours=spent * each, server=(cpu_s([pid]) - theirs) * each,
            statements=statements // seconds,
        )  # fmt: skip
    finally:
        await db.close()


async def peer(ground: Ground, base: Base, seconds: int) -> Cost:
    """One INSERT of the report's JSON for each, with a commit that waits for no disk: only the
    processor is compared."""
    conn = await asyncpg.connect(ground._superuser(base.name))
    try:
        await conn.execute(_PEER)
        await conn.execute("SET synchronous_commit = off")
        machines = [row["id"] for row in await conn.fetch("SELECT id FROM outlets")]
        pid, at = conn.get_server_pid(), SystemClock().now()
        insert = await conn.prepare(_INSERT)
        theirs, began = cpu_s([pid]), process_time()
        for second in range(seconds):
            for number, name in enumerate(machines):
                said = msgspec.json.encode(_report(number, second)).decode()
                await insert.fetch(name, at, said)
        each = 1_000_000 / (seconds * len(machines))
        return Cost(
            ours=(process_time() - began) * each, server=(cpu_s([pid]) - theirs) * each,
            statements=len(machines),
        )  # fmt: skip
    finally:
        await conn.close()


async def _machines(db: Database) -> list[str]:
    async with db.system_transaction() as conn:
        return [row["id"] for row in await conn.fetch("SELECT id FROM outlets ORDER BY id")]


def _report(number: int, second: int) -> HealthReport:
    return HealthReport(
        temperature_c=4.0 + number % 10 / 10, door="closed", reset_reason="power", rssi=-61,
        free_heap=45_000 - second, journal_used=12, firmware="1.4.2", config_version=7,
        uptime_s=1000 + second, counters={"A1": 10 + second, "A2": 4},
    )  # fmt: skip


def said(disk_: Disk, ours: Cost, theirs: Cost) -> str:
    """What is printed."""
    kept = disk_.kept_rows * disk_.row
    return "\n".join(
        (
            f"written by a machine and day: {disk_.written_a_day / 1024:.1f} KiB,"
            f" 313 samples of {disk_.row:.0f} bytes with their indexes",
            f"kept of a machine after a year: {disk_.kept_rows:.0f} samples, {kept / 1024:.0f} KiB;"
            f" then {disk_.row:.0f} bytes a day for 3 years",
            f"{FLEET:,} machines: {FLEET * disk_.written_a_day / _MIB:.0f} MiB written a day,"
            f" {FLEET * kept / _MIB:,.0f} MiB kept after a year,"
            f" {FLEET * disk_.row / _MIB:.1f} MiB more a day",
            f"pruned {disk_.pruned_rows:,} samples in {disk_.pruned_s:.1f} s; the table of"
            f" {disk_.machines} machines: {disk_.before / _MIB:.1f} MiB unpruned,"
            f" {disk_.after / _MIB:.1f} MiB with another week after pruning",
            f"a line of a log: {disk_.line:.0f} bytes; a machine at its limit:"
            f" {disk_.line * LINES / 1024:.0f} KiB a day, {disk_.line * 30 * LINES / _MIB:.1f} MiB"
            " in 30 days",
            f"a chart of a year: median {share(disk_.chart_ms, 0.5):.1f} ms,"
            f" p95 {share(disk_.chart_ms, 0.95):.1f} ms",
            f"{REPORTS:,} reports a second: {ours.statements} statements a second,"
            f" {ours.whole:.0f} us of processor each (we {ours.ours:.0f}, PostgreSQL"
            f" {ours.server:.0f}), {ours.whole * REPORTS / 10_000:.0f} % of a core",
            f"one INSERT each: {theirs.statements} statements a second, {theirs.whole:.0f} us each"
            f" (we {theirs.ours:.0f}, PostgreSQL {theirs.server:.0f}); ours costs"
            f" {ours.whole / theirs.whole:.2f} of that",
        )
    )


async def measured(machines: int, seconds: int) -> str:
    folder = Path(tempfile.mkdtemp(prefix="bench-health-"))
    ground = Ground(folder)
    await ground.open()
    try:
        few = await ground.make("few", {f"M{n:04}": "mqtt" for n in range(machines)})
        found = await disk(ground, few, machines)
        many = await ground.make("many", {f"M{n:04}": "mqtt" for n in range(REPORTS)})
        ours = await written(many, seconds)
        return said(found, ours, await peer(ground, many, max(1, seconds // 5)))
    finally:
        await ground.close()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.machine_health", description=__doc__)
    parser.add_argument("--machines", type=int, default=5, help="with a year of samples")
    parser.add_argument("--seconds", type=int, default=10, help="of reports")
    given = parser.parse_args()
    print(uvloop.run(measured(given.machines, given.seconds)))


if __name__ == "__main__":
    main()
