"""A merchant's own server takes payments in the demo: by card, at the emulated Stripe."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.scenarios.running import DemoProcess, until


@pytest.fixture
def shop(demo: DemoProcess) -> "Server":
    return Server(demo)


class Server:
    """Asha's own server, with her API key."""

    def __init__(self, demo: DemoProcess) -> None:
        self.demo = demo
        self._key = {"Authorization": f"Bearer {demo.facts['merchants'][0]['api_key']}"}

    def post(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        headers = {**self._key, "Idempotency-Key": key or uuid4().hex}
        return self.demo.http.post(
            f"{self.demo.facts['base_url']}{path}", json=body, headers=headers
        )

    def get(self, path: str) -> Any:
        url = f"{self.demo.facts['base_url']}{path}"
        return self.demo.http.get(url, headers=self._key).raise_for_status().json()

    def made(self, amount: int) -> str:
        answer = self.post("/payments", {"amount": amount, "currency": "INR"})
        return str(answer.raise_for_status().json()["id"])

    def books(self) -> dict[str, Any]:
        """Stripe's own."""
        rows = self.demo.http.get(f"{self.demo.facts['sandbox_url']}/books").json()["stripe"]
        return {row["reference"]: row for row in rows["payments"]}


def test_a_card_is_charged_once_and_refunded_in_part(shop: Server) -> None:
    payment = shop.made(5000)
    for _ in range(3):
        answer = shop.post(f"/payments/{payment}/confirm", {"method": "pm_card_visa"}, "c")
        assert answer.json()["status"] == "succeeded"
    refund = shop.post(f"/payments/{payment}/refunds", {"amount": 1500}).json()
    until(lambda: shop.get(f"/refunds/{refund['id']}")["status"] == "succeeded", 20)
    [attempt] = shop.get(f"/payments/{payment}")["attempts"]
    theirs = shop.books()[attempt["gateway_payment_id"]]
    assert (theirs["captured"], theirs["refunded"]) == (5000, 1500)
    shop.demo.assert_books_are_right()


def test_the_payer_is_sent_to_a_page_and_the_webhook_tells(shop: Server) -> None:
    payment = shop.made(7000)
    confirmed = shop.post(f"/payments/{payment}/confirm", {}).json()
    assert confirmed["next_action"]["type"] == "redirect"
    assert shop.demo.http.get(confirmed["next_action"]["url"]).status_code == 200
    reference = confirmed["attempts"][0]["gateway_reference"]
    paid = f"{shop.demo.facts['sandbox_url']}/stripe/pay"
    shop.demo.http.post(paid, json={"reference": reference}).raise_for_status()
    until(lambda: shop.get(f"/payments/{payment}")["status"] == "succeeded", 20)
    shop.demo.assert_books_are_right()


def test_a_lost_answer_is_found_out_and_charged_once(shop: Server) -> None:
    """Answers are cut off: the same key is sent again until one comes through."""
    payment = shop.made(9000)
    shop.demo.weather(api={"drop_response": 0.8})
    try:
        answer = shop.post(f"/payments/{payment}/confirm", {"method": "pm_card_visa"})
        assert answer.json()["status"] in ("processing", "succeeded")  # never failed
    finally:
        shop.demo.weather(api={"drop_response": 0})
    until(lambda: shop.get(f"/payments/{payment}")["status"] == "succeeded", 30)
    charged = [row for row in shop.books().values() if row["captured"] == 9000]
    assert len(charged) == 1
    shop.demo.assert_books_are_right()


@pytest.mark.parametrize(
    ("amount", "first", "ends"),
    [(5000, "succeeded", "succeeded"), (5001, "failed", "failed"),
     (5002, "processing", "succeeded"), (5003, "processing", "failed")],
)  # fmt: skip
def test_at_mock_the_amount_decides(shop: Server, amount: int, first: str, ends: str) -> None:
    made = shop.post("/payments", {"amount": amount, "currency": "INR", "gateway": "mock"}).json()
    answer = shop.post(f"/payments/{made['id']}/confirm", {}).json()
    assert (answer["status"], answer["gateway"]) == (first, "mock")
    until(lambda: shop.get(f"/payments/{made['id']}")["status"] == ends, 30)
    taken = amount if ends == "succeeded" else 0
    assert shop.get(f"/payments/{made['id']}")["amount_captured"] == taken
    shop.demo.assert_books_are_right()


def test_a_payment_link_of_razorpay_is_paid_on_its_page_and_refunded(shop: Server) -> None:
    wish = {"amount": 6000, "currency": "INR", "gateway": "razorpay"}
    payment = shop.post("/payments", wish).json()["id"]
    confirmed = shop.post(f"/payments/{payment}/confirm", {}).json()
    page = confirmed["next_action"]["url"]
    assert "60.00" in shop.demo.http.get(page).text
    shop.demo.http.post(page, data={}, follow_redirects=False)
    until(lambda: shop.get(f"/payments/{payment}")["status"] == "succeeded", 20)
    refund = shop.post(f"/payments/{payment}/refunds", {}).json()
    until(lambda: shop.get(f"/refunds/{refund['id']}")["status"] == "succeeded", 20)
    shop.demo.assert_books_are_right()


def test_a_payment_link_that_is_canceled_takes_no_money(shop: Server) -> None:
    wish = {"amount": 6100, "currency": "INR", "gateway": "razorpay"}
    payment = shop.post("/payments", wish).json()["id"]
    page = shop.post(f"/payments/{payment}/confirm", {}).json()["next_action"]["url"]
    assert shop.post(f"/payments/{payment}/cancel", None).json()["status"] == "canceled"
    assert shop.demo.http.post(page, data={}).status_code == 409
    shop.demo.assert_books_are_right()


def test_everyone_of_the_demo_signs_in_with_their_role(demo: DemoProcess) -> None:
    base, members = demo.facts["base_url"], demo.facts["members"]
    for one in members:
        body = {"login": one["login"], "password": one["password"]}
        tokens = demo.http.post(f"{base}/auth/login", json=body).raise_for_status().json()
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        shown = demo.http.get(f"{base}/auth/profile", headers=bearer).json()
        assert (shown["role"], shown["tenantId"]) == (one["role"], one["merchant"])
    merchants = {one["id"]: one["name"] for one in demo.facts["merchants"]}
    roles = {(one["merchant"], one["role"]) for one in members}
    for merchant in merchants:
        for role in ("admin", "operator", "viewer", "staff"):
            assert (merchant, role) in roles
    assert (None, "installation") in roles
