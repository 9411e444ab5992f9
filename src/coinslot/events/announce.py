"""The reader that makes public events of the log: each real change of state once, in order; and in
the same transaction a delivery for every endpoint that wants it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.events import subjects
from coinslot.events.log import Batch, Cursor, Entry, Pace
from coinslot.events.public import OWN_WORDS, SETTLED, TOLD, TYPES
from coinslot.kit.ids import uuid7

NAME = "announce"

_SETTLE_AS = """
SELECT coalesce(settles_as(f.kind, s.state), '') FROM unnest($1::uuid[], $2::text[])
    WITH ORDINALITY AS s (id, state, place) LEFT JOIN fulfillments f ON f.id = s.id
ORDER BY s.place
"""

_WRITE = """
INSERT INTO public_events (seq, id, merchant_id, type, line, data, at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::jsonb[],
    $7::timestamptz[])
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
            rows = [
                _row(entry, made)
                for entry, made in zip(
                    batch.entries, await announcements(conn, batch.entries), strict=True
                )
                if made is not None
            ]
            if rows:
                await conn.execute(_WRITE, *zip(*rows, strict=True))
                written, now = [row[0] for row in rows], self._context.now()
                await conn.execute(_OWE, written, "webhook.test", "webhook.disabled", now)
        if rows:
            self._context.wakes.wake("deliveries")


Row = tuple[int, str, UUID, str, UUID, Any, datetime]


def _row(entry: Entry, made: Announcement) -> Row:
    name = f"evt_{uuid7(entry.at).hex}"
    return entry.seq, name, entry.merchant_id, made.type, made.line, made.data, entry.at


async def announcements(conn: Connection, entries: Sequence[Entry]) -> list[Announcement | None]:
    """What a merchant learns of each; None where nothing public changed. So many statements as
    there are sorts of subjects, however many entries."""
    made: dict[int, Announcement] = {}
    told: list[tuple[int, Entry, str]] = []
    for place, (entry, status) in enumerate(
        zip(entries, await _statuses(conn, entries), strict=True)
    ):
        kind = f"{entry.machine}.{status}"
        if status is None or kind not in TYPES:
            continue
        if entry.machine == "webhook":
            data = {"endpoint": entry.subject_id, **entry.data}
            made[place] = Announcement(type=kind, line=entry.subject_id, data=data)
        else:
            told.append((place, entry, status))
    found = await subjects.subjects(conn, [(entry, status) for _, entry, status in told])
    for (place, entry, status), subject in zip(told, found, strict=True):
        if subject is not None:
            kind = f"{entry.machine}.{status}"
            made[place] = Announcement(type=kind, line=subject.line, data=subject.shown)
    return [made.get(place) for place in range(len(entries))]


async def _statuses(conn: Connection, entries: Sequence[Entry]) -> list[str | None]:
    """The state that each reports, in the public words."""
    ends = [
        place
        for place, entry in enumerate(entries)
        if entry.machine == "fulfillment" and _is_end(entry) and entry.state not in OWN_WORDS
    ]
    words = await _public_ends(conn, [entries[place] for place in ends]) if ends else []
    said: list[str | None] = [
        entry.state if entry.changed else TOLD.get((entry.machine, entry.event))
        for entry in entries
    ]
    for place, entry in enumerate(entries):
        if entry.machine == "fulfillment" and not _is_end(entry):
            said[place] = None
    for place, word in zip(ends, words, strict=True):
        said[place] = word
    return said


def _is_end(entry: Entry) -> bool:
    """A move that settles a unit names its basis: the others need no look."""
    return entry.changed and "basis" in entry.data


async def _public_ends(conn: Connection, entries: Sequence[Entry]) -> list[str | None]:
    rows = await conn.fetch(
        _SETTLE_AS, [entry.subject_id for entry in entries], [entry.state for entry in entries]
    )
    return [SETTLED.get(row[0]) for row in rows]
