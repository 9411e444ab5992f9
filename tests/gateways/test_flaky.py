"""The flaky gateway: what it does to calls, and that patience with one key ends in one effect."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import uuid4

import pytest
from msgspec.structs import replace

from coinslot.gateways import flaky, mock
from coinslot.gateways.base import Absent, Mark, PaymentFact, RefundFact, RefundOrder, Unclear
from coinslot.kit.clock import SettableClock, SystemClock
from coinslot.kit.money import Money
from tests.gateways.collectors import fresh_charge

T = TypeVar("T")
TRIES = 400


def opened(**shares: int) -> tuple[flaky.Flaky, mock.Books]:
    books = mock.Books(SettableClock(SystemClock().now()))
    none = {"timeouts_percent": 0, "errors_percent": 0, "drops_percent": 0}
    return flaky.Flaky(replace(flaky.Settings(), **(none | shares)), books), books


async def patiently(call: Callable[[], Awaitable[T | Unclear]]) -> T:
    """The first clear answer."""
    for _ in range(50):
        answer = await call()
        if not isinstance(answer, Unclear):
            return answer
    raise AssertionError("never a clear answer")


@pytest.mark.parametrize(
    ("shares", "done"),
    [({"timeouts_percent": 100}, 0), ({"errors_percent": 100}, 0), ({"drops_percent": 100}, 1)],
)
async def test_a_trouble_is_unclear_and_was_done_or_not(shares: dict[str, int], done: int) -> None:
    till, books = opened(**shares)
    answer = await till.collect(fresh_charge(Money(4000, "INR"), "card"))
    assert isinstance(answer, Unclear)
    assert len(books.payments) == done


async def test_patience_with_one_key_ends_in_one_charge_and_one_refund() -> None:
    till, books = opened(timeouts_percent=25, errors_percent=25, drops_percent=25, seed=7)
    charges = [fresh_charge(Money(4000, "INR"), "card") for _ in range(50)]
    for charge in charges:
        fact = await patiently(lambda charge=charge: till.collect(charge))  # type: ignore[misc]
        assert isinstance(fact, PaymentFact)
        order = RefundOrder(
            gateway_payment_id=fact.gateway_payment_id,
            money=fact.money,
            key=str(uuid4()),
            mark=Mark(installation="here", refund=str(uuid4())),
        )
        refund = await patiently(lambda order=order: till.give_back(order))  # type: ignore[misc]
        assert isinstance(refund, RefundFact)
    assert len(books.payments) == len(books.refunds) == len(charges)


async def test_the_same_seed_meets_the_same_weather_in_the_asked_shares() -> None:
    stories = []
    for seed in (1, 1, 2):
        till, _ = opened(timeouts_percent=10, errors_percent=20, drops_percent=30, seed=seed)
        stories.append([await till.follow("nowhere") for _ in range(TRIES)])
    assert stories[0] == stories[1] != stories[2]
    counted = {Unclear("time-out"): 10, Unclear("HTTP 503"): 20}
    counted |= {Unclear("the connection was cut"): 30}
    for answer, percent in counted.items():
        share = stories[0].count(answer) * 100 / TRIES
        assert abs(share - percent) < 7
    assert Absent() in stories[0]
