"""Templates: the slots, par levels, products and prices that a machine is set up with. Some are
shipped, without products: those are a merchant's, as is every other template."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import bulk, store
from coinslot.fleet.bulk import BulkError, MachineChange
from coinslot.fleet.config import (
    Codes,
    ConfigError,
    Editor,
    MachineConfig,
    Par,
    Sku,
    SlotChange,
    SlotName,
    checked,
    config_in,
    look_at_device,
    read,
)
from coinslot.kit.money import Money
from coinslot.orders import fulfillment, outlet_windows
from coinslot.orders.outlet_windows import WindowError
from coinslot.telemetry.food import FOOD_LOCK

# Where a machine stands, and that somebody works at it: no other machine is given these.
_OF_ONE_MACHINE = frozenset({"gps", "maintenance"})
TemplateName = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9-]{0,39}\Z")]


class TemplateSlot(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One slot of a template. Without a product it is left out of a machine that names none."""

    slot: SlotName
    par: Par | None = None  # None: a machine's own stays
    sku: Sku | None = None
    price: Money | None = None


class Template(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a machine is set up with, besides its code, name and place."""

    channel: str = "mqtt"
    dialect: str = "leased"
    slots: list[TemplateSlot] = []
    device: dict[str, Any] = {}
    windows: dict[str, float] = {}  # of time, in seconds; a machine's others stay


class UnknownTemplateError(LookupError):
    """The merchant has no such template, and none of that name is shipped."""


class StaleTemplateError(Exception):
    """Another template has this name by now."""


def _trays(rows: str, columns: int, par: int) -> Template:
    slots = [TemplateSlot(slot=f"{row}{n + 1}", par=par) for row in rows for n in range(columns)]
    return Template(slots=slots)


SHIPPED: Final[Mapping[str, Template]] = {
    "one-slot": _trays("A", 1, 20),
    "cans-6": _trays("A", 6, 8),
    "snacks-24": _trays("ABCD", 6, 10),
    "cooled-24": replace(
        _trays("ABCD", 6, 8),
        device={FOOD_LOCK: {"limit_c": 5, "warm_s": 900, "grace_s": 1800, "silent_s": 900}},
    ),
    "relay-board-4": Template(
        channel="socketio", dialect="simple",
        slots=[TemplateSlot(slot=f"A{n}", par=10) for n in range(1, 5)],
    ),
}  # fmt: skip


async def template_in(conn: Connection, merchant: UUID, name: str) -> Template:
    """The merchant's own of this name, else the shipped one. Raises UnknownTemplateError."""
    kept = await conn.fetchval(store.TEMPLATE, merchant, name)
    if kept is not None:
        return msgspec.convert(kept, Template)
    if name in SHIPPED:
        return SHIPPED[name]
    raise UnknownTemplateError(f"there is no template {name}")


async def listed(context: Context, merchant: UUID) -> Mapping[str, Template]:
    """The merchant's own and the shipped ones, by name."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.TEMPLATES, merchant)
    own = {row["name"]: msgspec.convert(row["template"], Template) for row in rows}
    return dict(sorted({**SHIPPED, **own}.items()))


class NewTemplate(Struct, frozen=True, kw_only=True):
    """A template with its name."""

    name: TemplateName
    template: Template


async def save(
    context: Context, editor: Editor, name: str, template: Template, seen: Template | None = None
) -> None:
    """Keep it under this name; one that has the name already is replaced. Machines that were made
    from it stay as they are. `seen`: the one that somebody looked at; another one is
    not replaced. Raises ConfigError and StaleTemplateError."""
    wanted = checked(NewTemplate(name=name, template=template))
    look_at_device(template.device)
    look_at_windows(context, template.windows)
    async with context.db.as_merchant(editor.merchant) as conn:
        known = None if seen is None else msgspec.to_builtins(seen)
        put = await conn.fetchval(
            store.PUT_TEMPLATE, editor.merchant, wanted.name, msgspec.to_builtins(template),
            editor.name, context.now(), known,
        )  # fmt: skip
        if put is None:
            raise StaleTemplateError(f"somebody else changed the template {name}")
        said = {"slots": len(template.slots)}
        await editor.note(conn, "machine_template.saved", wanted.name, said, context.now())


async def save_from(
    context: Context, editor: Editor, name: str, machine: str, *, anew: bool = False
) -> Template:
    """Keep a machine's slots, prices, device settings and own windows of time as a template,
    without what is of this machine alone; `anew` replaces none.

    Raises UnknownOutletError, ConfigError and StaleTemplateError."""
    async with context.db.as_merchant(editor.merchant) as conn:
        config = await config_in(conn, editor.merchant, machine)
        row = await conn.fetchrow(store.SPEAKS, machine)
        there = await outlet_windows.windows_in(conn, context, machine)
    assert row is not None
    template = Template(
        channel=row["channel"], dialect=row["dialect"], slots=list(_slots(config)),
        windows={one.name: one.seconds for one in there if one.own},
        device={name: told for name, told in config.device.items() if name not in _OF_ONE_MACHINE},
    )  # fmt: skip
    # Of none that somebody kept: each has a channel, and this one has no slot and no device.
    await save(context, editor, name, template, Template(channel="") if anew else None)
    return template


class Assigned(Struct, frozen=True, kw_only=True):
    """What became of one machine. `version`: of its configuration now; none: it stays as it was,
    and `problem` says why."""

    machine: str
    version: int | None = None
    problem: str = ""


async def assign(
    context: Context, editor: Editor, name: str, machines: Sequence[str], codes: Codes = "ask"
) -> list[Assigned]:
    """Give machines the slots, products, prices, par levels, device settings and windows of time of
    a template, each for itself. A slot that the template does not name stays, and so does the
    product of one for which it names none. Again changes nothing. Raises UnknownTemplateError."""
    template = await template_of(context, editor.merchant, name)
    found = []
    for wanted in await changes(context, editor.merchant, template, machines):
        try:
            await bulk.apply(context, editor, [wanted], codes)
            now = await read(context, editor.merchant, wanted.machine)
            found.append(Assigned(machine=wanted.machine, version=now.version))
        except BulkError as error:
            found.append(Assigned(machine=wanted.machine, problem=error.why))
    return found


async def template_of(context: Context, merchant: UUID, name: str) -> Template:
    """Raises UnknownTemplateError."""
    async with context.db.as_merchant(merchant) as conn:
        return await template_in(conn, merchant, name)


async def changes(
    context: Context, merchant: UUID, template: Template, machines: Sequence[str]
) -> list[MachineChange]:
    """What `assign` makes of each, to be shown by `bulk.plan` and done by `bulk.apply`."""
    there = {(one.machine, one.slot) for one in await bulk.table(context, merchant, machines)}
    return [
        MachineChange(
            machine=machine, device=template.device, windows=template.windows,
            slots=_slots_of(template, {slot for code, slot in there if code == machine}),
        )
        for machine in dict.fromkeys(machines)
    ]  # fmt: skip


def look_at_windows(context: Context, windows: Mapping[str, float]) -> None:
    """Raises ConfigError where no vending machine can have these windows of time."""
    try:
        outlet_windows.check_windows(fulfillment.handler(context, "vending").windows, windows)
    except WindowError as error:
        raise ConfigError("bad_window", "windows", f"{error}.") from error


def _slots_of(template: Template, there: Collection[str]) -> tuple[SlotChange, ...]:
    return tuple(
        SlotChange(
            slot=slot.slot, par=UNSET if slot.par is None else slot.par,
            sku=UNSET if slot.sku is None else slot.sku,
            price=UNSET if slot.price is None else slot.price,
        )
        for slot in template.slots
        if slot.sku is not None or slot.slot in there
    )  # fmt: skip


def _slots(config: MachineConfig) -> Iterator[TemplateSlot]:
    for slot in config.slots:
        yield TemplateSlot(slot=slot.slot, par=slot.par or None, sku=slot.sku, price=slot.price)
