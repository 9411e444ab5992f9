"""Lines: what an endpoint is told of one payment goes in order, and what waits costs nothing."""

from datetime import datetime, timedelta

import asyncpg
import pytest

from coinslot.events.webhooks import deliveries
from coinslot.events.webhooks.deliveries import WantedDeliveries
from coinslot.events.webhooks.delivery_queries import CLAIM
from tests.feeds.conftest import RULES, Post, announce
from tests.feeds.receiver import Receiver
from tests.sales.stage import Stage

LONG = 1500


async def next_tries(post: Post) -> list[datetime | None]:
    """As the log shows them, oldest first."""
    shown = await deliveries.listed(post.stage.context, post.stage.merchant, WantedDeliveries())
    return [delivery.next_try_at for delivery in reversed(shown)]


async def test_what_waits_behind_one_that_is_redelivered_with_success_goes_at_once(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    await post.endpoint(receiver.url)
    receiver.answers_with(500, 500)
    await post.paid()
    await post.go()
    stage.later(5)
    assert await post.go() == 1  # and then a pause of minutes
    first, _ = await post.deliveries()
    await deliveries.redeliver(stage.context, post.key(), first["id"])
    assert await post.go() == 2
    assert receiver.types == ["payment.processing"] * 3 + ["payment.succeeded"]


async def test_what_waits_behind_one_that_is_given_up_goes_at_once(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    await post.endpoint(receiver.url)
    tries = len(RULES.pauses_s) + 1
    receiver.answers_with(*[500] * tries)
    await post.paid()
    await post.go()
    for pause_s in RULES.pauses_s:
        stage.later(pause_s)
        await post.go()
    assert receiver.types == ["payment.processing"] * tries + ["payment.succeeded"]
    assert [row["outcome"] for row in await post.deliveries()] == ["given_up", "delivered"]


async def test_what_waits_is_put_off_once_and_shown_with_the_time_of_the_one_before_it(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    await post.endpoint(receiver.url)
    receiver.answers_with(500, 500)
    await post.paid()
    await post.go()
    _, put_off = await post.deliveries()
    for pause_s in RULES.pauses_s[:2]:
        assert await next_tries(post) == [stage.clock.now() + timedelta(seconds=pause_s)] * 2
        stage.later(pause_s)
        await post.go()
        if receiver.answers:  # it failed again
            assert (await post.deliveries())[1] == put_off
    assert await next_tries(post) == [None, None]


async def test_what_is_announced_behind_a_failed_one_goes_when_that_one_is_taken(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url)
    receiver.answers_with(500)
    for _ in range(3):
        await post.endpoints.test(post.key(), endpoint)
        await post.go()
    assert len(receiver.got) == 1
    stage.later(5)
    assert await post.go() == 3
    told = [row["event"] for row in await post.deliveries()]
    assert [got.id for got in receiver.got] == [told[0], *told]


@pytest.mark.usefixtures("never_lent")
async def test_a_claim_does_not_compare_each_of_a_long_line_with_each_other(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url)
    owner = await asyncpg.connect(stage.owner_url)
    await owner.execute(
        "SELECT tell($1, 'webhook', $2, 'TEST', '{}', $3) FROM generate_series(1, $4::integer)",
        stage.merchant, endpoint, stage.clock.now(), LONG,
    )  # fmt: skip
    await announce(post.announcer)
    await owner.execute("ANALYZE deliveries, public_events, webhook_endpoints")
    await owner.close()
    async with stage.context.db.system_connection() as door:
        lines = await door.fetch(
            "EXPLAIN (ANALYZE, TIMING OFF) " + CLAIM,
            stage.clock.now(), 64, 8, timedelta(0), [], [], [], 16,
        )  # fmt: skip
    plan = "\n".join(line[0] for line in lines)
    assert "deliveries_line" in plan
    assert "Anti Join" not in plan
