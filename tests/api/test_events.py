"""The feed of events over HTTP, for who has no public URL: nothing skipped, nobody else's."""

import asyncio

import httpx
import pytest

from coinslot.api.events import WAITING_MAX
from coinslot.events.announce import Announcer
from coinslot.merchants.keys import issue_key
from tests.api.conftest import Client
from tests.feeds.conftest import announce
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage


async def paid(api: Client, key: str, amount: int = 5000) -> str:
    made = await api.post(
        "/payments", json={"amount": amount, "currency": "INR"}, headers={"Idempotency-Key": key}
    )
    payment = str(made.json()["id"])
    await api.post(f"/payments/{payment}/confirm", json={}, headers={"Idempotency-Key": f"{key}c"})
    return payment


@pytest.fixture
def announcer(stage: Stage) -> Announcer:
    return Announcer(stage.context)


async def test_the_feed_is_read_page_by_page_and_goes_on_where_it_ended(
    api: Client, announcer: Announcer
) -> None:
    first, second = await paid(api, "a"), await paid(api, "b")
    await announce(announcer)
    page = (await api.get("/events", params={"limit": 3})).json()
    assert [event["data"]["id"] for event in page["data"]] == [first, first, second]
    rest = (await api.get("/events", params={"after": page["next"]})).json()
    assert [event["type"] for event in rest["data"]] == ["payment.succeeded"]
    end = (await api.get("/events", params={"after": rest["next"]})).json()
    assert end == {"data": [], "next": rest["next"]}
    third = await paid(api, "c")
    await announce(announcer)
    more = (await api.get("/events", params={"after": end["next"]})).json()
    assert [event["data"]["id"] for event in more["data"]] == [third, third]


async def test_an_event_shows_the_payment_as_the_api_shows_it(
    api: Client, announcer: Announcer
) -> None:
    payment = await paid(api, "a")
    await announce(announcer)
    page = (await api.get("/events", params={"types": "payment.succeeded, refund.failed"})).json()
    (event,) = page["data"]
    assert event["data"] == (await api.get(f"/payments/{payment}")).json()
    assert (await api.get(f"/events/{event['id']}")).json() == event


async def test_newest_begins_with_what_comes_from_now_on(api: Client, announcer: Announcer) -> None:
    assert (await api.get("/events", params={"after": "newest"})).json()["next"] is None
    await paid(api, "a")
    await announce(announcer)
    page = (await api.get("/events", params={"after": "newest"})).json()
    assert page["data"] == []
    assert (await api.get("/events", params={"after": page["next"]})).json()["data"] == []


async def test_who_waits_is_answered_as_soon_as_something_happens(
    api: Client, announcer: Announcer
) -> None:
    waiting = asyncio.create_task(api.get("/events", params={"wait_s": 30}))
    await asyncio.wait([waiting], timeout=0.3)
    assert not waiting.done()
    await paid(api, "a")
    await announce(announcer)
    answer = await asyncio.wait_for(waiting, 10)
    assert len(answer.json()["data"]) == 2


async def test_who_begins_with_the_newest_can_wait_too(api: Client, announcer: Announcer) -> None:
    await paid(api, "a")
    await announce(announcer)
    asked: dict[str, str | int] = {"after": "newest", "wait_s": 30}
    waiting = asyncio.create_task(api.get("/events", params=asked))
    await asyncio.wait([waiting], timeout=0.3)
    assert not waiting.done()
    second = await paid(api, "b")
    await announce(announcer)
    page = (await asyncio.wait_for(waiting, 10)).json()
    assert [event["data"]["id"] for event in page["data"]] == [second, second]


async def test_a_type_that_there_is_not_is_refused(api: Client) -> None:
    answer = await api.get("/events", params={"types": "payment.succeeded,nonsense"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unknown_type")


async def test_of_many_who_wait_at_once_those_on_top_are_answered_at_once(api: Client) -> None:
    asked: dict[str, str | int] = {"wait_s": 30}
    calls = [asyncio.create_task(api.get("/events", params=asked)) for _ in range(WAITING_MAX + 1)]
    # Which of them came last is not known: one is answered, before any has waited long enough.
    done, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    (answered,) = done
    assert answered.result().json() == {"data": [], "next": None}
    assert len(waiting) == WAITING_MAX
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_chandra_reads_nothing_of_ashas(
    api: Client, announcer: Announcer, stage: Stage
) -> None:
    await paid(api, "a")
    await announce(announcer)
    event = (await api.get("/events")).json()["data"][0]["id"]
    chandra = (await chandras_machine(stage)).merchant_id
    key = await issue_key(stage.context.db, chandra, stage.clock.now())
    api.headers["authorization"] = f"Bearer {key}"
    assert (await api.get("/events")).json() == {"data": [], "next": None}
    assert (await api.get(f"/events/{event}")).status_code == 404
    assert (await api.get("/events", params={"after": event})).status_code == 404


@pytest.mark.parametrize("name", ["evt_1", "evt_" + "0" * 32, "%00", "newest", "'", "\N{SNOWMAN}"])
async def test_an_event_that_is_not_there_is_not_found(api: Client, name: str) -> None:
    assert (await api.get(f"/events/{name}")).status_code == 404


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "wait_s=31", "wait_s=-1", "after=%00", "types=%00"]
)
async def test_a_question_that_cannot_be_read_is_400(api: Client, query: str) -> None:
    answer = await api.get(f"/events?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "bad_request"


async def test_it_takes_a_key_with_the_scope(api: Client, stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE api_keys SET scopes = '{payments:read}'")
    answer: httpx.Response = await api.get("/events")
    assert (answer.status_code, "events:read" in answer.text) == (403, True)
    api.headers.pop("authorization")
    assert (await api.get("/events")).status_code == 401
