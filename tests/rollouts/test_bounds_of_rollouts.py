"""What roll-outs decide by one comparison, one window or one condition: at the bound, and beside
it. Each of these was wrong once and no test saw it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from coinslot.channels.reports import FirmwareProgress
from coinslot.fleet.decommission import decommission
from coinslot.rollouts import downloads, rollouts, updates
from coinslot.rollouts.downloads import PART_BYTES_AT_MOST, NoDownloadError, RangeError, asked_for
from coinslot.rollouts.plan import Rules, is_open, staged
from coinslot.rollouts.rollouts import NewRollout, RolloutError
from tests.rollouts.fleet import FAST, Fleet, SimMachine
from tests.sales.stage import START

# The hours in which a machine may install.

NIGHT, DAY = ("23:00", "05:00"), ("09:00", "17:00")
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("window", "begins", "ends"), [(DAY, 9, 17), (NIGHT, 23, 5), (("22:00", "00:00"), 22, 0)]
)
def test_a_window_is_open_from_its_begin_until_right_before_its_end(
    window: tuple[str, str], begins: int, ends: int
) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    for hour, opens in ((begins, True), (ends, False)):
        at = datetime(2026, 11, 21, hour, tzinfo=zone).astimezone(UTC)
        assert is_open(window, zone, at) is opens
        assert is_open(window, zone, at - MOMENT) is not opens


@pytest.mark.parametrize("window", [None, ("03:00", "03:00"), ("00:00", "00:00")])
def test_a_window_that_ends_when_it_begins_is_the_whole_day(window: tuple[str, str] | None) -> None:
    for hour in range(24):
        assert is_open(window, ZoneInfo("UTC"), datetime(2026, 11, 21, hour, tzinfo=UTC))


# How many machines a stage has.


@pytest.mark.parametrize(
    ("stages", "machines", "sizes"),
    [
        (("5%", "50%", "100%"), 3, [1, 1, 1]),
        (("5%", "25%", "100%"), 21, [2, 4, 15]),
        (("1%", "100%"), 101, [2, 99]),
        (("50%", "1", "100%"), 10, [5, 0, 5]),  # a later one that is smaller takes none back
        (("8", "100%"), 5, [5, 0]),
    ],
)
def test_a_share_is_rounded_up_and_each_machine_is_in_the_first_stage_that_reaches_it(
    stages: tuple[str, ...], machines: int, sizes: list[int]
) -> None:
    found = staged(UUID(int=1), [f"V{n}" for n in range(machines)], Rules(stages=stages))
    assert [list(found.values()).count(n) for n in range(len(stages))] == sizes


# Parts of an image.


def test_a_range_is_a_part_within_the_image_or_none() -> None:
    assert asked_for(None, 10) == asked_for("pages=1-2", 10) == (0, 10)
    assert asked_for("bytes=3-3", 10) == (3, 4)
    assert asked_for("bytes=0-99", 10) == asked_for("bytes=0-", 10) == (0, 10)
    assert asked_for("bytes=9-", 10) == (9, 10)
    for beyond in ("bytes=10-", "bytes=10-12", "bytes=5-4", "bytes=5-3"):
        with pytest.raises(RangeError):
            asked_for(beyond, 10)
    size = 3 * PART_BYTES_AT_MOST
    assert asked_for("bytes=7-", size) == (7, 7 + PART_BYTES_AT_MOST)


async def _address(fleet: Fleet, **manifest: str) -> str:
    (code,) = await fleet.add(1)
    fleet.machines[code].deaf = True
    await fleet.roll_out(await fleet.upload(**manifest))
    await fleet.settle()
    url = next(m["manifest_url"] for m in fleet.line.sent if "manifest_url" in m)
    return str(url).rpartition("/")[2]


@pytest.mark.parametrize("expires_s", [FAST.attempt_s / 2, FAST.attempt_s * 9])
async def test_an_address_ends_with_the_time_of_its_attempt_or_of_its_manifest(
    fleet: Fleet, expires_s: float
) -> None:
    """Nobody has looked at the roll-out since."""
    expires = (START + timedelta(seconds=expires_s)).isoformat()
    name = await _address(fleet, expires=expires)
    left = min(expires_s, FAST.attempt_s)
    fleet.stage.later(left - 1)
    assert (await downloads.download(fleet.stage.context, name)).size > 0
    fleet.stage.later(1)
    with pytest.raises(NoDownloadError):
        await downloads.download(fleet.stage.context, name)


async def test_a_draft_whose_manifest_expired_is_not_started(fleet: Fleet) -> None:
    await fleet.add(1)
    build = await fleet.upload(expires=(START + timedelta(hours=1)).isoformat())
    context, editor = fleet.stage.context, fleet.editor
    made = await rollouts.create(context, editor, NewRollout(firmware=build, rules=FAST))
    fleet.stage.later(3600)
    with pytest.raises(RolloutError) as refused:
        await rollouts.start(context, editor, made)
    assert refused.value.code == "expired"


async def test_a_roll_out_whose_manifest_expires_stops_and_a_person_is_called(fleet: Fleet) -> None:
    (code,) = await fleet.add(1)
    fleet.machines[code].deaf = True
    expires = (START + timedelta(seconds=100)).isoformat()
    await fleet.roll_out(await fleet.upload(expires=expires))
    await fleet.wait(99, step=99)
    assert (await fleet.read(fleet.rollout)).rollout.state == "running"
    await fleet.wait(5, step=5)
    found = (await fleet.read(fleet.rollout)).rollout
    assert (found.state, (found.pause or {})["reason"]) == ("paused", "expired")


# What stands in the way of GO, once the machine holds the image.

ALL_DAY = replace(FAST, window=("11:00", "12:30"))  # it is noon
Then = Callable[[Fleet, SimMachine], Awaitable[object]]


async def _holds(fleet: Fleet, rules: Rules = ALL_DAY, **manifest: str) -> SimMachine:
    """A machine that has loaded it while a unit is open, and is not given GO."""
    (code,) = await fleet.add(1)
    await fleet.stage.rows("UPDATE outlets SET zone = 'Etc/UTC' RETURNING 1")
    machine = fleet.machines[code]
    machine.hold_offers = True
    await fleet.sell(code)
    await fleet.roll_out(await fleet.upload(**manifest), rules)
    await fleet.settle()
    assert await fleet.state_of(code) == "verified"
    return machine


async def _idle(fleet: Fleet) -> None:
    """The unit is settled."""
    await fleet.stage.rows(
        "SELECT transition_fulfillment(id, 'REJECT', '{\"basis\": \"rejected\"}', $1)"
        " FROM fulfillments",
        fleet.stage.clock.now(),
    )


async def _nothing(fleet: Fleet, machine: SimMachine) -> None:
    pass


async def _out_of_service(fleet: Fleet, machine: SimMachine) -> None:
    await decommission(fleet.stage.context, fleet.editor, machine.code)


async def _unheard(fleet: Fleet, machine: SimMachine) -> None:
    machine.online = False
    fleet.stage.later(fleet.stage.context.windows.online_s)


async def _expired(fleet: Fleet, machine: SimMachine) -> None:
    fleet.stage.later(20 * 60)


async def _out_of_hours(fleet: Fleet, machine: SimMachine) -> None:
    fleet.stage.later(30 * 60)


async def _paused(fleet: Fleet, machine: SimMachine) -> None:
    await rollouts.pause(fleet.stage.context, fleet.editor, fleet.rollout)


IN_THE_WAY: dict[str, Then] = {
    "nothing": _nothing,
    "it is out of service": _out_of_service,
    "it was not heard": _unheard,
    "its manifest expired": _expired,
    "its hours are over": _out_of_hours,
    "a person paused it": _paused,
}


@pytest.mark.parametrize("what", IN_THE_WAY)
async def test_a_machine_that_holds_it_is_not_given_go_while(fleet: Fleet, what: str) -> None:
    left = timedelta(minutes=20) if "manifest" in what else timedelta(days=9)
    machine = await _holds(fleet, expires=(START + left).isoformat())
    await _idle(fleet)
    await IN_THE_WAY[what](fleet, machine)
    fleet.stage.later(6)
    await fleet.beat()
    await fleet.stage.sweep("machine_updates")  # before anybody looks at the roll-out
    state = "installing" if what == "nothing" else "verified"
    assert await fleet.state_of(machine.code) == state
    stopped = await fleet.stage.value("SELECT count(*) FROM outlet_stops WHERE why = 'update'")
    assert stopped == (what == "nothing")


async def test_a_machine_that_had_no_moment_to_install_is_left_out_and_has_not_failed(
    fleet: Fleet,
) -> None:
    machine = await _holds(fleet, replace(ALL_DAY, idle_s=2400))
    fleet.stage.later(1800)  # its hours are over before its unit is
    await _idle(fleet)
    await fleet.wait(660, step=30)
    row = (await fleet.stage.rows("SELECT * FROM machine_updates"))[-1]
    assert (row["outlet_id"], row["state"], row["code"]) == (machine.code, "skipped", "BUSY")
    assert fleet.versions() == {"1.0.0": 1}


async def test_a_pause_that_is_longer_than_a_machine_waits_leaves_it_in_the_roll_out(
    fleet: Fleet,
) -> None:
    machine = await _holds(fleet, replace(FAST, idle_s=600, stage_s=3600))
    await _idle(fleet)
    await rollouts.pause(fleet.stage.context, fleet.editor, fleet.rollout)
    await fleet.wait(660, step=30)
    assert await fleet.state_of(machine.code) == "waiting"
    await rollouts.resume(fleet.stage.context, fleet.editor, fleet.rollout)
    machine.hold_offers = False
    await fleet.wait(60)
    assert await fleet.state_of(machine.code) == "confirmed"


@pytest.mark.parametrize(("code", "state"), [("SIGNATURE", "failed"), ("SHA256", "waiting")])
async def test_what_is_signed_wrongly_is_not_tried_again_and_what_came_damaged_is(
    fleet: Fleet, code: str, state: str
) -> None:
    await _address(fleet)
    machine = next(iter(fleet.machines.values()))
    said = FirmwareProgress(rollout=fleet.rollout, attempt=1, state="FAILED", code=code)
    now = fleet.stage.clock.now()
    await updates.receive(fleet.stage.context, fleet.sender(machine), said, now)
    assert await fleet.state_of(machine.code) == state


async def test_an_attempt_ends_at_its_time_however_lately_the_machine_was_heard_of_it(
    fleet: Fleet,
) -> None:
    await _address(fleet)
    machine = next(iter(fleet.machines.values()))
    fleet.stage.later(FAST.attempt_s - 10)
    said = FirmwareProgress(rollout=fleet.rollout, attempt=1, state="DOWNLOADING")
    now = fleet.stage.clock.now()
    await updates.receive(fleet.stage.context, fleet.sender(machine), said, now)
    assert await fleet.state_of(machine.code) == "downloading"
    await fleet.beat()
    fleet.stage.later(10)
    await fleet.stage.sweep("machine_updates")
    (event,) = await fleet.stage.rows(
        "SELECT event, was, state FROM events WHERE machine = 'machine_update'"
        " ORDER BY seq DESC LIMIT 1"
    )
    assert tuple(event.values()) == ("RETRY", "downloading", "waiting")


# Who is offered it, who is waited for, and who is looked at.


async def test_a_machine_that_is_not_heard_is_offered_nothing_and_waited_for_as_long_as_is_said(
    fleet: Fleet,
) -> None:
    here, away = await fleet.add(2)
    fleet.machines[away].online = False
    await fleet.wait(2 * FAST.stage_s, step=FAST.stage_s)
    await fleet.roll_out(await fleet.upload(), replace(FAST, stages=("100%",)))
    await fleet.wait(FAST.stage_s - 20, step=20)
    assert (await fleet.state_of(here), await fleet.state_of(away)) == ("confirmed", "waiting")
    assert (await fleet.read(fleet.rollout)).rollout.state == "running"
    await fleet.wait(40)
    assert (await fleet.read(fleet.rollout)).rollout.state == "soaking"
    assert await fleet.stage.value(
        "SELECT attempt FROM machine_updates WHERE outlet_id = $1", away
    ) == 0  # fmt: skip


async def test_in_a_soak_machines_are_looked_at_once_a_minute(fleet: Fleet) -> None:
    await fleet.add(2)
    await fleet.roll_out(await fleet.upload(), replace(FAST, stages=("1", "100%")))
    await fleet.wait(30)
    assert (await fleet.read(fleet.rollout)).rollout.state == "soaking"

    async def looks() -> int:
        return int(await fleet.stage.value("SELECT max(samples) FROM machine_updates"))

    before = await looks()
    await fleet.wait(240, step=5)
    assert await looks() == before + 4


async def _sold(fleet: Fleet, code: str, times: int) -> None:
    for _ in range(times):
        await fleet.sell(code)
        await fleet.settle()


async def test_it_is_compared_with_the_others_once_they_have_sold_as_much_as_is_asked_for(
    fleet: Fleet,
) -> None:
    """Until then with what all of them have sold without it."""
    codes = await fleet.add(2)
    for code in codes:
        await _sold(fleet, code, 3)
    await fleet.roll_out(await fleet.upload(), replace(FAST, stages=("1", "100%")))
    await fleet.wait(30)
    (other,) = [code for code in codes if await fleet.state_of(code) == "waiting"]

    async def compared_with() -> int:
        fleet.stage.later(1)
        soak = (await fleet.read(fleet.rollout)).soak
        assert soak is not None
        return soak.old.vends

    await _sold(fleet, other, FAST.soak_vends - 1)
    assert await compared_with() == 6 + FAST.soak_vends - 1
    await _sold(fleet, other, 1)
    assert await compared_with() == FAST.soak_vends


# Failures that a person has seen.


async def _lost(fleet: Fleet, machines: list[SimMachine]) -> None:
    """They install, and nobody hears what came of it."""
    for machine in machines:
        (go,) = (m for m in fleet.line.waiting.pop(machine.code) if m.get("go"))
        machine.online = False
        await fleet._command(machine, go)
    await fleet.wait(FAST.install_s + 40, step=40)


async def _is_paused(fleet: Fleet) -> bool:
    found = (await fleet.read(fleet.rollout)).rollout
    return found.state == "paused" and (found.pause or {})["reason"] == "failures"


async def test_failures_that_a_person_has_seen_count_no_more_but_those_of_others_do(
    fleet: Fleet,
) -> None:
    """Three machines are silent, a person goes on, and they come back: with them their pardon."""
    codes = await fleet.add(6)
    some, others = codes[:3], codes[3:]
    for code in others:
        fleet.machines[code].online, fleet.machines[code].deaf = False, True
    await fleet.wait(200, step=50)
    rules = replace(FAST, stages=("100%",), max_failures=3, share_from=1000, tries=1)
    await fleet.roll_out(await fleet.upload(), rules)
    await fleet.settle_but_go()
    await _lost(fleet, [fleet.machines[code] for code in some])
    assert await _is_paused(fleet)
    await rollouts.resume(fleet.stage.context, fleet.editor, fleet.rollout)
    await fleet.settle()
    assert (await fleet.read(fleet.rollout)).rollout.state == "running", "they were seen"
    for code in some:
        fleet.machines[code].online = True
    await fleet.wait(20)
    assert [await fleet.state_of(code) for code in some] == ["confirmed"] * 3
    for code in others:
        fleet.machines[code].online = True
    await fleet.wait(FAST.attempt_s + 60, step=20)
    assert [await fleet.state_of(code) for code in others] == ["silent"] * 3
    assert await _is_paused(fleet)


async def test_who_takes_a_stage_as_good_has_seen_its_failures(fleet: Fleet) -> None:
    await fleet.add(6)
    rules = replace(FAST, stages=("3", "100%"), max_failures=3, share_from=1000)
    await fleet.roll_out(await fleet.upload(), rules)
    await fleet.settle_but_go()
    lost = [machine for code, machine in fleet.machines.items() if code in fleet.line.waiting]
    await _lost(fleet, lost)
    assert await _is_paused(fleet)
    await rollouts.resume(
        fleet.stage.context, fleet.editor, fleet.rollout, past_soak="their router was off"
    )
    await fleet.wait(20)
    found = (await fleet.read(fleet.rollout)).rollout
    assert (found.state, found.stage) == ("soaking", 1)


async def test_a_machine_that_never_came_gets_nothing_of_a_roll_out_that_is_done(
    fleet: Fleet,
) -> None:
    here, away = await fleet.add(2)
    fleet.machines[away].online = False
    await fleet.wait(2 * FAST.stage_s, step=FAST.stage_s)
    await fleet.roll_out(await fleet.upload(), replace(FAST, stages=("100%",)))
    await fleet.wait(FAST.stage_s + 20, step=20)
    context, editor = fleet.stage.context, fleet.editor
    await rollouts.pause(context, editor, fleet.rollout)
    await rollouts.resume(context, editor, fleet.rollout, past_soak="the last one is in repair")
    assert (await fleet.read(fleet.rollout)).rollout.state == "done"
    rows = await fleet.stage.rows("SELECT outlet_id, state, code FROM machine_updates")
    assert {row["outlet_id"]: (row["state"], row["code"]) for row in rows} == {
        here: ("confirmed", None), away: ("skipped", "ROLLOUT_OVER"),
    }  # fmt: skip
    fleet.machines[away].online = True
    await fleet.wait(20)
    assert fleet.versions() == {"1.0.0": 1, "2.0.0": 1}
