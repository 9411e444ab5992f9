"""The weather does what it says, and does the same again under the same seed."""

import base64
import json
import threading
from typing import Any

import httpx
import pytest
import razorpay
import requests

from tests.sandbox.receiver import Receiver
from tests.sandbox.running import SandboxProcess, until
from tests.sandbox.test_sdk import PRINTED

SHARES = {"lose": 0.3, "repeat": 0.3, "reorder": 0.3, "forge": 0.3}


def test_the_forecast_is_merged_and_read_back(sandbox: SandboxProcess) -> None:
    sandbox.weather(webhooks={"lose": 0.5}, seed=7)
    sandbox.weather(api={"latency_ms": 1})

    read = sandbox.ask("GET", "/weather")
    assert read["webhooks"]["lose"] == 0.5
    assert read["api"]["latency_ms"] == 1
    assert read["seed"] == 7
    for wrong in ({"webhooks": {"lose": 2}}, {"api": {"hail": 1}}, {"snow": True}):
        assert sandbox.http.post("/weather", json=wrong).status_code == 400
    assert sandbox.ask("GET", "/weather") == read


def test_the_same_seed_makes_the_same_weather(
    sandbox: SandboxProcess, foreign: dict[str, Any]
) -> None:
    def planned(seed: int) -> list[tuple[str, bool]]:
        """What the weather makes of forty events: the kind of each delivery, and whether lost."""
        sandbox.weather(webhooks=SHARES, seed=seed)
        references = {sandbox.scan(**foreign) for _ in range(40)}
        rows = [row for row in sandbox.deliveries() if row["reference"] in references]
        return [(row["kind"], row["state"] == "lost") for row in rows]

    first = planned(seed=3)
    assert planned(seed=3) == first
    assert planned(seed=4) != first
    assert 4 <= sum(lost for _, lost in first) <= 20


def test_a_lost_webhook_never_comes_but_can_be_replayed(
    sandbox: SandboxProcess, receiver: Receiver, foreign: dict[str, Any]
) -> None:
    sandbox.weather(webhooks={"lose": 1})
    reference = sandbox.scan(**foreign)
    assert sandbox.deliveries(reference=reference)[0]["state"] == "lost"
    sandbox.weather(webhooks={"lose": 0})
    sandbox.ask("POST", "/razorpay/resend", {"reference": reference})

    assert len(receiver.wait(1)) == 1


def test_a_repeated_webhook_comes_twice_under_one_id(
    sandbox: SandboxProcess, receiver: Receiver, foreign: dict[str, Any]
) -> None:
    sandbox.weather(webhooks={"repeat": 1})
    sandbox.scan(**foreign)

    assert len({(one.event_id, one.body) for one in receiver.wait(2)}) == 1


def test_a_forged_copy_has_another_body_and_the_sdk_refuses_it(
    sdk: Any,
    sandbox: SandboxProcess,
    receiver: Receiver,
    foreign: dict[str, Any],
    shop: dict[str, Any],
) -> None:
    sandbox.weather(webhooks={"forge": 1})
    sandbox.scan(**foreign)
    came = receiver.wait(2)

    amounts = {json.loads(one.body)["payload"]["payment"]["entity"]["amount"] for one in came}
    assert len(amounts) == 2
    forged = next(one for one in came if '"amount":4000,' not in one.body)
    with pytest.raises(razorpay.errors.SignatureVerificationError):
        sdk.utility.verify_webhook_signature(forged.body, forged.signature, shop["webhook_secret"])


def test_reordered_webhooks_are_overtaken_by_later_ones(
    sandbox: SandboxProcess, receiver: Receiver, foreign: dict[str, Any]
) -> None:
    sandbox.weather(webhooks={"reorder": 0.5}, seed=1)
    sent = [sandbox.scan(**foreign) for _ in range(12)]
    came = receiver.wait(12)

    order = [json.loads(one.body)["payload"]["payment"]["entity"]["id"] for one in came]
    assert sorted(order) == sorted(sent)
    assert order != sent


def test_held_webhooks_all_come_when_the_hold_ends(
    sandbox: SandboxProcess, receiver: Receiver, foreign: dict[str, Any]
) -> None:
    sandbox.weather(webhooks={"hold": True})
    for _ in range(3):
        sandbox.scan(**foreign)
    account_id = foreign["account_id"]
    assert len(sandbox.deliveries(state="pending", account_id=account_id)) == 3
    assert receiver.received == []
    sandbox.weather(webhooks={"hold": False})

    receiver.wait(3)


