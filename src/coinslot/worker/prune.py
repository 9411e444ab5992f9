"""Deletes what is no longer needed: answers of old calls whose payments have ended, after
`keys_kept_s`; ended webhooks, after `deliveries_kept_s`; sessions, a life after their end; notices
that ended, after `notices_kept_s`; where a receipt went, after `receipt_contacts_kept_s`. Never a
record of money, or of who did what."""

import asyncio
from collections.abc import Mapping

import asyncpg
import structlog

from coinslot.context import Context
from coinslot.db.pool import AWAY
from coinslot.pictures import pictures
from coinslot.worker import store

log = structlog.get_logger(__name__)

_AT_ONCE = 1000
_EVERY_S = 3600.0
_PRUNED: Mapping[str, tuple[str, str]] = {  # what goes: how, and after which window
    "keys": (store.PRUNE_KEYS, "keys_kept_s"),
    "deliveries": (store.PRUNE_DELIVERIES, "deliveries_kept_s"),
    "sessions": (store.PRUNE_SESSIONS, "session_life_s"),
    "notices": (store.PRUNE_NOTICES, "notices_kept_s"),
    "receipt_contacts": (store.FORGET_CONTACTS, "receipt_contacts_kept_s"),
}


async def prune(context: Context, what: str) -> int:
    """How many went, in transactions of a thousand at most."""
    statement, window = _PRUNED[what]
    before = context.now() - context.windows.span(window)
    gone = 0
    while True:
        async with context.db.system_transaction() as conn:
            batch: int = await conn.fetchval(statement, before, _AT_ONCE)
        gone += batch
        if batch < _AT_ONCE:
            return gone


async def _end_pictures(context: Context) -> None:
    try:
        kept_for = context.windows.span("pictures_kept_s")
        ended = await pictures.sweep(context.db, context.storage, context.now(), kept_for)
        if ended:
            log.info("pruned", what="pictures", count=ended)
    except (asyncpg.PostgresError, *AWAY) as error:
        log.warning("prune_failed", what="pictures", error=repr(error))


async def keep_pruning(context: Context) -> None:
    """Once an hour until cancelled. Several processes at once share the work."""
    while True:
        await _end_pictures(context)
        for what in _PRUNED:
            try:
                if gone := await prune(context, what):
                    log.info("pruned", what=what, count=gone)
            except (asyncpg.PostgresError, *AWAY) as error:
                log.warning("prune_failed", what=what, error=repr(error))
        await asyncio.sleep(_EVERY_S)
