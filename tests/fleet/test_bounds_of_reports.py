"""What files of counts, a machine's own counters, its food lock and its configuration decide by one
comparison or one bound: at it, and beside it. Each of these was wrong once and no test saw it."""

from datetime import timedelta
from typing import Any

import pytest

from coinslot.fleet.config import ConfigChange
from coinslot.telemetry import counters, dex
from coinslot.telemetry.dex import Counts
from tests.fleet.test_config import changed
from tests.fleet.test_counters import QUIET, at_rest, says
from tests.fleet.test_dex import bring, framed, vend
from tests.fleet.test_pushing import TEA, pushed
from tests.fleet.test_pushing import aware as aware
from tests.sales.stage import Stage


def file_of(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("ST*001*0001", *lines)).encode()


def test_counts_are_of_the_selection_before_them_and_a_second_line_of_them_is_none() -> None:
    found = dex.read(file_of("PA1*A1*150", "PA2*7*1050*1*150", "PA2*9*9*9*9"))
    (slot,) = found.slots
    assert slot.counts == Counts(
        count=7, value=1050, count_since_reset=1, value_since_reset=150
    )  # fmt: skip
    assert "a line PA2 follows no PA1" in found.warnings
    assert dex.read(file_of("PA2*9*9*9*9", "PA1*A1*150")).slots[0].counts is None


def test_what_stands_behind_the_end_of_the_set_is_not_read() -> None:
    found = dex.read(framed() + b"PA1*Z9*100\r\nPA2*9*900*0*0\r\nVA1*1*1*1*1\r\n")
    assert [slot.slot for slot in found.slots] == ["A1", "A2"]
    assert found.total is not None
    assert found.total.count == 10


def test_a_machine_that_noted_much_is_kept_with_the_first_of_it() -> None:
    found = dex.read(file_of(*(f"EA2*E{n}*1" for n in range(201))))
    assert [event.code for event in found.events] == [f"E{n}" for n in range(200)]


@pytest.mark.parametrize(("said", "decimals"), [("0", 0), ("4", 4), ("5", None), ("", None)])
def test_no_currency_has_more_than_four_places(said: str, decimals: int | None) -> None:
    assert dex.read(file_of(f"ID4*{said}*978*EUR")).decimals == decimals


@pytest.mark.parametrize(
    ("said", "currency"),
    [
        ("978*EUR", "EUR"),
        ("978*", "978"),
        ("978", "978"),
        ("EUR", "EUR"),
        ("*EURO", "EUR"),
        ("", ""),
    ],
)
def test_the_currency_is_the_one_by_letters_where_both_are_said(said: str, currency: str) -> None:
    assert dex.read(file_of(f"ID4*2*{said}")).currency == currency


async def test_a_vend_that_the_machine_did_not_count_at_all_is_a_difference(stage: Stage) -> None:
    await bring(stage, ("A1", 100, 0), ("B2", 1, 0))
    await vend(stage, 1)
    still, grew = (await bring(stage, ("A1", 100, 0), ("B2", 2, 4000))).slots
    assert (still.machine_vends, still.our_vends, still.differs) == (0, 1, True)
    assert (grew.machine_vends, grew.differs) == (1, True)


async def test_a_value_that_went_back_says_nothing_of_prices(stage: Stage) -> None:
    await bring(stage, ("A1", 1, 9000))
    await vend(stage, 1)
    (slot,) = (await bring(stage, ("A1", 2, 100))).slots
    assert (slot.machine_vends, slot.machine_minor, slot.price_differs) == (1, None, False)


@pytest.mark.parametrize(("grew", "minor"), [(400_000, 4000), (400_001, None)])
async def test_digits_that_the_currency_has_not_are_no_amount(
    stage: Stage, grew: int, minor: int | None
) -> None:
    await bring(stage, ("A1", 1, 0), decimals=4)
    await vend(stage, 1)
    (slot,) = (await bring(stage, ("A1", 2, grew), decimals=4)).slots
    assert (slot.machine_minor, slot.price_differs) == (minor, False)


async def test_a_counter_is_not_compared_while_a_unit_is_offered(stage: Stage) -> None:
    """It may be accepted, run and counted before its words arrive."""
    await stage.hello()
    await at_rest(stage, 100)
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    assert await stage.value("SELECT state FROM fulfillments") == "offered"
    stage.later(QUIET)
    await says(stage, 101)
    assert await counters.check(stage.context) == []


async def test_a_counter_is_compared_for_a_day_after_it_was_told(stage: Stage) -> None:
    await stage.hello()
    await at_rest(stage, 100)
    stage.later(QUIET)
    await says(stage, 105)
    stage.later(timedelta(days=1).total_seconds())
    assert await counters.check(stage.context) == [], "nobody knows what it counted since"
    await says(stage, 105)
    assert await counters.check(stage.context) == ["M01"]


MINUTE = timedelta(minutes=1)
USUAL = (5.0, 15 * MINUTE, 30 * MINUTE, 15 * MINUTE)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({}, USUAL),
        ({"limit_c": 60.5, "warm_s": 0.5, "grace_s": -1, "silent_s": 0}, USUAL),
        ({"limit_c": -41, "warm_s": 86401, "grace_s": 86401, "silent_s": 86401}, USUAL),
        ({"limit_c": "9", "warm_s": None, "grace_s": [], "silent_s": True}, USUAL),
        (
            {"limit_c": 60, "warm_s": 1, "grace_s": 0, "silent_s": 1},
            (60.0, MINUTE / 60, 0 * MINUTE, MINUTE / 60),
        ),
        (
            {"limit_c": -40, "warm_s": 86400, "grace_s": 86400, "silent_s": 86400},
            (-40.0, *[timedelta(days=1)] * 3),
        ),
    ],
)
async def test_a_food_lock_that_no_configuration_of_ours_says_is_the_usual_one(
    stage: Stage, said: dict[str, Any], rule: tuple[Any, ...]
) -> None:
    """A lock that asks for a thousand degrees would sell what is spoilt."""
    (row,) = await stage.rows("SELECT * FROM food_rule($1)", {"food_lock": said})
    assert tuple(row.values()) == rule


async def test_a_configuration_that_is_never_taken_is_sent_each_ten_minutes_in_the_end(
    aware: Stage,
) -> None:
    await changed(aware, TEA)
    for _ in range(20):
        await aware.rows(
            "UPDATE devices SET last_seen_at = $1 WHERE outlet_id = 'M01' RETURNING 1",
            aware.clock.now(),
        )
        await aware.sweep("config_pushes")
        aware.later(20 * aware.context.windows.config_s)
    assert pushed(aware) == [2] * 20


async def test_who_changes_it_once_more_makes_no_machine_wait_longer(aware: Stage) -> None:
    async def waits_since() -> Any:
        (row,) = await aware.rows("SELECT wanted_at, held_since FROM config_pushes")
        return row["wanted_at"], row["held_since"]

    await aware.sell()  # it is held back by a unit that was bought under the one before
    await changed(aware, TEA)
    await aware.sweep("config_pushes")
    before = await waits_since()
    assert before == (aware.clock.now(), aware.clock.now())
    aware.later(60)
    await changed(aware, ConfigChange(name="Platform 2"))
    assert await waits_since() == before
    await aware.rows("UPDATE config_pushes SET ended_at = $1 RETURNING 1", aware.clock.now())
    await changed(aware, ConfigChange(name="Platform 3"))
    assert await waits_since() == (aware.clock.now(), None), "it is another one"
