"""Firmware for people: a draft that is looked at, started, paused and aborted; refusals that say
why; and a silent machine that somebody has seen."""

from pathlib import Path

import pytest

from tests.console.conftest import Browser
from tests.console.conftest import browser as browser
from tests.people.conftest import Staffed
from tests.rollouts.fleet import Fleet

LIST = "/console/rollouts"


@pytest.fixture
def fleet(staffed: Staffed, tmp_path: Path) -> Fleet:
    return Fleet(staffed.stage, tmp_path)


async def test_a_build_is_rolled_out_watched_and_stopped_on_pages(
    fleet: Fleet, browser: Browser
) -> None:
    await browser.sign_in("asha")
    assert "No build is here yet" in (await browser.look(LIST)).text
    await fleet.add(2)
    build = await fleet.upload()
    page = await browser.look(LIST)
    made = await browser.press(
        page, LIST, {"firmware": str(build), "from": "02:00", "until": "05:00", "soak_hours": "12"}
    )
    place = made.headers["location"]
    draft = await browser.look(place)
    assert "Draft" in draft.text
    assert await fleet.stage.value("SELECT machines FROM rollouts") is None
    assert await fleet.stage.value("SELECT rules->>'soak_s' FROM rollouts") == "43200.0"
    assert await fleet.stage.value("SELECT rules->'window'->>0 FROM rollouts") == "02:00"
    started = await browser.press(draft, f"{place}/start")
    running = await browser.look(started.headers["location"])
    assert "Under way" in running.text
    assert "It has started." in running.text
    await browser.press(running, f"{place}/pause")
    paused = await browser.look(place)
    assert "Somebody paused it." in paused.text
    await browser.press(paused, f"{place}/resume")
    await browser.press(await browser.look(place), f"{place}/abort", {"why": "enough"})
    assert "Aborted" in (await browser.look(place)).text
    again = await browser.press(draft, f"{place}/start", {"key": "k" * 20})
    assert again.status_code == 422
    assert "The roll-out is aborted." in again.text


async def test_a_roll_out_may_be_kept_to_some_machines(fleet: Fleet, browser: Browser) -> None:
    await browser.sign_in("asha")
    first, *_ = await fleet.add(3)
    build = await fleet.upload()
    page = await browser.look(LIST)
    made = await browser.press(page, LIST, {"firmware": str(build), "machines": f"{first}, "})
    place = made.headers["location"]
    await browser.press(await browser.look(place), f"{place}/start")
    assert await fleet.stage.value("SELECT array_agg(outlet_id) FROM machine_updates") == [first]


async def test_a_soak_with_too_few_vends_says_so_and_a_person_goes_on_with_a_reason(
    fleet: Fleet, browser: Browser
) -> None:
    await browser.sign_in("asha")
    await fleet.add(3)
    rollout = await fleet.roll_out(await fleet.upload())
    await fleet.wait(30)
    place = f"{LIST}/{rollout}"
    assert "so many are needed to tell" in (await browser.look(place)).text
    await fleet.wait(660, step=220)
    await browser.sign_in("asha")  # to go on needs a fresh proof
    paused = await browser.look(place)
    assert "Too few sales to tell" in paused.text
    last = paused.text.rindex(f'action="{place}/resume"')
    assert 'name="past"' in paused.text[last:]
    await browser.press(paused, f"{place}/resume", {"past": "1", "why": "a quiet week"})
    assert (await fleet.read(rollout)).rollout.stage == 3
    assert await fleet.stage.value("SELECT max(reason) FROM audit_log") == "a quiet week"


async def test_a_silent_machine_is_shown_until_somebody_says_what_became_of_it(
    fleet: Fleet, browser: Browser
) -> None:
    await browser.sign_in("asha")
    (code,) = await fleet.add(1)
    rollout = await fleet.roll_out(await fleet.upload(behaviour="bricks"))
    await fleet.wait(460, step=20)
    place = f"{LIST}/{rollout}"
    page = await browser.look(place)
    assert "Did not come back" in page.text
    await browser.press(page, f"{place}/machines/{code}/give-up", {"why": "a new board is in"})
    assert await fleet.state_of(code) == "failed"
    assert "Did not come back" not in (await browser.look(place)).text


async def test_an_operator_may_stop_a_wave_and_not_start_one(
    fleet: Fleet, browser: Browser
) -> None:
    await browser.sign_in("boris")
    await fleet.add(1)
    rollout = await fleet.roll_out(await fleet.upload())
    page = await browser.look(f"{LIST}/{rollout}")
    assert f"{LIST}/{rollout}/pause" in page.text
    await browser.press(page, f"{LIST}/{rollout}/pause")
    page = await browser.look(f"{LIST}/{rollout}")
    assert f"{LIST}/{rollout}/resume" not in page.text
    refused = await browser.send(f"{LIST}/{rollout}/start", {})
    assert refused.status_code == 403
