"""What every verb of the gateway works with, and how it tells the merchant's server of an event."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from sandbox.clock import now_s
from sandbox.outbox import Event, publish
from sandbox.razorpay import accounts, wire
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.settings import Tempo
from sandbox.razorpay.things import Dispute, Order, Payment, PaymentLink, QrCode, Refund
from sandbox.shelf import new_id
from sandbox.store import Change, Store


class Desk(msgspec.Struct, frozen=True):
    """An open transaction with the tempo of time and the public address of the gateway."""

    change: Change
    tempo: Tempo
    public_url: str


class Gateway(msgspec.Struct):
    """The emulated gateway as a whole; opens a desk per transaction."""

    store: Store
    tempo: Tempo
    public_url: str

    @contextmanager
    def change(self) -> Iterator[Desk]:
        """A desk whose effects are committed together when the block ends well."""
        with self.store.change() as change:
            yield self.desk(change)

    def desk(self, change: Change) -> Desk:
        return Desk(change, self.tempo, self.public_url)


Subject = Payment | PaymentLink | QrCode | Order | Refund | Dispute


def tell(desk: Desk, name: str, reference: str, *subjects: Subject) -> None:
    """Raise a webhook event with a snapshot of its subjects, signed with the secret of now."""
    account = ACCOUNTS.find(desk.change, subjects[0].account_id)
    if account.events is not None and name not in account.events:
        return
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
        "Content-Type": "application/json",
        "User-Agent": "Razorpay-Webhook/v1",
        "X-Razorpay-Signature": signature(account.webhook_secret, body),
        "x-razorpay-event-id": event_id,
    }
    publish(
        desk.change,
        Event(
            party=accounts.PARTY,
            account_id=account.account_id,
            event_id=event_id,
            name=name,
            reference=reference,
            headers=headers,
            body=body,
        ),
    )


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
