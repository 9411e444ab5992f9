"""A number with thousands of digits is a wrong number: Python refuses to read more than 4,300."""

import pytest

from coinslot.fleet import sheet

LONG = "9" * 5000


@pytest.mark.parametrize("column", ["par", "stock", "price"])
def test_a_cell_with_thousands_of_digits_is_a_problem_of_its_line(column: str) -> None:
    read = sheet.read(f"code,name,slot,sku,currency,{column}\nM1,x,A1,tea,INR,{LONG}\n".encode())
    assert [(each.line, each.column) for each in read.problems] == [(2, column)]
