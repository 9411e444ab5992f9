"""What the auditor finds of units and of what their machines said: nothing where it is sound, and a
row where one thing differs."""

from datetime import timedelta
from typing import Any

import pytest

from coinslot.oversight import audit_units
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows
from tests.sales.test_statements_of_audits import _FREE, ANOTHER, LINE, SOLD, UNIT, holds

MOMENT, LEASE = timedelta(microseconds=1), timedelta(seconds=1)
ACCEPT = {"unit_id": str(UNIT), "seq": "4", "boot_id": "b", "journal_id": "j", "mono_ms": 0}
GO = {"unit_id": str(UNIT), "seq": "4", "boot_id": "b", "not_after": 1000}
# With the part of its machine, which is written beside it.
SENT = {**SOLD, "kind": "vending", "slot": "A1", "seq": 4, "boot_id": "b", "journal_id": "j",
        "accept": ACCEPT, "go_message": GO, "lease_end": NOW + LEASE}  # fmt: skip
SAID = {"unit_id": UNIT, "outlet_id": "M01", "journal_id": "j", "event_seq": 1, "at": NOW}
OPEN_STATES = ("offered", "going", "started", "in_doubt")
UNTESTED, TESTED = {"drop": "no"}, {"drop": "no", "sensor_tested": "true"}
BY_CONTROLLER = {"vmc": "failure"}
AT_HOME = {"drop": "no", "home": "true", "counter_before": 7, "counter_after": 7}


