"""Whoever has a machine's secret says words of updates: in any order, without end, of what is not
its own. Chandra names roll-outs of Asha's."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.channels.reports import FirmwareProgress
from coinslot.fleet.config import Editor
from coinslot.rollouts import downloads, firmware, rollouts, updates
from coinslot.rollouts.downloads import NoDownloadError
from coinslot.rollouts.firmware import UnknownBuildError, UnknownKeyError
from coinslot.rollouts.rollouts import NewRollout, NotNowError, UnknownRolloutError
from tests.rollouts.fleet import FAST, Fleet
from tests.sales.neighbours import chandras_machine

STATES = ("offered", "downloading", "verified", "installing", "trial", "confirmed", "failed")
MANY = 30


async def _in_state(fleet: Fleet, state: str) -> str:
    """The code of a machine whose update is in this state."""
    (code,) = await fleet.add(1)
    machine = fleet.machines[code]
    if state == "offered":
        machine.deaf = True
    await fleet.roll_out(await fleet.upload(), replace(FAST, tries=1))
    if state == "offered":
        await fleet.stage.sweep("rollouts", "machine_updates")
    elif state in ("downloading", "verified", "failed"):
        await fleet.stage.sweep("rollouts", "machine_updates")
        machine.hold_offers = True
        await fleet.sell(code)
        await fleet.beat()
        for word in {"downloading": ("DOWNLOADING",), "verified": ("VERIFIED",)}.get(
            state, ("FAILED",)
        ):
            await _says(fleet, code, word, "SIGNATURE" if word == "FAILED" else None)
        fleet.line.waiting.clear()
    elif state in ("installing", "trial"):
        await fleet.settle_but_go()
        if state == "trial":
            machine.mute_reports = True
            await fleet.deliver()
        fleet.line.waiting.clear()
    else:
        await fleet.settle()
    assert await fleet.state_of(code) == state
    return code


async def _says(fleet: Fleet, code: str, word: str, why: str | None = None) -> None:
    said = FirmwareProgress(rollout=fleet.rollout, attempt=1, state=word, code=why)
    sender = fleet.sender(fleet.machines[code])
    await updates.receive(fleet.stage.context, sender, said, fleet.stage.clock.now())


async def _written(fleet: Fleet) -> int:
    return int(
        await fleet.stage.value("SELECT count(*) FROM events WHERE machine = 'machine_update'")
    )


@pytest.mark.parametrize("state", STATES)
async def test_words_without_end_are_written_down_a_few_times(fleet: Fleet, state: str) -> None:
    await _in_state(fleet, state)
    code = next(iter(fleet.machines))
    before = await _written(fleet)
    for word in ("DOWNLOADING", "VERIFIED", "TRIAL", "CONFIRMED", "ROLLED_BACK", "NONSENSE"):
        for _ in range(MANY):
            await _says(fleet, code, word)
    for _ in range(MANY):
        await _says(fleet, code, "FAILED", "HASH")
    assert await _written(fleet) - before <= 8
    assert await fleet.stage.value("SELECT count(*) FROM strays") == 0


@pytest.mark.parametrize("state", ["offered", "downloading", "verified", "installing"])
async def test_no_word_confirms_what_no_hello_of_a_new_boot_said(fleet: Fleet, state: str) -> None:
    code = await _in_state(fleet, state)
    for word in ("TRIAL", "CONFIRMED", "ROLLED_BACK", "CONFIRMED"):
        await _says(fleet, code, word)
    assert await fleet.state_of(code) == state
    assert await fleet.stage.value("SELECT confirmed_at FROM machine_updates") is None


async def test_a_machine_says_nothing_of_another_machines_update(fleet: Fleet) -> None:
    code = await _in_state(fleet, "verified")
    said = FirmwareProgress(rollout=fleet.rollout, attempt=1, state="FAILED", code="SIGNATURE")
    stranger = await chandras_machine(fleet.stage)
    await updates.receive(fleet.stage.context, stranger, said, fleet.stage.clock.now())
    other = replace_machine(fleet, "M01")
    await updates.receive(fleet.stage.context, other, said, fleet.stage.clock.now())
    assert await fleet.state_of(code) == "verified"


def replace_machine(fleet: Fleet, code: str) -> Any:
    return type(fleet.sender(next(iter(fleet.machines.values()))))(code, fleet.stage.merchant)


async def test_an_address_of_an_image_ends_with_its_attempt_and_is_of_no_other(
    fleet: Fleet,
) -> None:
    await _in_state(fleet, "downloading")
    (found,) = await fleet.stage.rows("SELECT id FROM machine_updates")
    name = downloads.manifest_url(fleet.stage.context, found["id"], 1).rpartition("/")[2]
    assert (await downloads.download(fleet.stage.context, name)).size > 0
    head, attempt, proof = name.split("-")
    for forged in (f"{head}-2-{proof}", f"{head}-{attempt}-{'0' * 32}",
                   f"{UUID(int=0).hex}-1-{proof}", name.upper(), name + "\n"):  # fmt: skip
        with pytest.raises(NoDownloadError):
            await downloads.download(fleet.stage.context, forged)
    await fleet.abort()
    with pytest.raises(NoDownloadError):
        await downloads.download(fleet.stage.context, name)


async def test_chandra_does_nothing_with_roll_outs_builds_and_keys_of_ashas(fleet: Fleet) -> None:
    code = await _in_state(fleet, "verified")
    hers = Editor((await chandras_machine(fleet.stage)).merchant_id, "chandra")
    context, theirs = fleet.stage.context, fleet.rollout
    (build,) = await firmware.builds(context, fleet.stage.merchant)
    (key,) = await firmware.keys(context, fleet.stage.merchant)
    for verb in (rollouts.start, rollouts.pause, rollouts.resume, rollouts.abort):
        with pytest.raises((UnknownRolloutError, NotNowError)):
            await verb(context, hers, theirs)
    with pytest.raises(UnknownRolloutError):
        await rollouts.read(context, hers.merchant, theirs)
    with pytest.raises(UnknownRolloutError):
        await rollouts.give_up(context, hers, theirs, code, "mine")
    with pytest.raises(UnknownBuildError):
        await rollouts.create(context, hers, NewRollout(firmware=build.id))
    with pytest.raises(UnknownKeyError):
        await firmware.retire_key(context, hers, key.id)
    assert await fleet.state_of(code) == "verified"
    assert await rollouts.listed(context, hers.merchant) == []
