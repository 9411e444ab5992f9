"""What must hold of the tables of moves, each law a sentence; `breaches` lists where one does not.

A table is easy to read and easy to break: tests/unit/test_flow_laws.py changes every row and job,
and demands that some law fails."""

from collections.abc import Callable, Iterator, Mapping

from coinslot.kit.flow import Flow, Row
from coinslot.states.possible_events import AFTER_GO, BEFORE_GO, MAY_MEET, SETTLED

Flows = Mapping[str, Flow]
Law = Callable[[Flows], Iterator[str]]
Reason = Callable[[Row], bool]


def every_state_hears_every_event_it_may_meet(flows: Flows) -> Iterator[str]:
    for flow in flows.values():
        met = {(s, event) for event, states in MAY_MEET[flow.name].items() for s in states}
        heard = {(row.state, row.event) for row in flow.rows}
        yield from (f"{flow.name}: {s} does not hear {e}" for s, e in sorted(met - heard))
        yield from (f"{flow.name}: {s} never meets {e}" for s, e in sorted(heard - met))


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
            yield from _must(row, ends[row.event])
        elif row.event == "PAID":
            yield from _must(row, row.state)  # late money goes back on its capture's own row


def a_debt_ends_only_on_evidence(flows: Flows) -> Iterator[str]:
    """After GO a drop settles, a proof of no drop settles, and policy does when doubt has its
    deadline behind it. Nothing else."""
    for row in flows["fulfillment"].rows:
        if row.state in AFTER_GO and row.event == "VENDED":
            yield from _must(row, "vended")
        elif row.state in (*AFTER_GO, "offered") and row.event == "NOT_VENDED":
            yield from _must(row, "failed")
        elif (
            row.state in AFTER_GO
            and row.next in SETTLED
            and (row.state, row.event, row.next) != ("in_doubt", "DEADLINE", "failed")
        ):
            yield f"{_name(row)}: settled without evidence"


def silence_is_read_in_the_buyers_favour(flows: Flows) -> Iterator[str]:
    """Before GO a deadline gives the money back; after it, it leads to doubt, and doubt has a
    deadline. An order that is not paid expires."""
    after = {"queued": "failed", "offered": "failed", "going": "in_doubt", "started": "in_doubt",
             "in_doubt": "failed"}  # fmt: skip
    for row in flows["fulfillment"].rows:
        if row.event == "DEADLINE" and row.state in after:
            yield from _must(row, after[row.state])
        elif row.event == "SILENCE":
            yield from _must(row, "queued" if row.state in BEFORE_GO else row.state)
    for row in flows["order"].rows:
        if row.event == "DEADLINE":
            yield from _must(row, "expired")


def go_is_never_taken_back(flows: Flows) -> Iterator[str]:
    for row in flows["fulfillment"].rows:
        if row.state in AFTER_GO and row.next in BEFORE_GO:
            yield f"{_name(row)}: GO is out and counts as sent"


def go_follows_an_accept_or_is_the_one_command(flows: Flows) -> Iterator[str]:
    for row in flows["fulfillment"].rows:
        word = (row.state, row.event)
        if word in (("offered", "ACCEPT"), ("queued", "COMMAND")):
            yield from _must(row, "going")
        elif row.event == "OFFER":
            yield from _must(row, "offered")
        elif row.state in BEFORE_GO and row.next in (*AFTER_GO, "vended", "offered"):
            yield f"{_name(row)}: nothing was sent that could come to this"


def a_refusal_counts_only_before_go(flows: Flows) -> Iterator[str]:
    """Of an offer it ends the unit, or puts it back; of anything else it proves nothing."""
    counts = {"REJECT": "failed", "BUSY": "queued"}
    for row in flows["fulfillment"].rows:
        if row.event in counts:
            yield from _must(row, counts[row.event] if row.state == "offered" else row.state)


def money_that_went_back_by_itself_stops_what_was_not_sent(flows: Flows) -> Iterator[str]:
    for row in flows["fulfillment"].rows:
        if row.event == "WITHDRAWN":
            yield from _must(row, "failed" if row.state in BEFORE_GO else row.state)


def a_run_is_followed_and_doubt_is_named(flows: Flows) -> Iterator[str]:
    for row in flows["fulfillment"].rows:
        if row.state in AFTER_GO and row.event == "STARTED":
            yield from _must(row, "in_doubt" if row.state == "in_doubt" else "started")
        elif row.state in AFTER_GO and row.event == "UNSURE":
            yield from _must(row, "in_doubt")


def old_news_moves_nothing(flows: Flows) -> Iterator[str]:
    for row in flows["fulfillment"].rows:
        late = row.state in AFTER_GO and row.event == "ACCEPT"
        early = row.state == "queued" and row.event in ("ACCEPT", "NOT_VENDED")
        if late or early:
            yield from _must(row, row.state)


