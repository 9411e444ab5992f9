"""The states of a roll-out, and those of one machine in it.

A roll-out goes on by itself only after a soak that was good. A machine installs only on the
server's GO, and is done when the new code has said its version in the HELLO of a new boot."""

from typing import Final

from coinslot.kit.flow import Row
from coinslot.states.unit_flow import RoomFlow

_GOES_ON: Final = ("running", "soaking")

ROLLOUT: Final = RoomFlow(
    "rollout",
    initial="draft",
    terminal=("done", "aborted"),
    rows=(
        Row("draft", "START", "running"),
        Row("draft", "ABORT", "aborted"),
        Row("running", "STAGE_OVER", "soaking"),
        Row("running", "FAILING", "paused", ("call_person",)),
        Row("running", "PAUSE", "paused"),
        Row("running", "ABORT", "aborted"),
        Row("soaking", "SOAKED", "running"),
        Row("soaking", "FINISHED", "done"),
        Row("soaking", "FAILING", "paused", ("call_person",)),
        Row("soaking", "PAUSE", "paused"),
        Row("soaking", "ABORT", "aborted"),
        Row("paused", "RESUME", "running"),
        Row("paused", "FINISHED", "done"),  # a person takes the last soak as good
        Row("paused", "ABORT", "aborted"),
    ),
    settable=(
        "stage", "stage_at", "soak_at", "soak_until", "started_at", "ended_at", "pause", "due_at",
        "sampled_at", "forgiven",
    ),
    # Whoever moves one has locked its row and read its state.
    meets={
        "START": ("draft",),
        "STAGE_OVER": ("running",),
        "SOAKED": ("soaking",),
        "FINISHED": ("soaking", "paused"),
        "FAILING": _GOES_ON,
        "PAUSE": _GOES_ON,
        "RESUME": ("paused",),
        "ABORT": ("draft", *_GOES_ON, "paused"),
    },
    sends={"call_person": lambda row: row.event == "FAILING"},
)  # fmt: skip

# Before these the machine may be left as it is; in them only its next boot says which code it has.
BEFORE_GO: Final = ("offered", "downloading", "verified")
AFTER_GO: Final = ("installing", "trial")
ENDED: Final = ("confirmed", "failed", "rolled_back", "skipped")
_ALL: Final = ("waiting", *BEFORE_GO, *AFTER_GO, "silent", *ENDED)
_SAID: Final = ("DOWNLOADING", "VERIFIED", "REFUSED")

MACHINE_UPDATE: Final = RoomFlow(
    "machine_update",
    initial="waiting",
    terminal=ENDED,
    rows=(
        Row("waiting", "OFFER", "offered", ("send_manifest",)),
        Row("waiting", "SKIP", "skipped"),
        *(Row("waiting", event, "waiting") for event in _SAID),  # of an attempt that is over
        Row("offered", "DOWNLOADING", "downloading"),
        Row("offered", "VERIFIED", "verified"),
        Row("downloading", "DOWNLOADING", "downloading"),
        Row("downloading", "VERIFIED", "verified"),
        Row("verified", "DOWNLOADING", "verified"),
        Row("verified", "VERIFIED", "verified"),
        Row("verified", "GO", "installing", ("send_install",)),
        *(Row(state, "REFUSED", "failed") for state in BEFORE_GO),
        *(Row(state, "RETRY", "waiting") for state in BEFORE_GO),
        *(Row(state, "SKIP", "skipped") for state in BEFORE_GO),
        *(Row(state, "DEADLINE", "silent") for state in BEFORE_GO),
        Row("installing", "GO", "installing", ("send_install",)),  # it may have been lost
        Row("installing", "DOWNLOADING", "installing"),
        Row("installing", "VERIFIED", "installing"),
        # It started anew before it heard GO, which is void in that boot: it is offered again.
        Row("installing", "GO_VOID", "waiting"),
        Row("installing", "REFUSED", "failed"),  # it could not write, and runs on as it was
        Row("trial", "DOWNLOADING", "trial"),
        Row("trial", "VERIFIED", "trial"),
        Row("trial", "REFUSED", "trial"),  # its next boot says which code it has
        Row("trial", "CONFIRMED", "confirmed"),
        *(Row(state, "NEW_VERSION", "trial") for state in (*AFTER_GO, "silent")),
        *(Row(state, "OLD_VERSION", "rolled_back") for state in (*AFTER_GO, "silent")),
        *(Row(state, "DEADLINE", "silent", ("call_person",)) for state in AFTER_GO),
        Row("silent", "RETRY", "waiting"),
        Row("silent", "GIVEN_UP", "failed"),
        *(Row("silent", event, "silent") for event in _SAID),
        *(Row(state, event, state) for state in ENDED for event in _SAID),
        Row("confirmed", "CONFIRMED", "confirmed"),
    ),
    settable=(
        "attempt", "code", "offered_at", "attempt_until", "go_at", "boot_before", "confirmed_at",
        "ended_at", "due_at",
    ),
    meets={
        **dict.fromkeys(_SAID, _ALL),
        "OFFER": ("waiting",),
        "GO": ("verified", "installing"),
        "GO_VOID": ("installing",),
        "RETRY": (*BEFORE_GO, "silent"),
        "SKIP": ("waiting", *BEFORE_GO),
        "DEADLINE": (*BEFORE_GO, *AFTER_GO),
        "NEW_VERSION": (*AFTER_GO, "silent"),
        "OLD_VERSION": (*AFTER_GO, "silent"),
        "CONFIRMED": ("trial", "confirmed"),
        "GIVEN_UP": ("silent",),
    },
    sends={
        "send_manifest": lambda row: row.event == "OFFER",
        "send_install": lambda row: row.event == "GO",
        "call_person": lambda row: row.event == "DEADLINE" and row.state in AFTER_GO,
    },
)  # fmt: skip

FLOWS: Final = (ROLLOUT, MACHINE_UPDATE)
