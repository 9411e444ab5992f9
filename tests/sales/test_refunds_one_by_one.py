"""Two refunds of one payment where the gateway keeps no list: what went back in all may be of
either, so the second waits until the first has ended."""

import asyncio
from typing import ClassVar

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Declined, RefundFact, RefundOrder, Unclear
from tests.sales.receipting import ReceiptTill, bought, receipting
from tests.sales.stage import MockAccounts, Stage
from tests.sales.weather import LOST

MEANWHILE_S = 1.0


class OneByOne(ReceiptTill):
    """Each refund takes its time, as long as no other comes to it."""

    keeps_no_list: ClassVar[bool] = True
    under_way, most = 0, 0
    crowded: asyncio.Event

    async def give_back(self, order: RefundOrder) -> RefundFact | Declined | Unclear:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way > 1:
            self.crowded.set()
        try:
            async with asyncio.timeout(MEANWHILE_S):
                await self.crowded.wait()
        except TimeoutError:
            pass
        answer = await super().give_back(order)
        self.under_way -= 1
        return answer


@pytest.fixture
async def till(stage: Stage) -> OneByOne:
    await receipting(stage)
    till = OneByOne(stage)
    till.charges, till.asked, till.alone, till.looked = {}, [], [], []
    till.crowded = asyncio.Event()
    stage.gateway, stage.account = till, replace(stage.account, driver=till)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account
    return till


async def two_are_owed(stage: Stage, till: OneByOne) -> None:
    await bought(stage, till, pieces=2)
    stage.later(121)
    await stage.sweep("fulfillments")
    assert await stage.value("SELECT count(*) FROM refunds WHERE state = 'pending'") == 2


async def test_the_second_is_made_when_the_first_has_ended(stage: Stage, till: OneByOne) -> None:
    await two_are_owed(stage, till)
    await stage.sweep("refunds")
    assert (till.most, len(till.sent), stage.refunded()) == (1, 2, 8000)
    first, second = till.sent
    assert first.others is not None
    assert second.others is not None
    assert (first.others.minor, second.others.minor) == (0, 4000)


async def test_the_second_waits_while_nobody_knows_of_the_first(
    stage: Stage, till: OneByOne
) -> None:
    await two_are_owed(stage, till)
    till.fails("give_back", LOST)
    await stage.sweep("refunds")
    assert (len(till.sent), stage.refunded()) == (1, 0)
    stage.later(60)
    await stage.sweep("refunds")
    stage.later(60)
    await stage.sweep("refunds")
    assert till.most == 1
    assert stage.refunded() == 8000
