"""What settling a unit and the outcomes of its refunds write: whole rows of every table of money,
with another capture, order and refund beside, in front of those that are asked about."""

from typing import Any
from uuid import UUID

from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ASHA,
    ASKED,
    BESIDE,
    CAPTURE,
    FACTS,
    FIRST,
    LINE,
    NEXT,
    OF_ORDER,
    ORDER,
    PART,
    REFUND,
    SECOND,
    THEIRS,
    UNIT,
    Given,
    Row,
    booked,
    capture,
    discrepancy,
    event,
    intended,
    order,
    owed,
    refund,
    unit,
    whole,
)
from tests.sales.wrote import wrote

TABLES = (
    "captures", "ledger", "refunds", "events", "discrepancies", "exposures", "fulfillments",
    "orders", "order_extras", "order_refund_parts", "receipts",
)  # fmt: skip
OTHERS: Given = [
    capture(FIRST, outside=4000, refund_due=5000, refund_intended=500, order_id=OF_ORDER),
    order(OF_ORDER), unit(BESIDE, order_id=OF_ORDER, capture_id=FIRST, settlement=None, basis=None,
                          state="queued", due_at=NOW),
    ("order_extras", {"id": BESIDE, "order_id": OF_ORDER, "kind": "tip", "amount_minor": 70}),
    refund(BESIDE, capture_id=FIRST, amount_minor=500),
]  # fmt: skip


LAST = UUID(int=98)
BEHIND: Given = [capture(LAST), order(LAST), unit(LAST, order_id=LAST, capture_id=LAST)]


async def writes(rows: Rows, given: Given, call: str, *values: object) -> Row:
    _, found = await wrote(rows, [*OTHERS, *given, *BEHIND], TABLES, f"SELECT {call}", *values, NOW)
    return found


DUE = {"refund_due": 3000}
OUTSIDE: tuple[tuple[int, int, int, int], ...] = (
    # Given back outside, and used of it; what is covered, and what is to be refunded.
    (0, 0, 0, 900), (100, 100, 0, 900), (101, 100, 1, 899),
    (300, 100, 200, 700), (999, 100, 899, 1),
    (1000, 100, 900, 0), (1500, 100, 900, 0),
)  # fmt: skip


async def test_what_went_back_outside_counts_before_a_refund_is_owed(rows: Rows) -> None:
    call = "owe_refund($1, $2, 900, 'no_drop', $3)"
    for outside, used, covered, rest in OUTSIDE:
        given = [capture(outside=outside, outside_used=used, **DUE)]
        changed: Row = {"outside_used": used + covered} if covered else {}
        if rest:
            changed["refund_intended"] = rest
        assert await writes(rows, given, call, CAPTURE, UNIT) == whole(
            captures=[(CAPTURE, changed)],
            ledger=booked("refunds_payable", "refunds_outside", covered, "covered_outside")
            if covered else [],
            refunds=[owed(rest, "no_drop", fulfillment_id=UNIT)] if rest else [],
            events=[intended(rest, "no_drop")] if rest else [],
        ), (outside, used)  # fmt: skip


async def test_a_refund_of_a_part_is_asked_for_as_a_person_said(rows: Rows) -> None:
    call = "owe_refund($1, $2, 900, 'asked', $4, $3)"
    given = [
        capture(**DUE), ("order_refunds", {"id": FIRST, "reason": "no", "order_id": OF_ORDER}),
        ("order_refunds", {"id": ASKED, "reason": "Too cold"}),
        ("order_refund_parts", {"id": BESIDE, "order_refund_id": FIRST, "fulfillment_id": UNIT}),
        ("order_refund_parts", {"id": PART, "order_refund_id": ASKED, "fulfillment_id": UNIT}),
    ]  # fmt: skip
    found = await writes(rows, given, call, CAPTURE, None, PART)
    assert found["refunds"] == [owed(900, "asked", part_id=PART, asked_reason="Too cold")]


OPENED: Row = {"open": 2000, "fulfilled": 3000}
ENDED = {"ended_at": NOW, "due_at": None, "version": 2}
WAITS = unit(NEXT, settlement=None, basis=None, state="queued", due_at=NOW)
COMPLETED = (ORDER, {**ENDED, "state": "completed"})
GONE_BACK = (ORDER, {**ENDED, "state": "failed"})
AN_END: Row = {"ended_at": NOW.isoformat(), "due_at": None}


