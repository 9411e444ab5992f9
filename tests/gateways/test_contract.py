"""What every gateway driver promises to the core, shown on each of them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from coinslot.gateways.base import (
    Absent,
    Declined,
    Forged,
    Genuine,
    Mark,
    PaymentFact,
    Payments,
    QrFact,
    RefundFact,
    RefundOrder,
    Refunds,
    Taken,
    Unclear,
    Unreadable,
)
from coinslot.kit.money import Money
from tests.gateways.kept import leaks
from tests.gateways.rigs import CURRENT, OLD, STRANGE, Rig, fresh_mark, printed, qr_order, rupees

NOWHERE = ["pay_DOESNOTEXIST00", "", "..", "../qr_codes", "a/b?c#d", "पे", "x" * 300]


def refund_order(payment: str, price: str, key: str | None = None) -> RefundOrder:
    mark = Mark(installation="here", refund=str(uuid4()))
    return RefundOrder(
        gateway_payment_id=payment, money=rupees(price), key=key or str(uuid4()), mark=mark
    )


async def paid(rig: Rig, price: str = "40.00") -> str:
    return await rig.pay(printed(await rig.till.print_qr(qr_order(price))))


async def refunded(rig: Rig, payment: str) -> list[Money]:
    found = await rig.till.refunds(payment)
    assert isinstance(found, Refunds)
    return [fact.money for fact in found.facts]


async def test_a_refund_sent_twice_with_one_key_is_one_refund(rig: Rig) -> None:
    payment = await paid(rig)
    order = refund_order(payment, "40.00")
    first = await rig.till.give_back(order)
    assert isinstance(first, RefundFact)
    assert first.money == order.money
    assert first.mark == order.mark
    again = await rig.till.give_back(order)
    assert isinstance(again, RefundFact)
    assert again.gateway_refund_id == first.gateway_refund_id
    assert await refunded(rig, payment) == [rupees("40.00")]


async def test_a_key_short_or_odd_still_makes_one_refund(rig: Rig) -> None:
    payment = await paid(rig)
    order = refund_order(payment, "40.00", key="№ 7")
    first, again = await rig.till.give_back(order), await rig.till.give_back(order)
    assert isinstance(first, RefundFact)
    assert isinstance(again, RefundFact)
    assert first.gateway_refund_id == again.gateway_refund_id


async def test_a_key_of_another_refund_is_declined_for_good(rig: Rig) -> None:
    payment = await paid(rig)
    key = str(uuid4())
    await rig.till.give_back(refund_order(payment, "10.00", key))
    answer = await rig.till.give_back(refund_order(payment, "20.00", key))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("key_reused", True)
    assert await refunded(rig, payment) == [rupees("10.00")]


async def test_partial_refunds_add_up_and_stop_at_the_capture(rig: Rig) -> None:
    payment = await paid(rig)
    for price in ("10.00", "25.00"):
        assert isinstance(await rig.till.give_back(refund_order(payment, price)), RefundFact)
    too_much = await rig.till.give_back(refund_order(payment, "5.10"))
    assert isinstance(too_much, Declined)
    assert (too_much.code, too_much.permanent) == ("exceeds_capture", True)
    fact = await rig.till.look(payment)
    assert isinstance(fact, PaymentFact)
    assert (fact.taken, fact.refunded) == (Taken.CAPTURED, rupees("35.00"))
    assert sum(await refunded(rig, payment), rupees("0")) == rupees("35.00")


async def test_a_payment_refunded_whole_is_still_a_capture(rig: Rig) -> None:
    payment = await paid(rig)
    await rig.till.give_back(refund_order(payment, "40.00"))
    fact = await rig.till.look(payment)
    assert isinstance(fact, PaymentFact)
    assert (fact.taken, fact.refunded) == (Taken.CAPTURED, fact.money)


@pytest.mark.parametrize("reference", NOWHERE)
async def test_what_the_gateway_does_not_know_is_absent(rig: Rig, reference: str) -> None:
    till = rig.till
    assert await till.look(reference) == Absent()
    assert await till.refunds(reference) == Absent()
    assert await till.qr_of_payment(reference) == Absent()
    assert await till.qr_payments(reference, rig.since) == Absent()
    assert isinstance(await till.give_back(refund_order(reference, "10.00")), Declined)
    assert isinstance(await till.close_qr(reference), Declined)


async def test_a_qr_code_comes_as_it_was_ordered_and_is_found_by_its_mark(rig: Rig) -> None:
    order = qr_order()
    qr = printed(await rig.till.print_qr(order))
    assert (qr.money, qr.reusable, qr.open, qr.mark) == (order.money, True, True, order.mark)
    assert qr.image_url
    found = await rig.till.find_qr(order.mark)
    assert isinstance(found, QrFact)
    assert found.qr_code_id == qr.qr_code_id


async def test_a_code_for_one_use_says_when_it_closes(rig: Rig) -> None:
    order = qr_order(reusable=False)
    qr = printed(await rig.till.print_qr(order))
    assert order.close_by is not None
    assert qr.expires_at is not None
    assert not qr.reusable
    assert abs(qr.expires_at - order.close_by) < timedelta(seconds=2)


async def test_a_mark_of_another_installation_is_not_ours(rig: Rig) -> None:
    theirs = fresh_mark("elsewhere")
    await rig.till.print_qr(qr_order(mark=theirs))
    assert await rig.till.find_qr(Mark(installation="here", qr=theirs.qr)) == Absent()
    assert await rig.till.find_qr(fresh_mark()) == Absent()


async def test_an_open_code_is_preferred_to_a_closed_one(rig: Rig) -> None:
    mark = fresh_mark()
    ids = [printed(await rig.till.print_qr(qr_order(mark=mark))).qr_code_id for _ in range(3)]
    await rig.till.close_qr(ids[0])
    await rig.till.close_qr(ids[2])
    found = await rig.till.find_qr(mark)
    assert isinstance(found, QrFact)
    assert found.qr_code_id == ids[1]
    await rig.till.close_qr(ids[1])
    found = await rig.till.find_qr(mark)
    assert isinstance(found, QrFact)
    assert not found.open


async def test_closing_twice_is_closing(rig: Rig) -> None:
    qr = printed(await rig.till.print_qr(qr_order()))
    for _ in range(2):
        closed = await rig.till.close_qr(qr.qr_code_id)
        assert isinstance(closed, QrFact)
        assert not closed.open
        assert closed.closed_at is not None


async def test_each_payment_through_a_reusable_code_is_listed_and_leads_back(rig: Rig) -> None:
    qr = printed(await rig.till.print_qr(qr_order()))
    ids = {await rig.pay(qr), await rig.pay(qr)}
    found = await rig.till.qr_payments(qr.qr_code_id, rig.since)
    assert isinstance(found, Payments)
    assert found.complete
    assert {fact.gateway_payment_id for fact in found.facts} == ids
    assert {fact.qr_code_id for fact in found.facts} == {qr.qr_code_id}
    assert {fact.mark for fact in found.facts} == {qr.mark}
    later = await rig.till.qr_payments(qr.qr_code_id, rig.since + timedelta(days=2))
    assert later == Payments(())
    for payment in ids:
        source = await rig.till.qr_of_payment(payment)
        assert isinstance(source, QrFact)
        assert source.qr_code_id == qr.qr_code_id


async def test_an_amount_other_than_the_printed_one_is_told_as_it_is(rig: Rig) -> None:
    qr = printed(await rig.till.print_qr(qr_order("40.00")))
    payment = await rig.pay(qr, "4.00")
    fact = await rig.till.look(payment)
    assert isinstance(fact, PaymentFact)
    assert fact.money == rupees("4.00")
    for delivery in await rig.told(payment):
        verdict = rig.till.read_webhook(*delivery)
        assert isinstance(verdict, Genuine)
        told = [f for f in verdict.facts if isinstance(f, PaymentFact)]
        assert [f.money for f in told] == [rupees("4.00")]


@pytest.mark.parametrize("done", [True, False])
async def test_a_time_out_is_unclear_and_the_mark_tells_what_came_of_it(
    rig: Rig, done: bool
) -> None:
    order = qr_order()
    assert isinstance(await rig.print_in_trouble(order, done=done), Unclear)
    found = await rig.till.find_qr(order.mark)
    assert isinstance(found, QrFact if done else Absent)


async def test_a_webhook_states_what_a_look_finds(rig: Rig) -> None:
    payment = await paid(rig)
    looked = await rig.till.look(payment)
    assert isinstance(looked, PaymentFact)
    verdicts = [rig.till.read_webhook(*delivery) for delivery in await rig.told(payment)]
    told = [f for v in verdicts if isinstance(v, Genuine) for f in v.facts]
    captures = [f for f in told if isinstance(f, PaymentFact) and f.taken is Taken.CAPTURED]
    assert captures
    for fact in captures:
        assert (fact.gateway_payment_id, fact.money) == (payment, looked.money)
        assert fact.mark == looked.mark


async def test_a_webhook_without_a_true_signature_is_forged(rig: Rig) -> None:
    headers, body = (await rig.told(await paid(rig)))[0]
    assert isinstance(rig.till.read_webhook(headers, body), Genuine)
    altered = body.replace(b"4000", b"9000")
    assert altered != body
    for name, forgery in (
        ("altered amount", rig.till.read_webhook(headers, altered)),
        ("no headers", rig.till.read_webhook({}, body)),
        ("another's secret", rig.reopened(STRANGE).read_webhook(headers, body)),
        ("no secret", rig.reopened().read_webhook(headers, body)),
        ("an empty secret", rig.reopened("").read_webhook(headers, body)),
    ):
        assert isinstance(forgery, Forged), name


async def test_a_webhook_of_another_account_states_nothing_though_it_is_signed(rig: Rig) -> None:
    delivery = (await rig.told(await paid(rig)))[0]
    elsewhere = rig.reopened(CURRENT, account_id="acc_CHANDRA0000001")
    assert isinstance(elsewhere.read_webhook(*delivery), Unreadable)


async def test_a_secret_that_was_replaced_is_still_accepted(rig: Rig) -> None:
    delivery = (await rig.told(await paid(rig)))[0]
    rotated = rig.reopened("webhook-secret-of-tomorrow", CURRENT)
    assert isinstance(rotated.read_webhook(*delivery), Genuine)
    assert isinstance(rig.reopened(OLD).read_webhook(*delivery), Forged)


async def test_a_delivery_repeated_has_the_same_id(rig: Rig) -> None:
    delivery = (await rig.told(await paid(rig)))[0]
    first, again = rig.till.read_webhook(*delivery), rig.till.read_webhook(*delivery)
    assert isinstance(first, Genuine)
    assert first == again
    assert first.delivery_id


async def test_no_secret_shows_itself_anywhere(rig: Rig) -> None:
    payment = await paid(rig)
    await rig.till.give_back(refund_order(payment, "10.00"))
    await rig.print_in_trouble(qr_order(), done=False)
    shown = [str(rig.till), repr(rig.till), repr(rig.settings), str(rig.settings)]
    shown += [repr(exchange) for exchange in rig.exchanges]
    for secret in rig.secrets:
        assert not any(secret in text for text in shown)
    assert leaks(rig.exchanges, rig.secrets) == []
