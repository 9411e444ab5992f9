"""Many open pages: one statement in a round, one reading for a change, nothing held meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from coinslot.db.pool import Connection, Database
from coinslot.orders import outlet_pages
from coinslot.orders.order_updates import OrderUpdates
from coinslot.orders.page_views import OrderView
from tests.sales.stage import Stage
from tests.sales.test_page_orders import filled, pay, placed

PAGES, ORDERS = 200, 8


class Counting(Database):
    """Counts how often a connection of the door is taken, and how many are out at once."""

    taken = 0
    out = 0
    most_out = 0

    @asynccontextmanager
    async def system_connection(self) -> AsyncIterator[Connection]:
        self.taken += 1
        self.out += 1
        self.most_out = max(self.most_out, self.out)
        try:
            async with super().system_connection() as conn:
                yield conn
        finally:
            self.out -= 1


class Reader:
    """Reads orders as a page does, and counts."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.count = 0

    async def read(self, token: str) -> OrderView | None:
        self.count += 1
        return await outlet_pages.order(self.stage.context, token)


@pytest.fixture
async def counted(stage: Stage) -> Counting:
    return Counting(stage.context.db.app, stage.context.db.system_pool)


async def test_two_hundred_open_pages_cost_one_statement_in_a_round_and_one_reading_for_a_change(
    stage: Stage, counted: Counting
) -> None:
    await filled(stage, ORDERS)
    tokens = [await placed(stage, f"tap {n}") for n in range(ORDERS)]
    seen = {token: await version(stage, token) for token in tokens}
    reader = Reader(stage)
    following = OrderUpdates(counted, reader.read, round_s=0.02)
    pages = [
        asyncio.create_task(following.changed(token, seen[token], 30))
        for token in tokens * (PAGES // ORDERS)
    ]
    alone, among = await latency_ms(stage, 50), 0.0
    while counted.taken < 10:
        among = await latency_ms(stage, 50)
    assert (counted.most_out, reader.count) == (1, 0)
    assert not any(page.done() for page in pages)
    for n, token in enumerate(tokens):
        await stage.webhook(await pay(stage, token, name=f"pay_{n}"), event=f"paid {n}")
    views = await asyncio.wait_for(asyncio.gather(*pages), 30)
    assert {view.state for view in views if view} == {"paid"}
    assert len({id(view) for view in views}) == reader.count == ORDERS
    print(f"p95 of another query: {alone:.1f} ms at first, {among:.1f} ms among {PAGES} pages")


async def latency_ms(stage: Stage, queries: int) -> float:
    """The 95th percentile of a small query of somebody else."""
    took = []
    for _ in range(queries):
        began = time.perf_counter()
        await stage.value("SELECT count(*) FROM slots")
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[int(queries * 0.95)]


async def version(stage: Stage, token: str) -> int:
    view = await outlet_pages.order(stage.context, token)
    assert view is not None
    return view.version


async def test_a_page_that_has_seen_an_older_version_is_told_at_once_and_then_waits(
    stage: Stage, counted: Counting
) -> None:
    token = await placed(stage)
    following = OrderUpdates(counted, Reader(stage).read, round_s=0.02)
    view = await following.changed(token, 0, 30)
    assert view is not None
    assert await following.version(token) == view.version
    assert await following.changed(token, view.version, 0.2) is None
    assert await following.version("nobody") is None
    assert await following.changed("nobody", 0, 0.1) is None


async def test_nobody_is_asked_when_nobody_looks(stage: Stage, counted: Counting) -> None:
    token = await placed(stage)
    following = OrderUpdates(counted, Reader(stage).read, round_s=0.01)
    assert await following.changed(token, await version(stage, token), 0.1) is None
    await asyncio.sleep(0.05)  # the last round ends
    before = counted.taken
    await asyncio.sleep(0.1)
    assert counted.taken == before


async def test_a_reading_that_failed_is_tried_again_by_who_waits_next(
    stage: Stage, counted: Counting
) -> None:
    token = await placed(stage)
    reader = Reader(stage)
    fails = [True]

    async def read(wanted: str) -> OrderView | None:
        if fails.pop() if fails else False:
            raise ConnectionResetError
        return await reader.read(wanted)

    following = OrderUpdates(counted, read, round_s=0.02)
    with pytest.raises(ConnectionResetError):
        await following.changed(token, 0, 30)
    view = await following.changed(token, 0, 30)
    assert view is not None
    assert view.token == token


async def test_a_page_of_an_order_that_is_not_there_keeps_no_other_one_back(
    stage: Stage, counted: Counting
) -> None:
    token = await placed(stage)
    following = OrderUpdates(counted, Reader(stage).read, round_s=0.02)
    nobody = asyncio.create_task(following.changed("nobody", 0, 30))
    await asyncio.sleep(0)
    assert (await following.changed(token, 0, 5)) is not None
    nobody.cancel()
