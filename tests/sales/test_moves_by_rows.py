"""What a move writes: the unit, what stands beside it, and the log; over rows of which one thing
differs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

SECOND = timedelta(seconds=1)
SOON, LATER = NOW + SECOND, NOW + 60 * SECOND
ASHA, UNIT, ORDER, LINE, CAPTURE, OTHER = (UUID(int=n) for n in range(1, 7))
Row = dict[str, Any]

PIECE: Row = {
    "id": UNIT, "merchant_id": ASHA, "order_id": ORDER, "line_id": LINE, "capture_id": CAPTURE,
    "outlet_id": "M01", "slot": "A1", "state": "queued", "due_at": NOW, "leased_until": LATER,
    "lease": 3, "hard_deadline": LATER, "dispatch_by": LATER, "amount_minor": 4000, "version": 5,
}  # fmt: skip
SALE: dict[str, Row] = {
    "fulfillments 2": {**PIECE, "id": OTHER, "journal_id": "j2", "capture_id": OTHER},
     "fulfillments": PIECE,
    "captures 2": {"id": OTHER, "gateway_payment_id": "pay_2", "captured": 8000},
    "captures": {"id": CAPTURE, "merchant_id": ASHA, "order_id": ORDER, "captured": 8000},
    "orders": {"id": ORDER, "merchant_id": ASHA, "outlet_id": "M01", "state": "paid",
               "source": "page", "amount_minor": 8000},
    "order_lines": {"id": LINE, "order_id": ORDER, "slot": "A1", "quantity": 2},
    "slots": {"outlet_id": "M01", "slot": "A1", "stock": 5, "price_minor": 4000},
    "outlets": {"id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt",
                "dialect": "leased"},
}  # fmt: skip
MOVE = "SELECT * FROM transition_fulfillment($1, $2, $3, $4)"
UNITS = """
SELECT f.*, v.open, v.seq, v.offered_at,
 v.journal_id FROM fulfillments f JOIN vend_units v USING (id)
"""
THIS, THAT = f"{UNITS} WHERE f.id = '{UNIT}'", f"{UNITS} WHERE f.id = '{OTHER}'"
OFFER: tuple[object, ...] = (
    UNIT, "OFFER", {"due_at": SOON.isoformat(), "seq": 7, "offered_at": NOW.isoformat()}, NOW,
)  # fmt: skip


def at(state: str, event: str, **more: Any) -> Row:
    """A unit in this state is told this."""
    return {"fulfillments.state": state, "$2": event, **more}


def done(basis: str, **more: Any) -> Row:
    """A move's own columns."""
    return {"basis": basis, **more}


GOING = {"fulfillments.sent_at": NOW - SECOND}
LEASED = """
SELECT t.* FROM (SELECT set_config('coinslot.lease', $5, true) OFFSET 0) s,
    LATERAL transition_fulfillment($1, $2, $3, $4) t
"""
HIS = f"fulfillments {UNIT} 3"
SETTLED_AS: Row = {"fulfillments.settlement": "fulfilled", "fulfillments.basis": "machine_said",
                   "fulfillments.settled_at": NOW - SECOND, **GOING}  # fmt: skip
BEFORE: Row = {
    "machine": "fulfillment", "subject_id": UNIT, "event": "BUSY", "was": "going",
    "state": "going", "at": NOW,
}  # fmt: skip
LOG = f"SELECT * FROM events WHERE machine = 'fulfillment' AND at = '{SOON}'"

