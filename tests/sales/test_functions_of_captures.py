"""What money becomes that a gateway reports, and what a refund: whole rows, with the same name at
another account, and another capture of the same account, in front."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ACCOUNT,
    ASHA,
    BESIDE,
    CAPTURE,
    FACTS,
    FIRST,
    NEXT,
    ORDER,
    PART,
    REFUND,
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
    whole,
)
from tests.sales.test_functions_of_settlement import WAITS
from tests.sales.wrote import in_order, wrote

SECOND = timedelta(seconds=1)
OTHER_ACCOUNT, CODE, OTHER_CODE, ATTEMPT, CODED = (UUID(int=n) for n in range(50, 55))
ACCOUNTS: Given = [
    ("gateway_accounts", {"id": key, "merchant_id": ASHA, "gateway": "mock", "slug": str(key)})
    for key in (OTHER_ACCOUNT, ACCOUNT)
]
WINDOWS = {"capture_s": 90, "match_s": 60, "dispatch_s": 120}
TABLES = (
    "captures", "ledger", "refunds", "events", "discrepancies", "attempts", "payments", "orders",
    "fulfillments",
)  # fmt: skip
ACCEPT = "SELECT accept_capture(a, $1, $3, $4) FROM gateway_accounts a WHERE id = $2"
NOTE = "SELECT note_refund(a, $1, $3) FROM gateway_accounts a WHERE id = $2"
FACT: Row = {
    "gateway_payment_id": "pay_1", "money": {"amount": 5000, "currency": "INR"},
    "at": (NOW - 9 * SECOND).isoformat(), "payer_reference": "payer",
}  # fmt: skip
NEW: Row = {
    **FACTS, "gateway_payment_id": "pay_1", "currency": "INR", "captured": 5000, "open": 5000,
    "captured_at": NOW - 9 * SECOND, "captured_here_at": NOW - 9 * SECOND, "seen_at": NOW,
    "hard_deadline": NOW + 90 * SECOND, "payer_reference": "payer",
}  # fmt: skip


def code(key: UUID, name: str, **given: Any) -> tuple[str, Row]:
    return "qr_codes", {**FACTS, "id": key, "qr_code_id": name, "stage": "open", "slot": str(key),
                        "amount_minor": 5000, "outlet_id": "M09", **given}  # fmt: skip


BESIDES: Given = [
    *ACCOUNTS, capture(FIRST, account_id=OTHER_ACCOUNT, gateway_payment_id="pay_1"),
    capture(BESIDE, gateway_payment_id="pay_2"),
    code(OTHER_CODE, "qr_1", account_id=OTHER_ACCOUNT), code(NEXT, "qr_2"),
    ("clocks", {"account_id": OTHER_ACCOUNT, "ahead_ms": 7000, "heard_at": NOW}),
]  # fmt: skip
OUR_CODE = code(CODE, "qr_1")
API: Given = [
    ("payments", {"id": FIRST, "merchant_id": ASHA, "source": "api", "state": "processing",
                  "amount_minor": 5000}),
    ("payments", {"id": PART, "merchant_id": ASHA, "source": "api", "state": "processing",
                  "amount_minor": 5000}),
    ("attempts", {**FACTS, "id": BESIDE, "payment_id": FIRST, "state": "pending", "key": "b"}),
    ("attempts", {**FACTS, "id": ATTEMPT, "payment_id": PART, "state": "pending", "key": "k",
                  "reference": "pay_1"}),
]  # fmt: skip


async def accepted(rows: Rows, given: Given, **odd: Any) -> tuple[str, Row]:
    return await wrote(
        rows, [*BESIDES, *given], TABLES, ACCEPT, {**FACT, **odd}, ACCOUNT, WINDOWS, NOW
    )


async def test_money_of_which_nobody_knows_waits_to_be_matched(rows: Rows) -> None:
    parked = whole(captures=[{**NEW, "due_at": NOW + 60 * SECOND}],
                   ledger=[{**row, "capture_id": "new captures"} for row in
                           booked("gateway", "obligations", 5000, "captured")])  # fmt: skip
    assert await accepted(rows, []) == ("parked", parked)
    for odd in ({"qr_code_id": "qr_9"}, {"qr_code_id": "qr_9", "mark": {"qr": str(OTHER_CODE)}},
                {"mark": {"qr": "no id"}}, {"mark": {"payment": str(PART)}}):  # fmt: skip
        assert await accepted(rows, [], **odd) == ("parked", parked), odd
    _, found = await accepted(rows, [], at=(NOW + SECOND).isoformat())
    assert found["captures"][0]["captured_at"] == NOW
    for ahead, here in ((8000, 1), (6000, 3), (20_000, 0), (4000, 9)):
        clock: Row = {"account_id": ACCOUNT, "ahead_ms": ahead, "heard_at": NOW}
        _, found = await accepted(rows, [("clocks", clock)])
        (row,) = found["captures"]
        assert row["captured_at"] == NOW - 9 * SECOND
        assert row["captured_here_at"] == NOW - here * SECOND, ahead


async def test_money_for_a_code_whose_slot_is_gone_goes_back(rows: Rows) -> None:
    """By the code's name, else by our mark, and of this very account."""
    marks: tuple[tuple[Row, UUID], ...] = (
        ({"qr_code_id": "qr_1"}, CODE), ({"qr_code_id": "qr_2"}, NEXT),
        ({"mark": {"qr": str(CODE)}}, CODE), ({"mark": {"qr": str(NEXT)}}, NEXT),
        ({"qr_code_id": "qr_9", "mark": {"qr": str(CODE)}}, CODE),
        ({"qr_code_id": "qr_1", "mark": {"qr": str(NEXT)}}, CODE),
    )  # fmt: skip
    gone = {"surplus": 5000, "reason": "slot_gone", "refund_intended": 5000, "qr_id": CODE}
    new = {name: value for name, value in NEW.items() if name != "open"}
    lines = [*booked("gateway", "obligations", 5000, "captured"),
             *booked("obligations", "refunds_payable", 5000, "slot_gone")]  # fmt: skip
    for odd, its in marks:
        assert await accepted(rows, [OUR_CODE], **odd) == ("returned", whole(
            captures=[{**new, **gone, "qr_id": its}],
            ledger=[{**row, "capture_id": "new captures"} for row in lines],
            refunds=[owed(5000, "slot_gone", capture_id="new captures")],
            events=[intended(5000, "slot_gone")],
        )), odd  # fmt: skip


