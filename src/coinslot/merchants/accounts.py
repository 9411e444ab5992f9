"""A merchant's accounts at gateways: stored encrypted, opened once, each exchange recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coinslot.db.pool import Connection, Database
from coinslot.db.sealed import SealedColumn
from coinslot.gateways import drivers
from coinslot.gateways.base import Gateway
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import Clock, RemoteClock
from coinslot.kit.faults import Reached, no_fault
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import SealBrokenError, Secret, UnknownKeyError, Vault, redact
from coinslot.merchants.clocks import ClockNotes

_CHECKED_EVERY_MS: Final = 30_000  # should the notification of a change be lost
_LEFT_FOR_MS: Final = 300_000  # longer than any call takes
_SECRET_NAMES = ("key_secret", "secret", "client_secret", "password", "token", "authorization")
_PERSONAL_NAMES = ("email", "phone")  # of a payer: receipts go there

# The first account of a gateway answers its bare webhook URL; its order is that of making.
_BY_SLUG = """
SELECT * FROM gateway_accounts WHERE gateway = $1 AND ($2::text IS NULL OR slug = $2)
ORDER BY created_at, id LIMIT 1
"""


SEALED: Final = (
    SealedColumn(
        table="gateway_accounts", column="settings", key="id", names=("gateway", "slug"),
        place=lambda row: settings_context(row["gateway"], row["slug"]),
    ),
    SealedColumn(
        table="gateway_accounts", column="former", key="id", names=("gateway", "slug"),
        place=lambda row: _former_context(row["gateway"], row["slug"]),
    ),
)  # fmt: skip


class UnknownAccountError(LookupError):
    """There is no gateway account with this id."""


class LockedAccountError(Exception):
    """An account is encrypted under a key that we do not have: no payment or refund could be made
    there."""


class SlugTakenError(Exception):
    """Another merchant's account at this gateway has this slug."""


class Former(Struct, frozen=True, kw_only=True):
    """A secret that was replaced. It still proves webhooks, in this setting, until then."""

    setting: str
    secret: Secret
    until: datetime


class AccountName(Struct, frozen=True):
    """Whose account it is, and how a webhook's URL names it."""

    merchant_id: UUID
    gateway: str
    slug: str


class Account(Struct, frozen=True, kw_only=True):
    """One gateway account of a merchant, opened."""

    id: UUID
    merchant_id: UUID
    gateway: str
    slug: str
    driver: Gateway
    live: bool | None = None  # whether real money moves there; None: not known
    there: RemoteClock | None = None  # the gateway's own clock; None: not known

    def ahead(self) -> timedelta | None:
        """By how much our clock is ahead of the gateway's, as far as known."""
        return None if self.there is None else self.there.ahead()


@dataclass(slots=True)
class _Opened:
    account: Account
    wire: Wire
    version: int  # of the settings it was opened with
    checked_ms: int
    until: datetime | None  # when the first former secret ends


