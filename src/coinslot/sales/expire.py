"""An order that nobody paid in time: the gateway is asked once more, then the order expires."""

from datetime import timedelta

import asyncpg

from coinslot.sales import look, store
from coinslot.sales.move import move
from coinslot.sales.order_flow import ORDER
from coinslot.sales.shop import Shop

_ASKED_ELSEWHERE = timedelta(seconds=2)  # by a worker that is at it now


async def expire(shop: Shop, row: asyncpg.Record) -> None:
    """Expire a placed order whose time is over; its QR code is closed by its own row."""
    async with shop.db.as_merchant(row["merchant_id"]) as conn:
        qr = await conn.fetchrow(store.QR_OF_ORDER, row["id"])
    # A lost webhook must not cost the customer the goods.
    if qr is not None and qr["stage"] == "open" and not await look.drive_now(shop, qr["id"]):
        async with shop.db.as_merchant(row["merchant_id"]) as conn:
            await conn.execute(store.PUT_OFF_ORDER, row["id"], shop.now() + _ASKED_ELSEWHERE)
        return
    async with shop.db.as_merchant(row["merchant_id"]) as conn:
        order = await conn.fetchrow(
            "SELECT * FROM orders WHERE id = $1 FOR NO KEY UPDATE", row["id"]
        )
        if order is not None and order["state"] == "placed":
            now = shop.now()
            await move(conn, ORDER, row["id"], "DEADLINE", now, ended_at=now, due_at=None)
        else:
            await conn.execute(
                "UPDATE orders SET due_at = NULL, leased_until = NULL WHERE id = $1", row["id"]
            )
    shop.wakes.ring("qr_codes")
