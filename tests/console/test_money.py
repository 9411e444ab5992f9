"""Money: bank, books and goods in one table, the same whether days are summed or not."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import pytest

from coinslot.oversight import cases, day_sums, money, money_lists
from coinslot.oversight.day_sums import WAIT_STEPS_S
from coinslot.oversight.money import Asked, MoneyTable
from coinslot.oversight.reconcile import Span, compare
from tests.console.conftest import signed_in
from tests.people.conftest import Staffed

DAY_S = 86_400


async def sold(staffed: Staffed, outcome: str = "VENDED", wait_s: float = 2) -> UUID:
    """A can that was paid and dropped, or was not; the order's id."""
    stage = staffed.stage
    stage.later(1)
    at = stage.paid
    await stage.hello(boot=f"b{at}")
    await stage.sell()
    await stage.sweep()
    await stage.accept(boot=f"b{at}")
    await stage.started(event_seq=2 * at + 1)
    stage.later(wait_s)
    drop = "yes" if outcome == "VENDED" else "no"
    await stage.result(outcome, drop, event_seq=2 * at + 2)
    await stage.sweep()
    return UUID(str(await stage.value("SELECT id FROM orders ORDER BY id DESC LIMIT 1")))


async def table(staffed: Staffed, **asked: object) -> MoneyTable:
    context, merchant = staffed.stage.context, staffed.merchant
    wanted = await money.filter_of(context, merchant, Asked(**asked))  # type: ignore[arg-type]
    return await money.money_table(context, merchant, wanted)


async def ledger(staffed: Staffed, account: str) -> int:
    sql = "SELECT coalesce(sum(amount), 0)::bigint FROM ledger WHERE account = $1"
    return int(await staffed.stage.value(sql, account))


async def three_days(staffed: Staffed) -> None:
    """Two cans on the first day, one that failed on the second, one on the third."""
    await sold(staffed)
    await sold(staffed, wait_s=40)
    staffed.later(DAY_S)
    await sold(staffed, "FAILED")
    staffed.later(DAY_S)
    await sold(staffed)


async def test_a_day_says_what_was_captured_given_back_and_handed_over(staffed: Staffed) -> None:
    await three_days(staffed)
    found = await table(staffed)
    last, middle, first = found.rows
    assert (first.captured, first.goods, first.given_back) == (8000, 8000, 0)
    assert (middle.captured, middle.goods, middle.given_back, middle.owed) == (4000, 0, 4000, 0)
    assert (last.captured, last.goods) == (4000, 4000)
    (total,) = found.totals
    assert total.captured == await staffed.stage.value("SELECT sum(captured)::bigint FROM captures")
    assert total.goods == -await ledger(staffed, "sales")
    assert total.kept == await ledger(staffed, "gateway")
    assert all(row.balances for row in (*found.rows, total))


async def test_a_page_is_the_same_before_and_after_its_days_are_summed(staffed: Staffed) -> None:
    await three_days(staffed)
    context = staffed.stage.context
    before = await table(staffed)
    wanted = await money.filter_of(context, staffed.merchant, Asked())
    reported = await money.report(context, staffed.merchant, wanted)
    assert await day_sums.due(context) > 0
    assert await staffed.stage.value("SELECT count(*) FROM money_days") == 2
    assert await table(staffed) == before
    assert await money.report(context, staffed.merchant, wanted) == reported
    assert await day_sums.due(context) == 0


async def test_todays_money_is_there_at_once_beside_days_that_are_summed(staffed: Staffed) -> None:
    await three_days(staffed)
    await day_sums.due(staffed.stage.context)
    await sold(staffed)
    (total,) = (await table(staffed)).totals
    assert total.captured == 5 * 4000


async def test_two_workers_sum_a_day_once(staffed: Staffed) -> None:
    await three_days(staffed)
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        day = day_sums.day_in(datetime(2026, 11, 21, tzinfo=UTC).date(), staffed.stage.context.zone)
        values = (day.day, day.begun, day.ended, staffed.stage.context.now())
        assert await conn.fetchval("SELECT sum_day($1, $2, $3, $4)", *values)
        assert not await conn.fetchval("SELECT sum_day($1, $2, $3, $4)", *values)