def said(outcome: str, seen: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": "RESULT", "outcome": outcome, "evidence": seen or {}, **more}


def told(message: dict[str, Any], **unit: Any) -> dict[str, Any]:
    """A unit of which its machine said this."""
    return {"fulfillments": {**SENT, **unit}, "outlets": {"id": "M01", "dialect": "leased"},
            "device_events": {**SAID, "message": message}}  # fmt: skip


def other(*messages: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return tuple({"device_events.message": message} for message in messages)


def of(table: str, **values: Any) -> tuple[dict[str, Any], ...]:
    return tuple({f"{table}.{name}": value} for name, value in values.items())


UNHEARD = (
    *of("device_events", unit_id=ANOTHER, outlet_id="M02", journal_id="k", at=NOW - MOMENT),
    {"fulfillments.accept": {**ACCEPT, "journal_id": "k"}},
)
BACK = {"settlement": "refund_due"}
ASKED = (
    holds("GO answers its ACCEPT", audit_units._GO, {"fulfillments": SENT},
          (*of("fulfillments", accept=None, sent_at=None, go_message=None, seq=5, boot_id="c",
               journal_id="k", lease_end=NOW + LEASE - MOMENT),
           {"fulfillments.lease_end": None},
           *({"fulfillments.accept": {**ACCEPT, name: "9"}} for name in (
               "unit_id", "seq", "boot_id", "journal_id")),
           *({"fulfillments.go_message": {**GO, name: value}} for name, value in (
               ("unit_id", "9"), ("seq", "9"), ("boot_id", "9"), ("not_after", 0)))),
          ({"fulfillments.accept": None, "fulfillments.go_message": None},
           {"fulfillments.lease_end": NOW + 2 * LEASE})),
    holds("a seq is given out once", audit_units._SEQ,
          {"fulfillments": SENT, "fulfillments 2": {**SENT, "id": ANOTHER, "seq": 5},
           "devices": {"outlet_id": "M01", "next_seq": 6}},
          ({"fulfillments 2.seq": 4}, {"devices.next_seq": 5}),
          ({"fulfillments 2.seq": None, "devices.next_seq": 5},
           {"fulfillments 2.seq": None, "fulfillments.seq": None, "devices": None})),
    holds("a seq of a machine that is not there", audit_units._SEQ,
          {"fulfillments": SENT, "devices": {"outlet_id": "M01", "next_seq": 5}},
          ({"devices": None}, {"devices.outlet_id": "M02"})),
    holds("a unit and its machine's part agree", audit_units._BESIDE,
          {"fulfillments": {**SENT, "open": False},
           "order_lines": {"id": LINE, "slot": "A1", "quantity": 1}},
          ({"order_lines.slot": "A2"}, {"fulfillments.open": True},
           *({"fulfillments.state": state} for state in OPEN_STATES)),
          (*({"fulfillments.state": state, "fulfillments.open": True} for state in OPEN_STATES),
           {"fulfillments.kind": "coffee", "order_lines.slot": "A2"})),
    holds("vended", audit_units._BASIS, told(said("VENDED")),
          (*UNHEARD, *of("fulfillments", settlement="refund_due", basis="drop_evidence"),
           *other(said("FAILED"), said("VENDED", TESTED), said("VENDED", slot="A2"),
                  {**said("VENDED"), "type": "START"})),
          other(said("VENDED", UNTESTED), said("VENDED", slot="A1"),
                said("VENDED", {"sensor_tested": "true"}))),
    *(holds(f"it dropped, though {outcome}", audit_units._BASIS,
            told(said(outcome, {"drop": "yes"}), basis="drop_evidence"),
            (*UNHEARD, *of("fulfillments", settlement="refund_due", basis="vended"),
             *other(said("OTHER", {"drop": "yes"}), said(outcome, UNTESTED))))
      for outcome in ("FAILED", "INTERRUPTED")),
    *(holds("it did not drop", audit_units._BASIS,
            told(said("FAILED", seen), basis="no_drop", **BACK),
            (*of("fulfillments", settlement="fulfilled", basis="tombstone"),
             *other(said("FAILED", UNTESTED), said("FAILED", {**AT_HOME, "home": "false"}),
                    said("FAILED", {**AT_HOME, "counter_after": 8}),
                    said("FAILED", {**AT_HOME, "drop": "unknown"}), said("INTERRUPTED", AT_HOME),
                    said("FAILED", {**TESTED, "sensor_tested": "false"}))))
      for seen in (TESTED, AT_HOME)),
    holds("its controller said so", audit_units._BASIS,
          told(said("FAILED", BY_CONTROLLER), basis="vmc_failure", mdb=True, **BACK),
          (*UNHEARD, *of("fulfillments", settlement="fulfilled", basis="no_drop", mdb=False),
           *other(said("INTERRUPTED", BY_CONTROLLER), said("FAILED", {"vmc": "success"}),
                  said("FAILED", {**BY_CONTROLLER, "drop": "yes"}), said("FAILED"))),
          other(said("FAILED", {**BY_CONTROLLER, "drop": "unknown"}))),
    holds("it lost its record", audit_units._BASIS,
          told(said("TOMBSTONED"), basis="tombstone", **BACK),
          (*UNHEARD, *of("fulfillments", settlement="fulfilled"), *other(said("VENDED")))),
    *(holds(f"it was {basis}", audit_units._BASIS,
            told(said("x"), basis=basis, sent_at=None, go_message=None, **BACK),
            of("fulfillments", sent_at=NOW, settlement="fulfilled", go_message=GO))
      for basis in ("never_sent", "rejected")),
    holds("a simple machine's word", audit_units._BASIS,
          {**told(said("x"), basis="declared", accept=None, go_message=None),
           "outlets": {"id": "M01", "dialect": "simple"}},
          ({"outlets.dialect": "leased"}, *of("fulfillments", accept=ACCEPT, sent_at=None))),
    holds("silence", audit_units._BASIS,
          {**told(said("x"), basis="policy", hard_deadline=NOW, **BACK),
           "exposures": {"fulfillment_id": UNIT, "amount_minor": 4000}},
          (*of("fulfillments", settlement="fulfilled", sent_at=None, settled_at=NOW - MOMENT),
           *of("exposures", fulfillment_id=ANOTHER, amount_minor=3999))),
    holds("another kind's own basis", audit_units._BASIS,
          told(said("x"), basis="x", kind="coffee"),
          of("fulfillments", sent_at=None, kind="vending")),
    holds("a unit that waits", audit_units._BASIS,
          told(said("x"), settlement=None, basis=None, due_at=NOW), ()),
    Asked("proof that settled nothing", audit_units._NOTED, (),
          told(said("VENDED"), settlement=None, basis=None, due_at=NOW),
          (*UNHEARD, {"fulfillments.settlement": "fulfilled"}, *other(said("VENDED", TESTED))),
          other(said("TOMBSTONED"), said("FAILED", TESTED))),
    Asked("a drop after the money went back", audit_units._NOTED, (), told(said("VENDED"), **BACK),
          (*UNHEARD, *other(said("TOMBSTONED"))), other(said("FAILED", {"drop": "yes"}))),
    holds("a drop that is noted", audit_units._NOTED,
          {**told(said("VENDED"), **BACK),
           "discrepancies": {"fulfillment_id": UNIT, "kind": "dropped_after_refund"}},
          of("discrepancies", fulfillment_id=ANOTHER, kind="x")),
    Asked("a controller's word against a drop", audit_units._UNDONE, (),
          told(said("FAILED", BY_CONTROLLER), mdb=True),
          (*UNHEARD, {"fulfillments.settlement": "refund_due"}, {"fulfillments.mdb": False})),
    *(Asked(f"a {outcome} against a drop", audit_units._UNDONE, (), told(said(outcome, TESTED)),
            (*UNHEARD, {"fulfillments.settlement": "refund_due"}, *other(said("VENDED"))))
      for outcome in ("TOMBSTONED", "FAILED")),
    Asked("an answer that settled nothing", audit_units._NOTED, (),
          {"fulfillments": {**SENT, "settlement": None, "basis": None, "due_at": NOW},
           "events": {"machine": "fulfillment", "event": "ANSWERED", "subject_id": UNIT, "at": NOW,
                      "data": {"journal_id": "j", "state": "VENDED", "evidence": {}}}},
          (*of("events", machine="order", event="x", subject_id=ANOTHER, at=NOW - MOMENT),
           {"events.data": {"journal_id": "k", "state": "VENDED", "evidence": {}}},
           {"events.data": {"journal_id": "j", "state": "RUNNING", "evidence": {}}})),
)  # fmt: skip


@pytest.fixture
async def rows(rows: Rows) -> Rows:
    await rows.conn.execute(_FREE)
    return rows


async def test_sound_units_break_nothing_and_each_difference_does(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []
