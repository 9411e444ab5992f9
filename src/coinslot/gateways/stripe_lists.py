"""Stripe's lists of a span of time: charges, refunds, and what came into the balance. Part of
`stripe.py`."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import msgspec

from coinslot.gateways import stripe_facts as read
from coinslot.gateways import stripe_shapes as shapes
from coinslot.gateways.base import Absent, Payments, Refunds, Unclear
from coinslot.gateways.listing import SettledLine, Settlements
from coinslot.kit.money import Money

T = TypeVar("T")

PENDING_AT_MOST = timedelta(days=14)  # from the movement to the day on which it can be paid out


class _Pages(Protocol):
    """What `stripe.py` asks a list with: all pages, or why not."""

    async def _list(
        self, path: str, filters: Mapping[str, str | int]
    ) -> list[object] | Absent | Unclear: ...


class Lists:
    """`ListsPayments` and `Settles`. A charge is listed by the time at which it was made."""

    async def payments_between(
        self: _Pages, since: datetime, until: datetime
    ) -> Payments | Unclear:
        asked = _span(since, until) | {"expand[0]": "data.balance_transaction"}
        found = _read(await self._list("/v1/charges", asked), read.charge)
        return Payments(found) if isinstance(found, tuple) else found

    async def refunds_between(self: _Pages, since: datetime, until: datetime) -> Refunds | Unclear:
        listed = await self._list("/v1/refunds", _span(since, until))
        found = _read(listed, read.refund_of_payment)
        return Refunds(found) if isinstance(found, tuple) else found

    async def settled_between(
        self: _Pages, since: datetime, until: datetime
    ) -> Settlements | Unclear:
        """It lists movements by the time at which they were made; they are available later."""
        asked: dict[str, str | int] = {"type": "charge", "expand[0]": "data.source"}
        asked |= _span(since - PENDING_AT_MOST, until)
        found = _read(await self._list("/v1/balance_transactions", asked), _line)
        if not isinstance(found, tuple):
            return found
        return Settlements(tuple(line for line in found if since <= line.at < until))


def _line(body: object) -> SettledLine | None:
    said = msgspec.convert(body, shapes.Balance)
    source = msgspec.convert(said.source, shapes.Charge)
    if source.payment_intent is None or said.available_on is None:
        return None
    currency = said.currency.upper()
    return SettledLine(
        gateway_payment_id=source.payment_intent,
        gross=Money(said.amount, currency),
        fee=Money(said.fee, currency),
        settlement=said.id,
        at=datetime.fromtimestamp(said.available_on, UTC),
    )


def _span(since: datetime, until: datetime) -> dict[str, str | int]:
    return {"created[gte]": int(since.timestamp()), "created[lt]": int(until.timestamp())}


def _read(listed: Any, read_one: Callable[[object], T | None]) -> tuple[T, ...] | Unclear:
    """All of them, or nothing: what cannot be read leaves a gap."""
    if not isinstance(listed, list):
        return listed if isinstance(listed, Unclear) else Unclear("there is no such list")
    try:
        found = [read_one(item) for item in listed]
    except ValueError as error:
        return Unclear(f"unreadable item: {error}")
    return tuple(dict.fromkeys(fact for fact in found if fact is not None))
