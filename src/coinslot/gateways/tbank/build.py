"""The requests to T-Bank: their bodies, and the token that signs them."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Literal

from msgspec import Struct

from coinslot.gateways import marks
from coinslot.gateways.base import Declined, RefundOrder
from coinslot.gateways.collecting import Charge, Limits
from coinslot.gateways.tbank.order_ids import CURRENCY, LARGEST_MINOR, order_id
from coinslot.kit.money import Money

DESCRIPTION_CHARS, ITEM_CHARS, KEY_CHARS = 140, 128, 100
# 20 pairs of DATA, three of them kept for ours.
LIMITS = Limits(pairs=17, name_chars=20, value_chars=100, description_chars=DESCRIPTION_CHARS)
MOSCOW = timezone(timedelta(hours=3))

Body = dict[str, object]


class Receipts(Struct, frozen=True, kw_only=True):
    """Fiscal receipts (54-FZ, FFD 1.05) through T-Bank: one line, named by the description."""

    email: str  # a machine does not know its customer: receipts go here
    taxation: Literal["osn", "usn_income", "usn_income_outcome", "esn", "patent"]
    tax: str = "none"  # vat20, vat10, ...: the list changes with the law
    payment_object: str = "commodity"


def token(said: Mapping[str, object], password: str) -> str:
    """SHA-256 over the values of all scalars of the root, in the order of their names."""
    signed = {
        name: value
        for name, value in said.items()
        if name != "Token" and value is not None and not isinstance(value, dict | list)
    } | {"Password": password}
    joined = "".join(_written(signed[name]) for name in sorted(signed))
    return hashlib.sha256(joined.encode(errors="surrogatepass")).hexdigest()


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def init(charge: Charge, receipts: Receipts | None, notification_url: str | None) -> Body:
    """A session in which the payer pays: one stage, or two where the money is only held."""
    body: Body = {
        "Amount": charge.money.minor,
        "OrderId": order_id(charge),
        "PayType": "O" if charge.capture else "T",
        "SuccessURL": charge.return_url,
        "FailURL": charge.return_url,
        "DATA": _pairs(charge),
    }
    if charge.description:
        body["Description"] = charge.description[:DESCRIPTION_CHARS]
    if notification_url is not None:
        body["NotificationURL"] = notification_url
    if charge.expires_at is not None:
        body["RedirectDueDate"] = _due(charge.expires_at)
    return body | receipt(receipts, charge.description, charge.money)


def cancel(order: RefundOrder, whole: bool, receipts: Receipts | None) -> Body:
    """The key makes it safe to send again, but not for SBP. Of a part the receipt is told too."""
    body: Body = {
        "PaymentId": order.gateway_payment_id,
        "Amount": order.money.minor,
        "ExternalRequestId": request_id(order.key),
    }
    return body if whole else body | receipt(receipts, order.reason, order.money)


def request_id(key: str) -> str:
    if 0 < len(key) <= KEY_CHARS and key.isascii():
        return key
    return hashlib.sha256(key.encode()).hexdigest()


def receipt(wanted: Receipts | None, name: str, money: Money) -> Body:
    """Nothing for a shop whose receipts are made elsewhere."""
    if wanted is None:
        return {}
    line = {
        "Name": name[:ITEM_CHARS] or "Товар",
        "Price": money.minor,
        "Quantity": 1,
        "Amount": money.minor,
        "Tax": wanted.tax,
        "PaymentMethod": "full_payment",
        "PaymentObject": wanted.payment_object,
    }
    return {"Receipt": {"Email": wanted.email, "Taxation": wanted.taxation, "Items": [line]}}


def impossible(money: Money) -> Declined | None:
    """What need not be sent."""
    if money.currency != CURRENCY:
        return Declined("T-Bank knows roubles alone", "currency")
    if money.minor > LARGEST_MINOR:
        return Declined("our order ids have no room for this amount", "amount_out_of_range")
    return None


def _due(at: datetime) -> str:
    return at.astimezone(MOSCOW).isoformat(timespec="seconds")


def _pairs(charge: Charge) -> dict[str, str]:
    """For people who look at the payment: our mark, and of the merchant's pairs what fits."""
    return marks.written(charge.mark) | LIMITS.fitting(charge.metadata)
