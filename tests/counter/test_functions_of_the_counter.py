"""What the counter's functions write when an order is paid, expires or is settled: whole rows, and
nothing beside them. A second order stands beside the one that is asked about, in front of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import wrote

SECOND = timedelta(seconds=1)
SOON, LATER, LATE = NOW + SECOND, NOW + 60 * SECOND, NOW + 3600 * SECOND
ASHA, ORDER, ITEM, MILK, BREAD, CAPTURE = (UUID(int=n) for n in range(1, 7))
OTHER, OTHER_ITEM, OTHER_STOCK, LOOSE = (UUID(int=n) for n in range(20, 24))
ONE, TWO, THREE, OF_OTHER = (UUID(int=n) for n in range(30, 34))  # lines
UNIT, SECOND_UNIT, OTHER_UNIT = (UUID(int=n) for n in range(40, 43))
PRINTER = UUID(int=50)
Row = dict[str, Any]
Given = list[tuple[str, Row]]
STOCK = ("counter_items", "counter_stocks", "counter_lines")
ITEMS: Given = [
    ("counter_items", {"id": key, "outlet_id": "K01", "stock": 5,
                       "option_stock": {"oat": 3, "soy": 4}})
    for key in (OTHER_ITEM, LOOSE, ITEM)
]  # fmt: skip
STOCKS: Given = [
    ("counter_stocks", {"id": key, "outlet_id": "K01", "name": str(key), "stock": 9})
    for key in (OTHER_STOCK, BREAD, MILK)
]


def line(key: UUID, item: UUID = ITEM, order: UUID = ORDER, **given: Any) -> tuple[str, Row]:
    return "counter_lines", {
        "line_id": key, "order_id": order, "item_id": item, "reserved": 1,
        "counted_choices": ["oat"], "shared_stocks": [MILK], **given,
    }  # fmt: skip


def unit(key: UUID = UNIT, /, **given: Any) -> tuple[str, Row]:
    return "fulfillments", {
        "id": key, "merchant_id": ASHA, "order_id": ORDER, "line_id": ONE, "outlet_id": "K01",
        "kind": "counter", "state": "queued", "capture_id": CAPTURE, "due_at": NOW,
        "dispatch_by": SOON, "hard_deadline": LATER, **given,
    }  # fmt: skip


def contact(order: UUID, **given: Any) -> Given:
    times: Row = {name: given.pop(name) for name in ("begin_at", "wanted_at") if name in given}
    return [
        ("counter_orders", {"order_id": order, "merchant_id": ASHA, "outlet_id": "K01",
                            "code_version": 3 if order == ORDER else 7, **times}),
        ("counter_contacts", {"order_id": order, "phone": "+4915112345678", "network": "net",
                              "email": "a@b.example", "push": "push", "phone_digest": "digest",
                              **given}),
    ]  # fmt: skip


STORES: Given = [
    ("counter_stores", {"outlet_id": "K02", "slug": "other", "calls": False}),
    ("counter_stores", {"outlet_id": "K01", "slug": "kiosk"}),
]
TELL = "SELECT counter_tell($1, $2, $3, $4)"


async def messages(rows: Rows, purpose: str, given: Given) -> tuple[int, list[Row]]:
    said, found = await wrote(
        rows, [*contact(OTHER), *given], ["counter_messages"], TELL, ORDER, purpose, "k", NOW
    )
    return said, found.get("counter_messages", [])


@pytest.mark.parametrize(
    ("purpose", "forms"),
    [("code", ["sms"]), ("receipt", ["email"]), ("ready", ["call", "email", "push", "sms"]),
     ("cancelled", ["email", "push", "sms"]), ("history", [])],
)  # fmt: skip
async def test_a_message_goes_each_way_that_its_purpose_has_and_its_customer_left(
    rows: Rows, purpose: str, forms: list[str]
) -> None:
    given = [*STORES, *contact(ORDER)]
    said, found = await messages(rows, purpose, given)
    assert (said, [row["form"] for row in sorted(found, key=lambda row: str(row["form"]))]) == (
        len(forms), forms,
    )  # fmt: skip
    for row in found:
        by_phone = {"phone_digest": "digest"} if row["form"] in ("sms", "call") else {}
        assert row == {
            "merchant_id": ASHA, "outlet_id": "K01", "order_id": ORDER, "purpose": purpose,
            "form": row["form"], "dedup": f"{ORDER}.k.{row['form']}", "code_version": 3,
            "all_of_it": True, "stage": "due", "network": "net", "created_at": NOW, "due_at": NOW,
            **by_phone,
        }  # fmt: skip
    for none, gone in (("phone", {"sms", "call"}), ("email", {"email"}), ("push", {"push"})):
        _, fewer = await messages(rows, purpose, [*STORES, *contact(ORDER, **{none: None})])
        assert {row["form"] for row in fewer} == set(forms) - gone
    quiet: Given = [("counter_stores", {"outlet_id": "K01", "slug": "kiosk", "calls": False})]
    _, uncalled = await messages(rows, purpose, [*quiet, *contact(ORDER)])
    assert {row["form"] for row in uncalled} == set(forms) - {"call"}
    told: Row = {"dedup": f"{ORDER}.k.sms", "purpose": "code", "form": "sms", "order_id": ORDER}
    again, _ = await messages(rows, purpose, [*given, ("counter_messages", told)])
    assert again == len([form for form in forms if form != "sms"])


def paid(**order: Any) -> Given:
    return [
        ("merchants", {"id": OTHER, "slug": "other", "zone": "America/New_York"}),
        ("merchants", {"id": ASHA, "slug": "asha", "zone": order.pop("zone", None)}),
        *((("orders", {"id": key, "merchant_id": owner, "outlet_id": "K01", "state": "paid",
                       "source": "page", "token": str(key)}))
          for key, owner in ((OTHER, OTHER), (ORDER, ASHA))),
        *STORES,
        *contact(OTHER, begin_at=LATE + SECOND, wanted_at=LATE + SECOND),
        ("counter_orders", {"order_id": ORDER, "merchant_id": ASHA, "outlet_id": "K01", **order}),
        ("counter_contacts", {"order_id": ORDER, "phone": "+4915112345678", "email": "a@b.de"}),
    ]  # fmt: skip


YEARS = ("counter_invoices", "counter_invoice_years")


@pytest.mark.parametrize(
    ("zone", "at", "year"),
    [(None, datetime(2026, 12, 31, 23, tzinfo=UTC), 2026),
     ("Asia/Kolkata", datetime(2026, 12, 31, 23, tzinfo=UTC), 2027),
     ("America/New_York", datetime(2027, 1, 1, 1, tzinfo=UTC), 2026)],
)  # fmt: skip
async def test_a_receipt_has_the_next_number_of_its_merchants_own_year(
    rows: Rows, zone: str | None, at: datetime, year: int
) -> None:
    new = {"merchant_id": ASHA, "year": year, "order_id": ORDER, "at": at}
    number = "SELECT counter_number($1, $2)"
    _, first = await wrote(rows, paid(zone=zone), YEARS, number, ORDER, at)
    assert first == {
        "counter_invoices": [{**new, "number": 1}],
        "counter_invoice_years": [{"merchant_id": ASHA, "year": year, "last": 1}],
    }
    before: Given = [
        ("counter_invoice_years", {"merchant_id": owner, "year": of, "last": last})
        for owner, of, last in ((OTHER, year, 70), (ASHA, year - 1, 40), (ASHA, year, 8))
    ]
    _, next_one = await wrote(rows, [*before, *paid(zone=zone)], YEARS, number, ORDER, at)
    assert next_one == {
        "counter_invoices": [{**new, "number": 9}],
        "counter_invoice_years": [((ASHA, year), {"last": 9})],
    }


QUEUED: tuple[tuple[Any, Any, datetime, datetime, Row, datetime], ...] = (
    (None, None, SOON, LATER, {"due_at": SOON}, NOW),
    (None, None, LATER, SOON, {"due_at": SOON}, NOW),
    (NOW, LATE, LATER, LATER, {"due_at": LATER}, NOW),
    (NOW - SECOND, LATE, LATER, LATER, {"due_at": LATER}, NOW),
    (LATE, LATE, SOON, LATER, {"due_at": LATE, "dispatch_by": LATE + SECOND,
                               "hard_deadline": LATE + 60 * SECOND}, LATE),
    (LATE, LATE, NOW - SECOND, LATER,
     {"due_at": LATE - SECOND, "dispatch_by": LATE - SECOND,
      "hard_deadline": LATE + 60 * SECOND}, LATE),
)  # fmt: skip


async def test_what_is_paid_waits_to_be_accepted_from_when_staff_see_it(rows: Rows) -> None:
    for case in QUEUED:
        await queued(rows, case)


async def queued(rows: Rows, case: tuple[Any, Any, Any, Any, Row, Any]) -> None:
    begin, wanted, dispatch, hard, changed, rings = case
    times = {"dispatch_by": dispatch, "hard_deadline": hard}
    given = [
        *paid(begin_at=begin, wanted_at=wanted),
        unit(OTHER_UNIT, order_id=OTHER), unit(UNIT, **times), unit(SECOND_UNIT, **times),
    ]  # fmt: skip
    told = ("counter_units", "counter_orders", "fulfillments", "counter_alarms", "counter_messages")
    _, found = await wrote(
        rows, given, [*told, *YEARS], "SELECT counter_queued($1, $2)", ORDER, NOW
    )
    sent = found.pop("counter_messages")
    assert sorted((row["purpose"], row["form"], row["dedup"]) for row in sent) == [
        ("code", "sms", f"{ORDER}.code.1.sms"), ("receipt", "email", f"{ORDER}.receipt.email"),
    ]  # fmt: skip
    assert found == {
        "counter_units": [{"merchant_id": ASHA}, {"merchant_id": ASHA}],
        "counter_orders": [(ORDER, {"code_from": NOW})],
        "fulfillments": [(UNIT, changed), (SECOND_UNIT, changed)],
        "counter_alarms": [{"merchant_id": ASHA, "outlet_id": "K01", "since": rings,
                            "due_at": rings}],
        "counter_invoices": [{"merchant_id": ASHA, "year": 2026, "number": 1, "order_id": ORDER,
                              "at": NOW}],
        "counter_invoice_years": [{"merchant_id": ASHA, "year": 2026, "last": 1}],
    }  # fmt: skip


async def test_only_choices_that_are_counted_have_a_stock_to_change(rows: Rows) -> None:
    cases: tuple[tuple[Row, Row, Row], ...] = (
        ({"oat": 1, "soy": 2}, {"oat": 3, "rice": 9}, {"oat": 4, "soy": 2}),
        ({"oat": 5}, {"oat": -2}, {"oat": 3}), ({}, {"oat": 1}, {}), ({"oat": 1}, {}, {"oat": 1}),
    )  # fmt: skip
    for stock, change, left in cases:
        said = await rows.conn.fetchval("SELECT counter_option_stock($1, $2)", stock, change)
        assert said == left, (stock, change)


COUPON: Given = [
    *(("orders", {"id": key, "outlet_id": "K01", "state": "expired", "source": "page",
                  "token": str(key)}) for key in (OTHER, ORDER)),
    *(("order_offers", {"order_id": key, "coupon_id": CAPTURE}) for key in (OTHER, ORDER)),
]  # fmt: skip


async def test_what_nobody_paid_for_is_for_sale_again_by_each_of_its_lines(rows: Rows) -> None:
    given = [
        *ITEMS, *STOCKS, line(OF_OTHER, order=OTHER, reserved=8),
        line(UUID(int=34), OTHER_ITEM, OTHER, reserved=8),
        line(ONE, reserved=2, shared_stocks=[MILK, MILK, BREAD]),
        line(TWO, counted_choices=["oat", "soy", "rice"], item_counted=False, shared_stocks=[]),
        line(THREE, LOOSE, item_counted=False, counted_choices=[], shared_stocks=[]),
        *COUPON,
    ]  # fmt: skip
    tables = (*STOCK, "order_offers")
    _, found = await wrote(rows, given, tables, "SELECT counter_expired($1, $2)", ORDER, NOW)
    assert found == {
        "counter_items": [(ITEM, {"stock": 7, "option_stock": {"oat": 6, "soy": 5}})],
        "counter_stocks": [(MILK, {"stock": 13}), (BREAD, {"stock": 11})],
        "counter_lines": [(key, {"reserved": 0}) for key in (ONE, TWO, THREE)],
        "order_offers": [(ORDER, {"given_back_at": NOW})],
    }


async def test_an_order_that_expires_is_told_to_its_own_kind(rows: Rows) -> None:
    outlet = {"merchant_id": ASHA, "channel": "counter", "dialect": "leased"}
    given: Given = [
        ("outlets", {"id": "K02", "kind": "vending", **outlet}),
        ("outlets", {"id": "K01", "kind": "counter", **outlet}),
        *COUPON[:2], *ITEMS, line(OF_OTHER, order=OTHER, reserved=8), line(ONE),
    ]  # fmt: skip
    call = "SELECT order_close_payment($1, $2)"
    _, found = await wrote(rows, given, ["counter_lines"], call, ORDER, NOW)
    assert found == {"counter_lines": [(ONE, {"reserved": 0})]}


async def test_portions_come_back_once_for_each_time_that_their_stock_is_named(rows: Rows) -> None:
    back = "SELECT counter_give_back($1)"
    for stocks, changed in (
        ([MILK, BREAD, MILK], [(MILK, {"stock": 11}), (BREAD, {"stock": 10})]),
        ([BREAD], [(BREAD, {"stock": 10})]),
        ([OTHER], []), ([], []), (None, []),
    ):  # fmt: skip
        _, found = await wrote(rows, STOCKS, ["counter_stocks"], back, stocks)
        assert found.get("counter_stocks", []) == changed


BACK: Row = {"settlement": "refund_due", "basis": "cancelled", "state": "failed"}
KEPT: Row = {"settlement": "fulfilled", "basis": "code", "state": "failed"}
AGAIN: Row = {
    "counter_items": [(ITEM, {"stock": 6, "option_stock": {"oat": 4, "soy": 5}})],
    "counter_stocks": [(MILK, {"stock": 11}), (BREAD, {"stock": 10})],
    "counter_lines": [(ONE, {"reserved": 1})],
}
TAKEN: Row = {"counter_lines": [(ONE, {"reserved": 1})]}
UNCOUNTED: Row = {
    **AGAIN, "counter_items": [(ITEM, {"option_stock": {"oat": 4, "soy": 5}})],
}  # fmt: skip


SETTLED: tuple[tuple[Row, datetime | None, Row, Row, bool], ...] = (
    (BACK, None, {}, AGAIN, True),
    (BACK, NOW, {}, TAKEN, True),
    (KEPT, None, {}, TAKEN, False),
    (KEPT, NOW, {}, TAKEN, False),
    (BACK, None, {"item_counted": False}, UNCOUNTED, True),
    (BACK, None, {"reserved": 1}, {**AGAIN, "counter_lines": [(ONE, {"reserved": 0})]}, True),
    (BACK, None, {"reserved": 0}, {}, True),
    (KEPT, None, {"reserved": 0}, {}, False),
    (BACK, None, {"counted_choices": [], "shared_stocks": []},
     {"counter_items": [(ITEM, {"stock": 6})], "counter_lines": [(ONE, {"reserved": 1})]},
     True),
)  # fmt: skip


async def test_a_piece_that_goes_back_before_it_is_begun_is_for_sale_again(rows: Rows) -> None:
    for case in SETTLED:
        await settled_as(rows, case)


async def settled_as(rows: Rows, case: tuple[Row, Any, Row, Row, bool]) -> None:
    settled, accepted, of_line, stock, told = case
    ticket = {"merchant_id": ASHA, "outlet_id": "K01", "printer_id": PRINTER, "order_id": ORDER,
              "kind": "ticket", "units": [SECOND_UNIT, UNIT], "due_at": NOW}  # fmt: skip
    given = [
        *ITEMS, *STOCKS, *STORES, *contact(OTHER), *contact(ORDER, email=None, push=None),
        line(OF_OTHER, order=OTHER, reserved=8), line(TWO, reserved=8),
        line(ONE, **{"reserved": 2, "counted_choices": ["oat", "soy"],
                     "shared_stocks": [MILK, BREAD, MILK], **of_line}),
        unit(OTHER_UNIT, order_id=OTHER, line_id=OF_OTHER, **BACK), unit(SECOND_UNIT, **BACK),
        unit(UNIT, **settled),
        ("counter_units", {"id": OTHER_UNIT, "accepted_at": None if accepted else NOW}),
        ("counter_units", {"id": SECOND_UNIT, "accepted_at": None if accepted else NOW}),
        ("counter_units", {"id": UNIT, "accepted_at": accepted}),
        ("counter_prints", ticket), *COUPON,
    ]  # fmt: skip
    _, found = await wrote(
        rows, given, [*STOCK, "counter_prints", "counter_messages", "order_offers"],
        "SELECT counter_settled($1, $2)", UNIT, NOW,
    )  # fmt: skip
    sent, paper = found.pop("counter_messages", []), found.pop("counter_prints", [])
    assert found.pop("order_offers") == [(ORDER, {"given_back_at": NOW})]
    assert found == stock
    if not told:
        assert (sent, paper) == ([], [])
        return
    (message,), (printed,) = sent, paper
    start, xid, form = message["dedup"].rsplit(".", 2)
    assert (message["purpose"], start, form) == ("cancelled", f"{ORDER}.cancelled", "sms")
    assert int(xid) > 0
    assert printed == {
        "merchant_id": ASHA, "outlet_id": "K01", "printer_id": PRINTER, "order_id": ORDER,
        "kind": "cancelled", "units": [UNIT], "created_at": NOW, "due_at": NOW,
        "token": 24,
    }  # fmt: skip


async def test_what_messages_cost_is_of_those_that_went_out_in_this_currency(rows: Rows) -> None:
    text: Row = {"order_id": ORDER, "form": "sms", "purpose": "code", "stage": "delivered",
                 "reference": "r", "begun_at": NOW, "price": 0.0149,
                 "price_currency": "EUR"}  # fmt: skip
    cost = "SELECT message_costs($1, $2)::text"
    cases: tuple[tuple[str, list[Row], str], ...] = (
        ("EUR", [], "(0,0)"),
        ("EUR", [{}], "(1,0)"), ("EUR", [{}, {}], "(3,0)"), ("JPY", [{}], "(0,1)"),
        ("JPY", [{"price": 2.6, "price_currency": "JPY"}], "(3,0)"),
        ("KWD", [{"price": 2.6, "price_currency": "KWD"}, {}], "(2600,1)"),
        ("EUR", [{"price": None, "price_currency": None}, {}], "(1,1)"),
        ("EUR", [{"form": "call"}, {}], "(3,0)"), ("EUR", [{"form": "email"}], "(0,0)"),
        ("EUR", [{"form": "push"}], "(0,0)"), ("EUR", [{"order_id": OTHER}], "(0,0)"),
        ("EUR", [{"reference": None}], "(0,0)"),
        ("EUR", [{"reference": None, "stage": "sending"}], "(1,0)"),
        ("EUR", [{"reference": None, "stage": "unconfirmed"}], "(1,0)"),
    )  # fmt: skip
    for currency, sent, said in cases:
        given: Given = []
        for number, odd in enumerate(sent):
            row = {**text, "dedup": str(number), **odd}
            row["reference"] = row["reference"] and f"r{number}"
            given.append(("counter_messages", row))
        assert (await wrote(rows, given, [], cost, ORDER, currency))[0] == said, (currency, sent)


async def test_what_became_of_texts_and_calls_is_counted_of_what_is_over(rows: Rows) -> None:
    said = "SELECT message_outcomes($1)::text"
    numbers = {("sms", "delivered"): 1, ("sms", "failed"): 2, ("call", "delivered"): 3,
               ("call", "failed"): 4, ("email", "failed"): 5, ("push", "delivered"): 6,
               ("sms", "sent"): 7, ("call", "unconfirmed"): 8}  # fmt: skip
    given: Given = [
        ("counter_messages", {"order_id": order, "form": form, "stage": stage, "begun_at": NOW,
                              "why": "x", "purpose": "code", "dedup": f"{order}{form}{stage}{n}"})
        for order in (OTHER, ORDER)
        for (form, stage), count in numbers.items() for n in range(count + (order == OTHER))
    ]  # fmt: skip
    assert (await wrote(rows, given, [], said, ORDER))[0] == "(1,2,3,4)"


async def test_a_page_is_newer_by_each_change_of_what_stands_beside_its_order(rows: Rows) -> None:
    left: Given = []
    for order, more in ((OTHER, 3), (ORDER, 0)):
        message = {"order_id": order, "form": "sms", "purpose": "code"}
        left += [
            ("counter_messages", {**message, "changes": 10 + more, "dedup": f"{order}a"}),
            ("counter_messages", {**message, "changes": 5, "dedup": f"{order}b"}),
            ("counter_deliveries", {"order_id": order, "zone_id": OTHER, "left_at": NOW}),
            ("counter_orders", {"order_id": order, "outlet_id": "K01", "here_changes": 4}),
        ]
    shown = "SELECT counter_shown($1)"
    assert (await wrote(rows, left, [], shown, ORDER))[0] == 2 + 15 + 1 + 4
    assert (await wrote(rows, left, [], shown, CAPTURE))[0] == 0
    waits: Row = {"order_id": ORDER, "zone_id": OTHER}
    assert (await wrote(rows, [("counter_deliveries", waits)], [], shown, ORDER))[0] == 0
