"""What an order costs: each piece after discounts, the tax that is included in it, and the extras.
Every sum is allotted to the last minor unit."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

_BASE_BP = 10_000  # basis points of the whole


class PricingError(ValueError):
    """An order cannot cost that; the message says why."""


class ExtraKind(StrEnum):
    """What may be paid beside the pieces."""

    TIP = "tip"
    DELIVERY_FEE = "delivery_fee"
    ADDED_TAX = "added_tax"  # on top of the prices; tax that they include is of each piece


class Extra(Struct, frozen=True):
    """So many minor units, more than none; one of each kind."""

    kind: ExtraKind
    amount: int


class Item(Struct, frozen=True, kw_only=True):
    """`quantity` pieces at `price` minor units each, in which `tax_bp` basis points of tax on the
    rest are included: 1800 is 18 %."""

    price: int
    quantity: int = 1
    tax_bp: int = 0


class Discount(Struct, frozen=True):
    """So much off these items, by their places; off all when none is named. What they cost is the
    most that it takes."""

    amount: int
    items: tuple[int, ...] = ()


class PricedItem(Struct, frozen=True, kw_only=True):
    """What is paid for each piece, and the tax included in that."""

    units: tuple[int, ...]
    taxes: tuple[int, ...]


class Priced(Struct, frozen=True, kw_only=True):
    """An order's price: `total` is the sum of all pieces and extras."""

    items: tuple[PricedItem, ...]
    extras: tuple[Extra, ...]
    total: int


def allot(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in proportion to `weights`, whole and to the last unit. While it is no more than
    their sum, nobody gets more than its weight. The largest remainders get what is left over."""
    worth = sum(weights)
    if worth == 0:
        if total:
            raise PricingError("there is nothing to allot it to")
        return [0] * len(weights)
    shares = [total * weight // worth for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(total * weights[at] % worth), at))
    for at in by_remainder[: total - sum(shares)]:
        shares[at] += 1
    return shares


def price(
    items: Sequence[Item], discounts: Sequence[Discount] = (), extras: Sequence[Extra] = ()
) -> Priced:
    """Discounts come off in their order, each in proportion to what is left to pay. Included tax is
    rounded once for each rate, and allotted to the pieces of that rate. Raises PricingError."""
    _check(items, discounts, extras)
    pieces = [(place, item.price) for place, item in enumerate(items) for _ in range(item.quantity)]
    paid = [cost for _, cost in pieces]
    for discount in discounts:
        named = discount.items or range(len(items))
        meant = [at for at, (place, _) in enumerate(pieces) if place in named]
        worth = [paid[at] for at in meant]
        for at, off in zip(meant, allot(min(discount.amount, sum(worth)), worth), strict=True):
            paid[at] -= off
    taxes = [0] * len(pieces)
    for rate in sorted({item.tax_bp for item in items}):
        at_rate = [at for at, (place, _) in enumerate(pieces) if items[place].tax_bp == rate]
        units = [paid[at] for at in at_rate]
        for at, tax in zip(at_rate, allot(_included(sum(units), rate), units), strict=True):
            taxes[at] = tax
    priced = []
    for place in range(len(items)):
        own = [at for at, (of, _) in enumerate(pieces) if of == place]
        priced.append(
            PricedItem(units=tuple(paid[at] for at in own), taxes=tuple(taxes[at] for at in own))
        )
    return Priced(
        items=tuple(priced),
        extras=tuple(extras),
        total=sum(paid) + sum(extra.amount for extra in extras),
    )


def _included(paid: int, tax_bp: int) -> int:
    """The tax in a sum that includes it, rounded half up."""
    whole = _BASE_BP + tax_bp
    return (2 * paid * tax_bp + whole) // (2 * whole)


def _check(items: Sequence[Item], discounts: Sequence[Discount], extras: Sequence[Extra]) -> None:
    if any(item.price < 0 or item.quantity < 1 or item.tax_bp < 0 for item in items):
        raise PricingError("a price, a quantity or a tax is below what it can be")
    if any(discount.amount < 0 for discount in discounts):
        raise PricingError("a discount takes off, and adds nothing")
    if any(not 0 <= at < len(items) for discount in discounts for at in discount.items):
        raise PricingError("a discount names an item that is not in the order")
    if any(extra.amount <= 0 for extra in extras):
        raise PricingError("an extra is more than nothing, or is left out")
    if len({extra.kind for extra in extras}) != len(extras):
        raise PricingError("there is one extra of each kind")
