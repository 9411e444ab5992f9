"""Calls to one Stripe account: one request, one under a key, all pages of a list."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec

from coinslot.gateways import unread
from coinslot.gateways.asking import known, meant
from coinslot.gateways.base import Absent, Declined, Unclear
from coinslot.gateways.listing import Listed, TooMany, whole
from coinslot.gateways.stripe import build, parse
from coinslot.gateways.wire import Call, Wire

T = TypeVar("T")

PAGE, MAX_PAGES = 100, 50
KEYS_LIMIT = 4  # how often an execution of theirs may break before we wait for its key to be pruned


class Client:
    """One account, reached by its wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def send(self, call: Call, read_body: Callable[[object], T]) -> T | Declined | Unclear:
        return meant(await self.wire.send(call), read_body, parse.refused)

    async def send_once(
        self,
        call: Call,
        key: str,
        read_body: Callable[[object], T],
        back: Callable[[], Awaitable[T | Absent | Unclear]],
    ) -> T | Declined | Unclear:
        """Send under a key. They keep and replay a 500 of their own as they do any answer: what
        came of it is read back, and only when nothing did, the next key goes out."""
        for number in range(KEYS_LIMIT):
            reply = await self.wire.send(build.keyed(call, key, number))
            if not parse.is_broken_for_good(reply):
                return meant(reply, read_body, parse.refused)
            found = await back()
            if not isinstance(found, Absent):
                return found
        return Unclear("every key of ours met an error of theirs")

    async def all_pages(
        self, path: str, filters: Mapping[str, str | int]
    ) -> list[object] | TooMany | Absent | Unclear:
        """All pages, or nothing."""
        found: list[object] = []
        params: dict[str, str | int] = {**filters, "limit": PAGE}
        for _ in range(MAX_PAGES):
            call = build.ask(path, params)
            page = known(await self.send(call, lambda body: msgspec.convert(body, parse.Page)))
            if not isinstance(page, parse.Page):
                return page
            found += page.data
            if not page.has_more:
                return found
            last = page.data[-1] if page.data else None
            if not isinstance(last, dict) or not isinstance(last.get("id"), str):
                return Unclear("a page without an end")
            params["starting_after"] = last["id"]
        return TooMany(f"more than {MAX_PAGES} pages")

    async def all_between(
        self,
        path: str,
        more: Mapping[str, str | int],
        span: tuple[datetime, datetime],
        read_one: Callable[[object], T | None],
    ) -> Listed[T] | Unclear:
        """A list of what was made in a span of time, in as many parts as it takes."""

        async def ask(since: datetime, until: datetime) -> Listed[T] | Unclear | TooMany:
            listed = await self.all_pages(path, {**more, **build.created(since, until)})
            if not isinstance(listed, list):
                return Unclear("there is no such list") if isinstance(listed, Absent) else listed
            facts, odd = unread.read_each(listed, read_one)
            return Listed(tuple(dict.fromkeys(facts)), tuple(odd))

        return await whole(*span, ask)
