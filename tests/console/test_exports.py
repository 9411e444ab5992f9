"""Exports: they equal the filter on the screen, add up to the ledger, and harm no spreadsheet."""

import csv
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import httpx
import pytest

from coinslot.console import exports
from coinslot.console.exports import Sheet, TooManyRowsError
from coinslot.kit.money import Money
from coinslot.oversight.money_lists import Column
from tests.console.conftest import Browser, signed_in
from tests.console.test_money import sold, three_days
from tests.people.conftest import Staffed

PLAIN = Sheet(
    columns=(Column("name"), Column("amount", "money", True)), zone=ZoneInfo("UTC"), comma=False,
    heading=lambda name: name, word=lambda _, value: value,
)  # fmt: skip


def rows_of(answer: httpx.Response, separator: str = ",") -> list[list[str]]:
    """Without the mark at the beginning."""
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(answer.content.decode("utf-8-sig")), delimiter=separator))


async def taken(browser: Browser, what: str, query: str = "") -> httpx.Response:
    answer = await browser.look(f"/console/money/{what}/export?{query}")
    assert answer.status_code == 200, answer.text
    return answer


def column(rows: Sequence[Sequence[str]], name: str) -> list[str]:
    at = rows[0].index(name)
    return [row[at] for row in rows[1:]]


def minor(text: str) -> int:
    return Money.parse(text, "INR").minor


@pytest.mark.parametrize(
    ("what", "name", "sql"),
    [
        ("payments", "Captured", "account = 'gateway' AND why = 'captured'"),
        ("refunds", "Left the gateway", "account = 'gateway' AND why = 'refunded'"),
        ("orders", "Goods given", "account = 'sales'"),
        ("days", "Goods given", "account = 'sales'"),
        ("machines", "Goods given", "account = 'sales'"),
    ],
)
async def test_the_total_of_a_file_is_the_sum_of_its_rows_and_of_the_ledger(
    staffed: Staffed, what: str, name: str, sql: str
) -> None:
    await three_days(staffed)
    rows = rows_of(await taken(await signed_in(staffed, "asha"), what))
    named = [row[0] for row in rows]
    body = rows[: named.index("Total")]
    (total,) = column([rows[0], rows[named.index("Total")]], name)
    assert sum(minor(cell) for cell in column(body, name)) == minor(total)
    booked = await staffed.stage.value(f"SELECT abs(sum(amount))::bigint FROM ledger WHERE {sql}")
    assert minor(total) == booked > 0
    if "The books say" in named:
        assert column([rows[0], rows[named.index("The books say")]], name) == [total]


async def test_a_file_has_the_days_of_the_screen_and_times_of_the_merchants_zone(
    staffed: Staffed,
) -> None:
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("UPDATE merchants SET zone = 'Asia/Kolkata'")
    await three_days(staffed)
    asha = await signed_in(staffed, "asha")
    rows = rows_of(await taken(asha, "orders", "from=2026-11-22&to=2026-11-22"))
    (placed, _total) = column(rows, "Placed")
    assert re.fullmatch(r"2026-11-22T17:30:\d\d\+05:30", placed)
    screen = await asha.look("/console/money/orders?from=2026-11-22&to=2026-11-22")
    assert screen.text.count("/console/orders/") == 1


async def test_a_russian_file_has_semicolons_and_decimal_commas(staffed: Staffed) -> None:
    await sold(staffed)
    asha = await signed_in(staffed, "asha")
    rows = rows_of(await taken(asha, "payments", "lang=ru"), ";")
    assert column(rows, "Получено")[0] == "40,00"


async def test_a_workbook_has_numbers_and_its_total_is_the_ledgers(staffed: Staffed) -> None:
    await three_days(staffed)
    answer = await taken(await signed_in(staffed, "asha"), "payments", "as=xlsx")
    cells = numbers(answer.content)
    assert cells.count("40.00") == 4
    assert cells.count("160.00") == 2  # the total, and what the books say


def numbers(content: bytes) -> list[str]:
    """The values of a workbook's cells that are numbers."""
    with zipfile.ZipFile(BytesIO(content)) as book:
        tree = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    found = []
    for cell in tree.iter(f"{space}c"):
        value = cell.find(f"{space}v")
        if cell.get("t") in (None, "n") and value is not None:
            found.append(str(value.text))
    return found


