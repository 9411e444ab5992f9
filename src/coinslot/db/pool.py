"""Connections: the application's login, which sees one merchant at a time through row-level
security, and the system login (sweeps, webhooks). Every transaction begins here.

A statement that is given up is never cancelled: its connection is closed (`HangingUp`)."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import msgspec
import structlog
from asyncpg.pool import PoolConnectionProxy

from coinslot.kit.faults import Reached, no_fault

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    RawConnection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
    BaseConnection = asyncpg.Connection[asyncpg.Record]
    BasePool = asyncpg.Pool[asyncpg.Record]
else:
    BaseConnection, BasePool = asyncpg.Connection, asyncpg.Pool
    Connection = asyncpg.Connection | PoolConnectionProxy
    RawConnection = asyncpg.Connection
    Pool = asyncpg.Pool

log = structlog.get_logger(__name__)
Opened = TypeVar("Opened")

WAIT_FOR_SERVER = timedelta(seconds=60)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
COMMAND_TIMEOUT_S = 30.0
_ROLLBACK_TIMEOUT_S = 2.0
_RENEW_AT_MOST_EVERY_S = 1.0
# Prepared statements that a connection keeps; the server keeps a plan of each in its memory.
STATEMENTS = 100
# How soon the server notices that a caller disconnected, in a statement that waits or computes. It
# does not look while a commit waits for its standby, so it never shows what is not replicated.
_NOTICE_CALLER_GONE = "SET client_connection_check_interval = 5000"
_JSONB_VERSION = b"\x01"
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # escaped, not a backslash and "u0000"
# Down, starting, stopping, full, or only standbys yet: it will be back. A wrong password will not.
_PASSING = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it starts up, or shuts down
    asyncpg.TooManyConnectionsError,
    asyncpg.TargetServerAttributeNotMatched,
    asyncpg.InterfaceError,  # it died while the new connection was made ready
    asyncpg.InternalClientError,
)


class DatabaseUnreachableError(Exception):
    """PostgreSQL did not answer within the time given for it."""


# The server is unreachable, full, read-only, or cut the connection: a later try may succeed.
# InterfaceError is what asyncpg raises when a connection ended while it lay in the pool, and
# InternalClientError its error for "only standbys there", among others.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    DatabaseUnreachableError,
)
# Errors of one connection that are probably true of its neighbours in the pool: they lead to a
# server that is no longer primary, or that does not answer.
_SPOILED = (asyncpg.ReadOnlySQLTransactionError, TimeoutError)


def _nothing_to_renew() -> None:
    return None


class HangingUp(BaseConnection):
    """A connection that is closed where asyncpg would send a cancel request: on a time-out, and
    when the waiting task is cancelled.

    A commit that waits for a synchronous standby and is cancelled becomes visible although no
    standby has it, and a failover removes it again. When the connection is closed instead, the
    commit stays invisible until it is replicated. The caller then does not know what became of its
    statement."""

    renew: Callable[[], None] = staticmethod(_nothing_to_renew)

    def _cancel_current_command(self, *_waiters: object) -> None:
        # Not `terminate`: asyncpg is in the middle of ending the statement, and goes on after this.
        self._transport.abort()  # type: ignore[attr-defined]

    async def execute(self, *said: Any, **named: Any) -> str:
        try:
            return await super().execute(*said, **named)
        except _SPOILED:
            self.renew()
            raise

    async def _execute(self, *said: Any, **named: Any) -> Any:  # under every fetch
        try:
            return await super()._execute(*said, **named)  # type: ignore[misc]
        except _SPOILED:
            self.renew()
            raise


class _Pool(BasePool):
    """A pool without a free connection, or whose connection was closed, reports its own error, and
    never instead of the error of the work."""

    __slots__ = ("_renewed_s",)

    async def _acquire(self, timeout: float | None) -> Any:
        async with asyncio.timeout(COMMAND_TIMEOUT_S if timeout is None else timeout):
            return await super()._acquire(None)  # type: ignore[misc]

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        # asyncpg raises when a connection ends while it is given back. By then it is decided
        # whether the work was done.
        with suppress(asyncpg.PostgresError, *AWAY):
            await super().release(connection, timeout=timeout)

    def renew(self) -> None:
        """Every connection is opened again before its next use; a server that stays read-only is
        not flooded with connections for it."""
        now_s = time.monotonic()
        if now_s - getattr(self, "_renewed_s", -inf) >= _RENEW_AT_MOST_EVERY_S:
            self._renewed_s = now_s
            self._generation += 1  # type: ignore[attr-defined]  # as in `expire_connections`, which must be awaited for nothing
            log.warning("database_connections_renewed")


class Database:
    """`app` and `system_pool` are the raw pools, for reads outside a transaction and single
    calls."""

    def __init__(self, app: Pool, system_pool: Pool) -> None:
        self.app = app
        self.system_pool = system_pool
        self.reached: Reached = no_fault  # called at every commit; for the storms

    @classmethod
    async def open(
        cls,
        app_url: str,
        door_url: str,
        *,
        size: int = 10,
        wait: timedelta = WAIT_FOR_SERVER,
        statements: int = STATEMENTS,
    ) -> Self:
        """`size` connections for each login. Raises DatabaseUnreachableError after `wait`."""

        async def opened(url: str) -> Pool:
            return await patiently(lambda: _pool(url, size, statements), url, wait)

        app = await opened(app_url)
        try:
            return cls(app, await opened(door_url))
        except BaseException:
            app.terminate()
            raise

    async def close(self, within: timedelta = timedelta(seconds=5)) -> None:
        """Waits for running transactions, but not longer than `within`."""
        for pool in (self.app, self.system_pool):
            try:
                await asyncio.wait_for(pool.close(), within.total_seconds())
            except TimeoutError:
                log.warning("database_closed_with_work_running")
                pool.terminate()

    @asynccontextmanager
    async def as_merchant(self, merchant_id: UUID) -> AsyncIterator[Connection]:
        """One transaction that sees this merchant's rows and no other's."""
        async with self.app.acquire() as conn:
            async with _transaction(conn, self._begin(merchant_id)):
                yield conn
                self.reached("before_commit")
            self.reached("after_commit")

    @asynccontextmanager
    async def as_person(
        self, person_id: UUID, merchant_id: UUID | None = None
    ) -> AsyncIterator[Connection]:
        """One transaction that sees what belongs to this person: sessions, second factors. With a
        merchant, it sees that one's rows too."""
        begin = "BEGIN" if merchant_id is None else self._begin(merchant_id)
        async with self.app.acquire() as conn:
            named = f"{begin}; SET LOCAL coinslot.person = '{UUID(str(person_id))}'"
            async with _transaction(conn, named):
                yield conn
                self.reached("before_commit")
            self.reached("after_commit")

    def _begin(self, merchant_id: UUID) -> str:
        # One round trip for both: this comes before everything that a machine or a page causes.
        return f"BEGIN; SET LOCAL coinslot.merchant = '{UUID(str(merchant_id))}'"

    @property
    def unfenced(self) -> "Database":
        """For facts that are written whichever worker learned them; see `db/lease.py`."""
        return self

    def check_lease(self) -> None:
        """Raises LeaseLostError where a row is worked that may be another worker's by now."""

    async def call(self, sql: str, *arguments: object) -> Any:
        """One value of one statement that is a transaction of its own and names its merchant."""
        self.reached("before_commit")
        value = await self.app.fetchval(sql, *arguments)
        self.reached("after_commit")
        return value

    @asynccontextmanager
    async def system_transaction(self) -> AsyncIterator[Connection]:
        """One transaction over all merchants, with the system login (role `coinslot_door`) and its
        policies."""
        async with self.system_pool.acquire() as conn:
            async with _transaction(conn, "BEGIN"):
                yield conn
            self.reached("after_claim")

    @asynccontextmanager
    async def system_connection(self) -> AsyncIterator[Connection]:
        """The system login without a transaction: each statement is its own, in one round trip."""
        async with self.system_pool.acquire() as conn:
            yield conn
            self.reached("after_claim")


