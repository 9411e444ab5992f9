"""A server that dies again and again in the middle of a roll-out: before a commit, after one, with
what it was about to send unsent. The next one goes on, and nothing is lost or doubled."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from msgspec.structs import replace

from coinslot.kit.faults import no_fault
from tests.rollouts.fleet import FAST, Fleet


class DiedError(Exception):
    """The process is gone."""


def dies_at(point: str, number: int, died: list[int]) -> Callable[[str], None]:
    """At that commit of its life, before it or after it, and it is noted."""
    left = [number]

    def reached(where: str) -> None:
        if where == point:
            left[0] -= 1
            if left[0] == 0:
                died.append(number)
                raise DiedError

    return reached


async def _next_process(fleet: Fleet) -> None:
    """Leases of the one that died have ended, and what it had not sent is lost."""
    fleet.stage.context.db.reached = no_fault
    for table in ("rollouts", "machine_updates", "fulfillments"):
        await fleet.stage.rows(
            f"UPDATE {table} SET leased_until = NULL WHERE leased_until IS NOT NULL RETURNING 1"
        )
    fleet.stage.later(30)
    await fleet.beat()


async def _one_life(fleet: Fleet, reached: Callable[[str], None]) -> None:
    """Of a server; it may end anywhere."""
    fleet.stage.context.db.reached = reached
    with suppress(DiedError):
        for _ in range(3):
            await fleet.stage.sweep("rollouts", "machine_updates", "fulfillments")
            await fleet.deliver()


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
async def test_a_roll_out_goes_on_whenever_its_server_dies(fleet: Fleet, point: str) -> None:
    codes = await fleet.add(10)
    await fleet.sell(codes[0])
    await fleet.settle()
    rules = replace(FAST, stages=("100%",), downloads=2, max_failures=100, failure_share=1.0)
    await fleet.roll_out(await fleet.upload(), rules)
    died: list[int] = []
    for life in range(40):
        await _one_life(fleet, dies_at(point, 1 + life % 5, died))
        await _next_process(fleet)
    assert len(died) > 10
    await fleet.wait(900, 30)  # what a death cut off is found by its deadlines alone
    states = Counter([await fleet.state_of(code) for code in codes])
    assert states["confirmed"] + states["silent"] + states["rolled_back"] == 10, states
    assert states["confirmed"] > 5
    assert fleet.versions()["2.0.0"] == states["confirmed"]
    assert sum(len(machine.drops()) for machine in fleet.machines.values()) == 1
