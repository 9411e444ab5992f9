"""The machine's own screen over HTTP: it costs little, however many ask."""

import asyncio

import pytest
from msgspec.structs import replace

from coinslot.orders.page_views import OutletView, WhyNot
from tests.web import cast
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend

STATE = "/m/M01/screen/state"


class Counted(dict[str, OutletView]):
    """Outlets, and how often one was read."""

    reads = 0

    def get(self, code: str, default: object = None) -> OutletView | None:  # type: ignore[override]
        self.reads += 1
        return super().get(code)


async def test_a_screen_says_nothing_that_is_secret_and_is_of_no_strange_machine(
    client: Client,
) -> None:
    text = (await client.get("/m/M01/screen")).text
    assert "Lime soda" in text
    assert "secret" not in text
    assert (await client.get("/m/nosuch/screen")).status_code == 404
    assert (await client.get("/m/nosuch/screen/state")).status_code == 404
    assert "set-cookie" not in (await client.get("/m/M01/screen")).headers


async def test_many_that_ask_at_once_are_one_reading(client: Client, backend: FakeBackend) -> None:
    backend.outlets = counted = Counted(backend.outlets)
    answers = await asyncio.gather(*(client.get(STATE) for _ in range(50)))
    assert len({answer.json()["version"] for answer in answers}) == 1
    assert counted.reads <= 2


async def test_busy_with_somebodys_order_is_said(client: Client, backend: FakeBackend) -> None:
    backend.outlets["M01"] = replace(cast.M01, busy=True)
    assert (await client.get(STATE)).json()["state"] == "busy"


@pytest.mark.parametrize("why", [why for why in WhyNot if why])
async def test_each_reason_not_to_sell_has_a_title(client: Client, why: WhyNot) -> None:
    said = (await client.get(f"/m/X-{why}/screen/state?lang=hi")).json()
    assert said["state"] == why.value
    assert said["title"]
