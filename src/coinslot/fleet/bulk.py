"""Many machines changed at once: what would change of each is shown first, and then all of it is
done in one transaction, or nothing."""

import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from coinslot.context import Context
from coinslot.db.pool import Connection, again
from coinslot.fleet import config, store
from coinslot.fleet.config import (
    Codes,
    ConfigChange,
    ConfigError,
    Editor,
    OutOfServiceError,
    PrintedCode,
    PrintedCodesError,
    SlotChange,
    StaleConfigError,
)
from coinslot.kit.money import Money
from coinslot.orders import outlet_windows
from coinslot.orders.outlet_windows import WindowError, WindowForm
from coinslot.orders.selling_rules import WINDOWS
from coinslot.outlets.machines import UnknownOutletError
from coinslot.payments import idempotency
from coinslot.payments.idempotency import Answer, IdempotentCall

MACHINES_AT_MOST: Final = 500
CAPACITY_AT_MOST: Final = 10_000


# Who says the windows of time: a template, in which somebody with the permission wrote them; one
# who has it and types them; or one who may change none.
WindowsBy = Literal["template", "typed", "nobody"]


class MachineChange(Struct, frozen=True, kw_only=True):
    """What is wanted of one machine. `version`: of the configuration that was shown; `device` and
    `windows`: the settings and windows of time that it gets beside those that it has;
    `windows_seen`: its own that were shown, of these names."""

    machine: str
    slots: tuple[SlotChange, ...] = ()
    capacity: Mapping[str, int] = {}  # by slot
    device: Mapping[str, Any] = {}
    version: int | None = None
    windows: Mapping[str, float | None] = {}  # None: as usual
    windows_by: WindowsBy = "template"
    windows_seen: Mapping[str, float | None] | None = None


class Difference(Struct, frozen=True, kw_only=True):
    """One thing that changes. `what`: sku, price, par, capacity or stock of a slot, a name of the
    device's settings, or one of its windows of time. None: there was none."""

    slot: str
    what: str
    before: Any
    after: Any


class MachinePlan(Struct, frozen=True, kw_only=True):
    """What would become of one machine, or why nothing would."""

    machine: str
    name: str = ""
    version: int = 0
    differences: tuple[Difference, ...] = ()
    codes: tuple[PrintedCode, ...] = ()
    windows: Mapping[str, float | None] = {}  # its own, of those that are wanted, as they are
    problem: str = ""


class BulkError(Exception):
    """Nothing was changed: of one machine it is not possible."""

    def __init__(self, machine: str, why: str) -> None:
        super().__init__(f"{machine}: {why}")
        self.machine = machine
        self.why = why


class TableSlot(Struct, frozen=True, kw_only=True):
    """A slot of a machine as it should be now."""

    machine: str
    version: int
    slot: str
    sku: str
    product: str
    price: Money
    par: int
    capacity: int | None
    windows: Mapping[str, float]  # of time, that its machine has of its own


async def table(
    context: Context, merchant: UUID, machines: Sequence[str] | None = None
) -> list[TableSlot]:
    """Every slot of the vending machines in service, or of these."""
    async with context.db.as_merchant(merchant) as conn:
        return await table_in(conn, merchant, machines)


async def table_in(
    conn: Connection, merchant: UUID, machines: Sequence[str] | None = None
) -> list[TableSlot]:
    """The same, in the caller's transaction."""
    rows = await conn.fetch(store.SLOT_TABLE, merchant, machines)
    return [
        TableSlot(
            price=Money(row["minor"], row["currency"]),
            **{name: row[name] for name in
               ("machine", "version", "slot", "sku", "product", "par", "capacity", "windows")},
        )
        for row in rows
    ]  # fmt: skip


async def plan(
    context: Context, editor: Editor, wanted: Sequence[MachineChange]
) -> list[MachinePlan]:
    """What each change would do, machine by machine; nothing is written."""
    async with context.db.as_merchant(editor.merchant) as conn:
        return [await _plan(conn, context, editor, one) for one in _in_order(wanted)]


