"""A row that somebody else holds makes nobody wait: who claims takes the others, at once; and what
must wait for a row does."""

import asyncio

import asyncpg

from coinslot.db.due import Due, Want, claim
from coinslot.db.pool import RawConnection
from coinslot.events.webhooks import deliveries, endpoints
from coinslot.payments import provision
from coinslot.worker import sweep
from tests.db.test_due import MINUTE
from tests.feeds.conftest import Post, announce
from tests.feeds.receiver import Receiver
from tests.sales.lock_places import place_of
from tests.sales.stage import Stage
from tests.sales.test_lock_order import stopped

PATIENCE_S = 10


async def test_a_delivery_that_is_held_is_left_and_the_others_are_sent(
    post: Post, receiver: Receiver, holder: RawConnection
) -> None:
    await post.endpoint(receiver.url)
    held, free = await post.paid(), await post.paid()
    await announce(post.announcer)
    async with asyncio.timeout(PATIENCE_S), holder.transaction():
        await holder.execute("SELECT FROM deliveries WHERE line = $1 FOR NO KEY UPDATE", held)
        await post.sender.deliver_due()
        done = await post.stage.rows("SELECT DISTINCT line FROM deliveries WHERE tries > 0")
    assert [row["line"] for row in done] == [free]
    await post.sender.deliver_due()
    assert await post.stage.rows("SELECT FROM deliveries WHERE outcome IS NULL") == []


async def test_in_each_table_a_due_row_that_is_held_is_left_and_the_others_are_claimed(
    stage: Stage, holder: RawConnection
) -> None:
    await stage.sell()
    await stage.sell()
    stage.later(1)
    chores = {"fulfillments": sweep.CHORES["fulfillments"].due, "orders": Due("orders")}
    await holder.execute("UPDATE orders SET due_at = '2026-11-21 12:00Z'")
    for name, due in chores.items():
        (first, *_), others = await _ids(holder, name), await _due(holder, name)
        async with asyncio.timeout(PATIENCE_S), holder.transaction():
            await holder.execute(f"SELECT FROM {name} WHERE id = $1 FOR NO KEY UPDATE", first)
            want = Want(limit=9, lease=MINUTE, now=stage.context.now())
            claimed = await claim(stage.context.db, due, want)
        assert len(claimed) == others - 1 > 0
        assert first not in {one.row["id"] for one in claimed}
    await holder.execute("UPDATE orders SET due_at = NULL, leased_until = NULL")
    await holder.execute("UPDATE fulfillments SET leased_until = NULL")


async def _ids(conn: RawConnection, table: str) -> list[object]:
    return [row["id"] for row in await conn.fetch(f"SELECT id FROM {table} ORDER BY id")]


async def _due(conn: RawConnection, table: str) -> int:
    return int(await conn.fetchval(f"SELECT count(*) FROM {table} WHERE due_at IS NOT NULL"))


async def _places(
    work: "asyncio.Task[object]", looker: RawConnection, holder: RawConnection
) -> list[str]:
    pid = await stopped(looker, work)
    query = await looker.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", pid)
    if pid is not None:
        await looker.execute("SELECT pg_cancel_backend($1)", pid)
    places: list[str] = []
    try:
        await work
    except asyncpg.QueryCanceledError as error:
        places = list(place_of(error, query or ""))
    return places


async def test_an_event_waits_for_the_endpoint_that_somebody_removes(
    post: Post, receiver: Receiver, holder: RawConnection, looker: RawConnection
) -> None:
    """Else its delivery would be made after all of them were withdrawn."""
    await post.endpoint(receiver.url)
    await post.paid()
    batch = await post.announcer.cursor.next_batch()
    assert batch is not None
    await holder.execute("BEGIN; SELECT FROM webhook_endpoints FOR NO KEY UPDATE")
    work: asyncio.Task[object] = asyncio.ensure_future(post.announcer.announce(batch))
    assert await _places(work, looker, holder) == ["webhook_endpoints by _OWE"]
    await holder.execute("ROLLBACK")


async def test_what_somebody_settles_is_sent_again_behind_that_and_what_is_sent_stays(
    post: Post, receiver: Receiver, holder: RawConnection, looker: RawConnection
) -> None:
    """Else how a try ended would be written over the wish to send it again."""
    await post.endpoint(receiver.url)
    await post.paid()
    await post.go()
    first, *_ = await post.deliveries()
    merchant, context = post.stage.merchant, post.stage.context
    await holder.execute("BEGIN; SELECT FROM deliveries FOR NO KEY UPDATE")
    again = deliveries.redeliver(context, post.key(), first["id"])
    work: asyncio.Task[object] = asyncio.ensure_future(again)
    assert await stopped(looker, work) is not None
    await holder.execute("ROLLBACK")
    await work
    (anew,) = [row for row in await post.deliveries() if row["id"] == first["id"]]
    now = context.now()
    assert anew == first | {"outcome": None, "ended_at": None, "tries": 0, "due_at": now}
    (claimed,) = await post.sender._claim(9)
    before = await post.deliveries()
    answer = await deliveries.redeliver(context, post.key(), first["id"])
    assert answer.body["under_way"] is True
    assert await post.deliveries() == before
    await post.sender.deliver(claimed)
    ended = await deliveries.one(context, merchant, first["id"])
    assert (ended.status, ended.tries, ended.under_way) == ("delivered", 2, False)


async def test_an_endpoint_that_is_changed_is_held_until_it_is(
    post: Post, receiver: Receiver, looker: RawConnection
) -> None:
    endpoint, _ = await post.endpoint(receiver.url)
    free = "SELECT FROM webhook_endpoints FOR NO KEY UPDATE SKIP LOCKED"
    async with post.stage.context.db.as_merchant(post.stage.merchant) as conn:
        await endpoints.found(conn, endpoint)
        assert len(await looker.fetch(free)) == 1
        await endpoints.found(conn, endpoint, lock=True)
        assert await looker.fetch(free) == []


async def test_a_code_is_printed_at_the_price_that_the_slot_has_by_then(
    stage: Stage, holder: RawConnection, looker: RawConnection
) -> None:
    await holder.execute("BEGIN; SELECT FROM slots FOR NO KEY UPDATE")
    work: asyncio.Task[object] = asyncio.ensure_future(
        provision.print_qr(stage.context, "M01", None)
    )
    assert await _places(work, looker, holder) == ["slots by _priced"]
    await holder.execute("ROLLBACK")
