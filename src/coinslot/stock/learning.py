"""What is learned of sales, once a day and machine, from the vends of that day alone: the work of a
day is bounded by what was sold on it, however long a machine has stood there."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.context.rounds import keep_doing
from coinslot.db.pool import Connection, again
from coinslot.stock import store
from coinslot.stock.forecast import PRIOR_DAYS, PRIOR_SALES, Demand, Weekdays, likely_sold

_CHECK_S: Final = 60.0
_AT_ONCE: Final = 200  # machines at one look
_MOST_DAYS: Final = 31  # a worker that was away for longer learns of the last ones
_DAY: Final = timedelta(days=1)


class SoldOn(Struct, frozen=True):
    """What fell out of a slot on a day, and when the last of it did."""

    sold: int
    last: datetime


async def watch(context: Context) -> None:
    """Learn of each day that is over, until cancelled."""

    async def all_due() -> None:
        while await learn_due(context) == _AT_ONCE:
            pass

    await keep_doing(all_due, _CHECK_S, context.failures, failed="sales_not_learned")


async def learn_due(context: Context) -> int:
    """Of how many machines the last day was learned."""
    async with context.db.system_transaction() as conn:
        due = await conn.fetch(store.DAYS_TO_LEARN, context.now(), context.zone.key, _AT_ONCE)
    for row in due:
        await _of_machine(context, row["merchant_id"], row["code"], ZoneInfo(row["zone"]))
    return len(due)


async def _of_machine(context: Context, merchant: UUID, machine: str, zone: ZoneInfo) -> None:
    last = context.now().astimezone(zone).date() - _DAY

    async def learn() -> None:
        async with context.db.as_merchant(merchant) as conn:
            await conn.execute(store.BEGIN_LEARNING, machine, merchant, last)
            week = await conn.fetchrow(store.LOCK_LEARNED, machine)
            await conn.execute(store.BEGIN_SLOTS, machine, PRIOR_SALES, PRIOR_DAYS)
            if week is not None and week["through_day"] < last:
                ahead = context.windows.span("sold_out_soon_s") / _DAY
                await _learn(conn, machine, week, _Span(week["through_day"], last, zone), ahead)

    await again(learn)


class _Span(Struct, frozen=True):
    """The days from the one after `since` to the last, by the clocks of a zone."""

    since: date
    last: date
    zone: ZoneInfo

    @property
    def days(self) -> list[date]:
        count = min((self.last - self.since).days, _MOST_DAYS)
        return [self.last - n * _DAY for n in reversed(range(count))]

    def begin_of(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def part_until(self, at: datetime, day: date) -> float:
        """How much of a day is over at a moment of it."""
        begun, ended = self.begin_of(day), self.begin_of(day + _DAY)
        return min(max((at - begun) / (ended - begun), 0.0), 1.0)


async def _learn(
    conn: Connection, machine: str, week: asyncpg.Record, span: _Span, ahead: float
) -> None:
    ended = span.begin_of(span.last + _DAY)
    vends = await conn.fetch(store.VENDS_BY_DAY, machine, span.zone.key, ended)
    by_slot: dict[str, dict[date, SoldOn]] = {}
    through: dict[str, int] = {}
    for row in vends:
        by_slot.setdefault(row["slot"], {})[row["day"]] = SoldOn(row["sold"], row["last"])
        through[row["slot"]] = max(through.get(row["slot"], 0), row["through"])
    weekdays = Weekdays(tuple(week["weekday_sold"]), tuple(week["weekday_days"]))
    for slot in await conn.fetch(store.LEARNED_SLOTS, machine):
        name = slot["slot"]
        now = learned(slot, weekdays, by_slot.get(name, {}), span)
        likely = likely_sold(now, weekdays, span.last + _DAY, ahead)
        await conn.execute(store.LEARN_SLOT, machine, name, now.sales, now.days, slot["stock"],
                           through.get(name, slot["through"]), likely)  # fmt: skip
    for day in span.days:
        sold = sum(found[day].sold for found in by_slot.values() if day in found)
        weekdays = weekdays.after(day, sold)
    await conn.execute(store.LEARN_WEEK, machine, list(weekdays.sold), list(weekdays.days),
                       span.last)  # fmt: skip


def learned(
    slot: asyncpg.Record, weekdays: Weekdays, sold: Mapping[date, SoldOn], span: _Span
) -> Demand:
    """What is believed of a slot after these days. Days on which it was empty from the morning on,
    or out of sale, say nothing; one on which it was sold out counts until its last piece fell."""
    demand = Demand(slot["sales"], slot["days"])
    held, stock = slot["held"], slot["stock"]
    for day in span.days:
        found = sold.get(day)
        if slot["out"] or held == 0:
            demand = demand.faded()
            continue
        part = 1.0
        if stock == 0 and found is not None and not any(later > day for later in sold):
            part = span.part_until(found.last, day)
            held = 0  # and on the days after it
        demand = demand.after(found.sold if found else 0, weekdays.weight(day) * part)
    return demand
