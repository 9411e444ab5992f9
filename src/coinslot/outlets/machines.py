"""Outlets, their slots, and the device inside with its secret."""

import asyncio
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

import bcrypt
from msgspec import Struct

from coinslot.db.pool import Connection, Database
from coinslot.db.sealed import SealedColumn
from coinslot.kit.clock import known_zone
from coinslot.kit.secrets import Vault
from coinslot.states.unit_flow import UnknownKindError

# The secret is 256 random bits, so the cheapest bcrypt is enough, and brokers check it often.
_BCRYPT_ROUNDS = 4


class UnknownOutletError(LookupError):
    """No outlet has this code."""


class OutletTakenError(Exception):
    """Another outlet of the installation has this code."""


class Outlet(Struct, frozen=True, kw_only=True):
    """A thing with a QR code on it. `code` is unique in the installation: topic, login, URL."""

    code: str
    merchant_id: UUID
    name: str
    place: str
    kind: str  # its way of selling, such as vending
    channel: str
    dialect: str  # leased, simple
    currency: str
    account_id: UUID
    contact: str = ""
    zone: str | None = None  # IANA name of its zone; None: its merchant's


class Slot(Struct, frozen=True, kw_only=True):
    """A place in a machine that holds one product and a count."""

    slot: str
    product_id: UUID
    price_minor: int
    stock: int
    par: int = 0  # it is filled up to this


class DeviceLogin(Struct, frozen=True):
    """What the broker has to know about a device. One whose secret is being replaced has two."""

    outlet: str
    login: str
    broker_hash: str


class DeviceSecret(Struct, frozen=True, kw_only=True):
    """A device's secret, which is shown this once, and the number that names it."""

    outlet: str
    secret: str
    key_id: int

    @property
    def login(self) -> str:
        """At the embedded broker, where a secret has a login of its own."""
        return login_of(self.outlet, self.key_id)


def login_of(outlet: str, key_id: int) -> str:
    """The first secret's login is the machine's code, which has no dot in it."""
    return outlet if key_id == 1 else f"{outlet}.{key_id}"


async def add_outlet(conn: Connection, outlet: Outlet, slots: list[Slot], now: datetime) -> bool:
    """Add an outlet with its slots; one of this merchant's with this code stays as it is. Whether
    it is new. Raises UnknownZoneError, OutletTakenError for another merchant's code, and
    UnknownKindError where the database has no table of moves for its way of selling."""
    if await conn.fetchval("SELECT begins_as($1) IS NULL", outlet.kind):
        raise UnknownKindError(f"{outlet.code}: no way of selling is called {outlet.kind}")
    new = await conn.fetchval(
        "INSERT INTO outlets (id, merchant_id, name, place, kind, channel, dialect, currency,"
        " account_id, contact, zone, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        " ON CONFLICT (id) DO NOTHING RETURNING id",
        outlet.code, outlet.merchant_id, outlet.name, outlet.place, outlet.kind, outlet.channel,
        outlet.dialect, outlet.currency, outlet.account_id, outlet.contact,
        known_zone(outlet.zone), now,
    )  # fmt: skip
    # A foreign key sees every merchant's rows: without this look, slots would be put in another's.
    if new is None and not await conn.fetchval(
        "SELECT true FROM outlets WHERE id = $1 AND merchant_id = $2",
        outlet.code, outlet.merchant_id,
    ):  # fmt: skip
        raise OutletTakenError(f"there is a machine {outlet.code} already")
    await conn.executemany(
        "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock, par)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        [
            (outlet.merchant_id, outlet.code, s.slot, s.product_id, s.price_minor, s.stock, s.par)
            for s in slots
        ],
    )
    # Until it is said otherwise, a page offers what is printed on the machine: a code.
    await conn.execute(
        "INSERT INTO ways_to_pay (merchant_id, outlet_id, account_id, way, place)"
        " SELECT merchant_id, id, account_id, 'code', 1 FROM outlets WHERE id = $1"
        " AND account_id IS NOT NULL AND NOT EXISTS (SELECT FROM ways_to_pay WHERE outlet_id = $1)",
        outlet.code,
    )
    return new is not None


