"""The one sweeper: it claims a due row whenever a place is free, and runs the verb of its table. A
row that takes long frees its place and continues beside it, and each account has few at work: a
gateway that hangs delays its own rows alone. If a process dies, the lease ends and another one
claims the row. See docs/decisions/0017-leases-and-fair-shares.md."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta
from functools import partial

import asyncpg
import structlog
from msgspec import Struct

from coinslot.context import Context, NoMachineLink, leases
from coinslot.db import due
from coinslot.db.due import Claimed, Due, Share, Want
from coinslot.db.lease import Lease, LeaseLostError
from coinslot.db.pool import AWAY, again
from coinslot.events.notices.send import send_due
from coinslot.fleet import pushing
from coinslot.kit.clock import wait_at_most
from coinslot.orders import fulfillment
from coinslot.orders.expiry import expire
from coinslot.orders.fulfillment import Fulfillment
from coinslot.payments import authorizations, gateway_webhooks, qr_codes, receipts, refunds
from coinslot.payments.escalation import escalate
from coinslot.rollouts import updates, waves

log = structlog.get_logger(__name__)

Work = Callable[[Context, asyncpg.Record], Awaitable[None]]


class Chore(Struct, frozen=True):
    """One table that may owe something, and the verb that works a row of it."""

    due: Due
    work: Work
    places: int = 8  # rows worked side by side, beside those that take long
    by_line: bool = False  # left to processes with machines, unless none of them claims it


CHORES = {
    "inbox": Chore(Due("inbox", lane="account_id"), gateway_webhooks.work_again),
    "fulfillments": Chore(Due("fulfillments"), fulfillment.drive, 16, True),
    "refunds": Chore(Due("refunds", lane="account_id"), refunds.drive),
    "receipts": Chore(Due("receipts", lane="account_id"), receipts.drive),
    "captures": Chore(Due("captures", lane="account_id"), qr_codes.drive_capture),
    "attempts": Chore(Due("attempts", lane="account_id"), authorizations.drive),
    "payments": Chore(Due("payments"), escalate),
    "qr_codes": Chore(Due("qr_codes", lane="account_id"), qr_codes.drive_qr),
    "qr_polls": Chore(Due("qr_polls"), qr_codes.poll_account),
    # Before one expires, its gateway is asked once more; which one, only its payment says.
    "orders": Chore(Due("orders", lane="merchant_id"), expire),
    "config_pushes": Chore(Due("config_pushes"), pushing.drive, by_line=True),
    "rollouts": Chore(Due("rollouts"), waves.drive, 2),
    "machine_updates": Chore(Due("machine_updates"), updates.drive, by_line=True),
    "notices": Chore(Due("notices", lane="channel"), send_due),
}


def chores(kinds: Mapping[str, Fulfillment]) -> dict[str, Chore]:
    """Everything that is swept where these ways of selling are."""
    owed = fulfillment.owing(kinds)
    return {**CHORES, **{name: Chore(one.due, one.work) for name, one in owed.items()}}


def tables_of(roles: Collection[str], kinds: Mapping[str, Fulfillment]) -> frozenset[str]:
    """What a process with these roles sweeps: what is sent to machines where they are
    connected; a worker sweeps everything, and the deadlines of units."""
    swept = {name for name, chore in CHORES.items() if chore.by_line and "device" in roles}
    return frozenset(swept | set(chores(kinds)) if "worker" in roles else swept)


class Pace(Struct, frozen=True, kw_only=True):
    """How often the sweeper looks without being woken, and how much is worked at once."""

    poll_s: float = 0.5
    lease_s: float = leases.LEASE_S
    share: Share = Share()
    slow_s: float = 1.0  # a row that is worked for longer frees its place
    slow: int = 256  # and so many of them may wait, in one table of one process
    gather_s: float = 0.01  # places that become free together are filled by one claim
    grace_s: float = 2.0  # for what is under way when the process stops
    late_s: float = 2.0  # after it a process without machines claims what one with them should


class Sweeper:
    """Sweeps one table, one per process."""

    def __init__(self, context: Context, name: str, pace: Pace) -> None:
        self._context, self._name, self._pace = context, name, pace
        self._chore = chores(context.kinds)[name]
        self._woken = context.wakes.of(name)
        self._more = False  # whether rows may be due that there was no place for
        self._under_way: dict[asyncio.Task[None], Lease] = {}
        self._slow: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled: at once when woken, soon when a place is free, else every poll_s."""
        try:
            while True:
                self._woken.clear()
                try:
                    for claimed in await self._claim(self._free()):
                        self._start(claimed)
                    self._context.failures.succeeded(f"sweep_failed {self._name}")
                except (asyncpg.PostgresError, *AWAY) as error:
                    log.warning("sweep_failed", table=self._name, error=repr(error))
                    self._context.failures.failed(f"sweep_failed {self._name}", error)
                await wait_at_most(self._woken, self._pace.poll_s)
        finally:
            await self._stop()

    async def batch(self) -> int:
        """Work one claim to its end; returns how many rows it was."""
        claimed = await self._claim(self._chore.places)
        await asyncio.gather(*(self._work(one) for one in claimed))
        return len(claimed)

    def _free(self) -> int:
        quick = len(self._under_way) - len(self._slow)
        return min(self._chore.places - quick, self._pace.slow - len(self._slow))

    async def _claim(self, places: int) -> list[Claimed]:
        self._more = True
        if places <= 0:
            return []
        yields = self._chore.by_line and isinstance(self._context.line, NoMachineLink)
        late = timedelta(seconds=self._pace.late_s if yields else 0)
        want = Want(
            limit=places,
            lease=timedelta(seconds=self._pace.lease_s),
            now=self._context.now() - late,
            share=self._pace.share,
        )
        claimed = await due.claim(self._context.db, self._chore.due, want)
        # An account with a full share may have more due than was claimed.
        self._more = len(claimed) == places or self._chore.due.lane is not None
        return claimed

    def _start(self, claimed: Claimed) -> None:
        task = asyncio.create_task(self._work(claimed), name=claimed.lease.name)
        self._under_way[task] = claimed.lease
        task.add_done_callback(self._ended)
        asyncio.get_running_loop().call_later(self._pace.slow_s, self._set_aside, task)

    def _set_aside(self, task: asyncio.Task[None]) -> None:
        if task in self._under_way:
            self._slow.add(task)
            self._woken.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._slow.discard(task)
        if self._more:
            asyncio.get_running_loop().call_later(self._pace.gather_s, self._woken.set)

    async def _work(self, claimed: Claimed) -> None:
        context, lease = self._context, claimed.lease
        try:
            async with leases.held(context, lease, self._pace.lease_s) as fenced:
                await again(partial(self._chore.work, fenced, claimed.row))
        except LeaseLostError as error:
            log.warning("outcome_refused", lease=lease.name, error=str(error))
        except Exception as error:  # any error: one row must not end everybody's work
            log.exception("chore_failed", lease=lease.name, error=repr(error))
            context.failures.failed(f"chore_failed {self._name}", error, lease.key)
            await self._put_off(lease)
        else:
            context.failures.succeeded(f"chore_failed {self._name}", lease.key)
            await leases.finish(context, claimed)

    async def _put_off(self, lease: Lease) -> None:
        """A row that failed must not be first of its account again at once. A row without a lane
        stays leased instead: its deadlines are its own."""
        if self._chore.due.lane is None:
            return
        again = self._context.now() + timedelta(seconds=self._pace.lease_s)
        try:
            await due.put_off(self._context.db, lease, again)
        except (asyncpg.PostgresError, *AWAY) as error:
            log.warning("row_not_put_off", lease=lease.name, error=repr(error))

    async def _stop(self) -> None:
        """Rows under way get a moment to end; the rest is released to other workers."""
        tasks = dict(self._under_way)
        if tasks:
            await asyncio.wait(tasks, timeout=self._pace.grace_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await leases.release(self._context, [lease for lease in tasks.values() if not lease.lost])


async def sweep_once(context: Context, name: str, pace: Pace) -> int:
    """Claim one batch of a table and work it to its end; how many rows it was."""
    return await Sweeper(context, name, pace).batch()


async def sweep(context: Context, pace: Pace, tables: frozenset[str] | None = None) -> None:
    """Sweep these tables, or all, side by side until cancelled."""
    async with asyncio.TaskGroup() as group:
        for name in sorted(chores(context.kinds) if tables is None else tables):
            group.create_task(Sweeper(context, name, pace).run(), name=f"sweep {name}")
