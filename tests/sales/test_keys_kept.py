"""Idempotency keys are kept as long as they may matter, and no longer."""

import asyncpg
import pytest

from coinslot.payments import merchant_api
from coinslot.worker.prune import prune
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, made, once, taking

DAY_S = 24 * 3600


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


async def keys(stage: Stage) -> int:
    return int(await stage.value("SELECT count(*) FROM idempotency_keys"))


async def test_the_keys_of_a_payment_at_rest_go_after_thirty_days(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage)
    await confirmed(stage, payment)
    call = once(stage, f"POST /payments/{payment}/refunds", "r")
    await merchant_api.request_refund(stage.context, call, payment, merchant_api.RefundRequest())
    await stage.sweep()
    stage.later(29 * DAY_S)
    assert await prune(stage.context, "keys") == 0
    assert (await confirmed(stage, payment)).replayed
    stage.later(2 * DAY_S)
    assert await prune(stage.context, "keys") == 3
    assert await keys(stage) == 0


async def test_as_long_as_a_payment_is_open_its_keys_stay(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage, 5010)
    await confirmed(stage, payment)
    stage.later(90 * DAY_S)
    assert await prune(stage.context, "keys") == 0
    key = once(stage, f"POST /payments/{payment}/cancel", "x")
    await merchant_api.cancel(stage.context, key, payment)
    assert await prune(stage.context, "keys") == 2
    assert await keys(stage) == 1  # the cancel's own is young


async def test_the_application_itself_may_prune_nothing(stage: Stage, gateway: Taking) -> None:
    await made(stage)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stage.value("SELECT prune_keys(now(), 1000)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stage.value("DELETE FROM idempotency_keys RETURNING 1")
