"""Reading webhooks: no bytes make a driver raise, and no order of events misleads."""

import json
from collections.abc import Callable, Iterable
from itertools import permutations
from typing import Any, NamedTuple

import pytest
import razorpay as sdk
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coinslot.gateways import drivers, mock, razorpay
from coinslot.gateways.base import (
    Forged,
    Gateway,
    Genuine,
    Mark,
    PaymentFact,
    QrFact,
    RefundFact,
    RefundStage,
    Taken,
    Unreadable,
)
from coinslot.kit.clock import SystemClock
from coinslot.kit.secrets import Secret, hmac_hex
from tests.gateways.rigs import CURRENT, rupees, silent_wire

ACCOUNT = "acc_TESTTEST000001"
VECTOR_SECRET = "rzp-webhook-secret"
VECTOR_BODY = (
    b'{"entity":"event","account_id":"acc_TESTTEST000001","event":"qr_code.credited","contains":'
    b'["payment","qr_code"],"payload":{"payment":{"entity":{"id":"pay_TESTTEST000001","entity":'
    b'"payment","amount":4000,"currency":"INR","status":"captured","method":"upi","captured":true,'
    b'"order_id":null}},"qr_code":{"entity":{"id":"qr_TESTTEST0000001","entity":"qr_code","usage":'
    b'"multiple_use","type":"upi_qr","fixed_amount":true,"payment_amount":4000,"status":"active"}}'
    b'},"created_at":1700000000}'
)
QR_OF_VECTOR = "qr_TESTTEST0000001"
VECTOR_SIGNATURE = "fd19a9ffd51cbad015016cbb873bc5d785bae4474d7e12c3def8fac540a7f094"


class Ear(NamedTuple):
    """A gateway that only listens, and how its webhooks are signed."""

    gateway: Gateway
    header: str
    secret: str

    def signed(self, body: bytes) -> dict[str, str]:
        return {self.header: hmac_hex(self.secret.encode(), body)}


def at_razorpay(secret: str = CURRENT) -> Ear:
    settings = razorpay.Settings(
        key_id="rzp_test_key",
        key_secret=Secret("shh"),
        webhook_secrets=(Secret("older"), Secret(secret)),
        account_id=ACCOUNT,
    )
    return Ear(razorpay.open(settings, silent_wire()), "x-razorpay-signature", secret)


def at_mock() -> Ear:
    settings = mock.Settings(webhook_secrets=(Secret(CURRENT),), account_id=ACCOUNT)
    return Ear(mock.Mock(settings, mock.Books(SystemClock())), "x-mock-signature", CURRENT)


EAR = at_razorpay()
EARS = pytest.mark.parametrize("ear", [EAR, at_mock()], ids=["razorpay", "mock"])

NOTES = {"coinslot": "here", "qr": "q1", "outlet": "M01", "slot": "A1"}
PAYMENT = {
    "id": "pay_1",
    "amount": 4000,
    "currency": "INR",
    "status": "captured",
    "captured": True,
    "created_at": 1_700_000_000,
    "notes": NOTES,
    "description": "QRv2 Payment",
}
QR = {"id": "qr_1", "usage": "multiple_use", "status": "active", "payment_amount": 4000}
REFUND = {
    "id": "rfnd_1",
    "payment_id": "pay_1",
    "amount": 4000,
    "currency": "INR",
    "status": "processed",
    "created_at": 1_700_000_100,
    "notes": {"coinslot": "here", "refund": "r1"},
}


def envelope(event: str, at: object = 1_700_000_005, **entities: Any) -> bytes:
    payload = {name: {"entity": entity} for name, entity in entities.items()}
    said = {"entity": "event", "account_id": ACCOUNT, "event": event, "payload": payload}
    return json.dumps(said | {"created_at": at}).encode()


def heard(body: bytes) -> Any:
    return EAR.gateway.read_webhook(EAR.signed(body), body)


def facts(body: bytes) -> tuple[Any, ...]:
    verdict = heard(body)
    assert isinstance(verdict, Genuine), verdict
    return verdict.facts


# What may stand in JSON where anything may.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@EARS
@given(
    body=st.binary(max_size=400),
    headers=st.dictionaries(st.text(max_size=20), st.text(max_size=70), max_size=4),
    signature=st.text(max_size=70),
)
def test_no_bytes_and_no_headers_make_a_driver_raise(
    ear: Ear, body: bytes, headers: dict[str, str], signature: str
) -> None:
    assert isinstance(ear.gateway.read_webhook(headers, body), Forged)
    with_signature = headers | {ear.header: signature}
    assert isinstance(ear.gateway.read_webhook(with_signature, body), Forged)


