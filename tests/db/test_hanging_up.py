"""A commit that waits for a standby: given up, its row stays unseen until a standby has it.

A server of this file's own, told to wait for a standby that does not exist."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine

import asyncpg
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from coinslot.db.pool import Database, connect
from tests.db.stalling import RELOAD, Primary, started

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANS = "CREATE TABLE cans (name text)"
PUT = "INSERT INTO cans VALUES ($1)"
NOTICED_S = 6.0  # longer than a server takes to notice that a caller is gone
Work = Callable[[Database, str], Coroutine[None, None, None]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def primary(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Primary]:
    async with started(tmp_path_factory.mktemp("primary")) as primary:
        await primary.watch.execute(CANS)
        yield primary


@pytest_asyncio.fixture(loop_scope="module")
async def database(primary: Primary) -> AsyncIterator[Database]:
    await primary.watch.execute("TRUNCATE cans")
    url = primary.server.superuser_url
    opened = await Database.open(url, url, size=2)
    yield opened
    await primary.go_on()
    await opened.close()


async def call(database: Database, name: str) -> None:
    await database.call(f"{PUT} RETURNING name", name)


async def system_connection(database: Database, name: str) -> None:
    async with database.system_connection() as conn:
        await conn.execute(PUT, name)


async def system_transaction(database: Database, name: str) -> None:
    async with database.system_transaction() as conn:
        await conn.execute(PUT, name)


async def as_merchant(database: Database, name: str) -> None:
    async with database.as_merchant("0" * 32) as conn:  # type: ignore[arg-type]
        await conn.execute(PUT, name)


async def many(database: Database, name: str) -> None:
    async with database.system_pool.acquire() as conn:
        await conn.executemany(PUT, [(name,), (name,)])


@pytest.mark.parametrize("work", [call, system_connection, system_transaction, as_merchant, many])
async def test_a_commit_that_is_given_up_is_not_seen_before_a_standby_has_it(
    primary: Primary, database: Database, work: Work
) -> None:
    await primary.stall()
    giving_up = asyncio.create_task(work(database, "cola"))
    await primary.waiting(1)
    giving_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await giving_up
    # Neither at once nor when the server misses its caller.
    await asyncio.sleep(NOTICED_S if work is system_connection else 0.5)
    assert await primary.seen() == []
    await primary.waiting(1)
    await primary.go_on()
    assert set(await primary.seen()) == {"cola"}


async def test_a_statement_that_takes_too_long_is_hung_up_and_the_pool_goes_on(
    primary: Primary, database: Database
) -> None:
    await primary.stall()
    async with database.system_pool.acquire() as conn:
        with pytest.raises(TimeoutError):
            await conn.execute(PUT, "cola", timeout=0.2)
    assert await primary.seen() == []
    await primary.waiting(1)
    assert await database.system_pool.fetchval("SELECT 1") == 1


async def test_closing_the_pool_under_a_commit_does_not_show_it(primary: Primary) -> None:
    await primary.watch.execute("TRUNCATE cans")
    url = primary.server.superuser_url
    database = await Database.open(url, url, size=1)
    await primary.stall()
    put = asyncio.create_task(system_transaction(database, "cola"))
    await primary.waiting(1)
    database.app.terminate()
    database.system_pool.terminate()
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await put
    assert await primary.seen() == []
    await primary.waiting(1)
    await primary.go_on()


async def test_a_connection_outside_the_pools_hangs_up_too(primary: Primary) -> None:
    await primary.watch.execute("TRUNCATE cans")
    conn = await connect(primary.server.superuser_url)
    await primary.stall()
    put = asyncio.create_task(conn.execute(PUT, "cola"))
    await primary.waiting(1)
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    await asyncio.sleep(0.3)
    assert await primary.seen() == []
    assert conn.is_closed()
    await primary.go_on()


async def test_a_statement_that_computes_for_a_caller_who_is_gone_ends(
    primary: Primary, database: Database
) -> None:
    running = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    giving_up = asyncio.create_task(database.app.execute("SELECT pg_sleep(300)"))
    await primary.until(running, 1)
    giving_up.cancel()
    await primary.until(running, 0)


async def test_the_error_of_a_transaction_is_told_and_not_that_its_connection_is_gone(
    database: Database,
) -> None:
    async def work() -> None:
        async with database.system_transaction() as conn:
            conn.terminate()
            raise LookupError

    with pytest.raises(LookupError):
        await work()
    async with asyncio.timeout(5):
        await system_connection(database, "cola")


async def test_a_transaction_whose_failure_was_swallowed_does_not_pass_for_committed(
    database: Database,
) -> None:
    async def work() -> None:
        async with database.system_transaction() as conn:
            with pytest.raises(asyncpg.UndefinedTableError):
                await conn.execute("SELECT * FROM nowhere")

    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await work()


async def test_a_start_where_no_server_can_be_written_to_waits_and_says_so(
    primary: Primary,
) -> None:
    """As when a failover is under way and only standbys answer."""
    await primary.watch.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    await primary.watch.execute(RELOAD)
    await primary.until("SELECT current_setting('transaction_read_only')", "on")
    url = f"{primary.server.superuser_url}?target_session_attrs=read-write"
    with capture_logs() as said:
        opening = asyncio.create_task(Database.open(url, url, size=1))
        async with asyncio.timeout(20):
            while not any(line["event"] == "database_unreachable" for line in said):
                await asyncio.wait({opening}, timeout=0.05)
                assert not opening.done()
        await primary.watch.execute("ALTER SYSTEM RESET default_transaction_read_only")
        await primary.watch.execute(RELOAD)
        database = await opening
    assert "password" not in str(said)
    assert "read-write" in str(said)
    await system_connection(database, "cola")
    await database.close()
