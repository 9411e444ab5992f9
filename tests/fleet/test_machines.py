"""The machines of a merchant: listed, shown, a slot taken out of sale, one taken out of service."""

import asyncio

import pytest

from coinslot.catalog.products import (
    ProductChange,
    UnknownProductError,
    edit_product,
    products,
)
from coinslot.fleet import machines
from coinslot.fleet.config import Editor
from coinslot.fleet.decommission import UnitsOpenError, decommission
from coinslot.fleet.machines import MachineStatus, WantedMachines
from coinslot.fleet.slots import put_on_sale, withhold
from coinslot.gateways.base import PaymentFact
from coinslot.kit.money import Money
from coinslot.orders import checkout
from coinslot.orders.checkout import OrderRequest, WayTap
from coinslot.outlets.machines import (
    UnknownOutletError,
    UnknownSlotError,
    refill,
)
from coinslot.vending import dispatch
from tests.sales.neighbours import a_second_machine, chandras_machine
from tests.sales.stage import Stage


async def status(stage: Stage, machine: str = "M01") -> MachineStatus:
    return await machines.status(stage.context, stage.merchant, machine)


async def codes(stage: Stage, wanted: WantedMachines) -> list[str]:
    found = await machines.listed(stage.context, stage.merchant, wanted)
    return [machine.code for machine in found]


async def test_a_list_has_the_merchants_own_machines_a_page_at_a_time(stage: Stage) -> None:
    await a_second_machine(stage)
    await chandras_machine(stage)
    assert await codes(stage, WantedMachines()) == ["M01", "M02"]
    assert await codes(stage, WantedMachines(limit=1)) == ["M01"]
    assert await codes(stage, WantedMachines(limit=1, after="M01")) == ["M02"]
    assert await codes(stage, WantedMachines(after="M02")) == []
    await decommission(stage.context, Editor(stage.merchant, "asha"), "M01")
    assert await codes(stage, WantedMachines()) == ["M02"]
    assert await codes(stage, WantedMachines(with_out_of_service=True)) == ["M01", "M02"]


async def test_a_machine_says_whether_it_can_sell_now(stage: Stage) -> None:
    assert (await status(stage)).machine.state == "never_heard"
    await stage.hello()
    now = await status(stage)
    assert (now.machine.state, now.machine.last_heard_at) == ("online", stage.context.now())
    assert (now.journal_id, now.boot_id, now.has_sensor) == ("j1", "b1", True)
    assert now.guarantee == "G3"
    stage.later(stage.context.windows.online_s + 1)
    assert (await status(stage)).machine.state == "offline"
    (slot,) = now.slots
    assert (slot.slot, slot.sku, slot.price, slot.stock) == ("A1", "cola", Money(4000, "INR"), 10)
    assert slot.code is not None
    assert (slot.code.takes, slot.code.stage, slot.code.qr_code_id) == (
        Money(4000, "INR"), "open", stage.qr_code_id,
    )  # fmt: skip


async def test_a_machine_beside_another_controller_is_of_class_g1(stage: Stage) -> None:
    await stage.hello(mdb=True)
    assert (await status(stage)).guarantee == "G1"


async def test_what_is_paid_and_not_settled_is_open_and_promised(stage: Stage) -> None:
    await stage.sell()
    now = await status(stage)
    assert (now.machine.open_units, now.slots[0].promised, now.faults) == (1, 1, [])


async def test_what_was_not_handed_over_is_a_fault_with_its_reason(stage: Stage) -> None:
    await stage.hello()
    unit = await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.result("FAILED", drop="no", event_seq=1, failure_code="JAM")
    (fault,) = (await status(stage)).faults
    assert (fault.unit, fault.slot, fault.product, fault.failure_code, fault.money) == (
        unit, "A1", "Cola", "JAM", Money(4000, "INR"),
    )  # fmt: skip
    assert fault.settled_at == stage.context.now()


async def test_of_two_faults_the_newest_is_first_and_the_other_on_the_next_page(
    stage: Stage,
) -> None:
    units = []
    for _ in range(2):  # the machine was never heard: each goes back
        units.append(await stage.sell())
        stage.later(121)
        await stage.sweep()
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        first = await machines.faults(conn, "M01", limit=1)
        second = await machines.faults(conn, "M01", after=first[0].unit)
    assert [fault.unit for fault in (*first, *second)] == units[::-1]


async def test_chandra_is_shown_none_of_ashas_machines(stage: Stage) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    for machine in ("M01", "nosuch"):
        with pytest.raises(UnknownOutletError, match=f"no machine has the code {machine}"):
            await machines.status(stage.context, chandra, machine)
    with pytest.raises(UnknownSlotError):
        await withhold(stage.context, Editor(chandra, "chandra"), "M01", "A1")
    with pytest.raises(UnknownOutletError):
        await decommission(stage.context, Editor(chandra, "chandra"), "M01")
    assert (await status(stage)).slots[0].out_of_sale_at is None


