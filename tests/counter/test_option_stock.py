"""Stock of items and of their choices: taken off together in one statement, and given back."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.counter import menu, staff
from coinslot.counter.basket import BasketError, Choice, Wish
from tests.counter.stage import MENU, MILK, Counter

OAT = Wish(sku="latte", choices=("oat",))


async def counts(counter: Counter, **left: int) -> None:
    """Of the choices of a latte so many are left."""
    milk = replace(MILK, choices=tuple(replace(c, left=left.get(c.id)) for c in MILK.choices))
    latte = replace(MENU[0], options=(milk, MENU[0].options[1]), stock=left.get("latte"))
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        await menu.write_menu(
            conn, counter.stage.context, counter.stage.merchant, "S01", (latte, *MENU[1:]),
            stock=True,
        )  # fmt: skip


async def left(counter: Counter) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await counter.stage.value(
        "SELECT option_stock FROM counter_items JOIN products p ON p.id = product_id"
        " WHERE sku = 'latte'"
    )
    return found


async def refused(counter: Counter, *wishes: Wish) -> str:
    with pytest.raises(BasketError) as caught:
        await counter.place(*wishes)
    return caught.value.code


async def test_a_choice_that_is_counted_is_taken_off_with_its_item(counter: Counter) -> None:
    await counts(counter, oat=3, latte=5)
    await counter.place(replace(OAT, quantity=2), Wish(sku="latte"))
    assert (await left(counter), await counter.left("latte")) == ({"oat": 1}, 2)
    assert await refused(counter, replace(OAT, quantity=2)) == "choice_sold_out"
    assert (await left(counter), await counter.left("latte")) == ({"oat": 1}, 2)
    assert await refused(counter, OAT, replace(OAT, note="hot")) == "choice_sold_out"
    await counter.place(OAT)
    assert await refused(counter, OAT) == "options"
    await counter.place(Wish(sku="latte", choices=("soy",)))
    assert await counter.left("latte") == 0


async def test_a_hundred_checkouts_at_once_sell_the_last_portion_once(counter: Counter) -> None:
    await counts(counter, oat=1)
    answers = await asyncio.gather(
        *(counter.place(OAT) for _ in range(100)), return_exceptions=True
    )
    placed = [answer for answer in answers if isinstance(answer, str)]
    assert len(placed) == 1
    assert all(isinstance(answer, str | BasketError) for answer in answers)
    assert await left(counter) == {"oat": 0}


async def test_an_order_that_expires_gives_its_choices_back(counter: Counter) -> None:
    await counts(counter, oat=3, latte=9)
    await counter.place(replace(OAT, quantity=2), replace(OAT, note="hot"))
    assert await left(counter) == {"oat": 0}
    counter.stage.later(1801)
    await counter.stage.sweep()
    assert (await left(counter), await counter.left("latte")) == ({"oat": 3}, 9)
    counter.stage.later(1801)
    await counter.stage.sweep()
    assert await left(counter) == {"oat": 3}, "once"


async def test_pieces_that_nobody_began_are_for_sale_again_with_their_choices(
    counter: Counter,
) -> None:
    await counts(counter, oat=3)
    first = await counter.paid(replace(OAT, quantity=2))
    await staff.cancel(counter.stage.context, (await counter.view(first)).token)
    assert await left(counter) == {"oat": 3}
    second = await counter.preparing(OAT)
    await staff.reject(counter.stage.context, counter.who, second, "No beans")
    assert await left(counter) == {"oat": 2}, "it was begun"
    assert await counter.left("latte") is None, "the item itself is not counted"


async def test_a_choice_that_is_counted_from_now_on_gets_nothing_back_of_orders_before(
    counter: Counter,
) -> None:
    order = await counter.paid(OAT)
    await counts(counter, oat=5, latte=5)
    await staff.cancel(counter.stage.context, (await counter.view(order)).token)
    assert (await left(counter), await counter.left("latte")) == ({"oat": 5}, 5)


async def test_a_menu_that_is_written_leaves_what_is_left_as_it_is_unless_it_is_asked(
    counter: Counter,
) -> None:
    await counts(counter, oat=3, latte=5)
    await counter.place(OAT)
    written = replace(
        MENU[0], price=360, stock=99,
        options=(replace(MILK, choices=(Choice(id="oat", name="Oat", price=50, left=99),)),),
    )  # fmt: skip
    context, merchant = counter.stage.context, counter.stage.merchant
    async with context.db.as_merchant(merchant) as conn:
        await menu.write_menu(conn, context, merchant, "S01", (written, *MENU[1:]))
    assert (await left(counter), await counter.left("latte")) == ({"oat": 2}, 4)
    async with context.db.as_merchant(merchant) as conn:
        await menu.write_menu(conn, context, merchant, "S01", (written, *MENU[1:]), stock=True)
    assert (await left(counter), await counter.left("latte")) == ({"oat": 99}, 99)


async def test_an_option_makes_an_item_cheaper_and_never_less_than_nothing(
    counter: Counter,
) -> None:
    cheap = replace(MILK, choices=(Choice(id="none", name="No milk", price=-400),))
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        await menu.write_menu(
            conn, counter.stage.context, counter.stage.merchant, "S01",
            (replace(MENU[0], options=(cheap,)), *MENU[1:]),
        )  # fmt: skip
    order = await counter.paid(Wish(sku="latte", choices=("none",)), Wish(sku="tea"))
    assert (await counter.view(order)).money.minor == 250
