"""A queue of work for each machine: in order for one, side by side between machines, within limits.

The network does not wait, the inbox may. What exceeds the limits is dropped and counted: a machine
repeats what was not acknowledged."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable

from msgspec import Struct

from coinslot.kit.clock import monotonic_ms

Work = Callable[[], Awaitable[None]]


class Limits(Struct, frozen=True, kw_only=True):
    """How much of everything at once."""

    workers: int = 32  # what they commit together is one commit: more wait for it than work
    waiting: int = 10_000  # over all queues
    per_machine: int = 256
    per_second: int = 200  # of one machine


class MachineQueues:
    """One queue per key; several workers, never two on one queue."""

    def __init__(self, limits: Limits) -> None:
        self.dropped = 0
        self._limits = limits
        self._queues: dict[str, deque[Work]] = {}
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._waiting = 0
        self._second = 0
        self._seen: Counter[str] = Counter()  # in this second

    def put(self, key: str, work: Work) -> bool:
        """Add to the key's queue; False when it is dropped."""
        queue = self._queues.get(key)
        full = self._waiting >= self._limits.waiting
        if full or self._too_fast(key) or len(queue or ()) >= self._limits.per_machine:
            self.dropped += 1
            return False
        self._waiting += 1
        if queue is None:
            self._queues[key] = deque([work])
            self._ready.put_nowait(key)
        else:
            queue.append(work)
        return True

    async def run(self) -> None:
        """Work until cancelled. The work itself must not raise."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(self._limits.workers):
                workers.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = await self._ready.get()
            queue = self._queues[key]
            work = queue.popleft()
            self._waiting -= 1
            await work()
            # The queue stayed in place meanwhile, so no other worker began on this key.
            if queue:
                self._ready.put_nowait(key)
            else:
                del self._queues[key]

    def _too_fast(self, key: str) -> bool:
        second = monotonic_ms() // 1_000
        if second != self._second:
            self._second = second
            self._seen.clear()
        self._seen[key] += 1
        return self._seen[key] > self._limits.per_second
