"""A gateway without a network, to try things out with; written to be copied for a real driver.

A real one has `client.py`, `build.py` and `parse.py` where this one keeps books of its own.
"""

from coinslot.gateways.mock.books import Books as Books
from coinslot.gateways.mock.driver import Mock as Mock
from coinslot.gateways.mock.driver import Settings as Settings
from coinslot.gateways.mock.driver import address as address
from coinslot.gateways.mock.driver import name as name
from coinslot.gateways.mock.driver import open as open
from coinslot.gateways.mock.driver import practising as practising

Opened = Mock
