"""Senders of webhooks beside and after each other: killed ones, many at once, slow endpoints."""

import asyncio
import signal
import subprocess

import pytest
from aiohttp import web
from msgspec.structs import replace

from coinslot.db.pool import Database
from coinslot.events.webhooks.deliver import WebhookSender
from tests.conftest import DatabaseUrls
from tests.feeds.conftest import RULES, Post, announce
from tests.feeds.receiver import Receiver, receiving
from tests.sales.stage import Stage
from tests.warm import PYTHONPATH, Program


async def killed(urls: DatabaseUrls, fault: str) -> int:
    """A worker of its own process until it dies; its exit code."""
    words = ["tests.feeds.victim", urls.app, urls.door, fault]
    victim = Program(words, {"PYTHONPATH": PYTHONPATH}, stdout=subprocess.DEVNULL)
    return await asyncio.to_thread(victim.wait)


async def leases_end(database: Database) -> None:
    async with database.system_transaction() as conn:
        await conn.execute("UPDATE deliveries SET leased_until = now() WHERE leased_until > now()")
        await conn.execute("UPDATE feed_cursors SET leased_until = now()")


@pytest.mark.parametrize(
    ("fault", "sent_before"),
    [
        ("die:after_claim:1", 0),  # read the log, told nobody
        ("die:before_send:1", 0),
        ("die:after_send:1", 1),  # it was taken, and nobody here knows
        ("die:before_commit:1", 1),
        ("die:after_commit:1", 1),  # settled: the next one is due
        ("die:after_send:2", 2),
    ],
)
async def test_a_worker_killed_anywhere_is_followed_and_each_event_arrives_under_its_own_id(
    post: Post, receiver: Receiver, urls: DatabaseUrls, fault: str, sent_before: int
) -> None:
    _, secret = await post.endpoint(receiver.url)
    await post.paid()
    assert await killed(urls, fault) == -signal.SIGKILL
    assert len(receiver.got) == sent_before
    await leases_end(post.stage.context.db)
    await post.go()
    assert [row["outcome"] for row in await post.deliveries()] == ["delivered"] * 2
    in_order = list(dict.fromkeys(got.type for got in receiver.got))
    assert in_order == ["payment.processing", "payment.succeeded"]
    ids = {got.id for got in receiver.got}
    assert ids == {row["event"] for row in await post.deliveries()}
    unknown = sent_before and not fault.startswith("die:after_commit")
    assert len(receiver.got) == 2 + bool(unknown)  # once more than needed where nobody knew
    for got in receiver.got:
        got.verify(secret, post.stage.clock.now())


@pytest.mark.parametrize("point", ["after_claim", "after_send", "before_commit"])
async def test_killed_at_every_claim_send_and_commit_in_turn_nothing_is_lost_or_out_of_order(
    post: Post, receiver: Receiver, urls: DatabaseUrls, point: str
) -> None:
    await post.endpoint(receiver.url)
    deaths, payments = 0, [await post.paid()]
    while await killed(urls, f"die:{point}:{deaths + 1}") == -signal.SIGKILL:
        deaths += 1
        await leases_end(post.stage.context.db)
        if deaths < 3:
            payments.append(await post.paid())
    assert deaths >= 2
    assert {row["outcome"] for row in await post.deliveries()} == {"delivered"}
    for payment in payments:
        told = [got.type for got in receiver.got if got.event["data"]["id"] == str(payment)]
        assert list(dict.fromkeys(told)) == ["payment.processing", "payment.succeeded"]
    # Each death leaves at most one try of each payment unheard of.
    assert len(receiver.got) <= (2 + deaths) * len(payments)


async def test_many_workers_at_once_deliver_each_once_and_each_payment_in_order(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    await post.endpoint(receiver.url)
    payments = [await post.paid() for _ in range(15)]
    await announce(post.announcer)
    senders = [WebhookSender(stage.context, RULES) for _ in range(4)]
    tries = await asyncio.gather(*(sender.deliver_due() for sender in senders))
    assert sum(tries) + await post.go() == len(receiver.got) == 30
    assert len({got.id for got in receiver.got}) == 30
    for payment in payments:
        told = [got.type for got in receiver.got if got.event["data"]["id"] == str(payment)]
        assert told == ["payment.processing", "payment.succeeded"]


async def test_an_endpoint_that_hangs_takes_no_more_than_its_places(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    """The others are served meanwhile, by the same worker."""
    freed = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        await freed.wait()
        return web.Response(status=204)

    quick = receiver
    async with receiving() as slow:
        slow.answers = [hang] * 100
        await post.endpoint(slow.url, "payment.succeeded")
        await post.endpoint(quick.url, "payment.succeeded")
        for _ in range(12):
            await post.paid()
        await announce(post.announcer)
        rules = replace(RULES, at_once=6, at_once_each=2, poll_s=0.02)
        running = asyncio.create_task(WebhookSender(stage.context, rules).run())
        await quick.until(12)
        assert len(slow.got) == 2
        freed.set()
        await slow.until(12)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_a_worker_says_after_its_lease_ended_is_not_kept(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    await post.endpoint(receiver.url, "payment.succeeded")
    await post.paid()
    await announce(post.announcer)
    late = WebhookSender(stage.context, RULES)

    async def take_over(_request: web.Request) -> web.Response:
        """While the first try is under way its lease ends, and another delivers."""
        await leases_end(stage.context.db)
        assert await post.sender.deliver_due() == 1
        return web.Response(status=500)

    receiver.answers = [take_over]
    await late.deliver_due()
    (delivery,) = await post.deliveries()
    assert (delivery["outcome"], delivery["tried"], len(receiver.got)) == ("delivered", 1, 2)
