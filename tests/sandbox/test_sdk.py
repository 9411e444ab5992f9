"""The official SDK works against the sandbox as it does against Razorpay."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import razorpay

from tests.sandbox.conftest import client
from tests.sandbox.running import SandboxProcess, account

PRINTED = {
    "type": "upi_qr",
    "usage": "multiple_use",
    "fixed_amount": True,
    "payment_amount": 4000,
    "name": "M01 A1",
    "notes": {"outlet": "M01", "slot": "A1"},
}
BadRequestError = razorpay.errors.BadRequestError


def test_a_qr_code_is_made_fetched_listed_and_closed(sdk: Any) -> None:
    made = sdk.qrcode.create(dict(PRINTED))

    assert made["id"].startswith("qr_")
    assert len(made["id"]) == len("qr_") + 14
    assert made["status"] == "active"
    assert made["close_by"] is None
    assert sdk.qrcode.fetch(made["id"]) == made
    assert sdk.qrcode.all()["items"] == [made]

    closed = sdk.qrcode.close(made["id"])

    assert (closed["status"], closed["close_reason"]) == ("closed", "on_demand")
    assert closed["closed_at"] is not None
    with pytest.raises(BadRequestError, match="already closed"):
        sdk.qrcode.close(made["id"])


def test_a_scan_is_a_captured_payment_that_maps_back_to_its_qr(
    sdk: Any, sandbox: SandboxProcess
) -> None:
    qr = sdk.qrcode.create(dict(PRINTED))
    reference = sandbox.scan(qr["id"])

    payment = sdk.payment.fetch(reference)
    assert (payment["status"], payment["captured"], payment["amount"]) == ("captured", True, 4000)
    assert payment["notes"] == {"outlet": "M01", "slot": "A1"}
    assert payment["order_id"] is None
    assert sdk.qrcode.fetch_all_payments(qr["id"])["items"] == [payment]
    assert sdk.qrcode.all({"payment_id": reference})["items"][0]["id"] == qr["id"]
    assert sdk.qrcode.fetch(qr["id"])["payments_amount_received"] == 4000


def test_every_scan_of_a_reusable_qr_is_a_payment_of_its_own(
    sdk: Any, sandbox: SandboxProcess
) -> None:
    qr = sdk.qrcode.create(dict(PRINTED))
    references = [sandbox.scan(qr["id"]) for _ in range(3)]

    newest_first = [one["id"] for one in sdk.qrcode.fetch_all_payments(qr["id"])["items"]]
    assert newest_first == references[::-1]
    page = sdk.qrcode.fetch_all_payments(qr["id"], {"count": 1, "skip": 1})
    assert [one["id"] for one in page["items"]] == [references[1]]
    future = {"from": int(time.monotonic()) + 4_000_000_000}
    assert sdk.qrcode.fetch_all_payments(qr["id"], future)["items"] == []


def test_empty_notes_come_back_as_a_list_and_filled_ones_as_an_object(sdk: Any) -> None:
    bare = {name: value for name, value in PRINTED.items() if name != "notes"}

    assert sdk.qrcode.create(bare)["notes"] == []
    assert sdk.qrcode.create(dict(PRINTED))["notes"] == PRINTED["notes"]


def test_a_single_use_code_closes_when_paid_and_its_life_is_two_hours_at_most(
    sdk: Any, sandbox: SandboxProcess
) -> None:
    wanted = PRINTED | {"usage": "single_use", "close_by": 2_000_000_000}
    qr = sdk.qrcode.create(dict(wanted))

    assert qr["close_by"] == pytest.approx(qr["created_at"] + 7_200, abs=2)
    sandbox.scan(qr["id"])
    assert sdk.qrcode.fetch(qr["id"])["close_reason"] == "paid"
    refused = sandbox.http.post("/razorpay/scan", json={"qr_code_id": qr["id"]})
    assert refused.status_code == 409


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "colour is/are not required and should not be sent"),
        ({"close_by": 2_000_000_000}, "close_by is not required"),
        ({"payment_amount": None}, "payment amount field is required"),
        ({"payment_amount": "forty"}, "must be an integer"),
        ({"usage": "single_use", "fixed_amount": False, "payment_amount": None}, "single_use"),
        ({"type": "drawing"}, "selected type is invalid"),
        ({"notes": {str(n): "x" for n in range(16)}}, "15"),
        ({"notes": {"long": "x" * 257}}, "256"),
    ],
)
def test_a_wrong_field_is_refused(sdk: Any, change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequestError, match=words):
        sdk.qrcode.create(PRINTED | change)


def test_refunds_in_parts_up_to_the_captured_sum(sdk: Any, sandbox: SandboxProcess) -> None:
    reference = sandbox.scan(sdk.qrcode.create(dict(PRINTED))["id"])

    first = sdk.payment.refund(reference, {"amount": 1500, "notes": {"why": "jam"}})
    assert (first["status"], first["amount"]) == ("processed", 1500)
    assert sdk.payment.fetch(reference)["refund_status"] == "partial"
    with pytest.raises(BadRequestError, match="greater than amount captured"):
        sdk.payment.refund(reference, {"amount": 3000})
    rest = sdk.payment.refund(reference, {"amount": 2500})
    assert sdk.payment.fetch(reference)["status"] == "refunded"
    with pytest.raises(BadRequestError, match="fully refunded already"):
        sdk.payment.refund(reference, {"amount": 100})

    assert sdk.refund.fetch(first["id"]) == first
    listed = sdk.payment.fetch_multiple_refund(reference)["items"]
    assert [one["id"] for one in listed] == [rest["id"], first["id"]]
    assert sandbox.payment(reference)["refunded"] == 4000


def test_a_refund_under_one_key_happens_once(sdk: Any, sandbox: SandboxProcess) -> None:
    reference = sandbox.scan(sdk.qrcode.create(dict(PRINTED))["id"])
    headers = {"X-Refund-Idempotency": "refund-0000000001"}

    first = sdk.payment.refund(reference, {"amount": 1000}, headers=dict(headers))
    again = sdk.payment.refund(reference, {"amount": 1000}, headers=dict(headers))

    assert again["id"] == first["id"]
    assert sandbox.payment(reference)["refunded"] == 1000
    with pytest.raises(BadRequestError, match="Different request with the same idempotency key"):
        sdk.payment.refund(reference, {"amount": 1001}, headers=dict(headers))
    with pytest.raises(BadRequestError, match="at least 10"):
        sdk.payment.refund(reference, {"amount": 1000}, headers={"X-Refund-Idempotency": "short"})


def test_orders_are_found_by_their_receipt(sdk: Any, sandbox: SandboxProcess) -> None:
    order = sdk.order.create({"amount": 5000, "currency": "INR", "receipt": "R-1"})

    assert order["status"] == "created"
    assert sdk.order.all({"receipt": "R-1"})["items"] == [order]
    reference = sandbox.scan(order_id=order["id"])
    assert sdk.order.fetch(order["id"])["status"] == "paid"
    assert sdk.order.payments(order["id"])["items"][0]["id"] == reference


def test_a_merchant_sees_nothing_of_another(sdk: Any, sandbox: SandboxProcess) -> None:
    qr = sdk.qrcode.create(dict(PRINTED))
    reference = sandbox.scan(qr["id"])
    other = account(9_999)
    sandbox.ask("POST", "/razorpay/accounts", other)
    stranger = client(sandbox, other)

    looks: list[Callable[[], Any]] = [
        lambda: stranger.qrcode.fetch(qr["id"]),
        lambda: stranger.payment.fetch(reference),
        lambda: stranger.payment.refund(reference, {"amount": 4000}),
    ]
    for look in looks:
        with pytest.raises(BadRequestError, match="does not exist"):
            look()
    assert stranger.qrcode.all({"payment_id": reference})["items"] == []
