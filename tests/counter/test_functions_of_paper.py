"""What is printed of an order and of one that staff entered, by whole rows: a second order, another
counter and printers that are told nothing stand beside it."""

from typing import Any
from uuid import UUID

from tests.counter.test_functions_of_the_counter import (
    ASHA,
    BREAD,
    ITEM,
    ITEMS,
    LOOSE,
    MILK,
    ONE,
    ORDER,
    OTHER,
    OTHER_ITEM,
    OTHER_UNIT,
    SECOND_UNIT,
    STOCK,
    STOCKS,
    TWO,
    UNIT,
    Given,
    Row,
    line,
    unit,
)
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import wrote

BAR, KITCHEN, WHOLE, ELSEWHERE, RETIRED, SILENT = (UUID(int=n) for n in range(60, 66))
WALK_IN = UUID(int=70)
KEPT: Row = {"settlement": "fulfilled", "basis": "code"}
BACK: Row = {"settlement": "refund_due", "basis": "cancelled"}


def printer(key: UUID, *stations: str, **given: Any) -> tuple[str, Row]:
    return "counter_printers", {
        "id": key, "merchant_id": ASHA, "outlet_id": "K01", "kind": "star", "width": 576,
        "stations": list(stations), "secret_hash": key.bytes, **given,
    }  # fmt: skip


PRINTERS: Given = [
    printer(ELSEWHERE, outlet_id="K02"), printer(RETIRED, retired_at=NOW),
    printer(SILENT, tickets=False), printer(BAR, "bar", "garden"), printer(KITCHEN, "kitchen"),
    printer(WHOLE),
]  # fmt: skip


def at_station(key: UUID, station: str) -> tuple[str, Row]:
    return "counter_items", {"id": key, "outlet_id": "K01", "station": station}


def paper(printer: UUID, *units: UUID, **given: Any) -> Row:
    row = {"merchant_id": ASHA, "outlet_id": "K01", "printer_id": printer, "order_id": ORDER,
           "kind": "ticket", "units": list(units), "created_at": NOW, "due_at": NOW,
           "token": 24, **given}  # fmt: skip
    return {name: value for name, value in row.items() if value not in (None, [])}


def printed(found: dict[str, list[Any]]) -> list[Any]:
    return sorted(found.get("counter_prints", []), key=lambda row: str(row["printer_id"]))


async def test_each_printer_prints_the_pieces_of_its_stations_once(rows: Rows) -> None:
    given: Given = [
        *PRINTERS, at_station(OTHER_ITEM, "kitchen"), at_station(ITEM, "bar"),
        at_station(LOOSE, "kitchen"), line(UUID(int=35), OTHER_ITEM, OTHER),
        line(ONE), line(TWO, LOOSE),
        unit(OTHER_UNIT, order_id=OTHER, line_id=UUID(int=35)), unit(SECOND_UNIT), unit(UNIT),
        unit(UUID(int=44), line_id=TWO), unit(UUID(int=45), line_id=TWO, **KEPT),
    ]  # fmt: skip
    third = UUID(int=44)
    tickets = [paper(BAR, UNIT, SECOND_UNIT), paper(KITCHEN, third),
               paper(WHOLE, UNIT, SECOND_UNIT, third)]  # fmt: skip
    call = "SELECT counter_print_tickets($1, $2)"
    _, found = await wrote(rows, given, ["counter_prints"], call, ORDER, NOW)
    assert printed(found) == tickets
    before: Given = [
        ("counter_prints", {**paper(BAR, UNIT), "token": "a"}),
        ("counter_prints", {**paper(KITCHEN, UNIT), "token": "b", "copy": 1}),
        ("counter_prints", {**paper(WHOLE, UNIT), "token": "c", "kind": "cancelled"}),
    ]
    _, found = await wrote(rows, [*given, *before], ["counter_prints"], call, ORDER, NOW)
    assert printed(found) == tickets[1:]
    gone: Given = [unit(UNIT, **BACK)]
    _, found = await wrote(rows, [*given[:-4], *gone], ["counter_prints"], call, ORDER, NOW)
    assert printed(found) == []


