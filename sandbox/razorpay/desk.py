"""What every verb of the gateway works with, and how it tells the merchant's server of an event."""

import hashlib
import hmac
from typing import Any

import msgspec

from sandbox import gateway
from sandbox.clock import now_s
from sandbox.gateway import Notice
from sandbox.razorpay import wire
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.settings import Tempo
from sandbox.razorpay.things import Dispute, Order, Payment, PaymentLink, QrCode, Refund
from sandbox.shelf import new_id


class Desk(gateway.Desk[Tempo], frozen=True):
    """An open transaction at Razorpay."""

    accounts = ACCOUNTS


class Gateway(gateway.Gateway[Desk]):
    """Razorpay as a whole."""

    desk_of = Desk


Subject = Payment | PaymentLink | QrCode | Order | Refund | Dispute


def tell(desk: Desk, name: str, reference: str, *subjects: Subject) -> None:
    """Raise a webhook event with a snapshot of its subjects, signed with the secret of now."""
    account = ACCOUNTS.find(desk.change, subjects[0].account_id)
    payload = {subject.kind: {"entity": _entity(desk, subject, name)} for subject in subjects}
    body = msgspec.json.encode(
        {
            "entity": "event",
            "account_id": account.account_id,
            "event": name,
            "contains": [subject.kind for subject in subjects],
            "payload": payload,
            "created_at": now_s(),
        }
    )
    event_id = new_id("")
    headers = {
        **gateway.JSON,
        "User-Agent": "Razorpay-Webhook/v1",
        "X-Razorpay-Signature": signature(account.webhook_secret, body),
        "x-razorpay-event-id": event_id,
    }
    notice = Notice(name=name, reference=reference, body=body, headers=headers, event_id=event_id)
    desk.notify(account, notice)


def signature(secret: str, message: bytes) -> str:
    """HMAC-SHA256 in lower-case hex, the only signature that Razorpay has."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _entity(desk: Desk, subject: Subject, name: str) -> dict[str, Any]:
    """The API's form, with the habits that only webhooks have."""
    match subject:
        case Payment():
            entity = wire.payment(subject)
            return {**entity, "base_amount": subject.amount, "amount_transferred": 0}
        case QrCode():
            entity = wire.qr_code(subject, desk.public_url)
            if name == "qr_code.created" and subject.close_by is not None:
                entity["close_by"] = str(subject.close_by)
            return entity
        case PaymentLink():
            return wire.payment_link(subject, desk.public_url)
        case Order():
            return wire.order(subject)
        case Refund():
            return wire.refund(subject)
        case Dispute():
            return wire.dispute(subject)
