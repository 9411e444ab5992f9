"""The progress of an order in words: its phase, the steps done and to come, how long to wait."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from coinslot.orders.page_views import OrderView, Progress, RefundView


class Phase(StrEnum):
    """Each has a title and a sentence in every language (`Words.<phase>`, `<phase>_lead`)."""

    TO_PAY = "to_pay"  # placed, and no way to pay is under way
    PREPARING = "preparing"  # a way was chosen, and its gateway has not answered yet
    SCAN = "scan"  # placed, the code can be paid
    LINK = "link"  # placed, the gateway's own page can be paid at
    EXPIRED = "expired"
    QUEUED = Progress.QUEUED.value
    SENDING = Progress.SENDING.value
    WORKING = Progress.WORKING.value
    CHECKING = Progress.CHECKING.value
    DONE = "done"
    KEPT = "kept"  # nobody fetched it, and its money is kept, as was said before the payment
    PARTLY = "partly"
    RETURNED = "returned"  # all of it handed over, and a person gives money back
    NOTHING_DUE = "nothing_due"  # not handed over, and it cost nothing
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    RETRYING = "retrying"
    OWED = "owed"


class Step(Struct, frozen=True):
    """One line of the timeline: the name of its text, its time, and done, now, next or stopped."""

    text: str
    at: datetime | None
    mark: str


UNPAID = frozenset(
    {Phase.PREPARING, Phase.SCAN, Phase.LINK, Phase.EXPIRED}
)  # a payment may still be seen
WAITING = frozenset({Phase.QUEUED, Phase.SENDING, Phase.WORKING, Phase.CHECKING})

# How soon a page without JavaScript comes back to look; a phase without a number stays.
REFRESH_S = {
    Phase.PREPARING: 2,
    Phase.SCAN: 5,
    Phase.LINK: 5,
    Phase.EXPIRED: 15,
    Phase.QUEUED: 3,
    Phase.SENDING: 3,
    Phase.WORKING: 3,
    Phase.CHECKING: 5,
    Phase.PARTLY: 10,
    Phase.RETURNED: 10,
    Phase.REFUNDING: 5,
    Phase.RETRYING: 30,
    Phase.OWED: 60,
}


def phase(order: OrderView, now: datetime) -> Phase:
    """The one phase that is shown. Money that went back while the order waits for its payment (it
    was paid in a way that the customer had left) does not end it, and neither does that of some
    units while others are still to come: their customer waits, and needs the code."""
    if order.state == "placed" and now < order.expires_at:
        return _to_pay(order)
    if order.money.minor == 0 and order.state in ("completed", "failed"):
        return Phase.DONE if order.state == "completed" else Phase.NOTHING_DUE
    if order.state == "paid" and any(unit.settlement is None for unit in order.units):
        return Phase(order.progress.value)
    if _own_refunds(order) or any(unit.settlement == "refund_due" for unit in order.units):
        return _giving_back(order)
    match order.state:
        case "completed":
            kept = {unit.basis for unit in order.units} == {"no_show"}
            return Phase.KEPT if kept else Phase.DONE
        case "failed":
            return Phase.REFUNDING
        case "paid":
            return Phase(order.progress.value)
        case _:
            return Phase.EXPIRED


def _own_refunds(order: OrderView) -> Sequence[RefundView]:
    """Of the money that bought the order: what was paid beside it goes back and is no part of its
    progress. Nothing bought an order that expired."""
    if order.state == "expired":
        return order.refunds
    return [refund for refund in order.refunds if not refund.surplus]


def _to_pay(order: OrderView) -> Phase:
    if order.pay is not None:
        return Phase.LINK if order.pay.form == "link" else Phase.SCAN
    return Phase.TO_PAY if order.pay_at is None else Phase.PREPARING


def _giving_back(order: OrderView) -> Phase:
    refunds = _own_refunds(order)
    states = {refund.state for refund in refunds}
    if "owed" in states:
        return Phase.OWED
    if all(unit.settlement == "fulfilled" for unit in order.units):
        return Phase.RETURNED
    if any(unit.settlement == "fulfilled" for unit in order.units):
        return Phase.PARTLY
    if "pending" in states or not states:
        return Phase.REFUNDING
    # A failed refund stays in the list beside the one that replaced it.
    return Phase.REFUNDED if _latest(refunds).state == "succeeded" else Phase.RETRYING


def steps(order: OrderView, shown: Phase) -> tuple[Step, ...]:
    """The timeline; before the payment, what will happen then."""
    if shown is Phase.EXPIRED:
        return ()
    way = [("step_paid", order.paid_at)] if order.money.minor else []
    way += [("step_sent", order.sent_at), ("step_confirmed", order.confirmed_at)]
    way.append(("step_take", order.taken_at))
    if shown is Phase.NOTHING_DUE:
        done = [Step(text, at, "done") for text, at in way if at]
        return (*done, Step(_stop(order), None, "stopped"))
    if shown not in UNPAID | WAITING | {Phase.TO_PAY} and (
        _own_refunds(order) or shown is Phase.REFUNDING
    ):
        gone = [Step(text, at, "done") for text, at in way if at]
        handed_over = shown in (Phase.PARTLY, Phase.RETURNED)
        stop = () if handed_over else (Step(_stop(order), None, "stopped"),)
        return (*gone, *stop, *_refund_steps(order))
    if shown is Phase.KEPT:
        done = [Step(text, at, "done") for text, at in way[:-1] if at]
        return (*done, Step(_stop(order), None, "stopped"))
    if shown is Phase.DONE:
        # A report may have no times in between: what comes before the end has happened.
        return tuple(Step(text, at, "done") for text, at in way)
    return _on_the_way(way, begun=order.paid_at is not None)


def _on_the_way(way: Sequence[tuple[str, datetime | None]], begun: bool) -> tuple[Step, ...]:
    reached = max((place for place, (_, at) in enumerate(way) if at), default=-1)
    marks = ["done"] * (reached + 1) + ["now" if begun else "next"] + ["next"] * len(way)
    return tuple(Step(text, at, mark) for (text, at), mark in zip(way, marks, strict=False))


def _stop(order: OrderView) -> str:
    if order.by_policy:
        return "step_silent"
    return "step_nothing_out" if order.confirmed_at else "step_not_reached"


def _refund_steps(order: OrderView) -> tuple[Step, ...]:
    if not order.refunds:
        return (Step("step_refund_pending", None, "now"),)
    marks = {"succeeded": "done", "failed": "stopped"}
    return tuple(
        Step(f"step_refund_{refund.state}", refund.at, marks.get(refund.state, "now"))
        for refund in sorted(order.refunds, key=lambda refund: refund.at)
    )


def _latest(refunds: Sequence[RefundView]) -> RefundView:
    return max(refunds, key=lambda refund: refund.at)


def is_final(shown: Phase) -> bool:
    """Nothing more will happen unless a person asks."""
    return shown in (Phase.DONE, Phase.KEPT, Phase.REFUNDED, Phase.NOTHING_DUE)


def may_ask_machine(order: OrderView, shown: Phase) -> bool:
    """A customer who paid and got no refund may report that nothing came out."""
    return (
        order.looks_into
        and order.paid_at is not None
        and shown in WAITING | {Phase.DONE, Phase.PARTLY}
    )
