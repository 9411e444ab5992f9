"""Runs work that may fail in any way: the failure comes back as a value.

One machine's message, or an unreachable database, must not end the loop that serves all others."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def guarded(work: Coroutine[Any, Any, T], patience_s: float) -> T | Exception:
    """What the work returns, or the error it raises. Cancelled from outside, it is cancelled."""
    task = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=patience_s)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        return TimeoutError(f"no answer within {patience_s} s")
    if task.cancelled():
        return InterruptedError("cancelled from within")
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, Exception):
        return error
    raise error
