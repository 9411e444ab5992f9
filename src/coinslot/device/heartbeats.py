"""Heartbeats, collected and written together: one statement per second for all machines."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from coinslot.device.guarded import guarded
from coinslot.kit.failures import Failures

Beat = tuple[str, datetime]  # the outlet's code, and when it was last heard

log = structlog.get_logger()


class HeartbeatBatch:
    """The newest heartbeat of each machine, until it is written."""

    def __init__(
        self,
        write: Callable[[list[Beat]], Awaitable[None]],
        failures: Failures,
        *,
        every_s: float,
        patience_s: float,
    ) -> None:
        self._write = write
        self._failures = failures
        self._every_s = every_s
        self._patience_s = patience_s
        self._newest: dict[str, datetime] = {}

    def note(self, outlet: str, at: datetime) -> None:
        """Remember a heartbeat."""
        self._newest[outlet] = max(at, self._newest.get(outlet, at))

    async def run(self) -> None:
        """Write what was noted, once per period."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.flush()

    async def flush(self) -> None:
        """Write now; what could not be written is noted again."""
        if not self._newest:
            return
        batch, self._newest = self._newest, {}
        failed = await guarded(self._written(list(batch.items())), self._patience_s)
        if isinstance(failed, Exception):
            log.warning("heartbeats_not_written", machines=len(batch), error=repr(failed))
            self._failures.failed("heartbeats_not_written", failed)
            for outlet, at in batch.items():
                self.note(outlet, at)
        else:
            self._failures.succeeded("heartbeats_not_written")

    async def _written(self, batch: list[Beat]) -> None:
        await self._write(batch)
