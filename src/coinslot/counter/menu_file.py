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
from coinslot.kit.csv_cells import marked, unmarked
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError, plain
from coinslot.kit.numbers import whole

COLUMNS: Final = (
    "sku", "section", "name", "description", "price", "cost", "tax", "stock", "allergens",
    "options", "station", "minutes", "hours",
)  # fmt: skip
ITEMS: Final = 1000
MINUTES: Final = 240  # of work on one piece
STATION: Final = 40
STOCK: Final = 999_999
STOCK_NAME: Final = 40
GROUPS, CHOICES = 5, 12  # options of an item, and choices of an option
_OPTION: Final = re.compile(
    r"(?P<name>[^():;]+)\((?P<min>\d{1,3})-(?P<max>\d{1,3})(?:,\s*(?P<free>\d{1,3}) free)?\):"
    r"(?P<choices>[^;]+)"
)
_CHOICE: Final = re.compile(
    r"(?P<name>.+?)(?:\s+(?P<sign>[+-])(?P<price>[0-9.]+))?"
    r"(?:\s*\{(?P<allergens>[^{}]{1,100})\})?"
    r"(?:\s*\[(?:(?P<left>\d{1,6})"
    r"|(?P<stock>[^\[\]{}=]*[^\[\]{}=\d\s][^\[\]{}=]*?)(?:=\s*(?P<count>\d{1,6})\s*)?)\])?"
)
_STOCK_NAME: Final = re.compile(rf"(?=.*\D)[^\[\]{{}}=,;]{{1,{STOCK_NAME}}}")
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
            item = _item({name: unmarked(value.strip()) for name, value in row.items()}, currency)
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
    left = whole(stock, STOCK)
    if stock and left is None:
        raise ValueError(f"{stock[:40]!r}: the stock is a whole number up to {STOCK}, or empty")
    minutes, station = row.get("minutes", ""), row.get("station", "")
    work = whole(minutes or "0", MINUTES)
    if work is None:
        raise ValueError(f"{minutes[:40]!r}: the minutes of work are at most {MINUTES}")
    if len(station) > STATION:
        raise ValueError(f"{station!r}: a station has at most {STATION} characters")
    return WantedItem(
        sku=sku, name=name, section=row.get("section", ""),
        description=row.get("description", ""), price=Money.typed(row["price"], currency).minor,
        cost=Money.typed(row.get("cost") or "0", currency).minor,
        tax_bp=basis_points(tax),
        stock=left,
        allergens=tuple(a.strip() for a in row.get("allergens", "").split(",") if a.strip()),
        options=options(row.get("options", ""), currency),
        station=station, prep_min=work, hours=hours_text.week(row.get("hours", "")),
    )  # fmt: skip


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
    name, left = said["name"].strip(), said["left"] or said["count"]
    return Choice(
        id=short_id(name, used), name=name, price=-price if said["sign"] == "-" else price,
        left=None if left is None else int(left), stock=stock_name(said["stock"] or ""),
        allergens=tuple(a.strip() for a in (said["allergens"] or "").split("/") if a.strip()),
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
            item.sku, marked(item.section), marked(item.name), marked(item.description),
            Money(item.price, currency).decimal(), Money(item.cost, currency).decimal(),
            percent(item.tax_bp), "" if item.left is None else item.left,
            marked(", ".join(item.allergens)), marked(options_text(item.options, currency)),
            marked(item.station), item.prep_min or "", hours_text.written_week(item.hours),
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


def by_rate(taxes: Mapping[str, int]) -> list[tuple[str, int]]:
    """Taxes by their rate in basis points, as per cent and minor units, the highest rate first."""
    return [(percent(bp), taxes[str(bp)]) for bp in sorted(map(int, taxes), reverse=True)]


def _choice_text(choice: Choice, currency: str) -> str:
    price = Money(abs(choice.price), currency).decimal()
    said = f" {'-' if choice.price < 0 else '+'}{price}" if choice.price else ""
    if choice.allergens:
        said += f" {{{'/'.join(choice.allergens)}}}"
    left = "" if choice.left is None else str(choice.left)
    counted = " = ".join(filter(None, (choice.stock, left)))
    return f"{choice.name}{said}{f' [{counted}]' if counted else ''}"


def stock_name(text: str) -> str:
    """Of a stock that choices share: the same however it is spaced and capitalised. Raises
    ValueError."""
    name = " ".join(text.lower().split())
    if name and not _STOCK_NAME.fullmatch(name):
        raise ValueError(
            f"{name[:60]!r}: a shared stock has a name of up to {STOCK_NAME} characters"
        )
    return name


def short_id(name: str, used: set[str]) -> str:
    """Short, of plain letters, and once in an item."""
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")[:24] or "c"
    found = next(
        one for n in range(len(used) + 2) if (one := f"{short}-{n}" if n else short) not in used
    )
    used.add(found)
    return found
