"""A drawn machine sells, is broken in every way, and loses its process: each ends in the can or in
the money given back, as with a real one."""

import asyncio
from collections.abc import Mapping
from uuid import uuid4

import pytest

from coinslot.channels.base import Sending
from coinslot.channels.practice import Practice
from coinslot.channels.practice_machine import Broken, NotPlayedHereError, PracticeState
from coinslot.fleet import practice
from coinslot.fleet.config import Editor
from coinslot.fleet.practice import KeptMachines
from coinslot.outlets.machines import UnknownOutletError
from tests.practice.conftest import MACHINE, Practised


async def test_what_is_paid_drops_and_the_books_say_so(practised: Practised) -> None:
    async with practised.played():
        await practised.pay()
        unit = await practised.settled()
    assert (unit["settlement"], unit["basis"]) == ("fulfilled", "vended")
    fallen = (await practised.state()).fallen
    assert fallen is not None
    assert fallen.slot == "A1"
    assert (await practised.stage.audit()).ok


async def test_it_sells_one_after_another_and_forgets_only_what_is_acknowledged(
    practised: Practised,
) -> None:
    async with practised.played():
        for number in range(1, 9):
            await practised.pay()
            assert (await practised.settled(number))["settlement"] == "fulfilled"
        await practised.until(lambda: _all_acked(practised))
    state = await practised.state()
    assert (state.counter, state.event_seq) == (8, 16)


class LosesOneOfEach(Practice):
    """Its connection loses the first message of each type on its way down."""

    def __init__(self, practised: Practised) -> None:
        super().__init__(practised.kept(), practised.stage.clock, run_s=0.0, again_s=0.05)
        self.lost: list[object] = []

    async def send(self, outlet: str, message: Mapping[str, object]) -> Sending:
        if message["type"] not in (*self.lost, "OFFER"):  # the server's own clock repeats an OFFER
            self.lost.append(message["type"])
            return Sending.SENT
        return await super().send(outlet, message)


async def test_whatever_is_lost_on_its_way_down_comes_again_and_the_can_drops(
    practised: Practised,
) -> None:
    channel = LosesOneOfEach(practised)
    async with practised.played(channel=channel):
        await practised.pay()
        unit = await practised.settled()
        await practised.until(lambda: _all_acked(practised, 2))
    assert (unit["settlement"], unit["basis"]) == ("fulfilled", "vended")
    assert channel.lost == ["SYNC", "GO", "EVACK"]


async def _all_acked(practised: Practised, lines: int = 16) -> bool:
    through = await practised.stage.value(
        "SELECT through FROM device_journals WHERE outlet_id = $1", MACHINE
    )
    return bool(through == lines)


@pytest.mark.parametrize(
    ("broken", "basis"), [(Broken.JAM, "no_drop"), (Broken.LIE, "policy")], ids=["jam", "lie"]
)
async def test_what_hangs_in_it_is_given_back_also_where_it_lies(
    practised: Practised, broken: Broken, basis: str
) -> None:
    await practised.break_it(broken)
    async with practised.played():
        await practised.pay()
        await practised.until(lambda: _ended(practised))
        await practised.stage.sweep()
        unit = await practised.settled()
        assert (unit["settlement"], unit["basis"]) == ("refund_due", basis)
    assert practised.stage.refunded() == 4000
    state = await practised.state()
    assert (state.stuck, state.fallen, state.counter) == ("A1", None, 0)


async def _ended(practised: Practised) -> bool:
    (unit,) = await practised.units()
    return unit["state"] in ("failed", "in_doubt", "vended")


async def test_one_that_falls_silent_is_not_waited_for_longer_than_its_window(
    practised: Practised,
) -> None:
    await practised.break_it(Broken.SILENT)
    async with practised.played() as channel:
        await practised.pay()
        await practised.until(lambda: _is_dark(practised))
        practised.stage.later(25)
        await practised.stage.sweep()
        unit = await practised.settled()
        assert (unit["settlement"], unit["basis"]) == ("refund_due", "never_sent")
        assert practised.stage.refunded() == 4000
        await practised.break_it(Broken.NO, channel)
        await practised.until(lambda: _is_idle(practised))
        await practised.pay()
        assert (await practised.settled(2))["settlement"] == "fulfilled"


async def _is_dark(practised: Practised) -> bool:
    return bool((await practised.state()).step == "dark")


async def _is_idle(practised: Practised) -> bool:
    return bool((await practised.state()).step == "idle")


