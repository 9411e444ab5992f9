"""Machines from a table: read as a spreadsheet writes it, and what is wrong is said by line."""

import pytest
from msgspec import UNSET

from coinslot.fleet import onboarding, sheet
from coinslot.fleet.planning import NewMachine, NewSlot
from coinslot.kit.money import Money
from tests.sales.stage import Stage


def test_a_line_for_each_slot_is_one_machine_under_its_code() -> None:
    found = sheet.read(
        b"code,name,place,currency,slot,sku,product,price,par,stock,category,description\n"
        b"M07,Platform 7,Pune,INR,A1,cola,,,8,,,\n"
        b'M07,,,,A2,lime,"Lime soda, cold",35.00,8,3,Drinks,With ice\n'
        b"\n"
        b"M08,Platform 8,Pune,,,,,,,,,\n"
    )
    assert found.problems == []
    assert found.machines == [
        NewMachine(
            code="M07", name="Platform 7", place="Pune", currency="INR",
            slots=[
                NewSlot(slot="A1", sku="cola", par=8),
                NewSlot(slot="A2", sku="lime", product="Lime soda, cold",
                        price=Money(3500, "INR"), par=8, stock=3, category="Drinks",
                        description="With ice"),
            ],
        ),
        NewMachine(code="M08", name="Platform 8", place="Pune"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("separator", "price"), [(",", "35.00"), (",", "35"), (";", "35,00"), (";", "₹35")]
)
def test_it_is_read_as_spreadsheets_of_any_country_write_it(separator: str, price: str) -> None:
    columns = ("Code", "Name", "Currency", "Slot", "SKU", "Price")
    cells = ("M07", "Платформа 7", "inr", "A1", "lime", price)
    text = "\r\n".join(separator.join(line) for line in (columns, cells))
    (machine,) = sheet.read(text.encode("utf-8-sig")).machines
    assert (machine.name, machine.slots[0].price) == ("Платформа 7", Money(3500, "INR"))


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, "", "column code is missing"),
        ("code,name,colour\n", 1, "", "there is no column 'colour'"),
        ("code,name,name\n", 1, "", "column name is there twice"),
        ("code,name\nM07,Seven,8\n", 2, "", "more cells than columns"),
        ("code,name\n,Seven\n", 2, "code", "a machine has a code"),
        ("code,name\nM07,\n", 2, "name", "a machine has a name"),
        ("code,name\nM07,Seven\nM07,Eight\n", 3, "name", "'Eight' here, 'Seven' in line 2"),
        ("code,name,slot,sku\nM07,Seven,,cola\n", 2, "slot", "which slot"),
        ("code,name,slot,stock\nM07,Seven,A1,many\n", 2, "stock", "'many' is no count"),
        ("code,name,slot,price\nM07,Seven,A1,40\n", 2, "currency", "a price needs a currency"),
        ("code,name,slot,price\nM07,Seven,A1,1.000 INR\n", 2, "price", "'1.000'"),
        ('code,name\nM07,"Seven', 2, "", "no table"),
    ],
)
def test_what_cannot_be_read_is_said_by_line_and_column(
    text: str, line: int, column: str, message: str
) -> None:
    (problem,) = sheet.read(text.encode()).problems
    assert (problem.line, problem.column) == (line, column)
    assert message in str(problem)


def test_names_and_prices_are_enough_where_the_merchants_currency_is_known() -> None:
    table = (
        "code,name,slot,product,price\n"
        "M07,Seven,A1,Lime soda,35\nM07,,A2,\u0928\u0940\u0902\u092c\u0942,40\n"
    )
    found = sheet.read(table.encode(), "INR")
    assert found.problems == []
    lime, nimbu = found.machines[0].slots
    assert (lime.sku, lime.price) == ("lime-soda", Money(3500, "INR"))
    assert str(nimbu.sku).startswith("p-")


def test_a_templates_product_is_not_replaced_by_a_name_alone() -> None:
    found = sheet.read(b"code,name,template,slot,product\nM07,Seven,cans,A1,Lime soda\n")
    assert found.machines[0].slots[0].sku is UNSET


def test_a_file_in_another_encoding_is_refused_with_the_way_out() -> None:
    (problem,) = sheet.read("code,name\nM07,Pl\xe4tze".encode("latin-1")).problems
    assert "save it as CSV UTF-8" in problem.message


async def test_every_wrong_line_is_said_at_once(stage: Stage) -> None:
    found = sheet.read(
        b"code,name,currency,slot,sku,product,price\n"
        b"M07,Seven,INR,A1,cola,,\n"
        b"M07,,,A2,tea,,\n"
        b"M07,,,A3,chai,Chai,forty\n"
        b"M01,One,INR,A1,cola,,\n"
        b"M09,Nine,EUR,A1,cola,,\n"
    )
    planned = await onboarding.plan(stage.context, stage.merchant, found.machines)
    assert [str(problem) for problem in found.all_problems(planned.problems)] == [
        "line 3, sku: There is no product tea; name it to have it made.",
        "line 4, price: 'forty' is not an amount; write it like 40 or 40.00; INR has 2 decimal"
        " places",
        "line 5, code: There is a machine M01 already.",
        "line 6: Slot A1 costs 40.00 INR, and the machine sells in EUR.",
    ]
