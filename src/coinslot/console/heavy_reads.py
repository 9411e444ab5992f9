"""Pages that read much of the database, in turns: webhooks, machines and customers' pages use the
same connections, and one merchant's reports must not keep another's cans waiting."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from coinslot.pages.errors import RefusedError

_WAITING_OF_ONE: Final = 30
_PATIENCE_S: Final = 10.0


class HeavyReads:
    """One for each process."""

    def __init__(
        self,
        most: Callable[[], int],
        *,
        patience_s: float = _PATIENCE_S,
        waiting: int = _WAITING_OF_ONE,
    ) -> None:
        """`most` at one time, asked when the first one reads; half as many of one merchant."""
        self._most = most
        self._all: asyncio.Semaphore | None = None
        self._own: dict[UUID, asyncio.Semaphore] = {}
        self._there: Counter[UUID] = Counter()  # who reads or waits
        self._patience_s, self._waiting_most = patience_s, waiting

    @asynccontextmanager
    async def turn(self, merchant: UUID, *, patient: bool = False) -> AsyncIterator[None]:
        """When it is this merchant's turn. Raises RefusedError where too many wait, or for too
        long; not where somebody is `patient`."""
        if self._there[merchant] >= self._waiting_most and not patient:
            raise _busy()
        self._there[merchant] += 1
        if self._all is None:
            self._all = asyncio.Semaphore(max(1, self._most()))
        own = self._own.setdefault(merchant, asyncio.Semaphore(max(1, self._most() // 2)))
        within = None if patient else self._patience_s
        try:
            async with _within(own, within), _within(self._all, within):
                yield
        finally:
            self._there[merchant] -= 1
            if not self._there[merchant]:
                del self._there[merchant], self._own[merchant]


@asynccontextmanager
async def _within(places: asyncio.Semaphore, seconds: float | None) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            await places.acquire()
    except TimeoutError:
        raise _busy() from None
    try:
        yield
    finally:
        places.release()


def _busy() -> RefusedError:
    return RefusedError(503, "busy", "Much is read at this moment. Try again.").with_header(
        "Retry-After", "5"
    )
