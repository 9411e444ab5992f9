"""Whoever reads much, reads in turns: what a viewer asks for at once keeps no webhook waiting."""

import asyncio

import pytest

from coinslot.console.heavy_reads import HeavyReads
from coinslot.db.pool import connect
from coinslot.pages.errors import RefusedError
from tests.conftest import DatabaseUrls
from tests.console.conftest import Browser, signed_in
from tests.people.conftest import Staffed

PATIENCE_S = 20
READS = (
    "/console/money", "/console/money/reports", "/console/money/orders",
    "/console/money/machines", "/console/money/payments/export", "/console/today",
)  # fmt: skip


async def get(browser: Browser, path: str) -> int:
    return (await browser.client.get(path, timeout=60)).status_code


@pytest.mark.parametrize("path", READS)
async def test_reports_that_are_slow_and_many_keep_no_webhook_waiting(
    staffed: Staffed, urls: DatabaseUrls, path: str
) -> None:
    esha = await signed_in(staffed, "esha")  # Chandra's viewer
    owner = await connect(urls.owner)
    asked = []
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE captures, outlets, orders IN ACCESS EXCLUSIVE MODE")
            asked = [asyncio.create_task(get(esha, path)) for _ in range(25)]
            await asyncio.sleep(0.5)  # each of them waits for the database, or for its turn
            async with asyncio.timeout(PATIENCE_S):
                async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
                    assert await conn.fetchval("SELECT 1") == 1
        answers = await asyncio.gather(*asked)
    finally:
        for one in asked:
            one.cancel()
        await owner.close()
    assert set(answers) == {200}


async def test_one_merchant_waits_for_itself_and_not_another(staffed: Staffed) -> None:
    heavy = HeavyReads(lambda: 4, patience_s=0.05)
    async with heavy.turn(staffed.merchant), heavy.turn(staffed.merchant):
        with pytest.raises(RefusedError) as refused:
            async with heavy.turn(staffed.merchant):
                pass
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "5")
        async with heavy.turn(staffed.chandra):
            pass
    async with heavy.turn(staffed.merchant):
        pass


async def test_who_comes_when_too_many_wait_is_told_at_once(staffed: Staffed) -> None:
    heavy = HeavyReads(lambda: 4, waiting=2)
    async with heavy.turn(staffed.merchant), heavy.turn(staffed.merchant):
        with pytest.raises(RefusedError):
            async with heavy.turn(staffed.merchant):
                pass
        turned = asyncio.Event()

        async def goes_on() -> None:
            async with heavy.turn(staffed.merchant, patient=True):
                turned.set()

        begun = asyncio.create_task(goes_on())
    async with asyncio.timeout(PATIENCE_S):
        await turned.wait()
    await begun
