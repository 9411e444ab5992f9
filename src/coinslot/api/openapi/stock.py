"""What each call of stock, routes, templates and the table of slots needs, and its examples and
words; those of one machine stand with the other calls of machines."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

NEEDS: Mapping[str, str] = {
    "listNearMachines": "machines:read",
    "listTemplates": "machines:read",
    "makeTemplate": "machines:write",
    "applyTemplate": "machines:write",
    "readSlotTable": "machines:read",
    "previewSlotTable": "machines:write",
    "applySlotTable": "machines:write",
    "readPickList": "machines:read",
    "listRoutes": "machines:read",
    "writeRoute": "machines:write",
    "deleteRoute": "machines:write",
}

_AT = "2026-11-21T12:00:00Z"
_TABLE = "machine,slot,sku,product,price,par,capacity\r\nM01,A1,cola,Masala cola,45.00,20,24\r\n"
_ROUTE: Json = {"name": "North", "machines": ["M01", "M02"]}
_VISITED: Json = {
    "slot": "A1", "expected": 5, "before": 4, "after": 20, "expires_on": "2027-01-31",
}  # fmt: skip
SENT: Mapping[str, Mapping[str, Json]] = {
    "previewSlotTable": {
        "prices of two machines": {"table": "machine,slot,price\nM01,A1,45\nM02,A1,45\n"},
    },
    "applySlotTable": {
        "as it was shown": {
            "table": "machine,slot,price\nM01,A1,45\nM02,A1,45\n",
            "versions": {"M01": 3, "M02": 7},
        },
    },
    "refillMachine": {
        "counted before and after": {
            "slots": [
                {"slot": "A1", "before": 4, "after": 20, "expires_on": "2027-01-31", "capacity": 24}
            ],
            "note": "The door squeaks.",
        },
        "filled up": {"slots": [{"slot": "A1", "after": 20}]},
    },
    "writeRoute": {"in this order": {"machines": ["M01", "M02"]}},
}
ANSWERED: Mapping[str, Mapping[str, Json]] = {
    "readMachineStock": {
        "one slot": {
            "code": "M01", "name": "Platform 1", "place": "Pune Junction",
            "slots": [{
                "slot": "A1", "sku": "cola", "product": "Masala cola", "stock": 12, "promised": 1,
                "par": 20, "capacity": 24, "counted_at": _AT, "counted_by_machine": True,
                "out_of_sale_at": None, "sold_a_day": 3.2, "empty_on": "2026-11-24",
                "lots": [{"pieces": 12, "expires_on": "2027-01-31"}],
            }],
            "differences": [
                {"slot": "A1", "cause": "visit", "expected": 5, "counted": 4, "at": _AT}
            ],
        },
    },
    "refillMachine": {
        "as it is kept": {
            "id": "0193d3a4-1c00-7000-8000-00000000b003", "at": _AT, "made_by": "boris",
            "note": "The door squeaks.", "slots": [_VISITED],
        },
    },
    "readPickList": {
        "for Thursday": {
            "route": "North", "on": "2026-11-26",
            "stops": [{
                "code": "M01", "name": "Platform 1", "place": "Pune Junction",
                "lines": [{
                    "slot": "A1", "sku": "cola", "product": "Masala cola", "left": 11, "par": 20,
                    "will_sell": 9.6, "bring": 19,
                }],
            }],
            "products": [{"sku": "cola", "product": "Masala cola", "bring": 19}],
        },
    },
    "readSlotTable": {"one slot": {"table": _TABLE, "versions": {"M01": 3}}},
    "previewSlotTable": {
        "one of two": {
            "machines": [
                {
                    "machine": "M01", "name": "Platform 1", "version": 3, "problem": "",
                    "changes": [{
                        "slot": "A1", "what": "price",
                        "before": {"amount": 4000, "currency": "INR"},
                        "after": {"amount": 4500, "currency": "INR"},
                    }],
                    "printed_codes": [],
                },
                {"machine": "M02", "name": "", "version": None, "changes": [],
                 "printed_codes": [], "problem": "There is no slot A1."},
            ],
        },
    },
    "applySlotTable": {"two machines": {"changed": 2, "replaced": False}},
    "listRoutes": {"one": {"routes": [_ROUTE]}},
    "writeRoute": {"as it is now": _ROUTE},
}  # fmt: skip
WRONG: Mapping[str, str] = {
    "409 applySlotTable": "Printed codes are in the way, a machine is out of service, or the call"
    " still runs.",
    "412 applySlotTable": "Somebody changed a machine after you read the table: see `details`.",
}

_BRING = "How many to bring, so that it is full to its par level on that day."
_SLOT: Mapping[str, str] = {"slot": "Of the machine."}
_GOODS: Mapping[str, str] = {"sku": "Of the product.", "product": "Its name."}
_LINE: Mapping[str, str] = {
    **_SLOT, "before": "What lay there before; null: nobody counted.",
    "after": "What lies there now.", "expires_on": "Until when what was added is good.",
}  # fmt: skip
_OF_MACHINE = {"code": "Of the machine.", "name": "As customers read it.", "place": "Where it is."}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "MachineStock": {
        **_OF_MACHINE, "slots": "Each as it is now.",
        "differences": "Counts of late that vends do not explain, the newest first.",
    },
    "SlotStock": {
        **_SLOT, **_GOODS, "stock": "What lies there.",
        "promised": "Of that, what is paid and not settled.", "par": "How many it is filled up to.",
        "capacity": "How many fit; null: nobody said.", "counted_at": "When it was last counted.",
        "counted_by_machine": "Whether the machine counted, and no person.",
        "out_of_sale_at": "Since when it is not sold.",
        "sold_a_day": "On average; null before a day is over.",
        "empty_on": "The day at whose end it is more likely empty than not; null: not soon.",
        "lots": "What was put in together, the oldest first: it is sold first.",
    },
    "Lot": {"pieces": "That are left.", "expires_on": "Until when they are good."},
    "Difference": {
        **_SLOT, "cause": "`count` or `boot` of the machine, or `visit` of a person.",
        "expected": "What vends say.", "counted": "What lay there.", "at": "When it was counted.",
    },
    "NewVisit": {"slots": "What was counted; the others stay as they are.", "note": "Your words."},
    "VisitLine": {**_LINE, "capacity": "How many fit; left out, it stays as it was."},
    "VisitedSlot": {**_LINE, "expected": "What lay there by the vends."},
    "Visit": {
        "id": "Of the visit.", "at": "When it was recorded.", "made_by": "Who recorded it.",
        "note": "Their words.", "slots": "What was counted.",
    },
    "PickList": {
        "route": "Its name; null: every machine.", "on": "The day of the visit.",
        "stops": "In the order of the route.", "products": "What to pack in all.",
    },
    "PickStop": {**_OF_MACHINE, "lines": "Each of its slots."},
    "PickLine": {
        **_SLOT, **_GOODS, "left": "What it can sell now.", "par": "How many it is filled up to.",
        "will_sell": "Until the visit, on average; null: not known yet.", "bring": _BRING,
    },
    "PickSum": {**_GOODS, "bring": "For all machines together."},
    "WantedRoute": {"machines": "Codes, in the order of the way."},
    "Route": {"name": "Of the route.", "machines": "Codes, in the order of the way."},
    "SlotTable": {
        "table": "As CSV: machine, slot, sku, product, price, par, capacity.",
        "versions": "Of each machine's configuration, as it is in the table.",
    },
    "WantedTable": {
        "table": "As CSV. A cell that is empty, and a column that is left out, change nothing.",
    },
    "ShownTable": {
        "table": "As it was previewed.",
        "versions": "Of each machine in it, as they were shown: one that has another is refused.",
    },
    "TablePlan": {"machines": "Each that the table names, by code."},
    "PlannedMachine": {
        "machine": "Its code.", "name": "As customers read it.",
        "version": "That these changes are of; null: it cannot be changed.",
        "changes": "None: it is so already.",
        "printed_codes": "Of slots whose printed code would not be true any more, with what"
        " `codes=replace` does.",
        "problem": "Why it cannot be changed.",
    },
    "PlannedChange": {
        **_SLOT, "what": "`sku`, `price`, `par`, `capacity`, or `stock`: another product lies"
        " there, so nothing is known to.",
        "before": "Null: it had none.", "after": "As it would be.",
    },
    "Applied": {
        "changed": "Machines that got a new version.",
        "replaced": "Whether printed codes were replaced.",
    },
    "RouteList": {"routes": "By name."},
}  # fmt: skip
