"""The states of one cup. Its command is committed before it is sent, and is sent once: after that
commit nobody knows whether a cup comes, until the vendor answers.

A command that was taken counts as a cup when its customer says nothing within the grace."""

from coinslot.kit.flow import Row
from coinslot.states.unit_flow import Beside, Declared, UnitFlow

UNSENT = ("to_make",)
SENT = ("making", "in_grace", "in_doubt")
SETTLES = {"made": "fulfilled", "not_made": "refund_due"}
_ALL = (*UNSENT, *SENT, *SETTLES)

COFFEE = UnitFlow(
    "coffee",
    initial="to_make",
    rows=(
        Row("to_make", "MAKE", "making", ("send_make",)),  # the point of no return
        Row("to_make", "DEADLINE", "not_made", ("give_back",)),
        Row("to_make", "WITHDRAWN", "not_made", ("give_back",)),
        Row("making", "TAKEN_ON", "in_grace"),
        Row("making", "UNCLEAR", "in_doubt"),
        Row("making", "BREWED", "made", ("hand_over",)),
        Row("making", "NOT_BREWED", "not_made", ("give_back",)),
        Row("making", "DEADLINE", "in_doubt"),
        Row("making", "WITHDRAWN", "making"),
        Row("in_grace", "UNDISPUTED", "made", ("hand_over",)),
        Row("in_grace", "DENIED", "in_doubt"),
        Row("in_grace", "BREWED", "made", ("hand_over",)),
        Row("in_grace", "NOT_BREWED", "not_made", ("give_back",)),
        Row("in_grace", "DEADLINE", "in_doubt"),
        Row("in_grace", "WITHDRAWN", "in_grace"),
        # An answer that comes after its command was given up is kept, and decides nothing.
        Row("in_doubt", "TAKEN_ON", "in_doubt"),
        Row("in_doubt", "UNCLEAR", "in_doubt"),
        Row("in_doubt", "DENIED", "in_doubt"),
        Row("in_doubt", "UNDISPUTED", "made", ("hand_over",)),
        Row("in_doubt", "BREWED", "made", ("hand_over",)),
        Row("in_doubt", "NOT_BREWED", "not_made", ("give_back",)),
        Row("in_doubt", "DEADLINE", "not_made", ("expose", "give_back")),  # policy, and flagged
        Row("in_doubt", "WITHDRAWN", "in_doubt"),
        Row("made", "TAKEN_ON", "made"),
        Row("made", "UNCLEAR", "made"),
        Row("made", "BREWED", "made"),
        Row("made", "NOT_BREWED", "made", ("note_discrepancy",)),
        Row("made", "DEADLINE", "made"),
        Row("made", "WITHDRAWN", "made"),
        Row("not_made", "TAKEN_ON", "not_made"),
        Row("not_made", "UNCLEAR", "not_made"),
        Row("not_made", "NOT_BREWED", "not_made"),
        Row("not_made", "BREWED", "not_made", ("note_discrepancy",)),  # both: a loss, never silent
        Row("not_made", "DEADLINE", "not_made"),
        Row("not_made", "WITHDRAWN", "not_made"),
    ),
    declared=Declared(
        settles=SETTLES,
        unsent=UNSENT,
        doubt="in_doubt",
        proof={"BREWED": "fulfilled", "UNDISPUTED": "fulfilled", "NOT_BREWED": "refund_due"},
        # Deadlines and withdrawals may come at any time, the answer to a command and a vendor's
        # report at any time after it. What a customer says, and the end of the grace, count under
        # the row's lock.
        meets={
            **dict.fromkeys(("DEADLINE", "WITHDRAWN"), _ALL),
            **dict.fromkeys(("TAKEN_ON", "UNCLEAR"), ("making", "in_doubt", *SETTLES)),
            **dict.fromkeys(("BREWED", "NOT_BREWED"), (*SENT, *SETTLES)),
            **dict.fromkeys(("UNDISPUTED", "DENIED"), ("in_grace", "in_doubt")),
            "MAKE": ("to_make",),
        },
        sends={"send_make": lambda row: row.event == "MAKE"},
        beside=Beside(
            "coffee_units", ("answer", "told", "grace_until", "denied_at", "rule", "said_by")
        ),
        queued="coffee_queued",
    ),
)
