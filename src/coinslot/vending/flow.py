"""The states of one unit on its way out of a machine; docs/vend-protocol.md explains each row.

Until GO is committed, silence means that the money goes back; after it only evidence settles, or
policy."""

from coinslot.kit.flow import Row
from coinslot.states.unit_flow import Beside, Declared, UnitFlow

UNSENT = ("queued", "offered")
SENT = ("going", "started", "in_doubt")
SETTLES = {"vended": "fulfilled", "failed": "refund_due"}
_ALL = (*UNSENT, *SENT, *SETTLES)

# What a machine may send again or too late; stored, and nothing moves.
_OLD_NEWS = ("ACCEPT", "REJECT", "BUSY", "STARTED", "SILENCE", "DEADLINE", "UNSURE", "WITHDRAWN")

VENDING = UnitFlow(
    "vending",
    initial="queued",
    rows=(
        Row("queued", "OFFER", "offered", ("send_offer",)),
        Row("queued", "COMMAND", "going", ("send_command",)),  # machines without a handshake
        Row("queued", "DEADLINE", "failed", ("give_back",)),
        Row("queued", "WITHDRAWN", "failed", ("give_back",)),
        Row("queued", "ACCEPT", "queued"),
        Row("queued", "REJECT", "queued"),
        Row("queued", "BUSY", "queued"),
        Row("queued", "SILENCE", "queued"),
        Row("queued", "NOT_VENDED", "queued"),  # a tombstone for an offer already taken back
        Row("offered", "OFFER", "offered", ("send_offer",)),
        Row("offered", "ACCEPT", "going", ("send_go",)),
        Row("offered", "BUSY", "queued"),
        Row("offered", "REJECT", "failed", ("give_back",)),
        Row("offered", "SILENCE", "queued"),
        Row("offered", "DEADLINE", "failed", ("give_back",)),
        Row("offered", "WITHDRAWN", "failed", ("give_back",)),
        Row("offered", "NOT_VENDED", "failed", ("give_back",)),
        Row("going", "ACCEPT", "going", ("send_go",)),  # GO again, byte for byte
        Row("going", "REJECT", "going"),  # after GO it proves nothing
        Row("going", "BUSY", "going"),
        Row("going", "WITHDRAWN", "going"),
        Row("going", "SILENCE", "going", ("send_query",)),
        Row("going", "STARTED", "started"),
        Row("going", "VENDED", "vended", ("hand_over",)),
        Row("going", "NOT_VENDED", "failed", ("give_back",)),
        Row("going", "UNSURE", "in_doubt"),
        Row("going", "DEADLINE", "in_doubt"),
        Row("started", "ACCEPT", "started"),
        Row("started", "REJECT", "started"),
        Row("started", "BUSY", "started"),
        Row("started", "WITHDRAWN", "started"),
        Row("started", "STARTED", "started"),
        Row("started", "SILENCE", "started", ("send_query",)),
        Row("started", "VENDED", "vended", ("hand_over",)),
        Row("started", "NOT_VENDED", "failed", ("give_back",)),
        Row("started", "UNSURE", "in_doubt"),
        Row("started", "DEADLINE", "in_doubt"),
        Row("in_doubt", "ACCEPT", "in_doubt"),
        Row("in_doubt", "REJECT", "in_doubt"),
        Row("in_doubt", "BUSY", "in_doubt"),
        Row("in_doubt", "WITHDRAWN", "in_doubt"),
        Row("in_doubt", "STARTED", "in_doubt"),
        Row("in_doubt", "UNSURE", "in_doubt"),
        Row("in_doubt", "SILENCE", "in_doubt", ("send_query",)),
        Row("in_doubt", "VENDED", "vended", ("hand_over",)),
        Row("in_doubt", "NOT_VENDED", "failed", ("give_back",)),
        Row("in_doubt", "DEADLINE", "failed", ("expose", "give_back")),  # policy, and flagged so
        *(Row("vended", event, "vended") for event in _OLD_NEWS),
        Row("vended", "VENDED", "vended"),
        # Against its own evidence a machine moves no money: its secret may be in other hands.
        Row("vended", "NOT_VENDED", "vended", ("note_discrepancy",)),
        *(Row("failed", event, "failed") for event in _OLD_NEWS),
        Row("failed", "NOT_VENDED", "failed"),
        Row("failed", "VENDED", "failed", ("note_discrepancy",)),  # both: a loss, never silent
    ),
    declared=Declared(
        settles=SETTLES,
        unsent=UNSENT,
        doubt="in_doubt",
        proof={"VENDED": "fulfilled", "NOT_VENDED": "refund_due"},
        # Two processes, a network that repeats and delays, and clocks: a machine's word about a
        # run needs a GO; all else may come at any time.
        meets={
            **dict.fromkeys(
                ("ACCEPT", "REJECT", "BUSY", "SILENCE", "DEADLINE", "WITHDRAWN", "NOT_VENDED"), _ALL
            ),
            **dict.fromkeys(("STARTED", "VENDED", "UNSURE"), (*SENT, *SETTLES)),
            "OFFER": UNSENT,
            "COMMAND": ("queued",),
        },
        sends={
            "send_offer": lambda row: row.event == "OFFER",
            "send_command": lambda row: row.event == "COMMAND",
            "send_go": lambda row: row.event == "ACCEPT" and row.state in ("offered", "going"),
            "send_query": lambda row: row.event == "SILENCE" and row.state in SENT,
        },
        beside=Beside(
            "vend_units",
            (
                "seq", "offers", "offered_at", "accept", "journal_id", "boot_id", "go_message",
                "lease_end", "started_at", "nonce", "asked_at", "queries",
                "mdb",
            ),
            ("offered", *SENT),
        ),
        queued="vending_queued",
        begun="vending_begun",
        settled="vending_settled",
    ),
)  # fmt: skip
