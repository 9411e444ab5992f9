"""What a refund that the gateway reports means for the books, over rows of which one thing differs:
whose it is, what it pays, and what of it nobody owed."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sales.by_hand import NOW, Rows

ASHA, ACCOUNT, CAPTURE, PAYMENT, REFUND, OTHER, OURS, THEIRS = (UUID(int=n) for n in range(1, 9))
Row = dict[str, Any]
HANDED_OVER, TWICE = "refunded_outside_and_handed_over", "refunded_twice"


async def refund(rows: Rows, **given: Any) -> None:
    usual = {
        "merchant_id": ASHA, "account_id": ACCOUNT, "capture_id": CAPTURE, "key": str(uuid4()),
        "origin": "ours", "state": "pending", "amount_minor": 300,
    }  # fmt: skip
    await rows.put("refunds", **{**usual, **given})


async def judged(rows: Rows, taken: Row, made: Row, beside: Row | None) -> list[tuple[str, int]]:
    """What is a person's after this refund."""
    await rows.conn.execute("BEGIN")
    await rows.put("captures", id=CAPTURE, merchant_id=ASHA, payment_id=PAYMENT, **taken)
    await rows.put("captures", id=OTHER, captured=9000, open=0, refund_due=9000, outside=9000)
    api = made.pop("api", False)
    order = {"source": "api"} if api else {"source": "order", "order_id": OTHER}
    await rows.put("payments", id=PAYMENT, **order)
    await refund(rows, id=REFUND, **{"origin": "gateway", "state": "succeeded", **made})
    if beside is not None:
        await refund(rows, **beside)
    await rows.conn.execute("SELECT judge_outside($1, $2, $3)", CAPTURE, REFUND, NOW)
    found = await rows.conn.fetch("SELECT kind, amount_minor FROM discrepancies ORDER BY kind")
    await rows.conn.execute("ROLLBACK")
    return [(row["kind"], row["amount_minor"]) for row in found]


ALL_BACK = {"refund_due": 5000, "outside": 5000, "outside_used": 5000}
ONE_MORE = {**ALL_BACK, "outside": 5001}
ONE_SOLD = {"fulfilled": 1, "refund_due": 4999, "outside": 5000, "outside_used": 4999}
MUCH_MORE = {"fulfilled": 1000, "refund_due": 4000, "outside": 6000, "outside_used": 4000}
SOLD = {"fulfilled": 5000, "outside": 1000}
BEFORE = {"reason": "paid_before"}
JUDGED: tuple[tuple[Row, Row, Row | None, list[tuple[str, int]]], ...] = (
    (ALL_BACK, {}, None, []),
    (ONE_MORE, {}, None, [(TWICE, 1)]),
    (ONE_SOLD, {}, None, [(HANDED_OVER, 1)]),
    (MUCH_MORE, {}, None, [(HANDED_OVER, 1000), (TWICE, 1000)]),
    (MUCH_MORE, {}, {}, [(HANDED_OVER, 1000), (TWICE, 700)]),  # it still pays one of ours
    (MUCH_MORE, {}, {"state": "owed"}, [(HANDED_OVER, 1000), (TWICE, 1000)]),
    (MUCH_MORE, {}, {"origin": "gateway"}, [(HANDED_OVER, 1000), (TWICE, 1000)]),
    (MUCH_MORE, {}, {"capture_id": OTHER}, [(HANDED_OVER, 1000), (TWICE, 1000)]),
    (MUCH_MORE, {}, {"amount_minor": 2000}, []),
    ({"open": 1000, "refund_due": 4000, "outside": 6000, "outside_used": 4000}, {}, None,
     [(TWICE, 1000)]),  # and what is not handed over yet may still have it
    (SOLD, {}, None, [(HANDED_OVER, 1000)]),
    (SOLD, {"api": True}, None, []),  # the merchant asked for it in the dashboard
    (SOLD, {"api": True, **BEFORE}, None, [(TWICE, 1000)]),
    (SOLD, {}, {"id": OTHER, **BEFORE, "state": "succeeded"}, [(HANDED_OVER, 1000)]),
    (ALL_BACK, BEFORE, None, []),
    (ONE_MORE, BEFORE, None, [(TWICE, 1)]),
    (SOLD, BEFORE, {}, [(TWICE, 700)]),
    (SOLD, BEFORE, {"gateway_refund_id": "rf_9"}, [(TWICE, 1000)]),
    (SOLD, BEFORE, {"state": "owed"}, [(TWICE, 1000)]),
    (SOLD, BEFORE, {"origin": "gateway"}, [(TWICE, 1000)]),
    (SOLD, BEFORE, {"capture_id": OTHER}, [(TWICE, 1000)]),
    (SOLD, BEFORE, {"amount_minor": 1000}, []),
)  # fmt: skip


async def test_what_went_back_and_nobody_owed_is_a_persons_to_the_last_unit(rows: Rows) -> None:
    for taken, made, beside, wanted in JUDGED:
        given = {"open": 0, **taken}
        found = await judged(rows, given, dict(made), beside)
        assert found == wanted, (taken, made, beside)


DISPUTE: Row = {
    "id": OTHER, "merchant_id": ASHA, "account_id": ACCOUNT, "capture_id": CAPTURE,
    "gateway_dispute_id": "d1", "stage": "lost", "amount_minor": 900,
}  # fmt: skip
TAKEN: Row = {"id": CAPTURE, "merchant_id": ASHA, "account_id": ACCOUNT, "open": 0,
              "refund_due": 5000}  # fmt: skip
