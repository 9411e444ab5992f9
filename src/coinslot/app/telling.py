"""What a worker tells merchants: the log becomes events, and events become webhooks."""

from collections.abc import Coroutine
from typing import Any

from coinslot.feeds.announce import Announcer
from coinslot.feeds.deliver import Courier
from coinslot.feeds.hooks import HookRules
from coinslot.feeds.log import follow
from coinslot.kit.faults import Reached
from coinslot.sales.shop import Shop

BELLS = frozenset({"events", "deliveries"})  # rung where an event or a delivery is asked for


def tellers(shop: Shop, rules: HookRules, reached: Reached) -> list[Coroutine[Any, Any, None]]:
    """They run side by side until cancelled, and none hinders another."""
    announcer, courier = Announcer(shop), Courier(shop, rules)
    courier.reached = reached
    return [
        follow(announcer.cursor, announcer.tell, shop.wakes.of("events")),
        courier.run(),
    ]
