"""What must hold of a machine's table beside the laws of every kind; read like those."""

from collections.abc import Iterator

from coinslot.states.laws import Flows, Law, must, name_of
from coinslot.vending.flow import SENT, UNSENT


def silence_only_asks_or_queues_again(flows: Flows) -> Iterator[str]:
    for row in flows["vending"].rows:
        if row.event == "SILENCE":
            yield from must(row, "queued" if row.state in UNSENT else row.state)


def go_follows_an_accept_or_is_the_one_command(flows: Flows) -> Iterator[str]:
    for row in flows["vending"].rows:
        word = (row.state, row.event)
        if word in (("offered", "ACCEPT"), ("queued", "COMMAND")):
            yield from must(row, "going")
        elif row.event == "OFFER":
            yield from must(row, "offered")
        elif row.state in UNSENT and row.next in (*SENT, "offered"):
            yield f"{name_of(row)}: nothing was sent that could come to this"


def a_refusal_counts_only_before_go(flows: Flows) -> Iterator[str]:
    """Of an offer it ends the unit, or puts it back; of anything else it proves nothing."""
    counts = {"REJECT": "failed", "BUSY": "queued", "NOT_VENDED": "failed"}
    for row in flows["vending"].rows:
        if row.event in counts and (row.state in UNSENT or row.event != "NOT_VENDED"):
            yield from must(row, counts[row.event] if row.state == "offered" else row.state)


def a_run_is_followed_and_doubt_is_named(flows: Flows) -> Iterator[str]:
    for row in flows["vending"].rows:
        if row.state in SENT and row.event == "STARTED":
            yield from must(row, "in_doubt" if row.state == "in_doubt" else "started")
        elif row.state in SENT and row.event == "UNSURE":
            yield from must(row, "in_doubt")


def old_news_moves_nothing(flows: Flows) -> Iterator[str]:
    for row in flows["vending"].rows:
        late = row.state in SENT and row.event == "ACCEPT"
        early = row.state == "queued" and row.event == "ACCEPT"
        if late or early:
            yield from must(row, row.state)


LAWS: tuple[Law, ...] = (
    silence_only_asks_or_queues_again,
    go_follows_an_accept_or_is_the_one_command,
    a_refusal_counts_only_before_go,
    a_run_is_followed_and_doubt_is_named,
    old_news_moves_nothing,
)
