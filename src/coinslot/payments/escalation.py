"""What needs a person is put to one: a payment that was not resolved in time, and what a way of
selling leaves to people."""

from uuid import UUID

import asyncpg
import structlog

from coinslot.context import Context
from coinslot.payments import store

log = structlog.get_logger(__name__)


async def call_person(context: Context, merchant: UUID) -> None:
    """Bring the queue of this merchant's cases up to date at once; the next periodic look would,
    too."""
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.KEEP_CASES, context.now())


async def escalate(context: Context, row: asyncpg.Record) -> None:
    """Past its deadline it gets a case, once; the case closes itself when evidence comes."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        payment = await conn.fetchrow(store.LOCK_PAYMENT, row["id"])
        if payment is None:
            return
        deadline = payment["processing_deadline_at"]
        if payment["state"] != "processing" or deadline is None:
            await conn.execute(store.PUT_OFF_PAYMENT, row["id"], None)
        elif deadline > context.now():
            await conn.execute(store.PUT_OFF_PAYMENT, row["id"], deadline)
        else:
            kept = await conn.fetchrow(store.KEEP_CASES, context.now())
            again = context.after("attempt_pause_max_s")
            await conn.execute(store.PUT_OFF_PAYMENT, row["id"], again)
            if kept is not None and kept["opened"]:
                log.error("payment_unresolved", payment=str(row["id"]), since=str(deadline))
