"""`coinslot events`: the events as a merchant's server receives them."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from coinslot.commands.api_client import Demo, Types, merchant
from coinslot.commands.terms import console, run
from coinslot.kit.money import Money

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
    """Print a merchant's events, oldest first: time, type, sum, what it is about, its own id.

    Without --after it is the whole history; `| tail` keeps the newest."""

    async def main() -> None:
        async with merchant(data) as context:
            begin = after or (await context.newest() if follow else None)
            async for event in context.events(begin, types, forever=follow):
                if json:
                    typer.echo(msgspec.json.encode(event))
                else:
                    say(event)

    run(main, "WARNING")


def say(event: dict[str, Any], then: str = "") -> None:
    """An event in one line."""
    about = event["data"]
    line = (
        f"{event['timestamp'][:19]}  {event['type']:<24} {_sum(event['type'], about):>14}"
        f"  {_subject(event['type'], about)}  {event['id']}  {then}"
    )
    console.print(line.rstrip(), highlight=False, soft_wrap=True)


def _sum(kind: str, about: dict[str, Any]) -> str:
    """What was taken, where less was than had been asked for."""
    minor = about.get("amount_captured" if kind == "payment.succeeded" else "amount")
    if minor is None:
        return ""
    return f"{Money(minor, about['currency']).decimal()} {about['currency']}"


def _subject(kind: str, about: dict[str, Any]) -> str:
    """By the id that the API takes: a refund's event names its payment, a unit's its order."""
    for name in ("payment", "order", "endpoint"):
        if about.get(name) is not None:
            return f"{name} {about[name]}"
    return f"{kind.partition('.')[0]} {about.get('id', '')}"
