"""Orders that pages are open on: one statement per round finds what changed among all of them, and
a changed order is read once for all who wait for it. Waiting holds no connection."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog

from coinslot.context.background import BackgroundTasks
from coinslot.db.pool import AWAY, Database
from coinslot.orders import store
from coinslot.orders.page_views import OrderView

log = structlog.get_logger(__name__)

_ROUND_S = 0.25
Read = Callable[[str], Coroutine[Any, Any, OrderView | None]]


@dataclass(slots=True)
class _Followed:
    """One order and those who wait for a change of it."""

    version: int | None = None  # None: not read yet
    waiting: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    reading: "asyncio.Task[OrderView | None] | None" = None
    read_at: int | None = None  # the version for which it was read


class OrderUpdates:
    """One per process. `read` reads the whole order; `round_s` limits how late a change is seen."""

    def __init__(
        self,
        db: Database,
        read: Read,
        round_s: float = _ROUND_S,
        background: BackgroundTasks | None = None,
    ) -> None:
        self._db = db
        self._background = background or BackgroundTasks()
        self._read = read
        self._round_s = round_s
        self._orders: dict[str, _Followed] = {}
        self._rounds: asyncio.Task[None] | None = None

    async def version(self, token: str) -> int | None:
        """One cheap statement; None for an order that is not there."""
        return (await self._versions([token])).get(token)

    async def changed(self, token: str, seen: int, patience_s: float) -> OrderView | None:
        """The order as soon as its version is not `seen`; None when patience ends before."""
        followed = self._orders.setdefault(token, _Followed())
        followed.waiting += 1
        self._begin()
        try:
            async with asyncio.timeout(patience_s):
                while followed.version is None or followed.version == seen:
                    await followed.news.wait()
                return await self._once(token, followed)
        except TimeoutError:
            return None
        finally:
            followed.waiting -= 1
            if not followed.waiting:
                self._orders.pop(token, None)

    async def _once(self, token: str, followed: _Followed) -> OrderView | None:
        """The order, read once for each version however many wait for it."""
        if followed.reading is None or followed.read_at != followed.version:
            followed.read_at = followed.version
            followed.reading = self._background.start(self._read(token), "read an order")
        try:
            view = await asyncio.shield(followed.reading)
        except (asyncpg.PostgresError, *AWAY):
            followed.read_at = None  # the next waiter has it read again
            raise
        if view is not None:  # it may be newer than what was published
            followed.version = followed.read_at = view.version
        return view

    def _begin(self) -> None:
        if self._rounds is None or self._rounds.done():
            self._rounds = self._background.start(self._read_versions(), "follow orders")

    async def _read_versions(self) -> None:
        """Rounds for as long as anyone waits."""
        while self._orders:
            try:
                self._publish(await self._versions(list(self._orders)))
            except (asyncpg.PostgresError, *AWAY) as error:
                log.warning("orders_not_followed", error=repr(error))
            await asyncio.sleep(self._round_s)

    def _publish(self, versions: dict[str, int]) -> None:
        for token, followed in self._orders.items():
            version = versions.get(token)
            if version is not None and version > (followed.version or 0):
                followed.version = version
                followed.news.set()
                followed.news = asyncio.Event()

    async def _versions(self, tokens: list[str]) -> dict[str, int]:
        async with self._db.system_connection() as conn:
            rows = await conn.fetch(store.ORDER_VERSIONS, tokens)
        return {row["token"]: row["version"] for row in rows}
