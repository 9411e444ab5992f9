"""The mutants in fiscal receipts: a sum that is off by one, and money that waits for a receipt."""

from tests.mutants.edits import Edit, Mutation

_LINES = "src/coinslot/payments/receipt_lines.py"
_TESTS = "tests/sales/test_receipts.py"
_RECEIPTS = "src/coinslot/payments/receipts.py"
_CLOSING = "tests/sales/test_closing_receipts.py"

NAMES = {
    111: "a receipt's sum off by one",
    112: "a refund waits for its receipt",
    113: "a part is captured with the receipt of the whole",
    114: "a second receipt is sent again where nobody can ask",
    115: "what goes back has a second receipt of a sale",
}

RECEIPTS = (
    Mutation(
        number=111,
        edits=(
            Edit(
                _LINES,
                "limits), quantity=count, price=piece.minor,\n",
                "limits), quantity=count, price=piece.minor - 1,\n",
            ),
            Edit(_LINES, "    if come_to != total or any(", "    if come_to > total or any("),
        ),
        red=(
            "tests/unit/test_receipt_lines.py::test_lines_come_to_the_sum_of_the_pieces",
            f"{_TESTS}::test_a_receipt_goes_with_the_payment_and_is_read_back_as_registered",
        ),
        green=f"{_TESTS}::test_an_account_without_fiscal_settings_has_no_receipts",
    ),
    Mutation(
        number=112,
        edits=(
            Edit(
                "src/coinslot/payments/refunds.py",
                "        and answer.code == receipts.REFUSED\n",
                "        and answer.code == receipts.REFUSED * 2\n",
            ),
        ),
        red=(
            f"{_TESTS}::test_a_refund_that_is_refused_for_its_receipt_goes_again_without_one"
            "_under_a_new_key",
        ),
        green=f"{_TESTS}::test_a_receipt_goes_with_each_part_that_goes_back",
    ),
    Mutation(
        number=113,
        edits=(
            Edit(
                _RECEIPTS,
                '        if (newest["amount_minor"], newest["state"]) != (minor, "due"):\n',
                '        if newest["state"] != "due":\n',
            ),
        ),
        red=(
            "tests/sales/test_receipts_of_parts.py"
            "::test_a_part_is_captured_with_a_receipt_that_comes_to_it",
        ),
        green="tests/sales/test_receipts_of_parts.py"
        "::test_the_whole_is_captured_with_the_receipt_that_it_was_held_with",
    ),
    Mutation(
        number=114,
        edits=(
            Edit(
                _RECEIPTS,
                "    elif sent is not None:\n        return Unclear(_SENT_ONCE)\n",
                "",
            ),
        ),
        red=(
            f"{_CLOSING}::test_where_nobody_can_ask_it_is_sent_once_whatever_became_of_the_answer",
        ),
        green=f"{_CLOSING}::test_what_is_handed_over_has_a_second_receipt_of_the_full_payment",
    ),
    Mutation(
        number=115,
        edits=(
            Edit(
                "src/coinslot/payments/receipt_store.py",
                "WHERE f.order_id = $1 AND f.settlement = 'fulfilled'\nUNION ALL SELECT x.kind",
                "WHERE f.order_id = $1\nUNION ALL SELECT x.kind",
            ),
        ),
        red=(f"{_CLOSING}::test_only_what_was_handed_over_stands_in_it",),
        green=f"{_CLOSING}::test_what_is_handed_over_has_a_second_receipt_of_the_full_payment",
    ),
)
