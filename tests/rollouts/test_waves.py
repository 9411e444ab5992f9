"""Two hundred simulated machines get a build: a good one reaches all, each bad one stops at the
stage where it must, machines come back alone, and not one vend is lost or doubled."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.rollouts import rollouts, waves
from coinslot.rollouts.plan import Rules, staged
from machine_simulator.update import BRICKS, HANGS, NEVER_SYNCS, SELLS_WORSE
from tests.rollouts.fleet import FAST, Fleet

MACHINES = 200
# By the default stages: 1, 10, 50, 200 of them.
UP_TO = (1, 10, 50, 200)


async def _in_stages(fleet: Fleet) -> list[list[str]]:
    rows = await fleet.stage.rows(
        "SELECT outlet_id, stage FROM machine_updates WHERE rollout_id = $1 ORDER BY place",
        fleet.rollout,
    )
    return [[row["outlet_id"] for row in rows if row["stage"] == n] for n in range(4)]


async def _sell(fleet: Fleet, codes: list[str], times: int) -> list[UUID]:
    """So many vends, spread over these machines."""
    units = []
    for number in range(times):
        units.append(await fleet.sell(codes[number % len(codes)]))
        if number % len(codes) == len(codes) - 1:
            await fleet.settle()
    await fleet.settle()
    return units


async def _soak(fleet: Fleet, vends: int = FAST.soak_vends) -> None:
    """Both sorts of machines sell, until the soak is over."""
    new = [code for code in fleet.machines if fleet.machines[code].updater.flash.runs.sequence > 1]
    old = [code for code in fleet.machines if code not in new]
    for codes in (new, old):
        if codes:
            await _sell(fleet, codes[:10], vends)
    await fleet.wait(FAST.soak_s + 60, step=220)


async def _honest(fleet: Fleet) -> None:
    """What fell and what was booked as fallen are the same, each once."""
    fell = Counter(unit for machine in fleet.machines.values() for unit in machine.drops())
    booked = await fleet.stage.rows("SELECT id FROM fulfillments WHERE settlement = 'fulfilled'")
    assert fell == Counter(str(row["id"]) for row in booked)
    open_ = await fleet.stage.value("SELECT count(*) FROM fulfillments WHERE settlement IS NULL")
    assert open_ == 0


async def _is_paused(fleet: Fleet, reason: str, stage: int) -> dict[str, Any]:
    found = (await fleet.read(fleet.rollout)).rollout
    assert found.state == "paused", found
    assert found.pause is not None
    assert (found.pause["reason"], found.stage) == (reason, stage)
    return found.pause


async def test_a_good_build_reaches_two_hundred_machines_stage_by_stage(fleet: Fleet) -> None:
    await fleet.add(MACHINES)
    await fleet.roll_out(await fleet.upload())
    stages = await _in_stages(fleet)
    assert [sum(map(len, stages[: n + 1])) for n in range(4)] == list(UP_TO)
    for number, so_far in enumerate(UP_TO):
        await fleet.wait(60, step=15)
        found = (await fleet.read(fleet.rollout)).rollout
        assert (found.state, found.stage) == ("soaking", number)
        assert fleet.versions().get("2.0.0", 0) == so_far
        await _soak(fleet)
    assert (await fleet.read(fleet.rollout)).rollout.state == "done"
    assert fleet.versions() == {"2.0.0": MACHINES}
    off = await fleet.stage.value("SELECT count(*) FROM outlet_stops WHERE until IS NULL")
    assert off == 0
    await _honest(fleet)


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [(HANGS, "rolled_back"), (NEVER_SYNCS, "rolled_back"), (BRICKS, "silent")],
)
async def test_a_build_that_does_not_come_up_stops_at_the_first_machine(
    fleet: Fleet, behaviour: str, state: str
) -> None:
    await fleet.add(30)
    await fleet.roll_out(await fleet.upload(behaviour=behaviour))
    await fleet.wait(FAST.install_s + FAST.trial_s, step=40)
    await _is_paused(fleet, "none_confirmed", 0)
    first = (await _in_stages(fleet))[0]
    assert await fleet.state_of(first[0]) == state
    others = {await fleet.state_of(code) for code in fleet.machines if code not in first}
    assert others == {"waiting"}
    sells = [code for code in fleet.machines if code not in first or state == "rolled_back"]
    await _sell(fleet, sells, len(sells))
    await _honest(fleet)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"hardware": "esp32-v2"}, "none_confirmed"),
        ({"sequence": 9, "min_from": 8}, "none_confirmed"),
    ],
)
async def test_a_build_that_no_machine_takes_stops_at_the_first_stage(
    fleet: Fleet, more: dict[str, Any], reason: str
) -> None:
    await fleet.add(12)
    # Not the stage's own, which nobody plays: a roll-out that began with it would wait for it.
    await fleet.stage.rows(
        "UPDATE devices SET hardware = NULL WHERE outlet_id = ANY ($1) RETURNING 1",
        list(fleet.machines),
    )
    await fleet.roll_out(await fleet.upload(**more))
    await fleet.wait(60)
    await _is_paused(fleet, reason, 0)
    assert fleet.versions() == {"1.0.0": 12}


@pytest.mark.parametrize("spoil", [b"tampered, and of another length", b"{}"])
async def test_an_image_that_is_changed_or_cut_on_its_way_stops_at_the_first_stage(
    fleet: Fleet, spoil: bytes
) -> None:
    await fleet.add(12)
    await fleet.roll_out(await fleet.upload())
    fleet.spoil = spoil
    await fleet.wait(120)
    await _is_paused(fleet, "none_confirmed", 0)
    assert fleet.versions() == {"1.0.0": 12}


async def test_a_build_that_sells_worse_stops_after_its_soak_and_is_undone_by_a_higher_sequence(
    fleet: Fleet,
) -> None:
    await fleet.add(40)
    rules = replace(FAST, soak_vends=20, stages=("2", "50%", "100%"))
    await fleet.roll_out(await fleet.upload(behaviour=SELLS_WORSE), rules)
    await fleet.wait(30)
    await _soak(fleet, 20)
    pause = await _is_paused(fleet, "worse_failed", 0)
    assert pause["soak"]["new"]["failed"] == 10
    assert pause["soak"]["old"]["failed"] == 0
    assert fleet.versions() == {"1.0.0": 38, "2.0.0": 2}
    await rollouts.abort(fleet.stage.context, fleet.editor, fleet.rollout)
    undo = await fleet.upload("1.0.1", sequence=3)
    await fleet.roll_out(undo, replace(rules, stages=("100%",), soak_vends=1))
    await fleet.wait(60)
    assert fleet.versions() == {"1.0.1": 40}
    await _honest(fleet)


async def _puts_off(fleet: Fleet, times: int) -> dict[str, Any]:
    """One machine has the build, and puts each unit off so many times; why it is paused then."""
    await fleet.add(20)
    await fleet.roll_out(await fleet.upload(), replace(FAST, late_s=300))
    await fleet.wait(30)
    (new,) = (one for one in fleet.machines.values() if one.updater.flash.runs.sequence == 2)
    new.puts_off = times
    await _sell(fleet, [new.code], FAST.soak_vends)
    await fleet.wait(200)
    await _soak(fleet)
    found = (await fleet.read(fleet.rollout)).rollout
    assert (found.state, found.stage) == ("paused", 0)
    await _honest(fleet)
    return dict(found.pause or {})


async def test_a_build_that_puts_offers_off_stops_though_each_unit_ends_in_goods(
    fleet: Fleet,
) -> None:
    pause = await _puts_off(fleet, 1)
    new, old = pause["soak"]["new"], pause["soak"]["old"]
    assert pause["reason"] == "worse_put_off"
    assert (new["failed"], old["put_off"]) == (0, 0)
    assert new["put_off"] == new["vends"] == 2 * FAST.soak_vends


async def test_a_build_that_puts_offers_off_until_their_time_is_over_never_passes(
    fleet: Fleet,
) -> None:
    """The money went back, and nothing was ever sent: that is a failed vend of the new code. Which
    of those that wait was offered, and how many, is left to chance."""
    pause = await _puts_off(fleet, 10_000)
    new = pause["soak"]["new"]
    enough = new["vends"] >= FAST.soak_vends
    assert pause["reason"] == ("worse_failed" if enough else "few_vends")
    assert new["failed"] == new["vends"] > 0


async def test_too_few_vends_call_a_person_and_never_count_as_good(fleet: Fleet) -> None:
    await fleet.add(20)
    await fleet.roll_out(await fleet.upload())
    await fleet.wait(30)
    await _soak(fleet, FAST.soak_vends - 1)
    await _is_paused(fleet, "few_vends", 0)
    context, editor = fleet.stage.context, fleet.editor
    await rollouts.resume(context, editor, fleet.rollout)  # the stage again, and another soak
    await fleet.wait(30)
    assert (await fleet.read(fleet.rollout)).rollout.state == "soaking"
    await _soak(fleet, FAST.soak_vends)
    await fleet.wait(30)
    found = (await fleet.read(fleet.rollout)).rollout
    assert (found.state, found.stage) == ("soaking", 2)  # 5 % of twenty is the one that has it


async def test_a_person_may_take_a_soak_as_good_and_that_stays_in_the_log(fleet: Fleet) -> None:
    await fleet.add(20)
    await fleet.roll_out(await fleet.upload())
    await fleet.wait(30)
    await fleet.wait(FAST.soak_s + 60, step=220)
    await _is_paused(fleet, "few_vends", 0)
    await rollouts.resume(
        fleet.stage.context, fleet.editor, fleet.rollout, past_soak="nobody buys in January"
    )
    await fleet.wait(20)
    found = (await fleet.read(fleet.rollout)).rollout
    assert (found.state, found.stage) == ("soaking", 2)
    reason = await fleet.stage.value("SELECT max(reason) FROM audit_log")
    assert reason == "nobody buys in January"


async def test_it_pauses_by_itself_at_its_failures_and_silence_counts(fleet: Fleet) -> None:
    await fleet.add(30)
    rules = replace(FAST, stages=("100%",), max_failures=3, share_from=1000)
    await fleet.roll_out(await fleet.upload(), rules)
    await fleet.settle_but_go()
    lost = [code for code, waiting in fleet.line.waiting.items()
            if any(m.get("go") for m in waiting)][:3]  # fmt: skip
    for code in lost:
        fleet.machines[code].online = False
    await fleet.wait(FAST.install_s + 60, step=20)
    pause = await _is_paused(fleet, "failures", 0)
    assert pause["failures"] == 3
    assert {await fleet.state_of(code) for code in lost} == {"silent"}


async def test_it_pauses_by_itself_at_a_share_of_failures_from_a_least_count_on(
    fleet: Fleet,
) -> None:
    await fleet.add(10)
    rules = replace(FAST, stages=("100%",), max_failures=1000, share_from=10, failure_share=0.2)
    await fleet.roll_out(await fleet.upload(), rules)
    await fleet.settle_but_go()
    for code in list(fleet.machines)[:2]:
        fleet.machines[code].online = False
    await fleet.wait(FAST.install_s + 60, step=20)
    pause = await _is_paused(fleet, "failure_share", 0)
    assert (pause["failures"], pause["ended"]) == (2, 10)


async def test_machines_that_come_later_join_the_stage_that_is_under_way(fleet: Fleet) -> None:
    await fleet.add(20)
    await fleet.roll_out(await fleet.upload())
    await fleet.wait(30)
    (late,) = await fleet.add(1, first=500)
    await fleet.wait(20)
    assert await fleet.state_of(late) == "confirmed"
    assert await fleet.stage.value(
        "SELECT stage FROM machine_updates WHERE outlet_id = $1", late
    ) == 0  # fmt: skip


async def test_so_many_load_at_once_and_no_more(fleet: Fleet) -> None:
    await fleet.add(12)
    for machine in fleet.machines.values():
        machine.deaf = True
    await fleet.roll_out(await fleet.upload(), replace(FAST, stages=("100%",), downloads=3))
    await fleet.wait(60)
    under_way = await fleet.stage.value(
        "SELECT count(*) FROM machine_updates WHERE state = 'offered'"
    )
    assert under_way == 3


async def test_machines_install_in_the_window_of_their_own_zone(fleet: Fleet) -> None:
    """It is noon in Greenwich: night in Auckland, and afternoon in Pune."""
    here, there = await fleet.add(2)
    await fleet.stage.rows(
        "UPDATE outlets SET zone = CASE id WHEN $1 THEN 'Asia/Kolkata' ELSE 'Pacific/Auckland' END"
        " WHERE id = ANY ($2) RETURNING 1", here, [here, there],
    )  # fmt: skip
    rules = replace(FAST, stages=("100%",), window=("23:00", "05:00"))
    await fleet.roll_out(await fleet.upload(), rules)
    await fleet.wait(60)
    assert await fleet.state_of(there) == "confirmed"
    assert await fleet.state_of(here) == "waiting"
    assert (await fleet.read(fleet.rollout)).rollout.state == "running"
    await fleet.wait(6 * 3600, step=1800)  # half past five is eleven at night in Pune
    assert await fleet.state_of(here) == "confirmed"


async def test_paused_by_a_person_nothing_new_begins_and_what_installs_goes_on(
    fleet: Fleet,
) -> None:
    codes = await fleet.add(6)
    await fleet.roll_out(await fleet.upload(), replace(FAST, stages=("3", "100%")))
    await fleet.settle_but_go()
    await rollouts.pause(fleet.stage.context, fleet.editor, fleet.rollout)
    await fleet.wait(60)
    states = Counter([await fleet.state_of(code) for code in codes])
    assert states["confirmed"] >= 1
    assert states["waiting"] == 3
    assert not states["installing"] + states["trial"]
    await rollouts.resume(fleet.stage.context, fleet.editor, fleet.rollout)
    await fleet.wait(60)
    assert fleet.versions()["2.0.0"] == 3


async def test_two_processes_offer_a_machine_once(fleet: Fleet) -> None:
    """The same due row, worked twice at once: the second waits for the first, and sees it done."""
    await fleet.add(10)
    for machine in fleet.machines.values():
        machine.deaf = True
    await fleet.roll_out(await fleet.upload(), replace(FAST, stages=("100%",)))
    async with fleet.stage.context.db.as_merchant(fleet.stage.merchant) as conn:
        row = await conn.fetchrow("SELECT * FROM rollouts")
    assert row is not None
    await asyncio.gather(*(waves.drive(fleet.stage.context, row) for _ in range(4)))
    events = await fleet.stage.rows(
        "SELECT subject_id, count(*) AS n FROM events WHERE machine = 'machine_update'"
        " AND event = 'OFFER' GROUP BY 1"
    )
    assert [each["n"] for each in events] == [1] * 10


def test_the_order_is_by_chance_and_the_same_whoever_computes_it() -> None:
    codes = [f"V{n:03}" for n in range(200)]
    one, other = UUID(int=1), UUID(int=2)
    first = staged(one, codes, Rules())
    assert staged(one, list(reversed(codes)), Rules()) == first
    assert [list(first.values()).count(n) for n in range(4)] == [1, 9, 40, 150]
    assert staged(other, codes, Rules()) != first
    assert set(staged(one, codes[:3], Rules()).values()) == {0, 3}
