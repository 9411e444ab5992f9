"""What one merchant may take of what all share, and what it may never touch."""

import asyncio
from uuid import UUID

import asyncpg
import pytest
from aiohttp import web
from msgspec.structs import replace

from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.events.webhooks.endpoints import EndpointRequest, EndpointRuleError
from coinslot.kit.ids import token, uuid7
from coinslot.merchants.merchants import Merchant, open_merchant
from coinslot.payments.idempotency import IdempotentCall
from tests.feeds.conftest import RULES, Post, announce
from tests.feeds.receiver import Receiver, receiving
from tests.sales.stage import Stage

URL = "http://shop.example/hooks"


async def chandra(stage: Stage) -> UUID:
    made = uuid7(stage.clock.now())
    await open_merchant(
        stage.context.db, Merchant(id=made, name="Chandra", slug="chandra"), stage.clock.now()
    )
    return made


def key_of(merchant: UUID) -> IdempotentCall:
    return IdempotentCall(merchant=merchant, endpoint="test", key=token(), request_hash=b"hash")


async def hang(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError("it waits for ever")


async def test_one_merchants_hanging_endpoints_leave_places_to_the_others(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    stranger = key_of(await chandra(stage))
    hers = await post.endpoints.create(stranger, EndpointRequest(url=receiver.url))
    async with receiving() as slow:
        slow.answers = [hang] * 100
        for number in range(4):
            await post.endpoint(f"{slow.url}/{number}", "payment.succeeded")
        for _ in range(2):
            await post.paid()
        await announce(post.announcer)
        rules = replace(RULES, at_once=6, at_once_merchant=3, at_once_each=2, poll_s=0.02)
        running = asyncio.create_task(WebhookSender(stage.context, rules).run())
        await slow.until(3)
        test = replace(stranger, key=token())
        await post.endpoints.test(test, UUID(hers.body["id"]))
        await announce(post.announcer)
        await receiver.until(1)
        assert len(slow.got) == 3
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_endpoint_that_fails_has_one_place_until_it_takes_something(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    leased: list[object] = []

    async def answer(_request: web.Request) -> web.Response:
        leased.append(
            await stage.value("SELECT count(*) FROM deliveries WHERE leased_until > now()")
        )
        return web.Response(status=500 if len(leased) == 1 else 204)

    receiver.answers = [answer] * 10
    await post.endpoint(receiver.url, "payment.succeeded")
    await post.paid()
    await post.go()
    for _ in range(4):
        await post.paid()
    assert await post.go() == 4
    assert leased[:3] == [1, 1, 3]


async def test_endpoints_made_at_once_are_no_more_than_are_possible(
    post: Post, stage: Stage
) -> None:
    for _ in range(47):
        await post.endpoint(URL)
    made = await asyncio.gather(*(post.endpoint(URL) for _ in range(9)), return_exceptions=True)
    assert sum(isinstance(one, EndpointRuleError) for one in made) == 6
    assert len(await post.endpoints.listed(stage.merchant)) == 50


async def test_tests_that_are_on_their_way_are_few_and_those_that_arrived_do_not_count(
    post: Post, receiver: Receiver
) -> None:
    endpoint, _ = await post.endpoint(receiver.url)
    for announced in (False, True):
        calls = (post.endpoints.test(post.key(), endpoint) for _ in range(6 if announced else 9))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = [one for one in answers if isinstance(one, EndpointRuleError)]
        assert [one.code for one in refused] == ["too_many_tests"] * (5 if announced else 0)
        await announce(post.announcer)
    assert await post.go() == 10
    await post.endpoints.test(post.key(), endpoint)


async def test_no_merchant_is_told_the_event_of_another_whatever_it_writes(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    stranger = await chandra(stage)
    hers = UUID(
        (await post.endpoints.create(key_of(stranger), EndpointRequest(url=receiver.url))).body[
            "id"
        ]
    )
    ashas, _ = await post.endpoint(URL, "payment.failed")
    await post.endpoint(URL)
    await post.paid()
    await announce(post.announcer)
    event, delivery = (await post.deliveries())[0]["seq"], (await post.deliveries())[0]["id"]
    now = stage.clock.now()
    for endpoint in (hers, ashas):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with stage.context.db.as_merchant(stranger) as conn:
                await conn.execute(
                    "INSERT INTO deliveries (id, merchant_id, endpoint_id, seq, line, created_at,"
                    " due_at) VALUES ($1, $2, $3, $4, $1, $5, $5)",
                    uuid7(now), stranger, endpoint, event, now,
                )  # fmt: skip
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with stage.context.db.as_merchant(stranger) as conn:
            await conn.execute(
                "INSERT INTO delivery_tries (delivery_id, number, merchant_id, took_ms, at)"
                " VALUES ($1, 9, $2, 1, $3)", delivery, stranger, now,
            )  # fmt: skip


async def test_more_hanging_merchants_than_places_hold_up_nobody_for_long(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    """Four merchants whose servers take webhooks and never answer, and four places."""
    async with receiving() as slow:
        slow.answers = [hang] * 100
        for number in range(4):
            made = uuid7(stage.clock.now())
            named = Merchant(id=made, name=f"m{number}", slug=f"m{number}")
            await open_merchant(stage.context.db, named, stage.clock.now())
            key = key_of(made)
            endpoint = (await post.endpoints.create(key, EndpointRequest(url=slow.url))).body["id"]
            await post.endpoints.test(replace(key, key=token()), UUID(endpoint))
        await announce(post.announcer)
        rules = replace(RULES, at_once=4, slow_s=0.2, timeout_s=60, poll_s=0.02, grace_s=0.01)
        running = asyncio.create_task(WebhookSender(stage.context, rules).run())
        await slow.until(4)
        mine, _ = await post.endpoint(receiver.url, "webhook.test")
        await post.endpoints.test(post.key(), mine)
        await announce(post.announcer)
        await receiver.until(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    async with stage.context.db.system_transaction() as conn:
        leased = await conn.fetchval(
            "SELECT count(*) FROM deliveries WHERE leased_until IS NOT NULL AND outcome IS NULL"
        )
    assert leased == 0  # a process that stops lets go of what it could not end
    await post.sender.deliver_due()
