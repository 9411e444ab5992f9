"""The embedded PostgreSQL: it dies with us, starts again at once, and loses nothing it promised."""

import asyncio
import contextlib
import os
import signal
import stat
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from coinslot.db.child_server import FolderInUseError, locked, runs
from coinslot.db.embedded import EmbeddedPostgres, running_superuser_url
from coinslot.device.broker import EmbeddedNats
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(tmp_path, durable=False)
    await made.start()
    yield made
    await made.stop()


async def value(url: str, query: str) -> object:
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetchval(query)
    finally:
        await conn.close()


async def kill_while_it_writes(folder: Path) -> int:
    """Starts a process group like a demo's, kills it whole with -9 while it writes, and says the
    last row whose commit it told."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.db.victim", str(folder),
        cwd=ROOT, env={"PYTHONPATH": os.pathsep.join(sys.path)}, process_group=0,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    told = 0
    async for line in process.stdout:
        if line.strip().isdigit():
            told = int(line)
            if told % 20 == 0 and process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
    return told


async def test_killed_with_9_at_work_and_started_at_once_nothing_told_is_lost(
    tmp_path: Path,
) -> None:
    ports = set()
    for _ in range(2):
        told = await kill_while_it_writes(tmp_path)
        server, broker = EmbeddedPostgres(tmp_path), EmbeddedNats(tmp_path)
        began = time.monotonic()
        await asyncio.gather(server.start(), broker.start())
        assert time.monotonic() - began < 15
        kept = await value(server.superuser_url, "SELECT max(n) FROM told")
        assert kept in (told, told + 1)  # the last commit may have died before it was told
        ports.add(server.port)
        await asyncio.gather(server.stop(), broker.stop())
    assert len(ports) == 1


async def test_the_servers_die_with_their_parent(tmp_path: Path) -> None:
    await kill_while_it_writes(tmp_path)
    async with asyncio.timeout(15):
        while True:
            if not command_lines_with(tmp_path):
                break
            await asyncio.sleep(0.02)


def command_lines_with(folder: Path) -> list[bytes]:
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            lines.append(entry.read_bytes())
    return [line for line in lines if str(folder).encode() in line]


async def test_a_server_that_was_left_running_is_stopped_at_the_next_start(
    tmp_path: Path,
) -> None:
    left = EmbeddedPostgres(tmp_path, durable=False)
    await left.start()
    pid = int((tmp_path / "postgres/data/postmaster.pid").read_text().split()[0])
    assert left._lock is not None
    left._lock.close()  # as the kernel does when the parent dies
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    assert not runs(pid, "postgres", str(tmp_path / "postgres/data"))
    assert await value(server.superuser_url, "SELECT 1") == 1
    await server.stop()
    await left.stop()


async def test_a_process_that_only_has_the_old_number_is_left_alone(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    await server.stop()
    stranger = await asyncio.create_subprocess_exec("/bin/sleep", "60")
    pid_file = tmp_path / "postgres/data/postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n{tmp_path}/postgres/data\n0\n{server.port}\n\n\n\n")
    await server.start()
    assert await value(server.superuser_url, "SELECT 1") == 1
    assert stranger.returncode is None
    await server.stop()
    stranger.kill()
    await stranger.wait()


async def test_passwords_and_port_are_the_same_after_a_restart_and_for_us_alone(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    before = (server.superuser_url, server.owner_url)
    await server.stop()
    again = EmbeddedPostgres(tmp_path, durable=False)
    await again.start()
    assert (again.superuser_url, again.owner_url) == before
    await again.stop()
    secrets = tmp_path / "postgres/secrets.json"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600


async def test_a_port_that_someone_took_is_left_to_them(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    await server.stop()
    thief = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", server.port)
    again = EmbeddedPostgres(tmp_path, durable=False)
    await again.start()
    assert again.port != thief.sockets[0].getsockname()[1]
    await again.stop()
    thief.close()


async def test_a_port_that_was_asked_for_is_used(tmp_path: Path) -> None:
    wanted = free_port()
    server = EmbeddedPostgres(tmp_path, wanted, durable=False)
    await server.start()
    assert f"127.0.0.1:{wanted}/coinslot" in server.superuser_url
    await server.stop()


async def test_nobody_comes_in_without_a_password(server: EmbeddedPostgres) -> None:
    for login in ("postgres", "coinslot_owner"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await value(server.url(login, "guessed"), "SELECT 1")


async def test_the_owner_owns_the_database_and_is_no_superuser(server: EmbeddedPostgres) -> None:
    assert await value(
        server.owner_url,
        "SELECT rolcreaterole AND NOT rolsuper AND NOT rolbypassrls AND pg_get_userbyid(datdba)"
        " = current_user FROM pg_roles, pg_database"
        " WHERE rolname = current_user AND datname = current_database()",
    )


async def test_it_says_where_a_running_server_is_and_when_none_runs(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    assert running_superuser_url(tmp_path) == server.superuser_url
    await server.stop()
    assert running_superuser_url(tmp_path) is None
    assert running_superuser_url(tmp_path / "nowhere") is None


async def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres/initdb-killed/data"
    half.mkdir(parents=True)
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    assert not half.exists()
    await server.stop()


async def test_a_folder_has_one_owner_at_a_time(server: EmbeddedPostgres, tmp_path: Path) -> None:
    with pytest.raises(FolderInUseError):
        await locked(tmp_path / "postgres/lock", time.monotonic())


async def test_kept_it_comes_back_at_the_same_address_with_what_it_promised(
    tmp_path: Path,
) -> None:
    server = EmbeddedPostgres(tmp_path)
    await server.start()
    keeper = asyncio.create_task(server.keep_running())
    url = server.superuser_url
    try:
        await value(url, "CREATE TABLE promised AS SELECT 1 AS kept")
        for _ in range(2):
            lines = (tmp_path / "postgres/data/postmaster.pid").read_text(encoding="ascii")
            os.kill(int(lines.splitlines()[0]), signal.SIGKILL)
            assert await _once_it_answers(url, "SELECT kept FROM promised") == 1
    finally:
        keeper.cancel()
        await asyncio.wait({keeper})
        await server.stop()
    with pytest.raises(OSError):
        await value(url, "SELECT 1")


async def _once_it_answers(url: str, query: str) -> object:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return await value(url, query)
            await asyncio.sleep(0.05)
