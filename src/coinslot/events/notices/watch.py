"""Looks for what people are to be told, until cancelled. It runs where a worker does."""

from coinslot.context import Context
from coinslot.context.rounds import keep_doing
from coinslot.events.notices import alerts, plan


async def watch(context: Context) -> None:
    """Every `notices_s`; sooner when something is noted about someone's account."""

    async def work() -> None:
        await alerts.look(context)
        await plan.plan(context)

    await keep_doing(
        work, context.windows.notices_s, context.failures, failed="notices_not_planned"
    )
