"""Merchants and the people who work for them: members with a password and a role."""

import asyncio
from datetime import datetime
from uuid import UUID

from argon2 import PasswordHasher
from msgspec import Struct

from coinslot.db.pool import Database
from coinslot.kit.clock import known_zone
from coinslot.kit.ids import uuid7

_HASHER = PasswordHasher()


class Merchant(Struct, frozen=True, kw_only=True):
    """A business that is paid."""

    id: UUID
    name: str
    slug: str
    contact: str = ""
    zone: str | None = None  # IANA name; None: the installation's


class NewMember(Struct, frozen=True, kw_only=True):
    """Someone who will work for a merchant. `role`: admin, operator or viewer."""

    login: str
    password: str
    role: str


async def merchant_named(db: Database, slug: str) -> UUID | None:
    """The merchant with this slug."""
    async with db.system_transaction() as conn:
        found: UUID | None = await conn.fetchval("SELECT id FROM merchants WHERE slug = $1", slug)
    return found


async def merchants(db: Database) -> list[Merchant]:
    """All of them, by name."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch(
            "SELECT id, name, slug, contact, zone FROM merchants ORDER BY name, slug"
        )
    return [Merchant(**dict(row)) for row in rows]


async def open_merchant(db: Database, merchant: Merchant, now: datetime) -> UUID:
    """Its id: the one given, or that of the merchant that has this slug already.

    Raises UnknownZoneError."""
    there = await merchant_named(db, merchant.slug)
    if there is not None:
        return there
    async with db.as_merchant(merchant.id) as conn:
        await conn.execute(
            "INSERT INTO merchants (id, name, slug, contact, zone, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            merchant.id, merchant.name, merchant.slug, merchant.contact,
            known_zone(merchant.zone), now,
        )  # fmt: skip
    return merchant.id


async def move_merchant(db: Database, merchant_id: UUID, zone: str) -> None:
    """From now on its days and times are those of another zone. Raises UnknownZoneError."""
    async with db.as_merchant(merchant_id) as conn:
        await conn.execute(
            "UPDATE merchants SET zone = $2 WHERE id = $1", merchant_id, known_zone(zone)
        )


async def add_member(db: Database, merchant_id: UUID, member: NewMember, now: datetime) -> None:
    """Add a member; one with this login stays as it is."""
    hashed = await asyncio.to_thread(_HASHER.hash, member.password)
    async with db.as_merchant(merchant_id) as conn:
        await conn.execute(
            "INSERT INTO members (id, merchant_id, login, password_hash, role, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (login) DO NOTHING",
            uuid7(now), merchant_id, member.login, hashed, member.role, now,
        )  # fmt: skip
