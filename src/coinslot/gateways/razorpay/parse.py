"""What Razorpay says, read strictly and turned into facts: objects, events, refusals.

Readers of objects take decoded JSON and raise ValueError for what they cannot read.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from coinslot.gateways import marks
from coinslot.gateways.asking import ABSENT
from coinslot.gateways.base import (
    Absent,
    Declined,
    DisputeFact,
    DisputeStage,
    Fact,
    PaymentFact,
    QrFact,
    RefundFact,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.listing import SettledLine
from coinslot.gateways.wire import Reply
from coinslot.kit.money import Money

Ident = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_]{1,64}\Z")]
Minor = Annotated[int, Meta(ge=0, le=10**14)]
Paid = Annotated[int, Meta(ge=1, le=10**14)]  # nothing, or more than there is, was never paid
Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]  # to the end of the year 9999

STAGES = {
    "created": RefundStage.PENDING,
    "pending": RefundStage.PENDING,
    "processed": RefundStage.PROCESSED,
    "failed": RefundStage.FAILED,
}
ENDS = {"won": DisputeStage.WON, "closed": DisputeStage.WON, "lost": DisputeStage.LOST}

CURRENCY_OF_QR = "INR"  # a code states an amount without one; UPI knows no other

# Text in the description -> our code, permanent. One code of theirs (BAD_REQUEST_ERROR) covers all.
REFUSALS = {
    "different request": ("key_reused", True),
    "fully refunded": ("fully_refunded", True),
    "refund amount provided is greater": ("exceeds_capture", True),
    "6 months": ("too_old", True),
    "should be captured": ("not_captured", False),
    # No page documents the text for an empty balance; merchants report these two.
    "enough balance": ("insufficient_balance", False),
    "invalid request sent": ("insufficient_balance", False),
    "in progress": ("busy", False),
    "already closed": ("already_closed", True),
    "requested url was not found": ("not_enabled", False),  # QR codes are off for this account
    "already exists": ("key_reused", True),  # a link with this reference
    "cannot be cancelled": ("wrong_state", True),
    "does not exist": (ABSENT, True),
    "not a valid id": (ABSENT, True),
}


class Event(Struct):
    """The envelope of a webhook; its payload is read only for events that are known here."""

    event: str
    account_id: str | None = None
    created_at: object = None
    payload: object = None


class _Payment(Struct):
    id: Ident
    amount: Paid
    currency: str
    status: Literal["created", "pending", "authorized", "captured", "refunded", "failed"]
    created_at: Seconds | None = None  # the short form in events may leave it out
    captured: bool | None = None
    order_id: Ident | None = None
    amount_refunded: Minor | None = None
    fee: Minor | None = None  # the tax on it is in it
    notes: object = None
    description: str | None = None
    acquirer_data: object = None


class _Refund(Struct):
    id: Ident
    payment_id: Ident
    amount: Paid
    currency: str
    status: Literal["created", "pending", "processed", "failed"]
    created_at: Seconds | None = None
    notes: object = None


class _Dispute(Struct):
    id: Ident
    payment_id: Ident
    amount: Minor
    currency: str
    status: str
    reason_code: str | None = None
    created_at: Seconds | None = None


class _Qr(Struct):
    id: Ident
    usage: Literal["single_use", "multiple_use"]
    status: Literal["active", "closed"]
    image_url: str = ""  # events may leave it out
    payment_amount: Minor | None = None
    close_by: Seconds | None = None
    closed_at: Seconds | None = None
    notes: object = None


class Link(Struct):
    """A payment link as the API gives it."""

    id: Ident
    amount: Paid
    currency: str
    status: Literal["created", "partially_paid", "paid", "cancelled", "expired"]
    short_url: str = ""
    order_id: Ident | None = None
    expire_by: Seconds | None = None
    notes: object = None

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class _Links(Struct):
    payment_links: list[object]


class _Line(Struct):
    entity_id: Ident
    type: str
    amount: Minor
    currency: str
    fee: Annotated[int, Meta(ge=-(10**14), le=10**14)]
    settled: bool
    settlement_id: Ident | None = None
    settled_at: Seconds | None = None


class _Items(Struct):
    items: list[object]


def facts(event: Event) -> tuple[Fact, ...]:
    """What an event states; nothing for events that are not known here."""
    found: list[Fact | None] = []
    match event.event:
        case (
            "payment.authorized"
            | "payment.captured"
            | "payment.failed"
            | "order.paid"
            | ("payment_link.paid")
        ):
            found = [payment(_entity(event, "payment"), at=_event_time(event))]
        case "qr_code.credited":
            # The code's own counters are a snapshot that may be older than this credit: unread.
            qr_code_id = msgspec.convert(_entity(event, "qr_code"), _Qr).id
            paid = _entity(event, "payment")
            found = [payment(paid, at=_event_time(event), qr_code_id=qr_code_id)]
        case "qr_code.closed":
            found = [qr(_entity(event, "qr_code"))]
        case "refund.created" | "refund.processed" | "refund.failed":
            found = [
                _never_captured(event),
                refund(_entity(event, "refund"), told_at=event.created_at),
            ]
        case name if name.startswith("payment.dispute."):
            found = [_dispute(_entity(event, "dispute"), _event_time(event))]
        case _:
            pass
    return tuple(fact for fact in found if fact is not None)


def payment(
    body: object, *, at: datetime | None = None, qr_code_id: str | None = None
) -> PaymentFact | None:
    """None while the payer has not paid yet. Without `at` the payment's creation stands for it."""
    said = msgspec.convert(body, _Payment)
    match said.status:
        case "created" | "pending":
            return None
        case "authorized":
            taken = Taken.AUTHORIZED
        case "failed":
            taken = Taken.FAILED
        case "captured":
            taken = Taken.CAPTURED
        case "refunded":  # never captured: the gateway gave it back by itself
            taken = Taken.AUTHORIZED if said.captured is False else Taken.CAPTURED
    back = said.amount_refunded
    return PaymentFact(
        gateway_payment_id=said.id,
        taken=taken,
        money=Money(said.amount, said.currency),
        at=at or _time(said.created_at),
        qr_code_id=qr_code_id,
        gateway_order_id=said.order_id,
        mark=marks.read(said.notes),
        refunded=None if back is None else Money(back, said.currency),
        fee=_fee(said, taken),
        description=marks.clean(said.description or ""),
        payer_reference=_rrn(said.acquirer_data),
    )


