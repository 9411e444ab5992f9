"""Connections: what one merchant may see of another's, and what survives a transaction."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from structlog.testing import capture_logs

from coinslot.db.embedded import EmbeddedPostgres
from coinslot.db.pool import AWAY, Database, DatabaseUnreachableError, connect, patiently
from tests.conftest import DatabaseUrls, on_server
from tests.ports import free_port

ASHA, CHANDRA = uuid4(), uuid4()
TOY = """
CREATE TABLE cans (merchant_id uuid NOT NULL, name text NOT NULL, facts jsonb);
ALTER TABLE cans ENABLE ROW LEVEL SECURITY;
ALTER TABLE cans FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON cans TO coinslot_app
    USING (merchant_id = nullif(current_setting('coinslot.merchant', true), '')::uuid);
CREATE POLICY door ON cans TO coinslot_door USING (true);
GRANT SELECT, INSERT, UPDATE ON cans TO coinslot_app;
GRANT SELECT ON cans TO coinslot_door;
"""


@pytest.fixture
async def cans(blank_urls: DatabaseUrls) -> AsyncIterator[Database]:
    await on_server(blank_urls.owner, TOY)
    database = await Database.open(blank_urls.app, blank_urls.door, size=2)
    for merchant, name in ((ASHA, "cola"), (CHANDRA, "tonic")):
        await put(database, merchant, name)
    yield database
    await database.close()


async def put(database: Database, merchant: UUID, name: str) -> None:
    async with database.as_merchant(merchant) as conn:
        await conn.execute("INSERT INTO cans VALUES ($1, $2)", merchant, name)


async def names(database: Database, merchant: UUID) -> list[str]:
    async with database.as_merchant(merchant) as conn:
        return [row["name"] for row in await conn.fetch("SELECT name FROM cans ORDER BY name")]


async def test_a_merchant_sees_its_own_rows_only(cans: Database) -> None:
    assert await names(cans, ASHA) == ["cola"]
    assert await names(cans, CHANDRA) == ["tonic"]
    assert await names(cans, uuid4()) == []


async def test_a_merchant_cannot_write_or_change_anothers_row(cans: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with cans.as_merchant(CHANDRA) as conn:
            await conn.execute("INSERT INTO cans VALUES ($1, 'forged')", ASHA)
    async with cans.as_merchant(CHANDRA) as conn:
        assert await conn.execute("UPDATE cans SET name = 'mine' WHERE name = 'cola'") == "UPDATE 0"


async def test_outside_a_transaction_of_a_merchant_nothing_is_seen(cans: Database) -> None:
    for _ in range(4):
        assert await names(cans, ASHA) == ["cola"]
        assert await cans.app.fetch("SELECT * FROM cans") == []


async def test_transactions_at_once_never_share_a_merchant(cans: Database) -> None:
    seen = await asyncio.gather(*(names(cans, m) for m in (ASHA, CHANDRA) * 25))
    assert seen == [["cola"], ["tonic"]] * 25


async def test_an_error_takes_the_whole_transaction_back(cans: Database) -> None:
    async def half() -> None:
        async with cans.as_merchant(ASHA) as conn:
            await conn.execute("INSERT INTO cans VALUES ($1, 'half done')", ASHA)
            raise LookupError

    with pytest.raises(LookupError):
        await half()
    assert await names(cans, ASHA) == ["cola"]


async def test_the_door_sees_all_merchants_and_changes_nothing_it_was_not_granted(
    cans: Database,
) -> None:
    async with cans.system_transaction() as conn:
        assert await conn.fetchval("SELECT count(*) FROM cans") == 2
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with cans.system_transaction() as conn:
            await conn.execute("UPDATE cans SET name = 'x'")


async def test_json_goes_in_and_comes_out_as_values(cans: Database) -> None:
    facts = {"amount": 4000, "tags": ["ü", None, True], "deep": {"a": {}}}
    async with cans.as_merchant(ASHA) as conn:
        await conn.execute("UPDATE cans SET facts = $1", facts)
        assert await conn.fetchval("SELECT facts FROM cans") == facts
        assert await conn.fetchval("SELECT $1::json", facts) == facts


async def test_after_a_migration_under_warm_connections_at_most_one_try_is_lost(
    cans: Database, blank_urls: DatabaseUrls
) -> None:
    async def read() -> None:
        async with cans.as_merchant(ASHA) as conn:
            await conn.fetch("SELECT * FROM cans")

    await asyncio.gather(read(), read())
    await on_server(blank_urls.owner, "ALTER TABLE cans ADD COLUMN price bigint")
    with pytest.raises(asyncpg.InvalidCachedStatementError):
        await read()
    await asyncio.gather(read(), read())


async def test_it_waits_for_a_database_that_is_down(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    url = server.superuser_url
    await server.stop()
    with capture_logs() as said:
        opening = asyncio.create_task(Database.open(url, url))
        await asyncio.sleep(0)
        await server.start()
        database = await opening
    assert any(line["event"] == "database_unreachable" for line in said)
    assert await database.app.fetchval("SELECT 1") == 1
    await database.close()
    await server.stop()


async def test_whatever_a_cut_line_breaks_counts_as_the_server_being_away(
    cans: Database, blank_urls: DatabaseUrls
) -> None:
    """Asleep in the pool, in the middle of a statement, or anywhere between: the cut comes by
    chance, so it comes often."""
    working = True
    errors: list[Exception] = []

    async def work() -> None:
        while working:
            try:
                await names(cans, ASHA)
            except Exception as error:  # noqa: BLE001 - which ones there are is the question
                errors.append(error)

    workers = [asyncio.create_task(work()) for _ in range(6)]
    for _ in range(25):
        await on_server(
            blank_urls.superuser,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'coinslot_app' AND datname = current_database()",
        )
    working = False
    await asyncio.gather(*workers)
    assert errors
    assert [error for error in errors if not isinstance(error, AWAY)] == []
    assert await names(cans, ASHA) == ["cola"]


async def test_it_does_not_wait_for_ever() -> None:
    nowhere = f"postgresql://a:b@127.0.0.1:{free_port()}/none"
    with pytest.raises(DatabaseUnreachableError):
        await Database.open(nowhere, nowhere, wait=timedelta(milliseconds=50))


async def test_a_wrong_password_is_told_at_once(urls: DatabaseUrls) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(urls.app.replace("of-the-tests", "guessed"))


async def test_closing_does_not_wait_for_a_transaction_that_never_ends(
    urls: DatabaseUrls,
) -> None:
    database = await Database.open(urls.app, urls.door, size=1)
    with pytest.raises(asyncpg.InterfaceError):
        async with database.system_transaction():
            await database.close(within=timedelta(milliseconds=50))


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 15; another operation is in progress"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.ConnectionFailureError("the server went away"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_server_that_dies_while_a_connection_is_made_ready_is_waited_for(
    error: Exception,
) -> None:
    """A process that started in that moment ended with a traceback."""
    answers: list[Exception | str] = [error, "open"]

    async def attempt() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await patiently(attempt, "postgresql://h/d", timedelta(seconds=5)) == "open"


async def test_an_address_that_is_none_is_not_waited_for() -> None:
    async def attempt() -> str:
        raise asyncpg.ClientConfigurationError("invalid DSN")

    with pytest.raises(asyncpg.ClientConfigurationError):
        await patiently(attempt, "postgresql://h/d", timedelta(seconds=5))
