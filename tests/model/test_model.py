"""The protocol keeps its promises in every reachable world; a weaker one breaks one."""

from dataclasses import replace

import pytest

from .explore import BOTH, NEITHER, Trace, explore, moves, searching, wrongs
from .mutants import MUTANTS, Mutant
from .rules import Rules
from .state import World
from .unread import without_unread
from .variants import ALONE, G1, HOLDS, PROTOCOL, WEAKER, Variant

EXPRESSED = [mutant for mutant in MUTANTS if mutant.rules is not None]
SMALL = replace(PROTOCOL, offers=1, cuts=0)


@pytest.mark.parametrize("variant", HOLDS, ids=str)
def test_the_protocol_breaks_a_promise_only_where_the_policy_flags_it(variant: Variant) -> None:
    report = explore(variant.rules)
    assert report.complete
    assert set(report.wrongs) == variant.flagged


@pytest.mark.parametrize("variant", WEAKER, ids=str)
def test_a_weaker_protocol_is_caught(variant: Variant) -> None:
    report = explore(variant.rules)
    assert report.first == variant.expected
    assert can_happen(report.wrongs[report.first], variant.rules)


@pytest.mark.parametrize("mutant", EXPRESSED, ids=lambda m: f"{m.number} {m.name}")
def test_a_mutant_is_caught(mutant: Mutant) -> None:
    assert mutant.rules is not None
    report = explore(mutant.rules)
    assert report.first == mutant.expected
    assert can_happen(report.wrongs[report.first], mutant.rules)


def test_all_twelve_mutants_are_listed_and_two_are_left_to_the_tests_of_money() -> None:
    assert [mutant.number for mutant in MUTANTS] == list(range(1, 13))
    assert [mutant.number for mutant in MUTANTS if mutant.rules is None] == [8, 9]


def test_a_mutant_differs_from_a_protocol_that_holds_by_its_own_fault_alone() -> None:
    sound = {variant.rules for variant in HOLDS}
    for mutant in EXPRESSED:
        assert mutant.rules not in sound
        assert any(_differences(mutant.rules, rules) == 1 for rules in sound), mutant.name


def test_the_search_meets_every_way_a_unit_can_end() -> None:
    """A model that never gets there would hold as well."""
    assert explore(replace(ALONE, deadline=True)).ends == {
        ("fulfilled", "VENDED"),
        ("fulfilled", "INTERRUPTED drop yes"),
        ("refund", "never_sent"),
        ("refund", "rejected"),
        ("refund", "FAILED"),
        ("refund", "TOMBSTONED"),
        ("refund", "INTERRUPTED drop no"),
        ("refund", "policy"),
    }


def test_beside_another_controller_the_search_meets_every_way_a_unit_can_end() -> None:
    assert explore(G1).ends == {
        ("fulfilled", "VENDED"),
        ("refund", "never_sent"),
        ("refund", "rejected"),
        ("refund", "FAILED vmc"),
        ("refund", "TOMBSTONED"),
        ("refund", "policy"),
    }


def test_after_a_cut_without_a_sensor_the_policy_errs_to_the_side_it_was_told_to() -> None:
    refunding = explore(replace(ALONE, sensor="absent"))
    fulfilling = explore(replace(ALONE, sensor="absent", policy="fulfil"))
    assert [wrong.startswith(BOTH) for wrong in refunding.wrongs] == [True]
    assert [wrong.startswith(NEITHER) for wrong in fulfilling.wrongs] == [True]


@pytest.mark.parametrize(
    "rules",
    [
        SMALL,
        replace(ALONE, offers=1, cuts=1, deadline=True),
        replace(ALONE, offers=1, cuts=0, wipes=1, deadline=True),
        replace(ALONE, offers=1, cuts=0, tombstones=False),
    ],
    ids=["race", "cut", "replaced", "nonce"],
)
def test_taking_off_what_nobody_reads_changes_no_reachable_world(rules: Rules) -> None:
    whole, brief = searching(rules, keep_unread=True), searching(rules)
    assert set(whole.run().wrongs) == set(brief.run().wrongs)
    assert {without_unread(world, rules) for world in whole.worlds} == set(brief.worlds)


def can_happen(trace: Trace, rules: Rules) -> bool:
    """Replay the labels from the beginning: True when some world at their end is wrong or stuck."""
    worlds = {World()}
    for label in trace:
        steps = (move for world in worlds for move in moves(world, rules))
        worlds = {after for name, after in steps if name == label}
    stuck = not any(_settles(world, rules) for world in worlds)
    return bool(worlds) and (stuck or any(any(wrongs(world)) for world in worlds))


def _settles(world: World, rules: Rules) -> bool:
    search = searching(rules)
    search.worlds, search.number = [world], {world: 0}
    return not search.run().wrongs


def _differences(one: Rules | None, other: Rules) -> int:
    return sum(getattr(one, name) != getattr(other, name) for name in Rules.__slots__)
