"""YooKassa's notifications: believed by where they come from alone, and only as hints."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yookassa.domain.common.security_helper import SecurityHelper
from yookassa.domain.notification import WebhookNotificationFactory

from coinslot.gateways import drivers, yookassa
from coinslot.gateways.base import PEER, Forged, Genuine, Hint, Unreadable, Verdict
from coinslot.kit.secrets import Secret
from tests.gateways.rigs import silent_wire

THEIRS = {PEER: "77.75.156.11"}
PAYMENT = "22e12f66-000f-5000-8000-18db351245c7"
TOLD: dict[str, Any] = {
    "type": "notification",
    "event": "payment.succeeded",
    "object": {
        "id": PAYMENT,
        "status": "succeeded",
        "paid": True,
        "amount": {"value": "150.00", "currency": "RUB"},
        "created_at": "2026-01-01T00:00:00.000Z",
        "recipient": {"account_id": "100500", "gateway_id": "100700"},
        "metadata": {"coinslot": "here"},
        "refundable": True,
        "test": True,
    },
}
REFUNDED: dict[str, Any] = {
    "type": "notification",
    "event": "refund.succeeded",
    "object": {
        "id": "33e12f66-000f-5000-8000-18db351245c7",
        "payment_id": PAYMENT,
        "status": "succeeded",
        "amount": {"value": "150.00", "currency": "RUB"},
        "created_at": "2026-01-01T00:01:00.000Z",
    },
}
EDGES = [
    ("185.71.76.0", True),
    ("185.71.76.31", True),
    ("185.71.76.32", False),
    ("185.71.75.255", False),
    ("185.71.77.31", True),
    ("77.75.153.127", True),
    ("77.75.153.128", False),
    ("77.75.156.11", True),
    ("77.75.156.12", False),
    ("77.75.156.35", True),
    ("77.75.154.127", False),
    ("77.75.154.128", True),
    ("77.75.154.255", True),
    ("2a02:5180:0:1509::1", True),
    ("2a02:5181::1", False),
    ("127.0.0.1", False),
    ("::1", False),
]
WIDE = [network for network in yookassa.NETWORKS if "/" in network]


def shop(**more: Any) -> yookassa.Settings:
    return yookassa.Settings(shop_id="100500", secret_key=Secret("test_key"), **more)


def heard(body: object, headers: dict[str, str] = THEIRS, **more: Any) -> Verdict:
    till = yookassa.open(shop(**more), silent_wire())
    return till.read_webhook(headers, json.dumps(body).encode())


def test_the_driver_is_found_by_being_there() -> None:
    assert drivers()["yookassa"].Settings is yookassa.Settings


def test_a_notification_says_which_payment_to_ask_about() -> None:
    for told, event in ((TOLD, "payment.succeeded"), (REFUNDED, "refund.succeeded")):
        verdict = heard(told)
        assert isinstance(verdict, Hint)
        assert (verdict.event, verdict.reference) == (event, PAYMENT)
        assert verdict == heard(told)


@pytest.mark.parametrize("body", [TOLD, REFUNDED])
def test_the_official_sdk_reads_the_same_payment_out_of_it(body: dict[str, Any]) -> None:
    thing = WebhookNotificationFactory().create(body).object
    verdict = heard(body)
    assert isinstance(verdict, Hint)
    assert verdict.reference == getattr(thing, "payment_id", thing.id)


@pytest.mark.parametrize(("peer", "trusted"), EDGES)
def test_each_edge_of_their_networks_is_where_the_official_sdk_has_it(
    peer: str, trusted: bool
) -> None:
    assert isinstance(heard(TOLD, {PEER: peer}), Hint) is trusted
    assert SecurityHelper().is_ip_trusted(peer) is trusted


@settings(deadline=None)
@given(st.one_of(st.ip_addresses(), *(st.ip_addresses(network=n) for n in WIDE)))
def test_whom_the_official_sdk_trusts_the_driver_trusts(peer: Any) -> None:
    """It names four parts of the IPv6 network that the page on notifications names whole."""
    trusted = isinstance(heard(TOLD, {PEER: str(peer)}), Hint)
    by_them = SecurityHelper().is_ip_trusted(str(peer))
    assert trusted or not by_them
    assert peer.version == 6 or by_them == trusted


@pytest.mark.parametrize(
    "peer", ["", "unix", "77.75.156.11, 1.2.3.4", "77.75.156", "77.75.156.011"]
)
def test_who_has_no_address_is_nobody(peer: str) -> None:
    assert isinstance(heard(TOLD, {PEER: peer}), Forged)
    assert isinstance(heard(TOLD, {}), Forged)


def test_an_address_in_the_form_of_the_other_family_is_the_same_address() -> None:
    assert isinstance(heard(TOLD, {PEER: "::ffff:77.75.156.11"}), Hint)
    assert isinstance(heard(TOLD, {PEER: "::ffff:77.75.156.12"}), Forged)


def test_the_networks_are_the_accounts_own_where_it_names_some() -> None:
    assert isinstance(heard(TOLD, {PEER: "127.0.0.1"}, networks=("127.0.0.0/8",)), Hint)
    assert isinstance(heard(TOLD, THEIRS, networks=("127.0.0.0/8",)), Forged)
    assert isinstance(heard(TOLD, THEIRS, networks=()), Forged)


@pytest.mark.parametrize("network", ["", "everywhere", "1.2.3.4/8", "1.2.3.0/33"])
def test_a_network_that_is_none_is_refused_when_the_account_is_kept(network: str) -> None:
    form = {"shop_id": "1", "secret_key": "k", "networks": [network]}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(form, yookassa.Settings, dec_hook=lambda _kind, text: Secret(text))


def test_an_event_of_another_shop_is_taken_and_asks_nothing() -> None:
    other = TOLD["object"] | {"recipient": {"account_id": "7", "gateway_id": "8"}}
    verdict = heard(TOLD | {"object": other})
    assert isinstance(verdict, Unreadable)
    assert verdict.mark is None


def test_an_event_about_no_payment_asks_nothing() -> None:
    payout = {"type": "notification", "event": "payout.succeeded", "object": {"id": "po-1"}}
    verdict = heard(payout)
    assert isinstance(verdict, Genuine)
    assert verdict.facts == ()


@pytest.mark.parametrize(
    "change",
    [
        {"type": "other"},
        {"object": None},
        {"object": {}},
        {"object": {"id": 7}},
        {"object": {"id": "a/../b"}},
        {"object": {"id": PAYMENT, "payment_id": "x?y"}},
        {"event": None},
    ],
)
def test_what_names_nothing_to_ask_about_is_unreadable(change: dict[str, Any]) -> None:
    assert isinstance(heard(TOLD | change), Unreadable)


def test_an_event_nobody_knows_yet_is_a_hint_too() -> None:
    verdict = heard(TOLD | {"event": "payment.dreamt\0"})
    assert isinstance(verdict, Hint)
    assert "\0" not in verdict.event


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode), st.dictionaries(st.just(PEER), st.text()))
def test_no_bytes_make_the_driver_raise(body: bytes, headers: dict[str, str]) -> None:
    till = yookassa.open(shop(), silent_wire())
    assert not isinstance(till.read_webhook(THEIRS, body), Forged)
    till.read_webhook(headers, body)


def test_a_body_nested_without_end_is_unreadable() -> None:
    till = yookassa.open(shop(), silent_wire())
    body = b'{"type":"notification","event":"e","object":' + b"[" * 100_000
    assert isinstance(till.read_webhook(THEIRS, body), Unreadable)
