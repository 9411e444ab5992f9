"""What each statement about figures finds: its own rows, as long as nothing differs from what it
asks for. Each case differs in one thing. What the functions below them sum is in `test_figures`."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from coinslot.oversight import analytics, figures, profit
from tests.counter.test_statements_of_the_counter import (
    ASHA,
    LATER,
    MOMENT,
    ORDER,
    ORDERED,
    OTHER,
    PIECE,
    WITH_CODE,
    Row,
)
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

ACCOUNT, PAYMENT = UUID(int=95), UUID(int=96)
FIRST, SECOND = date(2026, 11, 20), date(2026, 11, 21)
A_DAY = timedelta(days=1)


def span(day: date, begun: datetime) -> dict[str, str]:
    return {
        "day": day.isoformat(), "begun": begun.isoformat(), "ended": (begun + A_DAY).isoformat(),
    }  # fmt: skip


DAYS = [span(FIRST, NOW - A_DAY), span(SECOND, NOW)]
SUMMED: Row = {
    "merchant_id": ASHA, "day": FIRST, "begun": NOW - A_DAY, "ended": NOW, "figured_at": LATER,
}  # fmt: skip
KEPT: dict[str, Row] = {
    "figured_days": SUMMED,
    "figured_days 2": {**SUMMED, "day": SECOND, "begun": NOW, "ended": NOW + A_DAY},
}  # fmt: skip
OF: Row = {
    "merchant_id": ASHA, "day": FIRST, "outlet_id": "K01", "accounts": [ACCOUNT], "sku": "tea",
    "currency": "EUR",
}  # fmt: skip
OTHER_REPORT = {"profit": "sales", "sales": "profit", "profit_items": "sale_items",
                "sale_items": "profit_items"}  # fmt: skip


class Read(NamedTuple):
    """A statement that adds up sums of `report`: what it is given behind the days, and which of it
    is the counter's code."""

    sql: str
    report: str
    names: Sequence[str]
    given: tuple[object, ...]
    outlet: str
    table: str = "figure_days"


def ones(names: Sequence[str], times: int = 1) -> dict[str, int]:
    """Each sum is another one."""
    return {name: (place + 1) * times for place, name in enumerate(names)}


def kept(read: Read, **more: Any) -> Row:
    row: Row = {**OF, "report": read.report, "sums": ones(read.names), **more}
    return row if read.table != "figure_days" else {"name": "Tea", **row}


def by_day(read: Read) -> Asked:
    """One counter on the first day, and two on the second."""
    table, names = read.table, read.names
    three = (table, f"{table} 2", f"{table} 3")
    rows = {
        three[0]: kept(read), three[1]: kept(read, day=SECOND),
        three[2]: kept(read, day=SECOND, outlet_id="K02"),
    }  # fmt: skip
    none: list[Row] = [
        {"$1": []}, {read.outlet: "K03"},
        {f"{one}.report": OTHER_REPORT[read.report] for one in three},
    ]  # fmt: skip
    same: list[Row] = []
    if read.report == "profit":
        none.append({"$2": OTHER})
        same.append({"$2": ACCOUNT})
    if table != "figure_days":
        none.append({f"{one}.sku": "cake" for one in three})
    return Asked(
        f"{read.report} by day of {table}", read.sql, (DAYS, *read.given), {**KEPT, **rows},
        none, same,
        [{"day": FIRST, "currency": "EUR", **ones(names)}, {"day": SECOND, **ones(names, 2)}],
        (({read.outlet: "K01"}, [{"day": FIRST}, {"day": SECOND, **ones(names)}]),
         ({read.outlet: "K02"}, {"day": SECOND, **ones(names)}),
         ({"$1": DAYS[:1]}, {"day": FIRST}), ({"figured_days": None}, {"day": SECOND}),
         ({f"{table} 2.currency": "USD"},
          [{"day": FIRST}, {"currency": "EUR", **ones(names)}, {"currency": "USD"}])),
    )  # fmt: skip


def by_item(read: Read) -> Asked:
    """Tea on both days, and so much of cake on one that it comes first."""
    table, names = "figure_days", read.names
    rows = {
        table: kept(read), f"{table} 2": kept(read, day=SECOND, name="Green tea"),
        f"{table} 3": kept(read, sku="cake", name="Cake", sums=ones(names, 9)),
    }  # fmt: skip
    tea: Row = {"sku": "tea", "name": "Tea", "currency": "EUR", **ones(names, 2)}
    none: list[Row] = [{"$1": []}, {read.outlet: "K02"}]
    if read.report == "profit_items":
        none.append({"$2": OTHER})
    if read.given[-1] == "tea":
        none.append({f"${len(read.given) + 1}": "water"})
    return Asked(
        f"{read.report} by item {read.given}", read.sql, (DAYS, *read.given), {**KEPT, **rows},
        none, (), tea if read.given[-1] == "tea" else [{"sku": "cake", **ones(names, 9)}, tea],
        () if read.given[-1] == "tea" else (
            ({f"{table} 3.sums": ones(names)}, [{"sku": "tea"}, {"sku": "cake"}]),
            ({f"{table} 3.report": OTHER_REPORT[read.report]}, tea),
            ({f"{table} 2.currency": "USD"},
             [{"sku": "cake"}, {"currency": "EUR", **ones(names)}, {"currency": "USD"}])),
    )  # fmt: skip


