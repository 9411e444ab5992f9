"""`coinslot events`: what happened, as a merchant's server is told."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from coinslot.commands.asking import Demo, Types, merchant
from coinslot.commands.terms import console, run

Follow = Annotated[bool, typer.Option("--follow", help="What comes from now on, until Ctrl-C.")]
After = Annotated[str | None, typer.Option(help="An event's id: begin after it.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def events(
    follow: Follow = False,
    after: After = None,
    types: Types = "",
    json: Json = False,
    data: Demo = Path(".coinslot"),
) -> None:
    """Print a merchant's events, oldest first."""

    async def main() -> None:
        async with merchant(data) as shop:
            begin = after or (await shop.newest() if follow else None)
            async for event in shop.events(begin, types, forever=follow):
                if json:
                    typer.echo(msgspec.json.encode(event))
                else:
                    say(event)

    run(main, "WARNING")


def say(event: dict[str, Any], then: str = "") -> None:
    """An event in one line."""
    about = event["data"]
    amount = f"{about['amount']} {about['currency']}" if "amount" in about else ""
    line = f"{event['timestamp'][:19]}  {event['type']:<24} {amount:>14}  {event['id']}  {then}"
    console.print(line.rstrip(), highlight=False, soft_wrap=True)
