"""Receipts of counters and their credit notes as an accountant takes them: every number once, net
and tax that sum to the total, and nothing for a note that is void."""

import re
from typing import Any
from uuid import UUID

import pytest

from coinslot.counter import staff
from coinslot.oversight import money, money_lists
from coinslot.oversight.money import Asked
from tests.console.conftest import Browser, signed_in
from tests.console.test_exports import column, rows_of, taken
from tests.console.test_menu import press
from tests.counter.stage import Counter, set_counter
from tests.counter.test_credit_notes import CAKE, LATTE, TEA, reject
from tests.counter.test_credit_notes_on_paper import becomes_void
from tests.counter.test_printing import with_printer
from tests.people.conftest import Staffed


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    return await set_counter(staffed.stage)


async def some_notes(shop: Counter) -> UUID:
    """An order of three things of which one went back, and one that went back whole, and void."""
    order = await shop.preparing(LATTE, TEA, CAKE, tip=100)
    await reject(shop, order, "cake")
    whole = await shop.preparing(TEA)
    await staff.reject(shop.stage.context, shop.who, whole, "Closed")
    await shop.stage.sweep()
    await becomes_void(shop, whole, 250)
    return order


async def test_credit_notes_are_listed_with_their_reason_their_tax_and_what_they_correct(
    staffed: Staffed, shop: Counter
) -> None:
    order = await some_notes(shop)
    asha = await signed_in(staffed, "asha")
    rows = rows_of(await taken(asha, "credits"))
    year = shop.stage.clock.now().year
    numbers = [f"{year}-000002", f"{year}-000001", "Total"]
    assert column(rows, "Credit note") == numbers
    assert column(rows, "Receipt") == [f"{year}-000002", f"{year}-000001", ""]
    assert column(rows, "Order")[1] == (await shop.view(order)).number
    assert column(rows, "In their words") == ["Closed", "None left", ""]
    assert column(rows, "Items") == ["Tea", "Carrot cake", ""]
    assert column(rows, "State") == ["Void", "Valid", ""]
    assert column(rows, "Without tax") == ["0.00", "3.93", "3.93"]
    assert column(rows, "Tax") == ["0.00", "0.27", "0.27"]
    assert column(rows, "Taxes") == ["", "7 %: 0.27", ""]
    assert column(rows, "Amount") == ["0.00", "4.20", "4.20"]
    page = await asha.look("/console/money/credits")
    assert "7 %: €0.27" in page.text
    assert f'href="/console/orders/{order}"' in page.text


async def test_receipts_of_counters_are_listed_with_the_tax_of_each_rate(
    staffed: Staffed, shop: Counter
) -> None:
    await some_notes(shop)
    asha = await signed_in(staffed, "asha")
    rows = rows_of(await taken(asha, "invoices", "lang=ru"), ";")
    assert column(rows, "Налоги")[1] == "19 %: 0,96; 7 %: 0,27"
    assert column(rows, "Налог") == ["0,40", "1,23", "1,63"]
    assert column(rows, "Без налога") == ["2,10", "9,97", "12,07"]
    assert column(rows, "Сумма") == ["2,50", "11,20", "13,70"]
    sheet = await taken(asha, "invoices", "as=xlsx")
    assert sheet.content.startswith(b"PK")


async def test_tax_that_was_added_is_of_its_rates(staffed: Staffed, shop: Counter) -> None:
    await shop.stage.rows(
        "UPDATE counter_stores SET tax_added = true WHERE outlet_id = 'S01' RETURNING 1"
    )
    await shop.paid(LATTE, CAKE)
    rows = rows_of(await taken(await signed_in(staffed, "asha"), "invoices"))
    assert column(rows, "Taxes")[0] == "19 %: 0.67; 7 %: 0.29"
    assert column(rows, "Without tax")[0] == "7.70"


@pytest.mark.parametrize("listing", ["invoices", "credits"])
async def test_pages_follow_each_other_without_a_gap_by_number_and_strange_keys_are_refused(
    staffed: Staffed, shop: Counter, listing: str
) -> None:
    context = staffed.stage.context
    for _ in range(5):
        await staff.reject(context, shop.who, await shop.preparing(TEA), "Closed")
    await shop.stage.sweep()
    of = await money.filter_of(context, staffed.merchant, Asked())
    wanted, after, seen = money_lists.Wanted(listing, of), "", list[str]()
    while rows := await money_lists.page(context, staffed.merchant, wanted, after, 2):
        after = str(rows[-1]["id"])
        seen += [row["id"] for row in rows]
    year = shop.stage.clock.now().year
    assert seen == [f"{year}-{number:010}" for number in (5, 4, 3, 2, 1)]
    asha = await signed_in(staffed, "asha")
    for key in ("x", "2026-", "2026-99999999999", "2026-2147483648", str(staffed.merchant)):
        answer = await asha.look(f"/console/money/{listing}?after={key}")
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("machine=S01", 2), ("machine=S02", 0), ("product=cake", 1), ("product=nothing", 0),
    ],
)  # fmt: skip
async def test_a_list_is_of_the_counter_and_the_product_that_are_asked_for(
    staffed: Staffed, shop: Counter, query: str, found: int
) -> None:
    await some_notes(shop)
    asha = await signed_in(staffed, "asha")
    assert await numbers(asha, query) == {"invoices": found, "credits": found}


async def numbers(browser: Browser, query: str) -> dict[str, int]:
    """How many of each are in a file."""
    return {
        listing: sum(
            re.fullmatch(r"\d{4}-\d{6}", row[0]) is not None
            for row in rows_of(await taken(browser, listing, query))
        )
        for listing in ("invoices", "credits")
    }


async def test_a_list_is_of_the_days_that_are_asked_for(staffed: Staffed, shop: Counter) -> None:
    await some_notes(shop)
    first = shop.stage.clock.now().date()
    shop.stage.later(2 * 86_400)
    last = shop.stage.clock.now().date()
    asha = await signed_in(staffed, "asha")
    for day, found in ((first, 2), (last, 0)):
        assert await numbers(asha, f"from={day}&to={day}") == {
            "invoices": found, "credits": found,
        }  # fmt: skip


async def test_chandra_sees_none_of_them(staffed: Staffed, shop: Counter) -> None:
    await some_notes(shop)
    chandra = await signed_in(staffed, "chandra")
    for listing in ("invoices", "credits"):
        assert len(rows_of(await taken(chandra, listing))) == 1


async def test_a_credit_note_is_printed_from_its_orders_page_once_for_a_form(
    staffed: Staffed, shop: Counter
) -> None:
    order = await some_notes(shop)
    asha, page = await signed_in(staffed, "asha"), f"/console/orders/{order}"
    assert "print-credit" not in (await asha.look(page)).text, "there is no printer"
    await with_printer(shop, "Till", "star")
    number = (await shop.view(order)).credits[0].number
    done: Any = await press(asha, page, f"{page}/print-credit", {"number": number})
    assert done.status_code in (302, 303)
    printed = "SELECT count(*) FROM counter_prints WHERE kind = 'credit'"
    assert await shop.stage.value(printed) == 1
    wrong = await press(asha, page, f"{page}/print-credit", {"number": "2020-000001"})
    assert wrong.status_code == 409
    assert await shop.stage.value(printed) == 1
    assert len(await staffed.log("print.credit")) == 1
