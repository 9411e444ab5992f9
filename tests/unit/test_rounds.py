"""Work that is done again and again, whatever a round meets."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from coinslot.context.rounds import keep_doing
from coinslot.kit.clock import SettableClock
from coinslot.kit.failures import Failures

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


async def test_a_round_that_fails_is_followed_by_another_until_cancelled() -> None:
    rounds, third = 0, asyncio.Event()

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            raise ZeroDivisionError
        third.set()

    doing = asyncio.create_task(
        keep_doing(work, 0.0, Failures(SettableClock(NOON)), failed="not_done")
    )
    async with asyncio.timeout(5):
        await third.wait()
    doing.cancel()
    with suppress(asyncio.CancelledError):
        await doing
    assert doing.cancelled()
