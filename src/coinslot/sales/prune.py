"""Forgets the answers of old calls: of payments that are at rest, after `keys_kept_s`."""

import asyncio

import asyncpg
import structlog

from coinslot.db.pool import AWAY
from coinslot.sales import store
from coinslot.sales.shop import Shop

log = structlog.get_logger(__name__)

_AT_ONCE = 1000
_EVERY_S = 3600.0


async def prune_keys(shop: Shop) -> int:
    """How many idempotency keys went."""
    before = shop.now() - shop.windows.span("keys_kept_s")
    gone = 0
    while True:
        async with shop.db.door() as conn:
            batch: int = await conn.fetchval(store.PRUNE_KEYS, before, _AT_ONCE)
        gone += batch
        if batch < _AT_ONCE:
            return gone


async def keep_pruning(shop: Shop) -> None:
    """Once an hour until cancelled. Several processes at once share the work."""
    while True:
        try:
            if gone := await prune_keys(shop):
                log.info("keys_pruned", count=gone)
        except (asyncpg.PostgresError, *AWAY) as error:
            log.warning("prune_failed", error=repr(error))
        await asyncio.sleep(_EVERY_S)
