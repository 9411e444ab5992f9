"""A merchant's API keys, as its people look after them: made, replaced with overlap, ended, each
with an entry in the audit log, in the same transaction."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.merchants import keys
from coinslot.merchants.keys import SCOPES, ApiKey, KeyRequest
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import NotThereError, RuleError

_MOST: Final = 100
_LONGEST: Final = timedelta(days=3660)
_LISTED = """
SELECT k.*, m.slug FROM api_keys k JOIN merchants m ON m.id = k.merchant_id
WHERE k.merchant_id = $1 ORDER BY k.revoked_at IS NOT NULL, k.created_at DESC, k.id DESC
"""
_ONE = """
SELECT k.*, m.slug FROM api_keys k JOIN merchants m ON m.id = k.merchant_id
WHERE k.id = $1 AND k.merchant_id = $2 FOR NO KEY UPDATE OF k
"""
_IN_USE = """
SELECT count(*) FROM api_keys WHERE merchant_id = $1 AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > $2)
"""
# Counting them and adding one exclude each other until the transaction ends.
_COUNTING = "SELECT pg_advisory_xact_lock(hashtextextended('api_keys ' || $1::uuid::text, 0))"
_REPLACED = """
UPDATE api_keys SET replaced_by = $2, expires_at = least(expires_at, $3) WHERE id = $1
"""
_REVOKE = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1"


class NewKey(Struct, frozen=True, kw_only=True):
    """What the new key is for; `lasts` None: until it is revoked."""

    name: str
    scopes: tuple[str, ...]
    live: bool
    lasts: timedelta | None = None


class MadeKey(Struct, frozen=True, kw_only=True):
    """A key that was just made: `key` is nowhere else. `old_until`: the one before it."""

    name: str
    key: str
    old_until: datetime | None = None


async def listed(context: Context, merchant: UUID) -> list[ApiKey]:
    """Those in use first, the newest first."""
    async with context.db.as_merchant(merchant) as conn:
        return [keys.shown(row) for row in await conn.fetch(_LISTED, merchant)]


async def make(context: Context, who: Actor, merchant: UUID, wanted: NewKey) -> MadeKey:
    """Raises RuleError: bad_scopes, bad_expiry, too_many_keys."""
    now = context.now()
    if not wanted.scopes or set(wanted.scopes) - set(SCOPES):
        raise RuleError("bad_scopes", f"Choose what it may do, of {', '.join(SCOPES)}.")
    if wanted.lasts is not None and not timedelta(0) < wanted.lasts <= _LONGEST:
        raise RuleError("bad_expiry", "It may be good for ten years at most.")
    wish = KeyRequest(
        name=wanted.name, scopes=wanted.scopes, live=wanted.live,
        expires_at=None if wanted.lasts is None else now + wanted.lasts,
    )  # fmt: skip
    async with context.db.as_merchant(merchant) as conn:
        await _has_room(conn, context, merchant)
        _, key = await keys.insert_key(conn, merchant, now, wish)
        act = Act(
            action="api_key.made", merchant=merchant, subject=key[: keys.SHOWN_CHARS],
            after={"name": wish.name, "scopes": list(wish.scopes), "live": wish.live},
        )  # fmt: skip
        await record(conn, who, act, now)
    return MadeKey(name=wish.name, key=key)


async def rotate(context: Context, who: Actor, merchant: UUID, key_id: UUID) -> MadeKey:
    """A new key that may do the same; the old one works beside it for `api_key_overlap_s`. Raises
    NotThereError, and RuleError for one that was replaced already."""
    now, until = context.now(), context.after("api_key_overlap_s")
    async with context.db.as_merchant(merchant) as conn:
        old = await _found(conn, merchant, key_id)
        if not old.works(now):
            raise NotThereError("There is no such key in use.")
        if old.replaced_by is not None:
            raise RuleError("key_replaced", "This key was replaced already.")
        await _has_room(conn, context, merchant)
        lasts = None if old.expires_at is None else old.expires_at - old.created_at
        wish = KeyRequest(
            name=old.name, scopes=old.scopes, live=old.live,
            expires_at=None if lasts is None else now + lasts,
        )  # fmt: skip
        made, key = await keys.insert_key(conn, merchant, now, wish)
        await conn.execute(_REPLACED, key_id, made, until)
        act = Act(
            action="api_key.rotated", merchant=merchant, subject=old.begins,
            after={"begins": key[: keys.SHOWN_CHARS]},
        )  # fmt: skip
        await record(conn, who, act, now)
    ends = until if old.expires_at is None else min(until, old.expires_at)
    return MadeKey(name=old.name, key=key, old_until=ends)


async def revoke(context: Context, who: Actor, merchant: UUID, key_id: UUID) -> None:
    """From the next call on it is refused; one that is revoked stays so. Raises NotThereError."""
    now = context.now()
    async with context.db.as_merchant(merchant) as conn:
        old = await _found(conn, merchant, key_id)
        if old.revoked_at is not None:
            return
        await conn.execute(_REVOKE, key_id, now)
        act = Act(action="api_key.revoked", merchant=merchant, subject=old.begins)
        await record(conn, who, act, now)


async def _found(conn: Connection, merchant: UUID, key_id: UUID) -> ApiKey:
    row = await conn.fetchrow(_ONE, key_id, merchant)
    if row is None:
        raise NotThereError("There is no such key.")
    return keys.shown(row)


async def _has_room(conn: Connection, context: Context, merchant: UUID) -> None:
    await conn.execute(_COUNTING, merchant)
    if await conn.fetchval(_IN_USE, merchant, context.now()) >= _MOST:
        raise RuleError("too_many_keys", f"{_MOST} keys are in use: revoke some first.")
