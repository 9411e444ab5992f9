"""The life of a payment: pending, held, succeeded, canceled; and the event each step raises."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from sandbox import chores
from sandbox.clock import now_ms
from sandbox.shelf import put
from sandbox.yookassa import fields, receipts
from sandbox.yookassa.accounts import ACCOUNTS
from sandbox.yookassa.desk import Desk, fresh_id, tell
from sandbox.yookassa.fields import Amount, Receipt
from sandbox.yookassa.refusals import ApiError
from sandbox.yookassa.settings import Account
from sandbox.yookassa.things import Payment
from sandbox.yookassa.wire import decimal, fee

LAPSES, HOLD_ENDS = "yookassa.payment.lapses", "yookassa.payment.hold_ends"
RETURN_URL_CHARS, DESCRIPTION_CHARS = 2_048, 128


class Confirmation(msgspec.Struct, frozen=True):
    type: Literal["redirect", "qr"]
    return_url: str | None = None


class Method(msgspec.Struct, frozen=True):
    type: Literal["bank_card", "sbp", "yoo_money", "sberbank", "tinkoff_bank"]


class Wish(msgspec.Struct, frozen=True):
    """The body of a creation; without `capture` the money is only held."""

    amount: Amount
    confirmation: Confirmation | None = None
    payment_method_data: Method | None = None
    capture: bool = False
    description: str | None = None
    metadata: dict[str, Any] | None = None
    receipt: Receipt | None = None


class CaptureWish(msgspec.Struct, frozen=True):
    amount: Amount | None = None
    receipt: Receipt | None = None


def create(desk: Desk, account: Account, body: Mapping[str, Any]) -> Payment:
    wish = fields.read(body, Wish)
    confirmation = _confirmed(wish)
    amount = wish.amount.needed()
    fields.checked(wish.receipt, amount, needed=account.receipts)
    fields.taken(wish.receipt, refused="payment" in account.receipts_refused)
    payment = Payment(
        id=fresh_id(),
        account_id=account.account_id,
        created_at=now_ms(),
        notes=fields.metadata(wish.metadata),
        amount=amount,
        currency=wish.amount.currency,
        capture=wish.capture,
        method=wish.payment_method_data.type if wish.payment_method_data else None,
        confirmation=confirmation.type,
        return_url=confirmation.return_url,
        description=fields.text(wish.description, "description", DESCRIPTION_CHARS),
        receipt=body.get("receipt"),
    )
    put(desk.change, payment)
    chores.later(desk.change, LAPSES, payment.id, desk.tempo.time_to_pay_ms)
    return payment


def _confirmed(wish: Wish) -> Confirmation:
    said, method = wish.confirmation, wish.payment_method_data
    if said is None:
        raise ApiError(fields.INVALID, "confirmation")
    if said.type == "redirect" and not said.return_url:
        raise ApiError(fields.INVALID, "confirmation.return_url")
    fields.text(said.return_url, "confirmation.return_url", RETURN_URL_CHARS)
    by_sbp = method is not None and method.type == "sbp"
    if said.type == "qr" and not by_sbp:
        raise ApiError(fields.INVALID, "confirmation.type")
    if by_sbp and not wish.capture:  # SBP has one stage only
        raise ApiError(fields.INVALID, "capture")
    return said


def pay(desk: Desk, payment: Payment, method: str) -> None:
    """The payer confirmed: the money is taken, or held."""
    payment.method = payment.method or method
    if payment.capture or payment.method == "sbp":
        _succeed(desk, payment)
        return
    payment.status = "waiting_for_capture"
    payment.expires_at = now_ms() + desk.tempo.hold_ms
    put(desk.change, payment)
    chores.later(desk.change, HOLD_ENDS, payment.id, desk.tempo.hold_ms)
    tell(desk, "payment.waiting_for_capture", payment)
    desk.change.tell(f"payment {payment.id} holds {decimal(payment.amount)} ₽")


def capture(desk: Desk, payment: Payment, body: Mapping[str, Any]) -> Payment:
    """The whole or a part, once; the rest goes back to the payer."""
    wish = fields.read(body, CaptureWish)
    if payment.status != "waiting_for_capture":
        raise ApiError("Payment is not in the waiting_for_capture status.", "payment_id")
    amount = payment.amount if wish.amount is None else wish.amount.needed()
    if amount > payment.amount:
        raise ApiError(fields.INVALID, "amount.value")
    account = ACCOUNTS.find(desk.change, payment.account_id)
    # Of a part it does not know what is left of the goods.
    fields.checked(wish.receipt, amount, needed=account.receipts and amount != payment.amount)
    fields.taken(wish.receipt, refused="payment" in account.receipts_refused)
    payment.amount = amount
    payment.receipt = body.get("receipt", payment.receipt)
    _succeed(desk, payment)
    return payment


def _succeed(desk: Desk, payment: Payment) -> None:
    payment.status, payment.captured_at = "succeeded", now_ms()
    put(desk.change, payment)
    ACCOUNTS.credit(desk.change, payment.account_id, payment.amount - fee(payment.amount))
    tell(desk, "payment.succeeded", payment)
    receipts.of_payment(desk, payment)
    desk.change.tell(f"payment {payment.id} captured")


def void(desk: Desk, payment: Payment) -> Payment:
    """The API's cancel: of a hold alone. What waits for its payer cannot be canceled."""
    if payment.status != "waiting_for_capture":
        raise ApiError("Payment is not in the waiting_for_capture status.", "payment_id")
    cancel(desk, payment, "merchant", "canceled_by_merchant")
    return payment


def cancel(desk: Desk, payment: Payment, party: str, reason: str) -> None:
    payment.status, payment.party, payment.reason = "canceled", party, reason
    put(desk.change, payment)
    tell(desk, "payment.canceled", payment)
    desk.change.tell(f"payment {payment.id} failed: {reason}")


def lapse(desk: Desk, payment: Payment, name: str) -> None:
    """Time is up: for the payer to pay, or for the merchant to capture."""
    if name == LAPSES and payment.status == "pending":
        cancel(desk, payment, "yoo_money", "expired_on_confirmation")
    elif name == HOLD_ENDS and payment.status == "waiting_for_capture":
        cancel(desk, payment, "yoo_money", "expired_on_capture")
