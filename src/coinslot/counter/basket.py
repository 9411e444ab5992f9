"""What a customer wants of a menu, and what it costs. A basket is a wish: names and prices are the
menu's, as they are when the order is placed."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Self

from msgspec import Meta, Struct

from coinslot.orders.pricing import Discount, Extra, ExtraKind, Item, price

PIECES: Final = 10  # of one line
LINES: Final = 20
NOTE: Final = 200
_BASE_BP: Final = 10_000
_LINE: Final = re.compile(r"([A-Za-z0-9_.-]{1,64})~([0-9]{1,2})~([A-Za-z0-9_,-]*)~([^\0]*)")
OPTION_ID: Final = re.compile(r"\A[a-z0-9-]{1,32}\Z")
OptionId = Annotated[str, Meta(pattern=OPTION_ID.pattern)]


class Choice(Struct, frozen=True, kw_only=True):
    """One choice of an option; it may make its item cheaper."""

    id: OptionId
    name: str
    price: int = 0
    available: bool = True
    left: int | None = None  # None: not counted
    allergens: tuple[str, ...] = ()  # that it adds to those of its item
    stock: str = ""  # the one of its store that it takes from, with choices of other items

    @property
    def there(self) -> bool:
        return self.available and self.left != 0


class Option(Struct, frozen=True, kw_only=True):
    """Of these, at least `min` and at most `max` are chosen; the `free` cheapest cost nothing. One
    that makes its item cheaper does that, and takes none of their places."""

    id: OptionId
    name: str
    choices: tuple[Choice, ...]
    min: int = 0
    max: int = 1
    free: int = 0


class Priced(Struct, frozen=True, kw_only=True):
    """What of an item of the menu decides what a line costs."""

    sku: str
    name: str
    price: int
    tax_bp: int
    options: tuple[Option, ...]
    available: bool
    left: int | None = None  # None: not counted


class Wish(Struct, frozen=True, kw_only=True):
    """So many pieces of an item, with these choices."""

    sku: str
    quantity: int = 1
    choices: tuple[str, ...] = ()  # ids of choices
    note: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """As `text` writes it. Raises BasketError."""
        found = _LINE.fullmatch(text)
        if found is None:
            raise BasketError("unreadable", "")
        return cls(
            sku=found[1], quantity=int(found[2]), note=found[4],
            choices=tuple(sorted(filter(None, found[3].split(",")))),
        )  # fmt: skip

    def text(self) -> str:
        """For an address."""
        return f"{self.sku}~{self.quantity}~{','.join(sorted(self.choices))}~{self.note}"


class Line(Struct, frozen=True, kw_only=True):
    """A wish with the names and prices of the menu, in minor units."""

    wish: Wish
    name: str
    chosen: tuple[Choice, ...]  # with what each costs here: nothing, for a free one
    unit: int
    tax_bp: int

    @property
    def total(self) -> int:
        return self.unit * self.wish.quantity

    @property
    def full_name(self) -> str:
        """As it stands on the receipt."""
        return f"{self.name} ({', '.join(c.name for c in self.chosen)})" if self.chosen \
            else self.name  # fmt: skip


class Sum(Struct, frozen=True, kw_only=True):
    """What a basket costs."""

    goods: int
    added_tax: int
    tip: int
    off: int = 0  # of the goods, by a coupon or a reward
    delivery: int = 0

    @property
    def total(self) -> int:
        return self.goods - self.off + self.added_tax + self.tip + self.delivery

    @property
    def extras(self) -> list[Extra]:
        found = [
            (ExtraKind.ADDED_TAX, self.added_tax), (ExtraKind.TIP, self.tip),
            (ExtraKind.DELIVERY_FEE, self.delivery),
        ]  # fmt: skip
        return [Extra(kind, amount) for kind, amount in found if amount]


class BasketError(ValueError):
    """This cannot be ordered. `item` is its sku."""

    def __init__(self, code: str, item: str) -> None:
        super().__init__(f"{item}: {code}")
        self.code = code
        self.item = item


def lines_of(menu: Mapping[str, Priced], wishes: Sequence[Wish]) -> list[Line]:
    """Raises BasketError: 'empty', 'too_many', 'unknown_item', 'sold_out', 'quantity', 'note',
    'options', 'choice_sold_out'."""
    if not wishes:
        raise BasketError("empty", "")
    if len(wishes) > LINES:
        raise BasketError("too_many", "")
    lines = [_line(menu.get(wish.sku), wish) for wish in wishes]
    wanted, chosen = Counter[str](), Counter[tuple[str, str]]()
    portions = shared_of({sku: item.options for sku, item in menu.items()}, wishes)
    for wish in wishes:
        wanted[wish.sku] += wish.quantity
        for named in wish.choices:
            chosen[wish.sku, named] += wish.quantity
    for sku, quantity in wanted.items():
        left = menu[sku].left
        if left is not None and left < quantity:
            raise BasketError("sold_out", sku)
        for option in menu[sku].options:
            for choice in option.choices:
                taken = portions[choice.stock] if choice.stock else chosen[sku, choice.id]
                wanted_here = chosen[sku, choice.id] > 0
                if wanted_here and choice.left is not None and choice.left < taken:
                    raise BasketError("choice_sold_out", sku)
    return lines


def shared_of(options: Mapping[str, Sequence[Option]], wishes: Sequence[Wish]) -> Counter[str]:
    """How many portions of each shared stock these take, of items by their sku."""
    portions = Counter[str]()
    for wish in wishes:
        for option in options[wish.sku]:
            for choice in option.choices:
                if choice.stock and choice.id in wish.choices:
                    portions[choice.stock] += wish.quantity
    return portions


def _line(item: Priced | None, wish: Wish) -> Line:
    if item is None:
        raise BasketError("unknown_item", wish.sku)
    if not item.available:
        raise BasketError("sold_out", wish.sku)
    if not 1 <= wish.quantity <= PIECES:
        raise BasketError("quantity", wish.sku)
    if len(wish.note) > NOTE:
        raise BasketError("note", wish.sku)
    chosen = _chosen(item, wish)
    unit = max(item.price + sum(choice.price for choice in chosen), 0)
    return Line(wish=wish, name=item.name, chosen=chosen, unit=unit, tax_bp=item.tax_bp)


def _chosen(item: Priced, wish: Wish) -> tuple[Choice, ...]:
    """Each choice once, in the menu's order, the free ones at nothing. Raises BasketError."""
    wanted, found = set(wish.choices), list[Choice]()
    for option in item.options:
        here = [choice for choice in option.choices if choice.id in wanted]
        if not option.min <= len(here) <= option.max or not all(c.there for c in here):
            raise BasketError("options", item.sku)
        costs = sorted((c for c in here if c.price >= 0), key=lambda c: c.price)
        free = {c.id for c in costs[: option.free]}
        found += [Choice(id=c.id, name=c.name, price=0 if c.id in free else c.price) for c in here]
    if len(found) != len(wanted) or len(wanted) != len(wish.choices):
        raise BasketError("options", item.sku)
    return tuple(found)


