"""Webhooks while no commit ends, because the standby that must have it does not answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coinslot.app.front import Front
from coinslot.db.migrate import APP, DOOR, migrate
from coinslot.db.pool import AWAY, Database
from coinslot.sales.inbox import WAITING_MAX_BYTES
from coinslot.sales.move import sql_functions
from tests.conftest import TEST_PASSWORD
from tests.db.stalling import Primary, started
from tests.sales.stage import Stage, set_stage

ANSWER_S = 0.3
ORDERS = "SELECT count(*) FROM orders"


@pytest.fixture
async def primary(tmp_path: Path) -> AsyncIterator[Primary]:
    async with started(tmp_path) as primary:
        url = primary.server.owner_url
        await migrate(url, TEST_PASSWORD, TEST_PASSWORD, sql_functions())
        yield primary


@pytest.fixture
async def stage(primary: Primary) -> AsyncIterator[Stage]:
    urls = [primary.server.url(login, TEST_PASSWORD) for login in (APP, DOOR)]
    database = await Database.open(*urls, size=4)
    yield await set_stage(database)
    await database.close()


async def test_a_webhook_whose_commit_takes_too_long_is_asked_for_again_and_sells_once(
    primary: Primary, stage: Stage
) -> None:
    front = Front(stage.shop, "1", None, answer_s=ANSWER_S)
    headers, body = stage.gateway.webhook("payment.captured", await stage.pay())
    await primary.stall()
    for _ in range(3):
        with pytest.raises(AWAY):  # 503 at the web
            await front.take_webhook("mock", None, headers, body)
    assert await stage.value(ORDERS) == 0
    assert stage.line.sent == []
    await primary.go_on()
    answer = await front.take_webhook("mock", None, headers, body)
    assert answer.status == 200
    assert await stage.value(ORDERS) == 1


async def test_webhooks_that_cannot_be_kept_do_not_fill_the_memory(
    primary: Primary, stage: Stage
) -> None:
    said = {
        "account": stage.account.id, "merchant": stage.merchant, "verdict": "unreadable",
        "headers": {}, "facts": [], "windows": stage.shop.windows.for_sql(),
    }  # fmt: skip
    big, now = b" " * (WAITING_MAX_BYTES // 16), stage.shop.now()
    await primary.stall()
    asked = [asyncio.create_task(stage.shop.inbox.keep(said, big, now, "")) for _ in range(30)]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    await primary.go_on()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, AWAY)]
    assert 0 < len(refused) <= 30 - 16
    assert await stage.value("SELECT count(*) FROM inbox") == 30 - len(refused)
