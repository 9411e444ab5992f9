"""Claiming due work: one worker at a time holds a row, and a dead one's row finds another."""

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from coinslot.db.due import Due, NotSweptError, claim, release
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock

MINUTE = timedelta(minutes=1)
BLINK = timedelta(milliseconds=20)
ASHA, ACCOUNT = uuid4(), uuid4()


async def fill_inbox(database: Database, *due_in_s: float | None) -> None:
    """One row of the inbox for each number, due in so many seconds."""
    async with database.as_merchant(ASHA) as conn:
        await conn.execute(
            "INSERT INTO merchants (id, name, slug, created_at) VALUES ($1, 'Asha', 'a', now())",
            ASHA,
        )
        await conn.execute(
            "INSERT INTO gateway_accounts (id, merchant_id, gateway, slug, settings, created_at)"
            " VALUES ($1, $2, 'mock', 'one', '', now())",
            ACCOUNT,
            ASHA,
        )
        await conn.executemany(
            "INSERT INTO inbox (merchant_id, account_id, verdict, headers, body, facts,"
            " received_at, due_at)"
            " VALUES ($1, $2, 'genuine', '{}', '', '{}', now(), now() + $3::interval)",
            [(ASHA, ACCOUNT, None if s is None else timedelta(seconds=s)) for s in due_in_s],
        )


async def claimed(
    database: Database, limit: int = 100, lease: timedelta = MINUTE, now: datetime | None = None
) -> list[asyncpg.Record]:
    async with database.door() as conn:
        return await claim(conn, "inbox", limit, lease, now)


async def test_due_rows_come_whole_and_longest_due_first(database: Database) -> None:
    await fill_inbox(database, -1, -3, 60, None, -2)
    rows = await claimed(database)
    waits = [row["received_at"] - row["due_at"] for row in rows]
    assert waits == [timedelta(seconds=s) for s in (3, 2, 1)]
    assert rows[0]["facts"] == {}


async def test_no_more_than_the_limit_is_taken(database: Database) -> None:
    await fill_inbox(database, -1, -2, -3)
    assert [len(await claimed(database, 2)) for _ in range(3)] == [2, 1, 0]


async def test_two_transactions_at_once_never_hold_the_same_row(database: Database) -> None:
    await fill_inbox(database, *[-1.0] * 10)
    async with database.door() as one, database.door() as other:
        first = await claim(one, "inbox", 6, MINUTE)
        second = await claim(other, "inbox", 6, MINUTE)
    assert len(first) == 6
    assert len(second) == 4
    assert not {row["id"] for row in first} & {row["id"] for row in second}


async def test_many_workers_share_the_work_without_doing_any_twice(database: Database) -> None:
    await fill_inbox(database, *[-1.0] * 200)
    taken: list[int] = []

    async def worker() -> None:
        while rows := await claimed(database, 7):
            taken.extend(row["id"] for row in rows)

    await asyncio.gather(*(worker() for _ in range(6)))
    assert len(taken) == len(set(taken)) == 200


async def test_a_claim_that_is_rolled_back_holds_nothing(database: Database) -> None:
    await fill_inbox(database, -1)
    async with database.door() as conn:
        claims = conn.transaction()
        await claims.start()
        assert len(await claim(conn, "inbox", 1, MINUTE)) == 1
        await claims.rollback()
    assert len(await claimed(database)) == 1


async def test_a_lease_that_ran_out_is_claimed_again(database: Database) -> None:
    await fill_inbox(database, -1)
    [dead] = await claimed(database, lease=BLINK)
    async with asyncio.timeout(5):
        again: list[asyncpg.Record] = []
        while not again:
            again = await claimed(database)
    assert again[0]["id"] == dead["id"]
    assert again[0]["leased_until"] > dead["leased_until"]


async def test_a_worker_that_lost_its_lease_cannot_release_the_next_ones(
    database: Database,
) -> None:
    await fill_inbox(database, -1)
    [late] = await claimed(database, lease=timedelta(0))
    [current] = await claimed(database)
    async with database.door() as conn:
        assert not await release(conn, "inbox", late, None)
        assert await release(conn, "inbox", current, timedelta(0))
    assert len(await claimed(database)) == 1


async def test_a_released_row_is_due_again_when_it_was_told(database: Database) -> None:
    await fill_inbox(database, -1)
    [row] = await claimed(database)
    async with database.door() as conn:
        assert await release(conn, "inbox", row["id"], MINUTE)
    assert await claimed(database) == []
    assert len(await claimed(database, now=SystemClock().now() + 2 * MINUTE)) == 1


async def test_a_row_that_owes_nothing_more_is_never_claimed(database: Database) -> None:
    await fill_inbox(database, -1)
    [row] = await claimed(database)
    async with database.door() as conn:
        await release(conn, "inbox", row, None)
    assert await claimed(database, now=SystemClock().now() + timedelta(days=365)) == []


async def test_the_callers_time_decides_what_is_due_but_never_how_long_a_lease_is(
    database: Database,
) -> None:
    await fill_inbox(database, 3600)
    assert await claimed(database) == []
    later = SystemClock().now() + 2 * timedelta(hours=1)
    assert len(await claimed(database, now=later)) == 1
    assert await claimed(database, now=later) == []


@pytest.mark.parametrize("table", ["fulfillments", "orders", "refunds", "captures", "qr_codes"])
async def test_the_door_may_claim_and_release_in_every_swept_table(
    database: Database, table: str
) -> None:
    only = ("unsettled",) if table == "fulfillments" else ()
    async with database.door() as conn:
        assert await claim(conn, Due(table, only), 10, MINUTE) == []
        assert not await release(conn, table, uuid4(), MINUTE)


@pytest.mark.parametrize(
    ("table", "only", "key"),
    [("ledger", (), "id"), ("orders; DROP TABLE orders", (), "id"), ("orders", ("1=1",), "id"),
     ("orders", (), "id; --")],
)  # fmt: skip
def test_words_that_are_not_listed_never_become_sql(
    table: str, only: tuple[str, ...], key: str
) -> None:
    with pytest.raises(NotSweptError):
        Due(table, only, key)