def least_of(item: Priced) -> int:
    """What one piece costs at least, with the cheapest choices that its options ask for."""
    return max(item.price + sum(_least_of(option) for option in item.options), 0)


def _least_of(option: Option) -> int:
    there = sorted(choice.price for choice in option.choices if choice.there)
    cheaper = [cost for cost in there if cost < 0][: option.max]
    costs = [cost for cost in there if cost >= 0][: max(option.min - len(cheaper), 0)]
    return sum(cheaper) + sum(costs[option.free :])


def sum_of(lines: Sequence[Line], *, tax_added: bool, tip: int = 0, off: int = 0) -> Sum:
    """Tax is rounded once for each rate, of what is left to pay: a discount comes off each piece
    as it will in the order. Raises BasketError for a tip below nothing."""
    if tip < 0:
        raise BasketError("tip", "")
    goods = sum(line.total for line in lines)
    added = 0
    if tax_added:
        items = [Item(price=line.unit, quantity=line.wish.quantity) for line in lines]
        paid = [sum(one.units) for one in price(items, [Discount(off)] if off else ()).items]
        for rate in {line.tax_bp for line in lines}:
            of_rate = sum(
                left for line, left in zip(lines, paid, strict=True) if line.tax_bp == rate
            )
            added += (2 * of_rate * rate + _BASE_BP) // (2 * _BASE_BP)
    return Sum(goods=goods, added_tax=added, tip=tip, off=min(off, goods))


def tip_of(lines: Sequence[Line], percent: int) -> int:
    """So many per cent of the goods, without tax that is added, rounded half up."""
    return (2 * sum(line.total for line in lines) * percent + 100) // 200
