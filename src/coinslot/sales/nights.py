"""Every night the books of the day before are compared, each account's by one process; a night that
was missed, or at which a gateway did not answer, is made up for."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import structlog

from coinslot.sales import store_books
from coinslot.sales.reconcile import Compared, Span, compare
from coinslot.sales.shop import Shop

log = structlog.get_logger(__name__)

DAY = timedelta(days=1)
MADE_UP_DAYS = 31
_LEASE = timedelta(minutes=10)
_CHECK_S = 60.0
_OVERLAP = timedelta(hours=1)  # a gateway has a clock of its own


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
    last = (shop.now() - shop.windows.span("nightly_after_s")).astimezone(UTC).date() - DAY
    async with shop.db.door() as conn:
        rows = await conn.fetch(store_books.DAYS_DUE, last, MADE_UP_DAYS)
    done = 0
    for row in rows:
        done += await _night(shop, row["account_id"], row["day"])
    return done


async def _night(shop: Shop, account_id: UUID, day: date) -> bool:
    account = await shop.accounts.by_id(account_id)
    async with shop.db.as_merchant(account.merchant_id) as conn:
        if not await conn.fetchval(store_books.TAKE_DAY, account_id, day, _LEASE):
            return False
    begun = datetime.combine(day, time(), UTC)
    compared = await compare(shop, account, Span(begun - _OVERLAP, begun + DAY))
    await _finish(shop, account.merchant_id, account_id, day, compared)
    return compared.failure is None


async def _finish(
    shop: Shop, merchant: UUID, account_id: UUID, day: date, compared: Compared
) -> None:
    """A failure keeps the lease: the next try is after it."""
    async with shop.db.as_merchant(merchant) as conn:
        await conn.execute(
            store_books.DAY_COMPARED, account_id, day, compared.found, compared.opened,
            compared.failure, shop.now(),
        )  # fmt: skip
    told = log.info if compared.failure is None else log.warning
    told(
        "books_compared", account=str(account_id), day=str(day), found=compared.found,
        opened=compared.opened, closed=compared.closed, failure=compared.failure,
    )  # fmt: skip
