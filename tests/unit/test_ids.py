"""Identifiers and the clock they are made by."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinslot.kit.clock import SettableClock, SystemClock, monotonic_ms
from coinslot.kit.ids import CODE_LETTERS, code, token, uuid7

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
times = st.integers(0, 2**57).map(lambda micros: EPOCH + timedelta(microseconds=micros))


@given(times, times)
def test_a_later_microsecond_sorts_later(a: datetime, b: datetime) -> None:
    if a != b:
        assert (uuid7(a) < uuid7(b)) == (a < b)


@given(times, st.integers(1, 1000))
def test_neighbouring_microseconds_keep_their_order(a: datetime, micros: int) -> None:
    assert uuid7(a) < uuid7(a + timedelta(microseconds=micros))


@given(times)
def test_it_is_a_uuid_of_version_seven_that_starts_with_the_milliseconds(now: datetime) -> None:
    made = uuid7(now)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == (now - EPOCH) // timedelta(milliseconds=1)


def test_the_zone_of_the_time_makes_no_difference() -> None:
    kolkata = timezone(timedelta(hours=5, minutes=30))
    assert uuid7(NOON).int >> 64 == uuid7(NOON.astimezone(kolkata)).int >> 64


def test_ids_of_one_instant_differ() -> None:
    assert len({uuid7(NOON) for _ in range(1000)}) == 1000


def test_it_survives_its_own_text() -> None:
    made = uuid7(NOON)
    assert UUID(str(made)) == made


def test_tokens_are_long_and_need_no_escaping_in_a_url() -> None:
    made = {token() for _ in range(100)}
    assert len(made) == 100
    assert all(
        len(text) == 27 and text.replace("-", "").replace("_", "").isalnum() for text in made
    )


def test_codes_have_no_letter_that_is_mistaken_for_a_digit() -> None:
    assert set(code(2000)) == set(CODE_LETTERS)
    assert not set(CODE_LETTERS) & set("IO01")
    assert len(code(6)) == 6


def test_the_system_clock_is_aware_and_its_milliseconds_never_fall() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic_ms() <= monotonic_ms()


def test_a_settable_clock_moves_only_when_told_and_only_forward() -> None:
    clock = SettableClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(timedelta(seconds=1.5))
    assert clock.now() == NOON + timedelta(seconds=1.5)
    assert clock.monotonic_ms() == 1500
    with pytest.raises(ValueError):
        clock.advance(timedelta(seconds=-1))


def test_a_settable_clock_starts_at_an_aware_time() -> None:
    with pytest.raises(ValueError):
        SettableClock(NOON.replace(tzinfo=None))
