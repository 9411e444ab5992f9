"""The reader that makes public events of the log: each real change of state once, in order; and in
the same transaction a delivery for every endpoint that wants it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.events import subjects
from coinslot.events.log import Batch, Cursor, Entry, Pace
from coinslot.events.public import OWN_WORDS, SETTLED, TOLD, TYPES
from coinslot.kit.ids import uuid7

NAME = "announce"

_SETTLES_AS = "SELECT coalesce(settles_as(kind, $2), '') FROM fulfillments WHERE id = $1"

_WRITE = """
INSERT INTO public_events (seq, id, merchant_id, type, line, data, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
# Whatever its status: an endpoint that is paused or disabled keeps what it misses. A test is for
# the endpoint that asked. A delivery behind others of its line is due with the first of them, so it
# is never late. The row lock makes an endpoint that is being removed wait, and then withdraw these
# deliveries too.
_OWE = """
INSERT INTO deliveries (id, merchant_id, endpoint_id, seq, line, created_at, due_at)
SELECT uuid7($4), p.merchant_id, e.id, p.seq, p.line, $4,
    coalesce((SELECT CASE WHEN (d.endpoint_id, d.line) = (e.id, p.line) THEN d.due_at END
              FROM deliveries d
              WHERE (d.endpoint_id, d.line) >= (e.id, p.line) AND d.outcome IS NULL
              ORDER BY d.endpoint_id, d.line, d.seq LIMIT 1), $4)
FROM unnest($1::bigint[]) AS s (seq) JOIN public_events p ON p.seq = s.seq
JOIN webhook_endpoints e ON e.merchant_id = p.merchant_id AND e.deleted_at IS NULL
WHERE CASE p.type WHEN $2 THEN e.id = p.line WHEN $3 THEN e.id <> p.line
      ELSE e.types = '{}' OR p.type = ANY (e.types) END
ORDER BY p.seq FOR SHARE OF e
"""


class Announcement(Struct, frozen=True, kw_only=True):
    """A public event before it is written."""

    type: str
    line: UUID
    data: Any


class Announcer:
    """Writes events for merchants; `follow(announcer.cursor, announcer.announce, wake)` runs it."""

    def __init__(self, context: Context, pace: Pace | None = None) -> None:
        self.cursor = Cursor(context.db, NAME, pace)
        self._context = context

    async def announce(self, batch: Batch) -> None:
        async with self._context.db.system_transaction() as conn:
            await self.cursor.advance(batch, conn)  # first: it locks out other writers
            rows = [row for entry in batch.entries if (row := await _row(conn, entry))]
            if rows:
                await conn.executemany(_WRITE, rows)
                written, now = [row[0] for row in rows], self._context.now()
                await conn.execute(_OWE, written, "webhook.test", "webhook.disabled", now)
        if rows:
            self._context.wakes.wake("deliveries")


Row = tuple[int, str, UUID, str, UUID, Any, datetime]


async def _row(conn: Connection, entry: Entry) -> Row | None:
    made = await announcement(conn, entry)
    if made is None:
        return None
    name = f"evt_{uuid7(entry.at).hex}"
    data = msgspec.to_builtins(made.data)
    return entry.seq, name, entry.merchant_id, made.type, made.line, data, entry.at


async def announcement(conn: Connection, entry: Entry) -> Announcement | None:
    """What a merchant learns of this entry; None when nothing public changed."""
    status = entry.state if entry.changed else TOLD.get((entry.machine, entry.event))
    if entry.machine == "fulfillment":
        status = await _end_of_unit(conn, entry)
    kind = f"{entry.machine}.{status}"
    if status is None or kind not in TYPES:
        return None
    if entry.machine == "webhook":
        data = {"endpoint": entry.subject_id, **entry.data}
        return Announcement(type=kind, line=entry.subject_id, data=data)
    found = await subjects.subject(conn, entry, status)
    return Announcement(type=kind, line=found.line, data=found.shown) if found else None


async def _end_of_unit(conn: Connection, entry: Entry) -> str | None:
    """The public word for the end of a unit, else None."""
    if not entry.changed or "basis" not in entry.data:
        return None  # a move that settles names its basis: the others need no look
    if entry.state in OWN_WORDS:
        return entry.state
    return SETTLED.get(await conn.fetchval(_SETTLES_AS, entry.subject_id, entry.state))
