"""Fiscal receipts: one for each payment and refund that brought one, and those that are sent by
themselves. A till registers each a little later, or gives it up."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from sandbox import chores
from sandbox.clock import now_ms
from sandbox.shelf import everything, find, put
from sandbox.yookassa import fields, wire
from sandbox.yookassa.accounts import ACCOUNTS
from sandbox.yookassa.desk import Desk, fresh_id
from sandbox.yookassa.fields import Amount, Receipt
from sandbox.yookassa.refusals import ApiError, no_such_payment, no_such_refund
from sandbox.yookassa.settings import Account
from sandbox.yookassa.things import FiscalReceipt, Payment, Refund

REGISTERS = "yookassa.receipt.registers"
DOCUMENTS_FROM = 3_000


class Settlement(msgspec.Struct, frozen=True):
    type: Literal["cashless", "prepayment", "postpayment", "consideration"]
    amount: Amount


class Wish(Receipt, frozen=True, kw_only=True):
    """A receipt that is sent by itself, for money that moved before."""

    type: Literal["payment", "refund"]
    send: bool
    settlements: list[Settlement]
    payment_id: str | None = None
    refund_id: str | None = None


def create(desk: Desk, account: Account, body: Mapping[str, Any]) -> FiscalReceipt:
    wish = fields.read(body, Wish)
    if not wish.send:
        raise ApiError(fields.INVALID, "send")
    total = sum(one.amount.needed() for one in wish.settlements)
    fields.checked(wish, total, needed=True)
    payment = find(desk.change, Payment, wish.payment_id or "", account.account_id)
    refund = find(desk.change, Refund, wish.refund_id or "", account.account_id)
    if wish.type == "payment" and (payment is None or payment.status != "succeeded"):
        raise no_such_payment()
    if wish.type == "refund" and (refund is None or refund.status != "succeeded"):
        raise no_such_refund()
    if any(one.type == "prepayment" for one in wish.settlements):
        _closable(desk, wish, payment, total)
    return _open(desk, account.account_id, wish.type, (payment, refund), body)


def _closable(desk: Desk, wish: Wish, payment: Payment | None, total: int) -> None:
    """The hand-over of what was paid in advance: full payment, and no more than was prepaid."""
    if payment is None or wish.type != "payment":
        raise ApiError(fields.INVALID, "type")
    if any(one.type != "prepayment" for one in wish.settlements):
        raise ApiError(fields.INVALID, "settlements.type")
    if any(line.payment_mode != "full_payment" for line in wish.items):
        raise ApiError(fields.INVALID, "items.payment_mode")
    paid = payment.receipt or {"items": []}
    prepaid = [one for one in paid["items"] if one.get("payment_mode") == "full_prepayment"]
    before = sum(
        one.amount for one in everything(desk.change, FiscalReceipt)
        if one.payment_id == payment.id and one.closes and one.status != "canceled"
    )  # fmt: skip
    if not prepaid or total + before > payment.amount:
        raise ApiError("Receipt is missing or illegal", "settlements")


def of_payment(desk: Desk, payment: Payment) -> None:
    """It was paid: what it brought goes to the till."""
    if payment.receipt is not None:
        _open(desk, payment.account_id, "payment", (payment, None), payment.receipt)


def of_refund(desk: Desk, refund: Refund) -> None:
    if refund.receipt is not None:
        _open(desk, refund.account_id, "refund", (None, refund), refund.receipt)


def _open(
    desk: Desk,
    account_id: str,
    kind: str,
    of: tuple[Payment | None, Refund | None],
    receipt: Mapping[str, Any],
) -> FiscalReceipt:
    payment, refund = of
    made = FiscalReceipt(
        id=f"rt-{fresh_id()}", account_id=account_id, created_at=now_ms(), type=kind,
        payment_id=payment.id if payment else None, refund_id=refund.id if refund else None,
        items=list(receipt["items"]), customer=dict(receipt["customer"]),
        tax_system_code=receipt.get("tax_system_code"),
        settlements=tuple(receipt.get("settlements") or [
            {"type": "cashless", "amount": wire.amount(fields.total(receipt["items"]), "RUB")}
        ]),
    )  # fmt: skip
    put(desk.change, made)
    chores.later(desk.change, REGISTERS, made.id, desk.tempo.receipt_ms)
    return made


def register(desk: Desk, receipt: FiscalReceipt) -> None:
    """What the till makes of it."""
    account = ACCOUNTS.find(desk.change, receipt.account_id)
    if receipt.status != "pending":
        return
    receipt.status = "canceled" if "till" in account.receipts_refused else "succeeded"
    if receipt.status == "succeeded":
        receipt.registered_at = now_ms()
        receipt.document = DOCUMENTS_FROM + now_ms() % 1_000_000
    put(desk.change, receipt)
    subject: Payment | Refund | None = find(desk.change, Payment, receipt.payment_id or "")
    subject = subject or find(desk.change, Refund, receipt.refund_id or "")
    if subject is not None:
        subject.registration = receipt.status
        put(desk.change, subject)
    desk.change.tell(f"receipt {receipt.id} {receipt.status}")
