"""`coinslot migrate` and `coinslot doctor` on a database that an operator brings."""

import asyncio
import base64
import subprocess
from pathlib import Path

import pytest

from coinslot.app.schema import sql_functions
from coinslot.db.embedded import EmbeddedPostgres
from coinslot.db.migrate import migrate
from coinslot.kit.secrets import Vault
from tests import inside
from tests.conftest import TEST_PASSWORD, DatabaseUrls
from tests.scenarios.installation import coinslot


class Operator:
    """Their variables, and a database without tables."""

    def __init__(self, urls: DatabaseUrls) -> None:
        self.env = {
            "COINSLOT_PUBLIC_URL": "http://127.0.0.1:9",  # nobody listens there
            "DATABASE_URL": urls.app,
            "COINSLOT_DOOR_URL": urls.door,
            "COINSLOT_OWNER_URL": urls.owner,
            "COINSLOT_KEYS": "1:" + base64.b64encode(Vault.new_key()).decode(),
        }

    async def runs(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """In a process of its own."""
        return await asyncio.to_thread(coinslot, *words, env={**self.env, **env})

    async def asks(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(inside.coinslot, *words, env={**self.env, **env})


@pytest.fixture
def operator(blank_urls: DatabaseUrls) -> Operator:
    return Operator(blank_urls)


async def test_a_new_database_is_migrated_once_however_often_it_is_asked_for(
    operator: Operator,
) -> None:
    check = await operator.asks("migrate", "--check")
    assert check.returncode == 1
    assert check.stdout.startswith("missing: 0001_merchants\n")
    doctor = await operator.runs("doctor")
    assert doctor.returncode == 1
    assert "sick  database: reachable; run `coinslot migrate` for 0001_merchants" in doctor.stdout
    # The first two at once, as two servers started together do.
    done = [*await asyncio.gather(operator.runs("migrate"), operator.runs("migrate"))]
    done.append(await operator.asks("migrate"))
    assert [one.returncode for one in done] == [0, 0, 0]
    applied = f"{len(check.stdout.splitlines())} applied\n"
    assert sorted(one.stdout for one in done) == [applied, "nothing to do\n", "nothing to do\n"]
    check, doctor = await asyncio.gather(
        operator.asks("migrate", "--check"), operator.asks("doctor")
    )
    assert (check.returncode, check.stdout) == (0, "")
    assert (doctor.returncode, "sick" in doctor.stdout) == (0, False)
    assert "nobody answers at http://127.0.0.1:9/health" in doctor.stdout
    assert "database: up to date" in doctor.stdout


async def test_what_is_wrong_with_the_database_is_one_line(operator: Operator) -> None:
    wrong = operator.env["DATABASE_URL"].replace(TEST_PASSWORD, "a-guess")
    absent = operator.env["DATABASE_URL"] + "_absent"
    expected = {
        ("web", operator.env["DATABASE_URL"]): "run `coinslot migrate`",
        ("worker", wrong): 'password authentication failed for user "coinslot_app"',
        ("device", absent): "does not exist",
    }
    ended = await asyncio.gather(*(operator.runs(role, DATABASE_URL=url) for role, url in expected))
    for done, line in zip(ended, expected.values(), strict=True):
        assert (done.returncode, done.stdout) == (1, "")
        assert line in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
        assert "a-guess" not in done.stderr
    assert (await operator.asks("migrate")).returncode == 0
    doctor = await operator.asks("doctor", DATABASE_URL=wrong)
    assert doctor.returncode == 1
    assert 'sick  database: password authentication failed for user "coinslot_app"' in doctor.stdout
    assert "well  keys: readable" in doctor.stdout


async def test_the_embedded_database_of_a_running_server_is_looked_at_and_left_as_it_is(
    tmp_path: Path,
) -> None:
    async def asks(*words: str) -> tuple[int, str, str]:
        asked = (*words, "--data", str(tmp_path))
        done = await asyncio.to_thread(inside.coinslot, *asked, env={"COLUMNS": "300"})
        return done.returncode, done.stdout, done.stderr

    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    try:
        code, out, err = await asks("migrate", "--check")
        assert (code, err, out.startswith("missing: 0001_merchants\n")) == (1, "", True)
        code, out, err = await asks("migrate")
        assert (code, out, "start it again" in err) == (1, "", True)
        await migrate(server.owner_url, "a", "d", sql_functions())
        assert await asks("migrate", "--check") == (0, "", "")
        assert await asks("migrate") == (0, "nothing to do\n", "")
    finally:
        await server.stop()


@pytest.mark.parametrize("knows_the_owner", [True, False])
async def test_before_the_first_migration_nobody_is_sent_to_look_for_a_password(
    operator: Operator, knows_the_owner: bool
) -> None:
    """The logins are not there yet, which PostgreSQL calls a wrong password."""
    absent = {
        "DATABASE_URL": operator.env["DATABASE_URL"].replace("coinslot_app", "not_made_yet"),
        "COINSLOT_DOOR_URL": operator.env["COINSLOT_DOOR_URL"].replace("coinslot_door", "nor_this"),
    }
    if not knows_the_owner:
        operator.env.pop("COINSLOT_OWNER_URL")
    doctor, keys = await asyncio.gather(
        operator.asks("doctor", **absent), operator.asks("keys", **absent)
    )
    assert doctor.returncode == keys.returncode == 1
    [sick] = [line for line in doctor.stdout.splitlines() if line.startswith("sick  database")]
    assert "`coinslot migrate`" in sick
    assert ("password" in sick.partition("(")[0]) is not knows_the_owner
    assert "`coinslot migrate` makes the logins" in keys.stderr
