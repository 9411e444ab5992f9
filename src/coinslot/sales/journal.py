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


async def keep(conn: Connection, machine: Machine, up: Journaled, at: datetime) -> int:
    """Keep what a journal says, once; how far it is kept without a gap, this message included."""
    through: int = await conn.fetchval(
        store.KEEP_EVENT, machine.merchant_id, machine.outlet, up.journal_id,
        msgspec.to_builtins(up), at,
    )  # fmt: skip
    return through
