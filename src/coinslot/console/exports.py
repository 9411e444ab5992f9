"""Exports: the rows of a list as CSV or as a workbook, with totals below. So many rows are held at
once, whatever the length of the list."""

import asyncio
import csv
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime, time
from decimal import Decimal
from io import StringIO
from typing import IO, Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from coinslot.counter import menu_file
from coinslot.kit.csv_cells import marked
from coinslot.kit.money import Money
from coinslot.oversight.money_lists import Column

MOST_ROWS: Final = 1_000_000  # of a sheet: programs read 1,048,576
_BLOCK: Final = 64 * 1024
_LINES: Final = 1000  # of a table that are written at once
_BOM: Final = "\ufeff"

Row = Any  # a record of the database, or a dict of the same names


class TooManyRowsError(Exception):
    """A sheet has no room for so many."""


class Sheet(Struct, frozen=True, kw_only=True):
    """`heading` and `word` say a column and a value of kind "word" in the reader's language. Sums
    that the ledger has for the same rows stand in `booked`."""

    columns: tuple[Column, ...]
    zone: ZoneInfo
    comma: bool  # a decimal comma, and so a semicolon between the cells
    heading: Callable[[str], str]
    word: Callable[[str, str], str]
    booked: Sequence[Row] = ()


class Totals:
    """Adds up the columns that have a sum, for each currency."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._sums: dict[str, dict[str, int]] = {}
        self.rows = 0

    def add(self, rows: Sequence[Row]) -> None:
        self.rows += len(rows)
        for row in rows:
            sums = self._sums.setdefault(row["currency"], {})
            for column in self._sheet.columns:
                if column.summed:
                    sums[column.name] = sums.get(column.name, 0) + (row[column.name] or 0)

    def lines(self) -> Iterator[tuple[str, Row]]:
        """The name of each line, and its sums."""
        booked = {row["currency"]: row for row in self._sheet.booked}
        for currency in sorted({*self._sums, *booked}):
            sums: Row = self._sums.get(currency, {})
            yield self._sheet.heading("total"), {"currency": currency, **sums}
            if currency in booked:
                yield self._sheet.heading("ledger"), booked[currency]


async def as_csv(sheet: Sheet, chunks: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    """UTF-8 with a mark at its beginning, without which Excel reads it as something else."""
    totals = Totals(sheet)
    names = [sheet.heading(column.name) for column in sheet.columns]
    yield (_BOM + _csv(sheet, [[*names, sheet.heading("currency")]])).encode()
    async for rows in chunks:
        totals.add(rows)
        yield _csv(sheet, [[*_texts(sheet, row), row["currency"]] for row in rows]).encode()
    lines = [
        [*_total(sheet, name, _texts(sheet, row)), row["currency"]] for name, row in totals.lines()
    ]
    yield _csv(sheet, lines).encode()


async def plain_csv(names: Sequence[str], rows: Sequence[Sequence[str]]) -> AsyncIterator[bytes]:
    """A table as an import takes it: its names are the same in every language."""
    yield _BOM.encode()
    lines = [names, *rows]
    for at in range(0, len(lines), _LINES):
        out = StringIO()
        csv.writer(out).writerows([map(marked, line) for line in lines[at : at + _LINES]])
        yield out.getvalue().encode()


def _csv(sheet: Sheet, rows: Sequence[Sequence[str]]) -> str:
    out = StringIO()
    csv.writer(out, delimiter=";" if sheet.comma else ",").writerows(rows)
    return out.getvalue()


def _texts(sheet: Sheet, row: Row) -> list[str]:
    return [_text(sheet, column, row) for column in sheet.columns]


def _text(sheet: Sheet, column: Column, row: Row) -> str:
    value = row.get(column.name)
    if value is None:
        return ""
    match column.kind:
        case "money":
            return _decimal(sheet, Money(value, row["currency"]))
        case "time":
            return _local(sheet, value).isoformat(timespec="seconds")
        case "count" | "day":
            return str(value)
        case "taxes":
            return "; ".join(
                f"{rate} %: {_decimal(sheet, money)}" for rate, money in by_rate(row, column.name)
            )
        case "word":
            return marked(sheet.word(column.name, value))
        case _:
            return marked(str(value))


def by_rate(row: Row, name: str) -> list[tuple[str, Money]]:
    """Taxes of a row as per cent and money, the highest rate first."""
    return [(rate, Money(minor, row["currency"])) for rate, minor in menu_file.by_rate(row[name])]


def _decimal(sheet: Sheet, money: Money) -> str:
    decimal = money.decimal()
    return decimal.replace(".", ",") if sheet.comma else decimal


def _local(sheet: Sheet, at: datetime) -> datetime:
    return at.astimezone(sheet.zone)


def _total(sheet: Sheet, name: str, cells: list[str]) -> list[str]:
    return [name, *cells[1:]] if not sheet.columns[0].summed else cells


async def as_xlsx(sheet: Sheet, chunks: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    """The whole workbook is made on disk first, so that what goes wrong is told before a byte is
    sent. Raises TooManyRowsError."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  the answer reads it, and closes it
    try:
        book = await asyncio.to_thread(_Book, sheet, file)
        totals = Totals(sheet)
        async for rows in chunks:
            totals.add(rows)
            if totals.rows > MOST_ROWS:
                raise TooManyRowsError
            await asyncio.to_thread(book.write, rows)
        await asyncio.to_thread(book.close, totals)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _blocks(file)


