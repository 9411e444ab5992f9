"""What each call of orders needs, and its examples and words; `described` puts them in."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_READ = ("orders:read",)
NEEDS: Mapping[str, tuple[str, ...]] = {
    "listOrders": _READ,
    "readOrder": _READ,
    "listOrderRefunds": _READ,
    "refundOrder": ("orders:read", "refunds:write"),
}

_AT = "2026-11-21T12:00:00Z"
_ORDER = "0193d3a4-1c00-7000-8000-00000000b002"
_UNIT = "0193d3a4-1c00-7000-8000-00000000b001"
_LINE = "0193d3a4-1c00-7000-8000-00000000b003"
_REFUND: Json = {
    "id": "0193d3a4-1c00-7000-8000-00000000b004", "order": _ORDER, "amount": 4000,
    "currency": "INR", "reason": "it was warm", "by": "asha", "created_at": _AT,
    "parts": [{"unit": _UNIT, "name": "Masala cola", "amount": 4000, "outcome": "taken",
               "money": "pending"}],
}  # fmt: skip
_STATED: Json = {
    "id": _ORDER, "number": "K7QM", "outlet": "M01", "status": "completed", "amount": 4000,
    "currency": "INR", "amount_left": 4000, "gateway_payment_id": "pay_Pk3", "placed_at": _AT,
    "paid_at": _AT, "ended_at": _AT, "extras": [], "refunds": [],
    "units": [{"id": _UNIT, "line": _LINE, "name": "Masala cola", "amount": 4000,
               "status": "vended", "settlement": "fulfilled", "amount_left": 4000,
               "amount_waiting": 0}],
}  # fmt: skip
_LISTED: Json = {
    "id": _ORDER, "number": "K7QM", "outlet": "M01", "state": "completed",
    "money": {"amount": 4000, "currency": "INR"}, "items": "Masala cola", "placed_at": _AT,
    "paid_at": _AT,
}  # fmt: skip

SENT: Mapping[str, Mapping[str, Json]] = {
    "refundOrder": {
        "all that is left": {"reason": "it was warm"},
        "one unit": {"reason": "it was warm", "units": [_UNIT]},
        "a part of a line": {"reason": "half was spilt", "lines": [_LINE], "amount": 1500},
    },
}
ANSWERED: Mapping[str, Mapping[str, Json]] = {
    "listOrders": {"a page": {"data": [_LISTED], "next": None}},
    "readOrder": {"handed over": _STATED},
    "listOrderRefunds": {"one, on its way": {"data": [_REFUND]}},
    "refundOrder": {"on its way": _REFUND},
}
CALLS: Mapping[str, tuple[str, str]] = {
    "listOrders": ("List or find orders", "A page of orders, newest first."),
    "readOrder": ("Read an order", "The order with its units."),
    "listOrderRefunds": ("List an order's refunds", "All that was given back, oldest first."),
    "refundOrder": ("Refund an order", "The refund, on its way or waiting for a machine."),
}
WRONG: Mapping[str, str] = {"403 refundOrder": "The scope is missing, or it is above the limit."}

_MONEY = "In minor units: 4000 with INR is forty rupees."
_LEFT = "What of it can still be given back."
_SETTLED = "`fulfilled`: handed over; `refund_due`: its money went back; null: not settled yet."
FIELDS: Mapping[str, Mapping[str, str]] = {
    "NewOrderRefund": {
        "reason": "Kept with the refund, for whoever looks at the order.",
        "units": "Of the order. Without units, lines and extras it is of the whole order.",
        "lines": "All units of each that have anything left.", "extras": "By their kinds.",
        "amount": f"{_MONEY} Left out, all that is left of what is named. An amount withdraws "
        "nothing that was not sent yet.",
    },
    "OrderPage": {"data": "Orders, newest first.", "next": "The next `after`, or null."},
    "OrderLine": {
        "id": "Of the order.", "number": "As its customer reads it out.", "outlet": "Its machine.",
        "state": "Of the order.", "money": "Of the whole order.", "items": "What was bought.",
        "placed_at": "When it was placed.", "paid_at": "When it was paid.",
    },
    "OrderStatement": {
        "id": "Of the order.", "number": "As its customer reads it out.", "outlet": "Its machine.",
        "status": "`failed`: nothing was handed over.", "amount": _MONEY, "currency": "ISO 4217.",
        "amount_left": _LEFT, "gateway_payment_id": "The gateway's id of its money.",
        "placed_at": "When it was placed.", "paid_at": "When it was paid.",
        "ended_at": "When its last unit was settled.", "units": "Each thing that was bought.",
        "extras": "Tip, delivery fee, added tax.",
        "refunds": "What people and programs gave back, oldest first.",
    },
    "UnitStatement": {
        "id": "Of the unit.", "line": "That it is of.", "name": "Of the product.",
        "amount": _MONEY, "status": "Of the unit.", "settlement": _SETTLED, "amount_left": _LEFT,
        "amount_waiting": "Asked for, and waits until the unit is settled.",
    },
    "ExtraStatement": {
        "kind": "Which extra.", "amount": _MONEY, "settlement": _SETTLED, "amount_left": _LEFT,
    },
    "OrderRefundList": {"data": "Oldest first."},
    "OrderRefundStatement": {
        "id": "Of the refund.", "order": "That it is of.", "amount": _MONEY,
        "currency": "ISO 4217.", "reason": "As it was given.", "by": "A login, or the API key.",
        "created_at": "When it was asked for.", "parts": "Of which units and extras.",
    },
    "PartStatement": {
        "unit": "Null: it is of the extra that `name` names.", "name": "Of the product.",
        "amount": _MONEY,
        "outcome": "`waiting` for the machine; `withdrawn`: never sent; `taken` from what it had "
        "earned; `went_back` without this.",
        "money": "`waiting`, `pending`, `succeeded`, `owed`; `covered`: the gateway had given it "
        "back by itself.",
    },
}  # fmt: skip
