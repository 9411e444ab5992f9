"""What the owner of a café looks for in an order: its receipt, its profit, and what went back."""

import re

import pytest

from coinslot.counter import staff
from coinslot.counter.basket import Wish
from coinslot.orders.order_refunds import OrderRefund, refund
from tests.console.conftest import signed_in
from tests.counter.stage import Counter, set_counter
from tests.people.conftest import Staffed


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    return await set_counter(staffed.stage)


async def test_an_order_shows_its_receipt_its_customer_and_the_most_that_it_earned(
    staffed: Staffed, shop: Counter
) -> None:
    order = await shop.ready(Wish(sku="latte"), name="Maria")
    await shop.complete(order)
    asha = await signed_in(staffed, "asha")
    page = (await asha.look(f"/console/orders/{order}")).text
    number = f"{shop.stage.clock.now().year}-000001"
    assert f"<dt>Receipt</dt><dd>{number}</dd>" in page
    assert "<dt>Name</dt><dd><bdi>Maria</bdi></dd>" in page
    most = re.search(r"<dt>Profit</dt><dd>(at most €[0-9.]+)</dd>", page)
    assert most, "the fee is not known"
    assert most[1] in (await asha.look("/console/money/profits")).text
    found = (await asha.look(f"/console/find?text={number}")).text
    assert f"/console/orders/{order}" in found
    chandra = await signed_in(staffed, "chandra")
    assert (
        f"/console/orders/{order}" not in (await chandra.look(f"/console/find?text={number}")).text
    )


async def test_a_refund_says_that_it_is_made_until_the_money_is_back_and_names_the_item(
    staffed: Staffed, shop: Counter
) -> None:
    order = await shop.preparing(Wish(sku="latte"), Wish(sku="cake"))
    units = await shop.stage.rows(
        "SELECT f.id FROM fulfillments f JOIN order_lines l ON l.id = f.line_id"
        " WHERE f.order_id = $1 AND l.name = 'Carrot cake'", order,
    )  # fmt: skip
    wanted = OrderRefund(order=order, key="k", by="asha", reason="Fell", units=(units[0]["id"],))
    await refund(shop.stage.context, shop.stage.merchant, wanted, shop.who.actor)
    asha, path = await signed_in(staffed, "asha"), f"/console/orders/{order}?done=refunded"
    assert "The refund is made" in (await asha.look(path)).text
    await shop.stage.sweep()
    page = (await asha.look(path)).text
    assert "The refund is made" not in page
    assert "The money is given back." in page
    assert re.search(r"<dt>Carrot cake · <bdi>\d{4}-000001</bdi>", page)
    note = f"{shop.stage.clock.now().year}-000001"
    assert f"/console/orders/{order}" in (await asha.look(f"/console/find?text={note}")).text


async def test_receipts_lead_to_those_of_counters(staffed: Staffed, shop: Counter) -> None:
    await shop.paid()
    asha = await signed_in(staffed, "asha")
    page = (await asha.look("/console/receipts")).text
    assert 'href="/console/money/invoices"' in page.split("Numbered receipts of counters")[1][:200]
    assert "No receipts yet" not in page


async def test_an_item_that_went_back_before_it_was_accepted_is_named(
    staffed: Staffed, shop: Counter
) -> None:
    order = await shop.preparing(Wish(sku="tea"))
    await staff.reject(shop.stage.context, shop.who, order, "Closed")
    await shop.stage.sweep()
    asha = await signed_in(staffed, "asha")
    assert "<dt>Tea · <bdi>" in (await asha.look(f"/console/orders/{order}")).text


async def test_the_record_of_a_counters_order_speaks_of_no_machine(
    staffed: Staffed, shop: Counter
) -> None:
    order = await shop.preparing(Wish(sku="tea"))
    asha = await signed_in(staffed, "asha")
    page = (await asha.look(f"/console/orders/{order}")).text
    assert "waits to be accepted → <strong>being prepared</strong>" in page
    assert "to_accept" not in page
    assert "machine" not in page.split("<main")[1].lower()
    lead = (await asha.look("/console/products")).text
    assert "what an item of a counter costs in its menu" in lead
