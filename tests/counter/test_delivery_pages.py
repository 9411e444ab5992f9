"""Delivery as a customer, a driver and the counter have it: ordered by pages without a script,
handed over at the door against the code, and given back where it never came."""

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from coinslot.counter import arrivals, board, driving, rules, staff
from coinslot.counter.arrivals import Arrival
from coinslot.counter.basket import Wish
from coinslot.counter.delivery import Delivery, DeliveryError, NewZone
from coinslot.counter.staff import CounterError, Why
from coinslot.people.audit_log import COMMAND_LINE
from tests.console.conftest import signed_in
from tests.counter.stage import Counter
from tests.counter.test_board import shop
from tests.counter.test_delivery import ROUND, delivers
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

__all__ = ["shop"]
ZONES = (NewZone(name="Old town", shape=ROUND, fee=250), NewZone(
    name="Quay", shape=ROUND, fee=400, least=1200
))  # fmt: skip
LATTE = Wish(sku="latte")
HTML = {"accept": "text/html"}


async def zone_of(counter: Counter, name: str = "Old town") -> str:
    return str(
        await counter.stage.value(
            "SELECT id FROM delivery_zones WHERE name = $1 AND ended_at IS NULL", name
        )
    )


async def to_door(counter: Counter, name: str = "Old town") -> Delivery:
    await delivers(counter, *ZONES)
    zone = await counter.stage.value("SELECT id FROM delivery_zones WHERE name = $1", name)
    return Delivery(address="1 Mill Road", zone=zone)


async def driver_of(counter: Counter) -> str:
    return str(await counter.stage.value("SELECT driver_token FROM counter_deliveries"))


def fields(page: httpx.Response) -> dict[str, str]:
    (form,) = re.findall(r'<form class="card item".*?</form>', page.text, re.DOTALL)
    found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    ways = re.findall(r'name="way" value="([^"]+)"', form)
    return {name: unescape(value) for name, value in found.items()} | {"way": ways[0]}


async def test_a_customer_chooses_a_zone_reads_its_fee_and_types_the_address(
    staffed: Staffed, shop: Counter
) -> None:
    await delivers(shop, *ZONES)
    async with staffed.client() as phone:
        page = await phone.get("/s/corner/basket?line=latte~1~~", headers=HTML)
        assert "I pick it up" in page.text
        assert 'name="address"' not in page.text
        (to,) = [u for u in re.findall(r'href="([^"]+)"', page.text) if await zone_of(shop) in u]
        page = await phone.get(unescape(to), headers=HTML)
        assert "€6.00" in page.text
        assert "Your money goes back, the" in page.text
        form = fields(page)
        refused = await phone.post("/s/corner", data=form | {"address": " "}, headers=HTML)
        assert refused.status_code == 422
        assert "Where is it to go?" in refused.text
        assert await shop.left("cake") == 3
        answer = await phone.post("/s/corner", data=form | {"address": "1 Mill Road"})
        assert answer.status_code == 303, answer.text
    (row,) = await shop.stage.rows("SELECT address, latitude FROM counter_deliveries")
    assert list(row.values()) == ["1 Mill Road", None]
    assert await shop.stage.value("SELECT amount_minor FROM orders") == 600


async def test_for_too_little_it_is_picked_up_and_the_page_says_from_what_on(
    staffed: Staffed, shop: Counter
) -> None:
    await delivers(shop, *ZONES)
    async with staffed.client() as phone:
        at = f"/s/corner/basket?line=latte~1~~&deliver={await zone_of(shop, 'Quay')}"
        page = await phone.get(at, headers=HTML)
        assert "It is delivered there from €12.00 on." in page.text
        assert fields(page)["shown"] == "350"
        for no_zone in ("nothing", "0193d3a4-1c00-7000-8000-00000000a001"):
            page = await phone.get(f"/s/corner/basket?line=latte~1~~&deliver={no_zone}")
            assert fields(page)["shown"] == "350"
        form = fields(page) | {"deliver": "nothing", "address": "1 Mill Road"}
        assert (await phone.post("/s/corner", data=form, headers=HTML)).status_code == 400


