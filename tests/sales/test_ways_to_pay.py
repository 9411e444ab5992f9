"""Orders are paid through attempts at any gateway: one way at a time, and every capture buys the
goods or goes back."""

from datetime import timedelta

import pytest

from coinslot.gateways.base import Declined
from coinslot.gateways.collecting import ShowQr
from coinslot.orders import outlet_pages
from coinslot.orders.page_views import NotNowError, WhyNot
from coinslot.orders.store import ORDER_TO_PAY
from coinslot.payments import ways_to_pay
from coinslot.payments.ways_to_pay import Form, PageAttempt, Way
from tests.sales.payers import Payers, two_ways
from tests.sales.stage import Stage

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def payers(stage: Stage) -> Payers:
    return await two_ways(stage)


async def handed_over(payers: Payers) -> None:
    await payers.stage.sweep()
    await payers.stage.accept()
    await payers.stage.result()
    await payers.stage.sweep()


async def test_an_order_is_paid_at_the_gateways_own_page_and_the_can_drops(payers: Payers) -> None:
    order = await payers.order()
    before = await payers.view(order)
    assert [(way.form, way.title) for way in before.ways] == [
        ("link", "Practice gateway"), ("link", "Practice gateway"), ("code", "Practice gateway"),
    ]  # fmt: skip
    assert payers.first.asked == payers.second.asked == []  # nothing by looking
    await payers.tap(order, 1)
    view = await payers.view(order)
    assert view.pay is not None
    assert (view.pay.form, view.pay.url) == (
        "link", f"https://pay.example.test/{payers.second.asked[0].key}"
    )  # fmt: skip
    assert payers.second.asked[0].return_url == f"https://example.invalid/o/{order}"
    assert payers.second.asked[0].description == "Cola"
    assert await payers.tells(1, payers.pays(payers.second)) == "taken"
    assert (await payers.view(order)).state == "paid"
    await handed_over(payers)
    assert (await payers.view(order)).state == "completed"
    assert payers.refunded() == [0, 0]
    assert await payers.stage.value("SELECT count(*) FROM strays") == 0


async def test_an_orders_capture_never_counts_as_collected_by_the_merchants_own_server(
    payers: Payers,
) -> None:
    order = await payers.order()
    await payers.tap(order, 1)
    await payers.tells(1, payers.pays(payers.second))
    (capture,) = await payers.stage.rows("SELECT * FROM captures")
    assert (capture["fulfilled"], capture["open"]) == (0, 4000)
    sold = "SELECT count(*) FROM ledger WHERE account = 'sales'"
    assert await payers.stage.value(sold) == 0
    await handed_over(payers)
    assert await payers.stage.value(sold) == 1


async def test_an_attempt_is_ours_for_ten_seconds_and_then_anybodys(payers: Payers) -> None:
    """And one whose turn comes later is nobody's until then."""
    token, stage = await payers.order(), payers.stage
    now, way = (
        stage.clock.now(),
        Way(account=payers.accounts[1].id, form=Form.LINK, gateway="flaky", title="x"),
    )
    for make_at, due in ((now, 10), (now - timedelta(seconds=1), 10), (now + MINUTE, 60)):
        wanted = PageAttempt(
            way=way, key=None, make_at=make_at, description="a can", return_url="https://o"
        )
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            order = await conn.fetchrow(ORDER_TO_PAY, token, now)
            assert order is not None
            attempt = await ways_to_pay.begin(conn, stage.context, order, wanted)
        (row,) = await stage.rows("SELECT * FROM attempts WHERE id = $1", attempt)
        assert {name: row[name] for name in ("state", "way", "outlet_id", "make_at", "due_at")} == {
            "state": "started", "way": "link", "outlet_id": "M01", "make_at": make_at,
            "due_at": now + timedelta(seconds=due),
        }  # fmt: skip


