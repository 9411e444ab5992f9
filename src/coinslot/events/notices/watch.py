"""Looks for what people are to be told, until cancelled. It runs where a worker does."""

import asyncio

import structlog

from coinslot.context import Context
from coinslot.events.notices import alerts, plan

log = structlog.get_logger(__name__)


async def watch(context: Context) -> None:
    """Every `notices_s`; sooner when something is noted about someone's account."""
    while True:
        try:
            await alerts.look(context)
            await plan.plan(context)
        except Exception as error:  # noqa: BLE001  the next look may do better
            log.warning("notices_not_planned", error=repr(error))
        await asyncio.sleep(context.windows.notices_s)
