"""YooKassa in bad weather, against the emulated one that runs as a process of its own."""

import asyncio
from uuid import uuid4

from msgspec.structs import replace

from coinslot.gateways.base import (
    Declined,
    Hint,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Closed, Pending, ShowQr
from coinslot.gateways.yookassa import Receipts
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.yookassa_shop import YooKassaShop

PATIENCE_S, PAUSE_S = 10.0, 0.02


def roubles(text: str) -> Money:
    return Money.parse(text, "RUB")


def refund_order(payment: str, price: str = "40.00") -> RefundOrder:
    mark = Mark(installation="here", refund=str(uuid4()))
    return RefundOrder(
        gateway_payment_id=payment, money=roubles(price), key=str(uuid4()), mark=mark
    )


async def made(shop: YooKassaShop) -> str:
    pending = await shop.till.collect(shop.charge())
    assert isinstance(pending, Pending)
    return pending.reference


async def paid(shop: YooKassaShop) -> str:
    return await shop.pay(await made(shop))


async def ended(shop: YooKassaShop, payment: str) -> list[RefundFact]:
    """The refunds of a payment, once none is pending."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await shop.till.refunds(payment)
            assert isinstance(found, Refunds)
            if all(fact.stage is not RefundStage.PENDING for fact in found.facts):
                return list(found.facts)
            await asyncio.sleep(PAUSE_S)


async def test_a_refund_that_is_canceled_later_is_found_by_asking_for_nobody_tells(
    at_yookassa: YooKassaShop,
) -> None:
    payment = await paid(at_yookassa)
    await at_yookassa.told(payment)
    async with at_yookassa.weather(refund_fails_later=1):
        first = await at_yookassa.till.give_back(refund_order(payment))
    assert isinstance(first, RefundFact)
    assert first.stage is RefundStage.PENDING
    # While it is pending its money is spoken for.
    assert isinstance(await at_yookassa.till.give_back(refund_order(payment)), Declined)

    (failed,) = await ended(at_yookassa, payment)
    assert failed == replace(first, stage=RefundStage.FAILED)
    second = await at_yookassa.till.give_back(refund_order(payment))

    assert isinstance(second, RefundFact)
    assert second.stage is RefundStage.PROCESSED
    told = await at_yookassa.told(payment)  # the next delivery is of the second one
    assert [second.gateway_refund_id.encode() in one.body for one in told] == [True]
    (book,) = await at_yookassa.books()
    assert book["refunded"] == 4000


async def test_a_refund_that_waits_settles_later(at_yookassa: YooKassaShop) -> None:
    payment = await paid(at_yookassa)
    async with at_yookassa.weather(refund_pending_ms=100):
        first = await at_yookassa.till.give_back(refund_order(payment))
        assert isinstance(first, RefundFact)
        assert first.stage is RefundStage.PENDING
        looked = await at_yookassa.till.look(payment)
        assert isinstance(looked, PaymentFact)
    (done,) = await ended(at_yookassa, payment)
    assert done.stage is RefundStage.PROCESSED


async def test_server_errors_leave_a_charge_unclear_and_its_key_makes_it_once(
    at_yookassa: YooKassaShop,
) -> None:
    charges = [at_yookassa.charge() for _ in range(6)]
    async with at_yookassa.weather(error_5xx=1):
        for charge in charges:
            assert isinstance(await at_yookassa.till.collect(charge), Unclear)
    assert 0 < len(await at_yookassa.books()) < 6  # both kinds were met
    for charge in charges:
        assert isinstance(await at_yookassa.till.collect(charge), Pending)
    assert len(await at_yookassa.books()) == 6


async def test_an_answer_that_comes_too_late_is_unclear(at_yookassa: YooKassaShop) -> None:
    impatient = at_yookassa.opened(at_yookassa.settings, timeout_s=0.2)
    charge = at_yookassa.charge()
    async with at_yookassa.weather(latency_ms=1000):
        assert isinstance(await impatient.collect(charge), Unclear)
    assert isinstance(await at_yookassa.till.collect(charge), Pending)


async def test_what_was_accepted_and_not_finished_is_unclear_until_it_is(
    at_yookassa: YooKassaShop,
) -> None:
    charge = at_yookassa.charge()
    await at_yookassa.sign_up(holds_back=True)
    assert isinstance(await at_yookassa.till.collect(charge), Unclear)
    await at_yookassa.sign_up(holds_back=False)
    assert isinstance(await at_yookassa.till.collect(charge), Pending)


async def test_an_hour_later_it_has_lapsed(at_yookassa: YooKassaShop) -> None:
    reference = await made(at_yookassa)
    await at_yookassa.ask("lapse", {"reference": reference})
    closed = Closed(reference=reference, reason="expired_on_confirmation")
    assert await at_yookassa.till.follow(reference) == closed
    assert await at_yookassa.till.cancel(reference) == closed


async def test_a_payer_without_money_closes_the_charge(at_yookassa: YooKassaShop) -> None:
    charge = at_yookassa.charge()
    pending = await at_yookassa.till.collect(charge)
    assert isinstance(pending, Pending)
    await at_yookassa.ask("pay", {"reference": pending.reference, "declined": "insufficient_funds"})
    found = await at_yookassa.till.find_charge(charge)
    assert found == Closed(reference=pending.reference, reason="insufficient_funds")


async def test_a_code_of_sbp_is_paid_at_once_or_not_at_all(at_yookassa: YooKassaShop) -> None:
    charge = at_yookassa.charge(method="sbp_qr")
    pending = await at_yookassa.till.collect(charge)
    assert isinstance(pending, Pending)
    assert isinstance(pending.action, ShowQr)
    assert pending.expires_at is not None
    payment = await at_yookassa.pay(pending.reference)
    fact = await at_yookassa.till.look(payment)
    assert isinstance(fact, PaymentFact)
    assert fact.taken is Taken.CAPTURED
    held = replace(at_yookassa.charge(method="sbp"), capture=False)
    assert isinstance(await at_yookassa.till.collect(held), Declined)


async def test_a_part_of_what_is_held_is_taken_and_can_be_given_back(
    at_yookassa: YooKassaShop,
) -> None:
    pending = await at_yookassa.till.collect(replace(at_yookassa.charge(), capture=False))
    assert isinstance(pending, Pending)
    payment = await at_yookassa.pay(pending.reference)
    too_much = await at_yookassa.till.capture(payment, roubles("40.01"), "too-much")
    assert isinstance(too_much, Declined)
    taken = await at_yookassa.till.capture(payment, roubles("15.00"), "take-1")
    assert isinstance(taken, PaymentFact)
    assert await at_yookassa.till.look(payment) == taken
    assert isinstance(await at_yookassa.till.give_back(refund_order(payment)), Declined)
    back = await at_yookassa.till.give_back(refund_order(payment, "15.00"))
    assert isinstance(back, RefundFact)


async def test_a_refund_made_in_the_dashboard_is_told_and_seen(at_yookassa: YooKassaShop) -> None:
    payment = await paid(at_yookassa)
    await at_yookassa.told(payment)
    await at_yookassa.ask("refund", {"reference": payment, "amount": 1500})
    verdict = at_yookassa.till.read_webhook(*(await at_yookassa.told(payment))[-1])
    assert isinstance(verdict, Hint)
    assert (verdict.event, verdict.reference) == ("refund.succeeded", payment)
    found = await at_yookassa.till.refunds(verdict.reference)
    assert isinstance(found, Refunds)
    assert [(fact.money, fact.mark) for fact in found.facts] == [(roubles("15.00"), None)]


async def test_an_empty_balance_fails_a_refund_and_one_more_key_makes_it(
    at_yookassa: YooKassaShop,
) -> None:
    payment, shop = await paid(at_yookassa), at_yookassa.settings.shop_id
    await at_yookassa.ask("balance", {"account_id": shop, "amount": 0})
    first = await at_yookassa.till.give_back(refund_order(payment))
    assert isinstance(first, RefundFact)
    assert first.stage is RefundStage.FAILED
    await at_yookassa.ask("balance", {"account_id": shop, "amount": None})
    second = await at_yookassa.till.give_back(refund_order(payment))
    assert isinstance(second, RefundFact)
    assert second.stage is RefundStage.PROCESSED


async def test_a_shop_with_receipts_gets_them_and_one_without_is_refused(
    at_yookassa: YooKassaShop,
) -> None:
    await at_yookassa.sign_up(receipts=True)
    assert isinstance(await at_yookassa.till.collect(at_yookassa.charge()), Declined)
    receipts = Receipts(email="till@shop.example", vat_code=11)
    till = at_yookassa.opened(replace(at_yookassa.settings, receipts=receipts))
    pending = await till.collect(replace(at_yookassa.charge(), capture=False))
    assert isinstance(pending, Pending)
    payment = await at_yookassa.pay(pending.reference)
    assert isinstance(await till.capture(payment, roubles("30.00"), "take-1"), PaymentFact)
    for price in ("10.00", "20.00"):
        assert isinstance(await till.give_back(refund_order(payment, price)), RefundFact)
    (book,) = await at_yookassa.books()
    assert (book["captured"], book["refunded"]) == (3000, 3000)


async def test_a_wrong_key_is_a_no_for_now_and_proves_no_absence(
    at_yookassa: YooKassaShop,
) -> None:
    payment = await paid(at_yookassa)
    wrong = at_yookassa.opened(replace(at_yookassa.settings, secret_key=Secret("test_old")))
    declined = await wrong.collect(at_yookassa.charge())
    assert isinstance(declined, Declined)
    assert (declined.code, declined.permanent) == ("unauthorized", False)
    assert isinstance(await wrong.look(payment), Unclear)
    assert isinstance(await wrong.refunds(payment), Unclear)
