"""Which merchants' rows changed, for pages that stay open: one statement a second for all of them
together, however many look, and none while nobody does."""

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from coinslot.context import Context
from coinslot.db.pool import AWAY
from coinslot.kit.ids import token

log = structlog.get_logger(__name__)

ROUND_S: Final = 1.0
_KEPT_S: Final = 60.0  # a merchant is followed so long after the last page that looked
_LATE_S: Final = 10.0
_TICK_ROUNDS: Final = 15  # the installation has no log of its own: its page looks so often

# Of the log and of webhooks only what came lately is read, so that a row that commits late is
# counted too: from one place on, and what of it is after another one, where the next rounds begin.
_CHANGED = """
SELECT m.id, e.seen, e.ahead, i.seen AS heard, i.ahead AS heard_ahead,
    d.online, d.machines, d.versions, k.cases, b.boards
FROM unnest($1::uuid[]) AS m (id)
LEFT JOIN (SELECT merchant_id, count(*) AS seen, count(*) FILTER (WHERE seq > $3) AS ahead
    FROM events WHERE seq > $2 AND merchant_id = ANY ($1) GROUP BY 1) e ON e.merchant_id = m.id
LEFT JOIN (SELECT merchant_id, count(*) AS seen, count(*) FILTER (WHERE id > $6) AS ahead
    FROM inbox WHERE id > $5 AND merchant_id = ANY ($1) GROUP BY 1) i ON i.merchant_id = m.id
LEFT JOIN (SELECT o.merchant_id, count(*) AS machines,
        count(*) FILTER (WHERE d.last_seen_at >= $4) AS online,
        sum(o.price_version + o.planogram_version) AS versions
    FROM outlets o LEFT JOIN devices d ON d.outlet_id = o.id
    WHERE o.decommissioned_at IS NULL AND o.merchant_id = ANY ($1) GROUP BY 1) d
    ON d.merchant_id = m.id
LEFT JOIN (SELECT merchant_id, count(*)::text || ' ' || max(id) AS cases FROM cases
    WHERE closed_at IS NULL AND merchant_id = ANY ($1) GROUP BY 1) k ON k.merchant_id = m.id
LEFT JOIN (SELECT merchant_id, sum(board_changes) AS boards FROM counter_stores
    WHERE merchant_id = ANY ($1) GROUP BY 1) b ON b.merchant_id = m.id
"""
_END = """
SELECT coalesce((SELECT max(seq) FROM events), 0) AS log,
    coalesce((SELECT max(id) FROM inbox), 0) AS inbox
"""

# The installation has no log of its own, but its audits begin and end.
_AUDITS = "SELECT max(id) AS newest, count(started_at), count(ended_at) AS ended FROM audit_runs"


@dataclass(slots=True)
class _Followed:
    """One merchant, or the installation: how often it changed, and who waits."""

    number: int = 0
    facts: tuple[object, ...] | None = None  # None: not read yet
    asked_at: float = 0.0
    waiting: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def bump(self) -> None:
        self.number += 1
        self.news.set()
        self.news = asyncio.Event()


class Changes:
    """One per process. A version is a text that is compared, never ordered: another process has
    others, and a page that comes from there looks once more."""

    def __init__(self, context: Context, round_s: float = ROUND_S, late_s: float = _LATE_S) -> None:
        """`late_s`: a transaction commits its row at most so long after it got its number."""
        self._context = context
        self._round_s, self._late_s = round_s, late_s
        self._mark = token(6)
        self._followed: dict[UUID | None, _Followed] = {}
        self._rounds: asyncio.Task[None] | None = None
        self._base: asyncpg.Record | None = None  # not read yet
        self._next: asyncpg.Record | None = None
        self._next_at = 0.0
        self._audits: asyncpg.Record | None = None

    def version(self, merchant: UUID | None) -> str:
        """As far as this process knows; empty while nobody waits for changes of this merchant. It
        is asked for before a page reads its rows: what changes after that is a newer version."""
        found = self._followed.get(merchant)
        return "" if found is None else f"{self._mark}.{found.number}"

    async def changed(self, merchant: UUID | None, seen: str, patience_s: float) -> str:
        """The version as soon as it is not `seen`; `seen` when patience ends before."""
        found = self._follow(merchant)
        found.waiting += 1
        try:
            async with asyncio.timeout(patience_s):
                while found.facts is None or self.version(merchant) == seen:
                    await found.news.wait()
                return self.version(merchant)
        except TimeoutError:
            return seen
        finally:
            found.waiting -= 1
            found.asked_at = monotonic()

    def _follow(self, merchant: UUID | None) -> _Followed:
        facts = () if merchant is None else None
        found = self._followed.setdefault(merchant, _Followed(facts=facts))
        if self._rounds is None or self._rounds.done():
            self._rounds = self._context.background.start(self._run(), "follow changes")
        return found

    async def _run(self) -> None:
        """Rounds for as long as somebody looks."""
        number, self._base = 0, None
        while self._followed:
            number += 1
            try:
                await self._round()
            except (asyncpg.PostgresError, *AWAY) as error:
                log.warning("changes_not_followed", error=repr(error))
            if number % _TICK_ROUNDS == 0 and None in self._followed:
                self._followed[None].bump()
            await asyncio.sleep(self._round_s)
            old = monotonic() - _KEPT_S
            for merchant, one in list(self._followed.items()):
                if not one.waiting and one.asked_at < old:
                    del self._followed[merchant]

    async def _round(self) -> None:
        installation = self._followed.get(None)
        if installation is not None:
            async with self._context.db.system_connection() as conn:
                audits = await conn.fetchrow(_AUDITS)
            if audits != self._audits:
                installation.bump()
            self._audits = audits
        merchants = [merchant for merchant in self._followed if merchant is not None]
        if not merchants:
            return
        online = self._context.now() - self._context.windows.span("online_s")
        async with self._context.db.system_connection() as conn:
            if self._base is None or self._next is None:
                self._base = self._next = await conn.fetchrow(_END)
                self._next_at = monotonic()
            assert self._base is not None, "a row of sums is there"
            assert self._next is not None
            rows = await conn.fetch(
                _CHANGED, merchants, self._base["log"], self._next["log"], online,
                self._base["inbox"], self._next["inbox"],
            )  # fmt: skip
            end = await conn.fetchrow(_END)
        moves = monotonic() - self._next_at >= self._late_s
        for row in rows:
            self._compare(row, moves=moves)
        if moves:  # what was after `_next` is counted from there in the rounds that follow
            self._base, self._next, self._next_at = self._next, end, monotonic()

    def _compare(self, row: asyncpg.Record, *, moves: bool) -> None:
        one = self._followed.get(row["id"])
        if one is None:
            return
        new = (row["seen"] or 0, row["heard"] or 0)
        ahead = (row["ahead"] or 0, row["heard_ahead"] or 0)
        rest = (row["online"], row["machines"], row["versions"], row["cases"], row["boards"])
        facts = (new, *rest)
        if facts != one.facts:  # the first time too: its page may be older than what is read here
            one.bump()
        one.facts = (ahead, *rest) if moves else facts
