"""What staff say that there is not is sold to nobody else until somebody puts it back, and what was
rejected for another reason is for sale again. And what the board says of its numbers and orders."""

import html
import re
from uuid import UUID

import httpx
import pytest

from coinslot.counter import editing, menu, staff
from coinslot.counter.basket import BasketError, Wish
from coinslot.counter.menu import NoStoreError
from coinslot.counter.staff import CounterError, Missing
from tests.console.conftest import Browser
from tests.console.conftest import browser as browser
from tests.counter.stage import MENU, Counter
from tests.counter.test_board import BOARD, board, column, number, shop
from tests.counter.test_profit import sold
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

__all__ = ["shop"]
CAKE, TEA = Wish(sku="cake"), Wish(sku="tea")
OAT = Wish(sku="latte", choices=("oat",))
LATTE = Wish(sku="latte", choices=("soy",))


async def pieces(counter: Counter, order: UUID, sku: str) -> list[UUID]:
    rows = await counter.stage.rows(
        "SELECT f.id FROM fulfillments f JOIN order_lines l ON l.id = f.line_id"
        " WHERE f.order_id = $1 AND l.sku = $2 ORDER BY f.id", order, sku,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def item(counter: Counter, sku: str) -> UUID:
    found: UUID = await counter.stage.value(
        "SELECT i.id FROM counter_items i JOIN products p ON p.id = product_id WHERE sku = $1", sku
    )
    return found


async def sells(counter: Counter, wish: Wish) -> bool:
    try:
        await counter.place(wish)
    except BasketError as error:
        if error.code not in ("sold_out", "options"):
            raise
        return False
    return True


def notes(page: httpx.Response) -> str:
    found = re.search(r'<div id="board-notes".*?</div>', page.text, re.S)
    assert found is not None
    return html.unescape(found[0])


async def test_what_is_ticked_as_not_there_is_sold_out_until_somebody_puts_it_back(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    """Nobody had accepted the order: its piece went back to the stock, and was sold again."""
    order = await shop.paid(CAKE, TEA)
    page = await board(browser)
    assert "it is sold out from then on" in column(page, "PLACED")
    assert "Sold out now" not in notes(page)
    (cake,) = await pieces(shop, order, "cake")
    said = {"unit": str(cake), "reason": "Dropped the last one"}
    await browser.press(page, f"{BOARD}/{order}/reject", said)
    page = await browser.look(BOARD)
    assert "Sold out now: Carrot cake." in notes(page)
    assert "Tea" in column(page, "PLACED")
    assert "Sold out" in (await browser.look("/s/corner")).text
    assert not await sells(shop, CAKE)
    assert await sells(shop, TEA)
    assert await shop.left("cake") == 0
    (entry,) = await staffed.log("item.sold_out")
    assert entry["after"]["item"] == str(await item(shop, "cake"))
    where = f"{BOARD}/stores/S01/items/{await item(shop, 'cake')}"
    await browser.press(page, where, {"stock": "2"})
    assert await sells(shop, CAKE)
    assert "Sold out now" not in notes(await browser.look(BOARD))


async def test_what_is_rejected_for_another_reason_is_for_sale_again(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order = await shop.paid(Wish(sku="cake", quantity=3))
    assert not await sells(shop, CAKE)
    page = await board(browser)
    await browser.press(page, f"{BOARD}/{order}/reject", {"reason": "We close"})
    assert await shop.left("cake") == 3
    assert await sells(shop, CAKE)


async def test_one_of_several_pieces_that_there_is_not_ends_the_sale_of_all(shop: Counter) -> None:
    order = await shop.preparing(Wish(sku="cake", quantity=2))
    first, _ = await pieces(shop, order, "cake")
    await staff.reject(shop.stage.context, shop.who, order, "One left", [first])
    assert not await sells(shop, CAKE)
    await staff.ready(shop.stage.context, shop.who, order)
    await shop.complete(order)
    assert sorted(await shop.ends(order)) == [
        ("not_picked_up", "rejected", "rejected"), ("picked_up", "code", None),
    ]  # fmt: skip


async def test_an_item_that_is_not_counted_is_sold_out_too_and_stays_uncounted(
    shop: Counter,
) -> None:
    order = await shop.paid(TEA)
    units = await pieces(shop, order, "tea")
    await staff.reject(shop.stage.context, shop.who, order, "No leaves", units)
    assert not await sells(shop, TEA)
    assert await shop.left("tea") is None


async def test_a_late_second_word_does_not_take_back_what_was_put_on_sale(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order = await shop.paid(CAKE, TEA)
    units = await pieces(shop, order, "cake")
    await staff.reject(shop.stage.context, shop.who, order, "None", units)
    where = f"{BOARD}/stores/S01/items/{await item(shop, 'cake')}"
    await browser.press(await board(browser), where, {"stock": "5"})
    with pytest.raises(CounterError):
        await staff.reject(shop.stage.context, shop.who, order, "None", units)
    assert await shop.left("cake") == 5
    assert await sells(shop, CAKE)


async def test_what_expires_afterwards_does_not_put_it_back_on_sale(shop: Counter) -> None:
    await shop.place(CAKE)
    order = await shop.paid(CAKE)
    units = await pieces(shop, order, "cake")
    await staff.reject(shop.stage.context, shop.who, order, "None", units)
    shop.stage.later(3600)
    await shop.stage.sweep()
    assert not await sells(shop, CAKE)


async def test_the_numbers_of_pieces_are_explained(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    page = await board(browser)
    assert "The numbers are pieces" not in page.text
    await shop.preparing(CAKE)
    page = await browser.look(BOARD)
    assert "The numbers are pieces" in column(page, "PREPARING")
    assert 'title="Done: Carrot cake"' in column(page, "PREPARING")
    kitchen = await browser.look(f"{BOARD}/kitchen")
    assert "The numbers are pieces" in kitchen.text
    assert 'title="Done: Carrot cake"' in kitchen.text


async def test_what_ended_lately_leads_to_its_order_for_whoever_may_see_it(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order = await sold(shop, TEA)
    link = f'href="/console/orders/{order}"'
    page = await board(browser, "boris")
    assert link in column(page, "ended")
    found = await browser.look(f"/console/orders/{order}")
    assert f'action="/console/orders/{order}/refund"' in found.text
    page = await board(browser, "lena")
    assert await number(shop, order) in column(page, "ended")
    assert link not in page.text


async def test_what_is_no_counter_has_no_menu_to_write_to_compare_or_to_copy(
    shop: Counter,
) -> None:
    merchant, context = shop.stage.merchant, shop.stage.context
    async with context.db.as_merchant(merchant) as conn:
        for nowhere in ("M01", "S99"):
            with pytest.raises(NoStoreError):
                await menu.write_menu(conn, context, merchant, nowhere, [])
            with pytest.raises(NoStoreError):
                await editing.plan(conn, nowhere, [])
            for way in (("S01", nowhere), (nowhere, "S01"), (nowhere, nowhere)):
                with pytest.raises(NoStoreError):
                    await editing.copy(conn, context, merchant, *way)


async def test_a_choice_that_is_out_ends_its_line_and_is_off_the_menu_until_it_is_there_again(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order = await shop.paid(OAT, LATTE, CAKE)
    page = await board(browser)
    assert "Latte: Oat is out" in column(page, "PLACED")
    latte = await item(shop, "latte")
    said = {"out": f"{latte}:oat", "reason": "No oat milk"}
    await browser.press(page, f"{BOARD}/{order}/reject", said)
    assert (await shop.ends(order)).count(("not_picked_up", "rejected", "rejected")) == 1
    assert [tuple(row.values()) for row in await shop.stage.rows(
        "SELECT l.name, f.settlement FROM fulfillments f JOIN order_lines l ON l.id = f.line_id"
        " WHERE f.settlement IS NOT NULL AND f.order_id = $1", order,
    )] == [("Latte (Oat)", "refund_due")]  # fmt: skip
    page = await browser.look(BOARD)
    assert "Sold out now: Latte: Oat." in notes(page)
    assert not await sells(shop, OAT)
    assert await sells(shop, LATTE)
    assert await sells(shop, CAKE)
    offered = (await browser.look("/s/corner/latte")).text
    assert re.search(r'value="oat"[^>]* disabled', offered), offered
    (entry,) = await staffed.log("item.sold_out")
    assert entry["after"] == {"item": str(latte), "choice": "oat", "stock": ""}
    where = f"{BOARD}/stores/S01/items/{latte}"
    await browser.press(page, where, {"choice": "oat", "stock": "", "sold_out": ""})
    assert await sells(shop, OAT)
    assert "Sold out now" not in notes(await browser.look(BOARD))


async def test_a_choice_is_out_without_an_order_and_a_new_table_does_not_bring_it_back(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    where = f"{BOARD}/stores/S01/items/{await item(shop, 'latte')}"
    await browser.press(await board(browser), where, {"choice": "oat", "sold_out": "1"})
    assert not await sells(shop, OAT)
    context, merchant = shop.stage.context, shop.stage.merchant
    async with context.db.as_merchant(merchant) as conn:
        for stock in (False, True):
            await menu.write_menu(conn, context, merchant, "S01", MENU, stock=stock)
    assert not await sells(shop, OAT)


async def test_of_a_choice_that_is_out_one_of_two_pieces_may_be_named(shop: Counter) -> None:
    """The last of the milk went into the first."""
    order = await shop.preparing(Wish(sku="latte", quantity=2, choices=("oat",)))
    first, second = await pieces(shop, order, "latte")
    oat = frozenset({(await item(shop, "latte"), "oat")})
    missing = Missing(units=(second,), choices=oat)
    await staff.reject_missing(shop.stage.context, shop.who, order, "Out", missing)
    open_ = await shop.stage.value(
        "SELECT id FROM fulfillments WHERE order_id = $1 AND settlement IS NULL", order
    )
    assert open_ == first
    assert not await sells(shop, OAT)
    assert await sells(shop, LATTE), "the item is sold without it"


async def test_a_choice_that_no_piece_has_ends_none(shop: Counter) -> None:
    order = await shop.paid(LATTE)
    missing = Missing(choices=frozenset({(await item(shop, "latte"), "oat")}))
    with pytest.raises(CounterError):
        await staff.reject_missing(shop.stage.context, shop.who, order, "Out", missing)
    assert await sells(shop, OAT)


async def test_of_a_counted_choice_nothing_is_left_and_what_expires_adds_none(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    where = f"{BOARD}/stores/S01/items/{await item(shop, 'latte')}"
    page = await board(browser)
    await browser.press(page, where, {"choice": "oat", "stock": "4", "sold_out": ""})
    await shop.place(OAT)
    order = await shop.paid(OAT)
    missing = Missing(choices=frozenset({(await item(shop, "latte"), "oat")}))
    await staff.reject_missing(shop.stage.context, shop.who, order, "Out", missing)
    shop.stage.later(3600)
    await shop.stage.sweep()
    assert not await sells(shop, OAT)
    page = await browser.look(BOARD)
    await browser.press(page, where, {"choice": "oat", "stock": "1", "sold_out": ""})
    assert await sells(shop, OAT)
    assert not await sells(shop, OAT)
