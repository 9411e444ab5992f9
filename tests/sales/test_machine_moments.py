"""What a machine's message sets, to the second: the end of its lease and run, when it is asked
again, and what came too late by one moment."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.channels import messages as wire
from coinslot.vending import dispatch, machine_messages
from coinslot.vending.machine_messages import Machine
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import START, Stage

S = timedelta(seconds=1)
LEASE = timedelta(seconds=10) * 1.01 + S  # with the drift of a machine's clock and the way


async def unit(stage: Stage) -> dict[str, Any]:
    (row,) = await stage.rows(
        "SELECT f.*, v.seq, v.offers, v.lease_end, v.started_at, v.nonce, v.journal_id, v.asked_at,"
        " v.queries, v.offered_at, v.accept, v.go_message FROM fulfillments f"
        " JOIN vend_units v ON v.id = f.id"
    )
    return row


async def offered(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")


async def going(stage: Stage) -> None:
    await offered(stage)
    await stage.accept()


def status(
    stage: Stage, state: wire.UnitState, nonce: str | None = None, journal: str = "j1"
) -> wire.Status:
    offer = stage.offered()
    return wire.Status(
        unit_id=UUID(offer["unit_id"]), seq=offer["seq"], journal_id=journal, state=state,
        nonce=nonce,
    )  # fmt: skip


async def test_go_ends_its_lease_with_drift_and_way_and_its_doubt_after_that(stage: Stage) -> None:
    await offered(stage)
    (go,) = await stage.accept()
    found, at = await unit(stage), stage.clock.now()
    assert found["lease_end"] == found["due_at"] == at + LEASE
    assert found["hard_deadline"] == at + timedelta(seconds=600)
    assert go.not_after == 2000 + 10_000
    assert (go.boot_id, found["journal_id"]) == ("b1", "j1")
    await stage.result()


async def test_a_doubt_that_is_short_lasts_as_long_as_a_run_may(stage: Stage) -> None:
    stage.context.windows = replace(stage.context.windows, in_doubt_s=20, run_s=30)
    await going(stage)
    assert (await unit(stage))["hard_deadline"] == stage.clock.now() + LEASE + 30 * S
    await stage.result()


@pytest.mark.parametrize("by", ["journal", "answer"])
@pytest.mark.parametrize(("later_s", "ends"), [(2, 30 * S), (12, None)])
async def test_a_run_ends_in_its_time_and_never_after_the_doubt(
    stage: Stage, by: str, later_s: int, ends: timedelta | None
) -> None:
    stage.context.windows = replace(stage.context.windows, in_doubt_s=20, run_s=30)
    await going(stage)
    stage.later(later_s)
    if by == "journal":
        await stage.started()
    else:
        assert await stage.hear(status(stage, wire.UnitState.STARTED)) == []
    found, at = await unit(stage), stage.clock.now()
    assert (found["state"], found["started_at"]) == ("started", at)
    assert found["due_at"] == (found["hard_deadline"] if ends is None else at + ends)
    assert found["due_at"] <= found["hard_deadline"]
    await stage.result()


@pytest.mark.parametrize(("before", "answers"), [(1, 1), (0, 0)])
async def test_go_goes_out_up_to_the_last_moment_to_send(
    stage: Stage, before: int, answers: int
) -> None:
    await offered(stage)
    by: datetime = (await unit(stage))["dispatch_by"]
    stage.clock.advance(by - stage.clock.now() - before * timedelta(microseconds=1))
    assert len(await stage.accept()) == answers
    assert (await unit(stage))["state"] == ("going" if answers else "offered")
    stage.later(700)


async def test_only_the_very_same_acceptance_is_answered_again_and_only_while_it_goes(
    stage: Stage,
) -> None:
    await offered(stage)
    (go,) = await stage.accept()
    assert await stage.accept() == [go]
    assert await stage.accept(boot="b2") == []
    assert await stage.accept(journal="j2") == []
    before = await unit(stage)
    stage.later(1)
    await stage.started()
    assert await stage.accept() == []
    assert (await unit(stage))["go_message"] == before["go_message"]
    await stage.result()
    assert await stage.accept() == []


async def test_an_acceptance_of_another_offer_is_nothing(stage: Stage) -> None:
    await offered(stage)
    offer = stage.offered()
    for seq, unit_id in ((offer["seq"] + 1, offer["unit_id"]), (offer["seq"], str(UUID(int=1)))):
        other = wire.Accept(
            unit_id=UUID(unit_id), seq=seq, journal_id="j1", boot_id="b1", mono_ms=2000, counter=7
        )
        assert await stage.hear(other) == []
    assert (await unit(stage))["state"] == "offered"
    await stage.accept()
    await stage.result()


@pytest.mark.parametrize(("early", "asked"), [(1, 0), (0, 1)])
async def test_a_machine_that_greets_is_asked_from_the_end_of_the_lease_on(
    stage: Stage, early: int, asked: int
) -> None:
    await going(stage)
    end: datetime = (await unit(stage))["lease_end"]
    stage.clock.advance(end - stage.clock.now() - early * timedelta(microseconds=1))
    (sync,) = await stage.hello(boot="b2")
    assert len(sync.queries) == asked
    await stage.result()
    stage.later(60)
    (sync,) = await stage.hello(boot="b2")
    assert sync.queries == [], "it is settled"


async def test_a_question_is_the_same_one_for_a_while_and_then_a_new_one(stage: Stage) -> None:
    await going(stage)
    stage.later(12)
    (first,) = (await stage.hello(boot="b2"))[0].queries
    asked = await unit(stage)
    assert asked["due_at"] == stage.clock.now() + 5 * S
    stage.clock.advance(5 * S - timedelta(microseconds=1))
    (same,) = (await stage.hello(boot="b3"))[0].queries
    assert same == first
    stage.clock.advance(timedelta(microseconds=1))
    (another,) = (await stage.hello(boot="b4"))[0].queries
    assert another.nonce != first.nonce
    assert (await unit(stage))["queries"] == asked["queries"] + 1
    await stage.result()


async def test_only_the_answer_to_our_own_question_counts(stage: Stage) -> None:
    await going(stage)
    stage.later(12)
    (question,) = (await stage.hello(boot="b2"))[0].queries
    for nonce, journal in ((None, "j1"), ("guessed", "j1"), (question.nonce, "j2")):
        await stage.hear(status(stage, wire.UnitState.TOMBSTONED, nonce, journal))
        assert (await unit(stage))["settlement"] is None, (nonce, journal)
    await stage.hear(status(stage, wire.UnitState.TOMBSTONED, question.nonce))
    assert (await unit(stage))["settlement"] == "refund_due"
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_a_run_that_an_answer_tells_of_begins_once(stage: Stage) -> None:
    await going(stage)
    stage.later(1)
    await stage.started()
    before = await unit(stage)
    stage.later(3)
    await stage.hear(status(stage, wire.UnitState.STARTED))
    await stage.started(event_seq=1)
    assert await unit(stage) == before
    await stage.result()


async def test_a_machine_that_is_busy_gives_the_unit_back_to_be_offered_anew(stage: Stage) -> None:
    await offered(stage)
    before, offer = await unit(stage), stage.offered()
    assert (before["offers"], before["seq"]) == (1, offer["seq"])

    def busy(seq: int) -> wire.Reject:
        return wire.Reject(
            unit_id=UUID(offer["unit_id"]), seq=seq, journal_id="j1", code=wire.Refusal.BUSY
        )

    stage.later(1)
    assert await stage.hear(busy(offer["seq"] + 1)) == []
    assert await unit(stage) == before
    assert await stage.hear(busy(offer["seq"])) == []
    found = await unit(stage)
    assert (found["state"], found["seq"], found["offers"]) == ("queued", None, 0)
    assert found["due_at"] == stage.clock.now() + 5 * S
    stage.later(5)
    await stage.hello()
    await stage.accept()
    after = await unit(stage)
    await stage.hear(busy(after["seq"]))
    same = ("state", "seq", "offers", "due_at", "settlement")
    later = await unit(stage)
    assert [later[name] for name in same] == [after[name] for name in same], "it proves nothing"
    await stage.result()


async def test_a_refused_unit_names_why_and_its_money_goes_back(stage: Stage) -> None:
    await offered(stage)
    offer = stage.offered()
    stage.context.wakes.of("refunds").clear()
    await stage.hear(
        wire.Reject(
            unit_id=UUID(offer["unit_id"]), seq=offer["seq"], journal_id="j1",
            code=wire.Refusal.SLOT_FAULT,
        )
    )  # fmt: skip
    found = await unit(stage)
    assert (found["basis"], found["failure_code"]) == ("rejected", wire.Refusal.SLOT_FAULT.value)
    assert found["settlement"] == "refund_due"
    assert stage.context.wakes.of("refunds").is_set()


async def test_a_machine_is_told_how_far_its_journal_is_kept(stage: Stage) -> None:
    (sync,) = await stage.hello()
    assert (sync.through, sync.server_time) == (0, stage.clock.now())
    greeting = wire.Hello(
        journal_id="j7", boot_id="b1", mono_ms=1, last_seq=0, unacked_from=5,
        capabilities=wire.Capabilities(journal=True, sensor=True),
    )  # fmt: skip
    (sync,) = await stage.hear(greeting)
    assert sync.through == 4


async def test_what_another_machine_says_of_a_unit_is_nothing(stage: Stage) -> None:
    await going(stage)
    before, other = await unit(stage), await a_second_machine(stage)
    offer = stage.offered()
    done = wire.Result(
        unit_id=UUID(offer["unit_id"]), journal_id="j1", event_seq=1, slot="A1",
        outcome=wire.Outcome.VENDED, evidence=wire.Evidence(drop=wire.Drop.YES, sensor_tested=True),
    )  # fmt: skip
    await machine_messages.receive(stage.context, other, done, stage.clock.now())
    assert await unit(stage) == before
    await stage.result()


async def test_a_simple_machines_report_counts_for_its_own_order_alone(simple_stage: Stage) -> None:
    stage = simple_stage
    await machine_messages.record_heartbeats(stage.context, {"M01": stage.clock.now()})
    await stage.sell()
    await stage.sweep("fulfillments")
    commanded = await unit(stage)
    assert commanded["state"] == "going"
    assert commanded["due_at"] == stage.clock.now() + 30 * S
    assert commanded["hard_deadline"] == stage.clock.now() + 600 * S
    order = str(await stage.value("SELECT id FROM orders"))
    machine = Machine("M01", stage.merchant)
    for said in ("no uuid", str(UUID(int=1))):
        done = wire.MachineDone(order_id=said, status=wire.DoneStatus.FAILED)
        await machine_messages.receive_done(stage.context, machine, done, stage.clock.now())
    assert await unit(stage) == commanded
    stage.context.wakes.of("refunds").clear()
    done = wire.MachineDone(order_id=order, status=wire.DoneStatus.FAILED, failure_code="jam")
    await machine_messages.receive_done(stage.context, machine, done, stage.clock.now())
    found = await unit(stage)
    assert (found["settlement"], found["basis"], found["failure_code"]) == (
        "refund_due", "declared", "jam",
    )  # fmt: skip
    assert stage.context.wakes.of("refunds").is_set()
    assert found["settled_at"] == stage.clock.now()


async def test_an_offer_never_waits_past_the_last_moment_to_send(stage: Stage) -> None:
    await stage.sell()
    stage.later(117)
    await stage.hello()
    found = await unit(stage)
    assert (found["state"], found["due_at"]) == ("offered", found["dispatch_by"])
    late: Any = {**found, "kind": "vending", "windows": {}}
    now = found["dispatch_by"] + 9 * S
    assert dispatch.offer_due(stage.context, late, now) == now
    assert dispatch.offer_due(stage.context, late, found["dispatch_by"] - 9 * S) == (
        found["dispatch_by"] - 4 * S
    )
    stage.later(700)


async def test_a_doubt_asks_twelve_times_as_rarely_and_ends_at_its_deadline(stage: Stage) -> None:
    row: Any = {"state": "going", "hard_deadline": START + 100 * S}
    ask = dispatch._next_question
    assert ask(stage.context, row, START) == START + 5 * S
    assert ask(stage.context, {**row, "state": "in_doubt"}, START) == START + 60 * S  # type: ignore[arg-type]
    assert ask(stage.context, row, START + 99 * S) == START + 100 * S


async def test_a_unit_that_was_just_asked_about_is_due_when_the_question_is_old(
    stage: Stage,
) -> None:
    await going(stage)
    stage.later(12)
    (first,) = (await stage.hello(boot="b2"))[0].queries
    asked = stage.clock.now()
    stage.later(2)
    await stage.rows("UPDATE fulfillments SET due_at = $1 RETURNING id", stage.clock.now())
    (same,) = (await stage.hello(boot="b3"))[0].queries
    assert same == first
    assert (await unit(stage))["due_at"] == asked + 5 * S
    await stage.rows(
        "UPDATE fulfillments SET due_at = $1, hard_deadline = $2 RETURNING id",
        stage.clock.now(), asked + 4 * S,
    )  # fmt: skip
    await stage.hello(boot="b4")
    assert (await unit(stage))["due_at"] == asked + 4 * S
    await stage.result()
