"""The states of one paid piece, behind a door that its customer opens with a code. Until the code
is shown nobody can have taken the piece, so silence means that the money goes back. After that only
a member of staff who looked settles it, or policy."""

from coinslot.kit.flow import Row
from coinslot.states.unit_flow import Beside, Declared, UnitFlow

UNSENT = ("waiting", "reserved")
SENT = ("shown", "doubted")
SETTLES = {"taken": "fulfilled", "returned": "refund_due"}
_ALL = (*UNSENT, *SENT, *SETTLES)

LOCKER = UnitFlow(
    "locker",
    initial="waiting",
    rows=(
        Row("waiting", "RESERVE", "reserved", ("light_door",)),
        Row("waiting", "DEADLINE", "returned", ("give_back",)),
        Row("waiting", "WITHDRAWN", "returned", ("give_back",)),
        Row("reserved", "SHOW", "shown"),  # the point of no return
        Row("reserved", "DEADLINE", "returned", ("give_back",)),
        Row("reserved", "WITHDRAWN", "returned", ("give_back",)),
        Row("shown", "SILENCE", "doubted", ("call_staff",)),
        Row("shown", "TAKEN", "taken", ("hand_over",)),
        Row("shown", "NOT_TAKEN", "returned", ("give_back",)),
        Row("shown", "DEADLINE", "doubted"),
        Row("shown", "WITHDRAWN", "shown"),
        Row("doubted", "TAKEN", "taken", ("hand_over",)),
        Row("doubted", "NOT_TAKEN", "returned", ("give_back",)),
        Row("doubted", "DEADLINE", "returned", ("expose", "give_back")),  # policy, and flagged so
        Row("doubted", "WITHDRAWN", "doubted"),
        Row("taken", "TAKEN", "taken"),
        Row("taken", "NOT_TAKEN", "taken", ("note_discrepancy",)),
        Row("taken", "DEADLINE", "taken"),
        Row("taken", "WITHDRAWN", "taken"),
        Row("returned", "NOT_TAKEN", "returned"),
        Row("returned", "TAKEN", "returned", ("note_discrepancy",)),  # both: a loss, never silent
        Row("returned", "DEADLINE", "returned"),
        Row("returned", "WITHDRAWN", "returned"),
    ),
    declared=Declared(
        settles=SETTLES,
        unsent=UNSENT,
        doubt="doubted",
        proof={"TAKEN": "fulfilled", "NOT_TAKEN": "refund_due"},
        # A deadline and a withdrawal may come at any time, staff's word once the code was shown.
        # The other events are only sent under the lock of the row.
        meets={
            **dict.fromkeys(("DEADLINE", "WITHDRAWN"), _ALL),
            **dict.fromkeys(("TAKEN", "NOT_TAKEN"), (*SENT, *SETTLES)),
            "RESERVE": ("waiting",),
            "SHOW": ("reserved",),
            "SILENCE": ("shown",),
        },
        sends={
            "light_door": lambda row: row.event == "RESERVE",
            "call_staff": lambda row: row.event == "SILENCE",
        },
        # A door is taken while `open`: a unique index gives each to one piece at a time.
        beside=Beside("locker_units", ("door", "code", "said_by"), open=("reserved", *SENT)),
        queued="locker_queued",
        settled="locker_settled",
    ),
)
