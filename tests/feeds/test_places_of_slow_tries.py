"""A try that is over holds no place of the slow ones, however long ago it began."""

import asyncio

from msgspec.structs import replace

from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.kit.clock import wait_at_most
from tests.feeds.conftest import RULES, Post, announce
from tests.feeds.receiver import Receiver
from tests.sales.stage import Stage


async def test_tries_that_are_over_leave_their_places_to_the_next_ones(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    rules = replace(RULES, slow_s=0.05, slow_at_once=1, poll_s=0.02)
    await post.endpoint(receiver.url, "payment.succeeded")
    sender = WebhookSender(stage.context, rules)
    running = asyncio.create_task(sender.run())
    over = asyncio.Event()
    try:
        for number in range(1, 4):
            await post.paid()
            await announce(post.announcer)
            stage.context.wakes.wake("deliveries")
            async with asyncio.timeout(30):
                while await stage.value("SELECT count(*) FROM deliveries WHERE outcome"
                                        " IS NULL"):  # fmt: skip
                    await wait_at_most(over, 0.02)
            await wait_at_most(over, 2 * rules.slow_s)  # then a slow one would be set aside
            assert (len(receiver.got), sender._slow, sender._free()) == (number, set(), 1)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