# PostgreSQL aborted a transaction so that another one could go on; nothing of it was kept.
BROKEN_OFF = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


async def again(work: Callable[[], Awaitable[Opened]], times: int = 3) -> Opened:
    """Run work again that PostgreSQL aborted, up to so many times in all. Only for work that may be
    run from its start: one transaction, or a chore of the sweeper, which is repeated after a crash
    too."""
    for _ in range(times - 1):
        try:
            return await work()
        except BROKEN_OFF as error:
            log.warning("transaction_broken_off", reason=str(error))
    return await work()


@asynccontextmanager
async def _transaction(conn: Connection, begin: str) -> AsyncIterator[None]:
    """Committed when the block ends without an error. The block's error is the one raised: that the
    rollback failed too (the connection is gone) adds nothing."""
    try:
        await conn.execute(begin)
        yield
    except BaseException:
        with suppress(asyncpg.PostgresError, *AWAY):
            await conn.execute("ROLLBACK", timeout=_ROLLBACK_TIMEOUT_S)
        raise
    # When a statement failed and the caller caught the error, the server answers ROLLBACK.
    if await conn.execute("COMMIT") != "COMMIT":
        raise asyncpg.InFailedSQLTransactionError("not committed: a statement in it had failed")


async def connect(
    url: str, wait: timedelta = WAIT_FOR_SERVER, *, statements: int = STATEMENTS
) -> RawConnection:
    """One connection outside the pools: for LISTEN (which a pool forgets), migrations, audits."""

    async def attempt() -> RawConnection:
        conn: RawConnection = await asyncpg.connect(
            url, connection_class=HangingUp, statement_cache_size=statements
        )
        await _speak_json(conn)
        return conn

    return await patiently(attempt, url, wait)


