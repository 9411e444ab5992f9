"""A menu as a person types or pastes it: an item on a line, its price at the end; a line without a
price begins a section. A line that could be either is refused: an item that became a section would
take the items below it with it."""

import re
import unicodedata
from typing import Final

from msgspec import Struct

from coinslot.counter.menu import WantedItem
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError, is_named, plain

LINES: Final = 100  # of what is typed at once
_MARKS: Final = " #*\u2022\u00b7-\u2013\u2014"  # of a list, and of a heading
_LEADERS: Final = " .:;|=\u2026-\u2013\u2014"  # between a name and its price
_AFTER: Final = re.compile(
    r"(?P<rest>.*\d(?:[.,]?[-\u2013\u2014])?)\s?(?P<word>[^\d\s.,\-\u2013\u2014][^\d\s]{0,6})"
)
_NUMBER: Final = re.compile(
    r"(?P<rest>.*?)(?<!\d)(?<!\d[.,\u066b])(?P<number>\d[\d.,\u066b]*)(?<=\d)(?:[.,]?[-\u2013\u2014])?"
)
_BEFORE: Final = re.compile(r"(?P<rest>.*?)(?P<word>[^\d\s]{1,7})\s?")
_APART: Final = re.compile(r".*(\s|[;|:=\u2026]|\.\.)")
_ONES: Final = re.compile(r"(.*[^\d.,])?\d{1,3}\s")


class LineError(ValueError):
    """A line is neither an item nor a section; `text` names why."""

    def __init__(self, text: str, line: str) -> None:
        super().__init__(line)
        self.text = text


class Typed(Struct, frozen=True):
    """`sections` are the lines that were taken as sections."""

    items: list[WantedItem]
    sections: list[str]


def typed_lines(text: str, currency: str, tax_bp: int = 0) -> Typed:
    """Raises LineError."""
    items, sections, empty = list[WantedItem](), list[str](), ""
    for number, line in enumerate(text.splitlines(), 1):
        typed = " ".join(line.split())
        shown = f"{number}: {typed}"
        if not typed.strip(_MARKS):
            continue
        if _is_section(typed, currency):
            if empty:
                raise LineError("problem_menu_section", empty)
            sections.append(typed.strip(_MARKS).rstrip(": ")[:100])
            empty = shown
            continue
        read = _item(typed, currency)
        if read is None:
            raise LineError("problem_menu_line", shown)
        name, price = read
        section, empty = (sections[-1] if sections else ""), ""
        items.append(WantedItem(sku="", name=name, price=price, section=section, tax_bp=tax_bp))
    if empty:
        raise LineError("problem_menu_section", empty)
    if len(items) > LINES:
        raise LineError("problem_menu_many", str(LINES))
    return Typed(items, list(dict.fromkeys(sections)))


def _is_section(line: str, currency: str) -> bool:
    """No digit at its end, and no currency beside one."""
    if re.search(r"\d\S*\Z", line):
        return False
    if any(unicodedata.category(sign) == "Sc" for sign in line):
        return re.search(r"\d", line) is None
    after = _AFTER.fullmatch(line)
    return after is None or is_named(after["word"], currency) is None


def _item(line: str, currency: str) -> tuple[str, int] | None:
    """Its name and price; None for what cannot be read, or in two ways."""
    after = _AFTER.fullmatch(line)
    if after is not None and not is_named(after["word"], currency):
        return None
    found = _NUMBER.fullmatch(line if after is None else after["rest"])
    if found is None:
        return None
    name, apart = found["rest"], bool(_APART.fullmatch(found["rest"]))
    before = _BEFORE.fullmatch(name)
    sign = _currency_of(before["word"]) if before is not None else ""
    if before is not None and is_named(sign, currency) is not None:
        if not is_named(sign, currency):
            return None
        name, apart = name.rstrip().removesuffix(sign), True
    name = name.strip(_MARKS).rstrip(_LEADERS)
    if not apart or not name or _has_thousands(found["rest"], found["number"]):
        return None
    try:
        return name[:100], Money.typed(plain(found["number"]), currency).minor
    except (MoneyTextError, MoneyRangeError):
        return None


def _currency_of(word: str) -> str:
    """A sign may touch the name: "Latte€3.50"."""
    return word[-1] if unicodedata.category(word[-1]) == "Sc" else word


def _has_thousands(rest: str, number: str) -> bool:
    """ "1 200" has two ways to be read."""
    return re.match(r"\d{3}(?!\d)", number) is not None and _ONES.fullmatch(rest) is not None
