"""What the emulated Stripe has answered survives kill -9, and what it owes goes on after it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.clock import now_s
from tests.sandbox.receiver import Receiver
from tests.sandbox.running import SandboxProcess, until

KEY = "sk_test_asha"
CHECKOUT = {
    "mode": "payment",
    "success_url": "https://shop.example",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "usd",
    "line_items[0][price_data][unit_amount]": "4000",
    "line_items[0][price_data][product_data][name]": "Cola",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def mortal(tmp_path: Path, receiver: Receiver) -> Iterator[SandboxProcess]:
    account = {
        "account_id": "acct_asha",
        "secret_key": KEY,
        "webhook_url": receiver.url,
        "webhook_secret": "whsec_asha",
        "events": ["checkout.session.completed", "checkout.session.expired"],
    }
    tempo = {"retry_base_ms": 50, "retry_cap_ms": 200, "session_shortest_s": 1}
    section = {"accounts": [account], "tempo": tempo}
    with SandboxProcess(tmp_path / "s", tmp_path / "m", stripe=section) as sandbox:
        yield sandbox


def post(sandbox: SandboxProcess, path: str, form: dict[str, Any], key: str) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    url = f"{sandbox.base_url}/stripe/v1/{path}"
    return httpx.post(url, data=form, auth=(KEY, ""), headers=headers)


def test_a_key_and_a_refused_webhook_outlive_a_kill(
    mortal: SandboxProcess, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 503
    first = post(mortal, "checkout/sessions", CHECKOUT, "k1").json()
    paid = mortal.ask("POST", "/stripe/pay", {"reference": first["id"]})["reference"]
    receiver.wait(1)
    mortal.kill()
    mortal.start()
    again = post(mortal, "checkout/sessions", CHECKOUT, "k1")
    assert again.json() == first
    receiver.answer = lambda _: 200
    seen = len(receiver.received)
    receiver.wait(seen + 1)
    (row,) = mortal.ask("GET", "/books")["stripe"]["payments"]
    assert (row["reference"], row["captured"]) == (paid, 4000)


def test_a_key_that_was_pruned_is_executed_anew(mortal: SandboxProcess) -> None:
    first = post(mortal, "checkout/sessions", CHECKOUT, "k1").json()["id"]
    mortal.config["stripe"]["tempo"]["key_life_s"] = 1
    mortal.reload()

    def another() -> bool:
        answer = post(mortal, "checkout/sessions", CHECKOUT, "k1")
        return bool(answer.json()["id"] != first)

    assert until(another)


def test_a_session_expires_by_its_time_also_after_a_kill(
    mortal: SandboxProcess, receiver: Receiver
) -> None:
    form = CHECKOUT | {"expires_at": str(now_s() + 2)}
    session = post(mortal, "checkout/sessions", form, "k1").json()
    mortal.kill()
    mortal.start()
    (told,) = receiver.wait(1)
    assert '"type":"checkout.session.expired"' in told.body
    url = f"{mortal.base_url}/stripe/v1/checkout/sessions/{session['id']}"
    assert httpx.get(url, auth=(KEY, "")).json()["status"] == "expired"
