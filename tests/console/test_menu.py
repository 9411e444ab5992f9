"""Menus in the console: from the first counter to an order, without a terminal."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from coinslot.counter import menu, menu_file, ordering
from coinslot.counter.basket import Wish
from coinslot.counter.menu import MenuItem
from coinslot.counter.ordering import Order
from coinslot.orders import checkout
from coinslot.orders.checkout import WayTap
from coinslot.storage.folder import FolderStorage
from tests.console.conftest import OURS, Browser, form, signed_in
from tests.console.test_pictures import photo
from tests.counter.stage import Counter, set_counter
from tests.people.conftest import Staffed

MENU = "/console/menu/S01"


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    return await set_counter(staffed.stage)


async def items(staffed: Staffed, outlet: str = "S01") -> list[MenuItem]:
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        return await menu.menu(conn, outlet)


async def named(staffed: Staffed, name: str) -> MenuItem:
    return next(item for item in await items(staffed) if item.name == name)


async def path_of(staffed: Staffed, name: str) -> str:
    return f"{MENU}/items/{(await named(staffed, name)).id}"


async def filled(page: httpx.Response) -> dict[str, str]:
    """What an item's form shows."""
    found = dict(
        re.findall(r'<input (?!type="checkbox")[^>]*?name="(\w+)"[^>]*value="([^"]*)"', page.text)
    )
    skipped = ("key", "form_token", "old")
    return {name: value for name, value in found.items() if name not in skipped}


async def press(boris: Browser, look: str, to: str, fields: dict[str, Any]) -> httpx.Response:
    return await boris.press(await boris.look(look), to, fields)


