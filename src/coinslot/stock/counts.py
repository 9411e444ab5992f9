"""Counts that machines send. A count is absolute and names the last line of the journal that it
includes, so one that is lost, comes twice, late or in another order subtracts no unit twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
import structlog

from coinslot.channels.messages import Down
from coinslot.channels.reports import Inventory
from coinslot.context import Context
from coinslot.db.pool import again
from coinslot.stock import store
from coinslot.vending.machine_messages import Machine

log = structlog.get_logger(__name__)

# What is worth a line in the log: a machine whose counts are never taken shows the wrong stock.
_ODD: Final = frozenset({"other_journal", "too_far"})


async def take_inventory(
    context: Context, machine: Machine, count: Inventory, at: datetime
) -> Sequence[Down]:
    """The stock of the counted slots is the count, less what left them after its line. An older
    count, another controller's, and slots that the machine does not have change nothing."""
    said = msgspec.to_builtins(count)

    async def take() -> str:
        async with context.db.as_merchant(machine.merchant_id) as conn:
            return str(await conn.fetchval(store.TAKE_COUNT, machine.outlet, said, at))

    became = await again(take)
    if became in _ODD:
        log.warning("stock_count_not_taken", outlet=machine.outlet, why=became)
    return []
