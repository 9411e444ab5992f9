"""What is done to one endpoint happens to no other, and everything a merchant said of it stays."""

from collections.abc import AsyncIterator

import pytest

from tests.api.conftest import Client
from tests.api.test_webhook_endpoints import api as api
from tests.api.test_webhook_endpoints import delivered, endpoint, key
from tests.feeds.receiver import Receiver, receiving
from tests.sales.stage import Stage


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


async def asked(api: Client, made: str) -> int:
    return (await api.post(f"/webhook_endpoints/{made}/test", headers=key())).status_code


async def test_tests_of_one_endpoint_leave_room_for_those_of_another(
    api: Client, receiver: Receiver
) -> None:
    one, other = [(await endpoint(api, receiver.url))["id"] for _ in range(2)]
    assert [await asked(api, one) for _ in range(10)] == [202] * 10
    assert await asked(api, one) == 422
    assert [await asked(api, other) for _ in range(10)] == [202] * 10


async def test_tests_that_were_delivered_take_up_no_room(
    api: Client, receiver: Receiver, stage: Stage
) -> None:
    one = (await endpoint(api, receiver.url))["id"]
    for _ in range(10):
        assert await asked(api, one) == 202
    while await delivered(stage):
        pass
    assert await asked(api, one) == 202


async def test_a_change_of_one_part_leaves_the_others(api: Client) -> None:
    made = await endpoint(api, "https://shop.example/hooks", "payment.succeeded")
    place = f"/webhook_endpoints/{made['id']}"
    assert (await api.patch(place, json={"description": "the till"})).status_code == 200
    for change in ({"types": ["refund.failed"]}, {"url": "https://shop.example/other"},
                   {"status": "paused"}):  # fmt: skip
        assert (await api.patch(place, json=change)).status_code == 200
    shown = (await api.get(place)).json()
    assert (shown["description"], shown["types"]) == ("the till", ["refund.failed"])
    assert (shown["url"], shown["status"]) == ("https://shop.example/other", "paused")


@pytest.mark.parametrize("verb", ["rotate", "test"])
async def test_a_removed_endpoint_is_neither_tested_nor_given_a_secret(
    api: Client, verb: str
) -> None:
    made = await endpoint(api, "https://shop.example/hooks")
    assert (await api.delete(f"/webhook_endpoints/{made['id']}")).status_code == 204
    answer = await api.post(f"/webhook_endpoints/{made['id']}/{verb}", headers=key())
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"types": ["payment.succeeded"] * 51},
        {"types": ["x" * 65]},
        {"url": "https://shop.example/hooks", "tpyes": []},
    ],
)
async def test_a_wish_beyond_its_bounds_or_misspelt_is_refused(
    api: Client, body: dict[str, object]
) -> None:
    wish = {"url": "https://shop.example/hooks", **body}
    answer = await api.post("/webhook_endpoints", json=wish, headers=key())
    assert answer.status_code == 400


async def test_what_is_said_when_an_endpoint_is_made_is_shown(api: Client) -> None:
    wish = {"url": "https://shop.example/hooks", "description": "the till", "types": []}
    made = (await api.post("/webhook_endpoints", json=wish, headers=key())).json()
    shown = (await api.get(f"/webhook_endpoints/{made['id']}")).json()
    assert (shown["url"], shown["description"]) == (wish["url"], "the till")
    assert (shown["types"], shown["status"]) == ([], "enabled")
