"""Webhooks pass through untouched."""

import pytest

from coinslot.pages.site import WEBHOOK_MAX_BYTES
from coinslot.payments.gateway_webhooks import WebhookAnswer
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend

RAW = b'{"b": 1,  "a": "\xe2\x82\xb9"}\n'


@pytest.mark.parametrize(("path", "account"), [("razorpay", None), ("razorpay/acc_1", "acc_1")])
async def test_the_raw_body_and_its_headers_reach_the_heart(
    client: Client, backend: FakeBackend, path: str, account: str | None
) -> None:
    answer = await client.post(
        f"/webhooks/{path}",
        content=RAW,
        headers={"X-Razorpay-Signature": "abc", "content-type": "application/json"},
    )
    gateway, named, headers, body = backend.webhooks[0]
    assert (gateway, named, body) == ("razorpay", account, RAW)
    assert headers["x-razorpay-signature"] == "abc"
    assert answer.status_code == 200
    assert answer.json() == {"code": "taken", "message": "Kept.", "success": True}


@pytest.mark.parametrize("status", [400, 401, 404, 503])
async def test_a_refusal_is_in_the_one_format(
    client: Client, backend: FakeBackend, status: int
) -> None:
    backend.answer = WebhookAnswer(status=status, code="bad_signature", message="Not signed by it.")
    answer = await client.post(
        "/webhooks/razorpay", content=RAW, headers={"accept": "application/json"}
    )
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == "bad_signature"


async def test_a_body_that_is_not_json_is_the_hearts_to_judge(
    client: Client, backend: FakeBackend
) -> None:
    await client.post("/webhooks/razorpay", content=b"\xff\x00", headers={"content-type": "x/y"})
    assert backend.webhooks[0][3] == b"\xff\x00"


async def test_a_body_over_the_limit_is_not_even_read(client: Client, backend: FakeBackend) -> None:
    headers = {"accept": "application/json"}
    fits = await client.post("/webhooks/razorpay", content=b"x" * WEBHOOK_MAX_BYTES)
    over = await client.post(
        "/webhooks/razorpay", content=b"x" * (WEBHOOK_MAX_BYTES + 1), headers=headers
    )
    assert fits.status_code == 200
    assert (over.status_code, over.json()["error"]["code"]) == (413, "too_large")
    assert len(backend.webhooks) == 1


@pytest.mark.parametrize(
    "header",
    ["Coinslot-Peer", "X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP"],
)
async def test_the_address_of_the_sender_is_ours_to_say(
    client: Client, backend: FakeBackend, header: str
) -> None:
    await client.post("/webhooks/yookassa", content=b"{}", headers={header: "203.0.113.9"})
    assert backend.webhooks[-1][2]["coinslot-peer"] == "testclient"


async def test_a_forwarded_address_is_no_peer(client: Client, backend: FakeBackend) -> None:
    forwarded = {"Forwarded": "for=203.0.113.9;proto=https"}
    await client.post("/webhooks/yookassa", content=b"{}", headers=forwarded)
    assert backend.webhooks[-1][2]["coinslot-peer"] == "testclient"


async def test_a_gateway_that_insists_on_a_text_gets_it_and_nothing_else(
    client: Client, backend: FakeBackend
) -> None:
    backend.answer = WebhookAnswer(status=200, code="taken", message="taken", text="OK")
    answer = await client.post("/webhooks/tbank", content=b"{}")
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert answer.headers["content-type"].startswith("text/plain")
