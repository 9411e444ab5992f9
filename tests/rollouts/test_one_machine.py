"""One machine gets a build: in which order, when it may install, and what its boots say."""

from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.channels import messages as wire
from coinslot.channels.reports import FirmwareProgress
from coinslot.orders import checkout
from coinslot.orders.checkout import OrderRequest, WayTap
from coinslot.rollouts import rollouts, updates
from coinslot.rollouts.rollouts import NotNowError
from coinslot.vending import dispatch
from machine_simulator.update import BRICKS, HANGS, NEVER_SYNCS
from tests.rollouts.fleet import FAST, Fleet, SimMachine


async def _installing(fleet: Fleet) -> SimMachine:
    """A machine that was given GO, which it has not heard yet."""
    (code,) = await fleet.add(1)
    await fleet.roll_out(await fleet.upload())
    await fleet.settle_but_go()
    assert await fleet.state_of(code) == "installing"
    return fleet.machines[code]


async def _off_sale(fleet: Fleet, code: str) -> bool:
    now = fleet.stage.clock.now()
    return bool(await fleet.stage.value("SELECT (outlet_stop($1, $2)).why = 'update'", code, now))


async def _state_and_code(fleet: Fleet, code: str) -> tuple[str, str]:
    row = (await fleet.stage.rows("SELECT * FROM machine_updates WHERE outlet_id = $1", code))[0]
    return row["state"], row["code"]


async def _events(fleet: Fleet, code: str) -> list[str]:
    rows = await fleet.stage.rows(
        "SELECT e.event FROM events e JOIN machine_updates u ON u.id = e.subject_id"
        " WHERE u.outlet_id = $1 ORDER BY e.seq",
        code,
    )
    return [row["event"] for row in rows]


async def sell(fleet: Fleet, code: str, times: int) -> None:
    for _ in range(times):
        await fleet.sell(code)
        await fleet.settle()


async def test_a_good_build_reaches_a_machine_and_its_outlet_sells_again(fleet: Fleet) -> None:
    """The only machine there is is compared with what it sold before."""
    (code,) = await fleet.add(1)
    await sell(fleet, code, FAST.soak_vends)
    await fleet.wait(10)
    rollout = await fleet.roll_out(await fleet.upload())
    await fleet.settle()
    assert await fleet.state_of(code) == "confirmed"
    assert fleet.versions() == {"2.0.0": 1}
    assert not await _off_sale(fleet, code)
    await fleet.wait(10)
    assert (await fleet.read(rollout)).rollout.state == "soaking"
    await sell(fleet, code, FAST.soak_vends)
    await fleet.wait(FAST.soak_s + 10, step=100)
    assert (await fleet.read(rollout)).rollout.state == "done"


async def test_new_code_of_a_machine_that_sold_nothing_before_is_for_a_person_to_judge(
    fleet: Fleet,
) -> None:
    (code,) = await fleet.add(1)
    rollout = await fleet.roll_out(await fleet.upload())
    await fleet.settle()
    await fleet.wait(10)
    await sell(fleet, code, FAST.soak_vends)
    await fleet.wait(FAST.soak_s + 10, step=100)
    found = (await fleet.read(rollout)).rollout
    assert (found.state, (found.pause or {})["reason"]) == ("paused", "few_vends")


async def test_a_machine_with_a_paid_unit_is_not_given_go_before_it_is_settled(
    fleet: Fleet,
) -> None:
    (code,) = await fleet.add(1)
    machine = fleet.machines[code]
    await fleet.roll_out(await fleet.upload())
    machine.hold_offers = True  # it is paid, and the machine has not answered yet
    await fleet.sell(code)
    await fleet.settle()
    assert await fleet.state_of(code) == "verified"
    assert not await _off_sale(fleet, code)
    machine.hold_offers = False
    await fleet.wait(20)
    assert await fleet.state_of(code) == "confirmed"
    assert len(machine.drops()) == 1


async def test_a_paid_unit_that_waits_is_in_the_way_of_go(fleet: Fleet) -> None:
    """It is paid, and nothing of it is at the machine yet."""
    (code,) = await fleet.add(1)
    await fleet.roll_out(await fleet.upload())
    unit = await fleet.sell(code)
    for _ in range(6):
        await fleet.beat_without_offers()
        await fleet.stage.sweep("rollouts", "machine_updates")
        await fleet.deliver()
    assert await fleet.unit_state(unit) == "queued"
    assert await fleet.state_of(code) == "verified"
    await fleet.wait(20)
    assert await fleet.state_of(code) == "confirmed"


