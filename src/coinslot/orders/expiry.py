"""An order that nobody paid in time: the gateway is asked once more, then the order expires."""

from datetime import timedelta

import asyncpg

from coinslot.context import Context
from coinslot.orders import store
from coinslot.payments import ways_to_pay
from coinslot.states.order_flow import ORDER
from coinslot.states.transition import transition

_ASKED_ELSEWHERE = timedelta(seconds=2)  # by a worker that holds it now


async def expire(context: Context, row: asyncpg.Record) -> None:
    """Expire a placed order whose time is over; what it was payable by is closed by its own row."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        tried = await conn.fetchval(store.OPEN_ATTEMPT_OF_ORDER, row["id"])
    # A lost webhook must not cost the customer the goods.
    if tried is not None and not await ways_to_pay.drive_now(context, row["merchant_id"], tried):
        async with context.db.as_merchant(row["merchant_id"]) as conn:
            await conn.execute(store.PUT_OFF_ORDER, row["id"], context.now() + _ASKED_ELSEWHERE)
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
