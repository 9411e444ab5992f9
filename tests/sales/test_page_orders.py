"""Orders from a page: placed once, reserved, paid once; late, doubled and wrong money goes back."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from coinslot.gateways.base import Declined, PaymentFact
from coinslot.kit.money import Money
from coinslot.orders import checkout, expiry, outlet_pages
from coinslot.orders.checkout import OrderRequest, WayTap
from coinslot.orders.page_views import NotNowError, WhyNot
from coinslot.payments import provision
from tests.sales.stage import Stage
from tests.sales.test_refunds import crash
from tests.sales.weather import DIES_AFTER, DIES_BEFORE, DONE_AND_LOST, LOST, in_weather


async def placed(stage: Stage, key: str = "tap") -> str:
    """Placed, and its code asked for."""
    await stage.hello()
    token = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key=key))
    await checkout.pay(stage.context, WayTap(order=token))
    return token


async def pay(stage: Stage, token: str, minor: int = 4000, name: str = "pay_page") -> PaymentFact:
    """The customer pays the order's own code; no webhook yet."""
    qr = await stage.value(
        "SELECT q.qr_code_id FROM qr_codes q JOIN payments p ON p.id = q.payment_id"
        " JOIN orders o ON o.id = p.order_id WHERE o.token = $1", token,
    )  # fmt: skip
    paid = await stage.gateway.pay(name, Money(minor, "INR"), qr_code_id=qr)
    assert isinstance(paid, PaymentFact)
    return paid


async def order(stage: Stage, token: str) -> dict[str, Any]:
    (row,) = await stage.rows("SELECT * FROM orders WHERE token = $1", token)
    return row


async def test_a_placed_order_shows_its_code_and_paid_it_buys(stage: Stage) -> None:
    token = await placed(stage)
    view = await outlet_pages.order(stage.context, token)
    assert view is not None
    assert view.pay is not None
    await stage.webhook(await pay(stage, token))
    await stage.sweep()
    await stage.accept()
    await stage.result()
    assert (await order(stage, token))["state"] == "completed"
    assert await stage.value("SELECT count(*) FROM strays") == 0


@pytest.mark.parametrize(
    ("word", "state"), [(Declined("no"), "failed"), (LOST, "unknown"), (None, "pending")]
)
async def test_an_order_whose_code_is_declined_is_not_taken_for_one_without_an_answer(
    stage: Stage, word: object, state: str
) -> None:
    in_weather(stage).fails("print_qr", word)
    await placed(stage)
    assert await stage.value("SELECT state FROM attempts") == state


async def test_a_double_tap_places_once(stage: Stage) -> None:
    await stage.hello()
    wish = OrderRequest(outlet="M01", slot="A1", key="tap")
    tokens = await asyncio.gather(*(checkout.place(stage.context, wish) for _ in range(4)))
    assert len(set(tokens)) == 1
    assert await placed(stage) == tokens[0]
    assert await stage.value("SELECT count(*) FROM orders") == 1
    assert len([qr for qr in stage.books.qr_codes.values() if not qr.reusable]) == 1


async def test_a_placed_order_costs_the_gateway_nothing_until_its_customer_is_about_to_pay(
    stage: Stage,
) -> None:
    await stage.hello()
    made = len(stage.books.qr_codes)
    token = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    assert len(stage.books.qr_codes) == made
    before = await outlet_pages.order(stage.context, token)
    assert before is not None
    assert (before.pay, before.pay_at) == (None, None)
    await asyncio.gather(*(checkout.pay(stage.context, WayTap(order=token)) for _ in range(4)))
    assert len(stage.books.qr_codes) == made + 1
    after = await outlet_pages.order(stage.context, token)
    assert after is not None
    assert after.pay is not None
    assert after.version > before.version
    assert await stage.value("SELECT count(*) FROM payments") == 1


