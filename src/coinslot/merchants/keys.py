"""API keys: shown once, stored as a hash, with scopes, revocable; and the merchant that a key
belongs to."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.db.pool import Connection, Database
from coinslot.kit.ids import uuid7

# Above the merchant's limit, for which a person has to show a factor again.
LARGE_REFUNDS: Final = "refunds:large"
USUAL_SCOPES: Final = (
    "payments:read", "payments:write", "refunds:write", "events:read", "webhooks:write",
)  # fmt: skip
# What a merchant's shop has no use for is in a key only where it is asked for.
SCOPES: Final = (
    *USUAL_SCOPES, "machines:read", "machines:write", "devices:write", "orders:read", LARGE_REFUNDS,
)  # fmt: skip
TEST, LIVE = "sk_test_", "sk_live_"
_USE_NOTED_EVERY = timedelta(minutes=1)
SHOWN_CHARS = len(TEST) + 4

_MAKE = """
INSERT INTO api_keys (id, merchant_id, prefix, hash, name, scopes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_LISTED = """
SELECT k.*, m.slug FROM api_keys k JOIN merchants m ON m.id = k.merchant_id
ORDER BY k.created_at, k.id
"""
_FOUND = """
SELECT id, merchant_id FROM api_keys WHERE revoked_at IS NULL
    AND CASE WHEN length($1) > $3 THEN hash = $2 ELSE prefix = $1 END
"""
_REVOKE = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1"


class UnknownKeyError(Exception):
    """No key in use begins so, or several do."""


class KeyRequest(Struct, frozen=True, kw_only=True):
    """What a new key is for. A live one may move real money, a test one never."""

    name: str = ""
    scopes: tuple[str, ...] = USUAL_SCOPES
    live: bool = False
    expires_at: datetime | None = None


class ApiKey(Struct, frozen=True, kw_only=True):
    """An API key as a list shows it: its first characters only."""

    id: UUID
    merchant: str
    name: str
    begins: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    expires_at: datetime | None = None
    replaced_by: UUID | None = None

    @property
    def live(self) -> bool:
        """Whether it may move real money."""
        return self.begins.startswith(LIVE)

    def works(self, now: datetime) -> bool:
        """Whether a call with it is let in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Caller(Struct, frozen=True, kw_only=True):
    """Who calls the API: a merchant, by one of its keys."""

    merchant: UUID
    key: UUID
    scopes: frozenset[str]
    live: bool


async def caller(db: Database, key: str, now: datetime) -> Caller | None:
    """Whose API key this is; None for a key that is unknown, revoked, or over."""
    async with db.system_connection() as conn:
        row = await conn.fetchrow(
            "SELECT id, merchant_id, prefix, scopes, last_used_at FROM api_keys"
            " WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
            hashlib.sha256(key.encode()).digest(), now,
        )  # fmt: skip
        if row is None:
            return None
        if row["last_used_at"] is None or now - row["last_used_at"] > _USE_NOTED_EVERY:
            await conn.execute(
                "UPDATE api_keys SET last_used_at = $2 WHERE id = $1", row["id"], now
            )
    return Caller(
        merchant=row["merchant_id"], key=row["id"], scopes=frozenset(row["scopes"]),
        live=row["prefix"].startswith(LIVE),
    )  # fmt: skip


async def issue_key(
    db: Database, merchant_id: UUID, now: datetime, wish: KeyRequest | None = None
) -> str:
    """The new key: this is the only time that it is shown. Raises ValueError for a scope that
    there is not."""
    async with db.as_merchant(merchant_id) as conn:
        return (await insert_key(conn, merchant_id, now, wish or KeyRequest()))[1]


async def insert_key(
    conn: Connection, merchant_id: UUID, now: datetime, wanted: KeyRequest
) -> tuple[UUID, str]:
    """Its id, and the key itself. Raises ValueError for a scope that there is not."""
    if unknown := sorted(set(wanted.scopes) - set(SCOPES)):
        raise ValueError(f"there is no scope {unknown[0]!r}, only {', '.join(SCOPES)}")
    made, key = uuid7(now), (LIVE if wanted.live else TEST) + secrets.token_urlsafe(24)
    await conn.execute(
        _MAKE, made, merchant_id, key[:SHOWN_CHARS], hashlib.sha256(key.encode()).digest(),
        wanted.name, list(wanted.scopes), now, wanted.expires_at,
    )  # fmt: skip
    return made, key


async def listed(db: Database) -> list[ApiKey]:
    """Of every merchant, the oldest first, the revoked ones too."""
    async with db.system_transaction() as conn:
        return [shown(row) for row in await conn.fetch(_LISTED)]


async def revoke(db: Database, begins: str, now: datetime) -> None:
    """From the next call on the key is refused. `begins` is what the list shows, or the whole key.
    Raises UnknownKeyError."""
    digest = hashlib.sha256(begins.encode()).digest()
    if len(begins) < SHOWN_CHARS:
        raise UnknownKeyError(f"{begins} is too short: {SHOWN_CHARS} characters name a key")
    async with db.system_transaction() as conn:
        found = await conn.fetch(_FOUND, begins, digest, SHOWN_CHARS)
    if len(found) != 1:
        shown = begins[:SHOWN_CHARS]
        kind = "no key in use begins" if not found else "more than one key begins"
        raise UnknownKeyError(f"{kind} with {shown}")
    async with db.as_merchant(found[0]["merchant_id"]) as conn:
        await conn.execute(_REVOKE, found[0]["id"], now)


def shown(row: asyncpg.Record) -> ApiKey:
    """A row beside the slug of its merchant."""
    return ApiKey(
        id=row["id"], merchant=row["slug"], name=row["name"], begins=row["prefix"],
        scopes=tuple(row["scopes"]), created_at=row["created_at"],
        last_used_at=row["last_used_at"], revoked_at=row["revoked_at"],
        expires_at=row["expires_at"], replaced_by=row["replaced_by"],
    )  # fmt: skip
