"""What a refund that the gateway reports means for the books, over rows of which one thing differs:
whose it is, what it pays, and what of it nobody owed."""

from typing import Any
from uuid import UUID, uuid4

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
