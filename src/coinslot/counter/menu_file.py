"""A menu as a table (CSV): one row for each item, its options in one cell, as people write them:
`Milk (0-1): Oat +0.50 [12], Soy +0.40; Toppings (0-3, 1 free): Nuts +0.60, Syrup +0.30`, where 12
of a choice are left."""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from coinslot.counter import hours_text
from coinslot.counter.basket import Choice, Option
from coinslot.counter.menu import MenuItem, WantedItem
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError, plain

COLUMNS: Final = (
    "sku", "section", "name", "description", "price", "cost", "tax", "stock", "allergens",
    "options", "station", "minutes", "hours",
)  # fmt: skip
ITEMS: Final = 1000
MINUTES: Final = 240  # of work on one piece
STATION: Final = 40
GROUPS, CHOICES = 5, 12  # options of an item, and choices of an option
_FORMULA: Final = ("=", "+", "-", "@", "\t")
_OPTION: Final = re.compile(
    r"(?P<name>[^():;]+)\((?P<min>\d+)-(?P<max>\d+)(?:,\s*(?P<free>\d+) free)?\):(?P<choices>[^;]+)"
)
_CHOICE: Final = re.compile(
    r"(?P<name>.+?)(?:\s+(?P<sign>[+-])(?P<price>[0-9.]+))?(?:\s*\[(?P<left>\d{1,6})\])?"
)
_SKU: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
TAX: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,2})?")


class MenuFileError(ValueError):
    """A row cannot be read; the message names it as the editor counts its lines."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(f"line {row}: {why}")


def read(text: str, currency: str) -> list[WantedItem]:
    """All items, in their order. Raises MenuFileError."""
    table = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    unknown = set(table.fieldnames or ()) - set(COLUMNS)
    if unknown or not {"sku", "name", "price"} <= set(table.fieldnames or ()):
        raise MenuFileError(1, f"the columns are {', '.join(COLUMNS)}")
    found: dict[str, WantedItem] = {}
    for row in table:
        if None in row or any(value is None for value in row.values()):
            raise MenuFileError(table.line_num, "it has more or fewer cells than the first line")
        try:
            item = _item({name: _unmarked(value.strip()) for name, value in row.items()}, currency)
        except (ValueError, MoneyTextError, MoneyRangeError) as error:
            raise MenuFileError(table.line_num, str(error)) from None
        if item.sku in found:
            raise MenuFileError(table.line_num, f"{item.sku} is there twice")
        found[item.sku] = item
    if not 0 < len(found) <= ITEMS:
        raise MenuFileError(table.line_num, f"a menu has 1 to {ITEMS} items")
    return list(found.values())


def _item(row: Mapping[str, str], currency: str) -> WantedItem:
    """Raises ValueError."""
    sku, name = row["sku"], row["name"]
    if not _SKU.fullmatch(sku) or sku == "basket":
        raise ValueError(f"{sku!r}: a sku has letters, digits, points, - and _")
    if not name:
        raise ValueError(f"{sku} has no name")
    tax, stock = row.get("tax", ""), row.get("stock", "")
    if tax and not TAX.fullmatch(tax):
        raise ValueError(f"{tax!r}: write the tax in per cent, such as 19 or 7.5")
    if stock and not stock.isdecimal():
        raise ValueError(f"{stock!r}: the stock is a whole number, or empty")
    minutes, station = row.get("minutes", ""), row.get("station", "")
    if minutes and (not minutes.isdecimal() or int(minutes) > MINUTES):
        raise ValueError(f"{minutes!r}: the minutes of work are a whole number up to {MINUTES}")
    if len(station) > STATION:
        raise ValueError(f"{station!r}: a station has at most {STATION} characters")
    return WantedItem(
        sku=sku, name=name, section=row.get("section", ""),
        description=row.get("description", ""), price=Money.typed(row["price"], currency).minor,
        cost=Money.typed(row.get("cost") or "0", currency).minor,
        tax_bp=basis_points(tax),
        stock=int(stock) if stock else None,
        allergens=tuple(a.strip() for a in row.get("allergens", "").split(",") if a.strip()),
        options=options(row.get("options", ""), currency),
        station=station, prep_min=int(minutes or 0), hours=hours_text.week(row.get("hours", "")),
    )  # fmt: skip


def _unmarked(text: str) -> str:
    """Without the apostrophe that `write` put before what looks like a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text


