"""Sums of what orders earned and how they ended, kept by the worker once a day is over, and made
again where an order of it changed since. A page sums from the rows what is not kept."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from coinslot.context import Context
from coinslot.context.rounds import keep_doing
from coinslot.db.pool import Connection
from coinslot.oversight.day_sums import Day, Done, as_rows, days_over

# Whatever changes an order that has just ended is committed by then.
_AFTER: Final = timedelta(hours=1)
_CHECK_S: Final = 60.0
_NOT_KEPT: Final = "SELECT day, begun, ended FROM days_figured($1) WHERE NOT kept ORDER BY day"
_KEEP: Final = "SELECT figure_day($1, $2, $3, $4, $5)"
_CHANGED: Final = "SELECT EXISTS (SELECT FROM figure_changes WHERE at < $1)"


def sums_of(names: Sequence[str]) -> str:
    """The columns that add up what `figures_of_days` has of these names."""
    return ", ".join(f"sum((k.sums->>'{name}')::bigint)::bigint AS {name}" for name in names)


async def watch(context: Context) -> None:
    """Keep the figures of every day that is over, until cancelled."""
    done: Done = {}
    await keep_doing(
        lambda: due(context, done), _CHECK_S, context.failures, failed="figures_not_kept"
    )


async def due(context: Context, done: Done | None = None) -> int:
    """Sum every day that is over and whose sums are not kept or do not hold; how many."""
    done = {} if done is None else done
    summed = 0
    for over in await days_over(context, context.now() - _AFTER):
        async with context.db.as_merchant(over.merchant) as conn:
            rows = await _open(conn, over.days(), done.get(over.merchant) == over)
        kept = [await _keep(context, over.merchant, row) for row in rows]
        summed += sum(kept)
        if all(kept):
            done[over.merchant] = over
        else:
            done.pop(over.merchant, None)
    return summed


async def _open(conn: Connection, days: Sequence[Day], all_kept: bool) -> Sequence[Any]:
    """`all_kept`: nothing is to be done but where something changed since."""
    if not days or (all_kept and not await conn.fetchval(_CHANGED, days[-1].ended)):
        return ()
    return await conn.fetch(_NOT_KEPT, as_rows(days))


async def _keep(context: Context, merchant: UUID, row: Any) -> bool:
    """Each in a transaction of its own: a process may die between two."""
    now = context.now()
    async with context.db.as_merchant(merchant) as conn:
        kept: bool = await conn.fetchval(
            _KEEP, row["day"], row["begun"], row["ended"], now - _AFTER, now
        )
    return kept
