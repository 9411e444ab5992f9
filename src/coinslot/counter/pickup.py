"""When an order is wanted: as soon as it can be, or in a slot. A slot has so many minutes of work,
which orders take one after the other."""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from coinslot.counter import store
from coinslot.counter.hours import Hours, SpecialDay, WeekInterval
from coinslot.db.pool import Connection


class SlotFullError(Exception):
    """The kitchen has no time for it then. `following`: when it has; None: not in these days."""

    def __init__(self, following: datetime | None) -> None:
        super().__init__("no time for it then")
        self.following = following


class NoSlotError(Exception):
    """Nothing is picked up at this time: it is over, or the counter is closed then."""


class Taken(Struct, frozen=True, kw_only=True):
    """When an order is wanted (None: as soon as it can be), when staff see it, and whose minutes
    it takes."""

    wanted_at: datetime | None
    begin_at: datetime | None
    slot_at: datetime | None


class OpeningHours(Struct, frozen=True, kw_only=True):
    """As the merchant sets them."""

    week: tuple[WeekInterval, ...] = ()
    special: tuple[SpecialDay, ...] = ()
    lead_min: int = 0
    slot_min: int = 15
    slot_work_min: int | None = None
    days_ahead: int | None = None


async def set_hours(conn: Connection, outlet: str, new: OpeningHours) -> bool:
    """From now on; orders that were placed keep their time. False: this is no counter."""
    return bool(
        await conn.fetchval(
            store.SET_HOURS, outlet, msgspec.to_builtins(new.week),
            msgspec.to_builtins(new.special), new.lead_min, new.slot_min, new.slot_work_min,
            new.days_ahead,
        )
    )  # fmt: skip


class Kitchen(Struct, frozen=True, kw_only=True):
    """Of a counter at a moment. `room`: minutes of work in a slot; None: all that is ordered."""

    outlet: str
    hours: Hours
    room: int | None
    now: datetime


async def take(conn: Connection, kitchen: Kitchen, work_min: int, wanted: datetime | None) -> Taken:
    """Takes the work's minutes, behind the lock of the store. Raises NoSlotError, SlotFullError."""
    hours, now, room = kitchen.hours, kitchen.now, kitchen.room
    if wanted is not None and wanted not in hours.slots(now):
        raise NoSlotError
    at = hours.slot_of(now) if wanted is None else wanted.astimezone(UTC)
    if room is not None:
        await conn.execute(store.LOCK_STORE, kitchen.outlet)
        taken = await _work(conn, kitchen.outlet, now - timedelta(days=1))
        if not fits(taken.get(at, 0), work_min, room):
            later = (slot for slot in hours.slots(now) if slot > at)
            free = (slot for slot in later if fits(taken.get(slot, 0), work_min, room))
            raise SlotFullError(next(free, None))
    begin = None if wanted is None else max(at - hours.lead, now)
    return Taken(wanted_at=None if wanted is None else at, begin_at=begin, slot_at=at)


def fits(taken: int, work_min: int, room: int) -> bool:
    """An order that is more work than a slot has room for is alone in its slot."""
    return work_min == 0 or taken == 0 or taken + work_min <= room


async def free_slots(conn: Connection, kitchen: Kitchen, work_min: int) -> list[datetime]:
    """In which this much work can still be done."""
    slots, room = kitchen.hours.slots(kitchen.now), kitchen.room
    if room is None or not slots:
        return slots
    taken = await _work(conn, kitchen.outlet, kitchen.now)
    return [slot for slot in slots if fits(taken.get(slot, 0), work_min, room)]


async def _work(conn: Connection, outlet: str, since: datetime) -> dict[datetime, int]:
    rows = await conn.fetch(store.SLOT_WORK, outlet, since)
    return {row["slot_at"]: row["work"] for row in rows}
