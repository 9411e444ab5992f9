"""When a configuration that waits is looked at again, to the second, and what of its row changes;
the message that goes out, and what a person sees of it meanwhile, whole."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.fleet import pushing
from coinslot.fleet.config import ConfigChange, SlotChange
from coinslot.fleet.pushing import SlotDifference, Waiting
from coinslot.kit.money import Money
from tests.fleet.test_config import a_product, changed
from tests.fleet.test_pushing import TEA, aware, pushed, says  # noqa: F401
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage

_OTHERS = "SELECT to_jsonb(p) AS row FROM config_pushes p WHERE id <> 'M01' ORDER BY id"


@pytest.fixture
async def asked(aware: Stage) -> Stage:  # noqa: F811
    """M01 shall sell tea; another machine waits for something, too."""
    aware.context.windows = replace(aware.context.windows, offer_s=7, query_s=4)
    await a_second_machine(aware)
    await changed(aware, TEA)
    await aware.value("SELECT want_config($1, $2)", "M02", aware.clock.now())
    assert len(await aware.rows(_OTHERS)) == 1
    return aware


async def stands(stage: Stage, **row: Any) -> None:
    """The row of M01 is so."""
    for column, value in row.items():
        await stage.value(f"UPDATE config_pushes SET {column} = $1 WHERE id = 'M01'", value)


async def seen(stage: Stage, seconds_ago: float) -> None:
    at = stage.clock.now() - timedelta(seconds=seconds_ago)
    await stage.value("UPDATE devices SET last_seen_at = $1 WHERE outlet_id = 'M01'", at)


async def row_after(stage: Stage) -> dict[str, Any]:
    """One step of M01: its row, where times are seconds from now. The others stand as they did."""
    before = await stage.rows(_OTHERS)
    await pushing.advance(stage.context, stage.merchant, "M01")
    assert await stage.rows(_OTHERS) == before
    (row,) = await stage.rows(
        "SELECT due_at, sent_at, held_since, ended_at, tries FROM config_pushes WHERE id = 'M01'"
    )
    now = stage.clock.now()
    return {
        name: (value - now).total_seconds() if hasattr(value, "tzinfo") else value
        for name, value in row.items()
    }


def row(**more: object) -> dict[str, object]:
    empty = {"due_at": None, "sent_at": None, "held_since": None, "ended_at": None, "tries": 0}
    return empty | more


async def test_one_that_is_offline_is_looked_at_the_rarer_the_longer_it_waits(
    asked: Stage,
) -> None:
    await seen(asked, 20.001)
    for waits, due in ((0, 30), (120, 30), (124, 31), (400, 100), (2396, 599), (2404, 600)):
        await stands(asked, wanted_at=asked.clock.now() - timedelta(seconds=waits), tries=4)
        assert await row_after(asked) == row(due_at=due, tries=4)
    assert pushed(asked) == []


async def test_one_that_was_never_heard_is_offline(asked: Stage) -> None:
    await asked.value("UPDATE devices SET last_seen_at = NULL WHERE outlet_id = 'M01'")
    assert await row_after(asked) == row(due_at=30)


async def test_one_that_does_not_take_it_is_sent_it_ever_more_rarely(asked: Stage) -> None:
    await seen(asked, 20)
    pauses = {0: 30, 1: 60, 2: 120, 3: 240, 4: 480, 5: 600, 6: 600, 99: 600}
    for tries, due in pauses.items():
        await stands(asked, tries=tries)
        assert await row_after(asked) == row(due_at=due, sent_at=0, tries=tries + 1)
    assert pushed(asked) == [2] * len(pauses)


async def test_one_that_another_process_reaches_is_asked_for_again_at_once(asked: Stage) -> None:
    asked.line.connected = False
    await stands(asked, tries=3)
    assert await row_after(asked) == row(due_at=4, tries=3)
    asked.line.connected = True
    assert pushed(asked) == []


@pytest.mark.parametrize("offline", [False, True])
async def test_one_that_runs_is_held_from_when_it_is_online(asked: Stage, *, offline: bool) -> None:
    await asked.sell()
    await asked.sweep("fulfillments")  # offered: it is out of the machine any moment
    await seen(asked, 21 if offline else 20)
    assert await row_after(asked) == row(due_at=7, held_since=None if offline else 0)
    asked.later(4000)
    await seen(asked, 0)
    first = 0 if offline else -4000
    assert await row_after(asked) == row(due_at=7, held_since=first)  # a run is waited for
    assert pushed(asked) == []
    standing = await pushing.waiting(asked.context, asked.merchant, "M01")
    assert standing is not None
    assert (standing.units, standing.sent_at) == (1, None)


@pytest.mark.parametrize("over", [False, True])
async def test_what_was_paid_before_holds_it_for_an_hour_to_the_second(
    asked: Stage, *, over: bool
) -> None:
    for _ in range(2):
        await asked.sell()
    await seen(asked, 0)
    held = -3600 if over else -3599.5
    await stands(asked, held_since=asked.clock.now() + timedelta(seconds=held))
    after = {"due_at": 30, "sent_at": 0, "tries": 1} if over else {"due_at": 7}
    assert await row_after(asked) == row(held_since=held, **after)
    assert pushed(asked) == ([2] if over else [])
    standing = await pushing.waiting(asked.context, asked.merchant, "M01")
    assert standing is not None
    assert standing.units == 2


async def test_what_it_has_and_is_sold_ends(asked: Stage) -> None:
    await asked.value("SELECT apply_config('M01', 2)")
    assert await row_after(asked) == row(due_at=30, sent_at=0, tries=1)  # it does not have it yet
    await asked.value("UPDATE devices SET config_version = 2 WHERE outlet_id = 'M01'")
    assert await row_after(asked) == row(ended_at=0, sent_at=0, tries=1)
    asked.later(9)
    assert await row_after(asked) == row(ended_at=-9, sent_at=-9, tries=1)
    assert await pushing.waiting(asked.context, asked.merchant, "M01") is None


async def test_what_is_sent_and_what_a_person_sees_of_it_are_whole(aware: Stage) -> None:  # noqa: F811
    await a_product(aware, "lime", 1500)
    since = aware.clock.now()
    await changed(
        aware,
        ConfigChange(
            slots=(
                SlotChange(slot="B1", sku="lime", price=Money(1500, "INR"), par=3),
                SlotChange(slot="A1", sku="tea", price=Money(4100, "INR")),
                SlotChange(slot="A3", sku="cola", price=Money(50, "INR"), par=9),
            ),
            zone="Asia/Kolkata", device={"drop_sensor_ms": 800}, codes="keep",
        ),
    )  # fmt: skip
    aware.later(3)
    await seen(aware, 0)
    await pushing.advance(aware.context, aware.merchant, "M01")
    sent = aware.line.sent[-1]
    text = sent["config"]
    assert sent == {
        "type": "CONFIG", "version": 2, "config": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }  # fmt: skip
    assert text == json.dumps(
        {
            "version": 2, "price_version": 2, "planogram_version": 2, "machine": "M01",
            "name": "Platform 1", "zone": "Asia/Kolkata", "currency": "INR",
            "slots": [
                {"slot": "A1", "sku": "tea", "name": "tea", "price_minor": 4100, "par": 0},
                {"slot": "A3", "sku": "cola", "name": "Cola", "price_minor": 50, "par": 9},
                {"slot": "B1", "sku": "lime", "name": "lime", "price_minor": 1500, "par": 3},
            ],
            "device": {"drop_sensor_ms": 800},
        },
        separators=(",", ":"),
    )  # fmt: skip
    assert await pushing.waiting(aware.context, aware.merchant, "M01") == Waiting(
        version=2, applied_version=1, since=since, sent_at=aware.clock.now(), units=0,
        slots=[
            SlotDifference(slot="A1", product="Cola", price=Money(4000, "INR"),
                           wanted_product="tea", wanted_price=Money(4100, "INR")),
            SlotDifference(slot="A3", product=None, price=None,
                           wanted_product="Cola", wanted_price=Money(50, "INR")),
            SlotDifference(slot="B1", product=None, price=None,
                           wanted_product="lime", wanted_price=Money(1500, "INR")),
        ],
    )  # fmt: skip


@pytest.mark.parametrize(("says_it_has", "its"), [(10**9 - 1, 10**9), (10**9, 2)])
async def test_a_version_that_is_not_ours_is_believed_below_a_bound(
    asked: Stage, says_it_has: int, its: int
) -> None:
    before = await asked.rows(_OTHERS)
    await says(asked, says_it_has)
    (versions,) = await asked.rows(
        "SELECT config_version, price_version, planogram_version, applied_version"
        " FROM outlets WHERE id = 'M01'"
    )
    more = its - 2
    assert tuple(versions.values()) == (its, 1 + more, (2 if more else 1) + more, 1)
    made = await asked.rows(
        "SELECT version, price_version, planogram_version, made_by, made_at, config->'version' AS v"
        " FROM config_versions WHERE outlet_id = 'M01' AND version > 2"
    )
    assert [tuple(one.values()) for one in made] == (
        [] if its == 2 else [(its, 1 + more, 2 + more, "coinslot", asked.clock.now(), its)]
    )
    has = await asked.value("SELECT config_version FROM devices WHERE outlet_id = 'M01'")
    assert has == (says_it_has if more else 0)
    assert pushed(asked) == [its]
    assert await asked.rows(_OTHERS) == before
