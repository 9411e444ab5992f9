"""The device rules, asked of the firmware under CPython with the very tests of the simulator: what
the protocol promises does not depend on which of the two answers."""

from pathlib import Path
from typing import Any

import pytest
from coinslot_fw.clock import PERIOD_MS, Clock
from hypothesis import settings

from machine_simulator.effects import Say
from tests.firmware.bench_firmware import FirmwareBench
from tests.simulator import test_device
from tests.simulator.bench_device import a_unit, evack, go, offer, query
from tests.simulator.test_any_history import AnyHistory

# Those that open the simulator's own file or its own settings; what they ask is asked below.
ITS_OWN = {
    "test_a_go_for_an_accepted_unit_commits_started_before_the_motor",
    "test_a_result_is_on_the_flash_before_it_is_said",
    "test_a_refused_go_is_answered_with_a_tombstone_and_turns_nothing",
    "test_versions_and_age_are_compared_where_the_device_knows_them",
    "test_a_new_journal_answers_in_its_own_name",
    "test_a_sync_answers_its_queries_and_acknowledges_only_this_journal",
    "test_a_lease_holds_across_the_wrap_of_the_ticks",
    "test_a_lease_ends_across_the_wrap_of_the_ticks",
    "test_a_lease_that_ended_does_not_come_back_when_the_ticks_come_round",
    "test_hello_says_what_is_open_and_what_was_not_acknowledged",
}
globals().update(
    {
        name: test for name, test in vars(test_device).items()
        if name.startswith("test_") and name not in ITS_OWN
    }
)  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> FirmwareBench:
    return FirmwareBench(tmp_path)


class FirmwareHistory(AnyHistory):
    """Any messages, in any order, with power cuts: the search that the simulator goes through."""

    bench_of = FirmwareBench


TestFirmwareHistory = FirmwareHistory.TestCase
TestFirmwareHistory.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_started_is_on_the_flash_before_the_motor_turns(bench: FirmwareBench) -> None:
    unit_id = a_unit()
    effects = bench.started(unit_id)
    assert [type(effect).__name__ for effect in effects] == ["Reached", "Say", "Turn"]
    assert bench.read().units[unit_id].state == "STARTED"


# One and the same in every process that collects these tests.
ANOTHER_UNIT = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    "changes",
    [
        {"boot_id": "another"}, {"seq": 2}, {"unit_id": ANOTHER_UNIT}, {"not_after": 11_001},
        {"not_after": 1_000}, {"key_id": "2"}, {"hmac": ""}, {"hmac": "0" * 64},
        {"secret": "another"},
    ],
    ids=str,
)  # fmt: skip
def test_the_firmware_answers_a_refused_go_with_a_tombstone_on_its_flash(
    bench: FirmwareBench, changes: dict[str, Any]
) -> None:
    refused = go(bench.accepted(a_unit()), **changes)
    assert bench.answer(refused)["outcome"] == "TOMBSTONED"
    assert bench.read().units[refused["unit_id"]].state == "TOMBSTONED"


def test_the_firmwares_result_is_on_the_flash_before_it_is_said(bench: FirmwareBench) -> None:
    result = bench.vended(unit_id := a_unit())
    read = bench.read()
    assert read.message(read.units[unit_id], 2) == result


def test_a_power_cut_keeps_the_journals_name_and_a_new_flash_has_another(
    bench: FirmwareBench,
) -> None:
    name = bench.journal.journal_id
    bench.reboot()
    assert bench.journal.journal_id == name
    bench.flash.data[:] = b"\xff" * len(bench.flash.data)
    bench.reboot()
    assert bench.journal.journal_id != name


def test_a_sync_answers_its_queries_and_frees_nothing(bench: FirmwareBench) -> None:
    bench.vended(a_unit())
    asked = query(unit_id := a_unit(), 2)
    sync = {"type": "SYNC", "through": 2, "queries": [asked]}
    said = [effect.message for effect in bench.hear(sync) if isinstance(effect, Say)]
    assert [m["type"] for m in said] == ["STATUS", "RESULT"]
    assert said[0]["unit_id"] == unit_id
    assert len(bench.journal.unacked()) == 3


def test_a_full_journal_sells_nothing_and_still_buries(tmp_path: Path) -> None:
    bench = FirmwareBench(tmp_path, slots={"A1": 99})
    for number in range(1, 17):
        bench.vended(a_unit(), number)
    assert bench.answer(offer(a_unit(), 17))["code"] == "JOURNAL_FULL"
    status, _ = bench.hear(query(unit_id := a_unit(), 18))
    assert isinstance(status, Say)
    assert status.message["state"] == "TOMBSTONED"
    bench.reboot()
    assert bench.journal.units[unit_id].state == "TOMBSTONED"
    assert len(bench.journal.unacked()) == 33
    bench.hear(evack(bench.journal.journal_id, 33))
    bench.accepted(a_unit(), 19)


def test_the_longest_names_do_not_make_a_result_lack_room(tmp_path: Path) -> None:
    """Slots of 16 characters and numbers of 19 digits: full comes earlier, a RESULT always fits."""
    slot = "S" * 16
    bench = FirmwareBench(tmp_path, slots={slot: 99})
    high = 2**62
    for number in range(1, 80):
        said = bench.answer(offer(unit_id := a_unit(), high + number, slot))
        if said["type"] == "REJECT":
            assert said["code"] == "JOURNAL_FULL"
            break
        bench.hear(go(said, slot))
        assert bench.ran(slot, unit_id)["outcome"] == "VENDED"
    assert number > 10
    bench.reboot()
    assert len(bench.journal.unacked()) == 2 * (number - 1)


def test_the_clock_goes_on_where_the_ticks_come_round() -> None:
    ticks = start = PERIOD_MS - 500
    clock = Clock(lambda: ticks % PERIOD_MS)
    assert clock.now_ms() == start
    for _ in range(9):
        ticks += PERIOD_MS // 3
        clock.now_ms()
    assert clock.now_ms() == start + 9 * (PERIOD_MS // 3)
    ticks -= 5
    assert clock.now_ms() == start + 9 * (PERIOD_MS // 3)


@pytest.mark.parametrize("seconds", [1, 9.9])
def test_a_lease_holds_where_the_ticks_come_round(tmp_path: Path, seconds: float) -> None:
    bench = FirmwareBench(tmp_path, start_ms=PERIOD_MS - 4_000)
    accept = bench.accepted(unit_id := a_unit())
    bench.seconds += seconds
    bench.hear(go(accept))
    assert bench.journal.units[unit_id].state == "STARTED"


def test_a_lease_ends_where_the_ticks_come_round(tmp_path: Path) -> None:
    bench = FirmwareBench(tmp_path, start_ms=PERIOD_MS - 4_000)
    accept = bench.accepted(unit_id := a_unit())
    bench.seconds += 10
    assert bench.answer(go(accept))["outcome"] == "TOMBSTONED"
    assert bench.journal.units[unit_id].state == "TOMBSTONED"


def test_ids_and_slots_that_no_journal_could_keep_are_refused(bench: FirmwareBench) -> None:
    assert bench.hear(offer("u" * 41)) == []
    assert bench.hear(offer(a_unit(), 2**63)) == []
    assert bench.answer(offer(a_unit(), 3, "S" * 17))["code"] == "SLOT_FAULT"
    assert bench.answer(offer(a_unit(), 4, 'A"1'))["code"] == "SLOT_FAULT"
