"""YooKassa field by field: every request whole, and every fact whole, read from answers in which
one thing is other than usual."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways import yookassa
from coinslot.gateways.base import (
    PEER,
    Absent,
    Declined,
    Mark,
    PaymentFact,
    RefundFact,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Closed, Pending, Redirect, ShowQr
from coinslot.gateways.wire import Call
from coinslot.gateways.yookassa import build, parse
from coinslot.kit.clock import SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.canned import Canned
from tests.gateways.scripted import ScriptedWire, scripted
from tests.gateways.test_yookassa_answers import (
    CHARGE,
    ID,
    MADE,
    MARK,
    NOTED,
    ORDER,
    PENDING,
    RECEIPTS,
    REFUND,
    SUCCEEDED,
    error,
    listing,
)

RUB = {"value": "150.00", "currency": "RUB"}
TAKEN_AT = MADE + timedelta(seconds=10)
NO = error(400, "invalid_request")
GONE = error(404, "not_found")
BROKEN = Canned(500, b"{}")


def at(*answers: Canned, **more: Any) -> tuple[yookassa.YooKassa, ScriptedWire]:
    wire, asked = scripted(*answers)
    settings = yookassa.Settings(shop_id="100500", secret_key=Secret("test_key"), **more)
    return yookassa.YooKassa(settings, wire, SystemClock()), asked


def rub(value: str) -> dict[str, str]:
    return {"value": value, "currency": "RUB"}


def test_a_payment_is_asked_for_in_these_words() -> None:
    back = "https://shop.example/thanks"
    body: dict[str, object] = {
        "amount": RUB, "capture": True, "metadata": NOTED, "description": "Cola",
        "confirmation": {"type": "redirect", "return_url": back},
    }  # fmt: skip
    assert build.payment(CHARGE, None) == body
    assert build.payment(replace(CHARGE, capture=False), None) == body | {"capture": False}
    by_card = build.payment(CHARGE, "bank_card")
    assert by_card == body | {"payment_method_data": {"type": "bank_card"}}
    assert build.payment(CHARGE, "sbp") == body | {"payment_method_data": {"type": "sbp"}}
    assert build.payment(CHARGE, "sbp_qr") == body | {
        "payment_method_data": {"type": "sbp"},
        "confirmation": {"type": "qr", "return_url": back},
    }
    nameless = build.payment(replace(CHARGE, description=""), None)
    assert nameless == {name: said for name, said in body.items() if name != "description"}
    long = build.payment(replace(CHARGE, description="x" * 129, metadata={"table": "7"}), None)
    assert long == body | {"description": "x" * 128, "metadata": {**NOTED, "table": "7"}}


def test_a_refund_is_asked_for_in_these_words() -> None:
    body: dict[str, object] = {
        "payment_id": ID, "amount": rub("50.00"), "metadata": {"coinslot": "here", "refund": "r1"},
    }  # fmt: skip
    assert build.refund(ORDER) == body
    assert build.refund(replace(ORDER, reason="jam")) == body | {"description": "jam"}
    long = build.refund(replace(ORDER, reason="x" * 129))
    assert long["description"] == "x" * 128


def test_a_receipt_is_asked_for_in_these_words() -> None:
    line = {
        "description": "Cola", "quantity": 1, "amount": RUB, "vat_code": 11,
        "payment_subject": "commodity", "payment_mode": "full_payment",
    }  # fmt: skip
    made: dict[str, object] = {"customer": {"email": "till@shop.example"}, "items": [line]}
    whole = {"receipt": made | {"tax_system_code": 2}}
    assert build.receipt(RECEIPTS, "Cola", CHARGE.money) == whole
    plain = replace(RECEIPTS, tax_system_code=None)
    assert build.receipt(plain, "Cola", CHARGE.money) == {"receipt": made}
    assert build.receipt(None, "Cola", CHARGE.money) == {}
    named: Any = build.receipt(RECEIPTS, "", CHARGE.money)
    assert named["receipt"]["items"] == [line | {"description": "Товар"}]
    long: Any = build.receipt(RECEIPTS, "x" * 129, CHARGE.money)
    assert long["receipt"]["items"] == [line | {"description": "x" * 128}]
    assert yookassa.Receipts(email="x").vat_code == 1


@pytest.mark.parametrize(
    ("key", "whole"), [("k", True), ("k" * 64, True), ("k" * 65, False), ("", False), ("ü", False)]
)
def test_a_key_is_sent_as_it_is_or_as_a_sign_of_it(key: str, whole: bool) -> None:
    call = build.post("/payments", key, {"a": 1})
    sent = (call.headers or {})["Idempotence-Key"]
    assert call == Call(
        method="POST", path="/payments", body={"a": 1}, headers={"Idempotence-Key": sent}
    )
    assert (sent == key) is whole
    assert 0 < len(sent) <= 64


def test_what_it_accepts_of_a_merchants_text() -> None:
    fits = {f"n{i}": "t" for i in range(13)}
    assert build.LIMITS.flaws(fits, "d" * 128) == {}
    said = build.LIMITS.flaws(fits | {"one more": "t"}, "d" * 129)
    assert said.keys() == {"description", "metadata"}
    assert build.LIMITS.flaws({"n" * 32: "t" * 512}, "") == {}
    assert build.LIMITS.flaws({"n" * 33: "t"}, "").keys() == {"metadata." + "n" * 33}
    assert build.LIMITS.flaws({"n": "t" * 513}, "").keys() == {"metadata.n"}


def test_a_charge_is_searched_for_where_it_can_have_been_made() -> None:
    hour, now, sent = timedelta(hours=1), MADE + timedelta(days=3), MADE + timedelta(minutes=5)
    assert build.span_of(CHARGE, now) == (MADE - hour, now + hour)
    kept = replace(CHARGE, sent_at=sent)
    assert build.span_of(kept, now) == (sent - hour, sent + timedelta(hours=24))
    assert build.span_of(kept, sent) == (sent - hour, sent + hour)
    strange = replace(CHARGE, mark=Mark(installation="here"))
    assert build.span_of(strange, now)[0] == datetime(2012, 12, 31, 23, tzinfo=UTC)
    assert build.created(MADE, TAKEN_AT) == {
        "created_at.gte": "2026-01-01T00:00:00.000Z", "created_at.lt": "2026-01-01T00:00:10.000Z",
    }  # fmt: skip


PAID = PaymentFact(
    gateway_payment_id=ID, taken=Taken.CAPTURED, money=CHARGE.money, at=TAKEN_AT, mark=MARK,
    refunded=Money(0, "RUB"), description="Cola",
)  # fmt: skip


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({}, {}),
        ({"captured_at": None}, {"at": MADE}),
        ({"refunded_amount": None}, {}),
        ({"refunded_amount": rub("0.01")}, {"refunded": Money(1, "RUB")}),
        ({"income_amount": rub("144.75")}, {"fee": Money(525, "RUB")}),
        ({"income_amount": rub("150.00")}, {"fee": Money(0, "RUB")}),
        ({"metadata": {}}, {"mark": None}),
        ({"description": None}, {"description": ""}),
        ({"description": "a\0b"}, {"description": "a\N{REPLACEMENT CHARACTER}b"}),
        ({"amount": rub("0.01")}, {"money": Money(1, "RUB")}),
        ({"status": "waiting_for_capture"}, {"taken": Taken.AUTHORIZED}),
        ({"status": "waiting_for_capture", "amount": rub("0.00")},
         {"taken": Taken.AUTHORIZED, "money": Money(0, "RUB")}),
        ({"id": "p" * 64}, {"gateway_payment_id": "p" * 64}),
    ],
)  # fmt: skip
def test_a_payment_becomes_this(other: dict[str, Any], fact: dict[str, Any]) -> None:
    assert parse.payment(SUCCEEDED | other) == replace(PAID, **fact)
    assert parse.progress(SUCCEEDED | other) == replace(PAID, **fact)


@pytest.mark.parametrize(
    "other",
    [
        {"amount": rub("0.00")}, {"amount": rub("-1.00")}, {"amount": rub("1.001")},
        {"refunded_amount": rub("-1.00")}, {"income_amount": rub("x")}, {"id": ""},
        {"id": "p" * 65}, {"id": "a/b"}, {"captured_at": "2026-01-01T00:00:00"}, {"status": "new"},
        {"amount": rub("0.00"), "status": "succeeded"}, {"amount": {"value": "1.00"}},
    ],
)  # fmt: skip
def test_a_payment_that_cannot_be_so_is_not_read(other: dict[str, Any]) -> None:
    for read in (parse.payment, parse.progress):
        with pytest.raises(ValueError):
            read(SUCCEEDED | other)


def test_a_canceled_payment_failed_and_closed_what_asked_for_it() -> None:
    said = SUCCEEDED | {"status": "canceled"}
    assert parse.payment(said) == replace(PAID, taken=Taken.FAILED)
    assert parse.progress(said) == Closed(reference=ID, reason="canceled")
    for why, reason in (({"reason": "expi\0red", "party": "merchant"},
                         "expi\N{REPLACEMENT CHARACTER}red"), ({}, "canceled")):  # fmt: skip
        ended = parse.progress(said | {"cancellation_details": why})
        assert ended == Closed(reference=ID, reason=reason)
    assert parse.payment(PENDING) is None
    with pytest.raises(ValueError):
        parse.progress(said | {"amount": rub("-1.00")})


WAITING = Pending(reference=ID, action=Redirect("https://pay.example/1"))
HOUR_LATER = MADE + timedelta(hours=1)


@pytest.mark.parametrize(
    ("other", "stands"),
    [
        ({}, WAITING),
        ({"confirmation": None}, Pending(reference=ID)),
        ({"confirmation": {"type": "external"}}, Pending(reference=ID)),
        ({"confirmation": {"type": "external", "confirmation_url": "https://a.b"}},
         Pending(reference=ID)),
        ({"confirmation": {"type": "qr", "confirmation_data": "te\0xt"}},
         Pending(reference=ID, action=ShowQr(text="te\N{REPLACEMENT CHARACTER}xt"))),
        ({"confirmation": {"type": "redirect", "confirmation_url": "http://a.b"}},
         Pending(reference=ID, action=Redirect("http://a.b"))),
        ({"payment_method": {"type": "b2b_sberbank"}}, WAITING),
        *[({"payment_method": {"type": kind}}, replace(WAITING, expires_at=HOUR_LATER))
          for kind in ("bank_card", "yoo_money", "sberbank", "tinkoff_bank", "sbp")],
    ],
)  # fmt: skip
def test_a_payment_that_waits_stands_there(other: dict[str, Any], stands: Pending) -> None:
    assert parse.progress(PENDING | other) == stands


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({}, {}),
        ({"status": "succeeded"}, {"stage": RefundStage.PROCESSED}),
        ({"status": "canceled"}, {"stage": RefundStage.FAILED}),
        ({"metadata": None}, {"mark": None}),
        ({"amount": rub("0.01")}, {"money": Money(1, "RUB")}),
    ],
)
def test_a_refund_becomes_this(other: dict[str, Any], fact: dict[str, Any]) -> None:
    pending = RefundFact(
        gateway_refund_id=REFUND["id"], gateway_payment_id=ID, stage=RefundStage.PENDING,  # type: ignore[arg-type]
        money=Money(5000, "RUB"), at=MADE + timedelta(minutes=1), mark=ORDER.mark,
    )  # fmt: skip
    wanted = replace(pending, **fact)
    assert parse.refund(REFUND | other) == parse.refund_of(ID)(REFUND | other) == wanted
    with pytest.raises(ValueError, match="asked for refunds of x"):
        parse.refund_of("x")(REFUND)
    with pytest.raises(ValueError, match="a refund of nothing"):
        parse.refund(REFUND | other | {"amount": rub("0.00")})


def test_only_what_was_asked_for_is_read() -> None:
    assert parse.about(ID, parse.progress)(SUCCEEDED) == PAID
    with pytest.raises(ValueError, match="asked for x, answered with"):
        parse.about("x", parse.progress)(SUCCEEDED)
    assert parse.only(CHARGE.money)(SUCCEEDED) == PAID
    with pytest.raises(ValueError, match="asked for"):
        parse.only(Money(14999, "RUB"))(SUCCEEDED)
    held, failed = replace(PAID, taken=Taken.AUTHORIZED), replace(PAID, taken=Taken.FAILED)
    ranks = (Closed(reference=ID, reason="x"), WAITING, held, PAID)
    assert [parse.weight(one) for one in ranks] == [0, 1, 2, 3]
    assert parse.weight(failed) == 2


def told(event: str, **thing: Any) -> parse.Notification:
    return parse.Notification(type="notification", event=event, object={"id": "x", **thing})


def test_a_notification_says_what_to_ask_about_and_whose_it_is() -> None:
    shop = {"account_id": "100500"}
    assert told("payment.succeeded", recipient=shop).payment_id == "x"
    assert told("payment.succeeded", recipient=shop).shop_id == "100500"
    assert told("payment.succeeded").shop_id is None
    assert told("refund.succeeded", payment_id="p").payment_id == "p"
    for other in ("payout.succeeded", "payment_method.active", "refunds"):
        assert told(other, recipient=shop).payment_id is None
        assert told(other, recipient=shop).shop_id is None


@pytest.mark.parametrize(
    ("answers", "said", "called"),
    [
        ((Canned(200, SUCCEEDED),), PAID, "POST capture"),
        ((Canned(200, SUCCEEDED | {"status": "waiting_for_capture"}),), Unclear, "POST capture"),
        ((Canned(200, PENDING),), Unclear, "POST capture"),
        ((Canned(200, SUCCEEDED | {"amount": rub("1.00")}),), Unclear, "POST capture"),
        ((Canned(200, SUCCEEDED | {"status": "canceled"}),), "canceled", "POST capture"),
        ((BROKEN,), Unclear, "POST capture"),
        ((error(401, "x"),), "unauthorized", "POST capture"),
        ((NO, Canned(200, SUCCEEDED)), PAID, "POST capture GET"),
        ((NO, Canned(200, SUCCEEDED | {"amount": rub("1.00")})), Unclear, "POST capture GET"),
        ((NO, Canned(200, SUCCEEDED | {"status": "waiting_for_capture"})), "invalid_request",
         "POST capture GET"),
        ((NO, Canned(200, PENDING)), "invalid_request", "POST capture GET"),
        ((NO, GONE), "invalid_request", "POST capture GET"),
        ((NO, BROKEN), Unclear, "POST capture GET"),
        ((NO, Canned(200, SUCCEEDED | {"status": "canceled"})), "canceled", "POST capture GET"),
    ],
)  # fmt: skip
async def test_what_is_held_is_taken(answers: tuple[Canned, ...], said: Any, called: str) -> None:
    till, asked = at(*answers)
    got = await till.capture(ID, CHARGE.money, "take-1")
    paths = {"POST capture": [f"/payments/{ID}/capture"]}
    paths["POST capture GET"] = [*paths["POST capture"], f"/payments/{ID}"]
    assert asked.paths == paths[called]
    assert asked.calls[0] == build.post(f"/payments/{ID}/capture", "take-1", {"amount": RUB})
    _is(got, said)


@pytest.mark.parametrize(
    ("answers", "said", "called"),
    [
        ((Canned(200, SUCCEEDED | {"status": "canceled"}),), Closed, 1),
        ((Canned(200, SUCCEEDED),), Unclear, 1),
        ((BROKEN,), Unclear, 1),
        ((error(403, "x"),), "unauthorized", 1),
        ((NO, Canned(200, SUCCEEDED | {"status": "canceled"})), Closed, 2),
        ((NO, Canned(200, SUCCEEDED)), "invalid_request", 2),
        ((NO, GONE), "invalid_request", 2),
        ((NO, BROKEN), Unclear, 2),
    ],
)
async def test_what_is_held_is_let_go(answers: tuple[Canned, ...], said: Any, called: int) -> None:
    till, asked = at(*answers)
    _is(await till.void(ID, "void-1"), said)
    assert len(asked.calls) == called
    assert asked.calls[0] == build.post(f"/payments/{ID}/cancel", "void-1", {})


async def test_a_name_that_none_of_theirs_can_be_is_never_sent_in_a_path() -> None:
    till, asked = at(Canned(200, SUCCEEDED))
    for odd in ("../x", "", "a" * 65, f"{ID}\n"):
        assert await till.look(odd) == Absent()
        assert await till.follow(odd) == Absent()
        assert await till.refunds(odd) == Absent()
        _is(await till.cancel(odd), "absent")
    assert asked.calls == []
    await till.capture("../x", CHARGE.money, "k")
    await till.void("../x", "k")
    assert asked.paths == ["/payments/-/capture", "/payments/-/cancel"]


async def test_a_refund_with_a_receipt_looks_at_its_payment_first() -> None:
    made = Canned(200, REFUND)
    till, asked = at(Canned(200, SUCCEEDED), made, receipts=RECEIPTS)
    assert isinstance(await till.give_back(ORDER), RefundFact)
    body = build.refund(ORDER) | build.receipt(RECEIPTS, "Cola", ORDER.money)
    assert asked.calls[1] == build.post("/refunds", "refund-1", body)
    whole = replace(ORDER, money=CHARGE.money)
    till, asked = at(
        Canned(200, SUCCEEDED), Canned(200, REFUND | {"amount": RUB}), receipts=RECEIPTS
    )
    assert isinstance(await till.give_back(whole), RefundFact)
    assert asked.calls[1].body == build.refund(whole)
    for answer, said in ((GONE, "absent"), (BROKEN, Unclear), (Canned(200, PENDING), Unclear)):
        till, asked = at(answer, made, receipts=RECEIPTS)
        _is(await till.give_back(ORDER), said)
        assert len(asked.calls) == 1
    for odd in ({"amount": rub("1.00")}, {"payment_id": "x"}):
        till, _ = at(Canned(200, REFUND | odd))
        _is(await till.give_back(ORDER), Unclear)


async def test_a_list_of_refunds_is_whole_or_proves_nothing() -> None:
    first, second = REFUND, REFUND | {"id": "44e12f66-000f-5000-8000-18db351245c7"}
    till, asked = at(listing(first, cursor="c"), listing(second))
    found = await till.refunds(ID)
    assert isinstance(found, Refunds)
    assert [one.gateway_refund_id for one in found.facts] == [first["id"], second["id"]]
    assert [call.params for call in asked.calls] == [
        {"limit": 100, "payment_id": ID}, {"limit": 100, "payment_id": ID, "cursor": "c"},
    ]  # fmt: skip
    for answers, said in (
        ((listing(), Canned(200, SUCCEEDED)), Refunds(())),
        ((listing(), Canned(200, PENDING)), Refunds(())),
        ((listing(), GONE), Absent()),
        ((GONE,), Absent()),
    ):
        till, _ = at(*answers)
        assert await till.refunds(ID) == said
    for answers in ((listing(), BROKEN), (listing(first, {}),), (listing(first, cursor="c"),)):
        till, _ = at(*answers)
        _is(await till.refunds(ID), Unclear)


async def test_a_charge_is_found_by_our_mark_and_its_key_alone() -> None:
    strange = [7, {"metadata": "x"}, PENDING | {"metadata": NOTED | {"charge": "another"}}]
    till, _ = at(listing(*strange))
    assert await till.find_charge(CHARGE) == Absent()
    till, _ = at(listing(PENDING, SUCCEEDED, *strange))
    assert await till.find_charge(CHARGE) == PAID
    till, _ = at(listing(*strange, PENDING))
    assert await till.find_charge(CHARGE) == WAITING
    for answer in (GONE, BROKEN, listing(PENDING | {"amount": rub("1.00")})):
        till, _ = at(answer)
        _is(await till.find_charge(CHARGE), Unclear)


async def test_lists_of_a_span_are_asked_for_with_the_hour_in_which_one_may_pay() -> None:
    till, asked = at(listing(SUCCEEDED, PENDING, {"id": "odd"}), listing(REFUND, {}))
    payments: Any = await till.payments_between(MADE, TAKEN_AT)
    refunds: Any = await till.refunds_between(MADE, TAKEN_AT)
    assert (payments.facts, [one.name for one in payments.unread]) == ((PAID,), ["odd"])
    assert (len(refunds.facts), [one.name for one in refunds.unread]) == (1, ["None"])
    assert [(call.path, call.params) for call in asked.calls] == [
        ("/payments", {"limit": 100, **build.created(MADE - timedelta(hours=1), TAKEN_AT)}),
        ("/refunds", {"limit": 100, **build.created(MADE, TAKEN_AT)}),
    ]
    till, _ = at(GONE)
    assert await till.payments_between(MADE, TAKEN_AT) == Unclear("there is no such list")


def test_what_the_account_states_of_itself() -> None:
    assert yookassa.YooKassa.currencies == {"RUB"}
    assert yookassa.YooKassa.minimum_minor == {"RUB": 100}
    assert yookassa.YooKassa.refund_key_life_s == yookassa.YooKassa.collect_key_life_s == 82_800
    assert yookassa.YooKassa.kept_headers == (PEER,)
    for key, live in (("live_1", True), ("test_1", False), ("odd", None), ("alive_1", None)):
        settings = yookassa.Settings(shop_id="100500", secret_key=Secret(key))
        there = yookassa.address(settings)
        assert (there.live, there.base_url) == (live, "https://api.yookassa.ru/v3")
        assert there.auth == ("100500", Secret(key))
        assert there.answers_within_s > 30  # when it gives up itself


def _is(got: object, said: Any) -> None:
    if isinstance(said, type):
        assert isinstance(got, said), got
    elif isinstance(said, str):
        assert isinstance(got, Declined), got
        assert got.code == said
    else:
        assert got == said
