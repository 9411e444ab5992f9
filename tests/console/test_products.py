"""Products and health at the console."""

import pytest

from coinslot.catalog.products import product
from coinslot.fleet import config
from coinslot.fleet.config import ConfigChange, ConfigError, Editor, SlotChange
from coinslot.kit.money import Money
from coinslot.orders import outlet_pages
from coinslot.people.audit_log import COMMAND_LINE
from tests.console.conftest import form, signed_in
from tests.people.conftest import Staffed

COLA = "/console/products/cola"


async def test_a_product_gets_a_new_price_and_slots_keep_theirs(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(COLA)
    answer = await boris.press(page, COLA, {"name": "Cola zero", "price": "42,50", "cost": "12"})
    assert answer.headers["location"] == "/console/products?done=product"
    page = await boris.look("/console/products")
    assert "Cola zero" in page.text
    assert "₹42.50" in page.text
    prices = await staffed.stage.rows("SELECT price_minor FROM slots WHERE outlet_id = 'M01'")
    assert prices == [{"price_minor": 4000}]
    (entry,) = await staffed.log("product.changed")
    assert entry["person_id"] == staffed.people["boris"]
    page = await boris.look(COLA)
    for wrong in ({"name": "x", "price": "much"}, {"name": "x", "price": "0"}, {"price": "1"}):
        refused = await boris.press(page, COLA, {"name": "", **wrong})
        assert refused.status_code == 422, wrong


NEW = "/console/new-product"


async def test_a_product_is_added_with_names_for_each_language(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    typed = {
        "name": "Masala chai", "sku": "masala-chai", "currency": "INR", "price": "\u20b920,50",
        "cost": "7", "text": "Hot", "name_hi": "मसाला चाय", "text_ru": "Горячий",
    }  # fmt: skip
    answer = await boris.press(await boris.look(NEW), NEW, typed)
    assert answer.headers["location"] == "/console/products?done=product_added"
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        made = await product(conn, staffed.merchant, "masala-chai")
    assert (made.price, made.cost_minor) == (Money(2050, "INR"), 700)
    assert (made.names, made.descriptions) == ({"hi": "मसाला चाय"}, {"ru": "Горячий"})
    (entry,) = await staffed.log("product.added")
    assert entry["subject"] == "masala-chai"
    again = await boris.press(await boris.look(NEW), NEW, typed)
    assert (again.status_code, "Another product has" in again.text) == (422, True)
    assert "मसाला चाय" in again.text  # what was typed is kept


async def test_what_is_no_short_name_or_currency_is_refused(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    good = {"name": "Tea", "sku": "tea", "currency": "INR", "price": "20"}
    for wrong in ({"sku": "a/b"}, {"sku": "चाय"}, {"currency": "XXX"}, {"cost": "-1"}):
        answer = await boris.press(await boris.look(NEW), NEW, good | wrong)
        assert answer.status_code == 422, wrong
    assert len(await staffed.stage.rows("SELECT * FROM products")) == 1


async def test_two_clicks_add_one_product(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(NEW)
    typed = {"name": "Tea", "sku": "tea", "currency": "INR", "price": "20"}
    for answer in [await boris.press(page, NEW, typed) for _ in range(2)]:
        assert answer.headers["location"] == "/console/products?done=product_added"
    assert len(await staffed.stage.rows("SELECT * FROM products WHERE sku = 'tea'")) == 1


async def test_a_retired_product_is_given_to_no_new_slot_and_sold_where_it_is(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    retire = f"{COLA}/retire"
    answer = await boris.press(await boris.look(COLA), retire, {"to": "retired"})
    assert answer.headers["location"] == f"{COLA}?done=product_retired"
    assert "retired" in (await boris.look("/console/products")).text
    view = await outlet_pages.outlet(staffed.stage.context, "M01")
    assert view is not None
    assert [item.name for item in view.items] == ["Cola"]
    editor = Editor(staffed.merchant, "boris", COMMAND_LINE)
    wanted = ConfigChange(slots=(SlotChange(slot="A2", sku="cola"),), version=1)
    with pytest.raises(ConfigError, match="retired"):
        await config.change(staffed.stage.context, editor, "M01", wanted)
    await boris.press(await boris.look(COLA), retire, {"to": "offered"})
    assert await staffed.stage.value("SELECT retired_at FROM products") is None


async def test_a_name_in_the_customers_language_is_shown(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    fields = {"name": "Cola", "price": "40", "name_hi": "कोला"}
    await boris.press(await boris.look(COLA), COLA, fields)
    view = await outlet_pages.outlet(staffed.stage.context, "M01")
    assert view is not None
    assert [view.items[0].name_in(code) for code in ("en", "hi")] == ["Cola", "कोला"]


async def test_a_viewer_reads_products_and_edits_none(staffed: Staffed) -> None:
    vera = await signed_in(staffed, "vera")
    page = await vera.look("/console/products")
    assert "Cola" in page.text
    assert "new-product" not in page.text


async def test_chandra_changes_nothing_of_ashas_products(staffed: Staffed) -> None:
    chandra = await signed_in(staffed, "chandra")
    page = await chandra.look("/console/products")
    assert "Cola" not in page.text
    fields = form(page, "/console/sign-out") | {"key": "k" * 20, "name": "mine", "price": "1"}
    assert (await chandra.send(COLA, {**fields, "currency": "INR"})).status_code == 404
    assert await staffed.stage.value("SELECT name FROM products WHERE sku = 'cola'") == "Cola"


async def test_who_runs_the_installation_sees_whether_it_works(staffed: Staffed) -> None:
    meera = await signed_in(staffed, "meera")
    page = await meera.look("/console")
    assert page.url.path == "/console/health"
    assert "database" in page.text
