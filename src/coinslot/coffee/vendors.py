"""The port to whoever commands coffee machines, and the accounts there.

A vendor that reports what became of a cup calls `fulfillment.reported` beside this port: the room
then waits for its word in place of the grace."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg
import httpx
import msgspec
import structlog
from msgspec import Struct

from coinslot.channels import tmetr
from coinslot.channels.tmetr import (
    Drink,
    Heartbeat,
    Make,
    NoPrice,
    Refused,
    Silent,
    Size,
    Taken,
    Unclear,
)
from coinslot.channels.tmetr.mqtt import Commands
from coinslot.coffee import store
from coinslot.context import Context
from coinslot.db.pool import Connection, Database
from coinslot.db.sealed import SealedColumn
from coinslot.kit.clock import Clock
from coinslot.kit.faults import Reached, no_fault
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import Vault
from coinslot.merchants.accounts import concealed, revealed

log = structlog.get_logger(__name__)


AHEAD: Final = timedelta(minutes=5)  # a vendor's or a machine's clock may be wrong by so much


class Vendor(Protocol):
    """One account at a vendor. Every call is sent once, and says itself what silence means."""

    answers_s: float  # no call takes longer
    reports_completion: bool  # whether it will say, by itself, that a cup came or did not

    async def drink(
        self, device: str, drink_id: str, size: Size
    ) -> Drink | NoPrice | Refused | Unclear: ...

    async def last_heartbeat(self, device: str) -> Heartbeat | Silent | Refused | Unclear: ...

    async def make(self, wanted: Make) -> Taken | Refused | Unclear: ...


class UnknownVendorError(LookupError):
    """No account has this id or name, or this program knows no such vendor."""


class AccountTakenError(Exception):
    """Another merchant's account has this name."""


class TmetrVendor(tmetr.Tmetr):
    """Tmetr: it takes a command, and nobody says what came of it."""

    reports_completion = False

    def __init__(
        self, settings: tmetr.Settings, http: httpx.AsyncClient, reached: Reached = no_fault
    ) -> None:
        super().__init__(settings, http, reached)
        self.answers_s = settings.connect_s + settings.read_s


class PublishingVendor(TmetrVendor):
    """The same with its commands published at an MQTT broker."""

    def __init__(
        self, settings: tmetr.Settings, http: httpx.AsyncClient, commands: Commands
    ) -> None:
        super().__init__(settings, http)
        self._commands = commands
        assert settings.mqtt is not None
        self.answers_s = max(self.answers_s, settings.mqtt.answer_s)

    async def make(self, wanted: Make) -> Taken | Refused | Unclear:
        return await self._commands.make(wanted)


def _open_tmetr(settings: Any, reached: Reached) -> Vendor:
    http = tmetr.connect(settings)
    if settings.mqtt is not None:
        return PublishingVendor(settings, http, Commands(settings, settings.mqtt, reached))
    return TmetrVendor(settings, http, reached)


# Name of a vendor -> its settings, and how an account there is opened.
VENDORS: Final[Mapping[str, tuple[type[Struct], Callable[[Any, Reached], Vendor]]]] = {
    "tmetr": (tmetr.Settings, _open_tmetr),
}


class VendorAccount(Struct, frozen=True, kw_only=True):
    """An account as it is set up. `slug` names it in the whole installation."""

    merchant_id: UUID
    slug: str
    settings: Struct
    vendor: str = "tmetr"


SEALED: Final = (
    SealedColumn(
        table="coffee_accounts", column="settings", key="id", names=("vendor", "slug"),
        place=lambda row: _bound_to(row["vendor"], row["slug"]),
    ),
)  # fmt: skip


def _bound_to(vendor: str, slug: str) -> str:
    return f"coffee:{vendor}/{slug}"


async def save_vendor_account(
    conn: Connection, vault: Vault, clock: Clock, account: VendorAccount
) -> UUID:
    """Set it up, or give the one of this name these settings. Raises AccountTakenError."""
    plain = msgspec.json.encode(account.settings, enc_hook=revealed)
    sealed = vault.seal(plain, _bound_to(account.vendor, account.slug))
    try:
        saved: UUID | None = await conn.fetchval(
            store.SAVE_ACCOUNT, uuid7(clock.now()), account.merchant_id, account.vendor,
            account.slug, sealed, clock.now(),
        )  # fmt: skip
    except asyncpg.InsufficientPrivilegeError:  # another merchant's row is not ours to see
        saved = None
    if saved is None:
        raise AccountTakenError(f"there is an account {account.slug} already")
    return saved


def is_recent(context: Context, beat: datetime, within: timedelta) -> bool:
    """Whether a machine that was heard then counts as there. A heartbeat from the future says
    nothing: its clock is of another zone, and would call a dead machine heard for hours."""
    age = context.now() - beat
    if age < -AHEAD:
        log.warning("heartbeat_in_the_future", ahead_s=round(-age.total_seconds()))
    return -AHEAD <= age < within


async def kept_settings(conn: Connection, vault: Vault, slug: str) -> Any:
    """What this merchant's account of the name is set up with; None where there is none."""
    row = await conn.fetchrow(store.ACCOUNT_NAMED, slug)
    return None if row is None else OpenVendors.settings_of(vault, row)


class OpenVendors:
    """The accounts, opened at first use and again when their settings have changed."""

    def __init__(self, reached: Reached = no_fault) -> None:
        self.reached = reached
        self._open: dict[UUID, tuple[int, Vendor]] = {}

    @staticmethod
    def settings_of(vault: Vault, row: asyncpg.Record) -> Any:
        """What an account is set up with, its secrets included. Raises UnknownVendorError."""
        if row["vendor"] not in VENDORS:
            raise UnknownVendorError(row["slug"])
        plain = vault.open(row["settings"], _bound_to(row["vendor"], row["slug"]))
        return msgspec.json.decode(plain, type=VENDORS[row["vendor"]][0], dec_hook=concealed)

    async def by_id(self, db: Database, vault: Vault, account: UUID) -> Vendor:
        """Raises UnknownVendorError."""
        async with db.system_transaction() as conn:
            row = await conn.fetchrow(store.ACCOUNT, account)
        if row is None or row["vendor"] not in VENDORS:
            raise UnknownVendorError(str(account))
        known = self._open.get(account)
        if known is None or known[0] != row["version"]:
            _, opened = VENDORS[row["vendor"]]
            known = (row["version"], opened(self.settings_of(vault, row), self.reached))
            self._open[account] = known
        return known[1]
