"""What the auditor's statements find: nothing in rows that are sound, and a row where one thing of
them differs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.oversight import (
    audit_money,
    audit_notices,
    audit_receipts,
    audit_record,
    audit_told,
    audit_units,
)
from tests.sales.asked import FOUND, Asked, Gives, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, HOUR = timedelta(microseconds=1), timedelta(hours=1)
(ASHA, CHANDRA, ACCOUNT, ORDER, CAPTURE, UNIT, REFUND, LINE, PAYMENT, ATTEMPT, HOOK, THING, ANOTHER,
 PART) = (UUID(int=n) for n in range(1, 15))  # fmt: skip
# What no hand could write past the constraints is what the auditor is for.
_FREE = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype = 'c'
        AND connamespace = 'public'::regnamespace
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP;
    FOR c IN SELECT indexrelid::regclass AS t FROM pg_index i
        JOIN pg_class k ON k.oid = i.indexrelid WHERE i.indisunique AND i.indpred IS NOT NULL
        AND k.relnamespace = 'public'::regnamespace
    LOOP EXECUTE format('DROP INDEX %s', c.t); END LOOP;
END $$
"""

Given = Mapping[str, Mapping[str, Any]]


def holds(  # noqa: PLR0913  as Asked has
    name: str, sql: str, rows: Given,
    breaks: Sequence[Mapping[str, Any]], sound: Sequence[Mapping[str, Any]] = (),
    values: tuple[object, ...] = (),
) -> Asked:  # fmt: skip
    """Nothing is found, until one of these breaks it."""
    others: list[tuple[Any, Gives]] = [(differs, FOUND) for differs in breaks]
    return Asked(name, sql, values, rows, (), tuple(sound), [], others)


PAID = {"id": CAPTURE, "merchant_id": ASHA, "account_id": ACCOUNT, "order_id": ORDER,
        "payment_id": PAYMENT, "captured": 4000, "open": 0, "fulfilled": 4000,
        "hard_deadline": NOW}  # fmt: skip
SOLD = {"id": UNIT, "merchant_id": ASHA, "order_id": ORDER, "capture_id": CAPTURE, "line_id": LINE,
        "outlet_id": "M01", "amount_minor": 4000, "state": "vended", "settlement": "fulfilled",
        "basis": "vended", "sent_at": NOW, "settled_at": NOW, "hard_deadline": NOW}  # fmt: skip
OPEN = {"fulfillments.settlement": None, "fulfillments.basis": None,
        "fulfillments.settled_at": None, "fulfillments.state": "started"}  # fmt: skip
WENT_BACK = {"fulfillments.settlement": "refund_due"}
BACK = {"id": REFUND, "account_id": ACCOUNT, "capture_id": CAPTURE, "origin": "ours",
        "state": "succeeded", "amount_minor": 4000, "gateway_refund_id": "r1", "key": "a",
        "created_at": NOW}  # fmt: skip
OWED = {"captures.fulfilled": 0, "captures.refund_due": 4000}
COVERED = {"subject_id": REFUND, "machine": "refund", "event": "COVERED", "state": "succeeded"}
DEBT: Given = {"captures": {**PAID, "fulfilled": 0, "refund_due": 4000, "refund_intended": 4000},
        "refunds": BACK}  # fmt: skip
TAKEN = {"id": PART, "order_refund_id": THING, "capture_id": CAPTURE, "fulfillment_id": UNIT,
         "amount_minor": 1000, "outcome": "taken", "ended_at": NOW}  # fmt: skip
PARTLY: Given = {"fulfillments": SOLD, "order_refund_parts": TAKEN,
          "order_refunds": {"id": THING, "order_id": ORDER}}  # fmt: skip
TIP = {"id": ANOTHER, "order_id": ORDER, "kind": "tip", "amount_minor": 1000,
       "settlement": "fulfilled", "basis": "handed_over", "settled_at": NOW}  # fmt: skip
OF_TIP: Given = {
    "order_extras": TIP,
    "order_refunds": PARTLY["order_refunds"],
    "order_refund_parts": {**TAKEN, "fulfillment_id": None, "extra_id": ANOTHER},
}
DISPUTE = {"capture_id": CAPTURE, "account_id": ACCOUNT, "gateway_dispute_id": "d1",
           "stage": "lost", "amount_minor": 40}  # fmt: skip
LOST = {**BACK, "reason": "disputed", "gateway_refund_id": "d1", "amount_minor": 40}
COLLECTS = {"id": PAYMENT, "source": "api", "order_id": None, "state": "succeeded",
            "amount_minor": 4000}  # fmt: skip
