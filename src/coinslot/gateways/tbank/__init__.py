"""T-Bank acquiring: payments by page or SBP code, holds, refunds, notifications, API v2 (RUB).

What was checked of it, by whom, and what could not be: docs/gateways/tbank.md.
"""

from coinslot.gateways.tbank.driver import Settings as Settings
from coinslot.gateways.tbank.driver import TBank as TBank
from coinslot.gateways.tbank.driver import address as address
from coinslot.gateways.tbank.driver import name as name
from coinslot.gateways.tbank.driver import open as open
from coinslot.gateways.tbank.driver import practising as practising
from coinslot.gateways.tbank.fiscal import Receipts as Receipts

Opened = TBank