AGAIN: Row = {"gateway_payment_id": "pay_1", "due_at": NOW + SECOND, "seen_at": NOW - SECOND}


async def test_money_that_is_told_again_is_known_until_it_is_known_what_for(rows: Rows) -> None:
    mine = capture(**AGAIN, payer_reference="first")
    assert await accepted(rows, [mine]) == ("known", {})
    untold = capture(**AGAIN)
    said = {"captures": [(CAPTURE, {"payer_reference": "payer"})]}
    assert await accepted(rows, [untold]) == ("known", said)
    assert await accepted(rows, [untold], payer_reference=None) == ("known", {})
    changed = {"discrepancies": [discrepancy("capture_amount_changed", 5000)]}
    more = {"amount": 5001, "currency": "INR"}
    assert await accepted(rows, [mine], money=more) == ("known", changed)
    found = await accepted(rows, [mine, OUR_CODE], qr_code_id="qr_1")
    assert found == ("returned", whole(
        captures=[(CAPTURE, {"qr_id": CODE, "due_at": None, "open": 0, "surplus": 5000,
                             "reason": "slot_gone", "refund_intended": 5000})],
        ledger=booked("obligations", "refunds_payable", 5000, "slot_gone"),
        refunds=[owed(5000, "slot_gone")], events=[intended(5000, "slot_gone")],
    ))  # fmt: skip
    for odd in ({"qr_id": NEXT}, {"payment_id": FIRST}, {"fulfilled": 1}):
        settled = capture(**AGAIN, payer_reference="first", **odd)
        assert await accepted(rows, [settled, OUR_CODE], qr_code_id="qr_1") == ("known", {}), odd
        assert await accepted(rows, [settled, *API]) == ("known", {}), odd


