"""Beside its units an order may have a tip, a delivery fee and added tax: they are earned when
anything was handed over, and go back when nothing was."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from coinslot.kit.ids import token as new_key
from coinslot.orders import checkout, order_records, order_refunds, outlet_pages, placing
from coinslot.orders.checkout import WayTap
from coinslot.orders.order_refunds import OrderRefund, OrderRefundView, Outcome
from coinslot.orders.placing import NewLine, NewOrder, Placed
from coinslot.orders.pricing import Discount, Extra, ExtraKind
from coinslot.payments.merchant_api import RuledOutError, UnknownError
from tests.sales.stage import Stage
from tests.sales.test_page_orders import pay
from tests.sales.test_partly import drop, jam, told
from tests.sales.test_refunds import told as gateway_told
from tests.sales.weather import in_weather

TIP, FEE, TAX = (
    Extra(ExtraKind.TIP, 500), Extra(ExtraKind.DELIVERY_FEE, 300), Extra(ExtraKind.ADDED_TAX, 250)
)  # fmt: skip


async def place(
    stage: Stage, pieces: int, discounts: Sequence[Discount], extras: Sequence[Extra], tax_bp: int
) -> Placed:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        product = await conn.fetchrow("SELECT * FROM products")
        assert product is not None
        line = NewLine(
            product=product["id"], slot="A1", sku=product["sku"], name=product["name"],
            price=product["price_minor"], cost=0, quantity=pieces, tax_bp=tax_bp,
        )  # fmt: skip
        return await placing.place(
            conn, stage.context,
            NewOrder(
                merchant=stage.merchant, outlet="M01", currency="INR", key=new_key(),
                expires_at=stage.context.after("order_s"), lines=(line,), discounts=discounts,
                extras=extras,
            ),
        )  # fmt: skip


async def ordered(
    stage: Stage,
    *extras: Extra,
    pieces: int = 1,
    discounts: Sequence[Discount] = (),
    tax_bp: int = 0,
) -> UUID:
    """Placed on a page, paid, and the first piece offered."""
    await stage.hello()
    placed = await place(stage, pieces, discounts, extras, tax_bp)
    await checkout.pay(stage.context, WayTap(order=placed.token))
    await stage.webhook(await pay(stage, placed.token, placed.price.total))
    await stage.sweep()
    return placed.id


async def extras_of(stage: Stage) -> dict[str, tuple[str | None, str | None]]:
    rows = await stage.rows("SELECT kind, settlement, basis FROM order_extras")
    return {row["kind"]: (row["settlement"], row["basis"]) for row in rows}


async def earned(stage: Stage) -> int:
    held = await stage.value("SELECT coalesce(-sum(amount), 0) FROM ledger WHERE account = 'sales'")
    return int(held)


async def ask(
    stage: Stage, order: UUID, *extras: str, amount: int | None = None, key: str = "k"
) -> OrderRefundView:
    wanted = OrderRefund(
        order=order, key=key, by="asha", reason="why", extras=extras, amount=amount
    )
    return await order_refunds.refund(stage.context, stage.merchant, wanted)


async def test_extras_are_earned_with_the_last_unit_when_one_was_handed_over(
    stage: Stage,
) -> None:
    order = await ordered(stage, TIP, FEE, TAX, pieces=2)
    assert await stage.value("SELECT captured FROM captures") == 8000 + 1050
    await drop(stage, 1)
    assert set((await extras_of(stage)).values()) == {(None, None)}
    await jam(stage, 2)
    assert set((await extras_of(stage)).values()) == {("fulfilled", "handed_over")}
    assert (stage.refunded(), await earned(stage)) == (4000, 4000 + 1050)
    record = await order_records.order(stage.context, stage.merchant, order)
    assert record is not None
    assert record.left == 4000 + 1050


async def test_extras_go_back_when_nothing_was_handed_over(stage: Stage) -> None:
    await ordered(stage, TIP, FEE, TAX, pieces=2)
    await jam(stage, 1)
    assert stage.refunded() == 4000
    await jam(stage, 2)
    assert set((await extras_of(stage)).values()) == {("refund_due", "not_handed_over")}
    assert (stage.refunded(), await earned(stage)) == (8000 + 1050, 0)
    assert (await told(stage, "order.failed"))["given_back"] == 8000 + 1050


async def test_an_order_that_is_never_sent_gives_its_extras_back(stage: Stage) -> None:
    await ordered(stage, TIP)
    stage.later(121)
    await stage.sweep()
    assert stage.refunded() == 4500


async def test_a_failed_delivery_gives_its_fee_back_though_the_goods_were_handed_over(
    stage: Stage,
) -> None:
    order = await ordered(stage, TIP, FEE)
    tries = [placing.delivery_failed(stage.context, stage.merchant, order) for _ in range(3)]
    assert sorted(await asyncio.gather(*tries)) == [False, False, True]
    await drop(stage, 1)
    assert await extras_of(stage) == {
        "tip": ("fulfilled", "handed_over"), "delivery_fee": ("refund_due", "delivery_failed"),
    }  # fmt: skip
    assert (stage.refunded(), await earned(stage)) == (300, 4500)
    assert not await placing.delivery_failed(stage.context, stage.merchant, order)


async def test_an_unpaid_order_has_no_fee_to_give_back(stage: Stage) -> None:
    placed = await place(stage, 1, (), (FEE,), 0)
    assert not await placing.delivery_failed(stage.context, stage.merchant, placed.id)
    stage.later(1000)
    await stage.sweep()
    assert await stage.value("SELECT state FROM orders") == "expired"


async def test_discounts_and_included_tax_are_of_each_unit_since_the_order_was_placed(
    stage: Stage,
) -> None:
    await ordered(stage, pieces=3, discounts=(Discount(1000),), tax_bp=1800)
    rows = await stage.rows("SELECT amount_minor, tax_minor FROM fulfillments ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [(3666, 559), (3667, 559), (3667, 560)]
    assert await stage.value("SELECT captured FROM captures") == 11_000
    await drop(stage, 1)
    await jam(stage, 2)
    await jam(stage, 3)
    assert stage.refunded() + await earned(stage) == 11_000


# A person gives them back.


async def test_an_extra_is_given_back_by_name_once_it_was_earned(stage: Stage) -> None:
    order = await ordered(stage, TIP, TAX)
    await drop(stage, 1)
    (part,) = (await ask(stage, order, "tip")).parts
    assert (part.name, part.unit, part.amount, part.outcome) == ("tip", None, 500, Outcome.TAKEN)
    with pytest.raises(RuledOutError, match="tip"):
        await ask(stage, order, "tip", key="again")
    with pytest.raises(UnknownError):
        await ask(stage, order, "delivery_fee", key="other")
    await stage.sweep()
    assert (stage.refunded(), await earned(stage)) == (500, 4250)


async def test_an_extra_of_an_order_that_goes_on_is_withdrawn_at_once(stage: Stage) -> None:
    order = await ordered(stage, TIP, TAX)
    (part,) = (await ask(stage, order, "tip")).parts
    assert (part.outcome, part.money) == (Outcome.WITHDRAWN, "pending")
    await stage.sweep("refunds")
    assert stage.refunded() == 500
    await drop(stage, 1)
    assert (await extras_of(stage))["tip"] == ("refund_due", "withdrawn")
    assert (stage.refunded(), await earned(stage)) == (500, 4250)


async def test_all_of_an_order_that_was_not_sent_goes_back_with_its_extras_once(
    stage: Stage,
) -> None:
    order = await ordered(stage, TIP, FEE, pieces=2)
    made = await ask(stage, order)
    assert {part.outcome for part in made.parts} == {Outcome.WITHDRAWN}
    assert made.amount == 8800
    await stage.sweep()
    assert stage.refunded() == 8800
    assert await stage.value("SELECT state FROM orders") == "failed"


async def test_an_amount_is_taken_from_extras_too_and_never_more_than_is_left(
    stage: Stage,
) -> None:
    order = await ordered(stage, TIP)
    await drop(stage, 1)
    assert sum(part.amount for part in (await ask(stage, order, amount=4400)).parts) == 4400
    with pytest.raises(RuledOutError, match="100 is"):
        await ask(stage, order, amount=101, key="more")
    await ask(stage, order, amount=100, key="rest")
    await stage.sweep()
    assert (stage.refunded(), await earned(stage)) == (4500, 0)


async def test_a_tip_that_the_dashboard_gave_back_is_not_given_twice(stage: Stage) -> None:
    weather = in_weather(stage)
    order = await ordered(stage, TIP)
    await drop(stage, 1)
    paid = next(iter(stage.books.payments.values()))
    await ask(stage, order, "tip")
    await gateway_told(stage, weather.refund_in_dashboard(paid, 500))
    await stage.sweep()
    assert weather.sent == []
    assert stage.refunded() == 500


async def test_the_customers_page_and_the_merchants_event_name_the_extras(stage: Stage) -> None:
    await ordered(stage, TIP, FEE)
    token = str(await stage.value("SELECT token FROM orders"))
    await drop(stage, 1)
    view = await outlet_pages.order(stage.context, token)
    assert view is not None
    assert [(extra.kind, extra.money.minor) for extra in view.extras] == [
        ("tip", 500), ("delivery_fee", 300),
    ]  # fmt: skip
    data = await told(stage, "order.completed")
    assert data["amount"] == 4800
    assert data["extras"] == [
        {"kind": "tip", "amount": 500}, {"kind": "delivery_fee", "amount": 300},
    ]  # fmt: skip
