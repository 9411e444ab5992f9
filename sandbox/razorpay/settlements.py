"""Paying out what was captured and refunded since the last time, at the desk of a test."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from sandbox.clock import now_s
from sandbox.razorpay import wire
from sandbox.razorpay.desk import Desk
from sandbox.razorpay.refusals import ApiError
from sandbox.razorpay.things import Payment, Refund, Settlement
from sandbox.shelf import everything, new_id, put

INDIA = timezone(timedelta(hours=5, minutes=30))
COUNT_MOST = 1_000
Line = dict[str, Any]


class PayOut(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """For one account."""

    account_id: str


def pay_out(desk: Desk, account_id: str) -> Settlement:
    done = {
        line["entity_id"]
        for made in everything(desk.change, Settlement)
        if made.account_id == account_id
        for line in made.lines
    }
    made = Settlement(id=new_id("setl_"), account_id=account_id, created_at=now_s(), lines=[])
    made.lines = [
        line
        for line in (*_payments(desk, made), *_refunds(desk, made))
        if line["entity_id"] not in done
    ]
    put(desk.change, made)
    desk.change.tell(f"settlement {made.id}: {len(made.lines)} lines")
    return made


def of_day(desk: Desk, account_id: str, query: dict[str, str]) -> list[Line]:
    """The lines that were paid out on a day, or in a month, in India."""
    try:
        wanted = [int(query[name]) for name in ("year", "month", "day") if name in query]
        count, skip = int(query.get("count", 10)), int(query.get("skip", 0))
    except ValueError as problem:
        raise ApiError("The year, month and day must be integers.") from problem
    if len(wanted) < 2 or not 1 <= count <= COUNT_MOST:
        raise ApiError("The year and month fields are required.")
    lines = [
        line
        for made in everything(desk.change, Settlement)
        if made.account_id == account_id and _day(made.created_at)[: len(wanted)] == wanted
        for line in made.lines
    ]
    return lines[skip : skip + count]


def _day(seconds: int) -> list[int]:
    at = datetime.fromtimestamp(seconds, UTC).astimezone(INDIA)
    return [at.year, at.month, at.day]


def _payments(desk: Desk, made: Settlement) -> list[Line]:
    return [
        _line(made, one, "payment", credit=one.amount - wire.fee(one.amount))
        | {"fee": wire.fee(one.amount), "tax": wire.tax(one.amount), "method": one.method}
        for one in everything(desk.change, Payment)
        if one.account_id == made.account_id and one.captured
    ]


def _refunds(desk: Desk, made: Settlement) -> list[Line]:
    return [
        _line(made, one, "refund", debit=one.amount) | {"payment_id": one.payment_id}
        for one in everything(desk.change, Refund)
        if one.account_id == made.account_id and one.status == "processed"
    ]


def _line(
    made: Settlement, one: Payment | Refund, kind: str, *, credit: int = 0, debit: int = 0
) -> Line:
    return {
        "entity_id": one.id,
        "type": kind,
        "debit": debit,
        "credit": credit,
        "amount": one.amount,
        "currency": one.currency,
        "fee": 0,
        "tax": 0,
        "on_hold": False,
        "settled": True,
        "created_at": one.created_at,
        "settled_at": made.created_at,
        "settlement_id": made.id,
        "settlement_utr": made.id[-12:],
        "description": None,
        "notes": wire.notes(one),
    }
