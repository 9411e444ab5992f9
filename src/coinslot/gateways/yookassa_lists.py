"""YooKassa's lists of a span of time. Part of `yookassa.py`. It has no API for what it paid out."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from coinslot.gateways import unread
from coinslot.gateways import yookassa_facts as read
from coinslot.gateways.base import Absent, Payments, Refunds, Unclear
from coinslot.gateways.listing import Listed, TooMany, whole

T = TypeVar("T")


class Lists:
    """`ListsPayments`. It lists payments by the time at which they were made: what is paid later,
    within its hour, is of the hour before."""

    _items: Callable[..., Awaitable[list[object] | TooMany | Absent | Unclear]]

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        found = await self._all("/payments", (since - read.TIME_TO_PAY, until), read.payment)
        return Payments(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear:
        found = await self._all("/refunds", (since, until), read.refund)
        return Refunds(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def _all(
        self, path: str, span: tuple[datetime, datetime], read_one: Callable[[object], T | None]
    ) -> Listed[T] | Unclear:
        async def ask(since: datetime, until: datetime) -> Listed[T] | Unclear | TooMany:
            items = await self._items(path, created(since, until))
            if not isinstance(items, list):
                return Unclear("there is no such list") if isinstance(items, Absent) else items
            facts, odd = unread.read_each(items, read_one)
            return Listed(tuple(facts), tuple(odd))

        return await whole(*span, ask)


def created(since: datetime, until: datetime) -> dict[str, str]:
    return {"created_at.gte": _time(since), "created_at.lt": _time(until)}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
