"""The fourth book: what slots hold is explained by counts and vends. Each check is broken by hand,
and it alone turns red."""

import pytest

from coinslot.db.pool import Database, RawConnection
from coinslot.vending.slot_checks import SLOT_CHECKS
from tests.conftest import DatabaseUrls
from tests.sales.stage import Stage, set_stage
from tests.stock.test_counts import begun, counted, sold


@pytest.fixture
async def spoiled(database: Database, urls: DatabaseUrls) -> Stage:
    """A count, a can that fell after it, and one of which nobody knows."""
    made = await set_stage(database)
    made.owner_url = urls.owner
    await made.hello()
    await counted(made, 10, seq=1, event_seq=0)
    await sold(made, 1)
    await begun(made, 3)
    made.later(700)
    await made.sweep()
    return made


HELD, LEFT = "a_slot_holds_its_count_less_what_left_since", "every_unit_that_fell_left_a_slot"
BREAKS = (
    (HELD, "UPDATE slots SET stock = stock - 1"),
    (HELD, "UPDATE slots SET stock = stock + 1"),
    (HELD, "UPDATE slots SET counted_event = 2"),
    (HELD, "DELETE FROM slot_vends WHERE word = 'may_have'"),
    (LEFT, "UPDATE slot_vends SET word = 'may_have' WHERE word = 'fell'"),
    (LEFT, "UPDATE slot_vends SET word = 'fell' WHERE word = 'may_have'"),
    (LEFT, "UPDATE slot_vends SET merchant_id = gen_random_uuid()"),
    (LEFT, "WITH gone AS (DELETE FROM slot_vends WHERE word = 'fell' RETURNING slot)"
           " UPDATE slots SET stock = stock + 1"),
    (LEFT, "WITH dodged AS (UPDATE fulfillments SET basis = 'no_drop' WHERE basis = 'policy')"
           " SELECT"),
)  # fmt: skip


async def test_an_honest_machine_is_well(spoiled: Stage) -> None:
    assert not (await spoiled.audit()).red
    assert {check for check, _ in BREAKS} == set(SLOT_CHECKS)


@pytest.mark.parametrize(("check", "how"), BREAKS)
async def test_a_stock_that_vends_do_not_explain_turns_its_own_check_red(
    spoiled: Stage, hand: RawConnection, check: str, how: str
) -> None:
    await hand.execute(how)
    red = (await spoiled.audit()).red
    # A unit's settlement is looked at by others, too.
    assert check in red
    assert not (red & set(SLOT_CHECKS)) - {check}
