"""`coinslot keys`: API keys of merchants, made, listed and revoked; and `reseal`, for the keys that
secrets are stored under."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from coinslot.app.resources import Resources
from coinslot.app.server import RunningServer
from coinslot.commands.audit import owner_connection
from coinslot.commands.terms import (
    Data,
    console,
    fail,
    installed,
    listed,
    quiet,
    run,
    run_on_server,
    settings,
)
from coinslot.merchants import keys
from coinslot.merchants.keys import SCOPES, USUAL_SCOPES, ApiKey, KeyRequest, UnknownKeyError
from coinslot.merchants.merchants import merchant_named
from coinslot.oversight.reseal import Resealed
from coinslot.oversight.reseal import reseal as resealing

cli = typer.Typer(
    invoke_without_command=True,
    help="API keys of merchants' servers.",
    epilog="Example: `coinslot keys`",
)

Merchant = Annotated[str, typer.Argument(help="The merchant's slug.")]
Name = Annotated[str, typer.Option(help="What it is for; for you to know it again.")]
Live = Annotated[bool, typer.Option("--live", help="It may move real money.")]
Scopes = Annotated[
    str, typer.Option(metavar="A,B", help=f"What it may do, of: {', '.join(SCOPES)}.")
]
_USUAL = ",".join(USUAL_SCOPES)
Begins = Annotated[str, typer.Argument(help="The key as it is listed, or whole.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


@cli.callback()
def show(context: typer.Context, json: AsJson = False, data: Data = None) -> None:
    """API keys of merchants' servers: what each may do, and when it was last used."""
    if context.invoked_subcommand is not None:
        return

    async def ask(server: RunningServer) -> None:
        found = await keys.listed(server.db)
        listed(
            found,
            _line,
            json=json,
            empty="there are no keys: `coinslot keys make MERCHANT` makes one",
        )

    _run(ask, data)


@cli.command("make", epilog="Example: `coinslot keys make asha --name 'web shop'`")
def make(
    merchant: Merchant,
    name: Name = "",
    live: Live = False,
    scopes: Scopes = _USUAL,
    data: Data = None,
) -> None:
    """Make a key and print it. It is kept as a hash: nobody can show it again."""
    wish = KeyRequest(name=name, live=live, scopes=tuple(scopes.split(",")))

    async def issue(server: RunningServer) -> None:
        owner = await merchant_named(server.db, merchant)
        if owner is None:
            fail(f"there is no merchant {merchant}")
        try:
            print(await keys.issue_key(server.db, owner, server.clock.now(), wish))
        except ValueError as error:
            fail(str(error))

    _run(issue, data)


@cli.command("revoke", epilog="Example: `coinslot keys revoke sk_test_Ab3d`")
def revoke(key: Begins, data: Data = None) -> None:
    """Let nobody in with this key any more."""

    async def end(server: RunningServer) -> None:
        try:
            await keys.revoke(server.db, key, server.clock.now())
        except UnknownKeyError as error:
            fail(str(error))

    _run(end, data)


@cli.command("reseal", epilog="Example: `coinslot keys reseal`")
def reseal(data: Data = None) -> None:
    """Seal every stored secret anew under the first key of COINSLOT_KEYS, while all goes on.

    It may be stopped and begun again. It says when the other keys may be removed; ends with 1 when
    they may not."""
    chosen = settings(data)

    async def main() -> int:
        async with AsyncExitStack() as stack:
            conn, _ = await owner_connection(chosen, stack)
            vault = Resources(chosen, stack).vault()
            found = [one async for one in resealing(conn, vault)]
        for one in found:
            if one.anew or one.left or one.lost:
                console.print(escape(_resealed(one)), highlight=False, soft_wrap=True)
        if any(one.lost for one in found):
            console.print("[bold red]some secrets need a key that is not in COINSLOT_KEYS[/]")
        elif any(one.left for one in found):
            console.print("some rows were being written: run this again")
        elif any(one.anew for one in found):
            console.print(
                "sealed anew. Run this again when every process has the new first key: when it says"
                " that nothing is left, the older keys may be removed",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
        else:
            console.print(
                f"nothing is left under another key than {vault.current!r}: once every process has"
                " it as its first key, the others may be removed from COINSLOT_KEYS",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
        return 1 if any(one.lost or one.left for one in found) else 0

    run(main, quiet(chosen))


def _resealed(one: Resealed) -> str:
    left = f", {one.left} were being written" if one.left else ""
    lost = f", under a lost key: {', '.join(one.lost)}" if one.lost else ""
    return f"{one.column}: {one.anew} sealed anew{left}{lost}"


def _run(work: Callable[[RunningServer], Awaitable[None]], data: Data) -> None:
    run_on_server(work, installed(data))


def _line(key: ApiKey) -> str:
    used = "never used" if key.last_used_at is None else f"used {_at(key.last_used_at)}"
    ended = "" if key.expires_at is None else f"  until {_at(key.expires_at)}"
    ended = ended if key.revoked_at is None else f"  revoked {_at(key.revoked_at)}"
    may = "all" if set(key.scopes) >= set(SCOPES) else ", ".join(key.scopes)
    return escape(f"{key.begins}...  {key.merchant}  {may}  {used}{ended}  {key.name}".rstrip())


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