async def apply(
    context: Context, editor: Editor, wanted: Sequence[MachineChange], codes: Codes = "ask"
) -> int:
    """All of it, or nothing: how many machines have something else now. Again changes nothing.
    Raises BulkError."""

    async def write() -> Applied:
        async with context.db.as_merchant(editor.merchant) as conn:
            return await _apply_all(conn, context, editor, wanted, codes)

    done = await again(write)
    config.wake(context, replaced=done.replaced)
    return done.changed


class Applied(Struct, frozen=True, kw_only=True):
    """How many machines got a new version, and whether printed codes were replaced."""

    changed: int
    replaced: bool


async def apply_once(
    context: Context,
    editor: Editor,
    key: IdempotentCall,
    wanted: Callable[[Connection], Awaitable[Sequence[MachineChange]]],
    codes: Codes = "ask",
) -> Answer:
    """The same, however often the call is sent with its key; `wanted` is asked only the first
    time. Raises BulkError, what `wanted` raises, and what `payments.idempotency` raises for a
    key."""

    async def write() -> tuple[Answer, bool]:
        async with context.db.as_merchant(editor.merchant) as conn:
            claimed = await idempotency.begin(conn, context, key)
            if isinstance(claimed, Answer):
                return claimed, False
            done = await _apply_all(conn, context, editor, await wanted(conn), codes)
            answer = Answer(status=200, body=msgspec.to_builtins(done))
            await idempotency.finish(conn, context, key, answer)
            return answer, done.replaced

    answer, replaced = await again(write)
    config.wake(context, replaced=replaced)
    return answer


async def _apply_all(
    conn: Connection,
    context: Context,
    editor: Editor,
    wanted: Iterable[MachineChange],
    codes: Codes,
) -> Applied:
    made = [await _apply(conn, context, editor, one, codes) for one in _in_order(wanted)]
    return Applied(
        changed=sum(new for new, _ in made), replaced=any(replaced for _, replaced in made)
    )


def _in_order(wanted: Iterable[MachineChange]) -> list[MachineChange]:
    """By code: two who change the same machines wait in turn."""
    return sorted(wanted, key=lambda one: one.machine)


async def _plan(
    conn: Connection, context: Context, editor: Editor, wanted: MachineChange
) -> MachinePlan:
    try:
        change = await _change(conn, editor, wanted)
        planned = await config.planned_in(conn, context, editor, wanted.machine, change)
        fits = await _capacities(conn, editor, wanted)
        _check_fit(planned.after.slots, fits | dict(wanted.capacity))
        windows = await _own_windows(conn, context, wanted)
    except _REFUSED as error:
        return MachinePlan(machine=wanted.machine, problem=str(error))
    times = (
        Difference(slot="", what=name, before=was, after=wanted.windows[name])
        for name, was in windows.items()
        if was != wanted.windows[name]
    )
    return MachinePlan(
        machine=wanted.machine, name=planned.after.name, version=planned.before.version,
        codes=planned.codes, windows=windows,
        differences=(*_differences(planned, fits, wanted.capacity), *times),
    )  # fmt: skip


async def _own_windows(
    conn: Connection, context: Context, wanted: MachineChange
) -> dict[str, float | None]:
    """Its own windows of time, of those that are wanted, as they are. Raises WindowError."""
    if not wanted.windows:
        return {}
    there = await outlet_windows.windows_in(conn, context, wanted.machine)
    outlet_windows.check_windows({one.name for one in there}, wanted.windows)
    own = {one.name: one.seconds for one in there if one.own}
    before = {name: own.get(name) for name in sorted(wanted.windows)}
    _check_typed(wanted, before)
    return before


def _check_typed(wanted: MachineChange, before: Mapping[str, float | None]) -> None:
    """Raises WindowError."""
    changed = {name: value for name, value in wanted.windows.items() if before[name] != value}
    if changed and wanted.windows_by == "nobody":
        raise WindowError(f"{min(changed)}: whoever may change machines' times changes it")
    for name, value in changed.items():
        least, most = WINDOWS.get(name, (0, math.inf))
        if wanted.windows_by == "typed" and value is not None and not least <= value <= most:
            raise WindowError(f"{name}: from {least} to {most} seconds")


