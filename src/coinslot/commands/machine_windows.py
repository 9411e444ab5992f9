"""`coinslot machines windows`: how long a machine is given, where that is not what others get."""

from typing import Annotated

import typer

from coinslot.app.server import RunningServer
from coinslot.commands.machine_config import MachineCodes, each, split
from coinslot.commands.terms import Data, console
from coinslot.fleet.config import Editor
from coinslot.orders.outlet_windows import set_windows, windows_of

Changes = Annotated[
    list[str] | None, typer.Argument(help="NAME=SECONDS, or NAME= to take it away.")
]


def windows(codes: MachineCodes, changes: Changes = None, data: Data = None) -> None:
    """Show how long a machine is given, in seconds, or give it windows of its own.

    `dispatch_s`: from the payment to the last moment at which it may begin; `in_doubt_s`: from then
    until an unknown outcome is settled. An empty value takes its own away. What is paid already
    keeps what it was paid under."""
    wanted = dict(_change(typed) for typed in changes or ())

    async def set_and_show(server: RunningServer, code: str, editor: Editor) -> None:
        if wanted:
            await set_windows(server.context, code, wanted)
        for window in await windows_of(server.context, code):
            whose = " (its own)" if window.own else ""
            console.print(f"{code}: {window.name} {window.seconds:g}{whose}", highlight=False)

    each(split(codes), set_and_show, data)


def _change(typed: str) -> tuple[str, float | None]:
    name, separator, seconds = typed.partition("=")
    try:
        number = float(seconds) if seconds else None
    except ValueError:
        separator = ""
    if not separator:
        raise typer.BadParameter(f"{typed!r}: write it like dispatch_s=300, or dispatch_s=")
    return name, number
