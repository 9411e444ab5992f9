"""What a driver says whose gateway lists what happened in a span of time, for the nightly pass.

Optional powers beside `base.Gateway`, as `PrintsQr` is. An answer is whole, or it is `Unclear`.
"""

from datetime import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct

from coinslot.gateways.base import Payments, Refunds, Unclear
from coinslot.kit.money import Money


class SettledLine(Struct, frozen=True, kw_only=True):
    """One payment as the gateway paid it out. Refunds are in the same settlements, and not here:
    what they cost is known when they are made."""

    gateway_payment_id: str
    gross: Money
    fee: Money  # tax included; what is paid out is `gross - fee`
    settlement: str
    at: datetime


class Settlements(Struct, frozen=True):
    """All payments that were paid out in a span of time."""

    lines: tuple[SettledLine, ...]


@runtime_checkable
class ListsPayments(Protocol):
    """A gateway that lists payments and refunds by the time at which they were made."""

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear: ...

    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear: ...


@runtime_checkable
class Settles(Protocol):
    """A gateway that says what it paid out."""

    async def settled_between(self, since: datetime, until: datetime) -> Settlements | Unclear: ...
