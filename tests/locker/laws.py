"""What must hold of a locker's table beside the laws of every kind in `states/laws.py`."""

from collections.abc import Iterator

from coinslot.states.laws import Flows, Law, must


def a_code_is_shown_only_of_a_reserved_door(flows: Flows) -> Iterator[str]:
    for row in flows["locker"].rows:
        if row.event == "RESERVE":
            yield from must(row, "reserved")
        elif row.event == "SHOW":
            yield from must(row, "shown")


def silence_after_the_code_is_doubt(flows: Flows) -> Iterator[str]:
    for row in flows["locker"].rows:
        if row.event == "SILENCE":
            yield from must(row, "doubted")


LAWS: tuple[Law, ...] = (a_code_is_shown_only_of_a_reserved_door, silence_after_the_code_is_doubt)