PLACED = {"id": ORDER, "state": "completed", "amount_minor": 4000, "source": "page"}
BOUGHT = {"id": LINE, "order_id": ORDER, "quantity": 1, "price_minor": 4000, "slot": "A1"}

MONEY = (
    holds("counters are those of units", audit_money._COUNTERS,
          {"captures": PAID, "fulfillments": SOLD},
          ({"captures.fulfilled": 3999, "captures.open": 1}, {"captures.refund_due": 1},
           {"fulfillments.capture_id": ANOTHER}, OPEN, WENT_BACK, {"fulfillments.amount_minor": 1}),
          ({**WENT_BACK, **OWED},)),
    holds("a corrected unit went back", audit_money._COUNTERS,
          {"captures": {**PAID, "fulfilled": 0, "refund_due": 4000}, "fulfillments": SOLD,
           "corrections": {"fulfillment_id": UNIT}}, ({"corrections.fulfillment_id": ANOTHER},)),
    holds("a part that was taken went back", audit_money._COUNTERS,
          {"captures": {**PAID, "fulfilled": 3000, "goodwill": 1000}, **PARTLY},
          ({"order_refund_parts.fulfillment_id": ANOTHER},
           {"order_refund_parts.outcome": "went_back"}, {"order_refund_parts.amount_minor": 999})),
    holds("extras count with the capture that buys", audit_money._COUNTERS,
          {"captures": {**PAID, "fulfilled": 1000}, "order_extras": TIP},
          ({"order_extras.order_id": ANOTHER}, {"captures.reason": "second"},
           {"order_extras.settlement": "refund_due"})),
    holds("what a server collects is earned", audit_money._COUNTERS,
          {"captures": {**PAID, "fulfilled": 3000, "refund_due": 1000}, "payments": COLLECTS},
          ({"payments.source": "order"}, {"payments.id": ANOTHER}, {"captures.reason": "x"},
           {"captures.fulfilled": 2999})),
    holds("a capture buys all that it is worth", audit_money._PURPOSE,
          {"captures": PAID, "fulfillments": SOLD},
          ({"captures.reason": "second"}, {"captures.captured": 4001},
           {"fulfillments.amount_minor": 3999}, {"captures.surplus": 1},
           {"captures.foreign_amount": 1}, {"fulfillments.capture_id": ANOTHER})),
    holds("money that waits", audit_money._PURPOSE,
          {"captures": {**PAID, "payment_id": None, "fulfilled": 0, "open": 4000}},
          ({"captures.open": 3999}, {"captures.qr_id": THING}, {"captures.payment_id": PAYMENT})),
    holds("money beside an order", audit_money._PURPOSE,
          {"captures": {**PAID, "reason": "second", "surplus": 4000}},
          ({"captures.surplus": 0}, {"captures.reason": None, "captures.surplus": 0})),
    holds("money that is not ours", audit_money._PURPOSE,
          {"captures": {**PAID, "reason": "foreign", "foreign_amount": 4000}},
          ({"captures.foreign_amount": 0}, {"captures.surplus": 1})),
    holds("money has its end", audit_money._BOUND,
          {"captures": {**PAID, "open": 0}, "fulfillments": SOLD},
          ({"captures.open": 1, "captures.hard_deadline": NOW - MOMENT},
           {**OPEN, "fulfillments.hard_deadline": NOW - MOMENT,
            "captures.open": 1, "captures.hard_deadline": NOW - MOMENT}),
          ({"captures.open": 1}, OPEN,
           {**OPEN, "captures.open": 1, "captures.hard_deadline": NOW - MOMENT}), (NOW,)),
    holds("debts have their refunds", audit_money._DEBTS, DEBT,
          ({"captures.refund_due": 3999}, {"captures.refund_intended": 3999},
           {"captures.surplus": 1}, {"refunds.state": "failed"}, {"refunds.amount_minor": 1},
           {"refunds.capture_id": ANOTHER}, {"refunds.origin": "gateway"},
           {"captures.outside": 1}, {"captures.outside_used": 1, "captures.refund_due": 4001}),
          ({"refunds.state": "pending"}, {"refunds.state": "owed"})),
    holds("what went back outside", audit_money._DEBTS,
          {"captures": {**PAID, "fulfilled": 0, "refund_due": 4000, "outside": 4000,
                        "outside_used": 4000}, "refunds": {**BACK, "origin": "gateway"}},
          ({"refunds.state": "pending"}, {"refunds.amount_minor": 1},
           {"captures.outside_used": -1, "captures.refund_due": -1})),
    holds("a refund that was covered", audit_money._DEBTS,
          {"captures": {**PAID}, "refunds": BACK, "events": COVERED},
          ({"events.subject_id": ANOTHER}, {"events.machine": "order"},
           {"events.event": "PROVED"}, {"events.state": None})),
    holds("movements balance", audit_money._BALANCE,
          {f"ledger {n}": {"txn": THING, "merchant_id": ASHA, "capture_id": CAPTURE,
                           "amount": amount} for n, amount in enumerate((5, -5))},
          ({"ledger 0.amount": 4}, {"ledger 0": None})),
    holds("no more goes back than came", audit_money._EXCESS, DEBT,
          ({"refunds.amount_minor": 4001}, {"captures.captured": 3999}),
          ({"refunds.amount_minor": 4001, "refunds.state": "failed"},
           {"refunds.amount_minor": 4001, "refunds.origin": "gateway",
            "refunds.reason": "disputed"})),
    holds("what a dispute took is a refund", audit_money._DISPUTES,
          {"captures": PAID, "disputes": DISPUTE, "refunds": LOST},
          ({"refunds.state": "failed"}, {"refunds.amount_minor": 41},
           {"refunds.capture_id": ANOTHER}, {"disputes.stage": "won"},
           {"disputes.currency": "EUR"}, {"disputes.amount_minor": 0}),
          ({"refunds.state": "failed", "disputes.stage": "won"},)),
    holds("that is noted", audit_money._DISPUTES,
          {"captures": PAID, "disputes": DISPUTE, "refunds": {**LOST, "state": "failed"},
           "discrepancies": {"refund_id": REFUND}}, ({"discrepancies.refund_id": ANOTHER},)),
    holds("one refund lives", audit_money._LIVE,
          {"refunds": {**BACK, "fulfillment_id": UNIT, "part_id": None},
           "refunds 2": {**BACK, "id": ANOTHER, "key": "b", "state": "failed",
                         "fulfillment_id": UNIT, "gateway_refund_id": "r2"}},
          ({"refunds 2.replaces": REFUND},)),
    *(Asked("two refunds live", audit_money._LIVE, (),
            {"refunds": {**BACK, **same}, "refunds 2": {**BACK, "id": ANOTHER, "key": "b", **same,
                                                        "gateway_refund_id": "r2"}},
            ({"refunds.state": "failed"}, {"refunds 2.state": "failed"},
             {f"refunds.{next(iter(same))}": THING}),
            ({"refunds.state": "pending"}, {"refunds.state": "owed"},
             {"refunds 2.state": "pending"}, {"refunds 2.state": "owed"}), gives=[{}, {}])
      for same in ({"fulfillment_id": UNIT}, {"part_id": PART})),
    holds("a part is of its unit", audit_money._PARTS, PARTLY,
          ({"fulfillments.settlement": "refund_due"}, {"order_refunds.order_id": ANOTHER},
           {"order_refund_parts.capture_id": ANOTHER}, {"order_refund_parts.amount_minor": 4001},
           {"order_refund_parts.outcome": "went_back"}, {"order_refund_parts.outcome": None},
           {"order_refund_parts.outcome": "withdrawn"}),
          ({"order_refund_parts.amount_minor": 4000},
           {**WENT_BACK, "order_refund_parts.outcome": "went_back"},
           {"order_refund_parts.outcome": "withdrawn", "fulfillments.basis": "never_sent"},
           {**OPEN, "order_refund_parts.outcome": None})),
    holds("a part that waits was sent", audit_money._PARTS,
          {**PARTLY, "fulfillments": {**SOLD, **{n.split(".")[1]: v for n, v in OPEN.items()}},
           "order_refund_parts": {**TAKEN, "outcome": None}}, ({"fulfillments.sent_at": None},)),
    holds("a part is of its extra", audit_money._PARTS, OF_TIP,
          ({"order_extras.order_id": ANOTHER}, {"order_extras.settlement": "refund_due"},
           {"order_refund_parts.amount_minor": 1001}, {"order_refund_parts.outcome": "withdrawn"},
           {"order_refund_parts.outcome": "went_back"}),
          ({"order_refund_parts.outcome": "withdrawn", "order_extras.basis": "withdrawn"},)),
    holds("a part is paid by itself", audit_money._PARTS,
          {**PARTLY, "refunds": {**BACK, "part_id": PART, "amount_minor": 1000}},
          ({"refunds.capture_id": ANOTHER}, {"refunds.fulfillment_id": UNIT},
           {"refunds.amount_minor": 1001}), ({"refunds.amount_minor": 999},)),
    holds("an order's refund gives something back", audit_money._PARTS, PARTLY,
          ({"order_refund_parts": None},)),
    holds("an extra ends as its order", audit_money._EXTRAS,
          {"order_extras": TIP, "orders": PLACED},
          ({"orders.state": "failed"}, {"order_extras.settlement": "refund_due"},
           {"order_extras.settlement": None}, {"order_extras.basis": "withdrawn"},
           {"order_extras.settlement": "refund_due", "order_extras.basis": "withdrawn"},
           {"order_extras.settlement": "refund_due", "order_extras.basis": "delivery_failed"}),
          (*({"order_extras.settlement": None, "orders.state": state}
             for state in ("placed", "paid", "expired")),
           {"order_extras.settlement": "refund_due", "order_extras.basis": "not_handed_over",
            "orders.state": "failed"},
           {"order_extras.settlement": "refund_due", "order_extras.basis": "delivery_failed",
            "order_extras.kind": "delivery_fee"})),
    holds("a payment that succeeded has its money", audit_money._COLLECTED,
          {"payments": COLLECTS, "captures": PAID},
          ({"payments.state": "failed"}, {"captures.payment_id": ANOTHER},
           {"captures.reason": "x"}, {"captures.currency": "EUR"}, {"captures.captured": 3999}),
          ({"payments.source": "order", "captures.captured": 3999},)),
    holds("an amount that was asked for", audit_money._COLLECTED,
          {"payments": COLLECTS, "captures": {**PAID, "captured": 3000},
           "attempts": {"payment_id": PAYMENT, "asked_minor": [3000]}},
          ({"attempts.payment_id": ANOTHER}, {"attempts.asked_minor": [2999]})),
    holds("an order has its units", audit_money._PAID,
          {"orders": PLACED, "order_lines": BOUGHT, "fulfillments": SOLD, "captures": PAID},
          ({"order_lines.quantity": 2}, {"fulfillments.order_id": ANOTHER},
           {"captures.captured": 3999}, {"captures.order_id": ANOTHER}, {"captures.reason": "x"},
           {"orders.state": "placed"}, {"orders.amount_minor": 0}),
          ({"orders.state": "paid"}, {"orders.state": "failed"},
           {"orders.amount_minor": 0, "captures": None})),
    holds("an order waits for its money", audit_money._PAID, {"orders": {**PLACED,
          "state": "placed"}, "order_lines": BOUGHT}, ({"orders.state": "paid"},)),
    holds("an order ends as its units", audit_money._ENDS,
          {"orders": PLACED, "fulfillments": SOLD},
          ({"orders.state": "paid"}, OPEN, WENT_BACK, {"orders.state": "failed"}),
          ({**OPEN, "orders.state": "paid"}, {**WENT_BACK, "orders.state": "failed"})),
)  # fmt: skip

