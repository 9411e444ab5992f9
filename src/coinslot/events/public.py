"""Which entries of the log become public events for merchants, and the types of those."""

from collections.abc import Mapping

# A state that a move changes to, published as `<machine>.<state>`.
CHANGES: Mapping[str, tuple[str, ...]] = {
    "payment": (
        "requires_action", "processing", "authorized", "succeeded", "failed", "canceled",
    ),
    "refund": ("pending", "succeeded", "failed", "owed"),
    "order": ("paid", "completed", "failed", "expired"),
    "fulfillment": ("vended", "handed_over", "failed"),
}  # fmt: skip

# How the end of a unit is published, whatever its kind calls it; merchants know a machine's end as
# its own word.
SETTLED: Mapping[str, str] = {"fulfilled": "handed_over", "refund_due": "failed"}
OWN_WORDS = frozenset({"vended"})

# Entries that are no moves, and the state that each reports.
TOLD: Mapping[tuple[str, str], str] = {
    ("refund", "INTENDED"): "pending",
    ("refund", "MADE_OUTSIDE"): "succeeded",
    ("dispute", "OPENED"): "opened",
    ("dispute", "WON"): "won",
    ("dispute", "LOST"): "lost",
    ("webhook", "TEST"): "test",
    ("webhook", "DISABLED"): "disabled",
}

TYPES = frozenset(
    {f"{machine}.{state}" for machine, states in CHANGES.items() for state in states}
    | {f"{machine}.{state}" for (machine, _), state in TOLD.items()}
)
