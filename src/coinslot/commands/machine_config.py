"""`coinslot machines price | edit | zone`: what an operator changes of machines."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.markup import escape

from coinslot.app.server import RunningServer
from coinslot.commands.terms import Data, console, errors, installed, run_on_server
from coinslot.fleet import config
from coinslot.fleet.config import (
    Changed,
    Codes,
    ConfigChange,
    ConfigError,
    Editor,
    OutOfServiceError,
    PrintedCodesError,
    SlotChange,
)
from coinslot.fleet.decommission import UnitsOpenError
from coinslot.kit.clock import UnknownZoneError, zone_named
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError
from coinslot.orders.outlet_windows import WindowError
from coinslot.outlets.machines import UnknownOutletError, UnknownSlotError, owner_of
from coinslot.states.unit_flow import UnknownKindError

BY_COMMAND = "command"
Work = Callable[[RunningServer, str, Editor], Awaitable[None]]
REFUSED = (
    UnknownOutletError,
    UnknownSlotError,
    OutOfServiceError,
    UnitsOpenError,
    ConfigError,
    MoneyTextError,
    MoneyRangeError,
    UnknownKindError,
    WindowError,
)

MachineCodes = Annotated[str, typer.Argument(help="Machine codes, separated by commas: M01,M02.")]
Slot = Annotated[str, typer.Argument(help="The slot, such as A1.")]
Price = Annotated[str, typer.Argument(help="As you write it: 40 or 40.00.")]
Fate = Annotated[
    Codes,
    typer.Option(
        "--codes",
        help="What becomes of printed codes that the change makes untrue: `replace` retires them"
        " and has new ones made, `keep` leaves them on purpose. `ask` changes nothing then.",
    ),
]
Zone = Annotated[str, typer.Argument(help="The IANA's name of a zone, such as Asia/Kolkata.")]
Name = Annotated[str | None, typer.Option(help="As customers read it.")]
Place = Annotated[str | None, typer.Option(help="Where it stands.")]
Contact = Annotated[str | None, typer.Option(help="Where its customers turn to.")]
Product = Annotated[str | None, typer.Option(help="The product in --slot, by its sku.")]
OfSlot = Annotated[
    str | None, typer.Option("--slot", help="The slot that --product and --par set.")
]
Par = Annotated[
    int | None, typer.Option(help="How many --slot is filled up to.", min=0, max=10_000)
]


def price(
    codes: MachineCodes,
    slot: Slot,
    amount: Price,
    printed: Fate = "ask",
    data: Data = None,
) -> None:
    """Set what a slot costs. Open orders keep the price that they showed.

    Where the slot has a printed code of another amount, nothing changes until you say what becomes
    of it: --codes replace, or --codes keep."""
    wanted = split(codes)

    async def set_price(server: RunningServer, code: str, editor: Editor) -> None:
        currency = (await config.read(server.context, editor.merchant, code)).currency
        change = ConfigChange(
            slots=(SlotChange(slot=slot, price=Money.typed(amount, currency)),), codes=printed
        )
        changed = await config.change(server.context, editor, code, change)
        console.print(f"{code} {slot}: {Money.typed(amount, currency)}", highlight=False)
        _say_codes(code, changed)

    each(wanted, set_price, data)


def edit(  # noqa: PLR0913  the options of a command
    codes: MachineCodes,
    name: Name = None,
    place: Place = None,
    contact: Contact = None,
    slot: OfSlot = None,
    product: Product = None,
    par: Par = None,
    printed: Fate = "ask",
    data: Data = None,
) -> None:
    """Change a machine's name, place or contact, or what is in a slot and how many it is filled to.

    A product of the catalog in a slot that there is not yet makes the slot, at the product's
    price."""
    wanted = split(codes)
    if slot is None and (product is not None or par is not None):
        raise typer.BadParameter("--product and --par need --slot")
    texts = {"name": name, "place": place, "contact": contact}
    given: dict[str, Any] = {field: text for field, text in texts.items() if text is not None}
    if not given and slot is None:
        raise typer.BadParameter("say what changes: --name, --place, --contact, or --slot")
    of_slot: dict[str, Any] = {"sku": product, "par": par}
    slots = () if slot is None else (
        SlotChange(slot=slot, **{f: v for f, v in of_slot.items() if v is not None}),
    )  # fmt: skip
    change = ConfigChange(slots=slots, codes=printed, **given)

    async def make(server: RunningServer, code: str, editor: Editor) -> None:
        changed = await config.change(server.context, editor, code, change)
        console.print(f"{code}: version {changed.version}", highlight=False)
        _say_codes(code, changed)

    each(wanted, make, data)


def set_zone(codes: MachineCodes, zone: Zone, data: Data = None) -> None:
    """Say where machines stand: times on their pages are shown and read in that zone.

    A machine without a zone has its merchant's (`coinslot merchants zone`)."""
    try:
        named = zone_named(zone).key
    except UnknownZoneError as error:
        raise typer.BadParameter(str(error), param_hint="ZONE") from error

    async def move(server: RunningServer, code: str, editor: Editor) -> None:
        await config.change(server.context, editor, code, ConfigChange(zone=named))
        console.print(f"{code}: {named}", highlight=False)

    each(split(codes), move, data)


def split(codes: str) -> list[str]:
    """The codes that are named. Raises BadParameter when there is none."""
    wanted = [code.strip() for code in codes.split(",") if code.strip()]
    if not wanted:
        raise typer.BadParameter("name at least one machine, such as M01")
    return wanted


def say_refused(code: str, why: str) -> None:
    """One line on stderr for a machine with which it did not work."""
    errors.print(f"[red]{escape(code)}[/]: {escape(why)}", highlight=False, soft_wrap=True)


def _say_codes(code: str, changed: Changed) -> None:
    for printed in changed.codes:
        fate = (
            f"is retired; `coinslot machines provision-qr {code} --slot {printed.slot}` writes the"
            " new print: take the old one off the machine"
            if changed.replaced
            else f"stays, and sells at {printed.takes}"
        )
        errors.print(
            f"[yellow]{code}[/]: the printed code of {printed.takes} for slot {printed.slot}"
            f" {fate}",
            highlight=False,
            soft_wrap=True,
        )


def each(wanted: list[str], work: Work, data: Data) -> None:
    """The same to each machine; one that is refused is named, and the others go on."""

    async def all_of_them(server: RunningServer) -> None:
        refused = 0
        for code in wanted:
            try:
                await work(server, code, Editor(await owner_of(server.db, code), BY_COMMAND))
            except PrintedCodesError as error:
                say_refused(code, f"{error}. Say --codes replace, or --codes keep to leave it")
                refused += 1
            except REFUSED as error:
                say_refused(code, str(error))
                refused += 1
        if refused:
            raise typer.Exit(1)

    run_on_server(all_of_them, installed(data))
