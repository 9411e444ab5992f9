"""`coinslot audit` over an embedded database: running or stopped, well or spoiled."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from coinslot.app.schema import sql_functions
from coinslot.db.embedded import EmbeddedPostgres, running_superuser_url
from coinslot.db.migrate import migrate
from tests import inside

ROOT = Path(__file__).parent.parent.parent
SPOIL = (
    "SET session_replication_role = replica;"
    "INSERT INTO merchants (id, name, slug, created_at)"
    " VALUES (gen_random_uuid(), 'Asha', 'asha', now());"
    "INSERT INTO orders (id, merchant_id, outlet_id, state, token, number, source, amount_minor,"
    " currency, placed_at) SELECT gen_random_uuid(), id, 'M01', 'paid', 't', 'K7F2', 'page', 1,"
    " 'INR', now() FROM merchants"
)


async def command(folder: Path, *more: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "coinslot", "audit", "--data", str(folder), *more,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"}, cwd=ROOT,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def joined(folder: Path, *more: str) -> tuple[int, str, str]:
    """The same inside this process, over a server that runs."""
    asked = ("audit", "--data", str(folder), *more)
    done = await asyncio.to_thread(inside.coinslot, *asked, env={"COLUMNS": "200"})
    return done.returncode, done.stdout, done.stderr


async def report(folder: Path) -> tuple[int, dict[str, Any]]:
    code, out, err = await joined(folder, "--json")
    assert out, err
    said: dict[str, Any] = msgspec.json.decode(out)
    return code, said


async def test_a_running_database_is_joined_and_a_stopped_one_started_and_stopped_again(
    tmp_path: Path,
) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    try:
        code, _, err = await command(tmp_path)
        assert (code, "not migrated" in err) == (1, True)
        await migrate(server.owner_url, "a", "d", sql_functions())
        code, said = await report(tmp_path)
        assert (code, said["ok"], said["notices"][0]["rows"]) == (0, True, [])
    finally:
        await server.stop()
    code, out, err = await command(tmp_path)
    assert (code, err) == (0, "")  # not even that the database was started for it
    assert out.splitlines()[0] == "holds  captures are accounted for"
    assert running_superuser_url(tmp_path) is None


async def test_a_broken_invariant_ends_with_one_and_shows_its_rows(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    try:
        await migrate(server.owner_url, "a", "d", sql_functions())
        conn = await asyncpg.connect(server.superuser_url)
        await conn.execute(SPOIL)
        await conn.close()
        code, said = await report(tmp_path)
        broken = {check["name"]: check["rows"] for check in said["checks"] if not check["ok"]}
        assert (code, said["ok"]) == (1, False)
        assert broken["paid_orders_have_their_units"][0]["units"] == 0
        code, out, _ = await joined(tmp_path)
        assert code == 1
        assert "FAILS  paid orders have their units" in out
    finally:
        await server.stop()


async def test_a_folder_without_a_database_is_said_so_and_stays_as_it_was(tmp_path: Path) -> None:
    code, _, err = await joined(tmp_path)
    assert (code, "there is no database in" in err) == (1, True)
    assert list(tmp_path.iterdir()) == []
