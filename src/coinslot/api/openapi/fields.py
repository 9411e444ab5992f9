"""A text for each field of the schema, and the values that a field is limited to."""

from collections.abc import Mapping
from typing import Any

from coinslot.api.openapi import machines, orders, people, rollouts, stock, stores, telemetry
from coinslot.events.public import TYPES

_TYPES = tuple(sorted(TYPES))
_MONEY = "In minor units: 4000 with INR is forty rupees."
_NEXT = "The `after` of the next page; null when this is the last one."
_MADE = "When it was made."
_TYPE_LIST = "Which events it is sent; none means all."
_DELIVERY = {
    "id": "Of the delivery.", "endpoint": "Where it goes.", "event": "The event's id.",
    "type": "The event's type.",
    "status": "`given_up` after the last try, `withdrawn` when its endpoint was removed.",
    "under_way": "Whether a try of it is being sent; sending it again changes nothing then.",
    "tries": "How often it was tried.", "next_try_at": "When it is tried next; null when it ended.",
    "created_at": _MADE, "ended_at": "When it was delivered, given up or withdrawn.",
}  # fmt: skip
_NEW_ENDPOINT = {
    "url": "Where webhooks go: https, without a user.", "description": "Your own words.",
    "types": _TYPE_LIST,
}  # fmt: skip

FIELDS: Mapping[str, Mapping[str, str]] = {
    **machines.FIELDS,
    **stock.FIELDS,
    **telemetry.FIELDS,
    **orders.FIELDS,
    **people.FIELDS,
    **stores.FIELDS,
    **rollouts.FIELDS,
    "ProofKeySet": {
        "keys": "The key that signs proofs: one.",
        "mark": "A short form of the key, which a page of a proof shows, for people to compare.",
    },
    "PublicKey": {
        "x": "The key itself, in base64url.", "kid": "Its thumbprint (RFC 7638).",
        "kty": "Always `OKP`.", "crv": "Always `Ed25519`.", "alg": "Always `EdDSA`.",
        "use": "Always `sig`: it signs.",
    },
    "NewPayment": {
        "amount": _MONEY, "currency": "ISO 4217.",
        "reference": "Your own name for it; payments can be listed by it.",
        "gateway": "Only this gateway collects it. Left out, the first that can.",
        "description": "What the payer may read at the gateway.",
        "metadata": "Texts of yours, kept and shown as they are.",
        "return_url": "Where the gateway's page sends the payer back to.",
        "capture_method": "`manual` holds the money until it is captured or canceled.",
        "receipt_contact": "Where its fiscal receipt goes (54-FZ): an e-mail address or "
        "`+79161234567`. Used where the gateway's account has receipts made; never shown again.",
    },
    "Confirmation": {
        "method": "The payer's instrument as the gateway names it (`pm_card_visa`); it belongs to "
        "one gateway. Left out, the payer is asked: see `next_action`.",
    },
    "NewCapture": {"amount": f"{_MONEY} Left out, all that is held."},
    "NewRefund": {
        "amount": f"{_MONEY} Left out, all that is left.", "reason": "Your own words.",
    },
    "PaymentStatement": {
        "id": "Of the payment.", "live": "Made with a live key: its money is real.",
        "amount": _MONEY, "currency": "ISO 4217.",
        "status": "`processing`: nobody knows yet, and it is being found out. `failed` may be "
        "confirmed anew.",
        "reference": "Your own name for it.", "description": "As it was given.",
        "metadata": "As it was given.",
        "gateway": "Of the last attempt; before the first, the one that was asked for.",
        "next_action": "What the payer has to do; null when it is nothing.",
        "capture_method": "As it was given.",
        "amount_capturable": "What is held and can be captured.",
        "amount_captured": "What was collected.", "amount_refunded": "What went back for certain.",
        "processing_deadline_at": "When a person is called if nobody knows by then.",
        "created_at": _MADE, "attempts": "Every try at a gateway, the first one first.",
        "refunds": "The ids of its refunds, oldest first.",
    },
    "AttemptStatement": {
        "id": "Of the attempt.", "gateway": "Where it was tried.",
        "status": "`pending`: the payer's turn. `unknown`: being found out.",
        "gateway_reference": "The gateway's name for what it made; null when nothing is known.",
        "gateway_payment_id": "The gateway's id of the money's movement, once there is one.",
        "failure": "Why it failed or is unknown, in the gateway's words.",
        "started_at": "When it was begun.",
    },
    "Redirected": {"type": "Send the payer to `url`.", "url": "The gateway's page."},
    "Shown": {
        "type": "Show the payer a code.", "text": "What the code holds.",
        "image_url": "A picture of the code.",
    },
    "RefundStatement": {
        "id": "Of the refund.", "payment": "Which it is of.", "amount": _MONEY,
        "currency": "ISO 4217.",
        "status": "`owed`: the gateway does not do it, and a person sees to it.",
        "reason": "As it was given.", "failure": "Why it failed or waits.",
        "gateway_refund_id": "The gateway's id, once it has one.",
        "replaced_by": "The refund that follows one that failed.", "created_at": _MADE,
    },
    "PaymentPage": {"data": "The payments.", "next": _NEXT},
    "RefundList": {"data": "The refunds."},
    "EventPage": {
        "data": "The events.", "next": "The `after` of the next call, also when there are none.",
    },
    "EventStatement": {
        "id": "`webhook-id` of its webhooks is the same.", "type": "What happened.",
        "timestamp": "When it happened.", "data": "The payment, refund, order, ... it is about.",
    },
    "NewEndpoint": _NEW_ENDPOINT,
    "EndpointChange": {
        **_NEW_ENDPOINT, "status": "`paused`, nothing is sent and nothing lost.",
    },
    "EndpointStatement": {
        **_NEW_ENDPOINT, "id": "Of the endpoint.",
        "status": "`disabled`: switched off here, because it failed for days or is gone.",
        "disabled_reason": "`gone` or `failing`.", "failing_since": "Nothing arrived since then.",
        "secret_set_at": "When its secret was made.",
        "old_secret_until": "Until then the secret before signs too.", "created_at": _MADE,
        "secret": "Signs its webhooks; only in the answer that made it, and where that call is "
        "sent again with its key.",
    },
    "EndpointList": {"data": "The endpoints."},
    "NewReplay": {
        "since": "Events from then on.", "until": "Events before then.",
        "types": "Only these; none means all that the endpoint is sent.",
    },
    "Replayed": {"deliveries": "How many are due now that were not before."},
    "DeliveryStatement": _DELIVERY,
    "DeliveryLog": {**_DELIVERY, "log": "Each try, the first one first."},
    "DeliveryPage": {"data": "The deliveries.", "next": _NEXT},
    "TryStatement": {
        "number": "From 1.", "status": "Of your server's answer; null when there was none.",
        "failure": "Why there was none.", "response": "The beginning of your server's answer.",
        "took_ms": "How long it took.", "at": "When it was sent.",
    },
    "Wrong": {
        "code": "For programs; docs/api.md has them all.", "message": "For people.",
        "details": "What is wrong with which field, by the field's path.",
        "timestamp": "When it was answered.", "requestId": "`X-Request-Id` of the answer.",
    },
    "WrongAnswer": {"error": "What went wrong.", "success": "Always false."},
    "Taken": {"code": "`taken`.", "message": "For people.", "success": "Always true."},
    "HealthAnswer": {
        "status": "`unhealthy` is answered with 503.", "timestamp": "When it was looked at.",
        "version": "Of Coinslot.", "checks": "Each thing that was looked at.",
        "services": "The same under the names of older dashboards.", "devices": "Machines.",
    },
    "Check": {"status": "How it is.", "detail": "What is the matter."},
    "Devices": {"online": "Connected.", "offline": "Not connected.", "total": "All of them."},
}  # fmt: skip

