"""Machines that sell nothing for now: the money of what waits for one goes back, or it waits. One
that does not answer is left alone for a while (docs/fleet.md)."""

from datetime import datetime

import asyncpg

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.orders.fulfillment import Unit
from coinslot.states.transition import transition
from coinslot.vending import store
from coinslot.vending.flow import UNSENT, VENDING


async def returns_money(conn: Connection, outlet: str, now: datetime) -> bool:
    """Whether what was paid at this machine and not begun is to go back at once."""
    stop = await conn.fetchrow(store.STOP, outlet, now)
    return stop is not None and bool(stop["returns_money"])


async def turned_away(context: Context, conn: Connection, unit: asyncpg.Record) -> bool:
    """The unit, locked, is not handed over, and its money goes back, where its machine may not
    sell. Only before GO: whatever the machine accepted, it starts nothing without that."""
    now = context.now()
    if not unit["may_stop"] or unit["state"] not in UNSENT:
        return False
    if not await returns_money(conn, unit["outlet_id"], now):
        return False
    await transition(
        conn, VENDING, unit["id"], "DEADLINE", now, basis="never_sent", failure_code="TEMP_LOCK"
    )
    return True


async def unanswered(context: Context, conn: Connection, unit: Unit) -> None:
    """Another offer to this machine ended in silence."""
    now = context.now()
    await conn.execute(
        store.UNANSWERED, unit["outlet_id"], unit["merchant_id"], now,
        context.windows.silent_offers, now + context.windows.span("silent_pause_s"),
    )  # fmt: skip


async def answered(conn: Connection, unit: asyncpg.Record, now: datetime) -> None:
    """The machine of this unit answered an offer."""
    if unit["may_stop"]:
        await conn.execute(store.ANSWERED, unit["outlet_id"], now)
