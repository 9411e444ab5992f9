"""Templates: the slots, par levels, products and prices that a machine is set up with. Some are
shipped, without products: those are a merchant's, as is every other template."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import store
from coinslot.fleet.config import Editor, MachineConfig, Par, Sku, SlotName, checked, config_in
from coinslot.kit.money import Money

TemplateName = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9-]{0,39}\Z")]


class TemplateSlot(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One slot of a template. Without a product it is left out of a machine that names none."""

    slot: SlotName
    par: Par = 0
    sku: Sku | None = None
    price: Money | None = None


class Template(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a machine is set up with, besides its code, name and place."""

    channel: str = "mqtt"
    dialect: str = "leased"
    slots: list[TemplateSlot] = []
    device: dict[str, Any] = {}


class UnknownTemplateError(LookupError):
    """The merchant has no such template, and none of that name is shipped."""


def _trays(rows: str, columns: int, par: int) -> Template:
    slots = [TemplateSlot(slot=f"{row}{n + 1}", par=par) for row in rows for n in range(columns)]
    return Template(slots=slots)


SHIPPED: Final[Mapping[str, Template]] = {
    "one-slot": _trays("A", 1, 20),
    "cans-6": _trays("A", 6, 8),
    "snacks-24": _trays("ABCD", 6, 10),
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


async def save(context: Context, editor: Editor, name: str, template: Template) -> None:
    """Keep it under this name; one that has the name already is replaced. Machines that were made
    from it stay as they are. Raises ConfigError."""
    wanted = checked(NewTemplate(name=name, template=template))
    async with context.db.as_merchant(editor.merchant) as conn:
        await conn.execute(
            store.PUT_TEMPLATE, editor.merchant, wanted.name, msgspec.to_builtins(template),
            editor.name, context.now(),
        )  # fmt: skip
        said = {"slots": len(template.slots)}
        await editor.note(conn, "machine_template.saved", wanted.name, said, context.now())


async def save_from(context: Context, editor: Editor, name: str, machine: str) -> Template:
    """Keep a machine's slots, prices and device settings as a template.

    Raises UnknownOutletError and ConfigError."""
    async with context.db.as_merchant(editor.merchant) as conn:
        config = await config_in(conn, editor.merchant, machine)
        row = await conn.fetchrow(store.SPEAKS, machine)
    assert row is not None
    template = Template(
        channel=row["channel"], dialect=row["dialect"], slots=list(_slots(config)),
        device=config.device,
    )  # fmt: skip
    await save(context, editor, name, template)
    return template


def _slots(config: MachineConfig) -> Iterator[TemplateSlot]:
    for slot in config.slots:
        yield TemplateSlot(slot=slot.slot, par=slot.par, sku=slot.sku, price=slot.price)
