"""How webhooks that arrive together are put into commits: so many at a time, in one order, within a
bound of memory, and each is answered with its own outcome. The database is a small fake here."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from coinslot.db.pool import DatabaseUnreachableError
from coinslot.payments.webhook_batch import CLOSE_S, TOGETHER, WAITING_MAX_BYTES, WebhookBatch

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Commits:
    """A database that commits when it is told to, and says which webhooks each commit held."""

    def __init__(self) -> None:
        self.held: list[list[str]] = []
        self.goes = asyncio.Event()
        self.refuses: Exception | None = None

    async def call(self, _statement: str, said: Any, *_: Any) -> Any:
        together = isinstance(said, list)
        names = [one["name"] for one in said] if together else [said["name"]]
        self.held.append(names)
        await self.goes.wait()
        if self.refuses is not None and (together or names == ["bad"]):
            raise self.refuses
        return [f"done {name}" for name in names] if together else f"done {names[0]}"


@pytest.fixture
def commits() -> Commits:
    return Commits()


@pytest.fixture
def batch(commits: Commits) -> WebhookBatch:
    database: Any = commits
    return WebhookBatch(database)


async def told(batch: WebhookBatch, name: str, order: str = "", size: int = 1) -> Any:
    """Begun, and as far as it goes without an answer."""
    task = asyncio.ensure_future(batch.store({"name": name}, b"x" * size, NOW, order))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def busy(batch: WebhookBatch) -> list[Any]:
    """Both lanes are at a commit."""
    return [await told(batch, "one"), await told(batch, "two")]


async def test_what_comes_during_a_commit_shares_the_next_one_in_one_order(
    batch: WebhookBatch, commits: Commits
) -> None:
    first = await busy(batch)
    rest = [await told(batch, name, order) for name, order in (("c", "3"), ("a", "1"), ("b", "2"))]
    assert commits.held == [["one"], ["two"]]
    commits.goes.set()
    outcomes = await asyncio.gather(*first, *rest)
    assert outcomes == ["done one", "done two", "done c", "done a", "done b"]
    assert commits.held[2:] == [["a", "b", "c"]]


async def test_so_many_are_in_one_commit_and_the_others_in_the_next(
    batch: WebhookBatch, commits: Commits
) -> None:
    first = await busy(batch)
    rest = [await told(batch, f"{number:03}") for number in range(TOGETHER + 2)]
    commits.goes.set()
    await asyncio.gather(*first, *rest)
    assert [len(names) for names in commits.held] == [1, 1, 32, 2]


async def test_more_than_there_is_room_for_is_refused_until_something_is_committed(
    batch: WebhookBatch, commits: Commits
) -> None:
    first = await busy(batch)
    big = await told(batch, "big", size=WAITING_MAX_BYTES - 5)
    fits = await told(batch, "fits", size=5)
    with pytest.raises(DatabaseUnreachableError):
        async with asyncio.timeout(5):  # one that was let in would wait
            await batch.store({"name": "small"}, b"x", NOW, "")
    commits.goes.set()
    assert await asyncio.gather(*first, big, fits)
    big = await told(batch, "big", size=WAITING_MAX_BYTES)
    assert await big == "done big"
    with pytest.raises(DatabaseUnreachableError):
        await batch.store({"name": "huge"}, b"x" * (WAITING_MAX_BYTES + 1), NOW, "")


async def test_one_that_cannot_be_kept_leaves_the_others_their_own_outcome(
    batch: WebhookBatch, commits: Commits
) -> None:
    first = await busy(batch)
    rest = [await told(batch, name) for name in ("good", "bad", "better")]
    commits.refuses = asyncpg.CheckViolationError("a table refuses it")
    commits.goes.set()
    outcomes = await asyncio.gather(*first, *rest, return_exceptions=True)
    assert outcomes[2] == "done good"
    assert outcomes[3] is commits.refuses
    assert outcomes[4] == "done better"
    assert sorted(map(tuple, commits.held[2:])) == [
        ("bad",), ("better",), ("good",), ("good", "bad", "better"),
    ]  # fmt: skip


async def test_a_server_that_went_away_is_told_to_each_of_them_and_nothing_is_sent_twice(
    batch: WebhookBatch, commits: Commits
) -> None:
    first = await busy(batch)
    rest = [await told(batch, name) for name in ("one more", "and one")]
    commits.refuses = ConnectionResetError("gone")
    commits.goes.set()
    outcomes = await asyncio.gather(*first, *rest, return_exceptions=True)
    assert outcomes == ["done one", "done two", commits.refuses, commits.refuses]
    assert commits.held[2:] == [["one more", "and one"]]


async def test_a_server_that_goes_away_at_one_that_is_alone_is_told_to_its_caller(
    batch: WebhookBatch, commits: Commits
) -> None:
    """Who answers 503 is asked again; who is only cancelled answers nothing."""
    commits.refuses = ConnectionResetError("gone")
    first = await told(batch, "bad")
    second = await told(batch, "two")
    commits.goes.set()
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert (outcomes[0], outcomes[1]) == (commits.refuses, "done two")


async def test_one_whose_caller_went_away_is_kept_all_the_same(
    batch: WebhookBatch, commits: Commits
) -> None:
    first = await busy(batch)
    left, stays = await told(batch, "left"), await told(batch, "stays")
    left.cancel()
    commits.goes.set()
    assert await asyncio.gather(*first, stays) == ["done one", "done two", "done stays"]
    assert commits.held[2:] == [["left", "stays"]]


async def test_who_stops_waits_for_what_is_being_stored(
    batch: WebhookBatch, commits: Commits
) -> None:
    await batch.close()  # nothing waits
    first = [*await busy(batch), await told(batch, "three")]
    closing = asyncio.ensure_future(batch.close())
    await asyncio.sleep(0)
    assert not closing.done()
    commits.goes.set()
    await closing
    assert [one.done() and one.result() for one in first] == ["done one", "done two", "done three"]


async def test_who_stops_leaves_what_is_not_stored_in_time_to_the_gateway(
    batch: WebhookBatch, commits: Commits
) -> None:
    first = await busy(batch)
    async with asyncio.timeout(CLOSE_S + 8):
        await batch.close()
    for one in first:
        with pytest.raises((asyncio.CancelledError, DatabaseUnreachableError)):
            await one