COLLECTED: Row = {"payment_id": PART, "open": 0, "fulfilled": 5000}
MOVES = [
    event("attempt", ATTEMPT, "CAPTURED", was="pending", state="succeeded",
          data={"due_at": None, "failure": None, "gateway_payment_id": "pay_1"}),
    event("payment", PART, "CAPTURED", was="processing", state="succeeded", data={"due_at": None}),
]  # fmt: skip
CAPTURED = (ATTEMPT, {"state": "succeeded", "version": 2, "gateway_payment_id": "pay_1"})


async def test_money_of_a_merchants_own_payment_is_earned_at_once(rows: Rows) -> None:
    moved: Row = {
        "attempts": [CAPTURED], "events": MOVES,
        "payments": [(PART, {"state": "succeeded", "version": 2})],
    }  # fmt: skip
    lines = [*booked("gateway", "obligations", 5000, "captured"),
             *booked("obligations", "sales", 5000, "collected")]  # fmt: skip
    new = {name: value for name, value in NEW.items() if name != "open"}
    first = whole(
        captures=[{**new, "payment_id": PART, "fulfilled": 5000}],
        ledger=[{**row, "capture_id": "new captures"} for row in lines], **moved,
    )  # fmt: skip
    assert await accepted(rows, API) == ("collected", first)
    # A code of the attempt says the same as the attempt's name.
    named = [*API[:-1], (API[-1][0], {**API[-1][1], "reference": None})]
    coded = [*named, code(CODE, "qr_1", attempt_id=ATTEMPT, payment_id=PART)]
    with_code = {**first, "captures": [{**first["captures"][0], "qr_id": CODE}]}
    assert await accepted(rows, coded, qr_code_id="qr_1") == ("collected", with_code)
    parked = capture(**AGAIN, payer_reference="first")
    assert await accepted(rows, [*API, parked]) == ("collected", whole(
        captures=[(CAPTURE, {**COLLECTED, "due_at": None})], ledger=lines[2:], **moved,
    ))  # fmt: skip


async def test_money_for_an_order_that_is_over_goes_back(rows: Rows) -> None:
    """`pay_placed` is asked for what an order's payment took, and not the merchant's own."""
    paid: Given = [
        order(state="expired", currency="INR", ended_at=NOW, due_at=None),
        ("outlets", {"id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt",
                     "dialect": "leased"}),
        (API[1][0], {**API[1][1], "source": "order", "order_id": ORDER, "state": "canceled"}),
        API[3],
    ]  # fmt: skip
    said, found = await accepted(rows, paid)
    (row,) = found["captures"]
    assert (said, row["reason"], row["order_id"], row["payment_id"]) == (
        "returned", "order_expired", ORDER, PART,
    )  # fmt: skip
    assert found["refunds"] == [owed(5000, "order_expired", capture_id="new captures")]


async def test_a_code_of_an_order_is_no_printed_one_though_its_slot_could_be_sold(
    rows: Rows,
) -> None:
    sellable: Given = [
        ("outlets", {"id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt",
                     "dialect": "leased", "currency": "INR"}),
        ("slots", {"outlet_id": "M01", "slot": "A1", "product_id": FIRST, "price_minor": 5000}),
        ("products", {"id": FIRST, "merchant_id": ASHA, "sku": "can"}),
    ]  # fmt: skip
    place: Row = {"slot": "A1", "outlet_id": "M01", "currency": "INR"}
    said, found = await accepted(rows, [*sellable, code(CODE, "qr_1", **place)], qr_code_id="qr_1")
    assert (said, len(found["orders"])) == ("paid", 1)
    of_order: Given = [
        order(state="expired", currency="INR", ended_at=NOW, due_at=None), API[3],
        (API[1][0], {**API[1][1], "source": "order", "order_id": ORDER, "state": "canceled"}),
        code(CODE, "qr_1", payment_id=PART, attempt_id=ATTEMPT, **place),
    ]  # fmt: skip
    said, found = await accepted(rows, [*sellable, *of_order], qr_code_id="qr_1")
    assert (said, found["captures"][0]["order_id"]) == ("returned", ORDER)


