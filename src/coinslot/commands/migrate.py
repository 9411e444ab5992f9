"""`coinslot migrate`: brings the database to the version of this code."""

from contextlib import AsyncExitStack
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from coinslot.app.resources import Resources
from coinslot.app.schema import sql_functions
from coinslot.commands.terms import Data, console, run, settings
from coinslot.db.migrate import migrate as apply
from coinslot.db.migrate import pending
from coinslot.settings import SettingsError

Check = Annotated[bool, typer.Option("--check", help="Only say what is missing; 1 if anything is.")]


def migrate(data: Data = None, check: Check = False) -> None:
    """Bring the database to the version of this code. Safe to run again, and from several places.

    Reads COINSLOT_OWNER_URL, and the passwords of both logins from DATABASE_URL and
    COINSLOT_DOOR_URL. The embedded database is migrated at every start."""
    chosen = settings(data)

    async def main() -> int:
        async with AsyncExitStack() as stack:
            urls = await Resources(chosen, stack).urls()
            if urls.owner is None:
                raise SettingsError("COINSLOT_OWNER_URL must be set to migrate")
            if check:
                missing = await pending(urls.owner, sql_functions())
                for name in missing:
                    console.print(f"missing: {name}", highlight=False)
                return 1 if missing else 0
            done = await apply(
                urls.owner, _password(urls.app), _password(urls.door), sql_functions()
            )
            console.print(f"{len(done)} applied" if done else "nothing to do", highlight=False)
            return 0

    run(main, chosen.log_level)


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "")
