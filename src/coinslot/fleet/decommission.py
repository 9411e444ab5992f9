"""Taking a machine out of service, when nobody waits for it any more."""

from datetime import datetime

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import store
from coinslot.fleet.config import Editor, locked
from coinslot.payments.provision import close_down


class UnitsOpenError(Exception):
    """Customers have paid for units of the machine that are not settled yet."""

    def __init__(self, units: int, until: datetime) -> None:
        count = f"{units} unit{'s are' if units > 1 else ' is'}"
        super().__init__(f"{count} not settled yet, until {until:%Y-%m-%d %H:%M} UTC at the latest")
        self.units = units
        self.until = until


async def refuse_while_open(conn: Connection, machine: str) -> None:
    """Raises UnitsOpenError while units of the machine are paid and not settled."""
    open_ = await conn.fetchrow(store.UNSETTLED, machine)
    if open_ is not None and open_["units"]:
        raise UnitsOpenError(open_["units"], open_["until"])


async def decommission(
    context: Context, editor: Editor, machine: str, *, even_if_open: bool = False
) -> None:
    """Take it out of service: its codes are closed (retried), it gets no new unit, and money that
    still comes goes back. Again changes nothing. `even_if_open` is for a machine that is gone: its
    open units are settled by evidence that still comes, else by policy.

    Raises UnknownOutletError and UnitsOpenError."""
    now = context.now()
    async with context.db.as_merchant(editor.merchant) as conn:
        await conn.fetchval(store.LOCK_DEVICE, machine)  # no unit is offered while it is held
        row = await locked(conn, editor.merchant, machine)
        if row["decommissioned_at"] is not None:
            return
        if not even_if_open:
            await refuse_while_open(conn, machine)
        await close_down(conn, machine, now)
        said = {"even_if_open": even_if_open}
        await editor.note(conn, "machine.decommissioned", machine, said, now)
    context.wakes.wake("qr_codes")
