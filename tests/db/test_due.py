"""Claiming due work: one worker at a time holds a row, and a dead one's row finds another."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from coinslot.db.due import (
    Claimed,
    Due,
    NotSweptError,
    Share,
    Want,
    _claim_sql,
    claim,
    claim_one,
    finish,
    put_off,
    release,
    renew,
)
from coinslot.db.lease import HeldDatabase, LeaseLostError
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock

MINUTE = timedelta(minutes=1)
BLINK = timedelta(milliseconds=20)
ASHA, ACCOUNT = uuid4(), uuid4()
INBOX = Due("inbox")


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
    return [one.row for one in await claimed_with_lease(database, limit, lease, now)]


async def claimed_with_lease(
    database: Database, limit: int = 100, lease: timedelta = MINUTE, now: datetime | None = None
) -> list[Claimed]:
    return await claim(database, INBOX, Want(limit=limit, lease=lease, now=now))


async def test_due_rows_come_whole_and_longest_due_first(database: Database) -> None:
    await fill_inbox(database, -1, -3, 60, None, -2)
    rows = await claimed(database)
    waits = [row["received_at"] - row["due_at"] for row in rows]
    assert waits == [timedelta(seconds=s) for s in (3, 2, 1)]
    assert rows[0]["facts"] == {}


async def test_no_more_than_the_limit_is_taken(database: Database) -> None:
    await fill_inbox(database, -1, -2, -3)
    assert [len(await claimed(database, 2)) for _ in range(3)] == [2, 1, 0]


async def test_two_claims_at_once_never_hold_the_same_row(database: Database) -> None:
    await fill_inbox(database, *[-1.0] * 10)
    first, second = await asyncio.gather(claimed(database, 6), claimed(database, 6))
    assert len({row["id"] for row in [*first, *second]}) == len(first) + len(second) >= 6


async def test_many_workers_share_the_work_without_doing_any_twice(database: Database) -> None:
    await fill_inbox(database, *[-1.0] * 200)
    taken: list[int] = []

    async def worker() -> None:
        while rows := await claimed(database, 7):
            taken.extend(row["id"] for row in rows)

    await asyncio.gather(*(worker() for _ in range(6)))
    assert len(taken) == len(set(taken)) == 200


async def test_a_lease_that_ran_out_is_claimed_again(database: Database) -> None:
    await fill_inbox(database, -1)
    [dead] = await claimed(database, lease=BLINK)
    async with asyncio.timeout(5):
        again: list[asyncpg.Record] = []
        while not again:
            again = await claimed(database)
    assert again[0]["id"] == dead["id"]
    assert again[0]["leased_until"] > dead["leased_until"]


async def writes(database: Database, one: Claimed, failure: str) -> None:
    """An outcome, in the name of this lease."""
    async with HeldDatabase(database, one.lease).as_merchant(ASHA) as conn:
        await conn.execute(
            "UPDATE inbox SET failure = $2, leased_until = NULL WHERE id = $1",
            one.row["id"], failure,
        )  # fmt: skip


async def failures(database: Database) -> list[str | None]:
    async with database.as_merchant(ASHA) as conn:
        return [row["failure"] for row in await conn.fetch("SELECT failure FROM inbox")]


async def test_a_worker_that_lost_its_row_can_neither_write_it_nor_let_it_go_nor_hold_it_on(
    database: Database,
) -> None:
    await fill_inbox(database, -1)
    [late] = await claimed_with_lease(database, lease=timedelta(0))
    [current] = await claimed_with_lease(database)
    with pytest.raises(LeaseLostError):
        await writes(database, late, "late")
    assert late.lease.lost
    assert not await renew(database, late.lease, MINUTE)
    assert not await put_off(database, late.lease, SystemClock().now())
    await release(database, [late.lease])
    await finish(database, late)
    assert await claimed(database) == []
    await writes(database, current, "current")
    assert await failures(database) == ["current"]


async def test_a_lease_that_ran_out_and_that_nobody_took_still_counts(database: Database) -> None:
    await fill_inbox(database, -1)
    [late] = await claimed_with_lease(database, lease=timedelta(0))
    await writes(database, late, "late")
    assert await failures(database) == ["late"]


async def test_a_fenced_transaction_writes_other_rows_freely(database: Database) -> None:
    await fill_inbox(database, -1, -2)
    first, second = await claimed_with_lease(database, lease=timedelta(0))
    await claimed_with_lease(database)
    async with HeldDatabase(database, first.lease).as_merchant(ASHA) as conn:
        await conn.execute("UPDATE inbox SET failure = 'ok' WHERE id = $1", second.row["id"])
    assert sorted(str(one) for one in await failures(database)) == ["None", "ok"]


async def test_before_a_call_a_lease_counts_only_within_its_time(database: Database) -> None:
    await fill_inbox(database, -1)
    [over] = await claimed_with_lease(database, lease=timedelta(0))
    with pytest.raises(LeaseLostError):
        HeldDatabase(database, over.lease).check_lease()
    assert await renew(database, over.lease, MINUTE)
    HeldDatabase(database, over.lease).check_lease()


async def test_a_row_that_is_let_go_is_anothers_at_once_and_stays_so(database: Database) -> None:
    await fill_inbox(database, -1)
    [one] = await claimed_with_lease(database)
    await release(database, [one.lease])
    assert await renew(database, one.lease, MINUTE)  # nobody has it, and it is not held anew
    assert len(await claimed(database)) == 1


async def test_a_row_whose_work_said_nothing_stays_leased_and_one_that_moved_is_free(
    database: Database,
) -> None:
    await fill_inbox(database, -1)
    [one] = await claimed_with_lease(database)
    await finish(database, one)
    assert await claimed(database) == []
    async with database.as_merchant(ASHA) as conn:
        await conn.execute("UPDATE inbox SET due_at = due_at - interval '1 second'")
    await finish(database, one)
    assert len(await claimed(database)) == 1


async def test_a_row_that_is_put_off_is_due_again_when_it_was_told(database: Database) -> None:
    await fill_inbox(database, -1)
    [one] = await claimed_with_lease(database)
    assert await put_off(database, one.lease, SystemClock().now() + MINUTE)
    assert await claimed(database) == []
    assert len(await claimed(database, now=SystemClock().now() + 2 * MINUTE)) == 1


async def test_one_row_can_be_taken_by_name_while_nobody_holds_it(database: Database) -> None:
    await fill_inbox(database, 3600)
    async with database.as_merchant(ASHA) as conn:
        key = await conn.fetchval("SELECT id FROM inbox")
    mine = await claim_one(database, "inbox", key, MINUTE)
    assert mine is not None
    assert await claim_one(database, "inbox", key, MINUTE) is None
    await release(database, [mine.lease])
    again = await claim_one(database, "inbox", key, MINUTE)
    assert again is not None
    assert again.lease.number == mine.lease.number + 1


async def fill_accounts(database: Database, **rows: int) -> dict[str, UUID]:
    """So many due rows of the inbox for each account; `<gateway>_<name>` names it."""
    await fill_inbox(database)
    made = {}
    async with database.as_merchant(ASHA) as conn:
        for name, count in rows.items():
            made[name] = uuid4()
            await conn.execute(
                "INSERT INTO gateway_accounts (id, merchant_id, gateway, slug, settings,"
                " created_at) VALUES ($1, $2, $3, $4, '', now())",
                made[name], ASHA, name.partition("_")[0], name,
            )  # fmt: skip
            await conn.execute(
                "INSERT INTO inbox (merchant_id, account_id, verdict, headers, body, facts,"
                " received_at, due_at) SELECT $1, $2, 'genuine', '{}', '', '{}', now(),"
                " now() - (interval '1 hour') / n FROM generate_series(1, $3::integer) n",
                ASHA, made[name], count,
            )  # fmt: skip
    return made


LANED = Due("inbox", lane="account_id")


async def shares(database: Database, limit: int, share: Share) -> Counter[UUID]:
    got = await claim(database, LANED, Want(limit=limit, lease=MINUTE, share=share))
    return Counter(one.row["account_id"] for one in got)


async def test_of_one_account_only_a_few_rows_are_held_by_all_workers_together(
    database: Database,
) -> None:
    made = await fill_accounts(database, mock_a=50, mock_b=2)
    share = Share(lane=4)
    claims = await asyncio.gather(*(shares(database, 3, share) for _ in range(8)))
    assert sum(claims, Counter()) == {made["mock_a"]: 4, made["mock_b"]: 2}
    assert not await shares(database, 3, share)


async def test_a_row_that_ends_makes_room_for_the_next_of_its_account(database: Database) -> None:
    made = await fill_accounts(database, mock_a=50)
    await shares(database, 10, Share(lane=4))
    async with database.as_merchant(ASHA) as conn:
        await conn.execute(
            "UPDATE inbox SET due_at = NULL, leased_until = NULL WHERE id IN"
            " (SELECT id FROM inbox WHERE leased_until IS NOT NULL LIMIT 3)"
        )
    assert await shares(database, 10, Share(lane=4)) == {made["mock_a"]: 3}


async def test_one_gateway_with_many_accounts_leaves_room_for_the_others(
    database: Database,
) -> None:
    names = {f"mock_{number}": 4 for number in range(6)}
    made = await fill_accounts(database, **names, flaky_one=4)
    got = await shares(database, 100, Share(lane=4, gateway=10))
    assert got.pop(made["flaky_one"]) == 4
    assert got.total() == 10


@pytest.mark.usefixtures("never_lent")
async def test_behind_a_hundred_thousand_rows_of_a_stalled_account_a_claim_reads_few(
    database: Database,
) -> None:
    """Counted in pages read, so that a busy machine judges like a quiet one."""
    made = await fill_accounts(database, mock_stalled=100_000, mock_other=1)
    assert (await shares(database, 4, Share(lane=4)))[made["mock_stalled"]] >= 3
    sql = _claim_sql(LANED)
    for number, value in ((5, "64"), (4, "4"), (3, "now()"), (2, "interval '1 minute'"), (1, "8")):
        sql = sql.replace(f"${number}", value)
    async with database.system_transaction() as conn:
        plan = await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
    top = plan[0]["Plan"]
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 300, plan


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
    lane = {"fulfillments": None, "orders": "merchant_id"}.get(table, "account_id")
    assert await claim(database, Due(table, lane), Want(limit=10, lease=MINUTE)) == []
    assert await claim_one(database, table, uuid4(), MINUTE) is None


@pytest.mark.parametrize(
    ("table", "lane"),
    [("ledger", None), ("orders; DROP TABLE orders", None), ("orders", "id; --")],
)
def test_words_that_are_not_listed_never_become_sql(table: str, lane: str | None) -> None:
    with pytest.raises(NotSweptError):
        Due(table, lane)
