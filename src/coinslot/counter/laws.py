"""What must hold of a counter's table beside the laws of every kind; read like those."""

from collections.abc import Iterator

from coinslot.states.laws import Flows, Law, must


def what_staff_do_means_one_thing(flows: Flows) -> Iterator[str]:
    """They go one step on, and one step back."""
    means = {
        "ACCEPTED": "in_preparation", "FINISHED": "to_pick_up", "HANDING": "handing",
        "REJECTED": "not_picked_up", "CANCELLED": "not_picked_up",
    }  # fmt: skip
    back = {"to_pick_up": "in_preparation", "in_preparation": "to_accept"}
    for row in flows["counter"].rows:
        if row.event == "UNDONE":
            yield from must(row, back.get(row.state, row.state))
        elif row.event in means:
            yield from must(row, means[row.event])


def nothing_is_handed_over_that_was_not_accepted(flows: Flows) -> Iterator[str]:
    for row in flows["counter"].rows:
        if row.next == "handing" and row.state not in ("in_preparation", "to_pick_up", "handing"):
            yield f"{row.event} in {row.state} hands over what nobody accepted"


LAWS: tuple[Law, ...] = (
    what_staff_do_means_one_thing,
    nothing_is_handed_over_that_was_not_accepted,
)
