"""Decisions that need no database, each with all of its sides: what is shown, asked, sent again and
when."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct

from coinslot.channels import messages as wire
from coinslot.context import Windows
from coinslot.gateways.base import (
    Absent,
    Genuine,
    Mark,
    PaymentFact,
    QrFact,
    RefundFact,
    RefundStage,
    Taken,
)
from coinslot.gateways.stripe.driver import Settings
from coinslot.gateways.tbank import driver as tbank
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import Former
from coinslot.oversight import reconcile
from coinslot.payments import (
    api_views,
    attempts,
    gateway_accounts,
    gateway_webhooks,
    qr_codes,
)
from coinslot.vending import machine_messages

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
S = timedelta(seconds=1)
UNIT = UUID(int=1)


class Timed:
    """A context of which only the time and the windows are asked."""

    windows = Windows(poll_s=20)
    installation = "ours"

    def now(self) -> datetime:
        return NOW

    def after(self, name: str) -> datetime:
        return NOW + self.windows.span(name)


CONTEXT: Any = Timed()


def fact(**more: Any) -> PaymentFact:
    return PaymentFact(
        **{"gateway_payment_id": "pay_1", "taken": Taken.CAPTURED, "money": Money(4000, "INR"),
           "at": NOW, **more},
    )  # fmt: skip


# Payments of a merchant's own server.


@pytest.mark.parametrize(
    ("state", "tries", "shown"),
    [
        ("requires_action", [], None),
        ("requires_action", [{"action": None}], None),
        ("processing", [{"action": {"type": "redirect", "url": "u"}}], None),
        ("requires_action", [{"action": {"type": "redirect", "url": "u"}}],
         api_views.Redirected("u")),
        ("requires_action", [{"action": {"type": "redirect", "url": "old"}},
                             {"action": {"type": "redirect", "url": "new"}}],
         api_views.Redirected("new")),
        ("requires_action", [{"action": {"type": "shown", "text": "t", "image_url": "i"}}],
         api_views.Shown("t", "i")),
    ],
)  # fmt: skip
def test_the_payer_is_led_where_the_newest_try_says_while_that_is_wanted(
    state: str, tries: list[Any], shown: object
) -> None:
    row: Any = {"state": state}
    assert api_views._action(row, tries) == shown


class Account(SimpleNamespace):
    """An account of the mock gateway, or of one that cannot collect."""


def account(live: bool | None = None, **powers: Any) -> Any:
    collects = dict.fromkeys(("collect", "follow", "find_charge", "cancel"))
    driver = SimpleNamespace(
        **{"currencies": frozenset({"INR"}), "minimum_minor": {"INR": 100}, "limits": None,
           "collect_key_life_s": 1, "payment_methods": frozenset(), **collects, **powers},
    )  # fmt: skip
    return Account(driver=driver, live=live, gateway="mock", slug="m", id=UUID(int=7))


@pytest.mark.parametrize(("minor", "currency", "takes"), [
    (100, "INR", True), (99, "INR", False), (100, "RUB", False), (1, "INR", False),
])  # fmt: skip
def test_an_account_takes_its_currencies_from_its_smallest_amount_on(
    minor: int, currency: str, takes: bool
) -> None:
    assert attempts.takes(account(), Money(minor, currency)) is takes
    assert attempts.takes(account(minimum_minor={}), Money(1, "INR"))


@pytest.mark.parametrize(
    ("gateway", "method", "live", "said"),
    [
        (None, "automatic", True, "No gateway can collect 5 INR here, with a live key."),
        ("mock", "automatic", False, "mock cannot collect 5 INR here, with a test key."),
        ("mock", "manual", True, "mock cannot hold 5 INR here, with a live key."),
    ],
)
def test_it_is_said_what_no_gateway_can(
    gateway: str | None, method: str, live: bool, said: str
) -> None:
    payment = {
        "gateway": gateway, "capture_method": method, "live": live, "amount_minor": 5,
        "currency": "INR",
    }  # fmt: skip
    assert attempts.no_gateway(payment) == said


CHARGED = {
    "amount_minor": 5, "currency": "INR", "key": "k", "payment_id": UNIT, "description": None,
    "payment_reference": None, "return_url": None, "method": None, "capture_method": "manual",
    "metadata": {"a": "b"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({}, "description", "Payment"),
        ({"payment_reference": "r"}, "description", "r"),
        ({"payment_reference": "r", "description": "d"}, "description", "d"),
        ({}, "return_url", "https://example.invalid/"),
        ({"return_url": "https://shop"}, "return_url", "https://shop"),
        ({}, "capture", False),
        ({"capture_method": "automatic"}, "capture", True),
        ({"method": "upi"}, "method", "upi"),
        ({}, "metadata", {"a": "b"}),
        ({}, "mark", Mark(installation="ours", payment=str(UNIT))),
        ({}, "money", Money(5, "INR")),
        ({}, "key", "k"),
    ],
)
def test_a_charge_says_what_its_payment_says(given: dict[str, Any], name: str, value: Any) -> None:
    row: Any = {**CHARGED, **given}
    assert getattr(attempts._charge(CONTEXT, row), name) == value


WAITS: dict[str, Any] = {
    "way": "link", "state": "pending", "reference": "s1", "action": {"type": "redirect"},
}  # fmt: skip
SAME: dict[str, Any] = {"reference": "s1", "action": {"type": "redirect"}}


@pytest.mark.parametrize(
    ("changed", "event", "payment", "set_", "known"),
    [
        ({}, "SHOWN", "SHOWN", SAME, True),
        ({}, "SHOWN", "SHOWN", {}, True),
        ({}, "SHOWN", "SHOWN", {**SAME, "reference": "s2"}, False),
        ({}, "SHOWN", "SHOWN", {**SAME, "action": None}, False),
        ({"way": None}, "SHOWN", "SHOWN", SAME, False),
        ({"state": "unknown"}, "SHOWN", "SHOWN", SAME, False),
        ({}, "CLOSED", "SHOWN", SAME, False),
        ({}, "SHOWN", "AUTHORIZED", SAME, False),
        ({}, "SHOWN", "", SAME, False),
    ],
)
def test_that_a_page_still_waits_for_its_payer_is_no_news(
    changed: dict[str, Any], event: str, payment: str, set_: dict[str, Any], known: bool
) -> None:
    attempt: Any = WAITS | changed
    assert attempts._is_no_news(attempt, event, payment, set_) is known


@pytest.mark.parametrize(("tries", "pause_s"), [
    (1, 5), (2, 10), (3, 20), (6, 160), (7, 300), (8, 300), (5000, 300),
])  # fmt: skip
def test_an_attempt_is_looked_at_ever_more_rarely(tries: int, pause_s: int) -> None:
    context: Any = SimpleNamespace(
        windows=Windows(attempt_look_s=5, attempt_pause_max_s=300), now=lambda: NOW
    )
    assert attempts._next_look(context, tries) == NOW + pause_s * S


# QR codes.


@pytest.mark.parametrize(("tries", "pause_s"), [
    (0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (10, 300), (2000, 300),
])  # fmt: skip
def test_a_code_that_could_not_be_worked_waits_ever_longer(tries: int, pause_s: int) -> None:
    row: Any = {"tries": tries}
    assert qr_codes._pause(row) == pause_s * S


@pytest.mark.parametrize(
    ("retired", "following"),
    [
        (None, NOW + 20 * S),
        (NOW, NOW + 20 * S),
        (NOW - 100 * S, NOW + 120 * S),
        (NOW - timedelta(hours=2), NOW + 20 * S + timedelta(hours=2)),
        (NOW - timedelta(hours=2) - timedelta(microseconds=1), None),
    ],
)
def test_a_retired_code_is_asked_about_ever_more_rarely_and_after_two_hours_no_more(
    retired: datetime | None, following: datetime | None
) -> None:
    row: Any = {"retired_at": retired}
    assert qr_codes._next_poll(CONTEXT, row) == following


@pytest.mark.parametrize(("ahead", "more"), [(None, 0), (-5 * S, 0), (7 * S, 7)])
def test_a_list_begins_earlier_where_our_clock_is_ahead(ahead: Any, more: int) -> None:
    of: Any = SimpleNamespace(ahead=lambda: ahead)
    assert qr_codes._overlap(of) == timedelta(minutes=10) + more * S


@pytest.mark.parametrize(
    ("mark", "ours"),
    [
        (None, False),
        (Mark(installation="ours"), False),
        (Mark(installation="ours", payment="p"), False),
        (Mark(installation="another", qr="q"), False),
        (Mark(installation="ours", qr="q"), True),
    ],
)
def test_a_payment_is_of_a_code_of_ours_by_its_mark(mark: Mark | None, ours: bool) -> None:
    assert qr_codes._is_of_a_code(CONTEXT, fact(mark=mark)) is ours


# Webhooks.


def test_another_installations_mark_counts_for_nothing() -> None:
    own, others = Mark(installation="ours", qr="q"), Mark(installation="another", qr="q")
    assert gateway_webhooks._unmark(CONTEXT, fact(mark=own)).mark == own
    assert gateway_webhooks._unmark(CONTEXT, fact(mark=others)).mark is None
    assert gateway_webhooks._unmark(CONTEXT, fact()).mark is None


def test_webhooks_of_one_payment_are_together_by_the_first_that_names_it() -> None:
    code = QrFact(qr_code_id="q", image_url="u", open=True, reusable=True, money=None)
    said = Genuine(delivery_id="d", event="e", facts=(code, fact(), fact(gateway_payment_id="x")))
    assert gateway_webhooks._first_payment(said) == "pay_1"
    only = Genuine(delivery_id="d", event="e", facts=(code,))
    assert gateway_webhooks._first_payment(only) == ""


# Machines.


def refusal(code: wire.Refusal) -> wire.Reject:
    return wire.Reject(unit_id=UNIT, seq=1, journal_id="j", code=code)


def test_a_machine_that_refuses_for_a_moment_is_offered_no_more_until_it_says_more() -> None:
    passing = {*wire.TRANSIENT_REFUSALS, wire.Refusal.STALE_SEQ}
    for code in wire.Refusal:
        assert machine_messages._is_passing(refusal(code)) is (code in passing), code
        assert machine_messages._may_be_idle(refusal(code)) is (code not in passing), code


@pytest.mark.parametrize(
    ("up", "idle"),
    [
        (wire.Started(unit_id=UNIT, journal_id="j", event_seq=1), False),
        (wire.Accept(unit_id=UNIT, seq=1, journal_id="j", boot_id="b", mono_ms=1, counter=1),
         False),
        (wire.Hello(journal_id="j", boot_id="b", mono_ms=1, last_seq=0,
                    capabilities=wire.Capabilities(journal=True, sensor=True)), True),
    ],
)  # fmt: skip
def test_a_running_machine_is_offered_no_more(up: wire.Up, idle: bool) -> None:
    assert machine_messages._may_be_idle(up) is idle


# The nightly comparison.


@pytest.mark.parametrize(
    ("said", "captured", "refunded"),
    [
        (Absent(), 0, None),
        (fact(taken=Taken.AUTHORIZED), 0, None),
        (fact(taken=Taken.FAILED), 0, None),
        (fact(), 4000, None),
        (fact(refunded=Money(7, "INR")), 4000, 7),
    ],
)
def test_what_a_gateway_has_is_what_it_captured(
    said: PaymentFact | Absent, captured: int, refunded: int | None
) -> None:
    told = reconcile._as_said("pay_1", said)
    assert (told["gateway_payment_id"], told["captured"]) == ("pay_1", captured)
    if captured:
        assert (told["currency"], told["refunded"], told["at"]) == ("INR", refunded, NOW)


def test_what_was_found_is_named_with_its_sum() -> None:
    back = RefundFact(
        gateway_refund_id="rf_1", gateway_payment_id="pay_1", stage=RefundStage.PROCESSED,
        money=Money(150, "INR"), at=NOW,
    )  # fmt: skip
    assert reconcile._words(fact(), "refunded_outside") == (
        "payment pay_1, 40.00 INR: refunded outside"
    )
    assert reconcile._words(back, "refund") == "refund rf_1 of payment pay_1, 1.50 INR: refund"


# What a changed account leaves behind.


def test_of_replaced_secrets_those_that_were_there_prove_webhooks_for_a_while() -> None:
    def kept(secret_key: str, *webhook_secrets: str) -> Settings:
        return Settings(
            secret_key=Secret(secret_key), webhook_secrets=tuple(map(Secret, webhook_secrets))
        )

    def former(before: Settings, after: Settings) -> list[Former]:
        return gateway_accounts._replaced(CONTEXT, before, after)

    until = CONTEXT.after("gateway_secret_overlap_s")
    assert former(kept("sk_1", "a", "", "b"), kept("sk_1", "c")) == [
        Former(setting="webhook_secrets", secret=Secret(one), until=until) for one in "ab"
    ]
    assert former(kept("sk_1", ""), kept("sk_1", "c")) == []
    assert former(kept("sk_1", "a"), kept("sk_2", "a")) == []  # the key proves no webhook


def test_a_password_that_was_replaced_is_kept_whole() -> None:
    def kept(password: str) -> tbank.Settings:
        return tbank.Settings(terminal_key="t", password=Secret(password))

    (former,) = gateway_accounts._replaced(CONTEXT, kept("first"), kept("second"))
    assert (former.setting, former.secret) == ("old_passwords", Secret("first"))


class Typed(Struct):
    """Settings of which some say nothing."""

    a: str = "x"
    b: str | None = None
    c: tuple[str, ...] = ()
    d: str = ""
    e: bool = False
    f: tuple[str, ...] = ("y",)


def test_of_what_was_typed_that_is_named_which_says_something() -> None:
    assert gateway_accounts._names(Typed(), Typed.__struct_fields__) == ["a", "e", "f"]
    assert gateway_accounts._names(Typed(b="z"), ("f", "b", "d")) == ["f", "b"]
