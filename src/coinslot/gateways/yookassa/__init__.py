"""YooKassa: payments by page or SBP code, captures, refunds and receipts over its API v3 (RUB).

Its webhooks are not signed: they are hints. What was checked of it, by whom, and what could not
be: docs/gateways/yookassa.md.
"""

from coinslot.gateways.yookassa.driver import NETWORKS as NETWORKS
from coinslot.gateways.yookassa.driver import Settings as Settings
from coinslot.gateways.yookassa.driver import YooKassa as YooKassa
from coinslot.gateways.yookassa.driver import address as address
from coinslot.gateways.yookassa.driver import name as name
from coinslot.gateways.yookassa.driver import open as open
from coinslot.gateways.yookassa.driver import practising as practising
from coinslot.gateways.yookassa.fiscal import Receipts as Receipts

Opened = YooKassa
