"""Rows of items and of shared stocks are locked by their ids, whoever changes them, and only those
that are changed: a function that waits for one has those before it, and none of those behind."""

import asyncio
from uuid import UUID

import pytest

from coinslot.db.pool import RawConnection
from tests.counter.test_functions_of_paper import walk_in
from tests.counter.test_functions_of_the_counter import (
    BACK,
    ONE,
    ORDER,
    OTHER,
    THREE,
    TWO,
    UNIT,
    line,
    unit,
)
from tests.sales.by_hand import NOW, Rows
from tests.sales.test_lock_order import stopped

# The second and fourth are of nobody here.
KEYS = [UUID(int=n) for n in (101, 102, 103, 104, 105)]
FIRST, BESIDE, MIDDLE, BEHIND, LAST = KEYS
OWN = (LAST, FIRST, MIDDLE)
WALK_IN = UUID(int=70)
CALLS = {
    "counter_expired": ORDER, "counter_settled": UNIT, "counter_walk_in_cancelled": WALK_IN,
}  # fmt: skip


@pytest.fixture
async def laid(rows: Rows) -> Rows:
    for key in reversed(KEYS):
        await rows.put("counter_items", id=key, outlet_id="K01", stock=5)
        await rows.put("counter_stocks", id=key, outlet_id="K01", name=str(key), stock=5)
    for key, item in zip((ONE, TWO, THREE), OWN, strict=True):
        await rows.put("counter_lines", **line(key, item, shared_stocks=list(OWN))[1])
    await rows.put("counter_lines", **line(UUID(int=39), BESIDE, OTHER)[1])
    await rows.put("fulfillments", **unit(UNIT, **BACK)[1])
    taken = [{"item": str(key), "pieces": 1, "choices": {}} for key in OWN]
    stocks = [{"stock": str(key), "pieces": 1} for key in OWN]
    await rows.put("counter_walk_ins", **walk_in(WALK_IN, taken=taken + stocks)[1])
    await rows.put("counter_walk_ins", **walk_in(OTHER, taken=[{"item": str(BESIDE)}])[1])
    return rows


@pytest.mark.parametrize("table", ["counter_items", "counter_stocks"])
@pytest.mark.parametrize("call", CALLS)
async def test_rows_of_what_is_for_sale_again_are_locked_by_their_ids(
    laid: Rows, holder: RawConnection, looker: RawConnection, call: str, table: str
) -> None:
    await holder.execute("BEGIN")
    await holder.execute(f"SELECT FROM {table} WHERE id = $1 FOR UPDATE", MIDDLE)
    work = asyncio.create_task(laid.conn.execute(f"SELECT {call}($1, $2)", CALLS[call], NOW))
    assert await stopped(looker, work) is not None
    free = await looker.fetch(f"SELECT id FROM {table} ORDER BY id FOR UPDATE SKIP LOCKED")
    await holder.execute("ROLLBACK")
    await work
    assert [row["id"] for row in free] == [BESIDE, BEHIND, LAST]
