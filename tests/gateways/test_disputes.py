"""Disputes as the emulated gateways tell them, read by the drivers; their SDKs read them, too."""

import pytest
import stripe as sdk

from coinslot.gateways.base import DisputeFact, DisputeStage, Genuine, Verdict
from coinslot.gateways.collecting import Pending
from coinslot.kit.money import Money
from tests.gateways.rigs import RazorpayRig, printed, qr_order, rupees
from tests.gateways.stripe_shop import StripeShop


def fact_of(verdict: Verdict) -> DisputeFact:
    assert isinstance(verdict, Genuine), verdict
    (fact,) = verdict.facts
    assert isinstance(fact, DisputeFact)
    return fact


@pytest.mark.parametrize("end", ["won", "lost", "closed"])
async def test_razorpay_tells_a_dispute_and_its_end(at_razorpay: RazorpayRig, end: str) -> None:
    payment = await at_razorpay.pay(printed(await at_razorpay.till.print_qr(qr_order())))
    await at_razorpay.told(payment)
    made = await at_razorpay.ask("dispute", {"reference": payment, "amount": 1500})
    told = (await at_razorpay.told_until("payment.dispute.created"))[-1]
    opened = fact_of(at_razorpay.till.read_webhook(*told))
    assert (opened.gateway_dispute_id, opened.gateway_payment_id) == (made["dispute"], payment)
    assert (opened.stage, opened.money) == (DisputeStage.OPEN, rupees("15.00"))
    await at_razorpay.ask("dispute", {"reference": payment, "ends": end})
    told = (await at_razorpay.told_until(f"payment.dispute.{end}"))[-1]
    ended = fact_of(at_razorpay.till.read_webhook(*told))
    assert ended.gateway_dispute_id == opened.gateway_dispute_id
    assert ended.stage is (DisputeStage.LOST if end == "lost" else DisputeStage.WON)


@pytest.mark.parametrize("end", ["won", "lost"])
async def test_stripe_tells_a_dispute_and_its_end(at_stripe: StripeShop, end: str) -> None:
    pending = await at_stripe.till.collect(at_stripe.charge())
    assert isinstance(pending, Pending)
    payment = await at_stripe.pay(pending.reference)
    made = await at_stripe.ask("dispute", {"reference": payment})
    headers, body = (await at_stripe.told_until("charge.dispute.created"))[-1]
    opened = fact_of(at_stripe.till.read_webhook(headers, body))
    assert (opened.gateway_dispute_id, opened.gateway_payment_id) == (made["dispute"], payment)
    assert (opened.stage, opened.money) == (DisputeStage.OPEN, Money.parse("40.00", "USD"))
    await at_stripe.ask("dispute", {"reference": payment, "ends": end})
    told = (await at_stripe.told_until("charge.dispute.closed"))[-1]
    assert fact_of(at_stripe.till.read_webhook(*told)).stage is DisputeStage(end)


async def test_stripes_own_client_reads_the_dispute_and_what_it_did_to_the_balance(
    at_stripe: StripeShop,
) -> None:
    pending = await at_stripe.till.collect(at_stripe.charge())
    assert isinstance(pending, Pending)
    payment = await at_stripe.pay(pending.reference)
    made = await at_stripe.ask("dispute", {"reference": payment})
    key, url = at_stripe.settings.secret_key.reveal(), at_stripe.settings.base_url
    client = sdk.StripeClient(key, base_addresses={"api": url})
    assert client.v1.disputes.retrieve(str(made["dispute"])).status == "needs_response"
    booked = client.v1.balance_transactions.list().data
    assert [(one.type, one.amount, one.net) for one in booked] == [
        ("adjustment", -4000, -5500), ("charge", 4000, 3854),
    ]  # fmt: skip
