"""A test vend: a person sees a machine work. It is an order of nothing, so no money is taken and
none can go back; it goes the same way as a paid one, counts as stock, and stays on record."""

from typing import Final
from uuid import UUID

from coinslot.context import Context
from coinslot.fleet import store
from coinslot.fleet.config import Editor, OutOfServiceError, locked
from coinslot.orders.page_views import NotNowError
from coinslot.orders.placing import NewLine, NewOrder, place
from coinslot.outlets.machines import UnknownSlotError

_MARK: Final = "test_vend"


class SilentMachineError(Exception):
    """The machine was not heard lately: nothing could be seen."""


class EmptySlotError(Exception):
    """There is nothing in the slot that is not promised to a customer."""


async def vend_as_test(context: Context, editor: Editor, machine: str, slot: str) -> UUID:
    """The order of the test. A slot that is out of sale may be tested too.

    Raises UnknownOutletError, UnknownSlotError, OutOfServiceError, SilentMachineError and
    EmptySlotError."""
    now = context.now()
    async with context.db.as_merchant(editor.merchant) as conn:
        row = await locked(conn, editor.merchant, machine)
        if row["decommissioned_at"] is not None:
            raise OutOfServiceError(f"{machine} is out of service")
        found = await conn.fetchrow(store.SLOT_TO_TEST, machine, slot)
        if found is None:
            raise UnknownSlotError(f"{machine} has no slot {slot}")
        heard = found["last_seen_at"]
        if heard is None or now - heard > context.windows.span("online_s"):
            raise SilentMachineError(machine)
        line = NewLine(
            product=found["product_id"], slot=slot, sku=found["sku"], name=found["name"], price=0,
            cost=found["cost_minor"],
        )  # fmt: skip
        new = NewOrder(
            merchant=editor.merchant, outlet=machine, currency=row["currency"], key=None,
            expires_at=now, lines=(line,), source=_MARK,
        )  # fmt: skip
        try:
            placed = await place(conn, context, new)
        except NotNowError:
            raise EmptySlotError(slot) from None
        said = {"slot": slot, "order": str(placed.id)}
        await editor.note(conn, "machine.test_vend", machine, said, now)
    context.wakes.wake("fulfillments")
    return placed.id
