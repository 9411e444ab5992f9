"""After GO only evidence settles: whose word counts, what it proves, and what comes too late."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.orders import fulfillment
from coinslot.vending import machine_messages
from coinslot.vending.evidence import Conclusion, ReportedOutcome, conclude
from tests.sales.stage import Stage


async def going(stage: Stage) -> UUID:
    """A unit whose GO is out; its id."""
    await stage.hello()
    unit = await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    return unit


async def state(stage: Stage) -> tuple[Any, ...]:
    (row,) = await stage.rows("SELECT state, settlement, basis FROM fulfillments")
    return tuple(row.values())


async def asked(stage: Stage) -> dict[str, Any]:
    """The last question that went to the machine, after the lease's end."""
    stage.later(12)
    await stage.sweep("fulfillments")
    return next(m for m in reversed(stage.line.sent) if m["type"] == "QUERY")


async def answer(stage: Stage, query: dict[str, Any], word: str, **more: Any) -> list[Any]:
    said = {**query, "type": "STATUS", "state": word, **more}
    return await stage.hear(msgspec.convert(said, wire.Status))


FULFILLED, BACK = "fulfilled", "refund_due"


@pytest.mark.parametrize(
    ("outcome", "evidence", "settlement", "basis"),
    [
        ("VENDED", {"drop": "yes"}, FULFILLED, "vended"),
        ("VENDED", {"drop": "unknown"}, FULFILLED, "vended"),  # a machine without a sensor
        ("VENDED", {"drop": "no", "sensor_tested": True}, None, "CONTRADICTION"),
        ("FAILED", {"drop": "no", "sensor_tested": True}, BACK, "no_drop"),
        ("FAILED", {"drop": "no", "sensor_tested": False}, None, "JAM"),
        ("FAILED", {"drop": "unknown"}, None, "JAM"),
        ("FAILED", {"drop": "yes"}, FULFILLED, "drop_evidence"),
        ("FAILED", {"home": True, "counter_before": 5, "counter_after": 5}, BACK, "no_drop"),
        ("FAILED", {"home": True, "counter_before": 5, "counter_after": 6}, None, "JAM"),
        ("FAILED", {"home": False, "counter_before": 5, "counter_after": 5}, None, "JAM"),
        ("FAILED", {"home": True}, None, "JAM"),
        ("INTERRUPTED", {"drop": "yes"}, FULFILLED, "drop_evidence"),
        ("INTERRUPTED", {"drop": "no", "sensor_tested": True}, BACK, "no_drop"),
        ("INTERRUPTED", {"drop": "no"}, None, "JAM"),
        ("INTERRUPTED", {"drop": "unknown", "home": True}, None, "JAM"),
        ("TOMBSTONED", {}, BACK, "tombstone"),
    ],
)
def test_what_an_outcome_proves(
    outcome: str, evidence: dict[str, Any], settlement: str | None, basis: str
) -> None:
    seen = msgspec.convert(evidence, wire.Evidence)
    verdict = conclude(ReportedOutcome(wire.Outcome(outcome), "A1", "JAM", seen), "A1")
    event = {FULFILLED: "VENDED", BACK: "NOT_VENDED", None: "UNSURE"}[settlement]
    assert verdict.event == event
    assert basis in (verdict.basis, verdict.failure_code)


@pytest.mark.parametrize("outcome", list(wire.Outcome))
def test_a_wrong_slot_proves_nothing_about_this_unit(outcome: wire.Outcome) -> None:
    word = ReportedOutcome(outcome, "B7", None, wire.Evidence(drop=wire.Drop.YES))
    assert conclude(word, "A1") == Conclusion("UNSURE", None, "WRONG_SLOT")


async def test_a_drop_from_the_wrong_slot_is_settled_by_policy_and_exposed(stage: Stage) -> None:
    await going(stage)
    await stage.result(slot="B7")
    await stage.sweep()
    assert await state(stage) == ("failed", BACK, "policy")
    assert await stage.value("SELECT why FROM exposures") == "WRONG_SLOT"
    assert stage.refunded() == 4000


async def test_an_interrupted_run_nobody_saw_is_settled_by_policy_at_once(stage: Stage) -> None:
    await going(stage)
    await stage.started()
    await stage.result("INTERRUPTED", drop="unknown")
    await stage.sweep()
    assert await state(stage) == ("failed", BACK, "policy")
    assert await stage.value("SELECT count(*) FROM exposures") == 1


