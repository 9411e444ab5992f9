"""What Stripe says, read strictly and turned into facts: objects, events, refusals, signatures.

Readers of objects take decoded JSON and raise ValueError for what they cannot read.
"""

import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from coinslot.gateways import marks
from coinslot.gateways.asking import ABSENT
from coinslot.gateways.base import (
    Declined,
    DisputeFact,
    DisputeStage,
    Fact,
    PaymentFact,
    RefundFact,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Charge, Closed, Pending, Progress, Redirect
from coinslot.gateways.listing import SettledLine
from coinslot.gateways.wire import NoReply, Reply
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret, hmac_hex

Ident = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_]{1,255}\Z")]
Minor = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]  # to the end of the year 9999

DISPUTES = "charge.dispute."
KNOWN = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "payment_intent.succeeded",
        "payment_intent.amount_capturable_updated",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "charge.refunded",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.refund.updated",
    }
)
STAGES = {
    "pending": RefundStage.PENDING,
    "requires_action": RefundStage.PENDING,
    "succeeded": RefundStage.PROCESSED,
    "failed": RefundStage.FAILED,
    "canceled": RefundStage.FAILED,
}
ENDS = {
    "won": DisputeStage.WON,
    "warning_closed": DisputeStage.WON,
    "prevented": DisputeStage.WON,
    "lost": DisputeStage.LOST,
}

# Their code -> ours, permanent.
REFUSALS = {
    "resource_missing": (ABSENT, True),
    "charge_already_refunded": ("fully_refunded", True),
    "balance_insufficient": ("insufficient_balance", False),
    "lock_timeout": ("busy", False),
    "payment_intent_unexpected_state": ("unexpected_state", True),
}
# Where they give no code, the text.
TEXTS = {
    "greater than unrefunded amount": ("exceeds_capture", True),
    "does not have a successful charge": ("not_captured", False),
    "insufficient funds in your stripe account": ("insufficient_balance", False),
}

TOLERANCE = timedelta(minutes=5)


class Event(Struct):
    """The envelope of a webhook; what is in it is read only for types that are known here. A thin
    event has no data, and writes its time as a text."""

    id: Ident
    type: str
    created: object = None
    livemode: bool = False
    data: object = None
    account: str | None = None  # a connected account of a platform


class _Data(Struct):
    object: object


class _Balance(Struct):
    """What a movement did to the merchant's balance, in the currency of that balance."""

    id: Ident
    amount: int
    fee: int
    net: int
    currency: str
    type: str = ""
    created: Seconds = 0
    available_on: Seconds | None = None
    source: object = None


_WEB = re.compile(r"https?://[!-~]{1,1900}")


class _Charge(Struct):
    id: Ident
    amount: Minor
    currency: str
    created: Seconds
    captured: bool
    amount_refunded: Minor
    amount_captured: Minor | None = None
    payment_intent: Ident | None = None
    balance_transaction: Ident | _Balance | None = None
    receipt_url: object = None
    metadata: object = None


class _Intent(Struct):
    id: Ident
    amount: Minor
    currency: str
    created: Seconds
    status: Literal[
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "canceled",
        "succeeded",
    ]
    amount_received: Minor | None = None
    capture_method: str | None = None
    latest_charge: Ident | _Charge | None = None
    last_payment_error: object = None
    next_action: object = None
    cancellation_reason: str | None = None
    description: str | None = None
    metadata: object = None


class _Told(Struct):
    """A session in an event, as far as its payment counts: its shape is of the version that the
    merchant's endpoint has. A session that saves a card or begins a subscription has no sum."""

    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    mode: Literal["payment", "setup", "subscription"] = "payment"
    payment_intent: object = None
    amount_total: Minor | None = None
    currency: str | None = None
    metadata: object = None


class _Session(Struct):
    id: Ident
    status: Literal["open", "complete", "expired"]
    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    amount_total: Minor
    currency: str
    expires_at: Seconds | None = None  # an event may leave it out
    url: str | None = None
    payment_intent: Ident | _Intent | None = None
    metadata: object = None


class _Refund(Struct):
    id: Ident
    amount: Minor
    currency: str
    created: Seconds
    status: str | None = None
    payment_intent: Ident | None = None
    metadata: object = None


