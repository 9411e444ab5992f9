"""What orders earned, to the cent: price, tips, taxes, cost, the gateway's fee, what was given
back; and what is not known is never nothing."""

import random
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from coinslot.counter import messages, staff
from coinslot.counter.basket import Wish
from coinslot.notices.base import Cost, Report, Stage
from coinslot.orders import order_refunds
from coinslot.orders.order_refunds import OrderRefund
from coinslot.oversight import money, profit
from coinslot.oversight.money import Asked
from coinslot.oversight.profit import Profit, ProfitReport
from tests.counter.stage import Counter
from tests.counter.telling import reach, service, swept
from tests.sales.by_hand import NOW, Rows

LATTE, CAKE, TEA = Wish(sku="latte"), Wish(sku="cake"), Wish(sku="tea")

STATE_FEE = """
SELECT note_settled_lines(a, jsonb_build_array(jsonb_build_object('gateway_payment_id',
    c.gateway_payment_id, 'currency', c.currency, 'fee', $2::bigint, 'settlement', 'po_1', 'at',
    $3::timestamptz)), $3)
FROM captures c JOIN gateway_accounts a ON a.id = c.account_id WHERE c.order_id = $1
"""


async def of(counter: Counter, order: UUID) -> Profit:
    found = await profit.of_order(counter.stage.context, counter.stage.merchant, order)
    assert found is not None
    return found


async def report(counter: Counter, **asked: object) -> ProfitReport:
    stage = counter.stage
    wanted = await money.filter_of(stage.context, stage.merchant, Asked(**asked))  # type: ignore[arg-type]
    return await profit.profit(stage.context, stage.merchant, wanted)


async def fee(counter: Counter, order: UUID, minor: int) -> None:
    """The gateway states what it keeps, in its list of what it paid out."""
    stage = counter.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(STATE_FEE, order, minor, stage.clock.now())


async def sold(counter: Counter, *wishes: Wish, **more: object) -> UUID:
    order = await counter.ready(*wishes, **more)
    await counter.complete(order)
    return order


async def goodwill(counter: Counter, order: UUID, amount: int) -> None:
    """Of its first line."""
    units = await counter.stage.rows(
        "SELECT f.id FROM fulfillments f WHERE order_id = $1 ORDER BY line_id LIMIT 1", order
    )
    wanted = OrderRefund(
        order=order, key=f"g{random.getrandbits(64)}", by="boris", reason="cold", amount=amount,
        units=(units[0]["id"],),
    )  # fmt: skip
    await order_refunds.refund(counter.stage.context, counter.stage.merchant, wanted)
    await counter.stage.sweep()


async def in_the_ledger(counter: Counter) -> int:
    sql = "SELECT coalesce(-sum(amount), 0)::bigint FROM ledger WHERE account = 'sales'"
    return int(await counter.stage.value(sql))


async def test_an_order_earns_its_price_and_tip_less_taxes_cost_and_the_gateways_fee(
    counter: Counter,
) -> None:
    order = await sold(counter, LATTE, tip=50)
    await fee(counter, order, 41)
    found = await of(counter, order)
    assert (found.paid, found.tips, found.taxes, found.cost, found.fee) == (350, 50, 56, 80, 41)
    assert found.profit == 350 + 50 - 56 - 80 - 41
    assert found.is_known


async def test_a_fee_that_no_gateway_stated_and_a_cost_that_nobody_entered_are_unknown(
    counter: Counter,
) -> None:
    found = await of(counter, await sold(counter, LATTE, Wish(sku="tea", quantity=2)))
    assert (found.no_fee, found.no_cost) == (1, 2)
    assert not found.is_known
    (total,) = (await report(counter)).totals
    assert (total.no_fee, total.no_cost, total.is_known) == (1, 2, False)


async def test_a_fee_that_is_stated_later_changes_the_day_of_its_order(counter: Counter) -> None:
    order = await sold(counter, LATTE)
    counter.stage.later(3 * 86_400)
    await fee(counter, order, 30)
    (day,) = (await report(counter)).days
    assert (day.fee, day.no_fee, day.profit) == (30, 0, 350 - 56 - 80 - 30)


async def test_what_nobody_was_handed_brings_nothing_and_its_fee_stays_a_cost(
    counter: Counter,
) -> None:
    order = await counter.paid(LATTE, tip=50)
    await staff.reject(counter.stage.context, counter.who, order, "No milk")
    await counter.stage.sweep()
    await fee(counter, order, 40)
    found = await of(counter, order)
    assert (found.paid, found.tips, found.cost, found.profit) == (0, 0, 0, -40)


async def test_an_order_that_has_not_ended_is_no_profit_yet(counter: Counter) -> None:
    order = await counter.ready(LATTE)
    stage = counter.stage
    assert await profit.of_order(stage.context, stage.merchant, order) is None
    assert (await report(counter)).totals == ()


