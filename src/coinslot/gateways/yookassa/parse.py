"""What YooKassa says, read strictly and turned into facts: objects, notifications, refusals.

Readers of objects take decoded JSON and raise ValueError for what they cannot read.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from coinslot.gateways import marks
from coinslot.gateways.asking import ABSENT
from coinslot.gateways.base import Declined, PaymentFact, RefundFact, RefundStage, Taken, Unclear
from coinslot.gateways.collecting import Closed, Pending, Progress, Redirect, ShowQr
from coinslot.gateways.receipts import (
    BeingRegistered,
    NotRegistered,
    ReceiptQuestion,
    ReceiptStatus,
    Registered,
)
from coinslot.gateways.wire import Reply
from coinslot.kit.money import Money

T = TypeVar("T")

SHAPE = r"\A[A-Za-z0-9-]{1,64}\Z"  # of every id of theirs; they are UUIDs, or look like them
Ident = Annotated[str, Meta(pattern=SHAPE)]
Time = Annotated[datetime, Meta(tz=True)]

TIME_TO_PAY = timedelta(hours=1)
PAID_WITHIN_THE_HOUR = frozenset({"bank_card", "yoo_money", "sberbank", "tinkoff_bank", "sbp"})
ABOUT_PAYMENTS = ("payment.", "refund.")
STAGES = {
    "pending": RefundStage.PENDING,
    "succeeded": RefundStage.PROCESSED,
    "canceled": RefundStage.FAILED,
}

# Text in the description -> our code. One code of theirs (invalid_request) covers all.
REFUSALS = {
    "doesn't exist or access denied": ABSENT,
    "idempotence key duplicated": "key_reused",
    "receipt is missing or illegal": "receipt",
}


class _Amount(Struct):
    value: str
    currency: str


class _Confirmation(Struct):
    type: str
    confirmation_url: Annotated[str, Meta(pattern=r"\Ahttps?://")] | None = None
    confirmation_data: str | None = None


class _Method(Struct):
    type: str


class _Ending(Struct):
    party: str = ""
    reason: str = ""


class _Payment(Struct):
    id: Ident
    status: Literal["pending", "waiting_for_capture", "succeeded", "canceled"]
    amount: _Amount
    created_at: Time
    captured_at: Time | None = None
    confirmation: _Confirmation | None = None
    payment_method: _Method | None = None
    refunded_amount: _Amount | None = None
    income_amount: _Amount | None = None  # what is left of it for the shop
    cancellation_details: _Ending | None = None
    description: str | None = None
    metadata: object = None


class _Refund(Struct):
    id: Ident
    payment_id: Ident
    status: Literal["pending", "succeeded", "canceled"]
    amount: _Amount
    created_at: Time
    metadata: object = None


class _Receipt(Struct):
    id: Annotated[str, Meta(pattern=SHAPE)]
    type: str
    status: Literal["pending", "succeeded", "canceled"]
    payment_id: str | None = None
    refund_id: str | None = None
    fiscal_document_number: str | None = None
    fiscal_storage_number: str | None = None
    fiscal_attribute: str | None = None
    registered_at: str | None = None
    cancellation_details: "_Ending | None" = None
    settlements: "tuple[_Settlement, ...]" = ()

    @property
    def closes(self) -> bool:
        """It settles what was paid in advance."""
        return any(one.type == "prepayment" for one in self.settlements)


class _Settlement(Struct):
    type: str


class _Recipient(Struct):
    account_id: str


class _Subject(Struct):
    id: Ident
    payment_id: Ident | None = None  # of a refund
    recipient: _Recipient | None = None  # of a payment: whose shop


class Notification(Struct):
    """What is posted to us. Nothing in it is proved: it says what to ask about."""

    type: Literal["notification"]
    event: str
    object: object

    @property
    def payment_id(self) -> str | None:
        """The payment that it is about, also when it is about a refund of it. None for what is not
        about payments: payouts, deals, saved methods."""
        if not self.event.startswith(ABOUT_PAYMENTS):
            return None
        said = msgspec.convert(self.object, _Subject)
        return said.payment_id or said.id

    @property
    def shop_id(self) -> str | None:
        if self.payment_id is None:
            return None
        said = msgspec.convert(self.object, _Subject)
        return said.recipient.account_id if said.recipient else None


class Page(Struct):
    """One page of a list, the newest things first."""

    items: list[object]
    next_cursor: str | None = None


def page(body: object) -> Page:
    return msgspec.convert(body, Page)


def progress(body: object) -> Progress:
    """A payment as far as it has come; only `succeeded` is money."""
    said = msgspec.convert(body, _Payment)
    _money(said.amount)
    match said.status:
        case "pending":
            return _pending(said)
        case "canceled":
            return Closed(reference=said.id, reason=_why(said))
        case "waiting_for_capture":
            return _fact(said, Taken.AUTHORIZED)
        case "succeeded":
            return _fact(said, Taken.CAPTURED)


def payment(body: object) -> PaymentFact | None:
    """None while the payer has not paid yet."""
    said = msgspec.convert(body, _Payment)
    if said.status == "canceled":
        return _fact(said, Taken.FAILED)
    told = progress(body)
    return told if isinstance(told, PaymentFact) else None


def refund(body: object) -> RefundFact:
    said = msgspec.convert(body, _Refund)
    if _money(said.amount).minor == 0:
        raise ValueError("a refund of nothing")
    return RefundFact(
        gateway_refund_id=said.id,
        gateway_payment_id=said.payment_id,
        stage=STAGES[said.status],
        money=_money(said.amount),
        at=said.created_at,
        mark=marks.read(said.metadata),
    )


def receipt_status(body: object) -> ReceiptStatus:
    said = msgspec.convert(body, _Receipt)
    match said.status:
        case "pending":
            return BeingRegistered(receipt_id=said.id)
        case "canceled":
            why = said.cancellation_details or _Ending()
            return NotRegistered(receipt_id=said.id, reason=marks.clean(why.reason or "canceled"))
        case "succeeded":
            told = {
                "document": said.fiscal_document_number, "storage": said.fiscal_storage_number,
                "attribute": said.fiscal_attribute, "registered_at": said.registered_at,
            }  # fmt: skip
            numbers = {name: marks.clean(value) for name, value in told.items() if value}
            return Registered(receipt_id=said.id, numbers=numbers)


def receipt_about(about: ReceiptQuestion) -> Callable[[object], ReceiptStatus | None]:
    """Reads a receipt of this payment, or of this refund; None for any other."""

    def read_it(body: object) -> ReceiptStatus | None:
        said = msgspec.convert(body, _Receipt)
        if about.gateway_refund_id is None:
            mine = said.type == "payment" and said.payment_id == about.gateway_payment_id
            mine = mine and said.closes is about.closing
        else:
            mine = said.type == "refund" and said.refund_id == about.gateway_refund_id
        return receipt_status(body) if mine else None

    return read_it


def receipt_weight(one: ReceiptStatus) -> int:
    """One that is registered counts, then one that may still be."""
    match one:
        case Registered():
            return 2
        case BeingRegistered():
            return 1
        case NotRegistered():
            return 0


def about(payment_id: str, reader: Callable[[object], T]) -> Callable[[object], T]:
    """Reads this payment, and no other."""

    def read_it(body: object) -> T:
        if (said := msgspec.convert(body, _Subject).id) != payment_id:
            raise ValueError(f"asked for {payment_id}, answered with {said}")
        return reader(body)

    return read_it


def refund_of(payment_id: str) -> Callable[[object], RefundFact]:
    """Reads a refund of this payment, and no other."""

    def read_it(body: object) -> RefundFact:
        if (said := refund(body)).gateway_payment_id != payment_id:
            raise ValueError(f"asked for refunds of {payment_id}, answered with {said}")
        return said

    return read_it


def only(money: Money) -> Callable[[object], Progress]:
    """Reads a payment of this amount, and no other."""

    def read_it(body: object) -> Progress:
        if (said := _money(msgspec.convert(body, _Payment).amount)) != money:
            raise ValueError(f"asked for {money}, answered with {said}")
        return progress(body)

    return read_it


def weight(one: Progress) -> int:
    """Money first, then what may still bring some."""
    match one:
        case PaymentFact(taken=Taken.CAPTURED):
            return 3
        case PaymentFact():
            return 2
        case Pending():
            return 1
        case Closed():
            return 0


def refused(reply: Reply) -> Declined | Unclear:
    """Their no in our words. What is not in their form was not said by them."""
    code, status = reply.body.get("code"), reply.status
    if status == 429:
        return Declined("too many requests", "rate_limited", permanent=False)
    theirs = reply.body.get("type") == "error" and isinstance(code, str)
    if not theirs or not 400 <= status < 500 or status in (408, 409):
        return Unclear(f"HTTP {status}")
    named = [reply.body.get("description") or "no description", reply.body.get("parameter")]
    reason = marks.clean(": ".join(str(part) for part in reversed(named) if part))
    if status in (401, 403):  # mends itself when the operator corrects the key or the rights
        return Declined(reason, "unauthorized", permanent=False)
    if status == 404:
        return Declined(reason, ABSENT)
    ours = [word for words, word in REFUSALS.items() if words in reason.lower()]
    if str(reply.body.get("parameter")).split(".")[0] == "receipt":
        ours.append("receipt")
    return Declined(reason, ours[0] if ours else str(code))


def _fact(said: _Payment, taken: Taken) -> PaymentFact:
    money = _money(said.amount)
    if taken is Taken.CAPTURED and money.minor == 0:
        raise ValueError("a payment that took nothing")
    # It stands there once something went back; pending refunds are not in it.
    back = said.refunded_amount
    return PaymentFact(
        gateway_payment_id=said.id,
        taken=taken,
        money=money,
        at=said.captured_at or said.created_at,
        mark=marks.read(said.metadata),
        refunded=Money.zero(money.currency) if back is None else _money(back),
        fee=None if said.income_amount is None else money - _money(said.income_amount),
        description=marks.clean(said.description or ""),
    )


def _pending(said: _Payment) -> Pending:
    method = said.payment_method.type if said.payment_method else None
    within = said.created_at + TIME_TO_PAY if method in PAID_WITHIN_THE_HOUR else None
    return Pending(reference=said.id, action=_action(said.confirmation), expires_at=within)


def _action(said: _Confirmation | None) -> Redirect | ShowQr | None:
    match said:
        case _Confirmation(type="redirect", confirmation_url=str(url)):
            return Redirect(url)
        case _Confirmation(type="qr", confirmation_data=str(text)):
            return ShowQr(text=marks.clean(text))
        case _Confirmation(type="redirect" | "qr"):
            raise ValueError(f"a {said.type} that leads nowhere")
        case _:
            return None


def _why(said: _Payment) -> str:
    ending = said.cancellation_details or _Ending()
    return marks.clean(ending.reason or "canceled")


def _money(said: _Amount) -> Money:
    money = Money.parse(said.value, said.currency)
    if money.minor < 0:
        raise ValueError(f"an amount below nothing: {said.value}")
    return money