class _Dispute(Struct):
    id: Ident
    amount: Minor
    currency: str
    status: str
    reason: str = ""
    payment_intent: Ident | None = None


class Page(Struct):
    """One page of a list."""

    data: list[object]
    has_more: bool = False


class _Made(Struct):
    """A session or an intent."""

    object: Literal["checkout.session", "payment_intent"]


def facts(event: Event) -> tuple[Fact, ...]:
    """What an event states; nothing for types that are not known here."""
    fact: Fact | None = None
    if event.type not in KNOWN and not event.type.startswith(DISPUTES):
        return ()
    at = _time(msgspec.convert(event.created, Seconds))
    found = msgspec.convert(event.data, _Data).object
    match event.type:
        case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
            fact = _paid_session(found, at)
        case (
            "payment_intent.succeeded"
            | "payment_intent.amount_capturable_updated"
            | "payment_intent.payment_failed"
            | "payment_intent.canceled"
        ):
            fact = _payment(msgspec.convert(found, _Intent), at)
        case "charge.refunded":
            fact = charge(found)
        case "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated":
            fact = refund_of_payment(found)
        case _:
            fact = _dispute(msgspec.convert(found, _Dispute), at)
    return () if fact is None else (fact,)


def payment(body: object) -> PaymentFact | None:
    """The payment of a session or an intent; None while no money was tried yet."""
    said = _read(body)
    if isinstance(said, _Intent):
        return _payment(said)
    return _payment(said.payment_intent) if isinstance(said.payment_intent, _Intent) else None


def captured(body: object) -> PaymentFact:
    fact = payment(body)
    if fact is None or fact.taken is not Taken.CAPTURED:
        raise ValueError("a capture that took nothing")
    return fact


def progress(body: object) -> Progress:
    """How far a session or an intent has come; the intent inside a session comes expanded."""
    said = _read(body)
    return _session(said) if isinstance(said, _Session) else _intent(said)


def progress_of(charge: Charge, body: object) -> Progress:
    """The same for what a charge made. Another amount, or another's mark, is not taken over."""
    said = _read(body)
    minor = said.amount_total if isinstance(said, _Session) else said.amount
    asked = Money(minor, said.currency.upper())
    if asked != charge.money:
        raise ValueError(f"asked for {charge.money}, answered with {asked}")
    if not marks.is_of(charge.mark, charge.key, said.metadata):
        raise ValueError("it does not carry our mark")
    return progress(body)


def _read(body: object) -> _Session | _Intent:
    if msgspec.convert(body, _Made).object == "checkout.session":
        return msgspec.convert(body, _Session)
    return msgspec.convert(body, _Intent)


def _session(said: _Session) -> Progress:
    inside = said.payment_intent if isinstance(said.payment_intent, _Intent) else None
    if said.payment_status == "paid" and inside is None:
        raise ValueError("a paid session without its payment intent")
    if said.status == "expired":
        return Closed(reference=said.id, reason="expired")
    if said.status == "complete" and inside is not None:
        if inside.status in ("requires_payment_method", "canceled"):  # a delayed method failed
            return Closed(reference=said.id, reason="the payment failed")
        stands = _intent(inside)
        return stands if isinstance(stands, PaymentFact) else Pending(reference=said.id)
    return Pending(
        reference=said.id,
        action=Redirect(said.url) if said.url else None,
        expires_at=None if said.expires_at is None else _time(said.expires_at),
    )


def _intent(said: _Intent) -> Progress:
    if said.status == "canceled":
        return Closed(reference=said.id, reason=marks.clean(said.cancellation_reason or "canceled"))
    fact = _payment(said)
    if fact is not None:
        return fact
    url = _redirect(said.next_action) if said.status == "requires_action" else None
    return Pending(reference=said.id, action=Redirect(url) if url else None)


