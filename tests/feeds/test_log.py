"""Reading the log: nothing is skipped, nothing is out of order, one process at a time."""

import asyncio
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from coinslot.db.pool import Connection, Database
from coinslot.events.log import Batch, Cursor, CursorLostError, Pace, follow
from coinslot.kit.clock import SystemClock
from coinslot.kit.failures import Failures

ASHA = uuid4()
FAILURES = Failures(SystemClock())
# Other tests on the same server hold transactions open, too: all readers are patient but one.
PACE = Pace(batch=3, poll_s=0.01, lease_s=60, patience_s=20)
IMPATIENT = Pace(batch=3, poll_s=0.01, lease_s=60, patience_s=0.05)


@pytest.fixture
async def asha(database: Database) -> Database:
    async with database.as_merchant(ASHA) as conn:
        await conn.execute(
            "INSERT INTO merchants (id, name, slug, created_at) VALUES ($1, 'Asha', 'a', now())",
            ASHA,
        )
    return database


async def note(conn: Connection, what: str, subject: UUID = ASHA) -> None:
    await conn.execute("SELECT tell($1, 'order', $2, $3, '{}', now())", ASHA, subject, what)


async def noted(database: Database, *what: str) -> None:
    for one in what:
        async with database.as_merchant(ASHA) as conn:
            await note(conn, one)


async def read_all(cursor: Cursor) -> list[str]:
    found = []
    while (batch := await cursor.next_batch()) is not None:
        found += [entry.event for entry in batch.entries]
        await cursor.advance(batch)
    return found


async def test_everything_is_read_once_in_batches(asha: Database) -> None:
    cursor = Cursor(asha, "one", PACE)
    await noted(asha, *"ABCDEFG")
    assert await read_all(cursor) == [*"ABCDEFG"]
    await noted(asha, "H")
    assert await read_all(cursor) == ["H"]
    assert await read_all(cursor) == []


async def test_how_far_a_reader_is_behind_is_a_metric(asha: Database) -> None:
    cursor = Cursor(asha, "behind", PACE)

    def behind() -> float | None:
        return REGISTRY.get_sample_value("coinslot_feed_behind", {"reader": "behind"})

    await read_all(cursor)
    assert behind() == 0
    await noted(asha, *"ABCDE")
    batch = await cursor.next_batch()
    assert batch is not None
    assert behind() == 5
    await cursor.advance(batch)
    assert await cursor.next_batch() is not None
    assert behind() == 5 - PACE.batch


async def test_the_very_first_entry_is_read_by_who_looked_before_it_was_written(
    asha: Database,
) -> None:
    cursor = Cursor(asha, "one", PACE)
    assert await read_all(cursor) == []
    await noted(asha, "A")
    assert await read_all(cursor) == ["A"]


async def test_a_row_of_an_older_transaction_that_is_still_open_is_never_skipped(
    asha: Database,
) -> None:
    cursor = Cursor(asha, "one", IMPATIENT)
    async with asha.as_merchant(ASHA) as conn:
        await note(conn, "slow")
        await noted(asha, "quick")  # a higher seq, committed before the lower
        assert await cursor.next_batch() is None
    cursor.pace = PACE
    assert await read_all(cursor) == ["slow", "quick"]


async def test_an_open_transaction_that_began_earlier_and_writes_later_loses_nothing(
    asha: Database,
) -> None:
    """It has a low id and will have a high seq: order of ids is not order of events."""
    cursor = Cursor(asha, "one", PACE)
    async with asha.as_merchant(ASHA) as conn:
        await conn.execute("SELECT pg_current_xact_id()")
        await noted(asha, "first")
        waiting = asyncio.create_task(cursor.next_batch())
        await asyncio.wait([waiting], timeout=0.05)
        assert not waiting.done()
        await note(conn, "second")
    batch = await waiting
    assert batch is not None
    assert [entry.event for entry in batch.entries] == ["first"]
    await cursor.advance(batch)
    assert await read_all(cursor) == ["second"]


async def test_what_was_rolled_back_is_passed_over(asha: Database) -> None:
    cursor = Cursor(asha, "one", PACE)
    async with asha.as_merchant(ASHA) as conn:
        await note(conn, "never")
        await conn.execute("ROLLBACK")
    await noted(asha, "after")
    assert await read_all(cursor) == ["after"]


async def test_many_writers_at_once_are_read_whole_and_each_subject_in_its_order(
    asha: Database,
) -> None:
    """Writers of a subject wait for each other on its row, as moves do."""
    subjects, rounds = [uuid4() for _ in range(4)], 12

    async def write(number: int) -> None:
        for step in range(rounds):
            async with asha.as_merchant(ASHA) as conn:
                await conn.execute("SELECT pg_current_xact_id()")
                await asyncio.sleep(0.001 * (number % 3))
                subject = subjects[(number + step) % len(subjects)]
                await conn.execute("SELECT pg_advisory_xact_lock($1)", subject.int % 2**60)
                turn = await conn.fetchval(
                    "SELECT count(*) FROM events WHERE subject_id = $1", subject
                )
                await note(conn, str(turn), subject)

    cursor = Cursor(asha, "one", PACE)
    read: dict[UUID, list[int]] = {subject: [] for subject in subjects}
    enough = asyncio.Event()

    async def tell(batch: Batch) -> None:
        for entry in batch.entries:
            read[entry.subject_id].append(int(entry.event))
        await cursor.advance(batch)
        if sum(map(len, read.values())) == 4 * rounds:
            enough.set()

    reading = asyncio.create_task(follow(cursor, tell, asyncio.Event(), FAILURES))
    await asyncio.gather(*(write(number) for number in range(4)))
    await asyncio.wait_for(enough.wait(), 20)
    reading.cancel()
    assert all(seen == [*range(len(seen))] for seen in read.values()), read


