"""Whose page it is: the merchant's name and colours first, ours last, under the strict policy."""

import re

import pytest
from msgspec.structs import replace

from coinslot.orders.page_views import BrandView
from coinslot.pages import colours
from tests.web import cast
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend

CHAI = BrandView(
    name="Chai <b>& Cans", colour="#ffee00", ground="#101080", nothing_out="help@asha.example"
)


@pytest.fixture
def branded(backend: FakeBackend) -> FakeBackend:
    backend.outlets["M01"] = replace(cast.M01, brand=CHAI)
    backend.orders = {token: replace(order, brand=CHAI) for token, order in backend.orders.items()}
    return backend


PLACES = ("/q/M01", "/q/M01/help", "/o/preparing", "/o/scan", "/o/done")


@pytest.mark.parametrize("place", PLACES)
async def test_the_merchants_name_stands_first_and_ours_last(
    client: Client, branded: FakeBackend, place: str
) -> None:
    text = (await client.get(place)).text
    body = text[text.index("<body") :]
    assert "Chai &lt;b&gt;&amp; Cans" in body[: body.index("</header>")]
    assert body.count("Coinslot") == 1
    assert body.index("Payments by Coinslot") > body.index("</main>")


@pytest.mark.parametrize("place", PLACES)
async def test_its_colours_stand_in_the_one_style_that_the_policy_lets_pass(
    client: Client, branded: FakeBackend, place: str
) -> None:
    answer = await client.get(place)
    (nonce, style) = re.findall(r'<style nonce="([^"]+)">(.*?)</style>', answer.text, re.DOTALL)[0]
    assert f"'nonce-{nonce}'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert style.endswith(colours.palette("#ffee00", "#101080").css())
    assert "style=" not in answer.text


@pytest.mark.parametrize("place", ["/q/M01", "/q/M01/help", "/o/done"])
async def test_where_to_write_when_nothing_came_out_is_a_link(
    client: Client, branded: FakeBackend, place: str
) -> None:
    text = (await client.get(place)).text
    assert 'href="mailto:help@asha.example"' in text


async def test_without_a_brand_the_page_has_the_merchants_name_and_our_colours(
    client: Client,
) -> None:
    text = (await client.get("/q/M01")).text
    assert "Asha Snacks" in text[: text.index("</header>")]
    assert "--band:" not in text
    assert 'class="top"' in text


async def test_a_page_of_no_merchant_is_ours(client: Client) -> None:
    text = (await client.get("/")).text
    assert "Coinslot" in text[: text.index("</header>")]


async def test_a_picture_has_its_size_and_several_widths_and_the_page_does_not_need_it(
    client: Client,
) -> None:
    text = (await client.get("/q/M02")).text
    (shot,) = re.findall(r'<img class="shot"[^>]*>', text)
    assert 'width="640" height="640"' in shot
    assert [one.split(" ")[1] for one in re.findall(r'srcset="([^"]+)"', shot)[0].split(", ")] == [
        "160w", "320w", "640w",
    ]  # fmt: skip
    assert 'alt=""' in shot  # its name stands beside it: without the picture nothing is missing
    assert "Thick, with cardamom" in text


async def test_an_item_has_its_name_in_the_customers_language(client: Client) -> None:
    assert "आम की लस्सी" in (await client.get("/q/M02?lang=hi")).text
    assert "Mango lassi" in (await client.get("/q/M02?lang=ru")).text


@pytest.mark.parametrize("place", ["/q/M01", "/q/M01/help", "/o/done"])
@pytest.mark.parametrize(
    ("wanted", "shown"), [("ru", "hi"), ("en-GB,ru;q=0.9", "en"), ("hi", "hi"), ("", "hi")]
)
async def test_a_phone_gets_one_of_the_merchants_languages(
    client: Client, backend: FakeBackend, place: str, wanted: str, shown: str
) -> None:
    ours = replace(CHAI, languages=("hi", "en"))
    backend.outlets["M01"] = replace(cast.M01, brand=ours)
    backend.orders = {token: replace(order, brand=ours) for token, order in backend.orders.items()}
    text = (await client.get(place, headers={"accept-language": wanted})).text
    assert f'<html lang="{shown}"' in text
    assert re.findall(r'hreflang="(..)"', text) == ["hi", "en"]
    asked = (await client.get(f"{place}?lang=ru", headers={"accept-language": wanted})).text
    assert f'<html lang="{shown}"' in asked
