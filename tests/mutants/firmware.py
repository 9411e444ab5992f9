"""The mutants in the firmware: rules of a vend, of an update and of a configuration left out."""

from tests.mutants.edits import Edit, Mutation

_FW = "firmware/coinslot_fw"
_TESTS = "tests/firmware"
_GREEN = f"{_TESTS}/test_manifests.py::test_an_address_names_host_port_and_path"

NAMES = {
    241: "firmware confirms an update before its SYNC",
    242: "firmware writes STARTED after the motor",
    243: "firmware takes a lower sequence",
    244: "firmware installs while a unit is open",
    245: "firmware applies a configuration without its hash",
    246: "05 before STARTED is committed",
    247: "05 for another item or price",
    248: "13 03 from a machine that is not G1 refunds",
}

FIRMWARE = (
    Mutation(
        number=241,
        edits=(
            Edit(
                f"{_FW}/main.py",
                "            while not self.synced:\n",
                "            while False:\n",
            ),
        ),
        red=(f"{_TESTS}/test_updates.py::test_an_image_that_never_syncs_goes_back_by_itself",),
        green=_GREEN,
    ),
    Mutation(
        number=242,
        edits=(
            Edit(
                f"{_FW}/vend.py",
                "        started = self.journal.start(fresh, self._body.counter())\n"
                "        self.running, self.lease = self.journal.units[unit_id], None\n"
                '        return [("say", started), ("turn", self.running)]\n',
                "        self.running, self.lease = fresh, None\n"
                '        return [("turn", fresh)]\n',
            ),
            Edit(
                f"{_FW}/vend.py",
                "        result = self.journal.conclude(unit, verdict_of(unit, sight))\n",
                "        self.journal.start(unit, self._body.counter())\n"
                "        result = self.journal.conclude(unit, verdict_of(unit, sight))\n",
            ),
        ),
        red=(
            f"{_TESTS}/test_rules.py::test_started_is_on_the_flash_before_the_motor_turns",
            f"{_TESTS}/test_cuts.py"
            "::test_a_cut_at_any_flash_operation_loses_nothing_and_doubles_nothing",
        ),
        green=_GREEN,
    ),
    Mutation(
        number=243,
        edits=(
            Edit(
                f"{_FW}/manifest.py",
                '    if manifest["sequence"] <= sequence:\n',
                '    if manifest["sequence"] == sequence:\n',
            ),
        ),
        red=(f"{_TESTS}/test_manifests.py::test_only_a_higher_sequence_is_taken",),
        green=_GREEN,
    ),
    Mutation(
        number=244,
        edits=(Edit(f"{_FW}/update.py", "        if not idle:\n", "        if idle is None:\n"),),
        red=(
            f"{_TESTS}/test_updates.py"
            "::test_a_good_update_goes_on_where_the_line_broke_and_is_confirmed_after_a_sync",
        ),
        green=_GREEN,
    ),
    Mutation(
        number=245,
        edits=(
            Edit(
                f"{_FW}/config.py",
                'if hexlify(digest.digest()).decode() != update.get("sha256"):\n',
                'if update.get("sha256") is None:\n',
            ),
        ),
        red=(
            f"{_TESTS}/test_config.py"
            "::test_a_configuration_is_applied_whole_newer_and_with_no_unit_open",
        ),
        green=_GREEN,
    ),
    Mutation(
        number=246,
        edits=(
            Edit(
                f"{_FW}/mdb.py",
                "            started = self.journal.start(fresh, self._body.counter())\n",
                "            started = None\n",
            ),
            Edit(
                f"{_FW}/mdb.py",
                "        self.running, self.lease, self._grant ="
                " self.journal.units[lease.unit_id], None, None\n",
                "        self.running, self.lease, self._grant = fresh, None, None\n",
            ),
            Edit(f"{_FW}/mdb.py", '        self._said.append(("say", started))\n', ""),
            Edit(
                f"{_FW}/mdb.py",
                '        verdict = [slot or unit.slot, outcome, code, "unknown",',
                "        self.journal.start(unit, self._body.counter())\n"
                "        unit = self.journal.units[unit.unit_id]\n"
                '        verdict = [slot or unit.slot, outcome, code, "unknown",',
            ),
        ),
        red=(
            f"{_TESTS}/test_mdb.py::test_a_sale_is_the_controllers_word_with_a_drop_that_nobody_saw",
            f"{_TESTS}/test_mdb.py::test_a_reset_at_any_byte_gives_never_both_and_never_neither",
        ),
        green=f"{_TESTS}/test_mdb.py::test_hello_says_that_another_controller_vends",
    ),
    Mutation(
        number=247,
        edits=(
            Edit(
                f"{_FW}/mdb.py",
                "(price * self._scale, item) != (lease.amount, self._items[lease.slot])",
                "price > 0xFFFF",
            ),
        ),
        red=(
            f"{_TESTS}/test_mdb.py::test_another_item_or_price_is_denied_and_nothing_starts",
            f"{_TESTS}/test_mdb.py::test_a_reset_at_any_byte_gives_never_both_and_never_neither",
        ),
        green=f"{_TESTS}/test_mdb.py::test_hello_says_that_another_controller_vends",
    ),
    Mutation(
        number=248,
        edits=(
            Edit(
                "src/coinslot/vending/evidence.py",
                "case Outcome.FAILED if mdb and seen.vmc is Vmc.FAILURE:",
                "case Outcome.FAILED if seen.vmc is Vmc.FAILURE:",
            ),
        ),
        red=(
            "tests/sales/test_mdb_evidence.py"
            "::test_a_machine_with_motors_of_its_own_cannot_use_a_controllers_word",
        ),
        green="tests/sales/test_mdb_evidence.py"
        "::test_a_vend_that_the_controller_calls_failed_gives_the_money_back",
    ),
)
