"""The journals of machines as stored here: each event once, acknowledged up to the first gap."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from coinslot.channels import messages as wire
from coinslot.db.pool import Connection
from coinslot.vending import store

Journaled = wire.Started | wire.Progress | wire.Result


class Machine(msgspec.Struct, frozen=True):
    """The authenticated sender, never taken from the message itself."""

    outlet: str
    merchant_id: UUID


class Kept(NamedTuple):
    """How far a journal is acknowledged without a gap, and whether exactly this line is stored:
    only then may it be believed."""

    through: int
    stands: bool


async def store_line(conn: Connection, machine: Machine, up: Journaled, at: datetime) -> Kept:
    """Store a line of a journal, once."""
    row = await conn.fetchrow(
        store.KEEP_EVENT, machine.merchant_id, machine.outlet, up.journal_id,
        msgspec.to_builtins(up), at,
    )  # fmt: skip
    assert row is not None
    return Kept(row["through"], row["kept"])