async def test_chandra_takes_none_of_ashas_rows_and_asha_all_of_hers(staffed: Staffed) -> None:
    await three_days(staffed)
    chandra, asha = await signed_in(staffed, "chandra"), await signed_in(staffed, "asha")
    for what in ("orders", "payments", "refunds", "fees", "payouts", "machines", "days"):
        hers = await taken(chandra, what)
        assert "pay_1" not in hers.text
        assert "M01" not in hers.text
        his = await taken(chandra, what, f"gateway={staffed.stage.account.id}&machine=M01")
        assert "pay_1" not in his.text
    assert "pay_1" in (await taken(asha, "payments")).text


async def test_who_took_which_rows_is_on_record(staffed: Staffed) -> None:
    vera = await signed_in(staffed, "vera")
    await taken(vera, "orders", "from=2026-11-21&to=2026-11-21&machine=M01")
    (entry,) = await staffed.log("money.exported")
    assert (entry["person_id"], entry["subject"]) == (staffed.people["vera"], "orders")
    assert entry["after"] == {
        "as": "csv", "from": "2026-11-21", "to": "2026-11-21", "machine": "M01",
    }  # fmt: skip


async def test_a_list_that_there_is_not_and_a_form_that_there_is_not(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    assert (await asha.look("/console/money/secrets/export")).status_code == 404
    assert (await asha.look("/console/money/orders/export?as=pdf")).status_code == 400
    assert await staffed.log("money.exported") == []


async def test_a_name_that_a_spreadsheet_would_run_is_text_and_an_amount_below_zero_a_number(
    staffed: Staffed,
) -> None:
    rows: list[dict[str, Any]] = [
        {"name": name, "amount": -4000, "currency": "INR"}
        for name in (
            '=HYPERLINK("http://evil")',
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\n=1+1",
            " =1+1",
            "\u00a0@SUM(A1)",
            "\uff1d1+1",
            "\uff0b1",
            "\uff0d1",
            "\uff20SUM(A1)",
            "Cola",
        )
    ]
    whole = b"".join([part async for part in exports.as_csv(PLAIN, once(rows))])
    found = list(csv.reader(StringIO(whole.decode("utf-8-sig"))))
    names = [row[0] for row in found[1:-1]]
    assert names == ["'" + row["name"] for row in rows[:-1]] + ["Cola"]
    assert {row[1] for row in found[1:-1]} == {"-40.00"}
    book = b"".join([part async for part in await exports.as_xlsx(PLAIN, once(rows))])
    with zipfile.ZipFile(BytesIO(book)) as opened:
        assert b"<f>" not in opened.read("xl/worksheets/sheet1.xml")


async def test_many_rows_are_sent_while_the_next_ones_are_read(staffed: Staffed) -> None:
    """What is held at once are the rows of one chunk, and the first are out before the last are
    asked for."""
    read = 0

    async def endless() -> AsyncIterator[list[dict[str, Any]]]:
        nonlocal read
        while True:
            read += 1
            yield [{"name": "Cola", "amount": 4000, "currency": "INR"}] * 1000

    parts = exports.as_csv(PLAIN, endless())
    for _ in range(3):
        assert await anext(parts)
    assert read <= 3
    await parts.aclose()  # type: ignore[attr-defined]


async def test_a_workbook_of_too_many_rows_is_refused_before_a_byte_is_sent() -> None:
    block = [{"name": "Cola", "amount": 1, "currency": "INR"}]

    class Long(list[dict[str, Any]]):
        """As long as a chunk of a list that no sheet holds."""

        def __len__(self) -> int:
            return exports.MOST_ROWS + 1

    with pytest.raises(TooManyRowsError):
        await exports.as_xlsx(PLAIN, once(Long(block)))


async def once(rows: list[dict[str, Any]]) -> AsyncIterator[list[dict[str, Any]]]:
    yield rows


async def test_a_payment_that_was_booked_at_midnight_is_in_one_day_only(staffed: Staffed) -> None:
    stage = staffed.stage
    stage.later(12 * 3600)  # it was noon
    await stage.sell()
    asha = await signed_in(staffed, "asha")
    days = [
        rows_of(await taken(asha, "payments", f"from={day}&to={day}"))
        for day in ("2026-11-21", "2026-11-22")
    ]
    assert [sum("pay_1" in row for row in rows) for rows in days] == [0, 1]
