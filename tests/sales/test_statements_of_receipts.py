"""What each statement about fiscal receipts finds or writes: its own row, as long as nothing
differs from what it asks for. Each case differs in one thing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.payments import receipt_store as store
from tests.sales.asked import Asked, mistaken, written
from tests.sales.by_hand import NOW, Rows

SECOND = timedelta(seconds=1)
EARLIER, SOON, LATER = NOW - SECOND, NOW + SECOND, NOW + 60 * SECOND
ASHA, ACCOUNT, PAYMENT, ATTEMPT, CAPTURE, REFUND, ORDER, UNIT, LINE, PART, EXTRA, RECEIPT = (
    UUID(int=n) for n in range(1, 13)
)
PRODUCT, OTHER, ANOTHER, THIRD = (UUID(int=n) for n in range(20, 24))
Row = dict[str, Any]

OF_PAYMENT: Row = {
    "id": RECEIPT, "merchant_id": ASHA, "account_id": ACCOUNT, "kind": "payment", "state": "due",
    "attempt_id": ATTEMPT, "amount_minor": 4000, "currency": "RUB", "body": {"a": 1}, "tries": 3,
    "contact": "a@b", "due_at": NOW, "leased_until": NOW, "created_at": NOW,
}  # fmt: skip
OF_REFUND: Row = {
    **OF_PAYMENT, "id": OTHER, "kind": "refund", "attempt_id": None, "refund_id": REFUND,
}  # fmt: skip
ORDERED: Row = {
    "id": ORDER, "outlet_id": "M01", "state": "paid", "source": "page", "token": "tok",
    "number": "AB", "amount_minor": 4000, "receipt_contact": "o@b",
}  # fmt: skip
FOR_IT: Row = {
    "id": PAYMENT, "order_id": ORDER, "state": "captured", "amount_minor": 4000,
    "description": "a can",
}  # fmt: skip
TRIED: Row = {
    "id": ATTEMPT, "payment_id": PAYMENT, "account_id": ACCOUNT, "state": "succeeded", "number": 2,
    "reference": "ref_1",
}  # fmt: skip
TAKEN: Row = {
    "id": CAPTURE, "account_id": ACCOUNT, "payment_id": PAYMENT, "gateway_payment_id": "pay_1",
    "captured": 5000,
}  # fmt: skip
BACK: Row = {
    "id": REFUND, "capture_id": CAPTURE, "account_id": ACCOUNT, "origin": "ours",
    "state": "succeeded", "amount_minor": 1000, "key": "k1", "gateway_refund_id": "rf_1",
}  # fmt: skip
OF_IT: Row = {"id": LINE, "order_id": ORDER, "product_id": PRODUCT, "name": "a can",
              "price_minor": 4000, "quantity": 1}  # fmt: skip
SOLD: Row = {"id": PRODUCT, "name": "x", "vat": "20"}
GOODS: Row = {
    "id": UNIT, "order_id": ORDER, "line_id": LINE, "outlet_id": "M01", "state": "failed",
    "due_at": NOW, "amount_minor": 1000,
}  # fmt: skip
A_PART: Row = {"id": PART, "fulfillment_id": UNIT, "amount_minor": 1000}
TIP: Row = {"id": EXTRA, "order_id": ORDER, "kind": "tip", "amount_minor": 200}
EARNED: Row = {**TIP, "settlement": "fulfilled", "basis": "handed_over", "settled_at": NOW}
CLOSING = {"receipts.kind": "closing"}
REPLACED = {"receipts.replaces": THIRD}
BEFORE: Row = {**BACK, "id": ANOTHER, "key": "k2", "gateway_refund_id": "rf_2"}

FOUND = (
    Asked("the receipt of an attempt", store.OF_ATTEMPT, (ATTEMPT,), {"receipts": OF_PAYMENT},
          ({"receipts.attempt_id": OTHER}, REPLACED, CLOSING)),
    Asked("the closing receipt of an attempt", store.CLOSING_OF_ATTEMPT, (ATTEMPT,),
          {"receipts": {**OF_PAYMENT, "kind": "closing"}},
          ({"receipts.attempt_id": OTHER}, REPLACED, {"receipts.kind": "payment"})),
    Asked("the newest receipt of an attempt", store.NEWEST_OF_ATTEMPT, (ATTEMPT,),
          {"receipts": OF_PAYMENT, "receipts 2": {**OF_REFUND, "replaces": ANOTHER}},
          ({"receipts.attempt_id": OTHER}, CLOSING, {"receipts 2.replaces": RECEIPT}), (REPLACED,),
          {"id": RECEIPT}),
    Asked("the order that was handed over", store.ORDER_HANDED_OVER, (ATTEMPT,),
          {"attempts": {**TRIED, "reference": "pay_1"}, "captures": {**TAKEN, "order_id": ORDER},
           "orders": {**ORDERED, "state": "completed"}},
          ({"attempts.id": OTHER}, {"captures.account_id": OTHER}, {"attempts.reference": "else"},
           {"orders.id": OTHER}, {"orders.state": "paid"}, {"captures.reason": "second"}),
          ({"attempts.reference": None, "attempts.gateway_payment_id": "pay_1"},),
          {"order_id": ORDER}),
    Asked("what was handed over", store.HANDED_OVER, (ORDER,),
          {"fulfillments": {**GOODS, "settlement": "fulfilled", "basis": "x"},
           "order_lines": OF_IT, "order_extras": EARNED}, ({"$1": OTHER},), (),
          [{"name": "a can", "minor": 1000}, {"name": "tip", "minor": 200}],
          [*((change, {"name": "tip"}) for change in (
              {"fulfillments.order_id": OTHER}, {"fulfillments.settlement": "refund_due"},
              {"order_lines.id": OTHER})),
           *((change, {"name": "a can"}) for change in (
               {"order_extras.order_id": OTHER}, {"order_extras.settlement": "refund_due"}))]),
    Asked("the receipt of a refund", store.OF_REFUND, (REFUND,), {"receipts": OF_REFUND},
          ({"receipts.refund_id": OTHER}, REPLACED)),
    Asked("where a receipt of a payment goes", store.CONTACT_OF_PAYMENT, (PAYMENT,),
          {"payments": FOR_IT, "orders": ORDERED}, ({"payments.id": OTHER}, {"orders.id": OTHER}),
          ({"payments.receipt_contact": "p@b"},), {"coalesce": "o@b"},
          (({"orders": None, "payments.receipt_contact": "p@b"}, {"coalesce": "p@b"}),)),
    Asked("where a receipt of a refund goes", store.CONTACT_OF_REFUND, (REFUND,),
          {"refunds": BACK, "captures": TAKEN, "attempts": {**TRIED, "reference": "pay_1"},
           "receipts": {**OF_PAYMENT, "contact": "a@b"}, "payments": FOR_IT, "orders": ORDERED,
           "receipts 2": {**OF_PAYMENT, "id": OTHER, "contact": "new@b", "created_at": SOON,
                          "replaces": RECEIPT}},
          ({"refunds.id": OTHER}, {"captures.id": OTHER}),
          ({"attempts.reference": None, "attempts.gateway_payment_id": "pay_1"},),
          {"coalesce": "new@b"},
          [({"receipts 2.created_at": EARLIER}, {"coalesce": "a@b"}),
           ({"receipts 2.contact": None}, {"coalesce": "a@b"}),
           *((change, {"coalesce": "o@b"}) for change in (
               {"attempts.account_id": OTHER}, {"attempts.reference": "else"},
               {"attempts.id": OTHER}, {"receipts": None, "receipts 2": None},
               {"attempts.id": OTHER, "payments.receipt_contact": "p@b"})),
           ({"attempts.id": OTHER, "orders": None, "payments.receipt_contact": "p@b"},
            {"coalesce": "p@b"}),
           *(({"attempts.id": OTHER, **change}, [{"coalesce": None}]) for change in (
               {"payments.id": OTHER}, {"payments.order_id": OTHER}))]),
    Asked("pieces of an order", store.PIECES, (PAYMENT,),
          {"payments": FOR_IT, "products": SOLD,
           "order_lines": {**OF_IT, "id": OTHER, "name": "tea"},
           "order_lines 2": {**OF_IT, "quantity": 2, "unit_minor": [3000, 3500]}},
          ({"payments.id": OTHER}, {"payments.order_id": OTHER}, {"products.id": OTHER}), (),
          [{"name": "a can", "minor": 3000, "vat": "20"}, {"name": "a can", "minor": 3500},
           {"name": "tea", "minor": 4000}]),
    Asked("extras of a payment", store.EXTRAS, (PAYMENT,),
          {"payments": FOR_IT, "order_extras": TIP,
           "order_extras 2": {**TIP, "id": OTHER, "kind": "delivery_fee", "amount_minor": 300}},
          ({"payments.id": OTHER}, {"payments.order_id": OTHER}), (),
          [{"kind": "delivery_fee", "amount_minor": 300}, {"kind": "tip", "amount_minor": 200}]),
    Asked("what a capture paid for", store.PAID_BY_CAPTURE, (CAPTURE,),
          {"captures": {**TAKEN, "payment_id": None}, "payments": FOR_IT,
           "attempts": {**TRIED, "reference": "pay_1"},
           "attempts 2": {**TRIED, "id": OTHER, "number": 1, "payment_id": OTHER,
                          "gateway_payment_id": "pay_1"},
           "receipts": {**OF_PAYMENT, "body": {"b": 2}},
           "receipts 2": {**OF_PAYMENT, "id": OTHER, "replaces": RECEIPT}},
          ({"captures.id": OTHER},),
          ({"attempts.reference": None, "attempts.gateway_payment_id": "pay_1"},),
          {"captured": 5000, "amount_minor": 5000, "payment_id": PAYMENT, "description": "a can",
           "body": {"a": 1}},
          [({"captures.payment_id": ANOTHER}, {"payment_id": ANOTHER, "description": "",
                                               "body": {"a": 1}}),
           ({"payments": None}, {"payment_id": PAYMENT, "description": ""}),
           ({"receipts 2.attempt_id": OTHER}, {"body": None}),
           ({"receipts 2.kind": "closing"}, {"body": None}),
           ({"receipts 2.replaces": None, "receipts 2.attempt_id": OTHER}, {"body": {"b": 2}}),
           ({"attempts 2.number": 3}, {"payment_id": OTHER, "body": None}),
           ({"attempts.account_id": OTHER}, {"payment_id": OTHER}),
           ({"attempts.reference": "else"}, {"payment_id": OTHER}),
           ({"attempts.reference": "else", "attempts 2.account_id": OTHER},
            {"payment_id": None, "description": "", "body": None})]),
    Asked("the unit that a refund is for", store.GIVEN_BACK, (REFUND,),
          {"refunds": {**BACK, "fulfillment_id": UNIT}, "fulfillments": GOODS,
           "order_lines": OF_IT},
          ({"refunds.id": OTHER}, {"refunds.fulfillment_id": None}, {"fulfillments.id": OTHER},
           {"order_lines.id": OTHER}), (), {"name": "a can", "minor": 1000}),
    Asked("the part that a refund is for", store.GIVEN_BACK, (REFUND,),
          {"refunds": {**BACK, "part_id": PART}, "order_refund_parts": A_PART,
           "fulfillments": GOODS, "order_lines": OF_IT, "fulfillments 2": {**GOODS, "id": OTHER},
           "order_lines 2": {**OF_IT, "id": OTHER}},
          ({"refunds.id": OTHER}, {"refunds.part_id": None}, {"order_refund_parts.id": OTHER},
           {"order_refund_parts.fulfillment_id": ANOTHER}), (), {"name": "a can", "minor": 1000}),
    Asked("the extra that a refund is for", store.GIVEN_BACK, (REFUND,),
          {"refunds": {**BACK, "part_id": PART}, "order_extras": TIP,
           "order_refund_parts": {**A_PART, "fulfillment_id": None, "extra_id": EXTRA},
           "order_extras 2": {**TIP, "id": ANOTHER, "order_id": OTHER}},
          ({"refunds.id": OTHER}, {"refunds.part_id": None}, {"order_refund_parts.id": OTHER},
           {"order_extras.id": OTHER}), (), {"name": "tip", "minor": 200}),
    Asked("whether a receipt was refused", store.RECEIPT_WAS_REFUSED, (REFUND,),
          {"refunds": {**BACK, "replaces": ANOTHER}, "refunds 2": BEFORE,
           "receipts": {**OF_REFUND, "refund_id": ANOTHER, "state": "refused"}},
          ({"refunds.id": THIRD}, {"refunds.replaces": None}, {"receipts.state": "sent"},
           {"receipts.refund_id": OTHER}), ({"receipts.refund_id": REFUND},)),
    Asked("whether a receipt was replaced", store.RECEIPT_WAS_REFUSED, (REFUND,),
          {"refunds": BACK, "receipts": {**OF_REFUND, "state": "void"},
           "receipts 2": {**OF_PAYMENT, "replaces": OTHER}}, ({"receipts 2.replaces": THIRD},)),
    Asked("a receipt of a payment with its money", store.WITH_MONEY, (RECEIPT,),
          {"receipts": OF_PAYMENT, "attempts": TRIED}, ({"receipts.id": OTHER},), (),
          {"id": RECEIPT, "attempt_state": "succeeded", "gateway_payment_id": "ref_1",
           "refund_state": None},
          [({"attempts.gateway_payment_id": "pay_9"}, {"gateway_payment_id": "pay_9"}),
           ({"attempts.id": OTHER}, {"attempt_state": None}),
           ({"attempts": None}, {"attempt_state": None})]),
    Asked("a receipt with what was captured", store.WITH_MONEY, (RECEIPT,),
          {"receipts": OF_PAYMENT, "attempts": {**TRIED, "reference": "pay_1"}, "captures": TAKEN,
           "captures 2": {**TAKEN, "id": OTHER, "gateway_payment_id": "pay_2", "captured": 7}}, (),
          ({"attempts.reference": None, "attempts.gateway_payment_id": "pay_1"},),
          {"captured": 5000},
          [(change, {"captured": None}) for change in (
              {"captures.account_id": OTHER}, {"captures.payment_id": OTHER},
              {"captures.gateway_payment_id": "else"})]),
    Asked("a closing receipt with the first one", store.WITH_MONEY, (RECEIPT,),
          {"receipts": {**OF_PAYMENT, "kind": "closing"},
           "receipts 2": {**OF_PAYMENT, "id": OTHER, "state": "sent"},
           "receipts 3": {**OF_PAYMENT, "id": ANOTHER, "state": "overdue", "attempt_id": OTHER}},
          (), (), {"first_state": "sent"},
          [({"receipts 2.attempt_id": THIRD}, {"first_state": None}),
           ({"receipts 2.kind": "closing", "receipts 2.replaces": THIRD}, {"first_state": None}),
           ({"receipts 3.replaces": OTHER, "receipts 3.attempt_id": ATTEMPT},
            {"first_state": "overdue"})]),
    Asked("a receipt of a refund with its money", store.WITH_MONEY, (OTHER,),
          {"receipts": OF_REFUND, "refunds": BACK, "captures": TAKEN,
           "events": {"subject_id": REFUND, "machine": "refund", "event": "COVERED"}},
          ({"receipts.id": ANOTHER},), (),
          {"refund_state": "succeeded", "gateway_refund_id": "rf_1", "covered": True,
           "gateway_payment_id": "pay_1"},
          [*((change, {"covered": False}) for change in (
              {"events.subject_id": OTHER}, {"events.machine": "order"},
              {"events.event": "ELSE"})),
           ({"events": None, "refunds.covered_by": ANOTHER}, {"covered": True}),
           ({"refunds.id": THIRD}, {"refund_state": None}),
           ({"captures.id": OTHER}, {"gateway_payment_id": None})]),
    Asked("the refund that went back in the end", store.REFUND_IN_THE_END, (REFUND,),
          {"refunds": {**BACK, "state": "failed"}, "refunds 2": {**BEFORE, "replaces": REFUND}},
          ({"refunds.id": OTHER}, {"refunds 2.replaces": OTHER}, {"refunds 2.state": "pending"},
           {"refunds 2.gateway_refund_id": None}), (), {"id": ANOTHER},
          (({"refunds.state": "succeeded", "refunds 2.replaces": None}, {"id": REFUND}),
           ({"refunds.state": "succeeded"}, {"id": REFUND}))),
)  # fmt: skip

WRITTEN = (
    Asked("a receipt is written once", f"{store.WRITE} RETURNING *",
          (RECEIPT, ASHA, ACCOUNT, "payment", ATTEMPT, None, 4000, "RUB", {"a": 1}, "a@b", NOW,
           SOON), {"receipts": {**OF_PAYMENT, "id": OTHER, "attempt_id": OTHER}},
          ({"receipts.attempt_id": ATTEMPT},), (),
          {"id": RECEIPT, "merchant_id": ASHA, "account_id": ACCOUNT, "kind": "payment",
           "attempt_id": ATTEMPT, "refund_id": None, "state": "due", "amount_minor": 4000,
           "currency": "RUB", "body": {"a": 1}, "contact": "a@b", "created_at": NOW,
           "due_at": SOON}),
    written(Asked("a receipt has nothing to do", store.AT_REST, (RECEIPT,),
                  {"receipts": OF_PAYMENT}, (), (), {"due_at": None, "leased_until": None})),
    written(Asked("a receipt was looked at", store.LOOKED_AT, (RECEIPT, LATER, SOON, "r1"),
                  {"receipts": OF_PAYMENT},
                  [{"receipts.state": state} for state in ("registered", "refused", "void")],
                  [{"receipts.state": state} for state in ("sent", "overdue")],
                  {"tries": 4, "due_at": LATER, "late_at": SOON, "gateway_receipt_id": "r1",
                   "leased_until": None},
                  (({"receipts.late_at": EARLIER, "$4": None, "receipts.gateway_receipt_id": "r0"},
                    {"late_at": EARLIER, "gateway_receipt_id": "r0"}),
                   ({"receipts.gateway_receipt_id": "r0"}, {"gateway_receipt_id": "r1"})))),
    written(Asked("a receipt is sent", store.SEND, (RECEIPT, SOON), {"receipts": OF_PAYMENT}, (),
                  (), {"sent_at": SOON}, (({"receipts.sent_at": NOW}, {"sent_at": NOW}),))),
    written(Asked("a receipt was not sent", store.NOT_SENT, (RECEIPT,),
                  {"receipts": {**OF_PAYMENT, "sent_at": NOW}},
                  [{"receipts.state": state} for state in ("sent", "registered", "void")],
                  ({"receipts.state": "overdue"},), {"sent_at": None})),
    written(Asked("a receipt is closed", store.CLOSED, (RECEIPT,),
                  {"receipts": {**OF_PAYMENT, "closes_at": NOW}}, (), (), {"closes_at": None})),
    Asked("a receipt of what was captured", store.REPLACE_FOR_CAPTURE,
          (OTHER, RECEIPT, 900, {"b": 2}, SOON, LATER), {"receipts": OF_PAYMENT},
          ({"receipts.id": ANOTHER},), (),
          {"id": OTHER, "merchant_id": ASHA, "account_id": ACCOUNT, "kind": "payment",
           "attempt_id": ATTEMPT, "replaces": RECEIPT, "state": "due", "amount_minor": 900,
           "currency": "RUB", "body": {"b": 2}, "contact": "a@b", "created_at": SOON,
           "due_at": LATER}),
    Asked("a receipt is held", store.LOCK, (RECEIPT,), {"receipts": OF_PAYMENT},
          ({"receipts.id": OTHER},), (), {"state": "due"}, locks=("receipts",)),
    Asked("a receipt is replaced", f"{store.REPLACE} RETURNING *",
          (OTHER, RECEIPT, None, {"b": 2}, "n@b", "asha", SOON), {"receipts": OF_PAYMENT},
          ({"receipts.id": ANOTHER},), (),
          {"id": OTHER, "merchant_id": ASHA, "account_id": ACCOUNT, "kind": "payment",
           "attempt_id": ATTEMPT, "refund_id": None, "replaces": RECEIPT, "state": "due",
           "amount_minor": 4000, "currency": "RUB", "body": {"b": 2}, "contact": "n@b",
           "made_by": "asha", "created_at": SOON, "due_at": SOON},
          (({"$5": None}, {"contact": "a@b"}),)),
)  # fmt: skip

ONE_OF_ORDER: dict[str, Row] = {
    "receipts": OF_PAYMENT, "gateway_accounts": {"id": ACCOUNT, "gateway": "yookassa", "slug": "y"},
    "attempts": TRIED, "payments": FOR_IT, "orders": ORDERED, "captures": TAKEN, "refunds": BACK,
    "receipts 2": {**OF_REFUND, "id": THIRD, "replaces": RECEIPT},
}  # fmt: skip
BOTH: dict[str, Row] = {
    **ONE_OF_ORDER, "receipts": {**OF_PAYMENT, "created_at": SOON},
    "receipts 2": {**OF_REFUND, "created_at": NOW},
    "receipts 3": {**OF_PAYMENT, "id": THIRD, "created_at": NOW, "replaces": PRODUCT},
    "receipts 4": {**OF_PAYMENT, "id": ANOTHER, "created_at": NOW, "replaces": LINE},
}  # fmt: skip
AS_LISTED = (
    Asked("a receipt of a payment is shown", store.ONE, (RECEIPT,), ONE_OF_ORDER,
          ({"receipts.id": ANOTHER}, {"gateway_accounts.id": OTHER}), (),
          {"id": RECEIPT, "gateway": "yookassa", "slug": "y", "order_id": ORDER, "number": "AB",
           "gateway_refund_id": None, "gateway_payment_id": "ref_1", "replaced_by": THIRD,
           "moved": True},
          [({"attempts.state": "pending"}, {"moved": False}),
           ({"attempts.gateway_payment_id": "pay_9"}, {"gateway_payment_id": "pay_9"}),
           ({"receipts 2": None}, {"replaced_by": None}),
           ({"receipts 2.replaces": OTHER}, {"replaced_by": None}),
           ({"attempts.id": OTHER}, {"order_id": None, "gateway_payment_id": None}),
           *((change, {"order_id": None}) for change in (
               {"payments.id": OTHER}, {"orders.id": OTHER}, {"attempts.payment_id": OTHER},
               {"payments": None}, {"orders": None}))]),
    Asked("a receipt of a refund is shown", store.ONE, (OTHER,),
          {**ONE_OF_ORDER, "receipts": OF_REFUND, "receipts 2": OF_PAYMENT},
          ({"receipts.id": ANOTHER},), (),
          {"order_id": ORDER, "gateway_refund_id": "rf_1", "gateway_payment_id": "pay_1",
           "replaced_by": None, "moved": True},
          [({"refunds.id": ANOTHER}, {"moved": False, "gateway_refund_id": None}),
           ({"captures.id": ANOTHER}, {"moved": False, "gateway_payment_id": None}),
           ({"captures.payment_id": ANOTHER}, {"order_id": None})]),
    Asked("receipts of an order", store.OF_ORDER, (ORDER,), BOTH, ({"orders.id": OTHER},), (),
          [{"id": ANOTHER}, {"id": THIRD}, {"id": OTHER}, {"id": RECEIPT}]),
    Asked("receipts that are listed", store.LISTED, ([], None, None, None, 9), BOTH, (), (),
          [{"id": RECEIPT}, {"id": THIRD}, {"id": ANOTHER}, {"id": OTHER}],
          [({"$5": 2}, [{"id": RECEIPT}, {"id": THIRD}]),
           ({"receipts 3.state": "void"}, [{"id": RECEIPT}, {"id": ANOTHER}, {"id": OTHER}]),
           ({"$1": ["void"]}, []),
           ({"$1": ["void", "sent"], "receipts 3.state": "void"}, [{"id": THIRD}]),
           ({"$1": ["sent"], "receipts 2.state": "sent", "receipts 3.state": "void"},
            [{"id": OTHER}]),
           ({"$2": "refund"}, [{"id": OTHER}]),
           ({"$4": THIRD}, [{"id": ANOTHER}, {"id": OTHER}]), ({"$4": OTHER}, []),
           ({"$4": RECEIPT}, [{"id": THIRD}, {"id": ANOTHER}, {"id": OTHER}]),
           ({"$3": "nothing"}, []), ({"$3": "rf_1"}, [{"id": OTHER}]),
           ({"$3": "pay_1"}, [{"id": OTHER}]), ({"$3": "AB"}, [{}] * 4)]),
    *(Asked("a receipt by a name", store.LISTED, ([], "payment", name, None, 1), ONE_OF_ORDER, (),
            gives={"id": RECEIPT}) for name in ("AB", "ref_1")),
    Asked("a receipt by its payment's name", store.LISTED, ([], "payment", "pay_9", None, 9),
          ONE_OF_ORDER, (), gives=[],
          others=(({"attempts.gateway_payment_id": "pay_9"}, {"id": RECEIPT}),)),
    Asked("how many receipts", store.COUNTED, (), BOTH, (), gives={"state": "due", "count": 4}),
)  # fmt: skip


@pytest.mark.parametrize("asked", [FOUND, WRITTEN, AS_LISTED])
async def test_each_statement_of_receipts_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
