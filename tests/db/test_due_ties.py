"""Of rows that are as long due the one with the lower number is claimed first, in whichever order
they were written; and a row that somebody holds is left out, and waited for by nobody."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from coinslot.db.due import Due, Share, Want, claim
from coinslot.db.pool import Database, RawConnection
from tests.db.test_due import INBOX, LANED, MINUTE
from tests.sales.by_hand import NOW, Rows

ACCOUNT, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
async def rows(rows: Rows) -> Rows:
    for account, name in ((OTHER, "b"), (ACCOUNT, "a")):
        await rows.put("gateway_accounts", id=account, gateway="mock", slug=name)
    for number, account in ((3, OTHER), (2, ACCOUNT), (5, OTHER), (1, OTHER), (4, ACCOUNT)):
        await rows.put("inbox", id=number, account_id=account, verdict="genuine", due_at=NOW,
                       delivery_id=str(number))  # fmt: skip
    return rows


async def claimed(database: Database, due: Due, limit: int, share: Share) -> list[int]:
    want = Want(limit=limit, lease=MINUTE, share=share)
    found = await asyncio.wait_for(claim(database, due, want), 5)
    return sorted(one.row["id"] for one in found)


@pytest.mark.parametrize(
    ("limit", "share", "first"),
    [
        (9, Share(lane=1), [1, 2]),
        (9, Share(lane=2), [1, 2, 3, 4]),
        (9, Share(lane=9, gateway=1), [1]),
        (9, Share(lane=9, gateway=3), [1, 2, 3]),
        (1, Share(lane=9), [1]),
        (4, Share(lane=9), [1, 2, 3, 4]),
    ],
)
async def test_rows_that_are_as_long_due_are_claimed_by_their_numbers(
    rows: Rows, database: Database, limit: int, share: Share, first: list[int]
) -> None:
    assert await claimed(database, LANED, limit, share) == first


@pytest.mark.parametrize("due", [INBOX, LANED])
async def test_a_row_that_somebody_holds_is_left_out_and_not_waited_for(
    rows: Rows, database: Database, holder: RawConnection, due: Due
) -> None:
    await holder.execute("BEGIN; SELECT FROM inbox WHERE id = 2 FOR NO KEY UPDATE")
    assert await claimed(database, due, 9, Share(lane=9)) == [1, 3, 4, 5]
    await holder.execute("ROLLBACK")
    assert await claimed(database, due, 9, Share(lane=9)) == [2]


async def test_rows_of_two_gateways_are_claimed_by_their_numbers_too(
    rows: Rows, database: Database
) -> None:
    await rows.conn.execute("UPDATE gateway_accounts SET gateway = 'flaky' WHERE id = $1", OTHER)
    assert await claimed(database, LANED, 4, Share(lane=9)) == [1, 2, 3, 4]


async def test_of_one_account_the_longest_due_is_claimed(rows: Rows, database: Database) -> None:
    await rows.conn.execute("UPDATE inbox SET due_at = $1 WHERE id = 5", NOW - timedelta(hours=1))
    assert await claimed(database, LANED, 9, Share(lane=1)) == [2, 5]


async def test_what_is_due_at_no_time_or_later_takes_no_place(
    rows: Rows, database: Database
) -> None:
    await rows.conn.execute("UPDATE inbox SET due_at = NULL WHERE id IN (1, 2)")
    await rows.conn.execute("UPDATE inbox SET due_at = now() + $1 WHERE id = 3", timedelta(hours=1))
    assert await claimed(database, LANED, 9, Share(lane=1)) == [4, 5]
    assert await claimed(database, LANED, 9, Share(lane=1)) == []