class Accounts:
    """Every gateway account of the installation, opened at first use, and again when its settings
    have changed: `changed` says so at once, and polling finds it within half a minute."""

    def __init__(self, db: Database, vault: Vault, clock: Clock, *, timeout_s: float) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._timeout_s = timeout_s
        self.reached: Reached = no_fault  # called at every call of a gateway; for the storms
        self._open: dict[UUID, _Opened] = {}
        self._slugs: dict[tuple[str, str | None], UUID] = {}
        self._left: list[tuple[int, Wire]] = []  # whose calls may still be under way, and since
        self.clocks: ClockNotes | None = None  # where clock differences are recorded

    async def by_id(self, account_id: UUID) -> Account:
        """Raises UnknownAccountError."""
        known, now_ms = self._open.get(account_id), self._clock.monotonic_ms()
        if known is not None and self._lapsed(known):
            known.version, known.checked_ms = -1, now_ms - _CHECKED_EVERY_MS
        if known is not None and now_ms - known.checked_ms < _CHECKED_EVERY_MS:
            return known.account
        async with self._db.system_transaction() as conn:
            row = await conn.fetchrow("SELECT * FROM gateway_accounts WHERE id = $1", account_id)
        if row is None:
            raise UnknownAccountError(str(account_id))
        known = self._open.get(account_id)
        if known is not None and known.version == row["version"]:
            known.checked_ms = now_ms
            return known.account
        if known is not None:
            self._leave(known)
        self._open[account_id] = await self._opened(row)
        return self._open[account_id].account

    def _lapsed(self, known: _Opened) -> bool:
        return known.until is not None and self._clock.now() >= known.until

    def changed(self, account_id: UUID | None = None) -> None:
        """The next caller gets the account as it is now; None: all of them are read again. A call
        that is under way ends with the credentials it began with."""
        for known in self._open.values():
            if account_id in (None, known.account.id):
                known.checked_ms = self._clock.monotonic_ms() - _CHECKED_EVERY_MS

    async def by_slug(self, gateway: str, slug: str | None) -> Account | None:
        """The account that a webhook's URL names; without a slug, the gateway's first."""
        known = self._slugs.get((gateway, slug))
        if known is None:
            async with self._db.system_transaction() as conn:
                row = await conn.fetchrow(_BY_SLUG, gateway, slug)
            if row is None:
                return None
            known = row["id"]
            self._slugs[gateway, slug] = known
        return await self.by_id(known)

    async def check(self) -> int:
        """How many there are. Raises LockedAccountError when our keys do not open one of them."""
        async with self._db.system_transaction() as conn:
            rows = await conn.fetch(
                "SELECT gateway, slug, settings, former FROM gateway_accounts"
                " ORDER BY gateway, slug"
            )
        for row in rows:
            name = f"{row['gateway']}/{row['slug']}"
            try:
                unseal(self._vault, row["gateway"], row["slug"], row["settings"])
                unseal_former(self._vault, row["gateway"], row["slug"], row["former"])
            except (SealBrokenError, UnknownKeyError) as error:
                raise LockedAccountError(
                    f"COINSLOT_KEYS does not open the account {name}: {error}"
                ) from error
        return len(rows)

    async def close(self) -> None:
        """Close the connections to the gateways."""
        wires = [wire for _, wire in self._left] + [known.wire for known in self._open.values()]
        for wire in wires:
            await wire.close()

    def _leave(self, known: _Opened) -> None:
        self._left.append((self._clock.monotonic_ms(), known.wire))

    async def _close_left(self) -> None:
        """Close those whose last call has ended by now, however slow it was."""
        over_ms = self._clock.monotonic_ms() - _LEFT_FOR_MS
        over = [wire for since_ms, wire in self._left if since_ms <= over_ms]
        self._left = [(since_ms, wire) for since_ms, wire in self._left if since_ms > over_ms]
        for wire in over:
            await wire.close()

    async def _opened(self, row: asyncpg.Record) -> _Opened:
        await self._close_left()
        account_id, merchant_id = row["id"], row["merchant_id"]
        gateway, slug = row["gateway"], row["slug"]
        former = unseal_former(self._vault, gateway, slug, row["former"])
        still = [one for one in former if self._clock.now() < one.until]
        settings = _with_former(unseal(self._vault, gateway, slug, row["settings"]), still)
        driver = drivers()[gateway]
        where = driver.address(settings)

        async def record(exchange: Exchange) -> None:
            await self._record(account_id, merchant_id, exchange)
            if self.clocks is not None:
                name = f"{gateway}/{slug}"
                await self.clocks.note((account_id, merchant_id, name), wire.there)

        timeout_s = max(self._timeout_s, where.answers_within_s)
        wire = Wire.to(where, timeout_s=timeout_s, record=record, now_ms=self._clock.monotonic_ms)
        wire.reached = self.reached
        wire.there = RemoteClock(self._clock)
        account = Account(
            id=account_id,
            merchant_id=merchant_id,
            gateway=gateway,
            slug=slug,
            driver=driver.open(settings, wire),
            live=where.live,
            there=wire.there,
        )
        until = min((one.until for one in still), default=None)
        return _Opened(account, wire, row["version"], self._clock.monotonic_ms(), until)

    async def _record(self, account_id: UUID, merchant_id: UUID, exchange: Exchange) -> None:
        kept = as_kept(exchange)
        async with self._db.as_merchant(merchant_id) as conn:
            await conn.execute(
                "INSERT INTO exchanges (merchant_id, account_id, method, url, request, status,"
                " response, failure, took_ms, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                merchant_id, account_id, kept.method, kept.url, kept.request, kept.status,
                kept.response, kept.failure, kept.took_ms, self._clock.now(),
            )  # fmt: skip


def as_kept(exchange: Exchange) -> Exchange:
    """An exchange as it is stored: without credentials, and without where to find a payer."""
    names = (*_SECRET_NAMES, *_PERSONAL_NAMES)
    return Exchange(
        method=exchange.method,
        url=_storable(exchange.url) or "",
        request=redact(exchange.request, names),
        status=exchange.status,
        response=redact(exchange.response, names),
        failure=_storable(exchange.failure),
        took_ms=exchange.took_ms,
    )