CHANGED = {"seq": 7, "merchant_id": ASHA, "machine": "order", "subject_id": ORDER, "event": "PAID",
           "was": "placed", "state": "paid", "at": NOW}  # fmt: skip
EVENT = {"seq": 7, "id": "evt_7", "merchant_id": ASHA, "type": "order.paid", "line": ORDER,
         "at": NOW}  # fmt: skip
READER = {"name": "announce", "seq": 7, "since": 6}
ENDPOINT = {"id": HOOK, "merchant_id": ASHA, "secret": b"s", "status": "enabled"}
DELIVERY = {"id": THING, "merchant_id": ASHA, "endpoint_id": HOOK, "seq": 7, "line": ORDER,
            "due_at": NOW, "tried": 1, "tries": 1}  # fmt: skip
TRY = {"delivery_id": THING, "number": 1, "status": 200}
TELLING = (
    holds("what changed is told once", audit_told._ANNOUNCED,
          {"events": CHANGED, "public_events": EVENT, "feed_cursors": READER},
          ({"public_events": None}, {"public_events.merchant_id": CHANDRA},
           {"public_events.type": "order.failed"}, {"events.was": "paid"},
           {"events.state": "placed"}, {"feed_cursors.since": 7}, {"feed_cursors.seq": 6},
           {"feed_cursors.name": "mirror"}),
          ({"feed_cursors.since": 7, "public_events": None},
           {"feed_cursors.seq": 6, "public_events": None}, {"events.was": None})),
    holds("a payment of a server's is told", audit_told._ANNOUNCED,
          {"events": {**CHANGED, "machine": "payment", "subject_id": PAYMENT,
                      "state": "succeeded"}, "payments": COLLECTS,
           "public_events": {**EVENT, "type": "payment.succeeded"}, "feed_cursors": READER},
          ({"payments.source": "order"}, {"payments.id": ANOTHER}, {"public_events": None})),
    holds("the end of a unit is told", audit_told._ANNOUNCED,
          {"events": {**CHANGED, "machine": "fulfillment", "subject_id": UNIT, "state": "vended"},
           "fulfillments": SOLD, "public_events": {**EVENT, "type": "fulfillment.vended"},
           "feed_cursors": READER},
          ({"public_events": None}, {"fulfillments.id": ANOTHER}, {"events.was": "vended"},
           {"events.state": "failed"}, {"events.state": "started"}),
          ({"events.state": "failed", "public_events.type": "fulfillment.failed"},)),
    holds("what is no move is told", audit_told._ANNOUNCED,
          {"events": {**CHANGED, "machine": "refund", "event": "INTENDED", "was": None,
                      "state": None}, "public_events": {**EVENT, "type": "refund.pending"},
           "feed_cursors": READER},
          ({"public_events": None}, {"events.event": "x"}, {"events.machine": "order"})),
    holds("a delivery is owed", audit_told._OWED,
          {"deliveries": DELIVERY, "webhook_endpoints": ENDPOINT, "public_events": EVENT},
          ({"webhook_endpoints.merchant_id": CHANDRA}, {"public_events.merchant_id": CHANDRA},
           {"public_events.line": ANOTHER}, {"deliveries.due_at": None},
           {"deliveries.outcome": "delivered"}, {"webhook_endpoints.secret": None}),
          ({"deliveries.outcome": "delivered", "deliveries.due_at": None},)),
    Asked("one whose endpoint is gone", audit_told._OWED, (),
          {"deliveries": DELIVERY, "webhook_endpoints": {**ENDPOINT, "deleted_at": NOW,
                                                         "secret": None},
           "public_events": EVENT},
          ({"deliveries.outcome": "withdrawn", "deliveries.due_at": None},
           {"webhook_endpoints.deleted_at": None, "webhook_endpoints.secret": b"s"})),
    holds("a delivery rests on its tries", audit_told._TRIED,
          {"deliveries": {**DELIVERY, "outcome": "delivered"}, "delivery_tries": TRY},
          ({"deliveries.tried": 2}, {"deliveries.tries": 2}, {"delivery_tries.status": 300},
           {"delivery_tries.status": 199}, {"delivery_tries.number": 2},
           {"delivery_tries": None}, {"delivery_tries.delivery_id": ANOTHER}),
          ({"delivery_tries.status": 299}, {"delivery_tries.status": 500,
                                            "deliveries.outcome": "given_up"})),
    Asked("a change nobody was told of", audit_told.UNTOLD, (NOW + MOMENT,),
          {"events": CHANGED, "feed_cursors": {**READER, "seq": 6},
           "webhook_endpoints": ENDPOINT},
          ({"feed_cursors.seq": 7}, {"feed_cursors.name": "mirror"},
           {"events.at": NOW + MOMENT}, {"webhook_endpoints.deleted_at": NOW}),
          gives={"entries": 1, "since": NOW}),
    Asked("an endpoint that is off", audit_told.DISABLED, (),
          {"webhook_endpoints": {**ENDPOINT, "status": "disabled"},
           "webhook_endpoints 2": {**ENDPOINT, "id": LINE, "status": "disabled"}}, (),
          gives=[{"id": LINE}, {"id": HOOK}],
          others=(({"webhook_endpoints 2.status": "enabled"}, [{"id": HOOK}]),
                  ({"webhook_endpoints 2.deleted_at": NOW}, [{"id": HOOK}]))),
)  # fmt: skip

