"""How Stripe writes its things: the fields that matter, with the names of its version 2026-10."""

from collections.abc import Mapping
from typing import Any

from sandbox.clock import now_s
from sandbox.stripe.things import Charge, Dispute, Intent, Movement, Refund, Session, Told

FEE_BP, WHOLE_BP, FEE_MINOR = 290, 10_000, 30
VERSION = "2026-10-28.endive"
NO_PLACES = frozenset({"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "pyg", "rwf", "vnd", "xaf"})
Entity = dict[str, Any]


def session(one: Session, public_url: str, *, live: bool) -> Entity:
    return {
        "id": one.id,
        "object": "checkout.session",
        "amount_subtotal": one.amount,
        "amount_total": one.amount,
        "cancel_url": one.cancel_url,
        "client_reference_id": one.client_reference_id,
        "created": one.created_at,
        "currency": one.currency,
        "customer": None,
        "customer_details": None,
        "expires_at": one.expires_at,
        "livemode": live,
        "metadata": one.notes,
        "mode": "payment",
        "payment_intent": one.payment_intent,
        "payment_status": one.payment_status,
        "recovered_from": None,
        "status": one.status,
        "success_url": one.success_url,
        "url": f"{public_url}/pay/{one.id}" if one.status == "open" else None,
    }


def intent(one: Intent, public_url: str, *, live: bool) -> Entity:
    capturable = one.amount if one.status == "requires_capture" else 0
    return {
        "id": one.id,
        "object": "payment_intent",
        "amount": one.amount,
        "amount_capturable": capturable,
        "amount_received": one.amount_received,
        "canceled_at": one.canceled_at,
        "cancellation_reason": one.cancellation_reason,
        "capture_method": one.capture_method,
        "client_secret": f"{one.id}_secret_{one.id[-8:]}",
        "confirmation_method": "automatic",
        "created": one.created_at,
        "currency": one.currency,
        "customer": None,
        "description": one.description,
        "last_payment_error": one.error,
        "latest_charge": one.latest_charge,
        "livemode": live,
        "metadata": one.notes,
        "next_action": _next_action(one, public_url),
        "payment_method": one.payment_method,
        "payment_method_types": ["card"],
        "status": one.status,
    }


def _next_action(one: Intent, public_url: str) -> Entity | None:
    if one.status != "requires_action":
        return None
    leads = {"return_url": one.return_url, "url": f"{public_url}/pay/{one.id}"}
    return {"type": "redirect_to_url", "redirect_to_url": leads}


def _receipt(one: Charge) -> str | None:
    return f"https://pay.stripe.com/receipts/payment/{one.id}" if one.captured else None


def charge(one: Charge, *, live: bool) -> Entity:
    failure = one.failure or {}
    return {
        "id": one.id,
        "object": "charge",
        "amount": one.amount,
        "amount_captured": one.amount_captured,
        "amount_refunded": one.amount_refunded,
        "balance_transaction": movement_of(one.id) if one.captured else None,
        "captured": one.captured,
        "created": one.created_at,
        "currency": one.currency,
        "disputed": False,
        "failure_code": failure.get("code"),
        "failure_message": failure.get("message"),
        "livemode": live,
        "metadata": one.notes,
        "paid": one.status == "succeeded",
        "payment_intent": one.payment_intent,
        "payment_method": one.payment_method,
        "receipt_url": _receipt(one),
        "refunded": 0 < one.amount_captured == one.amount_refunded,
        "status": one.status,
    }


def refund(one: Refund) -> Entity:
    entity = {
        "id": one.id,
        "object": "refund",
        "amount": one.amount,
        "balance_transaction": movement_of(one.id),
        "charge": one.charge,
        "created": one.created_at,
        "currency": one.currency,
        "destination_details": {"type": "card"},
        "metadata": one.notes,
        "payment_intent": one.payment_intent,
        "reason": one.reason,
        "receipt_number": None,
        "status": one.status,
    }
    return entity | ({"failure_reason": one.failure_reason} if one.failure_reason else {})


def dispute(one: Dispute, *, live: bool) -> Entity:
    return {
        "id": one.id,
        "object": "dispute",
        "amount": one.amount,
        "charge": one.charge,
        "created": one.created_at,
        "currency": one.currency,
        "evidence_details": {"due_by": None, "has_evidence": False, "past_due": False},
        "is_charge_refundable": False,
        "livemode": live,
        "metadata": one.notes,
        "payment_intent": one.payment_intent,
        "reason": one.reason,
        "status": one.status,
    }


def movement_of(thing_id: str) -> str:
    """The id of what a thing did to the balance."""
    return f"txn_{thing_id.partition('_')[2]}"


def fee(minor: int) -> int:
    """What it keeps of a payment: its share, and a fixed sum."""
    return (minor * FEE_BP + WHOLE_BP // 2) // WHOLE_BP + FEE_MINOR


def movement(one: Movement) -> Entity:
    kept = {"amount": one.fee, "currency": one.currency, "type": "stripe_fee"}
    return {
        "id": one.id,
        "object": "balance_transaction",
        "amount": one.amount,
        "available_on": one.available_on,
        "created": one.created_at,
        "currency": one.currency,
        "exchange_rate": None,
        "fee": one.fee,
        "fee_details": [kept] if one.fee else [],
        "net": one.amount - one.fee,
        "reporting_category": one.type,
        "source": one.source,
        "status": "available" if one.available_on <= now_s() else "pending",
        "type": one.type,
    }


def event(one: Told) -> Entity:
    return {
        "id": one.id,
        "object": "event",
        "api_version": VERSION,
        "created": one.created_at,
        "data": {"object": one.object},
        "livemode": one.live,
        "pending_webhooks": 1,
        "request": one.request,
        "type": one.type,
    }


def listed(url: str, items: list[Entity], *, more: bool) -> Entity:
    return {"object": "list", "data": items, "has_more": more, "url": url}


def decline(code: str, decline_code: str, message: str) -> Entity:
    """The part of an error that also stays as `last_payment_error`."""
    return {
        "type": "card_error",
        "code": code,
        "decline_code": decline_code,
        "message": message,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
    }


def money(minor: int, currency: str) -> str:
    """1050 usd as `10.50 USD`, for people."""
    places = 0 if currency in NO_PLACES else 2
    whole, rest = divmod(minor, 10**places)
    return f"{whole}{f'.{rest:02d}' if places else ''} {currency.upper()}"


def filled(url: str, names: Mapping[str, str]) -> str:
    """A return address with its `{NAMES}` replaced."""
    for name, value in names.items():
        url = url.replace("{" + name + "}", value)
    return url
