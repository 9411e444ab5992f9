"""What the storms say of walk-ins can be found wrong."""

from collections import Counter
from typing import Any

import pytest

from tests.storms import counter
from tests.storms.chronicle import Chronicle, Entered
from tests.storms.counter import STOCK, CounterBooks
from tests.storms.walk_ins import breaches, left_of

ROW: dict[str, Any] = {
    "id": "1", "name": "till", "number": "W1", "entered_by": "boris", "ready": True, "handed": True,
    "cancelled": False, "pieces": 5, "tickets": 1,
}  # fmt: skip
HANDED = [("ready", "done"), ("handed", "done")]


def chronicle(steps: list[tuple[str, str]], told: str = "done") -> Chronicle:
    kept = Chronicle()
    kept.entered["till"] = Entered(cake=2, cream=2, pieces=5, told=told, steps=steps)
    return kept


def found(rows: list[dict[str, Any]], kept: Chronicle) -> list[str]:
    return [breach.rule for breach in breaches(rows, kept, Counter())]


@pytest.mark.parametrize(
    ("row", "steps", "told"),
    [
        ({}, HANDED, "done"), ({}, [("handed", "done"), ("handed", "refused")], "done"),
        ({}, [("handed", "done"), ("cancelled", "refused")], "done"),
        # Nobody answered: it may have been done or not.
        ({}, [("handed", "")], "done"), ({"handed": False}, [("handed", "")], "done"),
        ({"handed": False}, [], ""),
        ({"handed": False, "cancelled": True}, [("cancelled", "done")], "done"),
    ],
)  # fmt: skip
def test_what_staff_did_and_what_is_on_record_agree(
    row: dict[str, Any], steps: list[tuple[str, str]], told: str
) -> None:
    assert found([ROW | row], chronicle(steps, told)) == []


@pytest.mark.parametrize(
    ("row", "steps", "said"),
    [
        ({"handed": False}, HANDED, "told that it is handed, and it is not"),
        ({}, [], "no staff did that"), ({}, [("handed", "refused")], "no staff did that"),
        ({"cancelled": True}, [*HANDED, ("cancelled", "done")], "handed over and cancelled"),
        ({}, [*HANDED, ("cancelled", "done")], "told that it is cancelled, and it is not"),
        ({}, [*HANDED, ("handed", "done")], "handed twice"), ({"pieces": 4}, HANDED, "not what"),
        ({"entered_by": "lena"}, HANDED, "not what"), ({"tickets": 0}, HANDED, "not one ticket"),
        ({"tickets": 2}, HANDED, "not one ticket"), ({"name": "else"}, HANDED, "nobody entered"),
    ],
)  # fmt: skip
def test_each_way_in_which_they_may_differ_is_noticed(
    row: dict[str, Any], steps: list[tuple[str, str]], said: str
) -> None:
    assert any(said in rule for rule in found([ROW | row], chronicle(steps)))


def test_one_that_is_lost_one_that_is_there_twice_and_one_that_was_refused_are_noticed() -> None:
    assert found([], chronicle(HANDED)) == ["entered at the till, and not on record"]
    assert "one walk-in is there twice" in found([ROW, ROW], chronicle(HANDED))
    assert found([ROW], chronicle(HANDED, "refused")) == ["a walk-in that nobody entered"]
    assert found([], chronicle([], "refused")) == found([], chronicle([], "")) == []


def test_stock_that_a_walk_in_took_counts_unless_it_was_cancelled_before_it_was_ready() -> None:
    kept = chronicle(HANDED)
    early = ROW | {"handed": False, "cancelled": True, "ready": False}
    late = ROW | {"handed": False, "cancelled": True}
    for row, taken in ((ROW, 2), (late, 2), (early, 0)):
        left = left_of([row], kept)
        assert (left.cake, left.cream) == (taken, taken)
        for lost in (0, 1):
            book = CounterBooks(
                refunded=Counter(), ours=[], by_people={}, walk_ins=[row],
                left={"stock": STOCK - taken - lost, "choice": STOCK - taken, "begun": 0,
                      "begun_choice": 0},
            )  # fmt: skip
            rules = [breach.rule for breach in counter.breaches(book, kept, Counter())]
            assert ("stock of a counter is lost or made" in rules) == bool(lost)
