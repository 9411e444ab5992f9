"""A machine sells what it has applied, in every order of edits, pushes, sales and misfortunes; and
each rule of that is needed."""

from dataclasses import fields, replace

import pytest

from .config_variants import CONFIG_HOLDS, CONFIG_LARGE, CONFIG_WEAKER, ONE_EDIT, ConfigVariant
from .configs import ConfigRules, World, model, wrongs
from .search import FLAGGED, Search, Trace, wander

WORLDS = {"edits", "orders", "offers", "cuts", "restores", "speaks", "edits_unheard"}


@pytest.mark.parametrize("variant", CONFIG_HOLDS, ids=str)
def test_configurations_keep_their_promises_in_every_world(variant: ConfigVariant) -> None:
    report = Search(model(variant.rules)).run()
    assert report.complete
    assert set(report.wrongs) == variant.flagged


@pytest.mark.parametrize("variant", CONFIG_WEAKER, ids=str)
def test_a_weaker_rule_is_caught(variant: ConfigVariant) -> None:
    report = Search(model(variant.rules)).run()
    assert report.first == variant.expected
    if report.complete:
        return  # stuck: what was missed is in no single world
    assert can_happen(report.wrongs[report.first], variant.rules)


def test_each_rule_is_weakened_by_a_variant() -> None:
    rules = {field.name for field in fields(ConfigRules)} - WORLDS
    weakened = {
        name
        for name in rules
        for variant in CONFIG_WEAKER
        if getattr(variant.rules, name) != getattr(ConfigRules(), name)
    }
    assert weakened == rules


def test_walks_by_chance_through_a_world_too_large_to_search_meet_nothing_wrong() -> None:
    report = wander(model(CONFIG_LARGE), seed=1, walks=60, steps=120)
    assert [wrong for wrong in report.wrongs if FLAGGED not in wrong] == []
    assert report.states > 5000


@pytest.mark.parametrize("rule", ["holds_back", "compares_versions", "only_newer"])
def test_walks_by_chance_find_a_breach_as_well(rule: str) -> None:
    weaker = replace(CONFIG_LARGE, **{rule: False})
    assert wander(model(weaker), seed=1, walks=300, steps=120).first


def test_a_unit_may_be_sold_refused_and_put_back() -> None:
    """A model that never gets there would hold as well."""
    search = Search(model(ONE_EDIT))
    search.run()
    ends = {(unit.settled, unit.basis) for world in search.worlds for unit in world.server.units}
    assert ends >= {("fulfilled", "VENDED"), ("refund", "version"), ("refund", "TOMBSTONED")}
    assert any(world.machine.has.number == 2 for world in search.worlds)


def can_happen(trace: Trace, rules: ConfigRules) -> bool:
    """Replay the labels from the beginning: True when some world at their end is wrong."""
    searched = model(rules)
    worlds: set[World] = {searched.start}
    for label in trace:
        steps = (move for world in worlds for move in searched.moves(world))
        worlds = {after for name, after in steps if name == label}
    return any(any(wrongs(world)) for world in worlds)
