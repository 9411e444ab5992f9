"""The mirror's commands, as an operator runs them beside an installation."""

import asyncio
import base64

from tests import inside
from tests.conftest import DatabaseUrls
from tests.mirror.rig import Rig, vend


async def coinslot(rig: Rig, urls: DatabaseUrls, *words: str) -> tuple[int, str]:
    """The exit code, and what was said."""
    env = {
        "DATABASE_URL": urls.app,
        "COINSLOT_DOOR_URL": urls.door,
        "COINSLOT_OWNER_URL": urls.owner,
        "COINSLOT_KEYS": f"1:{base64.b64encode(b'k' * 32).decode()}",
        "COINSLOT_FIREBASE_URL": rig.url,
    }
    done = await asyncio.to_thread(inside.coinslot, *words, env=env)
    return done.returncode, done.stdout + done.stderr


async def test_check_finds_what_rebuild_mends(rig: Rig, urls: DatabaseUrls) -> None:
    await vend(rig.stage)
    code, said = await coinslot(rig, urls, "mirror", "check")
    assert code == 1
    assert "4 differences" in said
    assert "machines/M01" in said
    code, said = await coinslot(rig, urls, "mirror", "rebuild")
    assert (code, said) == (0, "4 nodes written, 0 taken away\n")

    code, said = await coinslot(rig, urls, "mirror", "check")
    assert (code, said) == (0, "0 differences, 0 entries of the log not mirrored yet\n")
    assert rig.tree("orders") is not None


async def test_a_database_that_is_away_is_one_line(rig: Rig, urls: DatabaseUrls) -> None:
    rig.sandbox.kill()
    code, said = await coinslot(rig, urls, "mirror", "rebuild")
    assert code == 1
    assert said.startswith("coinslot: the database at COINSLOT_FIREBASE_URL does not answer")
    code, said = await coinslot(rig, urls, "doctor")
    assert code == 1
    assert "sick  mirror: COINSLOT_FIREBASE_URL: ConnectError" in said
    rig.sandbox.start()

    code, said = await coinslot(rig, urls, "doctor")
    assert "well  mirror: reachable, and lets us in" in said