async def test_changing_the_way_closes_the_attempt_before_at_its_gateway(payers: Payers) -> None:
    order = await payers.order()
    await payers.tap(order, 1)
    await payers.tap(order, 0)
    await payers.stage.sweep()
    assert await payers.states() == [("link", "failed"), ("link", "pending")]
    (reference,) = [charge.key for charge in payers.second.asked]
    assert payers.second.charges[reference].reason == "called off"  # type: ignore[union-attr]
    await payers.tap(order, 0, Form.CODE)
    await payers.stage.sweep()
    assert await payers.states() == [("link", "failed")] * 2 + [("code", "pending")]
    view = await payers.view(order)
    assert view.pay is not None
    assert view.pay.form == "code"
    await payers.tap(order, 1)
    await payers.stage.sweep()
    assert not [qr for qr in payers.first.books.qr_codes.values() if qr.open and not qr.reusable]
    assert await payers.states() == [("link", "failed")] * 2 + [
        ("code", "failed"), ("link", "pending"),
    ]  # fmt: skip
    await payers.tells(1, payers.pays(payers.second))
    await handed_over(payers)
    assert (await payers.view(order)).state == "completed"
    assert payers.refunded() == [0, 0]


async def test_what_is_paid_in_a_way_that_was_left_goes_back_and_the_order_waits(
    payers: Payers,
) -> None:
    payers.second.cancels = False
    order = await payers.order()
    await payers.tap(order, 1)
    payers.stage.later(10)
    await payers.tap(order, 0)
    await payers.stage.sweep()
    await payers.tells(1, payers.pays(payers.second))
    await payers.stage.sweep()
    assert await payers.stage.value("SELECT reason FROM captures") == "way_changed"
    assert payers.refunded() == [0, 4000]
    view = await payers.view(order)
    assert view.state == "placed"
    assert view.pay is not None
    await payers.tells(0, payers.pays(payers.first))
    await handed_over(payers)
    assert (await payers.view(order)).state == "completed"
    assert payers.refunded() == [0, 4000]


async def test_what_was_paid_before_the_way_was_changed_buys_the_goods(payers: Payers) -> None:
    """The customer did not see that it was paid, and tapped another button."""
    order = await payers.order()
    await payers.tap(order, 1)
    paid = payers.pays(payers.second)
    payers.stage.later(10)
    await payers.tap(order, 0)
    await payers.stage.sweep("attempts")  # closing it finds the payment; no webhook tells of it
    assert (await payers.view(order)).state == "paid"
    await payers.tells(1, paid)
    await handed_over(payers)
    assert await payers.states() == [("link", "succeeded"), ("link", "failed")]
    assert payers.refunded() == [0, 0]


async def test_of_two_ways_that_are_both_paid_the_second_capture_goes_back(payers: Payers) -> None:
    payers.second.cancels = False
    order = await payers.order()
    await payers.tap(order, 1)
    payers.stage.later(10)
    await payers.tap(order, 0)
    await payers.tells(0, payers.pays(payers.first))
    await payers.tells(1, payers.pays(payers.second))
    await handed_over(payers)
    reasons = await payers.stage.rows("SELECT reason FROM captures WHERE reason IS NOT NULL")
    assert [row["reason"] for row in reasons] == ["paid_twice"]
    assert payers.refunded() == [0, 4000]


async def test_money_that_comes_to_a_link_after_its_order_expired_goes_back(payers: Payers) -> None:
    payers.second.cancels = False
    order = await payers.order()
    await payers.tap(order, 1)
    payers.stage.later(901)
    await payers.stage.sweep()
    assert (await payers.view(order)).state == "expired"
    await payers.tells(1, payers.pays(payers.second))
    await payers.stage.sweep()
    assert await payers.stage.value("SELECT reason FROM captures") == "order_expired"
    assert payers.refunded() == [0, 4000]


async def test_a_link_that_nobody_paid_is_closed_when_its_order_expires(payers: Payers) -> None:
    order = await payers.order()
    await payers.tap(order, 1)
    payers.stage.later(901)
    await payers.stage.sweep()
    assert (await payers.view(order)).state == "expired"
    assert await payers.states() == [("link", "failed")]
    assert await payers.stage.value("SELECT due_at FROM attempts") is None


