"""Zones of delivery, edited and tried on a page of the console without a service of maps."""

import re
from typing import Any

import pytest

from coinslot.counter import delivery
from coinslot.counter.basket import Wish
from coinslot.counter.delivery import Delivery, DeliveryError, NewZone, Point, Shape, Zone
from tests.console.conftest import Browser, signed_in
from tests.console.test_menu import press
from tests.counter.stage import Counter, set_counter
from tests.counter.test_delivery import SQUARE, delivers
from tests.people.conftest import Staffed

ZONES = "/console/menu/S01/delivery"
TOWN = {
    "z0_name": "Old town", "z0_postcodes": "80331, 80 333", "z0_centre": "48.137, 11.575",
    "z0_metres": "1500", "z0_fee": "2.50", "z0_least": "3.00",
}  # fmt: skip


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    return await set_counter(staffed.stage)


async def known(shop: Counter) -> list[Zone]:
    async with shop.stage.context.db.as_merchant(shop.stage.merchant) as conn:
        return await delivery.zones(conn, "S01")


async def shown(browser: Browser) -> dict[str, str]:
    text = (await browser.look(ZONES)).text
    found = dict(re.findall(r'name="(z\d+_\w+)"[^>]*value="([^"]*)"', text))
    (seen,) = re.findall(r'name="seen" value="([^"]*)"', text)
    return found | {"seen": seen}


async def save(browser: Browser, **typed: str) -> Any:
    return await press(browser, ZONES, ZONES, await shown(browser) | typed)


async def tried(browser: Browser, place: str, goods: str = "") -> str:
    page = await browser.look(f"{ZONES}?place={place}&goods={goods}")
    (said,) = re.findall(r'<p role="status">(.*?)</p>', page.text)
    return re.sub(r"<[^>]+>", "", said).strip()


async def test_a_zone_is_typed_shown_again_and_decides_what_is_delivered(
    staffed: Staffed, shop: Counter
) -> None:
    asha = await signed_in(staffed, "asha")
    assert (await save(asha, **TOWN)).status_code == 303
    (zone,) = await known(shop)
    assert (zone.name, zone.fee, zone.least) == ("Old town", 250, 300)
    assert zone.shape == Shape(
        centre=Point(48.137, 11.575), metres=1500, postcodes=("80331", "80 333")
    )
    fields = await shown(asha)
    assert (fields["z0_centre"], fields["z0_least"]) == ("48.137, 11.575", "3.00")
    assert (await save(asha)).status_code == 303
    assert [one.id for one in await known(shop)] == [zone.id], "what is the same stays the same"
    await save(asha, z1_name="Far", z1_postcodes="99999", z1_fee="9")
    assert [one.name for one in await known(shop)] == ["Old town", "Far"]
    await save(asha, z0_name="")
    assert [one.name for one in await known(shop)] == ["Far"]


async def test_a_place_is_tried_by_postcode_position_and_sum(
    staffed: Staffed, shop: Counter
) -> None:
    asha = await signed_in(staffed, "asha")
    await save(asha, **TOWN)
    assert (await tried(asha, "1 Mill Road, 80333 Munich")).startswith("Delivered Old town")
    assert (await tried(asha, "48.138, 11.576", "5")).startswith("Delivered Old town")
    assert (await tried(asha, "80331", "2.99")).startswith("Not delivered It is in a zone, from")
    assert (await tried(asha, "99999")).startswith("Not delivered It is in no zone")
    assert (await tried(asha, "50.1, 8.6")).startswith("Not delivered It is in no zone")
    assert "is no price" in await tried(asha, "80331", "much")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"z0_name": ""}, "Give each zone a name"),
        ({"z0_centre": "48.137"}, "latitude first"),
        ({"z0_centre": "91, 11"}, "latitude first"),
        ({"z0_metres": ""}, "200000 metres"),
        ({"z0_metres": "200001"}, "200000 metres"),
        ({"z0_postcodes": "Old town"}, "postcodes have a digit"),
        ({"z0_postcodes": "", "z0_centre": "", "z0_metres": ""}, "give postcodes"),
        ({"z0_fee": "cheap"}, "is no amount"),
    ],
)
async def test_what_is_no_zone_is_refused_and_what_was_typed_stays(
    staffed: Staffed, shop: Counter, typed: dict[str, str], said: str
) -> None:
    asha = await signed_in(staffed, "asha")
    answer = await save(asha, **TOWN | typed)
    assert (answer.status_code, await known(shop)) == (422, [])
    assert said in answer.text
    assert f'value="{(TOWN | typed)["z0_least"]}"' in answer.text


async def test_an_old_page_overwrites_no_zones_and_a_shape_from_a_file_stays(
    staffed: Staffed, shop: Counter
) -> None:
    await delivers(shop, NewZone(name="Quay", shape=SQUARE, fee=400))
    asha = await signed_in(staffed, "asha")
    old = await shown(asha)
    assert (await save(asha, z0_postcodes="80335", z0_fee="5")).status_code == 303
    (zone,) = await known(shop)
    assert (zone.shape.corners, zone.shape.postcodes) == (SQUARE.corners, ("80335",))
    assert zone.shape.holds(Point(48.15, 11.55))
    answer = await press(asha, ZONES, ZONES, old | {"z0_name": ""})
    assert answer.status_code == 422
    assert len(await known(shop)) == 1


async def test_a_zone_of_postcodes_takes_only_addresses_that_name_one(
    staffed: Staffed, shop: Counter
) -> None:
    shape = Shape(postcodes=("411 001", "SW1A 1AA"))
    await delivers(shop, NewZone(name="Near", shape=shape, fee=100))
    (zone,) = await known(shop)
    for address in ("1 Mill Road, 411001", "1 Mill Road 411 001 Pune", "Downing St, sw1a1aa"):
        assert await shop.place(Wish(sku="tea"), deliver=Delivery(address=address, zone=zone.id))
    for address in ("1 Mill Road", "1 Mill Road, 4110012"):
        with pytest.raises(DeliveryError, match="postcode"):
            await shop.place(Wish(sku="tea"), deliver=Delivery(address=address, zone=zone.id))
    by_program = Delivery(address="5 Hill, 411001", point=Point(0, 0))
    assert await shop.place(Wish(sku="tea"), deliver=by_program)
    with pytest.raises(DeliveryError, match="outside"):
        await shop.place(Wish(sku="tea"), deliver=Delivery(address="5 Hill", point=Point(0, 0)))
