"""The examples and words of calls about what machines say of themselves; what each needs stands
with the other calls of machines."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_AT, _BEFORE = "2026-11-21T12:00:00Z", "2026-11-20T12:00:00Z"
_FOOD: Json = {"limit_c": 5.0, "warm_s": 900.0, "grace_s": 1800.0, "silent_s": 900.0}
_STOP: Json = {"why": "food_lock", "since": _AT, "until": None, "by": "server", "note": ""}
_HEALTH: Json = {
    "machine": "M01", "at": _AT, "last_heard_at": _AT, "temperature_c": 4.5, "temperature_at": _AT,
    "warm_since": None, "grace_until": None, "door_open": False, "reset_reason": "power",
    "restarts": 0, "free_heap": 90000, "journal_used": 3, "rssi": -61, "firmware": "1.4.2",
    "config_version": 3, "uptime_s": 86400, "counters": {"sales": 512}, "food": _FOOD, "stops": [],
}  # fmt: skip
_SAMPLE: Json = {
    "at": _BEFORE, "low": 3.9, "high": 4.6, "mean": 4.2, "heard": 1.0, "free_heap": 90000,
    "rssi": -61, "journal_used": 3, "door_open": False,
}  # fmt: skip
_COUNTED: Json = {
    "since": _BEFORE, "told_at": _AT, "machine_vends": 12, "our_vends": 11, "unsure": 0,
    "differs_since": _AT,
}  # fmt: skip
_COMPARED: Json = {
    "id": "0193d3a4-1c00-7000-8000-00000000b005", "machine": "M01", "read_at": _AT,
    "since": _BEFORE, "currency": "INR", "serial": "CNV0001", "warnings": [],
    "slots": [{
        "slot": "A1", "machine_vends": 12, "our_vends": 11, "unsure": 0, "machine_minor": 48000,
        "our_minor": 44000, "differs": True, "price_differs": False,
    }],
}  # fmt: skip
_FILE = "DXS*COINSLOT*VA*V1/6*1\r\nST*001*0001\r\nID1*M01*COINSLOT\r\n"

NEEDS: Mapping[str, str] = {}
SENT: Mapping[str, Mapping[str, Json]] = {
    "unlockMachine": {"after a visit": {"note": "The compressor was off. Threw all of it away."}},
    "compareMachineCounts": {"a file": {"file": _FILE}},
}
ANSWERED: Mapping[str, Mapping[str, Json]] = {
    "readMachineHealth": {
        "well": {
            "health": _HEALTH,
            "chart": {
                "span": "day", "each_s": 300, "since": _BEFORE, "until": _AT, "samples": [_SAMPLE],
            },
            "counter": _COUNTED,
        },
        "locked": {
            "health": _HEALTH | {"temperature_c": 9.0, "warm_since": _BEFORE, "stops": [_STOP]},
            "chart": {"span": "day", "each_s": 300, "since": _BEFORE, "until": _AT, "samples": []},
            "counter": None,
        },
    },
    "readMachineLogs": {
        "one line": {
            "lines": [
                {"id": 7, "at": _AT, "mono_ms": 5123, "level": "error", "text": "Motor A1 stalls"}
            ],
            "left_out": 0,
        },
    },
    "unlockMachine": {"it may sell": _HEALTH},
    "readMachineCounts": {"compared": {"file": _FILE, "comparisons": [_COMPARED]}},
    "compareMachineCounts": {"one slot differs": _COMPARED},
}  # fmt: skip
WRONG: Mapping[str, str] = {"409 unlockMachine": "It is not locked."}

_FIGURES: Mapping[str, str] = {
    "free_heap": "Memory that is free, in bytes.", "rssi": "Of its Wi-Fi, in dBm.",
    "journal_used": "In percent.",
}  # fmt: skip
FIELDS: Mapping[str, Mapping[str, str]] = {
    "MachineHealthAnswer": {
        "health": "As it is now.", "chart": "As it was.",
        "counter": "Its own counter of sales against our ledger; null: they are not compared.",
    },
    "CounterCheck": {
        "since": "When they last agreed.", "told_at": "When it last said its counter.",
        "machine_vends": "It counted since.", "our_vends": "That left it by our ledger.",
        "unsure": "Nobody knows whether they fell: they explain as many more.",
        "differs_since": "Compared at rest they differ, since then; null: they did not.",
    },
    "MachineHealth": {
        **_FIGURES, "machine": "Its code.", "at": "When it last said how it is.",
        "last_heard_at": "Its last sign of life.", "temperature_c": "In degrees Celsius.",
        "temperature_at": "When it said that.",
        "warm_since": "Since when it is above its limit without a break.",
        "grace_until": "Until when that is excused: its door was open, or it defrosted.",
        "door_open": "As it says.", "reset_reason": "Why it last started.",
        "restarts": "Within the last hour.", "firmware": "As it says.",
        "config_version": "That it has.", "uptime_s": "Since its last start.",
        "counters": "Its own. `sales` nobody can reset: it is held against the ledger.",
        "food": "Its food lock; null: its configuration asks for none.",
        "stops": "Why it sells nothing now; none: it sells.",
    },
    "FoodRule": {
        "limit_c": "In degrees Celsius.", "warm_s": "Above the limit for so long locks it.",
        "grace_s": "After a door or a defrost.",
        "silent_s": "No temperature for so long: it sells nothing.",
    },
    "Stop": {
        "why": "`food_lock`, `no_temperature`, `no_answer`, `maintenance`, `update` or"
        " `before_update`.",
        "since": "When it began.", "until": "When it ends by itself; null: it does not.",
        "by": "Who began it.", "note": "Their words.",
    },
    "Charted": {
        "span": "What was asked for.", "each_s": "How many seconds a sample stands for.",
        "since": "Its beginning.", "until": "Its end.",
        "samples": "The oldest first; where none is, it was silent.",
    },
    "Sample": {
        **_FIGURES, "at": "Its beginning.", "low": "The coldest, in degrees Celsius.",
        "high": "The warmest.", "mean": "The mean.",
        "heard": "The share of the time in which it was heard: 0 to 1.",
        "door_open": "Whether its door was open in it.",
    },
    "Found": {"lines": "The newest first.", "left_out": "Of the last week, over the day's limit."},
    "KeptLine": {
        "id": "Ends the page before.", "at": "When it came.",
        "mono_ms": "Of the machine's own clock.", "level": "How grave it is.", "text": "The line.",
    },
    "Looked": {"note": "What you saw and did: it is kept in the audit log."},
    "CountsFile": {"file": "As the machine gave it, 64 KiB at most."},
    "CountsAnswer": {
        "file": "Our ledger as an EVA-DTS file.", "comparisons": "The newest file first.",
    },
    "Comparison": {
        "id": "Of the file.", "machine": "Its code.", "read_at": "When it was brought.",
        "since": "The file before; null: it is the first, and nothing is compared.",
        "currency": "Of all sums.", "serial": "As the file says.",
        "warnings": "What was wrong with the file and does not matter for counts.",
        "slots": "What was counted and sold between the two files.",
    },
    "SlotDifference": {
        "slot": "Of the machine.",
        "machine_vends": "It counted; null: it counts none there, or its counts went back.",
        "our_vends": "We sold.", "unsure": "May have fallen, and went back as money.",
        "machine_minor": "For how much, by its prices.", "our_minor": "For how much we sold.",
        "differs": "More or fewer than we can explain.",
        "price_differs": "As many, for another sum.",
    },
}  # fmt: skip
