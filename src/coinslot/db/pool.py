"""Connections: one login for the application, who sees one merchant at a time through row-level
security, and one for the door (sweeps, webhooks). Every transaction begins here."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import msgspec
import structlog
from asyncpg.pool import PoolConnectionProxy

from coinslot.kit.faults import Reached, unharmed

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    RawConnection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection | PoolConnectionProxy
    RawConnection = asyncpg.Connection
    Pool = asyncpg.Pool

log = structlog.get_logger(__name__)
Opened = TypeVar("Opened")

WAIT_FOR_SERVER = timedelta(seconds=60)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_COMMAND_TIMEOUT_S = 30.0
_JSONB_VERSION = b"\x01"
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # escaped, not a backslash and "u0000"
# Down, starting, stopping or full: the server will be back. A wrong password will not.
_PASSING = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.TooManyConnectionsError,
)


class DatabaseUnreachableError(Exception):
    """PostgreSQL did not answer within the time given for it."""


# The server is away, full, or cut the line: whoever asks again later may be answered. The last but
# one is what asyncpg says when a connection was ended while it lay in the pool.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    DatabaseUnreachableError,
)


class Database:
    """`app` and `door_pool` are the raw pools, for reads outside a transaction and single calls."""

    def __init__(self, app: Pool, door_pool: Pool) -> None:
        self.app = app
        self.door_pool = door_pool
        self.reached: Reached = unharmed  # told of every commit; for the storms

    @classmethod
    async def open(
        cls, app_url: str, door_url: str, *, size: int = 10, wait: timedelta = WAIT_FOR_SERVER
    ) -> Self:
        """`size` connections for each login. Raises DatabaseUnreachableError after `wait`."""
        app = await _patiently(lambda: _pool(app_url, size), app_url, wait)
        try:
            return cls(app, await _patiently(lambda: _pool(door_url, size), door_url, wait))
        except BaseException:
            app.terminate()
            raise

    async def close(self, within: timedelta = timedelta(seconds=5)) -> None:
        """Waits for running transactions, but not longer than `within`."""
        for pool in (self.app, self.door_pool):
            try:
                await asyncio.wait_for(pool.close(), within.total_seconds())
            except TimeoutError:
                log.warning("database_closed_under_work")
                pool.terminate()

    @asynccontextmanager
    async def as_merchant(self, merchant_id: UUID) -> AsyncIterator[Connection]:
        """One transaction that sees this merchant's rows and no other's."""
        # One round trip for both: this stands before everything that a machine or a page causes.
        begin = f"BEGIN; SET LOCAL coinslot.merchant = '{UUID(str(merchant_id))}'"
        async with self.app.acquire() as conn:
            try:
                await conn.execute(begin)
                yield conn
                self.reached("before_commit")
            except BaseException:
                await conn.execute("ROLLBACK")
                raise
            await conn.execute("COMMIT")
            self.reached("after_commit")

    async def call(self, sql: str, *arguments: object) -> Any:
        """One value of one statement that is a transaction of its own and names its merchant."""
        self.reached("before_commit")
        value = await self.app.fetchval(sql, *arguments)
        self.reached("after_commit")
        return value

    @asynccontextmanager
    async def door(self) -> AsyncIterator[Connection]:
        """One transaction over all merchants, within the policies written for the door."""
        async with self.door_pool.acquire() as conn:
            async with conn.transaction():
                yield conn
            self.reached("after_claim")

    @asynccontextmanager
    async def knock(self) -> AsyncIterator[Connection]:
        """The door without a transaction around it: each statement is one, and one round trip."""
        async with self.door_pool.acquire() as conn:
            yield conn
            self.reached("after_claim")


async def connect(url: str, wait: timedelta = WAIT_FOR_SERVER) -> RawConnection:
    """One connection outside the pools: for LISTEN (which a pool forgets), migrations, audits."""

    async def attempt() -> RawConnection:
        conn = await asyncpg.connect(url)
        await _speak_json(conn)
        return conn

    return await _patiently(attempt, url, wait)


async def _pool(url: str, size: int) -> Pool:
    pool = asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=_speak_json,
        # What a transaction sets ends with it, so the usual reset would be a wasted round trip.
        reset=_keep_session,
        command_timeout=_COMMAND_TIMEOUT_S,
        server_settings={"application_name": "coinslot"},
    )
    return await pool


async def _keep_session(_conn: Connection) -> None:
    return None


async def _speak_json(conn: RawConnection) -> None:
    await conn.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: _JSONB_VERSION + _storable(msgspec.json.encode(value)),
        decoder=lambda data: _decoded(data[1:]),
        format="binary",
    )
    await conn.set_type_codec(
        "json",
        schema="pg_catalog",
        encoder=lambda value: _storable(msgspec.json.encode(value)),
        decoder=_decoded,
        format="binary",
    )


def _storable(encoded: bytes) -> bytes:
    """PostgreSQL refuses U+0000 in jsonb, and strangers may send it: U+FFFD stands for it."""
    if b"\\u0000" not in encoded:
        return encoded
    return _NUL.sub(rb"\1\\ufffd", encoded)


def _decoded(data: bytes) -> Any:
    return msgspec.json.decode(data)


async def _patiently(attempt: Callable[[], Awaitable[Opened]], url: str, wait: timedelta) -> Opened:
    where = urlsplit(url).netloc.rpartition("@")[2]  # never with the password
    deadline = time.monotonic() + wait.total_seconds()
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return await attempt()
        except _PASSING as reason:
            if time.monotonic() + pause_s > deadline:
                raise DatabaseUnreachableError(
                    f"no PostgreSQL answers at {where}: {reason}"
                ) from reason
            log.warning(
                "database_unreachable", where=where, reason=str(reason), next_try_in_s=pause_s
            )
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