async def test_a_fee_that_changed_since_the_page_is_said_before_anything_is_paid(
    staffed: Staffed, shop: Counter
) -> None:
    await delivers(shop, *ZONES)
    async with staffed.client() as phone:
        at = f"/s/corner/basket?line=latte~1~~&deliver={await zone_of(shop)}"
        form = fields(await phone.get(at, headers=HTML)) | {"address": "1 Mill Road"}
        await delivers(shop, NewZone(name="Old town", shape=ROUND, fee=900))
        answer = await phone.post("/s/corner", data=form, headers=HTML)
        assert answer.status_code == 422
        assert "It is not delivered there." in answer.text
    assert await shop.stage.value("SELECT count(*) FROM orders") == 0


async def test_at_a_table_nothing_is_delivered(staffed: Staffed, shop: Counter) -> None:
    await delivers(shop, *ZONES)
    async with staffed.client() as phone:
        page = await phone.get("/s/corner/basket?spot=7&line=latte~1~~", headers=HTML)
        assert "Old town" not in page.text


async def test_a_driver_takes_it_along_and_hands_it_over_against_the_code(
    staffed: Staffed, shop: Counter
) -> None:
    order = await shop.preparing(LATTE, name="Noor", deliver=await to_door(shop))
    page = f"/driver/{await driver_of(shop)}"
    async with staffed.client() as driver:
        early = await driver.get(page, headers=HTML)
        assert "Not ready yet" in early.text
        assert early.headers["refresh"]
        assert (await driver.post(f"{page}/left")).status_code == 303
        assert (await shop.view(order)).brought == "deliver"  # nobody leaves with what is not made
        await staff.ready(shop.stage.context, shop.who, order)
        before = (await shop.view(order)).version
        for _ in range(2):
            assert (await driver.post(f"{page}/left")).status_code == 303
        assert (await shop.view(order)).brought == "away"
        assert (await shop.view(order)).version > before  # its open page shows it
        assert len(await staffed.log("order.on_the_way")) == 1
        wrong = await driver.post(
            f"{page}/handed", data={"code": await shop.wrong_code(order)}, headers=HTML
        )
        assert (wrong.status_code, "Tries left: 4" in wrong.text) == (422, True)
        code = await shop.code(order)
        for _ in range(2):
            typed = {"code": f"{code[:3]} {code[3:]}"}
            assert (await driver.post(f"{page}/handed", data=typed)).status_code == 303
        over = await driver.get(page, headers=HTML)
        assert "Handed over" in over.text
        assert "Mill Road" not in over.text  # it says nothing any more
    assert await shop.ends(order) == [("picked_up", "code", None)]


async def test_a_drivers_page_opens_nothing_else(staffed: Staffed, shop: Counter) -> None:
    order = await shop.ready(LATTE, deliver=await to_door(shop))
    async with staffed.client() as driver:
        page = await driver.get(f"/driver/{await driver_of(shop)}", headers=HTML)
        token = (await shop.view(order)).token
        assert token not in page.text
        assert await shop.code(order) not in page.text
        for path in (token, "nothing", "x" * 64):
            assert (await driver.get(f"/driver/{path}", headers=HTML)).status_code == 404
            for step in ("left", "handed"):
                assert (await driver.post(f"/driver/{path}/{step}")).status_code == 404


async def test_five_wrong_codes_at_the_door_lock_it_as_at_the_counter(
    staffed: Staffed, shop: Counter
) -> None:
    order = await shop.ready(LATTE, deliver=await to_door(shop))
    secret = await driver_of(shop)
    for _ in range(5):
        with pytest.raises(CounterError):
            await driving.hand_over(shop.stage.context, secret, await shop.wrong_code(order))
    with pytest.raises(CounterError) as caught:
        await driving.hand_over(shop.stage.context, secret, await shop.code(order))
    assert caught.value.why is Why.LOCKED


async def test_what_never_came_goes_back_with_its_fee_whatever_holds_for_what_is_fetched(
    staffed: Staffed, shop: Counter
) -> None:
    await shop.stage.rows(
        "UPDATE counter_stores SET no_show = 'kept' WHERE outlet_id = 'S01' RETURNING outlet_id"
    )
    order = await shop.ready(LATTE, deliver=await to_door(shop))
    await driving.leave(shop.stage.context, await driver_of(shop))
    assert await shop.stage.value("SELECT no_show FROM counter_orders") == "refund"
    await shop.board_open()
    shop.stage.later(timedelta(hours=2, minutes=2).total_seconds())
    await shop.stage.sweep()
    assert await shop.ends(order) == [("not_picked_up", "never_sent", "not_fetched")]
    assert shop.stage.refunded() == 600
    with pytest.raises(CounterError):  # too late at the door: the money is on its way back
        await driving.hand_over(shop.stage.context, await driver_of(shop), await shop.code(order))


