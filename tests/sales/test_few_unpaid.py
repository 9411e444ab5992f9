"""Who orders and does not pay: few orders, few codes, and never in the way of who pays."""

import pytest

from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import OrderRequest, WayTap
from coinslot.orders.page_views import NotNowError, WhyNot
from tests.sales.stage import Stage
from tests.sales.test_page_orders import filled, pay

ATTACKERS = ("198.51.100.1", "198.51.100.2")


async def ordered(stage: Stage, key: str, network: str, browser: str | None = None) -> str | None:
    """The token, its code asked for; None when refused for now."""
    wish = OrderRequest(outlet="M01", slot="A1", key=key, network=network, browser=browser or key)
    try:
        token = await checkout.place(stage.context, wish)
        await checkout.pay(stage.context, WayTap(order=token))
    except NotNowError as refused:
        if refused.why_not is not WhyNot.BUSY:
            raise
        return None
    return token


def codes(stage: Stage) -> int:
    return len([qr for qr in stage.books.qr_codes.values() if not qr.reusable])


async def is_payable(stage: Stage, token: str | None) -> bool:
    view = await outlet_pages.order(stage.context, token or "")
    return view is not None and view.pay is not None


async def test_five_hundred_tries_of_two_networks_make_few_codes_and_leave_room_for_the_third(
    stage: Stage,
) -> None:
    await stage.hello()
    for n in range(500):
        await ordered(stage, f"attack {n}", ATTACKERS[n % 2])
        if n % 25 == 24:  # twenty minutes in all
            stage.later(60)
            await stage.hello()
            await stage.sweep("qr_codes")
    assert codes(stage) <= 40  # ten unpaid of each network in a quarter of an hour
    honest = await ordered(stage, "honest", "203.0.113.9")
    assert await is_payable(stage, honest)
    assert honest is not None
    await stage.webhook(await pay(stage, honest))
    await stage.sweep("fulfillments")
    await stage.accept()
    await stage.result()
    assert await stage.value("SELECT state FROM orders WHERE token = $1", honest) == "completed"


async def test_when_the_minute_is_used_up_an_honest_customer_waits_no_longer_than_the_bound(
    stage: Stage,
) -> None:
    await stage.hello()
    for n in range(60):
        await ordered(stage, f"attack {n}", f"198.51.100.{n % 3}")
    honest = await ordered(stage, "honest", "203.0.113.9")
    assert not await is_payable(stage, honest)
    stage.later(120)
    await stage.sweep("qr_codes")
    assert await is_payable(stage, honest)


async def test_no_minute_has_more_codes_of_a_machine_than_its_bound(stage: Stage) -> None:
    await stage.hello()
    for n in range(40):
        await ordered(stage, f"tap {n}", f"203.0.113.{n}")
        stage.later(2)
        await stage.hello()
        await stage.sweep("qr_codes")
    rows = await stage.rows("SELECT make_at FROM attempts WHERE way IS NOT NULL")
    times = sorted(row["make_at"] for row in rows)
    for at in times:
        assert len([one for one in times if 0 <= (one - at).total_seconds() < 60]) <= 12


async def test_many_phones_behind_one_address_that_pay_are_never_held_up(stage: Stage) -> None:
    """A carrier's address stands for thousands of people."""
    await filled(stage, 100)
    await stage.hello()
    for n in range(30):
        token = await ordered(stage, f"phone {n}", "203.0.113.1")
        assert await is_payable(stage, token)
        assert token is not None
        await stage.webhook(await pay(stage, token, name=f"pay_{n}"), event=f"paid {n}")
        stage.later(20)
        await stage.hello()
    assert await stage.value("SELECT count(*) FROM captures WHERE reason IS NULL") == 30


async def test_a_browser_that_has_paid_before_is_not_counted_with_its_network(
    stage: Stage,
) -> None:
    await stage.hello()
    first = await ordered(stage, "first", "203.0.113.1", browser="regular")
    assert first is not None
    await stage.webhook(await pay(stage, first))
    for n in range(40):
        await ordered(stage, f"attack {n}", "203.0.113.1")
    assert await ordered(stage, "stranger", "203.0.113.1") is None
    assert await ordered(stage, "second", "203.0.113.1", browser="regular") is not None


async def test_a_browser_has_few_unpaid_orders_at_a_machine_and_sees_them(stage: Stage) -> None:
    await stage.hello()
    taps = [await ordered(stage, f"tap {n}", "203.0.113.1", browser="me") for n in range(5)]
    assert [token is not None for token in taps] == [True] * 3 + [False] * 2
    own = await outlet_pages.own_orders(stage.context, "M01", "me")
    assert {view.token for view in own} == {token for token in taps if token}
    assert await outlet_pages.own_orders(stage.context, "M01", "someone else") == []
    paid = taps[0]
    assert paid is not None
    await stage.webhook(await pay(stage, paid))
    assert await ordered(stage, "again", "203.0.113.1", browser="me") is not None


async def test_nothing_is_kept_that_names_a_browser_or_an_address(stage: Stage) -> None:
    await stage.hello()
    await ordered(stage, "tap", "203.0.113.77", browser="a-browsers-own-name")
    (row,) = await stage.rows("SELECT * FROM orders")
    (qr,) = await stage.rows("SELECT * FROM qr_codes WHERE payment_id IS NOT NULL")
    kept = f"{row} {qr}"
    assert "203.0.113.77" not in kept
    assert "a-browsers-own-name" not in kept


async def test_a_machine_that_went_silent_meanwhile_makes_no_code(stage: Stage) -> None:
    await stage.hello()
    token = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    stage.later(60)
    with pytest.raises(NotNowError) as caught:
        await checkout.pay(stage.context, WayTap(order=token))
    assert caught.value.why_not is WhyNot.OFFLINE
    assert codes(stage) == 0


async def test_where_there_is_no_machine_nobody_may_order(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await checkout.few_enough(stage.context, conn, "M01", None, None)
        with pytest.raises(NotNowError) as caught:
            await checkout.few_enough(stage.context, conn, "M99", None, None)
    assert caught.value.why_not is WhyNot.BUSY
