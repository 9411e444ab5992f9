"""What the sandbox asks of every emulated gateway; `app.py` holds the list of them."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from litestar import Router

from sandbox.chores import Work
from sandbox.config import Config
from sandbox.store import Change
from sandbox.tempo import Tempo


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook about to be posted: for whom, and how it was written down at its birth."""

    account_id: str
    headers: dict[str, str]
    body: bytes


class Party:
    """One emulated gateway. Its `name` is the party of its rows and the root of its URLs."""

    name: ClassVar[str]
    router: ClassVar[Router]
    tempo: Tempo
    work: Mapping[str, Work]  # its chores by name
    parts: Mapping[str, Any]  # what its endpoints ask for, by the argument's name

    def use(self, change: Change, config: Config) -> None:
        """Take over its section of the configuration."""
        raise NotImplementedError

    def books(self, look: Change) -> list[dict[str, Any]]:
        """Its own truth: every payment in minor units."""
        raise NotImplementedError

    def headers(self, look: Change, parcel: Parcel) -> dict[str, str]:
        """The headers of one attempt; a gateway that signs each attempt anew says so here."""
        return parcel.headers

    def accepts(self, status: int, body: bytes) -> bool:
        """Whether the merchant's server has taken the webhook."""
        return 200 <= status < 300
