"""Stripe's webhooks: the official SDK and our driver judge the same bytes alike, in both ways."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe as sdk
from hypothesis import given, settings
from hypothesis import strategies as st

from coinslot.gateways import stripe
from coinslot.gateways.base import (
    Forged,
    Genuine,
    Mark,
    PaymentFact,
    RefundFact,
    RefundStage,
    Taken,
    Unreadable,
    Verdict,
)
from coinslot.kit.clock import SettableClock, SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.rigs import silent_wire

SECRET = "whsec_test_secret_not_base64"
AT = datetime.fromtimestamp(1_700_000_000, UTC)
SIGNATURE = "t=1700000000,v1=5ef5f1b1277d62eff591b3c0b61e697ea3e7aabac6288af7b060f958562d8d6d"
BODY = (
    b'{"id":"evt_test_0001","object":"event","api_version":"2026-10-28.endive",'
    b'"created":1700000000,"data":{"object":{"id":"cs_test_0001","object":"checkout.session",'
    b'"client_reference_id":"ord_1","amount_total":500,"currency":"usd","payment_status":"paid",'
    b'"status":"complete"}},"livemode":false,"pending_webhooks":1,"request":{"id":null,'
    b'"idempotency_key":null},"type":"checkout.session.completed"}'
)
NOTED = {"coinslot": "here", "payment": "p1"}
SESSION = {
    "id": "cs_test_1",
    "object": "checkout.session",
    "status": "complete",
    "payment_status": "paid",
    "amount_total": 4000,
    "currency": "usd",
    "expires_at": 1_700_086_400,
    "payment_intent": "pi_1",
    "metadata": NOTED,
}
INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 4000,
    "amount_received": 4000,
    "currency": "usd",
    "created": 1_699_999_000,
    "status": "succeeded",
    "latest_charge": "ch_1",
    "metadata": NOTED,
}
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "amount": 4000,
    "amount_captured": 4000,
    "amount_refunded": 1500,
    "captured": True,
    "refunded": False,
    "currency": "usd",
    "created": 1_699_999_000,
    "payment_intent": "pi_1",
    "metadata": NOTED,
}
REFUND = {
    "id": "re_1",
    "object": "refund",
    "amount": 1500,
    "currency": "usd",
    "created": 1_699_999_500,
    "payment_intent": "pi_1",
    "charge": "ch_1",
    "status": "succeeded",
    "metadata": {"coinslot": "here", "refund": "r1"},
}


WIRE = silent_wire()


def till(
    *secrets: str, at: datetime = AT, key: str = "sk_test_1", account: str | None = None
) -> stripe.Stripe:
    kept = tuple(Secret(text) for text in secrets or (SECRET,))
    account_ = stripe.Settings(secret_key=Secret(key), webhook_secrets=kept, account_id=account)
    return stripe.Stripe(account_, WIRE, SettableClock(at))


def read(body: bytes, signature: str, **more: Any) -> Verdict:
    return till(**more).read_webhook({"stripe-signature": signature}, body)


def signed(body: bytes, secret: str = SECRET, at: datetime = AT) -> str:
    """By the SDK."""
    sign = sdk.WebhookSignature.generate_signature_header
    return str(sign(body.decode(), secret, int(at.timestamp())))


def event(kind: str, thing: Mapping[str, Any], **more: Any) -> bytes:
    said = {"id": "evt_1", "object": "event", "created": 1_700_000_000, "livemode": False}
    return json.dumps(said | {"type": kind, "data": {"object": thing}} | more).encode()


def facts_of(kind: str, thing: Mapping[str, Any]) -> tuple[Any, ...]:
    body = event(kind, thing)
    verdict = read(body, signed(body))
    assert isinstance(verdict, Genuine), verdict
    return verdict.facts


def test_the_vector_is_believed() -> None:
    sdk.WebhookSignature.verify_header(BODY.decode(), SIGNATURE, SECRET, None)
    assert read(BODY, SIGNATURE) == Genuine(
        delivery_id="evt_test_0001",
        event="checkout.session.completed",
        facts=(),  # its session names no payment
    )


@pytest.mark.parametrize(
    "signature",
    [
        SIGNATURE.replace("5ef5", "5ef6"),
        SIGNATURE.replace("1700000000", "1700000001"),
        SIGNATURE.replace("v1=", "v0="),
        SIGNATURE.partition(",")[2],
        SIGNATURE.partition(",")[0],
        f"t=1700000000,{SIGNATURE}",
        "t=1700000000,v1=",
        "t=,v1=",
        "t=-1,v1=x",
        "t=१७,v1=x",
        "",
    ],
)
def test_another_signature_is_forged(signature: str) -> None:
    assert isinstance(read(BODY, signature), Forged)


def test_one_true_signature_among_several_is_enough_while_secrets_change() -> None:
    header = f"t=1700000000,v1={'0' * 64},{SIGNATURE.partition(',')[2]},v0=abc"
    assert not isinstance(read(BODY, header), Forged)
    known = till("whsec_tomorrow", SECRET).read_webhook({"stripe-signature": SIGNATURE}, BODY)
    assert not isinstance(known, Forged)
    unknown = till("whsec_tomorrow").read_webhook({"stripe-signature": SIGNATURE}, BODY)
    assert isinstance(unknown, Forged)


@pytest.mark.parametrize(
    ("later", "believed"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
def test_a_signature_is_of_its_time_and_of_no_other(later: int, believed: bool) -> None:
    body = event("checkout.session.completed", SESSION)
    verdict = read(body, signed(body), at=AT + timedelta(seconds=later))
    assert isinstance(verdict, Genuine if believed else Forged)


# The SDK takes a secret of spaces for none.
SECRETS = st.text(min_size=1, max_size=60).filter(str.strip)


@settings(max_examples=100, deadline=None)
@given(body=st.text(max_size=200), secret=SECRETS, flip=st.booleans())
def test_the_sdk_and_the_driver_judge_alike(body: str, secret: str, flip: bool) -> None:
    now = SystemClock().now()  # the SDK knows no other time
    raw = body.encode()
    header = signed(raw, secret, now)
    header = header.replace("v1=", "v1=0") if flip else header
    verdict = till(secret, at=now).read_webhook({"stripe-signature": header}, raw)
    try:
        sdk.WebhookSignature.verify_header(body, header, secret, 300)
        believed = True
    except sdk.SignatureVerificationError:
        believed = False
    assert believed is not isinstance(verdict, Forged)
    assert believed is not flip


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=300), header=st.text(max_size=120))
def test_no_bytes_make_it_stumble(body: bytes, header: str) -> None:
    assert isinstance(read(body, header), Forged)
    told = read(body, _raw_signature(body))
    assert isinstance(told, Unreadable)


def _raw_signature(body: bytes) -> str:
    """The SDK signs text alone."""
    digest = hmac.new(SECRET.encode(), b"1700000000." + body, hashlib.sha256).hexdigest()
    return f"t=1700000000,v1={digest}"


def test_a_paid_session_states_its_payment() -> None:
    for kind in ("checkout.session.completed", "checkout.session.async_payment_succeeded"):
        (fact,) = facts_of(kind, SESSION)
        assert fact == PaymentFact(
            gateway_payment_id="pi_1",
            taken=Taken.CAPTURED,
            money=Money(4000, "USD"),
            at=AT,
            mark=Mark(installation="here", payment="p1"),
        )


def test_a_session_complete_and_unpaid_states_no_money() -> None:
    assert facts_of("checkout.session.completed", SESSION | {"payment_status": "unpaid"}) == ()
    assert facts_of("checkout.session.expired", SESSION | {"status": "expired"}) == ()


@pytest.mark.parametrize(
    ("kind", "changes", "taken", "minor"),
    [
        ("succeeded", {}, Taken.CAPTURED, 4000),
        ("succeeded", {"amount_received": 3000}, Taken.CAPTURED, 3000),
        (
            "amount_capturable_updated",
            {"status": "requires_capture", "amount_received": 0},
            Taken.AUTHORIZED,
            4000,
        ),
        (
            "payment_failed",
            {"status": "requires_payment_method", "last_payment_error": {"code": "x"}},
            Taken.FAILED,
            4000,
        ),
        ("canceled", {"status": "canceled"}, Taken.FAILED, 4000),
    ],
)
def test_an_intent_states_how_far_its_money_is(
    kind: str, changes: dict[str, Any], taken: Taken, minor: int
) -> None:
    (fact,) = facts_of(f"payment_intent.{kind}", INTENT | changes)
    assert (fact.gateway_payment_id, fact.taken) == ("pi_1", taken)
    assert (fact.money, fact.at) == (Money(minor, "USD"), AT)


def test_a_charge_given_back_in_part_says_how_much() -> None:
    (fact,) = facts_of("charge.refunded", CHARGE)
    assert (fact.gateway_payment_id, fact.money) == ("pi_1", Money(4000, "USD"))
    assert (fact.taken, fact.refunded) == (Taken.CAPTURED, Money(1500, "USD"))
    others: dict[str, Any] = {"payment_intent": None, "metadata": {}}
    assert facts_of("charge.refunded", CHARGE | others) == ()


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("pending", RefundStage.PENDING),
        ("requires_action", RefundStage.PENDING),
        ("succeeded", RefundStage.PROCESSED),
        ("failed", RefundStage.FAILED),
        ("canceled", RefundStage.FAILED),
    ],
)
def test_a_refund_says_its_stage(status: str, stage: RefundStage) -> None:
    for kind in ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"):
        (fact,) = facts_of(kind, REFUND | {"status": status})
        assert isinstance(fact, RefundFact)
        assert (fact.gateway_refund_id, fact.gateway_payment_id) == ("re_1", "pi_1")
        assert (fact.stage, fact.money) == (stage, Money(1500, "USD"))
        assert fact.mark == Mark(installation="here", refund="r1")


def test_events_that_mean_nothing_here_state_nothing() -> None:
    assert facts_of("customer.created", {"id": "cus_1"}) == ()
    assert facts_of("payment_intent.processing", INTENT | {"status": "processing"}) == ()


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("checkout.session.completed", SESSION | {"amount_total": "4000"}),
        ("checkout.session.completed", SESSION | {"amount_total": -1}),
        ("checkout.session.completed", SESSION | {"currency": "rupees"}),
        ("payment_intent.succeeded", INTENT | {"id": None}),
        ("payment_intent.succeeded", INTENT | {"amount_received": 40.5}),
        ("payment_intent.succeeded", {**INTENT, "amount_received": None}),
        ("payment_intent.succeeded", INTENT | {"status": "hopeful"}),
        ("refund.created", REFUND | {"status": "on its way"}),
        ("charge.refunded", {**CHARGE, "amount_captured": None}),
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(kind: str, thing: dict[str, Any]) -> None:
    body = event(kind, thing)
    assert isinstance(read(body, signed(body)), Unreadable)


def test_live_and_test_mode_do_not_mix() -> None:
    for live, key, believed in (
        (True, "sk_live_1", True),
        (True, "rk_live_1", True),
        (False, "sk_live_1", False),
        (True, "sk_test_1", False),
        (True, "odd_key", True),
    ):
        body = event("checkout.session.completed", SESSION, livemode=live)
        verdict = read(body, signed(body), key=key)
        assert isinstance(verdict, Genuine if believed else Unreadable), key


def test_an_event_of_another_connected_account_states_nothing() -> None:
    body = event("checkout.session.completed", SESSION, account="acct_CHANDRA")
    verdict = read(body, signed(body), account="acct_ASHA")
    assert isinstance(verdict, Unreadable)
    assert verdict.mark is None  # of ours, it may be one that we made there
    assert isinstance(read(body, signed(body), account="acct_CHANDRA"), Genuine)