def _rrn(acquirer_data: object) -> str | None:
    """Twelve digits in the payer's own app. What looks otherwise costs nobody the payment."""
    rrn = acquirer_data.get("rrn") if isinstance(acquirer_data, dict) else None
    return rrn if isinstance(rrn, str) and re.fullmatch(r"[A-Za-z0-9]{6,40}", rrn) else None


def _fee(said: _Payment, taken: Taken) -> Money | None:
    if taken is not Taken.CAPTURED or said.fee is None:
        return None
    return Money(said.fee, said.currency)


def refund(body: object, *, told_at: object = None) -> RefundFact:
    """The refund's creation is its time, so that every event of it says the same."""
    said = msgspec.convert(body, _Refund)
    return RefundFact(
        gateway_refund_id=said.id,
        gateway_payment_id=said.payment_id,
        stage=STAGES[said.status],
        money=Money(said.amount, said.currency),
        at=_time(told_at if said.created_at is None else said.created_at),
        mark=marks.read(said.notes),
    )


def _dispute(body: object, at: datetime | None) -> DisputeFact:
    """A word that is not known here leaves it open, for a person; `closed` took no money."""
    said = msgspec.convert(body, _Dispute)
    return DisputeFact(
        gateway_dispute_id=said.id,
        gateway_payment_id=said.payment_id,
        stage=ENDS.get(said.status, DisputeStage.OPEN),
        money=Money(said.amount, said.currency),
        reason=marks.clean(said.reason_code or ""),
        at=at or _time(said.created_at),
    )


