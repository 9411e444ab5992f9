"""Mistakes around updates of machines' code, each with the tests that see it."""

from tests.mutants.edits import Edit, Mutation

_UPDATES = "src/coinslot/rollouts/updates.py"
_WAVES = "src/coinslot/rollouts/waves.py"
_SOAK = "src/coinslot/rollouts/soak.py"
_STORE = "src/coinslot/rollouts/store.py"
_DEVICE = "machine-simulator/machine_simulator/update.py"
_ONE, _ALL = "tests/rollouts/test_one_machine.py", "tests/rollouts/test_waves.py"
_GOOD = f"{_ONE}::test_a_good_build_reaches_a_machine_and_its_outlet_sells_again"
_SIM = "tests/simulator/test_update.py"

ROLLOUTS = (
    Mutation(  # a machine installs while a unit is open
        number=210,
        edits=(
            Edit(
                _DEVICE,
                "        if not (mine and same_boot and idle):\n",
                "        if not (mine and same_boot):\n",
            ),
        ),
        red=(f"{_SIM}::test_nothing_is_installed_while_a_unit_is_open",),
        green=f"{_SIM}::test_a_good_image_is_installed_tried_and_kept",
    ),
    Mutation(  # GO is given with a paid unit queued
        number=211,
        edits=(
            Edit(
                _UPDATES,
                '    idle = not (busy["paid"] or busy["open"] or busy["paying"])\n',
                '    idle = not (busy["open"] or busy["paying"])\n',
            ),
        ),
        red=(f"{_ONE}::test_a_paid_unit_that_waits_is_in_the_way_of_go",),
        green=_GOOD,
    ),
    Mutation(  # a lower sequence is taken by the machine
        number=212,
        edits=(
            Edit(
                _DEVICE,
                '        if int(manifest["sequence"]) <= runs.sequence:\n',
                '        if int(manifest["sequence"]) == runs.sequence:\n',
            ),
        ),
        red=(f"{_SIM}::test_an_older_or_equal_build_is_refused",),
        green=f"{_SIM}::test_a_good_image_is_installed_tried_and_kept",
    ),
    Mutation(  # a silent machine is no failure
        number=213,
        edits=(
            Edit(
                _STORE,
                "    count(*) FILTER (WHERE u.state IN ('failed', 'rolled_back', 'silent'))"
                " AS failures,\n",
                "    count(*) FILTER (WHERE u.state IN ('failed', 'rolled_back')) AS failures,\n",
            ),
        ),
        red=(f"{_ALL}::test_it_pauses_by_itself_at_its_failures_and_silence_counts",),
        green=_GOOD,
    ),
    Mutation(  # a soak with too few vends counts as good
        number=214,
        edits=(
            Edit(
                _SOAK,
                '    reason = f"worse_{worse}" if worse else "few_vends" if few else ""\n',
                '    reason = f"worse_{worse}" if worse else ""\n',
            ),
        ),
        red=(
            f"{_ALL}::test_too_few_vends_call_a_person_and_never_count_as_good",
            "tests/rollouts/test_soak.py::test_worse_in_one_thing_or_too_few_is_not_good",
        ),
        green=_GOOD,
    ),
    Mutation(  # the outlet sells on while its machine installs
        number=215,
        edits=(
            Edit(
                _UPDATES,
                '    await conn.execute(store.OFF_SALE, row["outlet_id"], now)\n',
                "",
            ),
        ),
        red=(
            f"{_ONE}::test_no_unit_is_given_to_a_machine_that_installs_and_its_page_takes_no_money",
        ),
        green=f"{_ALL}::test_the_order_is_by_chance_and_the_same_whoever_computes_it",
    ),
    Mutation(  # a machine's word that it is confirmed counts before its boot has said so
        number=216,
        edits=(
            Edit(
                _DEVICE,
                "        if flash.kept is not None and self_test and flash.runs.behaviour"
                " != NEVER_SYNCS:\n",
                "        if flash.kept is not None:\n",
            ),
        ),
        red=(f"{_SIM}::test_code_that_fails_its_self_test_goes_back_after_three_boots",),
        green=f"{_SIM}::test_a_good_image_is_installed_tried_and_kept",
    ),
)

NAMES = {
    210: "a machine installs while a unit is open",
    211: "GO to install is given with a paid unit queued",
    212: "a lower sequence is taken",
    213: "a silent machine is not counted as a failure",
    214: "a soak with too few vends counts as good",
    215: "an outlet sells on while its machine installs",
    216: "code is kept that did not test itself",
}
