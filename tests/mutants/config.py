"""The mutants in how a new configuration becomes the one that a machine sells by."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_PUSHING = "src/coinslot/fleet/pushing.py"
_TESTS = "tests/fleet/test_pushing.py"
_GREEN = f"{_TESTS}::test_a_newer_change_replaces_one_that_waits"

CONFIG = (
    Mutation(
        number=181,
        edits=(
            Edit(
                "machine-simulator/machine_simulator/config.py",
                "        if hashlib.sha256(text.encode()).hexdigest() != sha256:\n",
                "        if not hashlib.sha256(text.encode()).hexdigest():\n",
            ),
        ),
        red=(
            "tests/simulator/test_configuration.py::test_what_did_not_come_whole_changes_nothing",
        ),
        green="tests/simulator/test_configuration.py"
        "::test_an_older_one_that_comes_late_is_not_gone_back_to",
    ),
    Mutation(
        number=182,
        edits=(
            Edit(
                "src/coinslot/vending/sql/machines.sql",
                "            coalesce(r.price_version, o.price_version),\n"
                "            coalesce(r.planogram_version, o.planogram_version), f.kind,",
                "            o.price_version, o.planogram_version, f.kind,",
            ),
        ),
        red=(
            "tests/sales/test_versions.py"
            "::test_an_offer_says_the_versions_of_its_order_and_not_those_of_the_moment",
        ),
        green="tests/sales/test_versions.py"
        "::test_an_order_placed_after_a_change_says_the_new_versions",
    ),
    Mutation(
        number=183,
        edits=(
            Edit(
                _PUSHING,
                '    if standing["open"] or standing["older"]:\n',
                '    if standing["open"]:\n',
            ),
        ),
        red=(
            f"{_TESTS}::test_it_waits_while_a_unit_is_queued_and_the_unit_is_sold_as_it_was_bought",
        ),
        green=_GREEN,
    ),
    Mutation(
        number=184,
        edits=(
            Edit(
                "src/coinslot/vending/dispatch.py",
                '                if not unit["gone"]:\n',
                '                if "gone" in unit:\n',
            ),
        ),
        red=(f"{_TESTS}::test_what_was_bought_and_is_not_in_its_slot_any_more_is_given_back",),
        green=_GREEN,
    ),
    Mutation(
        number=185,
        edits=(
            Edit(
                _PUSHING,
                ' and push is not None and not standing["speaks"]:\n',
                ' and push is not None:\n        standing = {**standing, "speaks": False}\n',
            ),
        ),
        red=(f"{_TESTS}::test_pages_sell_by_a_new_configuration_once_the_machine_has_it",),
        green=f"{_TESTS}::test_what_fell_out_of_service_is_not_sent_anything",
    ),
)

NAMES: Final = {
    181: "a configuration is applied without its hash",
    182: "an offer says the versions of its outlet",
    183: "a configuration is sent while a unit is queued",
    184: "another thing is sold than was bought",
    185: "pages sell by a configuration that the machine does not have",
}
