"""Refunds: reserved against the payment at once; succeeded now or later, or canceled in silence."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox import chores, weather
from sandbox.clock import now_ms
from sandbox.shelf import find, put
from sandbox.yookassa import fields, receipts
from sandbox.yookassa.accounts import ACCOUNTS
from sandbox.yookassa.desk import Desk, fresh_id, tell
from sandbox.yookassa.fields import Amount, Receipt
from sandbox.yookassa.refusals import ApiError, no_such_payment
from sandbox.yookassa.settings import Account
from sandbox.yookassa.things import Payment, Refund

SETTLES, FAILS = "yookassa.refund.settles", "yookassa.refund.fails"
DESCRIPTION_CHARS = 250


class Wish(msgspec.Struct, frozen=True):
    payment_id: str
    amount: Amount
    description: str | None = None
    metadata: dict[str, Any] | None = None
    receipt: Receipt | None = None


def create(desk: Desk, account: Account, body: Mapping[str, Any]) -> Refund:
    wish = fields.read(body, Wish)
    payment = find(desk.change, Payment, wish.payment_id, account.account_id)
    if payment is None:
        raise no_such_payment()
    amount = wish.amount.needed()
    if payment.status != "succeeded":
        raise ApiError("Payment is not in the succeeded status.", "payment_id")
    if amount > payment.amount - payment.reserved:
        raise ApiError("Refund amount exceeds the payment amount.", "amount.value")
    # Of a whole payment it knows what to write on the receipt.
    in_part = amount != payment.amount
    fields.checked(wish.receipt, amount, needed=account.receipts and in_part)
    fields.taken(wish.receipt, refused="refund" in account.receipts_refused)
    refund = Refund(
        id=fresh_id(),
        account_id=account.account_id,
        created_at=now_ms(),
        notes=fields.metadata(wish.metadata),
        payment_id=payment.id,
        amount=amount,
        currency=wish.amount.currency,
        description=fields.text(wish.description, "description", DESCRIPTION_CHARS),
        receipt=body.get("receipt") or (None if in_part else payment.receipt),
    )
    give_back(desk, payment, refund)
    return refund


def by_hand(desk: Desk, payment: Payment, amount: int | None) -> Refund:
    """In the dashboard; None is all that is left."""
    left = payment.amount - payment.reserved
    refund = Refund(
        id=fresh_id(),
        account_id=payment.account_id,
        created_at=now_ms(),
        payment_id=payment.id,
        amount=left if amount is None else amount,
        currency=payment.currency,
    )
    if payment.status != "succeeded" or not 0 < refund.amount <= left:
        raise ApiError("Refund amount exceeds the payment amount.", "amount.value")
    give_back(desk, payment, refund)
    return refund


def give_back(desk: Desk, payment: Payment, refund: Refund) -> None:
    """Take it from the balance, and let the weather say how it ends."""
    if not ACCOUNTS.debit(desk.change, refund.account_id, refund.amount):
        refund.status, refund.reason = "canceled", "insufficient_funds"
        put(desk.change, refund)
        return
    payment.reserved += refund.amount
    put(desk.change, payment)
    put(desk.change, refund)
    sky = weather.current(desk.change).api
    if weather.strikes(desk.change, "api.refund_fails_later", sky.refund_fails_later):
        chores.later(desk.change, FAILS, refund.id, desk.tempo.late_ms)
    elif sky.refund_pending_ms:
        chores.later(desk.change, SETTLES, refund.id, sky.refund_pending_ms)
    else:
        settle(desk, refund)


def settle(desk: Desk, refund: Refund) -> None:
    """The money has left for the payer."""
    payment = find(desk.change, Payment, refund.payment_id)
    if refund.status != "pending" or payment is None:
        return
    refund.status = "succeeded"
    put(desk.change, refund)
    payment.refunded += refund.amount
    put(desk.change, payment)
    tell(desk, "refund.succeeded", refund)
    receipts.of_refund(desk, refund)
    desk.change.tell(f"refund {refund.id} of {refund.payment_id} processed")


def fail(desk: Desk, refund: Refund) -> None:
    """Canceled, and nobody is told: there is no such event."""
    payment = find(desk.change, Payment, refund.payment_id)
    if refund.status != "pending" or payment is None:
        return
    refund.status, refund.reason = "canceled", "general_decline"
    put(desk.change, refund)
    payment.reserved -= refund.amount
    put(desk.change, payment)
    ACCOUNTS.credit(desk.change, refund.account_id, refund.amount)
    desk.change.tell(f"refund {refund.id} of {refund.payment_id} failed, and no event says so")
