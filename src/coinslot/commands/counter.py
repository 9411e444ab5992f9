"""`coinslot counter`: counters where customers order on their phones, and their menus."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from coinslot.app.server import RunningServer
from coinslot.commands.terms import (
    Data,
    console,
    fail,
    installed,
    owner_or_fail,
    run_on_server,
)
from coinslot.counter import delivery, menu, menu_file
from coinslot.counter.menu import NewStore, SlugTakenError
from coinslot.kit.clock import UnknownZoneError
from coinslot.merchants.merchants import merchant_named
from coinslot.outlets.machines import OutletTakenError
from coinslot.payments.ways_to_pay import Form, UnfitWayError, offer

cli = typer.Typer(
    no_args_is_help=True,
    help="Counters where customers order and pay on their phones, and their menus.",
)

Code = Annotated[str, typer.Argument(help="The counter's code, such as S01.")]
Merchant = Annotated[str, typer.Option(help="The merchant's slug.")]
Slug = Annotated[str, typer.Option(help="The end of its menu's address: /s/corner.")]
Name = Annotated[str, typer.Option(help="As customers read it.")]
Account = Annotated[str, typer.Option(help="GATEWAY/ACCOUNT that customers pay at.")]
Currency = Annotated[str, typer.Option(help="Of its prices, such as EUR.")]
Place = Annotated[str, typer.Option(help="Where it is.")]
TaxAdded = Annotated[
    bool | None,
    typer.Option(
        "--tax-added/--tax-included",
        help="Whether tax comes on top of the prices. Without either it stays as it is; of a new"
        " counter, prices include it.",
        show_default=False,
    ),
]
Keeps = Annotated[
    bool | None,
    typer.Option(
        "--keep-no-shows/--refund-no-shows",
        help="Whether the money of what is ready and not fetched in time is kept, from those who"
        " provably were told. Without either it stays as it is; of a new counter it goes back.",
        show_default=False,
    ),
]
Stock = Annotated[bool, typer.Option("--stock", help="Write what is left of each, too.")]
Zones = Annotated[Path, typer.Argument(help="A list (JSON) of zones.")]
File = Annotated[Path, typer.Argument(help="A table (CSV), the whole menu.")]


@cli.command(
    "add",
    epilog="Example: `coinslot counter add S01 --merchant asha --slug corner --name 'Corner café'"
    " --account stripe/asha-stripe --currency EUR`",
)
def add(  # noqa: PLR0913  the options of a command
    code: Code,
    merchant: Merchant,
    slug: Slug,
    name: Name,
    account: Account,
    currency: Currency,
    place: Place = "",
    tax_added: TaxAdded = None,
    keeps: Keeps = None,
    data: Data = None,
) -> None:
    """Add a counter; one that is there gets this address, and the rules that are named."""

    async def make(server: RunningServer) -> None:
        owner = await merchant_named(server.db, merchant)
        gateway, _, named = account.partition("/")
        paid_at = await server.context.accounts.by_slug(gateway, named) if named else None
        if owner is None:
            fail(f"there is no merchant {merchant}")
        if paid_at is None or paid_at.merchant_id != owner:
            fail(f"{account}: this merchant has no such account")
        new = NewStore(
            code=code, merchant=owner, slug=slug, name=name, place=place,
            currency=currency.upper(), gateway_account=paid_at.id, tax_added=tax_added,
            keeps=keeps,
        )  # fmt: skip
        try:
            async with server.db.as_merchant(owner) as conn:
                is_new = await menu.add_store(conn, new, server.clock.now())
            if is_new:
                await offer(server.context, owner, code, [(paid_at.id, Form.LINK)])
        except (OutletTakenError, SlugTakenError, UnfitWayError, UnknownZoneError) as error:
            fail(str(error))
        said = "is here" if is_new else "was here already"
        console.print(escape(f"{code} {said}: /s/{slug}"), highlight=False)

    run_on_server(make, installed(data))


@cli.command("zones", epilog="Example: `coinslot counter zones S01 zones.json`")
def zones(code: Code, file: Zones, data: Data = None) -> None:
    """Make a list (JSON) the zones that a counter delivers to; an empty one ends delivery."""

    try:
        text = file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error}")

    async def make(server: RunningServer) -> None:
        owner = await owner_or_fail(server, code)
        try:
            async with server.db.as_merchant(owner) as conn:
                currency = await menu.currency_of(conn, code)
                wanted = delivery.read(text, currency)
                await delivery.set_zones(conn, owner, code, wanted, server.clock.now())
        except (delivery.ZoneError, menu.NoStoreError) as error:
            fail(str(error))
        console.print(f"{code}: {len(wanted)} zones", highlight=False)

    run_on_server(make, installed(data))


@cli.command("menu", epilog="Example: `coinslot counter menu S01 menu.csv`")
def write(code: Code, file: File, stock: Stock = False, data: Data = None) -> None:
    """Make a table (CSV) the menu of a counter; what is not in it leaves the menu."""

    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")

    async def make(server: RunningServer) -> None:
        owner = await owner_or_fail(server, code)
        try:
            async with server.db.as_merchant(owner) as conn:
                currency = await menu.currency_of(conn, code)
                items = menu_file.read(text, currency)
                count = await menu.write_menu(conn, server.context, owner, code, items, stock=stock)
        except (menu_file.MenuFileError, menu.NoStoreError) as error:
            fail(str(error))
        console.print(f"{code}: {count} items on the menu", highlight=False)

    run_on_server(make, installed(data))
