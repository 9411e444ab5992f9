"""An order of several pieces: anything handed over completes it, and what was not goes back."""

from typing import Any

from coinslot.db.pool import connect
from coinslot.events.announce import Announcer
from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import OrderRequest, WayTap
from tests.sales.stage import Stage
from tests.sales.test_page_orders import order, pay


async def two_paid(stage: Stage) -> str:
    """An order of two cans, paid; its link."""
    await stage.hello()
    token = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO order_lines (id, merchant_id, order_id, product_id, slot, sku, name,"
            " quantity, price_minor, cost_minor) SELECT gen_random_uuid(), merchant_id, order_id,"
            " product_id, slot, sku, name, quantity, price_minor, cost_minor FROM order_lines"
        )
        await conn.execute("UPDATE orders SET amount_minor = 8000")
    await checkout.pay(stage.context, WayTap(order=token))
    await stage.webhook(await pay(stage, token, 8000))
    await stage.sweep()
    return token


async def drop(stage: Stage, event_seq: int) -> None:
    await stage.accept()
    await stage.result(event_seq=event_seq)
    await stage.sweep()


async def jam(stage: Stage, event_seq: int) -> None:
    await stage.accept()
    await stage.result("FAILED", drop="no", event_seq=event_seq, failure_code="JAM")
    await stage.sweep()


async def told(stage: Stage, kind: str) -> dict[str, Any]:
    announcer = Announcer(stage.context)
    while (batch := await announcer.cursor.next_batch()) is not None:
        await announcer.announce(batch)
    (row,) = await stage.rows("SELECT data FROM public_events WHERE type = $1", kind)
    return dict(row["data"])


async def test_an_order_of_which_one_piece_came_out_is_completed_and_says_what_went_back(
    stage: Stage,
) -> None:
    token = await two_paid(stage)
    await drop(stage, 1)
    assert (await order(stage, token))["state"] == "paid"
    await jam(stage, 2)
    assert (await order(stage, token))["state"] == "completed"
    assert stage.refunded() == 4000
    view = await outlet_pages.order(stage.context, token)
    assert view is not None
    assert sorted(str(unit.settlement) for unit in view.units) == ["fulfilled", "refund_due"]
    data = await told(stage, "order.completed")
    assert (data["amount"], data["given_back"]) == (8000, 4000)


async def test_it_is_the_same_when_the_piece_that_failed_was_the_first(stage: Stage) -> None:
    token = await two_paid(stage)
    await jam(stage, 1)
    await drop(stage, 2)
    assert (await order(stage, token))["state"] == "completed"
    assert stage.refunded() == 4000


async def test_an_order_of_which_nothing_came_out_failed(stage: Stage) -> None:
    token = await two_paid(stage)
    await jam(stage, 1)
    await jam(stage, 2)
    assert (await order(stage, token))["state"] == "failed"
    assert stage.refunded() == 8000
    assert (await told(stage, "order.failed"))["given_back"] == 8000


async def test_an_order_that_ended_under_the_rule_of_before_is_read_by_it(stage: Stage) -> None:
    """All pieces had to come out then: it failed, and its row and its events stay as they are."""
    await two_paid(stage)
    await drop(stage, 1)
    await jam(stage, 2)
    owner = await connect(stage.owner_url)
    try:
        async with owner.transaction():
            await owner.execute("ALTER TABLE events DISABLE TRIGGER USER")
            await owner.execute("UPDATE orders SET state = 'failed'")
            await owner.execute(
                "UPDATE events SET event = 'GONE_BACK', state = 'failed'"
                " WHERE event = 'HANDED_OVER'"
            )
            await owner.execute("ALTER TABLE events ENABLE TRIGGER USER")
        assert (await stage.audit()).red == {"orders_end_as_their_units_did"}
        await owner.execute("UPDATE rules SET after_seq = (SELECT max(seq) FROM events)")
        assert not (await stage.audit()).red
    finally:
        await owner.close()