def _payment(said: _Intent, at: datetime | None = None) -> PaymentFact | None:
    match said.status:
        case "succeeded":
            taken, minor = Taken.CAPTURED, _received(said)
        case "requires_capture":
            taken, minor = Taken.AUTHORIZED, said.amount
        case "canceled":
            taken, minor = Taken.FAILED, said.amount
        case "requires_payment_method" if said.last_payment_error is not None:
            taken, minor = Taken.FAILED, said.amount
        case _:
            return None
    if taken is Taken.CAPTURED and minor == 0:
        raise ValueError("a payment that took nothing")
    charge = said.latest_charge if isinstance(said.latest_charge, _Charge) else None
    currency = said.currency.upper()
    return PaymentFact(
        gateway_payment_id=said.id,
        taken=taken,
        money=Money(minor, currency),
        at=at or _time(charge.created if charge else said.created),
        mark=marks.read(said.metadata),
        refunded=Money(charge.amount_refunded, currency) if charge else None,
        fee=_fee(charge, currency) if charge and taken is Taken.CAPTURED else None,
        description=marks.clean(said.description or ""),
        receipt_url=_receipt(charge) if taken is Taken.CAPTURED else None,
    )


def _receipt(charge: _Charge | None) -> str | None:
    """An address that a browser may be sent to, and nothing else: it stands on our pages."""
    said = charge.receipt_url if charge else None
    return said if isinstance(said, str) and _WEB.fullmatch(said) else None


def _received(said: _Intent) -> int:
    """What was captured; of what was held first that may be a part."""
    if said.amount_received is not None:
        return said.amount_received
    charge = said.latest_charge if isinstance(said.latest_charge, _Charge) else None
    if charge is not None and charge.amount_captured is not None:
        return charge.amount_captured
    if said.capture_method not in ("automatic", "automatic_async"):
        raise ValueError("a capture without its amount")
    return said.amount


def _fee(charge: _Charge, currency: str) -> Money | None:
    """Where the balance is kept in another currency, the fee is no part of this payment."""
    booked = charge.balance_transaction
    if not isinstance(booked, _Balance) or booked.currency.upper() != currency:
        return None
    return Money(booked.fee, currency)


def _paid_session(body: object, at: datetime) -> PaymentFact | None:
    """None for a session that is not paid yet, and for one that cost nothing."""
    said = msgspec.convert(body, _Told)
    if said.payment_status != "paid" or said.mode != "payment":
        return None
    if said.payment_intent is None:
        _nothing_of_ours(said.metadata)
        return None
    if not said.amount_total or said.currency is None:
        raise ValueError("a session that is paid, and of no amount")
    named = said.payment_intent
    if isinstance(named, dict):
        named = named.get("id")
    return PaymentFact(
        gateway_payment_id=msgspec.convert(named, Ident),
        taken=Taken.CAPTURED,
        money=Money(said.amount_total, said.currency.upper()),
        at=at,
        mark=marks.read(said.metadata),
    )


def charge(body: object) -> PaymentFact | None:
    """Money that was taken; of the old kind without an intent, none of ours."""
    said = msgspec.convert(body, _Charge)
    if said.payment_intent is None:
        _nothing_of_ours(said.metadata)
        return None
    if not said.captured:
        return None
    if not said.amount_captured:
        raise ValueError("a captured charge without its amount")
    return PaymentFact(
        gateway_payment_id=said.payment_intent,
        taken=Taken.CAPTURED,
        money=Money(said.amount_captured, said.currency.upper()),
        at=_time(said.created),
        mark=marks.read(said.metadata),
        refunded=Money(said.amount_refunded, said.currency.upper()),
        fee=_fee(said, said.currency.upper()),
        receipt_url=_receipt(said),
    )


def _redirect(next_action: object) -> str | None:
    """Where the payer proves who he is, when it is an address."""
    if not isinstance(next_action, dict):
        return None
    leads = next_action.get("redirect_to_url")
    url = leads.get("url") if isinstance(leads, dict) else None
    return url if isinstance(url, str) else None


def refund(body: object) -> RefundFact:
    """The refund's creation is its time, so that every event of it says the same."""
    fact = refund_of_payment(body)
    if fact is None:
        raise ValueError("a refund without a payment intent")
    return fact


