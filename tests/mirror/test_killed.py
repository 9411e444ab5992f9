"""Whole mirrors: killed wherever they send or commit, two at once, and in the worst of weather."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from prometheus_client import REGISTRY

from coinslot.events.mirror.firebase import Remote, Tokens, UnclearError, address
from coinslot.events.mirror.mirror import READER, release_turn
from coinslot.events.mirror.rebuild import differences
from tests.conftest import DatabaseUrls
from tests.mirror.rig import SOON_S, Rig, mirror_through, running, vend
from tests.scenarios.installation import eventually
from tests.warm import PYTHONPATH, Program


async def run_until_fault(rig: Rig, urls: DatabaseUrls, fault: str) -> int:
    """The exit code of a mirror that may die at this point."""
    words = ["tests.mirror.victim", urls.app, urls.door, rig.url]
    victim = Program(words, {**os.environ, "COINSLOT_FAULT": fault, "PYTHONPATH": PYTHONPATH})
    return await asyncio.to_thread(victim.wait)


async def leases_end(rig: Rig) -> None:
    """What time does after a death."""
    async with rig.stage.context.db.system_connection() as conn:
        await conn.execute("UPDATE feed_cursors SET leased_until = NULL WHERE name = $1", READER)
    await release_turn(rig.stage.context.db)


@pytest.mark.parametrize("point", ["before_send", "after_send", "after_claim"])
async def test_killed_at_any_point_it_goes_on_and_ends_the_same(
    rig: Rig, urls: DatabaseUrls, point: str
) -> None:
    deaths = 0
    await vend(rig.stage)
    while await run_until_fault(rig, urls, f"die:{point}:{deaths + 1}") == -signal.SIGKILL:
        deaths += 1
        await leases_end(rig)
        if deaths % 2:
            await rig.stage.sell()

    assert deaths >= 2
    wrong = [path for path in await differences(rig.mirror) if not path.startswith("machines")]
    assert wrong == []
    assert len(rig.tree("orders")) == 1 + (deaths + 1) // 2


async def test_of_two_mirrors_one_writes_and_the_other_takes_over(rig: Rig) -> None:
    await rig.stage.hello()
    async with AsyncExitStack() as lasting:
        async with AsyncExitStack() as ending:
            await ending.enter_async_context(running(rig.another()))
            await vend(rig.stage)
            await eventually(lambda: _orders(rig) == ["COMPLETED"], 10)
            await lasting.enter_async_context(running(rig.another()))
        await rig.stage.sell()
        await eventually(lambda: _orders(rig) == ["COMPLETED", "PAID"], 10)

    assert await differences(rig.mirror) == []


async def test_a_mirror_waits_for_a_database_that_is_not_there_yet(rig: Rig) -> None:
    rig.sandbox.kill()
    await vend(rig.stage)
    async with running(rig.another()) as task:
        assert (await rig.mirror.lag()).entries > 5
        rig.sandbox.start()
        await eventually(lambda: _caught_up(rig), 10)
        assert not task.done()
    assert _orders(rig) == ["COMPLETED"]


async def test_the_metrics_know_how_late_it_is_while_the_database_is_away(rig: Rig) -> None:
    await vend(rig.stage)
    rig.stage.later(90)
    watching = asyncio.create_task(rig.mirror.watch(SOON_S))

    def late_s() -> float | None:
        return REGISTRY.get_sample_value("coinslot_mirror_late_seconds")

    await eventually(lambda: late_s() == 90, 10)
    await rig.follow()
    await eventually(lambda: late_s() == 0, 10)
    watching.cancel()


class Counting(Remote):
    """Counts the writes whose outcome nobody knows."""

    unclear = 0

    async def write(self, nodes: Mapping[str, Any]) -> None:
        try:
            await super().write(nodes)
        except UnclearError:
            self.unclear += 1
            raise


async def test_the_weather_delays_the_mirror_and_falsifies_nothing(rig: Rig) -> None:
    await rig.stage.hello()
    rig.sandbox.weather(api={"error_5xx": 0.3, "drop_response": 0.3}, seed=7)
    remote = Counting(address(rig.url), Tokens(None), timeout_s=5)
    async with running(mirror_through(rig.stage, remote)):
        for _ in range(12):
            await rig.stage.sell()
        await rig.stage.sweep()
        await rig.stage.accept()
        await rig.stage.started()
        await rig.stage.result()
        await eventually(lambda: remote.unclear >= 5, 60)
        # Each failure doubles the pause: the weather ends before luck decides how long it takes.
        rig.sandbox.weather(api={"error_5xx": 0, "drop_response": 0})
        await eventually(lambda: _caught_up(rig), 60)

    assert await differences(rig.mirror) == []
    assert _orders(rig) == ["COMPLETED", *["PAID"] * 11]


async def _caught_up(rig: Rig) -> bool:
    return (await rig.mirror.lag()).entries == 0


def _orders(rig: Rig) -> list[str]:
    """The statuses of all orders, as they are mirrored."""
    return sorted(order["status"] for order in (rig.tree("orders") or {}).values())