_ISSUE = """
INSERT INTO devices (outlet_id, merchant_id, secret, broker_hash, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (outlet_id) DO UPDATE SET secret = $3, broker_hash = $4, next_secret = NULL,
    next_hash = NULL, next_key_id = NULL, next_issued_at = NULL
RETURNING key_id
"""
# A number is used once: whoever was given an older secret that was never used has it no more.
_ISSUE_NEXT = """
UPDATE devices SET next_secret = $2, next_hash = $3, next_issued_at = $4,
    next_key_id = greatest(key_id, next_key_id) + 1
WHERE outlet_id = $1 RETURNING next_key_id
"""
USE_NEXT = """
UPDATE devices SET secret = next_secret, broker_hash = next_hash, key_id = next_key_id,
    next_secret = NULL, next_hash = NULL, next_key_id = NULL, next_issued_at = NULL
WHERE outlet_id = $1 AND (next_hash = $2 OR next_key_id::text = $3)
"""


async def issue_device(
    conn: Connection, vault: Vault, merchant_id: UUID, outlet: str, now: datetime
) -> str:
    """A new secret for the outlet's device: shown this once, stored encrypted; the old one ends."""
    return (await replace_secret(conn, vault, merchant_id, outlet, now)).secret


async def replace_secret(
    conn: Connection, vault: Vault, merchant_id: UUID, outlet: str, now: datetime
) -> DeviceSecret:
    """The first secret of a device, or a new one in whose favour the old one ends at once."""
    secret, sealed = _new_secret(vault, outlet)
    key_id = await conn.fetchval(_ISSUE, outlet, merchant_id, sealed, hashed(secret), now)
    return DeviceSecret(outlet=outlet, secret=secret, key_id=key_id)


async def next_secret(
    conn: Connection, vault: Vault, outlet: str, now: datetime
) -> DeviceSecret | None:
    """A secret that counts beside the one in use until it is first used; then that one ends. Asked
    for again, the one that was given before and never used ends. None: there is no device yet."""
    secret, sealed = _new_secret(vault, outlet)
    key_id = await conn.fetchval(_ISSUE_NEXT, outlet, sealed, hashed(secret), now)
    return None if key_id is None else DeviceSecret(outlet=outlet, secret=secret, key_id=key_id)


def secret_context(outlet: str) -> str:
    """What binds a sealed secret to its machine."""
    return f"device:{outlet}"


SEALED: Final = tuple(
    SealedColumn(
        table="devices", column=column, key="outlet_id", names=("outlet_id",),
        place=lambda row: secret_context(row["outlet_id"]),
    )
    for column in ("secret", "next_secret")
)  # fmt: skip


def _new_secret(vault: Vault, outlet: str) -> tuple[str, bytes]:
    secret = secrets.token_hex(32)
    return secret, vault.seal(secret.encode(), secret_context(outlet))


def hashed(secret: str) -> str:
    """As brokers want it."""
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()


async def is_device(db: Database, outlet: str, secret: str) -> UUID | None:
    """The merchant of the outlet whose device knows this secret, else None. A new secret is used by
    this, and the old one ends."""
    async with db.system_transaction() as conn:
        row = await conn.fetchrow(
            "SELECT d.merchant_id, d.broker_hash, d.next_hash FROM devices d JOIN outlets o"
            " ON o.id = d.outlet_id WHERE d.outlet_id = $1 AND o.decommissioned_at IS NULL",
            outlet,
        )
    if row is None or len(secret.encode()) > 72:  # bcrypt reads no further
        return None
    merchant: UUID = row["merchant_id"]
    if await _opens(secret, row["broker_hash"]):
        return merchant
    if row["next_hash"] is None or not await _opens(secret, row["next_hash"]):
        return None
    async with db.as_merchant(merchant) as conn:
        await conn.execute(USE_NEXT, outlet, row["next_hash"], None)
        now: str = await conn.fetchval(
            "SELECT broker_hash FROM devices WHERE outlet_id = $1", outlet
        )
    return merchant if now == row["next_hash"] else None  # replaced once more meanwhile


