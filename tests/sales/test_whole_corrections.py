"""What a person does about a fiscal receipt, by rows: what takes its place, what the audit log has,
who is woken, and why nothing was done. And receipts as they are shown, whole."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.gateways.base import Absent, Declined, Unclear
from coinslot.gateways.receipts import (
    BeingRegistered,
    NotRegistered,
    ReceiptQuestion,
    Registered,
)
from coinslot.kit.money import Money
from coinslot.payments import receipt_corrections, receipt_records
from coinslot.payments.receipt_corrections import (
    Correction,
    ReceiptRefusedError,
    UnknownReceiptError,
)
from coinslot.payments.receipt_records import ReceiptFilter, ReceiptRecord, ReceiptRow, masked
from coinslot.people.audit_log import COMMAND_LINE, Actor
from tests.fleet.shop import ACTOR, BORIS, context, noted, woken
from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ACCOUNT,
    ASHA,
    NEXT,
    ORDER,
    PART,
    REFUND,
    THEIRS,
    Given,
    Row,
    capture,
    order,
    refund,
)
from tests.sales.receipts_by_rows import (
    ATTEMPT,
    BESIDES,
    COLA,
    OF_REFUND,
    RECEIPT,
    SECOND,
    Closer,
    Looked,
    account,
    attempt,
    body,
    receipt,
)
from tests.sales.wrote import in_order, wrote

TABLES = ("receipts", "audit_log")
OVER: Row = {"due_at": None, "ended_at": NOW, "version": 2}
DEAD = receipt(state="refused", failure="no")


async def does(
    rows: Rows, driver: Any, given: Given, verb: Any
) -> tuple[Any, dict[str, list[Any]], set[str]]:
    """What it returned or refused, what it wrote, and whom it woke."""
    seen: set[str] = set()

    class Accounts:
        async def by_id(self, key: UUID) -> Any:
            assert key == ACCOUNT
            return account(driver)

    async def run(conn: Any) -> Any:
        here = context(conn, accounts=Accounts())
        try:
            return await verb(here)
        except ReceiptRefusedError as error:
            return str(error)
        except UnknownReceiptError as error:
            return f"unknown {error}"
        finally:
            seen.update(woken(here))

    said, found = await wrote(rows, [*BESIDES, *given], TABLES, run)
    return said, found, seen


async def again(
    rows: Rows, driver: Any, *given: tuple[str, Row], who: Actor = ACTOR, **wish: str
) -> tuple[Any, dict[str, list[Any]], set[str]]:
    async def verb(here: Context) -> Any:
        return await receipt_corrections.send_again(here, who, ASHA, RECEIPT, Correction(**wish))

    return await does(rows, driver, list(given), verb)


def made(kind: Row, *lines: Any, **given: Any) -> Row:
    """What takes its place."""
    new = {
        "merchant_id": ASHA, "account_id": ACCOUNT, "replaces": RECEIPT, "state": "due",
        "version": 1, "currency": "INR", "body": body(*(lines or (COLA,))),
        "contact": "a@b.example", "made_by": str(BORIS), "created_at": NOW, "due_at": NOW, **kind,
    }  # fmt: skip
    return {**new, **given}


PAYMENT: Row = {"kind": "payment", "attempt_id": ATTEMPT, "amount_minor": 5000}


def replaced(new: Row, *changed: str) -> dict[str, list[Any]]:
    entry = noted("receipt.sent_again", str(RECEIPT),
                  after={"receipt": "new receipts", "changed": list(changed)})  # fmt: skip
    return {"receipts": in_order([(RECEIPT, {"state": "void", **OVER}), new]),
            "audit_log": [entry]}  # fmt: skip


async def test_a_receipt_that_is_sent_again_is_the_same_but_for_what_is_wished(rows: Rows) -> None:
    tea = replace(COLA, name="Tea", vat="10", price=1)
    of_two = receipt(state="overdue", body=body(COLA, tea, tax=None))
    cases: tuple[tuple[tuple[str, Row], dict[str, Any], Row, tuple[str, ...]], ...] = (
        (DEAD, {}, made(PAYMENT), ()),
        (DEAD, {"contact": " "}, made(PAYMENT), ()),
        (DEAD, {"contact": " i@c.example "}, made(PAYMENT, contact="i@c.example"), ("contact",)),
        (DEAD, {"contact": "8 916 123-45-67"}, made(PAYMENT, contact="+79161234567"),
         ("contact",)),
        (of_two, {"vat": "20/120"}, made(PAYMENT, body=body(
            replace(COLA, vat="20/120"), replace(tea, vat="20/120"), tax=None)), ("vat",)),
        (of_two, {"contact": "i@c.example", "vat": "none"}, made(
            PAYMENT, contact="i@c.example", body=body(
                replace(COLA, vat="none"), replace(tea, vat="none"), tax=None)),
         ("contact", "vat")),
    )  # fmt: skip
    for given, wish, new, changed in cases:
        for answer in (Absent(), NotRegistered(reason="x")):
            till = Looked()
            till.found = answer
            said, found, seen = await again(rows, till, given, attempt(), **wish)
            assert isinstance(said, UUID)
            assert (found, seen) == (replaced(new, *changed), {"receipts"}), (given, wish)
            assert till.asked == [ReceiptQuestion(gateway_payment_id="pay_1")]
    _, found, _ = await again(rows, Looked(), DEAD, attempt(), who=COMMAND_LINE)
    assert made(PAYMENT, made_by="command line") in found["receipts"]


async def test_a_receipt_of_a_refund_is_of_the_refund_that_went_in_the_end(rows: Rows) -> None:
    of_it = receipt(**OF_REFUND, state="refused")
    paid = capture(gateway_payment_id="pay_1")
    first = refund(state="failed", gateway_refund_id="rf_1")
    second = refund(NEXT, state="succeeded", gateway_refund_id="rf_2", replaces=REFUND)
    kind = {"kind": "refund", "refund_id": NEXT, "amount_minor": 500}
    till = Looked()
    _, found, seen = await again(rows, till, of_it, paid, first, second)
    assert (found, seen) == (replaced(made(kind)), {"receipts"})
    assert till.asked == [], "a refund that failed has no receipt there"
    went = refund(state="succeeded", gateway_refund_id="rf_1")
    _, found, _ = await again(rows, till, of_it, paid, went)
    assert found == replaced(made({**kind, "refund_id": REFUND}))
    assert till.asked == [ReceiptQuestion(gateway_payment_id="pay_1", gateway_refund_id="rf_1")]
    for waits in (refund(), refund(state="failed"), refund(state="succeeded")):
        assert await again(rows, Looked(), of_it, paid, waits) == ("no_money", {}, set()), waits


CLOSING = receipt(state="refused", kind="closing", amount_minor=70)
TAKEN = capture(gateway_payment_id="pay_1", payment_id=PART)
NOT_SENT: tuple[tuple[Any, Any, Given, Row, str], ...] = (
    # The gateway, what it says, the rows, the wish, and why nothing was done.
    (Looked, Absent(), [DEAD, attempt()], {"contact": "ivan"}, "bad_contact"),
    (Looked, Absent(), [DEAD, attempt()], {"vat": "19"}, "bad_vat"),
    (Looked, Absent(), [attempt()], {}, f"unknown {RECEIPT}"),
    *((Looked, Absent(), [receipt(state=state), attempt()], {}, "not_a_case")
      for state in ("due", "sent", "registered", "void")),
    (Looked, Absent(), [DEAD, attempt(state="pending")], {}, "no_money"),
    (Looked, Absent(), [DEAD, attempt(state="failed")], {}, "no_money"),
    (Looked, Absent(), [receipt(state="refused", amount_minor=4999), attempt(), TAKEN], {},
     "by_hand_only"),
    (Closer, Absent(), [DEAD, attempt()], {}, "by_hand_only"),
    (Looked, BeingRegistered(), [DEAD, attempt()], {}, "in_work"),
    (Looked, Unclear("lost"), [DEAD, attempt()], {}, "not_answered"),
    (Looked, Declined("no"), [DEAD, attempt()], {}, "not_answered"),
)  # fmt: skip


async def test_why_a_receipt_is_not_sent_again(rows: Rows) -> None:
    for kind, answer, given, wish, why in NOT_SENT:
        till = kind()
        till.found = answer
        assert await again(rows, till, *given, **wish) == (why, {}, set()), (given, wish)
    equal = [DEAD, attempt(), TAKEN]
    assert (await again(rows, Looked(), *equal))[2] == {"receipts"}
    closing = [CLOSING, attempt(), TAKEN]
    assert (await again(rows, Looked(), *closing))[2] == {"receipts"}
    till = Looked()
    till.found = Registered(receipt_id="r_1", numbers={"document": "7"})
    said, found, seen = await again(rows, till, DEAD, attempt())
    assert (said, seen) == ("registered", set())
    assert found == {"receipts": [(RECEIPT, {
        "state": "registered", "tries": 4, "fiscal": {"document": "7"}, "failure": None,
        "gateway_receipt_id": "r_1", **OVER,
    })]}  # fmt: skip


async def test_a_receipt_that_was_made_elsewhere_has_its_number(rows: Rows) -> None:
    async def by_hand(number: str, *given: tuple[str, Row]) -> Any:
        async def verb(here: Context) -> None:
            await receipt_corrections.made_by_hand(here, ACTOR, ASHA, RECEIPT, number)

        return await does(rows, Closer(), [*given, attempt()], verb)

    for state in ("refused", "overdue"):
        for typed, number in (("7", "7"), (" 7 ", "7"), ("n" * 40, "n" * 40)):
            assert await by_hand(typed, receipt(state=state)) == (None, {
                "receipts": [(RECEIPT, {"state": "registered", **OVER, "fiscal": {
                    "document": number, "by_hand": "yes"}})],
                "audit_log": [noted("receipt.made_by_hand", str(RECEIPT),
                                    after={"document": number})],
            }, set())  # fmt: skip
    for bad in ("", "  ", "n" * 41, "a\x00b", "a\nb"):
        assert await by_hand(bad, DEAD) == ("bad_number", {}, set()), bad
    for state in ("due", "sent", "registered", "void"):
        assert await by_hand("7", receipt(state=state)) == ("not_a_case", {}, set())
    assert await by_hand("7") == (f"unknown {RECEIPT}", {}, set())


@pytest.mark.parametrize(("contact", "shown"), [
    (None, ""), ("", ""), ("ivan@example.com", "i•••@example.com"), ("i@a.ru", "i•••@a.ru"),
    ("+79161234567", "+7•••4567"),
])  # fmt: skip
def test_of_where_a_receipt_went_enough_is_shown(contact: str | None, shown: str) -> None:
    assert masked(contact) == shown


SHOWN: Given = [
    ("gateway_accounts", {"id": ACCOUNT, "merchant_id": ASHA, "gateway": "yookassa",
                          "slug": "main"}),
    ("payments", {"id": PART, "order_id": ORDER, "state": "succeeded"}), order(number="AB7"),
    attempt(), capture(gateway_payment_id="pay_1", payment_id=PART),
    refund(gateway_refund_id="rf_1"),
]  # fmt: skip
HEARD = receipt(
    state="registered", fiscal={"document": "7"}, ended_at=NOW, sent_at=NOW - SECOND,
    replaces=THEIRS, failure="was late",
)  # fmt: skip
ROW: Row = {
    "id": RECEIPT, "kind": "payment", "state": "registered", "money": Money(5000, "INR"),
    "created_at": NOW - SECOND, "ended_at": NOW, "order": ORDER, "number": "AB7",
    "payment": "pay_1", "gateway": "yookassa", "account": "main", "contact": "a•••@b.example",
    "failure": "was late", "fiscal": {"document": "7"}, "correctable": False,
}  # fmt: skip
BARE: Row = {"contact": "", "failure": "", "fiscal": {}, "ended_at": None}
MASKED = ReceiptRow(**ROW)


async def read(rows: Rows, given: Given, verb: Any, driver: Any = None) -> Any:
    said, found, seen = await does(rows, driver or Looked(), [*SHOWN, *given], verb)
    assert (found, seen) == ({}, set())
    return said


async def test_a_receipt_is_shown_whole(rows: Rows) -> None:
    async def one(here: Context, *, in_full: bool = True) -> Any:
        return await receipt_records.one(here, ASHA, RECEIPT, in_full=in_full)

    whole = ReceiptRecord(
        **{**ROW, "contact": "a@b.example"}, lines=(COLA,), currency="INR",
        tax_system="usn_income", refund="", sent_at=NOW - SECOND, replaces=THEIRS,
        replaced_by=NEXT, moved=True, sendable=True,
    )  # fmt: skip
    newer = receipt(NEXT, replaces=RECEIPT)
    assert await read(rows, [HEARD, newer], one) == whole
    hidden = await read(rows, [HEARD, newer], lambda here: one(here, in_full=False))
    assert hidden == replace(whole, contact="a•••@b.example")
    assert await read(rows, [HEARD], one, Closer()) == replace(
        whole, sendable=False, replaced_by=None
    )
    bare = receipt(**OF_REFUND, state="refused", contact=None, body=body(tax=None))
    assert await read(rows, [bare], one) == ReceiptRecord(
        **{**ROW, **BARE, "kind": "refund", "state": "refused", "money": Money(500, "INR"),
           "correctable": True},
        lines=(), currency="INR", tax_system=None, refund="rf_1", sent_at=None, replaces=None,
        replaced_by=None, moved=True, sendable=True,
    )  # fmt: skip
    assert await read(rows, [], one) is None


async def test_receipts_are_listed_whole_and_by_what_is_wanted(rows: Rows) -> None:
    other = receipt(NEXT, state="refused", attempt_id=UUID(int=78))
    closing = receipt(THEIRS, state="overdue", kind="closing")
    given = [HEARD, closing, other]

    def listed(limit: int = 9, before: UUID | None = None, **wanted: Any) -> Any:
        wish = ReceiptFilter(**wanted)
        return lambda here: receipt_records.listed(here, ASHA, wish, before, limit)

    async def ids(verb: Any) -> list[UUID]:
        return [row.id for row in await read(rows, given, verb)]

    assert MASKED in await read(rows, given, listed())
    assert await ids(listed(kind="payment", state="registered")) == [RECEIPT]
    assert set(await ids(listed(wanting=True))) == {NEXT, THEIRS}
    assert await ids(listed(kind="closing")) == [THEIRS]
    assert await ids(listed(state="refused", kind="closing")) == []
    assert await ids(listed(wanting=True, kind="closing", state="registered")) == [THEIRS]
    assert set(await ids(listed(text="AB7"))) == {RECEIPT, THEIRS}
    assert len(await ids(listed(2))) == 2
    overdue = [row for row in await read(rows, given, listed()) if row.id == THEIRS]
    assert [row.correctable for row in overdue] == [True]

    async def of_order(here: Context) -> Any:
        return await receipt_records.of_order(here, ASHA, ORDER)

    assert [row.id for row in await read(rows, given, of_order)] == [THEIRS, RECEIPT]
    assert MASKED in await read(rows, given, of_order)

    async def counted(here: Context) -> Any:
        return await receipt_records.counted(here, ASHA)

    assert await read(rows, given, counted) == {
        "registered": 1, "overdue": 1, "refused": 1, "due": 1,
    }  # fmt: skip

    async def every(here: Context) -> list[list[UUID]]:
        wish = ReceiptFilter(wanting=True)
        return [[row.id for row in some] async for some in receipt_records.chunks(here, ASHA, wish)]

    chunks = await read(rows, given, every)
    assert [set(some) for some in chunks] == [{NEXT, THEIRS}]


def test_each_kind_and_state_that_can_be_asked_for() -> None:
    """They are what the API's description and the console's lists offer."""
    assert (receipt_records.KINDS, receipt_records.STATES) == (
        ("payment", "refund", "closing"),
        ("due", "sent", "registered", "refused", "overdue", "void"),
    )
