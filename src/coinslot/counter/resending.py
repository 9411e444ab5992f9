"""A customer asks for the code once more. The code stays the same, and so does the count of its
tries."""

from typing import Final
from uuid import UUID

from coinslot.context import Context
from coinslot.counter import message_store, store
from coinslot.counter.contacts import masked
from coinslot.counter.staff import CounterError, Why
from coinslot.db.pool import Connection
from coinslot.orders.page_views import ToldView

_STAGES: Final = {
    "due": "on_way", "sending": "on_way", "queued": "on_way", "sent": "sent",
    "delivered": "arrived", "failed": "failed", "unconfirmed": "unknown", "withheld": "not_sent",
}  # fmt: skip
_ORDER: Final = ("sms", "call", "email", "push")


async def again(context: Context, order_token: str) -> bool:
    """Whether it is sent again: a few times for each order, with a pause between them, and never
    without a phone. Raises CounterError for no such order."""
    async with context.db.system_transaction() as conn:
        known = await conn.fetchrow(store.ORDER_OF_TOKEN, order_token)
    if known is None:
        raise CounterError(Why.UNKNOWN)
    order, now = known["order_id"], context.now()
    async with context.db.as_merchant(known["merchant_id"]) as conn:
        await conn.fetchrow(message_store.HOLD_CODE, order)  # of two taps at once the second waits
        if not await may_resend(context, conn, order):
            return False
        before = await conn.fetchval(message_store.RESENT, order)
        key = f"again.{before + 1}"
        told: int = await conn.fetchval(message_store.TELL, order, "code", f"code.{key}", now)
    context.wakes.wake("counter_messages")
    return told > 0


async def may_resend(context: Context, conn: Connection, order: UUID) -> bool:
    """Whether its customer has a phone, the order is open, and this is neither too soon nor too
    often."""
    row = await conn.fetchrow(message_store.RESENDS, order)
    if row is None or row["phone"] is None or not row["open"]:
        return False
    windows = context.windows
    soon = row["last"] is not None and context.now() < row["last"] + windows.span("resend_s")
    return not soon and row["times"] < windows.resends


async def told(conn: Connection, order: UUID) -> tuple[ToldView, ...]:
    """What became of the newest message of each form. What was withheld because it was no longer so
    says nothing."""
    rows = {row["form"]: row for row in await conn.fetch(message_store.OF_ORDER, order)}
    found = []
    for form in _ORDER:
        row = rows.get(form)
        if row is not None:
            stage = "opted_out" if row["why"] == "opted_out" else _STAGES[row["stage"]]
            address = row["email"] if form == "email" else row["phone"] if form != "push" else None
            to = masked(address) if address else ""
            found.append(ToldView(form=form, stage=stage, to=to))
    return tuple(found)