async def _blocks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block


class _Book:
    """A workbook of one sheet, written row by row: what is written is not kept in memory."""

    def __init__(self, sheet: Sheet, file: IO[bytes]) -> None:
        import xlsxwriter  # a part of the start's time, for who exports a sheet

        self._sheet = sheet
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_urls": False})
        self._page = self._book.add_worksheet()
        self._bold = self._book.add_format({"bold": True})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._number: dict[str, Any] = {}
        names = [sheet.heading(column.name) for column in sheet.columns]
        for at, name in enumerate([*names, sheet.heading("currency")]):
            self._page.write_string(0, at, name, self._bold)
        self._page.freeze_panes(1, 0)
        self._page.set_column(0, len(names), 18)
        self._next = 1

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._line(row)

    def close(self, totals: Totals) -> None:
        for name, row in totals.lines():
            self._line(row, name)
        self._book.close()

    def _line(self, row: Row, name: str | None = None) -> None:
        for at, column in enumerate(self._sheet.columns):
            if at == 0 and name is not None and not column.summed:
                self._page.write_string(self._next, at, name, self._bold)
            elif row.get(column.name) is not None:
                self._cell(at, column, row)
        self._page.write_string(self._next, len(self._sheet.columns), row["currency"])
        self._next += 1

    def _cell(self, at: int, column: Column, row: Row) -> None:
        value, here = row[column.name], (self._next, at)
        match column.kind:
            case "money":
                money = Money(value, row["currency"])
                self._page.write_number(*here, Decimal(money.decimal()), self._places(money))
            case "count":
                self._page.write_number(*here, value)
            case "time":  # a sheet knows no zones: what the clocks there showed
                local = _local(self._sheet, value).replace(tzinfo=None, microsecond=0)
                self._page.write_datetime(*here, local, self._moment)
            case "day":
                self._page.write_datetime(*here, datetime.combine(value, time()), self._day)
            case _:
                self._page.write_string(*here, _text(self._sheet, column, row))

    def _places(self, money: Money) -> Any:
        decimals = money.decimal().partition(".")[2]
        if money.currency not in self._number:
            form = "#,##0" + (f".{'0' * len(decimals)}" if decimals else "")
            self._number[money.currency] = self._book.add_format({"num_format": form})
        return self._number[money.currency]
