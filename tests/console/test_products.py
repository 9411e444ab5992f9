"""Products and health at the console."""

from tests.console.conftest import form, signed_in
from tests.people.conftest import Staffed

COLA = "/console/products/cola"


async def test_a_product_gets_a_new_price_and_slots_keep_theirs(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/products")
    answer = await boris.press(page, COLA, {"name": "Cola zero", "price": "42,50"})
    assert answer.headers["location"] == "/console/products?done=product"
    page = await boris.look("/console/products")
    assert "Cola zero" in page.text
    assert "₹42.50" in page.text
    prices = await staffed.stage.rows("SELECT price_minor FROM slots WHERE outlet_id = 'M01'")
    assert prices == [{"price_minor": 4000}]
    (entry,) = await staffed.log("product.changed")
    assert entry["person_id"] == staffed.people["boris"]
    for wrong in ({"name": "x", "price": "much"}, {"name": "x", "price": "0"}, {"price": "1"}):
        refused = await boris.press(page, COLA, {"name": "", **wrong})
        assert refused.status_code == 422, wrong


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
