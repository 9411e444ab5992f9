"""The nightly pass against the emulated Stripe: what no webhook told us and nobody asked about."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.kit.clock import SystemClock
from coinslot.kit.money import Money
from coinslot.oversight import cases
from coinslot.oversight.reconcile import Compared, Span, compare
from coinslot.payments import merchant_api
from coinslot.payments.attempts import PaymentRequest
from tests.gateways.stripe_shop import StripeShop
from tests.sales.conftest import stage as stage  # the books are closed after each test
from tests.sales.stage import START, MockAccounts, Stage
from tests.sales.taking import confirmed, once


@pytest.fixture
async def shop(stage: Stage, at_stripe: StripeShop) -> StripeShop:
    """Asha's account is at the emulated Stripe, whose webhooks go nowhere."""
    stage.later((SystemClock().now() - START).total_seconds())
    stage.account = replace(stage.account, driver=at_stripe.till)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE qr_codes SET due_at = $1", stage.clock.now() + timedelta(days=9))
    return at_stripe


async def compared(stage: Stage) -> Compared:
    now = SystemClock().now()
    span = Span(now - timedelta(hours=1), now + timedelta(minutes=1))
    return await compare(stage.context, stage.account, span)


async def paid_unheard(stage: Stage, shop: StripeShop) -> tuple[UUID, str]:
    """The payer paid on Stripe's page; its webhook was lost. Our payment, and Stripe's."""
    ask = PaymentRequest(money=Money(4000, "USD"), return_url="https://shop.example.test/")
    made = await merchant_api.create(stage.context, once(stage, "create", "k"), ask)
    payment = UUID(made.body["id"])
    answer = await confirmed(stage, payment)
    assert answer.body["status"] == "requires_action", answer.body
    session = await stage.value("SELECT reference FROM attempts WHERE payment_id = $1", payment)
    return payment, await shop.pay(session)


async def test_a_payment_and_its_fee_are_found(stage: Stage, shop: StripeShop) -> None:
    payment, intent = await paid_unheard(stage, shop)
    assert (await compared(stage)).found == 1
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert (found.status, found.amount_captured) == ("succeeded", 4000)
    (row,) = await stage.rows("SELECT gateway_payment_id, fee_minor FROM captures")
    assert row == {"gateway_payment_id": intent, "fee_minor": 146}
    assert await compared(stage) == Compared()


async def test_a_refund_made_in_the_dashboard_is_found(stage: Stage, shop: StripeShop) -> None:
    payment, intent = await paid_unheard(stage, shop)
    await compared(stage)
    await shop.ask("refund", {"reference": intent, "amount": 1500})
    assert (await compared(stage)).found == 1
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert found.amount_refunded == 1500
    stage.later(1)
    assert await compared(stage) == Compared()
    assert await cases.listed(stage.context) == []


async def test_a_gateway_in_trouble_leaves_the_day_to_be_done_again(
    stage: Stage, shop: StripeShop
) -> None:
    await paid_unheard(stage, shop)
    async with shop.weather(drop_response=1):
        assert (await compared(stage)).failure
    assert (await compared(stage)).found == 1
