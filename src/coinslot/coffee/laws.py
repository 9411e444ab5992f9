"""What must hold of a coffee machine's table beside the laws of every kind; read like those."""

from collections.abc import Iterator

from coinslot.states.laws import Flows, Law, must, name_of


def a_cup_is_commanded_once(flows: Flows) -> Iterator[str]:
    """From the first state alone, and nothing leads back to it."""
    for row in flows["coffee"].rows:
        if row.event == "MAKE":
            yield from must(row, "making")
        elif row.next == "making" and row.state != "making":
            yield f"{name_of(row)}: nothing was commanded"
        elif row.state == "to_make" and row.next == "to_make":
            yield f"{name_of(row)}: it stays, and is commanded later"


def an_answer_opens_the_grace_and_silence_makes_doubt(flows: Flows) -> Iterator[str]:
    means = {"TAKEN_ON": "in_grace", "UNCLEAR": "in_doubt"}
    for row in flows["coffee"].rows:
        if row.event in means:
            yield from must(row, means[row.event] if row.state == "making" else row.state)


def a_customers_word_makes_doubt_and_no_money_moves_by_it(flows: Flows) -> Iterator[str]:
    for row in flows["coffee"].rows:
        if row.event == "DENIED":
            yield from must(row, "in_doubt")


LAWS: tuple[Law, ...] = (
    a_cup_is_commanded_once,
    an_answer_opens_the_grace_and_silence_makes_doubt,
    a_customers_word_makes_doubt_and_no_money_moves_by_it,
)
