"""What Stripe writes, read strictly and turned into facts; the ear of `stripe.py`.

Every reader takes decoded JSON and raises ValueError for what it cannot read.
"""

from datetime import UTC, datetime

import msgspec

from coinslot.gateways import marks
from coinslot.gateways import stripe_shapes as shapes
from coinslot.gateways.base import Fact, PaymentFact, Taken
from coinslot.gateways.collecting import Charge, Closed, Pending, Progress, Redirect
from coinslot.gateways.stripe_back import dispute
from coinslot.gateways.stripe_back import nothing_of_ours as _nothing_of_ours
from coinslot.gateways.stripe_back import refund as refund
from coinslot.gateways.stripe_back import refund_of_payment as refund_of_payment
from coinslot.kit.money import Money

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


def facts(event: shapes.Event) -> tuple[Fact, ...]:
    """What an event states; nothing for types that are not known here."""
    fact: Fact | None = None
    if event.type not in KNOWN and not event.type.startswith(DISPUTES):
        return ()
    at = _time(msgspec.convert(event.created, shapes.Seconds))
    found = msgspec.convert(event.data, shapes.Data).object
    match event.type:
        case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
            fact = _paid_session(found, at)
        case (
            "payment_intent.succeeded"
            | "payment_intent.amount_capturable_updated"
            | "payment_intent.payment_failed"
            | "payment_intent.canceled"
        ):
            fact = _payment(msgspec.convert(found, shapes.Intent), at)
        case "charge.refunded":
            fact = charge(found)
        case "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated":
            fact = refund_of_payment(found)
        case _:
            fact = dispute(msgspec.convert(found, shapes.Dispute), at)
    return () if fact is None else (fact,)


def payment(body: object) -> PaymentFact | None:
    """The payment of a session or an intent; None while no money was tried yet."""
    said = _read(body)
    if isinstance(said, shapes.Intent):
        return _payment(said)
    return _payment(said.payment_intent) if isinstance(said.payment_intent, shapes.Intent) else None


def captured(body: object) -> PaymentFact:
    fact = payment(body)
    if fact is None or fact.taken is not Taken.CAPTURED:
        raise ValueError("a capture that took nothing")
    return fact


def progress(body: object) -> Progress:
    """How far a session or an intent has come; the intent inside a session comes expanded."""
    said = _read(body)
    return _session(said) if isinstance(said, shapes.Session) else _intent(said)


def progress_of(charge: Charge, body: object) -> Progress:
    """The same for what a charge made. Another amount, or another's mark, is not taken over."""
    said = _read(body)
    minor = said.amount_total if isinstance(said, shapes.Session) else said.amount
    asked = Money(minor, said.currency.upper())
    if asked != charge.money:
        raise ValueError(f"asked for {charge.money}, answered with {asked}")
    if not marks.is_of(charge.mark, charge.key, said.metadata):
        raise ValueError("it does not carry our mark")
    return progress(body)


def _read(body: object) -> shapes.Session | shapes.Intent:
    if msgspec.convert(body, shapes.Made).object == "checkout.session":
        return msgspec.convert(body, shapes.Session)
    return msgspec.convert(body, shapes.Intent)


def _session(said: shapes.Session) -> Progress:
    inside = said.payment_intent if isinstance(said.payment_intent, shapes.Intent) else None
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


def _intent(said: shapes.Intent) -> Progress:
    if said.status == "canceled":
        return Closed(reference=said.id, reason=marks.clean(said.cancellation_reason or "canceled"))
    fact = _payment(said)
    if fact is not None:
        return fact
    url = _redirect(said.next_action) if said.status == "requires_action" else None
    return Pending(reference=said.id, action=Redirect(url) if url else None)


def _payment(said: shapes.Intent, at: datetime | None = None) -> PaymentFact | None:
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
    charge = said.latest_charge if isinstance(said.latest_charge, shapes.Charge) else None
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
    )


def _received(said: shapes.Intent) -> int:
    """What was captured; of what was held first that may be a part."""
    if said.amount_received is not None:
        return said.amount_received
    charge = said.latest_charge if isinstance(said.latest_charge, shapes.Charge) else None
    if charge is not None and charge.amount_captured is not None:
        return charge.amount_captured
    if said.capture_method not in ("automatic", "automatic_async"):
        raise ValueError("a capture without its amount")
    return said.amount


def _fee(charge: shapes.Charge, currency: str) -> Money | None:
    """Where the balance is kept in another currency, the fee is no part of this payment."""
    booked = charge.balance_transaction
    if not isinstance(booked, shapes.Balance) or booked.currency.upper() != currency:
        return None
    return Money(booked.fee, currency)


def _paid_session(body: object, at: datetime) -> PaymentFact | None:
    """None for a session that is not paid yet, and for one that cost nothing."""
    said = msgspec.convert(body, shapes.Told)
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
        gateway_payment_id=msgspec.convert(named, shapes.Ident),
        taken=Taken.CAPTURED,
        money=Money(said.amount_total, said.currency.upper()),
        at=at,
        mark=marks.read(said.metadata),
    )


def charge(body: object) -> PaymentFact | None:
    """Money that was taken; of the old kind without an intent, none of ours."""
    said = msgspec.convert(body, shapes.Charge)
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
    )


def _redirect(next_action: object) -> str | None:
    """Where the payer proves who he is, when it is an address."""
    if not isinstance(next_action, dict):
        return None
    leads = next_action.get("redirect_to_url")
    url = leads.get("url") if isinstance(leads, dict) else None
    return url if isinstance(url, str) else None


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
