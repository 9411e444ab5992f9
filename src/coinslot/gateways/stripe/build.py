"""The requests to Stripe: their paths, bodies and keys."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from coinslot.gateways import marks
from coinslot.gateways.base import RefundOrder
from coinslot.gateways.collecting import Charge, Limits
from coinslot.gateways.wire import Call
from coinslot.kit.money import Money

VERSION = "2026-10-28.endive"
SESSIONS, INTENTS, SESSION = "/v1/checkout/sessions", "/v1/payment_intents", "cs_"
WITH_FEE = "latest_charge.balance_transaction"
IN_SESSION = f"payment_intent.{WITH_FEE}"
SHORTEST = timedelta(minutes=30)  # that a session lives
CLOCKS_APART = timedelta(hours=1)
KEY_LIFE = timedelta(hours=23)  # it prunes keys after 24 h or later
BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)  # of Stripe
KEY = re.compile(r"[A-Za-z0-9_-]{1,200}")

# 50 pairs of metadata, three of them ours. A bracket in a name would be read as nesting.
LIMITS = Limits(pairs=47, name_chars=40, value_chars=500, description_chars=250, name_without="[]")

# The least that it charges. Not here: what it counts in other units than ISO 4217 does.
MINIMUM_MINOR = {
    "AED": 200, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50,
    "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300,
    "NZD": 50, "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip


def create(charge: Charge) -> Call:
    """A session for the payer to go to, or an intent confirmed at once with an instrument."""
    kept = pairs(charge)
    body: dict[str, object] = _nested("metadata", kept)
    if not charge.capture:
        manual = "capture_method" if charge.method else "payment_intent_data[capture_method]"
        body[manual] = "manual"
    if charge.method is not None:
        body |= {
            "amount": charge.money.minor,
            "currency": charge.money.currency.lower(),
            "payment_method": charge.method,
            "confirm": "true",
            "expand[0]": WITH_FEE,
        }
        named = {"description": _described(charge), "return_url": charge.return_url}
        return _post(INTENTS, body | {key: text for key, text in named.items() if text})
    item = "line_items[0]"
    body |= _nested("payment_intent_data[metadata]", kept)
    body |= {
        "mode": "payment",
        f"{item}[quantity]": 1,
        f"{item}[price_data][currency]": charge.money.currency.lower(),
        f"{item}[price_data][unit_amount]": charge.money.minor,
        f"{item}[price_data][product_data][name]": _described(charge) or "Payment",
        "success_url": charge.return_url,
        "cancel_url": charge.return_url,
        "expand[0]": IN_SESSION,
    }
    if charge.mark.payment:
        body["client_reference_id"] = charge.mark.payment
    made = marks.made_at(charge.mark.payment)
    # What ends sooner is surely refused, and asked for the same way again on every retry.
    if charge.expires_at is not None and not (made and charge.expires_at < made + SHORTEST):
        body["expires_at"] = int(charge.expires_at.timestamp())
    return _post(SESSIONS, body)


def pairs(charge: Charge) -> dict[str, str]:
    """The metadata of what a charge makes: the merchant's own as far as it fits, and ours."""
    ours = marks.written(charge.mark) | {marks.CHARGE: marks.key_sign(charge.key)}
    return LIMITS.fitting(charge.metadata) | ours


def refund(order: RefundOrder) -> Call:
    body: dict[str, object] = {
        "payment_intent": segment(order.gateway_payment_id),
        "amount": order.money.minor,
    }
    noted = {"reason": order.reason[:500]} if order.reason else {}
    return _post("/v1/refunds", body | _nested("metadata", marks.written(order.mark) | noted))


def capture(intent: str, money: Money) -> Call:
    body = {"amount_to_capture": money.minor, "expand[0]": WITH_FEE}
    return _post(f"{INTENTS}/{segment(intent)}/capture", body)


def end(reference: str) -> Call:
    """Let a session be paid no more, or cancel an intent."""
    if reference.startswith(SESSION):
        body = {"expand[0]": IN_SESSION}
        return _post(f"{SESSIONS}/{segment(reference)}/expire", body)
    return _post(f"{INTENTS}/{segment(reference)}/cancel", {"expand[0]": WITH_FEE})


def look(reference: str) -> Call:
    if reference.startswith(SESSION):
        inside = {"expand[0]": IN_SESSION}
        return ask(f"{SESSIONS}/{segment(reference)}", inside)
    return ask(f"{INTENTS}/{segment(reference)}", {"expand[0]": WITH_FEE})


def ask(path: str, params: Mapping[str, str | int]) -> Call:
    return Call(method="GET", path=path, params=params, headers={"Stripe-Version": VERSION})


def keyed(call: Call, key: str, number: int) -> Call:
    """The call under the first key made of ours, or under a later one."""
    safe = key if KEY.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()
    sent = f"{safe}.{number}" if number else safe
    return replace(call, headers={**(call.headers or {}), "Idempotency-Key": sent})


def span_of(charge: Charge, now: datetime) -> tuple[datetime, datetime]:
    """Only when this charge can have been made: after its key, or its payment, was, and before the
    key's life was over."""
    made = charge.sent_at or marks.made_at(charge.mark.payment) or BEGINNING
    ends = now if charge.sent_at is None else min(now, charge.sent_at + KEY_LIFE)
    return made - CLOCKS_APART, ends + CLOCKS_APART


def created(since: datetime, until: datetime) -> dict[str, int]:
    return {"created[gte]": int(since.timestamp()), "created[lt]": int(until.timestamp())}


def segment(reference: str) -> str:
    """A reference as one step of a path. `-` stands in no id of theirs: such a one is absent."""
    return re.sub(r"[^A-Za-z0-9_]", "-", reference)[:255] or "-"


def _described(charge: Charge) -> str:
    return charge.description[: LIMITS.description_chars]


def _post(path: str, body: Mapping[str, object]) -> Call:
    headers = {"Stripe-Version": VERSION}
    return Call(method="POST", path=path, body=body, headers=headers, form=True)


def _nested(name: str, pairs_: Mapping[str, str]) -> dict[str, object]:
    return {f"{name}[{key}]": text for key, text in pairs_.items()}
