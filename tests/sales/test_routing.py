"""Which gateway collects, and when the next one may."""

import pytest

from coinslot.gateways.base import Declined
from coinslot.kit.money import Money
from coinslot.payments import merchant_api
from coinslot.payments.attempts import NoGatewayError, PaymentRequest
from tests.sales.stage import Stage
from tests.sales.taking import confirmed, once
from tests.sales.tills import another, charged, two_tills
from tests.sales.weather import DONE_AND_LOST, LOST

BUSY = Declined("too many requests", permanent=False)


@pytest.mark.parametrize("no", [BUSY, Declined("the bank says no")])
async def test_after_a_certain_no_the_next_is_asked(stage: Stage, no: Declined) -> None:
    first, second = await two_tills(stage)
    first.fails("collect", no)
    answer = await confirmed(stage, await another(stage, "k"))
    assert answer.body["status"] == "succeeded"
    tries = [(a["gateway"], a["status"]) for a in answer.body["attempts"]]
    assert tries == [("mock", "failed"), ("flaky", "succeeded")]
    assert (charged(first), charged(second)) == (0, 5000)


@pytest.mark.parametrize("lost", [LOST, DONE_AND_LOST])
async def test_without_a_clear_answer_no_other_is_asked(stage: Stage, lost: str) -> None:
    first, second = await two_tills(stage)
    first.fails("collect", lost)
    payment = await another(stage, "k")
    assert (await confirmed(stage, payment)).body["status"] == "processing"
    for key in ("again", "and again"):
        assert (await confirmed(stage, payment, key)).body["status"] == "processing"
    stage.later(6)
    await stage.sweep("attempts")
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert (found.status, len(found.attempts)) == ("succeeded", 1)
    assert (charged(first), charged(second)) == (5000, 0)


async def test_a_passing_no_after_a_lost_answer_asks_no_other(stage: Stage) -> None:
    first, second = await two_tills(stage)
    first.fails("collect", DONE_AND_LOST, BUSY)
    payment = await another(stage, "k")
    await confirmed(stage, payment)
    stage.later(61)
    await confirmed(stage, payment, "again")
    await stage.sweep("attempts")
    assert charged(second) == 0


async def test_both_say_no_and_it_has_failed(stage: Stage) -> None:
    first, second = await two_tills(stage)
    answer = await confirmed(stage, await another(stage, "k", 5001))
    assert answer.body["status"] == "failed"
    assert [a["status"] for a in answer.body["attempts"]] == ["failed", "failed"]
    assert (charged(first), charged(second)) == (0, 0)


async def test_a_gateway_that_is_named_is_the_only_one(stage: Stage) -> None:
    first, second = await two_tills(stage)
    ask = PaymentRequest(money=Money(5000, "INR"), gateway="flaky")
    made = await merchant_api.create(stage.context, once(stage, "create", "k"), ask)
    second.fails("collect", BUSY)
    assert (await confirmed(stage, made.body["id"])).body["status"] == "failed"
    assert charged(first) == 0


async def test_one_that_cannot_take_the_amount_or_currency_is_passed_over(stage: Stage) -> None:
    first, second = await two_tills(stage)
    first.minimum_minor = {"INR": 5001}  # type: ignore[misc]  # of this one only
    answer = await confirmed(stage, await another(stage, "k", 5000))
    assert answer.body["gateway"] == "flaky"
    ask = PaymentRequest(money=Money(5000, "JPY"))
    made = await merchant_api.create(stage.context, once(stage, "create", "yen"), ask)
    with pytest.raises(NoGatewayError):
        await confirmed(stage, made.body["id"])
    assert charged(second) == 5000