async def test_an_order_whose_code_was_never_asked_for_expires_without_a_trace_at_the_gateway(
    stage: Stage,
) -> None:
    await stage.hello()
    made = len(stage.books.qr_codes)
    token = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    stage.later(901)
    await stage.sweep()
    assert (await order(stage, token))["state"] == "expired"
    await checkout.pay(stage.context, WayTap(order=token))
    assert len(stage.books.qr_codes) == made


async def test_a_crash_after_the_code_was_asked_for_leaves_it_to_the_sweeper(stage: Stage) -> None:
    weather = in_weather(stage)
    weather.fails("print_qr", DIES_BEFORE)
    with pytest.raises(asyncio.CancelledError):
        await placed(stage)
    stage.later(11)
    await stage.sweep("qr_codes")
    view = await outlet_pages.order(stage.context, await stage.value("SELECT token FROM orders"))
    assert view is not None
    assert view.pay is not None


async def test_unpaid_orders_hold_nothing_and_the_last_piece_is_the_first_payers(
    stage: Stage,
) -> None:
    await filled(stage, 1)
    tokens = [await placed(stage, f"tap {number}") for number in range(3)]
    late = [await pay(stage, token, name=f"pay_{token}") for token in tokens]
    await asyncio.gather(*(stage.webhook(fact, event=f"paid {n}") for n, fact in enumerate(late)))
    states = [(await order(stage, token))["state"] for token in tokens]
    assert sorted(states) == ["expired", "expired", "paid"]
    reasons = await stage.rows("SELECT reason FROM captures WHERE reason IS NOT NULL")
    assert [row["reason"] for row in reasons] == ["sold_out"] * 2
    with pytest.raises(NotNowError) as caught:
        await placed(stage, "too late")
    assert caught.value.why_not is WhyNot.SOLD_OUT
    await stage.sweep()
    await stage.accept()
    await stage.result()
    await stage.sweep()
    assert stage.refunded() == 8000
    assert await stage.value("SELECT count(*) FROM fulfillments") == 1


async def test_a_code_is_not_asked_for_what_was_sold_meanwhile(stage: Stage) -> None:
    await filled(stage, 1)
    await stage.hello()
    wish = OrderRequest(outlet="M01", slot="A1", key="slow")
    slow = await checkout.place(stage.context, wish)
    await stage.webhook(await pay(stage, await placed(stage, "quick")))
    made = len(stage.books.qr_codes)
    with pytest.raises(NotNowError) as caught:
        await checkout.pay(stage.context, WayTap(order=slow))
    assert caught.value.why_not is WhyNot.SOLD_OUT
    assert len(stage.books.qr_codes) == made


async def test_the_next_customer_is_told_that_the_last_one_may_be_paid_for(stage: Stage) -> None:
    await filled(stage, 1)
    await placed(stage)
    view = await outlet_pages.outlet(stage.context, "M01")
    assert view is not None
    assert [(item.available, item.contested) for item in view.items] == [(True, True)]
    stage.later(121)
    await stage.hello()
    view = await outlet_pages.outlet(stage.context, "M01")
    assert view is not None
    assert [(item.available, item.contested) for item in view.items] == [(True, False)]


async def filled(stage: Stage, stock: int) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE slots SET stock = $1", stock)


async def test_an_order_nobody_pays_expires_and_its_code_closes(stage: Stage) -> None:
    token = await placed(stage)
    stage.later(901)
    await stage.sweep()
    assert (await order(stage, token))["state"] == "expired"
    assert await stage.value("SELECT state FROM payments") == "canceled"
    (qr,) = [qr for qr in stage.books.qr_codes.values() if not qr.reusable]
    assert not qr.open


async def test_money_that_comes_after_expiry_goes_back(stage: Stage) -> None:
    token = await placed(stage)
    stage.later(901)
    await stage.sweep()
    await stage.webhook(await pay(stage, token))
    await stage.sweep()
    assert await stage.value("SELECT reason FROM captures") == "order_expired"
    assert (await order(stage, token))["state"] == "expired"
    assert stage.refunded() == 4000


