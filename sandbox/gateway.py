"""What every emulated gateway works with: an open transaction, and how an event is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from sandbox.accounts import Account, Accounts
from sandbox.errors import UnknownError, UnreadableError
from sandbox.outbox import Event, publish
from sandbox.shelf import Thing, find, new_id
from sandbox.store import Change, Store
from sandbox.tempo import Tempo

T = TypeVar("T", bound=Tempo)
P = TypeVar("P", bound=Thing)

Minor = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000_000)]
JSON = {"Content-Type": "application/json"}


class Reference(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A payment by its id."""

    reference: str


class AtPage(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a payer does at a page, in the words that every gateway here knows. The page is named by
    its address, or by what it asks to be paid."""

    reference: str = ""
    url: str = ""
    ends: Literal["paid", "declined", "later"] | None = msgspec.field(name="as", default=None)

    @property
    def named(self) -> str:
        """The reference, or the last step of the address."""
        found = self.reference or urlsplit(self.url).path.rstrip("/").rpartition("/")[2]
        if not found:
            raise UnreadableError("reference or url is needed")
        return found


class DashboardRefund(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A refund made by hand in the gateway's dashboard."""

    reference: str
    amount: Minor | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What the merchant's server is to hear. `reference` is the payment that it is about."""

    name: str
    reference: str
    body: bytes
    headers: dict[str, str] = msgspec.field(default_factory=JSON.copy)
    event_id: str = msgspec.field(default_factory=lambda: new_id(""))


class Desk(msgspec.Struct, Generic[T], frozen=True):
    """An open transaction; `key` is the idempotency key of the request that it serves."""

    accounts: ClassVar[Accounts[Any]]
    change: Change
    tempo: T
    public_url: str
    key: str | None = None

    def known(self, kind: type[P], reference: str) -> P:
        """The payment of this id."""
        payment = find(self.change, kind, reference)
        if payment is None:
            raise UnknownError(f"no payment {reference}")
        return payment

    def notify(self, account: Account, notice: Notice) -> None:
        """Have it told to the merchant's server, if the account subscribes to it."""
        if not account.hears(notice.name):
            return
        publish(
            self.change,
            Event(
                party=self.accounts.party,
                account_id=account.account_id,
                event_id=notice.event_id,
                name=notice.name,
                reference=notice.reference,
                headers=notice.headers,
                body=notice.body,
            ),
        )


D = TypeVar("D", bound=Desk[Any])


class Gateway(Generic[D]):
    """One emulated gateway as a whole; opens a desk per transaction."""

    desk_of: ClassVar[type[Desk[Any]]]

    def __init__(self, store: Store, tempo: Tempo, public_url: str) -> None:
        self.store = store
        self.tempo = tempo
        self.public_url = public_url

    @contextmanager
    def change(self, key: str | None = None) -> Iterator[D]:
        """A desk whose effects are committed together when the block ends well."""
        with self.store.change() as change:
            yield self.desk(change, key)

    def desk(self, change: Change, key: str | None = None) -> D:
        made: D = self.desk_of(change, self.tempo, self.public_url, key)  # type: ignore[assignment]
        return made