VALUES: Mapping[tuple[str, str], tuple[str, ...]] = {
    **people.VALUES,
    **stores.VALUES,
    ("PaymentStatement", "status"): (
        "created", "requires_action", "processing", "authorized", "succeeded", "failed",
        "canceled",
    ),
    ("PaymentStatement", "capture_method"): ("automatic", "manual"),
    ("AttemptStatement", "status"): ("started", "pending", "unknown", "succeeded", "failed"),
    ("RefundStatement", "status"): ("pending", "succeeded", "failed", "owed"),
    ("EventStatement", "type"): _TYPES,
    ("DeliveryStatement", "type"): _TYPES,
    ("DeliveryLog", "type"): _TYPES,
    ("DeliveryStatement", "status"): ("pending", "delivered", "given_up", "withdrawn"),
    ("DeliveryLog", "status"): ("pending", "delivered", "given_up", "withdrawn"),
    ("EndpointStatement", "status"): ("enabled", "paused", "disabled"),
    ("HealthAnswer", "status"): ("healthy", "degraded", "unhealthy"),
}  # fmt: skip


def fill(schemas: Mapping[str, Any]) -> None:
    """Put them into the schemas of the components, in place."""
    for name, texts in FIELDS.items():
        for field, text in texts.items():
            if field in (known := schemas.get(name, {}).get("properties", {})):
                known[field]["description"] = text
    for (name, field), values in VALUES.items():
        if name in schemas:
            schemas[name]["properties"][field]["enum"] = list(values)
