"""What a stranger tries at a counter: keys of other people's orders, times that no calendar has,
pieces that cost nothing."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from coinslot.counter import board, menu, ordering, staff
from coinslot.counter.basket import Wish
from coinslot.counter.menu import NewStore, Store
from coinslot.counter.ordering import Order
from coinslot.counter.staff import CounterError, Status
from coinslot.orders import order_refunds
from coinslot.orders.order_refunds import MoreThanLeftError, OrderRefund
from coinslot.payments.ways_to_pay import Form, offer
from tests.counter.stage import MENU, Counter
from tests.counter.test_api import ask, item, wanted
from tests.counter.test_api import shop as shop
from tests.counter.test_pages import Phone, added, fields
from tests.counter.test_pages import phone as phone
from tests.counter.test_pages import web as web
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage
from tests.sales.neighbours import chandras_machine

KEY = "the-same-key-twice-0001"


async def store_of(counter: Counter, merchant: UUID, code: str) -> Store:
    """A counter beside the one of the stage."""
    stage = counter.stage
    async with stage.context.db.as_merchant(merchant) as conn:
        account = await conn.fetchval("SELECT id FROM gateway_accounts LIMIT 1")
        new = NewStore(
            code=code, merchant=merchant, slug=code.lower(), name=code, currency="EUR",
            gateway_account=account,
        )  # fmt: skip
        await menu.add_store(conn, new, stage.clock.now())
        await menu.write_menu(conn, stage.context, merchant, code, MENU)
    await offer(stage.context, merchant, code, [(account, Form.LINK)])
    found = await menu.store_of(stage.context, code.lower())
    assert found is not None
    return found


async def place_there(counter: Counter, at: Store, sku: str = "tea") -> str:
    wanted = Order(wishes=(Wish(sku=sku),), shown=None, key=KEY, browser="b", network="n")
    return await ordering.place(counter.stage.context, at, wanted)


async def test_a_key_places_one_order_at_each_store_whoever_else_has_used_it(
    counter: Counter,
) -> None:
    stage = counter.stage
    other = await store_of(counter, stage.merchant, "S02")
    chandra = (await chandras_machine(stage)).merchant_id
    hers = await store_of(counter, chandra, "S03")
    mine = await counter.place(key=KEY)
    tokens = [await asyncio.wait_for(place_there(counter, at), 20) for at in (other, hers)]
    assert len({mine, *tokens}) == 3, "each store has its own order, and none is shown another's"
    assert tokens == [await place_there(counter, at) for at in (other, hers)]
    assert await counter.place(key=KEY) == mine


@pytest.mark.parametrize("minutes", ["9" * 12, "0", "253402300799"])
async def test_a_time_that_no_calendar_has_is_no_slot(phone: Phone, minutes: str) -> None:
    sent = fields(await added(phone, "tea"))
    answer = await phone.post("/s/corner", data={**sent, "at": minutes})
    assert 400 <= answer.status_code < 500, answer.text[-300:]


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1970-01-01T00:00:00Z"]
)
async def test_a_program_asks_for_a_time_at_the_edge_of_the_calendar(
    staffed: Staffed, shop: Counter, moment: str
) -> None:
    body = await wanted(staffed, pickupAt=moment)
    answer = await ask(staffed, "POST", "/api/checkout-session", body)
    assert answer.status_code in (400, 409, 422), answer.text
    assert (await ask(staffed, "GET", "/api/stores/corner/menu")).status_code == 200


@pytest.mark.parametrize(
    "field",
    [{"tipCents": -1}, {"tipCents": 10**18}, {"totalCents": 1}, {"items": []},
     {"table": "\0"}, {"customerName": "x" * 81}, {"tipCents": 10**12}],
)  # fmt: skip
async def test_a_program_names_sums_that_cannot_be(
    staffed: Staffed, shop: Counter, field: dict[str, object]
) -> None:
    answer = await ask(staffed, "POST", "/api/checkout-session", await wanted(staffed, **field))
    assert 400 <= answer.status_code < 500 or field == {"tipCents": 10**12}, answer.text


@pytest.mark.parametrize("quantity", [0, -1, 11, 10**9, 1.5])
async def test_a_program_names_quantities_that_cannot_be(
    staffed: Staffed, shop: Counter, quantity: object
) -> None:
    body = await wanted(staffed)
    body["items"][0]["quantity"] = quantity
    answer = await ask(staffed, "POST", "/api/checkout-session", body)
    assert answer.status_code in (400, 422), answer.text


async def test_a_price_of_the_client_is_no_field(staffed: Staffed, shop: Counter) -> None:
    body = await wanted(staffed)
    body["items"][0]["priceCents"] = 1
    assert (await ask(staffed, "POST", "/api/checkout-session", body)).status_code == 400
    assert (await item(staffed, "Latte"))["priceCents"] == 350


async def test_an_amount_that_is_given_back_takes_the_pieces_in_the_order_of_the_receipt(
    counter: Counter,
) -> None:
    stage = counter.stage
    wishes = [Wish(sku="bowl"), Wish(sku="tea", quantity=2), Wish(sku="latte")]
    for number in range(4):  # ids of one moment are random: each order has others
        order = await counter.ready(*wishes)
        await counter.complete(order)
        asked = OrderRefund(order=order, key=f"g{number}", by="asha", reason="cold", amount=1300)
        made = await order_refunds.refund(stage.context, stage.merchant, asked)
        taken = sorted((part.name, part.amount) for part in made.parts)
        assert taken == [("Lunch bowl", 980), ("Tea", 70), ("Tea", 250)]


async def test_steps_back_keep_no_money_for_longer_than_an_order_takes_at_most(
    counter: Counter,
) -> None:
    stage = counter.stage
    context, who, order = stage.context, counter.who, await counter.ready()
    for _ in range(6):  # ten minutes, four hours and two hours: each has its whole time again
        stage.later(3600)
        await staff.undo(context, who, order, Status.PREPARING)
        await staff.ready(context, who, order)
    stage.later(3600)
    with pytest.raises(CounterError, match="too_late"):
        await staff.undo(context, who, order, Status.PREPARING)
    stage.later(2 * 86_400)
    await stage.sweep()
    assert [end[0] for end in await counter.ends(order)] == ["not_picked_up"]


async def test_a_counters_own_times_hold_for_its_code_and_for_what_nobody_paid(
    counter: Counter,
) -> None:
    stage = counter.stage
    own = {"code_s": 7200, "order_s": 60}
    await stage.rows("UPDATE outlets SET windows = $1 WHERE id = 'S01' RETURNING id", own)
    unpaid = await counter.place()
    order = await counter.ready()
    [shown] = [one for one in await board.orders(stage.context, counter.who) if one.id == order]
    assert shown.code_until == stage.clock.now() + timedelta(seconds=7200)
    stage.later(61)
    await stage.sweep()
    assert (await counter.order(unpaid)).state == "expired"
    stage.later(3600)
    await counter.complete(order)
    assert [end[:2] for end in await counter.ends(order)] == [("picked_up", "code")]


async def test_of_a_hand_over_and_a_rejection_at_the_same_moment_one_counts_for_all_pieces(
    counter: Counter,
) -> None:
    for _ in range(4):
        order = await counter.ready(Wish(sku="tea", quantity=2))
        rejected = staff.reject(counter.stage.context, counter.who, order, "spilt")
        answers = await asyncio.gather(counter.complete(order), rejected, return_exceptions=True)
        assert sorted(type(one).__name__ for one in answers) == ["CounterError", "NoneType"]
        assert len({end[0] for end in await counter.ends(order)}) == 1


async def test_five_tabs_give_back_no_more_than_was_paid(counter: Counter) -> None:
    order = await counter.ready(Wish(sku="latte"))
    await counter.complete(order)

    async def give(tab: int) -> None:
        asked = OrderRefund(order=order, key=f"tab{tab}", by="asha", reason="cold", amount=200)
        await order_refunds.refund(counter.stage.context, counter.stage.merchant, asked)

    answers = await asyncio.gather(*(give(tab) for tab in range(5)), return_exceptions=True)
    assert sum(isinstance(one, MoreThanLeftError) for one in answers) == 4
    assert answers.count(None) == 1