async def test_an_interrupted_run_with_a_seen_drop_is_fulfilled(stage: Stage) -> None:
    await going(stage)
    await stage.result("INTERRUPTED", drop="yes")
    assert await state(stage) == ("vended", FULFILLED, "drop_evidence")


async def test_a_foreign_journal_proves_nothing_and_is_noted(stage: Stage) -> None:
    await going(stage)
    (evack,) = await stage.result("FAILED", drop="no", journal_id="j2", event_seq=1)
    assert (evack.journal_id, evack.through) == ("j2", 1), "kept all the same"
    await stage.result("VENDED", journal_id="j2", event_seq=2)
    query = await asked(stage)
    for word in ("TOMBSTONED", "VENDED", "FAILED"):
        await answer(stage, query, word, journal_id="j2")
    assert (await state(stage))[0] == "going"
    told = await stage.value("SELECT count(*) FROM events WHERE event = 'STRANGE_JOURNAL'")
    assert told == 1, "the same one is no news"


async def test_a_tombstone_in_answer_to_our_question_gives_the_money_back(stage: Stage) -> None:
    await going(stage)
    await answer(stage, await asked(stage), "TOMBSTONED")
    await stage.sweep()
    assert await state(stage) == ("failed", BACK, "tombstone")
    assert stage.refunded() == 4000


@pytest.mark.parametrize("word", ["TOMBSTONED", "VENDED", "FAILED", "INTERRUPTED"])
async def test_an_answer_to_no_question_of_ours_settles_nothing(stage: Stage, word: str) -> None:
    await going(stage)
    query = await asked(stage)
    evidence = {"drop": "no", "sensor_tested": True}
    await answer(stage, query, word, nonce="another", evidence=evidence)
    await answer(stage, query, word, nonce=None, evidence=evidence)
    assert (await state(stage))[0] == "going"


@pytest.mark.parametrize("word", ["FORGOTTEN", "ACCEPTED"])
async def test_forgotten_and_accepted_prove_nothing(stage: Stage, word: str) -> None:
    await going(stage)
    await answer(stage, await asked(stage), word)
    assert await state(stage) == ("going", None, None)
    await stage.silence()
    assert (await state(stage))[2] == "policy"


async def test_a_status_may_tell_of_the_start(stage: Stage) -> None:
    await going(stage)
    await answer(stage, await asked(stage), "STARTED")
    assert (await state(stage))[0] == "started"


async def test_no_question_is_asked_before_the_lease_has_ended(stage: Stage) -> None:
    await going(stage)
    (sync,) = await stage.hello(boot="b2")
    assert sync.queries == []
    order = await stage.value("SELECT token FROM orders")
    stage.later(10)
    await fulfillment.nothing_came(stage.context, order)
    assert not [m for m in stage.line.sent if m["type"] == "QUERY"]
    stage.later(2)
    await fulfillment.nothing_came(stage.context, order)
    assert [m["type"] for m in stage.line.sent][-1] == "QUERY"


@pytest.mark.parametrize(
    ("before_its_end", "asked"), [(timedelta(microseconds=1), 0), (timedelta(), 1)]
)
async def test_a_customer_has_the_machine_asked_from_the_end_of_its_lease_on(
    stage: Stage, before_its_end: timedelta, asked: int
) -> None:
    await going(stage)
    lease_end = await stage.value("SELECT lease_end FROM vend_units")
    stage.clock.advance(lease_end - before_its_end - stage.clock.now())
    order = await stage.value("SELECT token FROM orders")
    await fulfillment.nothing_came(stage.context, order)
    assert len([m for m in stage.line.sent if m["type"] == "QUERY"]) == asked


async def test_hello_after_the_lease_is_answered_with_questions_and_proves_nothing(
    stage: Stage,
) -> None:
    unit = await going(stage)
    stage.later(12)
    (sync,) = await stage.hello(boot="b2")
    (query,) = sync.queries
    assert (query.unit_id, query.journal_id) == (unit, "j1")
    assert await state(stage) == ("going", None, None)
    await answer(stage, wire.to_wire(query), "TOMBSTONED")
    assert (await state(stage))[2] == "tombstone"


async def test_a_result_told_twice_settles_once(stage: Stage) -> None:
    await going(stage)
    for _ in range(3):
        (evack,) = await stage.result(event_seq=1)
        assert evack.through == 1
    assert await stage.value("SELECT count(*) FROM device_events") == 1
    assert await stage.value("SELECT sum(-amount) FROM ledger WHERE account = 'sales'") == 4000
    assert await stage.value("SELECT stock FROM slots") == 9


