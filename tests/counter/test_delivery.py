"""Where a counter delivers to: circles and polygons by hand-made points, the cheapest of several,
and nothing outside. Its fee is earned with the goods, and goes back without them."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinslot.counter import board, delivery, staff
from coinslot.counter.basket import Wish
from coinslot.counter.delivery import (
    Delivery,
    DeliveryError,
    NewZone,
    Point,
    Shape,
    ZoneError,
    metres_between,
)
from coinslot.oversight import profit
from tests.counter.stage import Counter
from tests.people.conftest import with_people

LATTE, BOWL = Wish(sku="latte"), Wish(sku="bowl")
HERE = Point(48.137, 11.575)
SQUARE = Shape(corners=(Point(48.1, 11.5), Point(48.1, 11.6), Point(48.2, 11.6), Point(48.2, 11.5)))
ROUND = Shape(centre=HERE, metres=1000)


async def delivers(counter: Counter, *zones: NewZone) -> None:
    stage = counter.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await delivery.set_zones(conn, stage.merchant, "S01", zones, stage.clock.now())


def to(point: Point = HERE, address: str = "1 Mill Road") -> Delivery:
    return Delivery(address=address, point=point)


async def refused(counter: Counter, code: str, *wishes: Wish, **more: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await counter.place(*wishes or (LATTE,), deliver=to(**more))
    assert caught.value.code == code
    return caught.value


def test_a_degree_of_the_equator_is_as_long_as_it_is() -> None:
    assert metres_between(Point(0, 0), Point(0, 1)) == pytest.approx(111_195, abs=1)
    assert metres_between(Point(52.52, 13.405), Point(48.137, 11.575)) == pytest.approx(
        504_400, rel=0.005
    )


@pytest.mark.parametrize(
    ("metres", "east"),
    [(1, 8.99320363724538e-06), (250, 0.002248300909311345), (1000, 0.00899320363724538)],
)
def test_whoever_stands_on_the_edge_of_a_circle_is_in_it(metres: int, east: float) -> None:
    there = Point(0, east)
    assert metres_between(Point(0, 0), there) == metres
    assert Shape(centre=Point(0, 0), metres=metres).holds(there)
    assert not Shape(centre=Point(0, 0), metres=metres).holds(Point(0, east * 1.0001))


@given(st.floats(-89, 89), st.floats(-180, 180), st.floats(-89, 89), st.floats(-180, 180))
def test_a_distance_is_the_same_both_ways_and_never_longer_than_half_the_earth(
    a: float, b: float, c: float, d: float
) -> None:
    one, other = Point(a, b), Point(c, d)
    there = metres_between(one, other)
    assert there == pytest.approx(metres_between(other, one))
    assert 0 <= there <= 20_016_000


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        (Point(48.15, 11.55), True), (Point(48.15, 11.65), False), (Point(48.25, 11.55), False),
        (Point(48.1, 11.55), True), (Point(48.15, 11.5), True), (Point(48.2, 11.6), True),
        (Point(48.1, 11.5), True), (Point(48.0999, 11.55), False), (Point(48.1, 11.4999), False),
        (Point(-48.15, 11.55), False),
    ],
)  # fmt: skip
def test_a_point_on_the_edge_or_corner_of_a_polygon_is_in_it(point: Point, inside: bool) -> None:
    assert SQUARE.holds(point) is inside
    assert Shape(corners=SQUARE.corners[::-1]).holds(point) is inside


def test_a_polygon_with_a_bay_leaves_out_the_bay() -> None:
    bay = Shape(corners=(Point(0, 0), Point(0, 4), Point(4, 4), Point(1, 2), Point(4, 0)))
    assert bay.holds(Point(0.5, 2))
    assert not bay.holds(Point(3, 2))
    assert bay.holds(Point(3, 3.9))


def test_a_zone_may_lie_across_the_date_line() -> None:
    fiji = Shape(corners=(Point(-18, 179), Point(-18, -179), Point(-16, -179), Point(-16, 179)))
    assert fiji.holds(Point(-17, 179.9))
    assert fiji.holds(Point(-17, -179.9))
    assert not fiji.holds(Point(-17, 178))
    assert not fiji.holds(Point(-17, 0))


@given(st.floats(48.0, 48.3), st.floats(11.4, 11.7))
def test_a_square_holds_what_its_bounds_hold(latitude: float, longitude: float) -> None:
    expected = 48.1 <= latitude <= 48.2 and 11.5 <= longitude <= 11.6
    edges = (48.1, 48.2), (11.5, 11.6)
    near = any(abs(latitude - e) < 1e-9 for e in edges[0]) or any(
        abs(longitude - e) < 1e-9 for e in edges[1]
    )
    assert near or SQUARE.holds(Point(latitude, longitude)) is expected


async def test_without_a_zone_nothing_is_delivered(counter: Counter) -> None:
    await refused(counter, "outside")


async def test_the_fee_is_a_part_of_the_order_and_earned_with_its_goods(counter: Counter) -> None:
    await delivers(counter, NewZone(name="Old town", shape=ROUND, fee=250))
    order = await counter.ready(LATTE, deliver=to())
    assert (await counter.view(order)).money.minor == 600
    await counter.complete(order)
    found = await profit.of_order(counter.stage.context, counter.stage.merchant, order)
    assert found is not None
    assert (found.paid, found.delivery) == (350, 250)
    assert await counter.stage.value("SELECT address FROM counter_deliveries") == "1 Mill Road"


async def test_the_fee_goes_back_when_nothing_was_handed_over(counter: Counter) -> None:
    await delivers(counter, NewZone(name="Old town", shape=ROUND, fee=250))
    order = await counter.ready(LATTE, deliver=to())
    await staff.reject(counter.stage.context, counter.who, order, "Nobody opened")
    await counter.stage.sweep()
    assert counter.stage.refunded() == 600


async def test_outside_of_every_zone_is_refused_before_anything_is_reserved(
    counter: Counter,
) -> None:
    await delivers(counter, NewZone(name="Old town", shape=ROUND, fee=250))
    with pytest.raises(DeliveryError):
        await counter.place(Wish(sku="cake"), deliver=to(Point(49, 11)))
    assert await counter.left("cake") == 3
    await refused(counter, "address", address=" ")


async def test_of_zones_that_overlap_the_cheapest_counts_for_which_the_order_is_enough(
    counter: Counter,
) -> None:
    await delivers(
        counter, NewZone(name="Round", shape=ROUND, fee=100, least=900),
        NewZone(name="Square", shape=SQUARE, fee=300), NewZone(name="Far", shape=Shape(
            centre=HERE, metres=9000), fee=500),
    )  # fmt: skip
    for wish, fee in ((LATTE, 300), (BOWL, 100)):
        order = await counter.id_of(await counter.place(wish, deliver=to()))
        assert await counter.stage.value(
            "SELECT amount_minor FROM order_extras WHERE order_id = $1", order
        ) == fee  # fmt: skip
    await delivers(counter, NewZone(name="Round", shape=ROUND, fee=100, least=900))
    assert (await refused(counter, "least")).least == 900
    await delivers(
        counter, NewZone(name="Round", shape=ROUND, fee=100, least=1900),
        NewZone(name="Square", shape=SQUARE, fee=300, least=1200),
    )  # fmt: skip
    assert (await refused(counter, "least")).least == 1200, "which is enough for one of them"


async def test_a_zone_that_is_changed_while_orders_come_in_is_the_one_or_the_other(
    counter: Counter,
) -> None:
    await delivers(counter, NewZone(name="Old", shape=ROUND, fee=100))
    new = NewZone(name="New", shape=ROUND, fee=200)
    orders, _ = await asyncio.gather(
        asyncio.gather(*(counter.place(LATTE, deliver=to()) for _ in range(4))),
        delivers(counter, new),
    )
    for token in orders:
        order: UUID = await counter.id_of(token)
        (row,) = await counter.stage.rows(
            "SELECT x.amount_minor, z.fee_minor FROM order_extras x JOIN counter_deliveries d"
            " USING (order_id) JOIN delivery_zones z ON z.id = d.zone_id WHERE x.order_id = $1",
            order,
        )
        assert row["amount_minor"] == row["fee_minor"]


def test_a_file_of_zones_is_read_as_people_write_it() -> None:
    read = delivery.read(
        b'[{"name": "Old town", "fee": "2.50", "least": "12.00",'
        b' "shape": {"centre": [48.137, 11.575], "metres": 1000}},'
        b' {"name": "Quay", "fee": "4.00", "shape": {"corners": [[0, 0], [0, 1], [1, 1]]}}]', "EUR",
    )  # fmt: skip
    assert [(zone.name, zone.fee, zone.least) for zone in read] == [
        ("Old town", 250, 1200), ("Quay", 400, 0),
    ]  # fmt: skip
    assert read[0].shape == ROUND
    for wrong in (
        b"{}", b'[{"name": "x", "fee": "1,0.0", "shape": {}}]',
        b'[{"name": "x", "fee": "1", "shape": {"centre": [99, 0]}}]',
        b'[{"name": "x", "fee": "1", "shape": {"circle": [9, 0]}}]',
    ):  # fmt: skip
        with pytest.raises(ZoneError):
            delivery.read(wrong, "EUR")


async def test_staff_see_where_it_goes_and_a_person_who_goes_takes_the_address_along(
    counter: Counter,
) -> None:
    await delivers(counter, NewZone(name="Old town", shape=ROUND, fee=250))
    order = await counter.ready(LATTE, deliver=to())
    seen = await board.order(counter.stage.context, counter.who, order)
    assert seen.address == "1 Mill Road"
    await counter.complete(order)
    stage = counter.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("SELECT forget_person($1)", order)
    (row,) = await stage.rows("SELECT address, latitude, longitude FROM counter_deliveries")
    assert list(row.values()) == ["", None, None]


async def test_what_is_no_shape_is_no_zone(counter: Counter) -> None:
    with pytest.raises(ZoneError):
        await delivers(counter, NewZone(name="Line", shape=Shape(corners=(HERE, HERE)), fee=1))


async def test_the_api_takes_an_address_and_a_point_and_says_why_not(counter: Counter) -> None:
    staffed = await with_people(counter.stage)
    await delivers(counter, NewZone(name="Old town", shape=ROUND, fee=250, least=900))
    item = await counter.stage.value(
        "SELECT i.id FROM counter_items i JOIN products p ON p.id = product_id WHERE sku = 'latte'"
    )
    place = {"address": "1 Mill Road", "latitude": 48.137, "longitude": 11.575}
    body: dict[str, Any] = {
        "storeSlug": "corner", "items": [{"menuItemId": str(item), "quantity": 3}],
        "deliverTo": place,
    }  # fmt: skip
    async with staffed.client() as client:
        answer = await client.post("/api/checkout-session", json=body)
        assert answer.json()["totalCents"] == 1050 + 250, answer.text
        far = body | {"deliverTo": place | {"latitude": 50.0}}
        answer = await client.post("/api/checkout-session", json=far)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "not_delivered_there")
        body["items"][0]["quantity"] = 1
        answer = await client.post("/api/checkout-session", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "below_minimum")