async def test_money_captured_too_late_expires_the_order_that_nobody_swept(stage: Stage) -> None:
    token = await placed(stage)
    stage.later(901)
    await stage.webhook(await pay(stage, token))
    assert (await order(stage, token))["state"] == "expired"
    await stage.sweep()
    assert stage.refunded() == 4000


@pytest.mark.parametrize(("early_s", "ends"), [(0.001, "paid"), (0, "expired")])
async def test_an_order_can_be_paid_until_its_end_and_not_at_it(
    stage: Stage, early_s: float, ends: str
) -> None:
    token = await placed(stage)
    end = await stage.value("SELECT expires_at FROM orders WHERE token = $1", token)
    stage.clock.advance(end - stage.clock.now() - timedelta(seconds=early_s))
    await stage.webhook(await pay(stage, token))
    assert (await order(stage, token))["state"] == ends
    await stage.sweep()
    assert stage.refunded() == (4000 if ends == "expired" else 0)


async def test_a_lost_webhook_does_not_let_a_paid_order_expire(stage: Stage) -> None:
    token = await placed(stage)
    stage.later(899)
    await pay(stage, token)
    stage.later(2)
    await stage.sweep("orders")
    assert (await order(stage, token))["state"] == "paid"


async def test_the_second_payment_of_one_order_goes_back(stage: Stage) -> None:
    token = await placed(stage)
    await stage.webhook(await pay(stage, token))
    second = await pay(stage, token, name="pay_again")
    for event in ("payment.captured", "qr_code.credited"):
        await stage.webhook(second, event=event)
    await stage.sweep()
    assert await stage.value("SELECT count(*) FROM fulfillments") == 1
    assert await stage.value("SELECT reason FROM captures WHERE surplus > 0") == "paid_twice"
    assert stage.refunded() == 4000


async def test_another_amount_than_asked_for_goes_back_and_the_order_waits(stage: Stage) -> None:
    token = await placed(stage)
    await stage.webhook(await pay(stage, token, minor=3000))
    await stage.sweep()
    assert (await order(stage, token))["state"] == "placed"
    assert stage.refunded() == 3000
    await stage.webhook(await pay(stage, token, name="pay_right"), event="right")
    assert (await order(stage, token))["state"] == "paid"


@pytest.mark.parametrize("word", [LOST, DONE_AND_LOST, Declined("not now")])
async def test_a_code_that_could_not_be_made_is_made_later_and_once(
    stage: Stage, word: object
) -> None:
    weather = in_weather(stage)
    weather.fails("print_qr", word)
    token = await placed(stage)
    stage.later(20)
    await stage.sweep()
    view = await outlet_pages.order(stage.context, token)
    assert view is not None
    assert view.pay is not None
    assert await stage.value("SELECT state FROM payments") == "requires_action"
    assert await stage.value("SELECT count(*) FROM strays") == 0
    assert len([qr for qr in stage.books.qr_codes.values() if not qr.reusable]) == 1


@pytest.mark.parametrize("word", [DIES_BEFORE, DIES_AFTER])
async def test_a_crash_around_the_making_of_a_printed_code_makes_one(
    stage: Stage, word: str
) -> None:
    stage.later(1)
    weather = in_weather(stage)
    weather.fails("print_qr", word)
    with pytest.raises(asyncio.CancelledError):
        await provision.print_qr(stage.context, "M01", 4500)
    profile = await provision.print_qr(stage.context, "M01", 4500)
    assert profile.qr_code_id
    made = [qr for qr in stage.books.qr_codes.values() if qr.money == Money(4500, "INR")]
    assert len(made) == 1


