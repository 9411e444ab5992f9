"""`coinslot merchants`: the merchants, and their accounts at gateways."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from coinslot.app.server import RunningServer
from coinslot.commands.terms import Data, console, fail, installed, run_on_server, settings
from coinslot.gateways import drivers
from coinslot.kit.clock import UnknownZoneError, known_zone
from coinslot.kit.ids import uuid7
from coinslot.merchants import accounts, forms
from coinslot.merchants.accounts import AccountName, SlugTakenError
from coinslot.merchants.forms import FormError
from coinslot.merchants.merchants import (
    Merchant,
    merchant_named,
    merchants,
    move_merchant,
    open_merchant,
    pause_merchant,
)

cli = typer.Typer(
    invoke_without_command=True,
    help="Who sells here, and their accounts at gateways.",
    epilog="Example: `coinslot merchants`",
)

Slug = Annotated[str, typer.Argument(help="A short name of its own, as it stands in URLs.")]
Name = Annotated[str, typer.Option(help="As customers read it.")]
Contact = Annotated[str, typer.Option(help="Where customers turn to.")]
Zone = Annotated[
    str | None,
    typer.Option(help="Where it sells, such as Asia/Kolkata: its days and its times are there."),
]
Zoned = Annotated[str, typer.Argument(help="The IANA's name of a zone, such as Asia/Kolkata.")]
Gateway = Annotated[str, typer.Argument(help=f"One of {', '.join(sorted(drivers()))}.")]
AccountSlug = Annotated[
    str | None, typer.Option("--slug", help="In the webhook's URL; else the merchant's.")
]
Form = Annotated[
    Path | None,
    typer.Option("--from", help="File with the settings as JSON; else they are read from stdin."),
]
FromEnvironment = Annotated[
    bool,
    typer.Option(
        "--from-environment",
        help="For Razorpay: RAZORPAY_KEY_ID, RAZORPAY_KEY_SECRET and RAZORPAY_WEBHOOK_SECRET.",
    ),
]


@cli.callback()
def show(context: typer.Context, data: Data = None) -> None:
    """Every merchant, with the gateways that it is paid by."""
    if context.invoked_subcommand is not None:
        return

    async def ask(server: RunningServer) -> None:
        found = await merchants(server.db)
        for merchant in found:
            zone = merchant.zone or server.settings.zone
            console.print(escape(f"{merchant.slug}  {merchant.name}  {zone}"), highlight=False)
            for account in await accounts.of_merchant(server.db, server.vault, merchant.id):
                console.print(escape(f"    {account}"), highlight=False, soft_wrap=True)
        if not found:
            console.print("there is nobody yet: `coinslot merchants add SLUG --name NAME`")

    _run(ask, data)


@cli.command(
    "add",
    epilog="Example: `coinslot merchants add asha --name 'Asha Refreshments' --zone Asia/Kolkata`",
)
def add(
    slug: Slug, name: Name, contact: Contact = "", zone: Zone = None, data: Data = None
) -> None:
    """Add a merchant; one with this slug stays as it is. At a terminal its zone is asked for."""
    asked = zone
    if asked is None and sys.stdin.isatty():
        asked = typer.prompt("Zone of its times", default=settings(data).zone)
    wanted_zone = _zone(asked)

    async def open_(server: RunningServer) -> None:
        now = server.clock.now()
        there = await merchant_named(server.db, slug)
        wanted = Merchant(id=uuid7(now), name=name, slug=slug, contact=contact, zone=wanted_zone)
        await open_merchant(server.db, wanted, now)
        console.print(f"{slug} {'was here already' if there else 'is here'}", highlight=False)
        if there is None and wanted_zone is None:
            console.print(
                f"its times are shown in {server.settings.zone}, until"
                f" `coinslot merchants zone {slug} ZONE` says where it is",
                highlight=False,
                soft_wrap=True,
            )

    _run(open_, data, makes=True)


@cli.command("pause", epilog="Example: `coinslot merchants pause asha`")
def pause(slug: Slug, data: Data = None) -> None:
    """Take no new orders at a merchant's machines; printed codes of machines stay payable.

    What was ordered before goes on."""
    _set_paused(slug, data, paused=True)


@cli.command("resume", epilog="Example: `coinslot merchants resume asha`")
def resume(slug: Slug, data: Data = None) -> None:
    """Take orders again at a merchant that was paused."""
    _set_paused(slug, data, paused=False)


def _set_paused(slug: str, data: Data, *, paused: bool) -> None:
    async def set_(server: RunningServer) -> None:
        merchant = await merchant_named(server.db, slug)
        if merchant is None:
            fail(f"there is no merchant {slug}")
        await pause_merchant(server.db, merchant, server.clock.now() if paused else None)
        console.print(f"{slug} {'takes no new orders' if paused else 'sells'}", highlight=False)

    _run(set_, data)


@cli.command("zone", epilog="Example: `coinslot merchants zone asha Asia/Kolkata`")
def set_zone(slug: Slug, zone: Zoned, data: Data = None) -> None:
    """Say where a merchant is: days are compared, and times shown, in that zone from now on.

    An outlet with a zone of its own keeps it (`coinslot machines zone`)."""
    wanted = str(_zone(zone))

    async def move(server: RunningServer) -> None:
        merchant = await merchant_named(server.db, slug)
        if merchant is None:
            fail(f"there is no merchant {slug}")
        await move_merchant(server.db, merchant, wanted)
        console.print(f"{slug} is in {wanted}", highlight=False)

    _run(move, data)


def _zone(name: str | None) -> str | None:
    try:
        return known_zone(name)
    except UnknownZoneError as error:
        raise typer.BadParameter(str(error), param_hint="--zone") from error


@cli.command("form", epilog="Example: `coinslot merchants form stripe > stripe.json`")
def form(gateway: Gateway) -> None:
    """Print the settings of an account at this gateway, to be filled in."""
    try:
        print(msgspec.json.format(forms.empty_form(gateway)).decode())
    except FormError as error:
        fail(str(error))


@cli.command(
    "account", epilog="Example: `coinslot merchants account asha stripe --from stripe.json`"
)
def account(  # noqa: PLR0913  the options of a command
    slug: Slug,
    gateway: Gateway,
    own_slug: AccountSlug = None,
    form: Form = None,
    from_environment: FromEnvironment = False,
    data: Data = None,
) -> None:
    """Keep an account's settings, sealed; again replaces them, in every process at once."""
    if from_environment:
        text = _in_environment(gateway)
    else:
        text = form.read_bytes() if form is not None else sys.stdin.buffer.read()

    async def keep(server: RunningServer) -> None:
        merchant = await merchant_named(server.db, slug)
        if merchant is None:
            fail(f"there is no merchant {slug}")
        try:
            wanted = forms.filled_in(gateway, text)
            name = AccountName(merchant, gateway, own_slug or slug)
            await accounts.refuse_another_merchants(server.db, name)
        except (FormError, SlugTakenError) as error:
            fail(str(error))
        async with server.db.as_merchant(merchant) as conn:
            await accounts.save_account(conn, server.vault, server.clock.now(), name, wanted)
        url = f"{server.settings.base_url}/webhooks/{gateway}/{name.slug}"
        console.print(f"kept. Its webhooks go to {url}", highlight=False, soft_wrap=True)

    _run(keep, data)


def _in_environment(gateway: str) -> bytes:
    """The form of a Razorpay account, filled in from the variables that name one."""
    given = settings()
    key, secret, signed = (
        given.razorpay_key_id, given.razorpay_key_secret, given.razorpay_webhook_secret,
    )  # fmt: skip
    if gateway != "razorpay":
        fail("only Razorpay's settings have variables: fill in a form (`coinslot merchants form`)")
    if not (key and secret and signed):
        fail("set RAZORPAY_KEY_ID, RAZORPAY_KEY_SECRET and RAZORPAY_WEBHOOK_SECRET")
    return msgspec.json.encode({"key_id": key, "key_secret": secret, "webhook_secrets": [signed]})


def _run(
    work: Callable[[RunningServer], Awaitable[None]], data: Data, *, makes: bool = False
) -> None:
    """`makes`: where there is no installation yet, there is one then."""
    run_on_server(work, settings(data) if makes else installed(data))