def _storable(text: str | None) -> str | None:
    """PostgreSQL's text type holds no NUL, and an answer or an id in a URL may contain one; jsonb
    is handled in `db/pool.py`."""
    return None if text is None else text.replace("\0", "\ufffd")


def seal(vault: Vault, gateway: str, slug: str, settings: Struct) -> bytes:
    """A driver's settings, encrypted as the database stores them."""
    plain = msgspec.json.encode(settings, enc_hook=revealed)
    return vault.seal(plain, settings_context(gateway, slug))


def unseal(vault: Vault, gateway: str, slug: str, sealed: bytes) -> Struct:
    """A driver's settings, decrypted. Raises SealBrokenError."""
    plain = vault.open(sealed, settings_context(gateway, slug))
    settings: Struct = msgspec.json.decode(
        plain, type=drivers()[gateway].Settings, dec_hook=concealed
    )
    return settings


def seal_former(vault: Vault, gateway: str, slug: str, former: Sequence[Former]) -> bytes | None:
    """Secrets that were replaced, encrypted as the database stores them; None for none."""
    if not former:
        return None
    plain = msgspec.json.encode(former, enc_hook=revealed)
    return vault.seal(plain, _former_context(gateway, slug))


def unseal_former(
    vault: Vault, gateway: str, slug: str, sealed: bytes | None
) -> tuple[Former, ...]:
    """Those that were kept, also when their time is over. Raises SealBrokenError."""
    if sealed is None:
        return ()
    plain = vault.open(sealed, _former_context(gateway, slug))
    return msgspec.json.decode(plain, type=tuple[Former, ...], dec_hook=concealed)


def settings_context(gateway: str, slug: str) -> str:
    """What binds sealed settings to their account."""
    return f"account:{gateway}:{slug}"


def _former_context(gateway: str, slug: str) -> str:
    return f"account:{gateway}:{slug}:former"


def _with_former(settings: Struct, former: Sequence[Former]) -> Struct:
    """As a driver is opened: what still proves a webhook stands behind what proves it now."""
    more: dict[str, tuple[Secret, ...]] = {}
    for one in former:
        more[one.setting] = (*more.get(one.setting, getattr(settings, one.setting)), one.secret)
    return replace(settings, **more) if more else settings


async def refuse_another_merchants(db: Database, name: AccountName) -> None:
    """Raises SlugTakenError where another merchant's account has this slug."""
    async with db.system_transaction() as conn:
        owner = await conn.fetchval(
            "SELECT merchant_id FROM gateway_accounts WHERE gateway = $1 AND slug = $2",
            name.gateway,
            name.slug,
        )
    if owner not in (None, name.merchant_id):
        raise SlugTakenError(f"{name.gateway}/{name.slug} is another merchant's: choose another")


async def of_merchant(db: Database, vault: Vault, merchant: UUID) -> list[str]:
    """A line for each account of a merchant, in the order in which payments are routed."""
    async with db.as_merchant(merchant) as conn:
        rows = await conn.fetch("SELECT * FROM gateway_accounts ORDER BY created_at, id")
    lines = []
    for row in rows:
        given = unseal(vault, row["gateway"], row["slug"], row["settings"])
        live = drivers()[row["gateway"]].address(given).live
        mode = {True: "live", False: "test", None: "test or live"}[live]
        lines.append(f"{row['gateway']}/{row['slug']}  {mode}")
    return lines


def revealed(value: object) -> object:
    """For msgspec: a secret as its text."""
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(type(value).__name__)


def concealed(kind: type, value: object) -> object:
    """For msgspec: a text as a `Secret`."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("a secret is a text")


async def save_account(
    conn: Connection, vault: Vault, now: datetime, name: AccountName, settings: Struct
) -> UUID:
    """Store an account's settings, encrypted; a second call replaces them. Returns its id."""
    gateway, slug = name.gateway, name.slug
    account_id: UUID = await conn.fetchval(
        "INSERT INTO gateway_accounts (id, merchant_id, gateway, slug, settings, created_at,"
        " test_only) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (gateway, slug) DO UPDATE SET settings = $5, test_only = $7 RETURNING id",
        uuid7(now), name.merchant_id, gateway, slug, seal(vault, gateway, slug, settings),
        now, drivers()[gateway].address(settings).live is False,
    )  # fmt: skip
    return account_id
