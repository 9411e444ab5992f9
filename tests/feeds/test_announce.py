"""Public events: every real change of state once, in order, as the API would show it."""

from typing import Any

import pytest

from coinslot.events.announce import Announcer
from coinslot.events.log import CursorLostError
from coinslot.payments import merchant_api
from tests.feeds.conftest import announce
from tests.sales import test_disputes as disputes
from tests.sales.breaks import jammed, sold
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, made, once
from tests.sales.weather import DONE_AND_LOST


async def announced(stage: Stage, announcer: Announcer) -> list[dict[str, Any]]:
    await announce(announcer)
    return await stage.rows("SELECT * FROM public_events ORDER BY seq")


async def types(stage: Stage, announcer: Announcer) -> list[str]:
    return [row["type"] for row in await announced(stage, announcer)]


async def test_a_payment_and_its_refund_are_told_in_order(
    stage: Stage, gateway: Taking, announcer: Announcer
) -> None:
    payment = await made(stage)
    await confirmed(stage, payment)
    await merchant_api.request_refund(
        stage.context, once(stage, "back", "b"), payment, merchant_api.RefundRequest(amount=2000)
    )
    await stage.sweep()
    rows = await announced(stage, announcer)
    told = ["payment.processing", "payment.succeeded", "refund.pending", "refund.succeeded"]
    assert [row["type"] for row in rows] == told
    assert {row["line"] for row in rows} == {payment}
    assert all(row["id"].startswith("evt_") and len(row["id"]) == 36 for row in rows)
    succeeded, back = rows[1]["data"], rows[3]["data"]
    assert (succeeded["id"], succeeded["status"]) == (str(payment), "succeeded")
    assert (succeeded["amount"], succeeded["metadata"]) == (5000, {"basket": "7"})
    assert (back["payment"], back["amount"], back["status"]) == (str(payment), 2000, "succeeded")


async def test_an_event_shows_the_state_it_brought_even_when_it_is_told_later(
    stage: Stage, gateway: Taking, announcer: Announcer
) -> None:
    gateway.fails("collect", DONE_AND_LOST)
    await confirmed(stage, await made(stage))
    stage.later(6)
    await stage.sweep("attempts")
    rows = await announced(stage, announcer)
    assert [row["data"]["status"] for row in rows] == ["processing", "succeeded"]
    assert rows[0]["at"] < rows[1]["at"]


async def test_what_changes_nothing_is_not_told(
    stage: Stage, gateway: Taking, announcer: Announcer
) -> None:
    payment = await made(stage, 5001)
    await confirmed(stage, payment)
    await confirmed(stage, payment, "c2")
    assert await types(stage, announcer) == ["payment.processing", "payment.failed"] * 2


async def test_a_sale_at_a_machine_is_told_with_its_unit(
    stage: Stage, announcer: Announcer
) -> None:
    await sold(stage)
    rows = await announced(stage, announcer)
    assert [row["type"] for row in rows] == [
        "order.paid", "fulfillment.vended", "order.completed"
    ]  # fmt: skip
    assert len({row["line"] for row in rows}) == 1
    assert rows[0]["data"]["items"][0]["name"] == "Cola"
    assert rows[1]["data"]["basis"] == "vended"


async def test_a_jam_is_told_with_the_money_that_goes_back(
    stage: Stage, announcer: Announcer
) -> None:
    await jammed(stage)
    rows = await announced(stage, announcer)
    told = {row["type"]: row["data"] for row in rows}
    assert {*told} == {
        "order.paid", "fulfillment.failed", "refund.pending", "order.failed", "refund.succeeded"
    }  # fmt: skip
    assert told["refund.succeeded"]["order"] == told["order.paid"]["id"]
    assert len({row["line"] for row in rows}) == 1


async def test_a_dispute_is_told_until_it_is_lost_and_the_money_with_it(
    stage: Stage, announcer: Announcer
) -> None:
    paid = await disputes.handed_over(stage)
    for stage_of_it in (disputes.OPEN, disputes.LOST):
        await disputes.tell(stage, disputes.dispute(paid, stage_of_it))
    rows = (await announced(stage, announcer))[-3:]
    told = ["dispute.opened", "dispute.lost", "refund.succeeded"]
    assert [row["type"] for row in rows] == told
    assert (rows[0]["data"]["amount"], rows[0]["data"]["reason"]) == (4000, "fraudulent")
    assert len({row["line"] for row in rows}) == 1


async def test_told_again_after_a_crash_each_event_is_there_once(
    stage: Stage, gateway: Taking, announcer: Announcer
) -> None:
    await confirmed(stage, await made(stage))
    second = Announcer(stage.context)
    batch = await announcer.cursor.next_batch()
    assert batch is not None
    async with stage.context.db.system_transaction() as conn:
        await conn.execute("UPDATE feed_cursors SET leased_until = now()")
    assert await types(stage, second) == ["payment.processing", "payment.succeeded"]
    with pytest.raises(CursorLostError):
        await announcer.announce(batch)
    assert len(await announced(stage, second)) == 2
