"""The web over a FakeDesk, without a network."""

from collections.abc import AsyncIterator, Iterator

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from coinslot.kit.clock import SettableClock
from tests.kept_app import lent
from tests.web import cast
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE, Served

Client = AsyncTestClient[Litestar]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(cast.NOON)


@pytest.fixture
def backend() -> FakeBackend:
    backend = FakeBackend()
    backend.outlets = cast.outlets()
    backend.orders = cast.orders(cast.NOON)
    return backend


@pytest.fixture
async def client(backend: FakeBackend, clock: SettableClock) -> AsyncIterator[Client]:
    async with AsyncTestClient(lent(backend, SITE, clock), raise_server_exceptions=False) as client:
        client.headers["accept"] = "text/html"
        client.follow_redirects = False
        yield client


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as served:
        yield served