def ended(how: str) -> Row:
    state = "completed" if how == "HANDED_OVER" else "failed"
    return event("order", ORDER, how, was="paid", state=state, data=AN_END)


HANDED: tuple[tuple[Row, list[Row], int], ...] = (
    ({}, [], 0), ({"outside": 400}, [], 400), ({"outside": 1500}, [], 900),
    ({"outside": 900}, [], 900), ({"outside": 1, "outside_used": 0}, [], 1),
    ({"outside": 400, "outside_used": 400, "refund_due": 500}, [], 0),
    ({"outside": 400}, [{}], 0), ({"outside": 700}, [{}], 200),
    ({"outside": 400}, [{"state": "succeeded"}], 400),
)  # fmt: skip


async def test_goods_that_are_handed_over_are_earned_and_money_beside_them_is_a_persons(
    rows: Rows,
) -> None:
    call = "fulfillment_hand_over($1, $2)"
    for of_capture, refunds, amount in HANDED:
        due: Row = {"refund_due": 500, "refund_intended": 500} if refunds else {}
        money = {**due, **of_capture}
        before = capture(order_id=ORDER, **money)
        opened = 5000 - money.get("refund_due", 0)
        given = [before, order(), unit(), *(refund(**odd) for odd in refunds)]
        noted = discrepancy("refunded_outside_and_handed_over", amount, fulfillment_id=UNIT)
        assert await writes(rows, given, call, UNIT) == whole(
            captures=[(CAPTURE, {"open": opened - 900, "fulfilled": 900})],
            ledger=booked("obligations", "sales", 900, "handed_over"),
            discrepancies=[noted] if amount else [],
            orders=[COMPLETED], events=[ended("HANDED_OVER")],
        ), (of_capture, refunds)  # fmt: skip


async def test_an_order_ends_with_its_last_unit_and_its_extras_go_the_same_way(
    rows: Rows,
) -> None:
    back = {"settlement": "refund_due", "basis": "no_drop", "state": "failed"}
    free = {"capture_id": None, "amount_minor": 0}
    for call in ("fulfillment_hand_over($1, $2)", "fulfillment_give_back($1, $2)"):
        open_ones = [order(), unit(**free), WAITS]
        assert await writes(rows, open_ones, call, UNIT) == {}
        gone = [order(), unit(**free, **back), unit(NEXT, **free, **back)]
        assert await writes(rows, gone, call, UNIT) == whole(
            orders=[GONE_BACK], events=[ended("GONE_BACK")]
        )
        one = [order(), unit(**free, **back), unit(NEXT, **free)]
        assert await writes(rows, one, call, UNIT) == whole(
            orders=[COMPLETED], events=[ended("HANDED_OVER")]
        )
    tip = ("order_extras", {"id": PART, "merchant_id": ASHA, "order_id": ORDER, "kind": "tip",
                            "amount_minor": 50})  # fmt: skip
    late = capture(THEIRS, order_id=ORDER, captured=7, surplus=7, reason="late")
    done = ("order_extras", {"id": NEXT, "order_id": ORDER, "kind": "delivery_fee",
                             "settlement": "fulfilled", "basis": "handed_over",
                             "settled_at": NOW})  # fmt: skip
    given = [late, capture(order_id=ORDER), order(), tip, done, unit(**back)]
    assert await writes(rows, given, "end_order($1, $2)", ORDER) == whole(
        captures=[(CAPTURE, {"open": 4950, "refund_due": 50, "refund_intended": 50})],
        ledger=booked("obligations", "refunds_payable", 50, "not_handed_over"),
        order_extras=[settled_extra("refund_due", "not_handed_over")],
        refunds=[owed(50, "not_handed_over")], orders=[GONE_BACK],
        events=[told_extra("refund_due", "not_handed_over"), intended(50, "not_handed_over"),
                ended("GONE_BACK")],
    )  # fmt: skip
    assert await writes(rows, [*given[:-1], unit()], "end_order($1, $2)", ORDER) == whole(
        captures=[(CAPTURE, {"open": 4950, "fulfilled": 50})],
        ledger=booked("obligations", "sales", 50, "handed_over"),
        order_extras=[settled_extra("fulfilled", "handed_over")],
        orders=[COMPLETED],
        events=[told_extra("fulfilled", "handed_over"), ended("HANDED_OVER")],
    )


