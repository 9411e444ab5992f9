"""A slot that will probably be sold out before somebody comes is told before it is empty."""

from datetime import date, timedelta

import pytest

from coinslot.stock.forecast import Demand, Weekdays, chance_of_more, likely_sold, sold_out_on
from coinslot.stock.learning import learn_due
from tests.notices.telling import Told
from tests.notices.test_telling import told as told
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

TODAY = date(2026, 11, 30)
FRIDAYS = Weekdays((1.0, 1.0, 1.0, 1.0, 30.0, 1.0, 1.0), (9.0,) * 7)
SOON = "Will probably be sold out soon"


@pytest.mark.parametrize("weekdays", [Weekdays(), FRIDAYS])
@pytest.mark.parametrize("days", [1, 2, 7])
@pytest.mark.parametrize("sales", [0.1, 2.0, 90.0, 4000.0])
def test_a_slot_that_holds_no_more_is_sold_out_by_then_and_one_more_piece_is_not(
    sales: float, days: int, weekdays: Weekdays
) -> None:
    demand = Demand(sales, 20.0)
    likely = likely_sold(demand, weekdays, TODAY, days)
    last = TODAY + timedelta(days=days - 1)
    if likely:
        by = sold_out_on(demand, weekdays, likely, TODAY)
        assert by is not None
        assert by <= last
    after = sold_out_on(demand, weekdays, likely + 1, TODAY)
    assert after is None or after > last


def test_half_a_day_is_half_of_its_weight() -> None:
    demand = Demand(200.0, 20.0)
    half = likely_sold(demand, Weekdays(), TODAY, 0.5)
    assert chance_of_more(demand, 0.5, half - 1) >= 0.5 > chance_of_more(demand, 0.5, half)


async def night(told: Told, stock: int) -> None:
    """The next one: what a slot that sells ten a day likely sells is learned anew."""
    stage = told.staffed.stage
    async with told.context.db.as_merchant(told.staffed.merchant) as conn:
        await conn.execute("UPDATE slots SET stock = $1", stock)
        await conn.execute("UPDATE slot_demand SET sales = 200, days = 20, held = 0")
    stage.later(86_400)
    await learn_due(told.context)
    await told.heard("M01")


async def test_it_is_told_before_the_slot_is_empty_and_over_when_it_is_filled(told: Told) -> None:
    await learn_due(told.context)
    await night(told, 30)
    assert [said for _, said in await told.pass_(120) if said.startswith(SOON)] == []
    await night(told, 12)
    heard = [said for _, said in await told.pass_(120) if said.startswith(SOON)]
    assert set(heard) == {f"{SOON}: M01 (Platform 1): A1"}
    async with told.context.db.as_merchant(told.staffed.merchant) as conn:
        await conn.execute("UPDATE slots SET stock = 40")
    await told.pass_(120)
    open_ones = "SELECT count(*) FROM alerts WHERE kind = 'sold_out_soon' AND ended_at IS NULL"
    assert await told.staffed.stage.value(open_ones) == 0
