"""Work that is done again and again: a round that fails is logged and counted, and the next one
may do better."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from coinslot.kit.failures import Failures

log = structlog.get_logger(__name__)


async def keep_doing(
    work: Callable[[], Awaitable[object]], every_s: float, failures: Failures, *, failed: str
) -> None:
    """Until cancelled. `failed` names the work in the log and in health."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  of any class: the next round may succeed
            log.warning(failed, error=repr(error))
            failures.failed(failed, error)
        else:
            failures.succeeded(failed)
        await asyncio.sleep(every_s)
