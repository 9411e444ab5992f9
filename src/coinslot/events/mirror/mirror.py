"""The mirror: machines, printed codes, payments and orders in a Firebase Realtime Database, with
the first system's field names. It writes the present state of the rows; the log only says which
rows changed, so a repetition does no harm."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import asyncpg
import structlog
from msgspec import Struct
from prometheus_client import Counter, Gauge

from coinslot.db.pool import AWAY, Database
from coinslot.events.log import Batch, Cursor, Pace, follow
from coinslot.events.mirror.document import MACHINES, Nodes
from coinslot.events.mirror.firebase import RefusedError, Remote, UnclearError
from coinslot.events.mirror.rows import Rows, Touched
from coinslot.kit.clock import Clock
from coinslot.kit.failures import Failures

log = structlog.get_logger(__name__)

READER = "mirror"
PACE = Pace(batch=400)
NODES_AT_ONCE = 500
LATE_S = 60.0
_AGAIN_FOR = timedelta(minutes=2)  # a write that timed out may still arrive after a later one
_GRACE_S, _FIRST_PAUSE_S, _QUIET_FAILURES = 10.0, 0.5, 4
_RELEASE_WITHIN_S = 2.0
_NEVER = object()

_NODES = Counter("coinslot_mirror_nodes_total", "Nodes written to the mirror", ("outcome",))
_LATE = Gauge("coinslot_mirror_late_seconds", "Age of the oldest entry that was not mirrored")

# The inner SELECT sees the row as it was: whether another process held the turn since we did.
_TURN = """
UPDATE mirror_rounds SET holder = $1, leased_until = clock_timestamp() + $2::interval
WHERE holder = $1 OR leased_until IS NULL OR leased_until <= statement_timestamp()
RETURNING (SELECT holder FROM mirror_rounds) IS DISTINCT FROM $1 AS anew
"""
_LET_GO = """
UPDATE mirror_rounds SET holder = NULL, leased_until = NULL WHERE holder = $1 OR $1 IS NULL
"""
_UNREAD = """
SELECT count(*) AS entries, coalesce(extract(epoch FROM $2 - min(e.at)), 0)::float8 AS late_s
FROM (SELECT at FROM events WHERE seq > coalesce(
    (SELECT seq FROM feed_cursors WHERE name = $1), 0) ORDER BY seq LIMIT 10000) e
