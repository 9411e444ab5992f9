"""What money for a printed code writes, in one statement and where the capture was known before:
whole rows of every table, and why it buys nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ACCOUNT,
    ASHA,
    CAPTURE,
    Given,
    Row,
    booked,
    capture,
    event,
    owed,
    whole,
)
from tests.sales.test_functions_of_captures import (
    ACCEPT,
    AGAIN,
    BESIDES,
    CODE,
    FACT,
    NEW,
    WINDOWS,
    code,
)
from tests.sales.wrote import in_order, wrote

SECOND, MOMENT = timedelta(seconds=1), timedelta(microseconds=1)
COLA, TEA = UUID(int=61), UUID(int=62)
AT = NOW - 9 * SECOND
UNTIL = AT + 120 * SECOND
TABLES = (
    "captures", "ledger", "refunds", "events", "discrepancies", "attempts", "payments", "orders",
    "order_lines", "fulfillments", "vend_units", "slots",
)  # fmt: skip


def machine(key: str, **given: Any) -> tuple[str, Row]:
    return "outlets", {"id": key, "merchant_id": ASHA, "kind": "vending", "channel": "mqtt",
                       "dialect": "leased", "price_version": 7, "planogram_version": 8,
                       **given}  # fmt: skip


def slot(outlet: str, name: str, product: UUID, **given: Any) -> tuple[str, Row]:
    return "slots", {"merchant_id": ASHA, "outlet_id": outlet, "slot": name, "product_id": product,
                     "stock": 3, "price_minor": 4000, **given}  # fmt: skip


def product(key: UUID, sku: str) -> tuple[str, Row]:
    return "products", {"id": key, "merchant_id": ASHA, "sku": sku, "name": sku.title(),
                        "cost_minor": len(sku) * 100}  # fmt: skip


def printed(**given: Any) -> tuple[str, Row]:
    return code(CODE, "qr_1", outlet_id="M01", slot="A1", **given)


SHELF: Given = [
    machine("M02", price_version=1, planogram_version=2), machine("M01"), product(TEA, "tea"),
    product(COLA, "cola"), slot("M02", "A1", TEA), slot("M01", "A0", TEA),
]  # fmt: skip
OF_SLOT = slot("M01", "A1", COLA)
ORDERED: Row = {
    "merchant_id": ASHA, "outlet_id": "M01", "state": "paid", "version": 2, "token": 32,
    "source": "printed_qr", "amount_minor": 5000, "currency": "INR", "placed_at": NOW,
    "paid_at": AT, "dispatch_by": UNTIL, "price_version": 7, "planogram_version": 8,
}  # fmt: skip
LINE: Row = {
    "merchant_id": ASHA, "order_id": "new orders", "product_id": COLA, "slot": "A1", "sku": "cola",
    "name": "Cola", "quantity": 1, "price_minor": 5000, "cost_minor": 400,
}  # fmt: skip
PAYMENT: Row = {
    "merchant_id": ASHA, "account_id": ACCOUNT, "order_id": "new orders", "state": "succeeded",
    "version": 2, "amount_minor": 5000, "currency": "INR", "created_at": NOW, "source": "order",
    "capture_method": "automatic", "live": True,
}  # fmt: skip
ATTEMPT: Row = {
    "merchant_id": ASHA, "payment_id": "new payments", "account_id": ACCOUNT, "state": "succeeded",
    "version": 2, "gateway_payment_id": "pay_1", "started_at": NOW, "number": 1,
}  # fmt: skip
UNIT: Row = {
    "merchant_id": ASHA, "order_id": "new orders", "line_id": "new order_lines",
    "capture_id": "new captures", "outlet_id": "M01", "kind": "vending", "amount_minor": 5000,
    "currency": "INR", "state": "queued", "version": 1, "queued_at": NOW, "dispatch_by": UNTIL,
    "hard_deadline": UNTIL + 60 * SECOND, "due_at": NOW,
}  # fmt: skip
MOVES = [
    event("payment", "new payments", "CAPTURED", was="created", state="succeeded",
          data={"due_at": None}),
    event("attempt", "new attempts", "CAPTURED", was="started", state="succeeded",
          data={"due_at": None, "failure": None, "gateway_payment_id": "pay_1"}),
    event("order", "new orders", "PAID", was="placed", state="paid",
          data={"due_at": None, "paid_at": AT.isoformat(), "dispatch_by": UNTIL.isoformat()}),
]  # fmt: skip
SOLD: Row = {
    "orders": [ORDERED], "order_lines": [LINE], "payments": [PAYMENT], "attempts": [ATTEMPT],
    "events": MOVES,
}  # fmt: skip


async def accepted(rows: Rows, given: Given, **odd: Any) -> tuple[str, Row]:
    fact = {**FACT, "qr_code_id": "qr_1", **odd}
    said, found = await wrote(rows, [*BESIDES, *SHELF, *given], TABLES, ACCEPT, fact, ACCOUNT,
                              WINDOWS, NOW)  # fmt: skip
    for row in found.get("orders", []):
        number = row.pop("number")
        assert (len(number), number.isupper()) == (4, True)
    (unit,) = found.pop("vend_units", [None])
    assert (unit is None) is ("fulfillments" not in found)
    return said, found


def of_new(lines: list[Row]) -> list[Row]:
    return [{**row, "capture_id": "new captures"} for row in lines]


async def test_a_sale_in_one_statement_writes_all_of_it(rows: Rows) -> None:
    taken = {**NEW, "payment_id": "new payments", "order_id": "new orders", "qr_id": CODE}
    captured = booked("gateway", "obligations", 5000, "captured")
    fees: tuple[tuple[Row | None, int | None, list[Row]], ...] = (
        (None, None, []), ({"amount": 90, "currency": "USD"}, None, []),
        ({"amount": 90, "currency": "INR"}, 90, booked("fees", "gateway", 90, "fee")),
        ({"amount": -9, "currency": "INR"}, -9, booked("gateway", "fees", 9, "fee_corrected")),
        ({"amount": 0, "currency": "INR"}, None, []),
        ({"amount": 1, "currency": "INR"}, 1, booked("fees", "gateway", 1, "fee")),
    )  # fmt: skip
    for fee, minor, lines in fees:
        said, found = await accepted(rows, [printed(), OF_SLOT], fee=fee)
        row = taken if minor is None else {**taken, "fee_minor": minor}
        assert (said, found) == ("paid", whole(
            captures=[row], ledger=of_new([*captured, *lines]), fulfillments=[UNIT], **SOLD
        )), fee  # fmt: skip
    for seconds, hard in ((200, NOW), (121, NOW), (60, NOW + 60 * SECOND)):
        at = NOW - seconds * SECOND
        said, found = await accepted(rows, [printed(), OF_SLOT], at=at.isoformat())
        (unit,) = found["fulfillments"]
        assert unit["hard_deadline"] == hard + 60 * SECOND
        assert unit["dispatch_by"] == at + 120 * SECOND
    ahead: Row = {"account_id": ACCOUNT, "ahead_ms": 6000, "heard_at": NOW}
    _, found = await accepted(rows, [printed(), OF_SLOT, ("clocks", ahead)])
    assert found["captures"] == [{**taken, "captured_here_at": NOW - 3 * SECOND}]
    assert found["orders"][0]["paid_at"] == AT
    assert found["orders"][0]["dispatch_by"] == UNTIL + 6 * SECOND
    much: Row = {**ahead, "ahead_ms": 20_000}
    _, found = await accepted(rows, [printed(), OF_SLOT, ("clocks", much)])
    assert found["captures"] == [{**taken, "captured_here_at": NOW}]
    _, found = await accepted(rows, [printed(), OF_SLOT], at=(NOW + SECOND).isoformat())
    assert found["orders"][0]["paid_at"] == NOW


async def test_money_that_waited_for_its_code_is_sold_the_same(rows: Rows) -> None:
    parked = capture(**AGAIN, captured_at=AT, payer_reference="first")
    said, found = await accepted(rows, [printed(), OF_SLOT, parked])
    its = {"payment_id": "new payments", "order_id": "new orders", "qr_id": CODE, "due_at": None}
    assert (said, found) == ("paid", whole(
        captures=[(CAPTURE, its)], fulfillments=[{**UNIT, "capture_id": CAPTURE}], **SOLD
    ))  # fmt: skip


LATE, BEFORE = AT - MOMENT, AT + MOMENT
Why = tuple[Row, Row, str | None]
WHY: tuple[Why, ...] = (
    ({"retired_at": AT}, {}, "qr_retired"),
    ({"retired_at": LATE}, {}, "qr_retired"),
    ({"retired_at": BEFORE}, {}, None),
    ({}, {"withheld_at": AT}, "slot_withheld"),
    ({}, {"withheld_at": BEFORE}, None),
    ({"retired_at": AT}, {"withheld_at": LATE}, "slot_withheld"),
    ({"retired_at": LATE}, {"withheld_at": AT}, "qr_retired"),
    ({"retired_at": AT}, {"withheld_at": AT}, "qr_retired"),
    ({"retired_at": BEFORE}, {"withheld_at": AT}, "slot_withheld"),
    ({"amount_minor": 5001}, {}, "amount_mismatch"),
    ({"currency": "USD"}, {}, "amount_mismatch"),
)


async def test_a_code_sells_until_it_is_retired_or_its_slot_is_withheld(rows: Rows) -> None:
    for of_code, of_slot, why in WHY:
        shelf = [printed(**of_code), slot("M01", "A1", COLA, **of_slot)]
        said, found = await accepted(rows, shelf)
        assert said == ("returned" if why else "paid"), (of_code, of_slot)
        wanted = [owed(5000, why, capture_id="new captures")] if why else []
        assert found.get("refunds", []) == wanted, (of_code, of_slot)
    for kind, channel, test, why in (
        ("unknown", "mqtt", False, "not_sold_here"), ("vending", "practice", False,
         "practice_machine"), ("vending", "practice", None, "practice_machine"),
        ("vending", "practice", True, None), ("vending", "mqtt", True, None),
    ):  # fmt: skip
        await rows.conn.execute("BEGIN")
        for table, row in [machine("M03", kind=kind, channel=channel),
                           ("gateway_accounts", {"id": ACCOUNT, "slug": "one", "test_only": test}),
                           ("gateway_accounts", {"id": COLA, "test_only": not test})]:  # fmt: skip
            await rows.put(table, **row)
        said = await rows.conn.fetchval("SELECT cannot_sell(o, $1) FROM outlets o", ACCOUNT)
        await rows.conn.execute("ROLLBACK")
        assert said == why, (kind, channel, test)


async def test_windows_of_an_outlet_are_its_own_before_those_of_its_kind(rows: Rows) -> None:
    there: Given = [
        ("merchants", {"id": COLA, "slug": "b", "windows": {"vending": {"dispatch_s": 1}}}),
        ("merchants", {"id": ASHA, "slug": "a",
                       "windows": {"vending": {"dispatch_s": 30, "run_s": 40},
                                   "coffee": {"dispatch_s": 50}}}),
        machine("M01", windows={"dispatch_s": 60}),
    ]  # fmt: skip
    ask = "SELECT windows_at(o) FROM outlets o"
    assert (await wrote(rows, there, [], ask))[0] == {"dispatch_s": 60, "run_s": 40}
    assert (await wrote(rows, there[2:], [], ask))[0] == {"dispatch_s": 60}


async def test_an_order_that_expires_takes_its_payment_and_ways_with_it(rows: Rows) -> None:
    def of(order: UUID, payment: UUID) -> Given:
        return [
            ("orders", {"id": order, "merchant_id": ASHA, "outlet_id": "M01", "state": "placed",
                        "source": "page", "token": str(order)}),
            ("payments", {"id": payment, "merchant_id": ASHA, "order_id": order,
                          "state": "requires_action", "due_at": NOW}),
            ("attempts", {"id": payment, "payment_id": payment, "state": "pending", "way": "code",
                          "outlet_id": "M01", "network": "n", "make_at": NOW, "key": str(payment),
                          "due_at": None}),
        ]  # fmt: skip

    mine, others = (COLA, UUID(int=71)), (TEA, UUID(int=72))
    given = [machine("M01"), *of(*others), *of(*mine)]
    _, found = await wrote(rows, given, TABLES, "SELECT order_close_payment($1, $2)", COLA, NOW)
    state = found["payments"][0][1]["state"]
    assert found == {
        "payments": [(mine[1], {"state": state, "version": 2, "due_at": None})],
        "attempts": [(mine[1], {"retired_at": NOW, "due_at": NOW, "lease": 1})],
        "events": in_order([event("payment", mine[1], "DEADLINE", was="requires_action",
                                  state=state, data={"due_at": None})]),
    }  # fmt: skip
    assert state == "canceled"