UNIT_MOVES = (
    Asked("what a move says", MOVE, OFFER, SALE, (),
          gives={"was": "queued", "state": "offered", "jobs": ["send_offer"]},
          others=[({"$2": "NOPE"}, {"was": "queued", "state": None, "jobs": None}),
                  ({"$2": "MAKE"}, {"was": "queued", "state": None}),
                  (at("in_doubt", "DEADLINE", **GOING, **{
                      "fulfillments.kind": "coffee", "$3": {"basis": "silence"}}),
                   {"state": "not_made"}),
                  (at("offered", "BUSY"), {"was": "offered", "state": "queued", "jobs": []}),
                  ({**at("vended", "BUSY"), **SETTLED_AS},
                   {"was": "vended", "state": "vended", "jobs": []})]),
    Asked("an event that has no row", MOVE, (UNIT, "NOPE", {"seq": 7}, NOW), SALE, (),
          gives={"merchant_id": ASHA, "machine": "fulfillment", "subject_id": UNIT,
                 "state": "queued", "event": "NOPE", "data": {"seq": 7}, "at": NOW},
          others=(({"$2": "OFFER"}, []),), after="SELECT * FROM strays"),
    Asked("a move is logged", MOVE, OFFER, SALE, (),
          gives={"merchant_id": ASHA, "machine": "fulfillment", "subject_id": UNIT,
                 "event": "OFFER", "was": "queued", "state": "offered", "data": OFFER[2],
                 "at": NOW}, others=(({"$2": "NOPE"}, []),), after="SELECT * FROM events"),
    Asked("what a move writes", MOVE, OFFER, SALE, (),
          gives={"state": "offered", "version": 6, "due_at": SOON, "open": True, "seq": 7,
           "journal_id": None,
                 "offered_at": NOW, "leased_until": LATER, "basis": None, "sent_at": None},
          others=[({"$2": "NOPE"}, {"state": "queued", "version": 5, "due_at": NOW, "seq": None}),
                  ({**at("offered", "BUSY", **{"fulfillments.open": True}), "$3": {}},
                   {"state": "queued", "open": False, "due_at": NOW}),
                  ({"$3": done("machine_said")}, {"basis": None})], after=THIS),
    Asked("another unit stays", MOVE, OFFER, SALE, (),
          gives={"state": "queued", "version": 5, "due_at": NOW, "open": False, "seq": None},
          after=THAT),
    Asked("its own worker lets it go", LEASED, (*OFFER, HIS), SALE, (),
          gives={"leased_until": None},
          others=[({"$5": lease}, {"leased_until": LATER}) for lease in (
              "", f"fulfillments {UNIT} 4", f"fulfillments {OTHER} 3", f"refunds {UNIT} 3")],
          after=THIS),
    Asked("when it was sent", MOVE, (UNIT, "ACCEPT", {}, NOW), {
        **SALE, "fulfillments": {**PIECE, "state": "offered"}}, (),
          gives={"state": "going", "sent_at": NOW},
          others=[(at("going", "ACCEPT", **GOING), {"sent_at": NOW - SECOND}),
                  (at("offered", "BUSY"), {"sent_at": None}),
                  (at("queued", "ACCEPT"), {"sent_at": None})], after=THIS),
    Asked("how it is settled", MOVE, (UNIT, "VENDED", done("machine_said"), NOW),
          {**SALE, "fulfillments": {**PIECE, "state": "going", "sent_at": NOW - SECOND}}, (),
          gives={"state": "vended", "settlement": "fulfilled", "settled_at": NOW,
                 "basis": "machine_said", "due_at": None, "sent_at": NOW - SECOND, "open": False},
          others=[(at("going", "NOT_VENDED"), {"settlement": "refund_due", "due_at": None}),
                  (at("in_doubt", "DEADLINE"), {"settlement": "refund_due", "due_at": None}),
                  (at("going", "DEADLINE"), {"settlement": None, "state": "in_doubt",
                                             "due_at": NOW, "basis": None})], after=THIS),
    Asked("who was told before it was sent is told that it is over", MOVE,
          (UNIT, "WITHDRAWN", done("never_sent"), SOON),
          {**SALE, "fulfillments": {**PIECE, "state": "offered"}}, (),
          gives={"state": "failed", "settlement": "refund_due", "due_at": SOON,
                 "basis": "never_sent"},
          others=[(at("offered", "DEADLINE"), {"due_at": SOON}),
                  (at("queued", "WITHDRAWN"), {"due_at": None, "settlement": "refund_due"}),
                  (at("queued", "DEADLINE"), {"due_at": None}),
                  (at("offered", "NOT_VENDED"), {"due_at": None, "settlement": "refund_due"})],
          after=THIS),
    Asked("it is settled once", MOVE,
          (UNIT, "NOT_VENDED", done("else", seq=9, failure_code="jam"), SOON),
          {**SALE, "fulfillments": {**PIECE, "state": "vended", **{
              name.removeprefix("fulfillments."): value for name, value in SETTLED_AS.items()}}},
          (), gives={"settlement": "fulfilled", "basis": "machine_said", "failure_code": None,
                     "settled_at": NOW - SECOND, "seq": None, "state": "vended", "version": 6,
                     "due_at": NOW}, after=THIS),
    Asked("what changes nothing is logged once", MOVE, (UNIT, "BUSY", {}, SOON),
          {**SALE, "fulfillments": {**PIECE, "state": "going"}, "events": BEFORE}, (),
          gives=[],
          others=[(change, {"event": "BUSY", "was": "going", "state": "going"}) for change in (
              {"events.event": "REJECT"}, {"events.was": "offered"}, {"events.state": "offered"},
              {"events.subject_id": OTHER}, {"events.machine": "refund"}, {"$3": {"seq": 7}},
              {"events": None})]
          + [({"$2": "STARTED", "events.event": "STARTED", "events.state": "started"},
              {"event": "STARTED", "state": "started"})], after=LOG),
    Asked("what comes after the end is logged once", MOVE, (UNIT, "BUSY", {"seq": 9}, SOON),
          {**SALE, "fulfillments": {**PIECE, "state": "vended", "settlement": "fulfilled",
                                    "basis": "machine_said"},
           "events": {**BEFORE, "was": "vended", "state": "vended"}}, (), gives=[],
          others=(({"events": None}, {"event": "BUSY"}),), after=LOG),
    Asked("a unit of another kind has no place in a machine", MOVE,
          (UNIT, "WITHDRAWN", {"seq": 7, "basis": "never_sent"}, NOW),
          {**SALE, "fulfillments": {**PIECE, "kind": "coffee", "state": "to_make", "open": True}},
          (), gives={"open": True, "seq": None, "state": "not_made"}, after=THIS),
    Asked("rows are held before they are read", MOVE, (UNIT, "NOPE", {}, NOW), SALE, (),
          locks=(f"captures WHERE id = '{CAPTURE}'", f"fulfillments WHERE id = '{UNIT}'")),
    Asked("other rows are not held", MOVE, (UNIT, "NOPE", {}, NOW), SALE, (), gives={"held": 0},
          after=f"""SELECT (SELECT count(*) FROM captures WHERE id = '{OTHER}' AND xmax <> '0')
              + (SELECT count(
               *) FROM fulfillments WHERE id = '{OTHER}' AND xmax <> '0') AS held"""),
    Asked("no state of an unknown kind is sent", "SELECT is_sent('else', 'going')", (), {}, (),
          gives={"is_sent": False}),
)  # fmt: skip

