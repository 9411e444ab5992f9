"""What one network may do at a counter: guess at coupons, begin cards, order with the others on its
Wi-Fi."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from coinslot.app.routes import build
from coinslot.counter import offers
from coinslot.counter.limits import LatelyTried
from coinslot.counter.offers import GUESSES_OF_ALL, GUESSES_OF_NETWORK, Guesses, Offer, OfferError
from coinslot.kit.clock import SettableClock
from tests.counter.stage import Counter
from tests.counter.test_board import shop
from tests.counter.test_delivery_pages import HTML, fields
from tests.counter.test_offers import STAMPS, collects, coupon
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage
from tests.sales.stage import START
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

__all__ = ["shop"]
BASKET = "/s/corner/basket?line=latte~1~~"
UNKNOWN = OfferError("unknown")


def tried(most: int) -> tuple[LatelyTried, SettableClock]:
    clock = SettableClock(START)
    context: Any = SimpleNamespace(now=clock.now)
    return LatelyTried(context, most), clock


def test_a_try_counts_for_an_hour_and_for_its_own_key_alone() -> None:
    tries, clock = tried(2)
    tries.note("S01", "a")
    clock.advance(timedelta(minutes=30))
    assert not tries.is_spent("S01", "a")
    tries.note("S01", "a")
    assert [tries.is_spent(*key) for key in (("S01", "a"), ("S01", "b"), ("S01",))] == [
        True, False, False,
    ]  # fmt: skip
    clock.advance(timedelta(minutes=30) - timedelta(microseconds=1))
    assert tries.is_spent("S01", "a")
    clock.advance(timedelta(microseconds=1))
    assert not tries.is_spent("S01", "a"), "the first is an hour old"
    tries.note("S01", "a")
    assert tries.is_spent("S01", "a"), "the second is not"
    for _ in range(5):
        tries.note("S01", "a")  # of many tries the newest count
    clock.advance(timedelta(minutes=59))
    assert tries.is_spent("S01", "a")


def test_ten_thousand_keys_are_remembered_and_the_one_that_tried_last_is_forgotten_last() -> None:
    tries, _ = tried(1)
    for key in ("first", "second", "first"):
        tries.note(key)
    for number in range(10_000 - 2):
        tries.note(str(number))
    assert tries.is_spent("first")
    assert tries.is_spent("second")
    tries.note("one more")
    assert tries.is_spent("first")
    assert not tries.is_spent("second")


async def test_a_network_guesses_at_coupons_so_often_and_people_elsewhere_go_on(
    staffed: Staffed, shop: Counter
) -> None:
    await coupon(shop, "SPRING")
    async with staffed.client("198.51.100.7") as guesser, staffed.client() as guest:
        for number in range(GUESSES_OF_NETWORK):
            page = await guesser.get(f"{BASKET}&coupon=TRY{number}", headers=HTML)
            assert "There is no such coupon here." in page.text
        right = await guesser.get(f"{BASKET}&coupon=SPRING", headers=HTML)
        assert "Too many wrong codes came from this network." in right.text
        assert fields(right)["shown"] == "350"  # it orders without one
        body = {
            "storeSlug": "corner", "couponCode": "SPRING",
            "items": [{"menuItemId": await item(shop)}],
        }  # fmt: skip
        answer = await guesser.post("/api/checkout-session", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no_discount")
        sent = fields(right) | {"coupon": "SPRING"}
        page = await guesser.post("/s/corner", data=sent, headers=HTML)
        assert (page.status_code, "Too many wrong codes" in page.text) == (409, True)
        assert await shop.stage.value("SELECT count(*) FROM orders") == 0
        taken = await guest.get(f"{BASKET}&coupon=spring", headers=HTML)
        assert fields(taken)["shown"] == "315"
        shop.stage.later(3601)
        taken = await guesser.get(f"{BASKET}&coupon=SPRING", headers=HTML)
        assert fields(taken)["shown"] == "315"


async def test_codes_that_programs_try_count_too(staffed: Staffed, shop: Counter) -> None:
    body = {"storeSlug": "corner", "items": [{"menuItemId": await item(shop)}]}
    async with staffed.client() as program:
        for number in range(GUESSES_OF_NETWORK):
            answer = await program.post(
                "/api/checkout-session", json=body | {"couponCode": f"TRY{number}"}
            )
            assert answer.status_code == 422
        answer = await program.post("/api/checkout-session", json=body | {"couponCode": "TRY"})
        assert "too_often" in answer.json()["error"]["message"]


async def test_codes_that_are_over_or_for_more_are_no_guesses(counter: Counter) -> None:
    guesses, at = Guesses(counter.stage.context), await counter.store()
    for _ in range(GUESSES_OF_NETWORK):
        for code in ("over", "not_yet", "used_up", "least", "points"):
            guesses.note(at, "a", OfferError(code))
    guesses.look(at, "a", Offer(coupon="SPRING"))


async def test_many_networks_that_guess_at_one_counter_are_stopped_there_alone(
    counter: Counter,
) -> None:
    guesses, at = Guesses(counter.stage.context), await counter.store()
    for number in range(GUESSES_OF_ALL):
        guesses.look(at, str(number), Offer(coupon="TRY"))
        guesses.note(at, str(number), UNKNOWN)
    with pytest.raises(OfferError, match="too_often"):
        guesses.look(at, "another", Offer(coupon="TRY"))
    guesses.look(at, "another", Offer())  # whoever brings none is not held up
    elsewhere = replace(at, outlet=replace(at.outlet, code="S02"))
    guesses.look(elsewhere, "another", Offer(coupon="TRY"))


async def test_a_network_begins_so_many_cards_and_one_that_has_a_card_begins_none(
    staffed: Staffed, shop: Counter
) -> None:
    await collects(shop, STAMPS)
    before = await shop.stage.value("SELECT count(*) FROM loyalty_cards")
    async with staffed.client() as first:
        for _ in range(5):
            assert (await first.post("/s/corner/card")).status_code == 303
    assert await shop.stage.value("SELECT count(*) FROM loyalty_cards") == before + 1
    answers = []
    for number in range(70):
        phone = staffed.client()
        phone.cookies.set("coinslot_browser", f"somebody-with-phone-{number}")
        answers.append((await phone.post("/s/corner/card", headers=HTML)).status_code)
    assert answers.count(303) == 59
    assert set(answers) == {303, 429}
    assert await shop.stage.value("SELECT count(*) FROM loyalty_cards") == before + 60


async def test_twice_begun_is_one_card(counter: Counter) -> None:
    await collects(counter, STAMPS)
    at = await counter.store()
    assert await offers.begin_card(counter.stage.context, at, "a-browser-of-another")
    assert not await offers.begin_card(counter.stage.context, at, "a-browser-of-another")


async def test_guests_of_one_network_each_have_the_limit_of_orders_for_themselves(
    staffed: Staffed, shop: Counter
) -> None:
    site = replace(SITE, orders_per_minute=3)
    staffed.app = build(FakeBackend(), site, staffed.stage.clock, staffed.stage.context)

    async def tries(browser: str, count: int) -> list[int]:
        phone: httpx.AsyncClient = staffed.client()
        if browser:
            phone.cookies.set("coinslot_browser", browser)
        sent = {"key": "k" * 20, "shown": "1", "line": "latte~1~~"}
        return [
            (await phone.post("/s/corner", data=sent, headers=HTML)).status_code
            for _ in range(count)
        ]

    assert await tries("first-guest-of-the-cafe", 4) == [409, 409, 409, 429]
    assert await tries("second-guest-of-the-cafe", 4) == [409, 409, 409, 429]
    assert await tries("", 3) == [409, 409, 409]
    made_up = [(await tries(f"cookie-that-is-made-up-{n}", 1))[0] for n in range(10)]
    assert 429 in made_up  # names that are made up get no further than the network


async def item(shop: Counter) -> str:
    return str(
        await shop.stage.value(
            "SELECT i.id FROM counter_items i JOIN products p ON p.id = product_id"
            " WHERE sku = 'latte'"
        )
    )
