"""Reads the event log with a cursor, by `seq`: in the order in which things happened to each
subject. A row of a transaction that is still open is waited for, never skipped."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from msgspec import Struct
from prometheus_client import Counter, Gauge

from coinslot.db.pool import Connection, Database
from coinslot.kit.failures import Failures

log = structlog.get_logger(__name__)

_BEHIND = Gauge(
    "coinslot_feed_behind", "Entries of the event log that a reader has not read yet", ("reader",)
)
_FAILURES = Counter(
    "coinslot_feed_failures_total", "Failures of a reader of the event log", ("reader",)
)

_JOIN = """
INSERT INTO feed_cursors (name, seq, since) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING
"""
# The sequence is read without a snapshot: it shows every `seq` given out so far, committed or not.
_POSITION = """
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS ahead,
    (SELECT seq FROM feed_cursors WHERE name = $1) AS position FROM events_seq_seq
"""
_CLAIM = """
UPDATE feed_cursors SET holder = $2, leased_until = clock_timestamp() + $3::interval
WHERE name = $1 AND (holder = $2 OR leased_until IS NULL OR leased_until <= statement_timestamp())
RETURNING seq, pg_current_xact_id()::text AS mine
"""
_ALL_ENDED = "SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8"
_READ = """
SELECT seq, merchant_id, machine, subject_id, event, was, state, data, at FROM events
WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3
"""
_ADVANCE = """
UPDATE feed_cursors SET seq = $4 WHERE name = $1 AND holder = $2 AND seq = $3
"""
_MINE = "SELECT pg_current_xact_id()::text"
_SKIP = """
INSERT INTO feed_cursors (name, seq, since) VALUES ($1, $2, 0)
ON CONFLICT (name) DO UPDATE SET seq = $2
"""
_RELEASE = "UPDATE feed_cursors SET leased_until = NULL WHERE name = $1 AND holder = $2"


class CursorLostError(Exception):
    """The lease ended and another process reads on: what was done here must not be kept."""


class Entry(Struct, frozen=True, kw_only=True):
    """One row of the log. `was` and `state` are None for an entry that is no move."""

    seq: int
    merchant_id: UUID
    machine: str
    subject_id: UUID
    event: str
    was: str | None
    state: str | None
    data: dict[str, Any]
    at: datetime

    @property
    def changed(self) -> bool:
        return self.state is not None and self.state != self.was


class Batch(Struct, frozen=True, kw_only=True):
    """The log after `after`, complete up to `through`; `entries` may be empty. `more`: the reader
    is behind."""

    after: int
    through: int
    entries: list[Entry]
    more: bool = False


class Pace(Struct, frozen=True, kw_only=True):
    """How fast a reader reads."""

    batch: int = 200
    poll_s: float = 0.25
    lease_s: float = 20.0
    patience_s: float = 5.0  # for open transactions, in one try
    pause_max_s: float = 60.0  # after failures; it doubles from poll_s
    gather_s: float = 0.05  # from one batch to the next: each costs as much for one entry as for 20
    share: float = 1 / 3  # of the time, at most, while it is behind: others use the same computer


class Cursor:
    """One reader's position in the log, advanced by one process at a time.

    Get the `next_batch`, work it, `advance`. What is written to this database is written in the
    transaction that advances; effects outside must tolerate a repetition."""

    def __init__(self, db: Database, name: str, pace: Pace | None = None) -> None:
        self.db = db
        self.name = name
        self.pace = pace or Pace()
        self._holder = uuid4().hex
        self._settled = 0  # every `seq` up to here is committed, or will never be

    async def next_batch(self) -> Batch | None:
        """The next batch; None when nothing is new, or another process reads."""
        async with self.db.system_connection() as conn:
            found = await conn.fetchrow(_POSITION, self.name)
            assert found is not None, "a sequence is one row"
            ahead, position = found
            if position is None:
                await conn.execute(_JOIN, self.name)
                position = 0
            _BEHIND.labels(self.name).set(max(ahead - position, 0))
            if ahead <= position:
                return None
            lease = timedelta(seconds=self.pace.lease_s)
            claimed = await conn.fetchrow(_CLAIM, self.name, self._holder, lease)
            if claimed is None:
                return None
        after: int = claimed["seq"]
        if after >= self._settled:
            # Every transaction that has a `seq` up to `ahead` got its id before `mine`.
            if not await self._ended(claimed["mine"]):
                return None
            self._settled = ahead
        rows = await self.db.system_pool.fetch(_READ, after, self._settled, self.pace.batch)
        entries = [Entry(**dict(row)) for row in rows]
        full = len(entries) == self.pace.batch
        through = entries[-1].seq if full else self._settled
        return Batch(after=after, through=through, entries=entries, more=full)

    async def advance(self, batch: Batch, conn: Connection | None = None) -> None:
        """In the caller's transaction when one is given. Raises CursorLostError."""
        if conn is None:
            async with self.db.system_connection() as own:
                return await self.advance(batch, own)
        status = await conn.execute(_ADVANCE, self.name, self._holder, batch.after, batch.through)
        if status != "UPDATE 1":
            raise CursorLostError(f"{self.name} is read elsewhere")

    async def committed_end(self) -> int:
        """The end of the log, once all before it is committed: a reader of the tables sees from now
        on what those entries describe."""
        async with self.db.system_connection() as conn:
            found = await conn.fetchrow(_POSITION, self.name)
            assert found is not None, "a sequence is one row"
            mine: str = await conn.fetchval(_MINE)
        while not await self._ended(mine):
            pass
        ahead: int = found["ahead"]
        return ahead

    async def move_to(self, seq: int) -> None:
        """Older entries were handled in another way. A process that works a batch now loses the
        cursor."""
        async with self.db.system_connection() as conn:
            await conn.execute(_SKIP, self.name, seq)

    async def release(self) -> None:
        """Another process may read on at once."""
        async with self.db.system_connection() as conn:
            await conn.execute(_RELEASE, self.name, self._holder)

    async def _ended(self, mine: str) -> bool:
        """Whether all transactions up to `mine` have ended; False when patience ends first. No
        connection is held meanwhile: those transactions may need one."""
        pause_s = 0.002
        try:
            async with asyncio.timeout(self.pace.patience_s):
                while not await self.db.system_pool.fetchval(_ALL_ENDED, mine):
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 2, 0.1)
        except TimeoutError:
            log.warning("feed_waits_for_an_open_transaction", reader=self.name)
            return False
        return True


