"""Who is let in as a machine: only the device of an outlet that stands, with its own secret."""

from typing import Any

import bcrypt
import pytest

from coinslot.outlets.machines import (
    DeviceSecret,
    device_logins,
    hashed,
    is_device,
    issue_device,
    next_secret,
    replace_secret,
)
from coinslot.payments import provision
from tests.sales.neighbours import a_second_machine, chandras_machine
from tests.sales.stage import Stage


async def test_a_device_is_known_by_its_own_secret_alone(stage: Stage) -> None:
    second = await a_second_machine(stage)
    assert await is_device(stage.context.db, "M01", stage.secret) == stage.merchant
    assert await is_device(stage.context.db, second.outlet, stage.secret) is None
    assert await is_device(stage.context.db, "M99", stage.secret) is None


async def test_a_new_secret_ends_the_old_one(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        fresh = await issue_device(
            conn, stage.context.vault, stage.merchant, "M01", stage.clock.now()
        )
    assert await is_device(stage.context.db, "M01", stage.secret) is None
    assert await is_device(stage.context.db, "M01", fresh) == stage.merchant


@pytest.mark.parametrize("more", ["x", "x" * 64])
async def test_nothing_behind_a_secret_is_overlooked(stage: Stage, more: str) -> None:
    assert await is_device(stage.context.db, "M01", stage.secret + more) is None


async def test_a_decommissioned_machine_is_nobody_and_its_login_goes(stage: Stage) -> None:
    second = await a_second_machine(stage)
    stranger = await chandras_machine(stage)
    logins = await device_logins(stage.context.db, "mqtt")
    assert [login.outlet for login in logins] == sorted(["M01", second.outlet, stranger.outlet])
    await provision.decommission(stage.context, "M01")
    assert await is_device(stage.context.db, "M01", stage.secret) is None
    left = await device_logins(stage.context.db, "mqtt")
    assert [login.outlet for login in left] == sorted([second.outlet, stranger.outlet])


async def test_each_channel_knows_the_logins_of_its_own_machines(simple_stage: Stage) -> None:
    second = await a_second_machine(simple_stage)
    assert [d.outlet for d in await device_logins(simple_stage.context.db, "socketio")] == ["M01"]
    assert [d.outlet for d in await device_logins(simple_stage.context.db, "mqtt")] == [
        second.outlet
    ]


async def test_a_secret_is_kept_sealed_hashed_and_numbered_and_no_other_machine_changes(
    stage: Stage,
) -> None:
    second, context = await a_second_machine(stage), stage.context

    async def kept() -> dict[str, Any]:
        return {one["outlet_id"]: one for one in await stage.rows("SELECT * FROM devices")}

    def opened(outlet: str, sealed: bytes) -> str:
        return context.vault.open(sealed, f"device:{outlet}").decode()

    before = await kept()
    assert opened("M01", before["M01"]["secret"]) == stage.secret
    assert len(bytes.fromhex(stage.secret)) == 32
    assert before["M01"]["broker_hash"].startswith("$2b$04$"), "brokers check it often"
    stage.later(5)
    async with context.db.as_merchant(stage.merchant) as conn:
        following = await next_secret(conn, context.vault, "M01", context.now())
    assert following is not None
    assert following == DeviceSecret(outlet="M01", secret=following.secret, key_id=2)
    assert following.login == "M01.2"
    after = await kept()
    device = after["M01"]
    before["M01"] |= {
        "next_secret": device["next_secret"], "next_hash": device["next_hash"],
        "next_key_id": 2, "next_issued_at": context.now(), "version": device["version"],
    }  # fmt: skip
    assert after == before
    assert opened("M01", device["next_secret"]) == following.secret
    assert bcrypt.checkpw(following.secret.encode(), device["next_hash"].encode())
    async with context.db.as_merchant(stage.merchant) as conn:
        anew = await replace_secret(conn, context.vault, stage.merchant, "M01", context.now())
    assert (anew.login, anew.key_id, len(anew.secret)) == ("M01", 1, 64)
    device = (await kept())["M01"]
    before["M01"] |= {
        "next_secret": None, "next_hash": None, "next_key_id": None, "next_issued_at": None,
        "secret": device["secret"], "broker_hash": device["broker_hash"],
        "version": device["version"],
    }  # fmt: skip
    assert await kept() == before
    assert opened("M01", device["secret"]) == anew.secret
    assert await is_device(context.db, "M01", anew.secret) == stage.merchant
    assert await is_device(context.db, second.outlet, anew.secret) is None


async def test_a_secret_is_read_to_its_end(stage: Stage) -> None:
    """bcrypt reads 72 bytes: what stands behind them would be any."""
    await stage.rows("UPDATE devices SET broker_hash = $1 RETURNING 1", hashed("s" * 72))
    assert await is_device(stage.context.db, "M01", "s" * 72) == stage.merchant
    for longer in ("s" * 73, "s" * 71 + "é", "s" * 71):
        assert await is_device(stage.context.db, "M01", longer) is None
