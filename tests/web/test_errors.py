"""One format for everything that goes wrong."""

import re
from datetime import datetime

import pytest
from litestar.testing import AsyncTestClient
from msgspec.structs import replace

from coinslot.app.routes import build
from coinslot.kit.clock import SettableClock
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

JSON = {"accept": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/", 405, "method_not_allowed"),
        ("GET", "/q/none", 404, "no_such_outlet"),
        ("GET", "/o/none", 404, "no_such_order"),
        ("POST", "/q/M01", 400, "bad_request"),
        ("GET", "/static/../secret", 404, "not_found"),
        ("GET", "/o/done/fragment?seen=x", 400, "bad_request"),
        ("GET", "/q/M%0001", 400, "bad_request"),
        ("GET", "/o/%00", 400, "bad_request"),
        ("POST", "/webhooks/razorpay/%00", 400, "bad_request"),
    ],
)
async def test_a_program_is_told_in_the_one_format(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path, headers=JSON)
    body = answer.json()
    assert answer.status_code == status
    assert list(body) == ["error", "success"]
    assert list(body["error"]) == ["code", "message", "details", "timestamp", "requestId"]
    assert body["error"]["code"] == code
    assert body["success"] is False
    assert body["error"]["requestId"] == answer.headers["x-request-id"]
    assert datetime.fromisoformat(body["error"]["timestamp"]).tzinfo


async def test_a_person_is_told_in_the_usual_look(client: Client) -> None:
    answer = await client.get("/nowhere?lang=ru")
    assert answer.status_code == 404
    assert "Здесь ничего нет" in answer.text
    assert answer.headers["x-request-id"] in answer.text


async def test_a_callers_request_id_is_kept_when_it_is_harmless(client: Client) -> None:
    kept = await client.get("/nowhere", headers={**JSON, "x-request-id": "abc-12345678"})
    made = await client.get("/nowhere", headers={**JSON, "x-request-id": "<script>alert"})
    assert kept.json()["error"]["requestId"] == "abc-12345678"
    assert "<" not in made.headers["x-request-id"]


async def test_a_fault_of_ours_tells_nothing_of_its_inside(
    client: Client, backend: FakeBackend
) -> None:
    backend.broken = RuntimeError("password=hunter2")
    answer = await client.get("/q/M01", headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "hunter2" not in answer.text
    page = await client.get("/q/M01")
    assert "Nothing gets paid twice" in page.text
    assert "hunter2" not in page.text


async def test_a_database_out_of_reach_is_503(client: Client, backend: FakeBackend) -> None:
    backend.broken = ConnectionRefusedError()
    answer = await client.get("/q/M01", headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")


async def test_what_is_wrong_with_a_form_is_named_without_its_value(client: Client) -> None:
    answer = await client.post("/q/M01", data={"slot": "A1", "key": "secret!"}, headers=JSON)
    assert list(answer.json()["error"]["details"]) == ["key"]
    assert "secret!" not in answer.text


async def test_searching_and_ordering_too_often_is_429(
    backend: FakeBackend, clock: SettableClock
) -> None:
    site = replace(SITE, searches_per_minute=2, orders_per_minute=1)
    async with AsyncTestClient(build(backend, site, clock)) as client:
        searches = [await client.get("/q/M01/help?amount=1&time=12:00") for _ in range(3)]
        tap = {"slot": "A1", "key": "k" * 20}
        taps = []
        for _ in range(2):
            client.cookies.clear()  # a browser that is known has the limit for itself
            taps.append(await client.post("/q/M01", data=tap, follow_redirects=False))
    assert [answer.status_code for answer in searches] == [200, 200, 429]
    assert [answer.status_code for answer in taps] == [303, 429]
    assert taps[1].json()["error"]["code"] == "too_many_requests"


@pytest.mark.parametrize("path", ["/", "/q/M01", "/o/scan", "/nowhere", "/docs", "/health"])
async def test_every_answer_lets_a_page_do_no_more_than_it_needs(client: Client, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    # The one cookie finds one's own orders; where orders are placed, and nowhere else.
    assert ("set-cookie" in headers) == (path == "/q/M01")


async def test_a_nonce_is_used_once(client: Client) -> None:
    policies = {(await client.get("/")).headers["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3


@pytest.mark.parametrize(
    ("method", "path", "ways"),
    [
        ("GET", "/q/none", {"/"}),
        ("GET", "/o/none", {"/"}),
        ("POST", "/q/M01", {"/q/M01", "/"}),
        ("PUT", "/o/done", {"/o/done", "/"}),
        ("GET", "/o/done/fragment?seen=x", {"/o/done", "/"}),
        ("GET", "/q/M%0001", {"/"}),
        ("GET", "/nowhere", {"/"}),
    ],
)
async def test_a_page_in_the_way_has_ways_out(
    backend: FakeBackend, clock: SettableClock, method: str, path: str, ways: set[str]
) -> None:
    site = replace(SITE, support="help@example.test")
    async with AsyncTestClient(
        build(backend, site, clock), raise_server_exceptions=False
    ) as client:
        answer = await client.request(method, path, headers={"accept": "text/html"})
    assert answer.status_code >= 400
    main = answer.text[answer.text.index("<main") :]
    assert set(re.findall(r'href="(/[^"]*)"', main)) == ways
    assert 'href="mailto:help@example.test"' in main


@pytest.mark.parametrize("path", ["/", "/q/M01", "/o/scan", "/q/M01/help", "/docs", "/nowhere"])
async def test_every_page_is_packed_for_who_can_unpack_it(client: Client, path: str) -> None:
    packed = await client.get(path)
    assert packed.headers["content-encoding"] == "gzip"
    plain = await client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for answer in (packed, plain):
        assert "Accept-Encoding" in answer.headers["vary"]
        assert answer.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    "path",
    ["/", "/q/M01", "/o/done", "/o/done/fragment", "/health", "/health/live", "/metrics", "/docs",
     "/openapi.json", "/nowhere", "/o/done/live", "/q/M01/help"],
)  # fmt: skip
async def test_head_says_what_get_says_without_the_body(client: Client, path: str) -> None:
    head = await client.head(path, headers=JSON)
    assert head.content == b""
    if path.endswith("/live") and path != "/health/live":
        assert (head.status_code, head.headers["cache-control"]) == (200, "no-store")
        return
    got = await client.get(path, headers=JSON)
    assert head.status_code == got.status_code
    assert head.headers["content-type"] == got.headers["content-type"]


async def test_head_changes_nothing_where_only_post_does(client: Client) -> None:
    assert (await client.head("/webhooks/mock")).status_code == 405
