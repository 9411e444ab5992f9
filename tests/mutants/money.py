"""The mutants of what a counter earns and gives back: beside the twelve, with no word in the
model."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_GOODWILL = "tests/sales/test_goodwill.py"
_OFFERS = "tests/counter/test_offers.py"
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
    Mutation(
        number=164,
        edits=(
            Edit(
                "src/coinslot/counter/offers.py",
                "    if seen.coupon is not None:\n"
                "        await conn.execute(_HOLD_COUPON, seen.coupon)\n",
                "",
            ),
        ),
        red=(f"{_OFFERS}::test_the_last_of_a_coupon_is_used_once_though_two_stores_take_it",),
        green=f"{_OFFERS}::test_a_coupon_of_which_a_part_was_handed_over_stays_used",
    ),
    Mutation(
        number=165,
        edits=(
            Edit(
                "src/coinslot/counter/sql/offers.sql",
                "            ELSE f.points_used * u.back / f.off_minor - f.points_used END\n",
                "            ELSE - f.points_used END\n",
            ),
        ),
        red=(f"{_OFFERS}::test_a_reward_of_which_a_part_goes_back_returns_its_share",),
        green=f"{_OFFERS}::test_a_reward_is_taken_off_and_gone_from_the_card_at_once",
    ),
    Mutation(
        number=166,
        edits=(
            Edit(
                "src/coinslot/counter/sql/offers.sql",
                "sum(n.amount_minor - t.taken) FILTER",
                "sum(n.amount_minor) FILTER",
            ),
        ),
        red=(f"{_OFFERS}::test_points_are_of_what_is_kept_and_goodwill_takes_its_share_with_it",),
        green=f"{_OFFERS}::test_an_order_is_a_stamp_once_it_is_handed_over_and_not_before",
    ),
)

NAMES: Final = {
    161: "goodwill is booked as a debt",
    162: "a fee that no gateway stated counts as none",
    163: "tax of what was given back stays",
    164: "the last of a coupon is not held",
    165: "points of a reward do not come back with its pieces",
    166: "points of what was given back stay",
}