async def test_a_customer_who_is_about_to_pay_is_waited_for(fleet: Fleet) -> None:
    (code,) = await fleet.add(1)
    token = await checkout.place(fleet.stage.context, OrderRequest(outlet=code, slot="A1", key="k"))
    await checkout.pay(fleet.stage.context, WayTap(order=token))
    await fleet.roll_out(await fleet.upload())
    await fleet.settle()
    assert await fleet.state_of(code) == "verified"
    await fleet.wait(fleet.stage.context.windows.hold_s + 20)
    assert await fleet.state_of(code) == "confirmed"


async def test_no_unit_is_given_to_a_machine_that_installs_and_its_page_takes_no_money(
    fleet: Fleet,
) -> None:
    machine = await _installing(fleet)
    assert await _off_sale(fleet, machine.code)
    unit = await fleet.sell(machine.code)
    await fleet.stage.sweep("fulfillments")
    assert not await dispatch.offer_next(fleet.stage.context, fleet.stage.merchant, machine.code)
    assert await fleet.unit_state(unit) == "queued"
    await fleet.settle()  # GO arrives, and the machine comes back with the new code
    await fleet.settle()
    assert await fleet.state_of(machine.code) == "confirmed"
    assert await fleet.unit_state(unit) == "vended"


async def test_go_that_was_lost_is_sent_again_and_counts_once(fleet: Fleet) -> None:
    machine = await _installing(fleet)
    fleet.line.waiting.clear()
    await fleet.wait(20)
    assert await fleet.state_of(machine.code) == "confirmed"
    assert machine.boots == 2
    assert (await _events(fleet, machine.code)).count("GO") >= 2


async def test_a_go_of_an_earlier_boot_installs_nothing(fleet: Fleet) -> None:
    """A power cut after GO was committed: the machine says its old code and that it holds the
    image, sells again, and a late GO finds another boot. It is offered the build once more."""
    machine = await _installing(fleet)
    late = [m for m in fleet.line.waiting.pop(machine.code) if m.get("go")]
    machine.boot()
    await fleet.greet(machine)
    assert await fleet.state_of(machine.code) == "waiting"
    assert not await _off_sale(fleet, machine.code)
    fleet.line.waiting[machine.code] = late
    await fleet.deliver()
    assert fleet.versions() == {"1.0.0": 1}
    await fleet.sell(machine.code)
    await fleet.wait(30)
    assert await fleet.state_of(machine.code) == "confirmed"
    assert len(machine.drops()) == 1
    assert not (await fleet.stage.audit()).red  # what fell between two GOs met no changing code


async def test_a_machine_that_starts_anew_at_every_go_is_not_offered_for_ever(
    fleet: Fleet,
) -> None:
    machine = await _installing(fleet)
    for _ in range(FAST.tries):
        fleet.line.waiting.clear()
        machine.boot()
        await fleet.greet(machine)
        fleet.stage.later(10)
        await fleet.settle_but_go()
    assert await _state_and_code(fleet, machine.code) == ("rolled_back", "RESTARTED")
    assert (await _events(fleet, machine.code)).count("GO_VOID") == FAST.tries - 1


async def test_old_code_after_go_waits_for_its_word_and_tells_why_it_went_back(
    fleet: Fleet,
) -> None:
    """HELLO says the old version. Whether it was installed at all, only the next word says."""
    machine = await _installing(fleet)
    fleet.line.waiting.clear()
    machine.mute_reports = True
    machine.boot()
    await fleet.greet(machine)
    assert await fleet.state_of(machine.code) == "installing"
    assert await _off_sale(fleet, machine.code)
    machine.mute_reports = False
    await fleet.say(machine, "ROLLED_BACK", "SELF_TEST")
    assert await _state_and_code(fleet, machine.code) == ("rolled_back", "SELF_TEST")
    assert not await _off_sale(fleet, machine.code)


async def test_old_code_that_never_says_why_has_gone_back_when_its_time_is_over(
    fleet: Fleet,
) -> None:
    machine = await _installing(fleet)
    fleet.line.waiting.clear()
    machine.mute_reports = machine.deaf = True
    machine.boot()
    await fleet.greet(machine)
    await fleet.wait(FAST.install_s + 20)
    assert await _state_and_code(fleet, machine.code) == ("rolled_back", "ROLLED_BACK")
    await fleet.say(machine, "ROLLED_BACK", "NO_SYNC")  # late, and worth keeping
    assert await _state_and_code(fleet, machine.code) == ("rolled_back", "NO_SYNC")


