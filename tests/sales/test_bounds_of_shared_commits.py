"""An OFFER that is committed with its payment, and messages that share a commit, beside what
happened meanwhile, and beside another merchant's. Each of these was wrong once and no test saw
it."""

import asyncio
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from coinslot.channels.messages import Up
from coinslot.vending import dispatch
from coinslot.vending.plain_messages import (
    Answered,
    HeardMessages,
    PlainMessage,
    receive_plain,
    take_now,
)
from tests.sales.machine_says import accept, result, started
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage
from tests.sales.test_heard_together import at_once, line, machine, offered
from tests.sales.test_offered_with_payment import begun, idle, offers, states


async def test_news_that_an_older_offer_was_not_sent_takes_back_no_newer_one(stage: Stage) -> None:
    """Its process was stopped between the commit and the sending."""
    stage.context.windows = replace(stage.context.windows, dispatch_s=3600, online_s=9999)
    await stage.hello()
    said = await begun(stage)
    for _ in range(9):
        stage.later(stage.context.windows.offer_s)
        await stage.sweep("fulfillments")
        if offers(stage)[-1]["seq"] == 2:
            break
    assert (said["seq"], offers(stage)[-1]["seq"]) == (1, 2)
    stage.line.connected = False
    await dispatch.send_begun(stage.context, stage.merchant, said)
    stage.line.connected = True
    assert await states(stage) == ["offered"]
    assert await stage.accept() != []
    assert await states(stage) == ["going"]


async def test_a_payment_begins_nothing_whose_time_is_over(stage: Stage) -> None:
    """An older unit waits still, for nobody has swept since its time ended."""
    await stage.hello()
    stage.line.connected = False
    old = await stage.sell()
    stage.later(stage.context.windows.dispatch_s)
    stage.line.connected = stage.line.at_once = True
    await stage.hello()
    assert offers(stage) == []
    await stage.webhook(await stage.pay())
    await idle(stage)
    (offer,) = offers(stage)
    assert UUID(offer["unit_id"]) != old
    await stage.sweep()
    assert sorted(await states(stage)) == ["failed", "offered"]


async def test_messages_of_two_merchants_share_a_commit_and_nothing_else(stage: Stage) -> None:
    hers = await chandras_machine(stage)
    told = line(stage, hers.outlet, 1)
    told.said["merchant"] = hers.merchant_id
    both = [line(stage, "M01", 1), told, line(stage, "M01", 2)]
    assert len(await take_now(stage.context.db, both)) == 3
    for merchant, kept in ((stage.merchant, 2), (hers.merchant_id, 1)):
        async with stage.context.db.as_merchant(merchant) as conn:
            assert await conn.fetchval("SELECT count(*) FROM device_events") == kept


async def plain(stage: Stage, up: Up) -> Answered | None:
    return await receive_plain(stage.context, machine(stage), up, stage.context.now(), None)


async def test_what_is_said_of_a_unit_that_is_settled_is_not_plain(stage: Stage) -> None:
    """Its money went back: that it fell all the same has left the slot, which the whole path
    notes."""
    await offered(stage)
    await at_once(stage, accept(stage))
    await at_once(stage, started(stage, 1))
    stage.later(900)
    await stage.sweep()
    assert await stage.value("SELECT settlement FROM fulfillments") == "refund_due"
    assert await plain(stage, result(stage, 2)) is None
    await stage.hear(result(stage, 2))
    assert await stage.value("SELECT word FROM slot_vends") == "fell"


async def test_a_run_that_is_told_twice_begins_once(stage: Stage) -> None:
    await offered(stage)
    await at_once(stage, accept(stage))
    await at_once(stage, started(stage, 1))
    begun_at = await stage.value("SELECT started_at FROM vend_units")
    stage.later(1)
    assert await plain(stage, started(stage, 2)) is None, "another line that it was begun"
    assert await stage.value("SELECT started_at FROM vend_units") == begun_at


async def test_what_waits_is_offered_at_once_when_a_vend_is_over(stage: Stage) -> None:
    await offered(stage)
    await stage.accept()
    await stage.sell()
    assert len(offers(stage)) == 1
    await stage.result(event_seq=1)
    assert sorted(await states(stage)) == ["offered", "vended"]
    assert len(offers(stage)) == 2


class Asked:
    """A database that answers each message with its machine."""

    def __init__(self) -> None:
        self.outlets: list[list[str]] = []

    async def call(self, statement: str, said: list[dict[str, Any]], ats: list[Any]) -> list[Any]:
        self.outlets.append([one["outlet"] for one in said])
        return [one["outlet"] for one in said]


async def test_every_commit_takes_its_machines_in_one_order_and_answers_each_with_its_own(
    stage: Stage,
) -> None:
    """Two commits that took them in two orders would wait for each other."""
    database = Asked()
    heard = HeardMessages(database)  # type: ignore[arg-type]
    names = ["M03", "M01", "M20", "M02", "M01"]
    told = (PlainMessage({"outlet": name}, stage.context.now()) for name in names)
    answers = await asyncio.gather(*(heard.take(one) for one in told))
    assert answers == names
    assert database.outlets == [sorted(names)]
