"""Which receipt a gateway tells of, when its customer's address is forgotten, what a fee books, and
how ids and names of orders are made: whole rows, with another account's and order's beside."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ACCOUNT,
    ASHA,
    BESIDE,
    CAPTURE,
    FACTS,
    FIRST,
    NEXT,
    OF_ORDER,
    ORDER,
    PART,
    REFUND,
    THEIRS,
    Given,
    Row,
    booked,
    capture,
    event,
    order,
    refund,
    whole,
)
from tests.sales.wrote import in_order, wrote

SECOND = timedelta(seconds=1)
MOMENT = timedelta(microseconds=1)
OTHER_ACCOUNT, ATTEMPT, BY_ID = UUID(int=30), UUID(int=31), UUID(int=32)
LOW, HIGH = UUID(int=41), UUID(int=42)
ACCOUNTS: Given = [
    ("gateway_accounts", {"id": key, "merchant_id": ASHA, "gateway": "mock", "slug": str(key)})
    for key in (OTHER_ACCOUNT, ACCOUNT)
]


def receipt(key: UUID, **given: Any) -> tuple[str, Row]:
    row = {**FACTS, "id": key, "kind": "payment", "state": "sent", "amount_minor": 900,
           "body": {"lines": [{"mode": "full_payment"}]}, "replaces": uuid4(),
           "created_at": NOW, **given}  # fmt: skip
    return "receipts", row if "refund_id" in row else {"attempt_id": ATTEMPT, **row}


def attempt(key: UUID, **given: Any) -> tuple[str, Row]:
    return "attempts", {"id": key, "account_id": ACCOUNT, "payment_id": PART, "state": "captured",
                        "number": key.int, **given}  # fmt: skip


TOLD: Row = {"refund": False, "gateway_payment_id": "pay_1", "registered": True,
             "money": {"amount": 900, "currency": "INR"}, "mode": "full_payment",
             "numbers": {"document": "d7"}}  # fmt: skip
ADVANCE: Row = {"body": {"lines": [{"mode": "full_prepayment"}]}}
LATER: Row = {"created_at": NOW + SECOND}
CLOSES: Row = {"kind": "closing"}
SUM: Row = {"amount_minor": 800}
DONE: Row = {"state": "registered"}
# What the one has that is told of, what the other has, and what else is told. Each differs in what
# comes first, and what comes after it speaks for the other, whose id is lower.
OF_TWO: tuple[tuple[Row, Row, Row], ...] = (
    ({**ADVANCE, **SUM, **DONE, **LATER, **CLOSES, "fiscal": {"document": "d7"}},
     {"fiscal": {"document": "d6"}}, {}),
    ({**SUM, **DONE, **LATER, **CLOSES}, ADVANCE, {}),
    ({"body": {}, **SUM, **DONE, **LATER, **CLOSES}, ADVANCE, {}),
    ({**ADVANCE, **DONE, **LATER, **CLOSES}, SUM, {"mode": ""}),
    ({**ADVANCE, **DONE, **LATER, **CLOSES}, SUM, {"mode": None}),
    ({**DONE, **LATER, **CLOSES}, SUM, {}),
    ({**DONE, **LATER, **CLOSES, "fiscal": {"document": "d6"}}, SUM, {}),
    ({**LATER, **CLOSES, "fiscal": {"document": "d6"}}, DONE, {"numbers": None}),
    ({**LATER, **CLOSES}, {"state": "void"}, {}),
    ({**LATER, **CLOSES, "state": "refused"}, DONE, {}),
    (CLOSES, LATER, {}), ({}, CLOSES, {}),
)  # fmt: skip
BY_ACCOUNT = "SELECT receipt_told(a, $1) FROM gateway_accounts a WHERE id = $2"


async def test_of_receipts_of_one_payment_it_is_the_one_that_fits_best(rows: Rows) -> None:
    attempts = [
        attempt(FIRST, reference="pay_1", account_id=OTHER_ACCOUNT), attempt(THEIRS),
        attempt(ATTEMPT, reference="pay_1"), attempt(BY_ID, gateway_payment_id="pay_1"),
    ]  # fmt: skip
    # Of another account, and of an attempt that has another name there.
    strangers = [
        receipt(UUID(int=1), attempt_id=FIRST, created_at=NOW - SECOND),
        receipt(UUID(int=2), attempt_id=THEIRS, created_at=NOW - SECOND),
    ]
    given = [*ACCOUNTS, *attempts, *strangers]
    for its, others, odd in OF_TWO:
        pair = [receipt(LOW, **others), receipt(HIGH, **{"attempt_id": BY_ID, **its})]
        for both in (pair, pair[::-1]):
            fact = {**TOLD, **odd}
            found, _ = await wrote(rows, [*given, *both], [], BY_ACCOUNT, fact, ACCOUNT)
            assert found == HIGH, (its, others, odd)
    same = [receipt(HIGH), receipt(LOW)]
    assert (await wrote(rows, [*given, *same], [], BY_ACCOUNT, TOLD, ACCOUNT))[0] == LOW
    unnamed = {**TOLD, "gateway_payment_id": "pay_2"}
    assert (await wrote(rows, [*given, *same], [], BY_ACCOUNT, unnamed, ACCOUNT))[0] is None


async def test_of_receipts_of_refunds_it_is_the_oldest_of_that_sum_that_waits(rows: Rows) -> None:
    of_refund: Row = {"kind": "refund", "refund_id": REFUND}
    captures = [
        capture(FIRST, account_id=OTHER_ACCOUNT, gateway_payment_id="pay_1"),
        capture(BESIDE, gateway_payment_id="pay_2"), capture(gateway_payment_id="pay_1"),
        refund(FIRST, capture_id=FIRST), refund(BESIDE, capture_id=BESIDE), refund(),
    ]  # fmt: skip
    strangers = [
        receipt(UUID(int=key.int - 10), kind="refund", refund_id=key, created_at=NOW - SECOND)
        for key in (FIRST, BESIDE)
    ]
    given = [*ACCOUNTS, *captures, *strangers]
    pairs: tuple[tuple[Row, Row, Row], ...] = (
        (LATER, SUM, {}), ({**LATER, **SUM}, DONE, {"money": None}),
        (LATER, {"state": "void"}, {}), (LATER, DONE, {}), ({}, LATER, {}),
    )  # fmt: skip
    for its, others, odd in pairs:
        pair = [receipt(LOW, **of_refund, **others), receipt(HIGH, **of_refund, **its)]
        for both in (pair, pair[::-1]):
            fact = {**TOLD, "refund": True, **odd}
            found, _ = await wrote(rows, [*given, *both], [], BY_ACCOUNT, fact, ACCOUNT)
            assert found == HIGH, (its, others, odd)
    same = [receipt(HIGH, **of_refund), receipt(LOW, **of_refund)]
    fact = {**TOLD, "refund": True}
    assert (await wrote(rows, [*given, *same], [], BY_ACCOUNT, fact, ACCOUNT))[0] == LOW
    less = {**fact, "money": {"amount": 1}}
    assert (await wrote(rows, [*given, *same], [], BY_ACCOUNT, less, ACCOUNT))[0] is None


async def test_a_receipt_is_registered_or_refused_as_the_gateway_tells(rows: Rows) -> None:
    call = "SELECT note_receipt(a, $1, $3) FROM gateway_accounts a WHERE id = $2"
    given = [*ACCOUNTS, attempt(ATTEMPT, reference="pay_1"), receipt(LOW, attempt_id=FIRST),
             receipt(HIGH, due_at=NOW + SECOND, failure="late")]  # fmt: skip
    tables = ("receipts", "events")
    at = NOW.isoformat()
    said, found = await wrote(rows, given, tables, call, TOLD, ACCOUNT, NOW)
    registered: Row = {"fiscal": {"document": "d7"}, "failure": None, "due_at": None}
    moved = {"was": "sent", "state": "registered", "data": {**registered, "ended_at": at}}
    assert (said, found) == ("receipt", whole(
        receipts=[(HIGH, {**registered, "ended_at": NOW, "state": "registered", "version": 2})],
        events=[event("receipt", HIGH, "REGISTERED", **moved)],
    ))  # fmt: skip
    refused = {**TOLD, "registered": False, "reason": "n" * 501}
    said, found = await wrote(rows, given, tables, call, refused, ACCOUNT, NOW)
    assert said == "receipt"
    assert found["receipts"] == [
        (HIGH, {"failure": "n" * 500, "due_at": None, "state": "refused", "version": 2})
    ]
    nobodys = {**TOLD, "gateway_payment_id": "pay_2"}
    assert await wrote(rows, given, tables, call, nobodys, ACCOUNT, NOW) == ("nothing", {})


def case(**given: Any) -> tuple[str, Row]:
    return "cases", {
        "subject": str(HIGH), "kind": "receipt_refused", "source": "state", "closed_by": "kim",
        "closed_at": NOW - MOMENT, "how": "x", **given,
    }  # fmt: skip


async def test_a_receipt_is_given_up_when_a_person_closed_its_case_before(rows: Rows) -> None:
    given_up = "SELECT is_given_up($1, $2)"
    over = "SELECT is_over(r, $1) FROM receipts r"
    cases: tuple[tuple[Row, bool], ...] = (
        ({}, True), ({"kind": "receipt_overdue"}, True), ({"kind": "refund_owed"}, False),
        ({"closed_by": None}, False), ({"closed_at": NOW}, False), ({"subject": str(LOW)}, False),
    )  # fmt: skip
    for odd, said in cases:
        given = [receipt(HIGH), case(**odd)]
        assert (await wrote(rows, given, [], given_up, HIGH, NOW))[0] is said, odd
        assert (await wrote(rows, given, [], over, NOW))[0] is said, odd
    for ended, said in ((None, False), (NOW, False), (NOW - MOMENT, True)):
        assert (await wrote(rows, [receipt(HIGH, ended_at=ended)], [], over, NOW))[0] is said


FORGET = "SELECT forget_contacts($1, $2)"
KEEPERS = ("receipts", "orders", "payments")
OLD = NOW - MOMENT
WITH: Row = {"contact": "a@b.example"}


async def test_where_a_receipt_went_is_forgotten_when_nobody_sends_it_any_more(rows: Rows) -> None:
    gone = {"receipts": [(HIGH, {"contact": None})]}
    cases: tuple[tuple[Row, Row | None, bool], ...] = (
        ({"ended_at": OLD}, None, True), ({"ended_at": NOW}, None, False), ({}, None, False),
        ({"state": "refused"}, {}, True), ({"state": "overdue"}, {}, True),
        ({"state": "sent"}, {}, False), ({"state": "refused"}, None, False),
        ({"state": "refused"}, {"closed_at": NOW}, False),
    )  # fmt: skip
    for odd, closed, forgotten in cases:
        given = [receipt(LOW, **WITH, attempt_id=FIRST), receipt(HIGH, **WITH, **odd),
                 *([case(**closed)] if closed is not None else [])]  # fmt: skip
        said, found = await wrote(rows, given, KEEPERS, FORGET, NOW, 9)
        assert (said, found) == ((1, gone) if forgotten else (0, {})), (odd, closed)
    both = [receipt(HIGH, **WITH, ended_at=OLD), receipt(LOW, **WITH, ended_at=OLD - MOMENT),
            receipt(FIRST, ended_at=OLD - SECOND)]  # fmt: skip
    assert await wrote(rows, both, KEEPERS, FORGET, NOW, 1) == (
        1, {"receipts": [(LOW, {"contact": None})]},
    )  # fmt: skip


TYPED: Row = {"receipt_contact": "a@b.example"}
ENDED: Row = {**TYPED, "state": "completed", "ended_at": OLD}
NAMED: Row = {**TYPED, "source": "api", "state": "succeeded", "created_at": OLD}


def payment(key: UUID = PART, **given: Any) -> tuple[str, Row]:
    return "payments", {"id": key, "state": "succeeded", "order_id": ORDER, "created_at": NOW,
                        **given}  # fmt: skip


async def test_what_a_customer_typed_is_forgotten_when_no_receipt_of_the_order_waits(
    rows: Rows,
) -> None:
    """Of a payment that a merchant's server made it is the same."""
    of_refund: Row = {"kind": "refund", "refund_id": REFUND}
    money: Given = [
        capture(FIRST, order_id=OF_ORDER, payment_id=OF_ORDER), refund(BESIDE, capture_id=FIRST),
        attempt(BESIDE, payment_id=OF_ORDER), attempt(ATTEMPT),
        payment(OF_ORDER, order_id=OF_ORDER),
        receipt(UUID(int=1), attempt_id=BESIDE), receipt(UUID(int=2), kind="refund",
                                                         refund_id=BESIDE),
        capture(order_id=ORDER, payment_id=PART), refund(),
    ]  # fmt: skip
    cases: tuple[tuple[Given, bool], ...] = (
        ([], True),
        ([receipt(HIGH, ended_at=OLD)], True), ([receipt(HIGH)], False),
        ([receipt(HIGH), case()], True), ([receipt(HIGH), case(closed_at=NOW)], False),
        ([receipt(HIGH, **of_refund, ended_at=OLD)], True),
        ([receipt(HIGH, **of_refund)], False),
        ([receipt(HIGH, **of_refund), case()], True),
        ([receipt(HIGH, **of_refund), case(closed_at=NOW)], False),
    )  # fmt: skip
    beside = [order(OF_ORDER, **{**ENDED, "receipt_contact": None}), payment(NEXT)]
    for receipts, forgotten in cases:
        of_order = [*money, *beside, order(**ENDED), payment(), *receipts]
        wanted: Any = (1, {"orders": [(ORDER, {"receipt_contact": None})]})
        said = await wrote(rows, of_order, KEEPERS, FORGET, NOW, 9)
        assert said == (wanted if forgotten else (0, {})), receipts
        of_api = [*money, payment(NEXT), payment(order_id=None, **NAMED), *receipts]
        wanted = (1, {"payments": [(PART, {"receipt_contact": None})]})
        said = await wrote(rows, of_api, KEEPERS, FORGET, NOW, 9)
        assert said == (wanted if forgotten else (0, {})), receipts
    # A receipt that ended now is over for its order, and not yet for a payment by itself.
    now = receipt(HIGH, ended_at=NOW)
    assert (await wrote(rows, [*money, order(**ENDED), payment(), now], [], FORGET, NOW, 9))[0] == 1
    api = [*money, payment(order_id=None, **NAMED), now]
    assert (await wrote(rows, api, [], FORGET, NOW, 9))[0] == 0
    for odd in ({"ended_at": NOW}, {"ended_at": None}):
        one = [*money, order(**{**ENDED, **odd}), payment()]
        assert await wrote(rows, one, KEEPERS, FORGET, NOW, 9) == (0, {})
    for state, gone in (
        ("requires_action", 0), ("processing", 0), ("authorized", 0), ("canceled", 1),
        ("failed", 1),
    ):  # fmt: skip
        paid = payment(order_id=None, **{**NAMED, "state": state})
        assert (await wrote(rows, [paid], KEEPERS, FORGET, NOW, 9))[0] == gone, state
    young = payment(order_id=None, **{**NAMED, "created_at": NOW})
    assert (await wrote(rows, [young], KEEPERS, FORGET, NOW, 9))[0] == 0


