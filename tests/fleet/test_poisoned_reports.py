"""One machine, or whoever has its secret, says what cannot be written: the others lose nothing."""

import pytest

from coinslot.channels.reports import HealthReport, read_report
from coinslot.telemetry.report_buffer import ReportBuffer
from coinslot.vending.machine_messages import Machine
from tests.fleet.test_telemetry import lines, logged, told
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage

NEARLY_NOTHING = (b"1e-50", b"-1e-50", b"1e-45", b"5e-324", b"-0.0", b"3.00000000000000000001e-38")


@pytest.mark.parametrize("temperature", NEARLY_NOTHING)
async def test_a_temperature_that_is_nearly_nothing_is_nothing(
    stage: Stage, temperature: bytes
) -> None:
    report = read_report("health", b'{"temperature_c": %s}' % temperature)
    assert isinstance(report, HealthReport)
    reports = ReportBuffer(stage.context)
    machine = Machine("M01", stage.merchant)
    await reports.health(stage.context, machine, report, stage.context.now())
    await reports.flush()
    rows = await stage.rows("SELECT temperature_c, low, high FROM machine_health")
    assert rows == [{"temperature_c": 0.0, "low": 0.0, "high": 0.0}]


async def test_what_the_database_refuses_of_one_machine_is_dropped_and_the_others_are_written(
    stage: Stage,
) -> None:
    await a_second_machine(stage)
    reports = ReportBuffer(stage.context)
    # The reader lets no such number through: it stands for whatever it forgets.
    await told(stage, reports, "M01", rssi=99_999)
    await told(stage, reports, "M02", temperature_c=3.0)
    await reports.flush()
    rows = await stage.rows("SELECT outlet_id FROM machine_health")
    assert [row["outlet_id"] for row in rows] == ["M02"]
    assert reports.dropped == 1
    await told(stage, reports, "M01", temperature_c=4.0)
    await reports.flush()
    assert await stage.value("SELECT count(*) FROM machine_health") == 2


async def test_a_line_that_the_database_refuses_is_dropped_alone(stage: Stage) -> None:
    reports = ReportBuffer(stage.context)
    await logged(stage, reports, "one", "with a \x00 in it", "three")
    await reports.flush()
    assert await lines(stage) == ["three", "one"]
    assert reports.dropped == 1
