"""NOTIFY wakes the sweepers of other processes: who works a table listens, the others notify.

Every sweeper also polls: a lost notification costs one poll, so nothing is retried but
connecting."""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg
import structlog

from coinslot.context import Wakes
from coinslot.db.pool import AWAY, Database, connect

log = structlog.get_logger(__name__)

_CHANNEL = "coinslot_due"
_CHANGED = "coinslot_changed"
_RETRY_S = 2.0
_LOST = (asyncpg.PostgresError, *AWAY)


async def notify(db: Database, wakes: Wakes, tables: frozenset[str]) -> None:
    """Forward this process's wakes for tables that it does not sweep itself, until cancelled."""

    async def forward(table: str) -> None:
        wake = wakes.of(table)
        while True:
            await wake.wait()
            wake.clear()
            try:
                async with db.system_pool.acquire() as conn:
                    await conn.execute("SELECT pg_notify($1, $2)", _CHANNEL, table)
            except _LOST as error:
                log.warning("wake_not_forwarded", table=table, error=repr(error))

    async with asyncio.TaskGroup() as group:
        for table in sorted(tables):
            group.create_task(forward(table))


async def listen(door_url: str, wakes: Wakes, tables: frozenset[str]) -> None:
    """Wake the sweepers of this process for what others notify, until cancelled."""

    def received(_conn: object, _pid: int, _channel: str, table: object) -> None:
        if table in tables:
            wakes.wake(str(table))

    # Something may have been notified before this connection listened: wake all tables.
    await listen_on(door_url, _CHANNEL, received, lambda: wakes.wake(*tables))


async def follow_changes(door_url: str, changed: Callable[[str, str], None]) -> None:
    """Call `changed` with the table and the row whose credentials changed, until cancelled. Both
    are empty where a notification may have been missed: then any row may have changed."""

    def received(_conn: object, _pid: int, _channel: str, said: object) -> None:
        table, _, key = str(said).partition(" ")
        changed(table, key)

    await listen_on(door_url, _CHANGED, received, lambda: changed("", ""))


async def listen_on(
    door_url: str, channel: str, received: Callable[..., None], began: Callable[[], None]
) -> None:
    """Call `received` for what is notified, as asyncpg calls a listener, until cancelled; and
    `began` with every new connection."""
    while True:
        with contextlib.suppress(*_LOST):
            conn = await connect(door_url)
            gone = asyncio.Event()
            conn.add_termination_listener(lambda _conn, gone=gone: gone.set())
            try:
                await conn.add_listener(channel, received)
                began()
                await gone.wait()
            finally:
                conn.terminate()
        log.warning("listen_connection_lost", channel=channel, retry_s=_RETRY_S)
        await asyncio.sleep(_RETRY_S)
