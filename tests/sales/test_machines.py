"""Offers and answers: one open unit, oldest first, GO always the same, refusals only before it."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.channels.messages import Refusal
from coinslot.context import Context
from coinslot.db.pool import Database
from coinslot.payments.webhook_batch import WebhookBatch
from coinslot.vending import dispatch, machine_messages
from coinslot.worker.sweep import sweep_once
from tests.conftest import DatabaseUrls
from tests.sales.neighbours import a_second_machine, chandras_machine, greeting
from tests.sales.stage import PACE, SentLine, Stage

PASSING = {Refusal.BUSY, Refusal.DOOR_OPEN, Refusal.STALE_SEQ}
FOR_GOOD = set(Refusal) - PASSING


async def offered_unit(stage: Stage) -> dict[str, Any]:
    """A paid unit that was offered to the machine."""
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    return stage.offered()


async def reject(stage: Stage, code: Refusal, seq: int | None = None) -> None:
    offer = stage.offered()
    await stage.hear(
        wire.Reject(
            unit_id=UUID(offer["unit_id"]), seq=seq or offer["seq"], journal_id="j1", code=code
        )
    )


async def unit(stage: Stage) -> dict[str, Any]:
    (row,) = await stage.rows("SELECT * FROM fulfillments JOIN vend_units v USING (id)")
    return row


def offers(stage: Stage) -> list[dict[str, Any]]:
    return [m for m in stage.line.sent if m["type"] == "OFFER"]


async def test_a_refusal_for_good_before_go_gives_the_money_back_at_once(stage: Stage) -> None:
    for count, code in enumerate(sorted(FOR_GOOD), 1):
        stage.later(stage.context.windows.temp_lock_s)
        await offered_unit(stage)
        await reject(stage, code)
        await stage.sweep()
        assert stage.refunded() == 4000 * count
        (row,) = await stage.rows(
            "SELECT basis, failure_code FROM fulfillments ORDER BY queued_at DESC LIMIT 1"
        )
        assert row == {"basis": "rejected", "failure_code": code.value}


async def test_a_passing_refusal_puts_the_unit_back_and_the_machine_rests(stage: Stage) -> None:
    await offered_unit(stage)
    for count, code in enumerate(sorted(PASSING), 2):
        before = stage.offered()["seq"]
        await reject(stage, code)
        assert (await unit(stage))["state"] == "queued"
        assert len(offers(stage)) == count - 1, "not offered again in the same moment"
        stage.later(5)
        await stage.sweep("fulfillments")
        assert len(offers(stage)) == count
        assert stage.offered()["seq"] > before
    await stage.accept()
    await stage.result()
    assert await stage.value("SELECT state FROM orders") == "completed"


@pytest.mark.parametrize("code", [Refusal.BUSY, Refusal.SLOT_FAULT])
async def test_no_refusal_after_go_proves_anything(stage: Stage, code: Refusal) -> None:
    await offered_unit(stage)
    await stage.accept()
    for _ in range(2):
        await reject(stage, code)
        await stage.sweep()
    assert (await unit(stage))["state"] == "going"
    await stage.started()
    await reject(stage, code)
    assert (await unit(stage))["state"] == "started"
    stage.later(100)
    await stage.sweep("fulfillments")
    await reject(stage, code)
    assert (await unit(stage))["state"] == "in_doubt"
    assert stage.refunded() == 0
    await stage.result()
    await reject(stage, code)
    assert (await unit(stage))["state"] == "vended"


async def test_a_refusal_of_an_older_offer_is_not_heard(stage: Stage) -> None:
    await offered_unit(stage)
    old = stage.offered()["seq"]
    await reject(stage, Refusal.BUSY)
    stage.later(5)
    await stage.sweep("fulfillments")
    await reject(stage, Refusal.SLOT_FAULT, seq=old)
    assert (await unit(stage))["state"] == "offered"


async def test_an_accept_of_an_older_offer_gets_no_go(stage: Stage) -> None:
    old = await offered_unit(stage)
    await reject(stage, Refusal.STALE_SEQ)
    stage.later(5)
    await stage.sweep("fulfillments")
    late = wire.Accept(
        unit_id=UUID(old["unit_id"]), seq=old["seq"], journal_id="j1", boot_id="b1", mono_ms=1
    )
    assert await stage.hear(late) == []
    assert (await unit(stage))["sent_at"] is None


async def test_an_offer_without_answer_is_repeated_then_queued_anew(stage: Stage) -> None:
    first = await offered_unit(stage)
    for _ in range(2):
        stage.later(5)
        await stage.sweep("fulfillments")
        assert stage.offered() == first
    stage.line.connected = False
    stage.later(5)
    await stage.sweep("fulfillments")
    queued = await unit(stage)
    assert (queued["state"], queued["seq"], queued["offers"]) == ("queued", None, 0)
    stage.line.connected = True
    await stage.hello()
    assert stage.offered()["seq"] > first["seq"]


async def test_an_accept_that_comes_after_the_window_gets_no_go(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    stage.later(118)
    await stage.hello()
    assert stage.offered()
    stage.later(3)
    assert await stage.accept() == []
    await stage.sweep()
    assert await stage.accept() == []
    assert (await unit(stage))["basis"] == "never_sent"
    assert stage.refunded() == 4000


async def test_the_same_accept_gets_the_same_go_byte_for_byte(stage: Stage) -> None:
    await offered_unit(stage)
    (go,) = await stage.accept()
    wanted = wire.Lease(unit_id=go.unit_id, seq=go.seq, slot="A1", boot_id="b1", not_after=12_000)
    assert go.hmac == wire.sign_go(stage.secret, wanted)
    stage.later(1)
    (again,) = await stage.accept()
    assert msgspec.json.encode(wire.to_wire(again)) == msgspec.json.encode(wire.to_wire(go))


async def test_another_accept_of_the_same_offer_gets_no_second_go(stage: Stage) -> None:
    await offered_unit(stage)
    await stage.accept()
    assert await stage.accept(boot="b2") == []
    assert await stage.accept(journal="j2") == []
    await stage.started()
    assert await stage.accept() == [], "it runs already"
    assert (await unit(stage))["boot_id"] == "b1"


async def test_go_is_committed_before_it_is_sent(stage: Stage) -> None:
    await offered_unit(stage)
    await stage.accept()
    row = await unit(stage)
    assert row["state"] == "going"
    assert row["go_message"]["type"] == "GO"
    assert row["lease_end"] > row["sent_at"]


async def test_the_queue_is_oldest_first_with_one_open_unit(stage: Stage) -> None:
    units = []
    for _ in range(3):
        units.append(str(await stage.sell()))
        stage.later(1)
    await stage.hello()
    for number, wanted in enumerate(units):
        await stage.sweep("fulfillments")
        assert [m["unit_id"] for m in offers(stage)] == units[: number + 1]
        assert stage.offered()["unit_id"] == wanted
        await stage.accept()
        await stage.result(event_seq=number + 1)
    assert await stage.value("SELECT count(*) FROM orders WHERE state = 'completed'") == 3


async def test_a_queue_drains_on_a_beat(stage: Stage) -> None:
    await stage.sell()
    await stage.sweep("fulfillments")
    assert offers(stage) == []
    await machine_messages.record_heartbeats(stage.context, {"M01": stage.context.now()})
    assert len(offers(stage)) == 1


async def test_a_machine_unheard_of_or_not_connected_here_is_offered_nothing(stage: Stage) -> None:
    await stage.hello()
    stage.later(21)
    await stage.sell()
    await stage.sweep("fulfillments")
    assert offers(stage) == []
    stage.line.connected = False
    await stage.hello()
    assert offers(stage) == []
    stage.line.connected = True
    await stage.hello()
    assert len(offers(stage)) == 1


async def test_two_processes_that_race_make_one_offer(stage: Stage, urls: DatabaseUrls) -> None:
    await stage.hello()
    for _ in range(3):
        await stage.sell()
    other = await Database.open(urls.app, urls.door, size=4)
    lines = [SentLine(), SentLine()]
    shops = [
        Context(stage.context.db, stage.clock, stage.context.windows, stage.context.accounts,
             stage.context.vault, "test", WebhookBatch, lines[0], stage.context.kinds),
        Context(other, stage.clock, stage.context.windows, stage.context.accounts,
             stage.context.vault, "test", WebhookBatch, lines[1], stage.context.kinds),
    ]  # fmt: skip
    try:
        answers = await asyncio.gather(
            *(dispatch.offer_next(context, stage.merchant, "M01") for context in shops * 4)
        )
    finally:
        await other.close()
    assert answers.count(True) == 1
    assert sum(len(line.sent) for line in lines) == 1


async def test_machines_wait_only_for_themselves(stage: Stage) -> None:
    await offered_unit(stage)
    second = await a_second_machine(stage)
    await machine_messages.receive(stage.context, second, greeting(), stage.context.now())
    assert len(offers(stage)) == 1
    await stage.accept()
    assert (await unit(stage))["state"] == "going"


@pytest.mark.parametrize("who", [a_second_machine, chandras_machine])
async def test_a_machine_is_not_heard_about_another_ones_unit(stage: Stage, who: Any) -> None:
    offer = await offered_unit(stage)
    stranger = await who(stage)
    unit_id = UUID(offer["unit_id"])
    accept = wire.Accept(
        unit_id=unit_id, seq=offer["seq"], journal_id="j1", boot_id="b1", mono_ms=1
    )
    result = msgspec.convert(
        {"type": "RESULT", "unit_id": offer["unit_id"], "journal_id": "j1", "event_seq": 1,
         "slot": "A1", "outcome": "VENDED", "evidence": {"drop": "yes"}}, wire.Result,
    )  # fmt: skip
    refusal = wire.Reject(
        unit_id=unit_id, seq=offer["seq"], journal_id="j1", code=Refusal.SLOT_FAULT
    )
    now = stage.context.now()
    assert await machine_messages.receive(stage.context, stranger, accept, now) == []
    assert await machine_messages.receive(stage.context, stranger, refusal, now) == []
    assert (await unit(stage))["state"] == "offered"
    await stage.accept()
    await machine_messages.receive(stage.context, stranger, result, now)
    assert (await unit(stage))["state"] == "going"


async def test_a_seq_is_never_given_out_below_what_the_device_has_seen(stage: Stage) -> None:
    await stage.hello(last_seq=500)
    await stage.sell()
    await stage.sweep("fulfillments")
    assert stage.offered()["seq"] == 501


async def test_a_seq_that_no_device_can_have_is_not_believed(stage: Stage) -> None:
    await stage.hello(last_seq=wire.BIGINT_MAX)
    await stage.sell()
    await stage.sweep("fulfillments")
    assert stage.offered()["seq"] == 1


async def test_a_slot_that_failed_twice_leaves_the_page_and_a_drop_brings_it_back(
    stage: Stage,
) -> None:
    await stage.hello()
    tries = (("FAILED", "no"), ("FAILED", "no"), ("VENDED", "yes"))
    for event_seq, (outcome, drop) in enumerate(tries, 1):
        await stage.sell()
        await stage.sweep()
        await stage.accept()
        await stage.result(outcome, drop=drop, event_seq=event_seq, failure_code="JAM")
        await stage.sweep()
        out = await stage.value("SELECT out_of_sale_at IS NOT NULL FROM slots WHERE slot = 'A1'")
        assert out == (event_seq == 2)


@pytest.mark.parametrize("unacked_from", [5, 1_000_001])  # what is higher is not believed
async def test_lines_that_a_machine_believes_are_kept_are_told_and_do_not_stop_it(
    stage: Stage, unacked_from: int
) -> None:
    """Its journal is older than our database, or it lies: the auditor names it, once."""
    hello = wire.Hello(
        journal_id="j1", boot_id="b1", mono_ms=1000, last_seq=0, unacked_from=unacked_from,
        capabilities=wire.Capabilities(journal=True, sensor=True),
    )  # fmt: skip
    for _ in range(2):
        await stage.hear(hello)
    report = await stage.audit()
    assert report.ok
    [told] = [n for n in report.notices if n.name == "journals_with_lines_skipped"]
    assert [row["skipped"] for row in told.rows] == [unacked_from - 1]


async def test_a_greeting_is_answered_with_the_number_of_the_newest_configuration(
    stage: Stage,
) -> None:
    await stage.value("UPDATE outlets SET config_version = 7 WHERE id = 'M01'")
    hello = wire.Hello(
        journal_id="j1", boot_id="b1", mono_ms=1000, last_seq=0,
        capabilities=wire.Capabilities(journal=True, sensor=True),
    )  # fmt: skip
    (sync,) = await stage.hear(hello)
    assert isinstance(sync, wire.Sync)
    assert sync.config_version == 7


async def test_a_unit_in_doubt_of_a_machine_that_nobody_hears_is_left_alone(stage: Stage) -> None:
    """It was written anew up to four times a second, for as long as the doubt lasted."""
    await offered_unit(stage)
    await stage.accept()
    stage.later(45)
    await stage.sweep("fulfillments")
    assert (await unit(stage))["state"] == "in_doubt"
    stage.line.connected = False
    stage.later(61)
    looks = 0
    for _ in range(480):
        stage.later(0.25)
        looks += await sweep_once(stage.context, "fulfillments", PACE)
    assert 1 <= looks <= 3
    stage.line.connected = True
    (sync,) = await stage.hello(boot="b2")
    assert [query.unit_id for query in sync.queries] == [(await unit(stage))["id"]]


async def test_an_offer_that_nobody_can_take_is_left_alone_too(stage: Stage) -> None:
    await offered_unit(stage)
    stage.line.connected = False
    stage.later(21)
    looks = 0
    for _ in range(160):
        stage.later(0.25)
        looks += await sweep_once(stage.context, "fulfillments", PACE)
    assert looks <= 10
