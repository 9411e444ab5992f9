"""Stores webhooks together under load: those that arrive while a commit runs share the next one.

One that arrives alone is stored at once. Each is answered only after its own row is committed."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
from msgspec import Struct

from coinslot.db.pool import AWAY, Database, DatabaseUnreachableError
from coinslot.payments import store

LANES = 2  # commits under way at once, in one process
WAITING_MAX_BYTES = 16 * 1024 * 1024  # while PostgreSQL does not commit, they wait in memory
CLOSE_S = 2.0
TOGETHER = 32  # webhooks in one commit; each is a subtransaction, and PostgreSQL caches 64


class PendingWebhook(Struct, frozen=True, eq=False):
    """One webhook, read and judged. `order` keeps two commits from waiting on each other."""

    said: Mapping[str, object]
    body: bytes
    at: datetime
    order: str
    outcome: "asyncio.Future[Mapping[str, Any]]"


class WebhookBatch:
    """One per process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: deque[PendingWebhook] = deque()
        self._bytes = 0
        self._lanes: set[asyncio.Task[None]] = set()

    async def store(
        self, said: Mapping[str, object], body: bytes, at: datetime, order: str
    ) -> Mapping[str, Any]:
        """Store it and work it; returns the outcome, and what was begun with it. Raises what the
        database raises.

        One whose caller stops waiting is stored all the same, if possible."""
        if self._bytes + len(body) > WAITING_MAX_BYTES:
            raise DatabaseUnreachableError("too many webhooks wait for PostgreSQL to keep them")
        self._bytes += len(body)
        outcome: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append(PendingWebhook(said, body, at, order, outcome))
        if len(self._lanes) < LANES:
            self._lanes.add(asyncio.create_task(self._drain(), name="store webhooks"))
        return await outcome

    async def close(self) -> None:
        """What still waits is stored, for so long as a process that stops may take; whatever is
        not stored was not acknowledged, and its gateway sends it again."""
        if self._lanes:
            _, late = await asyncio.wait(set(self._lanes), timeout=CLOSE_S)
            for lane in late:
                lane.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _drain(self) -> None:
        few: list[PendingWebhook] = []
        try:
            while self._waiting:
                few = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
                self._bytes -= sum(len(told.body) for told in few)
                if len(few) == 1 or not await self._store_together(few):
                    for told in few:
                        await self._store_alone(told)
        finally:
            # At once, not in a later turn of the loop: a caller meanwhile must find the lane free.
            lane = asyncio.current_task()
            assert lane is not None
            self._lanes.discard(lane)
            for told in few:
                told.outcome.cancel()  # answered already, unless this lane broke down

    async def _store_together(self, few: list[PendingWebhook]) -> bool:
        """False: one of them cannot be stored, and the others must not suffer for it."""
        # Every commit locks payments in the same order, so that no two wait for each other.
        few.sort(key=lambda told: told.order)
        try:
            outcomes: Sequence[Mapping[str, Any]] = await self._db.call(
                store.TAKE_WEBHOOKS,
                [told.said for told in few],
                [told.body for told in few],
                [told.at for told in few],
            )
        except AWAY as error:
            for told in few:
                _answer(told, error)
        except asyncpg.PostgresError:
            return False
        else:
            for told, outcome in zip(few, outcomes, strict=True):
                _answer(told, outcome)
        return True

    async def _store_alone(self, told: PendingWebhook) -> None:
        try:
            _answer(told, await self._db.call(store.TAKE_WEBHOOK, told.said, told.body, told.at))
        except (asyncpg.PostgresError, *AWAY) as error:
            _answer(told, error)


def _answer(told: PendingWebhook, outcome: Mapping[str, Any] | Exception) -> None:
    """The caller may be gone by now; the row is stored all the same."""
    if told.outcome.done():
        return
    if isinstance(outcome, Exception):
        told.outcome.set_exception(outcome)
    else:
        told.outcome.set_result(outcome)
