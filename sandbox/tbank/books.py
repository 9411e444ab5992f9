"""T-Bank's own truth, for audits from outside: what was captured, what went back."""

from typing import Any

from sandbox.shelf import everything
from sandbox.store import Change
from sandbox.tbank.things import FiscalReceipt, Payment


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


def receipts(change: Change) -> list[dict[str, Any]]:
    """What the till made of every receipt, in minor units."""
    kinds = {"Income": "payment", "IncomeReturn": "refund"}
    ends = {"done": "succeeded", "failed": "canceled"}
    return [
        {
            "id": one.id, "account_id": one.account_id, "payment": one.payment_id, "refund": None,
            "kind": "closing" if one.closes else kinds[one.type],
            "status": ends.get(one.status, one.status), "amount": one.amount,
        }
        for one in everything(change, FiscalReceipt)
    ]  # fmt: skip
