"""The mutants of a counter's board and its paper: beside the twelve, with no word in the model."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_STAFF = "src/coinslot/counter/staff.py"
_PRINTING = "src/coinslot/counter/printing.py"
_PAPER = "tests/counter/test_printing.py"
_SELLS = (
    "tests/counter/test_counter.py"
    "::test_an_order_is_accepted_made_ready_and_handed_over_against_its_code"
)

BOARD = (
    Mutation(
        number=171,
        edits=(
            Edit(
                _PRINTING,
                "WHERE id = $1 AND sent_at IS NULL AND due_at IS NOT NULL RETURNING true\n",
                "WHERE id = $1 AND due_at IS NOT NULL RETURNING true\n",
            ),
        ),
        red=(f"{_PAPER}::test_a_job_is_given_once_to_a_printer_that_asks_twice",),
        green=_SELLS,
    ),
    Mutation(
        number=172,
        edits=(
            Edit(
                _STAFF,
                '    """Staff begin with it. Raises CounterError."""\n',
                '    """Staff begin with it. Raises CounterError."""\n'
                "    async with context.db.as_merchant(who.merchant) as conn:\n"
                "        await conn.execute(store.PRINT_TICKETS, order, context.now())\n",
            ),
        ),
        red=(f"{_PAPER}::test_what_was_not_accepted_in_time_is_never_on_paper",),
        green=_SELLS,
    ),
    Mutation(
        number=173,
        edits=(
            Edit(
                _PRINTING,
                "    coalesce(o.number, w.number) AS number, coalesce(o.paid_at",
                "    o.token AS number, coalesce(o.paid_at",
            ),
        ),
        red=(f"{_PAPER}::test_an_order_that_is_accepted_is_on_paper_once_without_the_code",),
        green=_SELLS,
    ),
    Mutation(
        number=174,
        edits=(
            Edit(
                "src/coinslot/counter/alarms.py",
                "        now if goes_out else None, _next(context, held, about),\n",
                "        None, _next(context, held, about),\n",
            ),
        ),
        red=("tests/counter/test_alarms.py::test_many_orders_at_once_are_one_call",),
        green=_SELLS,
    ),
)

NAMES: Final = {
    171: "a job is sent to a printer that was sent it before",
    172: "a ticket is printed before its order is accepted",
    173: "a ticket carries the address of the customer's page",
    174: "a call is made before it is noted",
}
