"""Orders that staff enter for whoever stands in front of them. They are paid at the till: no
payment, no code and no refund of ours, and they are in no book. What they take is off the stock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.counter import ordering, store
from coinslot.counter.basket import Wish, lines_of, shared_of, sum_of
from coinslot.counter.menu import MenuItem, menu
from coinslot.counter.staff import CounterError, Staff, Why
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.people.audit_log import Act, record

_SHOWN: Final = timedelta(hours=24)

_STORE = """
SELECT s.tax_added, u.currency::text, coalesce(u.zone, m.zone, 'UTC') AS zone
FROM counter_stores s JOIN outlets u ON u.id = s.outlet_id JOIN merchants m ON m.id = s.merchant_id
WHERE s.outlet_id = $1 AND ($2::text[] IS NULL OR s.outlet_id = ANY ($2))
FOR NO KEY UPDATE OF s
"""
# Of this day, and of what is still on the board: no two that people wait for have one number.
_LAST = """
SELECT max(substr(number, 2)::integer) FROM counter_walk_ins WHERE outlet_id = $1
    AND (entered_at >= $2 OR entered_at > $3 AND handed_at IS NULL AND cancelled_at IS NULL)
"""
_ENTER = """
INSERT INTO counter_walk_ins (id, merchant_id, outlet_id, number, name, lines, total_minor,
    entered_by, entered_at, taken) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_OPEN = """
SELECT w.*, u.currency::text FROM counter_walk_ins w JOIN outlets u ON u.id = w.outlet_id
WHERE w.handed_at IS NULL AND w.cancelled_at IS NULL AND w.entered_at > $2
    AND ($1::text[] IS NULL OR w.outlet_id = ANY ($1)) ORDER BY w.entered_at, w.id
"""
_MOVE = """
UPDATE counter_walk_ins SET ready_at = CASE WHEN $3 = 'ready' THEN coalesce(ready_at, $4)
        WHEN $3 = 'back' THEN NULL ELSE ready_at END,
    handed_at = CASE WHEN $3 = 'handed' THEN $4 END,
    cancelled_at = CASE WHEN $3 = 'cancelled' THEN $4 END
WHERE id = $1 AND ($2::text[] IS NULL OR outlet_id = ANY ($2))
    AND handed_at IS NULL AND cancelled_at IS NULL RETURNING outlet_id
"""


_PRINT = "SELECT counter_print_walk_in($1, $2)"
_CANCELLED = "SELECT counter_walk_in_cancelled($1, $2)"


class Step(StrEnum):
    """What staff do with one."""

    READY = "ready"
    BACK = "back"
    HANDED = "handed"
    CANCELLED = "cancelled"


class WalkLine(Struct, frozen=True, kw_only=True):
    """Some pieces of an item, as they were ordered."""

    name: str
    quantity: int
    choices: tuple[str, ...] = ()
    note: str = ""
    station: str = ""


class WalkIn(Struct, frozen=True, kw_only=True):
    """One of them that is open."""

    id: UUID
    outlet: str
    number: str
    name: str
    lines: tuple[WalkLine, ...]
    total: Money
    since: datetime
    ready: bool


async def enter(
    context: Context, who: Staff, outlet: str, wishes: Sequence[Wish], name: str = ""
) -> str:
    """Its number, which begins again each day. Raises BasketError and CounterError."""
    now = context.now()
    async with context.db.as_merchant(who.merchant) as conn:
        at = await conn.fetchrow(_STORE, outlet, who.outlets)
        if at is None:
            raise CounterError(Why.UNKNOWN)
        items = {item.sku: item for item in await menu(conn, outlet)}
        lines = lines_of({sku: item.priced() for sku, item in items.items()}, wishes)
        taken = await ordering.reserve(conn, outlet, items, wishes)
        total = sum_of(lines, tax_added=at["tax_added"], tip=0).total
        kept = [
            WalkLine(
                name=line.name, quantity=line.wish.quantity, note=line.wish.note,
                choices=tuple(choice.name for choice in line.chosen),
                station=items[line.wish.sku].station,
            )
            for line in lines
        ]  # fmt: skip
        day = _begins(now, ZoneInfo(at["zone"]))
        number = f"W{(await conn.fetchval(_LAST, outlet, day, now - _SHOWN) or 0) + 1}"
        made = uuid7(now)
        await conn.execute(
            _ENTER, made, who.merchant, outlet, number, name[:80], msgspec.to_builtins(kept),
            total, who.login, now, _taken(items, wishes, taken),
        )  # fmt: skip
        await conn.execute(_PRINT, made, now)
        await _noted(conn, context, who, "walk_in.entered", (made, outlet))
    context.wakes.wake("counter_prints")
    return number


async def move(context: Context, who: Staff, walk_in: UUID, step: Step) -> None:
    """What is cancelled before it is ready is for sale again. Raises CounterError for one that is
    over, or of another counter."""
    async with context.db.as_merchant(who.merchant) as conn:
        outlet = await conn.fetchval(_MOVE, walk_in, who.outlets, step.value, context.now())
        if outlet is None:
            raise CounterError(Why.OVER)
        await _noted(conn, context, who, f"walk_in.{step.value}", (walk_in, outlet))
        if step is Step.CANCELLED:  # after the store's row: whoever enters one locks it first, too
            await conn.execute(_CANCELLED, walk_in, context.now())
    context.wakes.wake("counter_prints")


async def listed(context: Context, who: Staff) -> list[WalkIn]:
    """What is open, oldest first."""
    async with context.db.as_merchant(who.merchant) as conn:
        rows = await conn.fetch(_OPEN, who.outlets, context.now() - _SHOWN)
    return [_walk_in(row) for row in rows]


def _begins(now: datetime, zone: ZoneInfo) -> datetime:
    """The day, by the clocks there."""
    return datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)


async def _noted(
    conn: Connection, context: Context, who: Staff, action: str, what: tuple[UUID, str]
) -> None:
    walk_in, outlet = what
    await conn.execute(store.BOARD_CHANGED, outlet)
    act = Act(action=action, merchant=who.merchant, subject=str(walk_in))
    await record(conn, who.actor, act, context.now())


def _taken(
    items: Mapping[str, MenuItem], wishes: Sequence[Wish], rows: Mapping[UUID, asyncpg.Record]
) -> list[dict[str, Any]]:
    """What was taken off the stock, of items and choices that are counted."""
    pieces, choices = Counter[UUID](), dict[UUID, Counter[str]]()
    for wish in wishes:
        item = items[wish.sku].id
        pieces[item] += wish.quantity
        for choice in wish.choices:
            choices.setdefault(item, Counter())[choice] += wish.quantity
    shared = shared_of({sku: item.options for sku, item in items.items()}, wishes)
    ids = next(iter(rows.values()))["shared"]
    portions = [
        {"stock": ids[name], "pieces": number}
        for name, number in shared.items() if ids[name] is not None
    ]  # fmt: skip
    return portions + [
        {
            "item": str(item), "pieces": count if rows[item]["counted"] else 0,
            "choices": {
                choice: number for choice, number in choices.get(item, {}).items()
                if choice in rows[item]["counted_choices"]
            },
        }
        for item, count in pieces.items()
    ]  # fmt: skip


def _walk_in(row: asyncpg.Record) -> WalkIn:
    return WalkIn(
        id=row["id"], outlet=row["outlet_id"], number=row["number"], name=row["name"],
        lines=msgspec.convert(row["lines"], tuple[WalkLine, ...]),
        total=Money(row["total_minor"], row["currency"]),
        since=row["ready_at"] or row["entered_at"], ready=row["ready_at"] is not None,
    )  # fmt: skip
