"""Kept sums of profit and analytics: those of the orders at any moment, whatever changed later."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from coinslot.counter import messages, staff
from coinslot.counter.basket import Wish
from coinslot.notices.base import Cost, Report, Stage
from coinslot.oversight import analytics, figures, money, profit
from coinslot.oversight.day_sums import as_rows
from coinslot.oversight.money import Asked
from tests.conftest import DatabaseUrls
from tests.counter.stage import Counter
from tests.counter.telling import reach, service, swept
from tests.counter.test_profit import STATE_FEE, fee, goodwill, sold

LATTE, TEA = Wish(sku="latte"), Wish(sku="tea")
REPORTS = ("profit", "profit_items", "sales", "sale_items")
OF_PRODUCTS = [(report, sku) for report in ("profit", "sales") for sku in ("latte", "tea")]
DAY_S = 86_400


async def both(counter: Counter) -> tuple[list[Any], list[Any]]:
    """What a page reads of all days, and the same from the rows alone."""
    stage = counter.stage
    wanted = await money.filter_of(stage.context, stage.merchant, Asked())
    columns = "outlet_id, accounts, sku, name, currency, sums"
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        read = [
            (one["day"], report, *tuple(one)[1:])
            for report in REPORTS
            for one in await conn.fetch(
                f"SELECT day, {columns} FROM figures_of_days($1, $2)", report, as_rows(wanted.days)
            )
        ]
        rows = [
            (day.day, one["report"], *tuple(one)[1:])
            for day in wanted.days
            for one in await conn.fetch(
                f"SELECT report, {columns} FROM figures_between($1, $2)", day.begun, day.ended
            )
        ]
        columns = "outlet_id, accounts, currency, sums"
        read += [
            (one["day"], f"{report} of {sku}", *tuple(one)[1:])
            for report, sku in OF_PRODUCTS
            for one in await conn.fetch(
                f"SELECT day, {columns} FROM figures_of_product($1, $2, $3)",
                report, sku, as_rows(wanted.days),
            )
        ]  # fmt: skip
        rows += [
            (day.day, f"{one['report']} of {one['sku']}", *tuple(one)[2:])
            for day in wanted.days
            for one in await conn.fetch(
                f"SELECT report, sku, {columns} FROM product_figures_between($1, $2)",
                day.begun, day.ended,
            )
        ]  # fmt: skip
    return sorted(read, key=repr), sorted(rows, key=repr)


async def kept(counter: Counter) -> set[str]:
    """Days whose sums are kept and hold."""
    stage = counter.stage
    wanted = await money.filter_of(stage.context, stage.merchant, Asked())
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        rows = await conn.fetch("SELECT day FROM days_figured($1) WHERE kept", as_rows(wanted.days))
    return {row["day"].isoformat() for row in rows}


async def a_day_that_is_over(counter: Counter) -> UUID:
    """With an order, whose sums are kept."""
    service(counter)
    order = await counter.preparing(LATTE, TEA, tip=20, contact=reach())
    await swept(counter)
    await staff.ready(counter.stage.context, counter.who, order)
    await counter.complete(order)
    counter.stage.later(DAY_S + 7200)
    assert await figures.due(counter.stage.context) > 0
    assert await kept(counter)
    read, rows = await both(counter)
    assert read == rows != []
    return order


async def a_late_fee(counter: Counter, order: UUID) -> None:
    await fee(counter, order, 41)


async def late_goodwill(counter: Counter, order: UUID) -> None:
    await goodwill(counter, order, 100)


async def a_late_price(counter: Counter, order: UUID) -> None:
    (row,) = await counter.stage.rows(
        "SELECT * FROM counter_messages WHERE form = 'sms' AND purpose = 'code'"
    )
    told = Report(reference=row["reference"], stage=Stage.DELIVERED, cost=Cost("0.01", "EUR"))
    await messages.reported(counter.stage.context, row, told)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [a_late_fee, late_goodwill, a_late_price])
async def test_what_changes_after_a_day_was_summed_is_on_the_page_at_once_and_is_summed_again(
    counter: Counter, change: Any
) -> None:
    order = await a_day_that_is_over(counter)
    before = await both(counter)
    days = await kept(counter)
    await change(counter, order)
    read, rows = await both(counter)
    assert read == rows
    assert read != before[0], "the change is seen"
    assert await kept(counter) < days
    assert await figures.due(counter.stage.context) == 1
    assert await kept(counter) == days
    assert await both(counter) == (rows, rows)
    assert await figures.due(counter.stage.context) == 0


async def test_a_day_is_not_kept_before_each_order_that_was_placed_on_it_is_over(
    counter: Counter,
) -> None:
    counter.stage.later(11.5 * 3600)  # half past eleven in the evening
    day = counter.stage.clock.now().date().isoformat()
    order = await counter.preparing(LATTE)
    counter.stage.later(1.8 * 3600)
    await figures.due(counter.stage.context)
    assert day not in await kept(counter)
    await staff.ready(counter.stage.context, counter.who, order)
    await counter.complete(order)
    await figures.due(counter.stage.context)
    assert day not in await kept(counter), "it ended a moment ago"
    counter.stage.later(3601)
    await figures.due(counter.stage.context)
    assert day in await kept(counter)
    read, rows = await both(counter)
    assert read == rows


async def test_pages_say_the_same_before_and_after_the_sums_are_kept(counter: Counter) -> None:
    stage = counter.stage
    for n in range(3):
        await sold(counter, LATTE, TEA, tip=10 * n)
        await staff.reject(stage.context, counter.who, await counter.paid(TEA), "None left")
        await counter.place(LATTE)
        stage.later(DAY_S)
        await stage.sweep()
    stage.later(7200)
    account = stage.account.id
    asked = [Asked(), Asked(outlet="S01"), Asked(outlet="S99"), Asked(account=account),
             Asked(sku="tea"), Asked(account=UUID(int=7)), Asked(sku="latte", outlet="S01"),
             Asked(sku="latte", account=account), Asked(sku="tea", outlet="S99"),
             Asked(sku="cake")]  # fmt: skip

    async def said() -> list[Any]:
        found: list[Any] = []
        for one in asked:
            wanted = await money.filter_of(stage.context, stage.merchant, one)
            found += [
                await profit.profit(stage.context, stage.merchant, wanted),
                await analytics.analytics(stage.context, stage.merchant, wanted),
            ]
        return found

    before = await said()
    assert await figures.due(stage.context) >= 3
    assert await said() == before
    assert [sum(day.orders for day in one.days) for one in before[::2]] == [
        6,
        6,
        0,
        6,
        6,
        0,
        3,
        3,
        0,
        0,
    ]
    assert {one.sku for one in before[8].items} == {"tea"}


async def test_a_change_that_is_not_committed_yet_while_a_day_is_summed_sums_it_again(
    counter: Counter,
) -> None:
    order = await a_day_that_is_over(counter)
    await fee(counter, order, 10)
    stage = counter.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(STATE_FEE, order, 99, stage.clock.now())
        assert await figures.due(stage.context) == 1
    read, rows = await both(counter)
    assert read == rows
    assert await figures.due(stage.context) == 1


CHANGES = {
    "a correction": "INSERT INTO corrections SELECT id, merchant_id, 'x', settled_at"
    " FROM fulfillments",
    "a refund of the gateway's own": "UPDATE captures SET outside = outside + 1",
    "a try to pay": "UPDATE attempts SET state = 'failed'",
    "a wrong code": "UPDATE counter_orders SET wrong = wrong + 1",
    "a message": "UPDATE counter_messages SET price = 1, price_currency = 'EUR'",
    "a piece": "UPDATE fulfillments SET settlement = 'refund_due', basis = 'timeout'",
    "an extra": "UPDATE order_extras SET settlement = 'refund_due'",
    "the order": "UPDATE orders SET state = 'failed'",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_every_row_that_a_figure_is_made_of_notes_its_change(
    counter: Counter, urls: DatabaseUrls, change: str
) -> None:
    await a_day_that_is_over(counter)
    conn = await asyncpg.connect(urls.superuser)
    act = conn.transaction()
    await act.start()
    for table in ("captures", "attempts", "fulfillments", "order_extras", "orders", "corrections"):
        names = await conn.fetch(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal"
            " AND tgname NOT LIKE 'figures%'", table,
        )  # fmt: skip
        for one in names:  # only what notes changes is asked here
            await conn.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{one["tgname"]}"')
        checks = await conn.fetch(
            "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'",
            table,
        )
        for one in checks:
            await conn.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{one["conname"]}"')
    assert await conn.fetchval("SELECT count(*) FROM figure_changes") == 0
    await conn.execute(CHANGES[change])
    assert await conn.fetchval("SELECT count(*) FROM figure_changes") > 0
    await act.rollback()
    await conn.close()