TOLD: Row = {
    "gateway_refund_id": "rf_1", "gateway_payment_id": "pay_1", "stage": "processed",
    "money": {"amount": 500, "currency": "INR"}, "mark": None,
}  # fmt: skip
PAID: Row = {"gateway_payment_id": "pay_1", "order_id": ORDER}
DUE: Row = {**PAID, "refund_due": 3000, "refund_intended": 500}
MARK: Row = {"refund": str(REFUND)}
STRANGERS: Given = [
    *ACCOUNTS, capture(FIRST, account_id=OTHER_ACCOUNT, gateway_payment_id="pay_1"),
    capture(BESIDE, gateway_payment_id="pay_2"),
    refund(FIRST, capture_id=FIRST, account_id=OTHER_ACCOUNT, gateway_refund_id="rf_1"),
    refund(BESIDE, capture_id=BESIDE, gateway_refund_id="rf_2"),
]  # fmt: skip
OUTSIDE: Row = {"outside": 500}
MADE: Row = {
    **FACTS, "capture_id": CAPTURE, "origin": "gateway", "state": "succeeded", "version": 1,
    "amount_minor": 500, "currency": "INR", "reason": "outside", "key": "gw_rf_1",
    "gateway_refund_id": "rf_1", "created_at": NOW, "ended_at": NOW, "hard_deadline": NOW,
}  # fmt: skip
OUT = booked("refunds_outside", "gateway", 500, "refunded_outside")
DONE = {"state": "succeeded", "version": 2, "gateway_refund_id": "rf_1", "ended_at": NOW,
        "due_at": None}  # fmt: skip
GONE_TWICE = discrepancy("refunded_twice", 500, refund_id="new refunds")
MADE_OUTSIDE = event("refund", "new refunds", "MADE_OUTSIDE", data={"amount": 500})


async def noted(rows: Rows, given: Given, **odd: Any) -> tuple[str, Row]:
    return await wrote(rows, [*STRANGERS, *given], TABLES, NOTE, {**TOLD, **odd}, ACCOUNT, NOW)


async def test_a_refund_of_ours_goes_on_as_the_gateway_tells(rows: Rows) -> None:
    mine = refund(due_at=NOW, created_at=NOW - SECOND)
    by_id = refund(due_at=NOW, gateway_refund_id="rf_1")
    told = {"gateway_refund_id": "rf_1", "ended_at": NOW.isoformat(), "due_at": None}
    moved = event("refund", REFUND, "PROVED", was="pending", state="succeeded", data=told)
    proved = whole(
        refunds=[(REFUND, DONE)], events=[moved],
        ledger=booked("refunds_payable", "gateway", 500, "refunded"),
    )  # fmt: skip
    assert await noted(rows, [capture(**DUE), mine], mark=MARK) == ("refund", proved)
    named = {key: value for key, value in DONE.items() if key != "gateway_refund_id"}
    assert await noted(rows, [capture(**DUE), by_id]) == (
        "refund", {**proved, "refunds": [(REFUND, named)]},
    )  # fmt: skip
    later = NOW + 5 * SECOND
    taken = {"gateway_refund_id": "rf_1", "ended_at": None, "due_at": later.isoformat()}
    for stage in ("pending", "created"):
        said, found = await noted(rows, [capture(**DUE), mine], mark=MARK, stage=stage)
        assert (said, found) == ("refund", whole(
            refunds=[(REFUND, {"gateway_refund_id": "rf_1", "due_at": later, "version": 2})],
            events=[event("refund", REFUND, "TAKEN_UP", was="pending", state="pending",
                          data=taken)],
        ))  # fmt: skip
    said, found = await noted(rows, [capture(**DUE), mine], mark=MARK, stage="failed")
    failed = event("refund", REFUND, "FAILED_THERE", was="pending", state="failed", data=told)
    assert (said, found) == ("refund", whole(
        refunds=[(REFUND, {**DONE, "state": "failed"}), owed(500, "no_drop", replaces=REFUND)],
        events=[failed, intended(500, "no_drop")],
    ))  # fmt: skip


