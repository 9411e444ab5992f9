"""What the worker learns of a day that is over: once, from that day alone."""

from datetime import date, timedelta
from typing import Any

import pytest

from coinslot.stock.forecast import PRIOR_DAYS, PRIOR_SALES, Demand
from coinslot.stock.learning import learn_due
from coinslot.stock.slots import stock_of
from tests.sales.stage import START, Stage
from tests.stock.test_counts import sold

DAY_S = 86_400


async def believed(stage: Stage) -> dict[str, Any]:
    (row,) = await stage.rows("SELECT sales, days, held, through FROM slot_demand")
    return row


async def night(stage: Stage) -> int:
    """The next one, two hours after midnight; how many machines were learned of."""
    now = stage.clock.now()
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    stage.later((midnight + timedelta(hours=2) - now).total_seconds())
    return await learn_due(stage.context)


@pytest.fixture
async def running(stage: Stage) -> Stage:
    """M01 is known for an hour, and its days are those of UTC."""
    await stage.rows("UPDATE outlets SET zone = 'Etc/UTC' RETURNING id")
    await stage.hello()
    assert await learn_due(stage.context) == 1
    return stage


async def test_it_begins_with_the_day_in_which_it_is_first_seen(stage: Stage) -> None:
    await stage.rows("UPDATE outlets SET zone = 'Etc/UTC' RETURNING id")
    await stage.hello()
    await sold(stage, 1)
    await learn_due(stage.context)
    assert (await believed(stage))["sales"] == PRIOR_SALES, "what was before is not read"
    assert await stage.value("SELECT through_day FROM outlet_demand") == (
        START.date() - timedelta(days=1)
    )


async def test_a_day_that_is_over_is_learned_once(running: Stage) -> None:
    await sold(running, 1)
    await sold(running, 3)
    assert await night(running) == 1
    once = await believed(running)
    fresh = Demand(PRIOR_SALES, PRIOR_DAYS).after(2, 1.0)
    assert (once["sales"], once["days"]) == (pytest.approx(fresh.sales), pytest.approx(fresh.days))
    assert await learn_due(running.context) == 0
    assert await night(running) == 1
    later = await believed(running)
    quiet = fresh.after(0, 1.0)
    assert later["sales"] == pytest.approx(quiet.sales)
    assert later["days"] == pytest.approx(quiet.days, rel=0.2), "its weekday has a weight"


async def test_days_that_the_worker_missed_are_learned_each_by_itself(running: Stage) -> None:
    await sold(running, 1)
    running.later(2 * DAY_S)
    await running.hello(boot="b2", last_seq=9)
    await sold(running, 3)
    assert await night(running) == 1
    found = await believed(running)
    assert found["days"] > PRIOR_DAYS * 0.95 + 2.5, "three days"
    assert await running.value("SELECT through_day FROM outlet_demand") == (
        running.clock.now().date() - timedelta(days=1)
    )


async def test_days_on_which_a_slot_was_empty_say_nothing(running: Stage) -> None:
    await running.rows("UPDATE slots SET stock = 0 RETURNING slot")
    await night(running)
    first = await believed(running)
    await night(running)
    second = await believed(running)
    assert first["held"] == second["held"] == 0
    assert second["days"] == pytest.approx(first["days"] * 0.985)
    assert second["sales"] == pytest.approx(first["sales"] * 0.985)


async def test_a_day_on_which_it_sold_out_counts_until_its_last_piece(running: Stage) -> None:
    """START is noon: half of the day is over."""
    await running.rows("UPDATE slots SET stock = 1 RETURNING slot")
    await sold(running, 1)
    await night(running)
    found = await believed(running)
    assert found["days"] == pytest.approx(PRIOR_DAYS * 0.985 + 0.5, abs=0.01)
    assert found["sales"] == pytest.approx(PRIOR_SALES * 0.985 + 1)


async def test_a_slot_with_another_product_begins_anew(running: Stage) -> None:
    await sold(running, 1)
    await night(running)
    async with running.context.db.as_merchant(running.merchant) as conn:
        await conn.execute("UPDATE slot_demand SET product_id = gen_random_uuid()")
    await night(running)
    assert (await believed(running))["sales"] < 1, "nothing of the other product is left"


async def test_a_day_ends_at_the_machines_own_midnight(running: Stage) -> None:
    await running.rows("UPDATE outlets SET zone = 'Asia/Kolkata' RETURNING id")
    await sold(running, 1)
    running.later(5 * 3600)  # 17:00 in UTC, 22:30 there
    assert await learn_due(running.context) == 0
    running.later(3 * 3600)
    assert await learn_due(running.context) == 1
    assert await running.value("SELECT through_day FROM outlet_demand") == START.date()


async def test_what_is_known_is_shown_with_the_stock(running: Stage) -> None:
    for n in range(3):
        await sold(running, 2 * n + 1)
    (slot,) = (await stock_of(running.context, running.merchant, "M01")).slots
    assert (slot.stock, slot.left, slot.sold_a_day) == (7, 7, 1.0)
    await night(running)
    (slot,) = (await stock_of(running.context, running.merchant, "M01")).slots
    assert slot.sold_a_day is not None
    assert 1.5 < slot.sold_a_day < 3
    assert slot.empty_on is not None
    assert slot.empty_on > date(2026, 11, 22)
