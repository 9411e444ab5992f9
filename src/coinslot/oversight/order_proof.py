"""What happened to an order, provably: every entry of the append-only record that is about it, its
payments, its money and its units, and every line of a machine's journal about its units."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.oversight import store


class ProofLine(Struct, frozen=True, kw_only=True):
    """One entry. `of` is whose: order, payment, attempt, refund, fulfillment, order_refund, or
    machine for a line of its journal. `was` and `state` are None where it is no move."""

    at: datetime
    of: str
    event: str
    was: str | None
    state: str | None
    data: dict[str, Any]


async def proof(context: Context, merchant: UUID, order: UUID) -> list[ProofLine]:
    """The oldest first."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.PROOF_OF_ORDER, order)
    return [
        ProofLine(
            at=row["at"], of=row["of"], event=row["event"], was=row["was"], state=row["state"],
            data=row["data"],
        )
        for row in rows
    ]  # fmt: skip
