"""What each call of firmware and roll-outs needs, its examples and words; `described` puts them
in."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

NEEDS: Mapping[str, str] = {
    "listFirmwareKeys": "machines:read",
    "addFirmwareKey": "devices:write",
    "retireFirmwareKey": "devices:write",
    "listFirmware": "machines:read",
    "uploadFirmware": "devices:write",
    "listRollouts": "machines:read",
    "createRollout": "machines:write",
    "readRollout": "machines:read",
    "startRollout": "devices:write",
    "pauseRollout": "machines:write",
    "resumeRollout": "devices:write",
    "abortRollout": "machines:write",
    "giveUpMachine": "machines:write",
}

# Of someone signed in, who decides what runs on every machine; to stop it none is needed.
FRESH = frozenset(("addFirmwareKey", "startRollout", "resumeRollout"))

CALLS: Mapping[str, tuple[str, str]] = {
    "listFirmwareKeys": ("List the keys that sign firmware", "All of them, the oldest first."),
    "addFirmwareKey": ("Register a key that signs firmware", "All keys, with this one."),
    "retireFirmwareKey": ("Retire a key that signs firmware", "It signs no more."),
    "listFirmware": ("List builds of firmware", "Builds, the newest first."),
    "uploadFirmware": ("Upload a build of firmware", "The build, as it is kept."),
    "listRollouts": ("List roll-outs", "Roll-outs, the newest first."),
    "createRollout": ("Make a roll-out", "The draft."),
    "readRollout": ("Read a roll-out", "Its stages, its machines and its soak."),
    "startRollout": ("Start a roll-out", "The roll-out as it is now."),
    "pauseRollout": ("Pause a roll-out", "The roll-out as it is now."),
    "resumeRollout": ("Resume a roll-out", "The roll-out as it is now."),
    "abortRollout": ("Abort a roll-out", "The roll-out as it ended."),
    "giveUpMachine": ("Give a silent machine up", "The roll-out as it is now."),
}

_AT = "2026-11-21T12:00:00Z"
_KEY_ID = "0193d3a4-1c00-7000-8000-0000000000f1"
_BUILD_ID = "0193d3a4-1c00-7000-8000-0000000000f2"
_ROLLOUT_ID = "0193d3a4-1c00-7000-8000-0000000000f3"
_KEYS: Json = {"data": [{
    "id": _KEY_ID, "name": "laptop of the release", "public_key": "3f" * 32, "added_at": _AT,
    "retired_at": None,
}]}  # fmt: skip
_BUILD: Json = {
    "id": _BUILD_ID, "version": "1.5.0", "sequence": 7, "hardware": "esp32-v1", "kind": "app",
    "size": 812344, "sha256": "a1" * 32, "min_from": 3, "journal_formats": [1],
    "expires": "2027-05-20T12:00:00Z", "key": "laptop of the release",
    "uploaded_by": "asha@example.com", "uploaded_at": _AT,
}  # fmt: skip
_RULES: Json = {
    "stages": ["1", "5%", "25%", "100%"], "max_failures": 3, "failure_share": 0.2,
    "share_from": 5, "soak_s": 86400.0, "soak_vends": 20, "late_s": 60.0, "level": 0.01,
    "window": ["02:00", "05:00"], "downloads": 10, "tries": 3, "attempt_s": 1800.0,
    "install_s": 900.0, "trial_s": 900.0, "idle_s": 86400.0, "off_sale_after_s": 21600.0,
    "off_sale_s": 600.0, "stage_s": 259200.0,
}  # fmt: skip
_ROLLOUT: Json = {
    "id": _ROLLOUT_ID, "firmware": _BUILD_ID, "version": "1.5.0", "sequence": 7,
    "hardware": "esp32-v1", "kind": "app", "state": "soaking", "stage": 0, "rules": _RULES,
    "machines": None, "counts": {"confirmed": 1, "waiting": 19}, "pause": None,
    "created_by": "asha@example.com", "created_at": _AT, "started_at": _AT,
    "soak_until": "2026-11-22T12:00:00Z", "ended_at": None, "expires": "2027-05-20T12:00:00Z",
}  # fmt: skip
_GROUP: Json = {
    "machines": 1, "vends": 21, "failed": 1, "doubted": 0, "put_off": 0, "late": 0, "restarts": 0,
    "hours": 24.0, "offline": 0,
}  # fmt: skip
_WAVE: Json = {
    "rollout": _ROLLOUT,
    "stages": [
        {"stage": 0, "size": "1", "machines": 1, "states": {"confirmed": 1}},
        {"stage": 3, "size": "100%", "machines": 19, "states": {"waiting": 19}},
    ],
    "machines": [{
        "machine": "M01", "name": "Platform 1", "place": "Pune Junction", "stage": 0,
        "state": "confirmed", "attempt": 1, "code": None, "firmware": "1.5.0", "off_sale": False,
        "off_sale_until": None,
        "go_at": _AT, "confirmed_at": _AT, "ended_at": _AT, "last_heard_at": _AT,
    }],
    "soak": {
        "good": True, "reason": "",
        "chances": {
            "failed": 0.63, "doubted": 1.0, "put_off": 1.0, "late": 1.0, "restarts": 1.0,
            "unheard": 1.0,
        },
        "new": _GROUP, "old": {**_GROUP, "machines": 19, "vends": 402, "failed": 15},
    },
}  # fmt: skip
_DRAFT: Json = _WAVE | {"soak": None, "rollout": _ROLLOUT | {"state": "draft"}}

SENT: Mapping[str, Mapping[str, Json]] = {
    "addFirmwareKey": {
        "the public half": {"name": "laptop of the release", "public_key": "3f" * 32},
    },
    "uploadFirmware": {
        "as coinslot-sign wrote it": {
            "manifest": '{"version":"1.5.0"}', "signature": "ab" * 64, "image": "UElDTw==",
        },
    },
    "createRollout": {
        "to every machine": {"firmware": _BUILD_ID},
        "at night, to some": {
            "firmware": _BUILD_ID, "machines": ["M01", "M02"],
            "rules": {"window": ["02:00", "05:00"]},
        },
    },
    "resumeRollout": {
        "soak again": {}, "past the soak": {"past_soak": "Nobody buys in January; it runs well."},
    },
    "abortRollout": {"with a reason": {"reason": "The display stays dark."}},
    "giveUpMachine": {"with a reason": {"reason": "A new board is in it."}},
}  # fmt: skip

ANSWERED: Mapping[str, Mapping[str, Json]] = {
    "listFirmwareKeys": {"one": _KEYS},
    "addFirmwareKey": {"one": _KEYS},
    "listFirmware": {"one": {"data": [_BUILD]}},
    "uploadFirmware": {"kept": _BUILD},
    "listRollouts": {"one": {"data": [_ROLLOUT]}},
    "createRollout": {"a draft": _DRAFT},
    "readRollout": {"in its first soak": _WAVE},
    **{
        name: {"as it is now": _WAVE}
        for name in ("startRollout", "pauseRollout", "resumeRollout", "abortRollout",
                     "giveUpMachine")
    },
}  # fmt: skip

WRONG: Mapping[str, str] = {
    "409 addFirmwareKey": "The key is there.",
    "409 uploadFirmware": "Another build has this sequence.",
    "409 startRollout": "It is no draft.",
    "409 pauseRollout": "It is not under way.",
    "409 resumeRollout": "It is not paused.",
    "409 abortRollout": "It has ended.",
    "409 giveUpMachine": "The machine is not silent.",
}

_HARDWARE = "Which machines it is for."
FIELDS: Mapping[str, Mapping[str, str]] = {
    "NewFirmwareKey": {
        "name": "Your own words for it.", "public_key": "32 bytes, in hex: `coinslot-sign public`.",
    },
    "FirmwareKeys": {"data": "The oldest first."},
    "FirmwareKey": {
        "id": "Of the key.", "name": "Your own words for it.",
        "public_key": "The public half, in hex.", "added_at": "Since when it may sign.",
        "retired_at": "Since when it no longer may.",
    },
    "FirmwareUpload": {
        "manifest": "The text that was signed, as it was signed.",
        "signature": "Of ed25519, in hex.", "image": "In base64; at most 3 MiB.",
    },
    "Builds": {"data": "The newest first."},
    "Build": {
        "id": "Of the build.", "version": "What HELLO says when it runs.",
        "sequence": "Higher than that of builds before.", "hardware": _HARDWARE,
        "kind": "Which part of them.", "size": "Of the image, in bytes.",
        "sha256": "Of the image, in hex.", "min_from": "The lowest sequence to come from.",
        "journal_formats": "That it reads; it writes the last.",
        "expires": "Until when it may be rolled out.", "key": "Name of the key that signed it.",
        "uploaded_by": "Who uploaded it.", "uploaded_at": "When.",
    },
    "WantedRollout": {
        "firmware": "The build.",
        "machines": "Codes; left out, every machine of its hardware, later ones too.",
        "rules": "What you leave out is as by default.",
    },
    "Rules": {
        "stages": "Machines up to the end of each stage: counts, or shares; the last is `100%`.",
        "max_failures": "So many failures pause it.",
        "failure_share": "So large a share of failures pauses it.",
        "share_from": "Machines that ended, before the share counts.",
        "soak_s": "How long a soak is.", "soak_vends": "The least vends that a soak judges by.",
        "late_s": "A unit is late that takes longer from its first offer until it is settled.",
        "level": "Of each test of the soak.",
        "window": "From when to when machines install, by their own clock.",
        "downloads": "So many machines load at once.", "tries": "Attempts of a machine.",
        "attempt_s": "From the offer until it has the image.",
        "install_s": "From GO until the new code speaks.",
        "trial_s": "From there until it is confirmed.",
        "idle_s": "How long a machine waits for a quiet moment.",
        "off_sale_after_s": "A machine that waited so long for one sells nothing new for a while.",
        "off_sale_s": "For so long at most, and what is paid is handed over; 0: never.",
        "stage_s": "How long a stage waits for machines that are offline.",
    },
    "RolloutList": {"data": "The newest first."},
    "Rollout": {
        "id": "Of the roll-out.", "firmware": "Its build.", "version": "Of the build.",
        "sequence": "Of the build.", "hardware": _HARDWARE, "kind": "Which part of them.",
        "state": "`draft`, `running`, `soaking`, `paused`, `done` or `aborted`.",
        "stage": "Which is under way, from 0.", "rules": "By which it goes on.",
        "machines": "Those that were named.", "counts": "Machines by state.",
        "pause": "Why it is paused, with the numbers.", "created_by": "Who made it.",
        "created_at": "When it was made.", "started_at": "When it was started.",
        "soak_until": "When the soak ends.", "ended_at": "When it was done or aborted.",
        "expires": "Of the build.",
    },
    "Wave": {
        "rollout": "Itself.", "stages": "Each with its machines.",
        "machines": "The first 500, by stage.", "soak": "As it stands now.",
    },
    "StageLine": {
        "stage": "From 0.", "size": "As the rules name it.", "machines": "How many.",
        "states": "How many are in which state.",
    },
    "Verdict": {
        "good": "Whether it may go on.", "reason": "Why not.",
        "chances": "Of each test: how likely so much worse were by chance.",
        "new": "Machines with the build.", "old": "Machines without it.",
    },
    "Group": {
        "machines": "How many.", "vends": "Units that were offered and settled.",
        "failed": "Of them, not handed over.", "doubted": "Of them, in doubt for a while.",
        "put_off": "Of them, not taken at once, or not answered for.",
        "late": "Of them, not settled in time.",
        "restarts": "Starts of the machines.", "hours": "Of all machines together.",
        "offline": "Machines that were unheard for a tenth of the time.",
    },
    "UpdatedMachine": {
        "machine": "Its code.", "name": "As customers read it.", "place": "Where it stands.",
        "stage": "Of the roll-out.",
        "state": "`waiting`, `offered`, `downloading`, `verified`, `installing`, `trial`,"
        " `confirmed`, `failed`, `rolled_back`, `silent` or `skipped`.",
        "attempt": "How often it was offered.", "code": "What it or we say of how it ended.",
        "firmware": "As it said last.", "off_sale": "It sells nothing because of this.",
        "off_sale_until": "It sells nothing new until then, so that it finds a moment to install.",
        "go_at": "When it was told to install.", "confirmed_at": "When it kept the new code.",
        "ended_at": "When its part ended.", "last_heard_at": "Its last sign of life.",
    },
    "Resumption": {"past_soak": "Why the soak is taken as good; empty: soak again."},
    "Because": {"reason": "Stays in the audit log."},
}  # fmt: skip
