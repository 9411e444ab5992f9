"""Money that the gateway gives back by itself before anyone knows whose payment it was."""

from msgspec.structs import replace

from coinslot.gateways.base import PaymentFact
from tests.sales.stage import Stage
from tests.sales.weather import in_weather

PART_MINOR = 1_000


async def parked_and_partly_refunded(stage: Stage, *, ours: bool) -> PaymentFact:
    weather = in_weather(stage)
    paid = await stage.pay()
    unmatched = replace(paid, qr_code_id=None, mark=None)
    if not ours:
        stage.books.payments[paid.gateway_payment_id] = unmatched
    await stage.webhook(unmatched)
    await stage.webhook(weather.refund_in_dashboard(paid, PART_MINOR), event="refund.processed")
    return paid


async def test_a_strangers_partly_refunded_payment_keeps_its_rest(stage: Stage) -> None:
    await parked_and_partly_refunded(stage, ours=False)
    assert await stage.value("SELECT open FROM captures") == 4000
    stage.later(6)
    await stage.sweep()
    assert await stage.value("SELECT reason FROM captures") == "foreign"
    assert stage.refunded() == PART_MINOR


async def test_our_partly_refunded_payment_buys_nothing_and_the_rest_goes_back(
    stage: Stage,
) -> None:
    await parked_and_partly_refunded(stage, ours=True)
    stage.later(6)
    await stage.sweep()
    assert await stage.value("SELECT reason FROM captures") == "refunded_outside"
    assert await stage.value("SELECT count(*) FROM fulfillments") == 0
    assert stage.refunded() == 4000