async def test_where_there_is_no_address_nothing_is_forgotten(rows: Rows) -> None:
    empty = {"receipt_contact": None}
    given = [order(**{**ENDED, **empty}), payment(order_id=None, **{**NAMED, **empty}),
             receipt(HIGH, ended_at=OLD)]  # fmt: skip
    assert await wrote(rows, given, KEEPERS, FORGET, NOW, 9) == (0, {})


async def test_so_many_addresses_are_forgotten_at_a_time_the_oldest_first(rows: Rows) -> None:
    before = {"ended_at": OLD - SECOND}
    given = [
        order(OF_ORDER, **ENDED), order(**{**ENDED, **before}),
        payment(NEXT, order_id=None, **NAMED),
        payment(order_id=None, **{**NAMED, "created_at": OLD - SECOND}),
        receipt(HIGH, **WITH, ended_at=OLD),
    ]  # fmt: skip
    gone = {"receipt_contact": None}
    assert await wrote(rows, given, KEEPERS, FORGET, NOW, 1) == (
        1, {"orders": [(ORDER, gone)], "payments": [(PART, gone)],
            "receipts": [(HIGH, {"contact": None})]},
    )  # fmt: skip
    for kept, most in ((given[:2], 2), (given[2:4], 2), (given[4:], 1), (given, 2)):
        assert (await wrote(rows, kept, KEEPERS, FORGET, NOW, 9))[0] == most


