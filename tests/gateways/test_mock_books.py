"""The mock gateway with a file for its books: it remembers, and shares them with others."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from coinslot.gateways import mock
from coinslot.gateways.base import (
    Absent,
    Declined,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Charge
from coinslot.kit.money import Money
from tests.gateways.canned import wire_to
from tests.gateways.collectors import fresh_charge


def opened(path: Path) -> mock.Mock:
    """As a process opens it."""
    settings = mock.Settings(method="card", books=str(path))
    till = mock.open(settings, wire_to(mock.address(settings)))
    assert isinstance(till, mock.Mock)
    return till


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mock.json"


def charge(minor: int) -> Charge:
    return replace(fresh_charge(Money(minor, "INR")), metadata={"table": "7"})


async def test_what_it_took_and_gave_back_it_knows_in_the_next_process(path: Path) -> None:
    asked = charge(5000)
    fact = await opened(path).collect(asked)
    assert isinstance(fact, PaymentFact)
    order = RefundOrder(
        gateway_payment_id=fact.gateway_payment_id, money=Money(2000, "INR"), key="r",
        mark=Mark(installation="here", refund=str(uuid4())),
    )  # fmt: skip
    refund = await opened(path).give_back(order)
    assert isinstance(refund, RefundFact)
    assert await opened(path).give_back(order) == refund
    looked = await opened(path).look(fact.gateway_payment_id)
    assert isinstance(looked, PaymentFact)
    assert (looked.mark, looked.refunded) == (asked.mark, order.money)
    assert await opened(path).collect(asked) == looked


async def test_the_amount_decides_and_what_was_lost_is_found(path: Path) -> None:
    till = opened(path)
    assert isinstance(await till.collect(charge(5001)), Declined)
    taken, not_taken = charge(5002), charge(5003)
    assert isinstance(await till.collect(taken), Unclear)
    assert isinstance(await till.collect(not_taken), Unclear)
    found = await opened(path).find_charge(taken)
    assert isinstance(found, PaymentFact)
    assert found.taken is Taken.CAPTURED
    assert await opened(path).find_charge(not_taken) == Absent()


async def test_two_at_once_lose_nothing(path: Path) -> None:
    one, two = opened(path), opened(path)
    charges = [charge(5000) for _ in range(20)]
    await asyncio.gather(*((one, two)[n % 2].collect(asked) for n, asked in enumerate(charges)))
    for asked in charges:
        assert isinstance(await one.find_charge(asked), PaymentFact)
