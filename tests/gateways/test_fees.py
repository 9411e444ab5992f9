"""What each gateway keeps of a payment is read where it says so, tax included."""

from typing import Literal

import pytest
from msgspec.structs import replace

from coinslot.gateways import mock
from coinslot.gateways.base import PaymentFact
from coinslot.gateways.collecting import Pending
from coinslot.kit.money import Money
from tests.gateways.canned import wire_to
from tests.gateways.collectors import fresh_charge
from tests.gateways.rigs import RazorpayRig, printed, qr_order, rupees
from tests.gateways.stripe_shop import StripeShop
from tests.gateways.tbank_shop import TBankShop
from tests.gateways.yookassa_shop import YooKassaShop


async def paid_at(shop: StripeShop | YooKassaShop | TBankShop) -> PaymentFact:
    pending = await shop.till.collect(shop.charge())
    assert isinstance(pending, Pending)
    fact = await shop.till.look(await shop.pay(pending.reference))
    assert isinstance(fact, PaymentFact)
    return fact


async def test_razorpay_keeps_two_percent_and_the_tax_on_them(at_razorpay: RazorpayRig) -> None:
    payment = await at_razorpay.pay(printed(await at_razorpay.till.print_qr(qr_order())))
    fact = await at_razorpay.till.look(payment)
    assert isinstance(fact, PaymentFact)
    assert fact.fee == rupees("0.94")
    told = at_razorpay.till.read_webhook(*(await at_razorpay.told(payment))[-1])
    assert [getattr(fact, "fee", None) for fact in getattr(told, "facts", ())] == [rupees("0.94")]


async def test_stripe_says_it_where_the_balance_is_looked_at(at_stripe: StripeShop) -> None:
    assert (await paid_at(at_stripe)).fee == Money.parse("1.46", "USD")
    at_once = await at_stripe.till.collect(at_stripe.charge(method="pm_card_visa"))
    assert isinstance(at_once, PaymentFact)
    assert at_once.fee == Money.parse("1.46", "USD")


async def test_yookassa_says_what_is_left_for_the_shop(at_yookassa: YooKassaShop) -> None:
    fact = await paid_at(at_yookassa)
    row = next(r for r in await at_yookassa.books() if r["reference"] == fact.gateway_payment_id)
    assert fact.fee is not None
    assert 0 < fact.fee.minor < int(str(row["captured"]))


async def test_tbank_does_not_say(at_tbank: TBankShop) -> None:
    assert (await paid_at(at_tbank)).fee is None


@pytest.mark.parametrize(("percent", "fee"), [(None, 0), ("2", 101), ("unsaid", None)])
async def test_the_practice_gateway_says_the_fee_that_it_is_set_to(
    percent: Literal["2", "unsaid"] | None, fee: int | None
) -> None:
    said = None if fee is None else Money(fee, "INR")
    settings = mock.Settings(method="card", fee_percent=percent)
    till = mock.open(settings, wire_to(mock.address(settings)))
    assert isinstance(till, mock.Mock)
    money = Money(5025, "INR")  # 2 % are 100.5
    paid = await till.collect(fresh_charge(money))
    assert isinstance(paid, PaymentFact)
    assert paid.fee == said

    held = await till.collect(replace(fresh_charge(money), key="held", capture=False))
    assert isinstance(held, PaymentFact)
    assert held.fee is None
    taken = await till.capture(held.gateway_payment_id, money, "taken")
    assert isinstance(taken, PaymentFact)
    assert taken.fee == said
    scanned = await till.pay("scanned", money)
    assert isinstance(scanned, PaymentFact)
    assert scanned.fee == said
