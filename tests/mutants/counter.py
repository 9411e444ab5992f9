"""The mutants of counters: beside the twelve, with no word in the model."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_STAFF = "src/coinslot/counter/staff.py"
_ROOM = "tests/counter/test_counter.py"
_MESSAGES = "tests/counter/test_messages.py"
_TELLS = f"{_MESSAGES}::test_nothing_is_sent_before_the_money_is_there"
_SELLS = f"{_ROOM}::test_an_order_is_accepted_made_ready_and_handed_over_against_its_code"

COUNTER = (
    Mutation(
        number=121,
        edits=(
            Edit("src/coinslot/counter/store.py", "SET tries = tries + 1\n", "SET tries = tries\n"),
        ),
        red=(f"{_ROOM}::test_five_wrong_codes_lock_an_order_and_then_the_right_one_opens_nothing",),
        green=_SELLS,
    ),
    Mutation(
        number=122,
        edits=(
            Edit(
                _STAFF,
                "    kept = await _try(context, who, order)\n",
                "    async with context.db.as_merchant(who.merchant) as conn:\n"
                "        kept = await _known(conn, who, order)\n"
                "    if codes.matches(context.peppers, kept, code):\n"
                "        kept = await _try(context, who, order)\n",
            ),
        ),
        red=(f"{_ROOM}::test_of_any_number_of_codes_that_come_at_once_five_are_compared",),
        green=_SELLS,
    ),
    Mutation(
        number=123,
        edits=(
            Edit(
                "src/coinslot/counter/sql/counter.sql",
                "SET stock = i.stock + l.pieces,\n",
                "SET stock = i.stock,\n",
            ),
        ),
        red=(f"{_ROOM}::test_an_order_that_nobody_pays_gives_its_pieces_back",),
        green=_SELLS,
    ),
    Mutation(
        number=131,
        edits=(
            Edit(
                "src/coinslot/orders/pricing.py",
                "        at_rate = [at for at, (place, _) in enumerate(pieces)"
                " if items[place].tax_bp == rate]\n"
                "        units = [paid[at] for at in at_rate]\n"
                "        for at, tax in zip(at_rate,"
                " allot(_included(sum(units), rate), units), strict=True):\n"
                "            taxes[at] = tax\n",
                "        for at, (place, _) in enumerate(pieces):\n"
                "            if items[place].tax_bp == rate:\n"
                "                taxes[at] = _included(paid[at], rate)\n",
            ),
        ),
        red=(
            "tests/unit/test_pricing.py::test_tax_is_rounded_once_for_a_rate_and_not_for_each_line",
        ),
        green="tests/unit/test_pricing.py::test_equal_pieces_differ_by_one_minor_unit_at_most",
    ),
    Mutation(
        number=130,
        edits=(
            Edit(
                "src/coinslot/counter/sql/counter.sql",
                "        option_stock = counter_option_stock(i.option_stock, l.choices)\n",
                "        option_stock = i.option_stock\n",
            ),
        ),
        red=(
            "tests/counter/test_option_stock.py::test_an_order_that_expires_gives_its_choices_back",
        ),
        green=_SELLS,
    ),
    Mutation(
        number=255,
        edits=(
            Edit(
                "src/coinslot/counter/sql/counter.sql",
                "        generate_series(1, reserved) WHERE order_id = p_order));\n",
                "        generate_series(1, reserved) WHERE order_id = p_order AND false));\n",
            ),
        ),
        red=(
            "tests/counter/test_shared_stock.py"
            "::test_two_choices_of_one_item_take_two_portions_and_give_two_back",
        ),
        green=_SELLS,
    ),
    Mutation(
        number=124,
        edits=(
            Edit(
                "src/coinslot/counter/ordering.py",
                "        if wanted.shown is not None and wanted.shown != total.total:\n",
                "        if wanted.shown is not None and wanted.shown > total.total:\n",
            ),
        ),
        red=("tests/counter/test_pages.py::test_a_price_that_a_client_made_up_buys_nothing",),
        green=_SELLS,
    ),
    Mutation(
        number=125,
        edits=(
            Edit(
                "src/coinslot/payments/sql/settlement.sql",
                "        PERFORM settle_extras(p_order, handed_over > 0, p_now);\n",
                "        PERFORM settle_extras(p_order, handed_over > 0 AND NOT EXISTS (SELECT\n"
                "            FROM fulfillments WHERE order_id = p_order\n"
                "            AND settlement = 'refund_due'), p_now);\n",
            ),
        ),
        red=(
            "tests/counter/test_tax_and_tip_of_parts.py"
            "::test_the_tip_of_an_order_of_which_a_piece_went_back_is_earned_with_the_rest",
        ),
        green=_SELLS,
    ),
    Mutation(
        number=141,
        edits=(
            Edit(
                "src/coinslot/counter/messages.py",
                "            await _doubt(context, row, reason)\n"
                "        case Refused(cause=Cause.BUSY",
                '            await _later(context, row, reason, "")\n'
                "        case Refused(cause=Cause.BUSY",
            ),
        ),
        red=(
            f"{_MESSAGES}::test_after_a_time_out_the_list_says_that_it_was_sent_and_it_is_not_sent"
            "_again",
        ),
        green=_TELLS,
    ),
    Mutation(
        number=142,
        edits=(
            Edit(
                "src/coinslot/counter/message_limits.py",
                'spent["phone"] >= _least(',
                'spent["phone"] > _least(',
            ),
        ),
        red=(
            f"{_MESSAGES}::test_of_any_number_that_are_due_at_once_no_more_than_a_cap_allows_are"
            "_sent",
        ),
        green=_TELLS,
    ),
    Mutation(
        number=143,
        edits=(
            Edit(
                "src/coinslot/counter/no_show.py",
                "    return bool(await conn.fetchval(message_store.PROVED_READY,"
                ' unit["order_id"], unit["ready_at"]))\n',
                "    return True\n",
            ),
        ),
        red=(
            "tests/counter/test_no_show.py::test_without_a_message_that_provably_arrived_the_money"
            "_goes_back",
        ),
        green=_SELLS,
    ),
    Mutation(
        number=144,
        edits=(
            Edit(
                "src/coinslot/counter/no_show.py",
                "    return end if counted < span and end > now else None\n",
                "    return None\n",
            ),
        ),
        red=("tests/counter/test_no_show.py::test_time_without_a_board_does_not_count",),
        green=_SELLS,
    ),
)

NAMES: Final = {
    141: "a message is sent again after a time-out without a look",
    142: "a cap of messages lets one more through",
    143: "money is kept though nobody was told",
    144: "time without a board counts",
    121: "tries of a code are not counted",
    122: "a code is compared before its try is counted",
    123: "stock of an unpaid order is not given back",
    125: "a tip is refunded with an item",
    131: "included tax is rounded for each piece",
    130: "choices of an unpaid order are not given back",
    255: "what nobody paid keeps its portions of a shared stock",
    124: "a sum below the menu's is not refused",
}
