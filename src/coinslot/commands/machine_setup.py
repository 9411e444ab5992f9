"""`coinslot machines onboard | provision | templates`: machines set up, one or fifty at once, and
what a device needs to connect, as a file and as a QR code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID

import msgspec
import typer
from msgspec import UNSET
from rich.markup import escape

from coinslot.app.resources import device_addresses
from coinslot.app.server import RunningServer
from coinslot.commands.machine_config import BY_COMMAND, Fate, MachineCodes, each, split
from coinslot.commands.terms import Data, console, errors, fail, installed, run_on_server
from coinslot.db.child_server import write_private
from coinslot.fleet import onboarding, sheet, templates
from coinslot.fleet.config import ConfigError, Editor
from coinslot.fleet.enrolment import DeviceEnrolment, provision_device
from coinslot.fleet.onboarding import OnboardError
from coinslot.fleet.planning import NewMachine, NewSlot, PlannedMachine
from coinslot.fleet.sheet import LineProblem, Sheet
from coinslot.fleet.templates import Template, UnknownTemplateError
from coinslot.kit.numbers import whole
from coinslot.merchants.merchants import merchant_named, usual_currency
from coinslot.outlets.machines import UnknownOutletError

AtOnce = Annotated[
    bool, typer.Option("--at-once", help="The old secret was stolen: it ends now, not later.")
]
Out = Annotated[Path, typer.Option(help="Folder for the files, which hold secrets.")]
Merchant = Annotated[str, typer.Argument(help="The merchant's slug.")]
Code = Annotated[
    str | None, typer.Argument(help="One new machine's code, such as M01; or give --from.")
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from", help=f"A table (CSV): {', '.join((*sheet.OF_MACHINE, *sheet.OF_SLOT))}."
    ),
]
Name = Annotated[str, typer.Option(help="As customers read it; else its code.")]
Place = Annotated[str, typer.Option(help="Where it stands.")]
TemplateName = Annotated[
    str | None, typer.Option("--template", help="One of `machines templates`.")
]
Slots = Annotated[
    list[str],
    typer.Option("--slot", metavar="A1=SKU:STOCK", help="What is in a slot; as often as needed."),
]
Apply = Annotated[
    bool,
    typer.Option("--apply/--dry-run", help="Do it. Without it you only see what would be done."),
]
NewName = Annotated[str, typer.Argument(help="The template's name: small letters, digits, -.")]
SavedFrom = Annotated[
    str | None, typer.Option("--from", help="The machine whose slots and prices it takes.")
]
TemplateFile = Annotated[
    Path | None, typer.Option("--file", help="Or a file with the template as JSON.")
]


def onboard(  # noqa: PLR0913  the options of a command
    merchant: Merchant,
    code: Code = None,
    table: From = None,
    name: Name = "",
    place: Place = "",
    template: TemplateName = None,
    slot: Slots = [],  # noqa: B006  typer reads it
    out: Out = Path("enrolments"),
    apply: Apply = False,
    data: Data = None,
) -> None:
    """Set up a machine, or all of a table: slots, products, prices, stock and device at once.

    First it says what would be done; --apply does it, all or nothing, and writes each device's
    enrolment. A slot that says no product, price or stock has those of the template."""
    if (code is None) == (table is None):
        raise typer.BadParameter("name one machine, or give a table with --from")
    raw = None if table is None else table.read_bytes()
    machine = NewMachine(
        code=str(code), name=name or str(code), place=place, template=template,
        slots=[_slot(text) for text in slot],
    )  # fmt: skip

    async def set_up(server: RunningServer) -> None:
        owner = await _owner(server, merchant)
        wanted = Sheet(machines=[machine], lines=[], problems=[])
        if raw is not None:
            wanted = sheet.read(raw, await usual_currency(server.db, owner))
        planned = await onboarding.plan(server.context, owner, wanted.machines)
        if found := wanted.all_problems(planned.problems):
            _refuse(found, by_line=table is not None)
        if not apply:
            _preview(planned.machines)
            return
        editor, addresses = Editor(owner, BY_COMMAND), device_addresses(server.settings)
        try:
            made = await onboarding.onboard(server.context, editor, wanted.machines, addresses)
        except OnboardError as error:
            _refuse(wanted.all_problems(error.problems), by_line=table is not None)
        for one in made:
            write_enrolment(one, out)
        say_where_machines_connect(made[0])

    run_on_server(set_up, installed(data))


def show_templates(merchant: Merchant, data: Data = None) -> None:
    """List a merchant's templates, and those that are shipped."""

    async def ask(server: RunningServer) -> None:
        for name, found in (
            await templates.listed(server.context, await _owner(server, merchant))
        ).items():
            slots = ", ".join(slot.slot for slot in found.slots)
            console.print(escape(f"{name}  {found.channel}  {slots}"), highlight=False)

    run_on_server(ask, installed(data))


