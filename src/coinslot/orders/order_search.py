"""Orders found by what people have in hand: an id, a link, the number that a customer reads out, a
reference of a bank or a gateway; or the amount and the time of day."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.kit.money import Money
from coinslot.orders import store


class OrderLine(Struct, frozen=True, kw_only=True):
    """One order in a list."""

    id: UUID
    number: str
    outlet: str
    state: str
    money: Money
    items: str
    placed_at: datetime
    paid_at: datetime | None


async def newest(
    context: Context, merchant: UUID, before: UUID | None = None, limit: int = 50
) -> list[OrderLine]:
    """The newest first; `before` is the last of the page before."""
    return await _lines(context, merchant, store.NEWEST_ORDERS, before, limit)


async def matching(context: Context, merchant: UUID, text: str) -> list[OrderLine]:
    """Exactly this id, link, number or reference, newest first. A reference may be that of a
    refund."""
    bare = text.strip().partition("?")[0].rpartition("/")[2]
    return await _lines(context, merchant, store.MATCHING_ORDERS, bare)


async def paid_around(
    context: Context, merchant: UUID, sums: Sequence[Money], minutes: Sequence[datetime]
) -> list[OrderLine]:
    """Paid in one of these minutes or next to it, one of these amounts; at any outlet."""
    found = [
        await _lines(
            context, merchant, store.PAID_AROUND, money.minor, money.currency, list(minutes)
        )
        for money in sums
    ]
    return [line for lines in found for line in lines]


async def currencies(context: Context, merchant: UUID) -> list[str]:
    """Those in which the merchant's outlets sell."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch("SELECT DISTINCT currency::text FROM outlets ORDER BY currency")
    return [row["currency"] for row in rows]


async def _lines(
    context: Context, merchant: UUID, statement: str, *values: object
) -> list[OrderLine]:
    async with context.db.as_merchant(merchant) as conn:
        return [_line(row) for row in await conn.fetch(statement, *values)]


def _line(row: asyncpg.Record) -> OrderLine:
    return OrderLine(
        id=row["id"], number=row["number"], outlet=row["outlet_id"], state=row["state"],
        money=Money(row["amount_minor"], row["currency"]), items=row["items"] or "",
        placed_at=row["placed_at"], paid_at=row["paid_at"],
    )  # fmt: skip
