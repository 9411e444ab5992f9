"""Who sells and who works for them: merchants, members with a password and a role, API keys."""

import asyncio
import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from argon2 import PasswordHasher
from msgspec import Struct

from coinslot.db.pool import Database
from coinslot.kit.ids import uuid7

_HASHER = PasswordHasher()
_USE_NOTED_EVERY = timedelta(minutes=1)


class Merchant(Struct, frozen=True, kw_only=True):
    """A business that is paid."""

    id: UUID
    name: str
    slug: str
    contact: str = ""


class NewMember(Struct, frozen=True, kw_only=True):
    """Someone who shall work for a merchant. `role`: admin, operator or viewer."""

    login: str
    password: str
    role: str


async def open_merchant(db: Database, merchant: Merchant, now: datetime) -> UUID:
    """Its id: the one given, or that of the merchant who has this slug already."""
    async with db.door() as conn:
        there: UUID | None = await conn.fetchval(
            "SELECT id FROM merchants WHERE slug = $1", merchant.slug
        )
    if there is not None:
        return there
    async with db.as_merchant(merchant.id) as conn:
        await conn.execute(
            "INSERT INTO merchants (id, name, slug, contact, created_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            merchant.id, merchant.name, merchant.slug, merchant.contact, now,
        )  # fmt: skip
    return merchant.id


async def add_member(db: Database, merchant_id: UUID, member: NewMember, now: datetime) -> None:
    """Add a member; one with this login stays as it is."""
    hashed = await asyncio.to_thread(_HASHER.hash, member.password)
    async with db.as_merchant(merchant_id) as conn:
        await conn.execute(
            "INSERT INTO members (id, merchant_id, login, password_hash, role, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (login) DO NOTHING",
            uuid7(now), merchant_id, member.login, hashed, member.role, now,
        )  # fmt: skip


class Caller(Struct, frozen=True, kw_only=True):
    """Who calls the API: a merchant, by one of its keys."""

    merchant: UUID
    key: UUID
    scopes: frozenset[str]


async def caller(db: Database, key: str, now: datetime) -> Caller | None:
    """Whose API key this is; None for a key that is unknown or revoked."""
    async with db.door() as conn:
        row = await conn.fetchrow(
            "SELECT id, merchant_id, scopes, last_used_at FROM api_keys"
            " WHERE hash = $1 AND revoked_at IS NULL",
            hashlib.sha256(key.encode()).digest(),
        )
        if row is None:
            return None
        if row["last_used_at"] is None or now - row["last_used_at"] > _USE_NOTED_EVERY:
            await conn.execute(
                "UPDATE api_keys SET last_used_at = $2 WHERE id = $1", row["id"], now
            )
    return Caller(merchant=row["merchant_id"], key=row["id"], scopes=frozenset(row["scopes"]))


async def issue_key(db: Database, merchant_id: UUID, now: datetime) -> str:
    """A new API key: shown this once, kept as a hash."""
    key = f"sk_test_{secrets.token_urlsafe(24)}"
    async with db.as_merchant(merchant_id) as conn:
        await conn.execute(
            "INSERT INTO api_keys (id, merchant_id, prefix, hash, created_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            uuid7(now), merchant_id, key[:12], hashlib.sha256(key.encode()).digest(), now,
        )  # fmt: skip
    return key
