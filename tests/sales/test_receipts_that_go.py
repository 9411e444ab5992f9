"""Which receipt goes with a charge, a capture and a refund: written first, whole, and the same on
every try. Another receipt stands beside each."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.gateways.base import Declined
from coinslot.gateways.receipts import (
    Receipt,
    ReceiptLine,
    ReceiptTerms,
)
from coinslot.payments import receipts
from coinslot.payments.receipts import REFUSED, WithRefund
from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ASHA,
    CAPTURE,
    FACTS,
    LINE,
    NEXT,
    ORDER,
    PART,
    REFUND,
    THEIRS,
    UNIT,
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
    OF_REFUND,
    RECEIPT,
    SECOND,
    SODA,
    Maker,
    account,
    attempt,
    body,
    does,
    receipt,
)
from tests.sales.wrote import in_order

CHARGED: Any = {"id": ATTEMPT, "payment_id": PART, "amount_minor": 5000, "currency": "INR",
                "description": "Basket"}  # fmt: skip
WRITTEN: Row = {
    **FACTS, "kind": "payment", "attempt_id": ATTEMPT, "state": "due", "version": 1,
    "amount_minor": 5000, "currency": "INR", "contact": "till@shop.example", "created_at": NOW,
    "due_at": NOW + 10 * SECOND,
    "body": body(replace(COLA, name="Basket")),
}  # fmt: skip
PAYMENT: tuple[str, Row] = (
    "payments", {"id": PART, "merchant_id": ASHA, "source": "api", "state": "processing",
                 "amount_minor": 5000},
)  # fmt: skip


def goes(row: Row) -> Receipt:
    lines = [ReceiptLine(**line) for line in row["body"]["lines"]]
    return Receipt(contact=row["contact"], lines=tuple(lines), tax_system=row["body"]["tax_system"])


async def test_what_goes_with_a_charge_is_written_first_and_the_same_on_every_try(
    rows: Rows,
) -> None:
    async def charged(driver: Any, *given: tuple[str, Row], odd: Row | None = None) -> Any:
        row: Any = {**CHARGED, **(odd or {})}
        said, found, _ = await does(
            rows, driver, list(given),
            lambda here: receipts.of_attempt(here, account(driver), row),
        )  # fmt: skip
        return said, found

    assert await charged(Maker(), PAYMENT) == (goes(WRITTEN), [WRITTEN])
    named = (PAYMENT[0], {**PAYMENT[1], "receipt_contact": "i@b.example"})
    to_them = {**WRITTEN, "contact": "i@b.example"}
    assert await charged(Maker(), named) == (goes(to_them), [to_them])
    assert await charged(Maker(), named, receipt()) == (goes(receipt()[1]), [])
    alone = receipt(contact=None)
    assert (await charged(Maker(), alone))[0].contact == "till@shop.example"
    other_terms = Maker(None, ReceiptTerms(contact="x@y.example", vat="10", subject="service"))
    lines = {**to_them, "body": body(replace(COLA, name="Basket", vat="10", subject="service"),
                                     tax=None)}  # fmt: skip
    assert await charged(other_terms, named) == (goes(lines), [lines])
    for driver in (Maker(None, None), SimpleNamespace()):
        assert await charged(driver, PAYMENT) == (None, [])
    sold: Given = [
        (PAYMENT[0], {**PAYMENT[1], "source": "order", "order_id": ORDER}), order(),
        ("products", {"id": SODA, "vat": "10"}),
        ("order_lines", {"id": LINE, "order_id": ORDER, "product_id": SODA, "name": "Cola",
                         "price_minor": 2000, "quantity": 2}),
        *(("order_extras", {"id": UUID(int=80 + n), "order_id": ORDER, "kind": kind,
                            "amount_minor": minor})
          for n, (kind, minor) in enumerate((("tip", 300), ("delivery_fee", 700)))),
    ]  # fmt: skip
    service = replace(COLA, subject="service")
    whole = {**WRITTEN, "body": body(
        replace(COLA, quantity=2, price=2000, vat="10"),
        replace(service, name="Доставка", price=700), replace(service, name="Чаевые", price=300),
    )}  # fmt: skip
    assert await charged(Maker(), *sold) == (goes(whole), [whole])
    said, found = await charged(Maker(), *sold, odd={"amount_minor": 5001})
    assert (said, found) == (
        Declined("the lines come to 5000, and the amount is 5001", REFUSED), [],
    )  # fmt: skip
    tax = ("order_extras", {"id": UUID(int=83), "order_id": ORDER, "kind": "added_tax",
                            "amount_minor": 1})  # fmt: skip
    said, _ = await charged(Maker(), *sold, tax, odd={"amount_minor": 5001})
    assert said == Declined("4 lines, and the gateway takes 3", REFUSED)


HELD = receipt()
VOIDED = (RECEIPT, {"state": "void", "version": 2, "due_at": None, "ended_at": NOW})


async def test_what_goes_with_a_capture_is_of_what_is_captured(rows: Rows) -> None:
    async def captured(driver: Any, minor: int, *given: tuple[str, Row]) -> Any:
        said, found, _ = await does(
            rows, driver, list(given),
            lambda here: receipts.of_capture(here, account(driver), CHARGED, minor),
        )  # fmt: skip
        return said, found

    assert await captured(Maker(), 5000, HELD) == (goes(HELD[1]), [])
    part = {**WRITTEN, "amount_minor": 1200, "contact": "a@b.example", "replaces": RECEIPT,
            "body": body(replace(COLA, price=1200))}  # fmt: skip
    for driver in (Maker(), Maker(None, None)):
        assert await captured(driver, 1200, HELD) == (goes(part), in_order([VOIDED, part]))
    refused = receipt(state="refused")
    again = {**part, "amount_minor": 5000, "body": body(COLA)}
    assert await captured(Maker(), 5000, refused) == (goes(again), in_order([VOIDED, again]))
    smaller = [receipt(state="void"), receipt(NEXT, replaces=RECEIPT, amount_minor=1200,
                                              body=body(replace(COLA, price=1200)))]  # fmt: skip
    assert (await captured(Maker(), 1200, *smaller))[1] == []
    said, found = await captured(Maker(), 2000, *smaller)
    third = {
        **part,
        "amount_minor": 2000,
        "replaces": NEXT,
        "body": body(replace(COLA, price=2000)),
    }
    assert (said, found) == (goes(third), in_order([(NEXT, VOIDED[1]), third]))
    assert await captured(Maker(), 5001, HELD) == (
        Declined("5001 cannot go back of 5000", REFUSED),
        [],
    )
    unsent = receipt(contact=None)
    assert (await captured(Maker(), 5000, unsent))[0].contact == "till@shop.example"
    assert (await captured(Maker(None, None), 5000, unsent))[0].contact == ""
    assert await captured(Maker(), 5000) == (None, [])
    assert await captured(SimpleNamespace(), 5000, HELD) == (None, [])


ASKED: Any = {"id": REFUND, "capture_id": CAPTURE, "amount_minor": 500, "currency": "INR"}
OF_IT: Row = {
    **{name: value for name, value in WRITTEN.items() if name != "attempt_id"}, "kind": "refund",
    "refund_id": REFUND, "amount_minor": 500, "contact": "a@b.example",
    "body": body(replace(COLA, price=500)),
}  # fmt: skip
BACK: Given = [refund(), capture(gateway_payment_id="pay_1"), attempt(), PAYMENT]


async def returned(rows: Rows, driver: Any, *given: tuple[str, Row], odd: Row | None = None) -> Any:
    row: Any = {**ASKED, **(odd or {})}
    said, found, _ = await does(
        rows, driver, [*BACK, *given], lambda here: receipts.of_refund(here, account(driver), row)
    )
    return said, found


async def test_what_goes_with_a_refund_is_of_the_lines_that_were_paid(rows: Rows) -> None:
    paid = receipt(state="registered", due_at=None)
    whole = WithRefund(receipt=goes(OF_IT))
    assert await returned(rows, Maker(), paid) == (whole, [OF_IT])
    kept = receipt(NEXT, **OF_REFUND)
    assert await returned(rows, Maker(), paid, kept) == (WithRefund(receipt=goes(kept[1])), [])
    lost = receipt(NEXT, **OF_REFUND, contact=None)
    assert (await returned(rows, Maker(), paid, lost))[0].receipt.contact == "till@shop.example"
    assert await returned(rows, SimpleNamespace(), paid) == (WithRefund(), [])
    refused = receipt(NEXT, **OF_REFUND, state="refused")
    assert await returned(rows, Maker(), paid, refused) == (WithRefund(without=True), [])
    nameless = receipt(state="registered", due_at=None, contact=None)
    _, (row,) = await returned(rows, Maker(), nameless)
    assert row == {**OF_IT, "contact": "till@shop.example"}
    no_terms = {**OF_IT, "state": "refused", "version": 2, "body": body(tax=None),
                "failure": "the account has no fiscal settings any more"}  # fmt: skip
    for gone in ("due_at", "contact"):
        no_terms.pop(gone)
    for given, wanted in (((paid,), [no_terms]), ((), [])):
        said, found = await returned(rows, Maker(None, None), *given)
        assert (said, found) == (WithRefund(without=True), wanted)
    more = {"amount_minor": 5001}
    bad = {**OF_IT, **more, "state": "refused", "version": 2, "body": body(),
           "failure": "5001 cannot go back of 5000"}  # fmt: skip
    bad.pop("due_at")
    assert await returned(rows, Maker(), paid, odd=more) == (WithRefund(without=True), [bad])


async def test_a_refund_of_one_thing_has_its_line_and_of_money_without_a_receipt_its_sum(
    rows: Rows,
) -> None:
    soda = replace(COLA, name="Soda", price=2000, vat="10")
    both = receipt(state="registered", due_at=None, body=body(replace(COLA, price=3000), soda))
    of_unit: Given = [
        refund(fulfillment_id=UNIT), unit(amount_minor=2000, state="failed", basis="x",
                                          settlement="refund_due"),
        ("order_lines", {"id": LINE, "order_id": ORDER, "product_id": SODA, "name": "Soda"}),
    ]  # fmt: skip

    async def lines(*given: tuple[str, Row]) -> Any:
        own = [*given, *BACK[1:]] if given and given[0][0] == "refunds" else [*BACK, *given]
        driver, row = Maker(), ASKED
        _, (made,), _ = await does(
            rows, driver, own, lambda here: receipts.of_refund(here, account(driver), row)
        )
        return made["body"]["lines"]

    def told(*wanted: ReceiptLine) -> Any:
        return body(*wanted)["lines"]

    assert await lines(*of_unit, both) == told(replace(soda, price=500))
    assert await lines(both) == told(replace(COLA, price=300), replace(soda, price=200))
    handed = [of_unit[0], (of_unit[1][0], {**of_unit[1][1], "settlement": "fulfilled",
                                          "state": "vended"}), of_unit[2]]  # fmt: skip
    advance = receipt(state="registered", due_at=None, body=body(
        replace(ADVANCE, price=3000), replace(soda, mode="full_prepayment", vat="10/110")
    ))  # fmt: skip
    assert await lines(*handed, advance) == told(replace(soda, price=500))
    assert await lines(*of_unit, advance) == told(
        replace(soda, price=500, mode="full_prepayment", vat="10/110")
    )
    # Another sum than the receipt's came: one line of what came.
    less = receipt(state="registered", due_at=None, body=body(replace(COLA, price=4000)))
    assert await lines(less) == told(replace(COLA, price=500))
    described = (PAYMENT[0], {**PAYMENT[1], "id": UUID(int=77)})
    assert await lines(described) == told(replace(COLA, name="Товар", price=500))


async def test_a_refund_of_an_order_without_a_receipt_has_its_goods_if_they_come_to_the_money(
    rows: Rows,
) -> None:
    soda = ("products", {"id": SODA, "vat": "10"})
    for price, line in (
        (5000, replace(COLA, vat="10", price=500)), (4000, replace(COLA, name="Basket", price=500)),
        (5001, replace(COLA, name="Basket", price=500)),
    ):  # fmt: skip
        given: Given = [
            *BACK[:-1], soda, order(),
            (PAYMENT[0], {**PAYMENT[1], "source": "order", "order_id": ORDER,
                          "description": "Basket"}),
            ("order_lines", {"id": LINE, "order_id": ORDER, "product_id": SODA, "name": "Cola",
                             "price_minor": price, "quantity": 1}),
        ]  # fmt: skip
        _, (made,), _ = await does(
            rows, Maker(), given, lambda here: receipts.of_refund(here, account(Maker()), ASKED)
        )
        assert made["body"] == body(line), price


async def test_a_receipt_for_which_the_gateway_made_nothing_is_refused(rows: Rows) -> None:
    async def said(reason: str, *given: tuple[str, Row], **of: UUID) -> list[Any]:
        async def run(here: Context) -> None:
            async with here.db.as_merchant(ASHA) as conn:
                await receipts.refused(conn, here, reason, **of)

        return (await does(rows, Maker(), list(given), run))[1]

    no: Row = {"state": "refused", "version": 2, "due_at": None}
    for state in ("due", "sent", "overdue"):
        found = await said("r" * 501, receipt(state=state), attempt=ATTEMPT)
        assert found == [(RECEIPT, {**no, "failure": "r" * 500})], state
    for state in ("registered", "refused", "void"):
        assert await said("x", receipt(state=state), attempt=ATTEMPT) == []
    newest = receipt(THEIRS, replaces=RECEIPT)
    assert await said("x", receipt(), newest, attempt=ATTEMPT) == [(THEIRS, {**no, "failure": "x"})]
    of_refund = receipt(**OF_REFUND)
    assert await said("x", of_refund, refund=REFUND) == [(RECEIPT, {**no, "failure": "x"})]
    assert await said("x", of_refund, attempt=ATTEMPT) == []


@pytest.mark.parametrize(
    ("refund_id", "closing", "kind"),
    [(None, False, "payment"), (None, True, "closing"), (REFUND, False, "refund")],
)
def test_a_receipt_is_of_a_payment_a_hand_over_or_a_refund(
    refund_id: UUID | None, closing: bool, kind: str
) -> None:
    new = receipts._New(minor=1, currency="INR", contact=None, lines=(), refund=refund_id,
                        closing=closing)  # fmt: skip
    assert new.kind == kind


async def test_a_refund_of_more_or_less_than_the_receipt_said_has_one_line(rows: Rows) -> None:
    """Money that bought nothing may be another sum than its order."""
    soda = replace(COLA, name="Soda", price=1000)
    for lines, back in (
        ((replace(COLA, price=4000), soda), (replace(COLA, price=400), replace(soda, price=100))),
        ((COLA, soda), (replace(COLA, price=500),)), ((soda,), (replace(soda, price=500),)),
    ):  # fmt: skip
        given: Given = [*BACK[:-1], PAYMENT, receipt(body=body(*lines), state="registered")]
        _, (made,), _ = await does(
            rows, Maker(), given, lambda here: receipts.of_refund(here, account(Maker()), ASKED)
        )
        assert made["body"] == body(*back), lines