def settled_extra(settlement: str, basis: str) -> tuple[UUID, Row]:
    return PART, {"settlement": settlement, "basis": basis, "settled_at": NOW}


def told_extra(settlement: str, basis: str, kind: str = "tip") -> Row:
    data = {"order": str(ORDER), "kind": kind, "settlement": settlement, "basis": basis}
    return event("order_extra", PART, "SETTLED", data=data)


async def test_the_fee_of_a_delivery_that_failed_goes_back_once(rows: Rows) -> None:
    def fee(**given: Any) -> tuple[str, Row]:
        return "order_extras", {"id": PART, "merchant_id": ASHA, "order_id": ORDER,
                                "kind": "delivery_fee", "amount_minor": 50, **given}  # fmt: skip

    async def failed(*given: tuple[str, Row]) -> tuple[bool, Row]:
        said, found = await wrote(
            rows, [*OTHERS, *given, *BEHIND], TABLES, "SELECT delivery_failed($1, $2)", ORDER, NOW
        )
        return said, found

    paid = capture(order_id=ORDER)
    others = ("order_extras", {"id": NEXT, "order_id": OF_ORDER, "kind": "delivery_fee"})
    assert await failed(others, paid, fee()) == (True, whole(
        captures=[(CAPTURE, {"open": 4950, "refund_due": 50, "refund_intended": 50})],
        ledger=booked("obligations", "refunds_payable", 50, "delivery_failed"),
        order_extras=[settled_extra("refund_due", "delivery_failed")],
        refunds=[owed(50, "delivery_failed")],
        events=[told_extra("refund_due", "delivery_failed", "delivery_fee"),
                intended(50, "delivery_failed")],
    ))  # fmt: skip
    done = {"settlement": "fulfilled", "basis": "handed_over", "settled_at": NOW}
    for given in (
        (others, fee()), (others, paid), (paid, fee(**done)), (paid, fee(kind="tip")),
        (capture(order_id=ORDER, reason="late"), fee()),
    ):  # fmt: skip
        assert await failed(*given) == (False, {}), given


ADVANCE: Row = {"lines": [{"mode": "full_prepayment"}]}


async def test_receipts_of_what_was_paid_for_in_advance_close_once_goods_are_handed_over(
    rows: Rows,
) -> None:
    def receipt(key: UUID, **given: Any) -> tuple[str, Row]:
        return "receipts", {**FACTS, "id": key, "kind": "payment",
                            "state": "registered", "body": ADVANCE, **given}  # fmt: skip

    attempts: Given = [
        ("attempts", {"id": UUID(int=key), "payment_id": PART, "state": "captured", "number": key})
        for key in (30, 31, 32, 33)
    ]
    paid: Given = [
        ("payments", {"id": BESIDE, "order_id": OF_ORDER, "state": "succeeded"}),
        ("payments", {"id": PART, "order_id": ORDER, "state": "succeeded"}),
        ("attempts", {"id": BESIDE, "payment_id": BESIDE, "state": "captured"}), *attempts,
        receipt(FIRST, attempt_id=BESIDE),
        receipt(OF_ORDER, kind="closing", attempt_id=UUID(int=30)),
        receipt(NEXT, replaces=BESIDE, attempt_id=UUID(int=31)),
        receipt(THEIRS, body={"lines": [{"mode": "full_payment"}]}, attempt_id=UUID(int=32)),
        receipt(REFUND, attempt_id=UUID(int=33)), order(),
    ]  # fmt: skip
    free = {"capture_id": None, "amount_minor": 0}
    found = await writes(rows, [*paid, unit(**free)], "end_order($1, $2)", ORDER)
    assert found["receipts"] == [(REFUND, {"closes_at": NOW})]
    back = unit(**free, settlement="refund_due", basis="no_drop", state="failed")
    found = await writes(rows, [*paid, back], "end_order($1, $2)", ORDER)
    assert "receipts" not in found


