"""The mirror shows what is true, late at the worst; Firebase's own client reads it."""

import random
from typing import Any

import pytest

from coinslot.app.page_backend import ContextBackend
from coinslot.events.log import Batch
from coinslot.events.mirror.firebase import UnclearError, key
from coinslot.events.mirror.mirror import write
from coinslot.payments import provision
from tests.mirror.rig import Rig, vend


async def test_a_sale_is_read_in_the_first_systems_words(rig: Rig, client: Any) -> None:
    await rig.stage.hello()
    await rig.stage.sell()
    await rig.follow()

    paid = client.reference("orders").order_by_child("status").equal_to("PAID").get()
    ((order_id, order),) = paid.items()
    assert order["dispatchPending"] is True
    assert (order["machineId"], order["amount"], order["currency"]) == ("M01", 4000, "INR")
    assert order["providerQrCodeId"] == rig.stage.qr_code_id
    payment = client.reference(f"paymentEvents/{order['providerPaymentId']}").get()
    assert payment["orderId"] == order_id
    assert (payment["status"], payment["dispatch"]) == ("PROCESSED", "PENDING")

    await rig.stage.sweep()
    await rig.follow()
    assert client.reference("machines/M01/status").get() == "BUSY"
    await rig.stage.accept()
    await rig.stage.started()
    await rig.stage.result()
    await rig.follow()
    done = client.reference(f"orders/{order_id}").get()
    assert (done["status"], done["dispatchPending"]) == ("COMPLETED", False)
    assert done["version"] > order["version"]
    assert client.reference("machines/M01/status").get() == "IDLE"
    assert (
        client.reference(f"paymentEvents/{done['providerPaymentId']}/dispatch").get() == "SUCCESS"
    )


async def test_what_did_not_drop_says_why_and_that_the_money_went_back(rig: Rig) -> None:
    await rig.stage.hello()
    await rig.stage.sell()
    await rig.stage.sweep()
    await rig.stage.accept()
    await rig.stage.result("FAILED", drop="no", failure_code="JAM", event_seq=1)
    await rig.stage.sweep()
    await rig.follow()

    (order,) = rig.tree("orders").values()
    assert (order["status"], order["failureCode"]) == ("FAILED", "JAM")
    (payment,) = rig.tree("paymentEvents").values()
    assert (payment["dispatch"], payment["refundStatus"]) == ("FAILED", "SUCCEEDED")


async def test_money_that_buys_nothing_is_told_with_its_reason(rig: Rig) -> None:
    await rig.stage.webhook(await rig.stage.pay(minor=123))
    await rig.stage.sweep()
    await rig.follow()

    (payment,) = rig.tree("paymentEvents").values()
    assert (payment["status"], payment["reason"]) == ("REJECTED", "amount_mismatch")
    assert payment["refundStatus"] == "SUCCEEDED"
    assert "orderId" not in payment


async def test_machines_and_their_codes_come_by_rounds_and_go_offline_so(rig: Rig) -> None:
    await rig.stage.hello()
    await rig.mirror.round()
    machine = rig.tree("machines/M01")
    assert (machine["status"], machine["socketConnected"]) == ("IDLE", True)
    assert machine["lastSeenAt"] == "2026-11-21T12:00:00.000Z"
    assert machine["paymentProfile"]["qrCodeId"] == rig.stage.qr_code_id
    assert machine["paymentProfile"]["fixedAmountPaise"] == 4000
    assert rig.tree("qrCodeToMachine") == {rig.stage.qr_code_id: "M01"}

    rig.stage.later(21)
    await rig.mirror.round()
    machine = rig.tree("machines/M01")
    assert (machine["status"], machine["socketConnected"]) == ("OFFLINE", False)


async def test_a_round_in_which_nothing_changed_writes_nothing(rig: Rig) -> None:
    await rig.stage.hello()
    await rig.mirror.round()
    rig.ask("PUT", "machines/M01/status", "SPOILED")
    await rig.mirror.round()
    assert rig.tree("machines/M01/status") == "SPOILED"
    await rig.another().round()
    assert rig.tree("machines/M01/status") == "IDLE"


