"""Who takes which report of machines: one handler for each kind. A kind without one is dropped
before it is read, and counted."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from coinslot.channels.messages import Down
from coinslot.channels.reports import FirmwareProgress, Inventory, Report
from coinslot.context import Context
from coinslot.rollouts import updates
from coinslot.stock.counts import take_inventory
from coinslot.vending.machine_messages import Machine

# The report is already read and within its bounds. What the handler returns is sent to the machine
# once it has committed; where it raises, the report counts as not received.
ReportHandler = Callable[[Context, Machine, Any, datetime], Awaitable[Sequence[Down]]]

REPORTS: Final[Mapping[type[Report], ReportHandler]] = {
    Inventory: take_inventory,
    FirmwareProgress: updates.receive,
}
