"""Boards behind a counter: which are open and since when, what each order's staff know of it, and
that an open one learns of every change at once."""

import asyncio
from datetime import datetime, timedelta

import pytest

from coinslot.counter import boards, menu, staff
from coinslot.counter.basket import Wish
from coinslot.counter.boards import Said
from coinslot.counter.staff import Staff
from coinslot.kit.ids import uuid7
from coinslot.oversight.changes import Changes
from coinslot.people.audit_log import COMMAND_LINE
from tests.counter.stage import Counter

ROUND_S = 0.02


async def here(counter: Counter, **said: object) -> None:
    await boards.here(counter.stage.context, counter.who, Said(**said))  # type: ignore[arg-type]


async def since(counter: Counter) -> datetime | None:
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        return await boards.connected_since(counter.stage.context, conn, "S01")


async def connected(counter: Counter, begins: datetime, ends: datetime) -> float:
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        return (await boards.connected_for(conn, "S01", begins, ends)).total_seconds()


async def test_a_board_is_open_from_its_first_word_until_it_is_silent(counter: Counter) -> None:
    assert await since(counter) is None
    began = counter.stage.context.now()
    for _ in range(4):
        await here(counter)
        counter.stage.later(8)
    assert await since(counter) == began
    counter.stage.later(30)
    assert await since(counter) is None, "a tablet without a network is no board"
    await here(counter)
    assert await since(counter) == counter.stage.context.now()


async def test_only_the_time_with_a_board_counts_and_two_boards_count_once(
    counter: Counter,
) -> None:
    began = counter.stage.context.now()
    await asyncio.gather(here(counter), here(counter))
    counter.stage.later(20)
    await asyncio.gather(here(counter), here(counter))
    counter.stage.later(3600)
    await here(counter)
    counter.stage.later(10)
    await here(counter)
    ends = counter.stage.context.now()
    assert await connected(counter, began, ends) == 30
    assert await connected(counter, began + timedelta(seconds=5), ends) == 25
    assert await connected(counter, began, began + timedelta(seconds=7)) == 7
    assert await connected(counter, ends, ends + timedelta(hours=1)) == 0


async def test_an_order_reaches_a_board_and_is_seen_when_somebody_touches_it(
    counter: Counter,
) -> None:
    order, other = await counter.paid(), await counter.paid()

    async def known() -> list[tuple[bool, bool]]:
        rows = await counter.stage.rows(
            "SELECT reached_at, seen_at FROM counter_orders WHERE order_id = ANY ($1)"
            " ORDER BY order_id", sorted([order, other]),
        )  # fmt: skip
        return [(row["reached_at"] is not None, row["seen_at"] is not None) for row in rows]

    assert await known() == [(False, False)] * 2
    await here(counter, shown=(order, other))
    assert await known() == [(True, False)] * 2
    first = await counter.stage.value(
        "SELECT reached_at FROM counter_orders WHERE order_id = $1", order
    )
    counter.stage.later(8)
    await here(counter, shown=(order, other), touched=(order,))
    assert sorted(await known()) == [(True, False), (True, True)]
    assert first == await counter.stage.value(
        "SELECT reached_at FROM counter_orders WHERE order_id = $1", order
    ), "the first board counts"


async def test_a_board_of_another_counter_says_nothing_of_these_orders(counter: Counter) -> None:
    order = await counter.paid()
    ravi = Staff(
        merchant=counter.stage.merchant, login="ravi", actor=COMMAND_LINE, outlets=("S99",)
    )
    await boards.here(counter.stage.context, ravi, Said(shown=(order,), touched=(order,)))
    assert await since(counter) is None
    assert not await counter.stage.value(
        "SELECT count(*) FROM counter_orders WHERE reached_at IS NOT NULL"
    )


async def test_an_open_board_learns_at_once_of_what_moves_no_order(counter: Counter) -> None:
    """A tick, a pause and what is sold out: not only at its next look."""
    order = await counter.preparing(Wish(sku="cake"))
    context, merchant = counter.stage.context, counter.stage.merchant
    changes = Changes(context, ROUND_S)
    seen = await changes.changed(merchant, "", 5)
    unit = (await counter.view(order)).units[0].unit_id
    cake = await counter.stage.value(
        "SELECT i.id FROM counter_items i JOIN products p ON p.id = product_id WHERE sku = 'cake'"
    )

    async def learns(what: str) -> None:
        nonlocal seen
        before, seen = seen, await changes.changed(merchant, seen, 5)
        assert seen != before, what

    await staff.tick(context, counter.who, order, unit, done=True)
    await learns("a tick")
    async with context.db.as_merchant(merchant) as conn:
        await menu.sold_out(conn, "S01", cake, context.now())
    await learns("sold out")
    async with context.db.as_merchant(merchant) as conn:
        await menu.back_on_sale(conn, "S01", cake, 3)
    await learns("on sale again")
    async with context.db.as_merchant(merchant) as conn:
        await menu.pause(conn, "S01", context.now())
    await learns("a pause")
    await context.background.close()


async def test_a_tick_is_in_the_log_once_however_often_it_is_pressed(counter: Counter) -> None:
    order = await counter.preparing()
    unit = (await counter.view(order)).units[0].unit_id
    for done in (True, True, False):
        await staff.tick(counter.stage.context, counter.who, order, unit, done=done)
    with pytest.raises(staff.CounterError):
        await staff.tick(
            counter.stage.context, counter.who, order, uuid7(counter.stage.context.now()), done=True
        )
    acts = await counter.stage.rows(
        "SELECT action FROM audit_log WHERE action LIKE 'order.piece%' ORDER BY seq"
    )
    assert [act["action"] for act in acts] == ["order.piece_made", "order.piece_not_made"]
