"""Every way of selling that this program has. A room that is not listed here sells nothing."""

from collections.abc import Mapping

from coinslot.coffee.fulfillment import Coffee
from coinslot.coffee.vendors import OpenVendors
from coinslot.counter.fulfillment import Counter
from coinslot.orders.fulfillment import Fulfillment, registered
from coinslot.vending.fulfillment import Vending

VENDORS = OpenVendors()  # of coffee machines
KINDS: Mapping[str, Fulfillment] = registered(Vending(), Coffee(VENDORS), Counter())
