"""The one sweeper: claims what is due under a lease, and lets the verb of its table work it.

A process may die at any instruction; the lease ends and another takes the row.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import structlog
from msgspec import Struct

from coinslot.db.due import Due, claim
from coinslot.db.pool import AWAY
from coinslot.sales import dispatch, give_back, held, look, take
from coinslot.sales.escalate import escalate
from coinslot.sales.expire import expire
from coinslot.sales.shop import NoLine, Shop

log = structlog.get_logger(__name__)

Work = Callable[[Shop, asyncpg.Record], Awaitable[None]]


class Chore(Struct, frozen=True):
    """One table that may owe something, and the verb that works a row of it."""

    due: Due
    work: Work
    at_once: int = 8  # rows worked side by side; calls to gateways wait on each other's sockets
    by_line: bool = False  # left to processes with machines, unless none of them takes it


CHORES = {
    "inbox": Chore(Due("inbox"), take.work_again),
    "fulfillments": Chore(Due("fulfillments", only=("unsettled",)), dispatch.drive, 16, True),
    "refunds": Chore(Due("refunds"), give_back.drive),
    "captures": Chore(Due("captures"), look.drive_capture),
    "attempts": Chore(Due("attempts"), held.drive),
    "payments": Chore(Due("payments"), escalate),
    "qr_codes": Chore(Due("qr_codes"), look.drive_qr),
    "orders": Chore(Due("orders"), expire),
}


class Pace(Struct, frozen=True, kw_only=True):
    """How often the sweeper looks without being woken, and how long it holds a row."""

    poll_s: float = 0.5
    lease_s: float = 20.0
    batch: int = 32
    late_s: float = 2.0  # after it a process without machines takes what one with them should


async def sweep_once(shop: Shop, name: str, pace: Pace) -> int:
    """Claim one batch of a table and work it; how many rows it was."""
    chore = CHORES[name]
    yields = chore.by_line and isinstance(shop.line, NoLine)
    due_by = shop.now() - timedelta(seconds=pace.late_s if yields else 0)
    async with shop.db.knock() as conn:
        rows = await claim(conn, chore.due, pace.batch, timedelta(seconds=pace.lease_s), due_by)
    room = asyncio.Semaphore(chore.at_once)

    async def one(row: asyncpg.Record) -> None:
        async with room:
            try:
                await chore.work(shop, row)
            except Exception as error:  # whatever it is: one row must not end everybody's work
                # The row stays leased: it is due again when the lease ends, here or elsewhere.
                log.exception("chore_failed", table=name, row=str(row["id"]), error=repr(error))

    await asyncio.gather(*(one(row) for row in rows))
    return len(rows)


async def sweep_table(shop: Shop, name: str, pace: Pace) -> None:
    """Sweep one table until cancelled: at once when woken, else every poll_s."""
    bell = shop.wakes.of(name)
    while True:
        bell.clear()
        try:
            while await sweep_once(shop, name, pace) == pace.batch:
                pass
        except (asyncpg.PostgresError, *AWAY) as error:
            log.warning("sweep_failed", table=name, error=repr(error))
        try:
            async with asyncio.timeout(pace.poll_s):
                await bell.wait()
        except TimeoutError:
            continue


async def sweep(shop: Shop, pace: Pace, tables: frozenset[str] = frozenset(CHORES)) -> None:
    """Sweep these tables side by side until cancelled."""
    async with asyncio.TaskGroup() as group:
        for name in sorted(tables):
            group.create_task(sweep_table(shop, name, pace), name=f"sweep {name}")
