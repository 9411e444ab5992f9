"""A counter's times and messages, in the console."""

import re

import pytest

from tests.console.conftest import Browser, signed_in
from tests.console.test_menu import press
from tests.counter.stage import Counter, set_counter
from tests.people.conftest import Staffed

RULES = "/console/menu/S01/rules"
FIELDS = {
    "dispatch_s": "5", "prepare_s": "", "pickup_s": "3", "fetched": "kept", "whose": "own",
    "prefixes": "+91, +977", "calls": "1", "outlet_messages": "50", "phone_messages": "",
}  # fmt: skip


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    return await set_counter(staffed.stage)


async def seen(browser: Browser) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', (await browser.look(RULES)).text)
    assert found is not None
    return found[1].replace("&#34;", '"').replace("&quot;", '"')


async def test_what_is_set_is_shown_again_and_holds_for_the_next_order(
    staffed: Staffed, shop: Counter
) -> None:
    asha = await signed_in(staffed, "asha")
    done = await press(asha, RULES, RULES, {**FIELDS, "seen": await seen(asha)})
    assert done.status_code in (302, 303), done.text
    page = (await asha.look(RULES)).text
    assert 'value="+91 +977"' in page
    assert re.search(r'name="pickup_s"[^>]*value="3"', page)
    at = await shop.store()
    assert (at.keeps, at.phones, at.windows.pickup_s) == (True, ("+91", "+977"), 10_800)
    assert at.windows.dispatch_s == 300


async def test_a_time_out_of_bounds_is_refused_and_what_was_typed_stays(
    staffed: Staffed, shop: Counter
) -> None:
    asha = await signed_in(staffed, "asha")
    typed = {**FIELDS, "pickup_s": "25", "seen": await seen(asha)}
    answer = await press(asha, RULES, RULES, typed)
    assert answer.status_code == 422
    assert "too short or too long" in answer.text
    assert 'value="25"' in answer.text
    assert not (await shop.store()).keeps


async def test_an_old_page_overwrites_nothing(staffed: Staffed, shop: Counter) -> None:
    asha = await signed_in(staffed, "asha")
    old = await seen(asha)
    await press(asha, RULES, RULES, {**FIELDS, "seen": old})
    answer = await press(asha, RULES, RULES, {**FIELDS, "fetched": "refund", "seen": old})
    assert answer.status_code == 422
    assert "Somebody else" in answer.text
    assert (await shop.store()).keeps


async def test_where_a_counter_is_and_how_near_a_phone_has_to_be_is_set_shown_and_taken_back(
    staffed: Staffed, shop: Counter
) -> None:
    asha = await signed_in(staffed, "asha")
    typed = {**FIELDS, "arrivals": "1", "place": "48.13743, 11.57549", "here_m": "150"}
    await press(asha, RULES, RULES, {**typed, "seen": await seen(asha)})
    page = (await asha.look(RULES)).text
    assert 'value="48.13743, 11.57549"' in page
    assert re.search(r'name="here_m"[^>]*value="150"', page)
    place = "SELECT latitude || ' ' || longitude FROM counter_stores"
    assert await staffed.stage.value(place) == "48.13743 11.57549"
    for wrong, said in (
        ({"place": "Marienplatz"}, "two numbers"), ({"place": "95, 11"}, "two numbers"),
        ({"place": ""}, "two numbers"), ({"here_m": "9000"}, "too few or too many"),
        ({"here_m": "near"}, "too few or too many"),
    ):  # fmt: skip
        answer = await press(asha, RULES, RULES, {**typed, **wrong, "seen": await seen(asha)})
        assert (answer.status_code, said in answer.text) == (422, True), wrong
    await press(asha, RULES, RULES, {**FIELDS, "seen": await seen(asha)})
    assert await staffed.stage.value("SELECT here_m FROM counter_stores") is None
    assert await staffed.stage.value("SELECT latitude FROM counter_stores") is None