async def test_money_of_a_unit_that_was_not_handed_over_is_owed(rows: Rows) -> None:
    back = {"settlement": "refund_due", "basis": "no_drop", "state": "failed"}
    given = [capture(order_id=ORDER, outside=200), order(), unit(**back), WAITS,
             ("order_refund_parts", {"id": PART, "merchant_id": ASHA, "order_refund_id": ASKED,
                                     "fulfillment_id": UNIT, "amount_minor": 30})]  # fmt: skip
    told = {"part": str(PART), "unit": str(UNIT), "amount": 30, "outcome": "went_back"}
    assert await writes(rows, given, "fulfillment_give_back($1, $2)", UNIT) == whole(
        captures=[(CAPTURE, {"open": 4100, "refund_due": 900, "outside_used": 200,
                             "refund_intended": 700})],
        ledger=[*booked("obligations", "refunds_payable", 900, "no_drop"),
                *booked("refunds_payable", "refunds_outside", 200, "covered_outside")],
        refunds=[owed(700, "no_drop", fulfillment_id=UNIT)],
        order_refund_parts=[(PART, {"outcome": "went_back", "ended_at": NOW})],
        events=[intended(700, "no_drop"), event("order_refund", ASKED, "WAITED", data=told)],
    )  # fmt: skip


async def test_an_order_whose_last_unit_goes_back_has_failed(rows: Rows) -> None:
    back = {"settlement": "refund_due", "basis": "no_drop", "state": "failed"}
    given = [capture(order_id=ORDER), order(), unit(**back)]
    found = await writes(rows, given, "fulfillment_give_back($1, $2)", UNIT)
    assert found["orders"] == [GONE_BACK]
    assert ended("GONE_BACK") in found["events"]


async def test_a_part_that_waited_is_taken_from_what_is_earned(rows: Rows) -> None:
    given = [capture(order_id=ORDER), order(), unit(), WAITS,
             ("order_refunds", {"id": ASKED, "reason": "Too cold"}),
             ("order_refund_parts", {"id": PART, "merchant_id": ASHA, "order_refund_id": ASKED,
                                     "capture_id": CAPTURE, "fulfillment_id": UNIT,
                                     "amount_minor": 30})]  # fmt: skip
    told = {"part": str(PART), "unit": str(UNIT), "amount": 30, "outcome": "taken"}
    assert await writes(rows, given, "fulfillment_hand_over($1, $2)", UNIT) == whole(
        captures=[(CAPTURE, {"open": 4100, "fulfilled": 870, "goodwill": 30,
                             "refund_intended": 30})],
        ledger=[*booked("obligations", "sales", 900, "handed_over"),
                *booked("sales", "refunds_payable", 30, "goodwill")],
        refunds=[owed(30, "asked", part_id=PART, asked_reason="Too cold")],
        order_refund_parts=[(PART, {"outcome": "taken", "ended_at": NOW})],
        events=[intended(30, "asked"), event("order_refund", ASKED, "WAITED", data=told)],
    )  # fmt: skip


async def test_what_was_given_on_trust_and_evidence_against_it_are_written_down(
    rows: Rows,
) -> None:
    exposed: Row = {"fulfillment_id": UNIT, "merchant_id": ASHA, "amount_minor": 900,
                    "currency": "INR", "at": NOW}  # fmt: skip
    for code, why in ((None, "silence"), ("BUSY", "BUSY")):
        found = await writes(rows, [unit(failure_code=code)], "fulfillment_expose($1, $2)", UNIT)
        assert found == {"exposures": [{**exposed, "why": why}]}
    call = "fulfillment_note_discrepancy($1, $2)"
    back = {"settlement": "refund_due", "basis": "no_drop"}
    for how, kind in (({}, "no_drop_after_fulfilled"), (back, "dropped_after_refund")):
        noted = discrepancy(kind, 900, fulfillment_id=UNIT)
        assert await writes(rows, [unit(**how)], call, UNIT) == {"discrepancies": [noted]}
        once: Given = [("discrepancies", {"kind": kind, "fulfillment_id": UNIT})]
        assert await writes(rows, [unit(**how), *once], call, UNIT) == {}
    dead = discrepancy("dead_refund_paid", 500, refund_id=REFUND)
    given = [capture(**DUE), refund(state="failed")]
    found = await writes(rows, given, "refund_note_discrepancy($1, $2)", REFUND)
    assert found == {"discrepancies": [dead]}


INTENDED: Row = {"refund_due": 3000, "refund_intended": 2000}
STOOD: Row = {"origin": "gateway", "state": "succeeded", "in_place_of": REFUND,
              "amount_minor": 400}  # fmt: skip


