"""T-Bank's own truth, for audits from outside: what was captured, what went back."""

from typing import Any

from sandbox.shelf import everything
from sandbox.store import Change
from sandbox.tbank.things import Payment


def payments(change: Change) -> list[dict[str, Any]]:
    """Every session in minor units; only refunds that left count."""
    return [
        {
            "reference": payment.id,
            "account_id": payment.account_id,
            "order_id": payment.order_id,
            "status": payment.status,
            "amount": payment.amount,
            "currency": "RUB",
            "captured": payment.captured,
            "refunded": payment.refunded,
        }
        for payment in everything(change, Payment)
    ]