async def test_a_slot_that_a_person_took_out_comes_back_only_by_a_person(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await withhold(stage.context, Editor(stage.merchant, "asha"), "M01", "A1")
    await stage.accept()
    await stage.result(event_seq=1)  # what was paid before is handed over
    await refill(stage.context.db, "M01", None, 20)
    (slot,) = (await status(stage)).slots
    assert (slot.stock, slot.withheld, slot.out_of_sale_at is None) == (20, True, False)
    await put_on_sale(stage.context, Editor(stage.merchant, "asha"), "M01", "A1")
    (slot,) = (await status(stage)).slots
    assert (slot.withheld, slot.out_of_sale_at) == (False, None)


async def test_what_is_paid_for_a_slot_after_a_person_took_it_out_goes_back_at_once(
    stage: Stage,
) -> None:
    await stage.hello()
    early = await stage.pay()
    token = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    await checkout.pay(stage.context, WayTap(order=token))
    stage.later(1)
    await withhold(stage.context, Editor(stage.merchant, "asha"), "M01", "A1")
    stage.later(1)
    late = await stage.pay()
    qr = await stage.value("SELECT qr_code_id FROM qr_codes WHERE payment_id IS NOT NULL")
    placed = await stage.gateway.pay("pay_page", Money(4000, "INR"), qr_code_id=qr)
    assert isinstance(placed, PaymentFact)
    for paid in (late, placed, early):
        await stage.webhook(paid)
    reasons = await stage.rows("SELECT gateway_payment_id, reason FROM captures")
    assert {row["gateway_payment_id"]: row["reason"] for row in reasons} == {
        early.gateway_payment_id: None,  # it was paid before
        late.gateway_payment_id: "slot_withheld",
        placed.gateway_payment_id: "slot_withheld",
    }
    await put_on_sale(stage.context, Editor(stage.merchant, "asha"), "M01", "A1")
    await stage.sell()
    await stage.sweep("refunds")
    assert stage.refunded() == 8000


async def test_no_machine_goes_out_of_service_while_a_customer_waits(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    with pytest.raises(UnitsOpenError) as refused:  # paid, and not even offered yet
        await decommission(stage.context, Editor(stage.merchant, "asha"), "M01")
    assert refused.value.units == 1
    await stage.sweep("fulfillments")
    await stage.accept()
    with pytest.raises(UnitsOpenError):
        await decommission(stage.context, Editor(stage.merchant, "asha"), "M01")
    await stage.result(event_seq=1)
    for _ in range(2):
        await decommission(stage.context, Editor(stage.merchant, "asha"), "M01")
    assert (await status(stage)).machine.state == "out_of_service"
    await stage.sweep("qr_codes")  # the process died: a worker closes the code
    assert await stage.value("SELECT stage FROM qr_codes") == "closed"


async def test_a_machine_that_is_gone_goes_out_of_service_with_its_units_open(
    stage: Stage,
) -> None:
    await stage.sell()
    await decommission(stage.context, Editor(stage.merchant, "asha"), "M01", even_if_open=True)
    stage.later(121)
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_of_an_offer_and_the_end_of_service_at_once_never_both_happen(stage: Stage) -> None:
    await stage.hello()
    for _ in range(5):
        await stage.sell()
        ended, offered = await asyncio.gather(
            decommission(stage.context, Editor(stage.merchant, "asha"), "M01"),
            dispatch.offer_next(stage.context, stage.merchant, "M01"),
            return_exceptions=True,
        )
        assert isinstance(ended, UnitsOpenError)
        if offered is True:
            await stage.accept()
            await stage.result(
                event_seq=1 + await stage.value("SELECT count(*) FROM device_events")
            )


async def test_a_product_is_edited_and_slots_keep_their_prices(stage: Stage) -> None:
    db = stage.context.db
    async with db.as_merchant(stage.merchant) as conn:
        change = ProductChange(name="Masala cola", price=Money(4400, "INR"), cost_minor=2100)
        cola = await edit_product(conn, stage.merchant, "cola", change)
        assert (cola.name, cola.price, cola.cost_minor) == (
            "Masala cola", Money(4400, "INR"), 2100,
        )  # fmt: skip
        assert await products(conn, stage.merchant) == [cola]
        assert await products(conn, stage.merchant, after="cola") == []
        for sku, wanted in (
            ("lime", ProductChange()),
            ("cola", ProductChange(price=Money(1, "EUR"))),
        ):
            with pytest.raises(UnknownProductError):
                await edit_product(conn, stage.merchant, sku, wanted)
    assert (await status(stage)).slots[0].price == Money(4000, "INR")
