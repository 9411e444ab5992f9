"""Public events as a merchant reads them: a feed with a cursor, for merchants without a public
URL."""

import asyncio
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection

_LOOK_EVERY_S = 0.25
_ID = re.compile(r"evt_[0-9a-f]{32}")

_PLACE = "SELECT seq FROM public_events WHERE id = $1"
_NEWEST = "SELECT id FROM public_events WHERE merchant_id = $1 ORDER BY seq DESC LIMIT 1"
_PAGE = """
SELECT id, type, at, data FROM public_events
WHERE merchant_id = $1 AND seq > $2 AND ($3::text[] = '{}' OR type = ANY ($3))
ORDER BY seq LIMIT $4
"""
_ONE = "SELECT id, type, at, data FROM public_events WHERE id = $1"


class UnknownEventError(Exception):
    """There is no such event."""


class EventStatement(Struct, frozen=True, kw_only=True):
    """A change of state. `data` is its subject as the API shows it, in the state it changed to."""

    id: str
    type: str
    timestamp: datetime
    data: dict[str, Any]


class EventPage(Struct, frozen=True, kw_only=True):
    """Events, oldest first; `next` is the `after` of the next call, also when there are none."""

    data: list[EventStatement]
    next: str | None


class Asked(Struct, frozen=True, kw_only=True):
    """Which events. `after` is an event's id, `newest` for what comes from now on, or none for
    all of them."""

    after: str | None = None
    types: tuple[str, ...] = ()
    limit: int = 20
    wait_s: float = 0


async def page(context: Context, merchant: UUID, asked: Asked) -> EventPage:
    """At once when there are events, else as soon as there are some or `wait_s` have passed.

    Raises UnknownEventError for an `after` that is no event of this merchant."""
    async with context.db.as_merchant(merchant) as conn:
        if asked.after == "newest":
            return EventPage(data=[], next=await conn.fetchval(_NEWEST, merchant))
        place = 0 if asked.after is None else await _place(conn, asked.after)
    if place is None:
        raise UnknownEventError("There is no such event.")
    loop = asyncio.get_running_loop()
    until = loop.time() + asked.wait_s
    while True:
        async with context.db.as_merchant(merchant) as conn:
            rows = await conn.fetch(_PAGE, merchant, place, list(asked.types), asked.limit)
        if rows or loop.time() >= until:
            break
        await asyncio.sleep(min(_LOOK_EVERY_S, max(until - loop.time(), 0)))
    return EventPage(
        data=[_statement(row) for row in rows], next=rows[-1]["id"] if rows else asked.after
    )


async def one(context: Context, merchant: UUID, event: str) -> EventStatement:
    """Raises UnknownEventError."""
    row = None
    if _ID.fullmatch(event):
        async with context.db.as_merchant(merchant) as conn:
            row = await conn.fetchrow(_ONE, event)
    if row is None:
        raise UnknownEventError("There is no such event.")
    return _statement(row)


async def _place(conn: Connection, event: str) -> int | None:
    seq: int | None = await conn.fetchval(_PLACE, event) if _ID.fullmatch(event) else None
    return seq


def _statement(row: asyncpg.Record) -> EventStatement:
    return EventStatement(id=row["id"], type=row["type"], timestamp=row["at"], data=row["data"])
