"""What is learned of a day, and what is packed, at each bound. Each of these was wrong once and no
test saw it."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from coinslot.stock import learning
from coinslot.stock.forecast import Demand, Weekdays
from coinslot.stock.learning import SoldOn
from coinslot.stock.routes import DayError
from tests.sales.stage import Stage
from tests.stock.test_counts import sold as vend
from tests.stock.test_learning import believed, night
from tests.stock.test_learning import running as running
from tests.stock.test_routes import TODAY, line, set_slot
from tests.stock.test_routes import learned as known

UTC = ZoneInfo("UTC")
FIRST = date(2026, 11, 23)  # a Monday
SLOT: dict[str, Any] = {"sales": 30.0, "days": 10.0, "held": 5, "stock": 0, "out": False}


def span(days: int) -> learning._Span:
    return learning._Span(FIRST - timedelta(days=1), FIRST + timedelta(days=days - 1), UTC)


def at_noon(day: int) -> datetime:
    return datetime(2026, 11, 23 + day, 12, tzinfo=UTC)


def learned(sold: dict[date, SoldOn], days: int, week: Weekdays | None = None, **slot: Any) -> Any:
    return learning.learned({**SLOT, **slot}, week or Weekdays(), sold, span(days))  # type: ignore[arg-type]


def test_of_the_days_before_the_last_piece_each_counts_whole_and_those_after_it_not_at_all() -> (
    None
):
    sold = {FIRST + timedelta(days=n): SoldOn(2, at_noon(n)) for n in (0, 1)}
    believed = Demand(30.0, 10.0).after(2, 1.0).after(2, 0.5).faded()
    assert learned(sold, 3) == believed


def test_a_day_counts_by_the_weight_of_its_weekday() -> None:
    week = Weekdays((70.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0), (9.0,) * 7)
    weight = week.weight(FIRST)
    assert weight > 2
    assert learned({}, 1, week, stock=9) == Demand(30.0, 10.0).after(0, weight)


def test_a_worker_that_was_away_learns_of_a_month_and_no_more() -> None:
    assert span(31).days == [FIRST + timedelta(days=n) for n in range(31)]
    days = span(400).days
    assert (len(days), days[-1]) == (31, FIRST + timedelta(days=399))


async def test_a_day_on_which_a_slot_was_out_of_sale_says_nothing(running: Stage) -> None:
    await vend(running, 1)
    await night(running)
    before = await believed(running)
    await running.rows("UPDATE slots SET out_of_sale_at = $1 RETURNING 1", running.clock.now())
    await night(running)
    after = await believed(running)
    assert (after["sales"], after["days"]) == (
        pytest.approx(before["sales"] * 0.985), pytest.approx(before["days"] * 0.985),
    )  # fmt: skip


async def test_half_a_piece_that_will_be_sold_is_a_piece_to_bring(stage: Stage) -> None:
    await set_slot(stage, "par = 10")
    await known(stage, 0.5)
    found = await line(stage, TODAY + timedelta(days=1))
    assert (found.will_sell, found.bring) == (0.5, 1)


async def test_a_visit_is_from_yesterday_on_and_within_sixty_days(stage: Stage) -> None:
    """Yesterday here may be today where the person is."""
    await set_slot(stage, "par = 12")
    assert (await line(stage, TODAY - timedelta(days=1))).bring == 2
    assert (await line(stage, TODAY + timedelta(days=60))).bring == 2
    for days in (-2, 61):
        with pytest.raises(DayError):
            await line(stage, TODAY + timedelta(days=days))
