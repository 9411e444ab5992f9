"""The nightly comparison: one process has a day of an account, however slow its gateway is."""

import asyncio
from typing import Any

from msgspec.structs import replace

from coinslot.gateways.base import Payments, Unclear
from coinslot.oversight import nightly
from tests.sales.nightly import Nightly, nightly_gateway
from tests.sales.stage import Stage
from tests.sales.tills import Several, two_tills

WELL_WITHIN_S = 10.0


class Slow(Nightly):
    """Its lists come when they are let."""

    def begin(self) -> None:
        self.asked, self.goes_on = asyncio.Event(), asyncio.Event()

    async def payments_between(self, since: Any, until: Any) -> Payments | Unclear:
        self.asked.set()
        await self.goes_on.wait()
        return await super().payments_between(since, until)


async def a_day_later(stage: Stage) -> Slow:
    nightly_gateway(stage)
    slow = Slow(stage)
    slow.paid_out = {}
    slow.begin()
    stage.account = replace(stage.account, driver=slow)
    stage.context.accounts.account = stage.account  # type: ignore[attr-defined]
    stage.later(28 * 3600)
    return slow


async def another_takes_the_day(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE reconciliations SET tries = tries + 1")


async def test_a_comparison_whose_day_another_has_taken_judges_nothing(stage: Stage) -> None:
    slow = await a_day_later(stage)
    working = asyncio.create_task(nightly.due(stage.context))
    await slow.asked.wait()
    await another_takes_the_day(stage)
    slow.goes_on.set()
    assert await working == 0
    assert await stage.value("SELECT done_at FROM reconciliations") is None


async def test_a_process_that_stops_leaves_its_day_to_others_at_once(stage: Stage) -> None:
    slow = await a_day_later(stage)
    working = asyncio.create_task(nightly.due(stage.context))
    await slow.asked.wait()
    assert await nightly.due(stage.context) == 0  # it is held
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    slow.goes_on.set()
    assert await nightly.due(stage.context) == 1


async def test_one_gateway_that_hangs_leaves_the_others_their_night(stage: Stage) -> None:
    first, _ = await two_tills(stage)
    slow = Slow(stage)
    slow.paid_out, slow.charges = {}, first.charges  # type: ignore[attr-defined]
    slow.begin()
    accounts = stage.context.accounts
    assert isinstance(accounts, Several)
    accounts.opened[stage.account.id] = replace(stage.account, driver=slow)
    stage.later(28 * 3600)
    working = asyncio.create_task(nightly.due(stage.context))
    done = "SELECT count(*) FROM reconciliations WHERE done_at IS NOT NULL"
    async with asyncio.timeout(WELL_WITHIN_S):
        await slow.asked.wait()
        while await stage.value(done) != 1:
            pass
    assert not working.done()
    slow.goes_on.set()
    assert await working == 2
