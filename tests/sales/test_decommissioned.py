"""A machine out of service is refused at every door, and gets nothing more to do."""

import pytest

from coinslot.app.machine_bridge import MachineBridge
from coinslot.app.resources import broker_users
from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import OrderRequest
from coinslot.orders.page_views import NotNowError, WhyNot
from coinslot.outlets.machines import device_logins, is_device
from coinslot.payments import provision
from coinslot.payments.provision import CannotPrintError
from coinslot.vending import dispatch, machine_messages
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage


async def out(stage: Stage) -> None:
    await provision.decommission(stage.context, "M01")


async def test_its_secret_opens_socketio_no_more_and_its_neighbours_does(stage: Stage) -> None:
    ears = MachineBridge(stage.context)
    assert await ears.admit("M01", stage.secret)
    assert not await ears.admit("M01", stage.secret + "x")
    await out(stage)
    assert not await ears.admit("M01", stage.secret)
    assert await is_device(stage.context.db, "M01", stage.secret) is None


async def test_the_broker_knows_it_no_more_and_its_neighbours_still(stage: Stage) -> None:
    await a_second_machine(stage)
    assert [user.login for user in await broker_users(stage.context.db)] == ["M01", "M02"]
    await out(stage)
    assert [user.login for user in await broker_users(stage.context.db)] == ["M02"]
    assert await device_logins(stage.context.db, "socketio") == []


async def test_what_was_paid_before_is_not_offered_to_it_and_goes_back(stage: Stage) -> None:
    await stage.sell()
    await out(stage)
    await stage.hello()
    await machine_messages.record_heartbeats(stage.context, {"M01": stage.context.now()})
    assert not await dispatch.offer_next(stage.context, stage.merchant, "M01")
    assert stage.line.sent == []
    stage.later(121)
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_an_offer_that_it_accepts_too_late_gets_no_go_and_the_money_goes_back(
    stage: Stage,
) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await out(stage)
    assert await stage.accept() == []
    stage.later(6)
    await stage.sweep()
    assert [said["type"] for said in stage.line.sent] == ["OFFER"], "and it is not repeated"
    assert stage.refunded() == 4000
    assert await stage.value("SELECT basis FROM fulfillments") == "never_sent"


async def test_of_a_unit_that_it_was_let_start_its_evidence_still_counts(stage: Stage) -> None:
    """Its word may be under way while it is taken out of service: the can fell all the same."""
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    await out(stage)
    await stage.result()
    await stage.sweep()
    assert await stage.value("SELECT basis FROM fulfillments") == "vended"
    assert stage.refunded() == 0


async def test_the_simple_dialect_sends_it_no_command(simple_stage: Stage) -> None:
    await simple_stage.sell()
    await out(simple_stage)
    await MachineBridge(simple_stage.context).connected("M01")
    assert simple_stage.line.sent == []
    simple_stage.later(121)
    await simple_stage.sweep()
    assert simple_stage.refunded() == 4000


async def test_its_page_sells_nothing_and_no_code_is_printed_for_it(stage: Stage) -> None:
    await stage.hello()
    await out(stage)
    view = await outlet_pages.outlet(stage.context, "M01")
    assert view is not None
    assert view.why_not is WhyNot.OUT_OF_SERVICE
    with pytest.raises(NotNowError):
        await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    with pytest.raises(CannotPrintError):
        await provision.print_qr(stage.context, "M01", 4000)


async def test_money_through_its_code_goes_back(stage: Stage) -> None:
    await stage.hello()
    await out(stage)
    stage.later(1)
    await stage.webhook(await stage.pay())
    await stage.sweep()
    assert await stage.value("SELECT reason FROM captures") == "qr_retired"
    assert stage.refunded() == 4000


async def test_it_is_nobodys_nearest_machine(stage: Stage) -> None:
    other = await a_second_machine(stage)
    await machine_messages.record_heartbeats(stage.context, {"M01": stage.context.now()})
    near = await outlet_pages.outlet(stage.context, other.outlet)
    assert near is not None
    assert near.nearest is not None
    assert near.nearest.code == "M01"
    await out(stage)
    near = await outlet_pages.outlet(stage.context, other.outlet)
    assert near is not None
    assert near.nearest is None
