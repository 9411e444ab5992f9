"""The health of one machine as its merchant sees it: how it is now, why it sells nothing, and its
samples for charts. A chart of a year reads 365 rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.outlets.machines import UnknownOutletError
from coinslot.telemetry import store
from coinslot.telemetry.food import FoodRule


class Span(StrEnum):
    """What a chart shows."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class _Scale(Struct, frozen=True):
    """How many seconds a sample stands for, and how many of them a chart has."""

    each_s: int
    days: int


SCALES: Final = {
    Span.DAY: _Scale(300, 1), Span.MONTH: _Scale(3600, 31), Span.YEAR: _Scale(86400, 365),
}  # fmt: skip


class Stop(Struct, frozen=True, kw_only=True):
    """Why it sells nothing: food_lock, no_temperature, no_answer, maintenance, or another part's
    word. `until`: then it ends by itself."""

    why: str
    since: datetime | None
    until: datetime | None = None
    by: str = ""
    note: str = ""


class MachineHealth(Struct, frozen=True, kw_only=True):
    """What it said last of each thing; None: it never said it."""

    machine: str
    at: datetime | None
    last_heard_at: datetime | None
    temperature_c: float | None
    temperature_at: datetime | None
    warm_since: datetime | None  # above its limit without a break
    grace_until: datetime | None
    door_open: bool | None
    reset_reason: str | None
    restarts: int  # of the last hour
    free_heap: int | None  # bytes
    journal_used: int | None  # percent
    rssi: int | None  # dBm
    firmware: str | None
    config_version: int | None
    uptime_s: int | None
    counters: dict[str, int]
    food: FoodRule | None
    stops: Sequence[Stop]


class Sample(Struct, frozen=True, kw_only=True):
    """A piece of time. `heard`: the share of it in which the machine was heard."""

    at: datetime
    low: float | None
    high: float | None
    mean: float | None
    heard: float
    free_heap: int | None
    rssi: int | None
    journal_used: int | None
    door_open: bool


class Charted(Struct, frozen=True, kw_only=True):
    """The samples of a span that ends at `until`, the oldest first; no sample means silence."""

    span: Span
    each_s: int
    since: datetime
    until: datetime
    samples: Sequence[Sample]


async def read(context: Context, merchant: UUID, machine: str) -> MachineHealth:
    """Raises UnknownOutletError."""
    now = context.now()
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.HEALTH, machine, now)
        if row is None:
            raise UnknownOutletError(f"no machine has the code {machine}")
        stops = [_stop(stop) for stop in await conn.fetch(store.STOPS, machine, now)]
    if row["food_stop"] is not None and all(stop.why != row["food_stop"] for stop in stops):
        since = row["warm_since" if row["food_stop"] == "food_lock" else "temperature_at"]
        stops.append(Stop(why=row["food_stop"], since=since, by="server"))
    names = (
        "machine", "at", "temperature_c", "temperature_at", "warm_since", "grace_until",
        "door_open", "reset_reason", "restarts", "free_heap", "journal_used", "rssi", "firmware",
        "config_version", "uptime_s",
    )  # fmt: skip
    return MachineHealth(
        **{name: row[name] for name in names}, last_heard_at=row["last_seen_at"],
        counters=row["counters"] or {}, food=_rule(row), stops=stops,
    )  # fmt: skip


async def charted(context: Context, merchant: UUID, machine: str, span: Span) -> Charted:
    """Raises UnknownOutletError."""
    scale = SCALES[span]
    until = context.now()
    since = until - timedelta(days=scale.days)
    async with context.db.as_merchant(merchant) as conn:
        if not await conn.fetchval("SELECT true FROM outlets WHERE id = $1", machine):
            raise UnknownOutletError(f"no machine has the code {machine}")
        rows = await conn.fetch(store.SAMPLES, machine, scale.each_s, since, until)
    return Charted(
        span=span, each_s=scale.each_s, since=since, until=until,
        samples=[_sample(row, scale.each_s) for row in rows],
    )  # fmt: skip


async def sold(
    context: Context, merchant: UUID, machine: str, span: Span
) -> Sequence[tuple[datetime, int]]:
    """How many left it in each hour of a day, each day of a month, each month of a year; days that
    are over are read from their sums."""
    until = context.now()
    since = until - timedelta(days=SCALES[span].days)
    async with context.db.as_merchant(merchant) as conn:
        if span is Span.DAY:
            rows = await conn.fetch(store.SOLD_BY_HOUR, machine, since, until)
        else:
            piece = "day" if span is Span.MONTH else "month"
            rows = await conn.fetch(store.SOLD_BY_DAY, machine, since.date(), piece, until)
    return [(row["at"], row["sold"]) for row in rows]


def _sample(row: asyncpg.Record, each_s: int) -> Sample:
    names = ("at", "low", "high", "free_heap", "rssi", "journal_used", "door_open")
    return Sample(
        **{name: row[name] for name in names},
        mean=row["sum_c"] / row["readings_c"] if row["readings_c"] else None,
        heard=min(1.0, row["heard_s"] / each_s),
    )


def _stop(row: asyncpg.Record) -> Stop:
    said: dict[str, Any] = row["data"]
    return Stop(
        why=row["why"], since=row["since"], until=row["until"], by=str(said.get("by", "")),
        note=str(said.get("note", "")),
    )  # fmt: skip


def _rule(row: asyncpg.Record) -> FoodRule | None:
    if row["limit_c"] is None:
        return None
    return FoodRule(
        limit_c=round(row["limit_c"], 2), warm_s=row["warm_for"].total_seconds(),
        grace_s=row["grace"].total_seconds(), silent_s=row["silent_for"].total_seconds(),
    )  # fmt: skip
