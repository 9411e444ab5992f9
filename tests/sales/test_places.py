"""How many rows a sweeper may take up: quick rows and slow ones have places of their own."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from coinslot.context import Wakes
from coinslot.worker.sweep import Pace, Sweeper


class Bare:
    """Only what a sweeper asks for before it claims."""

    wakes = Wakes()
    kinds: ClassVar[Mapping[str, Any]] = {}


async def forever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("quick", "slow", "free"),
    [(0, 0, 8), (3, 0, 5), (8, 0, 0), (0, 2, 8), (7, 2, 1), (8, 2, 0), (0, 4, 6), (0, 10, 0)],
)
async def test_slow_rows_leave_their_places_to_quick_ones_up_to_a_number(
    quick: int, slow: int, free: int
) -> None:
    bare: Any = Bare()
    sweeper = Sweeper(bare, "refunds", Pace(slow=10))
    tasks = [asyncio.ensure_future(forever()) for _ in range(quick + slow)]
    no_lease: Any = None
    sweeper._under_way = dict.fromkeys(tasks, no_lease)
    sweeper._slow = set(tasks[:slow])
    assert sweeper._free() == free
    for task in tasks:
        task.cancel()
