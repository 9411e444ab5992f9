"""Categories of products, from the console to the customer's page."""

import pytest

from coinslot.catalog.products import categories, product
from coinslot.orders import outlet_pages
from tests.console.conftest import signed_in
from tests.people.conftest import Staffed

COLA, NEW = "/console/products/cola", "/console/new-product"
FIELDS = {"name": "Cola", "price": "40", "cost": "12", "text": "Cold and sweet"}


async def test_a_category_typed_at_the_console_is_what_the_customers_page_reads(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(COLA)
    answer = await boris.press(page, COLA, {**FIELDS, "category": "  Cold   drinks "})
    assert answer.headers["location"] == "/console/products?done=product"
    context, merchant = staffed.stage.context, staffed.merchant
    async with context.db.as_merchant(merchant) as conn:
        assert (await product(conn, merchant, "cola")).category == "Cold drinks"
        assert await categories(conn, merchant) == ["Cold drinks"]
    view = await outlet_pages.outlet(context, "M01")
    assert view is not None
    (item, *_) = view.items
    assert item.category == "Cold drinks"
    # The next product is offered the categories that there are.
    assert '<option value="Cold drinks">' in (await boris.look(NEW)).text
    assert 'value="Cold drinks"' in (await boris.look(COLA)).text


async def test_a_category_is_no_longer_than_a_heading(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    await boris.press(await boris.look(COLA), COLA, {**FIELDS, "category": "d" * 500})
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        assert len((await product(conn, staffed.merchant, "cola")).category) <= 40


@pytest.mark.parametrize("left", [{"category": ""}, {}])
async def test_a_category_that_is_taken_away_is_gone(
    staffed: Staffed, left: dict[str, str]
) -> None:
    boris = await signed_in(staffed, "boris")
    await boris.press(await boris.look(COLA), COLA, {**FIELDS, "category": "Drinks"})
    await boris.press(await boris.look(COLA), COLA, {**FIELDS, **left})
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        assert await categories(conn, staffed.merchant) == []