async def test_a_refund_that_nobody_asked_for_is_booked_as_it_is(rows: Rows) -> None:
    whole_one = [capture(**PAID, refund_due=5000, refund_intended=5000), WAITS]
    outside = whole(captures=[(CAPTURE, OUTSIDE)], ledger=OUT, refunds=[MADE],
                    events=[MADE_OUTSIDE], discrepancies=[GONE_TWICE])  # fmt: skip
    sent = [whole_one[0], (WAITS[0], {**WAITS[1], "sent_at": NOW})]
    assert await noted(rows, sent) == ("refunded_outside", outside)
    for odd, said in (
        ({"gateway_payment_id": "pay_9"}, "refund_of_unknown"), ({"stage": "pending"},
         "refund_outside_pending"), ({"stage": "failed"}, "refund_outside_pending"),
        ({"money": {"amount": 500, "currency": "USD"}}, "refund_in_another_currency"),
    ):  # fmt: skip
        assert await noted(rows, sent, **odd) == (said, {}), odd
    foreign = capture(**PAID, foreign_amount=5000, open=0, reason="foreign")
    assert await noted(rows, [foreign]) == ("foreign", {})
    known = refund(origin="gateway", state="succeeded", gateway_refund_id="rf_1")
    for stage in ("processed", "pending"):
        assert await noted(rows, [*sent, known], stage=stage) == ("known", {})
    # What was not sent is not sent any more: its money went back.
    said, found = await noted(rows, [capture(**PAID), WAITS, order(), unit_of_others()])
    assert said == "refunded_outside"
    assert [row[0] for row in found["fulfillments"]] == [NEXT]
    gone = {"open": 4100, "refund_due": 900, "outside_used": 500, "refund_intended": 400}
    assert found["captures"] == [(CAPTURE, {**OUTSIDE, **gone})]


def unit_of_others() -> tuple[str, Row]:
    return "fulfillments", {**WAITS[1], "id": UNIT, "capture_id": BESIDE}


async def test_a_refund_that_was_booked_as_made_outside_pays_ours_once_it_is_named(
    rows: Rows,
) -> None:
    theirs = refund(THEIRS, origin="gateway", state="succeeded", gateway_refund_id="rf_1")
    given = [capture(**DUE, **OUTSIDE), theirs, refund()]
    covered = event("refund", REFUND, "COVERED", was="pending", state="succeeded",
                    data={"ended_at": NOW.isoformat(), "due_at": None})  # fmt: skip
    paid = {"state": "succeeded", "version": 2, "ended_at": NOW, "covered_by": THEIRS}
    assert await noted(rows, given, mark=MARK) == ("refund", whole(
        captures=[(CAPTURE, {"refund_intended": 0, "outside_used": 500})],
        ledger=booked("refunds_payable", "refunds_outside", 500, "covered_outside"),
        refunds=[(REFUND, paid), (THEIRS, {"in_place_of": REFUND})], events=[covered],
    ))  # fmt: skip
    for odd in (
        {"state": "succeeded"}, {"amount_minor": 501}, {"origin": "gateway"},
        {"capture_id": BESIDE},
    ):  # fmt: skip
        said, found = await noted(rows, [*given[:2], refund(**odd)], mark=MARK)
        assert (said, found) == ("known", {}), odd
    used = [capture(**DUE, outside=500, outside_used=1), *given[1:]]
    assert await noted(rows, used, mark=MARK) == ("known", {})
    taken = refund(NEXT, state="succeeded", covered_by=THEIRS, amount_minor=1)
    assert await noted(rows, [*given, taken], mark=MARK) == ("known", {})
    beside: Given = [
        ("refunds", {**theirs[1], "id": UUID(int=number), "key": f"k{number}", **odd})
        for number, odd in (
            (301, {"account_id": UUID(int=59)}),
            (302, {"gateway_refund_id": "x"}),
        )
    ]
    for both in ([*beside, *given], [*given, *beside]):
        _, found = await noted(rows, both, mark=MARK)
        assert (THEIRS, {"in_place_of": REFUND}) in found["refunds"]
    # One of ours that has this id is itself; one of theirs that had failed came alive.
    ours = refund(THEIRS, state="succeeded", gateway_refund_id="rf_1")
    assert (await noted(rows, [given[0], ours, refund()], mark=MARK))[0] == "refund"
    dead = refund(THEIRS, origin="gateway", state="failed", gateway_refund_id="rf_1")
    assert (await noted(rows, [given[0], dead, refund()], mark=MARK))[0] == "refunded_outside"
    # Marks of another capture, and another sum under the same id.
    elsewhere = [*given[:2], refund(capture_id=BESIDE), refund(NEXT)]
    assert await noted(rows, elsewhere, mark=MARK) == ("known", {})
    less = (theirs[0], {**theirs[1], "amount_minor": 400})
    assert await noted(rows, [given[0], less, refund()], mark=MARK) == ("known", {})
    for mark in (MARK, None):
        said, found = await noted(rows, given, mark=mark, stage="failed")
        (moved,) = [one[1] for one in found["refunds"] if one[0] == THEIRS]
        assert (said, moved["state"]) == ("refund", "failed")
    owing = [*given[:2], refund(state="owed")]
    assert (await noted(rows, owing, mark=MARK))[0] == "refund"


