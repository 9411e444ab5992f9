"""Whether a refund may be sent to T-Bank, which keeps no list of them, and what came of it."""

from datetime import datetime

from coinslot.gateways.base import RefundFact, RefundOrder, RefundStage
from coinslot.gateways.tbank_facts import Canceled, State
from coinslot.gateways.tbank_words import CURRENCY
from coinslot.kit.money import Money

STAGES = {
    "PARTIAL_REFUNDED": RefundStage.PROCESSED,
    "REFUNDED": RefundStage.PROCESSED,
    "REFUNDING": RefundStage.PENDING,
    "ASYNC_REFUNDING": RefundStage.PENDING,
}


def given(said: State, order: RefundOrder) -> bool:
    """Whether the money of a refund has gone back already: then nothing may be sent."""
    if order.others is not None and said.refunded is not None:
        return said.refunded == order.others + order.money
    return said.by_sbp and said.status == "REFUNDED" and said.money == order.money


def untouched(said: State, order: RefundOrder) -> bool:
    """Whether a refund certainly was not made yet, for SBP, which would make it twice."""
    return said.refunded == (order.others or Money.zero(CURRENCY))


def fits(answer: Canceled, before: State, order: RefundOrder) -> bool:
    """Whether the answer is of this refund. For a key sent before it is the payment as it stands,
    and not the refund of that key."""
    made = answer.original_amount - answer.new_amount == order.money.minor
    back = before.refunded
    stands = (
        back is not None
        and back >= order.money
        and answer.new_amount == (before.money - back).minor
    )
    same = answer.payment_id == before.payment_id
    return same and (made or stands) and answer.status in STAGES


def refund(order: RefundOrder, key: str, status: str, at: datetime) -> RefundFact:
    """T-Bank gives a refund no id: it is known by the request id that we gave it."""
    return RefundFact(
        gateway_refund_id=f"{order.gateway_payment_id}:{key}",
        gateway_payment_id=order.gateway_payment_id,
        stage=STAGES[status],
        money=order.money,
        at=at,
        mark=order.mark,
    )
