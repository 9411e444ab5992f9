"""Stripe field by field: every request whole, and every fact whole, read from answers in which one
thing is other than usual."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways import marks, stripe
from coinslot.gateways.base import (
    Absent,
    Declined,
    DisputeFact,
    DisputeStage,
    Mark,
    PaymentFact,
    RefundFact,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Closed, Pending, Redirect
from coinslot.gateways.listing import SettledLine
from coinslot.gateways.stripe import build, parse
from coinslot.gateways.wire import Call, NoReply, Reply
from coinslot.kit.clock import SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.canned import Canned
from tests.gateways.scripted import ScriptedWire, scripted
from tests.gateways.stripe_canned import (
    BY_CARD,
    CHARGE,
    NOW,
    ORDER,
    charge,
    error,
    intent,
    listed,
    refund,
)
from tests.gateways.stripe_canned import session as bare_session

AT = datetime.fromtimestamp(1_700_000_000, UTC)
OURS = Mark(installation="here", payment=CHARGE.mark.payment)
NOTED = {
    "coinslot": "here",
    "payment": str(CHARGE.mark.payment),
    "charge": marks.key_sign("charge-1"),
}
LONG = datetime.fromtimestamp(1_700_086_400, UTC)
BALANCE = {"id": "txn_1", "amount": 4000, "fee": 146, "net": 3854, "currency": "usd"}


def session(**other: Any) -> dict[str, Any]:
    return bare_session(metadata=NOTED) | other


def posted(path: str, body: dict[str, object]) -> Call:
    return Call(
        method="POST", path=path, body=body, form=True, headers={"Stripe-Version": build.VERSION}
    )


def asked(path: str, **params: object) -> Call:
    inside = {"expand[0]": "latest_charge.balance_transaction", **params}
    return Call(
        method="GET", path=path, params=inside,  # type: ignore[arg-type]
        headers={"Stripe-Version": "2026-10-28.endive"},
    )  # fmt: skip


IN_SESSION = "payment_intent.latest_charge.balance_transaction"


def test_a_session_is_asked_for_in_these_words() -> None:
    noted = {"table": "7", **NOTED}
    body: dict[str, object] = {f"metadata[{name}]": text for name, text in noted.items()}
    body |= {f"payment_intent_data[metadata][{name}]": text for name, text in noted.items()}
    body |= {
        "mode": "payment",
        "line_items[0][quantity]": 1,
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": 4000,
        "line_items[0][price_data][product_data][name]": "Cola",
        "success_url": "https://shop.example/back",
        "cancel_url": "https://shop.example/back",
        "expand[0]": IN_SESSION,
        "client_reference_id": CHARGE.mark.payment,
    }
    assert build.create(CHARGE) == posted("/v1/checkout/sessions", body)
    held = posted("/v1/checkout/sessions",
                  body | {"payment_intent_data[capture_method]": "manual"})  # fmt: skip
    assert build.create(replace(CHARGE, capture=False)) == held
    nameless = build.create(replace(CHARGE, description="")).body
    assert nameless == body | {"line_items[0][price_data][product_data][name]": "Payment"}
    of_nothing = build.create(replace(CHARGE, mark=Mark(installation="here"))).body or {}
    assert "client_reference_id" not in of_nothing


def test_an_intent_is_asked_for_in_these_words() -> None:
    body: dict[str, object] = {
        f"metadata[{name}]": text for name, text in {"table": "7", **NOTED}.items()
    }
    body |= {
        "amount": 4000,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": "true",
        "expand[0]": "latest_charge.balance_transaction",
        "description": "Cola",
        "return_url": "https://shop.example/back",
    }
    assert build.create(BY_CARD) == posted("/v1/payment_intents", body)
    held = build.create(replace(BY_CARD, capture=False)).body
    assert held == body | {"capture_method": "manual"}
    less = build.create(replace(BY_CARD, description="", return_url="")).body
    assert less == {k: v for k, v in body.items() if k not in ("description", "return_url")}
    long = build.create(replace(BY_CARD, description="x" * 251)).body or {}
    assert long["description"] == "x" * 250


@pytest.mark.parametrize(("minutes", "sent"), [(29, False), (30, True), (31, True)])
def test_an_end_is_asked_for_when_it_can_be_taken(minutes: int, sent: bool) -> None:
    end = NOW + timedelta(minutes=minutes)
    body = build.create(replace(CHARGE, expires_at=end)).body or {}
    assert body.get("expires_at") == (int(end.timestamp()) if sent else None)
    unknown = replace(CHARGE, expires_at=end, mark=Mark(installation="here", payment="p"))
    assert (build.create(unknown).body or {})["expires_at"] == int(end.timestamp())


def test_every_other_request_is_in_these_words() -> None:
    noted: dict[str, object] = {"metadata[coinslot]": "here", "metadata[refund]": "r1"}
    back: dict[str, object] = {"payment_intent": "pi_1", "amount": 4000, **noted}
    told = back | {"metadata[reason]": "nothing came out"}
    assert build.refund(ORDER) == posted("/v1/refunds", told)
    assert build.refund(replace(ORDER, reason="")) == posted("/v1/refunds", back)
    long = build.refund(replace(ORDER, reason="x" * 501)).body or {}
    assert long["metadata[reason]"] == "x" * 500
    with_fee: dict[str, object] = {"expand[0]": "latest_charge.balance_transaction"}
    assert build.capture("pi_1", Money(3000, "USD")) == posted(
        "/v1/payment_intents/pi_1/capture", {"amount_to_capture": 3000, **with_fee}
    )
    inside: dict[str, object] = {"expand[0]": IN_SESSION}
    assert build.end("cs_1") == posted("/v1/checkout/sessions/cs_1/expire", inside)
    assert build.end("pi_1") == posted("/v1/payment_intents/pi_1/cancel", with_fee)
    assert build.look("pi_1") == asked("/v1/payment_intents/pi_1")
    assert build.look("cs_1") == asked("/v1/checkout/sessions/cs_1", **{"expand[0]": IN_SESSION})
    for name, path in (("../x?", "---x-"), ("", "-"), ("a" * 256, "a" * 255)):
        assert build.look(name).path == f"/v1/payment_intents/{path}"


@pytest.mark.parametrize(
    ("key", "number", "sent"),
    [
        ("k-1", 0, "k-1"),
        ("k-1", 2, "k-1.2"),
        ("k" * 200, 1, "k" * 200 + ".1"),
        ("k" * 201, 0, "46c3b5a8a3b6cf7b"),
        ("with space", 0, "6d5e3d2ce6d9e3d6"),
    ],
)
def test_a_key_is_sent_as_it_is_or_as_a_sign_of_it(key: str, number: int, sent: str) -> None:
    made = build.keyed(posted("/x", {}), key, number)
    headers = made.headers or {}
    assert headers["Stripe-Version"] == "2026-10-28.endive"
    assert (made.method, made.path, made.form) == ("POST", "/x", True)
    if len(sent) == 16:
        assert len(headers["Idempotency-Key"]) == 64
    else:
        assert headers["Idempotency-Key"] == sent


def test_a_charge_is_searched_for_where_it_can_have_been_made() -> None:
    hour, now = timedelta(hours=1), NOW + timedelta(days=3)
    made = NOW - timedelta(minutes=5)
    assert build.span_of(CHARGE, now) == (NOW - hour, now + hour)
    sent = replace(CHARGE, sent_at=made)
    assert build.span_of(sent, now) == (made - hour, made + timedelta(hours=24))
    assert build.span_of(sent, NOW) == (made - hour, NOW + hour)
    strange = replace(CHARGE, mark=Mark(installation="here"))
    assert build.span_of(strange, now)[0] == datetime(2009, 12, 31, 23, tzinfo=UTC)
    later = AT + timedelta(seconds=1.9)
    assert build.created(AT, later) == {"created[gte]": 1_700_000_000, "created[lt]": 1_700_000_001}


def test_what_it_accepts_of_a_merchants_text() -> None:
    flaws = build.LIMITS.flaws
    fits = {f"n{i}": "t" for i in range(47)} | {"charge": "t" * 999, "qr": "ours, not sent"}
    assert flaws(fits, "d" * 250) == {}
    assert flaws(fits | {"one more": "t"}, "d" * 251) == {
        "description": "at most 250 characters", "metadata": "at most 47 entries",
    }  # fmt: skip
    assert flaws({"n" * 40: "t" * 500}, "") == {}
    for name in ("n" * 41, "", "a[b", "a]b"):
        said = "a name of 1 to 40 characters, without []"
        assert flaws({name: "t"}, "") == {f"metadata.{name}": said}
    assert flaws({"n": "t" * 501}, "") == {"metadata.n": "a text of at most 500 characters"}


PAID = PaymentFact(
    gateway_payment_id="pi_1", taken=Taken.CAPTURED, money=Money(4000, "USD"),
    at=datetime.fromtimestamp(1_700_000_100, UTC), mark=OURS, refunded=Money(0, "USD"),
    description="Cola",
)  # fmt: skip


def whole_intent(**other: Any) -> dict[str, Any]:
    return intent(metadata=NOTED, description="Cola", amount=5000) | other


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({}, {}),
        ({"latest_charge": None}, {"at": AT, "refunded": None}),
        ({"latest_charge": "ch_1"}, {"at": AT, "refunded": None}),
        ({"latest_charge": charge(amount_refunded=700)}, {"refunded": Money(700, "USD")}),
        ({"latest_charge": charge(balance_transaction="txn_1")}, {}),
        ({"latest_charge": charge(balance_transaction=BALANCE)}, {"fee": Money(146, "USD")}),
        ({"latest_charge": charge(balance_transaction={**BALANCE, "currency": "eur"})}, {}),
        ({"latest_charge": charge(receipt_url="https://pay.stripe.com/receipts/a?s=ap")},
         {"receipt_url": "https://pay.stripe.com/receipts/a?s=ap"}),
        ({"latest_charge": charge(receipt_url="javascript:alert(1)")}, {}),
        ({"latest_charge": charge(receipt_url="https://a b")}, {}),
        ({"latest_charge": charge(receipt_url="https://" + "a" * 2000)}, {}),
        ({"latest_charge": charge(receipt_url=7)}, {}),
        ({"amount_received": 3000}, {"money": Money(3000, "USD")}),
        ({"amount_received": None}, {}),
        ({"amount_received": None, "latest_charge": charge(amount_captured=2000)},
         {"money": Money(2000, "USD")}),
        ({"amount_received": None, "latest_charge": None, "capture_method": "automatic"},
         {"money": Money(5000, "USD"), "at": AT, "refunded": None}),
        ({"amount_received": None, "latest_charge": charge(amount_captured=None),
          "capture_method": "automatic_async"}, {"money": Money(5000, "USD")}),
        ({"description": None}, {"description": ""}),
        ({"description": "a\0b"}, {"description": "a\N{REPLACEMENT CHARACTER}b"}),
        ({"metadata": {}}, {"mark": None}),
        ({"status": "requires_capture"}, {"taken": Taken.AUTHORIZED, "money": Money(5000, "USD")}),
        ({"status": "requires_capture", "latest_charge": charge(balance_transaction=BALANCE)},
         {"taken": Taken.AUTHORIZED, "money": Money(5000, "USD")}),
        ({"status": "canceled"}, {"taken": Taken.FAILED, "money": Money(5000, "USD")}),
        ({"status": "requires_payment_method", "last_payment_error": {}},
         {"taken": Taken.FAILED, "money": Money(5000, "USD")}),
    ],
)  # fmt: skip
def test_an_intent_becomes_this_payment(other: dict[str, Any], fact: dict[str, Any]) -> None:
    wanted = replace(PAID, **fact)
    assert parse.payment(whole_intent(**other)) == wanted
    within = session(status="complete", payment_intent=whole_intent(**other))
    assert parse.payment(within) == wanted


@pytest.mark.parametrize(
    "other",
    [
        {"amount_received": 0},
        {"amount_received": None, "latest_charge": None, "capture_method": "manual"},
        {"amount_received": None, "latest_charge": None},
        {"currency": "usdx"},
        {"created": -1},
        {"id": "pi 1"},
        {"id": "p" * 256},
        {"amount": -1},
        {"amount": 2**63},
        {"latest_charge": charge(created=253_402_300_800)},
    ],
)
def test_an_intent_that_cannot_be_so_is_not_read(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        parse.payment(whole_intent(**other))


@pytest.mark.parametrize(
    "other",
    [
        {"id": "p" * 255},
        {"amount": 0},
        {"amount": 2**63 - 1},
        {"latest_charge": charge(created=253_402_300_799)},
        {"latest_charge": charge(created=0)},
    ],
)
def test_an_intent_is_read_up_to_its_limits(other: dict[str, Any]) -> None:
    assert isinstance(parse.payment(whole_intent(**other)), PaymentFact)


def test_no_money_was_tried_yet() -> None:
    waits = ("requires_payment_method", "requires_confirmation", "requires_action", "processing")
    for status in waits:
        assert parse.payment(whole_intent(status=status)) is None
        assert parse.payment(session(payment_intent=whole_intent(status=status))) is None
    assert parse.payment(session(payment_intent="pi_1")) is None
    with pytest.raises(ValueError, match="took nothing"):
        parse.captured(session())
    with pytest.raises(ValueError, match="took nothing"):
        parse.captured(whole_intent(status="requires_capture"))
    assert parse.captured(whole_intent()) == PAID


WAITING = Pending(
    reference="cs_test_1", action=Redirect("https://checkout.stripe.example/1"), expires_at=LONG
)


@pytest.mark.parametrize(
    ("other", "stands"),
    [
        ({}, WAITING),
        ({"expires_at": None}, replace(WAITING, expires_at=None)),
        ({"expires_at": 0}, replace(WAITING, expires_at=datetime(1970, 1, 1, tzinfo=UTC))),
        ({"url": None}, replace(WAITING, action=None)),
        ({"status": "complete"}, WAITING),
        ({"payment_intent": whole_intent()}, WAITING),  # their word on the session counts
        ({"status": "expired"}, Closed(reference="cs_test_1", reason="expired")),
        ({"status": "complete", "payment_intent": whole_intent()}, PAID),
        ({"status": "complete", "payment_intent": whole_intent(status="processing")},
         Pending(reference="cs_test_1")),
        ({"status": "complete", "payment_intent": whole_intent(status="canceled")},
         Closed(reference="cs_test_1", reason="the payment failed")),
        ({"status": "complete", "payment_intent": whole_intent(
            status="requires_payment_method", last_payment_error={})},
         Closed(reference="cs_test_1", reason="the payment failed")),
        ({"status": "complete", "payment_status": "paid", "payment_intent": whole_intent()}, PAID),
    ],
)  # fmt: skip
def test_a_session_stands_there(other: dict[str, Any], stands: Any) -> None:
    assert parse.progress(session(**other)) == stands


def test_a_paid_session_is_not_read_without_its_payment() -> None:
    for status in ("open", "complete", "expired"):
        with pytest.raises(ValueError, match="without its payment intent"):
            parse.progress(session(status=status, payment_status="paid", payment_intent="pi_1"))


TO_BANK = {"redirect_to_url": {"url": "https://bank.example"}}


@pytest.mark.parametrize(
    ("other", "stands"),
    [
        ({"status": "canceled"}, Closed(reference="pi_1", reason="canceled")),
        ({"status": "canceled", "cancellation_reason": "aban\0doned"},
         Closed(reference="pi_1", reason="aban\N{REPLACEMENT CHARACTER}doned")),
        ({"status": "requires_action", "next_action": TO_BANK},
         Pending(reference="pi_1", action=Redirect("https://bank.example"))),
        ({"status": "processing", "next_action": TO_BANK}, Pending(reference="pi_1")),
        ({"status": "requires_action"}, Pending(reference="pi_1")),
        ({"status": "requires_action", "next_action": "x"}, Pending(reference="pi_1")),
        ({"status": "requires_action", "next_action": {"redirect_to_url": "x"}},
         Pending(reference="pi_1")),
        ({"status": "requires_action", "next_action": {"redirect_to_url": {"url": 7}}},
         Pending(reference="pi_1")),
        ({}, PAID),
    ],
)  # fmt: skip
def test_an_intent_stands_there(other: dict[str, Any], stands: Any) -> None:
    assert parse.progress(whole_intent(**other)) == stands


def event(kind: str, thing: object, **more: Any) -> parse.Event:
    said: dict[str, Any] = {
        "id": "evt_1",
        "type": kind,
        "created": 1_700_000_000,
        "data": {"object": thing},
    }
    return parse.Event(**(said | more))


TOLD = replace(PAID, at=AT, refunded=None, description="")


@pytest.mark.parametrize(
    ("other", "facts"),
    [
        ({}, (TOLD,)),
        ({"payment_intent": {"id": "pi_1", "status": "of another version"}}, (TOLD,)),
        ({"payment_status": "unpaid"}, ()),
        ({"payment_status": "no_payment_required", "amount_total": 0}, ()),
        ({"mode": "setup", "amount_total": None, "currency": None}, ()),
        ({"mode": "subscription"}, ()),
        ({"payment_intent": None, "metadata": {}}, ()),
        ({"metadata": {}}, (replace(TOLD, mark=None),)),
    ],
)
@pytest.mark.parametrize("kind", ["completed", "async_payment_succeeded"])
def test_a_session_in_an_event_states_this(
    kind: str, other: dict[str, Any], facts: tuple[Any, ...]
) -> None:
    paid = {"payment_status": "paid", "mode": "payment", "payment_intent": "pi_1"}
    said = session(**(paid | other))
    assert parse.facts(event(f"checkout.session.{kind}", said)) == facts


@pytest.mark.parametrize(
    "other",
    [
        {"amount_total": 0}, {"amount_total": None}, {"currency": None},
        {"payment_intent": None}, {"payment_intent": 7}, {"payment_intent": {}},
    ],
)  # fmt: skip
def test_a_paid_session_of_ours_that_does_not_say_for_what_is_not_read(
    other: dict[str, Any],
) -> None:
    said = session(payment_status="paid", **({"payment_intent": "pi_1"} | other))
    with pytest.raises(ValueError):
        parse.facts(event("checkout.session.completed", said))


CHARGED = replace(PAID, description="", fee=Money(146, "USD"))


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({}, CHARGED),
        ({"balance_transaction": None}, replace(CHARGED, fee=None)),
        ({"amount_refunded": 700}, replace(CHARGED, refunded=Money(700, "USD"))),
        ({"amount_captured": 3000}, replace(CHARGED, money=Money(3000, "USD"))),
        ({"metadata": None}, replace(CHARGED, mark=None)),
        ({"captured": False}, None),
        ({"payment_intent": None, "metadata": {}}, None),
    ],
)
def test_a_charge_becomes_this_payment(other: dict[str, Any], fact: Any) -> None:
    said = charge(amount=5000, metadata=NOTED, balance_transaction=BALANCE) | other
    assert parse.charge(said) == fact
    assert parse.facts(event("charge.refunded", said)) == (() if fact is None else (fact,))


@pytest.mark.parametrize(
    "other", [{"amount_captured": 0}, {"amount_captured": None}, {"payment_intent": None}]
)
def test_a_charge_of_ours_that_cannot_be_so_is_not_read(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        parse.charge(charge(metadata=NOTED) | other)


BACK = RefundFact(
    gateway_refund_id="re_1", gateway_payment_id="pi_1", stage=RefundStage.PROCESSED,
    money=Money(4000, "USD"), at=datetime.fromtimestamp(1_700_000_200, UTC),
    mark=Mark(installation="here", refund="r1"),
)  # fmt: skip


def test_a_refund_becomes_this() -> None:
    assert parse.refund(refund()) == BACK
    assert parse.refund(refund(amount=1, currency="jpy")) == replace(BACK, money=Money(1, "JPY"))
    for kind in ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"):
        assert parse.facts(event(kind, refund())) == (BACK,)
    strange = refund(payment_intent=None, metadata={}, status=None)
    assert parse.refund_of_payment(strange) is None
    for odd in (strange, refund(amount=0), refund(status=None), refund(payment_intent=None)):
        with pytest.raises(ValueError):
            parse.refund(odd)


DISPUTE = {"id": "du_1", "amount": 3000, "currency": "usd", "payment_intent": "pi_1"}
CLAIMED = DisputeFact(
    gateway_dispute_id="du_1", gateway_payment_id="pi_1", stage=DisputeStage.OPEN,
    money=Money(3000, "USD"), reason="fraudulent", at=AT,
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("needs_response", DisputeStage.OPEN), ("a new word", DisputeStage.OPEN),
        ("won", DisputeStage.WON), ("warning_closed", DisputeStage.WON),
        ("prevented", DisputeStage.WON), ("lost", DisputeStage.LOST),
    ],
)  # fmt: skip
def test_a_dispute_becomes_this(status: str, stage: DisputeStage) -> None:
    said = DISPUTE | {"status": status, "reason": "fraudulent"}
    assert parse.facts(event("charge.dispute.x", said)) == (replace(CLAIMED, stage=stage),)
    said = DISPUTE | {"status": status}
    (fact,) = parse.facts(event("charge.dispute.created", said))
    assert isinstance(fact, DisputeFact)
    assert fact.reason == ""
    with pytest.raises(ValueError, match="names no payment intent"):
        parse.facts(event("charge.dispute.created", said | {"payment_intent": None}))


def test_only_events_that_are_known_are_opened() -> None:
    assert parse.facts(event("charge.disputed", None, created="2026-01-01", data=7)) == ()
    for kind in parse.KNOWN | {"charge.dispute.closed"}:
        with pytest.raises(ValueError):
            parse.facts(event(kind, None))
        with pytest.raises(ValueError):
            parse.facts(event(kind, refund(), created="2026-01-01"))


def test_a_movement_of_money_becomes_this_line() -> None:
    said = BALANCE | {"available_on": 1_700_000_500, "source": charge(amount=1)}
    assert parse.settled_line(said) == SettledLine(
        gateway_payment_id="pi_1", gross=Money(4000, "USD"), fee=Money(146, "USD"),
        settlement="txn_1", at=datetime.fromtimestamp(1_700_000_500, UTC),
    )  # fmt: skip
    assert parse.settled_line(said | {"available_on": None}) is None
    assert parse.settled_line(said | {"source": charge(payment_intent=None)}) is None
    below = parse.settled_line(said | {"amount": -4000, "fee": -5, "currency": "eur"})
    assert below is not None
    assert (below.gross, below.fee) == (Money(-4000, "EUR"), Money(-5, "EUR"))


@pytest.mark.parametrize(
    ("key", "live"),
    [("sk_live_1", True), ("rk_live_1", True), ("sk_test_1", False), ("rk_test_", False),
     ("pk_live_1", None), ("xsk_live_1", None), ("sk_live", None)],
)  # fmt: skip
def test_a_key_says_whether_money_moves(key: str, live: bool | None) -> None:
    assert parse.is_live(Secret(key)) is live
    settings = stripe.Settings(secret_key=Secret(key))
    address = stripe.address(settings)
    assert address.live is (live is True)
    assert address.base_url == "https://api.stripe.com"
    assert address.auth == (Secret(key), Secret(""))


def test_only_a_replayed_error_is_broken_for_good() -> None:
    replayed = {"idempotent-replayed": "true"}
    assert parse.is_broken_for_good(NoReply("HTTP 500", replayed))
    assert not parse.is_broken_for_good(NoReply("HTTP 500", {"idempotent-replayed": "false"}))
    assert not parse.is_broken_for_good(NoReply("HTTP 500"))
    assert not parse.is_broken_for_good(Reply(400, {}, replayed))


def test_a_no_says_its_words_or_else_its_code() -> None:
    def said(status: int = 400, **error: object) -> Any:
        return parse.refused(Reply(status, {"error": {"type": "invalid_request_error", **error}}))

    assert (
        said(message="We\0 are closed", code="x").reason == "We\N{REPLACEMENT CHARACTER} are closed"
    )
    assert said(code="x").reason == "x"
    assert said().reason == "no message"
    assert said().code == ""
    assert said(code="a\0b").code == "a\N{REPLACEMENT CHARACTER}b"
    assert said(type="card_error").code == ""
    assert said(type="card_error", decline_code="a\0").code == "a\N{REPLACEMENT CHARACTER}"
    assert isinstance(said(500), Unclear)
    assert isinstance(said(499), type(said(400)))
    assert said(type="idempotency_error", message="m").reason == "m"
    assert parse.refused(Reply(400, {"error": "x"})) == Unclear("HTTP 400")


def test_a_charge_takes_over_only_what_it_made_itself() -> None:
    assert parse.progress_of(CHARGE, session()) == WAITING
    assert parse.progress_of(BY_CARD, whole_intent(amount=4000)) == PAID
    for odd in (session(amount_total=1), session(currency="eur"), session(metadata={}),
                whole_intent(amount=1), whole_intent(), whole_intent(amount=4000, currency="eur"),
                whole_intent(amount=4000, metadata=NOTED | {"charge": "another"}),
                {"object": "charge"}, {}):  # fmt: skip
        with pytest.raises(ValueError):
            parse.progress_of(CHARGE, odd)


def at(*answers: Canned) -> tuple[stripe.Stripe, ScriptedWire]:
    wire, asked = scripted(*answers)
    return stripe.Stripe(
        stripe.Settings(secret_key=Secret("sk_test_1")), wire, SystemClock()
    ), asked


def _is(got: object, said: Any) -> None:
    if isinstance(said, type):
        assert isinstance(got, said), got
    elif isinstance(said, str):
        assert isinstance(got, Declined), got
        assert got.code == said
    else:
        assert got == said


GONE = error(404, code="resource_missing")
NO = error(400, code="payment_intent_unexpected_state")
BUSY = error(400, code="lock_timeout")
BROKEN = Canned(500)
MONEY = Money(4000, "USD")


def held(**other: Any) -> Canned:
    said = {"status": "requires_capture", "amount_received": 0, "amount": 4000} | other
    return Canned(200, whole_intent(**said))


ENDED = held(status="canceled")
DONE = held(status="succeeded", amount_received=4000)
PART = held(status="succeeded", amount_received=3000)
OPEN_ONE = held(status="requires_action")
FAILED_ONE = held(status="requires_payment_method", last_payment_error={})
CLOSED_ONE = Closed(reference="pi_1", reason="canceled")


@pytest.mark.parametrize(
    ("answers", "said", "called"),
    [
        ((DONE,), PAID, 1),
        ((held(), DONE), PAID, 2),
        ((held(), PART), Unclear, 2),
        ((PART,), Unclear, 1),
        ((held(), held()), Unclear, 2),
        ((held(), BROKEN), Unclear, 2),
        ((held(), BUSY), "busy", 2),
        ((held(), NO, DONE), PAID, 3),
        ((held(), NO, held()), "unexpected_state", 3),
        ((held(), NO, GONE), "unexpected_state", 3),
        ((held(), NO, BROKEN), "unexpected_state", 3),
        ((held(), NO, PART), Unclear, 3),
        ((OPEN_ONE,), Unclear, 1),
        ((GONE,), "absent", 1),
        ((BROKEN,), Unclear, 1),
    ],
)
async def test_what_is_held_is_taken(answers: tuple[Canned, ...], said: Any, called: int) -> None:
    till, asked = at(*answers)
    _is(await till.capture("pi_1", MONEY, "k"), said)
    assert len(asked.calls) == called
    if called > 1:
        assert asked.calls[1] == build.capture("pi_1", MONEY)


@pytest.mark.parametrize(
    ("answers", "said", "called"),
    [
        ((held(), ENDED), replace(CLOSED_ONE, reference="cs_1"), 2),
        ((held(), DONE), Unclear, 2),
        ((held(), BROKEN), Unclear, 2),
        ((held(), NO, ENDED), CLOSED_ONE, 3),
        ((held(), NO, DONE), "unexpected_state", 3),
        ((held(), NO, GONE), "unexpected_state", 3),
        ((GONE,), "absent", 1),
        ((BROKEN,), Unclear, 1),
    ],
)
async def test_what_is_held_is_let_go(answers: tuple[Canned, ...], said: Any, called: int) -> None:
    till, asked = at(*answers)
    _is(await till.void("cs_1", "k"), said)
    assert len(asked.calls) == called
    if called > 1:
        assert asked.calls[1] == build.end("pi_1")


@pytest.mark.parametrize(
    ("answers", "said", "called"),
    [
        ((DONE,), PAID, 1),
        ((held(),), PaymentFact, 1),
        ((ENDED,), CLOSED_ONE, 1),
        ((OPEN_ONE, ENDED), CLOSED_ONE, 2),
        ((FAILED_ONE, ENDED), CLOSED_ONE, 2),
        ((OPEN_ONE, BROKEN), Unclear, 2),
        ((OPEN_ONE, BUSY), "busy", 2),
        ((OPEN_ONE, NO, DONE), PAID, 3),
        ((OPEN_ONE, NO, BROKEN), Unclear, 3),
        ((OPEN_ONE, NO, OPEN_ONE), "unexpected_state", 3),
        ((OPEN_ONE, NO, GONE), "unexpected_state", 3),
        ((GONE,), "absent", 1),
        ((BROKEN,), Unclear, 1),
    ],
)
async def test_a_charge_is_ended(answers: tuple[Canned, ...], said: Any, called: int) -> None:
    till, asked = at(*answers)
    _is(await till.cancel("pi_1"), said)
    assert len(asked.calls) == called
    if called > 1:
        assert asked.calls[1] == build.end("pi_1")


MANY = listed(refund(), more=True)


@pytest.mark.parametrize(
    ("name", "answers", "said", "called"),
    [
        ("pi_1", (listed(refund(), refund()),), Refunds((BACK,)), 1),
        ("pi_1", (listed(), DONE), Refunds(()), 2),
        ("pi_1", (listed(), OPEN_ONE), Unclear, 2),
        ("pi_1", (listed(), GONE), Absent(), 2),
        ("pi_1", (listed(refund(), {}),), Unclear, 1),
        ("pi_1", (GONE,), Absent(), 1),
        ("pi_1", (BROKEN,), Unclear, 1),
        ("pi_1", (MANY,), Unclear, 50),
        ("cs_1", (DONE, listed(refund())), Refunds((BACK,)), 2),
        ("cs_1", (GONE,), Absent(), 1),
        ("cs_1", (OPEN_ONE,), Unclear, 1),
    ],
)
async def test_refunds_are_listed_whole_or_not(
    name: str, answers: tuple[Canned, ...], said: Any, called: int
) -> None:
    till, asked = at(*answers)
    _is(await till.refunds(name), said)
    assert len(asked.calls) == called
    lists = [call for call in asked.calls if call.path == "/v1/refunds"]
    for call in lists:
        assert (call.params or {})["payment_intent"] == "pi_1"
        assert (call.params or {})["limit"] == 100


async def test_what_was_paid_out_is_read_from_the_days_of_its_movements() -> None:
    movement = BALANCE | {"available_on": 1_700_000_000, "source": charge()}
    other = movement | {"id": "txn_2", "available_on": 1_700_086_400}
    till, asked = at(listed(movement, other, movement, {"id": "odd"}))
    found: Any = await till.settled_between(AT, LONG)
    assert [line.settlement for line in found.lines] == ["txn_1"]
    assert [one.name for one in found.unread] == ["odd"]
    begin = AT - timedelta(days=14)
    days = [(begin + timedelta(days=n), begin + timedelta(days=n + 1)) for n in range(15)]
    more = {"type": "charge", "expand[0]": "data.source", "limit": 100}
    assert [call.params for call in asked.calls] == [
        {**more, **build.created(*day)} for day in days
    ]
    assert {call.path for call in asked.calls} == {"/v1/balance_transactions"}
    till, asked = at(BROKEN)
    _is(await till.settled_between(AT, LONG), Unclear)
    assert len(asked.calls) == 1
    part = AT + timedelta(hours=1)
    till, asked = at(listed())
    await till.settled_between(AT, part)
    assert asked.calls[-1].params == {**more, **build.created(AT, part)}


async def test_lists_of_a_span_are_asked_for_in_these_words() -> None:
    till, asked = at(listed(charge(), charge(captured=False), {}), listed(refund(), {}), GONE)
    payments: Any = await till.payments_between(AT, LONG)
    refunds: Any = await till.refunds_between(AT, LONG)
    assert (len(payments.facts), len(payments.unread)) == (1, 1)
    assert (refunds.facts, len(refunds.unread)) == ((BACK,), 1)
    span = build.created(AT, LONG)
    assert [(call.path, call.params) for call in asked.calls] == [
        ("/v1/charges", {"expand[0]": "data.balance_transaction", **span, "limit": 100}),
        ("/v1/refunds", {**span, "limit": 100}),
    ]
    _is(await till.payments_between(AT, LONG), Unclear("there is no such list"))


async def test_no_money_yet_is_no_absence() -> None:
    till, _ = at(OPEN_ONE)
    assert await till.look("pi_1") == Unclear("no money yet")


async def test_a_charge_is_found_by_our_mark_and_its_key_alone() -> None:
    strange = [7, {"metadata": "x"}, session(metadata=NOTED | {"charge": "another"})]
    till, asked = at(listed(*strange, session(id="cs_9")), Canned(200, session(id="cs_9")))
    _is(await till.find_charge(CHARGE), Pending)
    assert asked.paths == ["/v1/checkout/sessions", "/v1/checkout/sessions/cs_9"]
    till, asked = at(listed(whole_intent()), DONE)
    _is(await till.find_charge(BY_CARD), PAID)
    assert asked.paths == ["/v1/payment_intents", "/v1/payment_intents/pi_1"]
    for answers in ((GONE,), (BROKEN,), (listed(session()), GONE)):
        till, _ = at(*answers)
        _is(await till.find_charge(CHARGE), Unclear)
    till, _ = at(listed(*strange))
    assert await till.find_charge(CHARGE) == Absent()


def test_what_the_account_states_of_itself() -> None:
    least = {
        30: "GBP", 50: "AUD BRL CAD CHF EUR INR JPY NZD SGD USD", 200: "AED MYR PLN RON",
        250: "DKK", 300: "NOK SEK", 400: "HKD", 1000: "MXN THB", 1500: "CZK", 17500: "HUF",
    }  # fmt: skip
    by_code = {code: minor for minor, codes in least.items() for code in codes.split()}
    assert stripe.Stripe.minimum_minor == by_code
    assert stripe.Stripe.currencies == by_code.keys()
    assert stripe.Stripe.refund_key_life_s == stripe.Stripe.collect_key_life_s == 82_800
    assert stripe.Stripe.kept_headers == ("stripe-signature",)
    assert stripe.Stripe.webhook_reply is None