async def test_who_has_a_piece_on_paper_is_told_that_it_is_cancelled(rows: Rows) -> None:
    def ticket(printer: UUID, *units: UUID, **given: Any) -> tuple[str, Row]:
        return "counter_prints", {**paper(printer, *units), "token": f"{printer}{units}{given}",
                                  **given}  # fmt: skip

    tickets: Given = [
        ticket(ELSEWHERE, UNIT, order_id=OTHER), ticket(RETIRED, SECOND_UNIT),
        ticket(SILENT, UNIT, copy=1), ticket(WHOLE, UNIT, kind="receipt"),
        ticket(BAR, SECOND_UNIT, UNIT, outlet_id="K09"), ticket(KITCHEN, UNIT),
    ]  # fmt: skip
    call = "SELECT counter_print_cancelled($1, $2)"
    given = [unit(OTHER_UNIT, order_id=OTHER, **BACK), unit(SECOND_UNIT, **KEPT)]
    wanted = [paper(BAR, UNIT, kind="cancelled", outlet_id="K09"),
              paper(KITCHEN, UNIT, kind="cancelled")]  # fmt: skip
    _, found = await wrote(
        rows, [*tickets, *given, unit(UNIT, **BACK)], ["counter_prints"], call, UNIT, NOW
    )
    assert printed(found) == wanted
    for odd in (KEPT, {}):
        _, found = await wrote(
            rows, [*tickets, *given, unit(UNIT, **odd)], ["counter_prints"], call, UNIT, NOW
        )
        assert found == {}
    first = UUID(int=80)
    begun: Given = [("counter_prints", {**paper(BAR, SECOND_UNIT), "kind": "cancelled",
                                        "id": first, "token": "x"})]  # fmt: skip
    _, found = await wrote(
        rows, [*tickets[:-1], *begun, *given, unit(UNIT, **BACK)], ["counter_prints"], call, UNIT,
        NOW,
    )  # fmt: skip
    assert found == {"counter_prints": [(first, {"units": [SECOND_UNIT, UNIT]})]}


def walk_in(key: UUID = WALK_IN, **given: Any) -> tuple[str, Row]:
    return "counter_walk_ins", {
        "id": key, "merchant_id": ASHA, "outlet_id": "K01", "number": "1",
        "lines": [{"station": "bar"}, {"station": "oven"}], **given,
    }  # fmt: skip


async def test_an_order_of_the_till_is_on_paper_where_something_of_it_is_made(rows: Rows) -> None:
    call = "SELECT counter_print_walk_in($1, $2)"
    other = walk_in(OTHER, lines=[{"station": "kitchen"}])
    of_it = {"order_id": None, "walk_in_id": WALK_IN}
    tickets = [paper(BAR, **of_it), paper(WHOLE, **of_it)]
    given = [*PRINTERS, other, walk_in()]
    _, found = await wrote(rows, given, ["counter_prints"], call, WALK_IN, NOW)
    assert printed(found) == tickets
    before: Given = [
        ("counter_prints", {**paper(BAR, **of_it), "token": "a"}),
        ("counter_prints", {**paper(WHOLE, **of_it), "token": "b", "copy": 1}),
    ]
    _, found = await wrote(rows, [*given, *before], ["counter_prints"], call, WALK_IN, NOW)
    assert printed(found) == tickets[1:]


TOOK: list[Row] = [
    {"item": str(ITEM), "pieces": 2, "choices": {"oat": 2, "rice": 1}},
    {"item": str(LOOSE), "pieces": 1, "choices": {"soy": 1}},
    {"stock": str(MILK), "pieces": 3},
    {"stock": str(BREAD), "pieces": 1},
]


async def test_an_order_of_the_till_that_is_cancelled_gives_back_what_was_not_made(
    rows: Rows,
) -> None:
    call = "SELECT counter_walk_in_cancelled($1, $2)"
    of_it = {"order_id": None, "walk_in_id": WALK_IN}
    others: Given = [
        walk_in(OTHER, taken=[{"item": str(OTHER_ITEM), "pieces": 1, "choices": {}},
                              {"stock": str(MILK), "pieces": 9}], ready_at=NOW),
        ("counter_prints", {**paper(KITCHEN, **{**of_it, "walk_in_id": OTHER}), "token": "o"}),
    ]  # fmt: skip
    had: Given = [
        ("counter_prints", {**paper(BAR, **of_it), "token": "a", "outlet_id": "K09"}),
        ("counter_prints", {**paper(WHOLE, **of_it), "token": "b", "copy": 1}),
        ("counter_prints", {**paper(SILENT, **of_it), "token": "c", "kind": "receipt"}),
        ("counter_prints", {**paper(KITCHEN, **of_it), "token": "d"}),
        ("counter_prints", {**paper(KITCHEN, **of_it), "token": "e", "kind": "cancelled"}),
    ]
    told = paper(BAR, **of_it, kind="cancelled", outlet_id="K09")
    tables = [*STOCK, "counter_walk_ins", "counter_prints"]
    given = [*ITEMS, *STOCKS, *others, *had]
    _, found = await wrote(rows, [*given, walk_in(taken=TOOK)], tables, call, WALK_IN, NOW)
    assert found == {
        "counter_prints": [told],
        "counter_items": [(ITEM, {"stock": 7, "option_stock": {"oat": 5, "soy": 4}}),
                          (LOOSE, {"stock": 6, "option_stock": {"oat": 3, "soy": 5}})],
        "counter_stocks": [(MILK, {"stock": 12}), (BREAD, {"stock": 10})],
        "counter_walk_ins": [(WALK_IN, {"taken": []})],
    }  # fmt: skip
    made = walk_in(taken=TOOK, ready_at=NOW)
    _, found = await wrote(rows, [*given, made], tables, call, WALK_IN, NOW)
    assert found == {"counter_prints": [told]}
