"""An order on its way to a door. Whoever brings it has the order's driver page, at an address that
nobody guesses: where it goes, that they left, and the customer's code, which hands it over. It
opens nothing else, and says nothing any more once the order is over."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.counter import board, staff, store
from coinslot.counter.board import BoardOrder
from coinslot.counter.staff import CounterError, Staff, Status, Why
from coinslot.people.audit_log import Act, Actor, record

DRIVER: Final = "driver"  # who hands over, in the audit log: nobody's session

_TRIP = "SELECT order_id, merchant_id, left_at FROM counter_deliveries WHERE driver_token = $1"
# Once for each time that it is ready.
_LEAVE = """
UPDATE counter_deliveries SET left_at = $2
WHERE order_id = $1 AND (left_at IS NULL OR left_at < $3) RETURNING true
"""


class Trip(Struct, frozen=True, kw_only=True):
    """One delivery, as its driver sees it."""

    order: BoardOrder
    left_at: datetime | None  # since it was ready last

    @property
    def is_ready(self) -> bool:
        return self.order.status is Status.READY

    @property
    def is_over(self) -> bool:
        return self.order.status in (Status.COMPLETED, Status.CANCELLED)


async def trip(context: Context, secret: str) -> Trip:
    """Raises CounterError where no order has this driver's page."""
    who, order = await _whose(context, secret)
    found = await board.order(context, who, order)
    since = found.left_at if found.left_at and found.left_at >= found.since else None
    return Trip(order=found, left_at=since)


async def leave(context: Context, secret: str) -> None:
    """The driver is on the way, which moves nothing: its customer and the board read it. Raises
    CounterError for an order that is not ready."""
    who, order = await _whose(context, secret)
    found = await board.order(context, who, order)
    if found.status is not Status.READY:
        raise CounterError(Why.OVER if found.ended_at else Why.NOT_ACCEPTED)
    now = context.now()
    async with context.db.as_merchant(who.merchant) as conn:
        if not await conn.fetchval(_LEAVE, order, now, found.since):
            return  # a second tap
        await conn.execute(store.BOARD_CHANGED, found.outlet)
        act = Act(action="order.on_the_way", merchant=who.merchant, subject=str(order))
        await record(conn, who.actor, act, now)


async def hand_over(context: Context, secret: str, code: str) -> None:
    """On delivery, against the code: the same hand-over as at the counter, with the same tries.
    Raises CounterError."""
    who, order = await _whose(context, secret)
    await staff.complete(context, who, order, code)


async def _whose(context: Context, secret: str) -> tuple[Staff, UUID]:
    async with context.db.system_transaction() as conn:
        known = await conn.fetchrow(_TRIP, secret)
    if known is None:
        raise CounterError(Why.UNKNOWN)
    actor = Actor(address="driver's page")
    who = Staff(merchant=known["merchant_id"], login=DRIVER, actor=actor)
    return who, known["order_id"]
