"""Another party's clock, told by its answers and its events; zones by their names."""

from datetime import UTC, datetime, timedelta

import pytest

from coinslot.kit.clock import RemoteClock, SettableClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HALF = timedelta(milliseconds=500)  # a Date has whole seconds: on average half a one is missing


class Ours:
    """A clock that somebody may set, over one that only runs."""

    def __init__(self) -> None:
        self.runs = SettableClock(NOON)
        self.set_by = timedelta(0)

    def now(self) -> datetime:
        return self.runs.now() + self.set_by

    def monotonic_ms(self) -> int:
        return self.runs.monotonic_ms()


def test_nothing_is_known_of_a_clock_that_said_nothing() -> None:
    there = RemoteClock(Ours())
    assert there.ahead() is None
    assert there.now() == NOON


def test_one_answer_is_not_believed_and_two_are() -> None:
    ours = Ours()
    ours.set_by = 2 * MINUTE
    there = RemoteClock(ours)
    there.record_answer(NOON, 0)
    assert there.ahead() is None
    there.record_answer(NOON, 0)
    assert there.ahead() == 2 * MINUTE - HALF
    assert there.now() == NOON + HALF


@pytest.mark.parametrize("by", [2 * MINUTE, -2 * MINUTE, 60 * MINUTE, timedelta(0)])
def test_the_difference_is_found_within_a_second(by: timedelta) -> None:
    ours = Ours()
    ours.set_by = by
    there = RemoteClock(ours)
    for _ in range(5):
        there.record_answer(ours.runs.now().replace(microsecond=0), 0)
        ours.runs.advance(timedelta(seconds=20, milliseconds=370))
    ahead = there.ahead()
    assert ahead is not None
    assert abs(ahead - by) <= timedelta(seconds=1)


def test_some_wrong_dates_change_nothing() -> None:
    ours = Ours()
    there = RemoteClock(ours)
    for wrong in (None, -60 * MINUTE, None, None, 600 * MINUTE, None, -60 * MINUTE):
        there.record_answer(ours.now() + (wrong or timedelta(0)), 0)
    assert there.ahead() == -HALF


def test_an_answer_was_given_in_the_middle_of_its_way_and_a_slow_one_tells_nothing() -> None:
    there = RemoteClock(Ours())
    there.record_answer(NOON, 2000)
    there.record_answer(NOON, 2000)
    assert there.ahead() == timedelta(seconds=-1) - HALF
    slow = RemoteClock(Ours())
    slow.record_answer(NOON, 4001)
    slow.record_answer(NOON, 4001)
    assert slow.ahead() is None


def test_when_somebody_sets_our_clock_the_difference_follows_at_once() -> None:
    ours = Ours()
    there = RemoteClock(ours)
    for _ in range(10):
        there.record_answer(ours.now(), 0)
    ours.set_by = 60 * MINUTE
    assert there.ahead() == 60 * MINUTE - HALF
    ours.set_by = timedelta(0)
    assert there.ahead() == -HALF


def test_what_was_heard_long_ago_is_forgotten() -> None:
    ours = Ours()
    there = RemoteClock(ours)
    there.record_answer(NOON, 0)
    there.record_answer(NOON, 0)
    ours.runs.advance(61 * MINUTE)
    assert there.ahead() is None


def test_without_answers_the_promptest_event_counts() -> None:
    """Late ones say only that so much may have passed."""
    ours = Ours()
    ours.set_by = 2 * MINUTE
    there = RemoteClock(ours)
    for late in (timedelta(0), 10 * MINUTE):
        there.record_event(NOON - late)
    assert there.ahead() is None
    there.record_event(NOON - MINUTE)
    assert there.ahead() == 2 * MINUTE


def test_answers_count_more_than_events() -> None:
    there = RemoteClock(Ours())
    for _ in range(3):
        there.record_event(NOON - 10 * MINUTE)
        there.record_answer(NOON, 0)
    assert there.ahead() == -HALF
