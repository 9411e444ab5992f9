"""`coinslot migrate`: brings the database to the version of this code."""

from contextlib import AsyncExitStack
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from coinslot.app.resources import Resources
from coinslot.app.schema import sql_functions
from coinslot.commands.audit import owner_connection
from coinslot.commands.terms import Data, console, fail, run, settings
from coinslot.db.embedded import running_superuser_url
from coinslot.db.migrate import migrate as apply
from coinslot.db.migrate import pending_in
from coinslot.settings import Settings, SettingsError

Check = Annotated[bool, typer.Option("--check", help="Only say what is missing; 1 if anything is.")]


def migrate(data: Data = None, check: Check = False) -> None:
    """Bring the database to the version of this code. Safe to run again, and from several places.

    Reads COINSLOT_OWNER_URL, and the passwords of both logins from DATABASE_URL and
    COINSLOT_DOOR_URL. The embedded database is migrated at every start. With --check it writes
    nothing, and reads the embedded database of a server that runs, too."""
    chosen = settings(data)

    async def main() -> int:
        async with AsyncExitStack() as stack:
            if check:
                missing = await _missing(chosen, stack)
                for name in missing:
                    console.print(f"missing: {name}", highlight=False)
                return 1 if missing else 0
            done = await _applied(chosen, stack)
            console.print(f"{len(done)} applied" if done else "nothing to do", highlight=False)
            return 0

    run(main, chosen.log_level)


async def _missing(chosen: Settings, stack: AsyncExitStack) -> list[str]:
    conn, _ = await owner_connection(chosen, stack)
    return await pending_in(conn, sql_functions())


async def _applied(chosen: Settings, stack: AsyncExitStack) -> list[str]:
    if chosen.database_url is None and running_superuser_url(chosen.data) is not None:
        # The running code would be older than the database: that is changed before it starts.
        if await _missing(chosen, stack):
            fail(f"a server runs in {chosen.data}: start it again, and it migrates its database")
        return []
    urls = await Resources(chosen, stack).urls()
    if urls.owner is None:
        raise SettingsError("COINSLOT_OWNER_URL must be set to migrate")
    return await apply(urls.owner, _password(urls.app), _password(urls.door), sql_functions())


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "")
