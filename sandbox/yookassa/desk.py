"""What every verb of the gateway works with, and how it tells the merchant's server of an event."""

import secrets

import msgspec

from sandbox import gateway
from sandbox.clock import now_ms
from sandbox.gateway import Notice
from sandbox.yookassa import wire
from sandbox.yookassa.accounts import ACCOUNTS
from sandbox.yookassa.settings import Tempo
from sandbox.yookassa.things import Payment, Refund


class Desk(gateway.Desk[Tempo], frozen=True):
    """An open transaction at YooKassa."""

    accounts = ACCOUNTS


class Gateway(gateway.Gateway[Desk]):
    """YooKassa as a whole."""

    desk_of = Desk


def fresh_id() -> str:
    """36 characters, as the real ones have: the time of making comes first."""
    digits = f"{now_ms() // 1_000:08x}-000f-5000-8000-{secrets.token_hex(6)}"
    return digits


def tell(desk: Desk, name: str, subject: Payment | Refund) -> None:
    """Raise a notification with the whole thing as it is now. Nothing signs it."""
    account = ACCOUNTS.find(desk.change, subject.account_id)
    if isinstance(subject, Payment):
        reference, told = subject.id, wire.payment(subject, desk.public_url)
    else:
        reference, told = subject.payment_id, wire.refund(subject)
    body = msgspec.json.encode({"type": "notification", "event": name, "object": told})
    desk.notify(account, Notice(name=name, reference=reference, body=body))
