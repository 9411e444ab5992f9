"""What makes an order cheaper: a coupon, or the reward of a card on which orders are collected. One
of them at a time. Off until the merchant makes one."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.counter.limits import LatelyTried
from coinslot.counter.menu import Store
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7

GUESSES_OF_NETWORK: Final = 20  # of guests of one cafe, within an hour
GUESSES_OF_ALL: Final = 400
CODE: Final = re.compile(r"[A-Z0-9]{3,20}")
_BASE_BP: Final = 10_000

_COUPON = """
SELECT c.*, c.currency::text, (SELECT count(*) FROM order_offers f WHERE f.coupon_id = c.id
    AND f.given_back_at IS NULL) AS used
FROM counter_coupons c WHERE c.code = $1 AND c.ended_at IS NULL
"""
_HAS_COUPONS = """
SELECT EXISTS (SELECT FROM counter_coupons WHERE ended_at IS NULL AND currency = $1
    AND begins_at <= $2 AND (ends_at IS NULL OR ends_at > $2))
"""
# Two who use the last of a coupon at once wait for each other, and the second counts the first.
_HOLD_COUPON = "SELECT FROM counter_coupons WHERE id = $1 FOR NO KEY UPDATE"
_HOLD_CARD = "SELECT FROM loyalty_cards WHERE id = $1 FOR NO KEY UPDATE"
_PROGRAM = """
SELECT kind, currency::text, earn_minor, reward_points, reward_minor FROM loyalty_programs
WHERE ended_at IS NULL
"""
_CARD = """
SELECT c.id, coalesce((SELECT sum(e.points) FROM loyalty_entries e WHERE e.card_id = c.id), 0)
    ::bigint AS points
