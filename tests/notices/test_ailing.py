"""What machines say of themselves is told to people: once, and over when all was well for a
while."""

from typing import Any

import pytest

from coinslot.channels.reports import HealthReport
from coinslot.telemetry import readings
from coinslot.telemetry.readings import Heard
from tests.notices.telling import Told, telling
from tests.notices.test_telling import fleet
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage


@pytest.fixture
async def told(staffed: Staffed) -> Told:
    return await telling(staffed)


async def says(told: Told, *machines: str, **said: Any) -> list[tuple[str, str]]:
    """They say so each minute for a while; what was told by then."""
    found = []
    for _ in range(4):
        await told.heard(*machines)
        report = HealthReport(**said)
        heard = {one: Heard.of(report, told.context.now()) for one in machines}
        await readings.keep(told.context, heard)
        found += await told.pass_(60)
    return [(to, text) for to, text in found if to == "asha"]


async def asks_for_a_lock(told: Told) -> None:
    async with told.context.db.as_merchant(told.staffed.stage.merchant) as conn:
        await conn.execute('UPDATE outlets SET device_config = \'{"food_lock": {"warm_s": 60}}\'')


async def test_a_full_journal_is_told_once_and_again_when_it_was_well_between(told: Told) -> None:
    said = [("asha", "A machine needs a look: M01 (Platform 1): journal nearly full")]
    assert await says(told, "M01", journal_used=90) == said
    for used in (79, 81, 79, 81):
        assert await says(told, "M01", journal_used=used) == [], "up and down is no news"
    for _ in range(5):
        assert await says(told, "M01", journal_used=20) == []
    assert await says(told, "M01", journal_used=90) == said


async def test_a_fleet_with_a_weak_signal_is_one_notice(told: Told) -> None:
    codes = await fleet(told, 30)
    (one,) = await says(told, *codes, rssi=-90)
    assert one[1].startswith("30 machines need a look: F0")
    assert one[1].endswith("and 22 more")


async def test_a_machine_that_keeps_restarting_is_told(told: Told) -> None:
    found = []
    for _ in range(3):
        found += await says(told, "M01", uptime_s=50)
        found += await says(told, "M01", uptime_s=5)
        found += await says(told, "M01", uptime_s=50)
        found += await says(told, "M01", uptime_s=4)
    assert found == [("asha", "A machine needs a look: M01 (Platform 1): keeps restarting")]


async def test_a_food_lock_is_told(told: Told) -> None:
    await asks_for_a_lock(told)
    assert await says(told, "M01", temperature_c=9.0) == [(
        "asha", "Sells nothing because of its temperature: M01 (Platform 1): too warm for too long,"
        " a person has to look",
    )]  # fmt: skip
    assert await says(told, "M01", temperature_c=9.0) == []


async def test_a_machine_that_tells_no_temperature_is_told_but_not_one_that_is_silent(
    told: Told,
) -> None:
    await asks_for_a_lock(told)
    assert await says(told, "M01", rssi=-50) == [(
        "asha", "Sells nothing because of its temperature: M01 (Platform 1): tells no temperature",
    )]  # fmt: skip
    assert await says(told, "M01", temperature_c=3.0) == []
    silent = [text for to, text in await told.pass_(1200) if to == "asha"]
    assert len(silent) == 1
    assert "is silent since" in silent[0]
