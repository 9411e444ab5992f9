"""Migrations: once, in order, all or nothing, and never rewritten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from coinslot.db.migrate import MigrationError, make_login, migrate, pending
from coinslot.db.pool import Connection
from tests.conftest import TEST_PASSWORD, DatabaseUrls, sql_functions

ONE = "CREATE TABLE one (n int)"
TWO = "ALTER TABLE one ADD COLUMN m int"
ANSWER = "CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT {}'"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_one.sql").write_text(ONE)
    (tmp_path / "0002_two.sql").write_text(TWO)
    return tmp_path


async def run(urls: DatabaseUrls, folder: Path, *functions: tuple[str, str]) -> list[str]:
    return await migrate(urls.owner, TEST_PASSWORD, TEST_PASSWORD, functions, folder)


async def value(url: str, query: str) -> object:
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetchval(query)
    finally:
        await conn.close()


async def test_each_file_is_applied_once_in_order(blank_urls: DatabaseUrls, folder: Path) -> None:
    assert await run(blank_urls, folder) == ["0001_one", "0002_two"]
    assert await run(blank_urls, folder) == []
    (folder / "0003_three.sql").write_text("CREATE TABLE three (n int)")
    assert await pending(blank_urls.owner, folder=folder) == ["0003_three"]
    assert await run(blank_urls, folder) == ["0003_three"]


async def test_pending_reads_an_empty_database_and_changes_nothing(
    blank_urls: DatabaseUrls, folder: Path
) -> None:
    assert await pending(blank_urls.owner, [("f", ONE)], folder) == ["0001_one", "0002_two", "f"]
    assert await value(blank_urls.owner, "SELECT to_regclass('schema_migrations')") is None


async def test_an_applied_file_that_was_changed_is_an_error_that_names_it(
    blank_urls: DatabaseUrls, folder: Path
) -> None:
    await run(blank_urls, folder)
    (folder / "0001_one.sql").write_text(ONE + " -- tidied")
    (folder / "0003_three.sql").write_text("CREATE TABLE three (n int)")
    with pytest.raises(MigrationError, match="0001_one was changed"):
        await run(blank_urls, folder)
    assert await value(blank_urls.owner, "SELECT to_regclass('three')") is None


async def test_a_file_that_fails_leaves_nothing_behind(
    blank_urls: DatabaseUrls, folder: Path
) -> None:
    (folder / "0003_three.sql").write_text("CREATE TABLE three (n int); SELECT 1/0;")
    with pytest.raises(MigrationError, match="0003_three: division by zero"):
        await run(blank_urls, folder)
    assert await value(blank_urls.owner, "SELECT to_regclass('one')") is None


@pytest.mark.parametrize("name", ["0002_a_second.sql", "three.sql", "0003_A.sql"])
async def test_a_file_out_of_line_is_refused(
    blank_urls: DatabaseUrls, folder: Path, name: str
) -> None:
    (folder / name).write_text("SELECT 1")
    with pytest.raises(MigrationError):
        await run(blank_urls, folder)


async def test_numbers_taken_apart_by_branches_may_leave_a_gap_that_is_filled_later(
    blank_urls: DatabaseUrls, folder: Path
) -> None:
    (folder / "0009_nine.sql").write_text("CREATE TABLE nine ()")
    await run(blank_urls, folder)
    (folder / "0007_seven.sql").write_text("CREATE TABLE seven ()")
    assert await run(blank_urls, folder) == ["0007_seven"]


async def test_a_database_newer_than_the_code_is_refused(
    blank_urls: DatabaseUrls, folder: Path
) -> None:
    await run(blank_urls, folder)
    (folder / "0002_two.sql").unlink()
    with pytest.raises(MigrationError, match="newer than this code: 0002_two"):
        await run(blank_urls, folder)


async def test_functions_are_applied_again_when_their_text_changed(
    blank_urls: DatabaseUrls, folder: Path
) -> None:
    assert "answer" in await run(blank_urls, folder, ("answer", ANSWER.format(41)))
    assert await run(blank_urls, folder, ("answer", ANSWER.format(41))) == []
    assert await run(blank_urls, folder, ("answer", ANSWER.format(42))) == ["answer"]
    assert await value(blank_urls.owner, "SELECT answer()") == 42
    assert await run(blank_urls, folder) == []


async def test_processes_that_start_together_migrate_once(
    blank_urls: DatabaseUrls, folder: Path
) -> None:
    applied = await asyncio.gather(*(run(blank_urls, folder) for _ in range(4)))
    assert sorted(applied) == [[], [], [], ["0001_one", "0002_two"]]


async def test_the_logins_are_neither_superuser_nor_above_the_policies(urls: DatabaseUrls) -> None:
    for url in (urls.app, urls.door, urls.owner):
        assert await value(
            url,
            "SELECT NOT rolsuper AND NOT rolbypassrls FROM pg_roles WHERE rolname = current_user",
        )


async def test_a_login_above_the_policies_stops_the_migration(
    blank_urls: DatabaseUrls,
) -> None:
    async with role_maker(blank_urls) as (conn, role):
        await conn.execute(f"CREATE ROLE {role} LOGIN BYPASSRLS")
        with pytest.raises(MigrationError, match="BYPASSRLS"):
            await make_login(conn, role, TEST_PASSWORD)


async def test_a_password_may_hold_any_character_and_may_change(blank_urls: DatabaseUrls) -> None:
    async with role_maker(blank_urls) as (conn, role):
        for password in ('it\'s "odd" \\ %L {} \n', "plain"):
            await make_login(conn, role, password)
            login = await asyncpg.connect(blank_urls.app, user=role, password=password)
            await login.close()


@asynccontextmanager
async def role_maker(urls: DatabaseUrls) -> AsyncIterator[tuple[Connection, str]]:
    """A role of this test alone: roles belong to the whole server."""
    conn = await asyncpg.connect(urls.superuser)
    role = f"test_{uuid4().hex}"
    try:
        yield conn, role
    finally:
        await conn.execute(f"DROP ROLE {role}")
        await conn.close()


async def test_our_own_migrations_have_nothing_left_to_do_on_the_template(
    urls: DatabaseUrls,
) -> None:
    assert await pending(urls.owner, sql_functions()) == []
