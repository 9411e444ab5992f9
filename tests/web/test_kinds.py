"""Pages of an outlet of another kind: the same frame, in that kind's own words."""

from collections.abc import AsyncIterator

import pytest
from litestar.testing import AsyncTestClient
from msgspec.structs import replace

from coinslot.app.routes import build
from coinslot.kit.clock import SettableClock
from coinslot.orders.page_views import Progress
from tests.locker.fulfillment import Locker
from tests.web import cast
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE


@pytest.fixture
async def client(backend: FakeBackend, clock: SettableClock) -> AsyncIterator[Client]:
    orders = cast.orders(cast.NOON)
    backend.orders["waiting"] = replace(orders["queued"], token="waiting", kind="locker")
    backend.orders["open"] = replace(
        orders["working"], token="open", kind="locker", progress=Progress.WORKING, code="0042"
    )
    site = replace(SITE, texts={"locker": Locker.texts})
    async with AsyncTestClient(build(backend, site, clock)) as client:
        client.headers["accept"] = "text/html"
        yield client


@pytest.mark.parametrize("language", ["en", "hi", "ru"])
async def test_an_order_is_told_in_the_words_of_its_kind(client: Client, language: str) -> None:
    said = Locker.texts[language]
    assert said["queued"] in (await client.get(f"/o/waiting?lang={language}")).text
    assert said["working"] in (await client.get(f"/o/open/fragment?lang={language}")).text


async def test_a_machines_order_keeps_the_shared_words(client: Client) -> None:
    page = (await client.get("/o/queued?lang=en")).text
    assert "Paid. Waiting for the machine" in page
    assert Locker.texts["en"]["queued"] not in page


async def test_the_code_that_opens_a_door_stands_on_the_page_of_its_order_alone(
    client: Client,
) -> None:
    assert "Your code: 0042" in (await client.get("/o/open?lang=en")).text
    assert "Your code" not in (await client.get("/o/working?lang=en")).text
