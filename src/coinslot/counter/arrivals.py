"""A customer waits outside and says so. Where the counter has a radius, the phone is asked for its
position: it is compared with the counter's and not kept. It tells staff how far to trust the word,
and decides nothing: no code and no money waits for it."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.counter import store
from coinslot.counter.delivery import Point, metres_between
from coinslot.counter.staff import CounterError, Why
from coinslot.db.pool import Connection
from coinslot.kit.numbers import decimal

AT_MOST: Final = 5  # an order's customer says so often where they are
ALLOWED_M: Final = 200  # of a position's own inaccuracy, in the customer's favour

# Of an order that is not over and is not brought to a door.
_MAY = """
c.order_id = $1 AND s.outlet_id = c.outlet_id AND s.arrivals AND c.here_changes < $2
    AND NOT EXISTS (SELECT FROM counter_deliveries d WHERE d.order_id = c.order_id)
    AND EXISTS (SELECT FROM fulfillments f WHERE f.order_id = c.order_id AND f.settlement IS NULL)
"""
_FENCE = f"""
SELECT s.latitude, s.longitude, s.here_m FROM counter_orders c, counter_stores s
WHERE {_MAY} AND s.here_m IS NOT NULL
"""
# What a position has proved stays proved.
_HERE = f"""
UPDATE counter_orders c SET here_at = $3, here_note = $4, here_changes = here_changes + 1,
    here_by = CASE WHEN c.here_by = 'near' THEN c.here_by ELSE $5 END
FROM counter_stores s
WHERE {_MAY} AND (c.here_at IS NULL OR c.here_note <> $4
    OR ($5 = 'near' AND c.here_by IS DISTINCT FROM 'near'))
RETURNING c.outlet_id
"""


class By(StrEnum):
    """What shows that a customer is there, where the counter asks for a position."""

    NEAR = "near"  # the phone's position
    SAID = "said"  # their word alone


class Position(Struct, frozen=True, kw_only=True):
    """Where a phone says that it is. `accuracy`: in metres, as far off it may be."""

    point: Point
    accuracy: float

    @classmethod
    def read(cls, latitude: str, longitude: str, accuracy: str) -> "Position | None":
        """None where any of them is missing or is nothing that a place on Earth has."""
        north, east, off = (decimal(text) for text in (latitude, longitude, accuracy))
        if north is None or east is None or off is None or off < 0:
            return None
        point = Point.on_earth(north, east)
        return None if point is None else cls(point=point, accuracy=off)


class Fence(Struct, frozen=True):
    """Where a counter is, and how near is near."""

    centre: Point
    metres: int

    def judged(self, at: Position | None) -> By:
        """A position that is too inaccurate proves neither. Raises TooFarError."""
        if at is None:
            return By.SAID
        away = metres_between(self.centre, at.point)
        if away <= self.metres + min(at.accuracy, ALLOWED_M):
            return By.NEAR
        if away <= self.metres + at.accuracy:
            return By.SAID
        raise TooFarError(away)


class Arrival(Struct, frozen=True, kw_only=True):
    """What a customer sends. `insists`: they say so though the position is elsewhere."""

    note: str
    position: Position | None = None
    insists: bool = False


class TooFarError(Exception):
    """The phone is elsewhere, by so many metres."""

    def __init__(self, metres: float) -> None:
        super().__init__(metres)
        self.metres = metres


async def arrived(context: Context, order_token: str, said: Arrival) -> None:
    """Twice is once, and what is over stays as it is. Raises TooFarError, and CounterError for no
    such order."""
    async with context.db.system_transaction() as conn:
        known = await conn.fetchrow(store.ORDER_OF_TOKEN, order_token)
    if known is None:
        raise CounterError(Why.UNKNOWN)
    async with context.db.as_merchant(known["merchant_id"]) as conn:
        by = await _judged(conn, known["order_id"], said)
        outlet = await conn.fetchval(
            _HERE, known["order_id"], AT_MOST, context.now(), said.note, by
        )
        if outlet is not None:
            await conn.execute(store.BOARD_CHANGED, outlet)


async def _judged(conn: Connection, order: UUID, said: Arrival) -> By | None:
    """None: the counter asks for no position. Raises TooFarError."""
    row = await conn.fetchrow(_FENCE, order, AT_MOST)
    if row is None:
        return None
    if said.insists:
        return By.SAID
    fence = Fence(Point(row["latitude"], row["longitude"]), row["here_m"])
    return fence.judged(said.position)
