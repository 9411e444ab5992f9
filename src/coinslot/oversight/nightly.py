"""Every night the books of the day before are compared, each account's by one process. A night that
was missed, or at which a gateway did not answer, is compared later."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from msgspec import Struct

from coinslot.context import Context
from coinslot.context.leases import held
from coinslot.context.rounds import keep_doing
from coinslot.db.lease import Lease, LeaseLostError
from coinslot.oversight import store
from coinslot.oversight.reconcile import Compared, Span, compare

log = structlog.get_logger(__name__)

DAY = timedelta(days=1)
MADE_UP_DAYS = 31
_LEASE = timedelta(minutes=10)
_CHECK_S = 60.0
_ACCOUNTS_AT_ONCE = 16
_OVERLAP = timedelta(hours=1)  # a gateway has its own clock


class Night(Struct, frozen=True):
    """A day of an account, by the calendar of its merchant's zone."""

    account: UUID
    day: date
    zone: ZoneInfo

    def bounds(self) -> tuple[datetime, datetime]:
        """From midnight to midnight: 23 or 25 hours where clocks are changed that day."""
        begun = datetime.combine(self.day, time(), self.zone)
        ended = datetime.combine(self.day + DAY, time(), self.zone)
        return begun.astimezone(UTC), ended.astimezone(UTC)


async def watch(context: Context) -> None:
    """Compare whatever day is due, until cancelled."""
    await keep_doing(lambda: due(context), _CHECK_S, context.failures, failed="books_not_compared")


async def due(context: Context) -> int:
    """Compare every day that is over and not compared yet, of every account; returns how many."""
    over = context.now() - context.windows.span("nightly_after_s")
    async with context.db.system_transaction() as conn:
        accounts = await conn.fetch(store.ACCOUNTS_AND_ZONES)
        zones = {row["id"]: context.zone_of(row["zone"]) for row in accounts}
        rows = await conn.fetch(
            store.DAYS_DUE,
            list(zones),
            [row["created_at"].astimezone(zones[row["id"]]).date() for row in accounts],
            [over.astimezone(zone).date() - DAY for zone in zones.values()],
            MADE_UP_DAYS,
        )
    nights: dict[UUID, list[Night]] = {}
    for row in rows:
        night = Night(row["account_id"], row["day"], zones[row["account_id"]])
        nights.setdefault(night.account, []).append(night)
    room = asyncio.Semaphore(_ACCOUNTS_AT_ONCE)
    return sum(await asyncio.gather(*(_each(context, few, room) for few in nights.values())))


async def _each(context: Context, nights: list[Night], room: asyncio.Semaphore) -> int:
    """The days of one account, in order. A gateway that does not answer delays no other."""
    done = 0
    async with room:
        for night in nights:
            try:
                done += await _compare(context, night)
            except Exception as error:  # noqa: BLE001  the next look may do better
                log.warning("books_not_compared", account=str(night.account), error=repr(error))
                context.failures.failed("books_not_compared", error, night.account)
                return done
            context.failures.succeeded("books_not_compared", night.account)
    return done


async def _compare(context: Context, night: Night) -> bool:
    account = await context.accounts.by_id(night.account)
    until = monotonic() + _LEASE.total_seconds()
    async with context.db.as_merchant(account.merchant_id) as conn:
        taken = await conn.fetchval(store.TAKE_DAY, night.account, night.day, _LEASE)
        # Where the merchant's zone was changed, the day before may have ended earlier.
        through = await conn.fetchval(store.COMPARED_THROUGH, night.account, night.day)
    if taken is None:
        return False
    lease = Lease("reconciliations", night.account, taken, until)

    async def hold() -> bool:
        async with context.db.as_merchant(account.merchant_id) as conn:
            still = (night.account, night.day, taken, _LEASE)
            return bool(await conn.fetchval(store.HOLD_DAY, *still))

    begun, ended = night.bounds()
    begun = begun if through is None else min(begun, through)
    try:
        async with held(context, lease, _LEASE.total_seconds(), hold) as fenced:
            compared = await compare(fenced, account, Span(begun - _OVERLAP, ended))
            await _finish(fenced, account.merchant_id, night, compared, lease)
    except LeaseLostError as error:
        log.warning("outcome_refused", lease=lease.name, error=str(error))
        return False
    except asyncio.CancelledError:  # this process stops: another may continue at once
        async with context.db.as_merchant(account.merchant_id) as conn:
            await conn.execute(store.LET_DAY_GO, night.account, night.day, taken)
        raise
    return compared.failure is None


async def _finish(
    context: Context, merchant: UUID, night: Night, compared: Compared, lease: Lease
) -> None:
    """A failure keeps the lease: the next try is after it. Raises LeaseLostError."""
    async with context.db.as_merchant(merchant) as conn:
        mine = await conn.fetchval(
            store.DAY_COMPARED, night.account, night.day, compared.found, compared.opened,
            compared.failure, context.now(), night.bounds()[1], lease.number,
        )  # fmt: skip
    if mine is None:
        raise LeaseLostError(f"{lease.name} is not held any more")
    told = log.info if compared.failure is None else log.warning
    told(
        "books_compared", account=str(night.account), day=str(night.day), found=compared.found,
        opened=compared.opened, closed=compared.closed, failure=compared.failure,
    )  # fmt: skip
