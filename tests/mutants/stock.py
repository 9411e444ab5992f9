"""The mutants in what slots hold: counts of machines and the vends after them."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_COUNTS = "src/coinslot/stock/sql/counts.sql"
_TESTS = "tests/stock/test_counts.py"
_GREEN = f"{_TESTS}::test_a_count_is_what_the_slot_holds_and_later_vends_are_subtracted"

STOCK = (
    Mutation(
        number=191,
        edits=(
            Edit(
                "src/coinslot/vending/sql/slot_stock.sql",
                "                THEN v.event_seq > p_slot.counted_event\n",
                "                THEN true\n",
            ),
        ),
        red=(
            f"{_TESTS}::test_a_count_that_overtakes_the_result_that_it_includes_subtracts_it_once",
        ),
        green=_GREEN,
    ),
    Mutation(
        number=192,
        edits=(
            Edit(
                _COUNTS,
                "    WHERE excluded.inventory_seq > c.inventory_seq"
                " AND excluded.event_seq >= c.event_seq\n"
                "        OR excluded.secret_mark IS DISTINCT FROM c.secret_mark;\n",
                "    ;\n",
            ),
        ),
        red=(f"{_TESTS}::test_a_count_that_comes_twice_or_behind_a_newer_one_changes_nothing",),
        green=_GREEN,
    ),
    Mutation(
        number=193,
        edits=(
            Edit(
                _COUNTS,
                "    IF d.journal_id IS DISTINCT FROM its_journal THEN RETURN 'other_journal';"
                " END IF;\n",
                "",
            ),
        ),
        red=(f"{_TESTS}::test_a_new_controller_counts_anew_and_the_old_one_counts_no_more",),
        green=_GREEN,
    ),
)

NAMES: Final = {
    191: "a vend that the count includes is subtracted again",
    192: "an older count is taken",
    193: "a controller that was taken out still counts",
}
