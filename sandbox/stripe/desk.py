"""What every verb of the gateway works with, and how it tells the merchant's server of an event."""

import hashlib
import hmac
from typing import Any

import msgspec

from sandbox import gateway
from sandbox.clock import now_s
from sandbox.gateway import Notice
from sandbox.shelf import find, new_id, put
from sandbox.stripe import wire
from sandbox.stripe.accounts import ACCOUNTS
from sandbox.stripe.settings import Tempo
from sandbox.stripe.things import Charge, Dispute, Intent, Movement, Refund, Session, Told

Subject = Session | Intent | Charge | Refund | Dispute | Movement
PAID_OUT_AFTER_S = 2 * 86_400


class Desk(gateway.Desk[Tempo], frozen=True):
    """An open transaction at Stripe."""

    accounts = ACCOUNTS

    def entity(self, subject: Subject) -> dict[str, Any]:
        """The thing as the API writes it."""
        live = ACCOUNTS.find(self.change, subject.account_id).live
        match subject:
            case Session():
                return wire.session(subject, self.public_url, live=live)
            case Intent():
                return wire.intent(subject, self.public_url, live=live)
            case Charge():
                return wire.charge(subject, live=live)
            case Refund():
                return wire.refund(subject)
            case Dispute():
                return wire.dispute(subject, live=live)
            case Movement():
                return wire.movement(subject)

    def tell(self, name: str, reference: str, subject: Subject) -> None:
        """Raise an event with a snapshot of its subject; `reference` is the payment intent."""
        account = ACCOUNTS.find(self.change, subject.account_id)
        told = Told(
            id=new_id("evt_", 24),
            account_id=account.account_id,
            created_at=now_s(),
            type=name,
            object=self.entity(subject),
            live=account.live,
            request={"id": None, "idempotency_key": self.key},
        )
        put(self.change, told)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        body = msgspec.json.encode(wire.event(told))
        notice = Notice(
            name=name, reference=reference, body=body, headers=headers, event_id=told.id
        )
        self.notify(account, notice)

    def book(self, source: Charge | Refund | Dispute, kind: str, amount: int, fee: int) -> None:
        """Write down what a thing did to the balance: once for each thing."""
        made = Movement(
            id=wire.movement_of(source.id),
            account_id=source.account_id,
            created_at=now_s(),
            source=source.id,
            type=kind,
            amount=amount,
            fee=fee,
            currency=source.currency,
            available_on=now_s() + PAID_OUT_AFTER_S,
        )
        put(self.change, made)

    def charge_of(self, intent: Intent) -> Charge | None:
        return find(self.change, Charge, intent.latest_charge or "")

    def session_of(self, intent: Intent) -> Session | None:
        return find(self.change, Session, intent.session or "")


class Gateway(gateway.Gateway[Desk]):
    """Stripe as a whole."""

    desk_of = Desk


def signature(secret: str, body: bytes, at_s: int) -> str:
    """The header: a time, and HMAC-SHA-256 over both with the secret's own characters as key."""
    signed = f"{at_s}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"
