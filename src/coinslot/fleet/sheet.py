"""Machines from a table (CSV): a line for each, or a line for each slot under the same code. What
is wrong is said by line."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from coinslot.catalog.products import sku_of
from coinslot.fleet.planning import NewMachine, NewSlot, Problem
from coinslot.kit.csv_cells import unmarked
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError, UnknownCurrencyError
from coinslot.kit.numbers import whole

OF_MACHINE: Final = (
    "code", "name", "place", "contact", "zone", "template", "channel", "dialect", "account",
    "currency",
)  # fmt: skip
OF_SLOT: Final = (
    "slot", "sku", "product", "category", "description", "price", "par", "stock",
)  # fmt: skip
COLUMNS: Final = (*OF_MACHINE, *OF_SLOT)
LINES_AT_MOST: Final = 20_000
_COUNT_MOST: Final = 999_999_999
_HEAD = 1


class LineProblem(Struct, frozen=True, kw_only=True):
    """What is wrong in a line; 1 is the one with the names of the columns."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.message}"


class Sheet(Struct, frozen=True, kw_only=True):
    """The machines of a table, the lines that each stands in, and what could not be read."""

    machines: list[NewMachine]
    lines: list[list[int]]  # of each machine: of its first line, then of each of its slots
    problems: list[LineProblem]

    def all_problems(self, of_machines: Sequence[Problem]) -> list[LineProblem]:
        """What could not be read, and what is wrong with the machines, by line."""
        said = {(problem.line, problem.column) for problem in self.problems}
        unread = not self.machines and self.problems
        more = [] if unread else [self._located(problem) for problem in of_machines]
        found = [*self.problems, *(p for p in more if (p.line, p.column) not in said)]
        return sorted(found, key=lambda problem: problem.line)

    def _located(self, found: Problem) -> LineProblem:
        lines = self.lines[found.machine] if found.machine < len(self.lines) else []
        slot, _, rest = found.field.partition("].")
        line, column = lines[0] if lines else _HEAD, found.field
        if rest and slot.startswith("slots["):
            column = rest
            line = lines[1 + int(slot.removeprefix("slots["))] if lines else _HEAD
        column = column.partition(".")[0]
        return LineProblem(
            line=line, column=column if column in COLUMNS else "",
            message=found.message,
        )  # fmt: skip


class Table(Struct, frozen=True, kw_only=True):
    """The rows of a file, each with its line; a cell that is left out is empty. No rows where the
    file is no such table."""

    rows: list[tuple[int, dict[str, str]]]
    problems: list[LineProblem]


