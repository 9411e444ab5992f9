"""Coupons and cards as people use them: typed into the basket, collected on a phone, and made in
the console."""

import re
from html import unescape
from urllib.parse import urlencode

import httpx
import pytest

from coinslot.counter.offers import Offer
from tests.console.conftest import signed_in
from tests.counter.stage import Counter
from tests.counter.test_offers import CARD, LATTE, POINTS, collects, coupon, points, three_stamps
from tests.people.conftest import Staffed, with_people

BASKET = "/s/corner/basket?line=latte~2~~"


@pytest.fixture
async def staffed(counter: Counter) -> Staffed:
    return await with_people(counter.stage)


def fields(page: str) -> list[tuple[str, str]]:
    """What the form behind the pay button sends."""
    form = next(f for f in re.findall(r"<form.*?</form>", page, re.S) if 'name="shown"' in f)
    return [
        (name, unescape(value))
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    ]


async def order(client: httpx.AsyncClient, page: str) -> httpx.Response:
    return await client.post(
        "/s/corner", content=urlencode(fields(page)),
        headers={
            "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin",
        },
    )  # fmt: skip


async def test_a_coupon_is_typed_into_the_basket_and_what_is_shown_is_what_is_paid(
    counter: Counter, staffed: Staffed
) -> None:
    await coupon(counter)
    async with staffed.client() as phone:
        assert 'name="coupon"' in (await phone.get(BASKET)).text
        page = (await phone.get(f"{BASKET}&coupon=spring&tip=10")).text
        assert "−€0.70" in page
        answer = await order(phone, page)
    assert answer.status_code == 303, answer.text
    assert await counter.stage.value("SELECT amount_minor FROM orders") == 700 - 70 + 70
    assert await counter.stage.value("SELECT off_minor FROM order_offers") == 70


async def test_a_wrong_coupon_is_said_and_the_basket_can_be_paid_without_it(
    counter: Counter, staffed: Staffed
) -> None:
    await coupon(counter)
    async with staffed.client() as phone:
        page = (await phone.get(f"{BASKET}&coupon=SUMMER")).text
        assert "There is no such coupon here." in page
        assert dict(fields(page))["shown"] == "700"
        assert "coupon" not in dict(fields(page))


async def test_a_coupon_that_was_used_up_meanwhile_places_nothing_and_is_said(
    counter: Counter, staffed: Staffed
) -> None:
    await coupon(counter, uses=1)
    async with staffed.client() as phone:
        page = (await phone.get(f"{BASKET}&coupon=SPRING")).text
        await counter.place(LATTE, offer=Offer(coupon="SPRING"))
        answer = await order(phone, page)
    assert answer.status_code == 409
    assert "used as often as it can be" in answer.text
    assert await counter.stage.value("SELECT count(*) FROM orders") == 1


async def test_without_coupons_nobody_is_asked_for_one(counter: Counter, staffed: Staffed) -> None:
    async with staffed.client() as phone:
        page = (await phone.get(BASKET)).text
        assert 'name="coupon"' not in page
        assert (await phone.get("/s/corner/card")).status_code == 404


async def test_a_phone_collects_from_the_tap_on_and_uses_its_reward(
    counter: Counter, staffed: Staffed
) -> None:
    await three_stamps(counter)
    async with staffed.client() as phone:
        page = await phone.get("/s/corner/card")
        assert "Collect on this phone" in page.text
        begun = await phone.post("/s/corner/card", headers={"sec-fetch-site": "same-origin"})
        assert begun.status_code == 303
        assert "Stamps: 0 of 3" in (await phone.get("/s/corner/card")).text
        phone.cookies.set("coinslot_browser", CARD)
        assert "Stamps: 3 of 3" in (await phone.get("/s/corner/card")).text
        assert "Your reward: €2.00 off." in (await phone.get(BASKET)).text
        page = await phone.get(f"{BASKET}&reward=1")
        assert "−€2.00" in page.text
        assert (await order(phone, page.text)).status_code == 303
    rewarded = "SELECT o.amount_minor FROM orders o JOIN order_offers f ON f.order_id = o.id"
    assert await counter.stage.value(f"{rewarded} WHERE f.points_used = 3") == 500
    assert await points(counter) == 0


async def test_the_api_takes_a_coupon_and_says_why_not(counter: Counter, staffed: Staffed) -> None:
    await coupon(counter, least_minor=1000)
    item = await counter.stage.value(
        "SELECT i.id FROM counter_items i JOIN products p ON p.id = product_id WHERE sku = 'bowl'"
    )
    wanted = {"storeSlug": "corner", "couponCode": "spring",
              "items": [{"menuItemId": str(item), "quantity": 1}]}  # fmt: skip
    async with staffed.client() as client:
        answer = await client.post("/api/checkout-session", json=wanted)
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["code"] == "no_discount"
        wanted["items"] = [{"menuItemId": str(item), "quantity": 2}]
        answer = await client.post("/api/checkout-session", json=wanted)
    assert answer.json()["totalCents"] == 1960 - 196


async def test_an_admin_makes_and_ends_a_coupon_and_a_card(
    counter: Counter, staffed: Staffed
) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/offers")
    made = await asha.press(
        page, "/console/offers",
        {"code": "ten off", "percent": "10", "off": "", "least": "5", "uses": "3", "until": ""},
    )  # fmt: skip
    assert made.status_code == 303, made.text
    page = await asha.look("/console/offers")
    assert "TENOFF" in page.text
    again = {"code": "TENOFF", "percent": "10", "off": "", "least": "", "uses": "", "until": ""}
    refused = await asha.press(page, "/console/offers", again)
    assert "good already" in refused.text
    page = await asha.look("/console/offers")
    both = again | {"code": "BOTH", "off": "3"}
    assert (await asha.press(page, "/console/offers", both)).status_code == 422
    (row,) = await counter.stage.rows("SELECT * FROM counter_coupons")
    assert (row["percent_bp"], row["least_minor"], row["uses"]) == (1000, 500, 3)
    ended = await asha.press(page, f"/console/offers/{row['id']}/end")
    assert ended.status_code == 303
    assert await counter.stage.value("SELECT ended_at FROM counter_coupons") is not None
    card = {"kind": "stamps", "earn": "3.00", "count": "10", "reward": "3.50"}
    assert (await asha.press(page, "/console/offers/card", card)).status_code == 303
    assert await counter.stage.value("SELECT reward_minor FROM loyalty_programs") == 350


async def test_a_program_that_stops_collects_no_more_and_keeps_what_there_is(
    counter: Counter, staffed: Staffed
) -> None:
    await collects(counter, POINTS)
    await counter.complete(await counter.ready(LATTE, offer=Offer(card=CARD)))
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/offers")
    hidden = re.findall(r'<input type="hidden" name="(form_token)" value="([^"]*)">', page.text)
    stop = dict(hidden) | {"key": "k" * 20, "stop": "1"}
    assert (await asha.send("/console/offers/card", stop)).status_code == 303
    await counter.complete(await counter.ready(LATTE, offer=Offer(card=CARD)))
    assert await points(counter) == 3
