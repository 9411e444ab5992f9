"""The mutants in what is done at once that was done step by step: a sale inserted whole."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_CAPTURES = "src/coinslot/payments/sql/captures.sql"
_PLAIN = "src/coinslot/vending/plain_messages.py"
_OFFERED = "tests/sales/test_offered_with_payment.py"
_HEARD = "tests/sales/test_heard_together.py"
_AT_ONCE = "tests/sales/test_sold_at_once.py"

SPEED: tuple[Mutation, ...] = (
    Mutation(
        number=221,
        edits=(
            Edit(
                _CAPTURES,
                "m.event, first_state(m.machine),\n",
                "m.event, state_at_once(m.machine, m.event),\n",
            ),
        ),
        red=(f"{_AT_ONCE}::test_both_ways_to_sell_give_the_same_rows",),
        green=f"{_AT_ONCE}::test_a_code_is_found_by_its_own_id_before_a_mark_that_was_copied",
    ),
    Mutation(
        number=222,
        edits=(
            Edit(
                _PLAIN,
                '    if not said["done"]:\n',
                '    if not said["done"] and told.go is None:\n',
            ),
        ),
        red=(f"{_HEARD}::test_a_go_that_was_signed_in_vain_is_not_sent",),
        green=f"{_HEARD}::test_both_ways_to_take_a_vend_give_the_same_rows",
    ),
    Mutation(
        number=223,
        edits=(
            Edit(
                _PLAIN,
                "            if len(few) > 1:\n"
                "                return False\n"
                "            said = [error]\n",
                "            said = [error] * len(few)\n",
            ),
        ),
        red=(f"{_HEARD}::test_one_that_cannot_be_taken_leaves_its_neighbours_as_they_are",),
        green=f"{_HEARD}::test_both_ways_to_take_a_vend_give_the_same_rows",
    ),
    Mutation(
        number=224,
        edits=(
            Edit(
                _PLAIN,
                "        try:\n            said = await take_now(self._db, [",
                "        for told, answer in few:\n"
                "            seq = told.said['line']['event_seq']\n"
                "            early = {'done': True, 'through': seq, 'waiting': False}\n"
                "            answer.set_result(early)\n"
                "        try:\n            said = await take_now(self._db, [",
            ),
        ),
        red=(f"{_HEARD}::test_nobody_is_answered_before_the_commit_that_they_share",),
        green=f"{_HEARD}::test_both_ways_to_take_a_vend_give_the_same_rows",
    ),
)

SPEED += (
    Mutation(
        number=225,
        edits=(
            Edit(
                "src/coinslot/payments/webhook_batch.py",
                "            _answer(told, await self._db.call(store.TAKE_WEBHOOK,"
                " told.said, told.body, told.at))\n",
                "            async with self._db.app.acquire() as conn, conn.transaction():\n"
                "                given = told.said, told.body, told.at\n"
                "                _answer(told, await conn.fetchval(store.TAKE_WEBHOOK, *given))\n",
            ),
            Edit(
                "src/coinslot/vending/dispatch.py",
                "            down = await _begin(context, conn, unit)\n",
                "            down = await _begin(context, conn, unit)\n"
                '            await context.line.send(outlet, unit["channel"], down)\n',
            ),
        ),
        red=(
            f"{_OFFERED}::test_nothing_is_sent_before_the_commit_that_offers_it",
            "tests/sales/test_around_a_commit.py"
            "::test_who_dies_before_the_commit_of_an_offer_has_sent_none",
        ),
        green=f"{_HEARD}::test_what_a_closed_process_had_not_taken_is_not_answered",
    ),
    Mutation(
        number=226,
        edits=(
            Edit(
                "src/coinslot/payments/sql/gateway_webhooks.sql",
                "EXCEPTION WHEN OTHERS THEN\n"
                "    RAISE WARNING 'not begun with its payment: %', SQLERRM;\n"
                "    RETURN NULL;\n",
                "",
            ),
        ),
        red=(f"{_OFFERED}::test_whatever_goes_wrong_with_an_offer_the_payment_stands",),
        green=f"{_OFFERED}::test_a_machine_gets_the_oldest_unit_first_whoever_paid_now",
    ),
)

NAMES: Final = {
    221: "a row that is born final has a wrong history",
    222: "a GO is sent that the database refused",
    223: "a shared commit loses the neighbours of a bad message",
    224: "EVACK is sent before the commit that it shares",
    225: "an OFFER is sent before its commit",
    226: "an OFFER that cannot be made takes its payment with it",
}