async def _opens(secret: str, broker_hash: str) -> bool:
    return await asyncio.to_thread(bcrypt.checkpw, secret.encode(), broker_hash.encode())


async def device_logins(db: Database, channel: str) -> list[DeviceLogin]:
    """Every login by which a device may connect through a channel."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch(
            "SELECT d.outlet_id, k.key_id, k.hash FROM devices d"
            " JOIN outlets o ON o.id = d.outlet_id CROSS JOIN LATERAL (VALUES"
            " (d.key_id, d.broker_hash), (d.next_key_id, d.next_hash)) k (key_id, hash)"
            " WHERE o.channel = $1 AND o.decommissioned_at IS NULL AND k.hash IS NOT NULL"
            " ORDER BY d.outlet_id, k.key_id",
            channel,
        )
    return [
        DeviceLogin(row["outlet_id"], login_of(row["outlet_id"], row["key_id"]), row["hash"])
        for row in rows
    ]


async def device_versions(db: Database, outlets: list[str]) -> dict[str, int]:
    """How often the secret of each was replaced; none for a machine that is out of service."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch(
            "SELECT d.outlet_id, d.version FROM devices d JOIN outlets o ON o.id = d.outlet_id"
            " WHERE d.outlet_id = ANY ($1) AND o.decommissioned_at IS NULL",
            outlets,
        )
    return {row["outlet_id"]: row["version"] for row in rows}


class UnknownSlotError(LookupError):
    """The outlet has no such slot."""


async def refill(
    db: Database, outlet: str, slot: str | None, stock: int, merchant: UUID | None = None
) -> list[str]:
    """A person filled or repaired a slot (or all): it sells again, unless a person took it out of
    sale. Returns the slots' names. Only a machine of this merchant's; None (the command line): of
    whoever has it.

    Raises UnknownOutletError and UnknownSlotError."""
    async with db.as_merchant(merchant or await owner_of(db, outlet)) as conn:
        return await fill(conn, outlet, slot, stock)


async def fill(conn: Connection, outlet: str, slot: str | None, stock: int) -> list[str]:
    """The same within the merchant's transaction. Raises UnknownSlotError."""
    rows = await conn.fetch(
        "UPDATE slots SET stock = $3, counted = NULL, counted_journal = NULL,"
        " counted_event = NULL, other_product = false, out_of_sale_at = withheld_at,"
        " failures_in_row = 0"
        " WHERE outlet_id = $1 AND ($2::text IS NULL OR slot = $2) RETURNING slot",
        outlet,
        slot,
        stock,
    )
    if not rows:
        raise UnknownSlotError(f"{outlet} has no slot {slot}")
    return sorted(row["slot"] for row in rows)


async def without_zone(db: Database) -> list[str]:
    """Outlets in service that have no zone, nor has their merchant."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch(
            "SELECT o.id FROM outlets o JOIN merchants m ON m.id = o.merchant_id"
            " WHERE coalesce(o.zone, m.zone) IS NULL AND o.decommissioned_at IS NULL ORDER BY o.id"
        )
    return [row["id"] for row in rows]


class OutletName(Struct, frozen=True, kw_only=True):
    """What an outlet is called, and by which way it sells."""

    code: str
    name: str
    kind: str


async def named(db: Database, merchant: UUID, outlet: str) -> OutletName:
    """Raises UnknownOutletError for another merchant's."""
    async with db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(
            "SELECT id AS code, name, kind FROM outlets WHERE id = $1", outlet
        )
    if row is None:
        raise UnknownOutletError(f"no outlet has the code {outlet}")
    return OutletName(**dict(row))


async def owner_of(db: Database, outlet: str) -> UUID:
    """The merchant of an outlet. Raises UnknownOutletError."""
    async with db.system_transaction() as conn:
        merchant: UUID | None = await conn.fetchval(
            "SELECT merchant_id FROM outlets WHERE id = $1", outlet
        )
    if merchant is None:
        raise UnknownOutletError(f"no outlet has the code {outlet}")
    return merchant
