"""A merchant's server beside the demo, told by webhook and by feed: the library is the judge."""

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from coinslot.merchants.forms import empty_form
from tests import inside
from tests.scenarios.running import DemoProcess

WITHIN_S = 60


class Ear:
    """A server that takes webhooks and answers 204."""

    def __init__(self) -> None:
        self.heard: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        ear = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                ear.heard.put((dict(self.headers), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"

    def hear(self, secret: str) -> Any:
        """The next event, once the library has verified it."""
        headers, body = self.heard.get(timeout=WITHIN_S)
        return Webhook(secret).verify(body, headers)


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    threading.Thread(target=made.server.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def coinslot(demo: DemoProcess, *words: str, told: str = "") -> "subprocess.CompletedProcess[str]":
    return inside.coinslot(*words, "--data", str(demo.data), env={}, told=told)


def test_what_is_triggered_happens_and_comes_as_a_signed_webhook(
    demo: DemoProcess, ear: Ear
) -> None:
    facts = demo.facts
    headers = {
        "Authorization": f"Bearer {facts['merchants'][0]['api_key']}",
        "Idempotency-Key": uuid4().hex,
    }
    made = demo.http.post(
        f"{facts['base_url']}/webhook_endpoints", headers=headers,
        json={"url": ear.url, "types": ["payment.failed", "refund.succeeded"]},
    ).raise_for_status().json()  # fmt: skip
    for event in ("payment.failed", "refund.succeeded"):
        done = coinslot(demo, "trigger", event)
        assert (done.returncode, event in done.stdout) == (0, True), done.stderr
        heard = ear.hear(made["secret"])
        assert heard["type"] == event
        assert heard["id"] in done.stdout
        assert heard["id"] in coinslot(demo, "events", "--types", event).stdout
    demo.assert_books_are_right()


def test_a_listener_forwards_what_comes_from_then_on(demo: DemoProcess, ear: Ear) -> None:
    listening = subprocess.Popen(
        [sys.executable, "-u", "-m", "coinslot", "listen", "--forward-to", ear.url,
         "--data", str(demo.data)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert listening.stdout is not None
    secret = listening.stdout.readline().split()[-1]
    assert listening.stdout.readline().startswith("Ready")
    demo.scan("M02")
    assert ear.hear(secret)["type"] == "order.paid"
    assert ear.hear(secret)["type"] == "fulfillment.vended"
    assert ear.hear(secret)["type"] == "order.completed"
    listening.terminate()
    listening.wait(WITHIN_S)


@pytest.mark.parametrize("words", [("order.paid",), ("payment.succeeded", "--gateway", "bank")])
def test_what_cannot_be_triggered_is_said_in_one_line(
    demo: DemoProcess, words: tuple[str, ...]
) -> None:
    done = coinslot(demo, "trigger", *words)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_live_key_is_refused_before_anything_is_asked() -> None:
    env = {"COINSLOT_API_URL": "http://127.0.0.1:1", "COINSLOT_API_KEY": "sk_live_of_somebody"}
    done = inside.coinslot("trigger", "payment.succeeded", env=env)
    assert (done.returncode, "live key" in done.stderr) == (1, True)


def test_keys_are_made_listed_and_revoked_by_the_command(demo: DemoProcess) -> None:
    made = coinslot(demo, "keys", "make", "asha", "--name", "web shop", "--scopes", "payments:read")
    key = made.stdout.strip()

    def status() -> int:
        url = f"{demo.facts['base_url']}/payments"
        return demo.http.get(url, headers={"Authorization": f"Bearer {key}"}).status_code

    assert status() == 200
    shown = coinslot(demo, "keys").stdout
    assert f"{key[:12]}...  asha  payments:read  used" in shown
    assert key not in shown
    assert "too short" in coinslot(demo, "keys", "revoke", key[:8]).stderr
    assert coinslot(demo, "keys", "revoke", key[:12]).returncode == 0
    assert status() == 401
    assert coinslot(demo, "keys", "revoke", key[:12]).returncode == 1
    assert "no merchant" in coinslot(demo, "keys", "make", "nobody").stderr


def test_a_merchant_and_her_account_are_set_up_by_the_command(demo: DemoProcess) -> None:
    assert coinslot(demo, "merchants", "add", "dina", "--name", "Dina's").returncode == 0
    form = empty_form("mock").decode()
    kept = coinslot(demo, "merchants", "account", "dina", "mock", told=form)
    assert "/webhooks/mock/dina" in kept.stdout, kept.stderr
    shown = coinslot(demo, "merchants").stdout
    assert "dina  Dina's" in shown
    assert "mock/dina  test" in shown
    key = coinslot(demo, "keys", "make", "dina").stdout.strip()
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one"}
    asked = {"amount": 5000, "currency": "INR"}
    made = demo.http.post(f"{demo.facts['base_url']}/payments", json=asked, headers=headers).json()
    url = f"{demo.facts['base_url']}/payments/{made['id']}/confirm"
    paid = demo.http.post(url, json={"method": "card"}, headers=headers).json()
    assert paid["status"] == "succeeded"
    taken = coinslot(demo, "merchants", "account", "dina", "mock", "--slug", "asha", told=form)
    assert "another merchant's" in taken.stderr
