"""An account's wire: as patient as its gateway wants, and nothing secret of it is stored."""

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest
from msgspec import Struct

from coinslot.gateways import drivers, wire
from coinslot.gateways.base import Mark, Unclear
from coinslot.gateways.collecting import Charge, Collects
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import Account, AccountName, Accounts, save_account
from tests.gateways.canned import Canned, serving
from tests.sales.stage import Stage

SLOW = Canned(400, {"type": "error", "code": "x", "description": "no"}, delay_s=0.01)
TIMEOUT_S = 0.2
FORMS: dict[str, dict[str, object]] = {
    "razorpay": {"key_id": "rzp_test_1", "key_secret": Secret("hush-razorpay")},
    "stripe": {"secret_key": Secret("sk_test_hush")},
    "yookassa": {"shop_id": "1", "secret_key": Secret("hush-yookassa")},
    "tbank": {"terminal_key": "T", "password": Secret("hush-tbank")},
}


@pytest.fixture
async def accounts(stage: Stage) -> AsyncIterator[Accounts]:
    context = stage.context
    opened = Accounts(context.db, context.vault, context.clock, timeout_s=TIMEOUT_S)
    yield opened
    await opened.close()


async def signed_up(stage: Stage, gateway: str, url: str) -> UUID:
    form: Struct = drivers()[gateway].Settings(**FORMS[gateway], base_url=url)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        name = AccountName(stage.merchant, gateway, "asha")
        return await save_account(conn, stage.context.vault, stage.clock.now(), name, form)


@pytest.mark.parametrize(("gateway", "waits"), [("yookassa", True), ("razorpay", False)])
async def test_a_gateway_that_says_it_is_slow_is_waited_for(
    stage: Stage, accounts: Accounts, gateway: str, waits: bool
) -> None:
    async with serving(SLOW) as (url, _):
        account = await accounts.by_id(await signed_up(stage, gateway, url))
        answer = await account.driver.look("a" * 36)
    assert isinstance(answer, Unclear)
    assert ("no whole answer" not in answer.reason) is waits


@pytest.mark.parametrize("gateway", sorted(FORMS))
async def test_no_secret_is_in_what_is_stored(
    stage: Stage, accounts: Accounts, gateway: str
) -> None:
    said = {"client_secret": "pi_1_secret_2", "Token": "deadbeef", "url": "https://pay.example/"}
    async with serving(Canned(200, said)) as (url, asked):
        account = await accounts.by_id(await signed_up(stage, gateway, url))
        driver = account.driver
        await driver.look("1234567890")
        if isinstance(driver, Collects):
            currency = sorted(driver.currencies)[0]
            mark = Mark(installation="here", payment="p")
            await driver.collect(
                Charge(money=Money(90000, currency), key="k", mark=mark, description="Cola",
                       return_url="https://shop.example/")
            )  # fmt: skip
    rows = await stage.rows("SELECT * FROM exchanges")
    assert len(rows) == len(asked) > 0
    stored = msgspec.json.encode(rows, enc_hook=str).decode()
    for secret in ("hush", "pi_1_secret_2", "deadbeef", "authorization"):
        assert secret not in stored.lower()


async def breaks_down(account: Account) -> None:
    async with wire.if_news():
        await account.driver.refunds("pay_1")
        raise LookupError("what was answered may explain it")


async def test_a_look_that_found_nothing_leaves_no_row_and_news_and_failures_do(
    stage: Stage, accounts: Accounts
) -> None:
    fine = Canned(200, {"entity": "collection", "count": 0, "items": []})
    async with serving(fine, fine, Canned(500, {}), fine) as (url, asked):
        account = await accounts.by_id(await signed_up(stage, "razorpay", url))
        kept = []
        for news in (False, True, False):
            async with wire.if_news() as exchanges:
                await account.driver.refunds("pay_1")
                exchanges.news = news
            kept.append(await stage.value("SELECT count(*) FROM exchanges"))
        with pytest.raises(LookupError):
            await breaks_down(account)
        kept.append(await stage.value("SELECT count(*) FROM exchanges"))
    assert kept == [0, 1, 2, 3]
    assert len(asked) == 4
