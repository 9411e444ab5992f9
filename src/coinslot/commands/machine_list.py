"""`coinslot machines list | show | out-of-sale | on-sale`: what there is, and can it sell now."""

from typing import Annotated
from uuid import UUID

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from coinslot.app.server import RunningServer
from coinslot.commands.machine_config import MachineCodes, Slot, each, split
from coinslot.commands.terms import Data, console, fail, installed, run_on_server
from coinslot.fleet import config, distance, machines, slots
from coinslot.fleet.config import Editor
from coinslot.fleet.machines import MachineLine, MachineStatus, WantedMachines
from coinslot.merchants.merchants import merchant_named, merchants
from coinslot.outlets.machines import UnknownOutletError, owner_of

_PAGE = 500

OfMerchant = Annotated[str | None, typer.Option("--merchant", help="Only this one's, by its slug.")]
Everything = Annotated[bool, typer.Option("--all", help="Those out of service, too.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
Machine = Annotated[str, typer.Argument(help="The machine's code.")]


def show_all(
    merchant: OfMerchant = None, everything: Everything = False, json: AsJson = False,
    data: Data = None,
) -> None:  # fmt: skip
    """List machines: state, when last heard, slots and stock."""

    async def ask(server: RunningServer) -> None:
        found = [
            line
            for owner in await _merchants(server, merchant)
            for line in await _all_of(server, owner, everything)
        ]
        if json:
            console.print_json(msgspec.json.encode(found).decode())
        elif found:
            console.print(_table(found))
        else:
            console.print("there are no machines: `coinslot machines onboard` sets one up")

    run_on_server(ask, installed(data))


def show(code: Machine, json: AsJson = False, data: Data = None) -> None:
    """Show one machine: can it sell now, what is in its slots, and what went wrong."""

    async def ask(server: RunningServer) -> None:
        try:
            owner = await owner_of(server.db, code)
            found = await machines.status(server.context, owner, code)
        except UnknownOutletError as error:
            fail(str(error))
        if json:
            console.print_json(msgspec.json.encode(found).decode())
        else:
            _print(found)

    run_on_server(ask, installed(data))


def near(
    merchant: Annotated[str, typer.Argument(help="The merchant's slug.")],
    latitude: Annotated[float, typer.Argument(min=-90, max=90, help="In degrees.")],
    longitude: Annotated[float, typer.Argument(min=-180, max=180, help="In degrees.")],
    json: AsJson = False, data: Data = None,
) -> None:  # fmt: skip
    """List machines by their distance from a point, the nearest first.

    Where a machine stands, its configuration says: device, gps, lat and lng."""

    async def ask(server: RunningServer) -> None:
        (owner,) = await _merchants(server, merchant)
        found = await distance.nearest(server.context, owner, latitude, longitude)
        if json:
            console.print_json(msgspec.json.encode(found).decode())
            return
        for one in found:
            far = f"{one.metres / 1000:.1f} km" if one.metres >= 1000 else f"{one.metres} m"
            said = escape(f"{far:>9}  {one.code}  {one.name}  {one.place}")
            console.print(said, highlight=False, soft_wrap=True)
        if not found:
            console.print("no machine says where it stands")

    run_on_server(ask, installed(data))


def history(code: Machine, data: Data = None) -> None:
    """Show how a machine's configuration came to be: each version, when, and by whom."""

    async def ask(server: RunningServer) -> None:
        try:
            owner = await owner_of(server.db, code)
            found = await config.versions(server.context, owner, code)
        except UnknownOutletError as error:
            fail(str(error))
        for version in found:
            prices = ", ".join(f"{slot.slot} {slot.sku} {slot.price}" for slot in version.slots)
            codes = "".join(f"; code of {slot} {fate}" for slot, fate in version.codes.items())
            console.print(
                escape(
                    f"{version.version}  {version.made_at:%Y-%m-%d %H:%M:%S}Z  {version.made_by}"
                    f"  {version.name}: {prices}{codes}"
                ),
                highlight=False,
                soft_wrap=True,
            )

    run_on_server(ask, installed(data))


def out_of_sale(codes: MachineCodes, slot: Slot, data: Data = None) -> None:
    """Take a slot out of sale until a person puts it back: a refill does not, nor does a drop."""

    async def take(server: RunningServer, code: str, editor: Editor) -> None:
        await slots.withhold(server.context, editor, code, slot)
        console.print(f"{code} {slot}: out of sale", highlight=False)

    each(split(codes), take, data)


def on_sale(codes: MachineCodes, slot: Slot, data: Data = None) -> None:
    """Put a slot back on sale, also one that failed twice in a row."""

    async def put(server: RunningServer, code: str, editor: Editor) -> None:
        await slots.put_on_sale(server.context, editor, code, slot)
        console.print(f"{code} {slot}: on sale", highlight=False)

    each(split(codes), put, data)


async def _merchants(server: RunningServer, slug: str | None) -> list[UUID]:
    if slug is None:
        return [merchant.id for merchant in await merchants(server.db)]
    found = await merchant_named(server.db, slug)
    if found is None:
        fail(f"there is no merchant {slug}")
    return [found]


async def _all_of(server: RunningServer, merchant: UUID, everything: bool) -> list[MachineLine]:
    found: list[MachineLine] = []
    while True:
        after = found[-1].code if found else None
        wanted = WantedMachines(after=after, limit=_PAGE, with_out_of_service=everything)
        page = await machines.listed(server.context, merchant, wanted)
        found += page
        if len(page) < _PAGE:
            return found


def _table(found: list[MachineLine]) -> Table:
    table = Table(
        "machine", "name", "place", "state", "last heard", "stock", "not selling", box=None
    )
    for line in found:
        heard = f"{line.last_heard_at:%Y-%m-%d %H:%M:%S}Z" if line.last_heard_at else ""
        not_selling = [
            f"{count} {what}"
            for count, what in ((line.sold_out, "sold out"), (line.out_of_sale, "out of sale"))
            if count
        ]
        of_par = f" of {line.par}" if line.par else ""
        table.add_row(
            *map(escape, (line.code, line.name, line.place, line.state.replace("_", " "), heard,
                          f"{line.stock}{of_par}", ", ".join(not_selling))),
        )  # fmt: skip
    return table


def _print(found: MachineStatus) -> None:
    console.print(_table([found.machine]))
    of_slots = Table("slot", "product", "price", "stock", "printed code", "", box=None)
    for slot in found.slots:
        code = f"{slot.code.takes}, {slot.code.stage}" if slot.code else "none"
        stock = f"{slot.stock}{f' of {slot.par}' if slot.par else ''}"
        promised = f", {slot.promised} promised" if slot.promised else ""
        why = "" if slot.out_of_sale_at is None else "out of sale"
        if why:
            why += " by a person" if slot.withheld else f", failed {slot.failures_in_row} times"
        of_slots.add_row(
            *map(escape, (slot.slot, f"{slot.product} ({slot.sku})", str(slot.price),
                          f"{stock}{promised}", code, why)),
        )  # fmt: skip
    console.print(of_slots)
    if found.windows:
        own = ", ".join(f"{name} {seconds:g}" for name, seconds in sorted(found.windows.items()))
        console.print(f"windows of its own: {own}", highlight=False)
    for fault in found.faults:
        why_not = fault.failure_code or fault.basis or fault.state
        console.print(
            escape(
                f"{fault.queued_at:%Y-%m-%d %H:%M:%S}Z  {fault.slot}  {fault.product}"
                f"  {fault.money}  {why_not}  order {fault.order}"
            ),
            highlight=False,
            soft_wrap=True,
        )
