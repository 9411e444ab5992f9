"""What each statement about orders, their pages, units and refunds finds or writes: its own row, as
long as nothing differs from what it asks for. Each case differs in one thing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.orders import store
from tests.sales.asked import Asked, mistaken, written
from tests.sales.by_hand import NOW, Rows

MOMENT, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
MINUTE = 60 * SECOND
SOON, LATER = NOW + SECOND, NOW + MINUTE
ASHA, ACCOUNT, PAYMENT, ATTEMPT, CAPTURE, REFUND, CODE, ORDER, UNIT, LINE, PART, EXTRA = (
    UUID(int=n) for n in range(1, 13)
)
OTHER, ANOTHER, THIRD = (UUID(int=n) for n in range(20, 23))
Row = dict[str, Any]

PLACED: Row = {
    "id": ORDER, "merchant_id": ASHA, "outlet_id": "M01", "state": "placed", "source": "page",
    "token": "tok", "number": "AB", "amount_minor": 4000, "currency": "INR", "placed_at": NOW,
    "expires_at": SOON, "browser": "b", "network": "n", "due_at": NOW, "leased_until": NOW,
}  # fmt: skip
OUTLET: Row = {
    "id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased",
    "name": "In the hall", "currency": "INR",
}  # fmt: skip
MERCHANT: Row = {"id": ASHA, "name": "Asha", "slug": "asha", "contact": "m@asha"}
FOR_IT: Row = {
    "id": PAYMENT, "order_id": ORDER, "account_id": ACCOUNT, "state": "pending",
    "amount_minor": 4000,
}  # fmt: skip
TRIED: Row = {
    "id": ATTEMPT, "payment_id": PAYMENT, "account_id": ACCOUNT, "state": "pending", "number": 2,
    "way": "link", "outlet_id": "M01", "network": "n", "make_at": SOON,
}  # fmt: skip
TAKEN: Row = {
    "id": CAPTURE, "order_id": ORDER, "account_id": ACCOUNT, "gateway_payment_id": "pay_1",
}  # fmt: skip
GOODS: Row = {
    "id": UNIT, "order_id": ORDER, "line_id": LINE, "capture_id": CAPTURE, "outlet_id": "M01",
    "state": "queued", "due_at": NOW, "leased_until": NOW, "dispatch_by": SOON,
    "hard_deadline": LATER, "amount_minor": 4000,
}  # fmt: skip
SETTLED: Row = {"fulfillments.settlement": "fulfilled", "fulfillments.basis": "handed_over"}
OF_IT: Row = {"id": LINE, "order_id": ORDER, "slot": "A1", "name": "a can", "quantity": 1}
BACK: Row = {
    "id": REFUND, "capture_id": CAPTURE, "origin": "ours", "state": "pending", "amount_minor": 1000,
    "reason": "asked", "key": "k1",
}  # fmt: skip
BY_HAND: Row = {"id": REFUND, "order_id": ORDER, "made_by": "asha", "key": "k1"}
A_PART: Row = {
    "id": PART, "order_refund_id": REFUND, "fulfillment_id": UNIT, "amount_minor": 1000,
    "capture_id": CAPTURE,
}  # fmt: skip
TIP: Row = {"id": EXTRA, "order_id": ORDER, "kind": "tip", "amount_minor": 200}
A_SLOT: Row = {"outlet_id": "M01", "slot": "A1", "stock": 1, "price_minor": 4000}
CLOSED = [{"attempts.state": state} for state in ("succeeded", "failed", "canceled")]
OPEN = [{"attempts.state": state} for state in ("started", "unknown")]
SHOWN_CODE: Row = {
    "id": CODE, "payment_id": PAYMENT, "attempt_id": ATTEMPT, "stage": "open", "qr_code_id": "qr_1",
    "image_url": "https://i",
}  # fmt: skip


def numbered(table: str, row: Row, /, *numbers: int, **more: Sequence[Any]) -> dict[str, Row]:
    """Rows with these numbers as ids, in this order, and other columns that follow them."""
    made = {}
    for n, number in enumerate(numbers):
        differs = {name: values[n] for name, values in more.items()}
        made[f"{table} {n}"] = {**row, "id": UUID(int=number), **differs}
    return made


PAGES = (
    Asked("whose outlet it is", store.OUTLET_OWNER, ("M01",), {"outlets": OUTLET},
          ({"outlets.id": "M02"},), gives={"merchant_id": ASHA}),
    Asked("an order that is still to be paid", store.STILL_PLACED, (ORDER,), {"orders": PLACED},
          ({"orders.id": OTHER}, {"orders.state": "paid"}), gives={"expires_at": SOON}),
    Asked("an order by the key of its page", store.BY_PAGE_KEY, ("M01", "key", "M01:key"),
          {"orders": {**PLACED, "client_key": "key"}},
          ({"orders.outlet_id": "M02"}, {"orders.client_key": "another"},
           {"orders.client_key": None}),
          ({"orders.client_key": "M01:key"},), gives={"token": "tok"}),
    Asked("whose order it is, by its token", store.ORDER_OWNER, ("tok",), {"orders": PLACED},
          ({"orders.token": "else"},), gives={"merchant_id": ASHA}),
    Asked("whose order it is", store.HAS_ORDER, (ORDER,), {"orders": PLACED},
          ({"orders.id": OTHER},), gives={"merchant_id": ASHA}),
    written(Asked("an order waits", store.PUT_OFF_ORDER, (ORDER, LATER), {"orders": PLACED}, (),
                  gives={"due_at": LATER, "leased_until": None})),
    Asked("what may be paid now", store.OPEN_ATTEMPT_OF_ORDER, (ORDER,),
          {"attempts": TRIED, "attempts 2": {**TRIED, "id": OTHER, "number": 1},
           "payments": FOR_IT, "qr_codes": {**SHOWN_CODE, "attempt_id": ANOTHER,
                                            "stage": "closed"}},
          ({"payments.id": OTHER}, {"payments.order_id": OTHER}),
          (*OPEN, {"qr_codes.attempt_id": ATTEMPT, "qr_codes.stage": "open"}), {"id": ATTEMPT},
          [(change, {"id": OTHER}) for change in (
              *CLOSED, {"attempts.way": None}, {"attempts.retired_at": NOW},
              {"qr_codes.attempt_id": ATTEMPT}, {"attempts.payment_id": OTHER})]),
    Asked("the slot to order of", store.LOCK_SLOT, ("M01", "A1"),
          {"slots": {**A_SLOT, "product_id": OTHER}, "outlets": OUTLET,
           "outlets 2": {**OUTLET, "id": "M02"}, "products": {"id": OTHER, "sku": "can",
            "name": "a can", "cost_minor": 9}, "devices": {"outlet_id": "M01", "has_sensor": True}},
          ({"slots.outlet_id": "M02"}, {"slots.slot": "A2"}, {"slots.product_id": ANOTHER},
           {"outlets.id": "M03"}), (),
          {"sku": "can", "name": "a can", "cost_minor": 9, "currency": "INR", "stock": 1,
           "has_sensor": True}, (({"devices.outlet_id": "M02"}, {"has_sensor": None}),),
          locks=("slots",)),
    Asked("the outlet to order at", store.LOCK_OUTLET, ("M01",),
          {"outlets": OUTLET, "merchants": {**MERCHANT, "limits": {"unpaid": 3}}},
          ({"outlets.id": "M02"},), (), {"limits": {"unpaid": 3}},
          (({"merchants.id": OTHER}, {"limits": None}),), locks=("outlets",)),
    Asked("what is promised of a slot", store.PROMISED, ("M01", "A1"),
          {"fulfillments": GOODS, "order_lines": OF_IT}, (), (), {"count": 1},
          [(change, {"count": 0}) for change in (
              {"fulfillments.outlet_id": "M02"}, {"order_lines.slot": "A2"}, SETTLED,
              {"fulfillments.line_id": OTHER})]),
    Asked("orders that are not paid", store.UNPAID_ORDERS, ("M01", "b", "n", NOW, 60.0),
          {"outlets": OUTLET, "merchants": {**MERCHANT, "limits": {"open": 2}}, "orders": PLACED},
          ({"outlets.id": "M02"}, {"merchants.id": OTHER}),
          ({"orders.placed_at": NOW - MINUTE + MOMENT},),
          {"of_browser": 1, "of_network": 1, "limits": {"open": 2}},
          [({"orders.browser": "c"}, {"of_browser": 0, "of_network": 1}),
           ({"orders.network": "m"}, {"of_browser": 1, "of_network": 0}),
           ({"merchants.limits": {"unpaid_s": 120}, "orders.placed_at": NOW - 2 * MINUTE + MOMENT},
            {"of_browser": 1, "of_network": 1}),
           *((change, {"of_browser": 0, "of_network": 0}) for change in (
               {"orders.state": "paid"}, {"orders.outlet_id": "M02"}, {"orders": None},
               {"orders.placed_at": NOW - MINUTE}, {"merchants.limits": {"unpaid_s": 30},
                                                    "orders.placed_at": NOW - 30 * SECOND}))]),
    Asked("whether a browser ever paid", store.HAS_PAID, ("b",),
          {"orders": {**PLACED, "paid_at": NOW, "amount_minor": 1}},
          ({"orders.browser": "c"}, {"orders.paid_at": None}, {"orders.amount_minor": 0})),
    Asked("attempts of an outlet's pages", store.ATTEMPTS_OF_PAGES, ("M01", NOW),
          {"attempts": {**TRIED, "make_at": NOW + MOMENT}, "payments": FOR_IT, "orders": PLACED},
          ({"attempts.outlet_id": "M02"}, {"attempts.make_at": NOW}, {"payments.id": OTHER},
           {"orders.id": OTHER}), ({"orders.state": "expired"},),
          {"at": NOW + MOMENT, "network": "n", "unpaid": True},
          (({"orders.state": "paid"}, {"unpaid": False}),)),
    Asked("the order to pay", store.ORDER_TO_PAY, ("tok", SOON - MOMENT),
          {"orders": PLACED, **numbered("order_lines", OF_IT, 2, 1, slot=("A2", "A1"),
                                        name=("tea", "juice"))},
          ({"orders.token": "else"}, {"orders.state": "expired"}, {"$2": SOON},
           {"orders.id": OTHER}), (), {"id": ORDER, "slot": "A1", "name": "juice"},
          locks=("orders",)),
    Asked("a tap with its key", store.BEGUN_BEFORE, (ORDER, "key", "link", ACCOUNT),
          {"attempts": {**TRIED, "page_key": "key", "way": "code"}, "payments": FOR_IT},
          ({"attempts.page_key": "else"}, {"payments.order_id": OTHER}, {"payments.id": OTHER}),
          ({"attempts.account_id": OTHER}, {"attempts.retired_at": NOW}, *CLOSED)),
    Asked("another tap of the same way", store.BEGUN_BEFORE, (ORDER, "key", "link", ACCOUNT),
          {"attempts": TRIED, "payments": FOR_IT},
          ({"attempts.way": "code"}, {"attempts.account_id": OTHER}, {"attempts.retired_at": NOW},
           {"attempts.way": None}, {"payments.order_id": OTHER}, {"payments.id": OTHER}, *CLOSED),
          (*OPEN, {"attempts.page_key": "else"})),
    written(Asked("how long an order may be paid", store.LAST_TO_PAY, (ORDER, LATER),
                  {"orders": PLACED}, (), ({"orders.ends_by": LATER + MOMENT},),
                  {"expires_at": LATER, "due_at": LATER},
                  (({"orders.ends_by": SOON}, {"expires_at": SOON, "due_at": SOON}),))),
    Asked("a browser's own orders", store.OWN_ORDERS, ("M01", "b", NOW),
          numbered("orders", PLACED, *range(1, 7), token="abcdef",
                   placed_at=[NOW + n * SECOND for n in (3, 1, 6, 2, 5, 4)]), (), (),
          [{"token": token} for token in "cefad"],
          [({f"orders 0.{name}": value}, [{"token": token} for token in "cefdb"])
           for name, value in (("outlet_id", "M02"), ("browser", "c"))]
          + [({"orders 2.placed_at": NOW, "orders 4.placed_at": NOW},
              [{"token": token} for token in "fadb"])]),
    Asked("another machine", store.OTHERS, ("M01", NOW, "hall"),
          {"outlets": {**OUTLET, "id": "M04", "place": "hall", "name": "four"},
           "outlets 2": {**OUTLET, "id": "M03", "place": "hall", "name": "three"},
           "outlets 3": {**OUTLET, "id": "M02", "name": "two"},
           "outlets 4": {**OUTLET, "place": "hall"},
           **{f"devices {n}": {"outlet_id": f"M0{n}", "last_seen_at": NOW + MOMENT}
              for n in range(4, 0, -1)},
           **{f"slots {n}": {**A_SLOT, "outlet_id": f"M0{n}"} for n in range(1, 5)}},
          (), (), {"id": "M03", "name": "three", "place": "hall"},
          [(change, {"id": "M04"}) for change in (
              {"outlets 2.kind": "coffee"}, {"outlets 2.decommissioned_at": NOW},
              {"devices 3.last_seen_at": NOW}, {"devices 3.outlet_id": "M09"},
              {"slots 3.stock": 0}, {"slots 3.out_of_sale_at": NOW}, {"slots 3": None},
              {"slots 3.outlet_id": "M09"})]),
    Asked("a page asks its gateway", store.PAGE_ASKS_GATEWAY, ("tok", NOW, MINUTE),
          {"attempts": TRIED, "payments": FOR_IT, "orders": PLACED,
           "attempts 2": {**TRIED, "id": OTHER, "payment_id": OTHER},
           "attempts 3": {**TRIED, "id": ANOTHER, "payment_id": ANOTHER, "number": 4}},
          ({"orders.token": "else"}, {"orders.state": "paid"}, {"attempts.way": None},
           {"attempts 2.payment_id": PAYMENT, "attempts 2.number": 3, "attempts 2.way": None},
            {"payments.id": THIRD},
           {"orders.id": OTHER}, {"attempts.page_asked_at": NOW - MINUTE + MOMENT}),
          ({"attempts.page_asked_at": NOW - MINUTE},), {"id": ATTEMPT}),
    Asked("a page asked its gateway", store.PAGE_ASKS_GATEWAY, ("tok", NOW, MINUTE),
          {"attempts": TRIED, "payments": FOR_IT, "orders": PLACED}, (), (),
          {"page_asked_at": NOW}, after="SELECT page_asked_at FROM attempts"),
    Asked("a page asks about its units", store.PAGE_ASKS_UNITS, ("tok", NOW, MINUTE),
          {"fulfillments": GOODS, "orders": PLACED},
          ({"orders.token": "else"}, {"orders.id": OTHER}, SETTLED,
           {"fulfillments.page_asked_at": NOW - MINUTE + MOMENT}),
          ({"fulfillments.page_asked_at": NOW - MINUTE},), {"id": UNIT, "page_asked_at": NOW}),
)  # fmt: skip

LOGO = "a" * 64
SEEN = {
    "orders": {**PLACED, "version": 2}, "outlets": OUTLET,
    "merchants": {**MERCHANT, "zone": "Asia/Kolkata", "languages": ["hi"]},
    "payments": {**FOR_IT, "version": 10},
    "fulfillments": {**GOODS, "version": 100},
    "captures": {**TAKEN}, "refunds": {**BACK, "version": 1000},
    "order_refunds": {**BY_HAND, "id": OTHER}, "order_refund_parts": {
        **A_PART, "order_refund_id": OTHER, "outcome": "taken", "ended_at": NOW},
}  # fmt: skip
PARTLY = [
    ({"payments.order_id": OTHER}, 1104), ({"fulfillments.order_id": OTHER}, 1014),
    ({"captures.order_id": OTHER}, 114), ({"refunds.capture_id": OTHER}, 114),
    ({"order_refunds.order_id": OTHER}, 1112), ({"order_refunds.id": THIRD}, 1112),
    ({"order_refund_parts.outcome": None, "order_refund_parts.ended_at": None}, 1113),
    ({"refunds": None}, 114), ({"fulfillments": None}, 1014), ({"payments": None}, 1104),
]  # fmt: skip
NO_BRAND: Row = {"brand_name": "Asha", "colour": None, "logo_digest": None,
                 "contact_shown": "m@asha"}  # fmt: skip
BRANDED: dict[str, Row] = {
    "brands": {"merchant_id": ASHA, "colour": "#aabbcc", "ground": "#ffffff", "logo": LOGO,
               "nothing_out": "write to us"},
    "pictures": {"merchant_id": ASHA, "digest": LOGO, "width": 30, "height": 20, "widths": [15]},
}  # fmt: skip
OF_BRAND: Row = {
    "brand_name": "Asha", "colour": "#aabbcc", "ground": "#ffffff", "nothing_out": "write to us",
    "languages": ["hi"], "logo_digest": LOGO, "logo_width": 30, "logo_height": 20,
    "logo_widths": [15], "contact_shown": "m@asha",
}  # fmt: skip
BRANDS: list[tuple[Row, Row]] = [
    ({"brands": None}, NO_BRAND), ({"brands.merchant_id": OTHER}, NO_BRAND),
    ({"brands.shown_name": "Chai"}, {"brand_name": "Chai"}),
    ({"brands.support": "b@asha"}, {"contact_shown": "b@asha"}),
    ({"brands.support": "b@asha", "outlets.contact": "o@asha"}, {"contact_shown": "o@asha"}),
    ({"pictures": None}, {"logo_digest": None, "colour": "#aabbcc"}),
    ({"pictures.merchant_id": OTHER}, {"logo_digest": None}),
    ({"pictures.digest": "b" * 64}, {"logo_digest": None}),
]  # fmt: skip
SHOWN = (
    Asked("the version of what an order's page shows", store.ORDER_VERSIONS, (["x", "tok"],), SEEN,
          ({"orders.token": "else"},), (), {"token": "tok", "version": 1114},
          [(change, {"version": version}) for change, version in PARTLY]),
    Asked("what an order's page shows", store.ORDER_PAGE, ("tok",),
          {**SEEN, **BRANDED, "attempts": {**TRIED, "action": {"a": 1}},
           "attempts 2": {**TRIED, "id": OTHER, "number": 1},
           "attempts 3": {**TRIED, "id": ANOTHER, "number": 3, "way": None},
           "gateway_accounts": {"id": ACCOUNT, "gateway": "stripe"},
           "qr_codes": {**SHOWN_CODE, "stage": "closing"}},
          ({"orders.token": "else"}, {"outlets.id": "M02"}, {"merchants.id": OTHER}), (),
          {"id": ORDER, "outlet_name": "In the hall", "merchant_name": "Asha", **OF_BRAND,
           "zone": "Asia/Kolkata", "kind": "vending", "attempt_id": ATTEMPT, "way": "link",
           "attempt_state": "pending", "action": {"a": 1}, "make_at": SOON, "retired_at": None,
           "gateway": "stripe", "gateway_account": ACCOUNT, "image_url": "https://i",
           "qr_code_id": "qr_1", "qr_stage": "closing", "gateway_payment_id": "pay_1",
           "waiting_minor": None, "seen_version": 1114},
          [*BRANDS, *((change, {"seen_version": version}) for change, version in PARTLY),
           ({"outlets.zone": "UTC"}, {"zone": "UTC"}),
           ({"attempts 2.number": 4}, {"attempt_id": OTHER, "qr_stage": None}),
           ({"attempts.payment_id": OTHER, "attempts 2.payment_id": OTHER}, {"attempt_id": None}),
           ({"attempts.account_id": OTHER}, {"gateway": None}),
           ({"gateway_accounts": None}, {"gateway": None}), ({"qr_codes": None},
            {"qr_stage": None}),
           ({"qr_codes.attempt_id": ANOTHER}, {"qr_stage": None}),
           ({"captures.reason": "second"}, {"gateway_payment_id": None}),
           ({"captures.order_id": OTHER}, {"gateway_payment_id": None}),
           ({"order_refund_parts.outcome": None, "order_refund_parts.ended_at": None},
            {"waiting_minor": 1000}),
           *(({"order_refund_parts.outcome": None, "order_refund_parts.ended_at": None, **change},
              {"waiting_minor": None}) for change in (
                  {"order_refunds.order_id": OTHER}, {"order_refunds.id": THIRD}))]),
    Asked("what an outlet's page shows", store.OUTLET, ("M01", NOW),
          {"outlets": OUTLET, "merchants": SEEN["merchants"], **BRANDED,
           "devices": {"outlet_id": "M01", "last_seen_at": NOW, "has_sensor": True},
           "ways_to_pay": {"outlet_id": "M01", "way": "link", "place": 1},
           "outlet_stops": {"outlet_id": "M01", "why": "update", "until": NOW}},
          ({"outlets.id": "M02"}, {"merchants.id": OTHER}), (),
          {"id": "M01", "merchant_name": "Asha", "paused_at": None, "zone_shown": "Asia/Kolkata",
           "last_seen_at": NOW, "has_sensor": True, "has_ways": True, "stopped": None,
           **OF_BRAND},
          [*BRANDS, ({"outlet_stops.until": None}, {"stopped": "update"}),
           ({"outlets.zone": "UTC"}, {"zone_shown": "UTC"}),
           ({"outlets.contact": "o@asha"}, {"contact_shown": "o@asha"}),
           ({"devices": None}, {"last_seen_at": None}),
           ({"devices.outlet_id": "M02"}, {"last_seen_at": None}),
           ({"ways_to_pay.outlet_id": "M02"}, {"has_ways": False}),
           ({"ways_to_pay.place": None}, {"has_ways": False})]),
    Asked("what an outlet's page sells", store.SLOTS, ("M01", NOW),
          {"slots": {**A_SLOT, "slot": "A2", "product_id": OTHER, "out_of_sale_at": NOW},
           "slots 2": {**A_SLOT, "product_id": OTHER, "stock": 7},
           "products": {"id": OTHER, "name": "a can", "names": {"hi": "c"}, "description": "cold",
                        "merchant_id": ASHA, "picture": LOGO, "descriptions": {"hi": "d"},
                        "category": "Drinks"},
           "pictures": BRANDED["pictures"], "fulfillments": GOODS, "order_lines": OF_IT,
           "attempts": {**TRIED, "make_at": NOW + MOMENT}, "payments": FOR_IT, "orders": PLACED,
           "attempts 2": {**TRIED, "id": OTHER, "number": 1, "make_at": SOON}},
          ({"products.id": ANOTHER}, {"$1": "M02"}), (),
          [{"slot": "A1", "price_minor": 4000, "stock": 7, "out_of_sale_at": None, "name": "a can",
            "names": {"hi": "c"}, "description": "cold", "descriptions": {"hi": "d"},
            "category": "Drinks", "picture_digest": LOGO, "picture_width": 30, "picture_height": 20,
            "picture_widths": [15], "promised": 1, "being_paid": 1},
           {"slot": "A2", "out_of_sale_at": NOW, "promised": 0, "being_paid": 0}],
          [*((change, [{"promised": 0}, {}]) for change in (
              {"fulfillments.outlet_id": "M02"}, {"fulfillments.line_id": OTHER}, SETTLED)),
           ({"order_lines.slot": "A2"}, [{"promised": 0, "being_paid": 0},
                                         {"promised": 1, "being_paid": 1}]),
           *(({"attempts 2": None, **change}, [{"being_paid": 0}, {}]) for change in (
               {"attempts.payment_id": OTHER}, {"payments.order_id": OTHER},
               {"order_lines.order_id": OTHER}, {"attempts.outlet_id": "M02"},
               {"attempts.make_at": NOW}, {"orders.state": "paid"})),
           *((change, [{"picture_digest": None}, {"picture_digest": None}]) for change in (
               {"pictures": None}, {"pictures.merchant_id": OTHER},
               {"products.picture": "b" * 64}))]),
)  # fmt: skip

SELLING = (
    Asked("an outlet's windows", store.OUTLET_WINDOWS, ("M01",),
          {"outlets": {**OUTLET, "windows": {"a_s": 1}},
           "merchants": {**MERCHANT, "windows": {"vending": {"b_s": 2}}}},
          ({"outlets.id": "M02"},), (),
          {"kind": "vending", "own": {"a_s": 1}, "windows": {"a_s": 1, "b_s": 2}}),
    Asked("kinds of a merchant", store.KINDS_OF_MERCHANT, (),
          {"outlets": OUTLET, "outlets 2": {**OUTLET, "id": "M02"}},
          ({"outlets.decommissioned_at": NOW, "outlets 2.decommissioned_at": NOW},), (),
          {"kind": "vending"}),
    Asked("rules of selling", store.SELLING_RULES, (ASHA,),
          {"merchants": {**MERCHANT, "limits": {"open": 2}, "settings_version": 3}},
          ({"merchants.id": OTHER},), (),
          {"limits": {"open": 2}, "windows": {}, "settings_version": 3}),
    written(Asked("rules of selling change", store.SET_SELLING_RULES,
                  (ASHA, {"vending": {"b_s": 2}}, {"open": 2}),
                  {"merchants": {**MERCHANT, "settings_version": 3}}, (), (),
                  {"limits": {"open": 2}, "windows": {"vending": {"b_s": 2}},
                   "settings_version": 4})),
    Asked("an outlet's own windows", store.LOCK_OUTLET_WINDOWS, ("M01",),
          {"outlets": {**OUTLET, "windows": {"a_s": 1}}}, ({"outlets.id": "M02"},), (),
          {"windows": {"a_s": 1}}, locks=("outlets",)),
    Asked("an outlet's windows change", f"{store.SET_OUTLET_WINDOWS} RETURNING windows",
          ("M01", {"b": 3, "c": 4}, ["a"]), {"outlets": {**OUTLET, "windows": {"a": 1, "b": 2}}},
          ({"outlets.id": "M02"},), (), {"windows": {"b": 3, "c": 4}}),
    Asked("outlets with windows of their own", store.OUTLETS_WITH_WINDOWS, (),
          {"outlets": {**OUTLET, "windows": {"a": 1}, "id": "M02"},
           "outlets 2": {**OUTLET, "windows": {"a": 2}}}, (), (),
          [{"id": "M01", "windows": {"a": 2}}, {"id": "M02", "windows": {"a": 1}}],
          [({"outlets.windows": {}}, {"id": "M01"}),
           ({"outlets.decommissioned_at": NOW}, {"id": "M01"})]),
    Asked("kinds in service", store.KINDS_IN_SERVICE, (),
          {"outlets": {**OUTLET, "id": "M03"}, "outlets 2": {**OUTLET, "id": "M02"},
           "outlets 3": {**OUTLET, "kind": "coffee"}}, (), (),
          [{"kind": "coffee", "outlets": ["M01"]}, {"kind": "vending", "outlets": ["M02", "M03"]}],
          (({"outlets.decommissioned_at": NOW},
            [{"kind": "coffee"}, {"kind": "vending", "outlets": ["M02"]}]),)),
)  # fmt: skip

UNITS = (
    Asked("a unit is held behind its capture", store.LOCK_UNIT, (UNIT, CAPTURE, "queued"),
          {"captures": TAKEN, "fulfillments": GOODS, "outlets": {**OUTLET, "windows": {"a": 1}}},
          ({"fulfillments.id": OTHER}, {"fulfillments.state": "sent"}, SETTLED,
           {"outlets.id": "M02"}), (), {"id": UNIT, "windows": {"a": 1}},
          locks=("captures", "fulfillments")),
    Asked("a unit that costs nothing has no capture", store.LOCK_UNIT, (UNIT, None, "queued"),
          {"fulfillments": {**GOODS, "capture_id": None, "amount_minor": 0}, "outlets": OUTLET},
          ()),
    Asked("no other capture is held", store.LOCK_UNIT, (UNIT, CAPTURE, "queued"),
          {"captures": {**TAKEN, "id": OTHER}, "fulfillments": GOODS, "outlets": OUTLET}, (), (),
          {"held": False}, after="SELECT xmax <> '0' AS held FROM captures"),
    written(Asked("a unit waits", store.PUT_OFF_UNIT, (UNIT, "queued", LATER + MINUTE),
                  {"fulfillments": GOODS}, ({"fulfillments.state": "sent"}, SETTLED), (),
                  {"leased_until": None, "due_at": SOON},
                  (({"fulfillments.sent_at": NOW}, {"due_at": LATER}),
                   ({"$3": NOW}, {"due_at": NOW})))),
    written(Asked("a settled unit has nothing to do", store.NOTHING_DUE, (UNIT,),
                  {"fulfillments": {**GOODS, "settlement": "fulfilled", "basis": "handed_over"}},
                  ({"fulfillments.settlement": None, "fulfillments.basis": None},), (),
                  {"leased_until": None, "due_at": None})),
    Asked("an order's lines", store.ORDER_LINES, (ORDER,),
          numbered("order_lines", OF_IT, 2, 1), ({"$1": OTHER},), (),
          [{"id": UUID(int=1)}, {"id": UUID(int=2)}]),
    Asked("an order's units", store.ORDER_UNITS, (ORDER,),
          {**numbered("fulfillments", GOODS, 2, 1), "order_lines": OF_IT},
          ({"$1": OTHER}, {"order_lines.id": OTHER}), (),
          [{"id": UUID(int=1), "name": "a can"}, {"id": UUID(int=2)}]),
    Asked("an order's extras", store.ORDER_EXTRAS, (ORDER,),
          numbered("order_extras", TIP, 2, 1, kind=("tip", "delivery_fee")),
          ({"$1": OTHER},), (),
          [{"kind": "delivery_fee", "amount_minor": 200}, {"kind": "tip", "amount_minor": 200}]),
    Asked("an order's refunds", store.ORDER_REFUNDS, (ORDER,),
          {"captures": TAKEN, **numbered("refunds", BACK, 1, 3, 2, key="abc",
                                         created_at=(SOON, NOW, NOW))},
          ({"captures.order_id": OTHER}, {"captures.id": OTHER}), (),
          [{"id": UUID(int=2), "surplus": False}, {"id": UUID(int=3)}, {"id": UUID(int=1)}],
          (({"captures.reason": "second"}, [{"surplus": True}] * 3),)),
    Asked("all units of an order are held", store.LOCK_UNITS_LEFT, (ORDER,),
          {**numbered("fulfillments", GOODS, 22, 21), "order_refund_parts": {
              **A_PART, "fulfillment_id": UUID(int=22)}}, ({"$1": OTHER},), (),
          [{"id": UUID(int=21), "left_minor": 4000, "line_id": LINE, "settlement": None,
            "sent_at": None}, {"id": UUID(int=22), "left_minor": 3000}], locks=("fulfillments",)),
    Asked("units of an order", store.UNIT_RECORDS, (ORDER,),
          {**numbered("fulfillments", GOODS, 22, 21), "order_lines": OF_IT,
           "order_refund_parts": {**A_PART, "fulfillment_id": UUID(int=22)}},
          ({"$1": OTHER}, {"order_lines.id": OTHER}), (),
          [{"id": UUID(int=21), "name": "a can", "left_minor": 4000, "waiting_minor": 0},
           {"id": UUID(int=22), "left_minor": 3000, "waiting_minor": 1000}],
          (({"order_refund_parts.outcome": "taken", "order_refund_parts.ended_at": NOW},
            [{}, {"waiting_minor": 0, "left_minor": 3000}]),)),
    Asked("an order with its payment", store.ORDER_RECORD, (ORDER,),
          {"orders": PLACED, "captures": TAKEN}, ({"orders.id": OTHER},), (),
          {"id": ORDER, "gateway_payment_id": "pay_1"},
          [(change, {"gateway_payment_id": None}) for change in (
              {"captures": None}, {"captures.order_id": OTHER}, {"captures.reason": "second"})]),
)  # fmt: skip

FOUND = (
    Asked("an order by its payment's name", store.FIND_BY_REFERENCE, ("M01", "pay_1"),
          {"orders": PLACED, "captures": TAKEN,
           "orders 2": {**PLACED, "id": OTHER, "token": "new"}, "captures 2": {
               **TAKEN, "id": OTHER, "order_id": OTHER, "gateway_payment_id": "pay_2",
               "payer_reference": "pay_1", "captured_at": SOON}}, (), (), {"token": "new"},
          [(change, {"token": "tok"}) for change in (
              {"captures 2.captured_at": NOW - SECOND}, {"captures 2.payer_reference": "else"},
              {"orders 2.outlet_id": "M02"}, {"orders 2.id": THIRD})]
          + [({"captures.gateway_payment_id": "else", "captures 2.payer_reference": None}, []),
             ({"orders 2.outlet_id": "M02", "captures.gateway_payment_id": "else"}, [])]),
    Asked("orders by sum and minute", store.FIND_ORDERS, ("M01", 4000, [NOW]),
          numbered("orders", PLACED, *range(1, 7), token="abcdef",
                   paid_at=[NOW + n * MINUTE for n in (1.9, -1, 2, 0, 1, 0.5)]), (), (),
          [{"token": token} for token in "bdfea"],
          [({f"orders 0.{name}": value}, [{"token": token} for token in "bdfec"])
           for name, value in (("outlet_id", "M02"), ("amount_minor", 4001), ("paid_at", None))]
          + [({"orders 1.paid_at": NOW - MINUTE - MOMENT, "orders 2.paid_at": NOW + 2 * MINUTE
               + MOMENT}, [{"token": token} for token in "dfea"])]),
    Asked("the newest twenty", store.MATCHING_ORDERS, ("AB",),
          numbered("orders", PLACED, *range(1, 22), token=[f"t{n}" for n in range(21)]), (), (),
          [{"id": UUID(int=n)} for n in range(21, 1, -1)]),
    Asked("fifty around a minute", store.PAID_AROUND, (4000, "INR", [NOW]),
          {"outlets": OUTLET, **numbered(
              "orders", {**PLACED, "paid_at": NOW}, *range(1, 52),
              token=[f"t{n}" for n in range(51)], paid_at=[NOW + n * MOMENT for n in range(51)])},
          (), (), [{"id": UUID(int=n)} for n in range(51, 1, -1)]),
    Asked("an order by its token", store.FIND_ORDER, ("tok",), {"orders": PLACED},
          ({"orders.token": "else"},), (), {"id": ORDER, "number": "AB", "merchant_id": ASHA}),
    Asked("an order by its number", store.FIND_ORDER, ("ab",), {"orders": PLACED},
          ({"orders.number": "AC"},)),
    Asked("an order by its id", store.FIND_ORDER, (str(UUID(int=0xABC)).upper(),),
          {"orders": {**PLACED, "id": UUID(int=0xABC)}}, ({"orders.id": OTHER},)),
    Asked("the newest ten of a number", store.FIND_ORDER, ("AB",),
          numbered("orders", PLACED, *range(1, 12), token="abcdefghijk",
                   placed_at=[NOW + n * SECOND for n in (0, *range(10, 0, -1))]), (), (),
          [{"id": UUID(int=n)} for n in range(2, 12)],
          (({"orders 1.placed_at": NOW - SECOND, "orders 0.placed_at": LATER},
            [{"id": UUID(int=n)} for n in (1, *range(3, 12))]),)),
)  # fmt: skip

REFUNDED = (
    Asked("the account of an order", store.ACCOUNT_OF_ORDER, (ORDER,), {"captures": TAKEN},
          ({"captures.order_id": OTHER}, {"captures.reason": "second"}), (),
          {"account_id": ACCOUNT}),
    Asked("the capture of an order", store.CAPTURE_OF_ORDER, (ORDER,), {"captures": TAKEN},
          ({"captures.order_id": OTHER}, {"captures.reason": "second"}), (), {"id": CAPTURE}),
    Asked("a refund by its key", store.REFUND_BY_KEY, ("k1",), {"order_refunds": BY_HAND},
          ({"order_refunds.key": "k2"},)),
    Asked("what someone gave before", store.GIVEN_BY, (ORDER, "asha"),
          {"orders": PLACED, "order_refunds": BY_HAND, "order_refund_parts": A_PART},
          ({"orders.id": OTHER},),
          ({"order_refund_parts.outcome": "taken", "order_refund_parts.ended_at": NOW},),
          {"currency": "INR", "given": 1000},
          [(change, {"given": 0}) for change in (
              {"order_refunds.made_by": "boris"}, {"order_refunds.order_id": OTHER},
              {"order_refunds.id": OTHER},
              {"order_refund_parts.outcome": "went_back", "order_refund_parts.ended_at": NOW})]),
    Asked("a person's refund is made", store.MAKE_ORDER_REFUND,
          (REFUND, ORDER, "k", {"a": 1}, "asha", "it fell", NOW), {"orders": PLACED},
          ({"orders.id": OTHER},), (), {"id": REFUND}),
    Asked("a person's refund is kept", store.MAKE_ORDER_REFUND,
          (REFUND, ORDER, "k", {"a": 1}, "asha", "it fell", NOW), {"orders": PLACED}, (), (),
          {"merchant_id": ASHA, "order_id": ORDER, "key": "k", "asked": {"a": 1},
           "made_by": "asha", "reason": "it fell", "made_at": NOW},
          after="SELECT * FROM order_refunds"),
    Asked("a part of a refund is made", store.MAKE_REFUND_PART,
          (PART, REFUND, CAPTURE, UNIT, None, 1000, "taken", NOW),
          {"order_refunds": {**BY_HAND, "merchant_id": ASHA}}, ({"order_refunds.id": OTHER},), (),
          {"id": PART}),
    Asked("a part of a refund is kept", store.MAKE_REFUND_PART,
          (PART, REFUND, CAPTURE, None, EXTRA, 1000, "taken", NOW),
          {"order_refunds": {**BY_HAND, "merchant_id": ASHA}}, (), (),
          {"merchant_id": ASHA, "order_refund_id": REFUND, "capture_id": CAPTURE,
           "fulfillment_id": None, "extra_id": EXTRA, "amount_minor": 1000, "outcome": "taken",
           "ended_at": NOW}, after="SELECT * FROM order_refund_parts"),
    Asked("what is left of extras", store.EXTRAS_LEFT, (ORDER,),
          {**numbered("order_extras", TIP, 2, 1, kind=("tip", "delivery_fee")),
           "order_refund_parts": {**A_PART, "fulfillment_id": None, "extra_id": UUID(int=2),
                                  "amount_minor": 50}}, ({"$1": OTHER},), (),
          [{"id": UUID(int=1), "kind": "delivery_fee", "amount_minor": 200, "settlement": None,
            "basis": None, "left_minor": 200}, {"id": UUID(int=2), "left_minor": 150}]),
    Asked("why a unit was withdrawn", f"{store.SAY_WHY_WITHDRAWN} RETURNING *", (UNIT, "it fell"),
          {"refunds": {**BACK, "fulfillment_id": UNIT}}, ({"refunds.fulfillment_id": OTHER},), (),
          {"asked_reason": "it fell"}),
    Asked("refunds of an order by persons", store.REFUNDS_OF_ORDER, (ORDER,),
          {"orders": PLACED, "orders 2": {**PLACED, "id": OTHER, "token": "else"},
           **numbered("order_refunds", BY_HAND, 1, 3, 2, key="abc",
                                        made_at=(SOON, NOW, NOW))},
          ({"orders.id": ANOTHER},), (),
          [{"id": UUID(int=2), "currency": "INR"}, {"id": UUID(int=3)}, {"id": UUID(int=1)}],
          (({"order_refunds 0.order_id": OTHER}, [{"id": UUID(int=2)}, {"id": UUID(int=3)}]),)),
    Asked("what became of parts", store.PARTS_OF_ORDER, (ORDER,),
          {"order_refund_parts": {**A_PART, "outcome": "taken", "ended_at": NOW},
           "order_refund_parts 2": {**A_PART, "id": UUID(int=1), "fulfillment_id": None,
                                    "extra_id": EXTRA},
           "order_refunds": BY_HAND, "fulfillments": GOODS, "order_lines": OF_IT,
           "order_extras": TIP, "refunds": {**BACK, "part_id": PART, "fulfillment_id": None},
           "refunds 2": {**BACK, "id": OTHER, "state": "owed", "key": "k2",
                         "created_at": NOW + SECOND, "part_id": THIRD}},
          ({"order_refunds.id": OTHER}, {"$1": OTHER}), (),
          [{"id": UUID(int=1), "name": None, "kind": "tip", "money": "waiting"},
           {"id": PART, "name": "a can", "kind": None, "money": "pending"}],
          [({"refunds.state": "canceled", "refunds 2.part_id": PART}, [{}, {"money": "owed"}]),
           ({"refunds.state": "canceled", "refunds 2.part_id": PART, "refunds 2.created_at":
             NOW - SECOND}, [{}, {"money": "canceled"}]),
           *((change, [{}, {"money": "covered"}]) for change in (
               {"refunds.origin": "gateway"}, {"refunds.state": "failed"},
               {"refunds.part_id": OTHER}, {"refunds.part_id": OTHER,
                                            "refunds.fulfillment_id": UNIT})),
           ({"order_refund_parts.outcome": "withdrawn", "refunds.part_id": OTHER,
             "refunds.fulfillment_id": UNIT}, [{}, {"money": "pending"}]),
           ({"order_refund_parts.outcome": "withdrawn", "refunds.part_id": OTHER,
             "refunds.fulfillment_id": OTHER}, [{}, {"money": "covered"}]),
           *((change, [{}, {"name": None}]) for change in (
               {"fulfillments": None}, {"order_lines": None}, {"fulfillments.id": OTHER},
               {"order_lines.id": OTHER})),
           ({"order_extras.id": OTHER}, [{"kind": None}, {}])]),
)  # fmt: skip


@pytest.mark.parametrize("asked", [PAGES, SHOWN, SELLING, UNITS, FOUND, REFUNDED])
async def test_each_statement_of_orders_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
