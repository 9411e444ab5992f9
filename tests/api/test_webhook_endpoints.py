"""Webhooks over the API: endpoints, secrets shown once, deliveries looked at and sent again."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from coinslot.events.announce import Announcer
from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.kit.ids import token
from coinslot.merchants.keys import issue_key
from tests.api.conftest import Client
from tests.api.test_events import paid
from tests.feeds.conftest import RULES, announce
from tests.feeds.receiver import Receiver, receiving
from tests.kept_app import lent_app
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage


@pytest.fixture
async def api(api: Client, stage: Stage) -> Client:
    """The same, where webhooks may go to this computer."""
    app: Any = lent_app(stage, hooks=RULES)
    wire = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=wire, base_url=api.base_url, headers=api.headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


def key(text: str = "") -> dict[str, str]:
    return {"Idempotency-Key": text or token()}


async def endpoint(api: Client, url: str, *types: str) -> dict[str, Any]:
    made = await api.post(
        "/webhook_endpoints", json={"url": url, "types": list(types)}, headers=key()
    )
    assert made.status_code == 201, made.text
    return dict(made.json())


async def delivered(stage: Stage) -> int:
    await announce(Announcer(stage.context))
    return await WebhookSender(stage.context, RULES).deliver_due()


async def test_a_secret_is_shown_when_it_is_made_and_rests_sealed(
    api: Client, stage: Stage
) -> None:
    body = {"url": "https://shop.example/hooks", "types": ["payment.succeeded"]}
    made = await api.post("/webhook_endpoints", json=body, headers=key("k"))
    again = await api.post("/webhook_endpoints", json=body, headers=key("k"))
    secret = made.json()["secret"]
    assert secret.startswith("whsec_")
    assert again.json() == made.json()  # who asks again never had the answer
    assert again.headers["idempotency-replayed"] == "true"
    place = f"/webhook_endpoints/{made.json()['id']}"
    assert (await api.get(place)).json()["secret"] is None
    assert [e["secret"] for e in (await api.get("/webhook_endpoints")).json()["data"]] == [None]
    kept = await stage.value(
        "SELECT (SELECT string_agg(k::text, '') FROM idempotency_keys k)"
        " || (SELECT string_agg(e::text, '') FROM webhook_endpoints e)"
    )
    assert secret not in kept
    assert secret.removeprefix("whsec_") not in kept


async def test_a_rotated_secret_is_no_longer_told_to_who_asks_again_for_the_first(
    api: Client, stage: Stage
) -> None:
    body = {"url": "https://shop.example/hooks"}
    made = (await api.post("/webhook_endpoints", json=body, headers=key("k"))).json()
    place = f"/webhook_endpoints/{made['id']}/rotate_secret"
    stage.later(1)
    rotated = (await api.post(place, headers=key())).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_until"] == "2026-11-22T12:00:01Z"
    again = await api.post("/webhook_endpoints", json=body, headers=key("k"))
    assert again.json()["secret"] is None


async def test_an_endpoint_is_changed_paused_and_removed(
    api: Client, receiver: Receiver, stage: Stage
) -> None:
    made = await endpoint(api, receiver.url)
    place = f"/webhook_endpoints/{made['id']}"
    changed = await api.patch(place, json={"types": ["refund.failed"], "status": "paused"})
    assert (changed.json()["types"], changed.json()["status"]) == (["refund.failed"], "paused")
    assert (await api.patch(place, json={"types": []})).json()["status"] == "paused"
    await paid(api, "a")
    assert await delivered(stage) == 0
    assert (await api.delete(place)).status_code == 204
    assert (await api.delete(place)).status_code == 404
    assert (await api.get(place)).status_code == 404
    page = (await api.get("/webhook_deliveries")).json()["data"]
    assert [row["status"] for row in page] == ["withdrawn"] * 2


async def test_a_test_goes_to_the_one_endpoint_whatever_its_types(
    api: Client, receiver: Receiver, stage: Stage
) -> None:
    made = await endpoint(api, receiver.url, "refund.failed")
    await endpoint(api, receiver.url)
    answer = await api.post(f"/webhook_endpoints/{made['id']}/test", headers=key())
    assert answer.status_code == 202
    assert await delivered(stage) == 1
    event = receiver.got[0].verify(made["secret"], stage.clock.now())
    assert (event["type"], event["data"]) == ("webhook.test", {"endpoint": made["id"]})


async def test_a_delivery_shows_each_try_and_is_sent_again_with_the_same_id(
    api: Client, receiver: Receiver, stage: Stage
) -> None:
    await endpoint(api, receiver.url, "payment.succeeded")
    receiver.answers_with(500)
    await paid(api, "a")
    await delivered(stage)
    (waiting,) = (await api.get("/webhook_deliveries?status=pending")).json()["data"]
    assert (waiting["tries"], waiting["next_try_at"]) == (1, "2026-11-21T12:00:05Z")
    place = f"/webhook_deliveries/{waiting['id']}"
    again = await api.post(f"{place}/redeliver", headers=key())
    assert again.status_code == 202
    await delivered(stage)
    found = (await api.get(place)).json()
    assert found["status"] == "delivered"
    assert [(row["number"], row["status"]) for row in found["log"]] == [(1, 500), (2, 204)]
    await api.post(f"{place}/redeliver", headers=key())
    await delivered(stage)
    assert len({got.id for got in receiver.got}) == 1
    assert len(receiver.got) == 3


async def test_a_range_is_replayed_also_for_an_endpoint_that_is_younger_than_its_events(
    api: Client, receiver: Receiver, stage: Stage
) -> None:
    await paid(api, "before")
    stage.later(100)
    first = await paid(api, "a")
    stage.later(100)
    await paid(api, "after")
    await delivered(stage)
    made = await endpoint(api, receiver.url, "payment.succeeded")
    place = f"/webhook_endpoints/{made['id']}/replay"
    span = {"since": "2026-11-21T12:01:00Z", "until": "2026-11-21T12:03:00Z"}
    answer = await api.post(place, json=span, headers=key())
    assert (answer.status_code, answer.json()) == (202, {"deliveries": 1})
    await delivered(stage)
    assert [got.event["data"]["id"] for got in receiver.got] == [first]
    answer = await api.post(place, json={**span, "types": ["payment.processing"]}, headers=key())
    assert answer.json() == {"deliveries": 1}
    await delivered(stage)
    assert receiver.types == ["payment.succeeded", "payment.processing"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "bad_request"),
        ({"url": "https://a.example", "types": ["payment.paid"]}, 422, "unknown_type"),
        ({"url": "ftp://a.example"}, 422, "bad_url"),
        ({"url": "https://user:word@a.example/"}, 422, "bad_url"),
        ({"url": "https:///nowhere"}, 422, "bad_url"),
        ({"url": "https://a.example:port/"}, 422, "bad_url"),
        ({"url": "https://a.example/ x"}, 422, "bad_url"),
        ({"url": "https://a.example", "more": 1}, 400, "bad_request"),
        ({"url": "https://a.example", "description": "\0"}, 400, "bad_request"),
        ({"url": "https://a.example", "description": 1}, 400, "bad_request"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused(
    api: Client, body: dict[str, object], status: int, code: str
) -> None:
    answer = await api.post("/webhook_endpoints", json=body, headers=key())
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_post_without_a_key_is_refused_and_a_key_for_another_body_too(
    api: Client,
) -> None:
    body = {"url": "https://a.example"}
    assert (await api.post("/webhook_endpoints", json=body)).status_code == 400
    assert (await api.post("/webhook_endpoints", json=body, headers=key("k"))).status_code == 201
    other = await api.post(
        "/webhook_endpoints", json={"url": "https://b.example"}, headers=key("k")
    )
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "span",
    [
        {"since": "2026-11-21T12:00:00Z", "until": "2026-11-21T12:00:00Z"},
        {"since": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-14:00"},
    ],
)
async def test_a_range_that_holds_nothing_is_refused(api: Client, span: dict[str, str]) -> None:
    made = await endpoint(api, "https://a.example")
    answer = await api.post(f"/webhook_endpoints/{made['id']}/replay", json=span, headers=key())
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_range")
    wanted = {**span, "types": ["nonsense"]}
    answer = await api.post(f"/webhook_endpoints/{made['id']}/replay", json=wanted, headers=key())
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unknown_type")


async def test_chandra_sees_and_touches_nothing_of_ashas(
    api: Client, receiver: Receiver, stage: Stage
) -> None:
    made = await endpoint(api, receiver.url)
    await paid(api, "a")
    await delivered(stage)
    delivery = (await api.get("/webhook_deliveries")).json()["data"][0]["id"]
    chandra = (await chandras_machine(stage)).merchant_id
    strange = await issue_key(stage.context.db, chandra, stage.clock.now())
    api.headers["authorization"] = f"Bearer {strange}"
    assert (await api.get("/webhook_endpoints")).json() == {"data": []}
    assert (await api.get("/webhook_deliveries")).json() == {"data": [], "next": None}
    place = f"/webhook_endpoints/{made['id']}"
    span = {"since": "2026-11-21T12:00:00Z", "until": "2026-11-22T12:00:00Z"}
    answers = [
        await api.get(place), await api.patch(place, json={"status": "paused"}),
        await api.delete(place), await api.post(f"{place}/test", headers=key()),
        await api.post(f"{place}/rotate_secret", headers=key()),
        await api.post(f"{place}/replay", json=span, headers=key()),
        await api.get(f"/webhook_deliveries/{delivery}"),
        await api.post(f"/webhook_deliveries/{delivery}/redeliver", headers=key()),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404] * 8


async def test_a_page_of_deliveries_begins_behind_the_one_that_is_named(
    api: Client, receiver: Receiver, stage: Stage
) -> None:
    await endpoint(api, receiver.url, "payment.succeeded")
    for name in "abc":
        await paid(api, name)
    await delivered(stage)
    whole = (await api.get("/webhook_deliveries")).json()["data"]
    first = (await api.get("/webhook_deliveries?limit=2")).json()
    assert first == {"data": whole[:2], "next": whole[1]["id"]}
    second = (await api.get(f"/webhook_deliveries?limit=2&after={first['next']}")).json()
    assert second == {"data": whole[2:], "next": None}
    assert len(whole) == 3
