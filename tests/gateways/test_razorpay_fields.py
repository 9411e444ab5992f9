"""Razorpay field by field: every request whole, and every fact whole, read from answers in which
one thing is other than usual."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways import marks, razorpay
from coinslot.gateways.base import (
    Absent,
    Declined,
    DisputeFact,
    DisputeStage,
    Mark,
    PaymentFact,
    QrFact,
    QrOrder,
    RefundFact,
    RefundOrder,
    RefundStage,
    Taken,
)
from coinslot.gateways.collecting import Charge, Closed, Pending, Redirect
from coinslot.gateways.listing import SettledLine
from coinslot.gateways.razorpay import build, parse
from coinslot.gateways.wire import Call
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.canned import Canned, error
from tests.gateways.scripted import ScriptedWire, scripted

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = 1_700_000_000
AT = datetime.fromtimestamp(SECONDS, UTC)
TOLD = datetime.fromtimestamp(SECONDS + 60, UTC)
MARK = Mark(installation="here", qr="q1")
NOTED = {"coinslot": "here", "qr": "q1"}
CHARGE = Charge(
    money=Money(4000, "INR"), key="charge-1", mark=Mark(installation="here", payment="p1"),
    description="Cola", return_url="https://shop.example/back",
    metadata={"table": "7", "refund": "not ours to say"},
)  # fmt: skip
LINKED = {"coinslot": "here", "payment": "p1", "charge": marks.key_sign("charge-1")}


def test_a_refund_is_asked_for_in_these_words() -> None:
    order = RefundOrder(
        gateway_payment_id="pay_1", money=Money(500, "INR"), key="refund-key-1",
        mark=Mark(installation="here", refund="r1"), reason="jam",
    )  # fmt: skip
    noted = {"coinslot": "here", "refund": "r1"}
    wanted = Call(
        method="POST", path="/v1/payments/pay_1/refund",
        body={"amount": 500, "speed": "normal", "notes": {**noted, "reason": "jam"}},
        headers={"X-Refund-Idempotency": "refund-key-1"},
    )  # fmt: skip
    assert build.refund(order) == wanted
    without = build.refund(replace(order, reason="")).body or {}
    assert without["notes"] == noted
    long: Any = build.refund(replace(order, reason="x" * 257)).body
    assert long["notes"]["reason"] == "x" * 256
    for key, whole in (("k" * 9, False), ("k" * 10, True), ("k" * 64, True), ("k" * 65, False),
                       ("with a space", False)):  # fmt: skip
        sent = (build.refund(replace(order, key=key)).headers or {})["X-Refund-Idempotency"]
        assert (sent == key) is whole
        assert build.REFUND_KEY.fullmatch(sent)
    assert build.refund(replace(order, gateway_payment_id="")).path == "/v1/payments/-/refund"
    for odd in ("../x", "a b"):
        path = build.refund(replace(order, gateway_payment_id=odd)).path
        assert (
            path
            == f"/v1/payments/{odd.replace('.', '-').replace('/', '-').replace(' ', '-')}/refund"
        )


def test_a_code_is_asked_for_in_these_words() -> None:
    order = QrOrder(
        money=Money(4000, "INR"), reusable=True, name="Gate", description="Slot A1", mark=MARK,
        outlet="M01", slot="A1", close_by=NOW,
    )  # fmt: skip
    body: dict[str, object] = {
        "type": "upi_qr", "usage": "multiple_use", "name": "Gate", "fixed_amount": True,
        "payment_amount": 4000, "description": "Slot A1",
        "notes": {"coinslot": "here", "qr": "q1", "outlet": "M01", "slot": "A1"},
    }  # fmt: skip
    assert build.qr(order) == Call(method="POST", path="/v1/payments/qr_codes", body=body)
    once = body | {"usage": "single_use"}
    timed = build.qr(replace(order, reusable=False)).body
    assert timed == once | {"close_by": int(NOW.timestamp())}
    assert build.qr(replace(order, reusable=False, close_by=None)).body == once


def test_a_link_is_asked_for_in_these_words() -> None:
    body: dict[str, object] = {
        "amount": 4000, "currency": "INR", "accept_partial": False, "reference_id": "charge-1",
        "notes": {**LINKED, "table": "7"}, "notify": {"sms": False, "email": False},
        "reminder_enable": False, "callback_url": "https://shop.example/back",
        "callback_method": "get", "description": "Cola",
    }  # fmt: skip
    assert build.link(CHARGE) == Call(method="POST", path="/v1/payment_links", body=body)
    lasting = build.link(replace(CHARGE, expires_at=NOW)).body
    assert lasting == body | {"expire_by": int(NOW.timestamp())}
    nameless = build.link(replace(CHARGE, description="")).body
    assert nameless == {name: said for name, said in body.items() if name != "description"}
    long: Any = build.link(replace(CHARGE, description="x" * 2049)).body
    assert long["description"] == "x" * 2048


@pytest.mark.parametrize(
    ("key", "whole"), [("k", True), ("k" * 40, True), ("k" * 41, False), ("", False), ("ü", False)]
)
def test_a_link_has_a_reference_that_fits(key: str, whole: bool) -> None:
    assert build.reference(key) == (key if whole else marks.key_sign(key))


def test_spans_are_whole_seconds_since_their_time_began() -> None:
    late = AT + timedelta(seconds=1.9)
    assert build.span(AT, late) == {"from": SECONDS, "to": SECONDS + 1}
    assert build.span(datetime(1969, 1, 1, tzinfo=UTC), AT)["from"] == 0


def test_what_it_accepts_of_a_merchants_text() -> None:
    fits = {f"n{i}": "t" for i in range(12)} | {"charge": "t" * 999}
    assert build.LIMITS.flaws(fits, "d" * 2048) == {}
    said = build.LIMITS.flaws(fits | {"one more": "t"}, "d" * 2049)
    assert said.keys() == {"description", "metadata"}
    assert build.LIMITS.flaws({"n" * 256: "t" * 256}, "") == {}
    assert build.LIMITS.flaws({"n" * 257: "t"}, "").keys() == {"metadata." + "n" * 257}
    assert build.LIMITS.flaws({"n": "t" * 257}, "").keys() == {"metadata.n"}


PAYMENT: dict[str, Any] = {
    "id": "pay_1", "amount": 4000, "currency": "INR", "status": "captured", "created_at": SECONDS,
    "captured": True, "order_id": "order_1", "amount_refunded": 500, "fee": 94, "notes": NOTED,
    "description": "Cola", "acquirer_data": {"rrn": "012345678901"},
}  # fmt: skip
PAID = PaymentFact(
    gateway_payment_id="pay_1", taken=Taken.CAPTURED, money=Money(4000, "INR"), at=AT,
    gateway_order_id="order_1", mark=MARK, refunded=Money(500, "INR"), fee=Money(94, "INR"),
    description="Cola", payer_reference="012345678901",
)  # fmt: skip


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({}, {}),
        ({"status": "authorized"}, {"taken": Taken.AUTHORIZED, "fee": None}),
        ({"status": "failed"}, {"taken": Taken.FAILED, "fee": None}),
        ({"status": "refunded"}, {}),
        ({"status": "refunded", "captured": None}, {}),
        ({"status": "refunded", "captured": False}, {"taken": Taken.AUTHORIZED, "fee": None}),
        ({"fee": None}, {"fee": None}),
        ({"fee": 0}, {"fee": Money(0, "INR")}),
        ({"amount_refunded": None}, {"refunded": None}),
        ({"amount_refunded": 0}, {"refunded": Money(0, "INR")}),
        ({"order_id": None}, {"gateway_order_id": None}),
        ({"notes": []}, {"mark": None}),
        ({"description": None}, {"description": ""}),
        ({"description": "a\0b"}, {"description": "a\N{REPLACEMENT CHARACTER}b"}),
        ({"acquirer_data": None}, {"payer_reference": None}),
        ({"acquirer_data": {"rrn": 12345678}}, {"payer_reference": None}),
        ({"acquirer_data": {"rrn": "12345"}}, {"payer_reference": None}),
        ({"acquirer_data": {"rrn": "123456"}}, {"payer_reference": "123456"}),
        ({"acquirer_data": {"rrn": "1" * 40}}, {"payer_reference": "1" * 40}),
        ({"acquirer_data": {"rrn": "1" * 41}}, {"payer_reference": None}),
        ({"acquirer_data": {"rrn": "12 456"}}, {"payer_reference": None}),
        ({"amount": 1}, {"money": Money(1, "INR")}),
        ({"amount": 10**14}, {"money": Money(10**14, "INR")}),
        ({"amount_refunded": 10**14}, {"refunded": Money(10**14, "INR")}),
        ({"currency": "USD"}, {"money": Money(4000, "USD"), "refunded": Money(500, "USD"),
                               "fee": Money(94, "USD")}),
        ({"created_at": 0}, {"at": datetime(1970, 1, 1, tzinfo=UTC)}),
        ({"created_at": 253_402_300_799}, {"at": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)}),
        ({"id": "p" * 64}, {"gateway_payment_id": "p" * 64}),
    ],
)  # fmt: skip
def test_a_payment_becomes_this(other: dict[str, Any], fact: dict[str, Any]) -> None:
    assert parse.payment(PAYMENT | other) == replace(PAID, **fact)


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 0}, {"amount": 10**14 + 1}, {"amount_refunded": -1}, {"fee": -1},
        {"amount_refunded": 10**14 + 1}, {"id": "p" * 65}, {"id": ""}, {"id": "p 1"},
        {"created_at": -1}, {"created_at": 253_402_300_800}, {"created_at": None},
        {"currency": "rupees"}, {"status": "new"}, {"amount": "4000"},
    ],
)  # fmt: skip
def test_a_payment_that_cannot_be_so_is_not_read(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        parse.payment(PAYMENT | other)


def test_what_is_not_paid_yet_is_no_payment() -> None:
    for status in ("created", "pending"):
        assert parse.payment(PAYMENT | {"status": status}) is None
    waits = {"items": [PAYMENT, PAYMENT | {"status": "created"}]}
    assert parse.payments(waits) == [PAID]


REFUND: dict[str, Any] = {
    "id": "rfnd_1", "payment_id": "pay_1", "amount": 500, "currency": "INR",
    "status": "processed", "created_at": SECONDS, "notes": {"coinslot": "here", "refund": "r1"},
}  # fmt: skip
BACK = RefundFact(
    gateway_refund_id="rfnd_1", gateway_payment_id="pay_1", stage=RefundStage.PROCESSED,
    money=Money(500, "INR"), at=AT, mark=Mark(installation="here", refund="r1"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({}, {}),
        ({"status": "created"}, {"stage": RefundStage.PENDING}),
        ({"status": "pending"}, {"stage": RefundStage.PENDING}),
        ({"status": "failed"}, {"stage": RefundStage.FAILED}),
        ({"created_at": None}, {"at": TOLD}),
        ({"notes": []}, {"mark": None}),
        ({"amount": 1, "currency": "USD"}, {"money": Money(1, "USD")}),
    ],
)
def test_a_refund_becomes_this(other: dict[str, Any], fact: dict[str, Any]) -> None:
    assert parse.refund(REFUND | other, told_at=SECONDS + 60) == replace(BACK, **fact)


def event(kind: str, **payload: Any) -> tuple[Any, ...]:
    within = {name: {"entity": thing} for name, thing in payload.items()}
    return parse.facts(parse.Event(event=kind, created_at=SECONDS + 60, payload=within))


@pytest.mark.parametrize(
    "kind",
    ["payment.authorized", "payment.captured", "payment.failed", "order.paid", "payment_link.paid"],
)
def test_an_event_of_a_payment_states_it_at_its_own_time(kind: str) -> None:
    assert event(kind, payment=PAYMENT) == (replace(PAID, at=TOLD),)
    assert event(kind, payment=PAYMENT | {"created_at": None}) == (replace(PAID, at=TOLD),)
    assert event(kind, payment=PAYMENT | {"status": "created"}) == ()
    with pytest.raises(ValueError, match="without payment"):
        event(kind, refund=REFUND)
    with pytest.raises(ValueError):
        parse.facts(
            parse.Event(event=kind, created_at="x", payload={"payment": {"entity": PAYMENT}})
        )
    payloads: tuple[object, ...] = (None, [], {"payment": 7})
    for odd in payloads:
        with pytest.raises(ValueError, match="without payment"):
            parse.facts(parse.Event(event=kind, created_at=SECONDS, payload=odd))


QR: dict[str, Any] = {
    "id": "qr_1", "usage": "single_use", "status": "active", "image_url": "https://i.example/1",
    "payment_amount": 4000, "close_by": SECONDS, "notes": NOTED,
}  # fmt: skip
CODE = QrFact(
    qr_code_id="qr_1", image_url="https://i.example/1", open=True, reusable=False,
    money=Money(4000, "INR"), expires_at=AT, mark=MARK,
)  # fmt: skip


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({}, {}),
        ({"usage": "multiple_use", "close_by": None}, {"reusable": True, "expires_at": None}),
        ({"status": "closed", "closed_at": SECONDS + 60}, {"open": False, "closed_at": TOLD}),
        ({"payment_amount": None}, {"money": None}),
        ({"payment_amount": 0}, {"money": Money(0, "INR")}),
        ({"close_by": str(SECONDS)}, {}),
        ({"close_by": 0}, {"expires_at": datetime(1970, 1, 1, tzinfo=UTC)}),
        ({"closed_at": 0}, {"closed_at": datetime(1970, 1, 1, tzinfo=UTC)}),
        ({"notes": "x"}, {"mark": None}),
        ({"image_url": "a\0"}, {"image_url": "a\N{REPLACEMENT CHARACTER}"}),
    ],
)
def test_a_code_becomes_this(other: dict[str, Any], fact: dict[str, Any]) -> None:
    wanted = replace(CODE, **fact)
    assert parse.qr(QR | other) == parse.printable_qr(QR | other) == wanted
    assert parse.first_qr({"items": [QR | other, 7]}) == wanted
    assert event("qr_code.closed", qr_code=QR | other) == (wanted,)


def test_a_code_without_a_picture_is_not_one_to_print() -> None:
    bare = {name: said for name, said in QR.items() if name != "image_url"}
    assert parse.qr(bare) == replace(CODE, image_url="")
    with pytest.raises(ValueError, match="qr_1 has no image_url"):
        parse.printable_qr(bare)
    assert parse.first_qr({"items": []}) == Absent()


def test_a_credit_states_the_payment_and_its_code() -> None:
    told = event("qr_code.credited", payment=PAYMENT, qr_code=QR)
    assert told == (replace(PAID, at=TOLD, qr_code_id="qr_1"),)
    with pytest.raises(ValueError, match="without qr_code"):
        event("qr_code.credited", payment=PAYMENT)


@pytest.mark.parametrize("kind", ["refund.created", "refund.processed", "refund.failed"])
def test_an_event_of_a_refund_states_it_and_what_nobody_captured(kind: str) -> None:
    assert event(kind, refund=REFUND) == (BACK,)
    assert event(kind, refund=REFUND, payment=PAYMENT) == (BACK,)
    held = PAYMENT | {"status": "refunded", "captured": False}
    never = replace(PAID, taken=Taken.AUTHORIZED, fee=None, at=TOLD)
    assert event(kind, refund=REFUND, payment=held) == (never, BACK)
    assert event(kind, refund=REFUND, payment=PAYMENT | {"status": "created"}) == (BACK,)
    late = {name: said for name, said in REFUND.items() if name != "created_at"}
    assert event(kind, refund=late) == (replace(BACK, at=TOLD),)
    with pytest.raises(ValueError, match="without refund"):
        parse.facts(parse.Event(event=kind, created_at=SECONDS, payload=[]))


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({}, {}),
        ({"status": "won"}, {"stage": DisputeStage.WON}),
        ({"status": "closed"}, {"stage": DisputeStage.WON}),
        ({"status": "lost"}, {"stage": DisputeStage.LOST}),
        ({"status": "a new word"}, {}),
        ({"reason_code": None}, {"reason": ""}),
        ({"created_at": 0}, {}),
    ],
)
def test_a_dispute_becomes_this(other: dict[str, Any], fact: dict[str, Any]) -> None:
    said = {"id": "disp_1", "payment_id": "pay_1", "amount": 3000, "currency": "INR",
            "status": "open", "reason_code": "fraud"}  # fmt: skip
    claimed = DisputeFact(
        gateway_dispute_id="disp_1", gateway_payment_id="pay_1", stage=DisputeStage.OPEN,
        money=Money(3000, "INR"), reason="fraud", at=TOLD,
    )  # fmt: skip
    assert event("payment.dispute.x", dispute=said | other) == (replace(claimed, **fact),)


def test_events_that_are_not_known_are_not_opened() -> None:
    for kind in ("payment.disputed", "invoice.paid", "payment_link.expired"):
        assert parse.facts(parse.Event(event=kind, payload=7)) == ()


LINE: dict[str, Any] = {
    "entity_id": "pay_1", "type": "payment", "amount": 4000, "currency": "INR", "fee": 94,
    "settled": True, "settlement_id": "setl_1", "settled_at": SECONDS,
}  # fmt: skip


def test_a_line_of_a_settlement_becomes_this() -> None:
    line = SettledLine(
        gateway_payment_id="pay_1", gross=Money(4000, "INR"), fee=Money(94, "INR"),
        settlement="setl_1", at=AT,
    )  # fmt: skip
    assert parse.settled_line(LINE) == line
    assert parse.settled_line(LINE | {"settlement_id": None}) == replace(line, settlement="")
    for fee in (-(10**14), 10**14):
        given = parse.settled_line(LINE | {"fee": fee})
        assert given == replace(line, fee=Money(fee, "INR"))
    for other in ({"type": "refund"}, {"settled": False}, {"settled_at": None}):
        assert parse.settled_line(LINE | other) is None
    for odd in ({"amount": -1}, {"settled": "yes"}, {"settled_at": "x"}):
        with pytest.raises(ValueError):
            parse.settled_line(LINE | odd)


LINK: dict[str, Any] = {
    "id": "plink_1", "amount": 4000, "currency": "INR", "status": "created", "notes": LINKED,
    "short_url": "https://rzp.example/1", "order_id": "order_1",
}  # fmt: skip


def at(*answers: Canned) -> tuple[razorpay.Razorpay, ScriptedWire]:
    wire, asked = scripted(*answers)
    settings = razorpay.Settings(key_id="rzp_test_key", key_secret=Secret("shh"))
    return razorpay.Razorpay(settings, wire), asked


NOBODY = Canned(200, {"items": []})
WAITING = Pending(reference="plink_1", action=Redirect("https://rzp.example/1"))


@pytest.mark.parametrize(
    ("other", "stands"),
    [
        ({}, WAITING),
        ({"expire_by": SECONDS}, replace(WAITING, expires_at=AT)),
        ({"expire_by": 0}, WAITING),
        ({"short_url": ""}, replace(WAITING, action=None)),
        ({"status": "cancelled"}, Closed(reference="plink_1", reason="cancelled")),
        ({"status": "expired"}, Closed(reference="plink_1", reason="expired")),
    ],
)
async def test_a_link_stands_there(other: dict[str, Any], stands: Any) -> None:
    till, asked = at(Canned(200, LINK | other), NOBODY)
    assert await till.follow("plink_1") == stands
    assert asked.paths == [
        "/v1/payment_links/plink_1", "/v1/orders/order_1/payments",
    ]  # fmt: skip
    till, asked = at(Canned(200, LINK | other | {"order_id": None}))
    assert await till.follow("plink_1") == stands
    assert len(asked.calls) == 1


async def test_a_link_that_nobody_can_cancel_stands_where_its_money_does() -> None:
    refused = error(400, "Payment link cannot be cancelled")
    paid = Canned(200, {"items": [PAYMENT | {"status": "failed"}, PAYMENT]})
    till, asked = at(refused, Canned(200, LINK | {"status": "paid"}), paid)
    assert await till.cancel("plink_1") == PAID
    assert [[one.method, one.path] for one in asked.calls] == [
        ["POST", "/v1/payment_links/plink_1/cancel"], ["GET", "/v1/payment_links/plink_1"],
        ["GET", "/v1/orders/order_1/payments"],
    ]  # fmt: skip
    closed = Canned(200, LINK | {"status": "expired"})
    till, _ = at(refused, closed, NOBODY)
    assert await till.cancel("plink_1") == Closed(reference="plink_1", reason="expired")
    for still in ((Canned(200, LINK), NOBODY), (error(400, "The id does not exist"),)):
        till, _ = at(refused, *still)
        said = await till.cancel("plink_1")
        assert isinstance(said, Declined)
        assert said.code == "wrong_state"
    till, asked = at(error(400, "no"))
    assert isinstance(await till.cancel("plink_1"), Declined)
    assert len(asked.calls) == 1


async def test_settlements_are_asked_for_day_by_day_as_days_are_in_india() -> None:
    begin = datetime(2026, 3, 31, 18, 29, tzinfo=UTC)  # 23:59 in India
    line = LINE | {"settled_at": int(begin.timestamp())}
    late = LINE | {"settled_at": int((begin + timedelta(minutes=2)).timestamp())}
    soon = LINE | {"settled_at": int(begin.timestamp()) - 1, "entity_id": "pay_0"}
    listed = Canned(200, {"items": [line, late, soon, line]})
    till, asked = at(listed)
    found: Any = await till.settled_between(begin, begin + timedelta(minutes=2))
    assert [one.params for one in asked.calls] == [
        {"count": 100, "skip": 0, "year": 2026, "month": 3, "day": 31},
        {"count": 100, "skip": 0, "year": 2026, "month": 4, "day": 1},
    ]  # fmt: skip
    assert [(one.gateway_payment_id, one.at) for one in found.lines] == [("pay_1", begin)]


def test_what_the_account_states_of_itself() -> None:
    assert razorpay.Razorpay.currencies == {"INR"}
    assert razorpay.Razorpay.minimum_minor == {"INR": 100}
    assert razorpay.Razorpay.refund_key_life_s == 600
    assert razorpay.Razorpay.collect_key_life_s == 86_400
    assert razorpay.Razorpay.kept_headers == ("x-razorpay-signature", "x-razorpay-event-id")
    for key, live in (("rzp_live_1", True), ("rzp_test_1", False)):
        there = razorpay.address(razorpay.Settings(key_id=key, key_secret=Secret("s")))
        assert (there.live, there.auth) == (live, (key, Secret("s")))
        assert there.base_url == "https://api.razorpay.com"
