"""An order that nobody paid in time: its gateway closes what it was payable by, and only after that
answer the order expires, which gives back what it reserved."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from coinslot.context import Context
from coinslot.orders import store
from coinslot.payments import ways_to_pay
from coinslot.states.order_flow import ORDER
from coinslot.states.transition import transition

_ASKED_ELSEWHERE: Final = timedelta(seconds=2)  # by a worker that holds it now
_NO_ANSWER: Final = timedelta(seconds=10)  # before the gateway is asked to close it once more


async def expire(context: Context, row: asyncpg.Record) -> None:
    """Expire a placed order whose time is over. Where its gateway does not answer, it may still be
    paid: it is asked again until `ends_by`, where an order has that; then what is paid goes back by
    itself."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        placed = await conn.fetchrow(store.STILL_PLACED, row["id"])
        tried = await conn.fetchval(store.OPEN_ATTEMPT_OF_ORDER, row["id"])
    if placed is not None and tried is not None and placed["expires_at"] <= context.now():
        if not await ways_to_pay.close_now(context, row["merchant_id"], tried):
            await _put_off(context, row, context.now() + _ASKED_ELSEWHERE)
            return
        if await _may_still_be_paid(context, row, tried, placed):
            await _put_off(context, row, context.now() + _NO_ANSWER)
            return
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        order = await conn.fetchrow(
            "SELECT * FROM orders WHERE id = $1 FOR NO KEY UPDATE", row["id"]
        )
        now = context.now()
        if order is not None and order["state"] == "placed" and order["expires_at"] > now:
            # Its customer chose a way to pay meanwhile, and has the time that the page says.
            await conn.execute(store.PUT_OFF_ORDER, row["id"], order["expires_at"])
        elif order is not None and order["state"] == "placed":
            await transition(conn, ORDER, row["id"], "DEADLINE", now, ended_at=now, due_at=None)
        else:
            await conn.execute(
                "UPDATE orders SET due_at = NULL, leased_until = NULL WHERE id = $1", row["id"]
            )
    context.wakes.wake("attempts", "qr_codes")


async def _may_still_be_paid(
    context: Context, row: asyncpg.Record, attempt: UUID, placed: asyncpg.Record
) -> bool:
    """Its gateway did not say that it is closed, and there is time to ask it again."""
    if placed["ends_by"] is None or context.now() >= placed["ends_by"]:
        return False
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        left: UUID | None = await conn.fetchval(store.OPEN_ATTEMPT_OF_ORDER, row["id"])
    return left == attempt


async def _put_off(context: Context, row: asyncpg.Record, until: datetime) -> None:
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await conn.execute(store.PUT_OFF_ORDER, row["id"], until)
