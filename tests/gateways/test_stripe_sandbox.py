"""Stripe in bad weather, against the emulated one that runs as a process of its own."""

from datetime import timedelta
from uuid import uuid4

from msgspec.structs import replace

from coinslot.gateways.base import (
    Absent,
    Declined,
    Forged,
    Genuine,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Closed, Pending, Redirect
from coinslot.kit.clock import SettableClock, SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.stripe_shop import StripeShop


async def opened(shop: StripeShop) -> str:
    """The reference of a session that waits for its payer."""
    pending = await shop.till.collect(shop.charge())
    assert isinstance(pending, Pending), pending
    return pending.reference


async def paid(shop: StripeShop) -> str:
    return await shop.pay(await opened(shop))


def refund_order(payment: str, price: str = "40.00") -> RefundOrder:
    mark = Mark(installation="here", refund=str(uuid4()))
    money = Money.parse(price, "USD")
    return RefundOrder(gateway_payment_id=payment, money=money, key=str(uuid4()), mark=mark)


async def refunded(shop: StripeShop, payment: str) -> object:
    return next(row["refunded"] for row in await shop.books() if row["reference"] == payment)


async def test_broken_executions_leave_a_refund_unclear_and_end_in_one(
    at_stripe: StripeShop,
) -> None:
    orders = [refund_order(await paid(at_stripe)) for _ in range(6)]
    async with at_stripe.weather(error_5xx=1):
        for order in orders:
            assert isinstance(await at_stripe.till.give_back(order), Unclear)
    done = [await refunded(at_stripe, order.gateway_payment_id) for order in orders]
    assert set(done) == {0, 4000}  # both kinds were met, and their keys keep a 500 or a 200
    for order in orders:
        answer = await at_stripe.till.give_back(order)
        assert isinstance(answer, RefundFact), answer
        assert await at_stripe.till.give_back(order) == answer
        assert await refunded(at_stripe, order.gateway_payment_id) == 4000


async def test_broken_executions_leave_a_charge_unclear_and_end_in_one(
    at_stripe: StripeShop,
) -> None:
    charges = [at_stripe.charge(method="pm_card_visa") for _ in range(6)]
    async with at_stripe.weather(error_5xx=1):
        for charge in charges:
            assert isinstance(await at_stripe.till.collect(charge), Unclear)
    assert 0 < len(await at_stripe.books()) < 6
    for charge in charges:
        fact = await at_stripe.till.collect(charge)
        assert isinstance(fact, PaymentFact), fact
        assert (fact.taken, fact.mark) == (Taken.CAPTURED, charge.mark)
        assert await at_stripe.till.find_charge(charge) == fact
    assert [row["captured"] for row in await at_stripe.books()] == [4000] * 6


async def test_every_question_in_bad_weather_is_unclear(at_stripe: StripeShop) -> None:
    reference = await opened(at_stripe)
    payment = await paid(at_stripe)
    for trouble in ("drop_response", "error_5xx"):
        async with at_stripe.weather(**{trouble: 1}):
            assert isinstance(await at_stripe.till.follow(reference), Unclear)
            assert isinstance(await at_stripe.till.look(payment), Unclear)
            assert isinstance(await at_stripe.till.refunds(payment), Unclear)
            assert isinstance(await at_stripe.till.find_charge(at_stripe.charge()), Unclear)
            assert isinstance(await at_stripe.till.cancel(reference), Unclear)


async def test_a_decline_leaves_the_page_open_and_the_payer_tries_again(
    at_stripe: StripeShop,
) -> None:
    reference = await opened(at_stripe)
    failed = await at_stripe.pay(reference, "declined")
    delivery = (await at_stripe.told_until("payment_intent.payment_failed"))[-1]
    verdict = at_stripe.till.read_webhook(*delivery)
    assert isinstance(verdict, Genuine)
    (told,) = verdict.facts
    assert isinstance(told, PaymentFact)
    assert (told.gateway_payment_id, told.taken) == (failed, Taken.FAILED)
    assert isinstance(await at_stripe.till.follow(reference), Pending)
    looked = await at_stripe.till.look(failed)
    assert isinstance(looked, PaymentFact)
    assert looked.taken is Taken.FAILED
    assert await at_stripe.pay(reference) == failed
    fact = await at_stripe.till.follow(reference)
    assert isinstance(fact, PaymentFact)
    assert (fact.gateway_payment_id, fact.taken) == (failed, Taken.CAPTURED)


async def test_a_decline_does_not_keep_a_session_from_being_stopped(
    at_stripe: StripeShop,
) -> None:
    reference = await opened(at_stripe)
    await at_stripe.pay(reference, "declined")
    assert isinstance(await at_stripe.till.cancel(reference), Closed)
    assert isinstance(await at_stripe.till.follow(reference), Closed)


async def test_money_that_arrives_later_is_not_paid_before(at_stripe: StripeShop) -> None:
    reference = await opened(at_stripe)
    payment = await at_stripe.pay(reference, "delayed")
    await at_stripe.told_until("checkout.session.async_payment_succeeded")
    fact = await at_stripe.till.follow(reference)
    assert isinstance(fact, PaymentFact)
    assert (fact.gateway_payment_id, fact.taken) == (payment, Taken.CAPTURED)


async def test_money_that_never_arrives_closes_the_session(at_stripe: StripeShop) -> None:
    reference = await opened(at_stripe)
    await at_stripe.pay(reference, "delayed_failed")
    completed = (await at_stripe.told_until("checkout.session.completed"))[-1]
    verdict = at_stripe.till.read_webhook(*completed)
    assert isinstance(verdict, Genuine)
    assert verdict.facts == ()
    await at_stripe.told_until("checkout.session.async_payment_failed")
    assert isinstance(await at_stripe.till.follow(reference), Closed)
    assert [row["captured"] for row in await at_stripe.books()] == [0]


async def test_a_payer_who_proves_himself_pays_and_who_does_not_has_failed(
    at_stripe: StripeShop,
) -> None:
    for outcome, taken in (("paid", Taken.CAPTURED), ("declined", Taken.FAILED)):
        charge = at_stripe.charge(method="pm_card_authenticationRequired")
        pending = await at_stripe.till.collect(charge)
        assert isinstance(pending, Pending)
        assert isinstance(pending.action, Redirect)
        assert await at_stripe.till.find_charge(charge) == pending
        await at_stripe.pay(pending.reference, outcome)
        fact = await at_stripe.till.follow(pending.reference)
        assert isinstance(fact, PaymentFact)
        assert fact.taken is taken


async def test_what_waits_for_a_proof_can_be_stopped(at_stripe: StripeShop) -> None:
    charge = at_stripe.charge(method="pm_card_authenticationRequired")
    pending = await at_stripe.till.collect(charge)
    assert isinstance(pending, Pending)
    for _ in range(2):
        stopped = await at_stripe.till.cancel(pending.reference)
        assert stopped == Closed(reference=pending.reference, reason="canceled")
    assert await at_stripe.till.collect(charge) == pending  # its answer of then, replayed
    assert isinstance(await at_stripe.till.follow(pending.reference), Closed)


async def test_a_stop_does_not_void_what_is_held(at_stripe: StripeShop) -> None:
    charge = replace(at_stripe.charge(method="pm_card_visa"), capture=False)
    held = await at_stripe.till.collect(charge)
    assert isinstance(held, PaymentFact)
    assert await at_stripe.till.cancel(held.gateway_payment_id) == held


async def test_a_part_of_what_is_held_is_taken_through_its_session(
    at_stripe: StripeShop,
) -> None:
    pending = await at_stripe.till.collect(replace(at_stripe.charge(), capture=False))
    assert isinstance(pending, Pending)
    await at_stripe.pay(pending.reference)
    part = Money(3000, "USD")
    taken = await at_stripe.till.capture(pending.reference, part, "take")
    assert isinstance(taken, PaymentFact)
    assert (taken.taken, taken.money) == (Taken.CAPTURED, part)
    assert await at_stripe.till.follow(pending.reference) == taken
    over = await at_stripe.till.give_back(refund_order(taken.gateway_payment_id, "30.01"))
    assert isinstance(over, Declined)
    assert over.code == "exceeds_capture"


async def test_an_end_soon_is_ours_to_keep_and_a_later_one_theirs(at_stripe: StripeShop) -> None:
    now = SystemClock().now().replace(microsecond=0)
    for wait, theirs in ((timedelta(minutes=10), False), (timedelta(hours=2), True)):
        charge = replace(at_stripe.charge(), expires_at=now + wait)
        first = await at_stripe.till.collect(charge)
        assert isinstance(first, Pending)
        assert (first.expires_at == charge.expires_at) is theirs
        assert await at_stripe.till.collect(charge) == first


async def test_a_refund_may_fail_after_it_succeeded(at_stripe: StripeShop) -> None:
    payment = await paid(at_stripe)
    async with at_stripe.weather(refund_fails_later=1):
        first = await at_stripe.till.give_back(refund_order(payment))
        assert isinstance(first, RefundFact)
        assert first.stage is RefundStage.PROCESSED
        delivery = (await at_stripe.told_until("refund.failed"))[-1]
    verdict = at_stripe.till.read_webhook(*delivery)
    assert isinstance(verdict, Genuine)
    assert verdict.facts == (replace(first, stage=RefundStage.FAILED),)
    listed = await at_stripe.till.refunds(payment)
    assert isinstance(listed, Refunds)
    assert listed.facts == verdict.facts
    assert isinstance(await at_stripe.till.give_back(refund_order(payment)), RefundFact)


async def test_a_refund_from_the_dashboard_is_told_and_listed_without_our_mark(
    at_stripe: StripeShop,
) -> None:
    payment = await paid(at_stripe)
    await at_stripe.ask("refund", {"reference": payment, "amount": 1500})
    delivery = (await at_stripe.told_until("charge.refunded"))[-1]
    verdict = at_stripe.till.read_webhook(*delivery)
    assert isinstance(verdict, Genuine)
    (told,) = verdict.facts
    assert isinstance(told, PaymentFact)
    assert (told.gateway_payment_id, told.refunded) == (payment, Money(1500, "USD"))
    listed = await at_stripe.till.refunds(payment)
    assert isinstance(listed, Refunds)
    assert [fact.mark for fact in listed.facts] == [None]
    answer = await at_stripe.till.give_back(refund_order(payment))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("exceeds_capture", True)


async def test_an_empty_balance_is_a_no_for_now(at_stripe: StripeShop) -> None:
    payment = await paid(at_stripe)
    await at_stripe.ask("balance", {"account_id": at_stripe.name, "amount": 0})
    answer = await at_stripe.till.give_back(refund_order(payment))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("insufficient_balance", False)


async def test_a_wrong_key_is_a_no_for_now_and_proves_no_absence(at_stripe: StripeShop) -> None:
    payment = await paid(at_stripe)
    wrong = replace(at_stripe.settings, secret_key=Secret("sk_test_wrong"))
    locked_out = at_stripe.opened(wrong)
    answer = await locked_out.give_back(refund_order(payment))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("unauthorized", False)
    assert isinstance(await locked_out.look(payment), Unclear)
    assert isinstance(await locked_out.find_charge(at_stripe.charge()), Unclear)


async def test_a_charge_is_found_among_many(at_stripe: StripeShop) -> None:
    charges = [at_stripe.charge() for _ in range(105)]
    made = [await at_stripe.till.collect(charge) for charge in charges]
    assert await at_stripe.till.find_charge(charges[0]) == made[0]
    assert await at_stripe.till.find_charge(at_stripe.charge()) == Absent()


async def test_a_webhook_of_another_time_is_not_believed(at_stripe: StripeShop) -> None:
    reference = await opened(at_stripe)
    await at_stripe.pay(reference)
    delivery = (await at_stripe.told(reference))[-1]
    now = SystemClock().now()
    for wait in (timedelta(minutes=-6), timedelta(minutes=6)):
        till = at_stripe.opened(at_stripe.settings, SettableClock(now + wait))
        assert isinstance(till.read_webhook(*delivery), Forged)
