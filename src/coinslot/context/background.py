"""What a process does beside its requests and rounds: reading for pages that are open, a write that
goes on when nobody waits for it any more. It ends with the process, and is waited for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Found = TypeVar("Found")


class BackgroundTasks:
    """One per process. Nothing is lost with these tasks: whatever is owed is a row."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def start(self, work: Coroutine[Any, Any, Found], name: str) -> asyncio.Task[Found]:
        """Begin it; after `close` it is cancelled before its first step."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._closed:
            task.cancel()
        return task

    async def close(self) -> None:
        """Cancel what is left, and wait until it is over."""
        self._closed = True
        while self._tasks:  # one that ends may have begun another
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(set(self._tasks))
