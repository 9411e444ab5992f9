"""The auditor's questions about updates: an honest fleet answers them, and each way to break one
turns its own check red."""

import pytest

from coinslot.db.pool import RawConnection
from coinslot.rollouts.checks import ROLLOUT_CHECKS
from tests.rollouts.fleet import Fleet

OFF, MET, ROOM, TRIED = ROLLOUT_CHECKS
AT = "2026-11-21T12:00:00Z"
# A unit of the machine V000, before or after its GO in the log.
_TOLD = (
    "INSERT INTO events (merchant_id, machine, subject_id, event, was, state, at) SELECT"
    " merchant_id, 'fulfillment', id, 'OFFER', 'queued', 'offered', queued_at FROM fulfillments"
)
BREAKS = (
    (OFF, "UPDATE outlet_stops SET until = now() WHERE outlet_id = 'V001'"),
    (OFF, "DELETE FROM outlet_stops"),
    (OFF, "DELETE FROM outlet_stops; UPDATE machine_updates SET state = 'silent'"
          " WHERE outlet_id = 'V001'"),
    (MET, f"WITH u AS (UPDATE fulfillments SET outlet_id = 'V001' RETURNING id) {_TOLD}"),
    (MET, "UPDATE fulfillments SET outlet_id = 'V001'; DELETE FROM events WHERE machine ="
          " 'fulfillment' AND state IN ('vended')"),
    (ROOM, "INSERT INTO outlet_stops (outlet_id, why, merchant_id, since) SELECT id,"
           " 'before_update', merchant_id, now() FROM outlets WHERE id = 'V000'"),
    (ROOM, "INSERT INTO outlet_stops (outlet_id, why, merchant_id, since, until) SELECT id,"
           " 'before_update', merchant_id, now(), now() + interval '61 minutes' FROM outlets"
           " WHERE id = 'V000'"),
    (TRIED, "DELETE FROM events WHERE event = 'NEW_VERSION'"),
)  # fmt: skip


@pytest.fixture
async def updated(fleet: Fleet) -> Fleet:
    """One machine has sold and then got the build; another is told to install."""
    await fleet.add(2)
    await fleet.sell("V000")
    await fleet.settle()
    await fleet.roll_out(await fleet.upload(), machines=("V000",))
    await fleet.settle()
    assert await fleet.state_of("V000") == "confirmed"
    await fleet.wait(15)
    await fleet.abort()
    await fleet.roll_out(await fleet.upload("2.0.1", sequence=3), machines=("V001",))
    await fleet.settle_but_go()
    assert await fleet.state_of("V001") == "installing"
    return fleet


async def test_an_honest_fleet_is_well(updated: Fleet) -> None:
    assert not (await updated.stage.audit()).red
    assert {check for check, _ in BREAKS} == set(ROLLOUT_CHECKS)
    await updated.settle()


@pytest.mark.parametrize(("check", "how"), BREAKS)
async def test_an_outlet_that_sold_during_its_update_turns_its_own_check_red(
    updated: Fleet, hand: RawConnection, check: str, how: str
) -> None:
    async with hand.transaction():
        await hand.execute(how)
        red = await _red(hand)
        await hand.execute("ROLLBACK; BEGIN")
    assert red == {check}


async def _red(hand: RawConnection) -> set[str]:
    """The checks that do not hold, as this hand sees it."""
    return {name for name, sql in ROLLOUT_CHECKS.items() if await hand.fetch(sql)}


async def test_what_wants_a_person_is_a_case(fleet: Fleet) -> None:
    """A roll-out that stopped by itself, and a machine that never came back."""
    (code,) = await fleet.add(1)
    await fleet.roll_out(await fleet.upload(behaviour="bricks"))
    await fleet.wait(460, step=20)
    await fleet.stage.sweep()
    cases = await fleet.stage.rows("SELECT kind, subject, data FROM cases ORDER BY kind")
    assert [row["kind"] for row in cases] == ["machine_silent_in_update", "rollout_paused"]
    assert cases[0]["data"]["machine"] == code
    assert cases[1]["data"]["reason"] == "none_confirmed"
    await fleet.abort()
    await fleet.give_up(code)
    await fleet.stage.sweep()
    open_ = await fleet.stage.value("SELECT count(*) FROM cases WHERE closed_at IS NULL")
    assert open_ == 0
