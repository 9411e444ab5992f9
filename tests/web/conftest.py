"""The web over a FakeDesk, without a network."""

from collections.abc import AsyncIterator, Iterator

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from coinslot.kit.clock import SettableClock
from coinslot.web.routes import build
from tests.web import cast
from tests.web.fake_desk import FakeDesk
from tests.web.serving import SITE, Served

Client = AsyncTestClient[Litestar]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(cast.NOON)


@pytest.fixture
def desk() -> FakeDesk:
    desk = FakeDesk()
    desk.outlets = cast.outlets()
    desk.orders = cast.orders(cast.NOON)
    return desk


@pytest.fixture
async def client(desk: FakeDesk, clock: SettableClock) -> AsyncIterator[Client]:
    async with AsyncTestClient(build(desk, SITE, clock), raise_server_exceptions=False) as client:
        client.headers["accept"] = "text/html"
        client.follow_redirects = False
        yield client


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as served:
        yield served
