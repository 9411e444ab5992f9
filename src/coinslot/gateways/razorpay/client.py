"""Calls to one Razorpay account: one request, and all pages of a list."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct

from coinslot.gateways import unread
from coinslot.gateways.asking import ask, known
from coinslot.gateways.base import Absent, Declined, Unclear, Unread
from coinslot.gateways.listing import Listed, TooMany, whole
from coinslot.gateways.razorpay import build, parse
from coinslot.gateways.wire import Call, Wire

T = TypeVar("T")

PAGE, MAX_PAGES = 100, 50


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


class Client:
    """One account, reached by its wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def send(self, call: Call, read_body: Callable[[object], T]) -> T | Declined | Unclear:
        return await ask(self.wire, call, read_body, parse.refused)

    async def all_pages(
        self,
        path: str,
        read_one: Callable[[object], T | None],
        params: Mapping[str, int] | None = None,
        pages: int = MAX_PAGES,
    ) -> Found[T] | Absent | Unclear:
        """All pages. What cannot be read is named, and does not hide the rest."""
        facts: dict[T, None] = {}  # new items shift the pages while we turn them
        odd: dict[Unread, None] = {}
        for page in range(pages):
            asked = {"count": PAGE, "skip": page * PAGE, **(params or {})}
            call = Call(method="GET", path=path, params=asked)
            items = known(await self.send(call, parse.items))
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

    async def all_between(
        self, path: str, span: tuple[datetime, datetime], read_one: Callable[[object], T | None]
    ) -> Listed[T] | Unclear:
        async def ask(since: datetime, until: datetime) -> Listed[T] | Unclear | TooMany:
            found = await self.all_pages(path, read_one, build.span(since, until))
            if not isinstance(found, Found):
                return unclear(found)
            if found.gap:
                return TooMany(found.gap) if found.many else Unclear(found.gap)
            return Listed(found.facts, found.unread)

        return await whole(*span, ask)


def unclear(found: Absent | Unclear) -> Unclear:
    return found if isinstance(found, Unclear) else Unclear("there is no such list")
