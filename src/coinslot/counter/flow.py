"""The states of one piece of an order at a counter. Until it is handed over nothing is out, so its
money can go back: staff reject it, its customer cancels it, a person refunds it, or time runs out.

The hand-over is committed together with its proof, so nobody ever finds a piece in `handing`."""

from coinslot.kit.flow import Row
from coinslot.states.unit_flow import Beside, Declared, UnitFlow

UNSENT = ("to_accept", "in_preparation", "to_pick_up")
SETTLES = {"picked_up": "fulfilled", "not_picked_up": "refund_due"}
_ALL = (*UNSENT, "handing", *SETTLES)
_BACK = ("give_back",)

COUNTER = UnitFlow(
    "counter",
    initial="to_accept",
    rows=(
        Row("to_accept", "ACCEPTED", "in_preparation"),
        Row("to_accept", "REJECTED", "not_picked_up", _BACK),
        Row("to_accept", "CANCELLED", "not_picked_up", _BACK),
        Row("to_accept", "DEADLINE", "not_picked_up", _BACK),
        Row("to_accept", "WITHDRAWN", "not_picked_up", _BACK),
        Row("in_preparation", "FINISHED", "to_pick_up"),
        Row("in_preparation", "UNDONE", "to_accept"),
        Row("in_preparation", "HANDING", "handing"),  # the point of no return
        Row("in_preparation", "REJECTED", "not_picked_up", _BACK),
        Row("in_preparation", "DEADLINE", "not_picked_up", _BACK),
        Row("in_preparation", "WITHDRAWN", "not_picked_up", _BACK),
        Row("to_pick_up", "UNDONE", "in_preparation"),
        Row("to_pick_up", "HANDING", "handing"),
        Row("to_pick_up", "REJECTED", "not_picked_up", _BACK),
        Row("to_pick_up", "DEADLINE", "not_picked_up", _BACK),
        Row("to_pick_up", "WITHDRAWN", "not_picked_up", _BACK),
        Row("handing", "HANDED_OVER", "picked_up", ("hand_over",)),
        Row("handing", "NOT_FETCHED", "picked_up", ("hand_over",)),  # paid for, and left to keep
        Row("handing", "DEADLINE", "not_picked_up", ("expose", "give_back")),
        Row("handing", "WITHDRAWN", "handing"),
        Row("picked_up", "HANDED_OVER", "picked_up"),
        Row("picked_up", "DEADLINE", "picked_up"),
        Row("picked_up", "WITHDRAWN", "picked_up"),
        # Handed over on paper, and entered when the money had gone back: a loss, never silent.
        Row("not_picked_up", "HANDED_OVER", "not_picked_up", ("note_discrepancy",)),
        Row("not_picked_up", "DEADLINE", "not_picked_up"),
        Row("not_picked_up", "WITHDRAWN", "not_picked_up"),
    ),
    declared=Declared(
        settles=SETTLES,
        unsent=UNSENT,
        doubt="handing",
        proof={"HANDED_OVER": "fulfilled", "NOT_FETCHED": "fulfilled"},
        # Deadlines and withdrawals may come at any time. What people do is looked up under the
        # lock of the row first.
        meets={
            **dict.fromkeys(("DEADLINE", "WITHDRAWN"), _ALL),
            "ACCEPTED": ("to_accept",),
            "CANCELLED": ("to_accept",),
            "FINISHED": ("in_preparation",),
            "UNDONE": ("in_preparation", "to_pick_up"),
            "HANDING": ("in_preparation", "to_pick_up"),
            "REJECTED": UNSENT,
            "NOT_FETCHED": ("handing",),
            "HANDED_OVER": ("handing", *SETTLES),
        },
        beside=Beside("counter_units", ("accepted_at", "ready_at", "ended", "said_by", "reason")),
        queued="counter_queued",
        expired="counter_expired",
        settled="counter_settled",
        shown="counter_shown",
    ),
)
