"""A customer says "I am here" with a position: near, elsewhere, or their word alone. The position
is compared and kept nowhere, and neither code nor money waits for it."""

from collections.abc import AsyncIterator
from math import nan
from typing import Any
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace

from coinslot.app.kinds import KINDS
from coinslot.counter import arrivals, rules
from coinslot.counter.arrivals import Arrival, By, Fence, Position, TooFarError
from coinslot.counter.delivery import Point
from coinslot.counter.rules import Rules, RulesError
from coinslot.people.audit_log import COMMAND_LINE
from tests.console.conftest import signed_in
from tests.counter.stage import Counter
from tests.counter.test_board import shop
from tests.counter.test_delivery_pages import HTML, LATTE, to_door
from tests.kept_app import customers_app
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage
from tests.web.serving import SITE

__all__ = ["shop"]
CAFE = Point(48.137, 11.575)
# Of phones: at the café, and at places north of it, of which a thousandth of a degree is 111 m.
THERE = {"lat": "48.137100", "lng": "11.575000", "accuracy": "12"}
FAR = {"lat": "48.157700", "lng": "11.575000", "accuracy": "30"}


@pytest.fixture
async def phone(shop: Counter) -> AsyncIterator[httpx.AsyncClient]:
    """Customers' pages over the real rows."""
    context = shop.stage.context
    site = replace(SITE, texts={name: kind.texts for name, kind in KINDS.items()})
    app: Any = customers_app(context, site)
    wire = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=wire, base_url="http://coinslot.test", headers=HTML
    ) as client:
        yield client


def north(metres: float, accuracy: float) -> Position:
    point = Point(CAFE.latitude + metres / 111_195, CAFE.longitude)
    return Position(point=point, accuracy=accuracy)


async def asks(shop: Counter, metres: int | None = 150, place: Point | None = CAFE) -> None:
    context, merchant = shop.stage.context, shop.stage.merchant
    async with context.db.as_merchant(merchant) as conn:
        known = await rules.rules_of(conn, context, "S01")
        assert known is not None
        wanted = Rules(arrivals=True, place=place, here_m=metres)
        await rules.set_rules(
            conn, context, COMMAND_LINE, merchant, "S01", wanted, known.rules.seen
        )


async def noted(shop: Counter, order: UUID) -> tuple[bool, str | None]:
    """Whether the customer has said it, and what shows it."""
    (row,) = await shop.stage.rows(
        "SELECT here_at IS NOT NULL AS at, here_by FROM counter_orders WHERE order_id = $1", order
    )
    return row["at"], row["here_by"]


