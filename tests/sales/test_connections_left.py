"""Connections of an account whose settings changed: a call that began by them ends, and then they
are closed, once. And two that sum up one day do it once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coinslot.db.pool import RawConnection
from coinslot.kit.clock import SettableClock
from coinslot.merchants.accounts import Accounts
from tests.sales.stage import Stage
from tests.sales.test_lock_order import stopped

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Wire:
    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(("after_s", "closed"), [(299.999, 0), (300, 1), (301, 1)])
async def test_connections_that_were_left_are_closed_once_after_five_minutes(
    after_s: float, closed: int
) -> None:
    nothing: Any = None
    clock, wire, younger = SettableClock(NOW), Wire(), Wire()
    accounts = Accounts(nothing, nothing, clock, timeout_s=1)
    accounts._leave(_opened(wire))
    clock.advance(timedelta(seconds=after_s))
    accounts._leave(_opened(younger))
    for _ in range(2):
        await accounts._close_left()
        assert (wire.closed, younger.closed) == (closed, 0)
    await accounts.close()
    assert (wire.closed, younger.closed) == (1, 1)


def _opened(wire: Wire) -> Any:
    class Opened:
        def __init__(self) -> None:
            self.wire = wire

    return Opened()


async def test_of_two_that_sum_up_one_day_at_once_one_does(
    stage: Stage, looker: RawConnection
) -> None:
    ask = "SELECT sum_day($1, $2, $3, $4)"
    given = (NOW.date(), NOW, NOW + timedelta(days=1), NOW)
    db = stage.context.db

    async def second() -> object:
        async with db.as_merchant(stage.merchant) as conn:
            return await conn.fetchval(ask, *given)

    async with db.as_merchant(stage.merchant) as conn:
        assert await conn.fetchval(ask, *given) is True
        other = asyncio.ensure_future(second())
        assert await stopped(looker, other) is not None
    assert await other is False
