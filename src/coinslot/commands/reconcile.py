"""`coinslot reconcile`: the books side by side, now; 1 if they disagree anywhere."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from coinslot.app.server import TOOL, RunningServer
from coinslot.commands.cases import line
from coinslot.commands.terms import Data, console, installed, quiet, run
from coinslot.kit.clock import SystemClock
from coinslot.oversight import cases
from coinslot.oversight.cases import Case
from coinslot.oversight.reconcile import Compared, Span, every_account

_DAY = timedelta(days=1)
_LONGEST_LIST = 50

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
    now = SystemClock().now()
    end = now if until is None else until.replace(tzinfo=UTC)
    begin = end - _DAY if since is None else since.replace(tzinfo=UTC)
    if begin >= now:
        raise typer.BadParameter(
            "it lies in the future: nothing happened yet", param_hint="--since"
        )
    if begin >= end:
        raise typer.BadParameter("it must be before --until", param_hint="--since")
    chosen = installed(data)

    async def main() -> int:
        async with AsyncExitStack() as stack:
            context = (await RunningServer(chosen, TOOL, stack).open()).context
            done = await every_account(context, Span(begin, end))
            found = [case for case in await cases.listed(context) if case.source == "books"]
        if json:
            console.print_json(msgspec.json.encode({"accounts": done, "breaks": found}).decode())
        else:
            _show(done, found)
        return 1 if found or any(one.failure for one in done.values()) else 0

    run(main, quiet(chosen))


def _show(done: dict[str, Compared], found: list[Case]) -> None:
    for account, one in done.items():
        state = f"[red]{escape(one.failure)}[/]" if one.failure else "compared"
        console.print(
            f"{account}: {state}; {one.found} that nobody had told us of,"
            f" {one.opened} breaks opened, {one.closed} healed",
            highlight=False,
            soft_wrap=True,
        )
        for news in one.news[:_LONGEST_LIST]:
            console.print(f"    {escape(news)}", highlight=False, soft_wrap=True)
    for case in found:
        console.print(line(case), highlight=False, soft_wrap=True)
    console.print(verdict(done, found), highlight=False, soft_wrap=True)


def verdict(done: dict[str, Compared], found: list[Case]) -> str:
    """The last line is the one that is read: it says "well" only of what was compared."""
    unread = [account for account, one in done.items() if one.failure]
    if unread:
        known = f"{len(found)} breaks are open" if found else "no break is known"
        count, names = f"{len(unread)} of {len(done)} accounts", escape(", ".join(unread))
        return f"[bold red]{count} could not be compared in full ({names}); {known}[/]"
    if found:
        return f"[bold red]{len(found)} breaks are open[/]"
    if not done:
        return "there is no account at a gateway: nothing was compared"
    return "[bold green]no break is open[/]"