async def test_a_merchant_who_moves_to_another_zone_has_its_days_summed_anew(
    staffed: Staffed,
) -> None:
    stage = staffed.stage
    staffed.stage.clock.advance(timedelta(hours=8))  # 20:00 UTC: tomorrow, 01:30, in India
    await sold(staffed)
    staffed.later(2 * DAY_S)
    await day_sums.due(stage.context)
    (row,) = (await table(staffed)).rows
    assert row.day == datetime(2026, 11, 21, tzinfo=UTC).date()
    async with stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("UPDATE merchants SET zone = 'Asia/Kolkata'")
    (moved,) = (await table(staffed)).rows
    assert (moved.day, moved.captured) == (datetime(2026, 11, 22, tzinfo=UTC).date(), 4000)
    assert await day_sums.due(stage.context) > 0
    assert (await table(staffed)).rows == (moved,)


async def test_kept_sums_that_differ_from_the_ledger_are_found_by_the_audit(
    staffed: Staffed,
) -> None:
    await three_days(staffed)
    await day_sums.due(staffed.stage.context)
    assert (await staffed.stage.audit()).ok
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("DELETE FROM money_days WHERE day = '2026-11-21'")
    assert (await staffed.stage.audit()).red == {"kept_sums_of_days_are_those_of_the_rows"}
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("DELETE FROM summed_days")  # and what is not kept is summed again
        await conn.execute("DELETE FROM unit_days")
        await conn.execute("DELETE FROM money_days")
    await day_sums.due(staffed.stage.context)


async def test_the_steps_of_waits_are_the_same_in_python_and_in_sql(staffed: Staffed) -> None:
    edges = [1 + n for n in WAIT_STEPS_S] + list(WAIT_STEPS_S)
    for seconds in edges:
        expected = 1 + sum(step < seconds for step in WAIT_STEPS_S)
        sql = "SELECT wait_step($1 * interval '1 second')"
        assert await staffed.stage.value(sql, float(seconds)) == expected


async def test_a_difference_is_named_in_its_row_and_leads_to_its_case(staffed: Staffed) -> None:
    await sold(staffed)
    stage = staffed.stage
    fact = next(iter(stage.books.payments.values()))
    del stage.books.payments[fact.gateway_payment_id]  # the gateway denies its own payment
    now = stage.context.now()
    span = Span(now - timedelta(days=1), now + timedelta(seconds=1))
    await compare(stage.context, stage.account, span)
    (case,) = await cases.listed(stage.context)
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/money")
    assert "Differences: 1" in page.text
    assert "The books have a payment that the gateway lacks" in page.text
    assert f"/console/inbox#case-{case.id}" in page.text
    await cases.close(stage.context, case.id, cases.Person("boris", "seen at the bank"))


async def test_the_filter_stays_in_the_address_of_every_part(staffed: Staffed) -> None:
    await sold(staffed)
    asha = await signed_in(staffed, "asha")
    query = "from=2026-11-21&to=2026-11-21&machine=M01"
    page = await asha.look(f"/console/money?{query}")
    links = [unescape(one) for one in re.findall(r'href="(/console/money[^"]*)"', page.text)]
    assert [one for one in links if one.endswith(query)] != []
    assert f"/console/money/orders?{query}" in links
    assert f"/console/money/days/export?{query}&as=csv" in links


@pytest.mark.parametrize(
    "query",
    ["from=yesterday", "to=2026-02-31", "gateway=1", "from=9999-12-31", "row=x", "to=0001-01-01"],
)
async def test_a_filter_that_means_nothing_is_left_out(staffed: Staffed, query: str) -> None:
    asha = await signed_in(staffed, "asha")
    assert (await asha.look(f"/console/money?{query}")).status_code == 200


async def test_a_list_is_paged_by_keys_and_no_row_is_lost_or_shown_twice(staffed: Staffed) -> None:
    context = staffed.stage.context
    orders = {await sold(staffed) for _ in range(5)}
    wanted = await money.filter_of(context, staffed.merchant, Asked())
    seen, after = list[UUID](), ""
    while True:
        rows = await money_lists.page(
            context, staffed.merchant, money_lists.Wanted("orders", wanted), after, 2
        )
        if not rows:
            break
        seen += [row["id"] for row in rows]
        after = str(rows[-1]["id"])
    assert len(seen) == 5
    assert set(seen) == orders