async def test_a_crash_while_a_page_code_is_made_leaves_it_to_the_sweeper(stage: Stage) -> None:
    weather = in_weather(stage)
    weather.fails("print_qr", DIES_AFTER)
    with pytest.raises(asyncio.CancelledError):
        await placed(stage)
    stage.later(11)
    await stage.sweep("qr_codes")
    token = await placed(stage)
    await stage.webhook(await pay(stage, token))
    assert (await order(stage, token))["state"] == "paid"
    weather.fails("close_qr", DIES_AFTER)
    second = await placed(stage, "second")
    stage.later(901)
    await crash(stage, "orders", "qr_codes")
    stage.later(1)
    await stage.sweep()
    assert (await order(stage, second))["state"] == "expired"
    assert not [qr for qr in stage.books.qr_codes.values() if qr.open and not qr.reusable]


async def test_the_page_asks_the_gateway_when_its_customer_waits(stage: Stage) -> None:
    token = await placed(stage)
    await pay(stage, token)
    await checkout.ask_gateway(stage.context, token)
    assert (await order(stage, token))["state"] == "paid"


async def test_nothing_is_placed_at_an_outlet_that_cannot_sell(stage: Stage) -> None:
    for code, why in (("M01", WhyNot.OFFLINE), ("X99", WhyNot.OUT_OF_SERVICE)):
        with pytest.raises(NotNowError) as caught:
            await checkout.place(stage.context, OrderRequest(outlet=code, slot="A1", key=code))
        assert caught.value.why_not is why
    await stage.hello()
    with pytest.raises(NotNowError):
        await checkout.place(stage.context, OrderRequest(outlet="M01", slot="Z9", key="z"))
    await provision.decommission(stage.context, "M01")
    with pytest.raises(NotNowError):
        await placed(stage)
    assert await stage.value("SELECT count(*) FROM orders") == 0


async def test_a_code_that_has_served_is_looked_at_ever_more_rarely_and_then_no_more(
    stage: Stage,
) -> None:
    token = await placed(stage)
    await stage.webhook(await pay(stage, token))
    asked = set()
    for _ in range(250):
        await stage.sweep("qr_codes")
        asked.add(await stage.value("SELECT asked_at FROM qr_codes WHERE payment_id IS NOT NULL"))
        stage.later(60)
    assert 5 <= len(asked) <= 15
    assert await stage.value("SELECT due_at FROM qr_codes WHERE payment_id IS NOT NULL") is None


async def test_a_code_asked_for_in_the_last_moment_has_its_whole_time(stage: Stage) -> None:
    """The worker had claimed the order at its deadline, just before the page's commit."""
    await stage.hello()
    token = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    first = await order(stage, token)
    stage.later(899)
    await stage.hello()
    await checkout.pay(stage.context, WayTap(order=token))
    stage.later(1)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        row = await conn.fetchrow("SELECT * FROM orders")
    assert row is not None
    await expiry.expire(stage.context, row)
    left = await order(stage, token)
    assert left["state"] == "placed"
    assert left["due_at"] == left["expires_at"] > first["expires_at"]
    stage.later(600)
    await stage.webhook(await pay(stage, token))
    assert (await order(stage, token))["state"] == "paid"


async def test_an_order_whose_code_a_worker_asks_about_just_now_is_looked_at_again_in_two_seconds(
    stage: Stage,
) -> None:
    token = await placed(stage)
    ends = (await order(stage, token))["expires_at"]
    await stage.rows(
        "UPDATE qr_codes SET leased_until = clock_timestamp() + interval '1 hour'"
        " WHERE payment_id IS NOT NULL RETURNING 1"
    )
    stage.later((ends - stage.clock.now()).total_seconds())
    await stage.sweep("orders")
    assert (await order(stage, token))["state"] == "placed"
    await stage.rows("UPDATE qr_codes SET leased_until = NULL RETURNING 1")
    stage.later(1.9)
    await stage.sweep("orders")
    assert (await order(stage, token))["state"] == "placed"
    stage.later(0.1)
    await stage.sweep("orders")
    assert (await order(stage, token))["state"] == "expired"
