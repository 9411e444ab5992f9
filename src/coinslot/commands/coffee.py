"""`coinslot coffee`: coffee machines, and the account of telemetry that commands them."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from coinslot.app.server import RunningServer
from coinslot.channels.tmetr import Settings
from coinslot.coffee import management
from coinslot.coffee.vendors import AccountTakenError, VendorAccount, save_vendor_account
from coinslot.commands.terms import Data, console, fail, installed, run_on_server
from coinslot.commands.terms import settings as read_settings
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import concealed
from coinslot.merchants.merchants import merchant_named, merchants

cli = typer.Typer(
    invoke_without_command=True,
    help="Coffee machines, and the account at Tmetr that commands them.",
    epilog="Example: `coinslot coffee`",
)

Slug = Annotated[str, typer.Argument(help="The merchant.")]
Name = Annotated[
    str | None, typer.Option("--name", help="Of the account, else the merchant's: unique here.")
]


Form = Annotated[
    Path | None,
    typer.Option("--from", help="File with all settings as JSON: other paths, an MQTT broker."),
]


@cli.callback()
def show(context: typer.Context, data: Data = None) -> None:
    """Every coffee machine: its code with us, its id at Tmetr, and when it was last heard."""
    if context.invoked_subcommand is not None:
        return

    async def ask(server: RunningServer) -> None:
        count = 0
        for merchant in await merchants(server.db):
            for one in await management.machines(server.context, merchant.id):
                heard = (
                    one.heard_at.isoformat(timespec="seconds") if one.heard_at else "never heard"
                )
                said = f"{one.code}  {one.device}  {one.name}  {merchant.slug}  {heard}"
                console.print(escape(said), highlight=False, soft_wrap=True)
                count += 1
        if not count:
            console.print("there is none: the console has a page to add some, Coffee")

    run_on_server(ask, installed(data))


@cli.command("account", epilog="Example: `TMETR_TOKEN=... coinslot coffee account asha`")
def account(slug: Slug, name: Name = None, form: Form = None, data: Data = None) -> None:
    """Keep an account at Tmetr, sealed: its address and token are in TMETR_HOST and TMETR_TOKEN.

    Again replaces them, in every process at once."""
    wanted = _wanted(form, data)

    async def keep(server: RunningServer) -> None:
        merchant = await merchant_named(server.db, slug)
        if merchant is None:
            fail(f"there is no merchant {slug}")
        kept = VendorAccount(merchant_id=merchant, slug=name or slug, settings=wanted)
        try:
            async with server.db.as_merchant(merchant) as conn:
                await save_vendor_account(conn, server.vault, server.clock, kept)
        except AccountTakenError as error:
            fail(str(error))
        console.print(f"kept: {kept.slug} at {wanted.host}", highlight=False, soft_wrap=True)

    run_on_server(keep, installed(data))


def _wanted(form: Path | None, data: Data) -> Settings:
    if form is not None:
        try:
            return msgspec.json.decode(form.read_bytes(), type=Settings, dec_hook=concealed)
        except (msgspec.DecodeError, OSError) as error:
            fail(f"{form}: {error}")
    given = read_settings(data)
    if not given.tmetr_token:
        fail("set TMETR_TOKEN, and TMETR_HOST where it is another one")
    host = given.tmetr_host if "://" in given.tmetr_host else f"https://{given.tmetr_host}"
    return Settings(host=host, token=Secret(given.tmetr_token))
