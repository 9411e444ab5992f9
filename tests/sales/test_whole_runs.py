"""What a machine says of a run that it was told to begin: what is believed, written and answered,
whole, beside units of other machines; and the word of one that has no journal."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.channels.messages import UnitState
from coinslot.context import Context
from coinslot.vending import machine_messages
from tests.sales.by_hand import NOW, Rows
from tests.sales.machine_rows import (
    ASHA,
    GOING,
    LATE,
    ORDER,
    SECOND,
    UNIT,
    Done,
    Given,
    Row,
    acted,
    but,
    outlet,
)
from tests.sales.test_whole_messages import AT, BOTH, M01, OFFERED, of, told

BEGAN = wire.Started(unit_id=UNIT, journal_id="j1", event_seq=1)
RUNS = of(OFFERED, **GOING, lease_end=AT, hard_deadline=NOW + 40 * SECOND, nonce="n1")


def answered(state: UnitState, nonce: str | None = "n1", **more: Any) -> wire.Status:
    return wire.Status(unit_id=UNIT, seq=7, journal_id="j1", state=state, nonce=nonce, **more)


@pytest.mark.parametrize("nonce", ["n1", None, "other"])
@pytest.mark.parametrize(("hard", "due"), [(40, 19), (18, 18)])
async def test_a_run_that_an_answer_tells_of_has_begun(
    rows: Rows, nonce: str | None, hard: int, due: int
) -> None:
    given = of(RUNS, hard_deadline=NOW + hard * SECOND)
    done = await told(rows, given, answered(UnitState.STARTED, nonce))
    assert done == Done([], {
        "fulfillments": [(UNIT, {"state": "started", "version": 2, "due_at": NOW + due * SECOND})],
        "vend_units": [(UNIT, {"started_at": AT})],
    }, [], BOTH, ["STARTED"])  # fmt: skip


SEEN = wire.Evidence(drop=wire.Drop.NO, sensor_tested=True)


@pytest.mark.parametrize(
    ("up", "state", "basis", "code"),
    [
        (answered(UnitState.VENDED), "vended", "vended", None),
        (answered(UnitState.TOMBSTONED), "failed", "tombstone", None),
        (answered(UnitState.FAILED, evidence=SEEN), "failed", "no_drop", "INTERRUPTED"),
        (answered(UnitState.INTERRUPTED, evidence=SEEN), "failed", "no_drop", "INTERRUPTED"),
    ],
)
async def test_an_answer_to_our_question_settles_the_unit_and_is_kept(
    rows: Rows, up: wire.Status, state: str, basis: str, code: str | None
) -> None:
    done = await told(rows, RUNS, up)
    settled = {"state": state, "version": 2, "basis": basis, "due_at": None, "settled_at": AT,
               "settlement": "fulfilled" if state == "vended" else "refund_due"}  # fmt: skip
    assert done.wrote["fulfillments"] == [
        (UNIT, settled if code is None else {**settled, "failure_code": code})
    ]
    assert done.events[0] == "ANSWERED" or "ANSWERED" in done.events
    again = await told(rows, [*RUNS, ("events", {
        "subject_id": UNIT, "machine": "fulfillment", "event": "ANSWERED",
        "data": {"nonce": "n1", "state": up.state.value}})], up)  # fmt: skip
    assert (again.said, again.wrote) == ([], {}), "it was answered so before"


@pytest.mark.parametrize(
    "up",
    [
        answered(UnitState.VENDED, None), answered(UnitState.VENDED, "other"),
        answered(UnitState.ACCEPTED), answered(UnitState.FORGOTTEN),
    ],
)  # fmt: skip
async def test_what_is_no_answer_to_our_question_settles_nothing(
    rows: Rows, up: wire.Status
) -> None:
    done = await told(rows, RUNS, up)
    assert (done.said, done.wrote, done.events) == ([], {}, [])
    never_asked = await told(rows, of(RUNS, nonce=None), up)
    assert (never_asked.wrote, never_asked.events) == ({}, [])


async def test_a_strange_journal_settles_nothing_and_is_noted(rows: Rows) -> None:
    for up in (msgspec.structs.replace(answered(UnitState.VENDED), journal_id="j2"),
               msgspec.structs.replace(BEGAN, journal_id="j2")):  # fmt: skip
        done = await told(rows, RUNS, up)
        assert {"fulfillments", "vend_units"}.isdisjoint(done.wrote)
        assert done.events == ["STRANGE_JOURNAL"]


def result(outcome: str, slot: str = "A1", **more: Any) -> wire.Result:
    body = {"type": "RESULT", "unit_id": str(UNIT), "journal_id": "j1", "event_seq": 1,
            "slot": slot, "outcome": outcome, **more}  # fmt: skip
    return msgspec.convert(body, wire.Result)


UNSURE: Sequence[tuple[wire.Result, Row, str]] = (
    (result("FAILED"), {}, "INTERRUPTED"),
    (result("FAILED", failure_code="JAM"), {}, "JAM"),
    (result("VENDED", evidence={"drop": "no", "sensor_tested": True}), {}, "CONTRADICTION"),
    (result("VENDED", slot="A2"), {}, "WRONG_SLOT"),
    (result("FAILED", evidence={"vmc": "failure"}), {}, "INTERRUPTED"),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(UNSURE)))
@pytest.mark.parametrize("early", [True, False])
async def test_a_word_that_proves_nothing_ends_the_doubt_now(
    rows: Rows, case: int, *, early: bool
) -> None:
    up, changes, code = UNSURE[case]
    hard = AT if early else AT - SECOND
    ends = {"hard_deadline": NOW + 9 * SECOND} if early else {"hard_deadline": hard, "due_at": hard}
    given = of(RUNS, **ends, **changes)
    done = await told(rows, given, up)
    ((_, row),) = done.wrote["fulfillments"]
    wanted = {"state": "in_doubt", "version": 2, "failure_code": code}
    assert row == (wanted | {"hard_deadline": hard, "due_at": hard} if early else wanted)
    assert done.said == [wire.Evack(journal_id="j1", through=1)]
    assert (done.awake, done.events) == (
        set() if up.outcome is wire.Outcome.VENDED else BOTH, ["UNSURE"],
    )  # fmt: skip


BY_POLICY: Row = {"state": "failed", "settlement": "refund_due", "basis": "policy",
                  "due_at": None, "open": False, "settled_at": AT}  # fmt: skip
MAY_HAVE = ("slot_vends", {
    "unit_id": UNIT, "merchant_id": ASHA, "outlet_id": "M01", "slot": "A1", "word": "may_have",
    "journal_id": "j1", "sent_at": AT, "at": AT})  # fmt: skip


@pytest.mark.parametrize(
    ("up", "word", "stock"),
    [
        (result("VENDED"), "fell", 2),
        (result("FAILED", evidence={"drop": "no", "sensor_tested": True}), "did_not", 3),
        (result("FAILED"), None, None),
    ],
)
async def test_what_is_said_of_a_settled_unit_counts_for_its_slot_and_moves_no_money(
    rows: Rows, up: wire.Result, word: str | None, stock: int | None
) -> None:
    counted = ("slots", {"outlet_id": "M01", "slot": "A1", "counted": 3, "counted_at": LATE,
                         "stock": 9})  # fmt: skip
    done = await told(rows, but([*of(RUNS, **BY_POLICY), MAY_HAVE], counted), up)
    assert done.wrote["fulfillments"] == [(UNIT, {"version": 2})], "only the move is recorded"
    assert {"captures", "ledger", "refunds"}.isdisjoint(done.wrote)
    vends = [changes for _, changes in done.wrote.get("slot_vends", [])]
    assert vends == ([] if word is None else [{"word": word, "event_seq": 1}])
    assert ("slots" in done.wrote) is (word is not None)
    if stock is not None:
        assert done.wrote["slots"] == [(("M01", "A1"), {"stock": stock})]


async def test_of_a_machine_of_class_g1_its_own_controllers_word_counts(rows: Rows) -> None:
    up = result("FAILED", evidence={"vmc": "failure"})
    done = await told(rows, of(RUNS, mdb=True), up)
    ((_, row),) = done.wrote["fulfillments"]
    assert (row["basis"], row["failure_code"], row["settlement"]) == (
        "vmc_failure", "VEND_FAILURE", "refund_due",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "due"),
    [(RUNS, 19), (of(RUNS, hard_deadline=NOW + 18 * SECOND), 18)],
)
async def test_a_run_that_begins_is_due_at_its_end(rows: Rows, given: Given, due: int) -> None:
    done = await told(rows, given, BEGAN)
    assert done.said == [wire.Evack(journal_id="j1", through=1)]
    assert done.wrote["fulfillments"] == [
        (UNIT, {"state": "started", "version": 2, "due_at": NOW + due * SECOND})
    ]
    assert (done.awake, done.events) == (set(), ["STARTED"])


async def test_the_pace_of_a_run_is_stored_and_moves_nothing(rows: Rows) -> None:
    up = wire.Progress(unit_id=UNIT, journal_id="j1", event_seq=1)
    done = await told(rows, RUNS, up)
    assert done.said == [wire.Evack(journal_id="j1", through=1)]
    assert set(done.wrote) == {"device_events", "device_journals"}
    assert (done.awake, done.events) == (set(), [])


# ---- the simple dialect ----

SIMPLE = but(of(RUNS, journal_id=None, lease_end=None), outlet("M01", dialect="simple"))


@pytest.mark.parametrize(
    ("status", "code", "settlement"),
    [("SUCCESS", None, "fulfilled"), ("FAILED", "JAM", "refund_due"), ("FAILED", None,
     "refund_due")],
)  # fmt: skip
async def test_a_simple_machines_word_is_taken(
    rows: Rows, status: str, code: str | None, settlement: str
) -> None:
    body = {"type": "machine:done", "orderId": str(ORDER), "status": status, "failureCode": code}
    up = msgspec.convert(body, wire.MachineDone)

    async def act(here: Context) -> None:
        await machine_messages.receive_done(here, M01, up, AT)

    done = await acted(rows, SIMPLE, act)
    ((_, row),) = done.wrote["fulfillments"]
    assert row == {
        "state": "vended" if settlement == "fulfilled" else "failed", "version": 2,
        "basis": "declared", "settlement": settlement, "settled_at": AT, "due_at": None,
        **({} if code is None else {"failure_code": code}),
    }  # fmt: skip
    assert done.awake == {"refunds"}


@pytest.mark.parametrize("order", [str(UUID(int=77)), "no id"])
async def test_a_word_of_an_order_that_was_never_commanded_is_nothing(
    rows: Rows, order: str
) -> None:
    up = wire.MachineDone(order_id=order, status=wire.DoneStatus.FAILED)

    async def act(here: Context) -> None:
        await machine_messages.receive_done(here, M01, up, AT)

    assert await acted(rows, SIMPLE, act) == Done(None, {}, [], set(), [])
