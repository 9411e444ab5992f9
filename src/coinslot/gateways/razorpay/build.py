"""The requests to Razorpay: their paths and bodies."""

import hashlib
import re
from datetime import datetime

from coinslot.gateways import base, marks
from coinslot.gateways.collecting import Charge, Limits
from coinslot.gateways.wire import Call

QR_CODES = "/v1/payments/qr_codes"
LINK, LINKS = "plink_", "/v1/payment_links"
REFUND_KEY = re.compile(r"[A-Za-z0-9_-]{10,64}")
REFERENCE_CHARS = 40
# 15 notes, three of them ours.
LIMITS = Limits(pairs=12, name_chars=256, value_chars=256, description_chars=2048)


def refund(order: base.RefundOrder) -> Call:
    notes = marks.written(order.mark) | ({"reason": order.reason[:256]} if order.reason else {})
    key = order.key
    if not REFUND_KEY.fullmatch(key):
        key = hashlib.sha256(key.encode()).hexdigest()
    return Call(
        method="POST",
        path=f"/v1/payments/{segment(order.gateway_payment_id)}/refund",
        body={"amount": order.money.minor, "speed": "normal", "notes": notes},
        headers={"X-Refund-Idempotency": key},
    )


def qr(order: base.QrOrder) -> Call:
    notes = marks.written(order.mark) | {"outlet": order.outlet, "slot": order.slot}
    body: dict[str, object] = {
        "type": "upi_qr",
        "usage": "multiple_use" if order.reusable else "single_use",
        "name": order.name,
        "fixed_amount": True,
        "payment_amount": order.money.minor,
        "description": order.description,
        "notes": notes,
    }
    if order.close_by is not None and not order.reusable:  # refused on reusable ones
        body["close_by"] = int(order.close_by.timestamp())
    return Call(method="POST", path=QR_CODES, body=body)


def link(charge: Charge) -> Call:
    body: dict[str, object] = {
        "amount": charge.money.minor,
        "currency": charge.money.currency,
        "accept_partial": False,
        "reference_id": reference(charge.key),
        "notes": _notes(charge),
        "notify": {"sms": False, "email": False},
        "reminder_enable": False,
        "callback_url": charge.return_url,
        "callback_method": "get",
    }
    if charge.description:
        body["description"] = charge.description[: LIMITS.description_chars]
    if charge.expires_at is not None:
        body["expire_by"] = int(charge.expires_at.timestamp())
    return Call(method="POST", path=LINKS, body=body)


def reference(key: str) -> str:
    return key if 0 < len(key) <= REFERENCE_CHARS and key.isascii() else marks.key_sign(key)


def span(since: datetime, until: datetime) -> dict[str, int]:
    return {"from": max(0, int(since.timestamp())), "to": int(until.timestamp())}


def segment(reference: str) -> str:
    """A reference as one step of a path. `-` stands in no id of theirs: such a one is absent."""
    return re.sub(r"[^A-Za-z0-9_]", "-", reference) or "-"


def _notes(charge: Charge) -> dict[str, str]:
    """Our mark, and of the merchant's own pairs what Razorpay has room for."""
    ours = marks.written(charge.mark) | {marks.CHARGE: marks.key_sign(charge.key)}
    return ours | LIMITS.fitting(charge.metadata)
