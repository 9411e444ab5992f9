"""Rows of money by hand, as `Rows` puts them, and what functions of the database write beside them:
a capture of 5000, its order, a unit of it and its refunds."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.sales.by_hand import NOW
from tests.sales.wrote import in_order

SECOND = timedelta(seconds=1)
ASHA, ACCOUNT, CAPTURE, ORDER, UNIT, LINE, REFUND, PART, ASKED = (UUID(int=n) for n in range(1, 10))
FIRST, BESIDE, OF_ORDER, NEXT, THEIRS = (UUID(int=n) for n in range(20, 25))
Row = dict[str, Any]
Given = list[tuple[str, Row]]
FACTS: Row = {"merchant_id": ASHA, "account_id": ACCOUNT}
LATE = NOW + 60 * SECOND


def capture(key: UUID = CAPTURE, /, **given: Any) -> tuple[str, Row]:
    """Of all of it nothing is settled, unless it is told otherwise."""
    row = {**FACTS, "id": key, "gateway_payment_id": str(key), "captured": 5000, **given}
    settled = sum(row.get(n, 0) for n in ("fulfilled", "refund_due", "surplus", "goodwill"))
    return "captures", {"open": row["captured"] - settled, **row}


def refund(key: UUID = REFUND, /, **given: Any) -> tuple[str, Row]:
    return "refunds", {
        **FACTS, "id": key, "capture_id": CAPTURE, "origin": "ours", "state": "pending",
        "amount_minor": 500, "reason": "no_drop", "key": str(key), **given,
    }  # fmt: skip


def unit(key: UUID = UNIT, /, **given: Any) -> tuple[str, Row]:
    return "fulfillments", {
        "id": key, "merchant_id": ASHA, "order_id": ORDER, "line_id": LINE, "outlet_id": "M01",
        "capture_id": CAPTURE, "state": "vended", "settlement": "fulfilled", "basis": "drop",
        "amount_minor": 900, **given,
    }  # fmt: skip


def order(key: UUID = ORDER, /, **given: Any) -> tuple[str, Row]:
    return "orders", {"id": key, "merchant_id": ASHA, "outlet_id": "M01", "state": "paid",
                      "source": "page", "token": str(key), "amount_minor": 5000, "due_at": LATE,
                      **given}  # fmt: skip


def booked(debit: str, credit: str, amount: int, why: str) -> list[Row]:
    line = {"merchant_id": ASHA, "capture_id": CAPTURE, "currency": "INR", "why": why, "at": NOW,
            "txn": "+".join(sorted((debit, credit)))}  # fmt: skip
    lines: list[Row] = [{**line, "account": debit, "amount": amount},
                        {**line, "account": credit, "amount": -amount}]  # fmt: skip
    return lines


def owed(amount: int, reason: str, **given: Any) -> Row:
    """A refund that was made, and what the log says of it."""
    new: Row = {
        **FACTS, "capture_id": CAPTURE, "origin": "ours", "state": "pending", "version": 1,
        "amount_minor": amount, "currency": "INR", "reason": reason, "key": "rf_new refunds",
        "created_at": NOW, "hard_deadline": LATE, "due_at": NOW, **given,
    }  # fmt: skip
    return new


def event(machine: str, subject: UUID | str, name: str, **given: Any) -> Row:
    return {"merchant_id": ASHA, "machine": machine, "subject_id": subject, "event": name,
            "at": NOW, **given}  # fmt: skip


def intended(amount: int, reason: str) -> Row:
    return event("refund", "new refunds", "INTENDED", data={"amount": amount, "reason": reason})


def discrepancy(kind: str, amount: int, **given: Any) -> Row:
    return {"merchant_id": ASHA, "kind": kind, "capture_id": CAPTURE, "amount_minor": amount,
            "at": NOW, **given}  # fmt: skip


def whole(**found: Any) -> Row:
    return {table: in_order(rows) for table, rows in found.items() if rows}
