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
    async with stage.shop.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE refunds SET leased_until = NULL")  # its lease ends
    await stage.sweep("refunds")
    assert stage.refunded() == 2100
