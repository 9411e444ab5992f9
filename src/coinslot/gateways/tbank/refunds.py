"""Whether a refund may be sent to T-Bank, which keeps no list of them, and what came of it."""

from datetime import datetime

from coinslot.gateways.base import Declined, RefundFact, RefundOrder, RefundStage, Unclear
from coinslot.gateways.tbank.build import request_id
from coinslot.gateways.tbank.order_ids import CURRENCY
from coinslot.gateways.tbank.parse import Canceled, State
from coinslot.kit.money import Money

STAGES = {
    "PARTIAL_REFUNDED": RefundStage.PROCESSED,
    "REFUNDED": RefundStage.PROCESSED,
    "REFUNDING": RefundStage.PENDING,
    "ASYNC_REFUNDING": RefundStage.PENDING,
}
AT_REST = frozenset({"CONFIRMED", "PARTIAL_REFUNDED"})


def given(said: State, order: RefundOrder) -> bool:
    """Whether the money of a refund has gone back already: then nothing may be sent."""
    if order.others is not None and said.refunded is not None:
        return said.refunded == order.others + order.money
    return said.by_sbp and said.status == "REFUNDED" and said.money == order.money


def untouched(said: State, order: RefundOrder) -> bool:
    """Whether a refund certainly was not made yet, for SBP, which would make it twice."""
    return said.refunded == (order.others or Money.zero(CURRENCY))


def judged(
    answer: Canceled, before: State, order: RefundOrder, at: datetime
) -> RefundFact | Declined | Unclear:
    """What came of a Cancel. To a key sent before, T-Bank answers with the payment as it stands."""
    if answer.payment_id == before.payment_id:
        if answer.status in STAGES and (
            _made(answer, before, order) or _stands(answer, before, order)
        ):
            return refund(order, STAGES[answer.status], at)
        if _at_rest_without(answer, before, order):
            # It was being worked on and is no more, and the sum is what it was: it failed. Never
            # seen at work, the same may only mean that T-Bank is slow: for a person, if it stays.
            if order.taken_up:
                return refund(order, RefundStage.FAILED, at)
            return Declined("its key is known, and nothing went back", "not_made", permanent=False)
    return Unclear(f"asked for {order.money}, answered with {answer}")


def _made(answer: Canceled, before: State, order: RefundOrder) -> bool:
    """It began where others had left it: else the difference is another refund's, of this sum."""
    left = None if order.others is None else (before.money - order.others).minor
    made = answer.original_amount - answer.new_amount == order.money.minor
    return made and left in (None, answer.original_amount)


def _stands(answer: Canceled, before: State, order: RefundOrder) -> bool:
    back = before.refunded
    if back is None or answer.new_amount != (before.money - back).minor:
        return False
    return back >= (order.money if order.others is None else order.others + order.money)


def _at_rest_without(answer: Canceled, before: State, order: RefundOrder) -> bool:
    return (
        not before.by_sbp
        and answer.status in AT_REST
        and answer.original_amount == before.money.minor
        and order.others is not None
        and before.refunded == order.others
        and answer.new_amount == (before.money - order.others).minor
    )


def refund(order: RefundOrder, stage: RefundStage, at: datetime) -> RefundFact:
    """T-Bank gives a refund no id: it is known by the request id that we gave it."""
    return RefundFact(
        gateway_refund_id=f"{order.gateway_payment_id}:{request_id(order.key)}",
        gateway_payment_id=order.gateway_payment_id,
        stage=stage,
        money=order.money,
        at=at,
        mark=order.mark,
    )
