"""The flash: nothing acknowledged too early, nothing forgotten silently, torn lines survived."""

from pathlib import Path

import pytest

from machine_simulator.effects import Say
from machine_simulator.journal import (
    DEAD_LINES_MAX,
    TOMBSTONE_RESERVE,
    Journal,
    Limits,
)
from tests.simulator.bench_device import Workbench, a_unit, evack, go, offer, query


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path, limits=Limits(capacity=3, keep=2), slots={"A1": 1_000})


def acknowledge_all(bench: Workbench) -> None:
    bench.hear(evack(bench.journal.journal_id, bench.journal.event_seq))


def test_event_seq_starts_at_one_and_has_no_gaps(bench: Workbench) -> None:
    for seq in (1, 2, 3):
        bench.vended(a_unit(), seq)
    bench.reboot()
    assert [m["event_seq"] for m in bench.journal.unacked()] == [1, 2, 3, 4, 5, 6]
    assert [m["type"] for m in bench.journal.unacked()] == ["STARTED", "RESULT"] * 3


def test_a_journal_keeps_its_name_and_a_new_one_has_another(bench: Workbench) -> None:
    name = bench.journal.journal_id
    bench.reboot()
    assert bench.journal.journal_id == name
    (bench.folder / "journal.jsonl").unlink()
    bench.reboot()
    assert bench.journal.journal_id != name


def test_a_result_is_kept_until_it_is_acknowledged(bench: Workbench) -> None:
    result = bench.vended(a_unit())
    bench.hear(evack(bench.journal.journal_id, 1))
    bench.reboot()
    assert bench.journal.unacked() == [result]
    acknowledge_all(bench)
    bench.reboot()
    assert bench.journal.unacked() == []


def test_an_acknowledgement_of_what_was_never_given_out_is_not_believed(bench: Workbench) -> None:
    bench.vended(a_unit())
    bench.hear(evack(bench.journal.journal_id, 3))
    assert len(bench.journal.unacked()) == 2


def test_a_full_journal_refuses_offers_until_results_are_acknowledged(bench: Workbench) -> None:
    for seq in (1, 2, 3):
        bench.vended(a_unit(), seq)
    assert bench.answer(offer(a_unit(), 4))["code"] == "JOURNAL_FULL"
    acknowledge_all(bench)
    assert bench.answer(offer(a_unit(), 5))["type"] == "ACCEPT"


def test_a_journal_filled_by_tombstones_refuses_the_go_it_has_no_room_for(bench: Workbench) -> None:
    accept = bench.accepted(a_unit(), seq=9)
    for seq in (1, 2, 3):
        bench.hear(query(a_unit(), seq))
    assert bench.answer(go(accept))["outcome"] == "TOMBSTONED"


def test_without_room_even_for_a_tombstone_it_says_nothing(bench: Workbench) -> None:
    room = 3 + TOMBSTONE_RESERVE
    for seq in range(1, room + 1):
        assert len(bench.hear(query(a_unit(), seq))) == 2
    assert bench.hear(query(a_unit(), room + 1)) == []


def test_acknowledged_units_are_kept_a_while_and_then_forgotten_by_name(bench: Workbench) -> None:
    units = [a_unit() for _ in range(4)]
    for seq, unit_id in enumerate(units, start=1):
        bench.vended(unit_id, seq)
        acknowledge_all(bench)
    assert bench.journal.evicted_seq == 2
    assert bench.answer(query(units[3], 4))["state"] == "VENDED"
    assert bench.answer(query(units[0], 1))["state"] == "FORGOTTEN"
    bench.reboot()
    assert bench.journal.evicted_seq == 2
    assert bench.answer(query(units[1], 2))["state"] == "FORGOTTEN"


def test_what_was_forgotten_is_never_called_not_started(bench: Workbench) -> None:
    accept = bench.accepted(unit_id := a_unit(), seq=1)
    for seq in (2, 3, 4):
        bench.hear(query(a_unit(), seq))
        acknowledge_all(bench)
    status = bench.answer(go(accept))
    assert (status["type"], status["state"]) == ("STATUS", "FORGOTTEN")
    assert unit_id not in bench.journal.units


def test_a_torn_last_line_never_was(bench: Workbench) -> None:
    bench.started(unit_id := a_unit())
    path = bench.folder / "journal.jsonl"
    whole = path.read_bytes()
    bench.ran("A1", unit_id)
    path.write_bytes(path.read_bytes()[: len(whole) + 20])
    (said,) = bench.reboot()
    assert isinstance(said, Say)
    assert said.message["outcome"] == "INTERRUPTED"
    assert said.message["event_seq"] == 2


def test_the_file_is_rewritten_before_it_grows_without_end(bench: Workbench) -> None:
    first = bench.journal.journal_id
    path = bench.folder / "journal.jsonl"
    seq, size = 0, 0
    while path.stat().st_size >= size:
        seq, size = seq + 1, path.stat().st_size
        bench.hear(query(a_unit(), seq))
        acknowledge_all(bench)
    assert seq < DEAD_LINES_MAX
    before = bench.journal
    bench.reboot()
    after = bench.journal
    assert after.journal_id == first
    assert after.event_seq == before.event_seq == seq
    assert (after.last_seq, after.evicted_seq) == (before.last_seq, before.evicted_seq)
    assert after.units.keys() == before.units.keys()
    assert after.acked == before.acked


def test_refusals_alone_do_not_fill_the_file(bench: Workbench) -> None:
    bench.fault(door_open=True)
    for seq in range(1, 2 * DEAD_LINES_MAX):
        bench.hear(offer(a_unit(), seq))
    lines = (bench.folder / "journal.jsonl").read_text().splitlines()
    assert len(lines) < 2 * DEAD_LINES_MAX
    assert Journal(bench.folder / "journal.jsonl").journal_id == bench.journal.journal_id
