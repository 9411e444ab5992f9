"""Shared stock on the menu's page: one count for the choices of several items."""

import re

import pytest
from msgspec.structs import replace

from coinslot.counter import menu
from coinslot.counter.basket import Choice, Option, Wish
from tests.console.conftest import signed_in
from tests.console.test_menu import MENU, filled, items, named, path_of, press
from tests.counter.stage import MENU as ITEMS
from tests.counter.stage import Counter, set_counter
from tests.people.conftest import Staffed


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    shop = await set_counter(staffed.stage)
    oat = Choice(id="oat", name="Oat", price=50, allergens=("gluten",))
    milk = Option(id="milk", name="Milk", choices=(oat,))
    context, merchant = staffed.stage.context, staffed.merchant
    async with context.db.as_merchant(merchant) as conn:
        drinks = [replace(item, options=(milk,)) for item in ITEMS[:2]]
        await menu.write_menu(conn, context, merchant, "S01", [*drinks, *ITEMS[2:]])
    return shop


async def test_choices_of_two_items_name_one_stock_and_its_count_is_set_on_the_menu(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    for name in ("Latte", "Tea"):
        path = await path_of(staffed, name)
        typed = await filled(await boris.look(path))
        typed |= {"g0_c0_stock": " Oat  Milk"} | ({"g0_c0_left": "8"} if name == "Latte" else {})
        await press(boris, path, path, typed)
    for item in (await items(staffed))[:2]:
        choice = item.options[0].choices[0]
        assert (choice.stock, choice.left) == ("oat milk", 8)
        assert choice.allergens == ("gluten",), "the form has no field for it, so it stays"
    page = await boris.look(MENU)
    assert "Latte, Tea" in page.text
    (path,) = re.findall(r'action="(/console/menu/S01/stocks/[0-9a-f-]+)"', page.text)
    await shop.place(Wish(sku="tea", choices=("oat",)))
    await boris.press(page, path, {"shown": "8", "stock": "8"})
    assert (await named(staffed, "Tea")).options[0].choices[0].left == 7, "it was sold meanwhile"
    await press(boris, MENU, path, {"shown": "7", "stock": "30"})
    assert (await named(staffed, "Latte")).options[0].choices[0].left == 30
    await press(boris, MENU, path, {"shown": "30", "stock": "30", "sold_out": "1"})
    assert not (await named(staffed, "Latte")).options[0].choices[0].there
    await press(boris, MENU, path, {"shown": "30", "stock": "30"})
    assert (await named(staffed, "Tea")).options[0].choices[0].left == 30
    refused = await press(boris, MENU, path, {"shown": "30", "stock": "many"})
    assert refused.status_code == 422


async def test_a_name_that_no_table_can_read_again_is_refused(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    path = await path_of(staffed, "Latte")
    typed = await filled(await boris.look(path)) | {"g0_c0_stock": "oat = milk"}
    answer = await press(boris, path, path, typed)
    assert answer.status_code == 422
    assert "name a shared stock" in answer.text
