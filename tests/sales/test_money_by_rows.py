"""What functions of money and of a machine's journal write, over rows of which one thing differs:
the whole of it, and nothing beside it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

SECOND = timedelta(seconds=1)
SOON, LATER = NOW + SECOND, NOW + 60 * SECOND
ASHA, ACCOUNT, PAYMENT, ATTEMPT, ORDER, CAPTURE, UNIT, LINE, CODE = (
    UUID(int=n) for n in range(1, 10)
)
OTHER, FIRST = UUID(int=20), UUID(int=0)
Row = dict[str, Any]

TAKEN: Row = {
    "id": CAPTURE, "merchant_id": ASHA, "account_id": ACCOUNT, "gateway_payment_id": "pay_1",
    "payment_id": PAYMENT, "captured": 4000, "open": 0, "fulfilled": 4000,
}  # fmt: skip
ANOTHER: Row = {
    **TAKEN, "id": FIRST, "payment_id": OTHER, "gateway_payment_id": "pay_0",
}  # fmt: skip
TWO: dict[str, Row] = {"captures": ANOTHER, "captures 2": TAKEN}
UNTOUCHED: Row = {"fulfilled": 4000, "refund_due": 0, "refund_intended": 0}
MOVED: Row = {"fulfilled": 3100, "refund_due": 900, "refund_intended": 900}
BOTH = "SELECT * FROM captures ORDER BY id"
LEDGER = "SELECT * FROM ledger ORDER BY why, account"
ASK = "SELECT ask_refund($1, $2, $3, $4) IS NOT NULL AS made"
FORGO = "SELECT forgo_outside($1, $2)"
GONE: Row = {**TAKEN, "fulfilled": 3000, "refund_due": 1000, "outside": 1500, "outside_used": 1000}
OF_API: Row = {"id": PAYMENT, "source": "api", "state": "succeeded", "amount_minor": 4000}
GIVEN_UP: dict[str, Row] = {"captures": GONE, "payments": OF_API}
LET: list[tuple[Row, Row]] = [
    ({"payments.id": OTHER}, {"fulfilled": 3000}),
    ({"payments.source": "order", "payments.order_id": ORDER}, {"fulfilled": 3000}),
    ({"captures.outside": 1000}, {"fulfilled": 3000}),
    ({"captures.outside": 1001}, {"fulfilled": 2999, "refund_due": 1001, "outside_used": 1001}),
]
RETURN = "SELECT return_capture($1, 'late', $2) AS said"
OPEN: Row = {
    **TAKEN, "open": 3000, "fulfilled": 1000, "due_at": LATER, "payment_id": None,
}  # fmt: skip
CLOSE = "SELECT close_foreign($1, '{}', $2)"
STAYS: Row = {"open": 3000, "foreign_amount": 0, "reason": None}

REFUNDS = (
    Asked("a refund that a merchant asks for", ASK, (PAYMENT, 900, "why", NOW), TWO,
          ({"captures 2.reason": "late"}, {"$1": UUID(int=99)}, {"$2": 0}, {"$2": -1},
           {"$2": 4001}), ({"$2": 4000}, {"$2": None}, {"$2": 1}), {"made": True}),
    Asked("what it is taken from", ASK, (PAYMENT, 900, "why", NOW), TWO, (),
          gives=[UNTOUCHED, MOVED],
          others=[({"$2": None}, [UNTOUCHED, {"fulfilled": 0, "refund_due": 4000}]),
                  ({"$1": OTHER}, [MOVED, UNTOUCHED]), ({"$2": 4001}, [UNTOUCHED, UNTOUCHED])],
          after=BOTH),
    Asked("how it is written", ASK, (PAYMENT, 900, "why", NOW), TWO, (),
          gives={"merchant_id": ASHA, "account_id": ACCOUNT, "capture_id": CAPTURE,
                 "fulfillment_id": None, "replaces": None, "origin": "ours", "state": "pending",
                 "amount_minor": 900, "currency": "INR", "reason": "asked", "created_at": NOW,
                 "hard_deadline": LATER, "due_at": NOW, "part_id": None, "asked_reason": "why"},
          after="SELECT * FROM refunds"),
    Asked("how it is booked", ASK, (PAYMENT, 900, "why", NOW), TWO, (),
          gives=[{"capture_id": CAPTURE, "account": "refunds_payable", "amount": -900,
                  "why": "asked", "at": NOW, "currency": "INR", "merchant_id": ASHA},
                 {"capture_id": CAPTURE, "account": "sales", "amount": 900, "why": "asked"}],
          after=LEDGER),
    Asked("what a merchant gave back by hand", FORGO, (CAPTURE, NOW), GIVEN_UP, (),
          gives={"fulfilled": 2500, "refund_due": 1500, "outside_used": 1500},
          others=LET, after="SELECT * FROM captures"),
    Asked("how that is booked", FORGO, (CAPTURE, NOW), GIVEN_UP, (),
          gives=[{"account": "refunds_outside", "amount": -500, "why": "covered_outside"},
                 {"account": "refunds_payable", "amount": 500, "why": "covered_outside"},
                 {"account": "refunds_payable", "amount": -500, "why": "refunded_outside"},
                 {"account": "sales", "amount": 500, "why": "refunded_outside"}],
          others=(({"captures.outside": 1000}, []),), after=LEDGER),
    Asked("money that buys nothing", RETURN, (CAPTURE, NOW), {"captures": OPEN}, (),
          gives={"said": "returned"},
          others=(({"captures.open": 0, "captures.fulfilled": 4000}, {"said": "known"}),)),
    Asked("all of it goes back", RETURN, (CAPTURE, NOW), {"captures": OPEN}, (),
          gives={"surplus": 3000, "open": 0, "reason": "late", "due_at": None, "fulfilled": 1000},
          others=(({"captures.open": 0, "captures.fulfilled": 4000},
                   {"surplus": 0, "reason": None, "due_at": LATER}),
                  ({"captures.surplus": 500, "captures.fulfilled": 500},
                   {"surplus": 3500, "open": 0})),
          after="SELECT * FROM captures"),
    Asked("as a refund", RETURN, (CAPTURE, NOW), {"captures": OPEN}, (),
          gives={"amount_minor": 3000, "reason": "late", "fulfillment_id": None, "due_at": NOW},
          after="SELECT * FROM refunds"),
    Asked("and is owed", RETURN, (CAPTURE, NOW), {"captures": OPEN}, (),
          gives=[{"account": "obligations", "amount": 3000, "why": "late", "at": NOW},
                 {"account": "refunds_payable", "amount": -3000, "why": "late", "at": NOW}],
          after=LEDGER),
    Asked("money that is not ours", CLOSE, (CAPTURE, NOW), {"captures": OPEN}, (),
          gives={"foreign_amount": 3000, "open": 0, "reason": "foreign", "due_at": None},
          others=[({"captures.payment_id": PAYMENT}, STAYS), ({"captures.qr_id": CODE}, STAYS),
                  ({"captures.open": 0, "captures.fulfilled": 4000},
                   {"foreign_amount": 0, "reason": None, "due_at": LATER})],
          after="SELECT * FROM captures"),
    Asked("is booked as that", CLOSE, (CAPTURE, NOW), {"captures": OPEN}, (),
          gives=[{"account": "foreign", "amount": -3000, "why": "foreign", "at": NOW},
                 {"account": "obligations", "amount": 3000, "why": "foreign", "at": NOW}],
          others=(({"captures.qr_id": CODE}, []),), after=LEDGER),
)  # fmt: skip

MACHINE: Row = {
    "id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased",
}  # fmt: skip
PAID: dict[str, Row] = {
    "outlets": MACHINE,
    "orders": {"id": ORDER, "outlet_id": "M01", "state": "paid", "source": "page",
               "amount_minor": 7700, "dispatch_by": LATER, "expires_at": SOON},
    "order_lines": {"id": LINE, "merchant_id": ASHA, "order_id": ORDER, "slot": "A1",
                    "quantity": 2, "price_minor": 4000, "unit_minor": [3900, 3800],
                    "tax_minor": [10, 20]},
    "order_lines 2": {"order_id": OTHER, "slot": "A1", "quantity": 5},
    "captures": {**TAKEN, "order_id": ORDER},
}  # fmt: skip
A_UNIT: Row = {
    "merchant_id": ASHA, "order_id": ORDER, "line_id": LINE, "capture_id": CAPTURE,
    "outlet_id": "M01", "kind": "vending", "amount_minor": 3800, "currency": "INR",
    "state": "queued", "queued_at": NOW, "dispatch_by": LATER,
    "hard_deadline": LATER + 60 * SECOND, "due_at": NOW, "tax_minor": 20,
}  # fmt: skip
QUEUE = "SELECT order_queue_units($1, $2)"
UNITS = "SELECT * FROM fulfillments ORDER BY amount_minor"
RETIRE = "SELECT retire_ways($1, $2, $3)"
TRIED: dict[str, Row] = {
    "payments": {"id": PAYMENT, "order_id": ORDER, "state": "pending", "amount_minor": 4000},
    "attempts": {"id": ATTEMPT, "payment_id": PAYMENT, "account_id": ACCOUNT, "state": "pending",
                 "way": "link", "outlet_id": "M01", "network": "n", "make_at": NOW, "key": "k",
                 "tries": 3, "leased_until": NOW, "lease": 2, "due_at": LATER},
}  # fmt: skip
ASIDE: Row = {"retired_at": None, "tries": 3, "leased_until": NOW, "lease": 2, "due_at": LATER}
CODED: dict[str, Row] = {
    "payments": TRIED["payments"],
    "qr_codes": {"id": CODE, "account_id": ACCOUNT, "outlet_id": "M01", "slot": "A1",
                 "payment_id": PAYMENT, "attempt_id": ATTEMPT, "stage": "open",
                 "qr_code_id": "qr_1", "amount_minor": 4000, "leased_until": NOW, "lease": 3,
                 "due_at": LATER},
}  # fmt: skip
ORDERS = (
    Asked("units of what was paid", QUEUE, (ORDER, NOW), PAID, (),
          gives=[A_UNIT, {**A_UNIT, "amount_minor": 3900, "tax_minor": 10}],
          others=[({"captures.order_id": OTHER}, []), ({"captures.reason": "late"}, []),
                  ({"captures": None}, []), ({"$1": OTHER, "orders.id": OTHER}, []),
                  ({"captures": None, "orders.amount_minor": 0, "order_lines.unit_minor": [0, 0],
                    "order_lines.tax_minor": None}, [{"capture_id": None, "amount_minor": 0}] * 2),
                  ({"order_lines.unit_minor": None, "order_lines.tax_minor": None},
                   [{"amount_minor": 4000, "tax_minor": 0}] * 2),
                  ({"orders.dispatch_by": None}, [
                      {"dispatch_by": SOON, "hard_deadline": SOON + 60 * SECOND}] * 2),
                  ({"$2": LATER + SECOND}, [{"hard_deadline": LATER + 61 * SECOND,
                                             "queued_at": LATER + SECOND}] * 2)],
          after=UNITS),
    Asked("a way that nobody is to pay by", RETIRE, (ORDER, None, SOON), TRIED, (),
          gives={"retired_at": SOON, "tries": 0, "leased_until": None, "lease": 3, "due_at": SOON},
          others=[({"attempts.key": None}, {"retired_at": SOON, "due_at": None}),
                  ({"attempts.state": "unknown"}, {"retired_at": SOON}),
                  ({"attempts.state": "started"}, {"retired_at": SOON}),
                  ({"$2": OTHER}, {"retired_at": SOON}),
                  ({"$1": OTHER}, ASIDE), ({"$2": ATTEMPT}, ASIDE),
                  ({"payments.order_id": OTHER}, ASIDE), ({"attempts.payment_id": OTHER}, ASIDE),
                  ({"attempts.state": "succeeded"}, ASIDE), ({"attempts.state": "failed"}, ASIDE),
                  ({"attempts.retired_at": NOW}, {**ASIDE, "retired_at": NOW})],
          after="SELECT * FROM attempts"),
    Asked("a code that nobody is to pay", RETIRE, (ORDER, None, SOON), CODED, (),
          gives={"retired_at": SOON, "leased_until": None, "lease": 4, "due_at": SOON,
                 "stage": "closing"},
          others=[({"qr_codes.stage": "wanted"}, {"retired_at": SOON, "stage": "wanted"}),
                  ({"$2": OTHER}, {"retired_at": SOON}), ({"$2": ATTEMPT}, {"lease": 3}),
                  ({"$1": OTHER}, {"lease": 3}), ({"payments.order_id": OTHER}, {"lease": 3}),
                  ({"qr_codes.retired_at": NOW}, {"retired_at": NOW, "lease": 3, "due_at": LATER,
                                                  "stage": "open"})],
          after="SELECT * FROM qr_codes"),
)  # fmt: skip

SAID: Row = {"type": "RESULT", "unit_id": str(UNIT), "event_seq": 2, "outcome": "VENDED"}
OFFERED: Row = {
    "id": UNIT, "outlet_id": "M01", "state": "started", "sent_at": NOW, "due_at": NOW,
    "slot": "A1", "offered_at": NOW, "open": True,
}  # fmt: skip
DONE: Row = {
    "fulfillments.state": "vended", "fulfillments.settlement": "fulfilled",
    "fulfillments.basis": "x", "fulfillments.settled_at": NOW, "fulfillments.open": False,
}  # fmt: skip
HEARD: dict[str, Row] = {
    "outlets": MACHINE, "fulfillments": OFFERED,
    "device_journals": {"outlet_id": "M01", "journal_id": "j1", "merchant_id": ASHA,
                        "through": 2, "first_seen_at": NOW},
    "device_events": {"outlet_id": "M01", "journal_id": "j1", "event_seq": 2, "unit_id": UNIT,
                      "message": SAID, "at": SOON},
}  # fmt: skip
KEEP = "SELECT * FROM keep_event($1, 'M01', 'j1', $2, $3)"
QUIET: Row = {"through": 2, "strange": 0, "refused": 0, "refused_at": None, "contradicted_at": None}
FAILED = {**SAID, "outcome": "FAILED"}
JOURNAL = (
    Asked("a line of a machine", KEEP, (ASHA, SAID, LATER), HEARD, (),
          gives={"through": 2, "kept": True},
          others=[({"$2": {**SAID, "event_seq": 3}}, {"through": 3, "kept": True}),
                  ({"$2": {**SAID, "event_seq": 4}}, {"through": 2, "kept": True}),
                  ({"$2": {**SAID, "event_seq": 3}, "device_events.event_seq": 4},
                   {"through": 4, "kept": True}),
                  ({"$2": FAILED}, {"through": 1, "kept": False}),
                  ({"$2": {**SAID, "type": "STARTED"}}, {"through": 1, "kept": False}),
                  ({"$2": FAILED, **DONE}, {"through": 2, "kept": False}),
                  ({"$2": {**SAID, "more": 1}}, {"through": 2, "kept": False}),
                  ({"device_events.at": NOW - SECOND}, {"through": 2, "kept": False})]),
    Asked("what is noted of its journal", KEEP, (ASHA, SAID, LATER), HEARD, (),
          gives=QUIET,
          others=[({"$2": {**SAID, "event_seq": 3}}, {**QUIET, "through": 3}),
                  ({"$2": {**SAID, "event_seq": 4}}, QUIET),
                  ({"$2": {**SAID, "more": 1}}, QUIET),
                  ({"$2": FAILED}, {**QUIET, "contradicted_at": LATER}),
                  ({"$2": {**SAID, "type": "STARTED"}}, {**QUIET, "contradicted_at": LATER}),
                  ({"$2": FAILED, **DONE}, {**QUIET, "contradicted_at": LATER}),
                  ({"$2": FAILED, "device_journals.contradicted_at": SOON},
                   {**QUIET, "contradicted_at": SOON})],
          after="SELECT * FROM device_journals"),
    Asked("what is kept of it", KEEP, (ASHA, {**SAID, "event_seq": 3}, LATER), HEARD, (),
          gives=[{"event_seq": 2, "at": SOON},
                 {"event_seq": 3, "outlet_id": "M01", "journal_id": "j1", "merchant_id": ASHA,
                  "unit_id": UNIT, "message": {**SAID, "event_seq": 3}, "at": LATER}],
          others=(({"$2": FAILED}, {"event_seq": 2, "message": SAID}),),
          after="SELECT * FROM device_events ORDER BY event_seq"),
)  # fmt: skip

SLOT: Row = {
    "outlet_id": "M01", "slot": "A0", "merchant_id": ASHA, "stock": 3, "failures_in_row": 2,
    "capacity": 8, "out_of_sale_at": NOW, "other_product": True,
}  # fmt: skip
SLOTS: dict[str, Row] = {"slots": SLOT, "slots 2": {**SLOT, "slot": "A1"}}
VISIT = "SELECT visit_slot('M01', $1, $2) AS said"
FILLED: Row = {"slot": "A1", "before": 2, "after": 9, "capacity": 12, "expires_on": "2027-01-31"}
AS_IT_WAS: Row = {
    "slot": "A0", "stock": 3, "failures_in_row": 2, "capacity": 8, "out_of_sale_at": NOW,
    "other_product": True, "counted_at": None,
}  # fmt: skip
SELLS: Row = {
    "slot": "A1", "stock": 9, "counted": 9, "failures_in_row": 0, "capacity": 12,
    "out_of_sale_at": None, "other_product": False, "counted_at": SOON,
}  # fmt: skip
VISITS = (
    Asked("what a slot should have held", VISIT, (FILLED, SOON), SLOTS, (), gives={"said": 3}),
    Asked("the slot that a person filled, and no other", VISIT, (FILLED, SOON), SLOTS, (),
          gives=[AS_IT_WAS, SELLS],
          others=[({"$1": {"slot": "A1", "after": 9}}, [AS_IT_WAS, {**SELLS, "capacity": 8}]),
                  ({"slots 2.withheld_at": NOW}, [AS_IT_WAS, {**SELLS, "out_of_sale_at": NOW}])],
          after="SELECT * FROM slots ORDER BY slot"),
    Asked("what was missing", VISIT, (FILLED, SOON), SLOTS, (),
          gives={"merchant_id": ASHA, "outlet_id": "M01", "slot": "A1", "cause": "visit",
                 "expected": 3, "counted": 2, "at": SOON},
          others=[({"$1": {"slot": "A1", "after": 9}}, []),
                  ({"$1": {"slot": "A1", "before": 3, "after": 9}}, [])],
          after="SELECT * FROM stock_differences"),
    Asked("what was added", VISIT, (FILLED, SOON), SLOTS, (),
          gives={"merchant_id": ASHA, "outlet_id": "M01", "slot": "A1", "pieces": 7,
                 "expires_on": date(2027, 1, 31), "added_at": SOON},
          others=[({"$1": {"slot": "A1", "after": 9}}, {"pieces": 6, "expires_on": None}),
                  ({"$1": {"slot": "A1", "after": 4}}, {"pieces": 1}),
                  ({"$1": {"slot": "A1", "after": 3}}, []),
                  ({"$1": {"slot": "A1", "before": 9, "after": 2}}, [])],
          after="SELECT * FROM stock_lots"),
)  # fmt: skip


@pytest.mark.parametrize(
    "asked", [REFUNDS, ORDERS, JOURNAL, VISITS], ids=["refunds", "orders", "journal", "visits"]
)
async def test_each_function_writes_all_that_it_should_and_nothing_beside_it(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
