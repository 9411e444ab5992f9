"""What the storms say of a printer's paper can be found wrong."""

from collections import Counter
from typing import Any

import pytest

from tests.storms.printers import Books, breaches

JOB: dict[str, Any] = {
    "token": "a", "kind": "ticket", "copy": 0, "number": "KQZT", "open": False, "printed": True,
    "sent": True, "units": ["u"], "shown": False,
}  # fmt: skip
PAPER: dict[str, Any] = {"job": "a", "order": "KQZT", "copy": False, "whole": True}


def found(papers: list[dict[str, Any]], job: dict[str, Any], *without: str) -> list[str]:
    told = Books(papers=papers, jobs=[JOB | job], without=list(without))
    return [breach.rule for breach in breaches(told, Counter())]


def test_a_ticket_that_came_out_once_is_in_order() -> None:
    assert found([PAPER], {}) == []
    assert found([PAPER | {"whole": False}], {"printed": False, "shown": True}) == []
    half = PAPER | {"whole": False, "order": ""}
    assert found([half], {"printed": False, "shown": True}) == [], "it ends before its code"


@pytest.mark.parametrize(
    ("papers", "job", "said"),
    [
        ([], {"printed": False}, "no board says so"),
        ([], {"open": True}, "does not end"),
        ([], {}, "no whole paper"),
        ([PAPER | {"whole": False}], {}, "no whole paper"),
        ([PAPER, PAPER], {}, "two papers"),
        ([PAPER], {"sent": False}, "was not sent"),
        ([PAPER, PAPER | {"job": "b"}], {}, "nobody ordered"),
    ],
)
def test_a_ticket_that_is_lost_or_comes_twice_is_noticed(
    papers: list[dict[str, Any]], job: dict[str, Any], said: str
) -> None:
    assert any(said in what for what in found(papers, job))


def test_a_piece_that_is_made_without_a_ticket_is_noticed() -> None:
    assert found([PAPER], {}, "u2") == ["a piece is made and on no ticket"]