async def test_what_was_taken_back_to_preparing_is_not_on_the_way(
    staffed: Staffed, shop: Counter
) -> None:
    context, order = shop.stage.context, await shop.ready(LATTE, deliver=await to_door(shop))
    await driving.leave(context, await driver_of(shop))
    shop.stage.later(5)
    await staff.undo(context, shop.who, order, staff.Status.PREPARING)
    shop.stage.later(5)
    await staff.ready(context, shop.who, order)
    assert (await shop.view(order)).brought == "deliver"
    assert (await driving.trip(context, await driver_of(shop))).left_at is None
    await driving.leave(context, await driver_of(shop))
    assert (await shop.view(order)).brought == "away"


async def test_the_board_has_the_drivers_page_and_says_that_it_is_on_the_way(
    staffed: Staffed, shop: Counter
) -> None:
    await shop.ready(LATTE, deliver=await to_door(shop))
    lena = await signed_in(staffed, "lena")
    page = await lena.look("/console/board")
    assert f'href="/driver/{await driver_of(shop)}"' in page.text
    await driving.leave(shop.stage.context, await driver_of(shop))
    assert "On the way since" in (await lena.look("/console/board")).text


async def test_zones_that_are_named_are_those_of_the_counter(counter: Counter) -> None:
    deliver = await to_door(counter)
    await delivers(counter)  # none any more
    with pytest.raises(DeliveryError):
        await counter.place(LATTE, deliver=deliver)


async def test_a_customer_who_waits_outside_says_so_once_where_the_counter_wants_it(
    staffed: Staffed, shop: Counter
) -> None:
    order = await shop.ready(LATTE, name="Noor")
    token = (await shop.view(order)).token
    async with staffed.client() as phone:
        assert not (await shop.view(order)).may_arrive
        await phone.post(f"/o/{token}/here", data={"note": "blue car"})
        assert (await shop.view(order)).here_at is None
        await wants_arrivals(shop)
        before = (await shop.view(order)).version
        assert (await shop.view(order)).may_arrive
        for note in ("blue car", "blue car", "bay 3"):
            answer = await phone.post(f"/o/{token}/here", data={"note": note})
            assert answer.status_code == 303
        assert (await shop.view(order)).here_at is not None
        assert (await shop.view(order)).version == before + 2
        assert (await phone.post("/o/nothing/here", data={})).status_code == 404
    found = await board.order(shop.stage.context, shop.who, order)
    assert found.here_note == "bay 3"
    page = await (await signed_in(staffed, "lena")).look("/console/board")
    assert "Waits outside: <bdi>bay 3</bdi>" in page.text
    await shop.complete(order)
    await arrivals.arrived(shop.stage.context, token, Arrival(note="again"))
    assert await shop.stage.value("SELECT here_note FROM counter_orders") == "bay 3"


async def test_what_somebody_typed_of_where_they_wait_goes_with_the_person(
    staffed: Staffed, shop: Counter
) -> None:
    await wants_arrivals(shop)
    order = await shop.ready(LATTE)
    token = (await shop.view(order)).token
    await arrivals.arrived(shop.stage.context, token, Arrival(note="blue car"))
    await shop.complete(order)
    async with shop.stage.context.db.as_merchant(shop.stage.merchant) as conn:
        assert await conn.fetchval("SELECT person_left($1)", order)
        await conn.execute("SELECT forget_person($1)", order)
    assert await shop.stage.value("SELECT here_note FROM counter_orders") == ""


async def wants_arrivals(shop: Counter) -> None:
    context = shop.stage.context
    async with context.db.as_merchant(shop.stage.merchant) as conn:
        known = await rules.rules_of(conn, context, "S01")
        assert known is not None
        await rules.set_rules(
            conn, context, COMMAND_LINE, shop.stage.merchant, "S01",
            rules.Rules(arrivals=True), known.rules.seen,
        )  # fmt: skip
