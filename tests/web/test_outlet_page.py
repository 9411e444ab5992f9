"""In front of an outlet."""

import re

import pytest
from msgspec.structs import replace

from coinslot.orders.page_views import WhyNot
from tests.web import cast
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend

KEY = "k" * 20


async def test_the_page_says_which_machine_it_is_that_it_works_and_what_it_costs(
    client: Client,
) -> None:
    text = (await client.get("/q/M01")).text
    for said in (
        "M01",
        "Lobby cans",
        "Block B, ground floor",
        "Online, ready",
        "Lime soda",
        "Not dispensed? Refunded automatically.",
        "tel:+919876543210",
    ):
        assert said in text
    assert re.search(r"<button class=\"pay\"[^>]*>Pay ₹40.00</button>", text)


@pytest.mark.parametrize("why", [why for why in WhyNot if why])
async def test_an_outlet_that_cannot_sell_says_why_and_that_nobody_was_charged(
    client: Client, why: WhyNot
) -> None:
    text = (await client.get(f"/q/X-{why}")).text
    assert "You have not been charged." in text
    assert "<button" not in text
    assert 'href="/q/M02"' in text


async def test_each_item_has_a_button_with_its_price_and_what_is_gone_has_none(
    client: Client,
) -> None:
    text = (await client.get("/q/M02")).text
    assert re.findall(r">Pay (₹[\d.]+)<", text) == ["₹40.00", "₹55.00", "₹20.00"]
    assert "Sold out" in text


async def test_a_machine_that_cannot_see_what_falls_says_so(client: Client) -> None:
    assert "cannot tell us if the item fell" in (await client.get("/q/S01")).text


async def test_a_tap_places_the_order_and_leads_to_its_page(
    client: Client, backend: FakeBackend
) -> None:
    answer = await client.post("/q/M01", data={"slot": "A1", "key": KEY})
    assert (answer.status_code, answer.headers["location"]) == (303, "/o/order-1")
    assert backend.asked == [("place", "M01", "A1")]


async def test_a_second_tap_on_the_same_page_finds_the_first_order(client: Client) -> None:
    taps = [await client.post("/q/M01", data={"slot": "A1", "key": KEY}) for _ in range(2)]
    assert {tap.headers["location"] for tap in taps} == {"/o/order-1"}


async def test_a_browser_keeps_its_one_name_and_an_order_tells_it_with_the_network(
    client: Client, backend: FakeBackend
) -> None:
    cookie = (await client.get("/q/M01")).headers["set-cookie"]
    assert re.match(r"coinslot_browser=[\w-]{20,}; ", cookie)
    for part in ("HttpOnly", "Path=/q", "SameSite=lax"):
        assert part in cookie
    name = client.cookies["coinslot_browser"]
    for key in ("k" * 20, "m" * 20):
        await client.post("/q/M01", data={"slot": "A1", "key": key})
    told = [(basket.browser, basket.network) for basket in backend.baskets]
    assert told == [(name, "testclient")] * 2


async def test_a_browser_sees_its_own_orders_and_no_other_browsers(
    client: Client, backend: FakeBackend
) -> None:
    backend.own = {"b" * 20: [backend.orders["scan"], backend.orders["done"]]}
    mine = {"cookie": f"coinslot_browser={'b' * 20}"}
    page = (await client.get("/q/M01", headers=mine)).text
    assert 'href="/o/scan"' in page
    assert 'href="/o/done"' not in page  # nothing is left to do there
    finder = (await client.get("/q/M01/help", headers=mine)).text
    assert 'href="/o/scan"' in finder
    assert 'href="/o/done"' in finder
    client.cookies.clear()
    stranger = {"cookie": f"coinslot_browser={'c' * 20}"}
    for url in ("/q/M01", "/q/M01/help"):
        assert "/o/scan" not in (await client.get(url, headers=stranger)).text
        client.cookies.clear()
    assert "/o/scan" not in (await client.get("/q/M02", headers=mine)).text


async def test_the_last_one_that_someone_else_may_be_paying_for_says_so(
    client: Client, backend: FakeBackend
) -> None:
    last = replace(cast.LIME, contested=True)
    backend.outlets["M01"] = replace(backend.outlets["M01"], items=(last,))
    text = (await client.get("/q/M01")).text
    assert "someone else may be paying for it" in text
    assert ">Pay ₹40.00</button>" in text


async def test_every_scan_and_every_item_has_a_key_of_its_own(client: Client) -> None:
    pages = [(await client.get("/q/M02")).text for _ in range(2)]
    keys = re.findall(r'name="key" value="([^"]+)"', "".join(pages))
    assert len(keys) == len(set(keys)) == 6


async def test_back_shows_the_page_with_its_key_but_a_new_scan_asks_again(client: Client) -> None:
    assert (await client.get("/q/M01")).headers["cache-control"] == "private, no-cache"


async def test_what_was_sold_in_the_meantime_is_said_without_a_charge(
    client: Client, backend: FakeBackend
) -> None:
    backend.refuse = WhyNot.SOLD_OUT
    answer = await client.post("/q/M01", data={"slot": "A1", "key": KEY})
    assert answer.status_code == 409
    assert "Everything here is sold out" in answer.text
    assert "You have not been charged." in answer.text


@pytest.mark.parametrize(
    "key", ["", "short", "k" * 65, "k" * 20 + "\n", "<script>alert(1)</script>"]
)
async def test_a_key_that_no_page_of_ours_made_is_refused(
    client: Client, backend: FakeBackend, key: str
) -> None:
    answer = await client.post("/q/M01", data={"slot": "A1", "key": key})
    assert answer.status_code == 400
    assert backend.asked == []


async def test_a_slot_that_cannot_be_written_down_is_refused(
    client: Client, backend: FakeBackend
) -> None:
    answer = await client.post("/q/M01", data={"slot": "A1\0", "key": KEY})
    assert answer.status_code == 400
    assert backend.asked == []


async def test_an_unknown_code_is_named_and_escaped(client: Client) -> None:
    answer = await client.get("/q/<b>")
    assert answer.status_code == 404
    assert "No machine has the code &lt;b&gt;" in answer.text


async def test_a_typed_code_leads_to_its_machine_in_either_case(client: Client) -> None:
    assert (await client.get("/q?outlet=+m01")).headers["location"] == "/q/M01"
    assert (await client.get("/q?outlet=")).headers["location"] == "/"


async def test_a_chosen_language_stays_through_links_and_forms(client: Client) -> None:
    text = (await client.get("/q/M01?lang=ru")).text
    assert 'action="/q/M01?lang=ru&amp;tap=1"' in text
    answer = await client.post("/q/M01?lang=ru", data={"slot": "A1", "key": KEY})
    assert answer.headers["location"] == "/o/order-1?lang=ru"


@pytest.mark.parametrize(
    ("accepted", "said"),
    [
        ("hi-IN,en;q=0.8", "ऑनलाइन, तैयार"),
        ("de, ru;q=0.9, en;q=0.4", "На связи, готов"),
        ("en;q=0.1, hi;q=0", "Online, ready"),
        ("ru;q=nan, \x7f;;;,", "Online, ready"),
        ("", "Online, ready"),
    ],
)
async def test_the_browsers_dearest_language_is_spoken(
    client: Client, accepted: str, said: str
) -> None:
    answer = await client.get("/q/M01", headers={"accept-language": accepted})
    assert said in answer.text
    assert "Accept-Language" in answer.headers["vary"]
