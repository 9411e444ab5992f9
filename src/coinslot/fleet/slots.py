"""A slot that a person fills, takes out of sale, and puts back; or all of a machine at once."""

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import store
from coinslot.fleet.config import Editor, OutOfServiceError, locked
from coinslot.outlets import machines
from coinslot.outlets.machines import UnknownSlotError


async def fill(context: Context, editor: Editor, machine: str, slot: str, stock: int) -> None:
    """So many are in it now. It sells again, unless a person took it out of sale. Raises
    UnknownSlotError."""
    async with context.db.as_merchant(editor.merchant) as conn:
        await machines.fill(conn, machine, slot, stock)
        subject = f"{machine} {slot}"
        await editor.note(conn, "slot.filled", subject, {"stock": stock}, context.now())


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


async def withhold_all(context: Context, editor: Editor, machine: str) -> None:
    """Every slot, as by `withhold`. Raises UnknownOutletError, OutOfServiceError."""
    async with context.db.as_merchant(editor.merchant) as conn:
        await _in_service(conn, editor, machine)
        await conn.execute(store.WITHHOLD_ALL, machine, context.now())
        await editor.note(conn, "machine.withheld", machine, {}, context.now())


async def put_all_on_sale(context: Context, editor: Editor, machine: str) -> None:
    """What was taken out with the whole machine; what somebody took out by itself, or what failed
    twice, stays out until it is put back by itself. Raises UnknownOutletError,
    OutOfServiceError."""
    async with context.db.as_merchant(editor.merchant) as conn:
        await _in_service(conn, editor, machine)
        await conn.execute(store.PUT_ALL_ON_SALE, machine)
        await editor.note(conn, "machine.put_on_sale", machine, {}, context.now())


async def _in_service(conn: Connection, editor: Editor, machine: str) -> None:
    row = await locked(conn, editor.merchant, machine)
    if row["decommissioned_at"] is not None:
        raise OutOfServiceError(f"{machine} is out of service")