FROM loyalty_cards c WHERE c.token_digest = $1
"""
_KEEP = """
INSERT INTO order_offers (order_id, merchant_id, coupon_id, card_id, off_minor, points_used, kind,
    earn_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_FOLLOW = "SELECT offers_follow($1, $2)"
_MAKE_CARD = """
INSERT INTO loyalty_cards (id, merchant_id, token_digest, made_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (token_digest) WHERE token_digest IS NOT NULL DO NOTHING RETURNING true
"""
_ENTRIES = """
SELECT what, points, at FROM loyalty_entries e JOIN loyalty_cards c ON c.id = e.card_id
WHERE c.token_digest = $1 ORDER BY e.id DESC LIMIT 50
"""


class Offer(Struct, frozen=True, kw_only=True):
    """What a customer brings: a code that was typed, and the token of their card, with or without
    its reward."""

    coupon: str = ""
    card: str = ""
    reward: bool = False


class OfferError(ValueError):
    """It takes nothing off. `code`: 'unknown', 'over', 'not_yet', 'used_up', 'least', 'points' or
    'too_often'."""

    def __init__(self, code: str, least: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.least = least  # of the goods, in minor units


class Program(Struct, frozen=True, kw_only=True):
    """What is collected, and what it is worth."""

    kind: str
    currency: str
    earn_minor: int
    reward_points: int
    reward_minor: int


class Card(Struct, frozen=True, kw_only=True):
    """How much is on it."""

    id: UUID
    points: int
    program: Program

    @property
    def has_reward(self) -> bool:
        return self.points >= self.program.reward_points


class Taken(Struct, frozen=True, kw_only=True):
    """So much off, in minor units, and from where. A card collects the order also without."""

    off: int = 0
    coupon: UUID | None = None
    card: Card | None = None
    points: int = 0


NOTHING: Final = Taken()


class Guesses:
    """Coupon codes that were typed wrongly: after so many of one network at one counter, or of all
    who come to it, no code is looked up there for the rest of the hour."""

    def __init__(self, context: Context) -> None:
        self._of_network = LatelyTried(context, GUESSES_OF_NETWORK)
        self._of_all = LatelyTried(context, GUESSES_OF_ALL)

    def look(self, at: Store, network: str, offer: Offer) -> None:
        """Before a code is looked up. Raises OfferError."""
        code = at.outlet.code
        if offer.coupon and (
            self._of_network.is_spent(code, network) or self._of_all.is_spent(code)
        ):
            raise OfferError("too_often")

    def note(self, at: Store, network: str, error: OfferError) -> None:
        """What became of it."""
        if error.code == "unknown":
            self._of_network.note(at.outlet.code, network)
            self._of_all.note(at.outlet.code)


def normal(code: str) -> str:
    """As it is kept: people type small letters, and spaces."""
    return "".join(code.split()).upper()


async def card_of(conn: Connection, context: Context, at: Store, held: str) -> Card | None:
    """None: it is unknown here, or nothing is collected."""
    program = await program_of(conn, at)
    if program is None or not held:
        return None
    row = await conn.fetchrow(_CARD, card_digest(context, at.merchant, held))
    return None if row is None else Card(id=row["id"], points=row["points"], program=program)


async def program_of(conn: Connection, at: Store) -> Program | None:
    """None: nothing is collected at this store."""
    row = await conn.fetchrow(_PROGRAM)
    if row is None or row["currency"] != at.outlet.currency:
        return None
    return Program(**dict(row))


async def has_coupons(conn: Connection, at: Store, now: datetime) -> bool:
    """Whether it is worth asking for one."""
    return bool(await conn.fetchval(_HAS_COUPONS, at.outlet.currency, now))


async def look(conn: Connection, context: Context, at: Store, offer: Offer, goods: int) -> Taken:
    """What it would take off goods of so many minor units. Raises OfferError."""
    card = await card_of(conn, context, at, offer.card)
    if offer.coupon:
        row = await _coupon(conn, at, offer.coupon, goods, context.now())
        return Taken(off=_off(row, goods), coupon=row["id"], card=card)
    if not offer.reward:
        return Taken(card=card)
    if card is None or not card.has_reward:
        raise OfferError("points")
    off = min(card.program.reward_minor, goods)
    return Taken(off=off, card=card, points=card.program.reward_points)


async def take(conn: Connection, context: Context, at: Store, offer: Offer, goods: int) -> Taken:
    """The same under the locks of coupon and card, which are the last that an order takes. Raises
    OfferError where somebody was first."""
    seen = await look(conn, context, at, offer, goods)
    if seen.coupon is not None:
        await conn.execute(_HOLD_COUPON, seen.coupon)
    if seen.points and seen.card is not None:
        await conn.execute(_HOLD_CARD, seen.card.id)
    if seen.coupon is None and not seen.points:
        return seen
    return await look(conn, context, at, offer, goods)


async def keep(conn: Connection, context: Context, at: Store, order: UUID, taken: Taken) -> None:
    """Beside the order, in its transaction: points that it uses are gone from the card at once."""
    if taken.coupon is None and taken.card is None:
        return
    card = taken.card
    await conn.execute(
        _KEEP, order, at.merchant, taken.coupon, card.id if card else None, taken.off,
        taken.points, card.program.kind if card else None,
        card.program.earn_minor if card else None,
    )  # fmt: skip
    await conn.execute(_FOLLOW, order, context.now())


async def begin_card(context: Context, at: Store, held: str) -> bool:
    """A card of this token, once; none where nothing is collected. Whether it is a new one."""
    async with context.db.as_merchant(at.merchant) as conn:
        if await program_of(conn, at) is not None:
            now = context.now()
            digest = card_digest(context, at.merchant, held)
            return bool(await conn.fetchval(_MAKE_CARD, uuid7(now), at.merchant, digest, now))
    return False


async def entries(conn: Connection, context: Context, at: Store, held: str) -> list[asyncpg.Record]:
    """The last lines of a card, the newest first."""
    return await conn.fetch(_ENTRIES, card_digest(context, at.merchant, held))


async def _coupon(
    conn: Connection, at: Store, typed: str, goods: int, now: datetime
) -> asyncpg.Record:
    """Raises OfferError."""
    code = normal(typed)
    row = await conn.fetchrow(_COUPON, code) if CODE.fullmatch(code) else None
    if row is None or row["currency"] != at.outlet.currency:
        raise OfferError("unknown")
    if now < row["begins_at"]:
        raise OfferError("not_yet")
    if row["ends_at"] is not None and now >= row["ends_at"]:
        raise OfferError("over")
    if row["uses"] is not None and row["used"] >= row["uses"]:
        raise OfferError("used_up")
    if goods < row["least_minor"]:
        raise OfferError("least", row["least_minor"])
    return row


def _off(row: asyncpg.Record, goods: int) -> int:
    """Per cent are rounded down: it is said to take off so much at most."""
    if row["percent_bp"] is not None:
        return int(goods * row["percent_bp"] // _BASE_BP)
    return min(int(row["off_minor"]), goods)


def card_digest(context: Context, merchant: UUID, held: str) -> str:
    return context.vault.digest(f"{merchant} {held}", "loyalty card")