RECEIPT = {"id": THING, "kind": "payment", "attempt_id": ATTEMPT, "state": "registered",
           "amount_minor": 4000, "ended_at": NOW, "created_at": NOW, "late_at": NOW,
           "body": {"lines": [{"quantity": 2, "price": 2000}]}}  # fmt: skip
OF_PAYMENT: Given = {
    "receipts": RECEIPT,
    "attempts": {
        "id": ATTEMPT,
        "payment_id": PAYMENT,
        "gateway_payment_id": "pay_1",
        "reference": "ref",
    },
    "payments": COLLECTS,
}
MISSING: Given = {
    "refunds": BACK,
    "captures": {**PAID, "gateway_payment_id": "pay_1"},
    **OF_PAYMENT,
    "receipts 2": {"id": ANOTHER, "refund_id": REFUND, "kind": "refund", "body": {}},
}
RECEIPTS = (
    holds("a receipt comes to its money", audit_receipts._SUMS, OF_PAYMENT,
          ({"receipts.amount_minor": 3999}, {"receipts.currency": "EUR"},
           {"receipts.body": {"lines": [{"quantity": 1, "price": 2000}]}},
           {"payments.amount_minor": 1},
           {"receipts.body": {"lines": []}, "receipts.state": "due"}),
          ({"receipts.body": {"lines": []}, "receipts.state": "refused"},)),
    holds("a receipt has its end", audit_receipts._ENDS, {"receipts": RECEIPT},
          ({"receipts.ended_at": None}, {"receipts.state": "refused"},
           {"receipts.state": "sent"}, {"receipts.state": "void", "receipts.ended_at": None},
           {"receipts.state": "sent", "receipts.due_at": NOW, "receipts.late_at": NOW - MOMENT}),
          ({"receipts.state": "refused", "receipts.ended_at": None},
           {"receipts.state": "sent", "receipts.due_at": NOW},
           {"receipts.state": "overdue", "receipts.due_at": NOW,
            "receipts.late_at": NOW - MOMENT}), (NOW,)),
    holds("a refund of a receipt has its own", audit_receipts._MISSING, MISSING,
          ({"receipts 2.refund_id": ANOTHER}, {"receipts 2": None})),
    Asked("a refund without a receipt", audit_receipts._MISSING, (),
          {name: row for name, row in MISSING.items() if name != "receipts 2"},
          ({"refunds.origin": "gateway"}, {"refunds.state": "pending"},
           {"refunds.gateway_refund_id": None}, {"captures.id": ANOTHER},
           {"attempts.payment_id": ANOTHER}, {"receipts.attempt_id": ANOTHER},
           {"receipts.created_at": NOW + MOMENT}, {"attempts.gateway_payment_id": "pay_2"}),
          ({"attempts.gateway_payment_id": None, "attempts.reference": "pay_1"},)),
)  # fmt: skip

