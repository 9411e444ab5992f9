"""A machine's configuration: applied only whole, only when nothing is open, and kept."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from machine_simulator.effects import Greet
from tests.simulator.bench_device import Message, Workbench, a_unit, go, offer


def config(version: int, prices: int = 1, planogram: int = 1, **more: Any) -> Message:
    body = {"version": version, "price_version": prices, "planogram_version": planogram, **more}
    text = json.dumps(body)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"type": "CONFIG", "version": version, "sha256": digest, "config": text}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def version(bench: Workbench) -> object:
    return bench.device.hello(1)["config_version"]


def test_a_configuration_is_applied_said_and_kept_over_a_power_cut(bench: Workbench) -> None:
    assert version(bench) == 0
    assert bench.hear(config(3, prices=5, planogram=6)) == [Greet()]
    assert version(bench) == 3
    bench.reboot()
    assert version(bench) == 3
    current = {"price_version": 5, "planogram_version": 6}
    assert bench.answer(offer(a_unit(), 1) | current)["type"] == "ACCEPT"


@pytest.mark.parametrize(
    "wrong",
    [
        config(3) | {"sha256": "0" * 64},
        config(3) | {"config": config(3, prices=9)["config"]},
        config(3) | {"config": ""},
        config(3) | {"config": "{}", "sha256": hashlib.sha256(b"{}").hexdigest()},
        config(3) | {"config": None},
    ],
)
def test_what_did_not_come_whole_changes_nothing(bench: Workbench, wrong: Message) -> None:
    bench.hear(config(2, prices=2))
    bench.hear(wrong)
    assert version(bench) == 2
    bench.reboot()
    assert version(bench) == 2


def test_an_older_one_that_comes_late_is_not_gone_back_to(bench: Workbench) -> None:
    bench.hear(config(3))
    assert bench.hear(config(2)) == [Greet()]  # but the server hears what there is
    assert bench.hear(config(3)) == [Greet()]
    assert version(bench) == 3


def test_nothing_changes_while_a_unit_is_open(bench: Workbench) -> None:
    unit = a_unit()
    bench.hear(config(1, prices=1))
    bench.accepted(unit)
    assert bench.hear(config(2)) == []
    bench.hear(go(bench.device.lease.accept if bench.device.lease else {}, "A1"))
    assert bench.hear(config(2)) == []  # it runs
    assert version(bench) == 1
    bench.ran("A1", unit)
    assert bench.hear(config(2)) == [Greet()]
    assert version(bench) == 2


def test_what_was_bought_under_another_version_is_refused(bench: Workbench) -> None:
    bench.hear(config(2, prices=2, planogram=3))
    for wrong, code in (
        ({"price_version": 1, "planogram_version": 3}, "PRICE_VERSION"),
        ({"price_version": 2, "planogram_version": 2}, "PLANOGRAM"),
    ):
        assert bench.answer(offer(a_unit(), 1) | wrong)["code"] == code


def test_a_firmware_of_before_says_no_version_and_applies_none(tmp_path: Path) -> None:
    old = Workbench(tmp_path, configs=False)
    assert "config_version" not in old.device.hello(1)
    assert old.hear(config(2)) == []
    assert "config_version" not in old.device.hello(1)
