"""What small SQL functions decide, each over rows of which one thing differs from what it asks."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
ASHA, ACCOUNT, OTHER, CAPTURE, ORDER = (UUID(int=n) for n in (1, 2, 3, 4, 5))


@pytest.fixture
async def rows(rows: Rows) -> Rows:
    await rows.put("merchants", id=ASHA, slug="asha")
    await rows.put("gateway_accounts", id=ACCOUNT, merchant_id=ASHA, gateway="mock", slug="one")
    return rows


async def refund(rows: Rows, **given: Any) -> UUID:
    made = await rows.put(
        "refunds",
        **{"merchant_id": ASHA, "account_id": ACCOUNT, "capture_id": CAPTURE, "key": str(uuid4()),
           "origin": "ours", "state": "succeeded", "amount_minor": 500, "reason": "asked",
           **given},
    )  # fmt: skip
    found: UUID = made["id"]
    return found


async def event(rows: Rows, subject: UUID, **given: Any) -> None:
    await rows.put(
        "events",
        **{"merchant_id": ASHA, "machine": "refund", "subject_id": subject, "event": "COVERED",
           "was": "pending", "state": "succeeded", **given},
    )  # fmt: skip


Told = dict[str, Any]
THERE: tuple[tuple[Told, Told | None, bool], ...] = (
    ({}, None, True),
    ({"state": "pending"}, None, False),
    ({"state": "failed"}, None, False),
    ({"reason": "disputed"}, None, False),
    ({}, {}, False),
    ({}, {"event": "PAID_BY_HAND"}, False),
    ({}, {"event": "PROVED"}, True),
    ({}, {"machine": "payment"}, True),
    ({}, {"state": None}, True),
    ({}, {"subject_id": OTHER}, True),
)


async def test_a_refund_was_made_there_unless_something_else_paid_it(rows: Rows) -> None:
    said = "SELECT made_there(r) AS there, was_paid_otherwise(r) AS otherwise FROM refunds r"
    for given, told, there in THERE:
        await rows.conn.execute("BEGIN")
        made = await refund(rows, **given)
        if told is not None:
            await event(rows, made, **told)
        found = await rows.conn.fetchrow(said)
        assert found is not None
        paid = given.get("state", "succeeded") == "succeeded"
        assert tuple(found) == (there, paid and not there), (given, told)
        await rows.conn.execute("UPDATE refunds SET origin = 'gateway'")
        assert not await rows.conn.fetchval("SELECT was_paid_otherwise(r) FROM refunds r")
        await rows.conn.execute("ROLLBACK")


async def spare(rows: Rows) -> int:
    found: int = await rows.conn.fetchval(
        "SELECT spare_outside(c) FROM captures c WHERE id = $1", CAPTURE
    )
    return found


async def test_what_went_back_outside_is_spare_as_far_as_nothing_of_ours_waits_for_it(
    rows: Rows,
) -> None:
    await rows.put("captures", id=CAPTURE, merchant_id=ASHA, account_id=ACCOUNT, captured=5000,
                   open=0, fulfilled=3000, refund_due=2000, outside=3000,
                   outside_used=1000)  # fmt: skip
    assert await spare(rows) == 2000
    for other in ({"state": "succeeded"}, {"state": "owed"}, {"origin": "gateway"},
                  {"capture_id": OTHER}):  # fmt: skip
        await refund(rows, **{"state": "pending", **other})
        assert await spare(rows) == 2000, other
    await refund(rows, state="pending")
    await refund(rows, state="pending", amount_minor=300)
    assert await spare(rows) == 1200


async def sum_told(rows: Rows, minor: int | None = 700, **fact: Any) -> str:
    said = {"gateway_payment_id": "pay_1", "refunded": {"amount": minor, "currency": "INR"}} | fact
    found: str = await rows.conn.fetchval(
        "SELECT note_sum(a, $1, 'look', '{\"capture_s\": 9}', $2) FROM gateway_accounts a"
        " WHERE id = $3", said, NOW, ACCOUNT,
    )  # fmt: skip
    return found


async def test_a_sum_that_went_back_is_news_where_it_is_more_than_was_made_there(
    rows: Rows,
) -> None:
    await rows.put("captures", id=CAPTURE, merchant_id=ASHA, account_id=ACCOUNT,
                   gateway_payment_id="pay_1", captured=5000, fulfilled=5000, open=0)  # fmt: skip
    await rows.put("captures", merchant_id=ASHA, account_id=OTHER, gateway_payment_id="pay_1",
                   captured=5000)  # fmt: skip
    await refund(rows, amount_minor=700)
    await refund(rows, amount_minor=900, capture_id=OTHER)
    assert await sum_told(rows) == "known"
    assert await sum_told(rows, 699) == "known"
    assert await sum_told(rows, None) == "known"
    assert await sum_told(rows, 701, gateway_payment_id="pay_2") == "known"
    assert await sum_told(rows, 701, refunded={"amount": 701, "currency": "RUB"}) == "known"
    waits = await refund(rows, state="pending", key_sent_at=NOW)
    assert await sum_told(rows, 701) == "unexplained"
    await rows.conn.execute("UPDATE refunds SET capture_id = $2 WHERE id = $1", waits, OTHER)
    await refund(rows, state="pending")  # one that was not sent cannot be it
    assert await sum_told(rows, 850) == "refunded_outside"
    (outside,) = await rows.conn.fetch("SELECT * FROM refunds WHERE origin = 'gateway'")
    assert (outside["amount_minor"], outside["gateway_refund_id"]) == (150, "pay_1:to:850")


BUYS: tuple[tuple[Told, Told, str | None], ...] = (
    ({}, {}, None),
    ({"captured_at": NOW - MOMENT}, {}, None),
    ({"captured_at": NOW}, {}, "late"),
    ({"captured_at": NOW, "captured_here_at": NOW - MOMENT}, {}, None),
    ({"captured_at": NOW - MOMENT, "captured_here_at": NOW}, {}, "late"),
    ({"captured_at": NOW}, {"ends": None}, None),
    ({}, {"over": "gone"}, "gone"),
    ({"captured_at": NOW}, {"over": "gone"}, "gone"),
    ({}, {"currency": "RUB"}, "amount_mismatch"),
    ({}, {"currency": "RUB", "over": "gone"}, "amount_mismatch"),
    ({}, {"amounts": [4000, 5000]}, None),
    ({}, {"amounts": [4000, 6000]}, "amount_mismatch"),
    ({"outside": 1}, {}, "refunded_outside"),
    ({"outside": 1}, {"currency": "RUB", "over": "gone"}, "refunded_outside"),
)


async def test_why_money_buys_nothing_is_said_by_the_first_reason(rows: Rows) -> None:
    given = {"id": CAPTURE, "merchant_id": ASHA, "account_id": ACCOUNT,
             "captured_at": NOW - MOMENT}  # fmt: skip
    for capture, asked, why in BUYS:
        await rows.conn.execute("BEGIN")
        await rows.put("captures", **{**given, **capture})
        said = {"amounts": [5000], "currency": "INR", "over": None, "ends": NOW} | asked
        assert why == await rows.conn.fetchval(
            "SELECT buys_nothing(c, $1, $2, $3, $4, 'late') FROM captures c", *said.values()
        ), (capture, asked)
        await rows.conn.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("own", "windows", "seconds"),
    [
        ({}, {"dispatch_s": 120}, 120),
        ({}, {"dispatch_s": 120, "vending_dispatch_s": 90}, 90),
        ({"dispatch_s": 60}, {"dispatch_s": 120, "vending_dispatch_s": 90}, 60),
        ({"run_s": 60}, {"dispatch_s": 120, "locker_dispatch_s": 90}, 120),
    ],
)
async def test_the_last_moment_to_send_is_the_outlets_own_else_its_kinds_else_everybodys(
    rows: Rows, own: dict[str, int], windows: dict[str, int], seconds: int
) -> None:
    machine = {"merchant_id": ASHA, "channel": "mqtt", "dialect": "leased"}
    await rows.put("outlets", id="M01", kind="vending", windows=own, **machine)
    await rows.put("outlets", id="M02", kind="vending", windows={"dispatch_s": 1}, **machine)
    await rows.put("outlets", id="M03", kind="unknown", **machine)

    async def of(outlet: str, call: str, *values: object) -> object:
        return await rows.conn.fetchval(
            f"SELECT {call} FROM outlets o WHERE id = $1", outlet, *values
        )

    assert await of("M01", "dispatch_window(o, $2)", windows) == timedelta(seconds=seconds)
    assert await of("M01", "cannot_sell(o, $2)", ACCOUNT) is None
    assert await of("M03", "cannot_sell(o, $2)", ACCOUNT) == "not_sold_here"


async def stock(rows: Rows, has: int, wanted: int, more: dict[str, Any] | None = None) -> bool:
    """Whether others were first, with so many in the slot and so many on their way."""
    await rows.conn.execute("BEGIN")
    await rows.put("orders", id=ORDER, merchant_id=ASHA, outlet_id="M01", state="placed",
                   source="page")  # fmt: skip
    await rows.put("slots", outlet_id="M01", slot="A1", stock=has)
    await rows.put("slots", outlet_id="M02", slot="A1", stock=0)
    await rows.put("order_lines", order_id=ORDER, slot="A1", quantity=wanted)
    await rows.put("order_lines", order_id=OTHER, slot="A1", quantity=9)
    line = UUID(int=30)
    given = {"outlet_id": "M01", "line_id": line, "state": "queued", "due_at": NOW, "slot": "A1"}
    await rows.put("order_lines", **{"id": line, "slot": "A1", "quantity": 1,
                                     **{k: v for k, v in (more or {}).items() if k == "of_slot"}}
                   if not more or "of_slot" not in more else
                   {"id": line, "slot": more["of_slot"], "quantity": 1})  # fmt: skip
    await rows.put("fulfillments", **given | {k: v for k, v in (more or {}).items()
                                              if k != "of_slot"})  # fmt: skip
    found: bool = await rows.conn.fetchval("SELECT others_were_first($1)", ORDER)
    await rows.conn.execute("ROLLBACK")
    return found


async def test_the_last_piece_is_for_whoever_pays_first(rows: Rows) -> None:
    assert not await stock(rows, 3, 2)
    assert await stock(rows, 2, 2)
    settled = {"settlement": "fulfilled", "basis": "x", "state": "vended", "due_at": None,
               "settled_at": NOW}  # fmt: skip
    for other in (settled, {"outlet_id": "M02"}, {"of_slot": "B1"}):
        assert not await stock(rows, 2, 2, other), other
    assert await stock(rows, 1, 2, settled)


async def test_lines_of_one_slot_count_together(rows: Rows) -> None:
    await rows.put("orders", id=ORDER, merchant_id=ASHA, outlet_id="M01", state="placed",
                   source="page")  # fmt: skip
    await rows.put("slots", outlet_id="M01", slot="A1", stock=3)
    await rows.put("slots", outlet_id="M01", slot="A2", stock=3)
    for slot, quantity in (("A1", 2), ("A2", 3)):
        await rows.put("order_lines", order_id=ORDER, slot=slot, quantity=quantity)
    assert not await rows.conn.fetchval("SELECT others_were_first($1)", ORDER)
    await rows.put("order_lines", order_id=ORDER, slot="A1", quantity=2)
    assert await rows.conn.fetchval("SELECT others_were_first($1)", ORDER)


async def left(rows: Rows, what: str, table: str) -> int:
    found: int = await rows.conn.fetchval(f"SELECT {what}(t) FROM {table} t WHERE id = $1", OTHER)
    return found


async def test_what_is_left_of_a_unit_is_what_did_not_go_back(rows: Rows) -> None:
    unit = {"id": OTHER, "outlet_id": "M01", "state": "vended", "settlement": "fulfilled",
            "basis": "x", "settled_at": NOW, "amount_minor": 4000}  # fmt: skip
    await rows.put("fulfillments", **unit)
    assert await left(rows, "left_of", "fulfillments") == 4000
    part = {"fulfillment_id": OTHER, "amount_minor": 100}
    ended = {"ended_at": NOW}
    for more, rest in (
        ({"outcome": "taken", **ended}, 3900),
        ({"outcome": None}, 3800),
        ({"outcome": "went_back", **ended}, 3800),
        ({"fulfillment_id": ORDER, "outcome": "taken", **ended}, 3800),
    ):
        await rows.put("order_refund_parts", **{**part, **more})
        assert await left(rows, "left_of", "fulfillments") == rest, more
    await rows.put("corrections", fulfillment_id=ORDER, made_by="x", note="x")
    assert await left(rows, "left_of", "fulfillments") == 3800
    await rows.conn.execute("BEGIN")
    await rows.put("corrections", fulfillment_id=OTHER, made_by="x", note="x")
    assert await left(rows, "left_of", "fulfillments") == 0
    await rows.conn.execute("ROLLBACK")
    await rows.conn.execute("UPDATE fulfillments SET settlement = 'refund_due'")
    assert await left(rows, "left_of", "fulfillments") == 0


async def test_what_is_left_of_an_extra_is_what_was_not_refunded(rows: Rows) -> None:
    extra = {"id": OTHER, "order_id": ORDER, "kind": "tip", "amount_minor": 500}
    await rows.put("order_extras", **extra)
    assert await left(rows, "left_of_extra", "order_extras") == 500
    part = {"amount_minor": 100, "outcome": "taken", "ended_at": NOW}
    await rows.put("order_refund_parts", extra_id=OTHER, **part)
    await rows.put("order_refund_parts", extra_id=ORDER, **part)
    assert await left(rows, "left_of_extra", "order_extras") == 400
    await rows.conn.execute(
        "UPDATE order_extras SET settlement = 'refund_due', basis = 'not_handed_over',"
        " settled_at = now()"
    )
    assert await left(rows, "left_of_extra", "order_extras") == 0


async def test_what_is_earned_again_is_no_more_than_was_lost_outside(rows: Rows) -> None:
    """However much a gateway says that it undid, and however often."""
    lost = {"capture_id": OTHER, "account": "sales", "why": "refunded_outside"}
    await rows.put(
        "captures", id=OTHER, captured=5000, open=0, fulfilled=4700, refund_due=300,
        outside=300, outside_used=300,
    )  # fmt: skip
    await rows.put("ledger", **lost, amount=300)
    await rows.put("ledger", **{**lost, "account": "refunds_outside"}, amount=9000)
    await rows.put("ledger", **{**lost, "why": "captured"}, amount=9000)
    await rows.put("ledger", **{**lost, "capture_id": ORDER}, amount=9000)
    for undone, fulfilled in ((100, 4800), (1000, 5000), (1000, 5000)):
        await rows.conn.execute("SELECT regain($1, $2, $3)", OTHER, undone, NOW)
        row = await rows.conn.fetchrow("SELECT * FROM captures WHERE id = $1", OTHER)
        assert row is not None
        assert (row["fulfilled"], row["refund_due"]) == (fulfilled, 5000 - fulfilled)
        assert row["outside_used"] == 5000 - fulfilled


SETTLED = {
    "id": OTHER, "outlet_id": "M01", "slot": "A1", "state": "failed", "settlement": "refund_due",
    "basis": "no_drop", "settled_at": NOW,
}  # fmt: skip
SOLD = {**SETTLED, "state": "vended", "settlement": "fulfilled", "basis": "drop"}


async def after(rows: Rows, unit: dict[str, Any], **slot: Any) -> tuple[object, ...]:
    """Stock, failures in a row, and since when its slot is out of sale, once a unit is settled."""
    await rows.conn.execute("BEGIN")
    given = {"outlet_id": "M01", "slot": "A1", "stock": 5, **slot}
    await rows.put("slots", **given)
    for other in ({"slot": "A2"}, {"outlet_id": "M02"}):
        await rows.put("slots", **{**given, **other})
    await rows.put("fulfillments", **unit)
    await rows.conn.execute("SELECT vending_settled($1, $2)", OTHER, NOW)
    told = "SELECT stock, failures_in_row, out_of_sale_at FROM slots"
    own = await rows.conn.fetchrow(f"{told} WHERE outlet_id = 'M01' AND slot = 'A1'")
    others = await rows.conn.fetch(f"{told} WHERE NOT (outlet_id = 'M01' AND slot = 'A1')")
    await rows.conn.execute("ROLLBACK")
    assert own is not None
    same = (given["stock"], given.get("failures_in_row", 0), given.get("out_of_sale_at"))
    assert {tuple(other) for other in others} == {same}
    return tuple(own)


async def test_a_slot_that_fails_twice_in_a_row_is_out_of_sale_until_something_drops(
    rows: Rows,
) -> None:
    """`vending_settled` of what did not drop."""
    long_ago = NOW - MOMENT
    assert await after(rows, SETTLED) == (5, 1, None)
    assert await after(rows, SETTLED, failures_in_row=1) == (5, 2, NOW)
    assert await after(rows, SETTLED, failures_in_row=2, out_of_sale_at=long_ago) == (
        5, 3, long_ago,
    )  # fmt: skip
    assert await after(rows, SETTLED, out_of_sale_at=long_ago) == (5, 1, long_ago)
    for basis in ("never_sent", "tombstoned", "late"):
        assert await after(rows, {**SETTLED, "basis": basis}, failures_in_row=1) == (5, 1, None)


@pytest.mark.parametrize(
    ("basis", "code", "counts"),
    [
        ("no_drop", None, True),
        ("no_drop", "JAM", True),
        ("vmc_failure", "VEND_FAILURE", True),
        ("vmc_failure", "VEND_CANCEL", False),  # the customer's doing
        ("rejected", "SLOT_EMPTY", True),
        ("rejected", "SLOT_FAULT", True),
        *(("rejected", code, False) for code in (
            "PRICE_VERSION", "PLANOGRAM", "AGE_REQUIRED", "FIRMWARE", "JOURNAL_FULL", None,
        )),
        ("policy", "INTERRUPTED", True),
        ("policy", None, False),  # nothing was heard of the run
        ("declared", None, True),
        ("declared", "JAM", True),
        ("declared", "SLOT_EMPTY", True),
        *(("declared", code, False) for code in (
            "BUSY", "DOOR_OPEN", "TEMP_LOCK", "PRICE_VERSION", "PLANOGRAM", "AGE_REQUIRED",
            "FIRMWARE", "STALE_SEQ", "JOURNAL_FULL",
        )),
    ],
)  # fmt: skip
async def test_only_a_failed_run_and_a_refusal_for_the_slots_sake_count_against_it(
    rows: Rows, basis: str, code: str | None, counts: bool
) -> None:
    unit = {**SETTLED, "basis": basis, "failure_code": code}
    assert await after(rows, unit, failures_in_row=1) == ((5, 2, NOW) if counts else (5, 1, None))


async def test_what_drops_is_taken_from_its_slot_which_works_again_unless_a_person_withheld_it(
    rows: Rows,
) -> None:
    """`vending_settled` of what dropped."""
    assert await after(rows, SOLD) == (4, 0, None)
    assert await after(rows, SOLD, stock=0) == (0, 0, None)
    assert await after(rows, SOLD, failures_in_row=2, out_of_sale_at=NOW) == (4, 0, None)
    withheld = {"withheld_at": NOW - MOMENT, "out_of_sale_at": NOW}
    assert await after(rows, SOLD, failures_in_row=2, **withheld) == (4, 0, NOW - MOMENT)
