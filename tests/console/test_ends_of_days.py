"""Where a merchant's day begins and ends: by the clocks of its zone, counted once, and summed only
when nothing more can be booked on it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from coinslot.oversight import day_sums, money, money_lists
from coinslot.oversight.money import Asked
from tests.console.test_money import DAY_S, sold
from tests.people.conftest import Staffed


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 3, 28), 24),
        (date(2026, 3, 29), 23),
        (date(2026, 3, 30), 24),
        (date(2026, 10, 25), 25),
    ],
)
def test_a_day_on_which_clocks_are_changed_ends_where_the_next_one_begins(
    day: date, hours: int
) -> None:
    first, second = day_sums.days_between(day, day + day_sums.DAY, ZoneInfo("Europe/Berlin"))
    assert first.ended - first.begun == timedelta(hours=hours)
    assert first.ended == second.begun
    assert first.begun.astimezone(ZoneInfo("Europe/Berlin")).hour == 0


async def test_a_day_is_summed_an_hour_after_its_end_and_not_before(staffed: Staffed) -> None:
    """A transaction that began before midnight may still commit what it booked."""
    await sold(staffed)
    context = staffed.stage.context
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    staffed.later((midnight - context.now()).total_seconds() + 3599)
    await day_sums.due(context)
    assert await staffed.stage.value("SELECT count(*) FROM money_days") == 0
    staffed.later(1)
    await day_sums.due(context)
    assert await staffed.stage.value("SELECT count(*) FROM money_days") == 1


async def in_list(staffed: Staffed, name: str, day: date) -> int:
    context = staffed.stage.context
    of = await money.filter_of(context, staffed.merchant, Asked(first=day, last=day))
    wanted = money_lists.Wanted(name, of)
    return len(await money_lists.page(context, staffed.merchant, wanted, "", 50))


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("refunds", "UPDATE refunds SET ended_at = $1"),
        ("payouts", "UPDATE captures SET settled_at = $1, settlement = 's1'"),
    ],
)
async def test_what_ended_days_later_at_midnight_is_in_that_day_only(
    staffed: Staffed, name: str, sql: str
) -> None:
    """A refund may take its gateway weeks: its row is older than the day of which it is listed."""
    await sold(staffed, "FAILED")
    staffed.later(30 * DAY_S)
    assert staffed.stage.owner is not None
    await staffed.stage.owner.execute(sql, datetime(2026, 12, 11, tzinfo=UTC))
    days = [date(2026, 11, 21), date(2026, 12, 10), date(2026, 12, 11), date(2026, 12, 12)]
    assert [await in_list(staffed, name, day) for day in days] == [0, 0, 1, 0]


async def test_money_of_another_currency_is_not_added_to_a_machines(staffed: Staffed) -> None:
    """It sold in rupees before it was moved: 40.00 rupees are not 40.00 dollars."""
    await sold(staffed)
    context, owner = staffed.stage.context, staffed.stage.owner
    of = await money.filter_of(context, staffed.merchant, Asked())
    wanted, found = money_lists.Wanted("machines", of), []
    assert owner is not None
    for currency in ("USD", "INR"):
        await owner.execute("UPDATE outlets SET currency = $1 WHERE id = 'M01'", currency)
        rows = await money_lists.page(context, staffed.merchant, wanted, "", 50)
        found += [(row["currency"], row["captured"], row["sold"]) for row in rows]
    assert found == [("USD", 0, 0), ("INR", 4000, 1)]


async def test_a_payout_whose_fee_nobody_told_is_all_that_was_captured(staffed: Staffed) -> None:
    await sold(staffed)
    assert staffed.stage.owner is not None
    await staffed.stage.owner.execute(
        "UPDATE captures SET settled_at = seen_at, settlement = 's1', fee_minor = NULL"
    )
    context = staffed.stage.context
    of = await money.filter_of(context, staffed.merchant, Asked())
    (row,) = await money_lists.page(
        context, staffed.merchant, money_lists.Wanted("payouts", of), "", 50
    )
    assert (row["captured"], row["fee"], row["paid_out"]) == (4000, 0, 4000)
