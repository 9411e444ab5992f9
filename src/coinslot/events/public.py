"""What of the log is told to merchants: the types of their events, and the entries behind them."""

from collections.abc import Mapping

# What a move changes to, told under `<machine>.<state>`.
CHANGES: Mapping[str, tuple[str, ...]] = {
    "payment": (
        "requires_action", "processing", "authorized", "succeeded", "failed", "canceled",
    ),
    "refund": ("pending", "succeeded", "failed", "owed"),
    "order": ("paid", "completed", "failed", "expired"),
    "fulfillment": ("vended", "failed"),
}  # fmt: skip

# Entries that are no moves, and the state that each tells of.
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
