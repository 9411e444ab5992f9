"""A table of moves answers, and says when it has no answer."""

import pytest

from coinslot.kit.flow import AmbiguousFlowError, Flow, Row

DOOR = Flow(
    "door",
    initial="closed",
    terminal=["bricked_up"],
    rows=[
        Row("closed", "PUSH", "open"),
        Row("open", "WIND", "closed", ("oil_hinge", "note_draught")),
        Row("closed", "BRICKS", "bricked_up"),
    ],
)


def test_a_known_event_names_the_next_state_and_the_jobs() -> None:
    row = DOOR.next("open", "WIND")
    assert row is not None
    assert (row.next, row.jobs) == ("closed", ("oil_hinge", "note_draught"))


@pytest.mark.parametrize(
    ("state", "event"),
    [("open", "PUSH"), ("bricked_up", "PUSH"), ("nowhere", "PUSH"), ("closed", "DEADLINE")],
)
def test_an_event_without_a_row_has_no_answer(state: str, event: str) -> None:
    assert DOOR.next(state, event) is None


def test_states_and_events_are_those_of_the_table() -> None:
    assert DOOR.states == {"closed", "open", "bricked_up"}
    assert DOOR.events == {"PUSH", "WIND", "BRICKS"}
    assert DOOR.name == "door"


def test_a_state_that_no_row_reaches_still_counts() -> None:
    assert Flow("stub", "begun", ["ended"], []).states == {"begun", "ended"}


def test_two_answers_to_one_question_are_refused() -> None:
    with pytest.raises(AmbiguousFlowError):
        Flow("door", "closed", [], [Row("closed", "PUSH", "open"), Row("closed", "PUSH", "closed")])


def test_nobody_changes_a_row_of_a_table() -> None:
    row = DOOR.rows[0]
    with pytest.raises(AttributeError):
        row.next = "bricked_up"  # type: ignore[misc]
    assert DOOR.next("closed", "PUSH") == row


def test_only_a_state_and_its_event_together_are_one_question() -> None:
    rows = [Row("closed", "PUSH", "open"), Row("open", "PUSH", "open"), Row("open", "WIND", "open")]
    assert len(Flow("door", "closed", [], rows).rows) == 3
