"""Razorpay in bad weather, against the emulated one that runs as a process of its own."""

from uuid import uuid4

from msgspec.structs import replace

from coinslot.gateways.base import (
    Absent,
    Declined,
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
from coinslot.kit.secrets import Secret
from tests.gateways.rigs import RazorpayRig, printed, qr_order, rupees


async def paid(rig: RazorpayRig) -> str:
    return await rig.pay(printed(await rig.till.print_qr(qr_order())))


def refund_order(payment: str, price: str = "40.00") -> RefundOrder:
    mark = Mark(installation="here", refund=str(uuid4()))
    return RefundOrder(gateway_payment_id=payment, money=rupees(price), key=str(uuid4()), mark=mark)


async def test_a_refund_whose_answer_was_lost_is_unclear_and_sent_again_is_the_same(
    at_razorpay: RazorpayRig,
) -> None:
    payment = await paid(at_razorpay)
    order = refund_order(payment)
    async with at_razorpay.weather(drop_response=1):
        assert isinstance(await at_razorpay.till.give_back(order), Unclear)
        assert isinstance(await at_razorpay.till.look(payment), Unclear)
        assert isinstance(await at_razorpay.till.refunds(payment), Unclear)
    listed = await at_razorpay.till.refunds(payment)
    assert isinstance(listed, Refunds)
    assert [fact.mark for fact in listed.facts] == [order.mark]
    again = await at_razorpay.till.give_back(order)
    assert isinstance(again, RefundFact)
    assert again.gateway_refund_id == listed.facts[0].gateway_refund_id
    assert (await at_razorpay.books(payment))["refunded"] == 4000


async def test_server_errors_leave_a_refund_unclear_whether_it_was_done_or_not(
    at_razorpay: RazorpayRig,
) -> None:
    orders = [refund_order(await paid(at_razorpay)) for _ in range(6)]
    async with at_razorpay.weather(error_5xx=1):
        for order in orders:
            assert isinstance(await at_razorpay.till.give_back(order), Unclear)
    done = [(await at_razorpay.books(o.gateway_payment_id))["refunded"] for o in orders]
    assert set(done) == {0, 4000}  # both kinds were met
    for order in orders:
        assert isinstance(await at_razorpay.till.give_back(order), RefundFact)
        assert (await at_razorpay.books(order.gateway_payment_id))["refunded"] == 4000


async def test_an_answer_that_takes_too_long_is_unclear(at_razorpay: RazorpayRig) -> None:
    payment = await paid(at_razorpay)
    hasty = at_razorpay.opened(at_razorpay.settings, timeout_s=0.1)
    async with at_razorpay.weather(latency_ms=600):
        assert isinstance(await hasty.give_back(refund_order(payment)), Unclear)


async def test_a_fully_refunded_payment_is_declined_by_its_own_code(
    at_razorpay: RazorpayRig,
) -> None:
    payment = await paid(at_razorpay)
    await at_razorpay.ask("refund", {"reference": payment})
    answer = await at_razorpay.till.give_back(refund_order(payment))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("fully_refunded", True)
    listed = await at_razorpay.till.refunds(payment)
    assert isinstance(listed, Refunds)
    assert [fact.mark for fact in listed.facts] == [None]  # made in the dashboard


async def test_an_empty_balance_is_a_no_for_now(at_razorpay: RazorpayRig) -> None:
    payment = await paid(at_razorpay)
    account = at_razorpay.settings.account_id
    await at_razorpay.ask("balance", {"account_id": account, "amount": 0})
    order = refund_order(payment)
    answer = await at_razorpay.till.give_back(order)
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("insufficient_balance", False)
    await at_razorpay.ask("balance", {"account_id": account, "amount": None})
    assert isinstance(await at_razorpay.till.give_back(order), RefundFact)


async def test_wrong_keys_are_a_no_for_now_and_prove_no_absence(at_razorpay: RazorpayRig) -> None:
    payment = await paid(at_razorpay)
    locked_out = at_razorpay.opened(replace(at_razorpay.settings, key_secret=Secret("wrong")))
    answer = await locked_out.give_back(refund_order(payment))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("unauthorized", False)
    assert isinstance(await locked_out.look(payment), Unclear)


async def test_a_refund_that_fails_later_is_told_and_listed_as_failed(
    at_razorpay: RazorpayRig,
) -> None:
    payment = await paid(at_razorpay)
    async with at_razorpay.weather(refund_fails_later=1):
        first = await at_razorpay.till.give_back(refund_order(payment))
        assert isinstance(first, RefundFact)
        assert first.stage is RefundStage.PENDING
        delivery = (await at_razorpay.told_until("refund.failed"))[-1]
    verdict = at_razorpay.till.read_webhook(*delivery)
    assert isinstance(verdict, Genuine)
    assert verdict.facts == (replace(first, stage=RefundStage.FAILED),)
    listed = await at_razorpay.till.refunds(payment)
    assert isinstance(listed, Refunds)
    assert listed.facts == verdict.facts


async def test_a_failure_that_becomes_a_capture_is_told_as_both(at_razorpay: RazorpayRig) -> None:
    qr = printed(await at_razorpay.till.print_qr(qr_order()))
    await at_razorpay.ask("scan", {"qr_code_id": qr.qr_code_id, "outcome": "failed_then_captured"})
    deliveries = await at_razorpay.told_until("qr_code.credited")
    verdicts = [at_razorpay.till.read_webhook(*one) for one in deliveries]
    facts = [f for v in verdicts if isinstance(v, Genuine) for f in v.facts]
    paid = [f for f in facts if isinstance(f, PaymentFact)]
    assert {f.taken for f in paid} >= {Taken.FAILED, Taken.CAPTURED}
    assert len({f.gateway_payment_id for f in paid}) == 1
    told = {v.delivery_id for v in verdicts if isinstance(v, Genuine)}
    assert len(told) == len({one.headers["x-razorpay-event-id"] for one in deliveries})


async def test_every_event_of_a_sale_is_genuine_and_of_one_payment(
    at_razorpay: RazorpayRig,
) -> None:
    payment = await paid(at_razorpay)
    deliveries = await at_razorpay.told(payment)
    for delivery in deliveries:
        verdict = at_razorpay.till.read_webhook(*delivery)
        assert isinstance(verdict, Genuine)
        for fact in verdict.facts:
            assert isinstance(fact, PaymentFact)
            assert (fact.gateway_payment_id, fact.money) == (payment, rupees("40.00"))


async def test_a_payment_of_another_shop_on_the_account_came_through_no_code_of_ours(
    at_razorpay: RazorpayRig,
) -> None:
    account = at_razorpay.settings.account_id
    sold = await at_razorpay.ask("scan", {"account_id": account, "amount": 9900, "foreign": True})
    payment = str(sold["reference"])
    fact = await at_razorpay.till.look(payment)
    assert isinstance(fact, PaymentFact)
    assert fact.mark is None
    assert await at_razorpay.till.qr_of_payment(payment) == Absent()
