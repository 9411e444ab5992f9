"""What a day earned goes out once, after the day, to who asked for it and may see money."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from coinslot.oversight import daily_profit
from tests.console.test_money import DAY_S, sold
from tests.notices.telling import Told, telling
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

EVENT = "daily_profit"


@pytest.fixture
async def told(staffed: Staffed) -> Told:
    found = await telling(staffed)
    await sold(staffed)
    return found


async def news(told: Told) -> list[tuple[str, str]]:
    await daily_profit.tell(told.context)
    return [(to, said) for to, said in await told.round() if "profit" in said]


async def test_a_day_is_told_once_after_it_is_over_to_who_asked_for_it(told: Told) -> None:
    await told.choose("vera", EVENT, "now")
    assert await news(told) == []
    told.staffed.later(DAY_S)
    assert await news(told) == [("vera", "21 Nov: profit at most 40.00 INR, orders: 1, 40.00"
                                 " INR earned")]  # fmt: skip
    assert "Not known yet. Fees: 1" in told.mock.sent[-1].notice.text
    assert await news(told) == []


async def test_whoever_did_not_ask_for_it_hears_nothing(told: Told) -> None:
    await told.choose("asha", EVENT, "off")
    told.staffed.later(DAY_S)
    assert await news(told) == []


async def test_who_may_not_see_money_is_not_told_though_they_chose_it(told: Told) -> None:
    await told.address("ravi")
    await told.choose("ravi", EVENT, "now")
    await told.choose("asha", EVENT, "now")
    told.staffed.later(DAY_S)
    assert [to for to, _ in await news(told)] == ["asha"]


async def test_a_day_without_an_order_is_no_news(told: Told) -> None:
    await told.choose("asha", EVENT, "now")
    told.staffed.later(2 * DAY_S)
    assert await news(told) == []


async def test_two_workers_tell_it_once(told: Told) -> None:
    await told.choose("asha", EVENT, "now")
    told.staffed.later(DAY_S)
    assert await daily_profit.tell(told.context) == 1
    assert await daily_profit.tell(told.context) == 0


async def test_a_day_ends_by_the_clocks_of_its_merchant_and_is_told_an_hour_later(
    told: Told,
) -> None:
    """What was booked in its last second is committed by then."""
    await told.choose("asha", EVENT, "now")
    zone = ZoneInfo("Pacific/Auckland")
    await told.staffed.stage.rows("UPDATE merchants SET zone = $1 RETURNING id", zone.key)
    local = told.context.now().astimezone(zone)
    over = datetime.combine(local.date() + timedelta(days=1), time(1), zone)
    told.staffed.later((over - local).total_seconds() - 1)
    assert await daily_profit.tell(told.context) == 0
    told.staffed.later(1)
    told.context.wakes.of("notices").clear()
    assert await daily_profit.tell(told.context) == 1
    assert told.context.wakes.of("notices").is_set()


async def test_who_asked_for_a_digest_does_not_have_it_at_once(told: Told) -> None:
    await told.choose("asha", EVENT, "digest")
    told.staffed.later(DAY_S)
    assert await daily_profit.tell(told.context) == 1
    assert [said for _, said in await told.round() if "profit" in said] == []
