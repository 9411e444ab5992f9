"""The mutants of counters: beside the twelve, with no word in the model."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_STAFF = "src/coinslot/counter/staff.py"
_ROOM = "tests/counter/test_counter.py"
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
)

NAMES: Final = {
    121: "tries of a code are not counted",
    122: "a code is compared before its try is counted",
    123: "stock of an unpaid order is not given back",
    130: "choices of an unpaid order are not given back",
    124: "a sum below the menu's is not refused",
}
