"""The audit's checks of coffee machines: each is broken by hand, and it alone turns red."""

import pytest

from coinslot.db.pool import Database, RawConnection
from tests.coffee.stage import Cafe, set_cafe
from tests.conftest import DatabaseUrls


@pytest.fixture
async def spoiled(database: Database, urls: DatabaseUrls) -> Cafe:
    """A cup that was sold, and one that went back: nothing closes these books at the end."""
    made = await set_cafe(database)
    made.stage.owner_url = urls.owner
    token = await made.sell()
    await made.says(token, came=False)
    await made.sell()
    made.stage.later(181)
    await made.stage.sweep()
    return made


BREAKS = {
    "a_cup_is_commanded_once": "INSERT INTO events (merchant_id, machine, subject_id, event, was,"
    " state, data, at) SELECT merchant_id, machine, subject_id, event, was, state, data, at"
    " FROM events WHERE event = 'MAKE' LIMIT 1",
    "an_expired_order_is_never_made": "UPDATE orders SET ends_by = placed_at",
    "a_cup_is_settled_for_its_reason": "UPDATE coffee_units SET grace_until ="
    " grace_until + interval '1 day'",
    "a_cup_belongs_to_a_code_on_a_screen": "DELETE FROM coffee_orders",
}


async def test_honest_cups_are_well(spoiled: Cafe) -> None:
    assert not (await spoiled.stage.audit()).red


@pytest.mark.parametrize("check", BREAKS)
async def test_a_broken_promise_of_a_cup_turns_its_own_check_red(
    spoiled: Cafe, hand: RawConnection, check: str
) -> None:
    await hand.execute(BREAKS[check])
    red = (await spoiled.stage.audit()).red
    # A move too many is seen by the auditor of all moves, too.
    assert red - {"states_follow_the_tables"} == {check}


@pytest.mark.parametrize(
    ("basis", "spoil"),
    [("command_taken", "answer = 'unclear'"), ("command_taken", "grace_until = NULL"),
     ("policy_goods", "rule = NULL"), ("person_said", "said_by = NULL"),
     ("refused", "answer = 'taken'")],
)  # fmt: skip
async def test_a_basis_without_its_reason_is_seen(
    spoiled: Cafe, hand: RawConnection, basis: str, spoil: str
) -> None:
    await hand.execute("UPDATE fulfillments SET basis = $1 WHERE settlement = 'fulfilled'"
                       " AND kind = 'coffee'", basis)  # fmt: skip
    await hand.execute(f"UPDATE coffee_units SET {spoil} WHERE id IN (SELECT id FROM fulfillments"
                       " WHERE settlement = 'fulfilled')")  # fmt: skip
    assert "a_cup_is_settled_for_its_reason" in (await spoiled.stage.audit()).red


def test_every_check_of_the_room_is_broken_here(spoiled: Cafe) -> None:
    assert set(BREAKS) == set(spoiled.coffee.checks)
