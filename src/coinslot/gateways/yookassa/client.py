"""Calls to one YooKassa shop: one request, one payment, all pages of a list."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from coinslot.gateways import unread
from coinslot.gateways.asking import ask, known
from coinslot.gateways.base import Absent, Declined, Unclear
from coinslot.gateways.listing import Listed, TooMany, whole
from coinslot.gateways.wire import Call, Wire
from coinslot.gateways.yookassa import build, parse

T = TypeVar("T")

PAGE, MAX_PAGES = 100, 50


class Client:
    """One shop, reached by its wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def send(self, call: Call, read_body: Callable[[object], T]) -> T | Declined | Unclear:
        return await ask(self.wire, call, read_body, parse.refused)

    async def payment(
        self, reference: str, read_body: Callable[[object], T]
    ) -> T | Absent | Unclear:
        if not re.fullmatch(parse.SHAPE, reference):
            return Absent()
        call = Call(method="GET", path=f"/payments/{reference}")
        return known(await self.send(call, parse.about(reference, read_body)))

    async def all_of(
        self, path: str, params: Mapping[str, str | int], read_one: Callable[[object], T | None]
    ) -> list[T] | TooMany | Absent | Unclear:
        """All of it or nothing: a list with a gap would prove absence falsely."""
        items = await self.all_pages(path, params)
        if not isinstance(items, list):
            return items
        try:
            told = [read_one(item) for item in items]
        except ValueError as error:
            return Unclear(f"unreadable item: {error}")
        return [one for one in told if one is not None]

    async def all_pages(
        self, path: str, params: Mapping[str, str | int]
    ) -> list[object] | TooMany | Absent | Unclear:
        """All pages, or nothing."""
        found: list[object] = []
        asked = {"limit": PAGE, **params}
        for _ in range(MAX_PAGES):
            call = Call(method="GET", path=path, params=asked)
            page = known(await self.send(call, parse.page))
            if not isinstance(page, parse.Page):
                return page
            found += page.items
            if not page.next_cursor:
                return found
            asked = asked | {"cursor": page.next_cursor}
        return TooMany(f"more than {MAX_PAGES} pages")

    async def all_between(
        self, path: str, span: tuple[datetime, datetime], read_one: Callable[[object], T | None]
    ) -> Listed[T] | Unclear:
        async def ask(since: datetime, until: datetime) -> Listed[T] | Unclear | TooMany:
            items = await self.all_pages(path, build.created(since, until))
            if not isinstance(items, list):
                return Unclear("there is no such list") if isinstance(items, Absent) else items
            facts, odd = unread.read_each(items, read_one)
            return Listed(tuple(facts), tuple(odd))

        return await whole(*span, ask)