SPEAKS = {"id": "M01", "dialect": "leased"}
SAID = {"unit_id": UNIT, "outlet_id": "M01", "journal_id": "j", "event_seq": 1, "at": NOW,
        "message": {"type": "RESULT", "outcome": "VENDED"}}  # fmt: skip
UNITS = (
    holds("a settlement is an end", audit_units._STATE, {"fulfillments": SOLD},
          ({"fulfillments.state": "failed"}, {"fulfillments.settlement": None},
           {"fulfillments.basis": None}, {"fulfillments.settled_at": None}), (OPEN,)),
    holds("what was sent says so", audit_units._SENT, {"fulfillments": SOLD},
          ({"fulfillments.sent_at": None}, {**OPEN, "fulfillments.state": "queued"},
           {**OPEN, "fulfillments.sent_at": None}),
          ({**OPEN, "fulfillments.state": "queued", "fulfillments.sent_at": None}, OPEN,
           {**WENT_BACK, "fulfillments.sent_at": None})),
    holds("one unit of a machine is open", audit_units._ONE_OPEN,
          {"fulfillments": {**SOLD, "state": "started"},
           "fulfillments 2": {**SOLD, "id": ANOTHER}},
          tuple({"fulfillments 2.state": state} for state in ("offered", "going", "started",
                                                              "in_doubt")),
          ({"fulfillments 2.state": "started", "fulfillments 2.outlet_id": "M02"},
           {"fulfillments 2.state": "started", "fulfillments 2.kind": "coffee"})),
    holds("journals have no gaps", audit_units._GAPS,
          {"device_journals": {"outlet_id": "M01", "journal_id": "j", "through": 3, "skipped": 1,
                               "refused": 1}, "device_events": SAID},
          ({"device_events.event_seq": 4}, {"device_journals.through": 4},
           {"device_journals.skipped": 0}, {"device_journals.refused": 0})),
    *(Asked("lines of no journal", audit_units._GAPS, (),
            {"device_journals": {"outlet_id": "M01", "journal_id": "j"},
             "device_events": {**SAID, name: "x"}}, ())
      for name in ("outlet_id", "journal_id")),
    holds("a machine never undoes its evidence", audit_units._UNDONE,
          {"fulfillments": SOLD, "refunds": {**BACK, "fulfillment_id": None},
           "corrections": {"fulfillment_id": UNIT, "made_by": "asha"},
           "discrepancies": {"fulfillment_id": UNIT, "kind": "no_drop_after_fulfilled",
                             "closed_by": "asha"}},
          ({"discrepancies.fulfillment_id": ANOTHER}, {"discrepancies.kind": "x"},
           {"discrepancies.closed_by": "boris"},
           {"corrections": None, "refunds.fulfillment_id": UNIT}),
          ({"refunds.fulfillment_id": UNIT}, {"corrections": None})),
    holds("what was told against is noted", audit_units._UNDONE,
          {"fulfillments": SOLD,
           "events": {"machine": "fulfillment", "subject_id": UNIT, "event": "NOT_VENDED",
                      "was": "vended"},
           "discrepancies": {"fulfillment_id": UNIT, "kind": "no_drop_after_fulfilled"}},
          ({"discrepancies": None}, {"discrepancies.fulfillment_id": ANOTHER},
           {"discrepancies.kind": "x"}),
          ({"discrepancies": None, "events.event": "x"},
           {"discrepancies": None, "events.was": "failed"},
           {"discrepancies": None, "events.machine": "order"},
           {"discrepancies": None, **WENT_BACK})),
    holds("a corrected unit was handed over", audit_units._NOTED,
          {"fulfillments": SOLD, "corrections": {"fulfillment_id": UNIT}}, (WENT_BACK,)),
)  # fmt: skip