async def test_a_dead_refund_that_was_made_after_all_is_booked_once_more(rows: Rows) -> None:
    dead = refund(state="failed", gateway_refund_id="rf_1")
    given = [capture(**{**DUE, "refund_intended": 1000}), dead, refund(NEXT, replaces=REFUND)]
    # By its own id, whatever payment it is told of.
    said, found = await noted(rows, given, gateway_payment_id="pay_2")
    assert said == "refunded_outside"
    assert found["refunds"] == in_order([
        (REFUND, {"gateway_refund_id": None, "version": 2}),
        {**MADE, "reason": "paid_before", "in_place_of": NEXT},
    ])  # fmt: skip
    assert found["captures"] == [(CAPTURE, OUTSIDE)]
    stands_in = {"amount": 500, "refund": str(NEXT)}
    assert event("refund", "new refunds", "STANDS_IN", data=stands_in) in found["events"]
    assert discrepancy("dead_refund_paid", 500, refund_id=REFUND) in found["discrepancies"]
    for stage in ("pending", "failed"):
        said, found = await noted(rows, given, stage=stage)
        assert (said, "captures" in found) == ("refund", False)


async def test_a_refund_that_something_else_paid_and_that_was_made_too_is_one_more(
    rows: Rows,
) -> None:
    paid: Given = [
        capture(**DUE), refund(state="succeeded", gateway_refund_id="rf_1"),
        ("events", {"merchant_id": ASHA, "machine": "refund", "subject_id": REFUND,
                    "event": "PAID_BY_HAND", "was": "owed", "state": "succeeded"}),
    ]  # fmt: skip
    for stage in ("pending", "failed"):
        assert await noted(rows, paid, stage=stage) == ("known", {})
    said, found = await noted(rows, paid)
    assert (said, found["captures"]) == ("refunded_outside", [(CAPTURE, OUTSIDE)])
    assert found["refunds"] == in_order([
        (REFUND, {"gateway_refund_id": None}), {**MADE, "reason": "paid_before"},
    ])  # fmt: skip


async def test_one_that_a_person_would_pay_is_paid_by_it(rows: Rows) -> None:
    said, found = await noted(rows, [capture(**DUE), refund(state="owed")])
    assert said == "refunded_outside"
    assert [row for row in found["refunds"] if isinstance(row, dict)] == [
        {**MADE, "in_place_of": REFUND}
    ]
    assert "discrepancies" not in found


async def test_of_ours_that_wait_the_oldest_of_this_sum_is_what_it_may_be(rows: Rows) -> None:
    def waits(key: int, **given: Any) -> tuple[str, Row]:
        return refund(UUID(int=key), **({"created_at": NOW - SECOND} | given))

    others: list[Row] = [
        {"capture_id": BESIDE}, {"origin": "gateway"}, {"state": "succeeded"},
        {"gateway_refund_id": "rf_7"}, {"amount_minor": 499},
    ]  # fmt: skip
    own = [
        waits(202), waits(201), waits(203, created_at=NOW),
        *(waits(number, created_at=NOW - 9 * SECOND, **odd)
          for number, odd in enumerate(others, start=101)),
        waits(100, created_at=NOW - 9 * SECOND),
        refund(THEIRS, origin="gateway", state="succeeded", in_place_of=UUID(int=100)),
    ]  # fmt: skip
    given = [capture(**{**DUE, "refund_intended": 3000}), *own]
    said, found = await noted(rows, given)
    assert said == "refunded_outside"
    assert [row for row in found["refunds"] if isinstance(row, dict)] == [
        {**MADE, "in_place_of": UUID(int=201)}
    ]
    assert "discrepancies" not in found