def save_template(
    merchant: Merchant, name: NewName, machine: SavedFrom = None, file: TemplateFile = None,
    data: Data = None,
) -> None:  # fmt: skip
    """Keep a machine's slots, products, prices and par levels as a template, or one from a file."""
    if (machine is None) == (file is None):
        raise typer.BadParameter("name the machine with --from, or a file with --file")

    async def keep(server: RunningServer) -> None:
        editor = Editor(await _owner(server, merchant), BY_COMMAND)
        try:
            if machine is not None:
                await templates.save_from(server.context, editor, name, machine)
            elif file is not None:
                given = msgspec.json.decode(file.read_bytes(), type=Template)
                await templates.save(server.context, editor, name, given)
        except (UnknownOutletError, ConfigError, msgspec.MsgspecError) as error:
            fail(str(error))
        console.print(f"{name} is kept", highlight=False)

    run_on_server(keep, installed(data))


def assign_template(
    merchant: Merchant, name: NewName, codes: MachineCodes, printed: Fate = "ask",
    data: Data = None,
) -> None:  # fmt: skip
    """Give machines what a template has: slots, products, prices, par levels, device settings.

    Each is a version of its own, and reaches its machine as any other change does."""

    async def assign(server: RunningServer) -> None:
        editor = Editor(await _owner(server, merchant), BY_COMMAND)
        try:
            found = await templates.assign(server.context, editor, name, split(codes), printed)
        except UnknownTemplateError as error:
            fail(str(error))
        for one in found:
            said = f"version {one.version}" if one.version is not None else one.problem
            console.print(escape(f"{one.machine}: {said}"), highlight=False, soft_wrap=True)
        if any(one.version is None for one in found):
            fail("not every machine was changed")

    run_on_server(assign, installed(data))


def _slot(text: str) -> NewSlot:
    """A1=cola:20"""
    slot, _, rest = text.partition("=")
    sku, _, stock = rest.partition(":")
    count = whole(stock, 999_999_999) if stock else UNSET
    if not slot or not sku or count is None:
        raise typer.BadParameter(f"write {text!r} like A1=cola:20", param_hint="--slot")
    return NewSlot(slot=slot, sku=sku, stock=count, par=count)


async def _owner(server: RunningServer, slug: str) -> UUID:
    found = await merchant_named(server.db, slug)
    if found is None:
        fail(f"there is no merchant {slug}")
    return found


def _refuse(problems: Sequence[LineProblem], *, by_line: bool) -> NoReturn:
    for problem in problems:
        said = str(problem) if by_line else problem.message
        errors.print(f"[red]{escape(said)}[/]", highlight=False, soft_wrap=True)
    fail("nothing was set up")


def _preview(machines: Sequence[PlannedMachine]) -> None:
    for machine in machines:
        console.print(
            escape(f"{machine.code}  {machine.name}  {machine.place}  {machine.account}"),
            highlight=False,
            soft_wrap=True,
        )
        for slot in machine.slots:
            new = "  (new product)" if slot.new_product else ""
            console.print(
                escape(f"    {slot.slot}  {slot.product}  {slot.price}  {slot.stock}{new}"),
                highlight=False,
                soft_wrap=True,
            )
    console.print(f"{len(machines)} would be set up: --apply does it", highlight=False)


def provision(
    codes: MachineCodes, out: Out = Path("enrolments"), at_once: AtOnce = False, data: Data = None
) -> None:
    """Give a device a new secret: M01.json and M01.svg hold all that it needs to connect.

    A machine that sells goes on with its old secret until the new one is first used. The secret is
    shown nowhere else: if the files are lost, run this again."""

    async def give(server: RunningServer, code: str, editor: Editor) -> None:
        addresses = device_addresses(server.settings)
        made = await provision_device(server.context, editor, code, addresses, at_once=at_once)
        write_enrolment(made, out)
        say_where_machines_connect(made)

    each(split(codes), give, data)


def write_enrolment(made: DeviceEnrolment, out: Path) -> None:
    """Two files that only their owner reads."""
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(out / f"{made.machine}.json", made.file())
    write_private(out / f"{made.machine}.svg", made.svg().encode())
    ends = "" if made.replaces is None else f"; secret {made.replaces} ends when it is first used"
    console.print(
        f"{made.machine}: secret {made.key_id} -> {out / made.machine}.json, .svg{ends}",
        highlight=False,
        soft_wrap=True,
    )


def say_where_machines_connect(made: DeviceEnrolment) -> None:
    """An address of this computer leads a machine elsewhere nowhere."""
    where = made.broker or made.server
    if where is None or "//127.0.0.1" in where:
        errors.print(
            f"[yellow]{made.machine}[/]: its enrolment names {where or 'no broker'}, which is only"
            " reached from this computer: set MQTT_BROKER_URL, COINSLOT_DEVICES_MQTT_URL or"
            " COINSLOT_PUBLIC_URL for machines elsewhere",
            highlight=False,
            soft_wrap=True,
        )
