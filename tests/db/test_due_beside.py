"""Claiming, beside a row that is alike: each verb changes its own row, and as much of it as it
says."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from coinslot.db.due import (
    Claimed,
    Due,
    NotSweptError,
    Share,
    Want,
    claim,
    claim_one,
    finish,
    put_off,
    release,
    renew,
)
from coinslot.db.lease import Lease
from coinslot.db.pool import Database
from tests.db.test_due import ASHA, INBOX, LANED, MINUTE, fill_accounts, fill_inbox

Row = dict[str, Any]
HOUR = timedelta(hours=1)


async def rows(database: Database) -> dict[int, Row]:
    async with database.as_merchant(ASHA) as conn:
        return {row["id"]: dict(row) for row in await conn.fetch("SELECT * FROM inbox")}


async def changed(database: Database, verb: Awaitable[object]) -> dict[int, Row]:
    """Only what the verb changed, of the rows that it changed."""
    before = await rows(database)
    await verb
    after = await rows(database)
    return {
        key: {name: value for name, value in row.items() if value != before[key][name]}
        for key, row in after.items()
        if row != before[key]
    }


async def moved(database: Database, key: int) -> None:
    """As the work on a row moves it on."""
    async with database.as_merchant(ASHA) as conn:
        await conn.execute("UPDATE inbox SET due_at = due_at + interval '1 s' WHERE id = $1", key)


async def test_each_verb_changes_its_own_row_alone(database: Database) -> None:
    await fill_inbox(database, -1, -1, 3600)
    first, second = await claim(database, INBOX, Want(limit=9, lease=MINUTE))
    assert first.lease.number == second.lease.number == 1
    key, later = first.row["id"], first.row["due_at"] + HOUR
    renewed = await changed(database, renew(database, first.lease, HOUR))
    assert {name: row.keys() for name, row in renewed.items()} == {key: {"leased_until"}}
    assert renewed[key]["leased_until"] > first.row["leased_until"] + HOUR / 2
    assert await changed(database, finish(database, first)) == {}  # nothing was written
    await moved(database, key)
    assert await changed(database, finish(database, first)) == {key: {"leased_until": None}}
    assert await changed(database, finish(database, first)) == {}
    off = await changed(database, put_off(database, first.lease, later))
    assert off == {key: {"due_at": later}}
    assert await changed(database, renew(database, first.lease, HOUR)) == {}  # it was let go
    other = second.row["id"]
    let = await changed(database, release(database, [second.lease]))
    assert let == {other: {"leased_until": None}}
    assert await changed(database, release(database, [])) == {}
    again = await changed(database, claim_one(database, "inbox", other, MINUTE))
    assert again.keys() == {other}
    assert set(again[other]) == {"leased_until", "lease"}
    assert again[other]["lease"] == 2


Verb = Callable[[Database, Claimed], Awaitable[object]]
VERBS: tuple[Verb, ...] = (
    lambda db, one: renew(db, one.lease, MINUTE),
    lambda db, one: release(db, [one.lease]),
    finish,
    lambda db, one: put_off(db, one.lease, one.row["due_at"] + HOUR),
)


@pytest.mark.parametrize("number", range(len(VERBS)))
async def test_no_verb_changes_a_row_that_was_claimed_again(
    database: Database, number: int
) -> None:
    await fill_inbox(database, -1)
    (one,) = await claim(database, INBOX, Want(limit=9, lease=MINUTE))
    await moved(database, one.row["id"])
    stale = Claimed(one.row, Lease("inbox", one.row["id"], one.lease.number - 1, 0))
    assert await changed(database, VERBS[number](database, stale)) == {}
    gone = Claimed(one.row, Lease("inbox", one.row["id"] + 1, one.lease.number, 0))
    assert await changed(database, VERBS[number](database, gone)) == {}
    assert await changed(database, VERBS[number](database, one)) != {}


async def test_what_has_ended_is_not_put_off(database: Database) -> None:
    await fill_inbox(database, -1)
    (one,) = await claim(database, INBOX, Want(limit=9, lease=MINUTE))
    async with database.as_merchant(ASHA) as conn:
        await conn.execute("UPDATE inbox SET due_at = NULL, leased_until = NULL")
    assert not await put_off(database, one.lease, one.row["due_at"])
    assert (await rows(database))[one.row["id"]]["due_at"] is None


async def test_a_lease_is_known_by_its_row_its_number_and_its_end(database: Database) -> None:
    await fill_inbox(database, -1, -2)
    for number in (1, 2, 3):
        for one in await claim(database, INBOX, Want(limit=9, lease=MINUTE)):
            assert (one.lease.table, one.lease.key) == ("inbox", one.row["id"])
            assert one.lease.number == one.row["lease"] == number
            await release(database, [one.lease])
    (first, *_) = await claim(database, INBOX, Want(limit=1, lease=MINUTE))
    (second, *_) = await claim(database, INBOX, Want(limit=1, lease=HOUR))
    assert 3000 < second.lease.until - first.lease.until < 3600
    await release(database, [first.lease])
    again = await claim_one(database, "inbox", first.row["id"], HOUR)
    assert again is not None
    assert again.lease.until >= second.lease.until
    assert await renew(database, again.lease, 2 * HOUR)
    assert again.lease.until > second.lease.until + 3000


@pytest.mark.parametrize("due", [INBOX, LANED, Due("inbox", lane="merchant_id")])
async def test_the_longest_due_are_claimed_and_told_first(database: Database, due: Due) -> None:
    waits = (-5, -50, -500, -20, 3600, None)
    await fill_inbox(database, *waits)
    got = await claim(database, due, Want(limit=2, lease=MINUTE, share=Share(lane=9)))
    ages = [(one.row["received_at"] - one.row["due_at"]).total_seconds() for one in got]
    assert ages == [500, 50]
    rest = await claim(database, due, Want(limit=9, lease=MINUTE, share=Share(lane=9)))
    ages = [(one.row["received_at"] - one.row["due_at"]).total_seconds() for one in rest]
    assert ages == [20, 5]
    assert await claim(database, due, Want(limit=9, lease=MINUTE, share=Share(lane=9))) == []


async def test_a_gateways_places_are_for_its_longest_due_of_all_accounts(
    database: Database,
) -> None:
    """The second account's rows are as long due; the first four of them all are wanted."""
    made = await fill_accounts(database, mock_a=4, mock_b=4, flaky_c=2)
    share = Share(lane=4, gateway=4)
    got = await claim(database, LANED, Want(limit=99, lease=MINUTE, share=share))
    by_account: dict[str, list[timedelta]] = {}
    for one in got:
        name = next(name for name, key in made.items() if key == one.row["account_id"])
        by_account.setdefault(name, []).append(one.row["received_at"] - one.row["due_at"])
    assert sorted(by_account["mock_a"] + by_account["mock_b"], reverse=True)[:4] == [
        HOUR, HOUR, HOUR / 2, HOUR / 2,
    ]  # fmt: skip
    assert len(by_account["flaky_c"]) == 2
    # What they hold counts on: nothing more of this gateway is given out.
    assert await claim(database, LANED, Want(limit=99, lease=MINUTE, share=share)) == []


async def test_the_moment_at_which_a_row_is_due_is_its_own(database: Database) -> None:
    await fill_inbox(database, 3600)
    (due_at,) = [row["due_at"] for row in (await rows(database)).values()]
    early = Want(limit=9, lease=MINUTE, now=due_at - timedelta(microseconds=1))
    assert await claim(database, INBOX, early) == []
    assert len(await claim(database, INBOX, Want(limit=9, lease=MINUTE, now=due_at))) == 1


def test_each_word_that_becomes_sql_is_looked_up_by_itself() -> None:
    for due in (("nothing", None), ("orders", "nothing")):
        with pytest.raises(NotSweptError):
            Due(*due)
    Due("orders", "merchant_id")
    Due("orders", "account_id")
