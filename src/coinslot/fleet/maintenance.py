"""A machine that somebody works at: it sells nothing until a person says that it is done."""

from coinslot.context import Context
from coinslot.fleet import store
from coinslot.fleet.config import Editor, OutOfServiceError, locked


async def begin(context: Context, editor: Editor, machine: str, note: str) -> None:
    """From now on its page sells nothing, and it is offered nothing; what was paid waits until the
    end of its window. Begun before, it stays as it is. Raises UnknownOutletError and
    OutOfServiceError."""
    now = context.now()
    async with context.db.as_merchant(editor.merchant) as conn:
        row = await locked(conn, editor.merchant, machine)
        if row["decommissioned_at"] is not None:
            raise OutOfServiceError(f"{machine} is out of service")
        if await conn.fetchval(store.STOP_FOR_REPAIR, machine, now, editor.name, note):
            await editor.note(conn, "machine.maintenance_begun", machine, {"note": note}, now)


async def end(context: Context, editor: Editor, machine: str) -> None:
    """It sells again. Raises UnknownOutletError."""
    async with context.db.as_merchant(editor.merchant) as conn:
        await locked(conn, editor.merchant, machine)
        if await conn.fetchval(store.END_REPAIR, machine, context.now()):
            await editor.note(conn, "machine.maintenance_ended", machine, {}, context.now())
