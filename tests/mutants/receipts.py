"""The mutants in fiscal receipts: a sum that is off by one, and money that waits for a receipt."""

from tests.mutants.edits import Edit, Mutation

_LINES = "src/coinslot/payments/receipt_lines.py"
_TESTS = "tests/sales/test_receipts.py"

NAMES = {
    111: "a receipt's sum off by one",
    112: "a refund waits for its receipt",
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
)