async def tables_with(shop: Counter, text: str) -> list[str]:
    """Where it stands in the whole database."""
    owner = shop.stage.owner
    assert owner is not None
    tables = await owner.fetch(
        "SELECT table_name AS name FROM information_schema.tables"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return [
        row["name"]
        for row in tables
        if await owner.fetchval(
            f"SELECT EXISTS (SELECT FROM {row['name']} t WHERE strpos(t::text, $1) > 0)", text
        )
    ]


@pytest.mark.parametrize(
    ("metres", "accuracy", "by"),
    [
        (0, 0, By.NEAR), (149, 0, By.NEAR), (300, 160, By.NEAR), (349, 200, By.NEAR),
        # So inaccurate that it proves neither.
        (351, 300, By.SAID), (2300, 5000, By.SAID),
        (151, 0, None), (300, 100, None), (2300, 500, None),
    ],
)  # fmt: skip
def test_a_position_is_near_elsewhere_or_too_inaccurate_to_tell(
    metres: float, accuracy: float, by: By | None
) -> None:
    fence, position = Fence(CAFE, 150), north(metres, accuracy)
    if by is not None:
        assert fence.judged(position) is by
        return
    with pytest.raises(TooFarError) as caught:
        fence.judged(position)
    assert caught.value.metres == pytest.approx(metres, abs=1)


@pytest.mark.parametrize(
    ("latitude", "longitude", "accuracy"),
    [
        ("", "", ""), ("48.1", "11.5", ""), ("", "11.5", "5"), ("91", "11.5", "5"),
        ("48.1", "-180.1", "5"), ("48.1", "11.5", "-1"), ("here", "11.5", "5"),
        (str(nan), "11.5", "5"), ("1e400", "11.5", "5"), ("48.1", "11.5", "inf"),
    ],
)  # fmt: skip
def test_what_is_no_place_on_earth_is_no_position(
    latitude: str, longitude: str, accuracy: str
) -> None:
    assert Position.read(latitude, longitude, accuracy) is None
    assert Position.read("-48.1", "180", "5.5") == Position(point=Point(-48.1, 180), accuracy=5.5)


async def test_whoever_is_near_is_shown_so_and_where_they_were_is_kept_nowhere(
    staffed: Staffed, shop: Counter, phone: httpx.AsyncClient
) -> None:
    await asks(shop)
    order = await shop.ready(LATTE, name="Noor")
    token = (await shop.view(order)).token
    page = await phone.get(f"/o/{token}")
    assert "geolocation=(self)" in page.headers["permissions-policy"]
    assert "Your browser asks for your position" in page.text
    answer = await phone.post(f"/o/{token}/here", data={"note": "blue car", **THERE})
    assert answer.status_code == 303
    assert "They know that you are here" in (await phone.get(f"/o/{token}")).text
    assert await noted(shop, order) == (True, "near")
    board = await (await signed_in(staffed, "lena")).look("/console/board")
    assert "Waits outside, and the phone is near: <bdi>blue car</bdi>" in board.text
    assert await tables_with(shop, "blue car") == ["counter_orders"]
    assert await tables_with(shop, "48.1371") == []


async def test_whoever_is_elsewhere_is_told_how_far_and_may_say_it_all_the_same(
    staffed: Staffed, shop: Counter, phone: httpx.AsyncClient
) -> None:
    await asks(shop)
    order = await shop.ready(LATTE)
    token = (await shop.view(order)).token
    before = (await shop.view(order)).version
    at = f"/o/{token}/here"
    page = await phone.post(at, data={"note": "bay <3>", **FAR})
    assert page.status_code == 422
    assert "You seem to be 2.3 km away" in page.text
    assert 'value="bay &lt;3&gt;"' in page.text
    assert "geolocation=(self)" in page.headers["permissions-policy"]
    russian = await phone.post(f"{at}?lang=ru", data=FAR)
    assert "2,3 км" in russian.text
    assert f"{at}?lang=ru" in russian.text
    assert await noted(shop, order) == (False, None)
    assert (await shop.view(order)).version == before
    again = await phone.post(at, data={"note": "bay 3", "insists": "1"})
    assert again.status_code == 303
    assert await noted(shop, order) == (True, "said")
    board = await (await signed_in(staffed, "lena")).look("/console/board")
    assert "Says they wait outside, not seen: <bdi>bay 3</bdi>" in board.text


@pytest.mark.parametrize(
    "sent", [{}, {"lat": "48.1371"}, {"lat": "x", "lng": "y", "accuracy": "z"}]
)
async def test_without_a_position_it_is_the_customers_word(
    shop: Counter, phone: httpx.AsyncClient, sent: dict[str, str]
) -> None:
    await asks(shop)
    order = await shop.ready(LATTE)
    answer = await phone.post(f"/o/{(await shop.view(order)).token}/here", data=sent)
    assert answer.status_code == 303
    assert await noted(shop, order) == (True, "said")


async def test_what_a_position_proved_stays_proved_and_a_word_may_be_proved_later(
    shop: Counter,
) -> None:
    await asks(shop)
    order = await shop.ready(LATTE)
    token, context = (await shop.view(order)).token, shop.stage.context

    async def says(note: str, position: Position | None) -> tuple[bool, str | None]:
        await arrivals.arrived(context, token, Arrival(note=note, position=position))
        return await noted(shop, order)

    assert await says("", None) == (True, "said")
    changes = "SELECT here_changes FROM counter_orders"
    assert await says("", None) == (True, "said")
    assert await shop.stage.value(changes) == 1  # twice is once
    for _ in range(2):
        assert await says("", north(20, 5)) == (True, "near")
        assert await shop.stage.value(changes) == 2
    assert await says("other bay", None) == (True, "near")
    with pytest.raises(TooFarError):
        await says("home", north(2300, 5))
    assert await shop.stage.value("SELECT here_note FROM counter_orders") == "other bay"


async def test_a_counter_without_a_radius_asks_no_phone(
    staffed: Staffed, shop: Counter, phone: httpx.AsyncClient
) -> None:
    order = await shop.ready(LATTE)
    token = (await shop.view(order)).token
    for settle in ({"metres": None}, {"metres": None, "place": None}):
        await asks(shop, **settle)
        page = await phone.get(f"/o/{token}")
        assert page.status_code == 200
        assert "geolocation=()" in page.headers["permissions-policy"]
        assert "here.js" not in page.text
        assert "Where your phone is" not in (await phone.get("/s/corner/privacy")).text
    assert (await phone.post(f"/o/{token}/here", data=FAR)).status_code == 303
    assert await noted(shop, order) == (True, None)
    await asks(shop)
    assert "Where your phone is" in (await phone.get("/s/corner/privacy")).text
    board = await (await signed_in(staffed, "lena")).look("/console/board")
    assert '<p class="notice good">Waits outside</p>' in board.text


async def test_what_is_over_or_brought_to_a_door_asks_no_phone_and_is_never_too_far(
    shop: Counter,
) -> None:
    await asks(shop)
    context = shop.stage.context
    over = await shop.ready(LATTE)
    assert (await shop.view(over)).asks_where
    await shop.complete(over)  # by the code alone: it needs no position
    assert await shop.ends(over) == [("picked_up", "code", None)]
    brought = await shop.ready(LATTE, deliver=await to_door(shop))
    for order in (over, brought):
        view = await shop.view(order)
        assert not view.asks_where
        said = Arrival(note="", position=north(2300, 5))
        await arrivals.arrived(context, view.token, said)
        assert await noted(shop, order) == (False, None)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"place": None, "here_m": 150}, "place"), ({"place": CAFE, "here_m": 19}, "here_m"),
        ({"place": CAFE, "here_m": 5001}, "here_m"),
    ],
)  # fmt: skip
async def test_a_radius_needs_a_place_and_is_within_bounds(
    shop: Counter, wanted: dict[str, Any], field: str
) -> None:
    context = shop.stage.context
    async with context.db.as_merchant(shop.stage.merchant) as conn:
        with pytest.raises(RulesError) as caught:
            await rules.set_rules(
                conn, context, COMMAND_LINE, shop.stage.merchant, "S01", Rules(**wanted), ""
            )
    assert caught.value.field == field
