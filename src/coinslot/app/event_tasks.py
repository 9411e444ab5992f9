"""What a worker sends to merchants: entries of the log become events, and events become
webhooks."""

from collections.abc import Coroutine
from typing import Any

from coinslot.context import Context
from coinslot.events.announce import Announcer
from coinslot.events.log import follow
from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.events.webhooks.signing import HookRules
from coinslot.kit.faults import Reached

EVENT_TABLES = frozenset({"events", "deliveries"})  # woken when one is written


def event_tasks(
    context: Context, rules: HookRules, reached: Reached
) -> list[Coroutine[Any, Any, None]]:
    """They run side by side until cancelled, and none blocks another."""
    announcer, sender = Announcer(context), WebhookSender(context, rules)
    sender.reached = reached
    return [
        follow(announcer.cursor, announcer.announce, context.wakes.of("events"), context.failures),
        sender.run(),
    ]
