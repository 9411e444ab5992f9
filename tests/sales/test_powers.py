"""A gateway is asked only for what it can do."""

import asyncio

import pytest
from msgspec.structs import replace

from coinslot.kit.money import Money
from coinslot.oversight import nightly
from coinslot.payments import idempotency as keys
from coinslot.payments import merchant_api
from coinslot.payments.attempts import NoGatewayError, PaymentRequest
from coinslot.payments.idempotency import Answer, KeyBusyError, Resumed
from tests.sales.narrow import without
from tests.sales.nightly import nightly_gateway
from tests.sales.stage import MockAccounts, Stage
from tests.sales.taking import confirmed, once, taking
from tests.sales.weather import DIES_BEFORE

DAY_S = 86_400


def put(stage: Stage, driver: object) -> None:
    stage.account = replace(stage.account, driver=driver)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account


async def begun(stage: Stage, method: str) -> Answer:
    ask = PaymentRequest(money=Money(5000, "INR"), capture_method=method)
    made = await merchant_api.create(stage.context, once(stage, "create", method), ask)
    return await confirmed(stage, made.body["id"], f"c {method}")


async def test_what_cannot_hold_money_collects_at_once_and_is_not_asked_to_hold(
    stage: Stage,
) -> None:
    put(stage, without(taking(stage), "capture", "void"))
    assert (await begun(stage, "automatic")).body["status"] == "succeeded"
    with pytest.raises(NoGatewayError):
        await begun(stage, "manual")


async def test_what_can_hold_money_does_both(stage: Stage) -> None:
    taking(stage)
    assert (await begun(stage, "automatic")).body["status"] == "succeeded"
    assert (await begun(stage, "manual")).body["status"] == "authorized"


@pytest.mark.parametrize(
    "lacks", [("payments_between", "refunds_between"), ("settled_between",), ()], ids=str
)
async def test_a_night_asks_a_gateway_only_for_the_lists_that_it_has(
    stage: Stage, lacks: tuple[str, ...]
) -> None:
    put(stage, without(nightly_gateway(stage), *lacks))
    stage.later(DAY_S)
    assert await nightly.due(stage.context) == 1
    assert await stage.value("SELECT failure FROM reconciliations") is None


async def test_of_two_who_resume_one_call_one_waits_for_the_other(stage: Stage) -> None:
    gateway = taking(stage)
    ask = PaymentRequest(money=Money(5000, "INR"))
    payment = (await merchant_api.create(stage.context, once(stage, "create", "k"), ask)).body["id"]
    gateway.fails("collect", DIES_BEFORE)
    with pytest.raises(asyncio.CancelledError):
        await confirmed(stage, payment)
    stage.later(61)
    key = once(stage, f"POST /payments/{payment}/confirm", "c")
    async with stage.context.db.as_merchant(stage.merchant) as first:
        assert isinstance(await keys.begin(first, stage.context, key), Resumed)

        async def second() -> None:
            async with stage.context.db.as_merchant(stage.merchant) as conn:
                await keys.begin(conn, stage.context, key)

        other = asyncio.create_task(second())
        await asyncio.wait([other], timeout=0.2)
        assert not other.done()
    with pytest.raises(KeyBusyError):
        await other