def qr(body: object) -> QrFact:
    said = msgspec.convert(body, _Qr, strict=False)  # events may write close_by as a string
    fixed = said.payment_amount
    return QrFact(
        qr_code_id=said.id,
        image_url=marks.clean(said.image_url),
        open=said.status == "active",
        reusable=said.usage == "multiple_use",
        money=None if fixed is None else Money(fixed, CURRENCY_OF_QR),
        expires_at=None if said.close_by is None else _time(said.close_by),
        mark=marks.read(said.notes),
        closed_at=None if said.closed_at is None else _time(said.closed_at),
    )


def printable_qr(body: object) -> QrFact:
    """A code as the API gives it: without a picture it is of no use."""
    fact = qr(body)
    if not fact.image_url:
        raise ValueError(f"{fact.qr_code_id} has no image_url")
    return fact


def first_qr(body: object) -> QrFact | Absent:
    listed = items(body)
    return printable_qr(listed[0]) if listed else Absent()


def link(body: object) -> Link:
    return msgspec.convert(body, Link)


def links(body: object) -> list[Link]:
    return [link(one) for one in msgspec.convert(body, _Links).payment_links]


def payments(body: object) -> list[PaymentFact]:
    found = [payment(one) for one in items(body)]
    return [fact for fact in found if fact is not None]


def settled_line(body: object) -> SettledLine | None:
    """None for what is no payment, and for what is not paid out yet."""
    said = msgspec.convert(body, _Line)
    if said.type != "payment" or not said.settled or said.settled_at is None:
        return None
    return SettledLine(
        gateway_payment_id=said.entity_id,
        gross=Money(said.amount, said.currency),
        fee=Money(said.fee, said.currency),
        settlement=said.settlement_id or "",
        at=datetime.fromtimestamp(said.settled_at, UTC),
    )


def items(body: object) -> list[object]:
    return msgspec.convert(body, _Items).items


def refused(reply: Reply) -> Declined | Unclear:
    """Their no in our words. What is not in their form was not said by them."""
    error = reply.body.get("error")
    if reply.status == 429:
        return Declined("too many requests", "rate_limited", permanent=False)
    if not isinstance(error, dict) or not 400 <= reply.status < 500 or reply.status == 408:
        return Unclear(f"HTTP {reply.status}")
    reason = marks.clean(str(error.get("description") or "no description"))
    if error.get("code") in ("GATEWAY_ERROR", "SERVER_ERROR"):
        return Unclear(reason)
    if reply.status in (401, 403):  # mends itself when the operator corrects the keys
        return Declined(reason, "unauthorized", permanent=False)
    for words, (code, permanent) in REFUSALS.items():
        if words in reason.lower():
            # 409 in progress: our own first try may be the one that is being worked on.
            busy = reply.status == 409 and code == "busy"
            return Unclear(reason) if busy else Declined(reason, code, permanent)
    if reply.status == 409:
        return Unclear(reason)
    return Declined(reason, ABSENT if reply.status == 404 else "")


def _entity(event: Event, kind: str) -> object:
    payload = event.payload if isinstance(event.payload, dict) else {}
    holder = payload.get(kind)
    if not isinstance(holder, dict):
        raise ValueError(f"{event.event} without {kind}")
    return holder.get("entity")


def _never_captured(event: Event) -> PaymentFact | None:
    """The payment beside a refund, when the gateway gave back what nobody had captured."""
    payload = event.payload if isinstance(event.payload, dict) else {}
    if "payment" not in payload:
        return None
    found = payment(_entity(event, "payment"), at=_event_time(event))
    return found if found is not None and found.taken is Taken.AUTHORIZED else None


def _event_time(event: Event) -> datetime:
    return _time(event.created_at)


def _time(said: object) -> datetime:
    return datetime.fromtimestamp(msgspec.convert(said, Seconds), UTC)
