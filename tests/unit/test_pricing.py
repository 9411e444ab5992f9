"""What an order costs is the sum of its pieces and extras, to the last minor unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinslot.orders.pricing import (
    Discount,
    Extra,
    ExtraKind,
    Item,
    PricingError,
    allot,
    price,
)

SUMS = st.integers(0, 10**12)
ITEMS = st.lists(
    st.builds(
        Item,
        price=st.one_of(st.integers(0, 9), SUMS),
        quantity=st.integers(1, 10),
        tax_bp=st.integers(0, 10_000),
    ),
    min_size=1,
    max_size=6,
)
EXTRAS = st.lists(
    st.builds(Extra, st.sampled_from(ExtraKind), st.integers(1, 10**9)),
    unique_by=lambda extra: extra.kind,
)


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[Item], list[Discount], list[Extra]]:
    items = draw(ITEMS)
    places = st.lists(st.integers(0, len(items) - 1)).map(tuple)
    discounts = st.builds(Discount, st.one_of(st.integers(0, 9), SUMS), places)
    return items, draw(st.lists(discounts, max_size=4)), draw(EXTRAS)


@given(orders())
def test_pieces_and_extras_add_up_and_no_piece_is_above_its_price_or_below_nothing(
    order: tuple[list[Item], list[Discount], list[Extra]],
) -> None:
    items, discounts, extras = order
    priced = price(items, discounts, extras)
    pieces = [unit for item in priced.items for unit in item.units]
    assert priced.total == sum(pieces) + sum(extra.amount for extra in extras)
    for item, given_ in zip(priced.items, items, strict=True):
        assert len(item.units) == len(item.taxes) == given_.quantity
        assert all(0 <= unit <= given_.price for unit in item.units)
        assert all(0 <= tax <= unit for tax, unit in zip(item.taxes, item.units, strict=True))


@given(orders())
def test_discounts_take_off_what_they_say_and_never_more_than_there_is(
    order: tuple[list[Item], list[Discount], list[Extra]],
) -> None:
    items, discounts, _ = order
    before = sum(item.price * item.quantity for item in items)
    paid = price(items, discounts).total
    asked = sum(discount.amount for discount in discounts)
    assert max(before - asked, 0) <= paid <= before
    if all(not discount.items for discount in discounts):
        assert paid == max(before - asked, 0)


@given(orders())
def test_what_a_discount_does_not_name_keeps_its_price(
    order: tuple[list[Item], list[Discount], list[Extra]],
) -> None:
    items, discounts, _ = order
    priced = price(items, [discount for discount in discounts if discount.items])
    named = {place for discount in discounts for place in discount.items}
    for place in set(range(len(items))) - named:
        assert set(priced.items[place].units) == {items[place].price}


@given(orders())
def test_the_tax_included_at_a_rate_is_within_half_a_minor_unit_of_its_share(
    order: tuple[list[Item], list[Discount], list[Extra]],
) -> None:
    items, discounts, _ = order
    found = list(zip(price(items, discounts).items, items, strict=True))
    for rate in {item.tax_bp for item in items}:
        whole = 10_000 + rate
        taxes = sum(sum(one.taxes) for one, item in found if item.tax_bp == rate)
        units = sum(sum(one.units) for one, item in found if item.tax_bp == rate)
        assert abs(taxes * whole - units * rate) * 2 <= whole
    for one, item in found:
        for tax, unit in zip(one.taxes, one.units, strict=True):
            assert abs(tax * (10_000 + item.tax_bp) - unit * item.tax_bp) < 2 * (
                10_000 + item.tax_bp
            ), "no piece is more than two minor units off its own"


def test_tax_is_rounded_once_for_a_rate_and_not_for_each_line() -> None:
    lines = [Item(price=100, tax_bp=700), Item(price=100, tax_bp=700), Item(price=100, tax_bp=700)]
    priced = price(lines)
    assert sum(sum(item.taxes) for item in priced.items) == 20, "of 3.00, 7 % on the rest"
    assert sorted(item.taxes for item in priced.items) == [(6,), (7,), (7,)]
    mixed = price([*lines, Item(price=200, tax_bp=1900, quantity=2)])
    assert sum(mixed.items[3].taxes) == 64


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40), st.data())
def test_a_sum_is_allotted_whole_and_in_proportion(weights: list[int], data: st.DataObject) -> None:
    worth = sum(weights)
    total = data.draw(st.integers(0, worth))
    shares = allot(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share <= weight
        assert abs(share * worth - total * weight) < max(worth, 1)  # less than one off its part


def test_equal_pieces_differ_by_one_minor_unit_at_most() -> None:
    assert allot(100, [300, 300, 300]) == [34, 33, 33]
    (item,) = price([Item(price=4000, quantity=3)], [Discount(1000)]).items
    assert item.units == (3666, 3667, 3667)


def test_a_discount_falls_on_dear_and_cheap_in_proportion() -> None:
    priced = price([Item(price=3000), Item(price=1000, tax_bp=1800)], [Discount(400)])
    assert [item.units for item in priced.items] == [(2700,), (900,)]
    assert [item.taxes for item in priced.items] == [(0,), (137,)]  # 900 * 18 / 118


def test_a_discount_of_everything_leaves_an_order_of_nothing() -> None:
    assert price([Item(price=4000, quantity=2)], [Discount(10**9)]).total == 0
    assert price([Item(price=0)], [Discount(5)]).total == 0


@pytest.mark.parametrize(
    ("items", "discounts", "extras"),
    [
        ([Item(price=-1)], (), ()),
        ([Item(price=1, quantity=0)], (), ()),
        ([Item(price=1, tax_bp=-1)], (), ()),
        ([Item(price=1)], (Discount(-1),), ()),
        ([Item(price=1)], (Discount(1, (1,)),), ()),
        ([Item(price=1)], (), (Extra(ExtraKind.TIP, 0),)),
        ([Item(price=1)], (), (Extra(ExtraKind.TIP, 1), Extra(ExtraKind.TIP, 2))),
    ],
)
def test_what_cannot_be_priced_is_refused(
    items: list[Item], discounts: tuple[Discount, ...], extras: tuple[Extra, ...]
) -> None:
    with pytest.raises(PricingError):
        price(items, discounts, extras)
    with pytest.raises(PricingError):
        allot(1, [0, 0])


def test_an_item_that_says_no_more_than_its_price_is_one_piece_without_tax() -> None:
    priced = price([Item(price=10_000)])
    assert (priced.items[0].units, priced.items[0].taxes) == ((10_000,), (0,))
    assert (priced.extras, priced.total) == ((), 10_000)
