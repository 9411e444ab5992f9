"""Webhooks while no commit ends, because the standby that must have it does not answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from coinslot.app.page_backend import ContextBackend
from coinslot.app.schema import sql_functions
from coinslot.db.migrate import APP, DOOR, migrate
from coinslot.db.pool import AWAY, Database
from coinslot.merchants.keys import issue_key
from coinslot.payments.webhook_batch import WAITING_MAX_BYTES
from coinslot.vending import machine_messages
from coinslot.worker import sweep
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
    backend = ContextBackend(stage.context, "1", None, answer_s=ANSWER_S)
    headers, body = stage.gateway.webhook("payment.captured", await stage.pay())
    await primary.stall()
    for _ in range(3):
        with pytest.raises(AWAY):  # 503 at the web
            await backend.take_webhook("mock", None, headers, body)
    assert await stage.value(ORDERS) == 0
    assert stage.line.sent == []
    await primary.go_on()
    answer = await backend.take_webhook("mock", None, headers, body)
    assert answer.status == 200
    assert await stage.value(ORDERS) == 1


async def test_webhooks_that_cannot_be_kept_do_not_fill_the_memory(
    primary: Primary, stage: Stage
) -> None:
    said = {
        "account": stage.account.id, "merchant": stage.merchant, "verdict": "forged", "reason": "x",
        "headers": {}, "facts": [], "windows": stage.context.windows.for_sql(),
    }  # fmt: skip
    big, now = b" " * (WAITING_MAX_BYTES // 16), stage.context.now()
    await primary.stall()
    asked = [asyncio.create_task(stage.context.inbox.store(said, big, now, "")) for _ in range(30)]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    await primary.go_on()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, AWAY)]
    taken = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert {answer["outcome"] for answer in taken} == {"forged"}
    assert len(taken) == 30 - len(refused)
    assert 0 < len(refused) <= 30 - 16
    assert await stage.value("SELECT count(*) FROM inbox") == 30 - len(refused)


async def test_health_notices_that_no_commit_ends_and_costs_one_connection(
    primary: Primary, stage: Stage
) -> None:
    backend = ContextBackend(stage.context, "1", None)
    await primary.stall()
    ill = await asyncio.gather(*(backend.health() for _ in range(5)))
    assert {health.status for health in ill} == {"unhealthy"}
    await primary.waiting(1)
    await primary.go_on()
    await eventually_healthy(backend)


async def test_a_server_that_became_read_only_is_an_outage_and_leaves_no_connection_behind(
    primary: Primary, stage: Stage
) -> None:
    """The pools were used before, during, and after: nobody has to kill anything."""
    backend = ContextBackend(stage.context, "1", None)
    headers, body = stage.gateway.webhook("payment.captured", await stage.pay())
    assert (await backend.health()).status == "healthy"
    await primary.watch.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    await primary.watch.execute("SELECT pg_reload_conf()")
    for _ in range(100):
        if (await backend.health()).status == "unhealthy":
            break
        stage.clock.advance(timedelta(seconds=5))
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("health says it can write")
    for work in (
        backend.take_webhook("mock", None, headers, body),
        sweep.sweep_once(stage.context, "inbox", sweep.Pace()),
        machine_messages.record_heartbeats(stage.context, {"M01": stage.clock.now()}),
        issue_key(stage.context.db, stage.merchant, stage.clock.now()),
    ):
        with pytest.raises(AWAY):
            await work
    await primary.watch.execute("ALTER SYSTEM RESET default_transaction_read_only")
    await primary.watch.execute("SELECT pg_reload_conf()")
    await eventually_healthy(backend)
    assert (await backend.take_webhook("mock", None, headers, body)).status == 200
    assert await stage.value(ORDERS) == 1


async def eventually_healthy(backend: ContextBackend) -> None:
    for _ in range(200):
        if (await backend.health()).status == "healthy":
            return
        await asyncio.sleep(0.05)
    raise AssertionError("never healthy again")