MONEY = f"SELECT fulfilled, refund_due, open FROM captures WHERE id = '{CAPTURE}'"
BOOKED = (
    Asked("the job of a move is done", MOVE, (UNIT, "VENDED", done("machine_said"), NOW),
          {**SALE, "fulfillments": {**PIECE, "state": "going", "sent_at": NOW}}, (),
          gives={"fulfilled": 4000, "refund_due": 0, "open": 4000},
          others=[(at("going", "NOT_VENDED"), {"refund_due": 4000, "fulfilled": 0}),
                  (at("going", "STARTED"), {"open": 8000})], after=MONEY),
    Asked("what nobody knows is exposed", MOVE, (UNIT, "DEADLINE", done("silence"), NOW),
          {**SALE, "fulfillments": {**PIECE, "state": "in_doubt", "sent_at": NOW}}, (),
          gives={"fulfillment_id": UNIT, "amount_minor": 4000},
          others=((at("going", "NOT_VENDED"), []),), after="SELECT * FROM exposures"),
    Asked("an order expires", "SELECT * FROM transition_order($1, 'DEADLINE', $2, $3)",
          (ORDER, {"ended_at": SOON.isoformat(), "due_at": None}, SOON),
          {"orders": {**SALE["orders"], "state": "placed", "due_at": NOW},
           "orders 2": {**SALE["orders"], "id": OTHER, "token": "t2", "state": "placed"}}, (),
          gives=[{"state": "expired", "version": 2, "ended_at": SOON, "due_at": None},
                 {"state": "placed", "version": 1, "ended_at": None}],
          after="SELECT * FROM orders ORDER BY id"),
)  # fmt: skip


@pytest.mark.parametrize("asked", [UNIT_MOVES, BOOKED])
async def test_a_move_writes_its_row_what_stands_beside_it_and_the_log(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