@EARS
@given(body=st.binary(max_size=400) | json_values.map(lambda value: json.dumps(value).encode()))
@example(body=b"[" * 100_000)
@example(body=b'{"event":"x","payload":' + b"[" * 100_000)
@example(body=b'"\xff"')
def test_signed_nonsense_is_unreadable_and_raises_nothing(ear: Ear, body: bytes) -> None:
    assert isinstance(ear.gateway.read_webhook(ear.signed(body), body), Unreadable)


EVENTS = [
    *("payment.authorized", "payment.captured", "payment.failed", "order.paid"),
    *("qr_code.credited", "qr_code.closed", "payment.dispute.created"),
    *("refund.created", "refund.processed", "refund.failed"),
]


@st.composite
def spoiled_events(draw: st.DrawFn) -> bytes:
    """A true event in which one value is replaced or missing."""
    entities = {"payment": dict(PAYMENT), "qr_code": dict(QR), "refund": dict(REFUND)}
    spoiled = entities[draw(st.sampled_from(sorted(entities)))]
    key = draw(st.sampled_from(sorted(spoiled)))
    if draw(st.booleans()):
        spoiled[key] = draw(json_values)
    else:
        del spoiled[key]
    at = draw(st.just(1_700_000_005) | json_values)
    return envelope(draw(st.sampled_from(EVENTS)), at, **entities)


@given(body=spoiled_events())
def test_a_spoiled_event_is_read_or_unreadable_and_storable_either_way(body: bytes) -> None:
    verdict = heard(body)
    assert isinstance(verdict, Genuine | Unreadable)
    assert "\0" not in str(verdict)


def test_the_vector_of_the_contract_is_accepted() -> None:
    ear = at_razorpay(VECTOR_SECRET)
    assert ear.signed(VECTOR_BODY) == {"x-razorpay-signature": VECTOR_SIGNATURE}
    verdict = ear.gateway.read_webhook({"x-razorpay-signature": VECTOR_SIGNATURE}, VECTOR_BODY)
    assert isinstance(verdict, Genuine)
    (fact,) = verdict.facts
    assert isinstance(fact, PaymentFact)
    assert (fact.gateway_payment_id, fact.qr_code_id) == ("pay_TESTTEST000001", QR_OF_VECTOR)
    assert (fact.taken, fact.money) == (Taken.CAPTURED, rupees("40.00"))
    assert fact.at.timestamp() == 1_700_000_000


@settings(deadline=None)  # the first example pays for the imports
@given(body=st.text(max_size=200), secret=st.text(min_size=1, max_size=40))
def test_the_official_sdk_accepts_and_refuses_the_same_signatures(body: str, secret: str) -> None:
    utility = sdk.Client(auth=("key", "secret")).utility
    ear = at_razorpay(secret)
    signature = ear.signed(body.encode())[ear.header]
    assert utility.verify_webhook_signature(body, signature, secret)
    for wrong in (signature.upper() if signature.upper() != signature else "0", signature[:-1]):
        assert isinstance(ear.gateway.read_webhook({ear.header: wrong}, body.encode()), Forged)
        with pytest.raises(sdk.errors.SignatureVerificationError):
            utility.verify_webhook_signature(body, wrong, secret)


def test_a_delivery_is_known_by_what_is_signed_and_by_no_header() -> None:
    ear = at_razorpay()
    body = envelope("payment.captured", payment=PAYMENT)
    other = envelope("payment.captured", payment=PAYMENT | {"id": "pay_2"})

    def known(body: bytes, event_id: str) -> str:
        headers = ear.signed(body) | {"x-razorpay-event-id": event_id}
        verdict = ear.gateway.read_webhook(headers, body)
        assert isinstance(verdict, Genuine)
        return verdict.delivery_id

    assert known(body, "ev1") == known(body, "ev2") == heard(body).delivery_id
    assert known(body, "ev1") != known(other, "ev1")


def test_a_delivery_written_in_another_order_is_the_same() -> None:
    body = envelope("payment.captured", payment=PAYMENT)
    turned = json.dumps(dict(reversed(json.loads(body).items())), indent=1).encode()
    assert turned != body
    assert heard(turned).delivery_id == heard(body).delivery_id


def test_an_event_not_known_here_is_genuine_and_says_nothing() -> None:
    for body in (
        envelope("payment.downtime.started", payment=PAYMENT, dispute={}),
        envelope("settlement.processed", at="whenever", settlement=7),
        envelope("a\0b"),
    ):
        verdict = heard(body)
        assert isinstance(verdict, Genuine)
        assert verdict.facts == ()
        assert "\0" not in verdict.event


