"""An order that is placed, row by row and column by column; and orders that people look for, as
they are listed, beside those of others."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.context import Context, Windows
from coinslot.kit.money import Money
from coinslot.orders import order_search, placing
from coinslot.orders.order_search import OrderLine
from coinslot.orders.page_views import NotNowError, WhyNot
from coinslot.orders.placing import NewLine, NewOrder, Placed
from coinslot.orders.pricing import Discount, Extra, ExtraKind, Priced, PricedItem
from tests.fleet.shop import ASHA, COLA, TEA, Given, Row, acted, but, outlet, slot
from tests.sales.by_hand import NOW, Rows

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
TABLES = ("orders", "order_lines", "order_extras", "events", "fulfillments", "slots", "vend_units")
LINES = (
    NewLine(product=COLA, slot="A1", sku="cola", name="Cola", price=4000, cost=1200, quantity=2,
            tax_bp=1800),
    NewLine(product=TEA, slot="A2", sku="tea", name="Tea", price=500, cost=90),
)  # fmt: skip
NEW = NewOrder(
    merchant=ASHA, outlet="M01", currency="INR", key="M01:key", expires_at=NOW + 15 * MINUTE,
    lines=LINES, discounts=(Discount(1000, (0,)),),
    extras=(Extra(ExtraKind.TIP, 50), Extra(ExtraKind.DELIVERY_FEE, 20)), browser="b", network="n",
    receipt_contact="a@b.c", ends_by=NOW + 20 * MINUTE,
)  # fmt: skip
PRICED = Priced(
    items=(PricedItem(units=(3500, 3500), taxes=(534, 534)), PricedItem(units=(500,), taxes=(0,))),
    extras=tuple(NEW.extras), total=7570,
)  # fmt: skip
ORDER: Row = {
    "merchant_id": ASHA, "outlet_id": "M01", "state": "placed", "source": "page",
    "client_key": "M01:key", "amount_minor": 7570, "currency": "INR", "placed_at": NOW,
    "expires_at": NOW + 15 * MINUTE, "due_at": NOW + 15 * MINUTE, "browser": "b", "network": "n",
    "receipt_contact": "a@b.c", "ends_by": NOW + 20 * MINUTE, "price_version": 5,
    "planogram_version": 7, "version": 1,
}  # fmt: skip
FIRST: Row = {
    "merchant_id": ASHA, "order_id": "new orders", "product_id": COLA, "slot": "A1", "sku": "cola",
    "name": "Cola", "quantity": 2, "price_minor": 4000, "cost_minor": 1200,
    "unit_minor": [3500, 3500], "tax_minor": [534, 534],
}  # fmt: skip
SECOND_LINE: Row = {
    "merchant_id": ASHA, "order_id": "new orders", "product_id": TEA, "slot": "A2", "sku": "tea",
    "name": "Tea", "quantity": 1, "price_minor": 500, "cost_minor": 90, "unit_minor": [500],
    "tax_minor": [0],
}  # fmt: skip


def place(new: NewOrder) -> Callable[[Context], Awaitable[Placed]]:
    async def verb(here: Context) -> Placed:
        async with here.db.as_merchant(ASHA) as conn:
            return await placing.place(conn, here, new)

    return verb


async def test_an_order_is_written_whole(rows: Rows) -> None:
    said, found, awake = await acted(rows, place(NEW), TABLES)
    (order,) = found["orders"]
    assert said == Placed(id=said.id, token=said.token, price=PRICED)
    assert len(order.pop("number")) == 4
    order.pop("token")
    assert (order, awake) == (ORDER, set())
    assert found["order_lines"] == sorted([FIRST, SECOND_LINE], key=lambda r: repr(sorted(
        r.items())))  # fmt: skip
    extra = {"merchant_id": ASHA, "order_id": "new orders"}
    assert found["order_extras"] == [{**extra, "kind": "delivery_fee", "amount_minor": 20},
                                     {**extra, "kind": "tip", "amount_minor": 50}]  # fmt: skip
    assert found["events"] == [{
        "merchant_id": ASHA, "machine": "order", "subject_id": "new orders", "event": "PLACED",
        "at": NOW,
    }]  # fmt: skip
    assert set(found) == {"orders", "order_lines", "order_extras", "events"}


async def test_lines_and_extras_are_in_the_order_in_which_they_were_chosen(rows: Rows) -> None:
    many = [replace(LINES[1], name=f"n{n}") for n in range(9)]

    async def verb(here: Context) -> list[str]:
        async with here.db.as_merchant(ASHA) as conn:
            await placing.place(conn, here, replace(NEW, lines=many, discounts=()))
            names = await conn.fetch("SELECT name FROM order_lines ORDER BY id")
            kinds = await conn.fetch(
                "SELECT kind FROM order_extras WHERE id > (SELECT max(id::text)::uuid"
                " FROM order_lines) ORDER BY id"
            )
        return [row[0] for row in (*names, *kinds)]

    said, _, _ = await acted(rows, verb, ())
    assert said == [*(f"n{n}" for n in range(9)), "tip", "delivery_fee"]


FREE = replace(NEW, key=None, lines=[replace(LINES[0], price=0)], discounts=(), extras=(),
               source="test_vend", ends_by=None, expires_at=NOW)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(but(), 120), (but(outlet(windows={"dispatch_s": 45})), 45)],
)
async def test_an_order_of_nothing_is_paid_at_once(rows: Rows, given: Given, seconds: int) -> None:
    _, found, _ = await acted(rows, place(FREE), TABLES, given)
    (order,) = found["orders"]
    wanted = {**ORDER, "source": "test_vend", "state": "paid", "version": 2, "paid_at": NOW,
              "expires_at": NOW + 120 * SECOND, "dispatch_by": NOW + seconds * SECOND}  # fmt: skip
    gone = ("client_key", "amount_minor", "due_at", "ends_by", "number", "token")
    assert {name: value for name, value in order.items() if name not in gone} == {
        name: value for name, value in wanted.items() if name not in gone
    }
    assert [name for name in gone if name in order] == ["number", "token"]
    assert {one["event"] for one in found["events"]} == {"PLACED", "PAID"}


async def test_an_order_of_nothing_takes_what_is_there(rows: Rows) -> None:
    two, one = but(slot("A1", COLA, 9, stock=2)), but(slot("A1", COLA, 9, stock=1))
    assert (await acted(rows, place(FREE), (), two))[0].price.total == 0
    with pytest.raises(NotNowError) as refused:
        await acted(rows, place(FREE), (), one)
    assert refused.value.why_not is WhyNot.SOLD_OUT
    paid = replace(FREE, lines=LINES[:1], source="page")
    assert (await acted(rows, place(paid), (), one))[0].price.total == 8000


# ---- found again ----

ONE, TWO, HERS = (UUID(int=n) for n in (51, 52, 53))
FOUND = OrderLine(
    id=ONE, number="ABCD", outlet="M01", state="paid", money=Money(4000, "INR"), items="Cola, Tea",
    placed_at=NOW, paid_at=NOW + SECOND,
)  # fmt: skip
BARE = OrderLine(
    id=TWO, number="EFGH", outlet="M02", state="placed", money=Money(5, "INR"), items="",
    placed_at=NOW - SECOND, paid_at=None,
)  # fmt: skip


def order(line: OrderLine, **given: Any) -> tuple[str, Row]:
    return "orders", {
        "id": line.id, "merchant_id": ASHA, "outlet_id": line.outlet, "number": line.number,
        "state": line.state, "source": "page", "token": f"tok{line.id.int}",
        "amount_minor": line.money.minor, "currency": "INR", "placed_at": line.placed_at,
        "paid_at": line.paid_at, **given,
    }  # fmt: skip


BOOK: Given = [
    outlet(), outlet("M02", currency="EUR"), outlet("M03"), order(FOUND), order(BARE),
    ("order_lines", {"id": UUID(int=2), "order_id": ONE, "name": "Tea"}),
    ("order_lines", {"id": UUID(int=1), "order_id": ONE, "name": "Cola"}),
    ("order_lines", {"id": UUID(int=3), "order_id": HERS, "name": "Hers"}),
    ("captures", {"order_id": ONE, "gateway_payment_id": "pay_1", "payer_reference": "bank 1"}),
]  # fmt: skip
MINUTES = [NOW, NOW + 10 * MINUTE]
Search = Callable[[Context], Awaitable[Any]]


def match(text: str) -> Search:
    return lambda here: order_search.matching(here, ASHA, text)


def around(*sums: int, minutes: Any = MINUTES, currency: str = "INR") -> Search:
    some = [Money(minor, currency) for minor in sums]
    return lambda here: order_search.paid_around(here, ASHA, some, minutes)


LOOKED_FOR: Sequence[tuple[Search, list[Any]]] = (
    (lambda here: order_search.newest(here, ASHA), [BARE, FOUND]),
    (lambda here: order_search.newest(here, ASHA, TWO), [FOUND]),
    (lambda here: order_search.newest(here, ASHA, None, 1), [BARE]),
    (lambda here: order_search.newest(here, ASHA, limit=1, before=TWO), [FOUND]),
    (lambda here: order_search.newest(here, ASHA, ONE), []),
    (match(" abcd "), [FOUND]), (match("https://pay.example/o/tok51?lang=hi"), [FOUND]),
    (match("tok52"), [BARE]), (match(str(TWO).upper()), [BARE]), (match("pay_1"), [FOUND]),
    (match("bank 1"), [FOUND]), (match("bank"), []), (match(""), []),
    (around(4000), [FOUND]), (around(5), []), (around(5, 4000), [FOUND]),
    (around(4000, 4000), [FOUND, FOUND]), (around(), []), (around(4000, currency="EUR"), []),
    (around(4000, minutes=[NOW + 61 * SECOND]), [FOUND]),
    (around(4000, minutes=[NOW + 62 * SECOND]), []),
    (around(4000, minutes=[NOW - 119 * SECOND]), [FOUND]),
    (around(4000, minutes=[NOW - 120 * SECOND]), []),
    (lambda here: order_search.currencies(here, ASHA), ["EUR", "INR"]),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(LOOKED_FOR)))
async def test_orders_are_found_by_what_people_have_in_hand(rows: Rows, case: int) -> None:
    verb, wanted = LOOKED_FOR[case]
    assert await acted(rows, verb, ("orders",), BOOK, windows=Windows()) == (wanted, {}, set())
