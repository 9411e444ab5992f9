"""Which background work fails again and again."""

from datetime import UTC, datetime, timedelta

import pytest

from coinslot.kit.clock import SettableClock
from coinslot.kit.failures import SHOWN_AT_MOST, Failures

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOON)


@pytest.fixture
def failures(clock: SettableClock) -> Failures:
    return Failures(clock)


def test_work_is_shown_from_its_third_failure_in_a_row_until_it_succeeds(
    failures: Failures, clock: SettableClock
) -> None:
    for _ in range(2):
        failures.failed("days_not_summed", KeyError("x"))
        failures.failed("books_not_compared", KeyError("x"))
    assert failures.shown() == []
    assert not failures.changed.is_set()
    failures.succeeded("books_not_compared")
    failures.failed("books_not_compared", KeyError("x"))
    assert failures.shown() == []  # its count began anew
    clock.advance(timedelta(seconds=5))
    failures.failed("days_not_summed", ValueError("a secret"))
    assert failures.changed.is_set()
    (shown,) = failures.shown()
    assert (shown.work, shown.times, shown.error) == ("days_not_summed", 3, "ValueError")
    assert shown.at == NOON + timedelta(seconds=5)
    assert str(shown) == (
        "days_not_summed failed 3 times in a row, last at 2026-11-30 12:00:05 UTC with ValueError"
    )
    failures.changed.clear()
    failures.failed("days_not_summed", ValueError())
    assert not failures.changed.is_set()  # others know of it already
    failures.succeeded("days_not_summed")
    assert failures.changed.is_set()
    assert failures.shown() == []


def test_a_row_that_fails_is_shown_though_others_succeed_and_another_process_may_end_it(
    failures: Failures, clock: SettableClock
) -> None:
    for _ in range(3):
        for row in (7, 8):
            failures.failed("chore_failed refunds", KeyError(), row)
        failures.succeeded("chore_failed refunds", 9)
    (shown,) = failures.shown()
    assert (shown.work, shown.times, shown.rows) == ("chore_failed refunds", 3, 2)
    assert "(rows that fail: 2)" in str(shown)
    failures.succeeded("chore_failed refunds", 7)
    assert [one.rows for one in failures.shown()] == [1]
    clock.advance(timedelta(minutes=16))
    assert failures.shown() == []


def test_however_much_fails_little_is_kept_and_rounds_are_not_forgotten_for_rows(
    failures: Failures,
) -> None:
    for _ in range(3):
        failures.failed("a_round", KeyError())
        for row in range(300):
            failures.failed("chore_failed refunds", KeyError(), row)
    assert [(one.work, one.rows) for one in failures.shown()] == [
        ("a_round", 0), ("chore_failed refunds", 200),
    ]  # fmt: skip
    for number in range(50):
        for _ in range(3):
            failures.failed(f"work {number}", type("E" * 500, (Exception,), {})())
    assert len(failures.shown()) == SHOWN_AT_MOST
    assert all(len(one.error) <= 80 for one in failures.shown())
