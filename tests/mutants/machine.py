"""The mutants in the machine's code: firmware that breaks a rule of the device."""

from tests.mutants.edits import Edit, Mutation

_DEVICE = "machine-simulator/machine_simulator/device.py"
_LEASED = "machine-simulator/machine_simulator/leased.py"
_TESTS = "tests/simulator/test_device.py"
SELLS = f"{_TESTS}::test_a_result_is_on_the_flash_before_it_is_said"

# Both keep a unit whose GO was checked beside the journal, and commit STARTED at another time.
_START = """        started = self.journal.start(fresh, self._body.counter())
        self.running, self.lease = self.journal.units[unit_id], None
        return [Reached("started"), Say(started), Turn(unit_id, fresh.slot)]
"""

MACHINE = (
    Mutation(
        number=6,
        edits=(
            Edit(
                _DEVICE,
                _START,
                "        self.running, self.lease = fresh, None\n"
                "        return [Turn(unit_id, fresh.slot)]\n",
            ),
            Edit(
                _DEVICE,
                "        result = self.journal.conclude(unit, verdict_of(unit, sight))\n",
                "        self.journal.start(unit, self._body.counter())\n"
                "        unit = self.journal.units[unit.unit_id]\n"
                "        result = self.journal.conclude(unit, verdict_of(unit, sight))\n",
            ),
        ),
        red=(
            f"{_TESTS}::test_a_go_for_an_accepted_unit_commits_started_before_the_motor",
            f"{_TESTS}::test_what_was_started_is_interrupted_after_a_restart_and_never_run_again",
        ),
        green=SELLS,
    ),
    Mutation(
        number=10,
        edits=(
            Edit(
                _DEVICE,
                _START,
                "        self.running, self.lease = fresh, None\n"
                "        return [Turn(unit_id, fresh.slot)]\n"
                "\n"
                "    def begin(self, fresh: Unit) -> list[Effect]:\n"
                "        started = self.journal.start(fresh, self._body.counter())\n"
                "        self.running = self.journal.units[fresh.unit_id]\n"
                '        return [Reached("started"), Say(started)]\n',
            ),
            Edit(
                _LEASED,
                "        progress = asyncio.create_task(self._tell_progress())\n",
                "        if self.brain.running is not None:\n"
                "            await self._perform(self.brain.begin(self.brain.running))\n"
                "        progress = asyncio.create_task(self._tell_progress())\n",
            ),
        ),
        red=(
            "tests/simulator/test_question_behind_go.py"
            "::test_a_question_right_behind_a_go_finds_the_unit_started",
        ),
        green="tests/simulator/test_question_behind_go.py"
        "::test_a_go_right_behind_a_question_starts_nothing",
    ),
    Mutation(
        number=12,
        edits=(
            Edit(
                "machine-simulator/machine_simulator/verdict.py",
                'return "INTERRUPTED", "RUN_BOUND"',
                'return "FAILED", "RUN_BOUND"',
            ),
        ),
        red=(f"{_TESTS}::test_a_run_that_passed_its_bound_is_interrupted_never_failed",),
        green=SELLS,
    ),
)
