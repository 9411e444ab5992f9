"""Deletes what is no longer needed, each after its window: answers of old calls, ended webhooks,
sessions and notices, where a receipt went. What names a person ends, too: whom a call reached,
wrong codes, who paid; up to when nothing of that is left is written down, and audited. Never a
record of money, or of who did what."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import asyncpg
import structlog

from coinslot.context import Context
from coinslot.db.pool import AWAY
from coinslot.oversight import privacy
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
    "call_logs": (store.FORGET_CALLS, "call_logs_kept_s"),
    "logs": (store.FORGET_LOGS, "logs_kept_s"),
    "machine_logs": (store.PRUNE_MACHINE_LOGS, "machine_logs_kept_s"),
    "short_samples": (store.PRUNE_SHORT_SAMPLES, "short_samples_kept_s"),
    "hour_samples": (store.PRUNE_HOUR_SAMPLES, "hour_samples_kept_s"),
    "day_samples": (store.PRUNE_DAY_SAMPLES, "day_samples_kept_s"),
    "payers": (store.FORGET_PAYERS, "payment_records_kept_s"),
}
_AUDITED = ("call_logs", "logs", "payers")


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
            if what in _AUDITED:  # what is locked by others is taken by the next run
                await _ran(context, what, before)
            return gone


async def _ran(context: Context, what: str, before: datetime) -> None:
    async with context.db.system_transaction() as conn:
        if not await conn.fetchval("SELECT retention_left($1, $2)", what, before):
            await conn.execute(store.RETENTION_RAN, what, before, context.now())


async def _end_pictures(context: Context) -> None:
    try:
        kept_for = context.windows.span("pictures_kept_s")
        ended = await pictures.sweep(context.db, context.storage, context.now(), kept_for)
        if ended:
            log.info("pruned", what="pictures", count=ended)
        context.failures.succeeded("prune_failed pictures")
    except (asyncpg.PostgresError, *AWAY) as error:
        _failed(context, "pictures", error)


async def _forget(context: Context) -> None:
    try:
        if done := await privacy.forget_waiting(context):
            log.info("forgotten", count=done)
        context.failures.succeeded("prune_failed people")
    except (asyncpg.PostgresError, *AWAY) as error:
        _failed(context, "people", error)


def _failed(context: Context, what: str, error: Exception) -> None:
    log.warning("prune_failed", what=what, error=repr(error))
    context.failures.failed(f"prune_failed {what}", error)


async def keep_pruning(context: Context) -> None:
    """Once an hour until cancelled. Several processes at once share the work."""
    while True:
        await _end_pictures(context)
        await _forget(context)
        for what in _PRUNED:
            try:
                if gone := await prune(context, what):
                    log.info("pruned", what=what, count=gone)
                context.failures.succeeded(f"prune_failed {what}")
            except (asyncpg.PostgresError, *AWAY) as error:
                _failed(context, what, error)
        await asyncio.sleep(_EVERY_S)
