"""Cells of a table that a spreadsheet would run as formulas."""

import pytest

from coinslot.kit.csv_cells import marked, unmarked

RUN = ["=1+1", "+49 30 1", "-5", "@SUM(A1)", " =1", "\uff1d1+1", "\tx", "\r=1", "\n=1"]
NOT_RUN = ["", "tea", "it's", "'", "''", "O'Neil", "1-5", " tea"]


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_is_marked_and_read_back(text: str) -> None:
    assert marked(text) == f"'{text}"
    assert unmarked(marked(text)) == text


@pytest.mark.parametrize("text", NOT_RUN)
def test_what_no_spreadsheet_runs_stays_as_it_is(text: str) -> None:
    assert marked(text) == unmarked(text) == text