"""


class Lag(Struct, frozen=True):
    """How far the mirror is behind the tables. `entries` counts no further than 10,000."""

    entries: int
    late_s: float

    @property
    def is_late(self) -> bool:
        return self.late_s > LATE_S


class Mirror:
    """One per process. Only the process that holds the turn writes, so that one that read earlier
    does not write later."""

    def __init__(self, db: Database, rows: Rows, remote: Remote, clock: Clock) -> None:
        self.rows = rows
        self.remote = remote
        self.cursor = Cursor(db, READER, PACE)
        self.db = db
        self._clock = clock
        self.failures = Failures(clock)  # of background work; app sets the process's own
        self._writing = asyncio.Lock()  # one after the other, each with the rows as they are then
        self._holder = uuid4().hex
        self._shown: Nodes = {}  # what was written last of machines and codes
        self._again: dict[Touched, datetime] = {}  # and since when
        self._unsure: datetime | None = None  # since when of a machine or code, whichever it was

    async def watch(self, every_s: float) -> None:
        """Report to the metrics how late it is, whichever process mirrors, until cancelled."""
        while True:
            try:
                await self.lag()
            except Exception as error:  # noqa: BLE001  whatever it is, the others go on
                log.info("mirror_lag_unknown", error=repr(error))
            await asyncio.sleep(every_s)

    async def run(self, every_s: float) -> None:
        """Follow the log and make rounds until cancelled. A failure here stops nothing else."""
        following: asyncio.Task[None] | None = None
        failures = 0
        try:
            while True:
                lease = timedelta(seconds=2 * every_s + _GRACE_S)
                if await self._turn(lease):
                    failures = 0 if await self._held_round(failures, lease) else failures + 1
                    if following is None and not failures:
                        told = follow(self.cursor, self.write_batch, asyncio.Event(), self.failures)
                        following = asyncio.create_task(told, name="mirror log")
                elif following is not None:
                    await _ended(following)
                    following = None
                soon_s = _FIRST_PAUSE_S * 2 ** min(failures, 10)
                await asyncio.sleep(min(soon_s, every_s) if failures else every_s)
        finally:
            if following is not None:
                await _ended(following)
            with contextlib.suppress(asyncpg.PostgresError, *AWAY):
                async with asyncio.timeout(_RELEASE_WITHIN_S):
                    await self.cursor.release()
                    await release_turn(self.db, self._holder)

    async def write_batch(self, batch: Batch) -> None:
        """Write the present state of everything that the batch names, and advance."""
        await self.show(await self.rows.touched(batch.entries))
        await self.cursor.advance(batch)

    async def show(self, touched: Touched) -> None:
        """Write the present state of these nodes. Raises UnclearError."""
        async with self._writing:
            nodes = await self.rows.nodes(touched)
            try:
                await write(self.remote, nodes)
            except UnclearError:
                kept = self._again.items()  # what this one contains is repeated with it
                self._again = {what: since for what, since in kept if what | touched != touched}
                self._again[touched] = self._clock.now()
                raise
            self._shown |= {path: nodes[path] for path in nodes if path.startswith(MACHINES)}

    async def round(self) -> None:
        """Write what the log does not contain: heartbeats, printed codes, parked money; and again
        everything after a write whose outcome is unknown. Raises UnclearError."""
        await self._show_machines()
        now, first = self._clock.now(), None
        for what, since in [(await self.rows.parked(), now), *self._again.items()]:
            try:
                await self.show(what)
            except UnclearError as error:  # it must not keep the others back
                first = first or error
            else:
                # Only once it is repeated behind the last moment at which it may have arrived.
                if self._again.get(what) == since and now - since >= _AGAIN_FOR:
                    del self._again[what]
        if first is not None:
            raise first

    async def _show_machines(self) -> None:
        """Every machine and code that is not shown as it is; all, where a write of some may still
        arrive."""
        began, unsure = self._clock.now(), self._unsure
        if unsure is not None:
            self._shown = {}
        pages = self.rows.machines()
        while True:
            async with self._writing:
                page = await anext(pages, None)
                if page is None:
                    break
                fresh = {p: page[p] for p in page if self._shown.get(p, _NEVER) != page[p]}
                for path in fresh:
                    self._shown.pop(path, None)
                try:
                    await write(self.remote, fresh)
                except UnclearError:
                    self._unsure = self._clock.now()
                    raise
                self._shown |= fresh
        if unsure is not None and began - unsure >= _AGAIN_FOR:
            self._unsure = None

    async def lag(self) -> Lag:
        """How far it is behind; also reported to the metrics."""
        async with self.db.system_connection() as conn:
            row = await conn.fetchrow(_UNREAD, READER, self._clock.now())
        found = Lag(row["entries"], max(row["late_s"], 0.0)) if row else Lag(0, 0.0)
        _LATE.set(found.late_s)
        return found

    async def _turn(self, lease: timedelta) -> bool:
        """Whether this process holds the turn, for so long; False while the database is
        unreachable."""
        try:
            async with self.db.system_connection() as conn:
                anew = await conn.fetchval(_TURN, self._holder, lease)
        except Exception as error:  # noqa: BLE001  whatever it is, the others go on
            log.warning("mirror_has_no_turn", error=repr(error))
            return False
        if anew:
            self._shown = {}  # another process wrote since, and what it wrote is not known
        return anew is not None

    async def _held_round(self, failures: int, lease: timedelta) -> bool:
        """A round of any length: the turn is renewed meanwhile, and a process that loses it stops,
        since another writes newer rows."""
        showing = asyncio.create_task(self._shown_round(failures), name="mirror round")
        try:
            while True:
                await asyncio.wait({showing}, timeout=lease.total_seconds() / 4)
                if showing.done():
                    return showing.result()
                if not await self._turn(lease):
                    log.warning("mirror_lost_its_turn")
                    return False
        finally:
            await _ended(showing)

    async def _shown_round(self, failures: int) -> bool:
        """Whether the round succeeded; `failures` rounds failed before it."""
        try:
            await self.round()
        except Exception as error:  # noqa: BLE001  whatever it is, the others go on
            say = log.warning if failures >= _QUIET_FAILURES else log.info
            say("mirror_round_failed", error=repr(error))
            self.failures.failed("mirror_round_failed", error)
            return False
        self.failures.succeeded("mirror_round_failed")
        return True


async def release_turn(db: Database, holder: str | None = None) -> None:
    """The turn is free at once; without a holder, it is taken from any process. The next holder
    writes everything."""
    async with db.system_connection() as conn:
        await conn.execute(_LET_GO, holder)


async def write(remote: Remote, nodes: Nodes) -> None:
    """Put the nodes in their places, many at once. One that the database refuses is left out with
    an error in the log: it must not block the others. Raises UnclearError."""
    for part in _parts(nodes):
        if not await _written(remote, part) and len(part) > 1:
            raise UnclearError("the database refuses every single node")


async def _written(remote: Remote, nodes: Nodes) -> int:
    try:
        await remote.write(nodes)
    except RefusedError as error:
        if len(nodes) > 1:
            half = len(nodes) // 2
            one, other = dict(islice(nodes.items(), half)), dict(islice(nodes.items(), half, None))
            return await _written(remote, one) + await _written(remote, other)
        _NODES.labels("refused").inc()
        log.error("mirror_node_refused", node=next(iter(nodes)), error=str(error))
        return 0
    _NODES.labels("written").inc(len(nodes))
    return len(nodes)


def _parts(nodes: Nodes) -> Iterator[dict[str, Any]]:
    left = iter(nodes.items())
    while part := dict(islice(left, NODES_AT_ONCE)):
        yield part


async def _ended(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait({task})
