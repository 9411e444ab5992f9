"""What becomes of a try, and when the next one is: pauses, Retry-After and their bounds."""

import functools
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.events.webhooks.safe_http import TryOutcome
from coinslot.events.webhooks.signing import HookRules

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
S = timedelta(seconds=1)
RULES = HookRules(pauses_s=(5.0, 300.0), jitter=0.5, retry_after_max_s=3600)


@functools.cache
def sender(luck: float = 0.0) -> WebhookSender:
    context: Any = SimpleNamespace(wakes=SimpleNamespace(of=lambda _: None), now=lambda: NOW)
    made = WebhookSender(context, RULES)
    made._random = SimpleNamespace(random=lambda: luck)  # type: ignore[assignment]
    return made


def told(status: int | None, retry_after: str | None = None) -> TryOutcome:
    return TryOutcome(
        status=status, failure=None, response=None, took_ms=1, retry_after=retry_after
    )


@pytest.mark.parametrize(
    ("tries", "status", "outcome", "after"),
    [
        (1, 200, "delivered", None),
        (3, 204, "delivered", None),
        (1, 500, None, 5),
        (2, None, None, 300),
        (3, 500, "given_up", None),
        (4, 404, "given_up", None),
    ],
)
async def test_a_try_delivers_or_is_repeated_after_its_pause_or_is_the_last(
    tries: int, status: int | None, outcome: str | None, after: int | None
) -> None:
    due = None if after is None else NOW + after * S
    assert sender()._outcome(tries, told(status), NOW) == (outcome, due)


async def test_pauses_are_spread_so_that_not_all_come_at_once() -> None:
    assert sender(1.0)._outcome(1, told(500), NOW) == (None, NOW + 7.5 * S)
    assert sender(0.5)._outcome(2, told(500), NOW) == (None, NOW + 375 * S)


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [
        (429, "17", 17), (502, "17", 17), (503, "17", 17), (504, "17", 17), (500, "17", 0),
        (410, "17", 0), (429, None, 0), (429, "0", 0), (429, "3600", 3600), (429, "3601", 3600),
        (429, "9" * 400, 3600), (429, "-5", 0), (429, "1.5", 0), (429, "soon", 0), (429, "", 0),
        (429, "١٧", 0),
        (429, "Sat, 21 Nov 2026 12:00:17 GMT", 17), (429, "Sat, 21 Nov 2026 11:59:00 GMT", 0),
        (429, "Sat, 21 Nov 2026 14:00:00 GMT", 3600), (429, "Sat, 21 Nov 2026 12:00:17", 0),
        (429, "Sat, 99 Nov 2026 12:00:17 GMT", 0),
    ],
)  # fmt: skip
async def test_who_is_throttled_says_for_how_long_within_a_bound(
    status: int, retry_after: str | None, seconds: int
) -> None:
    assert sender()._asked_for(told(status, retry_after), NOW) == seconds * S
    due = sender()._outcome(1, told(status, retry_after), NOW)[1]
    assert due == NOW + max(seconds, 5) * S


@pytest.mark.parametrize(
    ("busy", "slow", "free"),
    [(0, 0, 64), (63, 0, 1), (64, 0, 0), (64, 10, 10), (576, 512, 0), (512, 511, 1)],
)
async def test_tries_that_take_long_leave_their_places_to_others_up_to_a_number(
    busy: int, slow: int, free: int
) -> None:
    made: Any = sender()
    made._busy = Counter({(UUID(int=1), UUID(int=2)): busy})
    made._slow = set(range(slow))
    assert made._free() == free
    made._busy, made._slow = Counter(), set()


def test_a_webhook_is_tried_for_three_days_and_an_endpoint_fails_for_five() -> None:
    rules = HookRules()
    assert list(rules.pauses_s) == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert (rules.overlap_s, rules.disable_s, rules.retry_after_max_s) == (86_400, 432_000, 3600)
    assert (rules.timeout_s, rules.lease_slack_s, rules.jitter) == (15, 15, 0.2)
    assert (rules.at_once, rules.at_once_merchant, rules.at_once_each) == (64, 16, 8)
    assert (rules.slow_s, rules.slow_at_once, rules.private_addresses) == (1, 512, False)
