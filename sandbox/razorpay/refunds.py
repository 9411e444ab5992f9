"""Refunds: reserved against the payment at once, processed now or later, or failed after all."""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox import chores, weather
from sandbox.clock import now_s
from sandbox.razorpay import accounts
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.desk import Desk, tell
from sandbox.razorpay.fields import Fields
from sandbox.razorpay.refusals import ApiError
from sandbox.razorpay.things import Payment, Refund
from sandbox.shelf import find, new_id, put

FIELDS = frozenset({"amount", "speed", "notes", "receipt"})
SMALLEST_MINOR = 100
KEY_SHAPE = re.compile(r"[A-Za-z0-9_-]{10,}")
SETTLES, FAILS = "razorpay.refund.settles", "razorpay.refund.fails"


class Wish(msgspec.Struct, frozen=True):
    """What is asked to go back; None is all that is left."""

    amount: int | None = None
    notes: dict[str, str] = {}
    receipt: str | None = None
    speed: str = "normal"


def wish(fields: Fields) -> Wish:
    return Wish(
        amount=fields.whole("amount", at_least=SMALLEST_MINOR),
        notes=fields.notes(),
        receipt=fields.text("receipt", at_most=40),
        speed=fields.choice("speed", ("normal", "optimum"), default="normal"),
    )


def once(desk: Desk, payment: Payment, key: str | None, body: Mapping[str, Any]) -> Refund:
    """Refund under an idempotency key: the same request answers with the same refund."""
    asked = wish(Fields(body, FIELDS))
    if key is None:
        return give_back(desk, payment, asked)
    if not KEY_SHAPE.fullmatch(key):
        raise ApiError("The idempotency key must be at least 10 characters of A-Z a-z 0-9 - _")
    request = json.dumps([payment.id, body], sort_keys=True)
    claim = desk.change.one(
        "SELECT request, thing_id FROM claims WHERE party = ? AND account_id = ? AND key = ?",
        (accounts.PARTY, payment.account_id, key),
    )
    if claim is None:
        refund = give_back(desk, payment, asked)
        desk.change.run(
            "INSERT INTO claims VALUES (?, ?, ?, ?, ?)",
            (accounts.PARTY, payment.account_id, key, request, refund.id),
        )
        return refund
    found = find(desk.change, Refund, claim["thing_id"])
    if claim["request"] != request or found is None:
        raise ApiError(
            "Different request with the same idempotency key has already been processed.",
            status=409,
        )
    return found


def give_back(desk: Desk, payment: Payment, asked: Wish) -> Refund:
    """Reserve the amount, take it from the balance, and let the weather say how it ends."""
    left = payment.amount - payment.amount_refunded
    if not payment.captured:
        raise ApiError("The payment status should be captured for action to be taken")
    if left == 0:
        raise ApiError("The payment has been fully refunded already.")
    amount = left if asked.amount is None else asked.amount
    if amount > left:
        raise ApiError(
            "The refund amount provided is greater than amount captured.", field="amount"
        )
    accounts.debit(desk.change, payment.account_id, amount)
    refund = Refund(
        id=new_id("rfnd_"),
        account_id=payment.account_id,
        created_at=now_s(),
        notes=asked.notes,
        payment_id=payment.id,
        amount=amount,
        currency=payment.currency,
        status="pending",
        receipt=asked.receipt,
        speed=asked.speed,
    )
    _reserve(desk, payment, amount)
    put(desk.change, refund)
    tell(desk, "refund.created", payment.id, refund, payment)
    _plan(desk, refund)
    return refund


def _plan(desk: Desk, refund: Refund) -> None:
    api = weather.current(desk.change).api
    if weather.strikes(desk.change, "api.refund_fails_later", api.refund_fails_later):
        chores.later(desk.change, FAILS, refund.id, desk.tempo.late_ms)
    elif api.refund_pending_ms:
        chores.later(desk.change, SETTLES, refund.id, api.refund_pending_ms)
    else:
        settle(desk, refund)


def settle(desk: Desk, refund: Refund) -> None:
    """The money has left for the customer."""
    if refund.status != "pending":
        return
    refund.status = "processed"
    put(desk.change, refund)
    _tell_outcome(desk, refund)


def fail(desk: Desk, refund: Refund) -> None:
    """The bank sent the money back: the payment can be refunded again."""
    if refund.status != "pending":
        return
    refund.status = "failed"
    put(desk.change, refund)
    payment = find(desk.change, Payment, refund.payment_id)
    if payment is not None:
        _reserve(desk, payment, -refund.amount)
    ACCOUNTS.credit(desk.change, refund.account_id, refund.amount)
    _tell_outcome(desk, refund)


def _reserve(desk: Desk, payment: Payment, amount: int) -> None:
    payment.amount_refunded += amount
    full = payment.amount_refunded == payment.amount
    payment.status = "refunded" if full else "captured"
    put(desk.change, payment)


def _tell_outcome(desk: Desk, refund: Refund) -> None:
    payment = find(desk.change, Payment, refund.payment_id)
    if payment is not None:
        tell(desk, f"refund.{refund.status}", payment.id, refund, payment)
    desk.change.tell(f"refund {refund.id} of {refund.payment_id} {refund.status}")