LOST_HERE: Row = {"id": REFUND, "origin": "gateway", "state": "succeeded", "amount_minor": 900,
                  "gateway_refund_id": "d1", "reason": "disputed"}  # fmt: skip
BOOKED: tuple[tuple[Row, Row | None, tuple[int, list[str]]], ...] = (
    ({}, None, (900, ["refunded_twice"])),  # all of it had been due, and is not needed for that
    ({"amount_minor": 0}, None, (0, [])),
    ({"amount_minor": 1}, None, (1, ["refunded_twice"])),
    ({"stage": "won"}, None, (0, [])),
    ({"currency": "USD"}, None, (0, ["dispute_in_another_currency"])),
    ({"stage": "won", "currency": "USD"}, None, (0, [])),
    ({}, {**LOST_HERE, "account_id": OTHER}, (900, ["refunded_twice"])),  # of another account
    ({}, {**LOST_HERE, "gateway_refund_id": "d2"}, (900, ["refunded_twice"])),
)


async def test_a_dispute_is_booked_where_it_is_lost_in_the_payments_money(rows: Rows) -> None:
    for given, refund_there, wanted in BOOKED:
        await rows.conn.execute("BEGIN")
        await rows.put("captures", **{**TAKEN, "outside": 5000, "outside_used": 5000})
        await rows.put("disputes", **{**DISPUTE, **given})
        if refund_there is not None:
            await refund(rows, **refund_there)
        await rows.conn.execute("SELECT book_dispute(c, d, $1) FROM captures c, disputes d", NOW)
        outside = await rows.conn.fetchval("SELECT outside FROM captures")
        found = await rows.conn.fetch("SELECT kind, amount_minor FROM discrepancies")
        await rows.conn.execute("ROLLBACK")
        assert (outside - 5000, [row["kind"] for row in found]) == wanted, (given, refund_there)
        if found and given.get("currency"):
            assert found[0]["amount_minor"] == 0  # of which no sum of ours is known


LATER = NOW + timedelta(hours=1)
WAITS: tuple[tuple[Row, bool], ...] = (
    ({}, True), ({"state": "owed"}, False), ({"capture_id": OTHER}, False),
    ({"due_at": NOW - timedelta(hours=1)}, False),
)  # fmt: skip


@pytest.mark.parametrize("stage", ["won", "open"])
async def test_what_was_held_back_for_a_dispute_goes_on_when_the_bank_has_decided(
    rows: Rows, stage: str
) -> None:
    fact = {
        "gateway_payment_id": "pay_1", "gateway_dispute_id": "d1", "stage": stage,
        "at": NOW.isoformat(), "reason": "fraudulent",
        "money": {"amount": 900, "currency": "INR"},
    }  # fmt: skip
    await rows.put("gateway_accounts", id=ACCOUNT, merchant_id=ASHA, gateway="mock", slug="one")
    for given, goes_on in WAITS:
        await rows.conn.execute("BEGIN")
        await rows.put("captures", gateway_payment_id="pay_1", **TAKEN)
        await refund(rows, **{"due_at": LATER, **given})
        said = await rows.conn.fetchval(
            "SELECT note_dispute(a, $1, $2) FROM gateway_accounts a", fact, NOW
        )
        due = await rows.conn.fetchval("SELECT due_at FROM refunds")
        ended = await rows.conn.fetchval("SELECT ended_at FROM disputes")
        await rows.conn.execute("ROLLBACK")
        decided = stage != "open"
        assert (said, ended) == ("dispute", NOW if decided else None)
        assert due == (NOW if goes_on and decided else given.get("due_at", LATER)), given


async def test_a_settled_payments_fee_is_noted_once_however_often_it_is_listed(rows: Rows) -> None:
    line = {"gateway_payment_id": "pay_1", "currency": "INR", "fee": 90, "settlement": "s1",
            "at": NOW.isoformat()}  # fmt: skip
    other = {**line, "gateway_payment_id": "pay_2"}
    await rows.put("gateway_accounts", id=ACCOUNT, merchant_id=ASHA, gateway="mock", slug="one")
    await rows.put("captures", gateway_payment_id="pay_1", **TAKEN)
    await rows.put("captures", gateway_payment_id="pay_2", **{**TAKEN, "id": OTHER})
    await rows.put("captures", gateway_payment_id="pay_1",
                   **{**TAKEN, "id": OURS, "account_id": OTHER})  # fmt: skip

    async def noted(*lines: Row) -> int:
        found: int = await rows.conn.fetchval(
            "SELECT note_settled_lines(a, $1, $2) FROM gateway_accounts a", list(lines), NOW
        )
        return found

    async def fees() -> list[tuple[int, str]]:
        found = await rows.conn.fetch(
            "SELECT amount, why FROM ledger WHERE account = 'fees' ORDER BY id"
        )
        return [(row["amount"], row["why"]) for row in found]

    assert await noted(line, other) == 2
    assert await noted(line, other) == 0
    assert await fees() == [(90, "fee"), (90, "fee")]
    assert await noted({**line, "currency": "USD", "fee": 1}, {**line, "fee": 80}, other) == 1
    assert await noted({**line, "fee": 80, "settlement": "s2"}) == 1  # nothing to correct
    assert await noted({**line, "fee": 80, "settlement": "s2", "at": LATER.isoformat()}) == 1
    assert await fees() == [(90, "fee"), (90, "fee"), (-10, "fee_corrected")]
    kept = await rows.conn.fetch("SELECT id, fee_minor, settlement, settled_at FROM captures")
    assert {row["id"]: tuple(row)[1:] for row in kept} == {
        CAPTURE: (80, "s2", LATER), OTHER: (90, "s1", NOW), OURS: (None, None, None),
    }  # fmt: skip
