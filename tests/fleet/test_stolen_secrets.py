"""Whoever has a machine's secret may say what they like of that machine. When it is replaced, the
machine is as before: no number that was said is in the way of the true ones."""

from uuid import uuid4

import pytest

from coinslot.channels import messages as wire
from coinslot.channels.messages import BIGINT_MAX
from coinslot.outlets.machines import issue_device
from tests.fleet.test_config import changed
from tests.fleet.test_pushing import TEA, aware, pushed, says, sold, wanted
from tests.sales.stage import Stage
from tests.stock.test_counts import counted, stock
from tests.stock.test_counts import sold as vended

__all__ = ["aware"]

HIGHEST = 999_999_999  # that is believed


async def test_a_machine_whose_thief_said_the_highest_version_takes_configurations_on(
    aware: Stage,
) -> None:
    await says(aware, HIGHEST)
    assert pushed(aware) == [HIGHEST + 1]
    await says(aware, HIGHEST + 1)
    assert await wanted(aware) == (HIGHEST + 1, HIGHEST + 1, HIGHEST + 1)
    await changed(aware, TEA)
    await says(aware, HIGHEST + 1)
    assert pushed(aware)[-1] == HIGHEST + 2
    await says(aware, HIGHEST + 2)
    assert await sold(aware) == ("tea", 4000)
    assert await wanted(aware) == (HIGHEST + 2, HIGHEST + 2, HIGHEST + 2)
    await says(aware, HIGHEST + 3)  # of nobody
    assert await wanted(aware) == (HIGHEST + 2, HIGHEST + 2, 0)


async def replaced(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await issue_device(conn, stage.context.vault, stage.merchant, "M01", stage.clock.now())


async def test_counts_of_a_new_secret_are_taken_whatever_number_the_thief_had_reached(
    stage: Stage,
) -> None:
    await stage.hello()
    assert await counted(stage, 99, seq=BIGINT_MAX, event_seq=10_000) == 99
    await replaced(stage)
    await stage.hello()
    assert await counted(stage, 7, seq=2, event_seq=0) == 7
    await vended(stage, 1)
    assert await stock(stage) == 6
    assert await counted(stage, 7, seq=1, event_seq=0) == 6, "an older one of the same secret"
    assert await counted(stage, 5, seq=3, event_seq=2) == 5


async def test_a_line_with_the_highest_number_is_not_in_the_way_of_counts(stage: Stage) -> None:
    await stage.hello()
    invented = wire.Result(
        unit_id=uuid4(), journal_id="j1", event_seq=BIGINT_MAX, outcome=wire.Outcome.VENDED
    )
    await stage.hear(invented)
    assert await counted(stage, 7, seq=1, event_seq=0) == 7


@pytest.mark.parametrize("claimed", [BIGINT_MAX, BIGINT_MAX - 200, 10**15])
async def test_a_journal_that_says_that_all_numbers_are_stored_is_heard_on(
    stage: Stage, claimed: int
) -> None:
    hello = wire.Hello(
        journal_id="j1", boot_id="b1", mono_ms=1000, last_seq=0, unacked_from=claimed,
        capabilities=wire.Capabilities(journal=True, sensor=True),
    )  # fmt: skip
    (sync,) = await stage.hear(hello)
    assert isinstance(sync, wire.Sync)
    assert sync.through == 0
    await vended(stage, 1)
    (sync,) = await stage.hello()
    assert sync.through == 2
    assert await stage.value("SELECT state FROM orders") == "completed"
