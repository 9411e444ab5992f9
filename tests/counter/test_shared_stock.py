"""One stock that choices of several items take from: sold once, given back, gone everywhere."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.counter import board, editing, menu, menu_file, ordering, staff, walk_ins
from coinslot.counter.basket import BasketError, Choice, Option, Wish
from coinslot.counter.editing import Edited
from coinslot.counter.menu import Live, MenuItem, UnknownItemError, WantedItem
from coinslot.counter.staff import Missing
from coinslot.counter.walk_ins import Step
from tests.counter.stage import MENU, Counter

ITEMS = 10


def with_oat(left: int | None, also: Sequence[Choice] = ()) -> list[WantedItem]:
    """Ten drinks, each with oat milk of the one stock."""
    oat = Choice(id="oat", name="Oat", price=50, stock="oat milk", left=left)
    milk = Option(id="milk", name="Milk", max=1 + len(also), choices=(oat, *also))
    return [
        WantedItem(sku=f"drink-{n}", name=f"Drink {n}", price=300, options=(milk,), tax_bp=1900)
        for n in range(ITEMS)
    ]


async def offer(counter: Counter, items: Sequence[WantedItem], *, stock: bool = True) -> None:
    context, merchant = counter.stage.context, counter.stage.merchant
    async with context.db.as_merchant(merchant) as conn:
        await menu.write_menu(conn, context, merchant, "S01", items, stock=stock)


async def on_menu(counter: Counter) -> list[MenuItem]:
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        return await menu.menu(conn, "S01")


async def left(counter: Counter) -> Any:
    return await counter.stage.value("SELECT stock FROM counter_stocks WHERE name = 'oat milk'")


async def stock_id(counter: Counter) -> UUID:
    found: UUID = await counter.stage.value("SELECT id FROM counter_stocks")
    return found


def oat(n: int, quantity: int = 1) -> Wish:
    return Wish(sku=f"drink-{n}", quantity=quantity, choices=("oat",))


async def refused(counter: Counter, *wishes: Wish) -> tuple[str, str]:
    with pytest.raises(BasketError) as caught:
        await counter.place(*wishes)
    return caught.value.code, caught.value.item


async def test_a_hundred_checkouts_of_different_items_sell_the_last_portions_of_one_stock_once(
    counter: Counter,
) -> None:
    await offer(counter, with_oat(7))
    answers = await asyncio.gather(
        *(counter.place(oat(n % ITEMS), oat((n + 3) % ITEMS)) for n in range(100)),
        return_exceptions=True,
    )
    placed = [answer for answer in answers if isinstance(answer, str)]
    assert all(isinstance(answer, str | BasketError) for answer in answers)
    assert (len(placed), await left(counter)) == (3, 1)
    await counter.place(oat(9))
    assert await left(counter) == 0


async def test_a_stock_that_is_gone_is_gone_on_every_item_at_once(counter: Counter) -> None:
    await offer(counter, with_oat(1))
    await counter.place(oat(0))
    for item in await on_menu(counter):
        assert [choice.there for choice in item.options[0].choices] == [False]
    assert await refused(counter, oat(5)) == ("options", "drink-5")
    await counter.place(Wish(sku="drink-5"))


async def test_lines_of_different_items_in_one_basket_want_their_portions_together(
    counter: Counter,
) -> None:
    await offer(counter, with_oat(3))
    assert await refused(counter, oat(0, 2), oat(1, 2)) == ("choice_sold_out", "drink-0")
    await counter.place(oat(0, 2), oat(1))
    assert await left(counter) == 0


async def test_two_choices_of_one_item_take_two_portions_and_give_two_back(
    counter: Counter,
) -> None:
    double = Choice(id="more", name="More oat", price=20, stock="oat milk", left=5)
    await offer(counter, with_oat(5, [double]))
    await counter.place(Wish(sku="drink-0", quantity=2, choices=("oat", "more")))
    assert await left(counter) == 1
    counter.stage.later(1801)
    await counter.stage.sweep()
    assert await left(counter) == 5
    counter.stage.later(1801)
    await counter.stage.sweep()
    assert await left(counter) == 5, "once"


async def test_what_nobody_began_gives_its_portions_back_and_what_was_made_does_not(
    counter: Counter,
) -> None:
    await offer(counter, with_oat(4))
    cancelled = await counter.paid(oat(0), oat(1))
    await staff.cancel(counter.stage.context, (await counter.view(cancelled)).token)
    assert await left(counter) == 4
    begun = await counter.preparing(oat(2))
    await staff.reject(counter.stage.context, counter.who, begun, "No beans")
    assert await left(counter) == 3


async def test_a_stock_that_is_counted_from_now_on_gets_nothing_back_of_orders_before(
    counter: Counter,
) -> None:
    await offer(counter, with_oat(None))
    order = await counter.paid(oat(0))
    assert await left(counter) is None
    await offer(counter, with_oat(6))
    await staff.cancel(counter.stage.context, (await counter.view(order)).token)
    assert await left(counter) == 6


async def test_staff_say_on_the_board_that_a_stock_is_gone_and_that_it_is_there_again(
    counter: Counter,
) -> None:
    await offer(counter, with_oat(6))
    context, merchant = counter.stage.context, counter.stage.merchant
    shown = (await board.items(context, counter.who))["S01"]
    assert [(one.name, one.left) for one in shown if one.name == "oat milk"] == [("oat milk", 6)]
    stock = await stock_id(counter)
    seen = await on_menu(counter)
    async with context.db.as_merchant(merchant) as conn:
        await menu.sold_out(conn, "S01", stock, context.now())
    assert not any(i.options[0].choices[0].there for i in await on_menu(counter))
    async with context.db.as_merchant(merchant) as conn:  # a page that was read before
        with pytest.raises(BasketError, match="choice_sold_out"):
            await ordering.reserve(conn, "S01", {i.sku: i for i in seen}, [oat(3)])
    async with context.db.as_merchant(merchant) as conn:
        await menu.back_on_sale(conn, "S01", stock, None, keep=True)
        with pytest.raises(UnknownItemError):
            await menu.sold_out(conn, "S02", stock, context.now())
    await counter.place(oat(8))
    assert await left(counter) == 5


async def test_an_order_that_staff_enter_takes_portions_and_gives_them_back(
    counter: Counter,
) -> None:
    await offer(counter, with_oat(4))
    context = counter.stage.context
    await walk_ins.enter(context, counter.who, "S01", [oat(0, 2), oat(1)])
    assert await left(counter) == 1
    entered = (await walk_ins.listed(context, counter.who))[0]
    await walk_ins.move(context, counter.who, entered.id, Step.CANCELLED)
    assert await left(counter) == 4


async def test_a_shared_stock_that_is_out_ends_every_line_that_takes_from_it(
    counter: Counter,
) -> None:
    await offer(counter, with_oat(9))
    order = await counter.paid(oat(0), oat(1), Wish(sku="drink-2"))
    first = (await on_menu(counter))[0].id
    missing = Missing(choices=frozenset({(first, "oat")}))
    await staff.reject_missing(counter.stage.context, counter.who, order, "No oat", missing)
    ended = await counter.stage.value(
        "SELECT count(*) FROM fulfillments WHERE order_id = $1 AND basis = 'rejected'", order
    )
    assert ended == 2
    assert await refused(counter, oat(3)) == ("options", "drink-3")
    assert await left(counter) == 0
    await counter.place(Wish(sku="drink-1"))


async def test_a_count_is_written_by_a_form_only_where_another_one_was_typed(
    counter: Counter,
) -> None:
    await offer(counter, with_oat(4))
    context, merchant = counter.stage.context, counter.stage.merchant
    item = (await on_menu(counter))[0]
    shown = Live(stock=None, choices={"oat": 4})
    await counter.place(oat(1))

    async def edit(typed: int | None) -> Any:
        choice = replace(item.options[0].choices[0], left=typed)
        wanted = replace(
            editing.as_wanted(item), options=(replace(item.options[0], choices=(choice,)),)
        )
        async with context.db.as_merchant(merchant) as conn:
            await editing.edit(conn, context, merchant, "S01", Edited(item=wanted, shown=shown))
        return await left(counter)

    assert await edit(4) == 3, "what was sold meanwhile stays sold"
    assert await edit(None) == 3
    assert await edit(20) == 20


async def test_a_menu_with_a_shared_stock_is_written_and_read_as_a_table(counter: Counter) -> None:
    await offer(counter, [*MENU, *with_oat(12)])
    table = menu_file.write(await on_menu(counter), "EUR")
    assert "Milk (0-1): Oat +0.50 [oat milk = 12]" in table
    assert menu_file.read(table, "EUR")[-1].options == with_oat(12)[-1].options
    await counter.place(oat(1))
    await offer(counter, menu_file.read(table, "EUR"), stock=False)
    assert await left(counter) == 11, "what is left stays as it is"
    await offer(counter, menu_file.read(table, "EUR"))
    assert await left(counter) == 12
    bare = menu_file.read(table.replace(" = 12]", "]"), "EUR")
    await offer(counter, bare)
    assert await left(counter) == 12, "a name without a count changes none"


@pytest.mark.parametrize(
    ("text", "stock", "count"),
    [
        ("Oat [oat milk]", "oat milk", None),
        ("Oat +0.50 {nuts} [Oat  Milk=7]", "oat milk", 7),
        ("Oat [12]", "", 12),
        ("Hafer [молоко 2 = 3]", "молоко 2", 3),
    ],
)
def test_a_choice_names_its_stock_in_brackets(text: str, stock: str, count: int | None) -> None:
    choice = menu_file.options(f"Milk (0-1): {text}", "EUR")[0].choices[0]
    assert (choice.stock, choice.left) == (stock, count)


def test_a_stock_with_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="shared stock"):
        menu_file.options(f"Milk (0-1): Oat [{'o' * 41}]", "EUR")
