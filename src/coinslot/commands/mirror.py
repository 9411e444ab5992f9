"""`coinslot mirror ...`: the copy in Firebase, written afresh or compared with the truth."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from coinslot.app.mirroring import mirror
from coinslot.app.server import TOOL, RunningServer
from coinslot.commands.terms import Data, console, errors, fail, installed, quiet, run
from coinslot.events.mirror.firebase import RefusedError, UnclearError
from coinslot.events.mirror.mirror import Mirror
from coinslot.events.mirror.rebuild import differences, write_whole

cli = typer.Typer(no_args_is_help=True, help="The mirror in a Firebase Realtime Database.")

_LONGEST_LIST = 20

All = Annotated[bool, typer.Option("--all", help="List every difference.")]


@cli.command("rebuild", epilog="Example: `coinslot mirror rebuild`")
def rebuild(data: Data = None) -> None:
    """Write the whole mirror afresh from the tables, and take away what belongs to nothing.

    The mirror may run meanwhile; whoever sells notices nothing."""

    async def main(found: Mirror) -> int:
        done = await write_whole(found)
        console.print(f"{done.written} nodes written, {done.removed} taken away", highlight=False)
        return 0

    _with_mirror(data, main)


@cli.command("check", epilog="Example: `coinslot mirror check || coinslot mirror rebuild`")
def check(every: All = False, data: Data = None) -> None:
    """Compare the mirror with the tables, all of it; 1 where they differ.

    What was sold in the last moments may be on its way."""

    async def main(found: Mirror) -> int:
        late = await found.lag()
        wrong = await differences(found)
        for path in wrong if every else wrong[:_LONGEST_LIST]:
            errors.print(path, highlight=False, soft_wrap=True)
        console.print(
            f"{len(wrong)} differences, {late.entries} entries of the log not mirrored yet",
            highlight=False,
        )
        return 1 if wrong else 0

    _with_mirror(data, main)


def of_a_demo(data: Path) -> str:
    """A demo mirrors into its own sandbox, whatever the environment says."""
    path = data / "demo.json"
    if not path.exists():
        return ""
    url = msgspec.json.decode(path.read_bytes()).get("firebase_url")
    return f". Of this demo it is COINSLOT_FIREBASE_URL='{url}'" if url else ""


def _with_mirror(data: Data, use: Callable[[Mirror], Awaitable[int]]) -> None:
    chosen = installed(data)
    if chosen.firebase_url is None:
        fail(f"COINSLOT_FIREBASE_URL is not set: nothing is mirrored{of_a_demo(chosen.data)}")

    async def main() -> int:
        async with AsyncExitStack() as stack:
            server = await RunningServer(chosen, TOOL, stack).open()
            found = mirror(chosen, server.db, server.clock, stack)
            assert found is not None, "its address is set"
            try:
                return await use(found)
            except (UnclearError, RefusedError) as error:
                fail(f"the database at COINSLOT_FIREBASE_URL does not answer as it should: {error}")

    run(main, quiet(chosen))
