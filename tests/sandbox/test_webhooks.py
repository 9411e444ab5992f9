"""Webhooks arrive signed, again and again until they are taken, and under one event id."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import razorpay

from tests.sandbox.conftest import FAST
from tests.sandbox.receiver import Received, Receiver
from tests.sandbox.running import SandboxProcess, account, until
from tests.sandbox.test_sdk import PRINTED

PAID = {"payment.authorized", "payment.captured", "qr_code.credited"}


def printed(sdk: Any, receiver: Receiver) -> str:
    """A QR code whose own event is out of the way."""
    qr_id = str(sdk.qrcode.create(dict(PRINTED))["id"])
    receiver.wait(1)
    receiver.received.clear()
    return qr_id


def name(delivery: Received) -> str:
    return str(json.loads(delivery.body)["event"])


def test_one_scan_is_told_by_three_events_that_the_sdk_verifies(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver, shop: dict[str, Any]
) -> None:
    reference = sandbox.scan(printed(sdk, receiver))
    came = receiver.wait(3)

    assert {name(one) for one in came} == PAID
    assert len({one.event_id for one in came}) == 3
    for one in came:
        sdk.utility.verify_webhook_signature(one.body, one.signature, shop["webhook_secret"])
        event = json.loads(one.body)
        assert event["account_id"] == shop["account_id"]
        assert event["payload"]["payment"]["entity"]["id"] == reference


def test_the_credited_event_is_a_snapshot_from_before_the_count(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    sandbox.scan(printed(sdk, receiver), events=["qr_code.credited"])
    credited = json.loads(receiver.wait(1)[0].body)["payload"]["qr_code"]["entity"]

    assert credited["payments_count_received"] == 0


def test_a_refused_delivery_is_retried_under_the_same_id_and_the_original_secret(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver, shop: dict[str, Any]
) -> None:
    qr_id = printed(sdk, receiver)
    receiver.answer = lambda _: 500
    reference = sandbox.scan(qr_id, events=["payment.captured"])
    receiver.wait(2)
    sandbox.ask(
        "POST",
        "/razorpay/accounts",
        shop | {"webhook_secret": "the-next-secret"},
    )
    receiver.answer = lambda _: 200
    until(lambda: sandbox.deliveries(reference=reference, state="delivered"))

    assert len({one.event_id for one in receiver.received}) == 1
    assert len({one.body for one in receiver.received}) == 1
    last = receiver.received[-1]
    sdk.utility.verify_webhook_signature(last.body, last.signature, shop["webhook_secret"])


def test_a_server_that_is_too_slow_is_asked_again(tmp_path: Path) -> None:
    slow = threading.Event()
    with Receiver(lambda _: 200 if slow.wait(5) else 500) as receiver:
        one = account(1, webhook_url=receiver.url)
        tempo = FAST | {"delivery_timeout_ms": 100}
        with SandboxProcess(tmp_path / "s", tmp_path / "m", [one], tempo=tempo) as sandbox:
            sandbox.scan(account_id=one["account_id"], amount=4000, events=["payment.captured"])
            receiver.wait(2)
            assert sandbox.deliveries()[0]["last_error"] == "no answer in time"
            slow.set()
            until(lambda: sandbox.deliveries(state="delivered"))


def test_a_webhook_refused_for_too_long_is_switched_off_until_it_is_set_up_again(
    tmp_path: Path,
) -> None:
    with Receiver(lambda _: 500) as receiver:
        one = account(1, webhook_url=receiver.url)
        tempo = FAST | {"webhook_life_s": 0}
        with SandboxProcess(tmp_path / "s", tmp_path / "m", [one], tempo=tempo) as sandbox:
            foreign = {"account_id": one["account_id"], "amount": 4000}
            sandbox.scan(**foreign, events=["payment.captured"])
            until(lambda: sandbox.deliveries(state="expired"))
            receiver.answer = lambda _: 200
            late = sandbox.scan(**foreign, events=["payment.captured"])
            until(lambda: sandbox.deliveries(reference=late, state="disabled"))

            sandbox.ask("POST", "/razorpay/accounts", one)
            sandbox.ask("POST", "/razorpay/resend", {"reference": late})
            until(lambda: sandbox.deliveries(reference=late, state="delivered"))


def test_resend_replays_all_events_of_a_payment(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    reference = sandbox.scan(printed(sdk, receiver))
    first = {one.event_id for one in receiver.wait(3)}
    sandbox.ask("POST", "/razorpay/resend", {"reference": reference})

    assert {one.event_id for one in receiver.wait(6)[3:]} == first


def test_a_failed_payment_may_be_captured_later_under_the_same_id(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    reference = sandbox.scan(printed(sdk, receiver), outcome="failed_then_captured")

    assert sandbox.payment(reference)["captured"] == 0
    came = receiver.wait(4)
    assert name(came[0]) == "payment.failed"
    assert {name(one) for one in came[1:]} == PAID
    assert sdk.payment.fetch(reference)["status"] == "captured"


def test_an_authorized_payment_waits_for_its_capture(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    reference = sandbox.scan(printed(sdk, receiver), outcome="authorized_only")

    assert name(receiver.wait(1)[0]) == "payment.authorized"
    with pytest.raises(razorpay.errors.BadRequestError, match="should be captured"):
        sdk.payment.refund(reference, {})
    with pytest.raises(razorpay.errors.BadRequestError, match="equal to the amount"):
        sdk.payment.capture(reference, 3999, {"currency": "INR"})
    assert sdk.payment.capture(reference, 4000, {"currency": "INR"})["captured"] is True
    assert {name(one) for one in receiver.wait(3)} == PAID


def test_a_foreign_payment_carries_nothing_of_ours(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    reference = sandbox.scan(printed(sdk, receiver), foreign=True, amount=9900)

    assert sdk.payment.fetch(reference)["notes"] == []
    assert sdk.qrcode.all({"payment_id": reference})["items"] == []
    assert {name(one) for one in receiver.wait(2)} == {"payment.authorized", "payment.captured"}


def test_a_refund_made_in_the_dashboard_is_told(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    reference = sandbox.scan(printed(sdk, receiver), events=[])
    sandbox.ask("POST", "/razorpay/refund", {"reference": reference, "amount": 1000})

    assert {name(one) for one in receiver.wait(2)} == {"refund.created", "refund.processed"}
    assert sandbox.payment(reference)["refunded"] == 1000


def test_closing_by_hand_is_told_but_closing_by_payment_is_not(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    by_hand = printed(sdk, receiver)
    single = sdk.qrcode.create(PRINTED | {"usage": "single_use"})["id"]
    assert isinstance(json.loads(receiver.wait(1)[0].body)["payload"]["qr_code"], dict)
    sandbox.scan(single)
    sdk.qrcode.close(by_hand)

    names = [name(one) for one in receiver.wait(5)]
    assert names.count("qr_code.closed") == 1
