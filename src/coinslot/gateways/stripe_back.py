"""What goes back at Stripe, read strictly: refunds and disputes. Part of `stripe_facts`' ear."""

from datetime import UTC, datetime

import msgspec

from coinslot.gateways import marks
from coinslot.gateways import stripe_shapes as shapes
from coinslot.gateways.base import DisputeFact, DisputeStage, RefundFact, RefundStage
from coinslot.kit.money import Money

STAGES = {
    "pending": RefundStage.PENDING,
    "requires_action": RefundStage.PENDING,
    "succeeded": RefundStage.PROCESSED,
    "failed": RefundStage.FAILED,
    "canceled": RefundStage.FAILED,
}
ENDS = {
    "won": DisputeStage.WON,
    "warning_closed": DisputeStage.WON,
    "prevented": DisputeStage.WON,
    "lost": DisputeStage.LOST,
}


def refund(body: object) -> RefundFact:
    """The refund's creation is its time, so that every event of it says the same."""
    fact = refund_of_payment(body)
    if fact is None:
        raise ValueError("a refund without a payment intent")
    return fact


def refund_of_payment(body: object) -> RefundFact | None:
    said = msgspec.convert(body, shapes.Refund)
    if said.payment_intent is None:
        nothing_of_ours(said.metadata)
        return None
    if said.status not in STAGES:
        raise ValueError(f"a refund that is {marks.clean(str(said.status))}")
    if said.amount == 0:
        raise ValueError("a refund of nothing")
    return RefundFact(
        gateway_refund_id=said.id,
        gateway_payment_id=said.payment_intent,
        stage=STAGES[said.status],
        money=Money(said.amount, said.currency.upper()),
        at=_time(said.created),
        mark=marks.read(said.metadata),
    )


def nothing_of_ours(noted: object) -> None:
    """What names no payment intent is other people's: whatever we make names one."""
    if marks.read(noted) is not None:
        raise ValueError("it bears a mark like ours, and names no payment intent")


def dispute(said: shapes.Dispute, at: datetime) -> DisputeFact:
    """An inquiry ends without money moving; a word that is not known here leaves it open."""
    if said.payment_intent is None:
        raise ValueError("a dispute that names no payment intent")
    return DisputeFact(
        gateway_dispute_id=said.id,
        gateway_payment_id=said.payment_intent,
        stage=ENDS.get(said.status, DisputeStage.OPEN),
        money=Money(said.amount, said.currency.upper()),
        reason=marks.clean(said.reason),
        at=at,
    )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
