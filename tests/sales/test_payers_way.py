"""Where the payer goes may be told once: it is kept, and what is lost keeps nobody waiting."""

import pytest

from coinslot.payments import merchant_api
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, made, taking
from tests.sales.weather import DONE_AND_LOST

AT_A_PAGE = 5010  # the payer's hand is needed


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    forgetful = taking(stage)
    forgetful.tells_once = True
    return forgetful


async def test_looking_again_does_not_forget_where_the_payer_goes(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage, AT_A_PAGE)
    shown = (await confirmed(stage, payment)).body["next_action"]
    for _ in range(3):
        stage.later(60)
        await stage.sweep("attempts")
    seen = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert seen.status == "requires_action"
    assert seen.next_action is not None
    assert seen.next_action.url == shown["url"]  # type: ignore[union-attr]


async def test_a_page_that_nobody_was_told_of_is_closed_and_may_be_asked_for_anew(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage, AT_A_PAGE)
    gateway.fails("collect", DONE_AND_LOST)
    assert (await confirmed(stage, payment)).body["status"] == "processing"
    stage.later(6)
    await stage.sweep("attempts")
    assert (await merchant_api.payment(stage.context, stage.merchant, payment)).status == "failed"
    again = (await confirmed(stage, payment, key="again")).body
    assert again["status"] == "requires_action"
    assert again["next_action"]["url"]
