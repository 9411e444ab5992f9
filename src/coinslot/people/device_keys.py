"""API keys of devices: what a machine's own programs (telemetry, firmware) show over HTTP. They
end, are listed, rotated and revoked. The secret that a machine connects with is another thing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.kit.ids import token, uuid7
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import Authentication, RuleError, over
from coinslot.people.roles import DEVICE
from coinslot.people.tokens import AccessClaims, hashed, whole_seconds

MAY: Final = ("config:read", "firmware:read", "telemetry:write")
BEGINS: Final = "dk_"
_SHOWN_CHARS: Final = len(BEGINS) + 4
_MOST_IN_USE: Final = 20  # of one machine
_NOTED_EVERY: Final = timedelta(minutes=1)

_ADD = """
INSERT INTO device_api_keys (id, merchant_id, outlet_id, prefix, hash, name, permissions, made_by,
    created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_IN_USE = """
SELECT k.id, k.merchant_id, k.outlet_id, k.permissions, k.expires_at, k.last_used_at
FROM device_api_keys k JOIN outlets o ON o.id = k.outlet_id AND o.decommissioned_at IS NULL
WHERE k.revoked_at IS NULL AND k.expires_at > $2
"""
BY_KEY, BY_ID = f"{_IN_USE} AND k.hash = $1", f"{_IN_USE} AND k.id = $1"
_OLD = """
SELECT outlet_id, name, permissions, expires_at, created_at FROM device_api_keys
WHERE id = $1 AND revoked_at IS NULL AND replaced_by IS NULL AND expires_at > $2 FOR NO KEY UPDATE
"""


class DeviceKeyRequest(Struct, frozen=True, kw_only=True):
    """A key for a machine. Without `expires_in_s` it is good for `device_key_s`."""

    machine: str
    name: str = ""
    permissions: tuple[str, ...] = MAY
    expires_in_s: int | None = None


class DeviceKey(Struct, frozen=True, kw_only=True):
    """As a list shows it; `key` is there only when it was just made."""

    id: UUID
    machine: str
    merchant: UUID
    name: str
    begins: str
    permissions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    key: str | None = None


class DeviceToken(Struct, frozen=True, kw_only=True):
    """A short access token of a device."""

    access_token: str
    expires_in: int


class SignedInDevice(Struct, frozen=True, kw_only=True):
    """Which device calls, and what its key may do."""

    key: UUID
    machine: str
    merchant: UUID
    permissions: frozenset[str]
    expires_at: datetime


async def register(
    auth: Authentication, who: Actor, merchant: UUID, wish: DeviceKeyRequest
) -> DeviceKey:
    """A new key: this is the only time that it is shown. Raises RuleError."""
    if unknown := sorted(set(wish.permissions) - set(MAY)):
        raise RuleError("unknown_permission", f"No {unknown[0]}, only {', '.join(MAY)}.")
    now = auth.now()
    life = auth.context.windows.span("device_key_s")
    if wish.expires_in_s is not None:
        life = min(life, timedelta(seconds=wish.expires_in_s))
    async with auth.db.as_merchant(merchant) as conn:
        # Locked, so that calls that come at once stay within the limit too.
        there = await conn.fetchval(
            "SELECT id FROM outlets WHERE id = $1 AND decommissioned_at IS NULL FOR NO KEY UPDATE",
            wish.machine,
        )
        if there is None:
            raise RuleError("unknown_outlet", f"There is no outlet {wish.machine} here.")
        in_use = await conn.fetchval(
            "SELECT count(*) FROM device_api_keys WHERE outlet_id = $1 AND revoked_at IS NULL"
            " AND expires_at > $2",
            wish.machine, now,
        )  # fmt: skip
        if in_use >= _MOST_IN_USE:
            raise RuleError("too_many_keys", f"{_MOST_IN_USE} keys are in use: revoke some first.")
        made = await _add(conn, who, merchant, wish, (now, now + life))
        after = {"key": str(made.id), "permissions": list(made.permissions)}
        act = Act(action="device_key.made", merchant=merchant, subject=wish.machine, after=after)
        await record(conn, who, act, now)
    return made


async def listed(auth: Authentication, merchant: UUID) -> list[DeviceKey]:
    """Of a merchant's machines, the newest first, ended ones too."""
    async with auth.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(
            "SELECT * FROM device_api_keys WHERE merchant_id = $1 ORDER BY created_at DESC, id"
            " LIMIT 1000",
            merchant,
        )
    return [_shown(row) for row in rows]


async def rotate(auth: Authentication, who: Actor, merchant: UUID, key: UUID) -> DeviceKey | None:
    """A new key with the same rights and life. The old one works beside it for a day at most
    (`device_key_overlap_s`). None when there is no such one, or it was rotated already."""
    now = auth.now()
    overlap = now + auth.context.windows.span("device_key_overlap_s")
    async with auth.db.as_merchant(merchant) as conn:
        old = await conn.fetchrow(_OLD, key, now)
        if old is None:
            return None
        wish = DeviceKeyRequest(
            machine=old["outlet_id"], name=old["name"], permissions=tuple(old["permissions"])
        )
        life = old["expires_at"] - old["created_at"]
        made = await _add(conn, who, merchant, wish, (now, now + life))
        await conn.execute(
            "UPDATE device_api_keys SET replaced_by = $2, expires_at = least(expires_at, $3)"
            " WHERE id = $1",
            key, made.id, overlap,
        )  # fmt: skip
        act = Act(
            action="device_key.rotated", merchant=merchant, subject=wish.machine,
            before={"key": str(key)}, after={"key": str(made.id)},
        )  # fmt: skip
        await record(conn, who, act, now)
    return made


async def revoke(auth: Authentication, who: Actor, merchant: UUID, key: UUID) -> bool:
    """It is refused from the next call on, and so is every token made with it. False when there is
    no such one."""
    now = auth.now()
    async with auth.db.as_merchant(merchant) as conn:
        machine = await conn.fetchval(
            "UPDATE device_api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"
            " RETURNING outlet_id",
            key, now,
        )  # fmt: skip
        if machine is None:
            return False
        act = Act(
            action="device_key.revoked", merchant=merchant, subject=machine,
            before={"key": str(key)},
        )  # fmt: skip
        await record(conn, who, act, now)
    return True


async def device_token(auth: Authentication, key: str) -> DeviceToken:
    """A short token for a key. Raises SignInError for one that is unknown, over or revoked, and for
    a machine out of service."""
    now = auth.now()
    async with auth.db.system_connection() as conn:
        row = await conn.fetchrow(BY_KEY, hashed(key), now)
        if row is None:
            raise over()
        if row["last_used_at"] is None or now - row["last_used_at"] > _NOTED_EVERY:
            await conn.execute(
                "UPDATE device_api_keys SET last_used_at = $2 WHERE id = $1", row["id"], now
            )
    ends = min(row["expires_at"], now + auth.context.windows.span("access_token_s"))
    claims = AccessClaims(
        sub=row["outlet_id"], tenant=row["merchant_id"], role=DEVICE,
        permissions=tuple(sorted(row["permissions"])), iat=whole_seconds(now),
        exp=whole_seconds(ends), sid=row["id"],
    )  # fmt: skip
    return DeviceToken(
        access_token=auth.tokens.access(claims), expires_in=int((ends - now).total_seconds())
    )


async def by_device_token(auth: Authentication, text: str) -> SignedInDevice:
    """Which device calls with this token; its key is looked up. Raises SignInError."""
    claims = auth.tokens.read_access(text, auth.now())
    if claims is None or claims.role != DEVICE:
        raise over()
    async with auth.db.system_connection() as conn:
        row = await conn.fetchrow(BY_ID, claims.sid, auth.now())
    if row is None or (row["outlet_id"], row["merchant_id"]) != (claims.sub, claims.tenant):
        raise over()
    return SignedInDevice(
        key=row["id"], machine=row["outlet_id"], merchant=row["merchant_id"],
        permissions=frozenset(row["permissions"]), expires_at=row["expires_at"],
    )  # fmt: skip


async def _add(
    conn: Connection, who: Actor, merchant: UUID, wish: DeviceKeyRequest,
    life: Sequence[datetime],
) -> DeviceKey:  # fmt: skip
    made, secret = uuid7(life[0]), BEGINS + token(32)
    await conn.execute(
        _ADD, made, merchant, wish.machine, secret[:_SHOWN_CHARS], hashed(secret), wish.name,
        sorted(wish.permissions), who.person, *life,
    )  # fmt: skip
    return DeviceKey(
        id=made, machine=wish.machine, merchant=merchant, name=wish.name,
        begins=secret[:_SHOWN_CHARS], permissions=tuple(sorted(wish.permissions)),
        created_at=life[0], expires_at=life[1], last_used_at=None, revoked_at=None, key=secret,
    )  # fmt: skip


def _shown(row: asyncpg.Record) -> DeviceKey:
    return DeviceKey(
        id=row["id"], machine=row["outlet_id"], merchant=row["merchant_id"], name=row["name"],
        begins=row["prefix"], permissions=tuple(row["permissions"]),
        created_at=row["created_at"], expires_at=row["expires_at"],
        last_used_at=row["last_used_at"], revoked_at=row["revoked_at"],
    )  # fmt: skip
