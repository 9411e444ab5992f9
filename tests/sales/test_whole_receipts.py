"""What becomes of a fiscal receipt, by rows: what its money and each answer of the gateway make of
it, and what is sent. Another receipt stands beside each."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from coinslot.gateways.base import Absent, Declined, Unclear
from coinslot.gateways.receipts import (
    BeingRegistered,
    NotRegistered,
    Receipt,
    ReceiptOrder,
    ReceiptQuestion,
    Registered,
)
from coinslot.payments import receipts
from coinslot.payments.receipts import REFUSED
from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ASHA,
    FACTS,
    LINE,
    NEXT,
    ORDER,
    PART,
    Given,
    Row,
    capture,
    order,
    refund,
    unit,
)
from tests.sales.receipts_by_rows import (
    ADVANCE,
    ATTEMPT,
    COLA,
    HOUR,
    LATE,
    LOOK,
    MOMENT,
    OF_REFUND,
    RECEIPT,
    SECOND,
    SODA,
    Closer,
    Looked,
    Maker,
    Till,
    attempt,
    body,
    does,
    receipt,
)
from tests.sales.wrote import in_order


async def driven(rows: Rows, driver: Any, *given: tuple[str, Row]) -> list[Any]:
    row: Any = {"id": RECEIPT, "merchant_id": ASHA}
    _, found, _ = await does(rows, driver, list(given), lambda here: receipts.drive(here, row))
    return found


def moved(state: str, /, **given: Any) -> list[Any]:
    return [(RECEIPT, {"state": state, "version": 2, "tries": 4, **given})]


OVER: Row = {"due_at": None, "ended_at": NOW}
PUT_OFF = [(RECEIPT, {"tries": 4, "due_at": LOOK})]
NEVER = moved("void", **OVER)
_OUT = "the money was paid out by hand, and no receipt went with it"
_OTHER = "the gateway captured another sum than this receipt comes to"
BY_HAND = moved("refused", due_at=None, failure=_OUT)
OTHER_SUM = moved("refused", due_at=None, failure=_OTHER)
SENT = moved("sent", sent_at=NOW, late_at=LATE, due_at=LOOK)
TAKEN = capture(gateway_payment_id="pay_1", payment_id=PART)
LATE_CREATED = NOW - 4 * HOUR
PAID_OUT: Row = {"state": "succeeded", "gateway_refund_id": "rf_1"}
MONEY: tuple[tuple[Given, list[Any]], ...] = (
    ([receipt(), attempt()], SENT), ([receipt(), attempt(), TAKEN], SENT),
    ([receipt(amount_minor=4999), attempt(), TAKEN], OTHER_SUM),
    ([receipt(), attempt(state="pending")], PUT_OFF),
    ([receipt(created_at=LATE_CREATED - SECOND), attempt(state="pending")], PUT_OFF),
    ([receipt(created_at=LATE_CREATED), attempt(state="failed")], PUT_OFF),
    ([receipt(created_at=LATE_CREATED - MOMENT), attempt(state="failed")], NEVER),
    ([receipt(**OF_REFUND), refund(**PAID_OUT), TAKEN], SENT),
    ([receipt(**OF_REFUND), refund(state="succeeded"), TAKEN], BY_HAND),
    ([receipt(**OF_REFUND), refund(state="succeeded", covered_by=NEXT), TAKEN], NEVER),
    ([receipt(**OF_REFUND), refund(state="failed"), TAKEN], NEVER),
    ([receipt(**OF_REFUND), refund(), TAKEN], PUT_OFF),
    ([receipt(**OF_REFUND), refund(state="owed"), TAKEN], PUT_OFF),
)  # fmt: skip
AT_REST = [(RECEIPT, {"due_at": None})]


async def test_a_receipt_waits_for_its_money_and_is_asked_about_when_that_has_moved(
    rows: Rows,
) -> None:
    for given, wanted in MONEY:
        till = Till(BeingRegistered())
        assert await driven(rows, till, *given) == wanted, given
        assert len(till.asked) == (wanted == SENT), given
        open_states = ("sent", "overdue") if wanted == PUT_OFF else ()
        for state in open_states:
            again = [(given[0][0], {**given[0][1], "state": state}), *given[1:]]
            assert await driven(rows, till, *again) == wanted
    for state in ("registered", "refused", "void"):
        till = Till(Registered())
        assert await driven(rows, till, receipt(state=state), attempt()) == AT_REST
        assert till.asked == []
    assert await driven(rows, Till(), attempt()) == []


HEARD: Row = {"gateway_receipt_id": "r_1"}
# The state, what is answered, and what becomes of the receipt.
ANSWERS: tuple[tuple[str, Any, list[Any]], ...] = (
    ("due", Registered(receipt_id="r_1", numbers={"document": "7"}),
     moved("registered", fiscal={"document": "7"}, **HEARD, **OVER)),
    ("sent", Registered(), moved("registered", fiscal={}, **OVER)),
    ("overdue", Registered(receipt_id="r_1"), moved("registered", fiscal={}, **HEARD, **OVER)),
    ("due", NotRegistered(reason="n" * 501, receipt_id="r_1"),
     moved("refused", failure="n" * 500, due_at=None, **HEARD)),
    ("sent", NotRegistered(reason="no"), moved("refused", failure="no", due_at=None)),
    ("due", Declined("d" * 501, REFUSED), moved("refused", failure="d" * 500, due_at=None)),
    ("due", Declined("busy", REFUSED, permanent=False), SENT),
    ("due", Unclear("lost"), SENT), ("due", Absent(), SENT), ("due", BeingRegistered(), SENT),
    ("due", BeingRegistered(receipt_id="r_1"), moved("sent", sent_at=NOW, late_at=LATE, due_at=LOOK,
                                          **HEARD)),
    ("sent", BeingRegistered(receipt_id="r_1"),
     [(RECEIPT, {**PUT_OFF[0][1], "late_at": LATE, **HEARD})]),
    ("sent", Unclear("lost"), [(RECEIPT, {**PUT_OFF[0][1], "late_at": LATE})]),
    ("overdue", Absent(), [(RECEIPT, {**PUT_OFF[0][1], "late_at": LATE})]),
)  # fmt: skip


async def test_each_answer_of_the_gateway_makes_of_a_receipt_what_it_says(rows: Rows) -> None:
    for state, answer, wanted in ANSWERS:
        found = await driven(rows, Till(answer), receipt(state=state, failure=None), attempt())
        assert found == wanted, (state, answer)
    ended = await driven(rows, Till(Registered()), receipt(failure="late"), attempt())
    assert ended == moved("registered", fiscal={}, failure=None, **OVER)
    kept = await driven(rows, Till(Unclear("x")), receipt(**HEARD, state="sent"), attempt())
    assert kept == [(RECEIPT, {**PUT_OFF[0][1], "late_at": LATE})]
    before = receipt(sent_at=NOW - HOUR)
    assert await driven(rows, Till(Absent()), before, attempt()) == moved(
        "sent", late_at=LATE, due_at=LOOK
    )


TIMES: tuple[tuple[str, Any, int, datetime, bool], ...] = (
    # The state, until when it may take, how often it was asked for, the next time, whether late.
    ("sent", None, 0, NOW + 10 * SECOND, False), ("sent", None, 8, NOW + 2560 * SECOND, False),
    ("sent", None, 9, NOW + HOUR, False), ("sent", None, 40, NOW + HOUR, False),
    ("sent", LOOK - MOMENT, 3, LOOK - MOMENT, False), ("sent", LOOK + MOMENT, 3, LOOK, False),
    ("sent", NOW + MOMENT, 3, NOW + MOMENT, False), ("sent", NOW, 3, LOOK, True),
    ("sent", NOW - HOUR, 3, LOOK, True), ("due", NOW, 3, LOOK, True),
    ("overdue", NOW, 3, LOOK, False), ("overdue", NOW - HOUR, 3, LOOK, False),
)  # fmt: skip


async def test_a_receipt_is_asked_about_ever_more_rarely_until_it_is_late(rows: Rows) -> None:
    for state, late_at, tries, due, is_late in TIMES:
        given = receipt(state=state, late_at=late_at, tries=tries)
        ((_, found),) = await driven(rows, Till(BeingRegistered()), given, attempt())
        case = (state, late_at, tries)
        assert found["due_at"] == due, case
        assert found["tries"] == tries + 1, case
        assert found.get("state", state) == ("overdue" if is_late else state), case
        assert found.get("late_at") == (LATE if late_at is None else None), case


def order_of(verb: str, **about: Any) -> tuple[str, ReceiptOrder]:
    asked: Row = {"gateway_payment_id": "pay_1", **about}
    return verb, ReceiptOrder(
        about=ReceiptQuestion(**asked), key=f"rc_{RECEIPT.hex}", currency="INR",
        receipt=Receipt(contact="a@b.example", lines=(COLA,), tax_system="usn_income"),
    )  # fmt: skip


CORRECTED: Row = {"made_by": "kim"}
OLD_KEY, YOUNG_KEY = {"sent_at": NOW - 23 * HOUR - MOMENT}, {"sent_at": NOW - 23 * HOUR}
SENDS: tuple[tuple[Row, Any, bool, bool], ...] = (
    # A receipt, what is known of it there, whether it is asked for, and whether it is sent.
    ({}, Absent(), True, False), ({"state": "sent"}, Absent(), True, False),
    (CORRECTED, Absent(), False, True), ({**CORRECTED, "state": "sent"}, Absent(), True, False),
    ({**CORRECTED, **YOUNG_KEY}, Absent(), False, True),
    ({**CORRECTED, **OLD_KEY}, Absent(), True, True),
    ({**CORRECTED, **OLD_KEY}, NotRegistered(reason="x"), True, True),
    ({**CORRECTED, **OLD_KEY}, BeingRegistered(), True, False),
    ({**CORRECTED, **OLD_KEY}, Registered(), True, False),
    ({**CORRECTED, **OLD_KEY}, Unclear("x"), True, False),
)  # fmt: skip


async def test_a_correction_is_sent_by_itself_and_looked_for_when_its_key_is_too_old(
    rows: Rows,
) -> None:
    for odd, there, asked, sent in SENDS:
        till = Looked(BeingRegistered())
        till.found = there
        ((_, found),) = await driven(rows, till, receipt(**odd), attempt())
        assert till.asked == ([ReceiptQuestion(gateway_payment_id="pay_1")] if asked else []), odd
        assert till.sent == ([order_of("send")] if sent else []), odd
        assert found.get("sent_at") == (NOW if odd.get("sent_at") is None and (
            sent or odd == {}) else None), odd  # fmt: skip
    lost = await driven(rows, Looked(Unclear("lost")), receipt(**CORRECTED), attempt())
    assert lost == [(RECEIPT, {"sent_at": NOW, "late_at": LATE, "due_at": LOOK, "tries": 4})]
    till = Looked(BeingRegistered())
    named = receipt(**HEARD, **OF_REFUND, state="sent")
    await driven(rows, till, named, refund(**PAID_OUT), TAKEN)
    assert till.asked == [ReceiptQuestion(
        gateway_payment_id="pay_1", gateway_refund_id="rf_1", receipt_id="r_1",
    )]  # fmt: skip
    # One that only tells by itself has it; one that has no terms any more sends to nobody else.
    assert await driven(rows, Closer(), receipt(), attempt()) == SENT
    no_terms = Looked(BeingRegistered(), None)
    await driven(rows, no_terms, receipt(**CORRECTED, contact=None), attempt())
    assert [one.receipt.contact for _, one in no_terms.sent] == [""]
    till = Looked(BeingRegistered())
    await driven(rows, till, receipt(**CORRECTED, contact=None), attempt())
    assert [one.receipt.contact for _, one in till.sent] == ["till@shop.example"]


FIRST_ONE = receipt(NEXT, state="registered", due_at=None)
CLOSING: Row = {"kind": "closing"}
WAITS_FOR_FIRST = [(RECEIPT, {"tries": 4, "due_at": LOOK, "late_at": LATE})]
CLOSES: tuple[tuple[type[Maker], Row, Row, Any, int, int], ...] = (
    # The gateway, the receipt, the first one, what is there, how often it is asked, and sent.
    (Looked, {}, {}, Absent(), 0, 1), (Looked, {"state": "overdue"}, {}, Absent(), 0, 1),
    (Looked, {"state": "sent", **YOUNG_KEY}, {}, Absent(), 1, 0),
    (Looked, YOUNG_KEY, {}, Absent(), 0, 1), (Looked, OLD_KEY, {}, Absent(), 1, 1),
    (Looked, {"state": "sent"}, {}, Absent(), 0, 1),
    (Looked, OLD_KEY, {}, NotRegistered(reason="x"), 1, 1),
    (Looked, OLD_KEY, {}, BeingRegistered(), 1, 0), (Looked, OLD_KEY, {}, Registered(), 1, 0),
    (Looked, {}, {"state": "sent"}, Absent(), 0, 0),
    (Looked, {}, {"state": "void"}, Absent(), 0, 0),
    (Closer, {}, {"state": "sent"}, Absent(), 0, 1), (Closer, YOUNG_KEY, {}, Absent(), 0, 0),
    (Maker, {}, {}, Absent(), 0, 0),
)  # fmt: skip


async def test_a_second_receipt_follows_the_first_and_is_sent_once_where_nobody_can_ask(
    rows: Rows,
) -> None:
    for kind, odd, of_first, there, asked, sent in CLOSES:
        till: Any = kind(BeingRegistered())
        till.found = there
        first = (FIRST_ONE[0], {**FIRST_ONE[1], **of_first})
        ((_, found),) = await driven(rows, till, receipt(**CLOSING, **odd), first, attempt())
        case = (kind, odd, of_first, there)
        assert (len(till.asked), len(till.sent)) == (asked, sent), case
        assert till.sent in ([], [order_of("close", closing=True)]), case
        if kind is Maker:
            assert found == {"state": "refused", "version": 2, "tries": 4, "due_at": None,
                             "failure": "this gateway takes no second receipt"}  # fmt: skip
    waits = await driven(rows, Looked(), receipt(**CLOSING), attempt())
    assert waits == WAITS_FOR_FIRST
    once = await driven(rows, Closer(), receipt(**CLOSING, **YOUNG_KEY), FIRST_ONE, attempt())
    assert once == WAITS_FOR_FIRST


async def test_a_second_receipt_that_was_not_taken_now_may_be_sent_again(rows: Rows) -> None:
    given = (receipt(**CLOSING), FIRST_ONE, attempt())
    lost = {"tries": 4, "due_at": LOOK, "late_at": LATE}
    for answer, wanted in (
        (Declined("busy", REFUSED, permanent=False), [(RECEIPT, lost)]),
        (Unclear("lost"), [(RECEIPT, {**lost, "sent_at": NOW})]),
        (Declined("bad", REFUSED), moved("refused", failure="bad", due_at=None, sent_at=NOW)),
        (BeingRegistered(), SENT),
        (Registered(receipt_id="r_1"),
         moved("registered", sent_at=NOW, fiscal={}, **HEARD, **OVER)),
    ):  # fmt: skip
        assert await driven(rows, Closer(answer), *given) == wanted, answer


HANDED: Given = [
    order(state="completed", ended_at=NOW, due_at=None),
    ("order_lines", {"id": LINE, "order_id": ORDER, "product_id": SODA, "name": "Cola",
                     "price_minor": 5000, "quantity": 1}),
    capture(gateway_payment_id="pay_1", payment_id=PART, order_id=ORDER, fulfilled=5000),
]  # fmt: skip
PREPAID: Row = {"state": "registered", "due_at": NOW, "closes_at": NOW, "body": body(ADVANCE)}
CLOSED = (RECEIPT, {"closes_at": None, "due_at": None})
SECOND_ONE: Row = {
    **FACTS, "kind": "closing", "attempt_id": ATTEMPT, "state": "due", "version": 1,
    "amount_minor": 5000, "currency": "INR", "contact": "a@b.example", "created_at": NOW,
    "due_at": NOW, "body": body(COLA),
}  # fmt: skip


async def test_the_second_receipt_is_of_what_was_handed_over_and_goes_at_once(rows: Rows) -> None:
    row: Any = {"id": RECEIPT, "merchant_id": ASHA}

    async def begun(*given: tuple[str, Row]) -> tuple[list[Any], set[str]]:
        _, found, seen = await does(
            rows, Closer(), [*HANDED, attempt(), *given], lambda here: receipts.drive(here, row)
        )
        return found, seen

    whole = unit(amount_minor=5000)
    assert await begun(receipt(**PREPAID), whole) == (in_order([CLOSED, SECOND_ONE]), {"receipts"})
    earned = {"settlement": "fulfilled", "basis": "handed_over", "settled_at": NOW}
    tip = ("order_extras", {"id": PART, "order_id": ORDER, "kind": "tip", "amount_minor": 300,
                            **earned})  # fmt: skip
    tipped = replace(ADVANCE, name="Чаевые", price=300, subject="service")
    with_tip = receipt(**{**PREPAID, "body": body(ADVANCE, tipped, tax=None)})
    back = unit(NEXT, amount_minor=9, settlement="refund_due", basis="no_drop", state="failed")
    found, _ = await begun(with_tip, unit(amount_minor=1000), tip, back)
    lines = (replace(COLA, price=1000), replace(tipped, mode="full_payment", vat="22"))
    part = {**SECOND_ONE, "amount_minor": 1300, "body": body(*lines, tax=None)}
    assert found == in_order([CLOSED, part])
    # What nothing was paid for is a person's.
    milk = ("order_lines", {"id": UUID(int=90), "order_id": ORDER, "product_id": SODA,
                            "name": "Milk"})  # fmt: skip
    strange = unit(line_id=UUID(int=90), amount_minor=70)
    found, seen = await begun(receipt(**PREPAID), milk, strange)
    bad = {**SECOND_ONE, "state": "refused", "version": 2, "amount_minor": 70, "body": body(),
           "failure": "nothing was paid for 'Milk'"}  # fmt: skip
    bad.pop("due_at")
    assert (found, seen) == (in_order([CLOSED, bad]), {"receipts"})
    for none in ((), (unit(amount_minor=0, capture_id=None),), (back,)):
        assert await begun(receipt(**PREPAID), *none) == ([CLOSED], set())
    elsewhere = (attempt()[0], {**attempt()[1], "reference": "pay_2"})
    _, found, _ = await does(
        rows, Closer(), [*HANDED, elsewhere, whole, receipt(**PREPAID)],
        lambda here: receipts.drive(here, row),
    )  # fmt: skip
    assert found == [CLOSED]
