"""Every night the books of the day before are compared, each account's by one process; a night that
was missed, or at which a gateway did not answer, is made up for."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from msgspec import Struct

from coinslot.sales import store_books
from coinslot.sales.reconcile import Compared, Span, compare
from coinslot.sales.shop import Shop

log = structlog.get_logger(__name__)

DAY = timedelta(days=1)
MADE_UP_DAYS = 31
_LEASE = timedelta(minutes=10)
_CHECK_S = 60.0
_OVERLAP = timedelta(hours=1)  # a gateway has a clock of its own


class Night(Struct, frozen=True):
    """A day of an account, as the calendar of its merchant's zone has it."""

    account: UUID
    day: date
    zone: ZoneInfo

    def bounds(self) -> tuple[datetime, datetime]:
        """From midnight to midnight: 23 or 25 hours where clocks are changed that day."""
        begun = datetime.combine(self.day, time(), self.zone)
        ended = datetime.combine(self.day + DAY, time(), self.zone)
        return begun.astimezone(UTC), ended.astimezone(UTC)


async def watch(shop: Shop) -> None:
    """Compare whatever day is due, until cancelled."""
    while True:
        try:
            await due(shop)
        except Exception as error:  # noqa: BLE001  the next look may do better
            log.warning("books_not_compared", error=repr(error))
        await asyncio.sleep(_CHECK_S)


async def due(shop: Shop) -> int:
    """Every day that is over and not compared yet, of every account; how many were done."""
    over = shop.now() - shop.windows.span("nightly_after_s")
    async with shop.db.door() as conn:
        accounts = await conn.fetch(store_books.ACCOUNTS_AND_ZONES)
        zones = {row["id"]: shop.zone_of(row["zone"]) for row in accounts}
        rows = await conn.fetch(
            store_books.DAYS_DUE,
            list(zones),
            [row["created_at"].astimezone(zones[row["id"]]).date() for row in accounts],
            [over.astimezone(zone).date() - DAY for zone in zones.values()],
            MADE_UP_DAYS,
        )
    done = 0
    for row in rows:
        night = Night(row["account_id"], row["day"], zones[row["account_id"]])
        done += await _compare(shop, night)
    return done


async def _compare(shop: Shop, night: Night) -> bool:
    account = await shop.accounts.by_id(night.account)
    async with shop.db.as_merchant(account.merchant_id) as conn:
        if not await conn.fetchval(store_books.TAKE_DAY, night.account, night.day, _LEASE):
            return False
        # Where the merchant's zone was changed, the day before may have ended earlier.
        through = await conn.fetchval(store_books.COMPARED_THROUGH, night.account, night.day)
    begun, ended = night.bounds()
    begun = begun if through is None else min(begun, through)
    compared = await compare(shop, account, Span(begun - _OVERLAP, ended))
    await _finish(shop, account.merchant_id, night, compared)
    return compared.failure is None


async def _finish(shop: Shop, merchant: UUID, night: Night, compared: Compared) -> None:
    """A failure keeps the lease: the next try is after it."""
    async with shop.db.as_merchant(merchant) as conn:
        await conn.execute(
            store_books.DAY_COMPARED, night.account, night.day, compared.found, compared.opened,
            compared.failure, shop.now(), night.bounds()[1],
        )  # fmt: skip
    told = log.info if compared.failure is None else log.warning
    told(
        "books_compared", account=str(night.account), day=str(night.day), found=compared.found,
        opened=compared.opened, closed=compared.closed, failure=compared.failure,
    )  # fmt: skip
