"""Stripe's own truth, for audits from outside: what was captured, what went back."""

from typing import Any

from sandbox.shelf import everything
from sandbox.store import Change
from sandbox.stripe.things import Intent, Refund


def payments(change: Change) -> list[dict[str, Any]]:
    """Every intent in minor units; only refunds that succeeded count."""
    given: dict[str, int] = {}
    for refund in everything(change, Refund):
        if refund.status == "succeeded":
            before = given.get(refund.payment_intent, 0)
            given[refund.payment_intent] = before + refund.amount
    return [
        {
            "reference": intent.id,
            "account_id": intent.account_id,
            "status": intent.status,
            "amount": intent.amount,
            "currency": intent.currency.upper(),
            "captured": intent.amount_received,
            "refunded": given.get(intent.id, 0),
        }
        for intent in everything(change, Intent)
    ]
