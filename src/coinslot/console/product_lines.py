"""Lines of a form with what is in a machine: slot, product, price as a person writes it, count."""

import re
from collections.abc import Iterator
from typing import Final

from coinslot.catalog.products import sku_of
from coinslot.console.forms import Form
from coinslot.fleet.planning import NewSlot
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError, UnknownCurrencyError
from coinslot.kit.numbers import whole

_LINES: Final = 4
_COUNT_MOST: Final = 10_000
CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")  # of a machine
_SLOT: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")


class LineError(Exception):
    """A line of the form cannot be read; `text` names why, `line` counts from 1."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.text = text
        self.line = line


def typed_lines(form: Form | None) -> list[dict[str, str]]:
    """The lines of the products' form, with examples in an empty one."""
    empty = {"slot": "", "product": "", "price": "", "count": ""}
    if form is None:
        return [{**empty, "slot": "A1", "count": "8"}, *({**empty} for _ in range(_LINES - 1))]
    return [
        {name: form.one(f"{name}{line}", 100) for name in empty} for line in range(1, _LINES + 1)
    ]


def slots_of(form: Form, currency: str) -> Iterator[NewSlot]:
    """What is in the machine; an empty line is none. Raises LineError."""
    seen: set[str] = set()
    for line in range(1, _LINES + 1):
        slot, product = form.one(f"slot{line}", 40), form.one(f"product{line}", 100)
        price = form.one(f"price{line}", 40)
        if not product and not price:
            continue
        if not _SLOT.fullmatch(slot) or slot in seen:
            raise LineError("problem_slot", line)
        if not product:
            raise LineError("problem_product_name", line)
        count = whole(form.one(f"count{line}", 10), _COUNT_MOST)
        if count is None:
            raise LineError("problem_count", line)
        seen.add(slot)
        try:
            money = Money.typed(price, currency)
        except (MoneyTextError, MoneyRangeError, UnknownCurrencyError):
            raise LineError("problem_price", line) from None
        if money.minor <= 0:
            raise LineError("problem_price", line)
        yield NewSlot(
            slot=slot, sku=sku_of(product), product=product, price=money, par=count,
            stock=count,
        )  # fmt: skip
