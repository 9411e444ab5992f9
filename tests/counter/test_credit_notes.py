"""Credit notes: each refund of an order at a counter has one number, without a gap, and the tax
that goes back with it."""

import asyncio
from uuid import UUID

import pytest

from coinslot.counter import staff
from coinslot.counter.basket import Wish
from tests.counter.stage import Counter
from tests.counter.test_profit import goodwill, sold

LATTE, TEA, CAKE = Wish(sku="latte"), Wish(sku="tea"), Wish(sku="cake")


async def notes(counter: Counter) -> list[tuple[int, int, dict[str, int]]]:
    rows = await counter.stage.rows(
        "SELECT number, amount_minor, taxes FROM counter_credit_notes ORDER BY year, number"
    )
    return [(row["number"], row["amount_minor"], row["taxes"]) for row in rows]


async def reject(counter: Counter, order: UUID, *skus: str) -> None:
    rows = await counter.stage.rows(
        "SELECT f.id FROM fulfillments f JOIN order_lines l ON l.id = f.line_id"
        " WHERE f.order_id = $1 AND l.sku = ANY ($2)", order, list(skus),
    )  # fmt: skip
    pieces = [row["id"] for row in rows]
    await staff.reject(counter.stage.context, counter.who, order, "None left", pieces)
    await counter.stage.sweep()


async def well(counter: Counter) -> bool:
    return not (await counter.stage.audit()).red


async def test_a_piece_that_went_back_has_a_note_with_the_tax_of_its_own_rate(
    counter: Counter,
) -> None:
    order = await counter.preparing(LATTE, CAKE, tip=100)
    assert await notes(counter) == [], "nothing went back yet"
    await reject(counter, order, "cake")
    assert await notes(counter) == [(1, 420, {"700": 27})], "of 4.20 at 7 %"
    (note,) = (await counter.view(order)).credits
    year = counter.stage.clock.now().year
    assert (note.number, note.corrects) == (f"{year}-000001", f"{year}-000001")
    assert [(tax.percent, tax.money.minor) for tax in note.taxes] == [("7", 27)]
    assert await well(counter)


async def test_what_goes_back_of_a_whole_order_has_all_of_its_tax_and_of_a_tip_none(
    counter: Counter,
) -> None:
    order = await counter.preparing(LATTE, TEA, CAKE, tip=100)
    await staff.reject(counter.stage.context, counter.who, order, "Closed")
    await counter.stage.sweep()
    found = await notes(counter)
    assert [number for number, _, _ in found] == [1, 2, 3, 4]
    assert sum(amount for _, amount, _ in found) == 350 + 250 + 420 + 100
    assert sum(taxes.get("1900", 0) for _, _, taxes in found) == 96, "of 6.00, rounded once"
    assert sum(taxes.get("700", 0) for _, _, taxes in found) == 27
    assert all(not taxes for _, amount, taxes in found if amount == 100)
    assert await well(counter)


async def test_numbers_of_refunds_that_succeed_at_once_have_no_gap(counter: Counter) -> None:
    orders = [await counter.paid(TEA) for _ in range(6)]
    await asyncio.gather(*(
        staff.reject(counter.stage.context, counter.who, order, "Closed") for order in orders
    ))  # fmt: skip
    await asyncio.gather(*(counter.stage.sweep() for _ in range(3)))
    await counter.stage.sweep()
    assert [number for number, _, _ in await notes(counter)] == [1, 2, 3, 4, 5, 6]
    assert await well(counter)


async def test_parts_of_one_piece_that_are_given_back_sum_to_its_tax(counter: Counter) -> None:
    order = await sold(counter, TEA)
    for amount in (33, 34, 183):
        await goodwill(counter, order, amount)
    found = await notes(counter)
    assert [amount for _, amount, _ in found] == [33, 34, 183]
    assert sum(taxes.get("1900", 0) for _, _, taxes in found) == 40
    assert await well(counter)


async def test_the_transaction_that_is_undone_takes_no_number(counter: Counter) -> None:
    order = await counter.paid(TEA)
    await staff.reject(counter.stage.context, counter.who, order, "Closed")
    refund = await counter.stage.value("SELECT id FROM refunds")
    stage = counter.stage

    async def dies() -> None:
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            await conn.execute(
                "SELECT transition_refund($1, 'PROVED', '{}', $2)", refund, stage.clock.now()
            )
            await conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
            assert await conn.fetchval("SELECT count(*) FROM counter_credit_notes") == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await dies()
    assert await notes(counter) == []
    await stage.sweep()
    assert [number for number, _, _ in await notes(counter)] == [1]


async def test_a_note_whose_money_did_not_arrive_is_void_and_its_successor_has_the_next_number(
    counter: Counter,
) -> None:
    order = await counter.paid(TEA)
    await reject(counter, order, "tea")
    refund = await counter.stage.value("SELECT id FROM refunds")
    stage = counter.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "SELECT transition_refund($1, 'FAILED_THERE', jsonb_build_object('ended_at', $2::"
            "timestamptz), $2)", refund, stage.clock.now(),
        )  # fmt: skip
    await stage.sweep()
    first, second = (await counter.view(order)).credits
    assert (first.void, second.void) == (True, False)
    assert await notes(counter) == [(1, 250, {"1900": 40}), (2, 250, {"1900": 40})]


async def test_tax_that_was_added_goes_back_with_its_rates(counter: Counter) -> None:
    await counter.stage.rows(
        "UPDATE counter_stores SET tax_added = true WHERE outlet_id = 'S01' RETURNING 1"
    )
    order = await counter.preparing(LATTE, CAKE)
    await staff.reject(counter.stage.context, counter.who, order, "Closed")
    await counter.stage.sweep()
    found = await notes(counter)
    assert sum(taxes.get("1900", 0) for _, _, taxes in found) == 67, "of 3.50"
    assert sum(taxes.get("700", 0) for _, _, taxes in found) == 29, "of 4.20"
    assert await well(counter)


async def test_the_rate_is_the_one_of_the_sale_whatever_the_menu_says_later(
    counter: Counter,
) -> None:
    order = await counter.preparing(CAKE)
    await counter.stage.rows("UPDATE counter_items SET tax_bp = 1900 RETURNING 1")
    await reject(counter, order, "cake")
    assert await notes(counter) == [(1, 420, {"700": 27})]
