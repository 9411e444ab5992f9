"""YooKassa's lists of a span of time. Part of `yookassa.py`. It has no API for what it paid out."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from coinslot.gateways import yookassa_facts as read
from coinslot.gateways.base import Absent, Payments, Refunds, Unclear


class Lists:
    """`ListsPayments`. It lists payments by the time at which they were made: what is paid later,
    within its hour, is of the hour before."""

    _list: Callable[..., Awaitable[list[Any] | Absent | Unclear]]

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        span = _span(since - read.TIME_TO_PAY, until)
        found = await self._list("/payments", span, read.payment)
        return Payments(tuple(found)) if isinstance(found, list) else _unclear(found)

    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear:
        found = await self._list("/refunds", _span(since, until), read.refund)
        return Refunds(tuple(found)) if isinstance(found, list) else _unclear(found)


def _span(since: datetime, until: datetime) -> dict[str, str]:
    return {"created_at.gte": _time(since), "created_at.lt": _time(until)}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _unclear(found: Absent | Unclear) -> Unclear:
    return found if isinstance(found, Unclear) else Unclear("there is no such list")
