"""A row that nothing can be made of is left for later; it does not hold up the others."""

from coinslot.gateways.base import RefundFact, RefundOrder
from tests.sales.stage import Stage
from tests.sales.weather import in_weather


async def test_a_bug_met_by_one_refund_leaves_the_others_their_money(stage: Stage) -> None:
    weather = in_weather(stage)
    for _ in range(3):
        await stage.webhook(await stage.pay(700))  # a wrong sum goes back
    calm = weather.give_back
    bad = "pay_2"

    async def stumbles(order: RefundOrder) -> RefundFact:
        if order.gateway_payment_id == bad:
            raise OverflowError("date value out of range")
        answer = await calm(order)
        assert isinstance(answer, RefundFact)
        return answer

    weather.give_back = stumbles  # type: ignore[method-assign]
    await stage.sweep("refunds")
    assert stage.refunded() == 1400
    weather.give_back = calm  # type: ignore[method-assign]
    stage.later(21)  # what failed is put off
    await stage.sweep("refunds")
    assert stage.refunded() == 2100


async def test_rows_that_nothing_can_be_made_of_do_not_stand_before_their_accounts_others(
    stage: Stage,
) -> None:
    weather = in_weather(stage)
    for _ in range(6):
        await stage.webhook(await stage.pay(700))
    calm, bad = weather.give_back, {f"pay_{number}" for number in range(1, 6)}

    async def stumbles(order: RefundOrder) -> RefundFact:
        if order.gateway_payment_id in bad:
            raise OverflowError("date value out of range")
        answer = await calm(order)
        assert isinstance(answer, RefundFact)
        return answer

    weather.give_back = stumbles  # type: ignore[method-assign]
    for _ in range(3):
        await stage.sweep("refunds")
    assert stage.refunded() == 700