async def _apply(
    conn: Connection, context: Context, editor: Editor, wanted: MachineChange, codes: Codes
) -> tuple[bool, bool]:
    """Whether it has a new version, and whether codes were replaced."""
    machine = wanted.machine
    try:
        await config.hold_in(conn, editor.merchant, machine)  # all that is read is of one version
        change = await _change(conn, editor, wanted, codes)
        before = await config.config_in(conn, editor.merchant, machine)
        made = await config.change_in(conn, context, editor, machine, change)
        after = await config.config_in(conn, editor.merchant, machine)
        fits = await _capacities(conn, editor, wanted)
        _check_fit(after.slots, fits | dict(wanted.capacity))
        given = await _set_windows(conn, context, editor, wanted)
    except _REFUSED as error:
        raise BulkError(machine, str(error)) from error
    more = {slot: most for slot, most in wanted.capacity.items() if fits.get(slot) != most}
    for slot, most in sorted(more.items()):
        if await conn.fetchval(store.SET_CAPACITY, machine, slot, most) is None:
            raise BulkError(machine, f"{slot}: the machine does not have this slot yet")
    if more:
        await editor.note(conn, "machine.capacity_set", machine, more, context.now())
    return given or made.version != before.version, made.replaced


async def _set_windows(
    conn: Connection, context: Context, editor: Editor, wanted: MachineChange
) -> bool:
    """Whether it has other ones now. Its outlet's row is locked. Raises WindowError."""
    own = await _own_windows(conn, context, wanted)
    given = {name: value for name, value in wanted.windows.items() if own[name] != value}
    if not given:
        return False
    form = WindowForm(given, wanted.windows_seen)
    await outlet_windows.change_windows_in(conn, context, wanted.machine, form, editor.actor)
    return True


async def _change(
    conn: Connection, editor: Editor, wanted: MachineChange, codes: Codes = "ask"
) -> ConfigChange:
    device: dict[str, Any] | UnsetType = UNSET
    if wanted.device:  # beside those that it has
        before = await config.config_in(conn, editor.merchant, wanted.machine)
        device = {**before.device, **wanted.device}
    return ConfigChange(slots=wanted.slots, device=device, version=wanted.version, codes=codes)


async def _capacities(
    conn: Connection, editor: Editor, wanted: MachineChange
) -> dict[str, int | None]:
    rows = await conn.fetch(store.SLOT_TABLE, editor.merchant, [wanted.machine])
    return {row["slot"]: row["capacity"] for row in rows}


def _check_fit(slots: Sequence[Any], capacity: Mapping[str, int | None]) -> None:
    """Raises ConfigError."""
    for slot, most in capacity.items():
        if most is not None and not 1 <= most <= CAPACITY_AT_MOST:
            raise ConfigError(
                "bad_capacity", slot, f"{slot}: from 1 to {CAPACITY_AT_MOST} fit into a slot."
            )
    there = {one.slot: one for one in slots}
    for slot, most in capacity.items():
        if slot not in there:
            raise ConfigError("slot_unknown", slot, f"There is no slot {slot}.")
        if most is not None and there[slot].par > most:
            raise ConfigError(
                "par_above_capacity", slot,
                f"{slot}: it is filled up to {there[slot].par}, and only {most} fit.",
            )  # fmt: skip


def _differences(
    planned: config.Planned, fits: Mapping[str, int | None], capacity: Mapping[str, int]
) -> Iterator[Difference]:
    before = {slot.slot: slot for slot in planned.before.slots}
    for slot in planned.after.slots:
        old = before.get(slot.slot)
        for what in ("sku", "price", "par"):
            was, now = getattr(old, what, None), getattr(slot, what)
            if was != now:
                yield Difference(slot=slot.slot, what=what, before=was, after=now)
        if old is not None and old.sku != slot.sku:
            yield Difference(slot=slot.slot, what="stock", before=None, after=0)
        most = capacity.get(slot.slot)
        if most is not None and fits.get(slot.slot) != most:
            yield Difference(
                slot=slot.slot, what="capacity", before=fits.get(slot.slot), after=most
            )
    for name in sorted({*planned.before.device, *planned.after.device}):
        was, now = planned.before.device.get(name), planned.after.device.get(name)
        if was != now:
            yield Difference(slot="", what=name, before=was, after=now)


_REFUSED: Final = (
    UnknownOutletError, OutOfServiceError, StaleConfigError, PrintedCodesError, ConfigError,
    WindowError,
)  # fmt: skip