async def test_what_was_offered_is_withdrawn_at_the_machine_when_the_roll_out_is_aborted(
    fleet: Fleet,
) -> None:
    (code,) = await fleet.add(1)
    machine = fleet.machines[code]
    machine.hold_offers = True  # something is paid, so that it is not given GO
    await fleet.sell(code)
    await fleet.roll_out(await fleet.upload())
    await fleet.settle()
    assert machine.updater.flash.state == "VERIFIED"
    await fleet.abort()
    await fleet.settle()
    assert machine.updater.flash.code == "WITHDRAWN"
    assert await _state_and_code(fleet, code) == ("skipped", "ABORTED")


async def test_a_machine_that_missed_the_withdrawal_is_told_when_it_says_that_it_holds_the_image(
    fleet: Fleet,
) -> None:
    (code,) = await fleet.add(1)
    machine = fleet.machines[code]
    machine.hold_offers = True
    await fleet.sell(code)
    await fleet.roll_out(await fleet.upload())
    await fleet.settle()
    await fleet.abort()
    await fleet.stage.sweep("machine_updates")
    fleet.line.waiting.clear()
    machine.boot()
    await fleet.greet(machine)  # it says VERIFIED after its SYNC
    await fleet.settle()
    assert machine.updater.flash.code == "WITHDRAWN"


async def test_the_outlet_is_off_sale_until_the_machine_has_confirmed(fleet: Fleet) -> None:
    machine = await _installing(fleet)
    machine.mute_reports = True  # its word that it is confirmed is lost
    await fleet.settle()
    assert await fleet.state_of(machine.code) == "trial"
    assert await _off_sale(fleet, machine.code)
    machine.mute_reports = False
    await fleet.greet(machine)  # it connects again and says so again
    assert await fleet.state_of(machine.code) == "confirmed"
    assert not await _off_sale(fleet, machine.code)


async def test_confirmed_counts_only_after_a_hello_of_a_new_boot_said_the_version(
    fleet: Fleet,
) -> None:
    machine = await _installing(fleet)
    fleet.line.waiting.clear()
    await fleet.say(machine, "CONFIRMED")
    assert await fleet.state_of(machine.code) == "installing"
    assert await _off_sale(fleet, machine.code)


@pytest.mark.parametrize("behaviour", [HANGS, NEVER_SYNCS])
async def test_code_that_does_not_come_up_goes_back_by_itself_and_sells(
    fleet: Fleet, behaviour: str
) -> None:
    (code,) = await fleet.add(1)
    rollout = await fleet.roll_out(await fleet.upload(behaviour=behaviour))
    await fleet.settle()
    assert await _off_sale(fleet, code)
    await fleet.wait(300)
    assert await fleet.state_of(code) == "rolled_back"
    assert fleet.versions() == {"1.0.0": 1}
    assert not await _off_sale(fleet, code)
    found = (await fleet.read(rollout)).rollout
    assert found.state == "paused"
    assert found.pause is not None
    assert found.pause["reason"] == "none_confirmed"


async def test_a_machine_that_never_returns_is_silent_stays_off_sale_and_calls_a_person(
    fleet: Fleet,
) -> None:
    (code,) = await fleet.add(1)
    rollout = await fleet.roll_out(await fleet.upload(behaviour=BRICKS))
    await fleet.wait(FAST.install_s + 40)
    assert await fleet.state_of(code) == "silent"
    assert await _off_sale(fleet, code)
    assert (await fleet.read(rollout)).rollout.state == "paused"
    await rollouts.give_up(fleet.stage.context, fleet.editor, rollout, code, "a new board is in")
    assert await fleet.state_of(code) == "failed"
    assert not await _off_sale(fleet, code)
    with pytest.raises(NotNowError):
        await rollouts.give_up(fleet.stage.context, fleet.editor, rollout, code, "again")


async def test_a_silent_machine_that_comes_back_says_what_it_runs(fleet: Fleet) -> None:
    machine = await _installing(fleet)
    machine.online = False
    await fleet.wait(FAST.install_s + 40)
    assert await fleet.state_of(machine.code) == "silent"
    machine.online = True
    machine.boot()
    await fleet.greet(machine)
    assert await fleet.state_of(machine.code) == "rolled_back"
    assert not await _off_sale(fleet, machine.code)


