"""Who is let in as a machine: only the device of an outlet that stands, with its own secret."""

import pytest

from coinslot.outlets.machines import device_logins, is_device, issue_device
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
