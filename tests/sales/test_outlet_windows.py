"""Windows of time at one outlet: its own come before its kind's, and these before everybody's."""

from datetime import timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from coinslot.context import Windows
from coinslot.orders.outlet_windows import (
    LONGEST_S,
    OutletWindow,
    WindowError,
    outlets_with_windows,
    set_windows,
    windows_of,
)
from coinslot.outlets.machines import UnknownOutletError
from tests.sales.stage import Stage
from tests.sales.test_evidence import going, state


class KioskWindows(Windows, frozen=True, kw_only=True):
    """Of a program that sells at kiosks, too."""

    kiosk_dispatch_s: float = 900


def test_an_outlets_own_window_comes_before_its_kinds_and_this_before_everybodys() -> None:
    windows = KioskWindows(dispatch_s=120, in_doubt_s=600)
    assert windows.at("vending", {}) == windows
    assert windows.at("kiosk", {}).dispatch_s == 900
    own = windows.at("kiosk", {"dispatch_s": 60, "of_another_version": 1})
    assert (own.dispatch_s, own.in_doubt_s) == (60, 600)


async def test_a_machine_with_a_shorter_window_gives_the_money_back_sooner(stage: Stage) -> None:
    await set_windows(stage.context, "M01", {"dispatch_s": 30})
    unit = await stage.sell()
    stage.later(30 - 0.001)
    await stage.sweep()
    assert stage.refunded() == 0
    stage.later(0.001)
    await stage.sweep()
    assert await stage.value("SELECT basis FROM fulfillments WHERE id = $1", unit) == "never_sent"
    assert stage.refunded() == 4000


async def test_a_machine_with_a_longer_window_may_begin_later(stage: Stage) -> None:
    await set_windows(stage.context, "M01", {"dispatch_s": 3600})
    await stage.sell()
    stage.later(3500)
    await stage.hello()
    await stage.sweep("fulfillments")
    assert stage.offered()
    await stage.accept()
    await stage.result()
    assert (await state(stage))[1] == "fulfilled"


async def test_what_is_paid_keeps_the_window_that_it_was_paid_under(stage: Stage) -> None:
    await stage.sell()
    await set_windows(stage.context, "M01", {"dispatch_s": 3600})
    stage.later(121)
    await stage.sweep()
    assert (await state(stage))[2] == "never_sent"


async def test_doubt_ends_in_the_machines_own_time(stage: Stage) -> None:
    await set_windows(stage.context, "M01", {"in_doubt_s": 60, "run_s": 5})
    await going(stage)
    (row,) = await stage.rows("SELECT sent_at, hard_deadline FROM fulfillments")
    assert row["hard_deadline"] - row["sent_at"] == timedelta(seconds=60)
    stage.later(60)
    await stage.sweep()
    assert (await state(stage))[2] == "policy"


async def test_the_one_command_of_a_simple_machine_has_its_own_time_too(
    simple_stage: Stage,
) -> None:
    stage = simple_stage
    await set_windows(stage.context, "M01", {"in_doubt_s": 60})
    await stage.sell()
    await stage.hello()
    await stage.sweep("fulfillments")
    (row,) = await stage.rows("SELECT sent_at, hard_deadline FROM fulfillments")
    assert row["hard_deadline"] - row["sent_at"] == timedelta(seconds=60)


async def test_an_offer_waits_as_long_as_its_machine_needs(stage: Stage) -> None:
    await set_windows(stage.context, "M01", {"offer_s": 20})
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    due = await stage.value("SELECT due_at FROM fulfillments")
    assert due == stage.clock.now() + timedelta(seconds=20)


async def test_windows_are_shown_with_whose_they_are_and_taken_away_again(stage: Stage) -> None:
    await set_windows(stage.context, "M01", {"dispatch_s": 300, "run_s": 60})
    await set_windows(stage.context, "M01", {"run_s": None})
    assert await windows_of(stage.context, "M01") == [
        OutletWindow(name="dispatch_s", seconds=300, own=True),
        OutletWindow(name="in_doubt_s", seconds=600, own=False),
        OutletWindow(name="offer_s", seconds=5, own=False),
        OutletWindow(name="run_s", seconds=30, own=False),
    ]
    assert await outlets_with_windows(stage.context.db) == {"M01": {"dispatch_s": 300}}


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("poll_s", 5), ("order_s", 5), ("dispatch_s", 0), ("dispatch_s", -1),
     ("dispatch_s", LONGEST_S + 1), ("dispatch_s", float("nan"))],
)  # fmt: skip
async def test_a_window_that_an_outlet_cannot_have_changes_nothing(
    stage: Stage, name: str, seconds: float
) -> None:
    with pytest.raises(WindowError):
        await set_windows(stage.context, "M01", {"in_doubt_s": 60, name: seconds})
    assert await outlets_with_windows(stage.context.db) == {}


async def test_an_outlet_that_is_not_there_has_no_windows(stage: Stage) -> None:
    with pytest.raises(UnknownOutletError):
        await set_windows(stage.context, "M99", {"dispatch_s": 60})


@pytest.mark.parametrize("wrong", [{"dispatch_s": -1}, {"dispatch_s": "60"}, [60]])
async def test_the_database_holds_positive_numbers_alone(stage: Stage, wrong: object) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            await conn.execute("UPDATE outlets SET windows = $1", wrong)


async def test_a_setting_reaches_every_machine_without_a_window_of_its_own(stage: Stage) -> None:
    stage.context.windows = replace(stage.context.windows, dispatch_s=10)
    await stage.sell()
    stage.later(10)
    await stage.sweep()
    assert (await state(stage))[2] == "never_sent"
