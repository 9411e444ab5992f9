"""A table (CSV) of what is in the slots of many machines: written as it is, read as it shall be. A
cell that is left empty, and a column that is left out, change nothing."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Final

from msgspec import UNSET, Struct

from coinslot.fleet.bulk import MachineChange, TableSlot
from coinslot.fleet.config import SlotChange
from coinslot.fleet.sheet import LineProblem, read_table
from coinslot.kit.csv_cells import marked
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError, plain
from coinslot.kit.numbers import whole
from coinslot.orders.selling_rules import WINDOWS

# `product` is for whoever reads the table: which one is in the slot, `sku` says.
# Windows of time are the machine's: each of its lines has them, and one is enough.
TIMES: Final = tuple(sorted(WINDOWS))
COLUMNS: Final = ("machine", "slot", "sku", "product", "price", "par", "capacity", *TIMES)
USUAL: Final = "usual"  # it has none of its own
_MOST: Final = 99_999


class BulkSheet(Struct, frozen=True, kw_only=True):
    """The changes of a table, and what could not be read."""

    changes: list[MachineChange]
    problems: list[LineProblem]


def lines(slots: Sequence[TableSlot]) -> list[list[str]]:
    """As `read` reads them."""
    return [
        [one.machine, one.slot, one.sku, one.product, one.price.decimal(), str(one.par),
         "" if one.capacity is None else str(one.capacity),
         *(f"{one.windows[name]:.10g}" if name in one.windows else "" for name in TIMES)]
        for one in slots
    ]  # fmt: skip


def written(slots: Sequence[TableSlot]) -> str:
    """The whole table, whose cells no spreadsheet runs."""
    out = StringIO()
    csv.writer(out).writerows([COLUMNS, *(map(marked, line) for line in lines(slots))])
    return out.getvalue()


def read(raw: bytes, currencies: Mapping[str, str]) -> BulkSheet:
    """`currencies`: of each machine."""
    table = read_table(raw, COLUMNS, required=("machine", "slot"))
    return _Reading(currencies, table.problems).sheet(table.rows)


class _Reading:
    def __init__(self, currencies: Mapping[str, str], problems: Sequence[LineProblem]) -> None:
        self._currencies = currencies
        self._problems = [*problems]
        self._slots: dict[str, dict[str, SlotChange]] = {}
        self._capacity: dict[str, dict[str, int]] = {}
        self._times: dict[str, dict[str, float | None]] = {}

    def sheet(self, rows: Sequence[tuple[int, dict[str, str]]]) -> BulkSheet:
        for line, cells in rows:
            self._take(line, cells)
        changes = [
            MachineChange(
                machine=machine, slots=tuple(slots.values()),
                capacity=self._capacity.get(machine, {}), windows=self._times.get(machine, {}),
            )
            for machine, slots in self._slots.items()
        ]  # fmt: skip
        return BulkSheet(
            changes=changes, problems=sorted(self._problems, key=lambda problem: problem.line)
        )

    def _wrong(self, line: int, column: str, message: str) -> None:
        self._problems.append(LineProblem(line=line, column=column, message=message))

    def _take(self, line: int, cells: Mapping[str, str]) -> None:
        machine, slot = cells["machine"], cells["slot"]
        if machine not in self._currencies:
            self._wrong(line, "machine", f"there is no machine {machine} in service")
            return
        if not slot:
            self._wrong(line, "slot", "say which slot this is")
            return
        if slot in self._slots.setdefault(machine, {}):
            self._wrong(line, "slot", f"{machine} {slot} is there twice")
            return
        price = self._price(line, cells["price"], self._currencies[machine])
        par, capacity = self._count(line, "par", cells), self._count(line, "capacity", cells)
        self._slots[machine][slot] = SlotChange(
            slot=slot, sku=cells["sku"] or UNSET, par=UNSET if par is None else par,
            price=UNSET if price is None else price,
        )  # fmt: skip
        self._take_times(line, machine, cells)
        if capacity is not None:
            self._capacity.setdefault(machine, {})[slot] = capacity

    def _take_times(self, line: int, machine: str, cells: Mapping[str, str]) -> None:
        times = self._times.setdefault(machine, {})
        for name in TIMES:
            text = cells[name]
            if not text:
                continue
            try:
                seconds = None if text.lower() == USUAL else float(plain(text))
            except (MoneyTextError, ValueError):
                self._wrong(line, name, f"{text[:40]!r} is no number of seconds; or {USUAL}")
                continue
            if times.setdefault(name, seconds) != seconds:
                self._wrong(line, name, f"another line of {machine} says otherwise")

    def _count(self, line: int, column: str, cells: Mapping[str, str]) -> int | None:
        text = cells[column]
        count = whole(text, _MOST)
        if text and count is None:
            self._wrong(line, column, f"{text[:40]!r} is no count")
        return count

    def _price(self, line: int, text: str, currency: str) -> Money | None:
        try:
            return Money.typed(text, currency) if text else None
        except (MoneyTextError, MoneyRangeError) as error:
            self._wrong(line, "price", str(error))
            return None
