"""The soak's arithmetic, against numbers computed another way; and its verdict."""

from fractions import Fraction
from math import comb

import pytest
from msgspec.structs import replace

from coinslot.console.texts.rollouts import TEXTS
from coinslot.rollouts.soak import TESTS, Group, fisher, judge, least_vends, rate


def exactly(bad: int, of: int, bad_before: int, of_before: int) -> float:
    """Fisher's test in whole numbers."""
    total, all_bad = of + of_before, bad + bad_before
    ways = sum(
        comb(all_bad, k) * comb(total - all_bad, of - k) for k in range(bad, min(all_bad, of) + 1)
    )
    return float(Fraction(ways, comb(total, of)))


@pytest.mark.parametrize(
    "table", [(3, 20, 1, 100), (10, 20, 0, 20), (1, 20, 5, 100), (7, 7, 1, 300), (2, 500, 1, 500)]
)
def test_fishers_test_is_exact(table: tuple[int, int, int, int]) -> None:
    assert fisher(*table) == pytest.approx(exactly(*table), rel=1e-9)


def test_no_bad_ones_and_nobody_to_compare_with_prove_nothing() -> None:
    assert fisher(0, 20, 5, 100) == 1.0
    assert fisher(5, 20, 0, 0) == 1.0
    assert rate(3, 0.0, 1, 10.0) == rate(0, 5.0, 1, 10.0) == rate(3, 5.0, 0, 0.0) == 1.0


def test_a_rate_is_compared_by_the_binomial() -> None:
    # Ten restarts, all in a tenth of the time.
    assert rate(10, 1.0, 0, 9.0) == pytest.approx(0.1**10)
    assert rate(1, 1.0, 9, 9.0) == pytest.approx(1 - 0.9**10)


WELL = Group(machines=20, vends=400, failed=4, restarts=4, hours=480.0)


def test_as_good_as_the_others_may_go_on() -> None:
    new = Group(machines=5, vends=50, failed=1, restarts=1, hours=120.0)
    verdict = judge(new, WELL, 20, 0.01)
    assert verdict.good
    assert verdict.reason == ""


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (Group(machines=5, vends=50, failed=9, hours=120.0), "worse_failed"),
        (Group(machines=5, vends=50, doubted=5, hours=120.0), "worse_doubted"),
        (Group(machines=5, vends=50, put_off=5, hours=120.0), "worse_put_off"),
        (Group(machines=5, vends=50, late=5, hours=120.0), "worse_late"),
        (Group(machines=5, vends=50, restarts=12, hours=120.0), "worse_restarts"),
        (Group(machines=5, vends=50, offline=4, hours=120.0), "worse_unheard"),
        (Group(machines=5, vends=19, hours=120.0), "few_vends"),
        (Group(machines=5, vends=0, hours=120.0), "few_vends"),
        (Group(machines=5, vends=10, failed=9, hours=120.0), "worse_failed"),
    ],
)
def test_worse_in_one_thing_or_too_few_is_not_good(new: Group, reason: str) -> None:
    verdict = judge(new, WELL, 20, 0.01)
    assert not verdict.good
    assert verdict.reason == reason


def test_exactly_the_least_vends_are_enough_on_both_sides() -> None:
    new, old = Group(machines=1, vends=20, hours=24.0), Group(machines=9, vends=20, hours=99.0)
    assert judge(new, old, 20, 0.01).good
    for few in (0, 1, 19):
        assert judge(new, replace(old, vends=few), 20, 0.01).reason == "few_vends"


@pytest.mark.parametrize(("level", "least"), [(0.2, 2), (0.02, 4), (0.01, 5), (0.0001, 8)])
def test_code_that_fails_every_vend_never_passes_however_few_are_asked_for(
    level: float, least: int
) -> None:
    assert least_vends(1, level) == least
    assert least_vends(20, level) == 20
    for vends in range(1, 12):
        fails = Group(machines=1, vends=vends, failed=vends, hours=24.0)
        well = Group(machines=9, vends=vends, hours=24.0)
        reason = "few_vends" if vends < least else "worse_failed"
        assert judge(fails, well, 1, level).reason == reason


@pytest.mark.parametrize("name", TESTS)
def test_people_read_in_which_way_a_build_is_worse(name: str) -> None:
    assert f"rollout_pause_worse_{name}" in TEXTS
