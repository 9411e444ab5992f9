"""A product by each verb that makes or changes it: the whole row as it is then, beside the product
of the same name of another merchant and another one of the same."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.catalog import products
from coinslot.catalog.products import (
    Described,
    Product,
    ProductChange,
    UnknownProductError,
)
from coinslot.kit.money import Money
from tests.sales.by_hand import NOW, Rows

ASHA, CHANDRA = UUID(int=1), UUID(int=2)
COLA = Product(
    id=UUID(int=11), sku="cola", name="Cola", price=Money(4000, "INR"), cost_minor=1200, vat="20"
)
TEA = Product(id=UUID(int=10), sku="tea", name="Tea", price=Money(150, "JPY"))
HERS = Product(id=UUID(int=12), sku="cola", name="Hers", price=Money(1, "EUR"), cost_minor=2)
DESCRIBED = Described(
    names={"hi": "कोला"}, description="Cold", descriptions={"hi": "ठंडा"}, category="Drinks",
    picture="d1",
)  # fmt: skip
SEEN: dict[str, Any] = {
    "names": {"hi": "कोला"}, "description": "Cold", "descriptions": {"hi": "ठंडा"},
    "category": "Drinks", "picture": "d1",
}  # fmt: skip


@pytest.fixture
async def shop(rows: Rows) -> Any:
    for merchant, made in ((CHANDRA, HERS), (ASHA, COLA), (ASHA, TEA)):
        assert await products.add_product(rows.conn, merchant, made) == made.id
    return rows.conn


async def stand(conn: Any, cola: Product) -> None:
    """Everything is as it was made, but for Asha's cola."""
    assert await products.products(conn, ASHA) == [cola, TEA]
    assert await products.products(conn, CHANDRA) == [HERS]
    assert await products.product(conn, ASHA, "cola") == cola


async def test_a_product_is_kept_as_it_was_made_and_once(shop: Any) -> None:
    await stand(shop, COLA)
    again = replace(COLA, id=UUID(int=99), name="Another", price=Money(1, "EUR"), cost_minor=9)
    assert await products.add_product(shop, ASHA, again) == COLA.id
    await stand(shop, COLA)


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (ProductChange(), {}),
        (ProductChange(name="Zero"), {"name": "Zero"}),
        (ProductChange(price=Money(4500, "INR")), {"price": Money(4500, "INR")}),
        (ProductChange(cost_minor=0), {"cost_minor": 0}),
        (ProductChange(vat="none"), {"vat": "none"}),
        (ProductChange(vat=""), {"vat": None}),
        (ProductChange(name="Z", price=Money(1, "INR"), cost_minor=3, vat="10"),
         {"name": "Z", "price": Money(1, "INR"), "cost_minor": 3, "vat": "10"}),
    ],
)  # fmt: skip
async def test_what_is_left_out_stays(
    shop: Any, change: ProductChange, after: dict[str, Any]
) -> None:
    await products.describe_product(shop, ASHA, "cola", DESCRIBED)
    wanted = replace(COLA, **SEEN, **after)
    assert await products.edit_product(shop, ASHA, "cola", change) == wanted
    await stand(shop, wanted)


async def test_a_price_in_another_currency_and_what_is_not_there_are_refused(shop: Any) -> None:
    change = ProductChange(name="Zero", price=Money(4500, "EUR"))
    with pytest.raises(UnknownProductError, match=r"there is no product cola in EUR$"):
        await products.edit_product(shop, ASHA, "cola", change)
    with pytest.raises(UnknownProductError, match=r"there is no product lime$"):
        await products.edit_product(shop, ASHA, "lime", ProductChange(name="Lime"))
    with pytest.raises(UnknownProductError, match=r"there is no product tea$"):
        await products.product(shop, CHANDRA, "tea")
    with pytest.raises(UnknownProductError, match=r"there is no product tea$"):
        await products.retire_product(shop, CHANDRA, "tea", retired=True, now=NOW)
    await stand(shop, COLA)


async def test_what_customers_read_is_replaced_and_a_picture_stays_or_goes(shop: Any) -> None:
    await products.describe_product(shop, ASHA, "cola", DESCRIBED)
    await stand(shop, replace(COLA, **SEEN))
    bare = Described(names={}, description="", descriptions={})
    await products.describe_product(shop, ASHA, "cola", bare)
    await stand(shop, replace(COLA, picture="d1"))
    await products.describe_product(shop, ASHA, "cola", replace(bare, picture=""))
    await stand(shop, COLA)


async def test_what_is_retired_keeps_its_first_time_until_it_comes_back(shop: Any) -> None:
    for later in (0, 60):
        now = NOW + timedelta(seconds=later)
        await products.retire_product(shop, ASHA, "cola", retired=True, now=now)
        await stand(shop, replace(COLA, retired_at=NOW))
    await products.retire_product(shop, ASHA, "cola", retired=False, now=NOW)
    await stand(shop, COLA)


async def test_they_are_listed_by_page_and_their_categories_by_name(shop: Any) -> None:
    assert await products.products(shop, ASHA, limit=1) == [COLA]
    assert await products.products(shop, ASHA, after="cola") == [TEA]
    assert await products.products(shop, ASHA, after="tea") == []
    assert await products.categories(shop, ASHA) == []
    lime = Product(id=UUID(int=13), sku="lime", name="Lime", price=Money(1, "INR"))
    await products.add_product(shop, ASHA, lime)
    for merchant, sku, category in (
        (ASHA, "tea", "Hot"), (ASHA, "cola", "Cold"), (ASHA, "lime", "Hot"),
        (CHANDRA, "cola", "Hers"),
    ):  # fmt: skip
        said = replace(DESCRIBED, category=category)
        await products.describe_product(shop, merchant, sku, said)
    assert await products.categories(shop, ASHA) == ["Cold", "Hot"]


@pytest.mark.parametrize(
    ("name", "sku"),
    [
        ("Lime soda, cold", "lime-soda-cold"),
        ("  Crème Brûlée 2! ", "creme-brulee-2"),
        ("x" * 41, "x" * 40),
        ("чай", "p-7ce1859e"),
    ],
)
def test_a_sku_is_made_of_a_name(name: str, sku: str) -> None:
    assert products.sku_of(name) == sku
