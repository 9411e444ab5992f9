"""Credentials that are set anew count everywhere at once: two processes on one database."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from coinslot.app import notify
from coinslot.db.pool import Database
from coinslot.gateways.base import Absent, Genuine
from coinslot.gateways.razorpay import Settings
from coinslot.kit.secrets import Secret, hmac_hex
from coinslot.merchants.accounts import AccountName, Accounts, save_account
from coinslot.outlets.machines import device_versions, issue_device
from coinslot.payments import provision
from tests.conftest import DatabaseUrls
from tests.gateways.canned import Asked, Canned, error, serving
from tests.sales.stage import Stage

NAME = "asha-razorpay"
WELL_WITHIN_S = 10.0


async def kept(stage: Stage, url: str, secret: str) -> Any:
    """As `coinslot merchants account` does, in any process."""
    settings = Settings(
        key_id="rzp_test_k", key_secret=Secret(secret), base_url=url,
        webhook_secrets=(Secret(f"hook {secret}"),),
    )  # fmt: skip
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        name = AccountName(stage.merchant, "razorpay", NAME)
        return await save_account(conn, stage.context.vault, stage.clock.now(), name, settings)


class Elsewhere:
    """Another process: pools and accounts of its own, and ears for what has changed."""

    def __init__(self, stage: Stage, db: Database) -> None:
        self.accounts = Accounts(db, stage.context.vault, stage.clock, timeout_s=5)
        self.db = db
        self.told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def changed(self, table: str, key: str) -> None:
        if table in ("", "gateway_accounts"):
            self.accounts.changed(UUID(key) if key else None)
        self.told.put_nowait((table, key))


@asynccontextmanager
async def elsewhere(stage: Stage, urls: DatabaseUrls) -> AsyncIterator[Elsewhere]:
    db = await Database.open(urls.app, urls.door, size=2)
    other = Elsewhere(stage, db)
    hearing = asyncio.create_task(notify.follow_changes(urls.door, other.changed))
    try:
        assert await other.told.get() == ("", "")  # it listens
        yield other
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        await other.accounts.close()
        await db.close()


def secrets_of(asked: list[Asked]) -> list[str]:
    return [one.headers["authorization"] for one in asked]


ABSENT = error(400, "The id provided does not exist")


async def test_a_key_that_one_process_sets_anew_is_the_next_that_another_calls_with(
    stage: Stage, urls: DatabaseUrls
) -> None:
    async with serving(ABSENT) as (url, asked), elsewhere(stage, urls) as other:
        account = await kept(stage, url, "old")
        assert isinstance(await (await other.accounts.by_id(account)).driver.look("pay_1"), Absent)
        await kept(stage, url, "new")
        async with asyncio.timeout(WELL_WITHIN_S):
            assert await other.told.get() == ("gateway_accounts", str(account))
        await (await other.accounts.by_id(account)).driver.look("pay_1")
        before, after = secrets_of(asked)
        assert before != after


async def test_webhooks_signed_with_a_new_secret_are_genuine_at_once(
    stage: Stage, urls: DatabaseUrls
) -> None:
    async with elsewhere(stage, urls) as other:
        account = await kept(stage, "http://127.0.0.1:9", "old")
        found = await other.accounts.by_slug("razorpay", NAME)
        assert found is not None
        await kept(stage, "http://127.0.0.1:9", "new")
        assert await other.told.get() == ("gateway_accounts", str(account))
        body = json.dumps({"event": "payment.downtime.started", "payload": {}}).encode()
        signed = {"x-razorpay-signature": hmac_hex(b"hook new", body)}
        found = await other.accounts.by_slug("razorpay", NAME)
        assert found is not None
        assert isinstance(found.driver.read_webhook(signed, body), Genuine)


async def test_a_word_that_is_lost_costs_half_a_minute(stage: Stage, urls: DatabaseUrls) -> None:
    db = await Database.open(urls.app, urls.door, size=2)
    accounts = Accounts(db, stage.context.vault, stage.clock, timeout_s=5)
    account = await kept(stage, "http://127.0.0.1:9", "old")
    first = await accounts.by_id(account)
    await kept(stage, "http://127.0.0.1:9", "new")
    assert await accounts.by_id(account) is first
    stage.later(31)
    assert await accounts.by_id(account) is not first
    unchanged = await accounts.by_id(account)
    stage.later(31)
    assert await accounts.by_id(account) is unchanged
    await accounts.close()
    await db.close()


async def test_a_call_under_way_ends_with_the_credentials_it_began_with(
    stage: Stage, urls: DatabaseUrls
) -> None:
    slow = Canned(404, ABSENT.body, delay_s=0.01)
    async with serving(slow) as (url, asked), elsewhere(stage, urls) as other:
        account = await kept(stage, url, "old")
        looking = asyncio.create_task((await other.accounts.by_id(account)).driver.look("pay_1"))
        while not asked:
            await stage.value("SELECT 1")
        await kept(stage, url, "new")
        assert await other.told.get() == ("gateway_accounts", str(account))
        await (await other.accounts.by_id(account)).driver.look("pay_2")
        assert isinstance(await looking, Absent)


@pytest.mark.parametrize("what", ["a new secret", "out of service"])
async def test_a_machine_has_to_show_its_secret_again(
    stage: Stage, urls: DatabaseUrls, what: str
) -> None:
    async with elsewhere(stage, urls) as other:
        before = await device_versions(other.db, ["M01"])
        if what == "a new secret":
            async with stage.context.db.as_merchant(stage.merchant) as conn:
                await issue_device(
                    conn, stage.context.vault, stage.merchant, "M01", stage.clock.now()
                )
            assert await other.told.get() == ("devices", "M01")
        else:
            await provision.decommission(stage.context, "M01")
            assert await other.told.get() == ("outlets", "M01")
        assert await device_versions(other.db, ["M01"]) != before


async def test_a_sign_of_life_is_no_new_secret(stage: Stage, urls: DatabaseUrls) -> None:
    async with elsewhere(stage, urls) as other:
        before = await device_versions(other.db, ["M01"])
        await stage.hello()
        assert await device_versions(other.db, ["M01"]) == before
        assert other.told.empty()