async def test_a_retired_code_leads_nowhere(rig: Rig) -> None:
    await rig.mirror.round()
    await provision.decommission(rig.stage.context, "M01")
    await rig.another().round()

    assert rig.tree("qrCodeToMachine") is None
    assert rig.tree("machines/M01/status") == "OUT_OF_SERVICE"
    assert "paymentProfile" not in rig.tree("machines/M01")


async def test_batches_repeated_and_out_of_order_end_the_same(rig: Rig) -> None:
    batches: list[Batch] = []
    await vend(rig.stage)
    while (batch := await rig.mirror.cursor.next_batch()) is not None:
        batches += [Batch(after=0, through=0, entries=[entry]) for entry in batch.entries]
        await rig.mirror.write_batch(batch)
    before = rig.tree()
    random.Random(1).shuffle(batches)
    for one in batches + batches[: len(batches) // 2]:
        await rig.mirror.show(await rig.mirror.rows.touched(one.entries))

    assert len(batches) > 5
    assert rig.tree() == before


async def test_a_mirror_killed_between_the_write_and_the_cursor_repeats_harmlessly(
    rig: Rig,
) -> None:
    await vend(rig.stage)
    batch = await rig.mirror.cursor.next_batch()
    assert batch is not None
    await rig.mirror.show(await rig.mirror.rows.touched(batch.entries))  # and here it dies
    told = rig.tree()
    await rig.mirror.cursor.release()  # its lease ends

    next_one = rig.another()
    again = await next_one.cursor.next_batch()
    assert again is not None
    assert again.after == batch.after
    await next_one.write_batch(again)
    assert rig.tree() == told
    assert await next_one.cursor.next_batch() is None


async def test_sales_go_on_while_the_database_is_away_and_are_caught_up_with(rig: Rig) -> None:
    rig.sandbox.kill()
    await vend(rig.stage)
    assert await rig.stage.value("SELECT state FROM orders") == "completed"
    with pytest.raises(UnclearError):
        await rig.follow()
    rig.stage.later(90)
    late = await rig.mirror.lag()
    assert late.is_late
    assert late.entries > 5
    health = await ContextBackend(rig.stage.context, "1", None, rig.mirror.lag).health()
    assert (health.status, health.checks["mirror"].status) == ("degraded", "degraded")
    rig.sandbox.start()

    await rig.follow()
    (order,) = rig.tree("orders").values()
    assert order["status"] == "COMPLETED"
    health = await ContextBackend(rig.stage.context, "1", None, rig.mirror.lag).health()
    assert health.checks["mirror"].status == "healthy"


async def test_what_nobody_knows_of_is_written_again_in_the_next_rounds(rig: Rig) -> None:
    await vend(rig.stage)
    rig.sandbox.weather(api={"drop_response": 1})
    with pytest.raises(UnclearError):
        await rig.follow()
    rig.sandbox.weather(api={"drop_response": 0})
    await rig.follow()
    (order_id,) = rig.tree("orders")
    # What was cut off arrives after all, behind what followed it, with what was true then.
    rig.ask("PUT", f"orders/{order_id}/status", "PAID")
    await rig.mirror.round()

    assert rig.tree(f"orders/{order_id}/status") == "COMPLETED"


async def test_one_node_that_is_refused_does_not_hold_up_the_others(rig: Rig) -> None:
    nodes = {f"orders/o{n}": {"amount": n} for n in range(7)}
    await write(rig.mirror.remote, nodes | {"orders/bad": {"no.key": 1}})
    assert sorted(rig.tree("orders")) == [f"o{n}" for n in range(7)]


async def test_when_every_node_is_refused_the_log_waits(rig: Rig) -> None:
    with pytest.raises(UnclearError):
        await write(rig.mirror.remote, {"a.": 1, "b.": 2, "c.": 3})


@pytest.mark.parametrize(
    ("plain", "written"),
    [
        ("pay_29QQoUBi66xm2f", "pay_29QQoUBi66xm2f"),
        ("a.b/c#[$]", "a~2Eb~2Fc~23~5B~24~5D"),
        ("~2E", "~7E2E"),
        ("17", "~317"),
        ("13660000001", "13660000001"),
        ("\n", "~0A"),
    ],
)
def test_an_id_is_a_key_that_can_be(plain: str, written: str) -> None:
    assert key(plain) == written
