"""YooKassa's own truth, for audits from outside: what was captured, what went back."""

from typing import Any

from sandbox.shelf import everything
from sandbox.store import Change
from sandbox.yookassa.things import FiscalReceipt, Payment


def payments(change: Change) -> list[dict[str, Any]]:
    """Every payment in minor units; only refunds that succeeded count."""
    return [
        {
            "reference": payment.id,
            "account_id": payment.account_id,
            "status": payment.status,
            "amount": payment.amount,
            "currency": payment.currency,
            "captured": payment.amount if payment.status == "succeeded" else 0,
            "refunded": payment.refunded,
            "receipt": payment.receipt,
        }
        for payment in everything(change, Payment)
    ]


def receipts(change: Change) -> list[dict[str, Any]]:
    """What the till made of every receipt, in minor units."""
    return [
        {
            "id": one.id, "account_id": one.account_id, "payment": one.payment_id,
            "refund": one.refund_id, "kind": "closing" if one.closes else one.type,
            "status": one.status, "amount": one.amount,
        }
        for one in everything(change, FiscalReceipt)
    ]  # fmt: skip
