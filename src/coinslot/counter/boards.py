"""Which boards are open behind a counter, and since when. Somebody who begins a shift has a board
that says every few seconds that it is there, and which orders it shows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection

if TYPE_CHECKING:  # what staff do asks how long a board was open
    from coinslot.counter.staff import Staff

SAYS_EVERY_S: Final = 8  # a board says that it is there

# The span that is open goes on; else a new one begins. Two boards at once may begin two, which
# overlap: whoever counts merges them.
_HERE = """
WITH here AS (SELECT outlet_id, merchant_id FROM counter_stores
    WHERE $1::text[] IS NULL OR outlet_id = ANY ($1)),
longer AS (UPDATE counter_presence p SET seen_at = greatest(p.seen_at, $2) FROM here h
    WHERE p.outlet_id = h.outlet_id AND p.seen_at >= $3 RETURNING p.outlet_id)
INSERT INTO counter_presence (merchant_id, outlet_id, began_at, seen_at)
SELECT merchant_id, outlet_id, $2, $2 FROM here WHERE outlet_id NOT IN (SELECT * FROM longer)
"""
_REACHED = """
UPDATE counter_orders SET reached_at = coalesce(reached_at, $3),
    seen_at = CASE WHEN order_id = ANY ($4) THEN coalesce(seen_at, $3) ELSE seen_at END
WHERE order_id = ANY ($1) AND ($2::text[] IS NULL OR outlet_id = ANY ($2))
    AND (reached_at IS NULL OR (seen_at IS NULL AND order_id = ANY ($4)))
"""
# The spans of a counter since a moment, those that overlap put together.
_SPANS = """
SELECT unnest(range_agg(tstzrange(began_at, seen_at, '[]'))) AS span FROM counter_presence
WHERE outlet_id = $1 AND seen_at >= $2
"""
_SINCE = f"SELECT lower(span) FROM ({_SPANS}) s WHERE upper(span) >= $2"
_FOR = f"""
SELECT coalesce(sum(least(upper(span), $3) - greatest(lower(span), $2)), interval '0')
FROM ({_SPANS}) s WHERE lower(span) <= $3
"""


class Said(Struct, frozen=True, kw_only=True):
    """What a board says of itself: the orders that it shows, and those that somebody touched it
    over."""

    shown: Sequence[UUID] = ()
    touched: Sequence[UUID] = ()


async def here(context: Context, who: "Staff", said: Said) -> None:
    """An open board of these staff says that it is there."""
    now, shown = context.now(), list({*said.shown, *said.touched})
    async with context.db.as_merchant(who.merchant) as conn:
        await conn.execute(_HERE, who.outlets, now, now - _silence(context))
        if shown:
            await conn.execute(_REACHED, shown, who.outlets, now, list(said.touched))


async def connected_since(context: Context, conn: Connection, outlet: str) -> datetime | None:
    """Since when a board has been open at this counter without a break; None: none is now."""
    since: datetime | None = await conn.fetchval(_SINCE, outlet, context.now() - _silence(context))
    return since


async def connected_for(
    conn: Connection, outlet: str, since: datetime, until: datetime
) -> timedelta:
    """How long, of that time, at least one board was open at this counter: what counts towards the
    time in which an order is fetched."""
    found: timedelta = await conn.fetchval(_FOR, outlet, since, until)
    return found


def _silence(context: Context) -> timedelta:
    return context.windows.span("board_silent_s")
