"""What is shown of other ways to pay, and what nobody may read in the mirror."""

import json

from coinslot.orders import checkout
from coinslot.orders.checkout import OrderRequest, WayTap
from tests.mirror.rig import Rig, vend
from tests.sales.taking import collected


async def test_an_order_from_a_page_is_placed_and_expires(rig: Rig) -> None:
    await rig.stage.hello()
    link = await checkout.place(rig.stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    await rig.follow()
    ((_, before_the_code),) = rig.tree("orders").items()
    assert before_the_code["status"] == "PLACED"
    await checkout.pay(rig.stage.context, WayTap(order=link))
    await rig.follow()
    ((order_id, order),) = rig.tree("orders").items()
    assert (order["status"], order["source"]) == ("PLACED", "page")
    assert order["dispatchPending"] is False
    assert order["providerQrCodeId"] != rig.stage.qr_code_id
    assert "providerPaymentId" not in order

    rig.stage.later(901)
    await rig.stage.sweep()
    await rig.follow()
    later = rig.tree(f"orders/{order_id}")
    assert later["status"] == "EXPIRED"
    assert later["updatedAt"] > order["updatedAt"]
    await rig.mirror.round()
    assert rig.tree("qrCodeToMachine") == {rig.stage.qr_code_id: "M01"}  # printed ones alone


async def test_a_payment_of_a_merchants_server_has_no_machine_and_no_order(rig: Rig) -> None:
    await collected(rig.stage)
    await rig.follow()

    (payment,) = rig.tree("paymentEvents").values()
    assert payment["status"] == "PROCESSED"
    assert not {"machineId", "orderId", "dispatch"} & set(payment)
    assert rig.tree("orders") is None


async def test_nobody_reads_a_secret_or_a_merchants_notes_in_the_mirror(rig: Rig) -> None:
    await vend(rig.stage)
    await collected(rig.stage)
    await rig.follow()
    await rig.mirror.round()
    shown = json.dumps(rig.tree())

    (link,) = await rig.stage.rows("SELECT token FROM orders")
    hidden = [link["token"], rig.stage.secret, "whsec", "order-7", "basket"]
    assert [text for text in hidden if text in shown] == []
    assert shown.count('"merchantId"') == 4


async def test_each_merchant_is_named_in_what_is_its_own(rig: Rig) -> None:
    await vend(rig.stage)
    await rig.follow()
    await rig.mirror.round()

    found = rig.tree()
    nodes = [*found["machines"].values(), *found["orders"].values()]
    nodes += found["paymentEvents"].values()
    assert {node["merchantId"] for node in nodes} == {str(rig.stage.merchant)}