def test_an_event_that_names_no_account_stands_on_its_signature() -> None:
    body = envelope("payment.captured", payment=PAYMENT).replace(b'"account_id"', b'"account"')
    assert isinstance(heard(body), Genuine)


def test_a_credit_names_the_code_the_sign_and_the_time_of_the_capture() -> None:
    counting = QR | {"payments_count_received": 0, "notes": NOTES}
    (fact,) = facts(envelope("qr_code.credited", payment=PAYMENT, qr_code=counting))
    assert isinstance(fact, PaymentFact)
    assert fact.qr_code_id == "qr_1"
    assert fact.taken is Taken.CAPTURED
    assert fact.money == rupees("40.00")
    assert fact.mark == Mark(installation="here", qr="q1")
    assert fact.at.timestamp() == 1_700_000_005


def test_notes_may_be_a_list_a_stranger_s_or_ours() -> None:
    strange: list[Any] = [[], {}, None, {"coinslot": ""}, {"coinslot": 7}, {"shop": "Chandra"}]
    for notes in strange:
        (fact,) = facts(envelope("payment.captured", payment=PAYMENT | {"notes": notes}))
        assert fact.mark is None


def test_a_closed_code_and_each_stage_of_a_refund_are_told() -> None:
    (closed,) = facts(
        envelope("qr_code.closed", qr_code=QR | {"status": "closed", "close_by": "9"})
    )
    assert isinstance(closed, QrFact)
    assert not closed.open
    for event, status in (("created", "pending"), ("processed", "processed"), ("failed", "failed")):
        (fact,) = facts(
            envelope(f"refund.{event}", refund=REFUND | {"status": status}, payment=PAYMENT)
        )
        assert isinstance(fact, RefundFact)
        assert fact.stage is RefundStage(status)
        assert fact.mark == Mark(installation="here", refund="r1")


def test_a_refund_of_what_was_never_captured_brings_the_payment_along() -> None:
    never = PAYMENT | {"status": "refunded", "captured": False, "amount_refunded": 4000}
    payment, refund = facts(envelope("refund.processed", refund=REFUND, payment=never))
    assert payment.taken is Taken.AUTHORIZED
    assert payment.refunded == payment.money
    assert isinstance(refund, RefundFact)


def told_of_one_sale() -> list[bytes]:
    """The events that one payment through a QR code can raise, with one second between them."""
    unpaid = PAYMENT | {"status": "failed", "captured": False}
    held = PAYMENT | {"status": "authorized", "captured": False}
    return [
        envelope("payment.failed", 1_700_000_001, payment=unpaid),
        envelope("payment.authorized", 1_700_000_002, payment=held),
        envelope("payment.captured", 1_700_000_003, payment=PAYMENT),
        envelope("qr_code.credited", 1_700_000_004, payment=PAYMENT, qr_code=QR),
        envelope("refund.processed", 1_700_000_005, payment=PAYMENT, refund=REFUND),
    ]


def settled(bodies: Iterable[bytes], listen: Callable[[bytes], tuple[Any, ...]]) -> set[object]:
    return {fact for body in bodies for fact in listen(body)}


def test_events_in_any_order_and_repeated_state_the_same_facts() -> None:
    events = told_of_one_sale()
    once = settled(events, facts)
    for order in permutations(events):
        assert settled([*order, *order[:2]], facts) == once
    captures = [f for f in once if isinstance(f, PaymentFact) and f.taken is Taken.CAPTURED]
    assert {f.gateway_payment_id for f in captures} == {"pay_1"}
    assert min(f.at for f in captures).timestamp() == 1_700_000_003


def test_drivers_are_found_by_being_in_the_folder() -> None:
    found = drivers()
    assert {"mock", "razorpay"} <= set(found)
    for name, driver in found.items():
        assert driver.name == name
    settings = mock.Settings(webhook_secrets=(Secret("s"),))
    assert found["mock"].open(settings, silent_wire()).name == "mock"


def test_a_refund_without_a_time_of_its_own_has_that_of_its_event() -> None:
    for created, at in ((1_700_000_000, 1_700_000_000), (None, 1_700_000_005)):
        told = envelope(
            "refund.processed", 1_700_000_005, payment=PAYMENT,
            refund=REFUND | {"created_at": created},
        )  # fmt: skip
        refund = facts(told)[-1]
        assert isinstance(refund, RefundFact)
        assert refund.at.timestamp() == at
