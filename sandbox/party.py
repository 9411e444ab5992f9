"""What the sandbox asks of everybody emulated, and of gateways; `app.py` holds the list of them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import msgspec

from sandbox.accounts import Accounts
from sandbox.chores import Work
from sandbox.config import Config
from sandbox.gateway import Gateway
from sandbox.shelf import Thing
from sandbox.store import Change, Store
from sandbox.tempo import Tempo


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook about to be posted: for whom, and how it was written down at its birth."""

    account_id: str
    event_id: str
    url: str | None
    headers: dict[str, str]
    body: bytes
    attempts: int = 0  # before this one


class Outsider:
    """Somebody outside who is emulated. Its name is the root of its URLs and its part of /books."""

    name: str
    endpoints: ClassVar[Sequence[Any]]
    work: Mapping[str, Work] = {}  # what it does by itself, later

    @property
    def parts(self) -> Mapping[str, object]:
        """What its endpoints ask for, by the argument's name."""
        return {"party": self}

    def use(self, change: Change, config: Config) -> None:
        """Take over its section of the configuration."""
        raise NotImplementedError

    def book(self, look: Change) -> Any:
        """Its own truth, as `/books` gives it."""
        raise NotImplementedError


class Party(Outsider):
    """One emulated gateway. Its name is the party of its rows too."""

    accounts: ClassVar[Accounts[Any]]
    gateway_of: ClassVar[type[Gateway[Any]]]
    tempo_of: ClassVar[type[Tempo]]
    payment: ClassVar[type[Thing]]  # what a `reference` names
    chores: ClassVar[Sequence[str]]  # what it does by itself, later
    account_word: ClassVar[str] = "account"  # what it calls a merchant's account

    def __init__(self, store: Store, public_url: str) -> None:
        self.name = self.accounts.party
        self.gateway = self.gateway_of(store, self.tempo_of(), f"{public_url}/{self.name}")
        self.work = {name: partial(self._work, name) for name in self.chores}

    @property
    def tempo(self) -> Tempo:
        return self.gateway.tempo

    @property
    def parts(self) -> Mapping[str, object]:
        return {"party": self, "gateway": self.gateway}

    def use(self, change: Change, config: Config) -> None:
        section = getattr(config, self.name)
        self.gateway.tempo = section.tempo
        for account in section.accounts:
            self.accounts.save(change, account, switch_on=False)

    def book(self, look: Change) -> Any:
        return {"payments": self.books(look)}

    def books(self, look: Change) -> list[dict[str, Any]]:
        """Its own truth: every payment in minor units."""
        raise NotImplementedError

    def headers(self, look: Change, parcel: Parcel) -> dict[str, str]:
        """The headers of one attempt; a gateway that signs each attempt anew says so here."""
        return parcel.headers

    def accepts(self, status: int, body: bytes) -> bool:
        """Whether the merchant's server has taken the webhook."""
        return 200 <= status < 300

    def gives_up(self, parcel: Parcel, status: int | None) -> bool:
        """Whether it tries this webhook no more after this answer, or after none; most of them go
        on until it is old."""
        return False

    def work_on(self, name: str, desk: Any, thing_id: str) -> None:
        """One of its chores, on a thing."""
        raise NotImplementedError

    def _work(self, name: str, change: Change, thing_id: str) -> None:
        self.work_on(name, self.gateway.desk(change), thing_id)
