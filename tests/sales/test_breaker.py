"""A gateway that answers nothing is left alone for a while, and one payment finds out."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

from coinslot.app.page_backend import ContextBackend
from coinslot.gateways.base import Declined
from coinslot.gateways.breaker import Breaker, Position, Rules
from coinslot.payments import merchant_api
from coinslot.payments.attempts import GatewayUnavailableError
from tests.sales.stage import START, Stage
from tests.sales.taking import Taking, confirmed, once, taking
from tests.sales.tills import another, charged, two_tills
from tests.sales.weather import LOST

RULES = Rules(failures=3, window=timedelta(seconds=60), pause=timedelta(seconds=30))


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    stage.context.windows = replace(stage.context.windows, breaker_failures=3)
    return taking(stage)


async def broken(stage: Stage, gateway: Taking) -> list[UUID]:
    """Three payments of which nobody knows; the breaker is open."""
    gateway.fails("collect", LOST, LOST, LOST)
    lost = [await another(stage, f"lost{n}") for n in range(3)]
    for payment in lost:
        assert (await confirmed(stage, payment)).body["status"] == "processing"
    return lost


async def test_it_opens_and_the_payment_stays_as_it_was(stage: Stage, gateway: Taking) -> None:
    paid = await another(stage, "before")
    await confirmed(stage, paid)
    await broken(stage, gateway)
    payment = await another(stage, "next")
    with pytest.raises(GatewayUnavailableError) as refused:
        await confirmed(stage, payment)
    assert 0 < refused.value.retry_after_s <= 30
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert (found.status, found.attempts) == ("created", [])
    assert (await confirmed(stage, paid)).replayed  # an answer that stands is given again
    stage.later(31)
    assert (await confirmed(stage, payment)).body["status"] == "succeeded"  # under the same key


async def test_refunds_and_looks_pass_while_it_is_open(stage: Stage, gateway: Taking) -> None:
    paid = await another(stage, "before")
    await confirmed(stage, paid)
    lost = await broken(stage, gateway)
    await merchant_api.request_refund(
        stage.context, once(stage, "r", "r"), paid, merchant_api.RefundRequest()
    )
    await stage.sweep("refunds")
    assert stage.refunded() == 5000
    stage.later(6)
    await stage.sweep("attempts")
    for payment in lost:
        assert (
            await merchant_api.payment(stage.context, stage.merchant, payment)
        ).status == "succeeded"


async def test_what_was_under_way_closes_it_when_it_is_answered(
    stage: Stage, gateway: Taking
) -> None:
    await broken(stage, gateway)
    stage.later(6)
    await stage.sweep("attempts")
    assert stage.context.breakers.away() == []


async def test_one_payment_finds_out_and_the_others_wait_for_it(
    stage: Stage, gateway: Taking
) -> None:
    await broken(stage, gateway)
    payments = [await another(stage, f"n{n}") for n in range(10)]
    stage.later(31)
    gateway.fails("collect", LOST)
    answers = await asyncio.gather(
        *(confirmed(stage, payment) for payment in payments), return_exceptions=True
    )
    through = [answer for answer in answers if not isinstance(answer, GatewayUnavailableError)]
    assert len(through) == 1
    assert stage.context.breakers.away() == ["mock/asha-mock open"]


async def test_a_no_is_an_answer(stage: Stage, gateway: Taking) -> None:
    gateway.fails("collect", *[Declined("too many requests", permanent=False)] * 5)
    for n in range(5):
        await confirmed(stage, await another(stage, f"n{n}"))
    assert stage.context.breakers.away() == []


async def test_the_next_gateway_takes_over_while_the_first_is_away(stage: Stage) -> None:
    stage.context.windows = replace(stage.context.windows, breaker_failures=3)
    first, second = await two_tills(stage)
    await broken(stage, first)
    answer = await confirmed(stage, await another(stage, "next"))
    assert answer.body["gateway"] == "flaky"
    assert (charged(first), charged(second)) == (0, 5000)


async def test_health_and_metrics_tell_of_it(stage: Stage, gateway: Taking) -> None:
    backend = ContextBackend(stage.context, "1", None)
    assert (await backend.health()).status == "healthy"
    await broken(stage, gateway)
    found = await backend.health()
    assert (found.status, found.checks["gateway"].detail) == ("degraded", "mock/asha-mock open")
    labels = {"account": "mock/asha-mock"}
    assert REGISTRY.get_sample_value("coinslot_gateway_breaker", labels) == 2
    stage.later(31)
    await confirmed(stage, await another(stage, "n"))
    assert (await backend.health()).checks["gateway"].status == "healthy"
    assert REGISTRY.get_sample_value("coinslot_gateway_breaker", labels) == 0


def test_old_failures_do_not_count() -> None:
    breaker = Breaker("a")
    for n in range(10):
        breaker.record(False, START + timedelta(seconds=31 * n), RULES)
    assert breaker.position is Position.CLOSED
    assert breaker.enter(START, RULES)


def test_a_probe_that_never_comes_back_makes_room_for_another() -> None:
    breaker = Breaker("a")
    for _ in range(3):
        breaker.record(False, START, RULES)
    assert not breaker.enter(START, RULES)
    then = START + timedelta(seconds=30)
    assert [breaker.enter(then, RULES) for _ in range(3)] == [True, False, False]
    assert breaker.position is Position.HALF_OPEN
    assert breaker.enter(then + timedelta(seconds=30), RULES)


def test_what_was_under_way_and_goes_on_failing_does_not_keep_it_open() -> None:
    breaker = Breaker("a")
    for second in range(29):
        breaker.record(False, START + timedelta(seconds=second), RULES)
    assert breaker.position is Position.OPEN
    assert breaker.enter(START + timedelta(seconds=32), RULES)
