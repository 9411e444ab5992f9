"""Receipt numbers: consecutive for a merchant and a year, without a gap, whatever fails between."""

import asyncio
from typing import Any

from coinslot.counter.basket import Wish
from tests.counter.stage import Counter


async def numbers(counter: Counter) -> list[tuple[Any, ...]]:
    rows = await counter.stage.rows("SELECT year, number FROM counter_invoices ORDER BY 1, 2")
    return [(row["year"], row["number"]) for row in rows]


async def test_orders_that_are_paid_at_once_have_consecutive_numbers(counter: Counter) -> None:
    orders = await asyncio.gather(*(counter.paid(Wish(sku="tea")) for _ in range(8)))
    year = counter.stage.clock.now().year
    assert await numbers(counter) == [(year, n) for n in range(1, 9)]
    shown = {(await counter.view(order)).invoice for order in orders}
    assert shown == {f"{year}-{n:06}" for n in range(1, 9)}


async def test_an_order_that_nobody_pays_takes_no_number(counter: Counter) -> None:
    await counter.place(Wish(sku="tea"))
    counter.stage.later(1801)
    await counter.stage.sweep()
    await counter.paid(Wish(sku="tea"))
    assert [number for _, number in await numbers(counter)] == [1]


async def test_a_new_year_counts_from_one(counter: Counter) -> None:
    await counter.paid(Wish(sku="tea"))
    counter.stage.later(366 * 24 * 3600)
    await counter.stage.sweep()
    await counter.paid(Wish(sku="tea"))
    assert [number for _, number in await numbers(counter)] == [1, 1]
    assert not (await counter.stage.audit()).red


async def test_the_receipt_says_the_tax_that_its_prices_include(counter: Counter) -> None:
    order = await counter.paid(Wish(sku="tea"), Wish(sku="latte"))
    view = await counter.view(order)
    assert view.tax_included is not None
    assert view.tax_included.minor == 96, "of 6.00 at 19 %, rounded once"
