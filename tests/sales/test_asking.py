"""Pages that ask: many at once, in several processes, cause one look at gateway or machine."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace as copied
from datetime import datetime

import pytest

from coinslot.context import Context
from coinslot.db.pool import Database
from coinslot.gateways.base import Absent, Payments, Unclear
from coinslot.gateways.mock import Mock
from coinslot.orders import checkout, fulfillment
from tests.conftest import DatabaseUrls
from tests.sales.stage import Stage
from tests.sales.test_evidence import going
from tests.sales.test_page_orders import order, pay, placed


class Counting(Mock):
    """Counts the looks at its codes, and takes its time with each when told to."""

    looks = 0
    opened: asyncio.Event
    asked: asyncio.Event

    async def qr_payments(self, qr_code_id: str, since: datetime) -> Payments | Absent | Unclear:
        self.looks += 1
        self.asked.set()
        await self.opened.wait()
        return await super().qr_payments(qr_code_id, since)


@pytest.fixture
def gateway(stage: Stage) -> Counting:
    stage.gateway.__class__ = Counting
    assert isinstance(stage.gateway, Counting)
    stage.gateway.opened, stage.gateway.asked = asyncio.Event(), asyncio.Event()
    stage.gateway.opened.set()
    return stage.gateway


@pytest.fixture
async def processes(stage: Stage, urls: DatabaseUrls) -> AsyncIterator[list[Context]]:
    """The same shop as two processes see it: each with connections of its own."""
    other = await Database.open(urls.app, urls.door, size=4)
    yield [stage.context, copied(stage.context, db=other)]
    await other.close()


async def test_pages_that_ask_at_once_cause_one_look_at_the_gateway(
    stage: Stage, processes: list[Context], gateway: Counting
) -> None:
    token = await placed(stage)
    gateway.looks = 0
    asks = [checkout.ask_gateway(processes[n % 2], token) for n in range(64)]
    await asyncio.gather(*asks)
    assert gateway.looks == 1
    stage.later(2)
    await checkout.ask_gateway(stage.context, token)
    assert gateway.looks == 1  # too early
    await pay(stage, token)
    stage.later(1)
    await asyncio.gather(*(checkout.ask_gateway(context, token) for context in processes))
    assert gateway.looks == 2
    assert (await order(stage, token))["state"] == "paid"


async def test_who_asks_while_the_gateway_is_slow_does_not_wait_for_it(
    stage: Stage, processes: list[Context], gateway: Counting
) -> None:
    token = await placed(stage)
    gateway.looks = 0
    gateway.opened.clear()
    first = asyncio.create_task(checkout.ask_gateway(processes[0], token))
    await gateway.asked.wait()
    await asyncio.wait_for(checkout.ask_gateway(processes[1], token), 5)
    stage.later(4)  # the pause is over, and the first look is not
    await asyncio.wait_for(checkout.ask_gateway(processes[1], token), 5)
    assert not first.done()
    gateway.opened.set()
    await first
    assert gateway.looks == 1


async def test_nothing_came_out_said_by_many_pages_asks_the_machine_once(
    stage: Stage, processes: list[Context]
) -> None:
    await going(stage)
    token = await stage.value("SELECT token FROM orders")
    stage.later(12)
    await asyncio.gather(*(fulfillment.nothing_came(processes[n % 2], token) for n in range(64)))
    assert len([said for said in stage.line.sent if said["type"] == "QUERY"]) == 1


async def test_an_order_that_is_not_there_asks_nobody(stage: Stage, gateway: Counting) -> None:
    gateway.looks = 0
    await checkout.ask_gateway(stage.context, "nobody")
    await fulfillment.nothing_came(stage.context, "nobody")
    assert gateway.looks == 0
