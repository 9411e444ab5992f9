"""The mock gateway over a bad connection: seeded time-outs, errors, and answers lost after the
effect.

For testing what a merchant's server does then. Its payers and its webhooks are never late."""

import random
from collections.abc import Awaitable, Callable
from typing import Annotated, ClassVar, TypeVar

from msgspec import Meta, Struct

from coinslot.gateways import base, mock
from coinslot.gateways.base import Absent, Declined, PaymentFact, QrFact, RefundFact, Unclear
from coinslot.gateways.collecting import Charge, Closed, Progress
from coinslot.gateways.receipts import Receipt
from coinslot.gateways.wire import Address, Wire
from coinslot.kit.clock import SystemClock
from coinslot.kit.money import Money

T = TypeVar("T")
Percent = Annotated[int, Meta(ge=0, le=100)]
ALL = 100

name = "flaky"


class Settings(mock.Settings, frozen=True, kw_only=True):
    """One account. The same seed and the same calls meet the same weather."""

    seed: int = 1
    timeouts_percent: Percent = 10  # nothing was done
    errors_percent: Percent = 10  # a 5xx, and nothing was done
    drops_percent: Percent = 10  # it was done, and the answer was lost


def address(settings: Struct) -> Address:
    return mock.address(settings)


def practising(settings: Struct, where: base.Practise) -> Settings:
    assert isinstance(settings, Settings)
    return settings


def open(settings: Struct, wire: Wire) -> base.Gateway:
    assert isinstance(settings, Settings)
    return Flaky(settings, mock.Books(SystemClock()))


class Flaky(mock.Mock):
    """One account, with everything that `Mock` can do."""

    name: ClassVar[str] = name
    title: ClassVar[str] = "Practice gateway with faults"

    def __init__(self, settings: Settings, books: mock.Books) -> None:
        super().__init__(settings, books)
        self._settings = settings
        self._dice = random.Random(settings.seed)

    async def _through(self, work: Callable[[], Awaitable[T]]) -> T | Unclear:
        shares, thrown = self._settings, self._dice.randrange(ALL)
        if thrown < shares.timeouts_percent:
            return Unclear("time-out")
        thrown -= shares.timeouts_percent
        if thrown < shares.errors_percent:
            return Unclear("HTTP 503")
        answer = await work()
        dropped = thrown - shares.errors_percent < shares.drops_percent
        return Unclear("the connection was cut") if dropped else answer

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        return await self._through(lambda: super(Flaky, self).collect(charge))

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        return await self._through(lambda: super(Flaky, self).follow(reference))

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        return await self._through(lambda: super(Flaky, self).find_charge(charge))

    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        return await self._through(lambda: super(Flaky, self).cancel(reference))

    async def capture(
        self, reference: str, money: Money, key: str, receipt: Receipt | None = None
    ) -> PaymentFact | Declined | Unclear:
        return await self._through(
            lambda: super(Flaky, self).capture(reference, money, key, receipt)
        )

    async def void(self, reference: str, key: str) -> Closed | Declined | Unclear:
        return await self._through(lambda: super(Flaky, self).void(reference, key))

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        return await self._through(lambda: super(Flaky, self).look(gateway_payment_id))

    async def give_back(self, order: base.RefundOrder) -> RefundFact | Declined | Unclear:
        return await self._through(lambda: super(Flaky, self).give_back(order))

    async def refunds(self, gateway_payment_id: str) -> base.Refunds | Absent | Unclear:
        return await self._through(lambda: super(Flaky, self).refunds(gateway_payment_id))

    async def print_qr(self, order: base.QrOrder) -> QrFact | Declined | Unclear:
        return await self._through(lambda: super(Flaky, self).print_qr(order))

    async def close_qr(self, qr_code_id: str) -> QrFact | Declined | Unclear:
        return await self._through(lambda: super(Flaky, self).close_qr(qr_code_id))


Opened = Flaky
