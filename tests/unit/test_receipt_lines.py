"""The lines of a receipt come to its amount in minor units, whatever was sold and given back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinslot.gateways.receipts import ReceiptLimits, ReceiptTerms
from coinslot.gateways.tbank.driver import TBank
from coinslot.gateways.yookassa.driver import YooKassa
from coinslot.payments.receipt_lines import (
    Piece,
    ReceiptSumError,
    lines_back,
    lines_closing,
    lines_of,
)

TERMS = ReceiptTerms(contact="till@shop.example", vat="22", mode="full_prepayment")
LIMITS = ReceiptLimits(lines=80, name_chars=20)
PIECES = st.lists(
    st.builds(
        Piece,
        name=st.sampled_from(["Cappuccino", "Латте", ""]),
        minor=st.integers(0, 50_000),
        vat=st.sampled_from([None, "10"]),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(PIECES)
def test_lines_come_to_the_sum_of_the_pieces(pieces: list[Piece]) -> None:
    total = sum(piece.minor for piece in pieces)
    if not total:
        return
    lines = lines_of(pieces, total, TERMS, LIMITS)
    assert sum(line.quantity * line.price for line in lines) == total
    assert all(line.price > 0 for line in lines)
    assert {line.vat for line in lines} <= {"22", "10"}
    for wrong in (total - 1, total + 1):
        with pytest.raises(ReceiptSumError):
            lines_of(pieces, wrong, TERMS, LIMITS)


@settings(max_examples=60, deadline=None)
@given(PIECES, st.data())
def test_any_part_that_goes_back_has_lines_that_come_to_it(
    pieces: list[Piece], data: st.DataObject
) -> None:
    total = sum(piece.minor for piece in pieces)
    if not total:
        return
    paid = lines_of(pieces, total, TERMS, LIMITS)
    part = data.draw(st.integers(1, total))
    back = lines_back(paid, part, LIMITS)
    assert sum(line.total for line in back) == part
    most = {(line.name, line.vat): 0 for line in paid}
    for line in paid:
        most[line.name, line.vat] += line.total
    for line in back:
        most[line.name, line.vat] -= line.total
    assert min(most.values()) >= 0


def test_equal_pieces_are_one_line_and_a_discounted_one_is_another() -> None:
    pieces = [Piece(name="Latte", minor=minor) for minor in (15000, 15000, 14999, 0)]
    lines = lines_of(pieces, 44999, TERMS, LIMITS)
    assert [(line.quantity, line.price) for line in lines] == [(2, 15000), (1, 14999)]
    assert {(line.subject, line.mode) for line in lines} == {("commodity", "full_prepayment")}


def test_the_thing_that_is_given_back_stands_on_the_receipt_alone() -> None:
    paid = lines_of(
        [Piece(name="Latte", minor=15000, vat="10"), Piece(name="Tea", minor=9000)],
        24000, TERMS, LIMITS,
    )  # fmt: skip
    (line,) = lines_back(paid, 15000, LIMITS, Piece(name="Latte", minor=15000))
    assert (line.name, line.quantity, line.price, line.vat) == ("Latte", 1, 15000, "10")
    (part,) = lines_back(paid, 5000, LIMITS, Piece(name="Latte", minor=15000))
    assert (part.name, part.price) == ("Latte", 5000)
    assert lines_back(paid, 24000, LIMITS) == paid


def test_of_two_lines_of_one_name_the_one_of_this_price_goes_back() -> None:
    """Each has its rate: with the other's, the receipt of the refund would be wrong."""
    latte = [Piece(name="Latte", minor=15000), Piece(name="Latte", minor=14999, vat="10")]
    paid = lines_of(latte, 29999, TERMS, LIMITS)
    for piece, vat in zip(latte, ("22", "10"), strict=True):
        (line,) = lines_back(paid, piece.minor, LIMITS, piece)
        assert (line.price, line.vat) == (piece.minor, vat)
        (part,) = lines_back(paid, 100, LIMITS, piece)
        assert (part.price, part.vat) == (100, vat)


def test_a_name_is_cut_to_what_the_gateway_takes() -> None:
    limits = ReceiptLimits(lines=80, name_chars=10)
    names = ["Капучино большой", "a\x00b\nc", "   ", "Latte"]
    lines = lines_of([Piece(name=name, minor=100) for name in names], 400, TERMS, limits)
    assert [line.name for line in lines] == ["Капучино б", "a b c", "Товар", "Latte"]


def test_the_gateways_take_so_many_lines_and_letters() -> None:
    """As their documentation says: YooKassa of its own receipts, T-Bank of any."""
    assert YooKassa.receipt_limits == ReceiptLimits(lines=80, name_chars=128)
    assert TBank.receipt_limits == ReceiptLimits(lines=100, name_chars=128)


def test_more_lines_than_the_gateway_takes_are_no_receipt() -> None:
    few = ReceiptLimits(lines=2, name_chars=20)
    pieces = [Piece(name=str(number), minor=100) for number in range(3)]
    with pytest.raises(ReceiptSumError, match="3 lines"):
        lines_of(pieces, 300, TERMS, few)


@pytest.mark.parametrize("back", [0, -1, 301])
def test_more_than_was_paid_does_not_go_back(back: int) -> None:
    paid = lines_of([Piece(name="Tea", minor=300)], 300, TERMS, LIMITS)
    with pytest.raises(ReceiptSumError):
        lines_back(paid, back, LIMITS)


def test_the_receipt_of_a_hand_over_has_each_piece_at_its_price_as_paid_in_full() -> None:
    """Pieces of one line that a discount gave other prices are lines of their own."""
    paid = lines_of(
        [Piece(name="Tea", minor=300), Piece(name="Tea", minor=300), Piece(name="Cake", minor=90)],
        690, TERMS, LIMITS,
    )  # fmt: skip
    handed = [Piece(name="Tea", minor=300), Piece(name="Tea", minor=250),
              Piece(name="Tea", minor=300), Piece(name="Gift", minor=0)]  # fmt: skip
    with pytest.raises(ReceiptSumError, match="850 was handed over of 690"):
        lines_closing(paid, handed, LIMITS)
    lines = lines_closing(paid, [*handed[:2], *handed[3:]], LIMITS)
    assert [(line.name, line.quantity, line.price, line.mode) for line in lines] == [
        ("Tea", 1, 300, "full_payment"), ("Tea", 1, 250, "full_payment"),
    ]  # fmt: skip
    whole = lines_closing(paid, [Piece(name="Tea", minor=690)], LIMITS)
    assert [(line.name, line.quantity, line.price) for line in whole] == [
        ("Tea", 2, 300), ("Cake", 1, 90),
    ]  # fmt: skip
    with pytest.raises(ReceiptSumError, match="nothing was paid for 'Milk'"):
        lines_closing(paid, [Piece(name="Milk", minor=1)], LIMITS)
