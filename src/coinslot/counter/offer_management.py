"""Coupons and the card, as a merchant makes and ends them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.counter.offers import CODE, Program, normal
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7

_COUPONS = """
SELECT c.id, c.code, c.percent_bp, c.off_minor, c.currency::text, c.least_minor, c.uses,
    c.begins_at, c.ends_at, c.ended_at, (SELECT count(*) FROM order_offers f
        WHERE f.coupon_id = c.id AND f.given_back_at IS NULL) AS used,
    (SELECT coalesce(sum(f.off_minor), 0)::bigint FROM order_offers f
        WHERE f.coupon_id = c.id AND f.given_back_at IS NULL) AS off
FROM counter_coupons c ORDER BY c.ended_at IS NOT NULL, c.id DESC LIMIT 200
"""
_MAKE = """
INSERT INTO counter_coupons (id, merchant_id, code, percent_bp, off_minor, currency, least_minor,
    uses, begins_at, ends_at, made_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (merchant_id, code) WHERE ended_at IS NULL DO NOTHING RETURNING true
"""
_END = "UPDATE counter_coupons SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING code"
_SET = """
INSERT INTO loyalty_programs (merchant_id, kind, currency, earn_minor, reward_points, reward_minor)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (merchant_id) DO UPDATE SET kind = $2, currency = $3,
    earn_minor = $4, reward_points = $5, reward_minor = $6, ended_at = NULL
"""
_STOP = "UPDATE loyalty_programs SET ended_at = $1 WHERE ended_at IS NULL"
_PROGRAM = """
SELECT kind, currency::text, earn_minor, reward_points, reward_minor FROM loyalty_programs
WHERE ended_at IS NULL
"""
_CURRENCIES = """
SELECT DISTINCT o.currency::text FROM counter_stores s JOIN outlets o ON o.id = s.outlet_id
ORDER BY 1
"""


class CouponError(ValueError):
    """It cannot be made: 'code', 'taken' or 'amount'."""


class NewCoupon(Struct, frozen=True, kw_only=True):
    """By per cent (1000 is 10 %) or by an amount in minor units; one of them."""

    code: str
    currency: str
    percent_bp: int | None = None
    off_minor: int | None = None
    least_minor: int = 0
    uses: int | None = None
    begins_at: datetime
    ends_at: datetime | None = None


async def coupons(conn: Connection) -> Sequence[asyncpg.Record]:
    """Those that are good first."""
    return await conn.fetch(_COUPONS)


async def make_coupon(conn: Connection, merchant: UUID, new: NewCoupon, by: str) -> None:
    """Raises CouponError, after which the transaction is to be given up."""
    code = normal(new.code)
    if not CODE.fullmatch(code):
        raise CouponError("code")
    if (new.percent_bp is None) == (new.off_minor is None):
        raise CouponError("amount")
    try:
        made = await conn.fetchval(
            _MAKE, uuid7(new.begins_at), merchant, code, new.percent_bp, new.off_minor,
            new.currency, new.least_minor, new.uses, new.begins_at, new.ends_at, by,
        )  # fmt: skip
    except asyncpg.CheckViolationError:
        raise CouponError("amount") from None
    if made is None:
        raise CouponError("taken")


async def end_coupon(conn: Connection, coupon: UUID, now: datetime) -> str | None:
    """Its code; None where it is over or unknown. Orders that have it keep it."""
    code: str | None = await conn.fetchval(_END, coupon, now)
    return code


async def program(conn: Connection) -> Program | None:
    """None: nothing is collected."""
    row = await conn.fetchrow(_PROGRAM)
    return None if row is None else Program(**dict(row))


async def set_program(conn: Connection, merchant: UUID, wanted: Program) -> None:
    """From now on. Orders that were placed collect by the rules of their time. Raises
    CouponError."""
    try:
        await conn.execute(
            _SET, merchant, wanted.kind, wanted.currency, wanted.earn_minor, wanted.reward_points,
            wanted.reward_minor,
        )  # fmt: skip
    except asyncpg.CheckViolationError:
        raise CouponError("amount") from None


async def stop_program(conn: Connection, now: datetime) -> None:
    """Nothing is collected any more, and rewards are not taken. What was collected stays."""
    await conn.execute(_STOP, now)


async def currencies(conn: Connection) -> list[str]:
    """Of the merchant's counters."""
    return [row["currency"] for row in await conn.fetch(_CURRENCIES)]