def basis_points(percent: str) -> int:
    """Of "19" or "7.5"; none of nothing."""
    whole, _, part = percent.partition(".")
    return int(f"{whole or 0}{part.ljust(2, '0')}")


def options(text: str, currency: str) -> tuple[Option, ...]:
    """Raises ValueError."""
    found, used = list[Option](), set[str]()
    for part in filter(None, (part.strip() for part in text.split(";"))):
        said = _OPTION.fullmatch(part)
        if said is None:
            raise ValueError(f"{part!r}: write options like Milk (0-1): Oat +0.50, Soy +0.40")
        choices = tuple(_choice(c.strip(), currency, used) for c in said["choices"].split(","))
        least, most, free = int(said["min"]), int(said["max"]), int(said["free"] or 0)
        if not least <= most <= len(choices) or most < 1 or free > most:
            raise ValueError(f"{said['name'].strip()}: nobody can choose so many")
        if len(found) == GROUPS or len(choices) > CHOICES:
            raise ValueError(f"at most {GROUPS} options of {CHOICES} choices each")
        found.append(
            Option(
                id=short_id(said["name"], used), name=said["name"].strip(), min=least, max=most,
                free=free, choices=choices,
            )
        )  # fmt: skip
    return tuple(found)


def _choice(text: str, currency: str, used: set[str]) -> Choice:
    said = _CHOICE.fullmatch(text)
    if said is None:
        raise ValueError(f"{text!r} is no choice")
    price = Money.parse(plain(said["price"]), currency).minor if said["price"] else 0
    name = said["name"].strip()
    return Choice(
        id=short_id(name, used), name=name, price=-price if said["sign"] == "-" else price,
        left=int(said["left"]) if said["left"] else None,
    )  # fmt: skip


def write(items: Sequence[MenuItem], currency: str) -> str:
    """A table that `read` reads, with a mark that spreadsheets know its letters by. A cell that
    they would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    out.write("\ufeff")
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for item in items:
        table.writerow([
            item.sku, plainly(item.section), plainly(item.name), plainly(item.description),
            Money(item.price, currency).decimal(), Money(item.cost, currency).decimal(),
            percent(item.tax_bp), "" if item.left is None else item.left,
            plainly(", ".join(item.allergens)), plainly(options_text(item.options, currency)),
            plainly(item.station), item.prep_min or "", hours_text.written_week(item.hours),
        ])  # fmt: skip
    return out.getvalue()


def options_text(found: Sequence[Option], currency: str) -> str:
    """As `options` reads it."""
    return "; ".join(
        f"{option.name} ({option.min}-{option.max}{f', {option.free} free' if option.free else ''})"
        f": {', '.join(_choice_text(choice, currency) for choice in option.choices)}"
        for option in found
    )


def percent(tax_bp: int) -> str:
    """As `basis_points` reads it."""
    whole, part = divmod(tax_bp, 100)
    return f"{whole}.{part:02}".rstrip("0") if part else str(whole)


def plainly(text: str) -> str:
    return f"'{text}" if text[:1] in _FORMULA else text


def _choice_text(choice: Choice, currency: str) -> str:
    price = Money(abs(choice.price), currency).decimal()
    said = f" {'-' if choice.price < 0 else '+'}{price}" if choice.price else ""
    return f"{choice.name}{said}{'' if choice.left is None else f' [{choice.left}]'}"


def short_id(name: str, used: set[str]) -> str:
    """Short, of plain letters, and once in an item."""
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")[:24] or "c"
    found = next(
        one for n in range(len(used) + 2) if (one := f"{short}-{n}" if n else short) not in used
    )
    used.add(found)
    return found
