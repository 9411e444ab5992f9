"""Work waits in order for each machine, side by side between machines, and within limits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from coinslot.channels.machine_queues import Limits, MachineQueues

WIDE = Limits(workers=2, per_second=100_000)


@asynccontextmanager
async def working(queues: MachineQueues) -> AsyncIterator[None]:
    run = asyncio.create_task(queues.run())
    try:
        yield
    finally:
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run


def noting(done: asyncio.Queue[int], number: int) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        await asyncio.sleep(0)  # others get their turn in the middle of it
        done.put_nowait(number)

    return work


async def nothing() -> None:
    """Work that is none."""


async def test_one_lane_keeps_its_order_under_many_workers() -> None:
    queues, done = MachineQueues(Limits(workers=8, per_second=100_000)), asyncio.Queue[int]()
    async with working(queues):
        for number in range(200):
            assert queues.put("M01", noting(done, number))
        assert [await done.get() for _ in range(200)] == list(range(200))


async def test_a_lane_that_stands_still_holds_up_no_other() -> None:
    queues, done, gate = MachineQueues(WIDE), asyncio.Queue[int](), asyncio.Event()

    async def stuck() -> None:
        await gate.wait()
        done.put_nowait(-1)

    async with working(queues):
        queues.put("M01", stuck)
        queues.put("M01", noting(done, 1))
        queues.put("M02", noting(done, 2))
        assert await done.get() == 2
        gate.set()
        assert [await done.get(), await done.get()] == [-1, 1]


async def test_a_busy_machine_takes_turns_with_the_others() -> None:
    queues, done = MachineQueues(Limits(workers=1, per_second=100_000)), asyncio.Queue[int]()
    for number in range(100):
        queues.put("M01", noting(done, number))
    queues.put("M02", noting(done, -1))
    async with working(queues):
        assert [await done.get() for _ in range(3)] == [0, -1, 1]


async def test_what_is_over_a_limit_is_dropped_and_counted() -> None:
    queues = MachineQueues(Limits(waiting=3, per_machine=2, per_second=100))
    assert [queues.put("M01", nothing) for _ in range(3)] == [True, True, False]
    assert [queues.put("M02", nothing) for _ in range(2)] == [True, False]
    assert queues.dropped == 2


async def test_a_machine_that_talks_too_fast_is_cut_off_and_no_other() -> None:
    queues = MachineQueues(Limits(per_second=5))
    taken = [queues.put("M01", nothing) for _ in range(100)]
    # The second may have turned in between, once.
    assert 5 <= sum(taken) <= 10
    assert queues.put("M02", nothing)


async def test_a_lane_that_is_done_leaves_nothing_behind() -> None:
    queues, done = MachineQueues(WIDE), asyncio.Queue[int]()
    async with working(queues):
        for number in range(50):
            queues.put(f"M{number}", noting(done, number))
        for _ in range(50):
            await done.get()
        await asyncio.sleep(0)
        assert not queues._queues


async def test_room_that_became_free_is_used_again() -> None:
    queues, done = MachineQueues(Limits(waiting=2, per_second=100_000)), asyncio.Queue[int]()
    async with working(queues):
        for number in range(10):
            assert queues.put("M01", noting(done, number))
            assert await done.get() == number
