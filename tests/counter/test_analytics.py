"""How well it sells: counts that can be counted by hand, and no rate of nothing."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from coinslot.counter import staff
from coinslot.counter.basket import Wish
from coinslot.counter.contacts import Contact
from coinslot.counter.staff import CounterError
from coinslot.oversight import analytics, money
from coinslot.oversight.analytics import Analytics, Figures
from coinslot.oversight.money import Asked
from tests.console.conftest import signed_in
from tests.counter.stage import Counter
from tests.people.conftest import with_people

LATTE, CAKE = Wish(sku="latte"), Wish(sku="cake")


async def figures(counter: Counter, **asked: Any) -> Analytics:
    stage = counter.stage
    wanted = await money.filter_of(stage.context, stage.merchant, Asked(**asked))
    return await analytics.analytics(stage.context, stage.merchant, wanted)


async def total(counter: Counter) -> Figures:
    (found,) = (await figures(counter)).totals
    return found


async def test_orders_are_counted_by_their_end_and_an_average_is_of_what_was_handed_over(
    counter: Counter,
) -> None:
    await counter.complete(await counter.ready(LATTE))
    await counter.complete(await counter.ready(CAKE))
    await staff.reject(counter.stage.context, counter.who, await counter.paid(CAKE), "None left")
    await counter.place(LATTE)
    await counter.preparing(LATTE)
    counter.stage.later(901)
    await counter.stage.sweep()
    found = await total(counter)
    assert (found.placed, found.paid, found.handed_over, found.given_back, found.unpaid) == (
        5, 4, 2, 1, 1,
    )  # fmt: skip
    assert found.success == pytest.approx(2 / 3)
    assert found.average == (350 + 420) // 2


async def test_a_day_without_codes_payments_and_messages_has_no_rate_of_them(
    counter: Counter,
) -> None:
    await counter.place(LATTE)
    found = await total(counter)
    assert (found.success, found.average, found.payments) == (None, None, None)
    assert (found.codes, found.sms, found.calls) == (None, None, None)


async def test_a_wrong_code_counts_against_those_that_were_right(counter: Counter) -> None:
    order = await counter.ready(LATTE)
    with pytest.raises(CounterError):
        await counter.complete(order, await counter.wrong_code(order))
    await counter.complete(order)
    found = await total(counter)
    assert (found.codes_ok, found.codes_wrong, found.codes) == (1, 1, 0.5)


async def test_messages_count_once_it_is_known_whether_they_arrived(counter: Counter) -> None:
    maria = Contact(phone="+4915112345678", agreed=True)
    await counter.ready(LATTE, contact=maria)
    assert (await total(counter)).sms is None
    now = counter.stage.clock.now()
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        await conn.execute(
            "UPDATE counter_messages SET stage = 'delivered', reference = 'SM1', begun_at = $1,"
            " ended_at = $1, due_at = NULL WHERE form = 'sms' AND purpose = 'code'", now,
        )  # fmt: skip
        await conn.execute(
            "UPDATE counter_messages SET stage = 'failed', why = 'busy', ended_at = $1,"
            " due_at = NULL WHERE form = 'call'", now,
        )  # fmt: skip
    found = await total(counter)
    assert (found.sms, found.calls) == (1.0, 0.0)


async def test_items_are_counted_by_their_pieces_and_a_filter_is_of_its_product(
    counter: Counter,
) -> None:
    await counter.complete(await counter.ready(Wish(sku="latte", quantity=2), CAKE))
    await counter.complete(await counter.ready(LATTE))
    found = await figures(counter)
    assert {one.sku: (one.orders, one.handed_over) for one in found.items} == {
        "latte": (2, 3), "cake": (1, 1),
    }  # fmt: skip
    assert [one.placed for one in (await figures(counter, sku="cake")).totals] == [1]


async def test_the_metrics_say_the_same_of_all_merchants_and_name_none(counter: Counter) -> None:
    await counter.complete(await counter.ready(LATTE))
    await analytics.measure(counter.stage.context)

    def value(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(f"coinslot_{name}", labels)

    assert value("orders_lately", end="handed_over") == 1
    assert value("order_value_lately", currency="EUR") == 350
    assert value("codes_lately", outcome="ok") == 1
    assert value("payment_attempts_lately", outcome="ok") == 1
    counter.stage.later(86_401)
    await analytics.measure(counter.stage.context)
    assert value("orders_lately", end="handed_over") == 0
    assert value("order_value_lately", currency="EUR") is None


async def test_the_page_shows_the_rate_with_the_figures_that_it_is_of(counter: Counter) -> None:
    staffed = await with_people(counter.stage)
    asha = await signed_in(staffed, "asha")
    assert "No order was placed" in (await asha.look("/console/money/analytics")).text
    await counter.complete(await counter.ready(LATTE))
    page = await asha.look("/console/money/analytics")
    assert "100%" in page.text
    assert "(1/1)" in page.text
    assert "<svg" in page.text
