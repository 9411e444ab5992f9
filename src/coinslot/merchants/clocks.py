"""Each computer of ours records how its clock differs from a gateway's, where all can read it.

Deadlines are counted from a gateway's time by our clock: one that is ahead would refund every
sale."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct
from prometheus_client import Gauge

from coinslot.db.pool import AWAY, Database
from coinslot.kit.clock import Clock, RemoteClock
from coinslot.kit.failures import Failures

log = structlog.get_logger(__name__)

_AHEAD = Gauge(
    "coinslot_clock_ahead_seconds",
    "By how much this computer's clock is ahead of a gateway's, or of the database's",
    ["account"],
)
_DATABASE = "database"  # instead of an account
_NOTED_EVERY_MS, _TOLD_EVERY_MS = 60_000, 600_000

_NOTE = """
INSERT INTO clocks AS k (account_id, node, merchant_id, ahead_ms, heard_at, off_since)
VALUES ($1, $2, $3, $4, clock_timestamp(), CASE WHEN $5 THEN clock_timestamp() END)
ON CONFLICT (account_id, node) DO UPDATE SET ahead_ms = $4, heard_at = clock_timestamp(),
    off_since = CASE WHEN $5 THEN coalesce(k.off_since, clock_timestamp()) END
"""
# A container has a new name at each start, and nothing is deleted here: a new computer takes over
# the row of one that is gone.
_TAKE_OVER = """
UPDATE clocks SET node = $2, off_since = NULL WHERE account_id = $1
AND node = (SELECT node FROM clocks WHERE account_id = $1
    AND heard_at < now() - interval '1 day' ORDER BY heard_at LIMIT 1)
AND NOT EXISTS (SELECT FROM clocks WHERE account_id = $1 AND node = $2)
"""
_NEWS = "heard_at > now() - interval '1 hour'"
_HEARD = f"SELECT count(*) FROM clocks WHERE {_NEWS}"
_APART = f"""
SELECT k.node, a.gateway, a.slug, k.ahead_ms, k.off_since FROM clocks k
JOIN gateway_accounts a ON a.id = k.account_id WHERE k.off_since IS NOT NULL AND k.{_NEWS}
ORDER BY a.gateway, a.slug, k.node
"""


class Apart(Struct, frozen=True):
    """A computer of ours whose clock differs from a gateway's by more than the tolerance."""

    node: str
    account: str
    ahead_s: float

    def __str__(self) -> str:
        return f"{apart(self.ahead_s)} {self.account}"


def apart(ahead_s: float) -> str:
    """For people: "121 s ahead of" or "121 s behind"."""
    return f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'}"


class Noted(Struct):
    """What was last written of one account and when it was last logged, by our monotonic clock."""

    at_ms: int
    off: bool
    logged_ms: int | None = None


class ClockNotes:
    """One per process. A difference up to `tolerance` counts as none."""

    def __init__(self, db: Database, node: str, tolerance: timedelta) -> None:
        self._db = db
        self._node = node
        self._tolerance = tolerance
        self._noted: dict[UUID, Noted] = {}

    async def note(self, account: tuple[UUID, UUID, str], there: RemoteClock) -> None:
        """Record it, once a minute and whenever it begins or ends to be wrong. `account` is its id,
        its merchant and its name. A failed write stops nothing else."""
        account_id, merchant_id, name = account
        ahead = there.ahead()
        if ahead is None:
            return
        _AHEAD.labels(name).set(ahead.total_seconds())
        off, now_ms = abs(ahead) > self._tolerance, there.monotonic_ms()
        last = self._noted.get(account_id)
        if last is not None and last.off == off and now_ms - last.at_ms < _NOTED_EVERY_MS:
            return
        logged_ms = self._log_difference(name, ahead, off, last, now_ms)
        self._noted[account_id] = Noted(now_ms, off, logged_ms)
        try:
            async with self._db.as_merchant(merchant_id) as conn:
                ahead_ms = ahead // timedelta(milliseconds=1)
                await conn.execute(_TAKE_OVER, account_id, self._node)
                await conn.execute(_NOTE, account_id, self._node, merchant_id, ahead_ms, off)
        except (asyncpg.PostgresError, *AWAY) as error:
            log.warning("clock_not_noted", account=name, error=repr(error))

    async def watch(self, clock: Clock, failures: Failures) -> None:
        """Compare our clock with the database's, which all our computers share, until cancelled: a
        unit that one of them has just queued may be too late for another."""
        last: Noted | None = None
        while True:
            try:
                ahead = await ahead_of_database(self._db, clock)
                last = self.compared(ahead, last, clock.monotonic_ms())
                failures.succeeded("clock_not_compared")
            except (asyncpg.PostgresError, *AWAY) as error:
                log.warning("clock_not_compared", error=repr(error))
                failures.failed("clock_not_compared", error)
            await asyncio.sleep(_NOTED_EVERY_MS / 1000)

    def compared(self, ahead: timedelta, last: Noted | None, now_ms: int) -> Noted:
        """Log how our clock differs from the database's; returns what was logged."""
        _AHEAD.labels(_DATABASE).set(ahead.total_seconds())
        off = abs(ahead) > self._tolerance
        return Noted(now_ms, off, self._log_difference(_DATABASE, ahead, off, last, now_ms))

    def _log_difference(
        self, name: str, ahead: timedelta, off: bool, last: Noted | None, now_ms: int
    ) -> int | None:
        """Log it, every ten minutes while it is wrong; returns when that was."""
        logged_ms = last.logged_ms if last is not None else None
        ahead_s = round(ahead.total_seconds(), 1)
        if not off:
            if last is not None and last.off:
                log.info("clock_agrees_again", account=name, ahead_s=ahead_s)
            return None
        if logged_ms is not None and now_ms - logged_ms < _TOLD_EVERY_MS:
            return logged_ms
        log.warning(
            "clock_differs", account=name, ahead_s=ahead_s,
            advice="set this computer's clock by NTP (docs/running.md, Clocks)",
        )  # fmt: skip
        return now_ms


async def ahead_of_database(db: Database, clock: Clock) -> timedelta:
    """By how much our clock is ahead of the database's."""
    async with db.system_transaction() as conn:
        asked = clock.now()
        theirs: datetime = await conn.fetchval("SELECT clock_timestamp()")
        return asked + (clock.now() - asked) / 2 - theirs


async def clocks_apart(db: Database) -> list[Apart]:
    """Every computer that was heard in the last hour and differs from a gateway's clock."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch(_APART)
    return [
        Apart(row["node"], f"{row['gateway']}/{row['slug']}", row["ahead_ms"] / 1000)
        for row in rows
    ]


async def clocks_heard(db: Database) -> int:
    """How many pairs of a computer and an account were compared in the last hour."""
    async with db.system_transaction() as conn:
        heard: int = await conn.fetchval(_HEARD)
    return heard