async def test_a_refund_that_succeeded_is_booked_and_what_stood_in_for_it_stands_alone(
    rows: Rows,
) -> None:
    made = {"state": "succeeded"}
    lines = booked("refunds_payable", "gateway", 500, "refunded")
    call = "refund_book_refund($1, $2)"
    given = [capture(**INTENDED), refund(**made)]
    assert await writes(rows, given, call, REFUND) == whole(ledger=lines)
    outside = {**INTENDED, "outside": 400}
    beside = refund(FIRST, capture_id=FIRST, **STOOD)
    two: Given = [capture(**outside), beside, refund(THEIRS, **STOOD), refund(**made)]
    assert await writes(rows, two, call, REFUND) == whole(
        ledger=lines,
        refunds=[(THEIRS, {"in_place_of": None})],
        events=[event("refund", THEIRS, "MADE_OUTSIDE", data={"amount": 400})],
    )
    sold = [capture(refund_due=2000, refund_intended=2000, outside=400, fulfilled=3000), *two[1:]]
    found = await writes(rows, sold, call, REFUND)
    noted = discrepancy("refunded_outside_and_handed_over", 400)
    assert found["discrepancies"] == [noted]  # fmt: skip
    for odd in ({"in_place_of": None}, {"state": "failed"}):
        given = [capture(**outside), refund(THEIRS, **{**STOOD, **odd}), refund(**made)]
        assert await writes(rows, given, call, REFUND) == whole(ledger=lines), odd
    waits = [*two, refund(NEXT, amount_minor=400)]
    assert await writes(rows, waits, call, REFUND) == whole(ledger=lines)


async def test_a_refund_that_failed_after_all_is_owed_again_where_it_was_booked(
    rows: Rows,
) -> None:
    for origin, account in (("ours", "refunds_payable"), ("gateway", "refunds_outside")):
        given = [capture(**INTENDED), refund(origin=origin, state="failed")]
        assert await writes(rows, given, "refund_unbook_refund($1, $2)", REFUND) == whole(
            ledger=booked("gateway", account, 500, "refund_failed")
        )


async def test_a_refund_that_the_gateway_made_by_itself_pays_ours(rows: Rows) -> None:
    given = [
        capture(**INTENDED, outside=800, outside_used=100),
        refund(THEIRS, **{**STOOD, "amount_minor": 500}), refund(state="succeeded"),
    ]  # fmt: skip
    assert await writes(rows, given, "refund_book_covered($1, $2)", REFUND) == whole(
        captures=[(CAPTURE, {"refund_intended": 1500, "outside_used": 600})],
        ledger=booked("refunds_payable", "refunds_outside", 500, "covered_outside"),
        refunds=[(REFUND, {"covered_by": THEIRS})],
    )
    same = {**STOOD, "amount_minor": 500}
    twins = [given[0], refund(NEXT, **same), refund(UUID(int=25), **same), refund(THEIRS, **same)]
    found = await writes(rows, [*twins, given[2]], "refund_book_covered($1, $2)", REFUND)
    assert (REFUND, {"covered_by": UUID(int=25)}) in found["refunds"]
    alone = refund(NEXT, **{**STOOD, "amount_minor": 400})
    found = await writes(rows, [*given, alone], "refund_book_covered($1, $2)", REFUND)
    assert found["events"] == [event("refund", NEXT, "MADE_OUTSIDE", data={"amount": 400})]


async def test_of_a_refund_that_is_partly_paid_a_smaller_one_asks_for_the_rest(
    rows: Rows,
) -> None:
    of_refund = {"state": "failed", "fulfillment_id": UNIT, "part_id": PART, "asked_reason": "x"}
    for outside, used, covered in ((300, 100, 200), (599, 100, 499), (900, 100, 499)):
        given = [capture(**INTENDED, outside=outside, outside_used=used), refund(**of_refund)]
        rest = 500 - covered
        assert await writes(rows, given, "refund_make_smaller($1, $2)", REFUND) == whole(
            captures=[(CAPTURE, {"refund_intended": 2000 - covered,
                                 "outside_used": used + covered})],
            ledger=booked("refunds_payable", "refunds_outside", covered, "covered_outside"),
            refunds=[owed(rest, "no_drop", fulfillment_id=UNIT, replaces=REFUND, part_id=PART,
                          asked_reason="x")],
            events=[intended(rest, "no_drop")],
        ), outside  # fmt: skip


