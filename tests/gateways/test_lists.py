"""What each gateway lists of a span of time: payments, refunds, and what it paid out."""

from datetime import datetime, timedelta

import pytest

from coinslot.gateways.base import Payments, RefundFact, Refunds, Unclear
from coinslot.gateways.collecting import Pending
from coinslot.gateways.listing import ListsPayments, Settlements, Settles
from coinslot.kit.clock import SystemClock
from coinslot.kit.money import Money
from tests.gateways.rigs import RazorpayRig, printed, qr_order, rupees
from tests.gateways.stripe_shop import StripeShop
from tests.gateways.tbank_shop import TBankShop
from tests.gateways.test_razorpay_sandbox import refund_order
from tests.gateways.test_stripe_sandbox import refund_order as stripe_refund
from tests.gateways.yookassa_shop import YooKassaShop

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def span() -> tuple[datetime, datetime]:
    now = SystemClock().now()
    return now - HOUR, now + MINUTE


async def lists(till: object, payment: str, money: Money) -> None:
    """The payment is in the list of this hour, and not in that of the hour before."""
    assert isinstance(till, ListsPayments)
    since, until = span()
    found = await till.payments_between(since, until)
    assert isinstance(found, Payments), found
    assert found.complete
    assert [(f.gateway_payment_id, f.money) for f in found.facts] == [(payment, money)]
    assert await till.payments_between(since - 9 * HOUR, since - 2 * HOUR) == Payments(())
    assert await till.refunds_between(since, until) == Refunds(())


async def paid_at(shop: StripeShop | YooKassaShop) -> str:
    pending = await shop.till.collect(shop.charge())
    assert isinstance(pending, Pending)
    return await shop.pay(pending.reference)


async def test_razorpay_lists_payments_refunds_and_settlements(at_razorpay: RazorpayRig) -> None:
    payment = await at_razorpay.pay(printed(await at_razorpay.till.print_qr(qr_order())))
    till, (since, until) = at_razorpay.till, span()
    await lists(till, payment, rupees("40.00"))
    assert isinstance(till, Settles)
    assert isinstance(till, ListsPayments)
    assert await till.settled_between(since, until) == Settlements(())
    await at_razorpay.ask("payout", {"account_id": at_razorpay.settings.account_id})
    settled = await till.settled_between(since, until)
    assert isinstance(settled, Settlements), settled
    (line,) = settled.lines
    assert (line.gateway_payment_id, line.gross) == (payment, rupees("40.00"))
    assert line.fee == rupees("0.94")
    made = await till.give_back(refund_order(payment, "15.00"))
    assert isinstance(made, RefundFact)
    assert await till.refunds_between(since, until) == Refunds((made,))


async def test_stripe_lists_charges_refunds_and_its_balance(at_stripe: StripeShop) -> None:
    payment = await paid_at(at_stripe)
    till, (since, until) = at_stripe.till, span()
    await lists(till, payment, Money.parse("40.00", "USD"))
    assert isinstance(till, Settles)
    assert isinstance(till, ListsPayments)
    assert await till.settled_between(since, until) == Settlements(())
    settled = await till.settled_between(since, until + timedelta(days=3))
    assert isinstance(settled, Settlements), settled
    (line,) = settled.lines
    assert (line.gateway_payment_id, line.fee) == (payment, Money.parse("1.46", "USD"))
    made = await till.give_back(stripe_refund(payment, "15.00"))
    assert await till.refunds_between(since, until) == Refunds((made,))  # type: ignore[arg-type]


async def test_yookassa_lists_payments_and_refunds(at_yookassa: YooKassaShop) -> None:
    payment = await paid_at(at_yookassa)
    await lists(at_yookassa.till, payment, Money.parse("40.00", "RUB"))
    assert not isinstance(at_yookassa.till, Settles)


async def test_tbank_has_no_lists(at_tbank: TBankShop) -> None:
    assert not isinstance(at_tbank.till, ListsPayments)
    assert not isinstance(at_tbank.till, Settles)


@pytest.mark.parametrize("verb", ["payments_between", "refunds_between", "settled_between"])
async def test_a_lost_list_is_unclear(at_razorpay: RazorpayRig, at_stripe: StripeShop,
                                      verb: str) -> None:  # fmt: skip
    async with at_razorpay.weather(drop_response=1):
        for till in (at_razorpay.till, at_stripe.till):
            assert isinstance(await getattr(till, verb)(*span()), Unclear)
