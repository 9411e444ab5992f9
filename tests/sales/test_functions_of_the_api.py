"""What payments of a merchant's own server and refunds that a person makes of an order write: whole
rows, what is left of a unit, and which keys and deliveries are pruned; others stand in front."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ACCOUNT,
    ASHA,
    ASKED,
    BESIDE,
    CAPTURE,
    FACTS,
    FIRST,
    NEXT,
    OF_ORDER,
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
    unit,
    whole,
)
from tests.sales.wrote import in_order, wrote

SECOND, MOMENT = timedelta(seconds=1), timedelta(microseconds=1)
OTHER_ACCOUNT, ATTEMPT, OTHERS_ATTEMPT, SECOND_ATTEMPT = (UUID(int=n) for n in range(30, 34))
HELD = NOW + SECOND
TABLES = (
    "captures", "ledger", "refunds", "events", "discrepancies", "attempts", "payments", "orders",
    "fulfillments", "order_refund_parts",
)  # fmt: skip
ACCOUNTS: Given = [
    ("gateway_accounts", {"id": key, "merchant_id": ASHA, "gateway": "mock", "slug": str(key)})
    for key in (OTHER_ACCOUNT, ACCOUNT)
]


def attempt(key: UUID = ATTEMPT, /, **given: Any) -> tuple[str, Row]:
    return "attempts", {**FACTS, "id": key, "payment_id": PART, "number": key.int, "key": str(key),
                        "state": "pending", "reference": str(key), **given}  # fmt: skip


def payment(key: UUID = PART, /, **given: Any) -> tuple[str, Row]:
    return "payments", {"id": key, "merchant_id": ASHA, "source": "api", "state": "processing",
                        "amount_minor": 5000, **given}  # fmt: skip


BESIDES: Given = [
    *ACCOUNTS, payment(FIRST), attempt(OTHERS_ATTEMPT, payment_id=FIRST, due_at=HELD),
    capture(FIRST, payment_id=FIRST, fulfilled=5000, outside=900),
    payment(),
]  # fmt: skip
SOON = (ATTEMPT, {"due_at": NOW, "lease": 1})
LOOKS: tuple[tuple[Row, Any], ...] = (
    ({"due_at": HELD}, SOON), ({"due_at": NOW + MOMENT}, SOON), ({"due_at": NOW}, None),
    ({"due_at": None}, None), ({"due_at": HELD, "state": "unknown"}, SOON),
    ({"due_at": HELD, "state": "started"}, None), ({"due_at": HELD, "state": "failed"}, None),
    ({"due_at": HELD, "state": "succeeded"}, None),
    ({"due_at": HELD, "wish": "take", "wish_minor": 1, "wish_key": "w"}, None),
    ({"due_at": NOW - SECOND, "leased_until": HELD},
     (ATTEMPT, {"due_at": NOW, "leased_until": None, "lease": 1})),
    ({"leased_until": HELD}, (ATTEMPT, {"due_at": NOW, "leased_until": None, "lease": 1})),
)  # fmt: skip


async def test_what_is_not_captured_yet_is_asked_about_soon(rows: Rows) -> None:
    call = "SELECT look_soon(a, $1, $3) FROM gateway_accounts a WHERE id = $2"
    by_mark: Row = {"gateway_payment_id": "x", "mark": {"payment": str(PART)}}
    by_name: Row = {"gateway_payment_id": str(ATTEMPT), "mark": None}
    for odd, changed in LOOKS:
        for fact in (by_mark, by_name):
            _, found = await wrote(
                rows, [*BESIDES, attempt(**odd)], TABLES, call, fact, ACCOUNT, NOW
            )
            assert found == ({"attempts": [changed]} if changed else {}), (odd, fact)
    others = [
        attempt(due_at=HELD), attempt(SECOND_ATTEMPT, due_at=HELD),
        attempt(THEIRS, due_at=HELD, account_id=OTHER_ACCOUNT),
        attempt(NEXT, due_at=HELD, key=None),
    ]  # fmt: skip
    _, found = await wrote(rows, [*BESIDES, *others], TABLES, call, by_name, ACCOUNT, NOW)
    assert found == {"attempts": in_order([SOON, (SECOND_ATTEMPT, SOON[1])])}
    nobodys = {"gateway_payment_id": "x", "mark": None}
    called = (nobodys, ACCOUNT, NOW)
    assert (await wrote(rows, [*BESIDES, *others], TABLES, call, *called))[1] == {}


COLLECT = "SELECT collect_api(c, $2, $3) FROM captures c WHERE id = $1"
DONE = (ATTEMPT, {"state": "succeeded", "version": 2, "gateway_payment_id": str(CAPTURE)})
CAPTURED = event(
    "attempt", ATTEMPT, "CAPTURED", was="pending", state="succeeded",
    data={"due_at": None, "failure": None, "gateway_payment_id": str(CAPTURE)},
)  # fmt: skip
BUYS: tuple[tuple[Row, Row, Row, str | None], ...] = (
    # The capture, the payment, the attempt, and why the money goes back.
    ({}, {}, {}, None), ({}, {"state": "failed"}, {}, None),
    ({}, {"state": "authorized"}, {}, None),
    ({}, {"state": "canceled"}, {}, "payment_canceled"),
    ({}, {"state": "succeeded"}, {}, "paid_twice"),
    ({"outside": 1}, {}, {}, "refunded_outside"),
    ({"captured": 4000}, {}, {}, "amount_mismatch"),
    ({"captured": 4000}, {}, {"asked_minor": [4000]}, None),
    ({"captured": 4000}, {}, {"asked_minor": [3000, 4000, 2000]}, None),
    ({"captured": 4000}, {}, {"asked_minor": [4001, 3999]}, "amount_mismatch"),
    ({}, {}, {"asked_minor": [4000]}, None), ({"currency": "USD"}, {}, {}, "amount_mismatch"),
    ({"captured": 4000}, {"state": "canceled"}, {}, "amount_mismatch"),
)  # fmt: skip


async def test_money_of_a_merchants_payment_is_earned_or_goes_back_whole(rows: Rows) -> None:
    others = [
        attempt(THEIRS, account_id=OTHER_ACCOUNT, asked_minor=[4000]),
        attempt(NEXT, payment_id=FIRST, asked_minor=[4000]),
    ]  # fmt: skip
    for of_capture, of_payment, of_attempt, why in BUYS:
        given = [*BESIDES[:-1], payment(**of_payment), *others, attempt(**of_attempt),
                 capture(**of_capture)]  # fmt: skip
        said, found = await wrote(rows, given, TABLES, COLLECT, CAPTURE, ATTEMPT, NOW)
        captured = of_capture.get("captured", 5000)
        was = of_payment.get("state", "processing")
        if why is None:
            moved = event("payment", PART, "CAPTURED", was=was, state="succeeded",
                          data={"due_at": None})  # fmt: skip
            assert (said, found) == ("collected", whole(
                captures=[(CAPTURE, {"payment_id": PART, "open": 0, "fulfilled": captured})],
                ledger=booked("obligations", "sales", captured, "collected"), attempts=[DONE],
                payments=[(PART, {"state": "succeeded", "version": 2})],
                events=[CAPTURED, moved],
            )), (of_capture, of_payment, of_attempt)  # fmt: skip
            continue
        (back,) = found["captures"]
        assert (said, back[1]["reason"], back[1]["surplus"]) == ("returned", why, captured)
        assert back[1]["payment_id"] == PART
        assert (found["attempts"], "payments" in found) == ([DONE], False)


WISHES: tuple[tuple[int | None, int], ...] = (
    # What is asked for of 4000, and what is made.
    (None, 4000), (1, 1), (0, 0), (-1, 0), (3999, 3999), (4000, 4000), (4001, 0),
)  # fmt: skip


async def test_a_merchant_asks_for_a_refund_of_what_is_left(rows: Rows) -> None:
    call = "SELECT ask_refund($1, $2, $3, $4)"
    mine = {"payment_id": PART, "refund_due": 1000, "refund_intended": 700}
    strangers = [
        capture(BESIDE, payment_id=FIRST, fulfilled=5000),
        capture(THEIRS, payment_id=PART, surplus=5000, reason="paid_twice"),
    ]  # fmt: skip
    for wish, made in WISHES:
        given = [*BESIDES, *strangers, capture(fulfilled=4000, **mine)]
        said, found = await wrote(rows, given, TABLES, call, PART, wish, "Late", NOW)
        if not made:
            assert (said, found) == (None, {}), wish
            continue
        assert found == whole(
            captures=[(CAPTURE, {"fulfilled": 4000 - made, "refund_due": 1000 + made,
                                 "refund_intended": 700 + made})],
            ledger=booked("sales", "refunds_payable", made, "asked"),
            refunds=[owed(made, "asked", asked_reason="Late")], events=[intended(made, "asked")],
        ), wish  # fmt: skip
        assert isinstance(said, UUID)
    for lacks in ([*BESIDES, *strangers], [*BESIDES, capture(payment_id=PART, refund_due=5000)]):
        for wish in (None, 1):
            assert await wrote(rows, lacks, TABLES, call, PART, wish, "x", NOW) == (None, {})


FORGONE: tuple[tuple[int, int, int, int], ...] = (
    # What was given back outside and used of it, what is earned, and what is given up of that.
    (900, 0, 5000, 900), (900, 300, 5000, 600), (900, 0, 400, 400), (900, 0, 900, 900),
    (900, 900, 5000, 0), (900, 0, 0, 0), (0, 0, 5000, 0),
)  # fmt: skip


async def test_what_the_merchant_gave_back_at_the_gateway_counts_as_asked_for(rows: Rows) -> None:
    call = "SELECT forgo_outside($1, $2)"
    for outside, used, earned, gone in FORGONE:
        mine = capture(captured=9000, payment_id=PART, outside=outside, outside_used=used,
                       fulfilled=earned, refund_due=used)  # fmt: skip
        changed = {"fulfilled": earned - gone, "refund_due": used + gone,
                   "outside_used": used + gone}  # fmt: skip
        _, found = await wrote(rows, [*BESIDES, mine], TABLES, call, CAPTURE, NOW)
        assert found == whole(
            captures=[(CAPTURE, changed)] if gone else [],
            ledger=[*booked("sales", "refunds_payable", gone, "refunded_outside"),
                    *booked("refunds_payable", "refunds_outside", gone, "covered_outside")]
            if gone else [],
        ), (outside, used, earned)  # fmt: skip
    of_order = payment(NEXT, source="order", order_id=OF_ORDER)
    for its in ({"payment_id": NEXT}, {"payment_id": None}):
        given = [*BESIDES, of_order, capture(outside=900, fulfilled=5000, **its)]
        assert (await wrote(rows, given, TABLES, call, CAPTURE, NOW))[1] == {}, its


def key(name: str = "k", **given: Any) -> tuple[str, Row]:
    row = {"merchant_id": ASHA, "endpoint": "/payments", "key": name,
           "started_at": NOW - SECOND, "locked_until": NOW - SECOND, **given}  # fmt: skip
    return "idempotency_keys", row


KEYS: tuple[tuple[Row, Row | None, bool], ...] = (
    # The key, the payment that it names, and whether it is pruned.
    ({}, None, True), ({"started_at": NOW - MOMENT, "locked_until": NOW - MOMENT}, None, True),
    ({"started_at": NOW}, None, False), ({"locked_until": NOW}, None, False),
    ({"started_at": NOW, "done_at": NOW - MOMENT, "status": 200}, None, True),
    ({"done_at": NOW, "status": 200}, None, False),
    ({"subject_id": PART}, {}, False), ({"subject_id": PART}, {"state": "succeeded"}, True),
    ({"subject_id": PART}, {"state": "canceled"}, True),
    ({"subject_id": PART}, {"state": "failed"}, True),
    ({"subject_id": PART}, {"state": "authorized"}, False),
    ({"subject_id": PART}, {"state": "requires_action"}, False),
    ({"subject_id": NEXT}, {}, True), ({"endpoint": f"/payments/{PART}/refunds"}, {}, False),
    ({"endpoint": f"/payments/{PART}"}, {}, False),
    ({"endpoint": f"/payments/{PART}/refunds", "subject_id": NEXT}, {}, False),
    ({"endpoint": f"/payments/{PART}/refunds"}, {"state": "succeeded"}, True),
    ({"endpoint": f"/{PART}/payments"}, {}, True), ({"endpoint": f"/a/b/{PART}"}, {}, True),
)  # fmt: skip


async def test_keys_are_pruned_whose_answer_is_old_and_whose_payment_has_ended(rows: Rows) -> None:
    prune = "SELECT prune_keys($1, $2)"
    table = ["idempotency_keys"]
    for odd, of_payment, gone in KEYS:
        paid = [] if of_payment is None else [payment(**of_payment)]
        young = key("young", started_at=NOW)
        said, found = await wrote(rows, [*paid, young, key(**odd)], table, prune, NOW, 9)
        name = (ASHA, odd.get("endpoint", "/payments"), "k")
        assert (said, found) == ((1, {"idempotency_keys": [(name, None)]}) if gone else (0, {})), (
            odd, of_payment,
        )  # fmt: skip
    three = [key(f"k{n}") for n in range(3)]
    for most in (0, 1, 2, 3, 4):
        said, found = await wrote(rows, three, table, prune, NOW, most)
        assert (said, len(found.get(table[0], []))) == (min(most, 3), min(most, 3))


def delivery(number: int, ended: Any) -> tuple[str, Row]:
    due = {"due_at": NOW} if ended is None else {"outcome": "delivered"}
    return "deliveries", {"id": UUID(int=number), "merchant_id": ASHA, "seq": number,
                          "ended_at": ended, **due}  # fmt: skip


def tried(number: int, nth: int = 1) -> tuple[str, Row]:
    return "delivery_tries", {"delivery_id": UUID(int=number), "number": nth, "merchant_id": ASHA}


async def test_deliveries_that_ended_are_pruned_with_their_tries_the_oldest_first(
    rows: Rows,
) -> None:
    tables = ("deliveries", "delivery_tries")
    given = [
        delivery(1, NOW), delivery(2, NOW - MOMENT), delivery(3, None), delivery(4, NOW - SECOND),
        *(tried(number) for number in (1, 2, 3, 4)), tried(4, 2),
    ]  # fmt: skip
    gone = {2: [UUID(int=2)], 4: [UUID(int=4)]}
    for most, numbers in ((9, (2, 4)), (2, (2, 4)), (1, (4,)), (0, ())):
        said, found = await wrote(rows, given, tables, "SELECT prune_deliveries($1, $2)", NOW, most)
        tries = [(n, nth) for n, nth in ((2, 1), (4, 1), (4, 2)) if n in numbers]
        assert (said, found) == (len(numbers), {
            k: v for k, v in {
                "deliveries": in_order((gone[n][0], None) for n in numbers),
                "delivery_tries": in_order(((UUID(int=n), nth), None) for n, nth in tries),
            }.items() if v
        }), most  # fmt: skip


def part(key: UUID = PART, /, **given: Any) -> tuple[str, Row]:
    return "order_refund_parts", {
        "id": key, "merchant_id": ASHA, "order_refund_id": ASKED, "capture_id": CAPTURE,
        "fulfillment_id": UNIT, "amount_minor": 200, **given,
    }  # fmt: skip


ENDED: Row = {"ended_at": NOW}
BACK: Row = {"settlement": "refund_due", "basis": "no_drop", "state": "failed"}
LEFT: tuple[tuple[Given, Row, int], ...] = (
    ([], {}, 900), ([], {"settlement": None, "basis": None, "due_at": NOW, "state": "queued"}, 900),
    ([], BACK, 0),
    ([part()], {}, 700), ([part(outcome="taken", **ENDED)], {}, 700),
    ([part(outcome="went_back", **ENDED)], {}, 900),
    ([part(outcome="withdrawn", **ENDED)], {}, 700),
    ([part(), part(NEXT, amount_minor=300)], {}, 400), ([part(fulfillment_id=BESIDE)], {}, 900),
    ([("corrections", {"fulfillment_id": UNIT, "made_by": "kim"})], {}, 0),
    ([("corrections", {"fulfillment_id": BESIDE, "made_by": "kim"})], {}, 900),
    ([part()], BACK, 0),
)  # fmt: skip


async def test_what_of_a_units_money_can_still_be_given_back(rows: Rows) -> None:
    ask = "SELECT left_of(f) FROM fulfillments f WHERE id = $1"
    for given, odd, left in LEFT:
        both = [unit(BESIDE, amount_minor=50), *given, unit(**odd)]
        assert (await wrote(rows, both, [], ask, UNIT))[0] == left, (given, odd)


async def test_a_part_that_is_taken_is_goodwill_of_its_own_capture(rows: Rows) -> None:
    given = [
        *BESIDES, part(FIRST, capture_id=FIRST, amount_minor=70),
        capture(fulfilled=4000, goodwill=100, refund_due=900), part(),
        ("order_refunds", {"id": ASKED, "reason": "Too cold"}),
    ]  # fmt: skip
    _, found = await wrote(rows, given, TABLES, "SELECT take_refund_part($1, $2)", PART, NOW)
    assert found == whole(
        captures=[(CAPTURE, {"fulfilled": 3800, "goodwill": 300, "refund_intended": 200})],
        ledger=booked("sales", "refunds_payable", 200, "goodwill"),
        refunds=[owed(200, "asked", part_id=PART, asked_reason="Too cold")],
        events=[intended(200, "asked")],
    )


async def test_parts_that_waited_end_with_their_unit(rows: Rows) -> None:
    call = "SELECT end_refund_parts($1, $2, $3)"
    given = [
        *BESIDES, part(FIRST, fulfillment_id=BESIDE), part(THEIRS, outcome="taken", **ENDED),
        capture(fulfilled=4000, refund_due=1000), part(NEXT, amount_minor=300), part(),
        ("order_refunds", {"id": ASKED, "reason": "Too cold"}), order(OF_ORDER),
    ]  # fmt: skip

    def waited(key: UUID, amount: int, outcome: str) -> Row:
        data = {"part": str(key), "unit": str(UNIT), "amount": amount, "outcome": outcome}
        return event("order_refund", ASKED, "WAITED", data=data)

    for outcome in ("went_back", "taken", "withdrawn"):
        _, found = await wrote(rows, given, TABLES, call, UNIT, outcome, NOW)
        over = {"outcome": outcome, "ended_at": NOW}
        told = [waited(PART, 200, outcome), waited(NEXT, 300, outcome)]
        taken: Row = {}
        if outcome == "taken":
            told += [intended(200, "asked"), intended(300, "asked")]
            taken = whole(
                captures=[(CAPTURE, {"fulfilled": 3500, "goodwill": 500, "refund_intended": 500})],
                ledger=[*booked("sales", "refunds_payable", 200, "goodwill"),
                        *booked("sales", "refunds_payable", 300, "goodwill")],
                refunds=[owed(200, "asked", part_id=PART, asked_reason="Too cold"),
                         owed(300, "asked", part_id=NEXT, asked_reason="Too cold")],
            )  # fmt: skip
        assert found == whole(
            order_refund_parts=[(PART, over), (NEXT, over)], events=told, **taken
        ), outcome  # fmt: skip


OUTSIDE: tuple[tuple[Row, Row, bool], ...] = (
    ({}, {}, True), ({"outside_used": 899}, {}, False), ({"outside": 901}, {}, False),
    ({}, {"kind": "refunded_twice"}, False), ({}, {"capture_id": BESIDE}, False),
    ({}, {"closed_at": NOW - SECOND, "closed_by": "kim"}, False),
)  # fmt: skip


async def test_what_a_person_gave_back_in_the_end_disagrees_no_more(rows: Rows) -> None:
    call = "SELECT close_refunded_outside($1, $2, $3)"
    kind = "refunded_outside_and_handed_over"
    for of_capture, of_note, closes in OUTSIDE:
        note = {**discrepancy(kind, 900), **of_note}
        given: Given = [
            capture(FIRST, outside=5, outside_used=5, refund_due=5),
            capture(BESIDE, outside=5, outside_used=5, refund_due=5),
            capture(**{"outside": 900, "outside_used": 900, "refund_due": 900, **of_capture}),
            ("discrepancies", {**discrepancy(kind, 5), "id": 1, "capture_id": FIRST}),
            ("discrepancies", {**note, "id": 2}),
        ]  # fmt: skip
        _, found = await wrote(rows, given, ("discrepancies",), call, CAPTURE, "kim", NOW)
        closed = {"discrepancies": [(2, {"closed_at": NOW, "closed_by": "kim"})]}
        assert found == (closed if closes else {}), (of_capture, of_note)


async def test_a_refund_beside_is_left_alone(rows: Rows) -> None:
    """Of all that these functions write, nothing is of a refund that was there."""
    there = [refund(REFUND, due_at=NOW), refund(BESIDE, capture_id=FIRST)]
    given = [*BESIDES, *there, capture(payment_id=PART, fulfilled=5000)]
    _, found = await wrote(rows, given, TABLES, "SELECT ask_refund($1, 5, 'x', $2)", PART, NOW)
    assert found["refunds"] == [owed(5, "asked", asked_reason="x")]
