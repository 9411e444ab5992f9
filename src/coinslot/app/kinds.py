"""Every way of selling that this program has. A room that is not listed here sells nothing."""

from collections.abc import Mapping

from coinslot.orders.fulfillment import Fulfillment, registered
from coinslot.vending.fulfillment import Vending

KINDS: Mapping[str, Fulfillment] = registered(Vending())
