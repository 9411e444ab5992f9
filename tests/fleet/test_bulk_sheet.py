"""The table of what is in the slots of many machines: every cell as it is read and written, and
what is wrong by line and column."""

import pytest
from msgspec import UNSET

from coinslot.fleet import bulk_sheet
from coinslot.fleet.bulk import MachineChange, TableSlot
from coinslot.fleet.config import SlotChange
from coinslot.fleet.sheet import LineProblem, read_table
from coinslot.kit.money import Money

CURRENCIES = {"M01": "INR", "M02": "JPY"}
HEAD = "machine,slot,sku,product,price,par,capacity,dispatch_s,in_doubt_s"


def table(*lines: str) -> bytes:
    return "\n".join((HEAD, *lines)).encode()


def test_every_cell_changes_what_it_says_and_an_empty_one_nothing() -> None:
    found = bulk_sheet.read(
        table(
            "M01,A1,cola,Cola,40.50,8,10,90,usual",
            "M01,A2,,Tea,,,,,",
            "M01,A3,,,0.01,0,0,90,Usual",
            "M02,A1,tea,,150,99999,99999,,1200",
            ",,,,,,,,",
            "M02,B2,,,,,,60.5,",
        ),
        CURRENCIES,
    )
    assert found.problems == []
    assert found.changes == [
        MachineChange(
            machine="M01",
            slots=(
                SlotChange(slot="A1", sku="cola", price=Money(4050, "INR"), par=8),
                SlotChange(slot="A2", sku=UNSET, price=UNSET, par=UNSET),
                SlotChange(slot="A3", sku=UNSET, price=Money(1, "INR"), par=0),
            ),
            capacity={"A1": 10, "A3": 0},
            windows={"dispatch_s": 90.0, "in_doubt_s": None},
        ),
        MachineChange(
            machine="M02",
            slots=(
                SlotChange(slot="A1", sku="tea", price=Money(150, "JPY"), par=99999),
                SlotChange(slot="B2"),
            ),
            capacity={"A1": 99999},
            windows={"in_doubt_s": 1200.0, "dispatch_s": 60.5},
        ),
    ]


def test_a_table_of_machine_and_slot_alone_changes_nothing_of_them() -> None:
    found = bulk_sheet.read(b"slot;machine\nA1;M01\n", CURRENCIES)
    assert found == bulk_sheet.BulkSheet(
        changes=[MachineChange(machine="M01", slots=(SlotChange(slot="A1"),))], problems=[]
    )


