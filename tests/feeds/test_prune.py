"""Webhooks that ended are kept for thirty days; what they told stays."""

from datetime import timedelta

import asyncpg

from coinslot.events.webhooks.deliveries import Range, replay
from coinslot.worker.prune import prune
from tests.feeds.conftest import Post, announce
from tests.feeds.receiver import Receiver
from tests.sales.stage import Stage

DAY_S = 24 * 3600


async def counts(stage: Stage) -> tuple[int, int, int]:
    """Deliveries, tries and events."""
    tables = ("deliveries", "delivery_tries", "public_events")
    found = [int(await stage.value(f"SELECT count(*) FROM {table}")) for table in tables]
    return found[0], found[1], found[2]


async def test_what_was_delivered_goes_after_thirty_days_and_its_events_stay(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    await post.endpoint(receiver.url)
    await post.paid()
    await post.go()
    assert await counts(stage) == (2, 2, 2)
    stage.later(29 * DAY_S)
    assert await prune(stage.context, "deliveries") == 0
    stage.later(2 * DAY_S)
    assert await prune(stage.context, "deliveries") == 2
    assert await counts(stage) == (0, 0, 2)


async def test_what_is_still_owed_stays_however_old_it_is(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    await post.endpoint(receiver.url)
    await post.paid()
    await announce(post.announcer)
    stage.later(90 * DAY_S)
    assert await prune(stage.context, "deliveries") == 0
    assert (await counts(stage))[0] == 2
    await post.go()


async def test_a_great_many_go_in_several_transactions(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url)
    await post.paid()
    await post.go()
    async with stage.context.db.system_transaction() as conn:
        seq = await conn.fetchval("SELECT max(seq) FROM public_events")
        await conn.execute(
            "INSERT INTO public_events (seq, id, merchant_id, type, line, data, at)"
            " SELECT -n, 'old ' || n, merchant_id, type, line, data, at FROM public_events,"
            " generate_series(1, 2500) n WHERE seq = $1",
            seq,
        )
        await conn.execute(
            "INSERT INTO deliveries (id, merchant_id, endpoint_id, seq, line, created_at, outcome,"
            " ended_at) SELECT uuid7(at), merchant_id, $1, seq, line, at, 'withdrawn', at"
            " FROM public_events WHERE seq < 0",
            endpoint,
        )
    stage.later(31 * DAY_S)
    assert await prune(stage.context, "deliveries") == 2502
    async with stage.context.db.system_pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM deliveries") == 0
    await tidy(stage)


async def tidy(stage: Stage) -> None:
    """The events that were made up would puzzle the auditor."""
    conn = await asyncpg.connect(stage.owner_url)
    try:
        await conn.execute("DELETE FROM public_events WHERE seq < 0")
    finally:
        await conn.close()


async def test_what_was_forgotten_can_be_sent_again(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url)
    await post.paid()
    await post.go()
    since = stage.clock.now() - timedelta(days=1)
    stage.later(31 * DAY_S)
    await prune(stage.context, "deliveries")
    await replay(stage.context, post.key(), endpoint, Range(since=since, until=stage.clock.now()))
    assert await post.go() == 2
    assert len(receiver.got) == 4