async def test_a_power_cut_while_the_motor_turns_is_in_doubt_and_then_flagged(
    practised: Practised,
) -> None:
    await practised.break_it(Broken.POWER)
    async with practised.played() as channel:
        await practised.pay()
        await practised.until(lambda: _is_dark(practised))
        (unit,) = await practised.units()
        assert unit["settlement"] is None
        await practised.break_it(Broken.NO, channel)
        await practised.until(lambda: _is_idle(practised))
        await practised.until(lambda: _in_doubt(practised))
        await practised.stage.sweep()
        unit = await practised.settled()
    assert (unit["settlement"], unit["basis"]) == ("refund_due", "policy")
    assert (await practised.state()).counter == 0


async def _in_doubt(practised: Practised) -> bool:
    (unit,) = await practised.units()
    return bool(unit["state"] == "in_doubt")


async def test_a_process_killed_while_the_motor_turns_never_turns_it_again(
    practised: Practised,
) -> None:
    async with practised.played(run_s=60):
        await practised.pay()
        await practised.until(lambda: _is_running(practised))
    async with practised.played():  # another process, after it
        await practised.until(lambda: _in_doubt(practised))
        await practised.stage.sweep()
        unit = await practised.settled()
    assert (unit["settlement"], unit["basis"]) == ("refund_due", "policy")
    assert (await practised.state()).fallen is None


async def _is_running(practised: Practised) -> bool:
    return bool((await practised.state()).step == "running")


class DiesAfter(KeptMachines):
    """The process dies right after it has kept something for the `fatal`th time."""

    def __init__(self, practised: Practised, fatal: int) -> None:
        super().__init__(practised.stage.context.db, practised.stage.context.vault)
        self._left = fatal

    async def keep(self, outlet: str, state: PracticeState) -> Broken:
        broken = await super().keep(outlet, state)
        self._left -= 1
        if self._left == 0:
            raise ConnectionError("killed")
        return broken


@pytest.mark.parametrize("fatal", [1, 2, 3, 4], ids=["booted", "accepted", "started", "result"])
async def test_killed_right_after_any_line_of_its_journal_it_drops_at_most_once(
    practised: Practised, fatal: int
) -> None:
    async with practised.played(kept=DiesAfter(practised, fatal)):
        await practised.pay()
        for _ in range(20):
            if (await practised.units())[0]["settlement"] is not None:
                break
            await asyncio.sleep(0.2)  # it is switched on again at the next look
            practised.stage.later(2)
            await practised.stage.sweep()
        unit = await practised.settled()
    dropped = (await practised.state()).counter
    assert (unit["settlement"], dropped) == (("refund_due", 0) if fatal == 3 else ("fulfilled", 1))
    assert (await practised.stage.audit()).ok


async def test_two_processes_never_play_one_machine_at_once(practised: Practised) -> None:
    first, second = practised.kept(), practised.kept()
    (mine,) = await first.claimed()
    assert await second.claimed() == []
    with pytest.raises(NotPlayedHereError):
        await second.keep(MACHINE, mine.state)
    await first.release()
    assert [one.outlet for one in await second.claimed()] == [MACHINE]
    with pytest.raises(NotPlayedHereError):
        await first.keep(MACHINE, mine.state)


async def test_only_a_practice_machine_is_broken_on_purpose_and_by_its_own_merchant(
    practised: Practised,
) -> None:
    context = practised.stage.context
    with pytest.raises(UnknownOutletError):
        await practice.set_broken(
            context, Editor(practised.stage.merchant, "asha"), "M01", Broken.JAM
        )
    stranger = Editor(uuid4(), "chandra")
    with pytest.raises(UnknownOutletError):
        await practice.set_broken(context, stranger, MACHINE, Broken.JAM)
    assert await practice.look(context, stranger.merchant, MACHINE) is None


async def test_a_go_that_is_not_signed_with_its_secret_turns_no_motor(
    practised: Practised,
) -> None:
    async with practised.played() as channel:
        await practised.pay()
        await practised.settled()
        forged = {
            "type": "GO", "unit_id": str(uuid4()), "seq": 99, "boot_id": "b", "not_after": 2**40,
            "key_id": "1", "hmac": "0" * 64,
        }  # fmt: skip
        await channel.send(MACHINE, forged)
        await practised.until(lambda: _buried(practised))
    state = await practised.state()
    assert state.counter == 1


async def _buried(practised: Practised) -> bool:
    return any(unit.seq == 99 for unit in (await practised.state()).units)
