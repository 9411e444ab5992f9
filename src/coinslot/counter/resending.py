"""A customer asks for the code once more. The code stays the same, and so does the count of its
tries."""

from coinslot.context import Context
from coinslot.counter import message_store, store
from coinslot.counter.staff import CounterError, Why


async def again(context: Context, order_token: str) -> bool:
    """Whether it is sent again: a few times for each order, with a pause between them, and never
    without a phone. Raises CounterError for no such order."""
    async with context.db.system_transaction() as conn:
        known = await conn.fetchrow(store.ORDER_OF_TOKEN, order_token)
    if known is None:
        raise CounterError(Why.UNKNOWN)
    order, now, windows = known["order_id"], context.now(), context.windows
    async with context.db.as_merchant(known["merchant_id"]) as conn:
        await conn.fetchrow(message_store.HOLD_CODE, order)  # of two taps at once the second waits
        before = await conn.fetchrow(message_store.RESENDS, order)
        assert before is not None
        soon = before["last"] is not None and now < before["last"] + windows.span("resend_s")
        if soon or before["times"] >= windows.resends:
            return False
        open_ = await conn.fetchval(message_store.IS_OPEN, order)
        if not open_:
            return False
        key = f"again.{before['times'] + 1}"
        told: int = await conn.fetchval(message_store.TELL, order, "code", f"code.{key}", now)
    context.wakes.wake("counter_messages")
    return told > 0
