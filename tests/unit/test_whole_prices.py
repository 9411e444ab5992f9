"""What orders cost, piece by piece: whole answers, to whom the last units fall, and each refusal in
its words with what is just inside it."""

from collections.abc import Sequence

import pytest

from coinslot.orders.pricing import (
    Discount,
    Extra,
    ExtraKind,
    Item,
    Priced,
    PricedItem,
    PricingError,
    allot,
    price,
)

TIP, FEE = Extra(ExtraKind.TIP, 50), Extra(ExtraKind.DELIVERY_FEE, 1)
TAX = Extra(ExtraKind.ADDED_TAX, 7)


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (0, [], []),
        (0, [0, 0, 0], [0, 0, 0]),
        (0, [1, 2], [0, 0]),
        (3, [1, 2], [1, 2]),
        (2, [1, 1, 1], [1, 1, 0]),  # of equal remainders the first
        (1, [1, 1, 1], [1, 0, 0]),
        (2, [1, 2, 3], [0, 1, 1]),  # the largest remainders: 2/6, 4/6, 0
        (5, [3, 3, 4], [2, 1, 2]),
        (7, [5, 0, 5], [4, 0, 3]),
        (10, [0, 1], [0, 10]),
        (6, [2, 4, 6], [1, 2, 3]),
    ],
)
def test_who_gets_how_much(total: int, weights: list[int], shares: list[int]) -> None:
    assert allot(total, weights) == shares


def pieces(*units: int, taxes: Sequence[int] = ()) -> PricedItem:
    return PricedItem(units=units, taxes=tuple(taxes) or (0,) * len(units))


Case = tuple[list[Item], list[Discount], list[Extra], list[PricedItem], int]
CASES: Sequence[Case] = (
    ([], [], [], [], 0),
    ([], [], [TIP, FEE, TAX], [], 58),
    ([Item(price=0)], [], [], [pieces(0)], 0),
    ([Item(price=5, quantity=2), Item(price=7)], [], [FEE], [pieces(5, 5), pieces(7)], 18),
    # One after the other, each of what is left.
    ([Item(price=100), Item(price=300)], [Discount(100), Discount(100)], [],
     [pieces(50), pieces(150)], 200),
    ([Item(price=100), Item(price=300)], [Discount(100, (1,)), Discount(100)], [],
     [pieces(67), pieces(133)], 200),
    ([Item(price=100), Item(price=300)], [Discount(100), Discount(100, (1,))], [],
     [pieces(75), pieces(125)], 200),
    ([Item(price=100), Item(price=300)], [Discount(101, (0,)), Discount(7, (0, 1))], [],
     [pieces(0), pieces(293)], 293),
    ([Item(price=100, quantity=3)], [Discount(2, (0,))], [], [pieces(99, 99, 100)], 298),
    ([Item(price=100), Item(price=50)], [Discount(0)], [], [pieces(100), pieces(50)], 150),
    # 1800 is 18 % of the rest: 118 holds 18; rounded half up once for each rate.
    ([Item(price=118, tax_bp=1800)], [], [], [pieces(118, taxes=[18])], 118),
    ([Item(price=3, tax_bp=10_000)], [], [], [pieces(3, taxes=[2])], 3),
    ([Item(price=1, tax_bp=10_000)], [], [], [pieces(1, taxes=[1])], 1),
    ([Item(price=1, tax_bp=9_999)], [], [], [pieces(1, taxes=[0])], 1),
    ([Item(price=59, quantity=2, tax_bp=1800), Item(price=118)], [], [TIP],
     [pieces(59, 59, taxes=[9, 9]), pieces(118)], 286),
    ([Item(price=100, tax_bp=700), Item(price=107, tax_bp=1900), Item(price=114, tax_bp=700)],
     [], [], [pieces(100, taxes=[7]), pieces(107, taxes=[17]), pieces(114, taxes=[7])], 321),
    ([Item(price=118, tax_bp=1800), Item(price=118)], [Discount(118)], [],
     [pieces(59, taxes=[9]), pieces(59)], 118),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(CASES)))
def test_each_piece_costs_so_much(case: int) -> None:
    items, discounts, extras, priced, total = CASES[case]
    assert price(items, discounts, extras) == Priced(
        items=tuple(priced), extras=tuple(extras), total=total
    )


CAN = Item(price=5)
BELOW = "a price, a quantity or a tax is below what it can be"


@pytest.mark.parametrize(
    ("items", "discounts", "extras", "said"),
    [
        ([CAN, Item(price=-1)], [], [], BELOW),
        ([Item(price=1, quantity=0), CAN], [], [], BELOW),
        ([Item(price=1, tax_bp=-1)], [], [], BELOW),
        ([CAN], [Discount(1), Discount(-1)], [], "a discount takes off, and adds nothing"),
        ([CAN], [Discount(1, (0, 1))], [], "a discount names an item that is not in the order"),
        ([CAN], [Discount(1, (-1,))], [], "a discount names an item that is not in the order"),
        ([CAN], [Discount(1), Discount(1, (1,))], [],
         "a discount names an item that is not in the order"),
        ([CAN], [], [TIP, Extra(ExtraKind.ADDED_TAX, 0)],
         "an extra is more than nothing, or is left out"),
        ([CAN], [], [Extra(ExtraKind.TIP, -1)], "an extra is more than nothing, or is left out"),
        ([CAN], [], [TIP, FEE, TIP], "there is one extra of each kind"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(
    items: list[Item], discounts: list[Discount], extras: list[Extra], said: str
) -> None:
    with pytest.raises(PricingError) as refused:
        price(items, discounts, extras)
    assert str(refused.value) == said


def test_nothing_is_allotted_to_nobody() -> None:
    with pytest.raises(PricingError) as refused:
        allot(1, [0, 0])
    assert str(refused.value) == "there is nothing to allot it to"
