"""Machines by their distance from a point: a list for who is on the way, without a map."""

from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.fleet import store


class NearMachine(Struct, frozen=True, kw_only=True):
    """A machine in service whose configuration says where it stands."""

    code: str
    name: str
    place: str
    lat: float
    lng: float
    metres: int  # as the crow flies


async def nearest(
    context: Context, merchant: UUID, lat: float, lng: float, limit: int = 50
) -> list[NearMachine]:
    """The nearest first. Who says no position is not among them."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.NEAREST, merchant, lat, lng, limit)
    return [NearMachine(**dict(row)) for row in rows]
