"""What every verb of the gateway works with, and how it tells the merchant's server of an event."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from sandbox.clock import now_ms
from sandbox.outbox import Event, publish
from sandbox.shelf import new_id
from sandbox.store import Change, Store
from sandbox.yookassa import wire
from sandbox.yookassa.accounts import ACCOUNTS, PARTY
from sandbox.yookassa.settings import Tempo
from sandbox.yookassa.things import Payment, Refund


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


def fresh_id() -> str:
    """36 characters, as the real ones have: the time of making comes first."""
    digits = f"{now_ms() // 1_000:08x}-000f-5000-8000-{secrets.token_hex(6)}"
    return digits


def tell(desk: Desk, name: str, subject: Payment | Refund) -> None:
    """Raise a notification with the whole thing as it is now. Nothing signs it."""
    account = ACCOUNTS.find(desk.change, subject.account_id)
    if account.events is not None and name not in account.events:
        return
    if isinstance(subject, Payment):
        reference, told = subject.id, wire.payment(subject, desk.public_url)
    else:
        reference, told = subject.payment_id, wire.refund(subject)
    publish(
        desk.change,
        Event(
            party=PARTY,
            account_id=account.account_id,
            event_id=new_id(""),
            name=name,
            reference=reference,
            headers={"Content-Type": "application/json"},
            body=msgspec.json.encode({"type": "notification", "event": name, "object": told}),
        ),
    )
