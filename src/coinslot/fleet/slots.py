"""A slot that a person takes out of sale, and puts back."""

from coinslot.context import Context
from coinslot.fleet import store
from coinslot.fleet.config import Editor
from coinslot.outlets.machines import UnknownSlotError


async def withhold(context: Context, editor: Editor, machine: str, slot: str) -> None:
    """From now on it is not sold: money that is paid for it goes back, whatever code it came
    through. What was paid before is handed over. Raises UnknownSlotError."""
    async with context.db.as_merchant(editor.merchant) as conn:
        if await conn.fetchval(store.WITHHOLD, machine, slot, context.now()) is None:
            raise UnknownSlotError(f"{machine} has no slot {slot}")
        await editor.note(conn, "slot.withheld", machine, {"slot": slot}, context.now())


async def put_on_sale(context: Context, editor: Editor, machine: str, slot: str) -> None:
    """It is sold again, also one that failed twice. Raises UnknownSlotError."""
    async with context.db.as_merchant(editor.merchant) as conn:
        if await conn.fetchval(store.PUT_ON_SALE, machine, slot) is None:
            raise UnknownSlotError(f"{machine} has no slot {slot}")
        await editor.note(conn, "slot.put_on_sale", machine, {"slot": slot}, context.now())
