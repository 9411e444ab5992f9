"""The mutants in the food lock: what would sell food that was warm, or keep its money."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_SQL = "src/coinslot/telemetry/sql/telemetry.sql"
_TESTS = "tests/sales/test_food_lock.py"
_GREEN = f"{_TESTS}::test_a_temperature_at_the_limit_is_not_above_it"
_GO = "test_a_lock_that_falls_between_offer_and_go_gives_the_money_back_without_go"

TELEMETRY = (
    Mutation(
        number=251,
        edits=(
            Edit(
                "src/coinslot/vending/machine_messages.py",
                "    if await stops.turned_away(context, conn, unit):\n",
                "    if False:\n",
            ),
        ),
        red=(f"{_TESTS}::{_GO}",),
        green=_GREEN,
    ),
    Mutation(
        number=252,
        edits=(
            Edit(
                _SQL,
                "WHEN h.temperature_at IS NULL OR p_now >= h.temperature_at + rule.silent_for\n",
                "WHEN false\n",
            ),
        ),
        red=(
            f"{_TESTS}::test_a_machine_that_tells_no_temperature_sells_nothing"
            "_and_again_when_it_does",
        ),
        green=_GREEN,
    ),
    Mutation(
        number=253,
        edits=(
            Edit(
                "src/coinslot/vending/sql/heard.sql",
                "        OR (outlet_stop(p->>'outlet', p_at)).why IS NOT NULL\n",
                "",
            ),
        ),
        red=(f"{_TESTS}::test_the_short_way_of_an_accept_gives_no_go_under_a_lock_either",),
        green=_GREEN,
    ),
    Mutation(
        number=254,
        edits=(
            Edit(
                "src/coinslot/events/notices/alerts.py",
                "WHERE o.decommissioned_at IS NULL AND d.last_seen_at < $2\n",
                "WHERE false AND d.last_seen_at < $2\n",
            ),
        ),
        red=(
            "tests/notices/test_telling.py"
            "::test_a_machine_that_falls_silent_is_told_once_to_who_works_on_it",
        ),
        green="tests/notices/test_ailing.py::test_a_food_lock_is_told",
    ),
    Mutation(
        number=258,
        edits=(
            Edit(
                "src/coinslot/vending/sql/machines.sql",
                "    IF number <= j.jumped_to THEN\n",
                "    IF false THEN\n",
            ),
        ),
        red=(
            "tests/sales/test_jumps.py"
            "::test_a_line_that_a_thief_said_was_gone_is_stored_before_it_is_acknowledged",
        ),
        green="tests/sales/test_a_sale.py::test_a_paid_can_that_drops_completes_the_order",
    ),
)

NAMES: Final = {
    251: "a food lock that falls after the offer still gets GO",
    252: "no temperature counts as cold",
    253: "a fallen food lock is not asked for on the short path of an ACCEPT",
    254: "a machine that falls silent is told to nobody",
    258: "no line disproves that a journal holds nothing below it",
}
