"""Razorpay's lists of a span of time: payments, refunds, and what it paid out. Part of
`razorpay.py`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from coinslot.gateways import razorpay_facts as read
from coinslot.gateways import unread
from coinslot.gateways.asking import known
from coinslot.gateways.base import Absent, Payments, Refunds, Unclear, Unread
from coinslot.gateways.listing import Listed, SettledLine, Settlements, TooMany, whole
from coinslot.gateways.wire import Call
from coinslot.kit.money import Money

T = TypeVar("T")

PAGE, MAX_PAGES = 100, 50
DAY_PAGES = 2_000  # of settlements, which are listed by whole days alone
RECON = "/v1/settlements/recon/combined"
INDIA = timezone(timedelta(hours=5, minutes=30))  # its days
Params = dict[str, int]


class _Line(Struct):
    entity_id: read.Ident
    type: str
    amount: read.Minor
    currency: str
    fee: Annotated[int, Meta(ge=-(10**14), le=10**14)]
    settled: bool
    settlement_id: read.Ident | None = None
    settled_at: read.Seconds | None = None


class Found(Struct, Generic[T]):
    """What a list holds."""

    facts: tuple[T, ...]
    gap: str = ""  # why this may not be the whole list: it broke off
    unread: tuple[Unread, ...] = ()
    many: bool = False  # it broke off because there is more than is read at once

    @property
    def doubt(self) -> str:
        """Why it proves no absence."""
        return self.gap or (f"unreadable item: {self.unread[0].reason}" if self.unread else "")


class Lists:
    """`ListsPayments` and `Settles`, and how every list of theirs is read."""

    _ask: Callable[[Call, Callable[[object], Any]], Awaitable[Any]]

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        found = await self._all("/v1/payments", (since, until), read.payment)
        return Payments(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear:
        found = await self._all("/v1/refunds", (since, until), read.refund)
        return Refunds(found.facts, unread=found.unread) if isinstance(found, Listed) else found

    async def settled_between(self, since: datetime, until: datetime) -> Settlements | Unclear:
        """It lists settlements by the day, as days are in India."""
        lines: list[SettledLine] = []
        odd: list[Unread] = []
        day = since.astimezone(INDIA).date()
        while day <= until.astimezone(INDIA).date():
            params = {"year": day.year, "month": day.month, "day": day.day}
            found = await self._list(RECON, _line, params, DAY_PAGES)
            if not isinstance(found, Found) or found.gap:
                return Unclear(found.gap) if isinstance(found, Found) else _unclear(found)
            lines += [line for line in found.facts if since <= line.at < until]
            odd += found.unread
            day += timedelta(days=1)
        return Settlements(tuple(dict.fromkeys(lines)), tuple(dict.fromkeys(odd)))

    async def _all(
        self, path: str, span: tuple[datetime, datetime], read_one: Callable[[object], T | None]
    ) -> Listed[T] | Unclear:
        async def ask(since: datetime, until: datetime) -> Listed[T] | Unclear | TooMany:
            found = await self._list(path, read_one, _span(since, until))
            if not isinstance(found, Found):
                return _unclear(found)
            if found.gap:
                return TooMany(found.gap) if found.many else Unclear(found.gap)
            return Listed(found.facts, found.unread)

        return await whole(*span, ask)

    async def _list(
        self,
        path: str,
        read_one: Callable[[object], T | None],
        params: Params | None = None,
        pages: int = MAX_PAGES,
    ) -> Found[T] | Absent | Unclear:
        """All pages. What cannot be read is named, and does not hide the rest."""
        facts: dict[T, None] = {}  # new items shift the pages while we turn them
        odd: dict[Unread, None] = {}
        for page in range(pages):
            asked = {"count": PAGE, "skip": page * PAGE, **(params or {})}
            call = Call(method="GET", path=path, params=asked)
            items = known(await self._ask(call, read.items))
            if not isinstance(items, list):
                if page == 0:
                    return items
                return Found(tuple(facts), f"page {page + 1}: {items}", tuple(odd))
            read_now, odd_now = unread.read_each(items, read_one)
            facts |= dict.fromkeys(read_now)
            odd |= dict.fromkeys(odd_now)
            if len(items) < PAGE:
                return Found(tuple(facts), "", tuple(odd))
        return Found(tuple(facts), f"more than {pages} pages", tuple(odd), many=True)


def _line(body: object) -> SettledLine | None:
    """None for what is no payment, and for what is not paid out yet."""
    said = msgspec.convert(body, _Line)
    if said.type != "payment" or not said.settled or said.settled_at is None:
        return None
    return SettledLine(
        gateway_payment_id=said.entity_id,
        gross=Money(said.amount, said.currency),
        fee=Money(said.fee, said.currency),
        settlement=said.settlement_id or "",
        at=datetime.fromtimestamp(said.settled_at, UTC),
    )


def _span(since: datetime, until: datetime) -> Params:
    return {"from": max(0, int(since.timestamp())), "to": int(until.timestamp())}


def _unclear(found: Any) -> Unclear:
    return found if isinstance(found, Unclear) else Unclear("there is no such list")
