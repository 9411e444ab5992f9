"""Today of one merchant: whether anything is owed, what was sold, and whether the machines work."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.kit.ids import first_uuid7
from coinslot.kit.money import Money
from coinslot.oversight import cases, store

_PACE_OF: Final = timedelta(days=1)
_PAYING: Final = timedelta(hours=1)  # an order is placed at most so long before it is paid


class Sum(Struct, frozen=True, kw_only=True):
    """So many, of so much in one currency."""

    count: int
    money: Money
    oldest: datetime | None = None
    failed: int = 0


class Today(Struct, frozen=True, kw_only=True):
    """`unsettled` are paid units that are neither handed over nor given back, `going_back` refunds
    that the gateway has not confirmed. Seconds from paid to settled are those of a day."""

    at: datetime
    day: datetime
    cases: int
    oldest_case: datetime | None
    unsettled: tuple[Sum, ...]
    going_back: tuple[Sum, ...]
    sold: tuple[Sum, ...]
    gave_back: tuple[Sum, ...]
    half_settled_s: float | None
    most_settled_s: float | None
    machines: int
    online: int
    sold_out: int
    out_of_sale: int


async def today(context: Context, merchant: UUID) -> Today:
    """As it is now; the day is the merchant's own."""
    now = context.now()
    queue = await cases.of_merchant(context, merchant, 1)
    async with context.db.as_merchant(merchant) as conn:
        zone = await conn.fetchval("SELECT zone FROM merchants WHERE id = $1", merchant)
        local = now.astimezone(context.zone_of(zone))
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        since = first_uuid7(day - _PAYING)
        pace = await conn.fetchrow(store.PAID_TO_SETTLED, first_uuid7(now - _PACE_OF))
        machines = await conn.fetchrow(store.MACHINES_NOW, now - context.windows.span("online_s"))
        assert pace is not None
        assert machines is not None
        return Today(
            at=now, day=day, cases=queue.total,
            oldest_case=queue.cases[0].opened_at if queue.cases else None,
            unsettled=_sums(await conn.fetch(store.UNSETTLED_UNITS)),
            going_back=_sums(await conn.fetch(store.GOING_BACK)),
            sold=_sums(await conn.fetch(store.SOLD, since, day)),
            gave_back=_sums(await conn.fetch(store.GAVE_BACK, first_uuid7(day))),
            half_settled_s=pace[0], most_settled_s=pace[1], machines=machines["total"],
            online=machines["online"], sold_out=machines["sold_out"],
            out_of_sale=machines["out_of_sale"],
        )  # fmt: skip


def _sums(rows: Sequence[asyncpg.Record]) -> tuple[Sum, ...]:
    return tuple(
        Sum(
            count=row["count"], money=Money(row["minor"], row["currency"]),
            oldest=row.get("oldest"), failed=row.get("failed") or 0,
        )
        for row in rows
    )  # fmt: skip