def test_half_of_the_server_errors_come_after_the_effect(
    sandbox: SandboxProcess, keys: tuple[str, str]
) -> None:
    sandbox.weather(api={"error_5xx": 1}, seed=1)
    url = f"{sandbox.base_url}/razorpay/v1/orders"
    statuses = [
        httpx.post(url, auth=keys, json={"amount": 100 + n, "currency": "INR"}).status_code
        for n in range(20)
    ]
    sandbox.weather(api={"error_5xx": 0})

    made = httpx.get(url, auth=keys, params={"count": 100}).json()["count"]
    assert all(status >= 500 for status in statuses)
    assert 5 <= made <= 15


def test_a_dropped_response_leaves_the_effect_and_no_answer(
    sdk: Any, sandbox: SandboxProcess
) -> None:
    reference = sandbox.scan(sdk.qrcode.create(dict(PRINTED))["id"])
    sandbox.weather(api={"drop_response": 1})
    headers = {"X-Refund-Idempotency": "refund-0000000001"}
    with pytest.raises(requests.exceptions.ConnectionError):
        sdk.payment.refund(reference, {"amount": 4000}, headers=dict(headers))
    sandbox.weather(api={"drop_response": 0})

    assert sandbox.payment(reference)["refunded"] == 4000
    again = sdk.payment.refund(reference, {"amount": 4000}, headers=dict(headers))
    assert sdk.payment.fetch_multiple_refund(reference)["items"][0]["id"] == again["id"]


def test_a_refund_that_fails_later_can_be_made_again(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    reference = sandbox.scan(sdk.qrcode.create(dict(PRINTED))["id"])
    sandbox.weather(api={"refund_fails_later": 1})
    refund = sdk.payment.refund(reference, {})

    assert refund["status"] == "pending"
    until(lambda: sdk.refund.fetch(refund["id"])["status"] == "failed")
    until(lambda: any('"refund.failed"' in one.body for one in receiver.received))
    assert sdk.payment.fetch(reference)["status"] == "captured"
    assert sandbox.payment(reference)["refunded"] == 0
    sandbox.weather(api={"refund_fails_later": 0})
    assert sdk.payment.refund(reference, {})["status"] == "processed"
    assert sandbox.payment(reference)["refunded"] == 4000


def test_a_key_that_is_being_worked_on_answers_409(
    sandbox: SandboxProcess, foreign: dict[str, Any], keys: tuple[str, str]
) -> None:
    reference = sandbox.scan(**foreign)
    sandbox.weather(api={"latency_ms": 400})
    together = threading.Barrier(2)
    statuses: list[int] = []

    def ask() -> None:
        together.wait()
        answer = httpx.post(
            f"{sandbox.base_url}/razorpay/v1/payments/{reference}/refund",
            auth=keys,
            json={"amount": 1000},
            headers={"X-Refund-Idempotency": "refund-0000000001"},
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]
    assert sandbox.payment(reference)["refunded"] == 1000


def test_an_empty_balance_refuses_refunds_until_it_is_filled(
    sdk: Any, sandbox: SandboxProcess, foreign: dict[str, Any]
) -> None:
    reference = sandbox.scan(**foreign)
    balance = {"account_id": foreign["account_id"], "amount": 0}
    sandbox.ask("POST", "/razorpay/balance", balance)
    with pytest.raises(razorpay.errors.BadRequestError, match="enough balance"):
        sdk.payment.refund(reference, {})
    sandbox.ask("POST", "/razorpay/balance", balance | {"amount": 4000})

    assert sdk.payment.refund(reference, {})["amount"] == 4000


def test_a_wrong_key_is_401_and_an_unknown_url_404(
    sandbox: SandboxProcess, keys: tuple[str, str]
) -> None:
    url = f"{sandbox.base_url}/razorpay/v1"
    refused = httpx.get(f"{url}/payments", auth=(keys[0], "wrong"))
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "BAD_REQUEST_ERROR"
    assert httpx.get(f"{url}/payments").status_code == 401
    assert httpx.get(f"{url}/cars", auth=keys).status_code == 404
    packed = base64.b64encode(":".join(keys).encode()).decode()
    lower = {"Authorization": f"basic {packed}"}
    assert httpx.get(f"{url}/payments", headers=lower).status_code == 401
    unreadable = httpx.post(f"{url}/orders", auth=keys, content=b"{")
    assert unreadable.status_code == 400