async def test_a_drop_after_the_refund_is_a_discrepancy_never_silent(stage: Stage) -> None:
    await going(stage)
    await stage.silence()
    assert await state(stage) == ("failed", BACK, "policy")
    for _ in range(2):
        await stage.result()
    assert await state(stage) == ("failed", BACK, "policy")
    (found,) = await stage.rows("SELECT kind, amount_minor FROM discrepancies")
    assert found == {"kind": "dropped_after_refund", "amount_minor": 4000}
    assert stage.refunded() == 4000


async def test_evack_goes_only_through_the_contiguous_prefix(stage: Stage) -> None:
    await going(stage)

    async def through(event_seq: int) -> int:
        unit = UUID(stage.offered()["unit_id"])
        progress = wire.Progress(unit_id=unit, journal_id="j1", event_seq=event_seq)
        (evack,) = await stage.hear(progress)
        assert isinstance(evack, wire.Evack)
        return evack.through

    assert [await through(n) for n in (3, 2, 5, 1, 4, 4, 7)] == [0, 0, 0, 3, 5, 5, 5]


async def test_results_that_overtake_their_start_settle_and_stay(stage: Stage) -> None:
    await going(stage)
    (evack,) = await stage.result(event_seq=2)
    assert evack.through == 0
    (evack,) = await stage.started(event_seq=1)
    assert evack.through == 2
    assert await state(stage) == ("vended", FULFILLED, "vended")


async def test_a_machine_that_lost_its_go_is_found_out_and_pays_back(stage: Stage) -> None:
    """Power cut between ACCEPT and GO: new boot, same journal, the lease is void."""
    await going(stage)
    stage.later(12)
    (sync,) = await stage.hello(boot="b2")
    await answer(stage, wire.to_wire(sync.queries[0]), "TOMBSTONED")
    await stage.sweep()
    assert stage.refunded() == 4000
    assert await stage.value("SELECT count(*) FROM exposures") == 0


async def done(stage: Stage, order: str, status: str = "SUCCESS", code: str | None = None) -> None:
    said = wire.MachineDone(order_id=order, status=wire.DoneStatus(status), failure_code=code)
    machine = machine_messages.Machine("M01", stage.merchant)
    await machine_messages.receive_done(stage.context, machine, said, stage.context.now())


async def commanded(stage: Stage) -> str:
    await machine_messages.record_heartbeats(stage.context, {"M01": stage.context.now()})
    await stage.sell()
    await stage.sweep("fulfillments")
    (command,) = stage.line.sent
    assert command["type"] == "machine:dispense"
    return str(command["orderId"])


async def test_the_simple_dialect_is_told_once_and_success_completes(simple_stage: Stage) -> None:
    order = await commanded(simple_stage)
    for _ in range(2):
        simple_stage.later(29)
        await simple_stage.sweep()
    assert len(simple_stage.line.sent) == 1
    for _ in range(2):
        await done(simple_stage, order)
    assert await state(simple_stage) == ("vended", FULFILLED, "declared")
    assert await simple_stage.value("SELECT state FROM orders") == "completed"


async def test_the_simple_dialects_failed_is_believed_and_named_so(simple_stage: Stage) -> None:
    order = await commanded(simple_stage)
    await done(simple_stage, order, "FAILED", "E7")
    await simple_stage.sweep()
    assert await state(simple_stage) == ("failed", BACK, "declared")
    assert await simple_stage.value("SELECT failure_code FROM fulfillments") == "E7"
    assert simple_stage.refunded() == 4000


async def test_an_order_that_the_simple_machine_invents_is_not_heard(simple_stage: Stage) -> None:
    await commanded(simple_stage)
    await done(simple_stage, "01930000-0000-7000-8000-000000000000")
    await done(simple_stage, "not-an-order")
    assert (await state(simple_stage))[0] == "going"


async def test_a_silent_simple_machine_is_in_doubt_then_settled_by_policy_never_resent(
    simple_stage: Stage,
) -> None:
    order = await commanded(simple_stage)
    await fulfillment.nothing_came(
        simple_stage.context, await simple_stage.value("SELECT token FROM orders")
    )
    simple_stage.later(31)
    await simple_stage.sweep()
    assert (await state(simple_stage))[0] == "in_doubt"
    simple_stage.later(600)
    await simple_stage.sweep()
    assert await state(simple_stage) == ("failed", BACK, "policy")
    assert len(simple_stage.line.sent) == 1
    await done(simple_stage, order)
    assert await simple_stage.value("SELECT kind FROM discrepancies") == "dropped_after_refund"
