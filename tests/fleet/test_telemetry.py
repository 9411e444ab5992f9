"""What machines say of themselves: gathered, written together, sampled for charts, and deleted when
it is old. No vend waits for it."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.channels.reports import HealthReport, LogLevel, LogLine, Logs
from coinslot.outlets.machines import UnknownOutletError
from coinslot.telemetry import health, logs
from coinslot.telemetry.health import Span
from coinslot.telemetry.logs import LogSearch
from coinslot.telemetry.report_buffer import ReportBuffer
from coinslot.vending.machine_messages import Machine
from coinslot.worker.prune import prune
from tests.sales.neighbours import a_second_machine, chandras_machine
from tests.sales.stage import Stage


async def told(stage: Stage, reports: ReportBuffer, machine: str = "M01", **said: Any) -> None:
    report = HealthReport(**said)
    at = stage.context.now()
    await reports.health(stage.context, Machine(machine, stage.merchant), report, at)


async def logged(
    stage: Stage, reports: ReportBuffer, *texts: str, level: LogLevel = LogLevel.INFO
) -> None:
    lines = [LogLine(level=level, at_mono_ms=n, text=text) for n, text in enumerate(texts)]
    machine = Machine("M01", stage.merchant)
    await reports.logs(stage.context, machine, Logs(lines=lines), stage.context.now())


async def lines(stage: Stage, **wanted: Any) -> list[str]:
    found = await logs.search(stage.context, stage.merchant, "M01", LogSearch(**wanted))
    return [line.text for line in found.lines]


async def each_minute(stage: Stage, reports: ReportBuffer, minutes: int, **said: Any) -> None:
    for _ in range(minutes):
        await told(stage, reports, **said)
        await reports.flush()
        stage.later(60)


async def test_what_a_machine_said_last_of_each_thing_is_shown(stage: Stage) -> None:
    reports = ReportBuffer(stage.context)
    await told(stage, reports, temperature_c=4.5, rssi=-61, counters={"sales": 12})
    stage.later(1)
    await told(stage, reports, door="open", uptime_s=60, journal_used=3)
    await reports.flush()
    now = await health.read(stage.context, stage.merchant, "M01")
    assert (now.temperature_c, now.rssi, now.door_open, now.journal_used, now.counters) == (
        4.5, -61, True, 3, {"sales": 12},
    )  # fmt: skip
    assert now.at == stage.context.now()
    assert (now.free_heap, now.food, now.stops) == (None, None, [])


async def test_chandra_is_shown_nothing_of_ashas_machine(stage: Stage) -> None:
    reports = ReportBuffer(stage.context)
    await each_minute(stage, reports, 7, temperature_c=4.0)
    await logged(stage, reports, "door")
    await reports.flush()
    chandra = (await chandras_machine(stage)).merchant_id
    with pytest.raises(UnknownOutletError):
        await health.read(stage.context, chandra, "M01")
    with pytest.raises(UnknownOutletError):
        await health.charted(stage.context, chandra, "M01", Span.DAY)
    with pytest.raises(UnknownOutletError):
        await logs.search(stage.context, chandra, "M01", LogSearch())


async def test_a_chart_has_the_coldest_and_warmest_of_each_piece_and_how_long_it_was_heard(
    stage: Stage,
) -> None:
    stage.context.windows = replace(stage.context.windows, online_s=90)
    reports = ReportBuffer(stage.context)
    await each_minute(stage, reports, 5, temperature_c=4.0, rssi=-50, free_heap=90)
    await each_minute(stage, reports, 1, temperature_c=9.0, rssi=-70, free_heap=80)
    await each_minute(stage, reports, 5, temperature_c=5.0, rssi=-60, free_heap=85)
    day = await health.charted(stage.context, stage.merchant, "M01", Span.DAY)
    first, second = day.samples
    assert (first.low, first.high, first.mean, first.heard) == (4.0, 4.0, 4.0, 0.8)
    assert (second.low, second.high, second.heard) == (5.0, 9.0, 1.0)
    assert second.mean == pytest.approx(29 / 5)
    (month,) = (await health.charted(stage.context, stage.merchant, "M01", Span.MONTH)).samples
    (year,) = (await health.charted(stage.context, stage.merchant, "M01", Span.YEAR)).samples
    assert (month.low, month.high, month.rssi, month.free_heap) == (4.0, 9.0, -60, 85)
    assert (year.low, year.high) == (4.0, 9.0)
    assert year.mean == pytest.approx(49 / 10)
    assert month.heard * 3600 == pytest.approx(year.heard * 86400)


async def test_silence_is_no_sample_and_no_uptime(stage: Stage) -> None:
    reports = ReportBuffer(stage.context)
    await told(stage, reports, rssi=-50)
    await reports.flush()
    stage.later(7200)
    await told(stage, reports, rssi=-50)
    await reports.flush()
    (one,) = (await health.charted(stage.context, stage.merchant, "M01", Span.DAY)).samples
    assert (one.heard, one.low, one.mean) == (0, None, None)


async def test_a_machine_that_counts_its_uptime_from_nothing_again_was_restarted(
    stage: Stage,
) -> None:
    reports = ReportBuffer(stage.context)
    for uptime in (100, 160, 10, 70, 5):
        await each_minute(stage, reports, 1, uptime_s=uptime)
    assert (await health.read(stage.context, stage.merchant, "M01")).restarts == 2
    stage.later(3600)
    assert (await health.read(stage.context, stage.merchant, "M01")).restarts == 0


async def test_one_statement_takes_what_many_machines_said(stage: Stage) -> None:
    await a_second_machine(stage)
    reports = ReportBuffer(stage.context)
    for machine in ("M02", "M01", "nobody"):
        await told(stage, reports, machine, temperature_c=3.0)
    await reports.flush()
    rows = await stage.rows("SELECT outlet_id FROM machine_health ORDER BY 1")
    assert [row["outlet_id"] for row in rows] == ["M01", "M02"], "what is no machine is left out"


async def test_what_there_is_no_room_for_is_dropped_the_oldest_first(stage: Stage) -> None:
    await a_second_machine(stage)
    reports = ReportBuffer(stage.context, machines=1, lines=2)
    for machine in ("M01", "M02"):
        await told(stage, reports, machine, rssi=-50)
    await logged(stage, reports, "one", "two", "three")
    assert reports.dropped == 2
    await reports.flush()
    rows = await stage.rows("SELECT outlet_id FROM machine_health")
    assert [row["outlet_id"] for row in rows] == ["M02"]
    assert await lines(stage) == ["three", "two"]


class Away:
    """A database that is away for the first times."""

    def __init__(self, stage: Stage, times: int) -> None:
        self.db, self.times = stage.context.db, times

    def system_transaction(self) -> Any:
        if self.times:
            self.times -= 1
            raise ConnectionError("the database is away")
        return self.db.system_transaction()


async def test_what_could_not_be_written_is_written_later_with_what_came_since(
    stage: Stage,
) -> None:
    context = stage.context
    reports = ReportBuffer(context)
    await told(stage, reports, temperature_c=9.0)
    await logged(stage, reports, "one", "two")
    real, context.db = context.db, Away(stage, 1)  # type: ignore[assignment]
    await reports.flush()
    context.db = real
    stage.later(1)
    await told(stage, reports, temperature_c=4.0)
    await reports.flush()
    await reports.flush()
    (row,) = await stage.rows("SELECT temperature_c, high FROM machine_health")
    assert row == {"temperature_c": 4.0, "high": 9.0}
    assert await lines(stage) == ["two", "one"]


async def test_a_machine_that_logs_without_end_fills_its_day_and_no_more(stage: Stage) -> None:
    stage.context.windows = replace(stage.context.windows, machine_log_lines=3)
    reports = ReportBuffer(stage.context)
    for n in range(3):
        await logged(stage, reports, f"{n}a", f"{n}b")
        await reports.flush()
    assert await lines(stage) == ["1a", "0b", "0a"]
    found = await logs.search(stage.context, stage.merchant, "M01", LogSearch())
    assert found.left_out == 3
    stage.later(86400)
    await logged(stage, reports, "next day")
    await reports.flush()
    assert (await lines(stage))[0] == "next day"


async def test_lines_are_found_by_text_and_by_how_grave_they_are(stage: Stage) -> None:
    reports = ReportBuffer(stage.context)
    await logged(stage, reports, "Motor A1 stalls", "100%_sure", level=LogLevel.ERROR)
    await logged(stage, reports, "motor a2 turns", "noise", level=LogLevel.DEBUG)
    await reports.flush()
    assert await lines(stage, text="MOTOR") == ["motor a2 turns", "Motor A1 stalls"]
    assert await lines(stage, level=LogLevel.WARNING) == ["100%_sure", "Motor A1 stalls"]
    for pattern, expected in (("%", ["100%_sure"]), ("_", ["100%_sure"]), ("\\", [])):
        assert await lines(stage, text=pattern) == expected
    first = await logs.search(stage.context, stage.merchant, "M01", LogSearch(limit=2))
    assert await lines(stage, before=first.lines[-1].id) == ["100%_sure", "Motor A1 stalls"]


async def test_what_is_old_is_deleted_each_after_its_window(stage: Stage) -> None:
    reports = ReportBuffer(stage.context)
    await each_minute(stage, reports, 6, temperature_c=4.0)
    await logged(stage, reports, "old")
    await reports.flush()
    spans = {"short_samples": 3, "hour_samples": 62, "day_samples": 1100, "machine_logs": 30}
    for what in spans:
        assert await prune(stage.context, what) == 0
    for what, days in sorted(spans.items(), key=lambda one: one[1]):
        start = await stage.value("SELECT min(at) FROM machine_health")
        stage.clock.advance(start + timedelta(days=days + 2) - stage.context.now())
        assert await prune(stage.context, what) == 1, what
    assert await lines(stage) == []
    assert await stage.value("SELECT count(*) FROM machine_samples") == 0
