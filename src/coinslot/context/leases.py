"""The worker of a row holds its lease: the lease is renewed while the work runs, however slow a
gateway is, and the outcome is written only while no other worker has claimed the row."""

import asyncio
import copy
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog

from coinslot.context import Context
from coinslot.db import due
from coinslot.db.due import Claimed
from coinslot.db.lease import HeldDatabase, Lease, LeaseLostError
from coinslot.db.pool import AWAY

log = structlog.get_logger(__name__)

Renew = Callable[[], Awaitable[bool]]  # False: another has it
LEASE_S = 20.0
TAKEN_S = 5.0  # for a call that somebody waits for: if it dies, others wait no longer than this
_RENEWED_IN_A_LEASE = 4
_RENEWED_AT_MOST_EVERY_S = 0.05


@asynccontextmanager
async def held(
    context: Context, lease: Lease, lease_s: float, renew: Renew | None = None
) -> AsyncIterator[Context]:
    """The context for the worker of one row. A gateway call that is under way when the lease is
    lost runs to its end, so that its answer is recorded; after it nothing more is begun or
    written."""

    async def renew_row() -> bool:
        return await due.renew(context.db, lease, timedelta(seconds=lease_s))

    done = asyncio.Event()
    keeping = _keep_renewed(lease, lease_s, done, renew or renew_row)
    renewing = context.background.start(keeping, f"renew {lease.name}")
    try:
        fenced = copy.copy(context)
        fenced.db = HeldDatabase(context.db, lease)
        yield fenced
    finally:
        done.set()
        renewing.add_done_callback(_log_failed_renewal)


def _log_failed_renewal(renewing: "asyncio.Task[None]") -> None:
    """Its errors are in the log already; a stopping process may have cancelled it."""
    if not renewing.cancelled() and (error := renewing.exception()) is not None:
        log.warning("renewal_failed", task=renewing.get_name(), error=repr(error))


async def _keep_renewed(lease: Lease, lease_s: float, done: asyncio.Event, renew: Renew) -> None:
    """Renew until the work is done or the lease is lost. While the database is unreachable the
    lease stays as it was. Nothing is cancelled: cancelling a statement costs its connection."""
    pause_s = max(lease_s / _RENEWED_IN_A_LEASE, _RENEWED_AT_MOST_EVERY_S)
    while not lease.lost:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await done.wait()
        if done.is_set():
            return
        until = time.monotonic() + lease_s
        try:
            lease.lost = not await renew()
        except (asyncpg.PostgresError, *AWAY) as error:
            log.warning("lease_not_renewed", lease=lease.name, error=repr(error))
        else:
            lease.until = until
    log.warning("lease_lost", lease=lease.name)


@asynccontextmanager
async def taken(
    context: Context, table: str, key: UUID, lease_s: float = TAKEN_S
) -> AsyncIterator[tuple[Context, asyncpg.Record] | None]:
    """Claims this row while the block runs, due or not, and yields the row as it is. None: a worker
    holds it. When the lease is lost, the block ends and nothing is raised."""
    claimed = await due.claim_one(context.db, table, key, timedelta(seconds=lease_s))
    if claimed is None:
        yield None
        return
    async with taken_before(context, claimed.lease, lease_s) as fenced:
        yield fenced, claimed.row


@asynccontextmanager
async def taken_before(
    context: Context, lease: Lease, lease_s: float = TAKEN_S
) -> AsyncIterator[Context]:
    """As `taken`, for a row that was claimed, or inserted with its lease, just now."""
    try:
        with suppress(LeaseLostError):
            async with held(context, lease, lease_s) as fenced:
                yield fenced
    finally:
        await release(context, [lease])


async def release(context: Context, leases: list[Lease]) -> None:
    """Other workers may claim the rows at once. While the database is unreachable the leases end by
    themselves."""
    with suppress(asyncpg.PostgresError, *AWAY):
        await due.release(context.db, leases)


async def finish(context: Context, claimed: Claimed) -> None:
    """After the work. While the database is unreachable the lease ends by itself."""
    with suppress(asyncpg.PostgresError, *AWAY):
        await due.finish(context.db, claimed)