async def test_a_lost_webhook_of_a_link_does_not_let_its_order_expire(payers: Payers) -> None:
    order = await payers.order()
    await payers.tap(order, 1)
    payers.stage.later(899)
    payers.pays(payers.second)
    payers.stage.later(2)
    await payers.stage.sweep("orders")
    assert (await payers.view(order)).state == "paid"


@pytest.mark.parametrize("minor", [3999, 4001])
async def test_another_amount_at_a_link_goes_back_and_can_be_paid_again(
    payers: Payers, minor: int
) -> None:
    order = await payers.order()
    await payers.tap(order, 1)
    await payers.tells(1, payers.pays(payers.second, minor=minor))
    await payers.stage.sweep()
    assert await payers.stage.value("SELECT reason FROM captures") == "amount_mismatch"
    assert payers.refunded() == [0, minor]
    view = await payers.view(order)
    assert (view.state, view.pay) == ("placed", None)
    await payers.tap(order, 1)
    await payers.tells(1, payers.pays(payers.second), "again")
    assert (await payers.view(order)).state == "paid"


@pytest.mark.parametrize(
    ("shows", "url", "picture"),
    [
        (ShowQr(text="https://qr.nspk.example/AS10"), "https://qr.nspk.example/AS10", None),
        (ShowQr(text="upi://pay?pa=shop@bank"), "upi://pay?pa=shop@bank", None),
        (ShowQr(image_url="https://i.example/1.png"), None, "https://i.example/1.png"),
    ],
)
async def test_what_a_gateway_issues_to_be_scanned_is_a_link_on_a_phone_where_it_can_be(
    payers: Payers, shows: ShowQr, url: str | None, picture: str | None
) -> None:
    """The text of its code opens a payment app: we make no such link ourselves."""
    payers.second.shows = shows
    order = await payers.order()
    await payers.tap(order, 1)
    view = await payers.view(order)
    assert view.pay is not None
    assert (view.pay.url, view.pay.image_url) == (url, picture)


async def test_a_gateway_that_refuses_is_named_and_the_others_are_offered(payers: Payers) -> None:
    payers.second.fails("collect", Declined("no such currency here", "currency"))
    order = await payers.order()
    await payers.tap(order, 1)
    view = await payers.view(order)
    assert (view.state, view.pay, view.way_failed) == ("placed", None, "Practice gateway")
    assert len(view.ways) == 3
    await payers.tap(order, 0)
    await payers.tells(0, payers.pays(payers.first))
    assert (await payers.view(order)).state == "paid"


async def test_links_count_against_the_budget_of_a_machines_page_as_codes_do(
    payers: Payers,
) -> None:
    for number in range(payers.stage.context.windows.network_codes_per_minute + 1):
        order = await payers.order(f"order {number}", network="203.0.113.7")
        await payers.tap(order, 1)
    made = payers.stage.context.windows.network_codes_per_minute
    assert len(payers.second.asked) == made
    waiting = await payers.view(order)
    assert waiting.pay is None
    assert waiting.pay_at is not None
    assert waiting.pay_at > payers.stage.context.now()
    payers.stage.later(60)
    await payers.stage.sweep("attempts")
    assert (await payers.view(order)).pay is not None
    assert len(payers.second.asked) == made + 1


async def test_an_outlet_whose_gateways_do_not_answer_says_so_before_anyone_pays(
    payers: Payers,
) -> None:
    await payers.stage.hello()
    for account in payers.accounts:
        breaker = payers.stage.context.breakers.of(account.id, f"{account.gateway}/{account.slug}")
        for _ in range(5):
            now = payers.stage.context.now()
            breaker.record(False, now, payers.stage.context.windows.breaker())
    view = await outlet_pages.outlet(payers.stage.context, "M01")
    assert view is not None
    assert view.why_not is WhyNot.GATEWAY_DOWN
    with pytest.raises(NotNowError):
        await payers.order()
