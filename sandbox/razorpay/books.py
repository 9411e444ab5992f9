"""Razorpay's own truth, for audits from outside: what was captured, what went back."""

from typing import Any

from sandbox.razorpay.things import Payment, Refund, everything
from sandbox.store import Change


def payments(change: Change) -> list[dict[str, Any]]:
    """Every payment in minor units; only processed refunds count."""
    processed: dict[str, int] = {}
    for refund in everything(change, Refund):
        if refund.status == "processed":
            given = processed.get(refund.payment_id, 0)
            processed[refund.payment_id] = given + refund.amount
    return [
        {
            "reference": payment.id,
            "qr_code_id": payment.qr_code_id,
            "amount": payment.amount,
            "currency": payment.currency,
            "captured": payment.amount if payment.captured else 0,
            "refunded": processed.get(payment.id, 0),
        }
        for payment in everything(change, Payment)
    ]
