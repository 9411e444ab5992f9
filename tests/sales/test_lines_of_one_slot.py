"""Two lines of one order that come from the same slot: together they are no more than is there."""

from typing import Any

import pytest

from coinslot.orders import checkout, placing
from coinslot.orders.checkout import WayTap
from coinslot.orders.page_views import NotNowError
from coinslot.orders.placing import NewLine, NewOrder, Placed
from coinslot.orders.pricing import Discount
from tests.sales.stage import Stage
from tests.sales.test_page_orders import pay


async def two_lines(stage: Stage, stock: int, *discounts: Discount) -> Placed:
    await stage.hello()
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE slots SET stock = $1 WHERE slot = 'A1'", stock)
        product: Any = await conn.fetchrow("SELECT * FROM products")
        line = NewLine(
            product=product["id"], slot="A1", sku=product["sku"], name=product["name"],
            price=product["price_minor"], cost=0,
        )  # fmt: skip
        new = NewOrder(
            merchant=stage.merchant, outlet="M01", currency="INR", key="k" * 20,
            expires_at=stage.context.after("order_s"), lines=(line, line), discounts=discounts,
        )  # fmt: skip
        return await placing.place(conn, stage.context, new)


@pytest.mark.parametrize(("stock", "state"), [(1, "refunded"), (2, "paid")])
async def test_an_order_is_paid_only_when_the_slot_has_all_its_lines(
    stage: Stage, stock: int, state: str
) -> None:
    order = await two_lines(stage, stock)
    await checkout.pay(stage.context, WayTap(order=order.token))
    await stage.webhook(await pay(stage, order.token, order.price.total))
    await stage.sweep("refunds")
    assert await stage.value("SELECT count(*) FROM fulfillments") == (2 if state == "paid" else 0)
    assert stage.refunded() == (0 if state == "paid" else order.price.total)


async def test_an_order_of_nothing_takes_no_more_than_is_there(stage: Stage) -> None:
    with pytest.raises(NotNowError):
        await two_lines(stage, 1, Discount(10**9))