DUE = (
    *(holds(f"{table} that are worked", audit_record._OVERDUE, {table: {"due_at": NOW, **row}},
            ({f"{table}.due_at": NOW - MOMENT},), values=(NOW,))
      for table, row in (
          ("orders", PLACED), ("payments", COLLECTS), ("captures", PAID), ("refunds", BACK),
          ("receipts", RECEIPT), ("qr_codes", {"slot": "A1"}), ("qr_polls", {}),
          ("attempts", {}), ("fulfillments", SOLD))),
    *(holds(f"{table} that owe something are driven", audit_record._FORGOTTEN,
            {table: {"due_at": NOW, **row}}, ({f"{table}.due_at": None},), sound)
      for table, row, sound in (
          ("orders", {**PLACED, "state": "placed"},
           ({"orders.due_at": None, "orders.state": "paid"},)),
          ("refunds", {**BACK, "state": "pending"},
           ({"refunds.due_at": None, "refunds.state": "owed"},)),
          ("captures", {**PAID, "open": 1},
           ({"captures.due_at": None, "captures.open": 0},)),
          ("qr_codes", {"slot": "A1", "stage": "open"},
           ({"qr_codes.due_at": None, "qr_codes.stage": "closed"},)),
          ("payments", {**COLLECTS, "state": "processing", "processing_deadline_at": NOW},
           ({"payments.due_at": None, "payments.state": "failed"},
            {"payments.due_at": None, "payments.processing_deadline_at": None})),
          ("attempts", {"state": "started", "key": "k"},
           ({"attempts.due_at": None, "attempts.state": "failed"},
            {"attempts.due_at": None, "attempts.key": None})),
          ("inbox", {"verdict": "genuine"},
           ({"inbox.due_at": None, "inbox.verdict": "forged"},
            {"inbox.due_at": None, "inbox.worked_at": NOW})))),
    *(Asked("a forgotten try", audit_record._FORGOTTEN, (),
            {"attempts": {"state": state, "key": "k"}}, ())
      for state in ("started", "pending", "unknown")),
    *(Asked("a forgotten webhook", audit_record._FORGOTTEN, (), {"inbox": {"verdict": verdict}}, ())
      for verdict in ("genuine", "own", "hint")),
    holds("one code of a slot is live", audit_record._CODES,
          {"qr_codes": {"outlet_id": "M01", "slot": "A1"}, "outlets": SPEAKS,
           "qr_codes 2": {"outlet_id": "M01", "slot": "A2"}},
          ({"qr_codes 2.slot": "A1"}, {"qr_codes.attempt_id": ATTEMPT,
                                       "qr_codes 2.attempt_id": ATTEMPT}),
          ({"qr_codes 2.slot": "A1", "qr_codes 2.outlet_id": "M02"},
           {"qr_codes 2.slot": "A1", "qr_codes 2.retired_at": NOW},
           {"qr_codes 2.slot": "A1", "qr_codes 2.payment_id": PAYMENT},
           {"qr_codes.attempt_id": ATTEMPT, "qr_codes 2.attempt_id": ANOTHER})),
    holds("a machine out of service sells nothing", audit_record._CODES,
          {"qr_codes": {"outlet_id": "M01", "slot": "A1"}, "outlets": SPEAKS},
          ({"outlets.decommissioned_at": NOW},),
          ({"outlets.decommissioned_at": NOW, "qr_codes.retired_at": NOW},
           {"outlets.decommissioned_at": NOW, "qr_codes.payment_id": PAYMENT},
           {"outlets.decommissioned_at": NOW, "qr_codes.outlet_id": "M02"})),
    holds("webhooks are worked", audit_record._INBOX,
          {"inbox": {"verdict": "genuine", "received_at": NOW}},
          ({"inbox.received_at": NOW - MOMENT}, {"inbox.told_at": NOW - MOMENT}),
          tuple({"inbox.received_at": NOW - MOMENT, **more} for more in (
              {"inbox.verdict": "forged"}, {"inbox.worked_at": NOW}, {"inbox.told_at": NOW},
              {"inbox.failure": "unexplained"},
              {"inbox.failure": "refund_of_unknown", "inbox.due_at": NOW})), (NOW,)),
)  # fmt: skip

