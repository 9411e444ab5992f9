"""The mutants of what a counter earns and gives back: beside the twelve, with no word in the
model."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_GOODWILL = "tests/sales/test_goodwill.py"
_PROFIT = "tests/counter/test_profit.py"
_EARNS = f"{_PROFIT}::test_an_order_earns_its_price_and_tip_less_taxes_cost_and_the_gateways_fee"

MONEY = (
    Mutation(
        number=161,
        edits=(
            Edit(
                "src/coinslot/payments/sql/order_refunds.sql",
                "        goodwill = goodwill + w.amount_minor WHERE",
                "        refund_due = refund_due + w.amount_minor WHERE",
            ),
        ),
        red=(f"{_GOODWILL}::test_what_is_given_back_after_the_hand_over_is_goodwill_and_no_debt",),
        green=f"{_GOODWILL}::test_a_refund_before_the_hand_over_is_a_debt_and_no_goodwill",
    ),
    Mutation(
        number=162,
        edits=(
            Edit(
                "src/coinslot/oversight/sql/profit.sql",
                "            count(*) FILTER (WHERE k.fee_minor IS NULL) AS no_fee\n",
                "            0::bigint AS no_fee\n",
            ),
        ),
        red=(
            f"{_PROFIT}::test_a_fee_that_no_gateway_stated_and_a_cost_that_nobody_entered_are"
            "_unknown",
        ),
        green=_EARNS,
    ),
    Mutation(
        number=163,
        edits=(
            Edit(
                "src/coinslot/oversight/sql/profit.sql",
                "        ELSE (2 * p_tax * (p_amount - p_taken) + p_amount) / (2 * p_amount) END\n",
                "        ELSE p_tax END\n",
            ),
        ),
        red=(f"{_PROFIT}::test_what_is_given_back_takes_its_share_of_the_tax_with_it",),
        green=_EARNS,
    ),
)

NAMES: Final = {
    161: "goodwill is booked as a debt",
    162: "a fee that no gateway stated counts as none",
    163: "tax of what was given back stays",
}
