"""An order whose outlet waits for the money only so long, and the address for its receipt."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from coinslot.orders import checkout, placing
from coinslot.orders.checkout import WayTap
from coinslot.orders.placing import NewLine, NewOrder
from tests.sales.stage import Stage


async def place(stage: Stage, **more: Any) -> str:
    """An order of a can from slot A1, written by a room of its own; its link's end."""
    await stage.hello()
    product = await stage.value("SELECT id FROM products")
    line = NewLine(product=product, slot="A1", sku="cola", name="Cola", price=4000, cost=0)
    new = NewOrder(
        merchant=stage.merchant, outlet="M01", currency="INR", key=None,
        expires_at=stage.clock.now() + timedelta(minutes=15), lines=(line,), **more,
    )  # fmt: skip
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        return (await placing.place(conn, stage.context, new)).token


async def test_choosing_a_way_to_pay_does_not_prolong_an_order_that_its_outlet_gives_up(
    stage: Stage,
) -> None:
    end = stage.clock.now() + timedelta(minutes=15)
    given_up, patient = await place(stage, ends_by=end), await place(stage)
    stage.later(600)
    await stage.hello()
    for token in (given_up, patient):
        await checkout.pay(stage.context, WayTap(order=token))
    ends = {row["token"]: row for row in await stage.rows("SELECT * FROM orders")}
    assert ends[given_up]["expires_at"] == ends[given_up]["due_at"] == end
    assert ends[patient]["expires_at"] == end + timedelta(minutes=10)


async def test_the_address_of_a_receipt_is_kept_with_the_order(stage: Stage) -> None:
    for contact in ("ivan@example.com", "+79161234567"):
        token = await place(stage, receipt_contact=contact)
        kept = await stage.value("SELECT receipt_contact FROM orders WHERE token = $1", token)
        assert kept == contact


@pytest.mark.parametrize("text", ["Ivan", "89161234567", "a b@example.com", "@", "+7916", ""])
async def test_what_no_receipt_can_be_sent_to_is_refused(stage: Stage, text: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="a_receipt_contact_is_an_address"):
        await place(stage, receipt_contact=text)