async def test_one_process_reads_and_another_takes_over_when_its_lease_ends(
    asha: Database,
) -> None:
    first, second = Cursor(asha, "one", PACE), Cursor(asha, "one", PACE)
    await noted(asha, "A")
    batch = await first.next_batch()
    assert batch is not None
    assert await second.next_batch() is None
    async with asha.system_transaction() as conn:
        await conn.execute("UPDATE feed_cursors SET leased_until = now()")
    assert await read_all(second) == ["A"]
    with pytest.raises(CursorLostError):
        await first.advance(batch)


async def test_who_lets_go_is_followed_at_once(asha: Database) -> None:
    first, second = Cursor(asha, "one", PACE), Cursor(asha, "one", PACE)
    await noted(asha, "A", "B")
    assert await first.next_batch() is not None
    await first.release()
    assert await read_all(second) == ["A", "B"]


async def test_a_reader_that_fails_reads_the_same_again_and_hinders_no_other(
    asha: Database,
) -> None:
    cursor, other = Cursor(asha, "one", PACE), Cursor(asha, "two", PACE)
    await noted(asha, "A")
    told, seen = [], asyncio.Event()

    async def tell(batch: Batch) -> None:
        told.append([entry.event for entry in batch.entries])
        if len(told) == 1:
            raise ValueError("it is away")
        await cursor.advance(batch)
        seen.set()

    reading = asyncio.create_task(follow(cursor, tell, asyncio.Event(), FAILURES))
    assert await read_all(other) == ["A"]
    await asyncio.wait_for(seen.wait(), 20)
    reading.cancel()
    assert told == [["A"], ["A"]]


async def test_a_reader_that_is_behind_leaves_most_of_the_time_to_others(asha: Database) -> None:
    cursor = Cursor(asha, "one", replace(PACE, share=0.25))
    await noted(asha, *"ABCDEFGHIJ")
    now_s = asyncio.get_running_loop().time
    spans: list[tuple[float, float]] = []
    seen = asyncio.Event()

    async def work(batch: Batch) -> None:
        began_s = now_s()
        await cursor.advance(batch)
        await asyncio.sleep(0.05)  # stands for work
        spans.append((began_s, now_s()))
        if not batch.more:
            seen.set()

    reading = asyncio.create_task(follow(cursor, work, asyncio.Event(), FAILURES))
    await asyncio.wait_for(seen.wait(), 20)
    reading.cancel()
    assert len(spans) == 4
    for (began_s, ended_s), (next_s, _) in pairwise(spans):
        assert next_s - ended_s >= 3 * (ended_s - began_s) * 0.99


async def test_what_comes_while_a_batch_is_worked_is_read_together(asha: Database) -> None:
    cursor = Cursor(asha, "one", replace(PACE, batch=100, gather_s=0.2))
    await noted(asha, "A")
    read: list[list[str]] = []
    first, all_of_it = asyncio.Event(), asyncio.Event()

    async def work(batch: Batch) -> None:
        await cursor.advance(batch)
        read.append([entry.event for entry in batch.entries])
        first.set()
        if sum(map(len, read)) == 4:
            all_of_it.set()

    wake = asyncio.Event()
    reading = asyncio.create_task(follow(cursor, work, wake, FAILURES))
    await asyncio.wait_for(first.wait(), 20)
    for one in "BCD":
        await noted(asha, one)
        wake.set()
    await asyncio.wait_for(all_of_it.wait(), 20)
    reading.cancel()
    assert read == [["A"], [*"BCD"]]


async def test_a_reader_that_works_again_begins_its_pauses_anew(asha: Database) -> None:
    cursor = Cursor(asha, "one", replace(PACE, batch=1))
    await noted(asha, "A", "B")
    fails = {"A": 3, "B": 1}
    seen = asyncio.Event()

    async def work(batch: Batch) -> None:
        (entry,) = batch.entries
        if fails[entry.event]:
            fails[entry.event] -= 1
            raise ValueError("it is away")
        await cursor.advance(batch)
        if entry.event == "B":
            seen.set()

    with capture_logs() as said:
        reading = asyncio.create_task(follow(cursor, work, asyncio.Event(), FAILURES))
        await asyncio.wait_for(seen.wait(), 20)
    reading.cancel()
    pauses = [round(one["pause_s"] / PACE.poll_s) for one in said if one["event"] == "feed_failed"]
    assert pauses == [2, 4, 8, 2]
