"""Refill visits: a person at a machine says what lay in its slots and what lies there now."""

from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from coinslot.context import Context
from coinslot.db.pool import Connection, again
from coinslot.kit.ids import uuid7
from coinslot.outlets.machines import UnknownSlotError
from coinslot.payments import idempotency
from coinslot.payments.idempotency import Answer, IdempotentCall
from coinslot.stock import store
from coinslot.stock.slots import Recorder, known

LINES_AT_MOST: Final = 200
Pieces = Annotated[int, Meta(ge=0, le=10_000)]


class VisitLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One slot. `before` left out: nobody counted what lay there."""

    slot: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,16}\Z")]
    after: Pieces
    before: Pieces | None = None
    expires_on: date | None = None  # of what was added
    capacity: Annotated[int, Meta(ge=1, le=10_000)] | None = None  # left out: as it was


class NewVisit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done at a machine. Slots that are not named stay as they are."""

    slots: Annotated[list[VisitLine], Meta(min_length=1, max_length=LINES_AT_MOST)]
    note: Annotated[str, Meta(max_length=500, pattern=r"\A[^\x00]*\Z")] = ""


class VisitedSlot(Struct, frozen=True, kw_only=True):
    """What a slot should have held, what lay there, and what lies there now."""

    slot: str
    expected: int
    before: int | None
    after: int
    expires_on: date | None = None


class Visit(Struct, frozen=True, kw_only=True):
    """A visit as it is kept."""

    id: UUID
    at: datetime
    made_by: str
    note: str
    slots: tuple[VisitedSlot, ...]


class SlotTwiceError(ValueError):
    """One visit names a slot twice."""


async def visit(context: Context, who: Recorder, machine: str, wanted: NewVisit) -> Visit:
    """The slots hold what the person says, and sell again unless a person took them out of sale.
    Raises UnknownOutletError, UnknownSlotError, SlotTwiceError."""

    async def write() -> Visit:
        async with context.db.as_merchant(who.merchant) as conn:
            return await _write(conn, context, who, machine, wanted)

    return await again(write)


async def visit_once(
    context: Context, who: Recorder, key: IdempotentCall, machine: str, wanted: NewVisit
) -> Answer:
    """The same, however often the call is sent with its key. Raises what `visit` raises, and what
    `payments.idempotency` raises for a key."""

    async def write() -> Answer:
        async with context.db.as_merchant(who.merchant) as conn:
            claimed = await idempotency.begin(conn, context, key)
            if isinstance(claimed, Answer):
                return claimed
            made = await _write(conn, context, who, machine, wanted)
            answer = Answer(status=201, body=msgspec.to_builtins(made))
            await idempotency.finish(conn, context, key, answer)
            return answer

    return await again(write)


async def _write(
    conn: Connection, context: Context, who: Recorder, machine: str, wanted: NewVisit
) -> Visit:
    await known(conn, who.merchant, machine)
    lines = {line.slot: line for line in wanted.slots}
    if len(lines) != len(wanted.slots):
        raise SlotTwiceError("a slot is named twice")
    locked = await conn.fetch(store.LOCK_SLOTS, machine, list(lines))
    if missing := lines.keys() - {row["slot"] for row in locked}:
        raise UnknownSlotError(f"{machine} has no slot {min(missing)}")
    now, found = context.now(), []
    for name in sorted(lines):
        line = lines[name]
        said: dict[str, Any] = msgspec.to_builtins(line)
        expected = await conn.fetchval(store.VISIT_SLOT, machine, said, now)
        found.append(VisitedSlot(slot=name, expected=expected, before=line.before,
                                 after=line.after, expires_on=line.expires_on))  # fmt: skip
    made = Visit(id=uuid7(now), at=now, made_by=who.name, note=wanted.note, slots=tuple(found))
    await conn.execute(store.ADD_VISIT, made.id, who.merchant, machine, who.name, wanted.note,
                       msgspec.to_builtins(made.slots), now)  # fmt: skip
    said = {"visit": str(made.id), "slots": len(found)}
    await who.note(conn, "machine.refilled", machine, said, now)
    return made


async def last_visits(context: Context, merchant: UUID, machine: str, limit: int) -> list[Visit]:
    """The newest first. Raises UnknownOutletError."""
    async with context.db.as_merchant(merchant) as conn:
        await known(conn, merchant, machine)
        rows = await conn.fetch(store.LAST_VISITS, machine, limit)
    return [
        Visit(id=row["id"], at=row["at"], made_by=row["made_by"], note=row["note"],
              slots=msgspec.convert(row["lines"], tuple[VisitedSlot, ...]))
        for row in rows
    ]  # fmt: skip
