"""`coinslot machines codes`: sheets of printed codes, as the console makes them."""

import asyncio
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from coinslot.app.server import RunningServer
from coinslot.commands.machine_config import MachineCodes, split
from coinslot.commands.terms import (
    Data,
    console,
    errors,
    fail,
    installed,
    owner_or_fail,
    run_on_server,
)
from coinslot.console.reach import Reach, reach_of
from coinslot.outlets.machines import owner_of
from coinslot.pages import code_sheets, drawing, printed_sheet
from coinslot.pages.code_sheets import LAYOUTS, label_of
from coinslot.pages.drawing import Sheet, UnreadableSheetError
from coinslot.pages.texts import LANGUAGES
from coinslot.payments import printed_codes
from coinslot.payments.printed_codes import SlotCode, WantedSheet
from coinslot.payments.qr_codes import drive_qr_codes
from coinslot.people.audit_log import COMMAND_LINE, Act

Layout = Annotated[str, typer.Option(help="a4: eight labels to cut. a6: a sticker. a5: a poster.")]
Languages = Annotated[
    str, typer.Option(help="Of the words: en, hi, ru. Else the merchant's, or by the currency.")
]
Page = Annotated[bool, typer.Option("--page", help="The codes of the machines' pages alone.")]
Replace = Annotated[
    bool,
    typer.Option("--replace", help="Make codes anew that take another amount than their slot."),
]
Keep = Annotated[
    bool, typer.Option("--different-price", help="Print such codes as they are, on purpose.")
]
Out = Annotated[Path, typer.Option(help="Folder for the files.")]


def codes(  # noqa: PLR0913  the options of a command
    codes: MachineCodes,
    layout: Layout = "a4",
    languages: Languages = "",
    page: Page = False,
    replace: Replace = False,
    different_price: Keep = False,
    out: Out = Path("qr"),
    data: Data = None,
) -> None:
    """Make sheets to print: a code for each slot, or with --page one for each machine's page.

    A code takes the slot's price; one that takes another amount is printed or made anew only when
    you say so. Every code is read back from its sheet by a scanner before the files are written."""
    wanted = split(codes)
    spoken = tuple(code.strip() for code in languages.split(",") if code.strip())
    if layout not in LAYOUTS:
        raise typer.BadParameter(f"there is no layout {layout}: {', '.join(LAYOUTS)}")
    if unknown := [code for code in spoken if code not in LANGUAGES]:
        raise typer.BadParameter(f"no words in {', '.join(unknown)}: {', '.join(LANGUAGES)}")

    async def make(server: RunningServer) -> None:
        found = await _slots(server, wanted)
        if not page:
            untrue = [one for one in found if not one.is_true]
            if untrue and not (replace or different_price):
                fail(_said(untrue))
            found = await _made(server, found, replace=replace)
        firsts = {one.outlet: one for one in reversed(found)}
        shown = [firsts[code] for code in sorted(firsts)] if page else found
        labels = [label_of(one, server.settings.base_url, is_page=page) for one in shown]
        tongues = spoken or printed_sheet.spoken(found[0].price.currency, found[0].languages)
        pages = code_sheets.sheets(layout, labels, tongues)
        try:
            await asyncio.to_thread(_save, pages, out)
        except UnreadableSheetError as error:
            fail(f"{error}; nothing was written: choose a larger layout")
        # A path stays in one line, so that it can be copied.
        told = f"{len(labels)} codes -> {out / 'codes.pdf'}, .svg"
        console.print(told, highlight=False, soft_wrap=True)
        if reach_of(server.settings.base_url) is Reach.COMPUTER:
            errors.print(
                f"[yellow]the sheets name {server.settings.base_url}[/], which opens on this"
                " computer only: set COINSLOT_PUBLIC_URL before you print",
                highlight=False, soft_wrap=True,
            )  # fmt: skip

    run_on_server(make, installed(data))


async def _slots(server: RunningServer, wanted: list[str]) -> list[SlotCode]:
    owners: dict[UUID, list[str]] = {}
    for code in wanted:
        owners.setdefault(await owner_or_fail(server, code), []).append(code)
    found: list[SlotCode] = []
    for merchant, theirs in owners.items():
        async with server.db.as_merchant(merchant) as conn:
            found += await printed_codes.listed(conn, merchant, theirs, None, len(theirs))
    if not found:
        fail("there is nothing to print: no slot of these machines is in service")
    return found


async def _made(server: RunningServer, found: list[SlotCode], *, replace: bool) -> list[SlotCode]:
    """All of them at the gateway, and read. Fails, naming those that are not."""
    machines = list(dict.fromkeys(one.outlet for one in found))
    for code in machines:
        merchant = await owner_of(server.db, code)
        slots = [(one.outlet, one.slot) for one in found if one.outlet == code]
        act = Act(
            action="codes.printed", merchant=merchant, subject=code,
            after={"codes": [f"{machine} {slot}" for machine, slot in slots]},
        )  # fmt: skip
        wanted = WantedSheet(merchant=merchant, slots=slots, replace=replace)
        await printed_codes.want(server.context, wanted, COMMAND_LINE, act)
        await drive_qr_codes(server.context, code)
        async with server.db.as_merchant(merchant) as conn:
            made = await printed_codes.listed(conn, merchant, [code], None, 1)
        await printed_codes.read_codes(server.context, merchant, made)
    known = await _slots(server, machines)
    if missing := [f"{one.outlet} {one.slot}" for one in known if one.payable is None]:
        fail(f"not made yet: {', '.join(missing)}; run this again")
    return known


def _said(untrue: list[SlotCode]) -> str:
    lines = [
        f"{one.outlet}'s printed code takes {one.takes}, slot {one.slot} costs {one.price}"
        for one in untrue
    ]
    return "\n".join([*lines, "say --replace for new codes, or --different-price to print these"])


def _save(pages: list[Sheet], out: Path) -> None:
    for sheet in pages:
        drawing.read_back(sheet)
    out.mkdir(parents=True, exist_ok=True)
    (out / "codes.pdf").write_bytes(drawing.pdf(pages, "codes"))
    for number, sheet in enumerate(pages, 1):
        name = "codes.svg" if len(pages) == 1 else f"codes-{number:03}.svg"
        (out / name).write_text(drawing.svg(sheet), encoding="utf-8")
