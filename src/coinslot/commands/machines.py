"""`coinslot machines ...`: printed QR codes, and taking a machine out of service. What else there
is to do with machines stands in the files beside this one."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.progress import track

from coinslot.app.server import TOOL, RunningServer
from coinslot.commands import (
    machine_codes,
    machine_config,
    machine_list,
    machine_setup,
    machine_ways,
    machine_windows,
)
from coinslot.commands.machine_config import MachineCodes, each, split
from coinslot.commands.terms import Data, console, errors, installed, quiet, run
from coinslot.fleet.config import Editor
from coinslot.fleet.decommission import decommission
from coinslot.kit import qr
from coinslot.kit.money import MoneyTextError, plain
from coinslot.outlets.machines import UnknownOutletError, UnknownSlotError, refill
from coinslot.pages import printed_sheet
from coinslot.pages.texts import LANGUAGES
from coinslot.payments.provision import (
    CannotPrintError,
    NoPictureError,
    Profile,
    amount_of,
    picture,
    print_qr,
    sheet_made,
)
from coinslot.payments.qr_codes import drive_qr_codes
from coinslot.settings import Settings

cli = typer.Typer(no_args_is_help=True, help="Printed QR codes and machines in service.")

_LONGEST_NUMBER = 12  # digits: more than any machine sells for, and the database holds it


def _typed(text: str) -> str:
    """The currency is the machine's: here it is only checked that it is an amount at all."""
    try:
        number = plain(text.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ "))
    except MoneyTextError as error:
        raise typer.BadParameter(str(error)) from error
    if not number.strip("0.") or len(number) > _LONGEST_NUMBER:
        raise typer.BadParameter(f"{text!r} is no price; write it like 40 or 40.00")
    return text


Amount = Annotated[
    str | None,
    typer.Option(
        help="As you write it: 40 or 40.00. Else the slot's price.", parser=_typed, metavar="PRICE"
    ),
]
Different = Annotated[
    bool, typer.Option("--different-price", help="The amount is not the slot's price, on purpose.")
]
EvenIfOpen = Annotated[
    bool,
    typer.Option("--even-if-open", help="It is gone: what is still open is settled by policy."),
]
Slot = Annotated[str | None, typer.Option(help="The slot; else the first, or all for refill.")]
Stock = Annotated[int, typer.Option(help="How many are in each now.", min=0, max=10_000)]
Languages = Annotated[
    str, typer.Option(help="Of the printed words: en, hi, ru. Else by the currency.")
]
Out = Annotated[Path, typer.Option(help="Folder for the pictures.")]


@cli.command(
    "provision-qr",
    epilog="Example: `coinslot machines provision-qr M01,M02 --amount 40.00 --out stickers`",
)
def provision_qr(  # noqa: PLR0913  the options of a command
    codes: MachineCodes,
    amount: Amount = None,
    different_price: Different = False,
    slot: Slot = None,
    languages: Languages = "",
    out: Out = Path("qr"),
    data: Data = None,
) -> None:
    """Make one reusable fixed-amount QR per machine, and save PNG and printable SVG.

    What is printed is the code in the gateway's own picture, without its frame, with the machine's
    name and page, how to pay, and who helps. Safe to run
    again, also after a crash: one that exists is found by its mark, never doubled. A code of
    another amount is retired: money paid through the old print goes back from then on."""
    wanted, chosen = split(codes), installed(data)
    pages = Pages(chosen.base_url, _spoken(languages))

    async def main() -> int:
        failed = 0
        async with AsyncExitStack() as stack:
            server = await RunningServer(chosen, TOOL, stack).open()
            out.mkdir(parents=True, exist_ok=True)
            for code in _shown(wanted):
                try:
                    minor = None
                    if amount is not None:
                        minor = await amount_of(
                            server.context, code, slot, amount, different=different_price
                        )
                    printed = await print_qr(
                        server.context, code, minor, slot, different=different_price
                    )
                    await _save(printed, out, pages)
                    await sheet_made(server.context, printed)
                except (UnknownOutletError, CannotPrintError) as error:
                    errors.print(f"[red]{code}[/]: {error}", soft_wrap=True)
                    failed += 1
                except NoPictureError as error:
                    errors.print(f"[yellow]{code}[/]: {error}; run this again", soft_wrap=True)
                    failed += 1
        if failed < len(wanted):
            _say_where_sheets_lead(chosen)
        return 1 if failed else 0

    run(main, quiet(chosen))


@cli.command("decommission", epilog="Example: `coinslot machines decommission M01`")
def take_out(codes: MachineCodes, even_if_open: EvenIfOpen = False, data: Data = None) -> None:
    """Take machines out of service: their codes close, and money that still comes goes back.

    A machine for which customers still wait is left alone: run it again some minutes later."""

    async def take(server: RunningServer, code: str, editor: Editor) -> None:
        await decommission(server.context, editor, code, even_if_open=even_if_open)
        await drive_qr_codes(server.context, code)
        console.print(f"{code}: out of service")

    each(split(codes), take, data)


@cli.command("refill", epilog="Example: `coinslot machines refill M01 --slot A1 --stock 20`")
def fill_up(codes: MachineCodes, slot: Slot = None, stock: Stock = 20, data: Data = None) -> None:
    """Slots were filled up or mended: they sell again, also after two failures in a row."""
    wanted, chosen = split(codes), installed(data)

    async def main() -> int:
        failed = 0
        async with AsyncExitStack() as stack:
            server = await RunningServer(chosen, TOOL, stack).open()
            for code in wanted:
                try:
                    filled = await refill(server.db, code, slot, stock)
                except (UnknownOutletError, UnknownSlotError) as error:
                    errors.print(f"[red]{code}[/]: {error}", soft_wrap=True)
                    failed += 1
                    continue
                console.print(f"{code}: {stock} in {', '.join(filled)}", highlight=False)
        return 1 if failed else 0

    run(main, quiet(chosen))


cli.command("codes", epilog="Example: `coinslot machines codes M01,M02 --layout a6`")(
    machine_codes.codes
)
cli.command("list", epilog="Example: `coinslot machines list --merchant asha`")(
    machine_list.show_all
)
cli.command("show", epilog="Example: `coinslot machines show M01`")(machine_list.show)
cli.command("history", epilog="Example: `coinslot machines history M01`")(machine_list.history)
cli.command("out-of-sale", epilog="Example: `coinslot machines out-of-sale M01 A1`")(
    machine_list.out_of_sale
)
cli.command("on-sale", epilog="Example: `coinslot machines on-sale M01 A1`")(machine_list.on_sale)
cli.command("ways", epilog="Example: `coinslot machines ways M01 razorpay/asha:link`")(
    machine_ways.ways
)
cli.command("onboard", epilog="Example: `coinslot machines onboard asha --from fifty.csv --apply`")(
    machine_setup.onboard
)
cli.command("templates", epilog="Example: `coinslot machines templates asha`")(
    machine_setup.show_templates
)
cli.command(
    "save-template", epilog="Example: `coinslot machines save-template asha platform --from M01`"
)(machine_setup.save_template)
cli.command(
    "assign-template",
    epilog="Example: `coinslot machines assign-template asha platform M01,M02 --codes keep`",
)(machine_setup.assign_template)
cli.command("near", epilog="Example: `coinslot machines near asha 18.5204 73.8567`")(
    machine_list.near
)
cli.command("provision", epilog="Example: `coinslot machines provision M01 --out enrolments`")(
    machine_setup.provision
)
cli.command("price", epilog="Example: `coinslot machines price M01,M02 A1 45 --codes replace`")(
    machine_config.price
)
cli.command("edit", epilog="Example: `coinslot machines edit M01 --name 'Platform 2'`")(
    machine_config.edit
)
cli.command("zone", epilog="Example: `coinslot machines zone M01,M02 Asia/Kolkata`")(
    machine_config.set_zone
)
cli.command("windows", epilog="Example: `coinslot machines windows M01,M02 dispatch_s=300`")(
    machine_windows.windows
)


def _shown(wanted: list[str]) -> Iterable[str]:
    """A progress bar at a terminal; none where the output is stored."""
    return track(
        wanted, description="QR codes", console=errors, disable=not errors.is_terminal
    )  # fmt: skip


def _say_where_sheets_lead(chosen: Settings) -> None:
    """A printed address that leads to this computer leads a customer's phone nowhere."""
    if chosen.public_url is None:
        errors.print(
            f"[yellow]the sheets name {chosen.base_url}[/], which opens on this computer only:"
            " set COINSLOT_PUBLIC_URL and run this again before you print",
            highlight=False,
            soft_wrap=True,
        )


class Pages(NamedTuple):
    """Where the machines' pages are, and the languages of the sheets; none: by the currency."""

    base_url: str
    languages: tuple[str, ...]


def _spoken(languages: str) -> tuple[str, ...]:
    wanted = tuple(code.strip() for code in languages.split(",") if code.strip())
    if unknown := [code for code in wanted if code not in LANGUAGES]:
        raise typer.BadParameter(f"no words in {', '.join(unknown)}: {', '.join(LANGUAGES)}")
    return wanted


async def _save(profile: Profile, out: Path, pages: Pages) -> None:
    """Two files to print. Raises NoPictureError."""
    if profile.retired is not None:
        errors.print(
            f"[yellow]{profile.outlet}[/]: the code of {profile.retired} for slot {profile.slot} is"
            f" retired; money paid through it goes back: take its print off the machine",
            highlight=False,
            soft_wrap=True,
        )
    drawn = await picture(profile)
    payable = qr.read(drawn)
    if payable is None:
        raise NoPictureError(f"no QR code can be read in {profile.qr_image_url}")
    price = f"{profile.money.decimal()} {profile.money.currency}"
    lines = (f"{profile.outlet} · {profile.slot}", f"{profile.product} · {price}")
    words = printed_sheet.beside(
        pages.languages or printed_sheet.spoken(profile.money.currency, profile.languages), price,
        f"{pages.base_url}/q/{profile.outlet}", profile.merchant_name, profile.contact,
    )  # fmt: skip
    (out / f"{profile.outlet}.png").write_bytes(qr.png(payable))
    (out / f"{profile.outlet}.svg").write_text(
        qr.poster_svg(payable, profile.outlet_name, lines, words.blocks, words.foot),
        encoding="utf-8",
    )
    console.print(
        f"{profile.outlet} {profile.slot} {price} {profile.qr_code_id}"
        f" -> {out / profile.outlet}.png, .svg",
        highlight=False,
        soft_wrap=True,
    )