async def test_the_days_and_the_items_sum_to_what_the_ledger_says_was_sold(
    counter: Counter,
) -> None:
    first = await sold(counter, LATTE, CAKE, tip=70)
    counter.stage.later(86_400)
    await sold(counter, TEA, LATTE)
    order = await counter.paid(LATTE, TEA)
    units = await counter.stage.rows("SELECT id FROM fulfillments WHERE order_id = $1", order)
    await staff.reject(
        counter.stage.context, counter.who, order, "No milk", [UUID(str(units[0]["id"]))]
    )
    await staff.accept(counter.stage.context, counter.who, order)
    await staff.ready(counter.stage.context, counter.who, order)
    await counter.complete(order)
    await goodwill(counter, first, 123)
    found = await report(counter)
    (total,) = found.totals
    assert len(found.days) == 2
    assert total.earned == await in_the_ledger(counter)
    assert sum(one.earned for one in found.days) == total.earned
    assert sum(one.paid for one in found.items) == total.paid
    assert sum(one.taxes for one in found.items) == total.taxes
    assert sum(one.cost for one in found.items) == total.cost


async def test_what_was_taken_back_of_taxes_and_fees_counts_as_goodwill_and_as_less_tax(
    rows: Rows,
) -> None:
    order, tax = uuid4(), uuid4()
    await rows.put("orders", id=order, currency="EUR", state="completed", source="printed_qr",
                   ended_at=NOW)  # fmt: skip
    await rows.put("order_extras", id=tax, order_id=order, kind="added_tax", amount_minor=100,
                   settlement="fulfilled", basis="handed_over", settled_at=NOW)  # fmt: skip
    for outcome, amount in (("taken", 30), ("taken", 5), (None, 11)):
        ended = None if outcome is None else NOW
        await rows.put("order_refund_parts", extra_id=tax, amount_minor=amount, outcome=outcome,
                       ended_at=ended)  # fmt: skip
    found = await rows.conn.fetchrow(
        "SELECT * FROM profit_between($1::timestamptz, $1::timestamptz + '1 s')", NOW
    )
    assert found is not None
    assert (found["paid"], found["taxes"], found["goodwill"]) == (100, 65, 35)


async def test_a_filter_counts_the_orders_of_its_product_and_the_pieces_of_it_alone(
    counter: Counter,
) -> None:
    await sold(counter, LATTE, CAKE)
    await sold(counter, TEA)
    found = await report(counter, sku="cake")
    assert [(one.sku, one.pieces) for one in found.items] == [("cake", 1)]
    assert [one.orders for one in found.totals] == [1]


async def test_another_merchant_sees_nothing_of_it(counter: Counter) -> None:
    await sold(counter, LATTE)
    stage = counter.stage
    stranger = UUID(int=7)
    wanted = await money.filter_of(stage.context, stage.merchant, Asked())
    assert (await profit.profit(stage.context, stranger, wanted)).totals == ()


@pytest.mark.parametrize("seed", range(3))
async def test_any_split_of_goodwill_gives_the_same_tax_and_profit_as_one_sum(
    counter: Counter, seed: int
) -> None:
    chance = random.Random(seed)
    whole = await sold(counter, LATTE, CAKE, tip=20)
    split = await sold(counter, LATTE, CAKE, tip=20)
    amount = chance.randint(5, 350)
    await goodwill(counter, whole, amount)
    for part in parts_of(amount, chance):
        await goodwill(counter, split, part)
    assert await of(counter, split) == await of(counter, whole)


async def test_what_is_given_back_takes_its_share_of_the_tax_with_it(counter: Counter) -> None:
    order = await sold(counter, LATTE)
    await goodwill(counter, order, 175)
    found = await of(counter, order)
    assert (found.paid, found.goodwill, found.taxes) == (350, 175, 28)
    await goodwill(counter, order, 175)
    assert ((await of(counter, order)).taxes, (await of(counter, order)).earned) == (0, 0)


def parts_of(amount: int, chance: random.Random) -> Sequence[int]:
    cuts = sorted({0, amount, *(chance.randint(1, amount - 1) for _ in range(3))})
    return [after - before for before, after in pairwise(cuts)]


async def test_an_order_of_twenty_with_its_fee_its_texts_and_its_call_comes_to_the_cent(
    counter: Counter,
) -> None:
    """Stripe keeps 2.9 % and 0.30 of it, and the carrier asks a cent for each message."""
    service(counter)
    await counter.stage.rows("UPDATE products SET cost_minor = 60 WHERE sku = 'tea' RETURNING id")
    order = await counter.preparing(Wish(sku="tea", quantity=8), contact=reach())
    await swept(counter)
    await staff.ready(counter.stage.context, counter.who, order)
    await swept(counter)
    await fee(counter, order, round(2000 * 0.029) + 30)
    await counter.complete(order)
    assert (await of(counter, order)).no_price == 3, "two texts and a call, of which none is priced"
    for row in await counter.stage.rows("SELECT * FROM counter_messages ORDER BY id"):
        told = Report(reference=row["reference"], stage=Stage.DELIVERED, cost=Cost("0.01", "EUR"))
        await messages.reported(counter.stage.context, row, told)  # type: ignore[arg-type]
    found = await of(counter, order)
    assert (found.paid, found.fee, found.messages) == (2000, 88, 3)
    tax = sum(
        row["tax_minor"] for row in await counter.stage.rows("SELECT tax_minor FROM fulfillments")
    )
    assert (found.taxes, found.cost) == (tax, 8 * 60)
    assert found.profit == 2000 - tax - 480 - 88 - 3
    assert found.is_known
