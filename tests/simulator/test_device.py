"""The device rules of the vend protocol, each asked of the brain with nothing but messages."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from machine_simulator.clock import TICKS_PERIOD_MS
from machine_simulator.device import Identity
from machine_simulator.effects import Reached, Say, Turn
from machine_simulator.food import FoodRule, FoodWatch
from machine_simulator.journal import Journal
from tests.simulator.bench_device import (
    LEASE_MS,
    SECRET,
    Message,
    Workbench,
    a_unit,
    evack,
    go,
    offer,
    query,
)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def test_a_go_for_an_accepted_unit_commits_started_before_the_motor(bench: Workbench) -> None:
    unit_id = a_unit()
    accept = bench.accepted(unit_id)
    assert accept["slot_state"] == "OK"
    assert accept["counter"] == 0
    reached, said, turn = bench.hear(go(accept))
    assert reached == Reached("started")
    assert isinstance(said, Say)
    assert said.message["type"] == "STARTED"
    assert turn == Turn(unit_id, "A1")
    on_flash = Journal(bench.folder / "journal.jsonl")
    assert on_flash.units[unit_id].state == "STARTED"


def test_a_result_is_on_the_flash_before_it_is_said(bench: Workbench) -> None:
    result = bench.vended(unit_id := a_unit())
    assert result["outcome"] == "VENDED"
    assert Journal(bench.folder / "journal.jsonl").units[unit_id].result == result


def test_an_accept_is_said_again_until_its_go_or_the_end_of_its_lease(bench: Workbench) -> None:
    accept = bench.accepted(a_unit())
    assert bench.device.unanswered() == [accept]
    bench.hear(go(accept))
    assert [message["type"] for message in bench.device.unanswered()] == ["STARTED"]
    bench.ran()
    bench.hear(evack(bench.journal.journal_id, 2))
    bench.accepted(a_unit(), seq=2)
    bench.seconds += LEASE_MS / 1000
    assert bench.device.unanswered() == []


REFUSED_GOES: dict[str, Message] = {
    "meant for another boot": {"boot_id": "boot-0"},
    "for another seq": {"seq": 2},
    "for a unit never offered": {"unit_id": a_unit()},
    "beyond the lease": {"not_after": 1_000 + LEASE_MS + 1},
    "already past": {"not_after": 1_000},
    "signed under an unknown key id": {"key_id": "2"},
    "not signed": {"hmac": ""},
    "signed with another key": {"secret": "another"},
}


@pytest.mark.parametrize("changes", REFUSED_GOES.values(), ids=REFUSED_GOES)
def test_a_refused_go_is_answered_with_a_tombstone_and_turns_nothing(
    bench: Workbench, changes: Message
) -> None:
    refused = go(bench.accepted(a_unit()), **changes)
    (said,) = bench.hear(refused)
    assert isinstance(said, Say)
    assert (said.message["type"], said.message["outcome"]) == ("RESULT", "TOMBSTONED")
    on_flash = Journal(bench.folder / "journal.jsonl")
    assert on_flash.units[refused["unit_id"]].state == "TOMBSTONED"
    assert bench.answer(offer(refused["unit_id"], 9))["state"] == "TOMBSTONED"


def test_a_go_after_the_lease_is_refused(bench: Workbench) -> None:
    accept = bench.accepted(a_unit())
    bench.seconds += LEASE_MS / 1000
    assert bench.answer(go(accept))["outcome"] == "TOMBSTONED"


def test_a_go_is_refused_once_a_later_unit_was_buried(bench: Workbench) -> None:
    accept = bench.accepted(a_unit(), seq=1)
    bench.hear(query(a_unit(), seq=2))
    assert bench.answer(go(accept))["outcome"] == "TOMBSTONED"


def test_a_repeated_go_never_turns_twice(bench: Workbench) -> None:
    accept = bench.accepted(unit_id := a_unit())
    bench.hear(go(accept))
    assert bench.answer(go(accept))["state"] == "STARTED"
    result = bench.ran("A1", unit_id)
    assert bench.answer(go(accept)) == result
    bench.reboot()
    assert bench.answer(go(accept)) == result


def test_a_restart_voids_a_lease(bench: Workbench) -> None:
    accept = bench.accepted(a_unit())
    bench.reboot()
    assert bench.answer(go(accept))["outcome"] == "TOMBSTONED"


def test_what_was_started_is_interrupted_after_a_restart_and_never_run_again(
    bench: Workbench,
) -> None:
    bench.started(unit_id := a_unit())
    (said,) = bench.reboot()
    assert isinstance(said, Say)
    assert (said.message["outcome"], said.message["unit_id"]) == ("INTERRUPTED", unit_id)
    assert bench.device.running is None
    assert bench.reboot() == []
    assert bench.answer(offer(unit_id))["state"] == "INTERRUPTED"


def test_a_repeated_offer_gets_the_stored_accept_byte_for_byte(bench: Workbench) -> None:
    accept = bench.accepted(unit_id := a_unit())
    bench.seconds += 3
    bench.fault(door_open=True)
    assert bench.answer(offer(unit_id)) == accept
    bench.seconds += LEASE_MS
    assert bench.answer(offer(unit_id)) == accept


def test_a_known_unit_gets_its_status_never_a_reject(bench: Workbench) -> None:
    bench.started(unit_id := a_unit())
    assert bench.answer(offer(unit_id))["state"] == "STARTED"
    bench.ran("A1", unit_id)
    status = bench.answer(offer(unit_id))
    assert (status["type"], status["state"], status["nonce"]) == ("STATUS", "VENDED", None)
    assert bench.answer(offer(unit_id)) == status


def test_a_refused_offer_stays_refused_until_it_comes_under_a_new_seq(bench: Workbench) -> None:
    unit_id = a_unit()
    bench.fault(door_open=True)
    reject = bench.answer(offer(unit_id, 1))
    bench.fault()
    assert bench.answer(offer(unit_id, 1)) == reject
    bench.reboot()
    assert bench.answer(offer(unit_id, 1)) == reject
    assert bench.answer(offer(unit_id, 2))["type"] == "ACCEPT"


def test_an_offer_under_a_new_seq_replaces_the_lease_of_the_same_unit(bench: Workbench) -> None:
    unit_id = a_unit()
    bench.accepted(unit_id, seq=1)
    accept = bench.accepted(unit_id, seq=2)
    assert any(isinstance(effect, Turn) for effect in bench.hear(go(accept)))


def test_a_machine_has_one_open_unit(bench: Workbench) -> None:
    bench.accepted(a_unit(), seq=1)
    assert bench.answer(offer(a_unit(), seq=2))["code"] == "BUSY"
    bench.seconds += LEASE_MS / 1000
    assert bench.answer(offer(a_unit(), seq=3))["type"] == "ACCEPT"


def test_a_running_machine_is_busy(bench: Workbench) -> None:
    bench.started(unit_id := a_unit())
    assert bench.answer(offer(a_unit(), seq=2))["code"] == "BUSY"
    assert bench.device.open_unit == unit_id
    assert not bench.device.idle


SWITCHED = {"DOOR_OPEN": "door_open", "TEMP_LOCK": "temp_lock", "SLOT_FAULT": "slot_fault"}


@pytest.mark.parametrize(("code", "fault"), [*SWITCHED.items(), ("FIRMWARE", "firmware_update")])
def test_a_machine_in_no_state_to_sell_says_why(bench: Workbench, code: str, fault: str) -> None:
    bench.fault(**{fault: True})
    assert bench.answer(offer(a_unit()))["code"] == code


def test_a_food_lock_that_falls_after_the_offer_refuses_go_with_a_tombstone(
    bench: Workbench,
) -> None:
    accept = bench.accepted(unit_id := a_unit())
    bench.body.lock_food(locked=True)
    result = bench.answer(go(accept))
    assert (result["type"], result["outcome"], result["unit_id"]) == (
        "RESULT", "TOMBSTONED", unit_id,
    )  # fmt: skip
    bench.body.lock_food(locked=False)
    assert bench.answer(go(accept)) == result, "a visit does not raise the dead"


def test_a_food_lock_outlives_the_power_and_ends_by_a_visit(bench: Workbench) -> None:
    bench.body.lock_food(locked=True)
    bench.reboot()
    assert bench.answer(offer(a_unit(), 1))["code"] == "TEMP_LOCK"
    bench.body.lock_food(locked=False)
    assert bench.answer(offer(a_unit(), 2))["type"] == "ACCEPT"


def test_a_food_lock_that_falls_during_a_run_leaves_it_alone(bench: Workbench) -> None:
    bench.started(unit_id := a_unit())
    bench.body.lock_food(locked=True)
    assert bench.ran("A1", unit_id)["outcome"] == "VENDED"


MINUTE = 60.0


def watched(rule: FoodRule, told: Sequence[tuple[float, float | None, bool]]) -> list[float]:
    """At which of these minutes it would lock."""
    watch = FoodWatch(rule)
    return [
        minute
        for minute, temperature, is_open in told
        if watch.is_due(temperature, door_open=is_open, now_s=minute * MINUTE)
    ]


def test_a_device_locks_after_a_quarter_of_an_hour_above_its_limit() -> None:
    warm = [(float(n), 6.0, False) for n in range(17)]
    assert watched(FoodRule(), warm) == [15, 16]
    assert watched(FoodRule(), [(n, 5.0, False) for n, *_ in warm]) == []
    cool_once = [(n, 5.0 if n == 10 else t, d) for n, t, d in warm]
    assert watched(FoodRule(), cool_once) == []
    silent = [(n, None if n % 2 else t, d) for n, t, d in warm]
    assert watched(FoodRule(), silent) == [15, 16], "a sensor that says nothing ends no warmth"


def test_a_door_gives_a_device_half_an_hour_once() -> None:
    left_open = [(float(n), 4.0 if n == 0 else 9.0, True) for n in range(33)]
    assert watched(FoodRule(), left_open) == [30, 31, 32]
    again = [(float(n), 9.0, n % 10 == 0) for n in range(33)]
    assert watched(FoodRule(), again) == [30, 31, 32]


def test_an_empty_or_unknown_slot_is_refused(bench: Workbench) -> None:
    for seq in (1, 2):
        bench.vended(a_unit(), seq)
    assert bench.answer(offer(a_unit(), 3))["code"] == "SLOT_EMPTY"
    assert bench.answer(offer(a_unit(), 4, "Z9"))["code"] == "SLOT_FAULT"


def test_a_seq_not_above_the_last_is_stale(bench: Workbench) -> None:
    bench.vended(a_unit(), seq=5)
    assert bench.answer(offer(a_unit(), 5))["code"] == "STALE_SEQ"
    bench.accepted(a_unit(), seq=7)
    bench.seconds += LEASE_MS / 1000
    assert bench.answer(offer(a_unit(), 6))["code"] == "STALE_SEQ"


def test_versions_and_age_are_compared_where_the_device_knows_them(tmp_path: Path) -> None:
    identity = Identity(SECRET, price_version=3, planogram_version=4, age_slots=frozenset({"B1"}))
    bench = Workbench(tmp_path, identity)
    right: Message = {"price_version": 3, "planogram_version": 4}
    old_price = offer(a_unit(), 1, **(right | {"price_version": 2}))
    assert bench.answer(old_price)["code"] == "PRICE_VERSION"
    old_plan = offer(a_unit(), 2, **(right | {"planogram_version": 1}))
    assert bench.answer(old_plan)["code"] == "PLANOGRAM"
    assert bench.answer(offer(a_unit(), 3, "B1", **right))["code"] == "AGE_REQUIRED"
    assert bench.answer(offer(a_unit(), 4, "A1", **right))["type"] == "ACCEPT"


def test_a_query_for_a_unit_not_started_buries_it_before_it_answers(bench: Workbench) -> None:
    accept = bench.accepted(unit_id := a_unit())
    status, result = bench.hear(query(unit_id, nonce="n-7"))
    assert isinstance(status, Say)
    assert isinstance(result, Say)
    assert (status.message["state"], status.message["nonce"]) == ("TOMBSTONED", "n-7")
    assert result.message["outcome"] == "TOMBSTONED"
    assert bench.answer(go(accept)) == result.message
    bench.reboot()
    assert bench.answer(query(unit_id))["state"] == "TOMBSTONED"


def test_a_buried_unit_keeps_no_other_waiting(bench: Workbench) -> None:
    bench.accepted(unit_id := a_unit(), seq=1)
    bench.hear(query(unit_id, 1))
    assert bench.answer(offer(a_unit(), seq=2))["type"] == "ACCEPT"


def test_a_query_tells_the_state_and_evidence_of_what_is_known(bench: Workbench) -> None:
    bench.started(unit_id := a_unit())
    assert bench.answer(query(unit_id))["state"] == "STARTED"
    result = bench.ran("A1", unit_id)
    status = bench.answer(query(unit_id))
    assert (status["state"], status["evidence"]) == ("VENDED", result["evidence"])
    assert status["event_seq"] == result["event_seq"]


def test_a_new_journal_answers_in_its_own_name(bench: Workbench) -> None:
    bench.started(unit_id := a_unit())
    old_journal = bench.journal.journal_id
    (bench.folder / "journal.jsonl").unlink()
    bench.reboot()
    status, _ = bench.hear(query(unit_id, journal_id=old_journal))
    assert isinstance(status, Say)
    assert status.message["journal_id"] == bench.journal.journal_id != old_journal


def test_a_sync_answers_its_queries_and_acknowledges_only_this_journal(bench: Workbench) -> None:
    bench.vended(unit_id := a_unit())
    sync: Message = {"type": "SYNC", "through": 2, "queries": [query(unit_id)]}
    assert bench.answer(sync)["state"] == "VENDED"
    assert len(bench.journal.unacked()) == 2
    bench.hear(sync | {"journal_id": bench.journal.journal_id})
    assert bench.journal.unacked() == []


def test_an_evack_for_another_journal_acknowledges_nothing(bench: Workbench) -> None:
    bench.vended(a_unit())
    bench.hear(evack("another", 2))
    assert len(bench.journal.unacked()) == 2


def test_hello_says_what_is_open_and_what_was_not_acknowledged(bench: Workbench) -> None:
    hello = bench.device.hello(session_no=1)
    assert (hello["open_unit"], hello["unacked_from"], hello["last_seq"]) == (None, None, 0)
    bench.started(unit_id := a_unit(), seq=4)
    hello = bench.device.hello(session_no=2)
    assert (hello["open_unit"], hello["unacked_from"], hello["last_seq"]) == (unit_id, 1, 4)


def test_a_lease_holds_across_the_wrap_of_the_ticks(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, start_ms=TICKS_PERIOD_MS - 4_000)
    accept = bench.accepted(a_unit())
    bench.seconds += 6
    assert bench.device.hello(1)["mono_ms"] == 2_000
    wrapped = (accept["mono_ms"] + LEASE_MS) % TICKS_PERIOD_MS
    assert any(isinstance(effect, Turn) for effect in bench.hear(go(accept, not_after=wrapped)))


def test_a_lease_ends_across_the_wrap_of_the_ticks(tmp_path: Path) -> None:
    bench = Workbench(tmp_path, start_ms=TICKS_PERIOD_MS - 4_000)
    accept = bench.accepted(a_unit())
    bench.seconds += 10
    assert bench.answer(go(accept))["outcome"] == "TOMBSTONED"


def test_a_lease_that_ended_does_not_come_back_when_the_ticks_come_round(bench: Workbench) -> None:
    accept = bench.accepted(a_unit())
    bench.seconds += LEASE_MS / 1000
    bench.device.tick()
    bench.seconds += TICKS_PERIOD_MS / 1000 - LEASE_MS / 1000  # the same ticks as at the ACCEPT
    assert bench.device.hello(1)["mono_ms"] == accept["mono_ms"]
    assert bench.answer(go(accept))["outcome"] == "TOMBSTONED"


def test_a_long_run_says_progress_under_the_next_event_seq(bench: Workbench) -> None:
    assert bench.device.progressed() == []
    bench.started(unit_id := a_unit())
    (said,) = bench.device.progressed()
    assert isinstance(said, Say)
    assert (said.message["type"], said.message["event_seq"]) == ("PROGRESS", 2)
    assert bench.ran("A1", unit_id)["event_seq"] == 3


def test_a_run_that_passed_its_bound_is_interrupted_never_failed(bench: Workbench) -> None:
    bench.started(a_unit())
    sight = dataclasses.replace(bench.body.sees(), completed=False)
    _, said = bench.device.finished(sight)
    assert isinstance(said, Say)
    assert said.message["outcome"] == "INTERRUPTED"
    assert said.message["evidence"]["drop"] == "unknown"


UNREADABLE: list[Message] = [
    {},
    {"type": "GOODBYE"},
    {"type": "OFFER"},
    {"type": "OFFER", "unit_id": "u", "seq": "many", "slot": "A1", "lease_ms": 1},
    {"type": "OFFER", "unit_id": "u", "seq": float("inf"), "slot": "A1", "lease_ms": 1},
    {"type": "GO", "unit_id": "u"},
    {"type": "QUERY", "unit_id": "u", "seq": None, "nonce": "n"},
    {"type": "EVACK", "journal_id": "j"},
    {"type": "SYNC", "queries": ["u"]},
]


@pytest.mark.parametrize("message", UNREADABLE, ids=str)
def test_what_cannot_be_read_is_left_alone(bench: Workbench, message: Message) -> None:
    assert bench.hear(message) == []
    assert bench.accepted(a_unit())
