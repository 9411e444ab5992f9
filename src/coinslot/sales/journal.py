"""The machines' journals as kept here: each event once, acknowledged through a gapless prefix."""

from datetime import datetime
from uuid import UUID

import msgspec

from coinslot.channels import messages as wire
from coinslot.db.pool import Connection
from coinslot.sales import store

Journaled = wire.Started | wire.Progress | wire.Result


class Machine(msgspec.Struct, frozen=True):
    """The authenticated sender: never taken from the message itself."""

    outlet: str
    merchant_id: UUID


async def keep(conn: Connection, machine: Machine, up: Journaled, at: datetime) -> None:
    """Keep what a journal says; what is said again is kept once."""
    await conn.execute(
        store.KEEP_DEVICE_EVENT, machine.outlet, up.journal_id, up.event_seq, machine.merchant_id,
        up.unit_id, msgspec.to_builtins(up), at,
    )  # fmt: skip
    await conn.fetchval(
        store.MEET_JOURNAL, machine.outlet, up.journal_id, machine.merchant_id, 0, at
    )


async def commit(conn: Connection, machine: Machine, up: Journaled) -> int:
    """How far the journal is kept without a gap, this message included."""
    whose = machine.outlet, up.journal_id
    through: int = await conn.fetchval(store.THROUGH, *whose)
    reached = through
    for row in await conn.fetch(store.NEXT_DEVICE_EVENTS, *whose, through):
        if row["event_seq"] != reached + 1:
            break
        reached += 1
    if reached > through:
        await conn.execute(store.COMMIT_JOURNAL, *whose, reached)
    return reached
