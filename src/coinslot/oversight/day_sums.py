"""Days of a merchant's calendar, and their sums, kept by the worker once a day is over. Today and
what is just over are summed from the rows when somebody looks."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import AWAY, Connection
from coinslot.oversight import store

log = structlog.get_logger(__name__)

# Seconds from paid to settled are counted in these steps, and in one without an end.
WAIT_STEPS_S: Final = (1, 2, 3, 5, 8, 12, 20, 30, 60, 120, 300, 600, 1800, 3600)
DAY: Final = timedelta(days=1)
# Whatever was booked on a day is committed by then: a statement runs for half a minute at most.
_AFTER_S: Final = 3600
_CHECK_S: Final = 60.0
_FROM_ROWS: Final = 3  # days at most that a page sums by itself


class Day(Struct, frozen=True):
    """From midnight to midnight by the clocks of a zone: 23 or 25 hours where they are changed."""

    day: date
    begun: datetime
    ended: datetime


def day_in(day: date, zone: ZoneInfo) -> Day:
    """With its bounds in UTC."""
    return Day(
        day,
        datetime.combine(day, time(), zone).astimezone(UTC),
        datetime.combine(day + DAY, time(), zone).astimezone(UTC),
    )


def days_between(first: date, last: date, zone: ZoneInfo) -> list[Day]:
    """Both included, the oldest first."""
    return [day_in(first + n * DAY, zone) for n in range((last - first).days + 1)]


def as_rows(days: Sequence[Day]) -> list[dict[str, Any]]:
    """As the SQL functions take them."""
    return [{"day": one.day, "begun": one.begun, "ended": one.ended} for one in days]


class Readable(Struct, frozen=True, kw_only=True):
    """Days as the SQL functions take them. `left_out` is how many are not: the worker has not
    summed them yet, and to sum more than a few from their rows would keep a page waiting."""

    rows: list[dict[str, Any]]
    left_out: int


async def readable(conn: Connection, days: Sequence[Day]) -> Readable:
    """All that are kept, and the newest of the others: today, and what is just over."""
    kept = {row["day"] for row in await conn.fetch(store.DAYS_SUMMED, as_rows(days))}
    others = [one for one in days if one.day not in kept]
    newest = {one.day for one in others[-_FROM_ROWS:]}
    found = [one for one in days if one.day in kept or one.day in newest]
    return Readable(rows=as_rows(found), left_out=len(days) - len(found))


async def watch(context: Context) -> None:
    """Keep the sums of every day that is over, until cancelled."""
    known: dict[UUID, tuple[str, date]] = {}
    while True:
        try:
            await due(context, known)
        except (asyncpg.PostgresError, *AWAY) as error:
            log.warning("days_not_summed", error=repr(error))
        await asyncio.sleep(_CHECK_S)


async def due(context: Context, known: dict[UUID, tuple[str, date]] | None = None) -> int:
    """Sum every day that is over and not summed; returns how many. `known` are the zone and the
    last day of merchants that have none left."""
    known = {} if known is None else known
    over = context.now() - timedelta(seconds=_AFTER_S)
    async with context.db.system_transaction() as conn:
        merchants = await conn.fetch("SELECT id, zone, created_at FROM merchants ORDER BY id")
    done = 0
    for merchant in merchants:
        zone = context.zone_of(merchant["zone"])
        last = over.astimezone(zone).date() - DAY
        if known.get(merchant["id"]) == (zone.key, last):
            continue
        first = merchant["created_at"].astimezone(zone).date()
        done += await _sum(context, merchant["id"], days_between(first, last, zone))
        known[merchant["id"]] = (zone.key, last)
    return done


async def _sum(context: Context, merchant: UUID, days: Sequence[Day]) -> int:
    """Each in a transaction of its own: a process may die between two."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.DAYS_NOT_SUMMED, as_rows(days))
    for row in rows:
        async with context.db.as_merchant(merchant) as conn:
            await conn.execute(store.SUM_DAY, row["day"], row["begun"], row["ended"], context.now())
    return len(rows)
