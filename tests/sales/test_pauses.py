"""How long something waits that did not end yet: twice as long each time, up to a bound."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from coinslot.payments import attempts, qr_codes, receipts, refunds

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DOUBLED = [3, 6, 12, 24, 40, 40]
CODES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def within(of: str) -> Any:
    windows = {f"{of}_look_s": 3, f"{of}_pause_max_s": 40}
    return SimpleNamespace(now=lambda: NOW, windows=SimpleNamespace(**windows))


def row(tries: int) -> Any:
    return {"tries": tries}


@pytest.mark.parametrize(
    ("waits", "first", "seconds"),
    [
        (lambda n: attempts._next_look(within("attempt"), n) - NOW, 1, DOUBLED),  # of its first try
        (lambda n: receipts._next_look(within("receipt"), row(n)) - NOW, 0, DOUBLED),
        (lambda n: refunds._next_look(within("refund"), row(n)) - NOW, 0, DOUBLED),
        (lambda n: qr_codes._pause(row(n)), 0, CODES),
    ],
    ids=["attempts", "receipts", "refunds", "codes"],
)
def test_what_has_not_ended_is_looked_at_ever_more_rarely_up_to_a_bound(
    waits: Callable[[int], timedelta], first: int, seconds: list[int]
) -> None:
    found = [waits(tries) for tries in range(first, first + len(seconds))]
    assert found == [timedelta(seconds=each) for each in seconds]
    assert waits(10**6) == found[-1], "and no number is too large for a clock"