SPARE: tuple[tuple[Row, Row | None, list[tuple[str, int]]], ...] = (
    # What is on the capture, one of ours that waits, and what disagrees.
    ({"fulfilled": 5000, "outside": 300}, None, [("refunded_outside_and_handed_over", 300)]),
    ({"fulfilled": 200, "outside": 300, "refund_due": 4800}, None,
     [("refunded_outside_and_handed_over", 200), ("refunded_twice", 100)]),
    ({"refund_due": 4700, "outside": 300}, None, []),
    ({"refund_due": 4701, "outside": 300}, None, [("refunded_twice", 1)]),
    ({"refund_due": 5000, "outside": 300, "outside_used": 300}, None, []),
    ({"refund_due": 5000, "outside": 300, "outside_used": 100}, None, [("refunded_twice", 200)]),
    ({"refund_due": 5000, "outside": 300}, {"amount_minor": 300}, []),
    ({"refund_due": 5000, "outside": 300}, {"amount_minor": 299}, [("refunded_twice", 1)]),
    ({"fulfilled": 1000, "outside": 300, "refund_due": 4000}, {"amount_minor": 300}, []),
    ({"fulfilled": 1000, "outside": 301, "refund_due": 4000}, {"amount_minor": 300},
     [("refunded_outside_and_handed_over", 1)]),
    *(({"refund_due": 5000, "outside": 300}, {"amount_minor": 300, **odd},
       [("refunded_twice", 300)])
      for odd in ({"state": "owed"}, {"origin": "gateway"}, {"capture_id": BESIDE})),
)  # fmt: skip
BEFORE: tuple[tuple[Row, Row | None, list[tuple[str, int]]], ...] = (
    ({"fulfilled": 5000, "outside": 300}, None, [("refunded_twice", 300)]),
    ({"fulfilled": 5000, "outside": 300, "outside_used": 0}, {"amount_minor": 299},
     [("refunded_twice", 1)]),
    ({"refund_due": 5000, "outside": 300, "outside_used": 300}, None, []),
    ({"refund_due": 5000, "outside": 301, "outside_used": 300}, None, [("refunded_twice", 1)]),
    ({"refund_due": 5000, "outside": 300}, {"amount_minor": 300}, []),
    *(({"refund_due": 5000, "outside": 300}, {"amount_minor": 300, **odd},
       [("refunded_twice", 300)])
      for odd in ({"state": "owed"}, {"origin": "gateway"}, {"capture_id": BESIDE},
                  {"gateway_refund_id": "rf_9"})),
)  # fmt: skip


async def test_what_went_back_outside_and_was_not_owed_is_a_persons(rows: Rows) -> None:
    call, of_refund = "SELECT judge_outside($1, $2, $3)", {"refund_id": THEIRS}
    tables = (("outside", SPARE), ("paid_before", BEFORE))
    for reason, table in tables:
        for money, waits, kinds in table:
            odd_one = {"key": "own", **waits} if waits is not None else None
            given: Given = [
                capture(BESIDE, outside=900), capture(**money),
                refund(THEIRS, origin="gateway", state="succeeded", reason=reason),
                refund(BESIDE, reason="outside" if reason == "paid_before" else "paid_before"),
            ]  # fmt: skip
            if odd_one is not None:
                given.append(("refunds", {**refund()[1], **odd_one}))
            given[3][1]["capture_id"] = FIRST
            _, found = await wrote(rows, given, TABLES, call, CAPTURE, THEIRS, NOW)
            said = [
                discrepancy(kind, minor, **(of_refund if "twice" in kind else {}))
                for kind, minor in kinds
            ]  # fmt: skip
            assert found == whole(discrepancies=said), (reason, money, waits)
