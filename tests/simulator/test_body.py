"""The body, and what may honestly be claimed about it: drops, latch, stock, counter, cuts."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from machine_simulator.device import Identity
from machine_simulator.effects import Say
from machine_simulator.power import Power, PowerCutError
from tests.simulator.bench_device import SECRET, Message, Workbench, a_unit, go

STEPS = ("accepted", "started", "dropped", "recorded")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def without_sensor(folder: Path) -> Workbench:
    return Workbench(folder, Identity(SECRET, sensor=False))


def drops(bench: Workbench) -> list[dict[str, Any]]:
    path = bench.folder / "drops.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def proof(result: Message) -> tuple[str, str | None, str]:
    return result["outcome"], result["failure_code"], result["evidence"]["drop"]


def test_a_vend_drops_one_thing_and_says_so(bench: Workbench) -> None:
    result = bench.vended(unit_id := a_unit())
    assert proof(result) == ("VENDED", None, "yes")
    assert result["evidence"] == {
        "drop": "yes",
        "home": True,
        "counter_before": 0,
        "counter_after": 1,
        "sensor_tested": True,
    }
    (drop,) = drops(bench)
    assert (drop["unit_id"], drop["slot"]) == (unit_id, "A1")
    assert bench.body.stocks() == {"A1": 1, "B1": 2}


def test_a_jam_is_a_failure_because_a_tested_sensor_saw_nothing(bench: Workbench) -> None:
    bench.fault(jam=True)
    assert proof(bench.vended(a_unit())) == ("FAILED", "JAM", "no")
    assert drops(bench) == []
    assert bench.body.stock("A1") == 2


def test_a_drop_before_does_not_speak_for_a_jam_after(bench: Workbench) -> None:
    bench.vended(a_unit(), 1)
    bench.fault(jam=True)
    assert proof(bench.vended(a_unit(), 2)) == ("FAILED", "JAM", "no")


def test_without_a_sensor_a_jam_looks_like_a_vend_and_the_drop_is_unknown(tmp_path: Path) -> None:
    bench = without_sensor(tmp_path)
    bench.fault(jam=True)
    result = bench.vended(a_unit())
    assert proof(result) == ("VENDED", None, "unknown")
    assert not result["evidence"]["sensor_tested"]
    assert (result["evidence"]["counter_before"], result["evidence"]["counter_after"]) == (0, 1)


def test_a_sensor_that_failed_its_test_proves_nothing(bench: Workbench) -> None:
    bench.fault(sensor_dead=True, jam=True)
    assert proof(bench.vended(a_unit(), 1)) == ("INTERRUPTED", "SENSOR", "unknown")
    bench.fault(sensor_dead=True)
    assert proof(bench.vended(a_unit(), 2)) == ("INTERRUPTED", "SENSOR", "unknown")


def test_a_motor_without_current_is_a_failure(bench: Workbench) -> None:
    bench.fault(motor_dead=True)
    result = bench.vended(a_unit())
    assert (result["outcome"], result["failure_code"]) == ("FAILED", "MOTOR")
    assert drops(bench) == []


def test_the_wrong_slot_is_named_in_the_result_and_on_the_ground(bench: Workbench) -> None:
    bench.fault(wrong_slot=True)
    result = bench.vended(a_unit())
    assert (result["slot"], result["outcome"]) == ("B1", "VENDED")
    assert drops(bench)[0]["slot"] == "B1"
    assert bench.body.stocks() == {"A1": 2, "B1": 1}


def test_a_slot_that_turned_before_is_not_named_for_the_next_unit(bench: Workbench) -> None:
    bench.vended(a_unit(), 1, "B1")
    bench.started(a_unit(), 2, "A1")
    (said,) = bench.reboot()
    assert isinstance(said, Say)
    assert said.message["slot"] == "A1"


def test_stock_and_counter_are_read_off_the_ground_after_a_restart(bench: Workbench) -> None:
    bench.vended(a_unit(), 1)
    bench.vended(a_unit(), 2)
    bench.reboot()
    assert bench.body.stocks() == {"A1": 0, "B1": 2}
    assert bench.body.counter() == 2
    bench.body.refill()
    bench.reboot()
    assert bench.body.stocks() == {"A1": 2, "B1": 2}
    assert bench.body.counter() == 2


def test_a_torn_drop_never_fell(bench: Workbench) -> None:
    bench.vended(a_unit())
    path = bench.folder / "drops.jsonl"
    path.write_bytes(path.read_bytes() + b'{"unit_id": "half')
    bench.reboot()
    assert bench.body.counter() == 1
    assert len(drops(bench)) == 1


# Power cuts, with a restart from nothing but the files


def run_until(bench: Workbench, cut_at: str, unit_id: str) -> None:
    """What leased.py does with the effects, until the power fails."""
    bench.fault(power_cut_at=cut_at)
    power = Power(bench.faults)
    accept = bench.accepted(unit_id)
    power.reached("accepted")
    bench.hear(go(accept))
    power.reached("started")
    sight = asyncio.run(bench.body.turn("A1", unit_id, lambda: power.reached("dropped")))
    bench.device.finished(sight)
    power.reached("recorded")


def test_a_cut_after_the_accept_leaves_nothing_behind(bench: Workbench) -> None:
    with pytest.raises(PowerCutError):
        run_until(bench, "accepted", a_unit())
    assert bench.reboot() == []
    assert bench.journal.unacked() == []


CUTS: dict[str, tuple[str, str, int]] = {
    "started": ("INTERRUPTED", "no", 0),
    "dropped": ("INTERRUPTED", "yes", 1),
    "recorded": ("VENDED", "yes", 1),
}


@pytest.mark.parametrize("step", CUTS)
def test_after_a_cut_the_latch_says_whether_it_fell(bench: Workbench, step: str) -> None:
    outcome, drop, fallen = CUTS[step]
    with pytest.raises(PowerCutError):
        run_until(bench, step, unit_id := a_unit())
    bench.reboot()
    result = bench.journal.unacked()[-1]
    assert (result["unit_id"], result["outcome"]) == (unit_id, outcome)
    assert result["evidence"]["drop"] == drop
    assert result["evidence"]["sensor_tested"]
    assert len(drops(bench)) == fallen


def test_a_motor_cut_in_mid_turn_is_not_at_home(bench: Workbench) -> None:
    with pytest.raises(PowerCutError):
        run_until(bench, "dropped", a_unit())
    (said,) = bench.reboot()
    assert isinstance(said, Say)
    assert said.message["evidence"]["home"] is False
    bench.body.settle()
    assert bench.body.sees().home


@pytest.mark.parametrize("step", ["started", "dropped"])
def test_without_a_sensor_a_cut_leaves_the_drop_unknown(tmp_path: Path, step: str) -> None:
    bench = without_sensor(tmp_path)
    with pytest.raises(PowerCutError):
        run_until(bench, step, a_unit())
    bench.reboot()
    assert proof(bench.journal.unacked()[-1]) == ("INTERRUPTED", "POWER", "unknown")


@pytest.mark.parametrize("step", STEPS)
def test_a_power_cut_fires_once_and_leaves_the_other_faults(tmp_path: Path, step: str) -> None:
    bench = Workbench(tmp_path)
    bench.fault(power_cut_at=step, slow=True)
    with pytest.raises(PowerCutError):
        Power(bench.faults).reached(step)
    assert json.loads((tmp_path / "faults.json").read_text()) == {
        "power_cut_at": None,
        "slow": True,
    }
    Power(bench.faults).reached(step)


@pytest.mark.parametrize("text", ["", "[]", '{"jam": tr', '{"power_cut_at": "lunch"}'])
def test_an_unreadable_faults_file_leaves_the_faults_as_they_were(
    bench: Workbench, text: str
) -> None:
    bench.fault(jam=True)
    assert bench.faults.refresh().jam
    (bench.folder / "faults.json").write_text(text)
    assert bench.faults.refresh().jam
