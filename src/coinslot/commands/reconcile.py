"""`coinslot reconcile`: the books side by side, now; 1 if they disagree anywhere."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from coinslot.app.house import TOOL, House
from coinslot.commands.cases import line
from coinslot.commands.terms import Data, console, run, settings
from coinslot.sales import cases
from coinslot.sales.cases import Case
from coinslot.sales.reconcile import Compared, Span, every_account

_DAY = timedelta(days=1)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
Since = Annotated[
    datetime | None, typer.Option(help="From then on, UTC; else the day before.", metavar="TIME")
]
Until = Annotated[datetime | None, typer.Option(help="Up to then, UTC; else now.", metavar="TIME")]


def reconcile(
    since: Since = None, until: Until = None, json: AsJson = False, data: Data = None
) -> None:
    """Compare the gateways' books, the ledger and what was handed over, and work what was missing.

    The worker does it every night. Ends with 1 while a break is open, or a gateway did not
    answer; `coinslot cases` lists breaks beside all else that wants a person."""
    chosen = settings(data)

    async def main() -> int:
        async with AsyncExitStack() as stack:
            shop = (await House(chosen, TOOL, stack).open()).shop
            end = shop.now() if until is None else until.replace(tzinfo=UTC)
            begin = end - _DAY if since is None else since.replace(tzinfo=UTC)
            done = await every_account(shop, Span(begin, end))
            found = [case for case in await cases.listed(shop) if case.source == "books"]
        if json:
            console.print_json(msgspec.json.encode({"accounts": done, "breaks": found}).decode())
        else:
            _show(done, found)
        return 1 if found or any(one.failure for one in done.values()) else 0

    run(main, chosen.log_level)


def _show(done: dict[str, Compared], found: list[Case]) -> None:
    for account, one in done.items():
        state = f"[red]{escape(one.failure)}[/]" if one.failure else "compared"
        console.print(
            f"{account}: {state}; {one.found} found, {one.opened} breaks opened,"
            f" {one.closed} healed",
            highlight=False,
            soft_wrap=True,
        )
    for case in found:
        console.print(line(case), highlight=False, soft_wrap=True)
    if not found:
        console.print("[bold green]no break is open[/]", highlight=False)