@pytest.mark.parametrize(
    ("lines", "line", "column", "message"),
    [
        (("M03,A1,,,,,,,",), 2, "machine", "there is no machine M03 in service"),
        (("M01,,cola,,,,,,",), 2, "slot", "say which slot this is"),
        (("M01,A1,,,,,,,", "M01,A1,cola,,,,,,"), 3, "slot", "M01 A1 is there twice"),
        (("M01,A1,,,,many,,,",), 2, "par", "'many' is no count"),
        (("M01,A1,,,,100000,,,",), 2, "par", "'100000' is no count"),
        (("M01,A1,,,,,100000,,",), 2, "capacity", "'100000' is no count"),
        (("M01,A1,,,,,-1,,",), 2, "capacity", "'-1' is no count"),
        (("M01,A1,,,," + "x" * 41 + ",,,",), 2, "par", f"'{'x' * 40}' is no count"),
        (("M01,A1,,,,,,soon,",), 2, "dispatch_s", "'soon' is no number of seconds; or usual"),
        (("M01,A1,,,,,,," + "y" * 41,), 2, "in_doubt_s",
         f"'{'y' * 40}' is no number of seconds; or usual"),
        (("M01,A1,,,,,,90,", "M01,A2,,,,,,91,"), 3, "dispatch_s",
         "another line of M01 says otherwise"),
        (("M01,A1,,,,,,usual,", "M01,A2,,,,,,91,"), 3, "dispatch_s",
         "another line of M01 says otherwise"),
        (("M01,A1,,,forty,,,,",), 2, "price",
         "'forty' is not an amount; write it like 40 or 40.00; INR has 2 decimal places"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_line_and_column_and_changes_nothing_of_its_cell(
    lines: tuple[str, ...], line: int, column: str, message: str
) -> None:
    found = bulk_sheet.read(table(*lines), CURRENCIES)
    assert found.problems == [LineProblem(line=line, column=column, message=message)]
    if column in ("machine", "slot") and len(lines) == 1:
        assert [change for change in found.changes if change.slots] == []
        return
    (change,) = found.changes
    plain = SlotChange(slot="A1")
    assert change.slots == ((plain, SlotChange(slot="A2")) if len(change.slots) > 1 else (plain,))
    assert change.capacity == {}
    assert list(change.windows.values()) in ([], [90.0], [None])  # the first line's word stands


def test_what_is_wrong_is_said_by_line_and_each_machine_has_its_own_windows() -> None:
    found = bulk_sheet.read(
        table(
            "M01,A1,,,x,x,x,x,x",
            "M02,A1,,,1,,,600,700,over",
            "M01,A2,,,2.00,,,90,",
        ),
        CURRENCIES,
    )
    assert [(one.line, one.column) for one in found.problems] == [
        (2, "price"), (2, "par"), (2, "capacity"), (2, "dispatch_s"), (2, "in_doubt_s"), (3, ""),
    ]  # fmt: skip
    assert [(one.machine, one.slots, one.windows) for one in found.changes] == [
        (
            "M01",
            (SlotChange(slot="A1"), SlotChange(slot="A2", price=Money(200, "INR"))),
            {"dispatch_s": 90.0},
        ),
        (
            "M02",
            (SlotChange(slot="A1", price=Money(1, "JPY")),),
            {"dispatch_s": 600.0, "in_doubt_s": 700.0},
        ),
    ]


def slot(**more: object) -> TableSlot:
    said: dict[str, object] = {
        "machine": "M01", "version": 7, "slot": "A1", "sku": "cola", "product": "Cola",
        "price": Money(4050, "INR"), "par": 8, "capacity": 10,
        "windows": {"in_doubt_s": 0.1 + 0.2, "dispatch_s": 90},
    }  # fmt: skip
    return TableSlot(**(said | more))  # type: ignore[arg-type]


def test_the_table_is_written_cell_by_cell_and_read_as_it_was() -> None:
    some = [
        slot(),
        slot(slot="A2", capacity=None, par=0, windows={}),
        slot(machine="M02", sku="tea", product="=1+1", price=Money(150, "JPY"), capacity=0,
             windows={"in_doubt_s": 1200}),
    ]  # fmt: skip
    assert bulk_sheet.written(some) == (
        f"{HEAD}\r\n"
        "M01,A1,cola,Cola,40.50,8,10,90,0.3\r\n"
        "M01,A2,cola,Cola,40.50,0,,,\r\n"
        "M02,A1,tea,'=1+1,150,8,0,,1200\r\n"
    )
    found = bulk_sheet.read(bulk_sheet.written(some).encode(), CURRENCIES)
    assert found.problems == []
    assert found.changes == [
        MachineChange(
            machine="M01",
            slots=(
                SlotChange(slot="A1", sku="cola", price=Money(4050, "INR"), par=8),
                SlotChange(slot="A2", sku="cola", price=Money(4050, "INR"), par=0),
            ),
            capacity={"A1": 10},
            windows={"dispatch_s": 90.0, "in_doubt_s": 0.3},
        ),
        MachineChange(
            machine="M02",
            slots=(SlotChange(slot="A1", sku="tea", price=Money(150, "JPY"), par=8),),
            capacity={"A1": 0},
            windows={"in_doubt_s": 1200.0},
        ),
    ]


@pytest.mark.parametrize("missing", ["machine", "slot"])
def test_a_table_says_of_which_machine_and_slot_it_is(missing: str) -> None:
    there = "slot" if missing == "machine" else "machine"
    found = bulk_sheet.read(f"{there}\nM01\n".encode(), CURRENCIES)
    said = f"column {missing} is missing"
    assert found == bulk_sheet.BulkSheet(
        changes=[], problems=[LineProblem(line=1, column="", message=said)]
    )


@pytest.mark.parametrize(
    ("text", "cells"),
    [("a,b\n1;2;3;4,5\n", ("1;2;3;4", "5")), ("a;b\n1,2,3,4;5\n", ("1,2,3,4", "5"))],
)
def test_what_separates_the_cells_is_told_by_the_first_line_alone(
    text: str, cells: tuple[str, str]
) -> None:
    found = read_table(text.encode(), ["a", "b"], ["a"])
    assert (found.rows, found.problems) == ([(2, dict(zip("ab", cells, strict=True)))], [])