async def _pool(url: str, size: int, statements: int) -> Pool:
    async def ready(conn: RawConnection) -> None:
        assert isinstance(conn, HangingUp)
        conn.renew = pool.renew
        with suppress(asyncpg.PostgresError):  # of a server that has no such setting
            await conn.execute(_NOTICE_CALLER_GONE)
        await _speak_json(conn)

    pool = _Pool(
        url,
        min_size=1,
        max_size=size,
        max_queries=50_000,
        statement_cache_size=statements,
        max_inactive_connection_lifetime=300.0,
        init=ready,
        loop=None,
        connection_class=HangingUp,
        record_class=asyncpg.Record,
        # What a transaction sets ends with it, so the usual reset would be a wasted round trip.
        reset=_keep_session,
        command_timeout=COMMAND_TIMEOUT_S,
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
    """PostgreSQL refuses U+0000 in jsonb, and strangers may send it: U+FFFD takes its place."""
    if b"\\u0000" not in encoded:
        return encoded
    return _NUL.sub(rb"\1\\ufffd", encoded)


def _decoded(data: bytes) -> Any:
    return msgspec.json.decode(data)


async def patiently(attempt: Callable[[], Awaitable[Opened]], url: str, wait: timedelta) -> Opened:
    """Open it, however often that takes within `wait`. Raises DatabaseUnreachableError after it."""
    where = urlsplit(url).netloc.rpartition("@")[2]  # never with the password
    deadline = time.monotonic() + wait.total_seconds()
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return await attempt()
        except _PASSING as reason:
            if isinstance(reason, asyncpg.ClientConfigurationError):
                raise  # a wrong address stays wrong
            if time.monotonic() + pause_s > deadline:
                raise DatabaseUnreachableError(
                    f"no PostgreSQL answers at {where}: {reason}"
                ) from reason
            log.warning(
                "database_unreachable", where=where, reason=str(reason), next_try_in_s=pause_s
            )
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
