"""The address of the gateway's own receipt: kept once it is told, shown to the customer and in the
console, and gone with its person. And keys of pages, which are keys of their outlet."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from coinslot.orders import checkout, order_records, outlet_pages
from coinslot.orders.checkout import OrderRequest
from coinslot.orders.page_views import NotNowError
from tests.sales.neighbours import a_second_machine, chandras_machine
from tests.sales.stage import Stage
from tests.sales.test_page_orders import order, pay, placed

URL = "https://pay.stripe.com/receipts/payment/CAcaFwoVYWNj"


async def test_the_gateways_receipt_is_kept_and_shown_to_its_customer_and_its_merchant(
    stage: Stage,
) -> None:
    token = await placed(stage)
    paid = await pay(stage, token)
    await stage.webhook(paid)
    assert (await stage.value("SELECT receipt_url FROM captures")) is None
    for event in ("told later", "told again"):
        await stage.webhook(replace(paid, receipt_url=URL), event=event)
    assert await stage.value("SELECT receipt_url FROM captures") == URL
    await stage.webhook(paid, event="without it")  # what is known is not forgotten
    view = await outlet_pages.order(stage.context, token)
    assert view is not None
    assert view.gateway_receipt == URL
    record = await order_records.order(
        stage.context, stage.merchant, (await order(stage, token))["id"]
    )
    assert record is not None
    assert record.gateway_receipt == URL


async def test_it_goes_with_its_person_and_after_the_years_that_records_are_kept(
    stage: Stage,
) -> None:
    token = await placed(stage)
    await stage.webhook(replace(await pay(stage, token), receipt_url=URL))
    until = stage.clock.now() + timedelta(days=1)
    async with stage.context.db.system_transaction() as conn:
        assert await conn.fetchval("SELECT retention_left('payers', $1)", until) == 1
        assert await conn.fetchval("SELECT forget_payers($1, 10)", until) == 1
        assert await conn.fetchval("SELECT retention_left('payers', $1)", until) == 0
    await stage.webhook(replace(await pay(stage, token), receipt_url=URL), event="again")
    found = (await order(stage, token))["id"]
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        before = await conn.fetchval("SELECT person_left($1)", found)
        await conn.execute("SELECT forget_person($1)", found)
        assert await conn.fetchval("SELECT person_left($1)", found) < before
    assert await stage.value("SELECT receipt_url FROM captures") is None


async def test_a_key_of_a_page_finds_no_order_of_another_outlet_or_merchant(stage: Stage) -> None:
    await stage.hello()
    await a_second_machine(stage)
    await chandras_machine(stage)
    key = "one-key-of-some-page"
    token = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key=key))
    for machine in ("M02", "C01"):  # neither is online: nothing is placed there either
        with pytest.raises(NotNowError):
            await checkout.place(stage.context, OrderRequest(outlet=machine, slot="A1", key=key))
    again = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key=key))
    assert again == token


async def test_a_page_that_was_open_when_keys_got_their_outlet_finds_its_order(
    stage: Stage,
) -> None:
    await stage.hello()
    wish = OrderRequest(outlet="M01", slot="A1", key="one-key-of-some-page")
    token = await checkout.place(stage.context, wish)
    await stage.rows("UPDATE orders SET client_key = $1 RETURNING id", wish.key)
    assert await checkout.place(stage.context, wish) == token
