"""A PostgreSQL whose commits can be made to wait, as for a standby that does not answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from coinslot.db.embedded import EmbeddedPostgres
from coinslot.db.pool import RawConnection, connect
from tests.conftest import on_server

STALL = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
GO_ON = "ALTER SYSTEM RESET synchronous_standby_names"
PROVE = "CREATE TABLE IF NOT EXISTS proof (); INSERT INTO proof DEFAULT VALUES"
RELOAD = "SELECT pg_reload_conf()"
# Written, and waiting for the standby.
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


class Primary:
    """The server, and a reader of it who needs no standby."""

    def __init__(self, server: EmbeddedPostgres, watch: RawConnection) -> None:
        self.server, self.watch = server, watch
        self._proof: asyncio.Task[None] | None = None

    async def stall(self) -> None:
        """Returns once commits wait. One of them proves it, and goes on waiting."""
        await self.watch.execute(STALL)
        await self.watch.execute(RELOAD)
        while True:
            proof = asyncio.create_task(on_server(self.server.superuser_url, PROVE))
            while not proof.done():
                if await self.watch.fetchval(WAITING):
                    self._proof = proof
                    return
            await proof

    async def go_on(self) -> None:
        await self.watch.execute(GO_ON)
        await self.watch.execute(RELOAD)
        if self._proof is not None:
            await self._proof
            self._proof = None
        await self.until(WAITING, 0)

    async def waiting(self, wanted: int) -> None:
        """So many commits beside the one that proves it."""
        await self.until(WAITING, wanted + 1)

    async def until(self, question: str, wanted: object) -> None:
        for _ in range(1000):
            if await self.watch.fetchval(question) == wanted:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{question} is never {wanted}")

    async def seen(self) -> list[str]:
        """Of the table that tests of connections write to."""
        return [row["name"] for row in await self.watch.fetch("SELECT name FROM cans")]


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Primary]:
    """Its own server, as durable as a real one."""
    server = EmbeddedPostgres(folder)
    await server.start()
    watch = await connect(server.superuser_url)
    try:
        yield Primary(server, watch)
    finally:
        await watch.close()
        await server.stop()
