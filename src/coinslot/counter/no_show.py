"""Orders that are ready, and that nobody fetches. Their time runs while somebody behind the counter
could hand them over: while a board is open there. What then becomes of the money was said before
the payment; it is kept only from somebody who provably was told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from coinslot.context import Context
from coinslot.counter import boards, message_store, store
from coinslot.counter.flow import COUNTER
from coinslot.db.pool import Connection
from coinslot.orders import fulfillment
from coinslot.states.transition import transition

LONGEST: Final = timedelta(hours=24)  # time without a board moves the end by so much at most
_GRACE: Final = timedelta(seconds=60)  # in which the sweeper sees that the time is over
_LEAST: Final = timedelta(seconds=30)

_KEPT = "SELECT * FROM counter_orders WHERE order_id = $1"
_LONGER = """
UPDATE fulfillments SET dispatch_by = $2, hard_deadline = $3, due_at = $2
WHERE id = $1 AND settlement IS NULL AND dispatch_by < $2
"""


async def later_end(
    context: Context, conn: Connection, unit: asyncpg.Record, kept: asyncpg.Record
) -> datetime | None:
    """When the time of a unit that waits to be fetched is over, where that is still to come: so
    long as no board was open does not count. None: it is over. `kept`: its row of
    `counter_orders`."""
    if unit["state"] != "to_pick_up":
        return None
    now, began = context.now(), max(unit["ready_at"], kept["wanted_at"] or unit["ready_at"])
    span = pickup_span(context, unit, kept)
    counted = await boards.connected_for(conn, kept["outlet_id"], began, now)
    end = min(now + max(span - counted, _LEAST), began + span + LONGEST)
    return end if counted < span and end > now else None


def pickup_span(context: Context, unit: asyncpg.Record, kept: asyncpg.Record) -> timedelta:
    """How long an order waits to be fetched: what its customer read before the payment."""
    if kept["pickup_s"] is not None:
        return timedelta(seconds=kept["pickup_s"])
    return fulfillment.windows_at(context, unit).span("pickup_s")


async def give_time(
    context: Context, conn: Connection, units: Sequence[asyncpg.Record], kept: asyncpg.Record
) -> bool:
    """Whether a unit has more time than its row says; its row says so then."""
    given = False
    for unit in units:
        if unit["settlement"] is not None or context.now() < fulfillment.last_moment(unit):
            continue
        end = await later_end(context, conn, unit, kept)
        if end is not None:
            await conn.execute(_LONGER, unit["id"], end, end + _GRACE)
            given = True
    return given


async def order_row(conn: Connection, unit: asyncpg.Record) -> asyncpg.Record:
    row = await conn.fetchrow(_KEPT, unit["order_id"])
    assert row is not None
    return row


async def may_keep(conn: Connection, unit: asyncpg.Record, kept: asyncpg.Record) -> bool:
    """Its customer had read that the money is kept, it was ready, and a message that said so
    provably arrived."""
    if kept["no_show"] != store.KEPT or unit["state"] != "to_pick_up" or unit["ready_at"] is None:
        return False
    return bool(await conn.fetchval(message_store.PROVED_READY, unit["order_id"], unit["ready_at"]))


async def keep(context: Context, conn: Connection, unit: asyncpg.Record) -> None:
    """It counts as handed over, which is listed as an exposure: nobody saw it leave."""
    now, due = context.now(), unit["hard_deadline"]
    await transition(conn, COUNTER, unit["id"], "HANDING", now, due_at=due)
    await transition(
        conn, COUNTER, unit["id"], "NOT_FETCHED", now, basis="no_show", failure_code="no_show"
    )
    await conn.execute(store.EXPOSE, unit["id"], now)
