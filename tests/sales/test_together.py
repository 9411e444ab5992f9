"""Webhooks under load share a commit; each is answered after its own row stands, and for itself."""

import asyncio
from collections import Counter
from dataclasses import replace

import asyncpg

from coinslot.db.pool import Database
from coinslot.payments import gateway_webhooks
from coinslot.payments.webhook_batch import LANES, TOGETHER
from tests.conftest import DatabaseUrls
from tests.sales.stage import Stage

MANY = 100


async def told(stage: Stage, payments: int, *events: str) -> list[tuple[dict[str, str], bytes]]:
    """Webhooks of so many payments, as each event names them."""
    paid = [await stage.pay() for _ in range(payments)]
    return [stage.gateway.webhook(event, fact) for event in events for fact in paid]


async def test_a_hundred_at_once_are_all_kept_and_sold_in_far_fewer_commits(stage: Stage) -> None:
    reached: Counter[str] = Counter()
    stage.context.db.reached = lambda point: reached.update([point])
    deliveries = await told(stage, MANY, "payment.captured")
    answers = await asyncio.gather(
        *(
            gateway_webhooks.take_webhook(stage.context, stage.account, *delivery)
            for delivery in deliveries
        )
    )
    assert {answer.status for answer in answers} == {200}
    assert await stage.value("SELECT count(*) FROM inbox WHERE worked_at IS NOT NULL") == MANY
    assert await stage.value("SELECT count(*) FROM orders WHERE state = 'paid'") == MANY
    assert reached["after_commit"] <= LANES + MANY / TOGETHER + 1


async def test_one_that_comes_alone_waits_for_no_other(stage: Stage) -> None:
    reached: list[str] = []
    stage.context.db.reached = reached.append
    (delivery,) = await told(stage, 1, "payment.captured")
    await gateway_webhooks.take_webhook(stage.context, stage.account, *delivery)
    assert reached == ["before_commit", "after_commit"]


async def test_the_same_payments_told_to_two_processes_in_opposite_orders_hold_nobody_up(
    stage: Stage,
) -> None:
    deliveries = await told(stage, TOGETHER, "payment.captured", "qr_code.credited")
    elsewhere = replace(stage.context)  # with an inbox of its own
    answers = await asyncio.gather(
        *(gateway_webhooks.take_webhook(stage.context, stage.account, *one) for one in deliveries),
        *(
            gateway_webhooks.take_webhook(elsewhere, stage.account, *one)
            for one in reversed(deliveries)
        ),
    )
    assert {answer.status for answer in answers} == {200}
    assert await stage.value("SELECT count(*) FROM inbox WHERE failure IS NOT NULL") == 0
    assert await stage.value("SELECT count(*) FROM orders") == TOGETHER


async def test_one_that_cannot_be_kept_takes_no_other_with_it(stage: Stage) -> None:
    inbox = stage.context.inbox
    now = stage.context.now()
    said = {
        "account": stage.account.id, "merchant": stage.merchant, "verdict": "unreadable",
        "headers": {}, "facts": [], "windows": stage.context.windows.for_sql(),
    }  # fmt: skip
    bad = said | {"verdict": "no such verdict"}
    outcomes = await asyncio.gather(
        *(inbox.store(s, b"x", now, "") for s in (said, said, said, bad, said)),
        return_exceptions=True,
    )
    assert [o for o in outcomes if isinstance(o, dict)] == [
        {"outcome": "unreadable", "begun": None}
    ] * 4
    assert isinstance(outcomes[3], asyncpg.CheckViolationError)
    assert await stage.value("SELECT count(*) FROM inbox") == 4


async def test_whoever_hangs_up_while_it_waits_has_his_webhook_kept(stage: Stage) -> None:
    deliveries = await told(stage, 8, "payment.captured")
    calls = [
        asyncio.create_task(gateway_webhooks.take_webhook(stage.context, stage.account, *delivery))
        for delivery in deliveries
    ]
    await asyncio.sleep(0)  # all have asked
    calls[5].cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert await stage.value("SELECT count(*) FROM orders") == 8


async def test_a_database_that_went_away_is_nobodys_success(
    stage: Stage, urls: DatabaseUrls
) -> None:
    gone = await Database.open(urls.app, urls.door, size=1)
    await gone.close()
    deliveries = await told(stage, 3, "payment.captured")
    cut_off = replace(stage.context, db=gone)
    answers = await asyncio.gather(
        *(
            gateway_webhooks.take_webhook(cut_off, stage.account, *delivery)
            for delivery in deliveries
        ),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [asyncpg.InterfaceError] * 3
    again = await gateway_webhooks.take_webhook(stage.context, stage.account, *deliveries[0])
    assert again.status == 200


async def test_who_asks_again_the_moment_he_is_answered_is_not_forgotten(stage: Stage) -> None:
    inbox, now = stage.context.inbox, stage.context.now()
    said = {
        "account": stage.account.id, "merchant": stage.merchant, "verdict": "unreadable",
        "headers": {}, "facts": [], "windows": stage.context.windows.for_sql(),
    }  # fmt: skip

    async def ask_on() -> None:
        for _ in range(20):
            await inbox.store(said, b"x", now, "")

    async with asyncio.timeout(20):
        await asyncio.gather(*(ask_on() for _ in range(LANES + 2)))
    assert await stage.value("SELECT count(*) FROM inbox") == 20 * (LANES + 2)
