"""Work that is done again and again: a round that fails is logged, and the next one may do
better."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


async def keep_doing(work: Callable[[], Awaitable[object]], every_s: float, *, failed: str) -> None:
    """Until cancelled. `failed` is the name of the log line."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  whatever it is, the process sells on
            log.warning(failed, error=repr(error))
        await asyncio.sleep(every_s)
