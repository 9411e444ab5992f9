"""A key that was made with one page, and is sent for another order."""

from coinslot.orders import checkout
from coinslot.orders.checkout import OrderRequest, WayTap
from tests.sales.stage import Stage


async def test_a_key_that_began_another_orders_attempt_begins_none_and_is_no_fault_of_ours(
    stage: Stage,
) -> None:
    await stage.hello()
    mine, other = [
        await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key=key * 20))
        for key in "ab"
    ]
    used = "k" * 20
    assert await checkout.pay(stage.context, WayTap(order=other, key=used)) is not None
    assert await checkout.pay(stage.context, WayTap(order=mine, key=used)) is None
    assert await stage.value("SELECT count(*) FROM attempts") == 1
    assert await checkout.pay(stage.context, WayTap(order=mine, key="n" * 20)) is not None
