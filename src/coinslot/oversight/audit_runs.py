"""Audits that somebody asks for on a page, and one a day without being asked: the worker makes
them, with the system login, in a read-only snapshot. See docs/decisions/0060-who-audits.md."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import structlog
from msgspec import Struct

from coinslot.context import Context
from coinslot.context.rounds import keep_doing
from coinslot.db.pool import AWAY, connect
from coinslot.orders import fulfillment
from coinslot.oversight import store
from coinslot.oversight.audit import audit
from coinslot.people.audit_log import COMMAND_LINE, Act, Actor, record

log = structlog.get_logger(__name__)

_LEASE: Final = timedelta(seconds=60)
_CHECK_S: Final = 2.0
_FIRST_S: Final = 3600  # an installation that never was audited is, so long after its start
_TRIES: Final = 3


class Check(Struct, frozen=True, kw_only=True):
    """One sentence of the auditor, and the first of the rows that break it."""

    name: str
    ok: bool
    rows: tuple[dict[str, Any], ...]


class Run(Struct, frozen=True, kw_only=True):
    """`ended_at` None: it waits or runs. `failure`: it could not be made."""

    id: int
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    ok: bool | None
    failure: str | None
    checks: tuple[Check, ...] = ()
    notices: tuple[Check, ...] = ()

    @property
    def red(self) -> tuple[Check, ...]:
        return tuple(one for one in self.checks if not one.ok)


async def ask(context: Context, by: str, who: Actor = COMMAND_LINE) -> bool:
    """False: one waits already, and its answer is for both. The audit log has who asked, in the
    same transaction."""
    async with context.db.system_transaction() as conn:
        made = await conn.fetchval(store.ASK_AUDIT, by, context.now())
        if made is not None:
            await record(conn, who, Act(action="audit.asked"), context.now())
    return made is not None


async def newest(context: Context, limit: int = 10) -> list[Run]:
    """The newest first; the checks are those of the last that ended, and no older ones'."""
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(store.AUDIT_RUNS, limit)
    found, told = [], False
    for row in rows:
        found.append(_run(row, with_report=not told))
        told = told or row["report"] is not None
    return found


def _run(row: asyncpg.Record, *, with_report: bool) -> Run:
    report = (row["report"] if with_report else None) or {}
    return Run(
        id=row["id"], asked_by=row["asked_by"], asked_at=row["asked_at"],
        started_at=row["started_at"], ended_at=row["ended_at"], ok=row["ok"],
        failure=row["failure"],
        checks=tuple(
            Check(name=one["name"], ok=one["ok"], rows=tuple(one["rows"]))
            for one in report.get("checks", ())
        ),
        notices=tuple(
            Check(name=one["name"], ok=True, rows=tuple(one["rows"]))
            for one in report.get("notices", ()) if one["rows"]
        ),
    )  # fmt: skip


async def watch(context: Context, url: str) -> None:
    """Make every audit that is asked for, until cancelled; `url` is the system login's."""
    began = context.now()

    async def one_round() -> None:
        await _ask_by_itself(context, began)
        await work(context, url)

    await keep_doing(one_round, _CHECK_S, context.failures, failed="audit_not_made")


async def _ask_by_itself(context: Context, began: datetime) -> None:
    async with context.db.system_transaction() as conn:
        last = await conn.fetchval("SELECT max(asked_at) FROM audit_runs")
    every = context.windows.span("audit_every_s")
    due = began + min(every, timedelta(seconds=_FIRST_S)) if last is None else last + every
    if every and context.now() >= due:
        await ask(context, "")


async def work(context: Context, url: str) -> bool:
    """Make the audit that waits, if one does and no other process has it. If this process dies,
    another makes it when the lease ends."""
    async with context.db.system_transaction() as conn:
        row = await conn.fetchrow(store.TAKE_AUDIT, _LEASE, context.now())
    if row is None:
        return False
    holding = asyncio.create_task(_hold(context, row["id"], row["tries"]))
    try:
        report, failure = await _made(context, url), None
    except (asyncpg.PostgresError, *AWAY) as error:
        if row["tries"] < _TRIES:
            raise  # the lease ends, and it is tried again
        report, failure = None, repr(error)
    finally:
        holding.cancel()
        with suppress(asyncio.CancelledError):
            await holding
    async with context.db.system_transaction() as conn:
        ok = None if report is None else bool(report["ok"])
        await conn.execute(
            store.END_AUDIT, row["id"], row["tries"], context.now(), ok, report, failure
        )
    log.info("audit_made", ok=ok, failure=failure)
    return True


async def _made(context: Context, url: str) -> dict[str, object]:
    """On a connection of its own: it takes minutes where there are a million orders, longer than
    a connection of the pool lets a statement run."""
    conn = await connect(url)
    try:
        more = fulfillment.checks(context.kinds)
        return (await audit(conn, context.now(), more=more)).to_json()
    finally:
        await conn.close()


async def _hold(context: Context, run: int, tries: int) -> None:
    while True:
        await asyncio.sleep(_LEASE.total_seconds() / 4)
        with suppress(asyncpg.PostgresError, *AWAY):
            async with context.db.system_transaction() as conn:
                await conn.execute(store.HOLD_AUDIT, run, tries, _LEASE)


class Owed(Struct, frozen=True, kw_only=True):
    """So many rows of a table that owe something. `in_work` are leased to a process now; the
    others are worked when they are due."""

    table: str
    kind: str
    rows: int
    due: int
    in_work: int
    oldest: datetime
    next_at: datetime


async def owed(context: Context) -> list[Owed]:
    """Everything that a process would have to go on with if all of them died now."""
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(store.OWED_ROWS, context.now())
    return [Owed(**dict(row)) for row in rows]
