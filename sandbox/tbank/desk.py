"""What every verb of the gateway works with, and how it tells the merchant's server of a status."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from sandbox.outbox import Event, publish
from sandbox.shelf import new_id
from sandbox.store import Change, Store
from sandbox.tbank.accounts import ACCOUNTS, PARTY, token
from sandbox.tbank.settings import Tempo
from sandbox.tbank.things import Payment

CARD = {"CardId": 322264, "Pan": "220138******0013", "ExpDate": "1230"}


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


def tell(desk: Desk, payment: Payment, status: str | None = None) -> None:
    """Raise a notification; `status` names a step that the payment has passed already."""
    account = ACCOUNTS.find(desk.change, payment.account_id)
    said: dict[str, Any] = {
        "TerminalKey": account.account_id,
        "OrderId": payment.order_id,
        "Success": not payment.error,
        "Status": status or payment.status,
        "PaymentId": int(payment.id),
        "ErrorCode": str(payment.error),
        "Amount": payment.left,
    }
    if payment.source == "cards":
        said |= CARD
    if payment.notes:
        said["Data"] = payment.notes
    said["Token"] = token(said, account.password)
    publish(
        desk.change,
        Event(
            party=PARTY,
            account_id=account.account_id,
            event_id=new_id(""),
            name=said["Status"],
            reference=payment.id,
            headers={"Content-Type": "application/json"},
            body=msgspec.json.encode(said),
        ),
    )
