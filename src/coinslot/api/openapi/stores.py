"""What each call of counters needs, and its examples and words; `described` puts them in."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

NEEDS: Mapping[str, str] = {
    "listStaffOrders": "board:read",
    "moveStaffOrder": "board:write",
    "completeStaffOrder": "board:write",
}
OPEN = ("readMenu", "createCheckoutSession")  # customers have no sign-in

_ITEM = "0193d3a4-1c00-7000-8000-00000000d001"
_AT, _UNTIL = "2026-11-21T12:06:00+00:00", "2026-11-21T14:06:00+00:00"
_PAID = "2026-11-21T12:00:00+00:00"
_MENU: Json = {
    "store": {
        "slug": "corner", "name": "Corner café", "currency": "EUR", "isOpen": True,
        "taxIncluded": True, "tipPercents": [10, 15, 20], "opensAt": None, "pickupTimes": [],
        "consentVersion": "2026-11",
    },
    "items": [{
        "id": _ITEM, "name": "Latte", "description": "", "section": "Drinks", "priceCents": 350,
        "isAvailable": True, "sortOrder": 1, "allergens": ["milk"], "imageUrl": None,
        "options": [{
            "id": "milk", "name": "Milk", "min": 0, "max": 1, "free": 0,
            "choices": [
                {"id": "oat", "name": "Oat", "priceCents": 50, "isAvailable": True,
                 "allergens": []},
            ],
        }],
    }],
}  # fmt: skip
_ORDER: Json = {
    "id": "0193d3a4-1c00-7000-8000-00000000d002", "orderNumber": "KQZT", "store": "corner",
    "status": "READY", "paymentStatus": "PAID", "customerName": "Maria", "table": "",
    "deliverTo": "", "wantedAt": None, "totalCents": 880, "currency": "EUR", "paidAt": _PAID,
    "statusSince": _AT, "refundsAt": _UNTIL, "codeLocked": False,
    "items": [{
        "menuItemId": _ITEM, "name": "Latte", "choices": ["Oat"], "notes": "very hot",
        "quantity": 2, "priceCents": 400,
    }],
}  # fmt: skip

SENT: Mapping[str, Mapping[str, Json]] = {
    "createCheckoutSession": {
        "to be picked up": {
            "storeSlug": "corner", "totalCents": 880, "tipCents": 80, "customerName": "Maria",
            "items": [{"menuItemId": _ITEM, "quantity": 2, "choices": ["oat"],
                       "notes": "very hot"}],
        },
        "to be delivered": {
            "storeSlug": "corner", "items": [{"menuItemId": _ITEM}],
            "deliverTo": {"address": "1 Mill Road", "latitude": 48.137, "longitude": 11.575},
        },
    },
    "moveStaffOrder": {
        "one step on": {"status": "READY"},
        "not possible": {"status": "CANCELLED", "reason": "We have no more milk."},
    },
    "completeStaffOrder": {"what the customer shows": {"code": "123456"}},
}  # fmt: skip
ANSWERED: Mapping[str, Mapping[str, Json]] = {
    "readMenu": {"one item": _MENU},
    "createCheckoutSession": {
        "to be paid": {
            "orderNumber": "KQZT", "totalCents": 880, "currency": "EUR",
            "paymentStatus": "PENDING", "orderUrl": "https://pay.example/o/3q2-7w",
            "url": "https://checkout.example/c/pay",
        },
    },
    "listStaffOrders": {"one that is ready": {"orders": [_ORDER]}},
    "moveStaffOrder": {"ready": _ORDER},
    "completeStaffOrder": {"handed over": _ORDER | {"status": "COMPLETED", "refundsAt": None}},
}  # fmt: skip
CALLS: Mapping[str, tuple[str, str]] = {
    "readMenu": ("Read a counter's menu", "The store, and what it offers now."),
    "createCheckoutSession": (
        "Place an order at a counter", "The order, and where its customer pays.",
    ),
    "listStaffOrders": ("List the orders of the board", "Orders, oldest first."),
    "moveStaffOrder": ("Move an order on or back", "The order as it is now."),
    "completeStaffOrder": ("Hand an order over by its code", "The order, handed over."),
}  # fmt: skip
WRONG: Mapping[str, str] = {
    "404 readMenu": "No store has this address.",
    "404 createCheckoutSession": "No store has this address.",
    "409 createCheckoutSession": "It costs something else now, is sold out, or the store takes "
    "no orders then.",
    "429 createCheckoutSession": "Too many orders at once, or too many that are not paid.",
    "409 moveStaffOrder": "The order does not stand where this leads on from.",
    "409 completeStaffOrder": "The order is over, or its code is locked.",
    "410 completeStaffOrder": "The code is too old: set the order to READY again.",
    "429 completeStaffOrder": "Too many wrong codes at this counter within an hour.",
}

_CENTS = "In minor units: 350 with EUR is 3.50."
_SENT_AS = "As the customer typed it."
FIELDS: Mapping[str, Mapping[str, str]] = {
    "MenuStatement": {"store": "The counter.", "items": "In the merchant's order."},
    "StoreStatement": {
        "slug": "Its name in addresses.", "name": "As customers know it.",
        "currency": "ISO 4217.", "isOpen": "Whether it takes orders for now.",
        "taxIncluded": "Whether the prices have the tax in them.",
        "tipPercents": "What it suggests.", "opensAt": "When it opens next, while it is closed.",
        "pickupTimes": "Times that orders for later can have.",
        "consentVersion": "Of the text that whoever leaves a phone or an e-mail agrees to.",
    },
    "MenuItemStatement": {
        "id": "For `menuItemId`.", "name": "Of the item.", "description": "Of the item.",
        "section": "Of the menu.", "priceCents": _CENTS,
        "isAvailable": "Whether it can be ordered now.", "sortOrder": "Its place.",
        "allergens": "What is in it.", "imageUrl": "Of its picture, on this server.",
        "options": "What may be chosen for it.",
    },
    "MenuOption": {
        "id": "Of the option.", "name": "Of the option.", "min": "So many have to be chosen.",
        "max": "So many may be chosen.", "free": "So many of the cheapest cost nothing.",
        "choices": "To choose from.",
    },
    "MenuChoice": {
        "id": "For `choices`.", "name": "Of the choice.", "priceCents": _CENTS,
        "isAvailable": "Whether it can be chosen now.", "allergens": "What it adds.",
    },
    "WantedSession": {
        "storeSlug": "Of the counter.", "items": "What is ordered.",
        "totalCents": "What the customer was shown; left out, nothing is compared.",
        "tipCents": "For the team.", "customerName": "It is called out when it is ready.",
        "pickupAt": "One of `pickupTimes`; left out: as soon as it can be.",
        "table": "Where it is brought to.", "customerPhone": "By E.164.",
        "customerEmail": "For a receipt and notices.",
        "consentVersion": "Of the text that the customer agreed to.",
        "couponCode": "It takes something off.",
        "deliverTo": "Left out: it is picked up.",
    },
    "WantedItem": {
        "menuItemId": "Of the menu.", "quantity": "Pieces.", "choices": "Ids of choices.",
        "notes": "For the kitchen.",
    },
    "WantedDelivery": {
        "address": "As whoever brings it reads it.", "latitude": "In degrees.",
        "longitude": "In degrees.",
    },
    "SessionStatement": {
        "orderNumber": "As its customer reads it out.", "totalCents": _CENTS,
        "currency": "ISO 4217.", "paymentStatus": "What is known of its money.",
        "orderUrl": "The order's page, for its whole life.",
        "url": "Where the customer goes now: the gateway's page, or the order's.",
    },
    "NewStatus": {
        "status": "`COMPLETED` is refused: that takes the customer's code.",
        "reason": "Of `CANCELLED`: its customer reads it.",
    },
    "PickupCode": {"code": "Six digits, as the customer shows them."},
    "StaffOrderList": {"orders": "Oldest first."},
    "StaffOrderStatement": {
        "id": "Of the order.", "orderNumber": "As its customer reads it out.",
        "store": "The counter's slug.", "status": "Where it stands.",
        "paymentStatus": "The board has only what is paid.", "customerName": _SENT_AS,
        "table": "Where it is brought to.", "deliverTo": "The address that it is brought to.",
        "wantedAt": "The time that was chosen; null: as soon as it can be.",
        "totalCents": _CENTS, "currency": "ISO 4217.", "paidAt": "When it was paid.",
        "statusSince": "When it got this status.",
        "refundsAt": "When its money goes back by itself; null: it is over.",
        "codeLocked": "Five wrong codes: somebody has to vouch for it.",
        "items": "What was ordered.",
    },
    "StaffOrderLine": {
        "menuItemId": "Of the menu.", "name": "As it was ordered.", "choices": "By their names.",
        "notes": _SENT_AS, "quantity": "Pieces that are still wanted.", "priceCents": _CENTS,
    },
}  # fmt: skip
_STATUSES = ("PLACED", "PREPARING", "READY", "COMPLETED", "CANCELLED")
VALUES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("SessionStatement", "paymentStatus"): ("PENDING", "PAID"),
    ("StaffOrderStatement", "status"): _STATUSES,
    ("StaffOrderStatement", "paymentStatus"): ("PAID",),
}