SOME = (
    Asked("discrepancies that are open", audit_notices._DISCREPANCIES, (),
          {"discrepancies": {"id": 7}, "discrepancies 2": {"id": 8}}, (),
          gives=[{"id": 8}, {"id": 7}],
          others=(({"discrepancies.closed_at": NOW}, [{"id": 8}]),)),
    Asked("refunds that are late", audit_notices._LATE, (NOW,),
          {"refunds": {**BACK, "state": "pending", "hard_deadline": NOW - MOMENT}},
          ({"refunds.state": "owed"}, {"refunds.hard_deadline": NOW})),
    Asked("refunds that are owed", audit_notices._OWED, (), {"refunds": {**BACK, "state": "owed"}},
          ({"refunds.state": "pending"},)),
    Asked("a machine that contradicts itself", audit_notices._CONTRADICTING, (),
          {"discrepancies": {"fulfillment_id": UNIT, "kind": "no_drop_after_fulfilled", "at": NOW},
           "fulfillments": SOLD, "corrections": {"fulfillment_id": UNIT}},
          ({"fulfillments.id": ANOTHER}, {"discrepancies.kind": "x"}),
          gives={"outlet_id": "M01", "units": 1, "open": 1, "given_back": 1, "since": NOW,
                 "last": NOW},
          others=(({"discrepancies.closed_at": NOW}, {"units": 1, "open": 0}),
                  ({"corrections.fulfillment_id": ANOTHER}, {"given_back": 0}))),
    Asked("a correction that names nobody", audit_notices._UNNAMED, (),
          {"corrections": {"fulfillment_id": UNIT, "made_by": None}},
          ({"corrections.made_by": "asha"},)),
    Asked("lines that a machine counts on", audit_notices._HOLES, (NOW,),
          {"device_journals": {"outlet_id": "M01", "journal_id": "j", "through": 3},
           "device_events": {**SAID, "event_seq": 4, "at": NOW - MOMENT}},
          ({"device_events.event_seq": 3}, {"device_events.at": NOW},
           {"device_events.outlet_id": "M02"}, {"device_events.journal_id": "k"}),
          gives={"through": 3, "next_kept": 4}),
    Asked("lines that were skipped", audit_notices._SKIPPED, (),
          {"device_journals": {"skipped": 1}}, ({"device_journals.skipped": 0},)),
    Asked("lines that were refused", audit_notices._REFUSED, (),
          {"device_journals": {"refused_at": NOW}}, ({"device_journals.refused_at": None},)),
    Asked("webhooks that are not ours", audit_notices._UNREAD, (),
          {"inbox": {"verdict": "unreadable", "ours": False}},
          ({"inbox.verdict": "forged"}, {"inbox.ours": True})),
    Asked("drops that nobody paid for", audit_notices._DROPS, (),
          {"device_events": {**SAID, "message": {"type": "RESULT", "evidence": {
              "counter_before": 1, "counter_after": 3}}}, "fulfillments": SOLD},
          ({"device_events.message": {"type": "RESULT", "evidence": {
              "counter_before": 2, "counter_after": 3}}},
           {"device_events.message": {"type": "START", "evidence": {
               "counter_before": 1, "counter_after": 3}}}),
          gives={"counted_from": 1, "counted_to": 3, "unpaid": 1},
          others=(({"fulfillments.id": ANOTHER}, {"unpaid": 2}), (WENT_BACK, {"unpaid": 2}))),
)  # fmt: skip

ASKED = (*MONEY, *TELLING, *RECEIPTS, *UNITS, *DUE, *SOME)


@pytest.fixture
async def rows(rows: Rows) -> Rows:
    await rows.conn.execute(f"DELETE FROM feed_cursors; {_FREE}")
    return rows


async def test_sound_rows_break_nothing_and_each_difference_does(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []
