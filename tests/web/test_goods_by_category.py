"""What a machine sells, by category, on the customer's page and on the machine's own screen; and
pictures behind a CDN."""

import re

import pytest
from litestar.testing import AsyncTestClient
from msgspec.structs import replace

from coinslot.app.routes import build
from coinslot.orders.page_views import ItemView
from coinslot.pictures.pictures import PictureView
from coinslot.settings import SettingsError, read
from tests.web import cast
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

SHOT = PictureView(digest="ab", width=320, height=200, widths=(160, 320))


def of(*categories: str) -> tuple[ItemView, ...]:
    """One item of each, slot by slot."""
    first = cast.MANY[0]
    return tuple(
        replace(first, slot=f"B{n}", name=f"Thing {n}", category=category, description=f"About {n}")
        for n, category in enumerate(categories)
    )


def put(backend: FakeBackend, items: tuple[ItemView, ...]) -> None:
    backend.outlets["M02"] = replace(backend.outlets["M02"], items=items)


async def test_goods_of_several_categories_stand_below_their_headings(
    client: Client, backend: FakeBackend
) -> None:
    put(backend, of("", "Drinks", "Snacks <b>", "Drinks"))
    text = (await client.get("/q/M02")).text
    found = re.findall(r'<h3 class="category">(.*?)</h3>|class="name">(.*?)</p>', text)
    assert [heading or name for heading, name in found] == [
        "Drinks", "Thing 1", "Thing 3", "Snacks &lt;b&gt;", "Thing 2", "Other", "Thing 0",
    ]  # fmt: skip
    assert "About 3" in text
    screen = (await client.get("/m/M02/screen")).text
    assert re.findall(r'class="category"[^>]*>(.*?)</th>', screen) == [
        "Drinks", "Snacks &lt;b&gt;", "Other",
    ]  # fmt: skip
    assert "About 3" in screen
    told = (await client.get("/m/M02/screen/state")).json()["items"]
    assert [(one["category"], one["name"]) for one in told] == [
        ("Drinks", "Thing 1"), ("Drinks", "Thing 3"), ("Snacks <b>", "Thing 2"),
        ("Other", "Thing 0"),
    ]  # fmt: skip


async def test_goods_of_one_category_have_no_heading(client: Client, backend: FakeBackend) -> None:
    for categories in (("Drinks", "Drinks"), ("", "")):
        put(backend, of(*categories))
        for page in ("/q/M02", "/m/M02/screen"):
            assert 'class="category"' not in (await client.get(page)).text
        told = (await client.get("/m/M02/screen/state")).json()["items"]
        assert {one["category"] for one in told} == {""}


async def test_pictures_are_of_this_site_unless_a_cdn_is_named(
    client: Client, backend: FakeBackend
) -> None:
    put(backend, tuple(replace(one, picture=SHOT) for one in of("", "")))
    assert 'src="/pictures/ab-160.webp"' in (await client.get("/q/M02")).text


async def test_a_pictures_address_begins_with_the_cdns_and_the_page_may_show_it(
    backend: FakeBackend,
) -> None:
    put(backend, tuple(replace(one, picture=SHOT) for one in of("", "")))
    site = replace(SITE, pictures_prefix="https://cdn.example/shop")
    async with AsyncTestClient(build(backend, site)) as client:
        answer = await client.get("/q/M02", headers={"accept": "text/html"})
    found = re.findall(r'[^" ]*/pictures/[^" ]*', answer.text)
    assert found
    assert all(one.startswith("https://cdn.example/shop/pictures/ab-") for one in found)
    allowed = re.search(r"img-src ([^;]*)", answer.headers["content-security-policy"])
    assert allowed is not None
    assert "https://cdn.example" in allowed[1].split()


@pytest.mark.parametrize(
    "wrong",
    ["cdn.example", "javascript:alert(1)", "https://cdn.example/a b", "https://a;x.example"],
)
def test_what_is_no_address_of_a_cdn_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="COINSLOT_PICTURES_PREFIX"):
        read({"COINSLOT_PICTURES_PREFIX": wrong})
    found = read({"COINSLOT_PICTURES_PREFIX": "https://cdn.example/"})
    assert found.pictures_url == "https://cdn.example"
    assert read({}).pictures_url == ""
