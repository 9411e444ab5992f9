"""A refund made in the gateway's dashboard whose webhook never came: polling finds it."""

from coinslot.gateways.base import RefundFact, RefundStage
from coinslot.kit.money import Money
from tests.sales.stage import Stage
from tests.sales.weather import in_weather


async def test_an_untold_refund_takes_back_what_was_not_dispatched(stage: Stage) -> None:
    weather = in_weather(stage)
    paid = await stage.pay()
    await stage.webhook(paid)
    weather.refund_in_dashboard(paid, 4000)
    stage.later(21)
    await stage.sweep("qr_polls")
    assert await stage.value("SELECT state FROM fulfillments") == "failed"
    await stage.sweep()
    assert weather.sent == []
    assert stage.refunded() == 4000


async def test_an_untold_refund_beside_the_goods_becomes_a_discrepancy(stage: Stage) -> None:
    weather = in_weather(stage)
    await stage.hello()
    paid = await stage.pay()
    await stage.webhook(paid)
    await stage.sweep("fulfillments")
    await stage.accept()
    await stage.result()
    weather.refund_in_dashboard(paid, 4000)
    stage.later(21)
    await stage.sweep("qr_polls")
    kinds = await stage.rows("SELECT DISTINCT kind FROM discrepancies")
    assert kinds == [{"kind": "refunded_outside_and_handed_over"}]


async def test_our_own_refund_is_not_asked_for_again(stage: Stage) -> None:
    weather = in_weather(stage)
    await stage.webhook(await stage.pay())
    stage.later(121)
    await stage.sweep()
    assert stage.refunded() == 4000
    weather.fails("refunds", "lost")
    stage.later(21)
    await stage.sweep("qr_polls")
    assert weather.script["refunds"] == ["lost"]


async def test_a_refund_in_another_currency_books_nothing(stage: Stage) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    strange = RefundFact(
        gateway_refund_id="rf_strange", gateway_payment_id=paid.gateway_payment_id,
        stage=RefundStage.PROCESSED, money=Money(4000, "USD"), at=stage.clock.now(),
    )  # fmt: skip
    await stage.webhook(strange, event="refund.processed")
    assert await stage.value("SELECT outside FROM captures") == 0
    assert await stage.value("SELECT count(*) FROM refunds") == 0