@pytest.mark.parametrize(
    ("more", "state", "code"),
    [
        ({"hardware": "esp32-v2"}, "skipped", "HARDWARE"),
        ({"kind": "mdb"}, "skipped", "KIND"),
        ({"sequence": 9, "min_from": 5}, "skipped", "MIN_FROM"),
        ({"journal_formats": [2]}, "skipped", "JOURNAL"),
        ({"journal_formats": [1, 2]}, "skipped", "JOURNAL"),
    ],
)
async def test_a_machine_refuses_what_is_not_for_it_and_goes_on_selling(
    fleet: Fleet, more: dict[str, Any], state: str, code: str
) -> None:
    (machine,) = await fleet.add(1)
    # As a machine that does not say what it is: then it alone can refuse.
    await fleet.stage.rows(
        "UPDATE devices SET hardware = NULL, build_sequence = NULL WHERE outlet_id = $1"
        " RETURNING 1", machine,
    )  # fmt: skip
    await fleet.roll_out(await fleet.upload(**more))
    await fleet.settle()
    row = (await fleet.stage.rows("SELECT * FROM machine_updates WHERE outlet_id = $1", machine))[0]
    assert (row["state"], row["code"]) == (state, code)
    assert fleet.versions() == {"1.0.0": 1}


@pytest.mark.parametrize("spoil", [b"another image, of the same kind", b"{"])
async def test_an_image_that_was_changed_on_its_way_is_refused_three_times_and_fails(
    fleet: Fleet, spoil: bytes
) -> None:
    (code,) = await fleet.add(1)
    await fleet.roll_out(await fleet.upload())
    fleet.spoil = spoil
    await fleet.wait(60)
    assert await fleet.state_of(code) == "failed"
    assert (await _events(fleet, code)).count("RETRY") == FAST.tries - 1
    assert fleet.versions() == {"1.0.0": 1}


async def test_an_offer_is_sent_again_and_an_attempt_that_takes_too_long_is_followed_by_another(
    fleet: Fleet,
) -> None:
    (code,) = await fleet.add(1)
    machine = fleet.machines[code]
    machine.deaf = True  # heard, and does not answer
    await fleet.roll_out(await fleet.upload())
    await fleet.wait(FAST.attempt_s * FAST.tries + 60, step=20)
    assert await fleet.state_of(code) == "silent"
    assert (await _events(fleet, code)).count("OFFER") == FAST.tries
    assert len([m for m in fleet.line.sent if "manifest_url" in m]) > 10 * FAST.tries
    assert not await _off_sale(fleet, code)  # it was never told to install, and sells


async def test_a_machine_whose_word_was_lost_is_soon_asked_where_it_is(fleet: Fleet) -> None:
    """It loads, then fails, and a server that has just died does not hear that."""
    (code,) = await fleet.add(1)
    fleet.machines[code].deaf = True
    await fleet.roll_out(await fleet.upload())
    await fleet.settle()
    said = FirmwareProgress(rollout=fleet.rollout, attempt=1, state="DOWNLOADING")
    sender = fleet.sender(fleet.machines[code])
    await updates.receive(fleet.stage.context, sender, said, fleet.stage.clock.now())
    assert await fleet.state_of(code) == "downloading"
    asked = len([m for m in fleet.line.sent if "manifest_url" in m])
    await fleet.wait(20)
    assert len([m for m in fleet.line.sent if "manifest_url" in m]) > asked


async def test_words_of_an_attempt_that_is_over_change_nothing(fleet: Fleet) -> None:
    machine = await _installing(fleet)
    said = FirmwareProgress(
        rollout=fleet.rollout, attempt=99, state="FAILED", code="SHA256",
    )  # fmt: skip
    sender = fleet.sender(machine)
    await updates.receive(fleet.stage.context, sender, said, fleet.stage.clock.now())
    strange = replace(said, rollout=fleet.stage.merchant, attempt=1)
    await updates.receive(fleet.stage.context, sender, strange, fleet.stage.clock.now())
    assert await fleet.state_of(machine.code) == "installing"


async def test_a_hello_without_make_and_build_keeps_the_make(fleet: Fleet) -> None:
    (code,) = await fleet.add(1)
    hello = replace(fleet.machines[code].hello(), hardware=None, build=None)
    assert isinstance(hello, wire.Hello)
    await fleet.tell(fleet.machines[code], hello)
    row = (await fleet.stage.rows("SELECT * FROM devices WHERE outlet_id = $1", code))[0]
    assert (row["hardware"], row["build_sequence"]) == ("esp32-v1", None)
