"""Windows of time that an outlet has of its own: a machine in a lift may need longer than one in a
hall. What is paid already keeps the windows that it was paid under."""

from collections.abc import Collection, Mapping
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection, Database
from coinslot.orders import fulfillment, store
from coinslot.outlets.machines import UnknownOutletError, owner_of
from coinslot.people.audit_log import COMMAND_LINE, Act, Actor, record

LONGEST_S = 30 * 24 * 3600  # money is not kept for longer without goods


class WindowError(ValueError):
    """An outlet of this kind has no such window of its own, or not one so long."""


class StaleWindowsError(WindowError):
    """Somebody else changed them meanwhile."""


class OutletWindow(Struct, frozen=True, kw_only=True):
    """One window at one outlet, in seconds."""

    name: str
    seconds: float
    own: bool  # set at the outlet; else its merchant's, its kind's, or everybody's


async def windows_of(
    context: Context, outlet: str, merchant: UUID | None = None
) -> list[OutletWindow]:
    """Those that this outlet may set. Only an outlet of this merchant's; None (the command line):
    of whoever has it. Raises UnknownOutletError and UnknownKindError."""
    async with context.db.as_merchant(merchant or await owner_of(context.db, outlet)) as conn:
        return await windows_in(conn, context, outlet)


async def windows_in(conn: Connection, context: Context, outlet: str) -> list[OutletWindow]:
    """The same, in the caller's transaction."""
    row = await conn.fetchrow(store.OUTLET_WINDOWS, outlet)
    if row is None:
        raise UnknownOutletError(f"no outlet has the code {outlet}")
    names = fulfillment.handler(context, row["kind"]).windows
    there = context.windows.at(row["kind"], row["windows"])
    return [
        OutletWindow(name=name, seconds=getattr(there, name), own=name in row["own"])
        for name in sorted(names)
    ]


async def set_windows(
    context: Context,
    outlet: str,
    wanted: Mapping[str, float | None],
    merchant: UUID | None = None,
    who: Actor = COMMAND_LINE,
) -> None:
    """None: it has no window of this name of its own any more. The audit log has who did it.

    Raises UnknownOutletError, UnknownKindError and WindowError."""
    await change_windows(context, outlet, WindowForm(wanted), merchant, who)


class WindowForm(Struct, frozen=True):
    """Windows as a person wants them, and as the person's page had shown them; None: it had shown
    nothing. What differs from it now is not overwritten."""

    wanted: Mapping[str, float | None]
    seen: Mapping[str, float | None] | None = None


async def change_windows(
    context: Context, outlet: str, form: WindowForm, merchant: UUID | None, who: Actor
) -> None:
    """As `set_windows`. Raises StaleWindowsError too."""
    merchant = merchant or await owner_of(context.db, outlet)
    async with context.db.as_merchant(merchant) as conn:
        await change_windows_in(conn, context, outlet, form, who)


async def change_windows_in(
    conn: Connection, context: Context, outlet: str, form: WindowForm, who: Actor
) -> None:
    """The same, in the caller's transaction."""
    wanted, seen = form.wanted, form.seen
    there = await windows_in(conn, context, outlet)
    check_windows(frozenset(window.name for window in there), wanted)
    after = {name: seconds for name, seconds in wanted.items() if seconds is not None}
    row = await conn.fetchrow(store.LOCK_OUTLET_WINDOWS, outlet)
    assert row is not None  # it was read just now, and no outlet is ever deleted
    before = row["windows"]
    if seen is not None and any(before.get(name) != value for name, value in seen.items()):
        raise StaleWindowsError(f"somebody else changed the times of {outlet} meanwhile")
    await conn.execute(
        store.SET_OUTLET_WINDOWS, outlet, after,
        [name for name, seconds in wanted.items() if seconds is None],
    )  # fmt: skip
    act = Act(
        action="windows.changed", merchant=row["merchant_id"], subject=outlet, after=after,
        before=before,
    )  # fmt: skip
    await record(conn, who, act, context.now())


def check_windows(known: Collection[str], wanted: Mapping[str, float | None]) -> None:
    """Raises WindowError where an outlet that may have those windows cannot have these."""
    for name, seconds in wanted.items():
        if name not in known:
            raise WindowError(f"no window {name}: there is {', '.join(sorted(known))}")
        if seconds is not None and not 0 < seconds <= LONGEST_S:
            raise WindowError(f"{name}: between 0 and {LONGEST_S} seconds, not {seconds:g}")


async def outlets_with_windows(db: Database) -> dict[str, Mapping[str, float]]:
    """Outlets in service with windows of their own, and these."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch(store.OUTLETS_WITH_WINDOWS)
    return {row["id"]: row["windows"] for row in rows}
