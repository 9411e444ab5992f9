"""The lines of a receipt, whole: what each piece makes, what goes back and is handed over of them,
and both sides of what a gateway takes."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways.receipts import Agent, ReceiptLimits, ReceiptLine, ReceiptTerms
from coinslot.payments.receipt_lines import (
    Piece,
    ReceiptSumError,
    checked,
    handed_over,
    lines_back,
    lines_closing,
    lines_of,
    printable,
)

AGENT = Agent(kind="agent", supplier="Ivanov", inn="7707083893", phone="+79161234567")
TERMS = ReceiptTerms(contact="till@shop.example", vat="22", subject="service",
                     mode="full_prepayment", agent=AGENT)  # fmt: skip
LIMITS = ReceiptLimits(lines=3, name_chars=10)
LATTE = ReceiptLine(name="Latte", quantity=2, price=300, vat="22", subject="service",
                    mode="full_prepayment", agent=AGENT)  # fmt: skip
TEA = replace(LATTE, name="Tea", quantity=1, price=90, vat="10", subject="commodity")
CAKE = replace(TEA, name="Cake", price=10)


def refused(why: str, make: Callable[..., Any], *given: object) -> None:
    with pytest.raises(ReceiptSumError) as error:
        make(*given)
    assert str(error.value) == why


def test_each_piece_says_of_itself_what_the_account_does_not() -> None:
    pieces = [Piece(name="Latte", minor=300), Piece(name="Free", minor=0),
              Piece(name="Tea", minor=90, vat="10", subject="commodity"),
              Piece(name="Latte", minor=300)]  # fmt: skip
    assert lines_of(pieces, 690, TERMS, LIMITS) == (LATTE, TEA)
    other = [*pieces, Piece(name="Latte", minor=300, vat="22")]
    alike = replace(LATTE, quantity=1)
    assert lines_of(other, 990, TERMS, LIMITS) == (LATTE, TEA, alike)
    for total in (689, 691):
        why = f"the lines come to 690, and the amount is {total}"
        refused(why, lines_of, pieces, total, TERMS, LIMITS)
    refused("0 lines, and the gateway takes 3", lines_of, [], 0, TERMS, LIMITS)


@pytest.mark.parametrize(("lines", "total", "why"), [
    ([LATTE, TEA, CAKE], 700, None), ([CAKE], 10, None),
    ([LATTE, TEA, CAKE, CAKE], 710, "4 lines, and the gateway takes 3"),
    ([], 0, "0 lines, and the gateway takes 3"),
    ([LATTE], 599, "the lines come to 600, and the amount is 599"),
    ([LATTE], 601, "the lines come to 600, and the amount is 601"),
    ([LATTE, replace(TEA, price=0)], 600, "the lines come to 600, and the amount is 600"),
    ([LATTE, replace(TEA, quantity=0)], 600, "the lines come to 600, and the amount is 600"),
    ([LATTE, replace(TEA, price=-1)], 599, "the lines come to 599, and the amount is 599"),
    ([replace(TEA, price=-1, quantity=-1)], 1, "the lines come to 1, and the amount is 1"),
    ([replace(TEA, price=1)], 1, None),
])  # fmt: skip
def test_lines_that_are_no_receipt(
    lines: Sequence[ReceiptLine], total: int, why: str | None
) -> None:
    if why is None:
        assert checked(lines, total, LIMITS) == tuple(lines)
    else:
        refused(why, checked, lines, total, LIMITS)


PAID = (LATTE, TEA, CAKE)
# What goes back of them, of which thing, and with which lines.
BACK: tuple[tuple[int, Piece | None, tuple[ReceiptLine, ...]], ...] = (
    (700, None, PAID), (700, Piece(name="Tea", minor=90), PAID),
    (90, Piece(name="Tea", minor=90), (TEA,)), (1, Piece(name="Tea", minor=90),
                                                (replace(TEA, price=1),)),
    (300, Piece(name="Latte", minor=300), (replace(LATTE, quantity=1),)),
    (600, Piece(name="Latte", minor=300), (replace(LATTE, quantity=1, price=600),)),
    (350, None, (replace(LATTE, quantity=1, price=300), replace(TEA, price=45),
                 replace(CAKE, price=5))),
    (350, Piece(name="Milk", minor=9), (replace(LATTE, quantity=1, price=300),
                                        replace(TEA, price=45), replace(CAKE, price=5))),
    # To the last unit: each rounded down, and the rest to those that lost most.
    (1, None, (replace(LATTE, quantity=1, price=1),)),
    (2, None, (replace(LATTE, quantity=1, price=2),)),
    (4, None, (replace(LATTE, quantity=1, price=3), replace(TEA, price=1))),
    (699, None, (replace(LATTE, quantity=1, price=599), replace(TEA, price=90),
                 replace(CAKE, price=10))),
)  # fmt: skip


@pytest.mark.parametrize(("total", "named", "lines"), BACK)
def test_what_goes_back_has_the_lines_of_what_was_paid(
    total: int, named: Piece | None, lines: tuple[ReceiptLine, ...]
) -> None:
    assert lines_back(PAID, total, LIMITS, named) == lines


def test_no_more_goes_back_than_was_paid_and_not_nothing() -> None:
    for total in (701, 0, -1):
        why = f"{total} cannot go back of 700"
        refused(why, lines_back, PAID, total, LIMITS)
    two = (replace(TEA, price=80, vat="22"), TEA)
    for minor, vat in ((90, TEA), (80, two[0]), (70, two[0])):
        (line,) = lines_back(two, 5, LIMITS, Piece(name="Tea", minor=minor))
        assert line == replace(vat, price=5)
    # Equal rests go in the order of the lines.
    even = (replace(TEA, price=3), replace(CAKE, price=3), replace(CAKE, name="Pie", price=3))
    assert [line.price for line in lines_back(even, 4, LIMITS)] == [2, 1, 1]
    assert [line.price for line in lines_back(even, 5, LIMITS)] == [2, 2, 1]
    long = (replace(TEA, name="Cappuccino"),)
    (found,) = lines_back(long, 9, LIMITS, Piece(name="Cappuccino grande", minor=90))
    assert found == replace(long[0], price=9)


FULL = {"mode": "full_payment"}


def test_what_was_handed_over_is_paid_in_full() -> None:
    for vat, then in (("none", "none"), ("22", "22"), ("22/122", "22"), ("7/107", "7"),
                      ("10/110", "10"), ("99/199", "99/199")):  # fmt: skip
        assert handed_over(replace(TEA, vat=vat)) == replace(TEA, vat=then, mode="full_payment")
    paid = replace(TEA, mode="full_payment", vat="22/122")
    assert handed_over(paid) == paid
    credit = replace(TEA, mode="credit", vat="22/122")
    assert handed_over(credit) == credit


CLOSES: tuple[tuple[list[Piece], tuple[ReceiptLine, ...]], ...] = (
    ([Piece(name="Any", minor=700)], tuple(handed_over(line) for line in PAID)),
    ([Piece(name="Latte", minor=300)], (replace(LATTE, quantity=1, **FULL),)),
    ([Piece(name="Latte", minor=300)] * 2, (replace(LATTE, **FULL),)),
    ([Piece(name="Latte", minor=299), Piece(name="Latte", minor=300), Piece(name="x", minor=0)],
     (replace(LATTE, quantity=1, price=299, **FULL), replace(LATTE, quantity=1, **FULL))),
    ([Piece(name="Tea", minor=90), Piece(name="Latte", minor=300), Piece(name="Tea", minor=90)],
     (replace(TEA, quantity=2, **FULL), replace(LATTE, quantity=1, **FULL))),
    ([Piece(name="Latte", minor=1), Piece(name="Tea", minor=698)],
     (replace(LATTE, quantity=1, price=1, **FULL), replace(TEA, price=698, **FULL))),
)  # fmt: skip


@pytest.mark.parametrize(("pieces", "lines"), CLOSES)
def test_the_second_receipt_has_what_was_handed_over(
    pieces: list[Piece], lines: tuple[ReceiptLine, ...]
) -> None:
    assert lines_closing(PAID, pieces, LIMITS) == lines


def test_what_nobody_paid_for_is_not_handed_over() -> None:
    milk = [Piece(name="Milk\nand more milk", minor=1)]
    refused("nothing was paid for 'Milk and m'", lines_closing, PAID, milk, LIMITS)
    more = [Piece(name="Tea", minor=701)]
    refused("701 was handed over of 700", lines_closing, PAID, more, LIMITS)
    many = [Piece(name="Tea", minor=minor) for minor in (1, 2, 3, 4)]
    refused("4 lines, and the gateway takes 3", lines_closing, PAID, many, LIMITS)
    refused("0 lines, and the gateway takes 3", lines_closing, PAID, [], LIMITS)


@pytest.mark.parametrize(("name", "shown"), [
    ("Latte", "Latte"), ("x" * 10, "x" * 10), ("x" * 11, "x" * 10), (" a  b\t\nc ", "a b c"),
    ("a\x00b", "a b"), ("", "Товар"), (" \x07 ", "Товар"), ("123456789 1", "123456789"),
])  # fmt: skip
def test_a_name_is_printed_on_one_line_and_is_never_empty(name: str, shown: str) -> None:
    assert printable(name, LIMITS) == shown
