"""Merchants: who they are, and in which zone."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from coinslot.db.pool import Connection, Database
from coinslot.kit.clock import known_zone


class Merchant(Struct, frozen=True, kw_only=True):
    """A business that is paid."""

    id: UUID
    name: str
    slug: str
    contact: str = ""
    zone: str | None = None  # IANA name; None: the installation's
    currency: str | None = None  # of its new machines; None: not said


async def merchant_named(db: Database, slug: str) -> UUID | None:
    """The merchant with this slug."""
    async with db.system_transaction() as conn:
        found: UUID | None = await conn.fetchval("SELECT id FROM merchants WHERE slug = $1", slug)
    return found


async def merchants(db: Database) -> list[Merchant]:
    """All of them, by name."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch(
            "SELECT id, name, slug, contact, zone, currency FROM merchants ORDER BY name, slug"
        )
    return [Merchant(**dict(row)) for row in rows]


async def zone_of_merchant(db: Database, merchant: UUID) -> str | None:
    """Its zone; None: the installation's."""
    async with db.as_merchant(merchant) as conn:
        zone: str | None = await conn.fetchval("SELECT zone FROM merchants WHERE id = $1", merchant)
    return zone


async def currencies(conn: Connection) -> list[str]:
    """In what this merchant sells: its own currency, then those of its products and outlets."""
    rows = await conn.fetch(
        "SELECT currency::text, 0 AS place FROM merchants WHERE currency IS NOT NULL"
        " UNION SELECT currency::text, 1 FROM products"
        " UNION SELECT currency::text, 1 FROM outlets ORDER BY place, currency"
    )
    return list(dict.fromkeys(row["currency"] for row in rows))


async def usual_currency(db: Database, merchant: UUID) -> str:
    """In what its machines sell where nobody says; empty where nothing is known."""
    async with db.as_merchant(merchant) as conn:
        return next(iter(await currencies(conn)), "")


async def open_merchant(db: Database, merchant: Merchant, now: datetime) -> UUID:
    """Its id: the one given, or that of the merchant that has this slug already.

    Raises UnknownZoneError."""
    there = await merchant_named(db, merchant.slug)
    if there is not None:
        return there
    async with db.as_merchant(merchant.id) as conn:
        await add_merchant(conn, merchant, now)
    return merchant.id


async def add_merchant(conn: Connection, merchant: Merchant, now: datetime) -> None:
    """In a transaction of the merchant's. Raises UnknownZoneError, and UniqueViolationError where
    another merchant has the slug."""
    await conn.execute(
        "INSERT INTO merchants (id, name, slug, contact, zone, currency, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        merchant.id, merchant.name, merchant.slug, merchant.contact, known_zone(merchant.zone),
        merchant.currency, now,
    )  # fmt: skip


async def move_merchant(db: Database, merchant_id: UUID, zone: str) -> None:
    """From now on its days and times are those of another zone. Raises UnknownZoneError."""
    async with db.as_merchant(merchant_id) as conn:
        await conn.execute(
            "UPDATE merchants SET zone = $2 WHERE id = $1", merchant_id, known_zone(zone)
        )


async def pause_merchant(db: Database, merchant_id: UUID, at: datetime | None) -> None:
    """Its outlets take no new orders from then on; None: they do again. What was ordered before is
    handed over, or its money goes back, as ever."""
    async with db.as_merchant(merchant_id) as conn:
        await conn.execute(
            "UPDATE merchants SET paused_at = CASE WHEN $2::timestamptz IS NOT NULL"
            " THEN coalesce(paused_at, $2) END WHERE id = $1",
            merchant_id,
            at,
        )
