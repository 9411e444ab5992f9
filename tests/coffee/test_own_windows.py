"""A coffee machine that has windows of time of its own sells by these, not by everybody's; and who
decides about cups decides about nothing else."""

from datetime import timedelta

import pytest
from litestar import Litestar

from coinslot.channels.tmetr import Heartbeat
from coinslot.coffee import selling
from coinslot.coffee.imports import plan
from coinslot.coffee.selling import NotSoldError, Why
from coinslot.orders.outlet_windows import set_windows
from tests.coffee.stage import DEVICE, Cafe
from tests.coffee.test_pages import Phone, address
from tests.coffee.test_pages import phone as phone
from tests.coffee.test_pages import web as web


@pytest.mark.parametrize(("own_s", "sells"), [(900.0, True), (30.0, False)])
async def test_a_machines_own_time_of_silence_decides_whether_it_sells(
    cafe: Cafe, own_s: float, sells: bool
) -> None:
    """It was heard 60 s ago, and then 600 s ago: everybody's limit is 300."""
    await set_windows(cafe.stage.context, "K01", {"heard_s": own_s})
    ago = timedelta(seconds=600 if sells else 60)
    cafe.roaster.beat = Heartbeat(cafe.stage.clock.now() - ago)
    if sells:
        await cafe.place(cafe.code())
        return
    with pytest.raises(NotSoldError) as refused:
        await cafe.place(cafe.code())
    assert refused.value.why is Why.SILENT


async def test_a_machines_own_life_of_an_order_holds_for_its_code_and_for_its_order(
    cafe: Cafe,
) -> None:
    await set_windows(cafe.stage.context, "K01", {"order_s": 60})
    old = cafe.code(made_at=cafe.stage.clock.now() - timedelta(seconds=61))
    with pytest.raises(NotSoldError) as refused:
        await selling.look(cafe.stage.context, cafe.vendors, old, None)
    assert refused.value.why is Why.TOO_OLD
    token = await cafe.place(cafe.code())
    (order,) = await cafe.stage.rows("SELECT * FROM orders")
    assert order["ends_by"] - order["placed_at"] == timedelta(seconds=60)
    cafe.stage.later(61)
    await cafe.stage.sweep()
    assert (await cafe.order(token)).state == "expired"


async def test_the_page_promises_the_grace_that_its_machine_has(
    cafe: Cafe, phone: Phone, web: Litestar
) -> None:
    assert "within 3 min" in (await phone.get(address(cafe))).text
    await set_windows(cafe.stage.context, "K01", {"grace_s": 420})
    assert "within 7 min" in (await phone.get(address(cafe))).text


async def test_an_import_says_heard_by_the_time_that_the_machine_has(cafe: Cafe) -> None:
    cafe.roaster.beat = Heartbeat(cafe.stage.clock.now() - timedelta(seconds=600))
    await set_windows(cafe.stage.context, "K01", {"heard_s": 900})
    (account,) = await cafe.stage.rows("SELECT id FROM coffee_accounts")
    table = f"K01,{DEVICE},Foyer,Pune\nK02,20250101-new,Hall,Pune"
    there = await plan(
        cafe.stage.context, cafe.vendors, cafe.stage.merchant, account["id"], table
    )  # fmt: skip
    assert [(one.code, one.heard) for one in there] == [("K01", True), ("K02", False)]
