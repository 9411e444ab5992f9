"""The OFFER that is committed with its payment, beside everybody else who is at the same machine:
workers with a lease, updates, and other processes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from coinslot.context import Context
from coinslot.db.pool import Database, RawConnection, connect
from coinslot.payments import gateway_webhooks
from coinslot.payments.store import TAKE_WEBHOOKS
from coinslot.worker import sweep
from tests.conftest import DatabaseUrls
from tests.sales.stage import PACE, Stage
from tests.sales.test_offered_with_payment import begun, idle, offers, paid_for, states
from tests.sales.test_sold_at_once import run


@pytest.fixture
async def holder(urls: DatabaseUrls) -> AsyncIterator[RawConnection]:
    conn = await connect(urls.superuser)
    yield conn
    await conn.close()


async def queued(stage: Stage) -> None:
    """A unit that waits, and a machine that is connected now."""
    stage.line.connected = False
    await stage.sell()
    stage.later(1)
    stage.line.connected = True


async def test_a_machine_that_takes_an_update_is_offered_what_was_paid_meanwhile_after_it(
    stage: Stage,
) -> None:
    await stage.hello()
    await run(
        stage,
        "INSERT INTO outlet_stops (outlet_id, why, merchant_id, since)"
        " SELECT id, 'update', merchant_id, '2026-11-01' FROM outlets",
    )
    await paid_for(stage)
    await stage.sweep("fulfillments")
    assert await states(stage) == ["queued"]
    assert stage.line.sent == []
    await run(stage, "UPDATE outlet_stops SET until = since WHERE why = 'update'")
    stage.later(5)
    await stage.sweep("fulfillments")
    assert await states(stage) == ["offered"]
    assert len(offers(stage)) == 1


async def test_a_worker_whose_unit_a_payment_offered_meanwhile_changes_nothing_of_it(
    stage: Stage,
) -> None:
    await stage.hello()
    await queued(stage)
    await run(
        stage,
        "UPDATE fulfillments SET lease = lease + 1,"
        " leased_until = clock_timestamp() + interval '20 s'",
    )
    (unit,) = await stage.rows("SELECT * FROM fulfillments")
    await paid_for(stage)
    assert await states(stage) == ["offered", "queued"]
    held = "SELECT state, due_at, leased_until, lease FROM fulfillments WHERE id = $1"
    before = await stage.rows(held, unit["id"])
    assert before[0]["leased_until"] == unit["leased_until"], "its worker lets it go itself"
    await stage.context.kinds["vending"].start(stage.context, unit)
    assert await stage.rows(held, unit["id"]) == before
    assert [offer["seq"] for offer in offers(stage)] == [1]


async def test_an_offer_whose_worker_died_with_its_lease_is_repeated_after_that(
    stage: Stage, holder: RawConnection
) -> None:
    await stage.hello()
    await queued(stage)
    leased = "UPDATE fulfillments SET leased_until = clock_timestamp() + interval '20 s'"
    await run(stage, f"{leased}, lease = lease + 1")
    await begun(stage)
    assert await states(stage) == ["offered", "queued"]
    stage.later(stage.context.windows.offer_s)
    await stage.sweep("fulfillments")
    assert offers(stage) == [], "its lease stands"
    await holder.execute("UPDATE fulfillments SET leased_until = now() WHERE leased_until > now()")
    await stage.sweep("fulfillments")
    assert len(offers(stage)) == 1


@pytest.fixture
async def second(stage: Stage, urls: DatabaseUrls) -> AsyncIterator[Context]:
    """Another process, which is connected to the machines too, as by one broker."""
    db = await Database.open(urls.app, urls.door)
    yield replace(stage.context, db=db)
    await db.close()


async def told(stage: Stage, where: Context) -> int:
    said = stage.gateway.webhook("payment.captured", await stage.pay())
    return (await gateway_webhooks.take_webhook(where, stage.account, *said)).status


async def test_two_processes_that_take_payments_and_sweep_at_once_offer_each_unit_once(
    stage: Stage, second: Context
) -> None:
    await stage.hello()
    stage.line.at_once = True
    both = (stage.context, second)
    for _ in range(4):
        answers = await asyncio.gather(
            *(told(stage, where) for where in both * 5),
            *(sweep.sweep_once(where, "fulfillments", PACE) for where in both),
        )
        assert set(answers[:10]) == {200}
    await idle(stage)
    assert await stage.value("SELECT count(*) FROM inbox WHERE failure IS NOT NULL") == 0
    assert sorted(await states(stage)) == ["offered"] + ["queued"] * 39
    assert [offer["seq"] for offer in offers(stage)] == [1]
    for sold in range(1, 11):
        await stage.accept()
        await stage.started(event_seq=2 * sold - 1)
        await stage.result(event_seq=2 * sold)
        await asyncio.gather(
            told(stage, second), sweep.sweep_once(stage.context, "fulfillments", PACE)
        )
        await idle(stage)
    said = offers(stage)
    assert len({offer["unit_id"] for offer in said}) == len(said) == 11
    assert [offer["seq"] for offer in said] == list(range(1, 12))


async def blocked(conn: RawConnection) -> None:
    """Until somebody waits for this connection."""
    asks = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))"
    async with asyncio.timeout(5):
        while not await conn.fetchval(asks, conn.get_server_pid()):
            await conn.execute("SELECT pg_sleep(0.01)")


async def test_who_waits_for_an_older_payment_and_is_waited_for_costs_no_payment(
    stage: Stage, holder: RawConnection
) -> None:
    """The older payment is locked out of order, and the next webhook of the same commit waits for
    whoever waits for it: PostgreSQL breaks one of them off."""
    await stage.hello()
    await queued(stage)
    known = await stage.pay(3900)  # buys nothing; it is told twice
    await stage.webhook(known)
    older = await stage.value("SELECT capture_id FROM fulfillments")
    other = await stage.value("SELECT id FROM captures WHERE id <> $1", older)
    stage.line.at_once = True
    lock = "SELECT FROM captures WHERE id = $1 FOR NO KEY UPDATE"
    one = await stage.pay()
    async with holder.transaction():
        await holder.execute("SET LOCAL deadlock_timeout = '10s'")
        await holder.execute(lock, other)
        batch = asyncio.create_task(
            stage.context.db.call(
                TAKE_WEBHOOKS,
                [said(stage, one, "captured"), said(stage, known, "credited")],
                [b"{}"] * 2,
                [stage.context.now()] * 2,
            )
        )
        await blocked(holder)
        await holder.execute(lock, older)  # now each waits for the other
    first, again = await batch
    assert first["outcome"] == "paid"
    assert again["outcome"] == "failed"
    assert await states(stage) == ["offered", "queued"]
    await stage.sweep("inbox")
    assert await stage.value("SELECT count(*) FROM inbox WHERE worked_at IS NULL") == 0


def said(stage: Stage, fact: Any, delivery: str) -> dict[str, Any]:
    return {
        "account": stage.account.id, "merchant": stage.merchant, "headers": {},
        "facts": gateway_webhooks.as_json(stage.context, [fact]), "verdict": "genuine",
        "delivery_id": delivery, "event": delivery, "lines": stage.context.line.channels(),
        "windows": stage.context.for_sql(stage.account),
    }  # fmt: skip
