"""How an operator finds an order: page by page, by whatever is on a slip, or by sum and minute."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from coinslot.orders import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)
ORDER, OTHER, UNIT = UUID(int=10), UUID(int=11), UUID(int=12)
PLACED = {
    "id": ORDER, "outlet_id": "M01", "state": "paid", "source": "page", "token": "tok",
    "number": "AB", "amount_minor": 4000, "currency": "INR", "paid_at": NOW,
}  # fmt: skip
CAPTURE = {"id": OTHER, "order_id": ORDER, "gateway_payment_id": "pay_1", "payer_reference": "rrn"}
OUTLET = {"id": "M01", "kind": "vending", "channel": "mqtt", "dialect": "leased"}

ASKED = (
    Asked("a page behind another", store.NEWEST_ORDERS, (OTHER, 9), {"orders": PLACED},
          ({"orders.id": OTHER}, {"orders.id": UNIT})),
    Asked("the first page", store.NEWEST_ORDERS, (None, 9), {"orders": PLACED}, ()),
    Asked("by its id", store.MATCHING_ORDERS, (str(ORDER).upper(),), {"orders": PLACED},
          ({"orders.id": OTHER},)),
    Asked("by its link", store.MATCHING_ORDERS, ("tok",), {"orders": PLACED},
          ({"orders.token": "else"},)),
    Asked("by its number", store.MATCHING_ORDERS, ("ab",), {"orders": PLACED},
          ({"orders.number": "AC"},)),
    Asked("by its payment", store.MATCHING_ORDERS, ("pay_1",),
          {"orders": PLACED, "captures": CAPTURE},
          ({"captures.gateway_payment_id": "pay_2"}, {"captures.order_id": OTHER})),
    Asked("by the payer's bank", store.MATCHING_ORDERS, ("rrn",),
          {"orders": PLACED, "captures": CAPTURE},
          ({"captures.payer_reference": "else"}, {"captures.order_id": OTHER})),
    Asked("by its refund", store.MATCHING_ORDERS, ("rf_1",),
          {"orders": PLACED, "captures": CAPTURE,
           "refunds": {"capture_id": OTHER, "origin": "gateway", "state": "succeeded",
                       "gateway_refund_id": "rf_1"}},
          ({"refunds.gateway_refund_id": "rf_2"}, {"refunds.capture_id": UNIT})),
    Asked("by its unit", store.MATCHING_ORDERS, (str(UNIT),),
          {"orders": PLACED, "fulfillments": {"id": UNIT, "order_id": ORDER, "outlet_id": "M01",
                                              "state": "queued", "due_at": NOW}},
          ({"fulfillments.id": OTHER}, {"fulfillments.order_id": OTHER})),
    Asked("by its sum and minute", store.PAID_AROUND, (4000, "INR", [NOW]),
          {"orders": PLACED, "outlets": OUTLET},
          ({"orders.amount_minor": 4001}, {"orders.currency": "RUB"}, {"outlets.id": "M02"},
           {"orders.paid_at": NOW - MINUTE - MOMENT}, {"orders.paid_at": NOW + 2 * MINUTE + MOMENT},
           {"orders.paid_at": None}),
          ({"orders.paid_at": NOW - MINUTE}, {"orders.paid_at": NOW + 2 * MINUTE})),
)  # fmt: skip


async def test_an_order_is_found_by_what_is_its_own(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def test_orders_come_newest_first_with_what_was_in_them(rows: Rows) -> None:
    for number, paid in ((21, 1), (23, 3), (22, 2)):
        order = UUID(int=number)
        more: dict[str, Any] = {"id": order, "token": f"t{number}", "number": f"N{number}"}
        await rows.put("orders", **{**PLACED, **more, "paid_at": NOW - paid * MOMENT})
        for line in (2, 1):
            made = UUID(int=100 * number + line)
            await rows.put("order_lines", id=made, order_id=order, name=f"can {line}", quantity=1)
    await rows.put("outlets", **OUTLET)
    newest = await rows.conn.fetch(store.NEWEST_ORDERS, None, 2)
    assert [row["id"].int for row in newest] == [23, 22]
    assert newest[0]["items"] == "can 1, can 2"
    around = await rows.conn.fetch(store.PAID_AROUND, 4000, "INR", [NOW])
    assert [row["id"].int for row in around] == [21, 22, 23]
    await rows.put("captures", **{**CAPTURE, "order_id": UUID(int=21)})
    await rows.put("captures", id=UNIT, order_id=UUID(int=23), payer_reference="pay_1")
    matching = await rows.conn.fetch(store.MATCHING_ORDERS, "pay_1")
    assert [row["id"].int for row in matching] == [23, 21]