def read_table(raw: bytes, columns: Sequence[str], required: Sequence[str]) -> Table:
    """A file in UTF-8, its columns separated by commas or semicolons. `required` are those that
    have to be there; empty rows are passed over."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _no_table("this file is not UTF-8: save it as CSV UTF-8")
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=separator, restkey="", strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        if wrong := _wrong_columns(names, columns, required):
            return _no_table(wrong)
        found = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        return _no_table(f"this is no table: {error}", reader.line_num + 1)
    if len(found) > LINES_AT_MOST:
        return _no_table(f"at most {LINES_AT_MOST} lines are read at once")
    rows = [
        (line, {name: unmarked((row.get(name) or "").strip()) for name in columns})
        for line, row in found
    ]
    too_long = [
        LineProblem(line=line, column="", message="there are more cells than columns")
        for line, row in found
        if "" in row
    ]
    return Table(rows=[row for row in rows if any(row[1].values())], problems=too_long)


def _no_table(message: str, line: int = _HEAD) -> Table:
    return Table(rows=[], problems=[LineProblem(line=line, column="", message=message)])


def _wrong_columns(
    names: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> str | None:
    if strange := [name for name in names if name not in columns]:
        return f"there is no column {strange[0]!r}: {', '.join(columns)}"
    if twice := [name for name in names if names.count(name) > 1]:
        return f"column {twice[0]} is there twice"
    missing = [name for name in required if name not in names]
    return f"column {missing[0]} is missing" if missing else None


def read(raw: bytes, currency: str = "") -> Sheet:
    """The machines of a file. `currency` is that of prices of which the table does not say one."""
    table = read_table(raw, COLUMNS, required=("code", "name"))
    return _Reading(currency, table.problems).sheet(table.rows)


class _Reading:
    def __init__(self, usual_currency: str, problems: Sequence[LineProblem]) -> None:
        self._usual_currency = usual_currency
        self._problems = [*problems]
        self._fields: dict[str, dict[str, str]] = {}  # by code
        self._slots: dict[str, list[tuple[int, dict[str, str]]]] = {}
        self._first: dict[str, int] = {}

    def sheet(self, rows: Sequence[tuple[int, dict[str, str]]]) -> Sheet:
        for line, cells in rows:
            self._take(line, cells)
        made = [self._machine(code) for code in self._fields]
        return Sheet(
            machines=made,
            lines=[
                [self._first[code], *(line for line, _ in self._slots[code])]
                for code in self._fields
            ],
            problems=sorted(self._problems, key=lambda problem: problem.line),
        )

    def _wrong(self, line: int, column: str, message: str) -> None:
        self._problems.append(LineProblem(line=line, column=column, message=message))

    def _take(self, line: int, cells: Mapping[str, str]) -> None:
        code = cells["code"]
        if not code:
            self._wrong(line, "code", "a machine has a code")
            return
        first = self._first.setdefault(code, line)
        fields = self._fields.setdefault(code, {})
        slots = self._slots.setdefault(code, [])
        for name in OF_MACHINE:
            if not cells[name]:
                continue
            if fields.setdefault(name, cells[name]) != cells[name]:
                self._wrong(line, name, f"{cells[name]!r} here, {fields[name]!r} in line {first}")
        of_slot = {name: cells[name] for name in OF_SLOT if cells[name]}
        if of_slot and "slot" not in of_slot:
            self._wrong(line, "slot", "say which slot this is")
        elif of_slot:
            slots.append((line, of_slot))

    def _machine(self, code: str) -> NewMachine:
        fields = dict(self._fields[code])
        if "name" not in fields:
            self._wrong(self._first[code], "name", "a machine has a name")
        fields.setdefault("name", code)
        currency = fields.get("currency", "").upper()
        if currency:
            fields["currency"] = currency
        if "template" not in fields:  # which would say what is in a slot
            for _, cells in self._slots[code]:
                if "product" in cells:
                    cells.setdefault("sku", sku_of(cells["product"]))
        slots = [
            NewSlot(**dict(self._slot(line, cells, currency))) for line, cells in self._slots[code]
        ]
        return NewMachine(slots=slots, **fields)  # type: ignore[arg-type]

    def _slot(
        self, line: int, cells: Mapping[str, str], currency: str
    ) -> Iterator[tuple[str, Any]]:
        for name, text in cells.items():
            if name == "price":
                yield name, self._price(line, text, currency)
            elif name in ("par", "stock"):
                count = whole(text, _COUNT_MOST)
                if count is None:
                    self._wrong(line, name, f"{text[:40]!r} is no count")
                yield name, UNSET if count is None else count
            else:
                yield name, text

    def _price(self, line: int, text: str, currency: str) -> Money | msgspec.UnsetType:
        amount, _, named = text.rpartition(" ")
        try:
            if not currency and len(named) == 3 and named.isalpha():
                return Money.typed(amount, named.upper())
            currency = currency or self._usual_currency
            if not currency:
                self._wrong(line, "currency", "a price needs a currency")
                return UNSET
            return Money.typed(text, currency)
        except (MoneyTextError, MoneyRangeError, UnknownCurrencyError) as error:
            self._wrong(line, "price", str(error))
            return UNSET
