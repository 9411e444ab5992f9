"""A sample of the power cuts on MicroPython, and that the page has the table of all of them."""

import re

import pytest

from tests.firmware.cuts import PAGE, TABLE, cut

ROW = re.compile(r"^\| (?!what|---)[^|]+ \| ([\d,]+) \| ([\d,]+) \| (\d+) \|$", re.MULTILINE)


@pytest.mark.parametrize("units", [(1, 6, 6), (81, 83, 0)], ids=["new flash", "a full bank"])
def test_a_cut_at_any_flash_operation_loses_nothing_and_doubles_nothing(
    units: tuple[int, int, int],
) -> None:
    found = cut("cutting.py", *units)
    assert found["what"] == []
    assert found["wrong"] == 0
    assert found["cuts"] > 40
    assert bool(found["double"]) == bool(units[2])
    assert found["moves"] == (1 if units[0] > 1 else 0)


def test_a_cut_at_any_operation_of_an_update_ends_in_the_new_code_or_the_old() -> None:
    found = cut("cutting_updates.py", 0)
    assert found["what"] == []
    assert found["wrong"] == 0
    assert found["cuts"] > 200


def test_the_page_has_the_table_of_all_cuts_and_none_went_wrong() -> None:
    found = TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    rows = ROW.findall(found[0])
    assert rows
    for cuts, double, wrong in rows:
        assert int(cuts.replace(",", "")) > 100
        assert int(double.replace(",", "")) > 100
        assert wrong == "0"