def refund_of_payment(body: object) -> RefundFact | None:
    said = msgspec.convert(body, _Refund)
    if said.payment_intent is None:
        _nothing_of_ours(said.metadata)
        return None
    if said.status not in STAGES:
        raise ValueError(f"a refund that is {marks.clean(str(said.status))}")
    if said.amount == 0:
        raise ValueError("a refund of nothing")
    return RefundFact(
        gateway_refund_id=said.id,
        gateway_payment_id=said.payment_intent,
        stage=STAGES[said.status],
        money=Money(said.amount, said.currency.upper()),
        at=_time(said.created),
        mark=marks.read(said.metadata),
    )


def _nothing_of_ours(noted: object) -> None:
    """What names no payment intent is other people's: whatever we make names one."""
    if marks.read(noted) is not None:
        raise ValueError("it bears a mark like ours, and names no payment intent")


def _dispute(said: _Dispute, at: datetime) -> DisputeFact:
    """An inquiry ends without money moving; a word that is not known here leaves it open."""
    if said.payment_intent is None:
        raise ValueError("a dispute that names no payment intent")
    return DisputeFact(
        gateway_dispute_id=said.id,
        gateway_payment_id=said.payment_intent,
        stage=ENDS.get(said.status, DisputeStage.OPEN),
        money=Money(said.amount, said.currency.upper()),
        reason=marks.clean(said.reason),
        at=at,
    )


def settled_line(body: object) -> SettledLine | None:
    said = msgspec.convert(body, _Balance)
    source = msgspec.convert(said.source, _Charge)
    if source.payment_intent is None or said.available_on is None:
        return None
    currency = said.currency.upper()
    return SettledLine(
        gateway_payment_id=source.payment_intent,
        gross=Money(said.amount, currency),
        fee=Money(said.fee, currency),
        settlement=said.id,
        at=datetime.fromtimestamp(said.available_on, UTC),
    )


def is_live(key: Secret) -> bool | None:
    """None for a key that does not say."""
    found = re.match(r"(?:sk|rk)_(live|test)_", key.reveal())
    return found[1] == "live" if found else None


def is_broken_for_good(reply: Reply | NoReply) -> bool:
    """Whether this is an error of theirs that every call with this key will meet again."""
    return isinstance(reply, NoReply) and reply.headers.get("idempotent-replayed") == "true"


def refused(reply: Reply) -> Declined | Unclear:
    """Their no in our words. What is not in their form was not said by them."""
    error, status = reply.body.get("error"), reply.status
    if status == 429:
        return Declined("too many requests", "rate_limited", permanent=False)
    if not isinstance(error, dict) or not 400 <= status < 500 or status in (408, 409):
        return Unclear(f"HTTP {status}")
    code, kind = error.get("code"), error.get("type")
    reason = marks.clean(str(error.get("message") or code or "no message"))
    if status in (401, 403):  # mends itself when the operator corrects the key
        return Declined(reason, "unauthorized", permanent=False)
    match kind:
        case "card_error":
            return Declined(reason, marks.clean(str(error.get("decline_code") or code or "")))
        case "idempotency_error":
            return Declined(reason, "key_reused")
        case "invalid_request_error":
            pass
        case _:
            return Unclear(reason)
    if error.get("param") == "expires_at":
        return Declined(reason, "expires_at")
    if code in REFUSALS:
        return Declined(reason, *REFUSALS[code])
    for text, meaning in TEXTS.items():
        if text in reason.lower():
            return Declined(reason, *meaning)
    return Declined(reason, marks.clean(str(code or "")))


def flaw(header: str, body: bytes, secrets: Sequence[bytes], now: datetime) -> str | None:
    """Why a signature is not believed: not of a secret of ours, or of another time."""
    said = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in said if name == "t"]
    given = [value.encode(errors="replace") for name, _, value in said if name == "v1"]
    if len(times) != 1 or not re.fullmatch(r"[0-9]{1,12}", times[0]):
        return "the signature is missing"
    signed = times[0].encode() + b"." + body
    right = [hmac_hex(secret, signed).encode() for secret in secrets]
    # Every pair is tried, so that the time taken does not tell which one matched.
    matches = [hmac.compare_digest(one, other) for one in right for other in given]
    if not any(matches):
        return "the signature is of another secret"
    if abs(now.timestamp() - int(times[0])) > TOLERANCE.total_seconds():
        return "the signature is of another time"
    return None


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
