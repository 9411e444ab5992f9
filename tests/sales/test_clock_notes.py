"""What a computer of ours notes of a gateway's clock: the whole row, how often, and what is said of
it; another account's and another computer's rows stay as they are."""

import asyncio
from datetime import timedelta
from typing import Any

import structlog
from prometheus_client import REGISTRY

from coinslot.kit.clock import SettableClock, SystemClock
from coinslot.merchants.clocks import (
    Apart,
    ClockNotes,
    Noted,
    apart,
    clocks_apart,
    clocks_heard,
)
from tests.sales.test_merchants_beside import Street
from tests.sales.test_merchants_beside import street as street

S, MS = timedelta(seconds=1), timedelta(milliseconds=1)
MINUTE_MS = 60_000


class There:
    """A gateway's clock, so far from ours."""

    def __init__(self) -> None:
        self.by: timedelta | None = None
        self.ms = 0

    def ahead(self) -> timedelta | None:
        return self.by

    def monotonic_ms(self) -> int:
        return self.ms


async def test_a_difference_is_noted_once_a_minute_and_when_it_begins_or_ends(
    street: Street,
) -> None:
    one, other = await street.account(street.asha, "a"), await street.account(street.asha, "b")
    notes, there = ClockNotes(street.db, "web-1", 5 * S), There()
    clock: Any = there

    async def noted(ms: int, by: timedelta | None) -> tuple[int, bool] | None:
        """What the row says now; None: nothing was written."""
        there.ms, there.by = ms, by
        before = await street.rows("SELECT * FROM clocks WHERE node = 'web-1'")
        await notes.note((one, street.asha, "mock/a"), clock)
        rows = await street.rows("SELECT * FROM clocks WHERE node = 'web-1'")
        if rows == before:
            return None
        (row,) = rows
        assert (row["account_id"], row["merchant_id"]) == (one, street.asha)
        return row["ahead_ms"], row["off_since"] is not None

    async with street.db.as_merchant(street.asha) as conn:
        for account, node in ((one, "web-2"), (other, "web-2")):
            await conn.execute(
                "INSERT INTO clocks VALUES ($1, $2, $3, 7, clock_timestamp(), NULL)",
                account, node, street.asha,
            )  # fmt: skip
    others = await street.rows("SELECT * FROM clocks ORDER BY account_id")
    assert await noted(0, None) is None
    for ms, by, said in (
        (0, 5 * S, (5000, False)), (MINUTE_MS - 1, 4 * S, None), (MINUTE_MS, 3 * S, (3000, False)),
        (MINUTE_MS + 1, 5 * S + MS, (5001, True)), (MINUTE_MS + 2, 9 * S, None),
        (MINUTE_MS + 3, -5 * S, (-5000, False)), (MINUTE_MS + 4, -5 * S - MS, (-5001, True)),
        (2 * MINUTE_MS + 3, -8 * S, None), (2 * MINUTE_MS + 4, -8 * S - MS / 2, (-8001, True)),
    ):  # fmt: skip
        assert await noted(ms, by) == said, ms
        shown = REGISTRY.get_sample_value("coinslot_clock_ahead_seconds", {"account": "mock/a"})
        assert shown == by.total_seconds()
    assert await street.rows(
        "SELECT * FROM clocks WHERE node <> 'web-1' ORDER BY account_id"
    ) == others  # fmt: skip
    await notes.note((other, street.asha, "mock/b"), clock)
    found = await clocks_apart(street.db)
    assert found == [Apart("web-1", "mock/a", -8.001), Apart("web-1", "mock/b", -8.001)]
    assert str(found[0]) == "8 s behind mock/a"
    assert await clocks_heard(street.db) == 4


def test_a_difference_is_said_every_ten_minutes_while_it_lasts_and_when_it_ends() -> None:
    nothing: Any = None
    notes = ClockNotes(nothing, "web-1", 5 * S)
    last: Noted | None = None
    for ms, by, logged, events in (
        (0, 0 * S, None, []), (1, 5 * S, None, []), (2, -6 * S, 2, [("clock_differs", -6.0)]),
        (600_001, 7 * S, 2, []), (600_002, 8.06 * S, 600_002, [("clock_differs", 8.1)]),
        (600_003, 9 * S, 600_002, []), (600_004, -1 * S, None, [("clock_agrees_again", -1.0)]),
        (600_005, 0 * S, None, []), (600_006, 9 * S, 600_006, [("clock_differs", 9.0)]),
    ):  # fmt: skip
        with structlog.testing.capture_logs() as logs:
            last = notes.compared(by, last, ms)
        told = [(one["event"], one["ahead_s"]) for one in logs]
        assert (last, told) == (Noted(ms, abs(by) > 5 * S, logged), events), ms
        assert {one["account"] for one in logs} <= {"database"}
        shown = REGISTRY.get_sample_value("coinslot_clock_ahead_seconds", {"account": "database"})
        assert shown == by.total_seconds()


def test_a_difference_is_told_in_whole_seconds_and_which_way() -> None:
    said = {ahead: apart(ahead) for ahead in (121.4, -3.6, 0.6)}
    assert said == {121.4: "121 s ahead of", -3.6: "4 s behind", 0.6: "1 s ahead of"}


class Heard:
    """Whose work failed or succeeded, as it is said."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def succeeded(self, work: str) -> None:
        self.said.put_nowait((work, ""))

    def failed(self, work: str, error: BaseException) -> None:
        self.said.put_nowait((work, str(error)))


class Away:
    def system_transaction(self) -> None:
        raise OSError("nobody is there")


async def test_our_clock_is_compared_with_the_databases_and_a_failure_is_told(
    street: Street,
) -> None:
    away: Any = Away()
    ours = SettableClock(SystemClock().now() + timedelta(hours=1))
    for db, why in ((street.db, ""), (away, "nobody is there")):
        heard: Any = Heard()
        watching = asyncio.create_task(ClockNotes(db, "web-1", 5 * S).watch(ours, heard))
        async with asyncio.timeout(10):
            assert await heard.said.get() == ("clock_not_compared", why)
        assert not watching.done(), "it goes on"
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        shown = REGISTRY.get_sample_value("coinslot_clock_ahead_seconds", {"account": "database"})
        assert shown is not None
        assert 3540 < shown <= 3601
