"""What must hold of the tables of moves, each law a sentence; `breaches` lists where one does not.

A table is easy to read and easy to break: tests/unit/test_flow_laws.py changes every row and job,
and demands that some law fails."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from coinslot.kit.flow import Flow, Row
from coinslot.states.possible_events import MAY_MEET
from coinslot.states.unit_flow import RoomFlow, UnitFlow

Flows = Mapping[str, Flow]
Law = Callable[[Flows], Iterator[str]]
Reason = Callable[[Row], bool]


def every_state_hears_every_event_it_may_meet(flows: Flows) -> Iterator[str]:
    for flow in flows.values():
        meets = _meets(flow)
        met = {(s, event) for event, states in meets.items() for s in states}
        heard = {(row.state, row.event) for row in flow.rows}
        yield from (f"{flow.name}: {s} does not hear {e}" for s, e in sorted(met - heard))
        yield from (f"{flow.name}: {s} never meets {e}" for s, e in sorted(heard - met))


def _meets(flow: Flow) -> Mapping[str, Collection[str]]:
    if isinstance(flow, RoomFlow):
        return flow.meets
    return flow.declared.meets if isinstance(flow, UnitFlow) else MAY_MEET[flow.name]


def a_terminal_state_is_never_left(flows: Flows) -> Iterator[str]:
    for flow in flows.values():
        left = {row.state for row in flow.rows if row.next != row.state}
        yield from (f"{flow.name}: {s} is terminal and left" for s in sorted(left & flow.terminal))
        kept = flow.states - left - flow.terminal
        yield from (f"{flow.name}: {s} holds for ever and is not terminal" for s in sorted(kept))


def a_life_begins_in_the_first_row_and_may_reach_every_state(flows: Flows) -> Iterator[str]:
    for flow in flows.values():
        if flow.rows[0].state != flow.initial:
            yield f"{flow.name}: begins as {flow.initial}, not in its first row"
        reached, seen = {flow.initial}, set[str]()
        while seen != reached:
            seen = set(reached)
            reached |= {row.next for row in flow.rows if row.state in seen}
        yield from (f"{flow.name}: nothing leads to {s}" for s in sorted(flow.states - reached))


# Goods.


def money_buys_goods_or_goes_back(flows: Flows) -> Iterator[str]:
    """Paid opens the debt. Goods complete the order, even a part of them; it fails where nothing
    but money went; nothing else ends it."""
    ends = {"PAID": "paid", "HANDED_OVER": "completed", "GONE_BACK": "failed"}
    for row in flows["order"].rows:
        if row.state in ("placed", "paid") and row.event in ends:
            yield from must(row, ends[row.event])
        elif row.event == "PAID":
            yield from must(row, row.state)  # late money goes back on its capture's own row


def units(flows: Flows) -> list[UnitFlow]:
    """The tables of the ways of selling."""
    return [flow for flow in flows.values() if isinstance(flow, UnitFlow)]


def a_unit_ends_where_it_is_settled(flows: Flows) -> Iterator[str]:
    for flow in units(flows):
        if flow.terminal != set(flow.declared.settles):
            yield f"{flow.name}: ends in {sorted(flow.terminal)}"
        if set(flow.declared.settles.values()) != {"fulfilled", "refund_due"}:
            yield f"{flow.name}: goods and money back are not both possible"


def a_debt_ends_only_on_evidence(flows: Flows) -> Iterator[str]:
    """Once sent, proof of goods settles, a proof of none settles, and policy does when doubt has
    its deadline behind it. Nothing else. Before that no goods can have been handed over."""
    for flow in units(flows):
        said, sent = flow.declared, flow.sent
        for row in flow.rows:
            ends_as = said.settles.get(row.next)
            if row.state in sent and row.event in said.proof:
                yield from must(row, flow.settled_as(said.proof[row.event]))
            elif row.state in sent and ends_as is not None:
                if (row.state, row.event, ends_as) != (said.doubt, "DEADLINE", "refund_due"):
                    yield f"{name_of(row)}: settled without evidence"
            elif row.state in said.unsent and ends_as == "fulfilled":
                yield f"{name_of(row)}: nothing was sent that could come to this"


def silence_is_read_in_the_buyers_favour(flows: Flows) -> Iterator[str]:
    """Before it is sent a deadline gives the money back; after it, it makes doubt, and doubt has
    an end. An order that nobody paid expires."""
    for flow in units(flows):
        back, sent = flow.settled_as("refund_due"), flow.sent
        for row in flow.rows:
            if row.event == "DEADLINE" and row.state in sent:
                yield from must(row, back if row.state == flow.declared.doubt
                                 else flow.declared.doubt)  # fmt: skip
            elif row.event == "DEADLINE" and row.state in flow.declared.unsent:
                yield from must(row, back)
    for row in flows["order"].rows:
        if row.event == "DEADLINE":
            yield from must(row, "expired")


def what_is_sent_is_never_taken_back(flows: Flows) -> Iterator[str]:
    for flow in units(flows):
        sent = flow.sent
        for row in flow.rows:
            if row.state in sent and row.next in flow.declared.unsent:
                yield f"{name_of(row)}: it is out and counts as sent"


def money_that_went_back_by_itself_stops_what_was_not_sent(flows: Flows) -> Iterator[str]:
    for flow in units(flows):
        for row in flow.rows:
            if row.event == "WITHDRAWN":
                unsent = row.state in flow.declared.unsent
                yield from must(row, flow.settled_as("refund_due") if unsent else row.state)


_MOVES_MONEY = frozenset({"hand_over", "give_back", "expose"})


def positive_evidence_is_never_undone_by_the_machine(flows: Flows) -> Iterator[str]:
    """Once a unit is settled, nothing that a machine says moves money again: whoever holds its
    secret could have all its past sales refunded. What contradicts is kept for a person."""
    for flow in units(flows):
        for row in flow.rows:
            if row.state in flow.declared.settles:
                yield from must(row, row.state)
                for job in sorted(_MOVES_MONEY & set(row.jobs)):
                    yield f"{name_of(row)}: {job} after the unit was settled"


# Money.

# What an answer of the gateway makes of a payment, an attempt, a refund or a receipt that is open.
_MEANS: Mapping[str, Mapping[str, str]] = {
    "payment": {
        "SHOWN": "requires_action", "UNCLEAR": "processing", "AUTHORIZED": "authorized",
        "DECLINED": "failed", "CAPTURED": "succeeded", "DEADLINE": "canceled",
        "CONFIRM": "processing", "CANCEL": "canceled", "CLOSED": "failed", "VOIDED": "canceled",
    },
    "attempt": {
        "SHOWN": "pending", "UNCLEAR": "unknown", "DECLINED": "failed", "CAPTURED": "succeeded",
        "CLOSED": "failed",
    },
    "refund": {
        "TAKEN_UP": "pending", "PROVED": "succeeded", "COVERED": "succeeded",
        "REFUSED": "owed", "FAILED_THERE": "failed", "PARTLY_COVERED": "failed",
        "PAID_BY_HAND": "succeeded", "UNCOVERED": "failed",
    },
    "receipt": {
        "SENT": "sent", "REGISTERED": "registered", "REFUSED": "refused", "DEADLINE": "overdue",
        "NOT_NEEDED": "void", "REPLACED": "void", "MADE_BY_HAND": "registered",
    },
}  # fmt: skip

# An open code can be paid after a declined attempt. Held money is not released by an old answer, by
# silence, or by a cancellation that no gateway confirmed. A running attempt is not begun a second
# time, and cannot be cancelled while its outcome is unknown. A refund that succeeded can fail only
# at the gateway itself. A receipt that is a case stays one until it is registered or replaced.
_STAYS = frozenset(
    {
        ("payment", "requires_action", "DECLINED"),
        ("payment", "authorized", "SHOWN"),
        ("payment", "authorized", "UNCLEAR"),
        ("payment", "requires_action", "CONFIRM"),
        ("payment", "authorized", "CONFIRM"),
        ("payment", "processing", "CANCEL"),
        ("payment", "authorized", "CANCEL"),
        ("attempt", "pending", "DECLINED"),
        ("refund", "succeeded", "TAKEN_UP"),
        ("refund", "succeeded", "REFUSED"),
        ("receipt", "overdue", "SENT"),
        ("receipt", "refused", "SENT"),
        ("receipt", "refused", "DEADLINE"),
    }
)


_WISHES = ("TAKE", "LET_GO")


def a_word_of_the_gateway_means_one_thing(flows: Flows) -> Iterator[str]:
    """In every state: a failure yields to a later capture, only a capture is success, silence is
    never a failure."""
    for name, means in _MEANS.items():
        ended = {
            "payment": {"succeeded", "canceled"}, "attempt": {"succeeded"},
            "receipt": {"registered", "void"},
        }.get(name)  # fmt: skip
        for row in flows[name].rows:
            stays = (name, row.state, row.event) in _STAYS or row.state in (ended or {"failed"})
            if row.event in _WISHES:
                continue  # ours, not the gateway's
            means_that = means.get(row.event)
            if means_that is None or stays:
                yield from must(row, row.state)
            else:
                yield from must(row, means_that)


def only_what_is_held_is_taken_or_let_go(flows: Flows) -> Iterator[str]:
    """Only held money is captured or voided. The gateway is asked then, and until it has answered
    the outcome is unknown."""
    for row in flows["payment"].rows:
        if row.event in _WISHES:
            yield from must(row, "processing" if row.state == "authorized" else row.state)


# Jobs: each is done where its reason is, and nowhere else.

REASONS: Mapping[str, Mapping[str, Reason]] = {
    "order": {
        "queue_units": lambda row: row.state == "placed" and row.event == "PAID",
        "close_payment": lambda row: row.state == "placed" and row.event == "DEADLINE",
    },
    "payment": {},
    "attempt": {},
    "refund": {
        "book_refund": lambda row: (
            _enters(row, "succeeded") and row.event in ("PROVED", "PAID_BY_HAND")
        ),
        "book_covered": lambda row: row.event == "COVERED",
        "make_smaller": lambda row: row.event == "PARTLY_COVERED",
        "call_person": lambda row: _enters(row, "owed"),
        "unbook_refund": lambda row: row.state == "succeeded" and row.event == "FAILED_THERE",
        "try_anew": lambda row: (
            _enters(row, "failed") and row.event in ("FAILED_THERE", "UNCOVERED")
        ),
        "note_discrepancy": lambda row: row.state == "failed" and row.event == "PROVED",
    },
    "receipt": {
        "call_person": lambda row: _enters(row, "refused") or _enters(row, "overdue"),
    },
}


def reasons(flow: Flow) -> Mapping[str, Reason]:
    """What is done where: of any unit, what moves its money; of its kind, what that sends."""
    if isinstance(flow, RoomFlow):
        return flow.sends
    if not isinstance(flow, UnitFlow):
        return REASONS[flow.name]
    said = flow.declared

    def enters(row: Row, settlement: str) -> bool:
        return row.state not in said.settles and said.settles.get(row.next) == settlement

    return {
        **said.sends,
        "hand_over": lambda row: enters(row, "fulfilled"),
        "give_back": lambda row: enters(row, "refund_due"),
        "expose": lambda row: row.state == said.doubt and row.event == "DEADLINE",
        "note_discrepancy": lambda row: (
            row.state in said.settles
            and said.proof.get(row.event, said.settles[row.state]) != said.settles[row.state]
        ),
    }


def a_job_is_done_where_its_reason_is_and_nowhere_else(flows: Flows) -> Iterator[str]:
    """So goods are booked as sold once, owed money is refunded once, a settlement by policy is
    exposed, and evidence against a settlement always leaves a record."""
    for flow in flows.values():
        does = reasons(flow)
        for row in flow.rows:
            wanted = {job for job, reason in does.items() if reason(row)}
            if wanted != set(row.jobs) or len(wanted) != len(row.jobs):
                yield f"{flow.name}: {name_of(row)}: does {list(row.jobs)}, not {sorted(wanted)}"


def _enters(row: Row, state: str) -> bool:
    return row.next == state and row.state != state


def must(row: Row, state: str) -> Iterator[str]:
    if row.next != state:
        yield f"{name_of(row)} leads to {row.next}, not to {state}"


def name_of(row: Row) -> str:
    return f"{row.event} in {row.state}"


LAWS: tuple[Law, ...] = (
    every_state_hears_every_event_it_may_meet,
    a_terminal_state_is_never_left,
    a_life_begins_in_the_first_row_and_may_reach_every_state,
    money_buys_goods_or_goes_back,
    a_unit_ends_where_it_is_settled,
    a_debt_ends_only_on_evidence,
    silence_is_read_in_the_buyers_favour,
    what_is_sent_is_never_taken_back,
    money_that_went_back_by_itself_stops_what_was_not_sent,
    positive_evidence_is_never_undone_by_the_machine,
    a_word_of_the_gateway_means_one_thing,
    only_what_is_held_is_taken_or_let_go,
    a_job_is_done_where_its_reason_is_and_nowhere_else,
)


def breaches(flows: Flows, laws: Sequence[Law] = LAWS) -> list[str]:
    """Every breach of every law; empty when all hold."""
    return [f"{law.__name__}: {said}" for law in laws for said in law(flows)]
