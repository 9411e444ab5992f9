"""`breaks_in` compares the gateway, the ledger and the goods: what it says of a sound sale, and of
the same sale with one thing changed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)
ASHA, ACCOUNT, OTHER, CAPTURE, ORDER, UNIT, REFUND, EXTRA, PAYMENT = (
    UUID(int=n) for n in range(1, 10)
)
UNSETTLED_SINCE = NOW - 3 * DAY
Row = dict[str, Any]

# Sold for 40.00 with a fee of 0.90 and a tip of 2.00, and nothing went back. `None` takes it away.
SOUND: Mapping[str, Row] = {
    "captures": {
        "id": CAPTURE, "order_id": ORDER, "gateway_payment_id": "pay_1", "captured": 4200,
        "open": 0, "fulfilled": 4200, "fee_minor": 90, "captured_at": NOW - DAY,
        "settled_at": None, "hard_deadline": NOW - MOMENT,
    },
    "theirs": {
        "gateway_payment_id": "pay_1", "captured": 4200, "refunded": 0, "currency": "INR",
        "at": (NOW - DAY).isoformat(),
    },
    "gateway": {"account": "gateway", "amount": 4110},
    "sales": {"account": "sales", "amount": -4200},
    "unit": {"amount_minor": 4000, "settlement": "fulfilled", "hard_deadline": NOW - MOMENT},
    "tip": {"kind": "tip", "amount_minor": 200, "settlement": "fulfilled", "settled_at": NOW},
}  # fmt: skip
_TABLES = {"gateway": "ledger", "sales": "ledger", "unit": "fulfillments", "tip": "order_extras"}


def back(**given: Any) -> Row:
    """A refund of 10.00 that was made at the gateway, before we asked it."""
    return {
        "id": REFUND, "amount_minor": 1000, "state": "succeeded", "origin": "ours",
        "reason": "asked", "created_at": NOW - DAY, "ended_at": NOW - MOMENT, **given,
    }  # fmt: skip


def covered(**given: Any) -> Row:
    return {
        "machine": "refund", "subject_id": REFUND, "event": "COVERED", "was": "pending",
        "state": "succeeded", **given,
    }  # fmt: skip


NOT_OURS: dict[str, Row | None] = {
    "captures": {"foreign_amount": 4200, "fulfilled": 0}, "sales": None, "unit": None, "tip": None,
}  # fmt: skip


def owed(**given: Any) -> dict[str, Row]:
    """Money that nothing was done for yet."""
    open_ = {"open": 4000, "fulfilled": 200, **given.pop("captures", {})}
    return {
        "captures": open_, "sales": {"amount": -200},
        "unit": {"settlement": None, "hard_deadline": NOW - MOMENT, "due_at": NOW - DAY, **given},
    }  # fmt: skip


GONE: Row = {"amount": 3110}  # in the ledger, after a refund of 10.00
Change = Mapping[str, Row | None]
CASES: Mapping[str, tuple[Change, Mapping[str, tuple[int, Row]]]] = {
    "a sound sale": ({}, {}),
    "they have money that we have not": (
        {"theirs": {"gateway_payment_id": "pay_2"}}, {"not_on_record": (4200, {})}),
    "they name a payment of no money": (
        {"theirs": {"gateway_payment_id": "pay_2", "captured": 0}}, {}),
    "the same name at another account is not on record": (
        {"captures": {"account_id": OTHER}}, {"not_on_record": (4200, {})}),
    "they have no such money": (
        {"theirs": {"captured": 0}}, {"not_at_gateway": (4200, {"gateway_payment_id": "pay_1"})}),
    "they say nothing of it": ({"theirs": None}, {}),
    "they have less": (
        {"theirs": {"captured": 4199}},
        {"amount_differs": (4200, {"gateway_payment_id": "pay_1", "theirs": 4199})}),
    "they have it in another currency": (
        {"theirs": {"currency": "USD"}},
        {"amount_differs": (4200, {"gateway_payment_id": "pay_1", "theirs": 4200})}),
    "they gave something back": (
        {"theirs": {"refunded": 1000}},
        {"refunds_differ": (0, {"gateway_payment_id": "pay_1", "theirs": 1000})}),
    "they gave something back of what is not ours": (
        {**NOT_OURS, "theirs": {"refunded": 1000}}, {}),
    "a refund both know": (
        {"refund": back(), "theirs": {"refunded": 1000}, "gateway": GONE}, {}),
    "a refund that only we know": (
        {"refund": back(), "gateway": GONE},
        {"refunds_differ": (1000, {"gateway_payment_id": "pay_1", "theirs": 0})}),
    "a refund on its way that they count": (
        {"refund": back(state="pending", ended_at=None), "theirs": {"refunded": 1000}}, {}),
    "a refund on its way that they do not count": (
        {"refund": back(state="pending", ended_at=None)}, {}),
    "more than what is on its way": (
        {"refund": back(state="pending", ended_at=None), "theirs": {"refunded": 1001}},
        {"refunds_differ": (0, {"gateway_payment_id": "pay_1", "theirs": 1001})}),
    "a refund that began when we asked": (
        {"refund": back(created_at=NOW), "gateway": GONE}, {}),
    "a refund that ended when we asked": (
        {"refund": back(ended_at=NOW), "gateway": GONE}, {}),
    "a refund of another payment": ({"refund": back(capture_id=OTHER)}, {}),
    "a refund covered by another": ({"refund": back(), "event": covered()}, {}),
    "a refund that was not covered after all": (
        {"refund": back(), "event": covered(state=None), "theirs": {"refunded": 1000},
         "gateway": GONE}, {}),
    "a debt paid by hand left us, and not by them": (
        {"refund": back(), "event": covered(event="PAID_BY_HAND"), "gateway": GONE}, {}),
    "a refund that failed": ({"refund": back(state="failed")}, {}),
    "the ledger holds less": (
        {"gateway": {"amount": 4109}}, {"ledger_differs": (4109, {"expected": 4110})}),
    "the fee is not in the ledger": (
        {"captures": {"fee_minor": 91}}, {"ledger_differs": (4110, {"expected": 4109})}),
    "no fee is known": ({"captures": {"fee_minor": None}, "gateway": {"amount": 4200}}, {}),
    "the ledger is another payment's": (
        {"gateway": {"capture_id": OTHER}}, {"ledger_differs": (0, {"expected": 4110})}),
    "goods without a sale": (
        {"sales": {"amount": -200}}, {"goods_differ": (200, {"handed_over": 4200})}),
    "a sale without goods": (
        {"unit": {"settlement": "refund_due"}}, {"goods_differ": (4200, {"handed_over": 200})}),
    "the goods are another payment's": (
        {"unit": {"capture_id": OTHER}}, {"goods_differ": (4200, {"handed_over": 200})}),
    "the sale is another payment's": (
        {"sales": {"capture_id": OTHER}}, {"goods_differ": (0, {"handed_over": 4200})}),
    "a tip of another order": (
        {"tip": {"order_id": OTHER}}, {"goods_differ": (4200, {"handed_over": 4000})}),
    "a tip that goes back": (
        {"tip": {"settlement": "refund_due"}}, {"goods_differ": (4200, {"handed_over": 4000})}),
    "tips were paid with the capture that bought, and with no other": (
        {"captures": {"reason": "second"}}, {"goods_differ": (4200, {"handed_over": 4000})}),
    "a payment of the API has no goods": (
        {"unit": None, "tip": None, "captures": {"payment_id": PAYMENT},
         "payment": {"source": "api"}}, {}),
    "a payment of the API that earned less": (
        {"unit": None, "tip": None, "captures": {"payment_id": PAYMENT, "fulfilled": 4199,
         "refund_due": 1},
         "payment": {"source": "api"}}, {"goods_differ": (4200, {"handed_over": 0})}),
    "a payment of an order has goods": (
        {"unit": None, "tip": None, "captures": {"payment_id": PAYMENT},
         "payment": {"source": "order", "order_id": ORDER}},
        {"goods_differ": (4200, {"handed_over": 0})}),
    "neither goods nor money back": (
        owed(), {"neither_goods_nor_money_back": (4000, {"gateway_payment_id": "pay_1"})}),
    "its deadline is now": (owed(captures={"hard_deadline": NOW}), {}),
    "its unit has until now": (owed(hard_deadline=NOW), {}),
    "its unit is settled, and the rest is overdue": (
        {**owed(), "unit": {"settlement": "refund_due", "hard_deadline": NOW}},
        {"neither_goods_nor_money_back": (4000, {"gateway_payment_id": "pay_1"})}),
    "not paid out": (
        {"captures": {"captured_at": UNSETTLED_SINCE - MOMENT}},
        {"not_paid_out": (4200, {"gateway_payment_id": "pay_1"})}),
    "paid out may be later": ({"captures": {"captured_at": UNSETTLED_SINCE}}, {}),
    "paid out": ({"captures": {"captured_at": UNSETTLED_SINCE - MOMENT, "settled_at": NOW}}, {}),
    "nothing is left to pay out": (
        {"captures": {"captured_at": UNSETTLED_SINCE - MOMENT},
         "refund": back(amount_minor=4200), "theirs": {"refunded": 4200},
         "gateway": {"amount": -90}}, {}),
    "what is not ours is not paid out to us": (
        {**NOT_OURS, "captures": {"foreign_amount": 4200, "fulfilled": 0,
         "captured_at": UNSETTLED_SINCE - MOMENT}}, {}),
}  # fmt: skip


async def put(rows: Rows, change: Change) -> None:
    for name in (*(name for name in SOUND if name != "theirs"), "refund", "event", "payment"):
        changed = change.get(name, {})
        given = {**SOUND.get(name, {}), **(changed or {})}
        if changed is None or not given:
            continue
        table = _TABLES.get(name, f"{name}s" if not name.endswith("s") else name)
        await rows.put(table, **{**_whose(table, given), **given})


def _whose(table: str, given: Row) -> Row:
    """Whose row it is, where the test does not say."""
    ours: Row = {"merchant_id": ASHA}
    if table in ("fulfillments", "order_extras"):
        ours |= {"basis": "handed_over" if given.get("settlement") else None}
    if table in ("captures", "refunds"):
        ours |= {"account_id": ACCOUNT}
    if table in ("refunds", "fulfillments", "ledger"):
        ours |= {"capture_id": CAPTURE}
    if table in ("fulfillments", "order_extras"):
        ours |= {"order_id": ORDER, "id": UNIT if table == "fulfillments" else EXTRA}
    if table == "refunds":
        ours |= {"key": str(uuid4())}
    if table == "payments":
        ours |= {"id": PAYMENT}
    return ours


@pytest.mark.parametrize("name", CASES)
async def test_three_books_agree_or_are_said_to_differ(rows: Rows, name: str) -> None:
    change, expected = CASES[name]
    await put(rows, change)
    said = change.get("theirs", {})
    theirs = [] if said is None else [{**SOUND["theirs"], **said}]
    found = await rows.conn.fetch(
        "SELECT * FROM breaks_in($1, $2, $3, $4, $5)",
        ACCOUNT, [CAPTURE], theirs, NOW, UNSETTLED_SINCE,
    )  # fmt: skip
    assert {row["kind"]: (row["amount_minor"], row["data"]) for row in found} == expected
    for row in found:
        _is_named_in_full(row["subject"], row["since"], row["currency"], change, row["kind"])


def _is_named_in_full(
    subject: str, since: datetime, currency: str, change: Change, kind: str
) -> None:
    capture = {**SOUND["captures"], **(change.get("captures") or {})}
    theirs = {**SOUND["theirs"], **(change.get("theirs") or {})}
    named = theirs["gateway_payment_id"] if kind == "not_on_record" else str(CAPTURE)
    assert (subject, since, currency) == (named, capture["captured_at"], "INR")


async def test_only_the_payments_asked_for_are_compared(rows: Rows) -> None:
    await put(rows, {"gateway": {"amount": 1}})
    found = await rows.conn.fetch(
        "SELECT * FROM breaks_in($1, $2, '[]', $3, $4)", ACCOUNT, [OTHER], NOW, UNSETTLED_SINCE
    )
    assert found == []
