"""The official SDK makes, finds, pays and cancels payment links at the sandbox."""

import time
from typing import Any

import httpx
import pytest
import razorpay

from tests.sandbox.running import SandboxProcess

WISH = {
    "amount": 4000,
    "currency": "INR",
    "description": "Cola",
    "reference_id": "at_1",
    "notes": {"table": "7"},
    "callback_url": "https://shop.example/thanks",
    "callback_method": "get",
}
BadRequestError = razorpay.errors.BadRequestError


def pay(sandbox: SandboxProcess, link_id: str) -> str:
    answer = httpx.post(
        f"{sandbox.base_url}/razorpay/scan", json={"payment_link_id": link_id}, timeout=10
    )
    return str(answer.raise_for_status().json()["reference"])


def test_a_link_is_made_once_for_each_reference(sdk: Any) -> None:
    made = sdk.payment_link.create(dict(WISH))
    assert made["id"].startswith("plink_")
    assert (made["status"], made["amount_paid"]) == ("created", 0)
    assert sdk.payment_link.fetch(made["id"]) == made
    assert sdk.payment_link.all({"reference_id": "at_1"}) == {"payment_links": [made]}
    assert sdk.payment_link.all({"reference_id": "at_2"}) == {"payment_links": []}
    with pytest.raises(BadRequestError, match="already exists"):
        sdk.payment_link.create(dict(WISH))


def test_a_paid_link_has_an_order_with_its_payment(sdk: Any, sandbox: SandboxProcess) -> None:
    link = sdk.payment_link.create(WISH | {"reference_id": "at_3"})
    payment = pay(sandbox, link["id"])
    paid = sdk.payment_link.fetch(link["id"])
    assert (paid["status"], paid["amount_paid"]) == ("paid", 4000)
    [found] = sdk.order.payments(paid["order_id"])["items"]
    assert (found["id"], found["captured"], found["notes"]) == (payment, True, {"table": "7"})
    assert sdk.order.fetch(paid["order_id"])["receipt"] == "at_3"
    with pytest.raises(BadRequestError, match="cannot be cancelled"):
        sdk.payment_link.cancel(link["id"])


def test_a_cancelled_link_takes_no_money(sdk: Any, sandbox: SandboxProcess) -> None:
    link = sdk.payment_link.create(WISH | {"reference_id": "at_4"})
    assert sdk.payment_link.cancel(link["id"])["status"] == "cancelled"
    with pytest.raises(httpx.HTTPStatusError):
        pay(sandbox, link["id"])


def test_what_is_not_allowed_is_refused(sdk: Any) -> None:
    for odd in ({"amount": 99}, {"currency": "USD"}, {"surprise": 1},
                {"expire_by": int(time.time()) + 60}, {"reference_id": "x" * 41}):  # fmt: skip
        with pytest.raises(BadRequestError):
            sdk.payment_link.create({**WISH, "reference_id": "at_5", **odd})


def test_a_person_can_pay_on_its_page(sdk: Any, sandbox: SandboxProcess) -> None:
    link = sdk.payment_link.create(WISH | {"reference_id": "at_6"})
    assert "40.00" in httpx.get(link["short_url"]).text
    no = httpx.post(link["short_url"], data={"outcome": "failed"})
    assert (no.status_code, "said no" in no.text) == (402, True)
    done = httpx.post(link["short_url"], data={})
    assert (done.status_code, done.headers["location"]) == (303, WISH["callback_url"])
    assert sdk.payment_link.fetch(link["id"])["status"] == "paid"
    assert httpx.post(link["short_url"], data={}).status_code == 409
