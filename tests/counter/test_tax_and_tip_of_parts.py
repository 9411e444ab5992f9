"""What goes back of an order in parts: its included taxes sum exactly however it is split, and the
tip stays with what was handed over."""

import random
from fractions import Fraction
from itertools import pairwise

from coinslot.counter import staff
from coinslot.counter.basket import Wish
from tests.counter.stage import Counter

SPLITS = 400


async def test_taxes_of_partial_refunds_sum_to_the_tax_of_the_piece_however_it_is_split(
    counter: Counter,
) -> None:
    dice, cases = random.Random(11), []
    for _ in range(SPLITS):
        amount = dice.choice((1, 2, 7, 99, 350, 10_001))
        tax = dice.randint(0, amount)
        cuts = sorted({0, amount, *(dice.randint(0, amount) for _ in range(dice.randint(0, 6)))})
        cases.append((tax, amount, cuts))
    asked = [(tax, amount, cut) for tax, amount, cuts in cases for cut in cuts]
    rows = await counter.stage.rows(
        "SELECT tax_left(t, a, c) AS said FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])"
        " WITH ORDINALITY AS w (t, a, c, place) ORDER BY place",
        *map(list, zip(*asked, strict=True)),
    )
    said = dict(zip(asked, (row["said"] for row in rows), strict=True))
    for tax, amount, cuts in cases:
        left = [said[tax, amount, cut] for cut in cuts]
        assert left[0] == tax, "nothing went back"
        assert left[-1] == 0, "all went back"
        backs = [before - after for before, after in pairwise(left)]
        assert sum(backs) == tax
        assert all(back >= 0 for back in backs)
        for cut in cuts:
            exact = Fraction(tax * (amount - cut), amount)
            assert abs(said[tax, amount, cut] - exact) <= Fraction(1, 2)


async def test_the_tip_of_an_order_of_which_a_piece_went_back_is_earned_with_the_rest(
    counter: Counter,
) -> None:
    order = await counter.preparing(Wish(sku="latte"), Wish(sku="cake"), tip=100)
    (cake,) = await counter.stage.rows(
        "SELECT f.id FROM fulfillments f JOIN order_lines l ON l.id = f.line_id"
        " WHERE f.order_id = $1 AND l.sku = 'cake'", order,
    )  # fmt: skip
    context = counter.stage.context
    await staff.reject(context, counter.who, order, "None left", [cake["id"]])
    await staff.ready(context, counter.who, order)
    await counter.complete(order)
    await counter.stage.sweep()
    assert counter.stage.refunded() == 420
    assert await counter.stage.value("SELECT settlement FROM order_extras") == "fulfilled"


async def test_the_tip_of_an_order_that_went_back_goes_back(counter: Counter) -> None:
    order = await counter.preparing(Wish(sku="latte"), tip=100)
    await staff.reject(counter.stage.context, counter.who, order, "None left")
    await counter.stage.sweep()
    assert counter.stage.refunded() == 450