async def test_what_a_person_would_pay_is_paid_by_what_went_back_outside_oldest_first(
    rows: Rows,
) -> None:
    def waits(key: UUID, minute: int, amount: int = 500, **given: Any) -> tuple[str, Row]:
        return refund(key, **{"state": "owed", "created_at": NOW + minute * SECOND,
                              "amount_minor": amount, **given})  # fmt: skip

    ones = [waits(NEXT, 2), waits(THEIRS, 1), waits(REFUND, 1), waits(FIRST, 0, state="pending"),
            waits(OF_ORDER, 0, origin="gateway"), waits(LINE, 0, capture_id=FIRST)]  # fmt: skip
    call = "cover_owed($1, $2)"
    for free, states in (
        (0, {}), (500, {REFUND: "COVERED"}), (499, {REFUND: "PARTLY_COVERED"}),
        (501, {REFUND: "COVERED", THEIRS: "PARTLY_COVERED"}),
        (1000, {REFUND: "COVERED", THEIRS: "COVERED"}),
        (9000, {REFUND: "COVERED", THEIRS: "COVERED", NEXT: "COVERED"}),
    ):  # fmt: skip
        given = [capture(captured=9000, **INTENDED, outside=free), *ones]
        found = await writes(rows, given, call, CAPTURE)
        moved = [row for row in found.get("events", []) if row["event"].endswith("COVERED")]
        assert {row["subject_id"]: row["event"] for row in moved} == states, free
        for key, how in states.items():
            (changed,) = [one[1] for one in found["refunds"] if isinstance(one, tuple)
                          and one[0] == key]  # fmt: skip
            state = "succeeded" if how == "COVERED" else "failed"
            assert (changed["state"], changed["ended_at"]) == (state, NOW)


async def test_a_refund_of_ours_that_is_dead_is_tried_anew(rows: Rows) -> None:
    of_refund = {"state": "failed", "fulfillment_id": UNIT, "part_id": PART, "asked_reason": "x"}
    given = [capture(**INTENDED, outside=900, outside_used=900), refund(**of_refund)]
    assert await writes(rows, given, "refund_try_anew($1, $2)", REFUND) == whole(
        refunds=[owed(500, "no_drop", fulfillment_id=UNIT, replaces=REFUND, part_id=PART,
                      asked_reason="x")],
        events=[intended(500, "no_drop")],
    )  # fmt: skip


async def test_a_gateways_own_refund_that_failed_pays_nothing_any_more(rows: Rows) -> None:
    theirs = refund(origin="gateway", state="failed")
    call = "refund_try_anew($1, $2)"
    for outside, used, uncovered in ((800, 100, 0), (800, 300, 0), (800, 301, 1), (800, 800, 500)):
        given = [capture(**INTENDED, outside=outside, outside_used=used), theirs]
        changed = {"outside": outside - 500}
        if uncovered:
            changed |= {"outside_used": used - uncovered, "refund_intended": 2000 + uncovered}
        why = "outside_refund_failed"
        assert await writes(rows, given, call, REFUND) == whole(
            captures=[(CAPTURE, changed)],
            ledger=booked("refunds_outside", "refunds_payable", uncovered, "uncovered")
            if uncovered else [],
            refunds=[owed(uncovered, why)] if uncovered else [],
            events=[intended(uncovered, why)] if uncovered else [],
        ), used  # fmt: skip
    paid = {"state": "succeeded", "covered_by": REFUND}
    ours = [refund(NEXT, **paid, amount_minor=150), refund(OF_ORDER, **paid, amount_minor=600),
            refund(THEIRS, **paid, amount_minor=350),
            refund(FIRST, state="succeeded", covered_by=BESIDE, amount_minor=10),
            refund(LINE, **{**paid, "state": "failed"}, amount_minor=10)]  # fmt: skip
    for used, failed, rest in (
        (800, {NEXT: 150, THEIRS: 350}, 0), (799, {NEXT: 150}, 349), (450, {NEXT: 150}, 0),
    ):  # fmt: skip
        given = [capture(**INTENDED, outside=800, outside_used=used), theirs, *ours]
        found = await writes(rows, given, call, REFUND)
        changed_ones = {one[0]: one[1]["ended_at"] for one in found["refunds"]
                        if isinstance(one, tuple)}  # fmt: skip
        assert changed_ones == dict.fromkeys(failed, NOW), used
        anew = [(row.get("replaces"), row["amount_minor"]) for row in found["refunds"]
                if isinstance(row, dict)]  # fmt: skip
        wanted: list[tuple[UUID | None, int]] = list(failed.items())
        assert sorted(anew, key=repr) == sorted(
            [*wanted, *([(None, rest)] if rest else [])], key=repr
        ), used
