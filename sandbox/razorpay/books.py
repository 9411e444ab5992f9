"""Razorpay's own truth, for audits from outside: what was captured, what went back."""

from typing import Any

from sandbox.razorpay.things import Payment, Refund
from sandbox.shelf import Window, children, everything
from sandbox.store import Change


def payments(change: Change) -> list[dict[str, Any]]:
    """Every payment in minor units; only processed refunds count."""
    given = refunded(change)
    return [
        {
            "reference": payment.id,
            "qr_code_id": payment.qr_code_id,
            "amount": payment.amount,
            "currency": payment.currency,
            "captured": payment.amount if payment.captured else 0,
            "refunded": given.get(payment.id, 0),
        }
        for payment in everything(change, Payment)
    ]


def refunded(change: Change, references: list[str] | None = None) -> dict[str, int]:
    """What went back for good, by payment; of all payments unless some are named."""
    if references is None:
        refunds = everything(change, Refund)
    else:
        whole = Window(count=1_000)
        refunds = [one for ref in references for one in children(change, Refund, ref, whole)]
    given: dict[str, int] = {}
    for refund in refunds:
        if refund.status == "processed":
            given[refund.payment_id] = given.get(refund.payment_id, 0) + refund.amount
    return given


def totals(change: Change) -> tuple[int, int]:
    """All that was captured, and all that went back for good, in paise."""
    taken = change.one(
        "SELECT coalesce(sum(json_extract(body, '$.amount')), 0) FROM things"
        " WHERE kind = 'payment' AND json_extract(body, '$.captured')"
    )
    back = change.one(
        "SELECT coalesce(sum(json_extract(body, '$.amount')), 0) FROM things"
        " WHERE kind = 'refund' AND json_extract(body, '$.status') = 'processed'"
    )
    return taken[0], back[0]
