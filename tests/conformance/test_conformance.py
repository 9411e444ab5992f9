"""Our simulator earns G3; a machine with a fault fails the check that names it, and no other."""

from pathlib import Path

import pytest

from coinslot.conformance.run import Verdict
from tests.conformance.virtual import World, report_on
from tests.conformance.wrong_machines import Wrong, all_of_them


def test_the_simulator_earns_g3(tmp_path: Path) -> None:
    report = report_on(tmp_path)
    assert [one for one in report.findings if one.verdict is not Verdict.PASSED] == []
    assert (report.earned, report.caps) == ("G3", [])


def test_without_a_sensor_it_earns_g2(tmp_path: Path) -> None:
    report = report_on(tmp_path, sensor=False)
    assert [one for one in report.findings if one.verdict is Verdict.FAILED] == []
    assert (report.earned, report.caps) == (
        "G2",
        ["G3 needs a drop sensor, and HELLO names none"],
    )


@pytest.mark.parametrize("kind", all_of_them(), ids=lambda kind: kind.__name__)
def test_a_wrong_machine_fails_the_checks_that_name_its_fault(
    kind: type[Wrong], tmp_path: Path
) -> None:
    report = report_on(tmp_path, kind, kind.world, **kind.made)
    failed = {one.check for one in report.findings if one.verdict is Verdict.FAILED}
    skipped = {one.check for one in report.findings if one.verdict is Verdict.SKIPPED}
    assert failed == kind.fails
    assert skipped == kind.skips
    assert report.earned != "G3"


def test_where_nobody_cuts_the_power_the_class_is_capped_and_says_why(tmp_path: Path) -> None:
    report = report_on(tmp_path, world=_Alone)
    skipped = {one.check for one in report.findings if one.verdict is Verdict.SKIPPED}
    assert {name for name in skipped if not name.startswith("power-")} == {
        "started-before-motor", "jam",
    }  # fmt: skip
    assert report.earned == "G1"
    assert "G2 needs power-running, which was skipped: nobody cut the power" in report.caps


def test_the_same_seed_asks_the_same_and_finds_the_same(tmp_path: Path) -> None:
    one, other = report_on(tmp_path / "one"), report_on(tmp_path / "other")
    assert one == other


class _Alone(World):
    async def ready(self, text: str) -> bool:
        return False

    async def cut_power(self, when: str) -> bool:
        return False

    async def jam(self, *, on: bool) -> bool:
        return False