async def follow(
    cursor: Cursor,
    work: Callable[[Batch], Awaitable[None]],
    wake: asyncio.Event,
    failures: Failures,
) -> None:
    """Read until cancelled: at once when woken, else every poll_s. `work` advances the
    cursor. A reader that fails stops only itself, and tries again after a pause. One that is far
    behind rests after each batch, the longer the busier the computer is."""
    pause_s = cursor.pace.poll_s
    now_s = asyncio.get_running_loop().time
    while True:
        wake.clear()
        try:
            began_s = now_s()
            while (batch := await cursor.next_batch()) is not None:
                await work(batch)
                pause_s = cursor.pace.poll_s
                rest_s = (now_s() - began_s) * (1 / cursor.pace.share - 1) if batch.more else 0
                await asyncio.sleep(max(rest_s, cursor.pace.gather_s))
                began_s = now_s()
        except Exception as error:  # noqa: BLE001  whatever it is, the others read on
            _FAILURES.labels(cursor.name).inc()
            failures.failed(f"feed_failed {cursor.name}", error)
            pause_s = min(pause_s * 2, cursor.pace.pause_max_s)
            log.warning("feed_failed", reader=cursor.name, pause_s=pause_s, error=repr(error))
            await asyncio.sleep(pause_s)
            continue
        failures.succeeded(f"feed_failed {cursor.name}")
        try:
            async with asyncio.timeout(cursor.pace.poll_s):
                await wake.wait()
        except TimeoutError:
            continue