FEES: tuple[tuple[int | None, int, list[Row]], ...] = (
    (None, 90, booked("fees", "gateway", 90, "fee")),
    (90, 90, []), (90, 100, booked("fees", "gateway", 10, "fee_corrected")),
    (90, 80, booked("gateway", "fees", 10, "fee_corrected")),
    (90, 91, booked("fees", "gateway", 1, "fee_corrected")),
    (90, 89, booked("gateway", "fees", 1, "fee_corrected")),
    (90, 0, booked("gateway", "fees", 90, "fee_corrected")), (None, 0, []), (0, 0, []),
    (None, -5, booked("gateway", "fees", 5, "fee_corrected")),
    (0, 5, booked("fees", "gateway", 5, "fee_corrected")),
)  # fmt: skip
BOOKS = ("captures", "ledger")
PAID: Row = {"gateway_payment_id": "pay_1", "fulfilled": 5000}


async def test_a_fee_is_booked_once_and_corrected_by_the_difference(rows: Rows) -> None:
    fact = {"gateway_payment_id": "pay_1"}
    note = "SELECT note_fee(a, $1, $3) FROM gateway_accounts a WHERE id = $2"
    settle = "SELECT note_settled_lines(a, $1, $3) FROM gateway_accounts a WHERE id = $2"
    strangers = [
        *ACCOUNTS, capture(FIRST, **PAID, account_id=OTHER_ACCOUNT),
        capture(BESIDE, **{**PAID, "gateway_payment_id": "pay_2"}),
    ]  # fmt: skip
    for had, minor, lines in FEES:
        given = [*strangers, capture(**PAID, fee_minor=had)]
        changed: list[Any] = [(CAPTURE, {"fee_minor": minor})] if had != minor else []
        wanted = whole(captures=changed, ledger=lines)
        said = {**fact, "fee": {"amount": minor, "currency": "INR"}}
        _, found = await wrote(rows, given, BOOKS, note, said, ACCOUNT, NOW)
        assert found == wanted, (had, minor)
        line = {**fact, "currency": "INR", "fee": minor, "settlement": "s1", "at": NOW.isoformat()}
        told, found = await wrote(rows, given, BOOKS, settle, [line], ACCOUNT, NOW)
        changed = [(CAPTURE, {**(changed[0][1] if changed else {}), "settlement": "s1",
                              "settled_at": NOW})]  # fmt: skip
        assert (told, found) == (1, whole(captures=changed, ledger=lines)), (had, minor)
    kept = [*strangers, capture(**PAID, fee_minor=90)]
    for odd in ({"fee": None}, {"fee": {"amount": None, "currency": "INR"}},
                {"fee": {"amount": 5, "currency": "USD"}}):  # fmt: skip
        assert (await wrote(rows, kept, BOOKS, note, {**fact, **odd}, ACCOUNT, NOW))[1] == {}
    settled = [*strangers, capture(**PAID, fee_minor=90, settlement="s1", settled_at=NOW)]
    said = {**fact, "fee": {"amount": 5, "currency": "INR"}}
    assert (await wrote(rows, settled, BOOKS, note, said, ACCOUNT, NOW))[1] == {}
    line = {**fact, "currency": "INR", "fee": 90, "settlement": "s1", "at": NOW.isoformat()}
    assert await wrote(rows, settled, BOOKS, settle, [line], ACCOUNT, NOW) == (0, {})
    dollars = [{**line, "currency": "USD", "fee": 5}]
    assert await wrote(rows, settled, BOOKS, settle, dollars, ACCOUNT, NOW) == (0, {})
    two = [*settled, capture(NEXT, **{**PAID, "gateway_payment_id": "pay_3"})]
    lines_of_two = [{**line, "gateway_payment_id": "pay_3"}, {**line, "settlement": "s2"}]
    told, found = await wrote(rows, two, BOOKS, settle, lines_of_two, ACCOUNT, NOW)
    assert (told, found["captures"]) == (2, in_order([
        (CAPTURE, {"settlement": "s2"}),
        (NEXT, {"fee_minor": 90, "settlement": "s1", "settled_at": NOW}),
    ]))  # fmt: skip


async def test_ids_hold_their_time_and_an_order_its_letters(rows: Rows) -> None:
    for at in (NOW, NOW + timedelta(milliseconds=37)):
        made: UUID = await rows.conn.fetchval("SELECT uuid7($1)", at)
        assert made.version == 7
        assert made.variant == UUID(int=0x8 << 60).variant
        assert made.int >> 80 == round(at.timestamp() * 1000)
    ones = {await rows.conn.fetchval("SELECT uuid7($1)", NOW) for _ in range(50)}
    assert len(ones) == 50
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    for start in (0, 23, 24, 90, 240):
        key = UUID(bytes=bytes((start + 7 * n) % 256 for n in range(16)))
        name = "".join(letters[byte % 24] for byte in key.bytes[10:14])
        assert await rows.conn.fetchval("SELECT order_number($1)", key) == name
