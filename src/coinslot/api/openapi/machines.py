"""What each call of machines needs, and its examples and words; `described` puts them in."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

NEEDS: Mapping[str, str] = {
    "onboardMachine": "machines:write",
    "readMachineConfig": "machines:read",
    "writeMachineConfig": "machines:write",
    "readMachineStatus": "machines:read",
    "provisionDevice": "devices:write",
    "decommissionMachine": "machines:write",
    "readMachineStock": "machines:read",
    "readMachineHealth": "machines:read",
    "readMachineLogs": "machines:read",
    "unlockMachine": "machines:write",
    "readMachineCounts": "machines:read",
    "compareMachineCounts": "machines:write",
    "refillMachine": "machines:write",
}

FRESH = frozenset(("provisionDevice",))  # of someone signed in: a secret is given out

_AT = "2026-11-21T12:00:00Z"
_PRICE: Json = {"amount": 4000, "currency": "INR"}
_SLOT: Json = {"slot": "A1", "sku": "cola", "price": _PRICE, "par": 20}
_CONFIG: Json = {
    "code": "M01", "version": 3, "name": "Platform 1", "place": "Pune Junction",
    "contact": "+91 20 5550 1234", "zone": "Asia/Kolkata", "currency": "INR", "slots": [_SLOT],
    "device": {"drop_sensor_ms": 800}, "device_version": 2, "applied_version": 3,
    "decommissioned_at": None,
}  # fmt: skip
_TEMPLATE: Json = {
    "name": "platform",
    "shipped": False,
    "template": {
        "channel": "mqtt",
        "dialect": "leased",
        "slots": [_SLOT],
        "device": {"drop_sensor_ms": 800},
    },
}
_ENROLMENT: Json = {
    "machine": "M01", "login": "M01", "secret": "5f2c" * 16, "key_id": "2", "dialect": "leased",
    "broker": "mqtts://broker.example:8883", "ca": "MIIBszCCAVmgAwIBAgIU", "ca_sha256": None,
    "server": None, "firmware_key": None, "replaces": 1,
}  # fmt: skip
_MACHINE: Json = {
    "code": "M01", "name": "Platform 1", "place": "Pune Junction", "kind": "vending",
    "channel": "mqtt", "dialect": "leased", "currency": "INR", "state": "online",
    "last_heard_at": _AT, "slots": 1, "sold_out": 0, "out_of_sale": 0, "stock": 12, "par": 20,
    "open_units": 0,
}  # fmt: skip
_SLOT_NOW: Json = {
    **_SLOT, "product": "Masala cola", "stock": 12, "promised": 0, "failures_in_row": 0,
    "out_of_sale_at": None, "withheld": False, "withheld_whole": False,
    "code": {"takes": _PRICE, "stage": "open", "qr_code_id": "qr_Pk3"},
}  # fmt: skip
_FAULT: Json = {
    "unit": "0193d3a4-1c00-7000-8000-00000000b001",
    "order": "0193d3a4-1c00-7000-8000-00000000b002", "slot": "A1", "product": "Masala cola",
    "state": "failed", "basis": "no_drop", "failure_code": "JAM", "money": _PRICE,
    "queued_at": _AT, "settled_at": _AT,
}  # fmt: skip

SENT: Mapping[str, Mapping[str, Json]] = {
    "onboardMachine": {
        "from a template": {
            "code": "M01", "name": "Platform 1", "place": "Pune Junction", "zone": "Asia/Kolkata",
            "template": "platform",
        },
        "with a new product": {
            "code": "M02", "name": "Platform 2",
            "slots": [{"slot": "A1", "sku": "cola", "product": "Masala cola", "price": _PRICE,
                       "par": 20, "stock": 12}],
        },
    },
    "writeMachineConfig": {
        "all of it": {
            "name": "Platform 1", "place": "Pune Junction", "contact": "+91 20 5550 1234",
            "zone": "Asia/Kolkata", "slots": [_SLOT], "device": {"drop_sensor_ms": 800},
        },
    },
    "makeTemplate": {"from a machine": {"machine": "M01"}},
    "applyTemplate": {"to two machines": {"machines": ["M01", "M02"]}},
    "provisionDevice": {
        "when the new one is used": {}, "it was stolen": {"at_once": True},
    },
}  # fmt: skip

ANSWERED: Mapping[str, Mapping[str, Json]] = {
    "onboardMachine": {
        "the first answer": {"machine": _CONFIG, "enrolment": _ENROLMENT},
        "sent again with its key": {"machine": _CONFIG, "enrolment": None},
    },
    "listNearMachines": {
        "one": {"machines": [{"code": "M01", "name": "Platform 1", "place": "Pune Junction",
                              "lat": 18.53, "lng": 73.87, "metres": 420}]},
    },
    "listTemplates": {"one": {"templates": [_TEMPLATE]}},
    "makeTemplate": {"as it is kept": _TEMPLATE},
    "applyTemplate": {
        "one of two": {"machines": [
            {"machine": "M01", "version": 4, "problem": ""},
            {"machine": "M02", "version": None, "problem": "no machine has the code M02"},
        ]},
    },
    "readMachineConfig": {"version 3": _CONFIG},
    "writeMachineConfig": {"the next version": _CONFIG | {"version": 4}},
    "readMachineStatus": {
        "it can sell": {
            "machine": _MACHINE, "config_version": 3, "applied_version": 3, "device_version": 3,
            "firmware": "1.4.2", "journal_id": "j1",
            "boot_id": "b7", "has_sensor": True, "guarantee": "G3",
            "slots": [_SLOT_NOW], "faults": [_FAULT],
            "windows": {"dispatch_s": 60.0},
        },
    },
    "provisionDevice": {
        "shown once": {
            "enrolment": _ENROLMENT, "file": '{"machine": "M01"}', "qr_svg": "<svg></svg>",
        },
    },
}  # fmt: skip

WRONG: Mapping[str, str] = {
    "409 onboardMachine": "There is a machine with this code, or the call still runs.",
    "409 writeMachineConfig": "Printed codes are in the way, or it is out of service.",
    "409 provisionDevice": "It is out of service, or a customer waits for it.",
    "409 decommissionMachine": "A customer waits for it: see `details`.",
    "412": "Somebody changed it after you read it: read it again.",
    "428": "If-Match is missing.",
}

_NAME, _PLACE = "As customers read it.", "Where it stands."
_CONTACT, _ZONE = "Whom its customers turn to.", "IANA's name; null: its merchant's."
_DEVICE = "For the device, as you give it; at most 8 KiB."
_SLOT_WORDS = {
    "slot": "Of the machine.", "sku": "The product in it.", "price": "What it costs.",
    "par": "How many it is filled up to.",
}  # fmt: skip
FIELDS: Mapping[str, Mapping[str, str]] = {
    "Money": {"amount": "In minor units.", "currency": "ISO 4217."},
    "NewMachine": {
        "code": "One in the installation: login, topic, address of its page.", "name": _NAME,
        "place": _PLACE, "contact": _CONTACT, "zone": _ZONE,
        "template": "One of yours, or a shipped one. What you leave out is the template's.",
        "channel": "`mqtt` or `socketio`.", "dialect": "`leased`, or `simple` on Socket.IO.",
        "currency": "Of all its prices; left out, the first price's.",
        "account": "gateway/name; left out, your first that prints codes in the currency.",
        "slots": "Those of the template that you name get what you say here.", "device": _DEVICE,
    },
    "NearMachine": {
        "code": "Of the machine.", "name": _NAME, "place": _PLACE, "lat": "In degrees.",
        "lng": "In degrees.", "metres": "As the crow flies.",
    },
    "NearList": {"machines": "The nearest first."},
    "TemplateSlot": {
        **_SLOT_WORDS, "sku": "The product in it; null: of the machine.",
        "price": "Null: the machine's own, or the product's.",
        "par": "How many it is filled up to; null: the machine's own stays.",
    },
    "Template": {
        "channel": "`mqtt` or `socketio`.", "dialect": "`leased` or `simple`.",
        "slots": "Those that a machine gets.", "device": _DEVICE,
        "windows": "Windows of time that a machine gets as its own, in seconds; its others stay.",
    },
    "NamedTemplate": {
        "name": "By which it is called.", "shipped": "It comes with Coinslot.",
        "template": "What a machine gets.",
    },
    "TemplateList": {"templates": "By name."},
    "TemplateOfMachine": {"machine": "The code of the machine that it is made from."},
    "TemplateTo": {"machines": "Codes."},
    "Assigned": {
        "machine": "Its code.", "version": "Of its configuration now; null: as it was.",
        "problem": "Why it stays as it was.",
    },
    "AssignedList": {"machines": "Each that was named."},
    "NewSlot": {
        **_SLOT_WORDS, "product": "Name of the product, made where there is none with this sku.",
        "category": "Of a product that is made, such as Drinks.",
        "description": "What customers read of a product that is made.",
        "stock": "What is in it now; left out, it is full to `par`.",
    },
    "Onboarded": {
        "machine": "As it is set up.",
        "enrolment": "What the device needs; null where this call was answered before.",
    },
    "MachineConfig": {
        "code": "Of the machine.", "version": "One more with each change.", "name": _NAME,
        "place": _PLACE, "contact": _CONTACT, "zone": _ZONE, "currency": "Of all its prices.",
        "slots": "All of them.", "device": _DEVICE,
        "device_version": "The version that the device says it has; null: it says none.",
        "applied_version": "That is sold: a newer one waits for paid units, or for the machine.",
        "decommissioned_at": "When it was taken out of service.",
    },
    "SlotConfig": _SLOT_WORDS,
    "WantedSlot": _SLOT_WORDS,
    "WantedConfig": {
        "name": _NAME, "place": _PLACE, "contact": _CONTACT, "zone": _ZONE, "device": _DEVICE,
        "slots": "All of them: none may be left out.",
    },
    "NewSecret": {"at_once": "The secret in use ends now: it was stolen."},
    "DeviceProvisioned": {
        "enrolment": "What the device needs.", "file": "The same, to be copied into the device.",
        "qr_svg": "The same, as a picture to be scanned.",
    },
    "DeviceEnrolment": {
        "machine": "Its code.", "login": "At the broker.", "secret": "Shown this once.",
        "key_id": "Names the secret in HELLO and GO.", "dialect": "What it speaks.",
        "broker": "Over MQTT.", "ca": "Who signed the broker's certificate: DER, in base64.",
        "ca_sha256": "Instead of `ca`, in a QR code that could not hold it.",
        "server": "Over Socket.IO.",
        "firmware_key": "It takes builds that this ed25519 key signed: 32 bytes in hex.",
        "replaces": "The secret that ends when this one is first used.",
    },
    "MachineStatus": {
        "machine": "Can it sell?", "config_version": "That it should have.",
        "applied_version": "That is sold: a newer one waits for paid units, or for the machine.",
        "device_version": "That the machine says it has.",
        "firmware": "As it says.", "journal_id": "Of its journal.", "boot_id": "Of its last start.",
        "has_sensor": "Whether it sees things drop.",
        "guarantee": "Its class, from G0 to G3: what is known of a sale.",
        "slots": "Each as it is now.",
        "faults": "Units that were not handed over, or of which nobody knows yet; newest first.",
        "windows": "Windows of time of its own, in seconds; the installation's others hold.",
    },
    "MachineLine": {
        "code": "Of the machine.", "name": _NAME, "place": _PLACE, "kind": "How it sells.",
        "channel": "`mqtt` or `socketio`.", "dialect": "`leased` or `simple`.",
        "currency": "Of its prices.", "state": "`offline`: not heard within COINSLOT_ONLINE_S.",
        "last_heard_at": "Its last sign of life.", "slots": "How many it has.",
        "sold_out": "Slots with nothing in them.",
        "out_of_sale": "Slots that failed twice, or that a person took out.",
        "stock": "Of all slots.", "par": "Of all slots.",
        "open_units": "Paid, and neither handed over nor given back yet.",
    },
    "SlotLine": {
        **_SLOT_WORDS, "product": "Its name.", "stock": "What is in it.",
        "promised": "Of that, what is paid and not settled.", "failures_in_row": "Up to now.",
        "out_of_sale_at": "Since when it is not sold.", "withheld": "A person took it out.",
        "withheld_whole": "A person took the whole machine out.",
        "code": "Its printed code.",
    },
    "CodeLine": {
        "takes": "What is paid through it.", "stage": "`wanted`: not made at the gateway yet.",
        "qr_code_id": "The gateway's id.",
    },
    "Fault": {
        "unit": "What should have been handed over.", "order": "That it is of.",
        "slot": "That it should have come from.", "product": "Its name.", "state": "Of the unit.",
        "basis": "What settled it.", "failure_code": "As the machine says.",
        "money": "That went back, or will.", "queued_at": "When it was paid.",
        "settled_at": "When it was settled.",
    },
}  # fmt: skip
