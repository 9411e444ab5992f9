"""Each node whole, as the first system wrote it: every field, of rows that differ in one thing."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from coinslot.events.mirror import document
from coinslot.events.mirror.document import BRANCHES, Nodes, instant
from coinslot.events.mirror.firebase import Address, FirebaseAddressError, address, key
from tests.sales.by_hand import NOW

ASHA, ORDER = UUID(int=1), UUID(int=2)
SECOND = timedelta(seconds=1)
TWENTY = timedelta(seconds=20)
AN_ORDER: dict[str, Any] = {
    "id": ORDER, "merchant_id": ASHA, "outlet_id": "M01", "amount_minor": 4000, "currency": "INR",
    "gateway": "razorpay", "gateway_payment_id": "pay_1", "source": "qr", "qr_code_id": "qr_1",
    "paid_at": NOW, "state": "paid", "waits": True, "placed_at": NOW - SECOND,
    "updated_at": NOW + SECOND, "failure_code": "JAM", "seen_version": 7,
}  # fmt: skip
ITS_NODE = {
    "merchantId": str(ASHA), "machineId": "M01", "amount": 4000, "currency": "INR",
    "razorpayPaymentId": "pay_1", "source": "qr", "provider": "razorpay",
    "providerPaymentId": "pay_1", "providerQrCodeId": "qr_1", "paidAt": "2026-11-21T12:00:00.000Z",
    "dispatchPending": True, "status": "PAID", "createdAt": "2026-11-21T11:59:59.000Z",
    "updatedAt": "2026-11-21T12:00:01.000Z", "failureCode": "JAM", "version": 7,
}  # fmt: skip
A_PAYMENT: dict[str, Any] = {
    "merchant_id": ASHA, "gateway": "razorpay", "gateway_payment_id": "pay.1", "reason": None,
    "outlet_id": "M01", "order_id": ORDER, "payment_id": None, "units": ["fulfilled"],
    "refunds": ["owed"], "seen_at": NOW, "foreign_amount": 0,
}  # fmt: skip
PAID = {
    "merchantId": str(ASHA), "provider": "razorpay", "status": "PROCESSED", "machineId": "M01",
    "orderId": str(ORDER), "dispatch": "SUCCESS", "refundStatus": "OWED",
    "processedAt": "2026-11-21T12:00:00.000Z",
}  # fmt: skip
A_MACHINE: dict[str, Any] = {
    "id": "M/1", "merchant_id": ASHA, "last_seen_at": NOW, "decommissioned_at": None, "busy": False,
    "gateway": "razorpay", "qr_code_id": "qr_1", "image_url": "https://i", "short_url": "https://s",
    "amount_minor": 4000,
}  # fmt: skip
PROFILE = {
    "provider": "razorpay", "qrCodeId": "qr_1", "qrImageUrl": "https://i",
    "qrShortUrl": "https://s", "fixedAmountPaise": 4000,
}  # fmt: skip
THERE = {
    "merchantId": str(ASHA), "status": "IDLE", "lastSeenAt": "2026-11-21T12:00:00.000Z",
    "socketConnected": True, "paymentProfile": PROFILE,
}  # fmt: skip


def without(node: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name not in names} | more


@pytest.mark.parametrize(
    ("given", "node"),
    [
        ({}, ITS_NODE),
        ({"gateway": "stripe"}, without(ITS_NODE, "razorpayPaymentId", provider="stripe")),
        ({"gateway": "razorpay", "gateway_payment_id": None},
         without(ITS_NODE, "razorpayPaymentId", "providerPaymentId")),
        ({"gateway": None, "gateway_payment_id": None, "qr_code_id": None, "paid_at": None,
          "failure_code": None, "state": "placed", "outlet_id": None},
         without(ITS_NODE, "razorpayPaymentId", "providerPaymentId", "provider", "paidAt",
                 "providerQrCodeId", "failureCode", "machineId", status="PLACED",
                 dispatchPending=False)),
        ({"waits": False}, without(ITS_NODE, dispatchPending=False)),
        ({"waits": None}, without(ITS_NODE, dispatchPending=False)),
        ({"state": "failed"}, without(ITS_NODE, status="FAILED", dispatchPending=False)),
        ({"state": "completed"}, without(ITS_NODE, status="COMPLETED", dispatchPending=False)),
        ({"amount_minor": 0, "source": ""}, without(ITS_NODE, amount=0, source="")),
    ],
)  # fmt: skip
def test_an_order_is_shown_with_these_fields(given: dict[str, Any], node: dict[str, Any]) -> None:
    assert document.order(AN_ORDER | given) == {f"orders/{ORDER}": node}


@pytest.mark.parametrize(
    ("given", "node"),
    [
        ({}, PAID),
        ({"gateway": "stripe", "outlet_id": None},
         without(PAID, "machineId", provider="stripe")),
        ({"order_id": None, "payment_id": ASHA}, without(PAID, "orderId")),
        ({"order_id": None}, without(PAID, "orderId", status="RECEIVED")),
        ({"payment_id": ASHA}, PAID),
        ({"reason": "late"}, PAID | {"status": "REJECTED", "reason": "late"}),
        ({"foreign_amount": 1}, PAID | {"status": "IGNORED"}),
        ({"foreign_amount": 1, "reason": "x"}, PAID | {"status": "IGNORED", "reason": "x"}),
        ({"units": None, "refunds": None}, without(PAID, "dispatch", "refundStatus")),
        ({"units": [], "refunds": []}, without(PAID, "dispatch", "refundStatus")),
        ({"units": ["fulfilled", "waits", "sent"]}, PAID | {"dispatch": "PENDING"}),
        ({"units": ["fulfilled", "sent", "refund_due"]}, PAID | {"dispatch": "SENT"}),
        ({"units": ["refund_due", "fulfilled"]}, PAID),
        ({"units": ["refund_due"]}, PAID | {"dispatch": "FAILED"}),
        ({"refunds": ["succeeded", "pending", "owed"]}, PAID),
        ({"refunds": ["succeeded", "pending"]}, PAID | {"refundStatus": "PENDING"}),
        ({"refunds": ["succeeded"]}, PAID | {"refundStatus": "SUCCEEDED"}),
        ({"refunds": ["else"]}, without(PAID, "refundStatus")),
    ],
)  # fmt: skip
def test_a_payment_is_shown_with_these_fields(given: dict[str, Any], node: dict[str, Any]) -> None:
    assert document.payment(A_PAYMENT | given) == {"paymentEvents/pay~2E1": node}


@pytest.mark.parametrize(
    ("given", "node"),
    [
        ({}, THERE),
        ({"busy": True}, THERE | {"status": "BUSY"}),
        ({"last_seen_at": NOW - TWENTY}, THERE | {"lastSeenAt": "2026-11-21T11:59:40.000Z"}),
        ({"last_seen_at": NOW - TWENTY - SECOND / 1000, "busy": True},
         THERE | {"lastSeenAt": "2026-11-21T11:59:39.999Z", "status": "OFFLINE",
                  "socketConnected": False}),
        ({"last_seen_at": None},
         without(THERE, "lastSeenAt", status="OFFLINE", socketConnected=False)),
        ({"decommissioned_at": NOW, "busy": True}, THERE | {"status": "OUT_OF_SERVICE"}),
        ({"short_url": None},
         THERE | {"paymentProfile": without(PROFILE, "qrShortUrl")}),
        ({"gateway": None, "qr_code_id": None, "image_url": None, "short_url": None,
          "amount_minor": None}, without(THERE, "paymentProfile")),
    ],
)  # fmt: skip
def test_a_machine_is_shown_with_these_fields(given: dict[str, Any], node: dict[str, Any]) -> None:
    assert document.machine(A_MACHINE | given, NOW, TWENTY) == {"machines/M~2F1": node}


def test_a_code_leads_to_its_machine_until_it_is_retired() -> None:
    row = {"qr_code_id": "qr.1", "outlet_id": "M/1", "retired_at": None}
    leads: Nodes = {"qrCodeToMachine/qr~2E1": "M/1"}
    assert document.code(row) == leads
    assert document.code(row | {"retired_at": NOW}) == {"qrCodeToMachine/qr~2E1": None}


def test_the_branches_are_those_of_the_nodes() -> None:
    assert BRANCHES == ("orders", "machines", "qrCodeToMachine", "paymentEvents")


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (None, None), (NOW + timedelta(microseconds=1999), "2026-11-21T12:00:00.001Z"),
        (datetime(2026, 1, 1, 5, 30, tzinfo=timezone(timedelta(hours=5.5))),
         "2026-01-01T00:00:00.000Z"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000Z"),
    ],
)  # fmt: skip
def test_a_moment_is_written_as_javascript_writes_it(at: datetime | None, text: str | None) -> None:
    assert instant(at) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""), ("1", "~31"), ("123456", "~3123456"), ("1234567", "1234567"), ("12a", "12a"),
        ("~1", "~7E1"), ("\x00\x1f\x20\x7f\x80", "~00~1F ~7F\x80"),
        (".$#[]/~", "~2E~24~23~5B~5D~2F~7E"),
    ],
)  # fmt: skip
def test_each_sign_that_no_key_has_is_written_with_digits(text: str, written: str) -> None:
    assert key(text) == written


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://d.firebaseio.com", Address("https://d.firebaseio.com")),
        ("https://d.firebaseio.com/", Address("https://d.firebaseio.com")),
        ("http://h:9000/?ns=d", Address("http://h:9000", "d")),
        ("http://h:9000?ns=d", Address("http://h:9000", "d")),
        ("http://h:9000/below/?ns=d", Address("http://h:9000/below", "d")),
        ("https://d.firebaseio.com/a", None), ("https://d.firebaseio.com/?ns=d", None),
        ("https://d.firebaseio.com/#x", None), ("https://u@d.firebaseio.com", None),
        ("http://h:9000/", None), ("http://h/?ns=a&ns=b", None), ("http:///?ns=a", None),
        ("ftp://h/?ns=d", None), ("", None), ("https://[", None), ("http://u:p@h/?ns=d", None),
        ("http://h/?ns=d#x", None), ("ftp://h", None),
    ],
)  # fmt: skip
def test_a_database_is_named_by_its_own_address_or_by_an_emulators(
    text: str, found: Address | None
) -> None:
    if found is None:
        with pytest.raises(FirebaseAddressError):
            address(text)
    else:
        assert address(text) == found
        assert found.is_emulator is text.startswith("http:")
