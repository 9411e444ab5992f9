"""A machine's own counter of sales, held against our ledger while the machine is at rest. A
difference calls a person; it never moves money."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from msgspec import Struct

from coinslot.context import Context
from coinslot.context.rounds import keep_doing
from coinslot.telemetry import store

log = structlog.get_logger(__name__)


class CounterCheck(Struct, frozen=True, kw_only=True):
    """What a machine counted since both last agreed, and what left it by our ledger. `unsure`:
    units of which nobody knows, which explain as many more. `differs_since`: they differed when
    they were compared, at rest."""

    since: datetime
    told_at: datetime  # when the machine last said its counter
    machine_vends: int
    our_vends: int
    unsure: int
    differs_since: datetime | None

    @property
    def agrees(self) -> bool:
        """Now; while something is under way they may differ for a moment."""
        return self.our_vends <= self.machine_vends <= self.our_vends + self.unsure


async def read(context: Context, merchant: UUID, machine: str) -> CounterCheck | None:
    """None: nothing is compared yet, or this machine is none that is compared."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.COUNTER, machine)
    return None if row is None else CounterCheck(**row)


async def check(context: Context) -> Sequence[str]:
    """Compare what machines counted with what left them by our ledger, since both last agreed;
    returns the machines of which a difference is new. Again changes nothing."""
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(
            store.CHECK_COUNTERS, context.now(), context.windows.span("counter_quiet_s")
        )
    for row in rows:
        log.warning("counter_differs", outlet=row["outlet"])
    return [row["outlet"] for row in rows]


async def watch(context: Context) -> None:
    """Compare until cancelled."""
    every_s = context.windows.counters_s
    await keep_doing(
        lambda: check(context), every_s, context.failures, failed="counters_not_compared"
    )