async def test_a_first_counter_is_set_up_with_its_menu_and_takes_an_order(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/menu")
    assert page.url.path == "/console/new-counter"
    accounts = re.findall(r'<option value="([0-9a-f-]{36})"', page.text)
    typed = {
        "name": "Corner café", "place": "Pune", "currency": "INR", "account": accounts[0],
        "tax": "included",
    }  # fmt: skip
    answer = await boris.press(page, "/console/new-counter", typed)
    assert answer.headers["location"] == MENU
    lines = "Coffee\nLatte 3.50\nEspresso — 2,20\n\nCakes:\nCarrot cake 4.20\n"
    await press(boris, MENU, f"{MENU}/lines", {"lines": lines, "tax": "5"})
    found = [(one.section, one.name, one.price, one.tax_bp) for one in await items(staffed)]
    assert found == [
        ("Coffee", "Latte", 350, 500), ("Coffee", "Espresso", 220, 500),
        ("Cakes", "Carrot cake", 420, 500),
    ]  # fmt: skip
    at = await menu.store_of(staffed.stage.context, "corner-cafe")
    assert at is not None
    assert at.open
    order = Order(wishes=(Wish(sku="latte"),), shown=350)
    assert await ordering.place(staffed.stage.context, at, order)
    ((way,),) = [
        [row["way"]] for row in await staffed.stage.rows(
            "SELECT way FROM ways_to_pay WHERE outlet_id = 'S01' AND place IS NOT NULL"
        )
    ]  # fmt: skip
    assert way == "link"


async def test_two_clicks_set_up_one_counter_and_a_second_one_gets_names_of_its_own(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    for _ in range(2):
        page = await boris.look("/console/new-counter")
        account = re.findall(r'<option value="([0-9a-f-]{36})"', page.text)[0]
        typed = {"name": "Bar", "currency": "INR", "account": account}
        for _click in range(2):
            await boris.press(page, "/console/new-counter", typed)
    rows = await staffed.stage.rows("SELECT outlet_id, slug FROM counter_stores ORDER BY 1")
    assert [(row["outlet_id"], row["slug"]) for row in rows] == [("S01", "bar"), ("S02", "bar-s02")]
    refused = await press(
        boris, "/console/new-counter", "/console/new-counter",
        {"name": "Bar", "currency": "INR", "account": "0" * 36},
    )  # fmt: skip
    assert refused.status_code == 422


async def test_an_item_is_edited_with_its_options_and_what_is_left_of_it(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(await path_of(staffed, "Latte"))
    typed = await filled(page) | {
        "name": "Flat white", "price": "3,80", "cost": "0.90", "tax": "7.5", "stock": "12",
        "allergens": "milk, soy", "station": "bar", "minutes": "3", "from": "07:00", "to": "11:30",
        "g0_c0_left": "5", "g0_c2_name": "No milk", "g0_c2_price": "-0.50",
        "g1_min": "1", "g1_max": "2", "g1_free": "2", "g0_c1_gone": "1",
        "g0_c1_allergens": "soy, nuts",
        "g2_name": "Cup", "g2_max": "1", "g2_c0_name": "Large", "g2_c0_price": "+1",
    }  # fmt: skip
    answer = await boris.press(page, page.url.path, typed)
    assert answer.headers["location"] == MENU, answer.text[-3000:]
    item = await named(staffed, "Flat white")
    assert (item.price, item.cost, item.tax_bp, item.left) == (380, 90, 750, 12)
    assert (item.sku, item.section, item.station, item.prep_min) == ("latte", "Drinks", "bar", 3)
    assert {(one.opens, one.closes) for one in item.hours} == {(420, 690)}
    milk, toppings, cup = item.options
    assert [(c.id, c.price, c.left, c.available) for c in milk.choices] == [
        ("oat", 50, 5, True), ("soy", 40, None, False), ("no-milk", -50, None, True),
    ]  # fmt: skip
    assert milk.choices[1].allergens == ("soy", "nuts")
    assert (toppings.min, toppings.max, toppings.free) == (1, 2, 2)
    assert [(c.name, c.price) for c in cup.choices] == [("Large", 100)]
    (entry,) = await staffed.log("item.changed")
    assert entry["subject"] == "S01"


async def test_a_choice_that_runs_out_while_a_form_is_open_stays_out(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(await path_of(staffed, "Latte"))
    latte = (await named(staffed, "Latte")).id
    async with shop.stage.context.db.as_merchant(shop.stage.merchant) as conn:
        await menu.choice_out(conn, "S01", latte, "oat")
    await boris.press(page, page.url.path, await filled(page) | {"price": "4.40"})

    async def there() -> list[bool]:
        return [c.available for c in (await named(staffed, "Latte")).options[0].choices]

    assert await there() == [False, True]
    page = await boris.look(await path_of(staffed, "Latte"))
    assert 'name="g0_c0_gone" value="1" checked' in page.text
    await boris.press(page, page.url.path, await filled(page))
    assert await there() == [True, True]


async def test_allergens_of_a_choice_that_a_table_cannot_hold_are_refused(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(await path_of(staffed, "Latte"))
    typed = await filled(page) | {"g0_c0_allergens": "nuts / soy"}
    answer = await boris.press(page, page.url.path, typed)
    assert answer.status_code == 422
    assert "Oat: write its allergens with commas" in answer.text


async def test_what_is_sold_while_a_form_is_open_stays_sold(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(await path_of(staffed, "Carrot cake"))
    await shop.place(Wish(sku="cake", quantity=2))
    await boris.press(page, page.url.path, await filled(page) | {"price": "4.40"})
    cake = await named(staffed, "Carrot cake")
    assert (cake.price, cake.left) == (440, 1)
    page = await boris.look(await path_of(staffed, "Carrot cake"))
    await boris.press(page, page.url.path, await filled(page) | {"stock": "9"})
    assert (await named(staffed, "Carrot cake")).left == 9
    page = await boris.look(await path_of(staffed, "Carrot cake"))
    await boris.press(page, page.url.path, await filled(page) | {"stock": ""})
    assert (await named(staffed, "Carrot cake")).left is None


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"price": "much"}, {"tax": "200"}, {"stock": "-1"}, {"minutes": "999"},
     {"from": "08:00"}, {"g0_max": "9"}, {"g0_min": "3"}, {"g0_c0_price": "x"},
     {"g4_name": "Empty"}, {"g0_free": "5"}],
)  # fmt: skip
async def test_a_field_that_cannot_be_used_is_named_and_what_was_typed_is_kept(
    staffed: Staffed, shop: Counter, wrong: dict[str, str]
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(await path_of(staffed, "Latte"))
    answer = await boris.press(
        page, page.url.path, await filled(page) | {"text": "Hot and strong"} | wrong
    )
    assert answer.status_code == 422
    assert "Hot and strong" in answer.text
    assert (await named(staffed, "Latte")).description == ""


async def test_items_and_sections_move_by_buttons_and_by_hand(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")

    async def order() -> list[str]:
        return [item.sku for item in await items(staffed)]

    tea, bowl = (await named(staffed, "Tea")).id, (await named(staffed, "Lunch bowl")).id
    answer = await press(boris, MENU, f"{MENU}/move", {"up": str(tea)})
    assert await order() == ["tea", "latte", "cake", "bowl"]
    assert f"moved={tea}" in answer.headers["location"]
    await press(boris, MENU, f"{MENU}/move", {"up": str(tea)})
    assert await order() == ["tea", "latte", "cake", "bowl"], "it is the first already"
    await press(boris, MENU, f"{MENU}/move", {"section_down": "/Drinks"})
    assert await order() == ["cake", "bowl", "tea", "latte"]
    await press(
        boris, MENU, f"{MENU}/move", {"dragged": str(bowl), "before": str(tea), "section": "Drinks"}
    )
    assert await order() == ["cake", "bowl", "tea", "latte"]
    assert (await named(staffed, "Lunch bowl")).section == "Drinks"
    await press(boris, MENU, f"{MENU}/rename", {"old": "Drinks", "name": "Bar"})
    assert [item.section for item in await items(staffed)] == ["Food", "Bar", "Bar", "Bar"]


async def test_an_item_leaves_the_menu_and_its_orders_go_on(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    order = await shop.paid(Wish(sku="cake"))
    path = await path_of(staffed, "Carrot cake")
    await boris.press(await boris.look(path), f"{path}/remove", {})
    assert "cake" not in [item.sku for item in await items(staffed)]
    assert (await shop.view(order)).units[0].name == "Carrot cake"


async def test_a_table_that_was_taken_is_read_back_and_live_stock_stays(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    before = await items(staffed)
    table = (await boris.look(f"{MENU}/table.csv")).text
    assert [item.sku for item in menu_file.read(table, "EUR")] == [i.sku for i in before]
    await shop.place(Wish(sku="cake", quantity=2))
    changed = table.replace("4.20", "4.50") + "\r\njuice,Drinks,Juice,,3.00,,19,,,,,,\r\n"
    changed = "\r\n".join(line for line in changed.split("\r\n") if not line.startswith("bowl"))
    shown = await press(boris, MENU, f"{MENU}/table", {"table": changed})
    assert "Juice" in shown.text
    assert "Lunch bowl" in shown.text
    assert len(await items(staffed)) == 4, "it was only shown"
    fields = {"apply": "1", "table": changed}
    assert (await boris.press(shown, f"{MENU}/table", fields)).status_code == 303
    assert [item.sku for item in await items(staffed)] == ["latte", "tea", "juice", "cake"]
    cake = await named(staffed, "Carrot cake")
    assert (cake.price, cake.left) == (450, 1)
    shown = await press(boris, MENU, f"{MENU}/table", {"table": changed, "stock": "1"})
    await boris.press(shown, f"{MENU}/table", {**fields, "stock": "1"})
    assert (await named(staffed, "Carrot cake")).left == 3
    wrong = await press(boris, MENU, f"{MENU}/table", {"table": "sku,name\n"})
    assert wrong.status_code == 422


async def test_a_cell_that_looks_like_a_formula_is_harmless_and_comes_back(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    lines = "=1+1 2.00\n"
    await press(boris, MENU, f"{MENU}/lines", {"lines": lines, "tax": ""})
    table = (await boris.look(f"{MENU}/table.csv")).text
    assert "'=1+1" in table
    assert "=1+1" in [item.name for item in menu_file.read(table, "EUR")]


async def test_a_menu_is_copied_to_another_counter_beside_what_that_has(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/new-counter")
    account = re.findall(r'<option value="([0-9a-f-]{36})"', page.text)[0]
    typed = {"name": "Kiosk", "currency": "EUR", "account": account}
    await boris.press(page, "/console/new-counter", typed)
    other = "/console/menu/S02"
    await press(boris, other, f"{other}/lines", {"lines": "Water 1.00"})
    await press(boris, other, f"{other}/copy", {"source": "S01"})
    names = [item.name for item in await items(staffed, "S02")]
    assert names == ["Water", "Latte", "Tea", "Carrot cake", "Lunch bowl"]
    copied = {item.sku: item for item in await items(staffed, "S02")}
    assert copied["cake"].left is None
    assert (await named(staffed, "Carrot cake")).left == 3
    assert "Kiosk" in (await boris.look("/console/menu")).text


async def test_hours_are_set_and_a_closed_counter_says_when_it_opens(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    hours = f"{MENU}/hours"
    now = staffed.stage.clock.now()
    closed = "\n".join((now + timedelta(days=n)).date().isoformat() for n in (-1, 0, 1))
    typed = {
        **{f"day{day}": "08:00-11:00, 12:00-02:00" for day in range(7)}, "special": closed,
        "lead": "15", "slot": "30", "slot_work": "60", "ahead": "3",
    }  # fmt: skip
    answer = await press(boris, hours, hours, typed)
    assert answer.headers["location"] == f"{hours}?done=hours"
    at = await shop.store()
    assert not at.open
    assert (at.hours.lead, at.hours.days_ahead, at.slot_work_min) == (timedelta(minutes=15), 3, 60)
    page = await boris.look(hours)
    assert "08:00-11:00, 12:00-02:00" in page.text
    assert "Closed now" in page.text
    for wrong in ({"day0": "8 to 9"}, {"special": "soon"}, {"lead": "x"}, {"slot": "7"}):
        refused = await press(boris, hours, hours, typed | wrong)
        assert refused.status_code == 422, wrong


async def test_codes_of_tables_are_drawn_and_read_back(staffed: Staffed, shop: Counter) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(f"{MENU}/codes?tables=1-3,Bar&layout=a4")
    assert "Take the file" in page.text
    answer = await boris.look(f"{MENU}/codes/sheet?tables=1-3,Bar&layout=a4")
    assert answer.content.startswith(b"%PDF")
    wrong = await boris.look(f"{MENU}/codes?tables=1-900&layout=a4")
    assert wrong.status_code == 422


async def test_tips_are_set_and_no_tips_are_asked_for_where_there_are_none(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    await press(boris, MENU, f"{MENU}/settings", {"tips": "5 %, 12", "tax": "added"})
    at = await shop.store()
    assert (at.tips, at.tax_added) == ((5, 12), True)
    await press(boris, MENU, f"{MENU}/settings", {"tips": "", "tax": "included"})
    assert (await shop.store()).tips == ()
    refused = await press(boris, MENU, f"{MENU}/settings", {"tips": "500"})
    assert refused.status_code == 422


async def test_a_picture_of_an_item_is_shown_to_customers(
    staffed: Staffed, shop: Counter, tmp_path: Path
) -> None:
    staffed.stage.context.storage = FolderStorage(tmp_path)
    boris = await signed_in(staffed, "boris")
    page = await boris.look(await path_of(staffed, "Tea"))
    fields = form(page, page.url.path) | await filled(page)
    fields.pop("picture", None)
    files = {"picture": ("tea.png", photo((300, 300), "PNG", "RGB"), "image/png")}
    answer = await boris.client.post(page.url.path, data=fields, files=files, headers=OURS)
    assert answer.headers["location"] == MENU
    tea = await named(staffed, "Tea")
    assert tea.picture is not None
    assert tea.picture.src("") in (await boris.look(MENU)).text
    page = await boris.look(await path_of(staffed, "Tea"))
    await boris.press(page, page.url.path, await filled(page) | {"no_picture": "1"})
    assert (await named(staffed, "Tea")).picture is None


async def test_chandra_sees_and_changes_no_menu_of_ashas(staffed: Staffed, shop: Counter) -> None:
    chandra = await signed_in(staffed, "chandra")
    for path in (MENU, f"{MENU}/table.csv", f"{MENU}/hours", f"{MENU}/codes"):
        assert (await chandra.look(path)).status_code == 404, path
    page = await chandra.look("/console/account")
    for path in (f"{MENU}/lines", f"{MENU}/move", f"{MENU}/copy", f"{MENU}/hours"):
        fields = form(page, "/console/sign-out") | {"key": "k" * 20, "lines": "X 1", "slot": "15"}
        answer = await chandra.send(path, fields)
        assert answer.status_code == 404, path


async def test_what_was_placed_before_a_price_changed_is_paid_at_its_price(
    staffed: Staffed, shop: Counter
) -> None:
    boris = await signed_in(staffed, "boris")
    token = await shop.place(Wish(sku="tea"))
    page = await boris.look(await path_of(staffed, "Tea"))
    await boris.press(page, page.url.path, await filled(page) | {"price": "9.00"})
    await checkout.pay(staffed.stage.context, WayTap(order=token))
    assert (await shop.order(token)).money.minor == 250
    assert isinstance(await shop.id_of(token), UUID)


async def test_special_days_and_weeks_are_typed_as_people_write_them(
    staffed: Staffed, shop: Counter
) -> None:
    boris, hours = await signed_in(staffed, "boris"), f"{MENU}/hours"
    typed = {
        "week": "Mo-Fr 8-18", "day1": "10-12", "day5": "9-14", "slot": "15", "lead": "5",
        "special": "24.12.2026 - 02.01.2027 closed\n31.12.2026 9-13",
    }  # fmt: skip
    answer = await press(boris, hours, hours, typed)
    assert answer.status_code == 303, answer.text
    page = (await boris.look(hours)).text
    assert 'name="day1" maxlength="100"' in page
    assert re.findall(r'name="day(\d)"[^>]*value="([^"]*)"', page)[:6] == [
        *((str(day), "08:00-18:00") for day in range(5)), ("5", "09:00-14:00"),
    ]  # fmt: skip
    assert "2026-12-24 - 2026-12-30\n2026-12-31 09:00-13:00\n2027-01-01\n2027-01-02" in page
    refused = await press(boris, hours, hours, typed | {"special": "Christmas"})
    assert refused.status_code == 422
    said = re.search(r'role="alert"[^>]*>([^<]*)<', refused.text)
    assert said
    assert "Christmas" in said[1]
    assert "2026-12-24 - 2027-01-02" in said[1], "an example"
    doubtful = await press(boris, hours, hours, typed | {"special": "4/12/2026 closed"})
    assert doubtful.status_code == 422
