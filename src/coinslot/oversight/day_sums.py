"""Days of a merchant's calendar, and their sums, kept by the worker once a day is over. Today and
what is just over are summed from the rows when somebody looks."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from coinslot.context import Context
from coinslot.context.rounds import keep_doing
from coinslot.db.pool import Connection
from coinslot.oversight import store

# Seconds from paid to settled are counted in these steps, and in one without an end.
WAIT_STEPS_S: Final = (1, 2, 3, 5, 8, 12, 20, 30, 60, 120, 300, 600, 1800, 3600)
DAY: Final = timedelta(days=1)
# Whatever was booked on a day is committed by then: a statement runs for half a minute at most.
_AFTER: Final = timedelta(hours=1)
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


class DaysOver(Struct, frozen=True, kw_only=True):
    """The days of a merchant that are over, by the clocks of its zone: from the first to the last,
    both included."""

    merchant: UUID
    zone: ZoneInfo
    first: date
    last: date

    def days(self) -> list[Day]:
        return days_between(self.first, self.last, self.zone)


Done = dict[UUID, DaysOver]  # by merchant: what a process has nothing left to sum of


async def days_over(context: Context, at: datetime) -> list[DaysOver]:
    """Of every merchant, what was over at a time."""
    async with context.db.system_transaction() as conn:
        merchants = await conn.fetch("SELECT id, zone, created_at FROM merchants ORDER BY id")
    return [
        DaysOver(
            merchant=row["id"], zone=zone, first=row["created_at"].astimezone(zone).date(),
            last=at.astimezone(zone).date() - DAY,
        )
        for row in merchants
        for zone in (context.zone_of(row["zone"]),)
    ]  # fmt: skip


async def watch(context: Context) -> None:
    """Keep the sums of every day that is over, until cancelled."""
    done: Done = {}
    await keep_doing(
        lambda: due(context, done), _CHECK_S, context.failures, failed="days_not_summed"
    )


async def due(context: Context, done: Done | None = None) -> int:
    """Sum every day that is over and not summed; returns how many."""
    done = {} if done is None else done
    summed = 0
    for over in await days_over(context, context.now() - _AFTER):
        if done.get(over.merchant) != over:
            summed += await _sum(context, over.merchant, over.days())
            done[over.merchant] = over
    return summed


async def _sum(context: Context, merchant: UUID, days: Sequence[Day]) -> int:
    """Each in a transaction of its own: a process may die between two."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.DAYS_NOT_SUMMED, as_rows(days))
    for row in rows:
        async with context.db.as_merchant(merchant) as conn:
            await conn.execute(store.SUM_DAY, row["day"], row["begun"], row["ended"], context.now())
    return len(rows)
