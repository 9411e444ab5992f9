"""Genuine events that are no business of the merchant's server: what others do with its account.

Written from what merchants publish of their events: mandates of nothing, withdrawn currencies,
sessions that save a card, words and versions that a server may not know yet."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sandbox.clock import now_s
from sandbox.errors import UnknownError
from sandbox.outbox import Event, publish
from sandbox.razorpay import accounts as razorpay_accounts
from sandbox.razorpay.desk import signature
from sandbox.shelf import new_id
from sandbox.store import Change
from sandbox.stripe import accounts as stripe_accounts

Plain = dict[str, Any]
JSON = "application/json"


def tell(change: Change, party: str, account_id: str, number: int) -> str:
    """Raise one of the odd events of this gateway; answers its name."""
    if party not in TELLERS:
        raise UnknownError(f"nothing odd is known of {party}")
    told = TELLERS[party](change, account_id, number)
    publish(change, told)
    return told.name


def _razorpay(change: Change, account_id: str, number: int) -> Event:
    account = razorpay_accounts.ACCOUNTS.find(change, account_id)
    paid: Plain = {
        "id": new_id("pay_"), "entity": "payment", "amount": 4_000, "currency": "INR",
        "status": "captured", "captured": True, "method": "upi", "notes": [], "order_id": None,
        "created_at": now_s(),
    }  # fmt: skip
    back: Plain = {
        "id": new_id("rfnd_"), "entity": "refund", "amount": 4_000, "currency": "INR",
        "payment_id": paid["id"], "notes": [], "created_at": now_s(), "status": "processed",
    }  # fmt: skip
    mandate = {"amount": 0, "method": "emandate"}
    kinds: list[tuple[str, Plain]] = [
        ("payment.authorized", {"payment": paid | mandate | {"status": "authorized"}}),
        ("payment.captured", {"payment": paid | mandate}),
        ("payment.authorized", {"payment": paid | {"status": "pending", "captured": False}}),
        ("payment.captured", {"payment": paid | {"currency": "BGN"}}),
        ("refund.created", {"refund": back | {"status": "created"}}),
        ("refund.created", {"refund": back | {"status": None}}),
        ("refund.processed", {"refund": back, "payment": paid}),
        ("subscription.charged", {"subscription": {"id": "sub_1"}, "payment": paid}),
    ]
    name, entities = kinds[number % len(kinds)]
    body = msgspec.json.encode(
        {
            "entity": "event", "account_id": account_id, "event": name,
            "contains": list(entities), "created_at": now_s(),
            "payload": {kind: {"entity": entity} for kind, entity in entities.items()},
        }
    )  # fmt: skip
    headers = {
        "Content-Type": JSON, "X-Razorpay-Signature": signature(account.webhook_secret, body),
        "x-razorpay-event-id": new_id(""),
    }  # fmt: skip
    return _event("razorpay", account_id, name, headers, body)


def _stripe(change: Change, account_id: str, number: int) -> Event:
    account = stripe_accounts.ACCOUNTS.find(change, account_id)
    session: Plain = {
        "id": new_id("cs_test_", 24), "object": "checkout.session", "mode": "setup",
        "status": "complete", "payment_status": "no_payment_required", "amount_total": None,
        "currency": None, "payment_intent": None, "metadata": {},
    }  # fmt: skip
    intent: Plain = {
        "id": new_id("pi_", 24), "object": "payment_intent", "amount": 4_000,
        "amount_received": 4_000, "currency": "bgn", "created": now_s(), "status": "succeeded",
        "latest_charge": None, "metadata": {},
    }  # fmt: skip
    refund: Plain = {
        "id": new_id("re_", 24), "object": "refund", "amount": 900, "currency": "usd",
        "created": now_s(), "payment_intent": intent["id"], "status": None, "metadata": {},
    }  # fmt: skip
    kinds: list[tuple[str, Plain]] = [
        ("checkout.session.completed", session),
        ("checkout.session.completed", session | {"mode": "subscription"}),
        ("payment_intent.succeeded", intent),
        ("payment_intent.succeeded", intent | {"currency": "usd", "amount": 0,
                                               "amount_received": 0}),
        ("refund.created", refund),
        ("refund.updated", refund | {"status": "in_transit"}),
        ("invoice.paid", {"id": "in_1", "object": "invoice"}),
    ]  # fmt: skip
    name, thing = kinds[number % len(kinds)]
    body = msgspec.json.encode(
        {
            "id": new_id("evt_", 24), "object": "event", "created": now_s(),
            "livemode": account.live,
            "pending_webhooks": 1, "type": name, "data": {"object": thing},
            "request": {"id": None, "idempotency_key": None},
        }
    )  # fmt: skip
    return _event("stripe", account_id, name, {"Content-Type": JSON}, body)


def _yookassa(_change: Change, account_id: str, number: int) -> Event:
    kinds: list[tuple[str, object]] = [
        ("payout.succeeded", {"id": "po-1", "amount": {"value": "1.00", "currency": "RUB"}}),
        ("deal.closed", {"id": "dl-1", "balance": None}),
        ("payment_method.active", {"id": "pm-1", "type": "sbp", "saved": True}),
    ]
    name, thing = kinds[number % len(kinds)]
    body = msgspec.json.encode({"type": "notification", "event": name, "object": thing})
    return _event("yookassa", account_id, name, {"Content-Type": JSON}, body)


def _event(party: str, account_id: str, name: str, headers: dict[str, str], body: bytes) -> Event:
    event_id = headers.get("x-razorpay-event-id") or new_id("evt_", 24)
    return Event(
        party=party, account_id=account_id, event_id=event_id, name=name, reference=event_id,
        headers=headers, body=body,
    )  # fmt: skip


TELLERS: Mapping[str, Callable[[Change, str, int], Event]] = {
    "razorpay": _razorpay,
    "stripe": _stripe,
    "yookassa": _yookassa,
}