@pytest.mark.parametrize(
    "part", ["orders", "payments", "refunds", "payouts", "fees", "machines", "reports", "days"]
)
async def test_chandra_sees_none_of_ashas_money(staffed: Staffed, part: str) -> None:
    order = await sold(staffed)
    await sold(staffed, "FAILED")
    chandra = await signed_in(staffed, "chandra")
    place = "/console/money" if part == "days" else f"/console/money/{part}"
    page = await chandra.look(f"{place}?machine=M01")
    assert page.status_code == 200
    for secret in (str(order), "pay_1", "₹40.00", "Platform 1"):
        assert secret not in page.text
    whole = await chandra.look(place)
    assert "M01" not in whole.text


async def test_an_installation_without_a_sale_says_so(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    for part in ("", "/reports", "/orders", "/payouts", "/fees"):
        page = await asha.look(f"/console/money{part}")
        assert "on these days" in page.text


async def test_the_tenth_look_at_a_list_is_planned_like_the_first(staffed: Staffed) -> None:
    """PostgreSQL makes one plan for all values after the fifth run; it would read every order."""
    context = staffed.stage.context
    wanted = await money.filter_of(context, staffed.merchant, Asked())
    for _ in range(10):
        await money_lists.page(
            context, staffed.merchant, money_lists.Wanted("orders", wanted), "", 2
        )
    sql = "SELECT coalesce(sum(generic_plans), 0) FROM pg_prepared_statements WHERE statement = $1"
    statement = money_lists.LISTINGS["orders"].sql
    async with context.db.as_merchant(staffed.merchant) as conn:
        assert await conn.fetchval(sql, statement) == 0


async def test_days_that_are_not_summed_yet_are_named_and_keep_no_page_waiting(
    staffed: Staffed,
) -> None:
    """After an update of a large installation: a page sums three days by itself, and no more."""
    for _ in range(5):
        await sold(staffed)
        staffed.later(DAY_S)
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/money")
    assert "Days that are summed for the first time: 3." in page.text
    assert (await asha.look("/console/today")).status_code == 200
    refused = await asha.look("/console/money/days/export")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "120")
    payments = await asha.look("/console/money/payments/export")
    assert "The books say" not in payments.text  # of all days, or of none
    await day_sums.due(staffed.stage.context)
    page = await asha.look("/console/money")
    assert "being summed" not in page.text
    (total,) = (await table(staffed)).totals
    assert total.captured == 5 * 4000


async def test_the_days_of_a_product_are_its_units_and_the_file_has_the_same(
    staffed: Staffed,
) -> None:
    await three_days(staffed)
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/money?product=cola")
    assert "Units of this product" in page.text
    assert "₹80.00" in page.text  # two on the first day
    assert "₹120.00" in page.text  # three in all
    file = await asha.look("/console/money/days/export?product=cola&as=csv")
    lines = file.text.removeprefix("\ufeff").splitlines()
    days = {line.split(",")[0]: line.split(",")[1:] for line in lines[1:]}
    assert days["2026-11-21"][:4] == ["2", "80.00", "0", "0.00"]
    assert days["2026-11-22"][:4] == ["0", "0.00", "1", "40.00"]
    other = await asha.look("/console/money?product=tea")
    assert "Nothing was paid on these days" in other.text
    await day_sums.due(staffed.stage.context)
    assert "₹120.00" in (await asha.look("/console/money?product=cola&machine=M01")).text
    assert "₹120.00" not in (await asha.look("/console/money?product=cola&machine=M02")).text


async def test_one_machines_money_has_its_payouts_alone(staffed: Staffed) -> None:
    await sold(staffed)
    assert staffed.stage.owner is not None
    await staffed.stage.owner.execute("UPDATE captures SET settled_at = seen_at, settlement = 's1'")
    (of_all,) = (await table(staffed)).rows
    (of_one,) = (await table(staffed, outlet="M01")).rows
    assert of_all.paid_out == of_one.paid_out == 4000
    assert (await table(staffed, outlet="M02")).rows == ()