_MOVES_MONEY = frozenset({"hand_over", "give_back", "expose"})


def positive_evidence_is_never_undone_by_the_machine(flows: Flows) -> Iterator[str]:
    """Once a unit is settled, no report of a machine moves money again: a thief of its secret could
    have all its past sales refunded. A contradiction is kept for a person."""
    for row in flows["fulfillment"].rows:
        if row.state in SETTLED:
            yield from _must(row, row.state)
            for job in sorted(_MOVES_MONEY & set(row.jobs)):
                yield f"{_name(row)}: {job} after the unit was settled"


# Money.

# What an answer of the gateway makes of a payment, an attempt or a refund that is still open.
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
}  # fmt: skip

# An open code can be paid after a declined attempt. Held money is not released by an old answer, by
# silence, or by a cancellation that no gateway confirmed. A running attempt is not begun a second
# time, and cannot be cancelled while its outcome is unknown. A refund that succeeded can fail only
# at the gateway itself.
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
    }
)


_WISHES = ("TAKE", "LET_GO")


def a_word_of_the_gateway_means_one_thing(flows: Flows) -> Iterator[str]:
    """In every state: a failure yields to a later capture, only a capture is success, silence is
    never a failure."""
    for name, means in _MEANS.items():
        ended = {"payment": {"succeeded", "canceled"}, "attempt": {"succeeded"}}.get(name)
        for row in flows[name].rows:
            stays = (name, row.state, row.event) in _STAYS or row.state in (ended or {"failed"})
            if row.event in _WISHES:
                continue  # ours, not the gateway's
            means_that = means.get(row.event)
            if means_that is None or stays:
                yield from _must(row, row.state)
            else:
                yield from _must(row, means_that)


def only_what_is_held_is_taken_or_let_go(flows: Flows) -> Iterator[str]:
    """Only held money is captured or voided. The gateway is asked then, and until it has answered
    the outcome is unknown."""
    for row in flows["payment"].rows:
        if row.event in _WISHES:
            yield from _must(row, "processing" if row.state == "authorized" else row.state)


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
    "fulfillment": {
        "send_offer": lambda row: row.event == "OFFER",
        "send_command": lambda row: row.event == "COMMAND",
        "send_go": lambda row: row.event == "ACCEPT" and row.state in ("offered", "going"),
        "send_query": lambda row: row.event == "SILENCE" and row.state in AFTER_GO,
        "hand_over": lambda row: _enters(row, "vended"),
        "give_back": lambda row: _enters(row, "failed"),
        "expose": lambda row: row.state == "in_doubt" and row.event == "DEADLINE",
        "note_discrepancy": lambda row: (
            (row.state, row.event) in (("failed", "VENDED"), ("vended", "NOT_VENDED"))
        ),
    },
}


def a_job_is_done_where_its_reason_is_and_nowhere_else(flows: Flows) -> Iterator[str]:
    """So goods are booked as sold once, owed money is refunded once, a settlement by policy is
    exposed, and evidence against a settlement always leaves a record."""
    for flow in flows.values():
        for row in flow.rows:
            wanted = {job for job, reason in REASONS[flow.name].items() if reason(row)}
            if wanted != set(row.jobs) or len(wanted) != len(row.jobs):
                yield f"{flow.name}: {_name(row)}: does {list(row.jobs)}, not {sorted(wanted)}"


def _enters(row: Row, state: str) -> bool:
    return row.next == state and row.state != state


def _must(row: Row, state: str) -> Iterator[str]:
    if row.next != state:
        yield f"{_name(row)} leads to {row.next}, not to {state}"


def _name(row: Row) -> str:
    return f"{row.event} in {row.state}"


LAWS: tuple[Law, ...] = (
    every_state_hears_every_event_it_may_meet,
    a_terminal_state_is_never_left,
    a_life_begins_in_the_first_row_and_may_reach_every_state,
    money_buys_goods_or_goes_back,
    a_debt_ends_only_on_evidence,
    silence_is_read_in_the_buyers_favour,
    go_is_never_taken_back,
    go_follows_an_accept_or_is_the_one_command,
    a_refusal_counts_only_before_go,
    money_that_went_back_by_itself_stops_what_was_not_sent,
    a_run_is_followed_and_doubt_is_named,
    old_news_moves_nothing,
    positive_evidence_is_never_undone_by_the_machine,
    a_word_of_the_gateway_means_one_thing,
    only_what_is_held_is_taken_or_let_go,
    a_job_is_done_where_its_reason_is_and_nowhere_else,
)


def breaches(flows: Flows) -> list[str]:
    """Every breach of every law; empty when all hold."""
    return [f"{law.__name__}: {said}" for law in LAWS for said in law(flows)]