SALES, EARNED = (*analytics._COUNTS, "worth"), ("orders", *profit._SUMS)
NOBODY, TEA = (None, None), (None, None, "tea")
PLACED: Row = {
    **ORDERED, "state": "completed", "placed_at": NOW, "ended_at": LATER, "source": "page",
}  # fmt: skip
SOLD: dict[str, Row] = {
    "orders": PLACED, "counter_orders": WITH_CODE,
    "fulfillments": {**PIECE, "state": "picked_up", "settlement": "fulfilled", "basis": "code"},
    "payments": {"id": PAYMENT, "merchant_id": ASHA, "order_id": ORDER},
    "attempts": {"payment_id": PAYMENT, "merchant_id": ASHA, "state": "succeeded"},
}  # fmt: skip
OF_FIGURES = (
    by_day(Read(analytics._BY_DAY, "sales", SALES, (None,), "$2")),
    by_day(Read(analytics._BY_DAY_OF_PRODUCT, "sales", SALES, (None, "tea"), "$2",
                "product_figure_days")),
    by_day(Read(profit._BY_DAY, "profit", EARNED, NOBODY, "$3")),
    by_day(Read(profit._BY_DAY_OF_PRODUCT, "profit", EARNED, TEA, "$3", "product_figure_days")),
    by_item(Read(analytics._BY_ITEM, "sale_items", analytics._ITEM_COUNTS, (None,), "$2")),
    by_item(Read(analytics._OF_ONE_PRODUCT, "sale_items", analytics._ITEM_COUNTS, (None, "tea"),
                 "$2")),
    by_item(Read(profit._BY_ITEM, "profit_items", profit._ITEM_SUMS, NOBODY, "$3")),
    by_item(Read(profit._OF_ONE_PRODUCT, "profit_items", profit._ITEM_SUMS, TEA, "$3")),
    Asked("lately, by currency", analytics._BY_CURRENCY, (NOW, NOW + MOMENT), SOLD,
          ({"$1": NOW + MOMENT}, {"$2": NOW},
           {"orders.source": "test_vend", "orders.amount_minor": 0}), (),
          {"currency": "EUR", "placed": 1, "paid": 1, "handed_over": 1, "given_back": 0,
           "unpaid": 0, "worth": 300, "payments_ok": 1, "payments_failed": 0, "codes_ok": 1,
           "codes_wrong": 2, "sms_ok": 0, "sms_failed": 0, "calls_ok": 0, "calls_failed": 0},
          (({"orders.state": "failed"}, {"paid": 1, "handed_over": 0, "given_back": 1, "worth": 0}),
           ({"orders.state": "paid", "orders.ended_at": None},
            {"paid": 1, "handed_over": 0, "given_back": 0, "worth": 0}),
           ({"orders.state": "expired"}, {"paid": 0, "unpaid": 1, "worth": 0}),
           ({"attempts.state": "failed"}, {"payments_ok": 0, "payments_failed": 1}),
           ({"payments.order_id": OTHER}, {"payments_ok": 0}),
           ({"fulfillments.basis": "staff_word"}, {"codes_ok": 0}),
           ({"counter_orders.order_id": OTHER}, {"codes_wrong": 0}))),
    Asked("one order's profit", profit._OF_ORDER, (ORDER,),
          {"orders": PLACED, "orders 2": {**PLACED, "id": OTHER, "token": "t2", "number": "CD",
                                          "client_key": None}},
          ({"$1": UUID(int=99)}, {"orders.ended_at": None, "orders.state": "paid"},
           {"orders.source": "test_vend", "orders.amount_minor": 0}), ({"orders.state": "failed"},),
          {"order_id": ORDER, "number": "AB", "currency": "EUR"}),
    Asked("days whose sums are not kept", figures._NOT_KEPT, (DAYS,), {"figured_days": SUMMED},
          ({"$1": DAYS[:1]},), (), {"day": SECOND, "begun": NOW, "ended": NOW + A_DAY},
          [(change, [{"day": FIRST}, {"day": SECOND}]) for change in (
              {"figured_days.begun": NOW - A_DAY - MOMENT}, {"figured_days.ended": NOW - MOMENT},
              {"figured_days.day": date(2026, 11, 19)})]),
    Asked("days of which an order changed", figures._NOT_KEPT, (DAYS,),
          {**KEPT, "figure_changes": {"merchant_id": ASHA, "at": NOW}},
          ({"figure_changes.at": NOW + A_DAY}, {"figure_changes.at": NOW - A_DAY - MOMENT}), (),
          {"day": SECOND}, [({"figure_changes.at": NOW - MOMENT}, {"day": FIRST})]),
    Asked("whether anything changed", figures._CHANGED, (NOW,),
          {"figure_changes": {"merchant_id": ASHA, "at": NOW - MOMENT}},
          ({"$1": NOW - MOMENT}, {"figure_changes": None})),
)  # fmt: skip


async def test_each_statement_of_figures_finds_what_it_should(rows: Rows) -> None:
    assert await mistaken(rows, OF_FIGURES) == []
