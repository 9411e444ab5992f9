"""T-Bank field by field: every request whole, every status in its place, every answer of a refund
judged, and what the driver makes of each state that it finds."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.gateways import tbank
from coinslot.gateways.base import (
    Absent,
    Declined,
    Genuine,
    Hint,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Charge, Closed, Pending, Redirect, ShowQr
from coinslot.gateways.tbank import build, order_ids, parse, refunds
from coinslot.gateways.tbank.fiscal import Receipts
from coinslot.kit.clock import SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.canned import Canned
from tests.gateways.scripted import ScriptedWire, scripted
from tests.gateways.test_tbank_answers import state, yes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
THING = UUID(int=0x1234_5678_9ABC)
CHARGE = Charge(
    money=Money(4000, "RUB"), key="charge-1", mark=Mark(installation="here", payment=str(THING)),
    description="Cola", return_url="https://shop.example/back",
    metadata={"table": "7", "refund": "not ours to say"},
)  # fmt: skip
OUR_ID = order_ids.order_id(CHARGE)
ORDER = RefundOrder(
    gateway_payment_id="700001", money=Money(1000, "RUB"), key="refund-1",
    mark=Mark(installation="here", refund="r"), reason="jam",
)  # fmt: skip
RECEIPTS = Receipts(email="till@shop.example", taxation="osn")
NO_MONEY = Money(0, "RUB")
OPEN = [
    "NEW", "FORM_SHOWED", "AUTHORIZING", "3DS_CHECKING", "3DS_CHECKED", "PAY_CHECKING", "CHECKING",
    "CHECKED", "PREAUTHORIZING", "PROCESSING", "COMPLETING",
]  # fmt: skip
HELD = ["AUTHORIZED", "CONFIRMING", "PARTIAL_REVERSED"]
TAKEN = ["CONFIRMED", "PARTIAL_REFUNDED", "REFUNDED", "REFUNDING", "ASYNC_REFUNDING"]
FAILED = ["REJECTED", "AUTH_FAIL"]
CLOSED = ["CANCELED", "DEADLINE_EXPIRED", "ATTEMPTS_EXPIRED", "REVERSED"]


def receipt(name: str, minor: int) -> dict[str, Any]:
    line = {
        "Name": name, "Price": minor, "Quantity": 1, "Amount": minor, "Tax": "none",
        "PaymentMethod": "full_payment", "PaymentObject": "commodity",
    }  # fmt: skip
    return {"Receipt": {"Email": "till@shop.example", "Taxation": "osn", "Items": [line]}}


def test_a_session_is_asked_for_in_these_words() -> None:
    body: dict[str, object] = {
        "Amount": 4000, "OrderId": OUR_ID, "PayType": "O", "Description": "Cola",
        "SuccessURL": "https://shop.example/back", "FailURL": "https://shop.example/back",
        "DATA": {"coinslot": "here", "payment": str(THING), "table": "7"},
    }  # fmt: skip
    assert build.init(CHARGE, None, None) == body
    assert build.init(CHARGE, RECEIPTS, None) == body | receipt("Cola", 4000)
    there = "https://shop.example/hook"
    assert build.init(CHARGE, None, there) == body | {"NotificationURL": there}
    assert build.init(replace(CHARGE, capture=False), None, None) == body | {"PayType": "T"}
    lasting = replace(CHARGE, expires_at=NOON)
    assert build.init(lasting, None, None) == body | {
        "RedirectDueDate": "2026-03-01T15:00:00+03:00"
    }
    nameless = build.init(replace(CHARGE, description=""), RECEIPTS, None)
    assert "Description" not in nameless
    assert nameless["Receipt"] == receipt("Товар", 4000)["Receipt"]
    long = build.init(replace(CHARGE, description="x" * 141), RECEIPTS, None)
    assert long["Description"] == "x" * 140
    assert long["Receipt"] == receipt("x" * 128, 4000)["Receipt"]


def test_a_refund_is_asked_for_in_these_words() -> None:
    body = {"PaymentId": "700001", "Amount": 1000, "ExternalRequestId": "refund-1"}
    assert build.cancel(ORDER, True, RECEIPTS) == body
    assert build.cancel(ORDER, False, None) == body
    assert build.cancel(ORDER, False, RECEIPTS) == body | receipt("jam", 1000)
    for key, whole in (("k" * 100, True), ("k" * 101, False), ("", False), ("ключ", False)):
        sent = build.request_id(key)
        assert (sent == key) is whole
        assert 0 < len(sent) <= 100


def test_a_token_is_of_the_scalars_of_the_root_alone() -> None:
    said: dict[str, object] = {"B": True, "A": 1, "C": None, "Token": "old"}
    plain = build.token(said, "p")
    assert build.token({"A": 1, "B": "true"}, "p") == plain
    assert build.token(said | {"D": {"x": 1}}, "p") == plain
    assert build.token(said | {"D": [1]}, "p") == plain
    assert build.token(said | {"D": "x"}, "p") != plain
    assert build.token(said, "q") != plain


def test_what_need_not_be_sent() -> None:
    room = order_ids.LARGEST_MINOR
    assert build.impossible(Money(room, "RUB")) is None
    for money, code in (
        (Money(room + 1, "RUB"), "amount_out_of_range"),
        (Money(1, "USD"), "currency"),
    ):
        no = build.impossible(money)
        assert isinstance(no, Declined)
        assert (no.code, no.permanent) == (code, True)


def test_what_it_accepts_of_a_merchants_text() -> None:
    fits = {f"n{i}": "t" for i in range(17)}
    assert build.LIMITS.flaws(fits, "d" * 140) == {}
    said = build.LIMITS.flaws(fits | {"one more": "t"}, "d" * 141)
    assert said.keys() == {"description", "metadata"}
    assert build.LIMITS.flaws({"n" * 20: "t" * 100}, "") == {}
    assert build.LIMITS.flaws({"n" * 21: "t"}, "").keys() == {"metadata." + "n" * 21}
    assert build.LIMITS.flaws({"n": "t" * 101}, "").keys() == {"metadata.n"}


def test_an_order_id_has_its_parts_in_their_places() -> None:
    """By hand, once: what was written into the bank's books must be read for ever."""
    assert OUR_ID[:6] == "here.."
    assert OUR_ID[6:28] == "0000000000000" + order_ids._digits(int(THING) << 4, 9)
    assert OUR_ID[28:33] == "000.W"  # 62 * 64 + 32
    assert len(OUR_ID) == 36
    assert order_ids.mark_of(OUR_ID) == Mark(installation="here", payment=str(THING))
    assert order_ids.ordered(OUR_ID) == Money(4000, "RUB")
    of_a_code = order_ids.order_id(replace(CHARGE, mark=Mark(installation="here", qr=str(THING))))
    assert of_a_code[6:28] == "0000000000000" + order_ids._digits(int(THING) << 4 | 1, 9)
    assert order_ids.mark_of(of_a_code) == Mark(installation="here", qr=str(THING))
    nameless = order_ids.order_id(replace(CHARGE, mark=Mark(installation="here", payment="p")))
    assert order_ids.mark_of(nameless) == Mark(installation="here")
    largest = Mark(installation="here", qr=str(UUID(int=2**128 - 1)))
    all_bits = OUR_ID[:6] + "_" * 21 + order_ids.ALPHABET[49] + OUR_ID[28:]
    assert order_ids.mark_of(all_bits) == largest
    odd_kind = OUR_ID[:27] + order_ids.ALPHABET[3] + OUR_ID[28:]
    for other in (odd_kind, OUR_ID[1:], OUR_ID + "0", OUR_ID[:-1] + "-", ""):
        assert order_ids.mark_of(other) is None
        assert order_ids.ordered(other) is None


def found(
    status: str, amount: int = 4000, *, order: str = OUR_ID, sbp: bool = False
) -> parse.State:
    params = (parse.Param(key="Route", value="ACQ"), parse.Param(key="Source", value="QRsbp"))
    return parse.State(
        payment_id="700001", status=status, amount=amount, order_id=order,
        params=params if sbp else params[:1],
    )  # fmt: skip


MARKED = Mark(installation="here", payment=str(THING))


def paid(taken: Taken, money: int, refunded: int | None, **more: Any) -> PaymentFact:
    said: dict[str, Any] = {"gateway_order_id": OUR_ID, "mark": MARKED} | more
    return PaymentFact(
        gateway_payment_id="700001", taken=taken, money=Money(money, "RUB"), at=NOON,
        refunded=None if refunded is None else Money(refunded, "RUB"), **said,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "amount", "fact"),
    [
        ("AUTHORIZED", 4000, paid(Taken.AUTHORIZED, 4000, 0)),
        ("CONFIRMING", 4000, paid(Taken.AUTHORIZED, 4000, 0)),
        ("PARTIAL_REVERSED", 3000, paid(Taken.AUTHORIZED, 3000, 0)),
        ("CONFIRMED", 4000, paid(Taken.CAPTURED, 4000, 0)),
        ("PARTIAL_REFUNDED", 2500, paid(Taken.CAPTURED, 4000, 1500)),
        ("PARTIAL_REFUNDED", 4000, paid(Taken.CAPTURED, 4000, None)),
        ("REFUNDED", 0, paid(Taken.CAPTURED, 4000, 4000)),
        ("REFUNDING", 2500, paid(Taken.CAPTURED, 4000, None)),
        ("ASYNC_REFUNDING", 2500, paid(Taken.CAPTURED, 4000, None)),
        ("REJECTED", 4000, paid(Taken.FAILED, 4000, None)),
        ("AUTH_FAIL", 4000, paid(Taken.FAILED, 4000, None)),
        ("CANCELED", 4000, paid(Taken.FAILED, 4000, None)),
        ("DEADLINE_EXPIRED", 4000, paid(Taken.FAILED, 4000, None)),
        ("ATTEMPTS_EXPIRED", 4000, paid(Taken.FAILED, 4000, None)),
        ("REVERSED", 0, paid(Taken.FAILED, 4000, None)),
    ],
)
def test_a_payment_becomes_this(status: str, amount: int, fact: PaymentFact) -> None:
    assert parse.payment(found(status, amount), NOON) == fact
    strange = parse.payment(found(status, amount, order="7"), NOON)
    assert isinstance(strange, PaymentFact)
    assert (strange.money, strange.mark) == (Money(amount, "RUB"), None)
    assert strange.gateway_order_id == "7"
    nameless = parse.payment(found(status, amount, order=""), NOON)
    assert isinstance(nameless, PaymentFact)
    assert nameless.gateway_order_id is None


def test_every_status_has_its_place() -> None:
    stands = parse.progress
    for status in (*OPEN, "REVERSING"):
        assert stands(found(status), NOON) == Pending(reference="700001")
    for status in CLOSED:
        assert stands(found(status), NOON) == Closed(reference="700001", reason=status)
    for status in (*HELD, *TAKEN, *FAILED):
        assert stands(found(status), NOON) == parse.payment(found(status), NOON)
    for status in (*OPEN, "REVERSING", "SOMETHING_NEW", "a\0"):
        assert isinstance(parse.payment(found(status), NOON), Unclear)
    assert stands(found("a\0"), NOON) == Unclear("the payment is a\N{REPLACEMENT CHARACTER}")
    weights = [{parse.weight(found(status)) for status in statuses}
               for statuses in (FAILED + CLOSED, OPEN, HELD, TAKEN, ["SOMETHING_NEW"])]  # fmt: skip
    assert weights == [{0}, {1}, {2}, {3}, {4}]


def told(**more: Any) -> Any:
    said: dict[str, object] = {
        "TerminalKey": "T", "OrderId": OUR_ID, "Success": True, "Status": "CONFIRMED",
        "PaymentId": "700001", "Amount": "4000", "Token": "token",
    }  # fmt: skip
    said |= more
    return parse.notification({k: v for k, v in said.items() if v is not None}, NOON)


@pytest.mark.parametrize(
    ("status", "taken"),
    [
        ("AUTHORIZED", Taken.AUTHORIZED), ("CONFIRMED", Taken.CAPTURED),
        ("REJECTED", Taken.FAILED), ("AUTH_FAIL", Taken.FAILED), ("CANCELED", Taken.FAILED),
        ("DEADLINE_EXPIRED", Taken.FAILED), ("ATTEMPTS_EXPIRED", Taken.FAILED),
    ],
)  # fmt: skip
def test_a_notification_states_this(status: str, taken: Taken) -> None:
    fact = paid(taken, 4000, None)
    stated = Genuine(delivery_id=f"700001:{status}:4000", event=status, facts=(fact,))
    assert told(Status=status) == stated
    without = told(Status=status, Success=False)
    if taken is Taken.FAILED:
        assert without == stated
    else:
        assert without == Hint(event=status, reference="700001", delivery_id="token")
    assert told(Status=status, OrderId="7").facts[0].mark is None
    assert told(Status=status, OrderId=None).facts[0].gateway_order_id is None
    for amount in ("0", None):
        assert told(Status=status, Amount=amount) == Hint(
            event=status, reference="700001", delivery_id="token"
        )


def test_a_notification_of_another_kind_states_nothing_and_one_without_a_name_is_none() -> None:
    for none in (told(Status="RECEIPT"), told(Status="RECEIPT", PaymentId=None)):
        assert (none.delivery_id, none.event, none.facts) == ("token", "RECEIPT", ())
    linked = told(Status=None, PaymentId=None, NotificationType="LINKCARD")
    assert linked == Genuine(delivery_id="token", event="LINKCARD", facts=())
    assert told(Status="NEW") == Hint(event="NEW", reference="700001", delivery_id="token")
    for odd in ({"PaymentId": None}, {"Status": None}, {"Status": ""},
                {"Status": None, "NotificationType": "LINKCARD"}):  # fmt: skip
        with pytest.raises(ValueError, match="names no payment"):
            told(**odd)


def canceled(before: int, after: int, status: str = "PARTIAL_REFUNDED", **more: Any) -> Any:
    said: dict[str, Any] = {"payment_id": "700001", "status": status} | more
    return parse.Canceled(original_amount=before, new_amount=after, **said)


DONE = RefundFact(
    gateway_refund_id="700001:refund-1", gateway_payment_id="700001", stage=RefundStage.PROCESSED,
    money=Money(1000, "RUB"), at=NOON, mark=ORDER.mark,
)  # fmt: skip
ALONE = replace(ORDER, others=NO_MONEY)
BESIDE = replace(ORDER, others=Money(500, "RUB"))


@pytest.mark.parametrize(
    ("answer", "before", "order", "said"),
    [
        (canceled(4000, 3000), found("CONFIRMED"), ALONE, DONE),
        (canceled(4000, 3000), found("CONFIRMED"), ORDER, DONE),
        (canceled(4000, 3000, "REFUNDED"), found("CONFIRMED"), ALONE, DONE),
        (canceled(4000, 3000, "REFUNDING"), found("CONFIRMED"), ALONE, RefundStage.PENDING),
        (canceled(4000, 3000, "ASYNC_REFUNDING"), found("CONFIRMED"), ALONE, RefundStage.PENDING),
        (canceled(4000, 3000, "NEW"), found("CONFIRMED"), ALONE, None),
        (canceled(4000, 2999), found("CONFIRMED"), ALONE, None),
        (canceled(3500, 2500), found("PARTIAL_REFUNDED", 3500), BESIDE, DONE),
        # Of this sum, and another's: it began where the others had not left it.
        (canceled(4000, 3000), found("PARTIAL_REFUNDED", 3500), BESIDE, None),
        (canceled(4000, 3000, payment_id="700002"), found("CONFIRMED"), ALONE, None),
        # To a key sent before it answers with the payment as it stands.
        (canceled(4000, 2500), found("PARTIAL_REFUNDED", 2500), BESIDE, DONE),
        (canceled(4000, 3000), found("PARTIAL_REFUNDED", 3000), ORDER, DONE),
        (canceled(4000, 3500), found("PARTIAL_REFUNDED", 3500), ORDER, None),
        (canceled(4000, 3500), found("PARTIAL_REFUNDED", 3500), ALONE, None),
        (canceled(4000, 4000), found("REFUNDING"), ALONE, None),
        # It stands where it stood, and nothing of this refund went back.
        (canceled(4000, 4000, "CONFIRMED"), found("CONFIRMED"), ALONE, "not_made"),
        (canceled(4000, 3500), found("PARTIAL_REFUNDED", 3500), BESIDE, "not_made"),
        (canceled(4000, 4000, "CONFIRMED"), found("CONFIRMED"), replace(ALONE, taken_up=True),
         RefundStage.FAILED),
        (canceled(4000, 4000, "CONFIRMED"), found("CONFIRMED", sbp=True), ALONE, None),
        (canceled(4000, 4000, "REFUNDING"), found("CONFIRMED"), ALONE, None),
        (canceled(3999, 4000, "CONFIRMED"), found("CONFIRMED"), ALONE, None),
        (canceled(4000, 3999, "CONFIRMED"), found("CONFIRMED"), ALONE, None),
        (canceled(4000, 4000, "CONFIRMED"), found("CONFIRMED"), ORDER, None),
        (canceled(4000, 3500), found("PARTIAL_REFUNDED", 3000), BESIDE, None),
    ],
)  # fmt: skip
def test_what_came_of_a_cancel(answer: Any, before: Any, order: RefundOrder, said: Any) -> None:
    judged = refunds.judged(answer, before, order, NOON)
    if said is None:
        assert isinstance(judged, Unclear)
    elif said == "not_made":
        assert isinstance(judged, Declined)
        assert (judged.code, judged.permanent) == ("not_made", False)
    else:
        assert judged == (replace(DONE, stage=said) if isinstance(said, RefundStage) else said)


@pytest.mark.parametrize(
    ("before", "order", "given", "untouched"),
    [
        (found("CONFIRMED"), ORDER, False, True),
        (found("CONFIRMED"), ALONE, False, True),
        (found("CONFIRMED"), BESIDE, False, False),
        (found("PARTIAL_REFUNDED", 3500), BESIDE, False, True),
        (found("PARTIAL_REFUNDED", 2500), BESIDE, True, False),
        (found("PARTIAL_REFUNDED", 3000), ALONE, True, False),
        (found("PARTIAL_REFUNDED", 3000), ORDER, False, False),
        (found("REFUNDED", 0, sbp=True), replace(ORDER, money=Money(4000, "RUB")), True, False),
        (found("REFUNDED", 0), replace(ORDER, money=Money(4000, "RUB")), False, False),
        (found("REFUNDED", 0, sbp=True), ORDER, False, False),
        (found("REFUNDING", 0, sbp=True), replace(ORDER, money=Money(4000, "RUB")), False, False),
    ],
)
def test_what_a_state_says_of_a_refund(
    before: parse.State, order: RefundOrder, given: bool, untouched: bool
) -> None:
    assert refunds.given(before, order) is given
    assert refunds.untouched(before, order) is untouched


MADE = yes(OrderId=OUR_ID, Amount=4000, PaymentURL="https://pay.example/1", Status="NEW")
EMPTY = yes(OrderId=OUR_ID, Payments=[])
CODE = yes(Data="https://qr.example/1")
UNKNOWN = Canned(200, {"Success": False, "ErrorCode": "255", "Message": "нет"})
BROKEN = Canned(500, b"{}")


def there(*states: tuple[str, int]) -> Canned:
    payments = [{"PaymentId": 700001 + n, "Status": status, "Amount": amount}
                for n, (status, amount) in enumerate(states)]  # fmt: skip
    return yes(OrderId=OUR_ID, Payments=payments)


def at(*answers: Canned) -> tuple[tbank.TBank, ScriptedWire]:
    wire, asked = scripted(*answers)
    settings = tbank.Settings(terminal_key="TestTerminal", password=Secret("tbank-password-1"))
    return tbank.TBank(settings, wire, SystemClock()), asked


@pytest.mark.parametrize(
    ("change", "answers", "said", "called"),
    [
        ({}, (EMPTY, MADE), Redirect("https://pay.example/1"), "CheckOrder Init"),
        ({}, (UNKNOWN, MADE), Redirect("https://pay.example/1"), "CheckOrder Init"),
        ({"method": "sbp"}, (EMPTY, MADE, CODE), ShowQr(text="https://qr.example/1"),
         "CheckOrder Init GetQr"),
        ({"method": "sbp", "capture": False}, (EMPTY, MADE), Redirect("https://pay.example/1"),
         "CheckOrder Init"),
        ({"method": "sbp"}, (EMPTY, MADE, BROKEN), None, "CheckOrder Init GetQr"),
        ({}, (BROKEN,), None, "CheckOrder"),
        ({}, (EMPTY, BROKEN), None, "CheckOrder Init"),
        ({}, (EMPTY, yes(OrderId=OUR_ID, Amount=4000)), None, "CheckOrder Init"),
        ({}, (EMPTY, yes(OrderId="x", Amount=4000, PaymentURL="u")), None, "CheckOrder Init"),
        ({}, (EMPTY, yes(OrderId=OUR_ID, Amount=1, PaymentURL="u")), None, "CheckOrder Init"),
        ({}, (there(("NEW", 4000)), CODE), ShowQr(text="https://qr.example/1"), "CheckOrder GetQr"),
        ({}, (there(("NEW", 4000)), BROKEN), "no action", "CheckOrder GetQr"),
        ({}, (there(("NEW", 4000)), UNKNOWN), "no action", "CheckOrder GetQr"),
        ({"method": "sbp"}, (there(("NEW", 4000)), BROKEN), None, "CheckOrder GetQr"),
        ({}, (there(("NEW", 1)),), None, "CheckOrder"),
        ({}, (there(("CANCELED", 1)),), Closed, "CheckOrder"),
        ({}, (there(("CONFIRMED", 4000), ("NEW", 4000)),), PaymentFact, "CheckOrder"),
        ({}, (there(("NEW", 4000), ("CONFIRMED", 4000)),), PaymentFact, "CheckOrder"),
        ({}, (there(("CONFIRMED", 1)),), None, "CheckOrder"),
    ],
)  # fmt: skip
async def test_a_charge_is_looked_for_before_it_is_made(
    change: dict[str, Any], answers: tuple[Canned, ...], said: Any, called: str
) -> None:
    end = datetime(2026, 3, 1, 13, tzinfo=UTC)
    till, asked = at(*answers)
    got = await till.collect(replace(CHARGE, expires_at=end, **change))
    assert asked.paths == [f"/{name}" for name in called.split()]
    if said is None:
        assert isinstance(got, Unclear)
    elif isinstance(said, type):
        assert isinstance(got, said)
    else:
        action = None if said == "no action" else said
        assert got == Pending(reference="700001", action=action, expires_at=end)


@pytest.mark.parametrize(
    ("answers", "said", "called"),
    [
        ((state("CONFIRMED"),), Taken.CAPTURED, "GetState"),
        ((state("AUTHORIZED"), yes(Status="CONFIRMED")), Taken.CAPTURED, "GetState Confirm"),
        ((state("AUTHORIZED"), yes(Status="AUTHORIZED")), Unclear, "GetState Confirm"),
        (
            (state("AUTHORIZED"), yes(Status="CONFIRMED", PaymentId="7")),
            Unclear,
            "GetState Confirm",
        ),
        ((state("AUTHORIZED"), BROKEN), Unclear, "GetState Confirm"),
        ((state("AUTHORIZED"), UNKNOWN), "absent", "GetState Confirm"),
        ((state("AUTHORIZED", 3999),), "partial_capture", "GetState"),
        ((state("REJECTED"),), "not_held", "GetState"),
        ((state("NEW"),), Unclear, "GetState"),
        ((UNKNOWN,), "absent", "GetState"),
    ],
)
async def test_what_is_held_is_taken_as_a_whole(
    answers: tuple[Canned, ...], said: Any, called: str
) -> None:
    till, asked = at(*answers)
    got = await till.capture("700001", Money(4000, "RUB"), "k")
    assert asked.paths == [f"/{name}" for name in called.split()]
    _is(got, said)
    if len(asked.calls) == 2:
        body = asked.calls[1].body or {}
        assert (body["PaymentId"], body["Amount"]) == ("700001", 4000)


@pytest.mark.parametrize(
    ("answers", "said", "called"),
    [
        ((state("CONFIRMED"),), "captured", "GetState"),
        ((state("AUTHORIZED"), canned := yes(Status="REVERSED", OriginalAmount=4000, NewAmount=0)),
         Closed, "GetState Cancel"),
        ((state("AUTHORIZED"), yes(Status="AUTHORIZED", OriginalAmount=4000, NewAmount=0)),
         Unclear, "GetState Cancel"),
        ((state("AUTHORIZED"), BROKEN), Unclear, "GetState Cancel"),
        ((state("REVERSED"),), Closed, "GetState"),
        ((state("NEW"), canned), Unclear, "GetState"),
        ((state("REJECTED"), canned), Unclear, "GetState"),
        ((BROKEN,), Unclear, "GetState"),
        ((UNKNOWN,), "absent", "GetState"),
    ],
)  # fmt: skip
async def test_what_is_held_is_let_go(answers: tuple[Canned, ...], said: Any, called: str) -> None:
    till, asked = at(*answers)
    got = await till.void("700001", "void-1")
    assert asked.paths == [f"/{name}" for name in called.split()]
    _is(got, said)
    if called == "GetState Cancel":
        assert (asked.calls[1].body or {})["ExternalRequestId"] == "void-1"
    if said is Closed:
        assert got == Closed(reference="700001", reason="REVERSED")


@pytest.mark.parametrize(
    ("answers", "said", "called"),
    [
        ((state("CONFIRMED"),), PaymentFact, "GetState"),
        ((state("CANCELED"),), Closed, "GetState"),
        ((UNKNOWN,), "absent", "GetState"),
        ((state("NEW"), canned, state("CANCELED")), Closed, "GetState Cancel GetState"),
        ((state("NEW"), Canned(200, {"Success": False, "ErrorCode": "4"}), state("CONFIRMED")),
         PaymentFact, "GetState Cancel GetState"),
        ((state("NEW"), UNKNOWN), "absent", "GetState Cancel"),
        ((state("NEW"), BROKEN), Unclear, "GetState Cancel"),
    ],
)  # fmt: skip
async def test_a_session_is_ended(answers: tuple[Canned, ...], said: Any, called: str) -> None:
    till, asked = at(*answers)
    got = await till.cancel("700001")
    assert asked.paths == [f"/{name}" for name in called.split()]
    _is(got, said)


BACK = yes(Status="PARTIAL_REFUNDED", OriginalAmount=4000, NewAmount=3000)
BY_SBP: dict[str, Any] = {"Params": [{"Key": "Source", "Value": "qrsbp"}], "OrderId": OUR_ID}


@pytest.mark.parametrize(
    ("answers", "said", "called"),
    [
        ((state("CONFIRMED"), BACK), RefundFact, "GetState Cancel"),
        ((state("CONFIRMED"), BROKEN), Unclear, "GetState Cancel"),
        ((state("PARTIAL_REFUNDED", 3000, OrderId=OUR_ID),), RefundFact, "GetState"),
        ((state("NEW"),), "not_captured", "GetState"),
        ((state("AUTHORIZED"),), "not_captured", "GetState"),
        ((state("SOMETHING_NEW"),), Unclear, "GetState"),
        ((state("REVERSING"),), Unclear, "GetState"),
        ((state("CONFIRMED", **BY_SBP), BACK), RefundFact, "GetState Cancel"),
        ((state("REFUNDING", **BY_SBP),), Unclear, "GetState"),
        ((state("PARTIAL_REFUNDED", 3500, **BY_SBP),), Unclear, "GetState"),
        ((BROKEN,), Unclear, "GetState"),
        ((UNKNOWN,), "absent", "GetState"),
    ],
)
async def test_a_refund_is_looked_for_before_it_is_sent(
    answers: tuple[Canned, ...], said: Any, called: str
) -> None:
    till, asked = at(*answers)
    got = await till.give_back(ALONE)
    assert asked.paths == [f"/{name}" for name in called.split()]
    _is(got, said)
    if said == "not_captured":
        assert isinstance(got, Declined)
        assert got.permanent is False


@pytest.mark.parametrize("status", [*OPEN, *HELD, *TAKEN, *FAILED, *CLOSED])
async def test_that_nothing_went_back_is_all_that_is_known(status: str) -> None:
    nothing = status not in TAKEN or status == "CONFIRMED"
    till, _ = at(state(status), UNKNOWN, BROKEN, state("NEW", PaymentId="7"))
    assert await till.refunds("700001") == Refunds((), complete=nothing)
    assert await till.refunds("700001") == Absent()
    assert isinstance(await till.refunds("700001"), Unclear)
    assert isinstance(await till.refunds("700001"), Unclear)
    for odd in ("", "7" * 21, "x", "7\n"):
        assert await till.refunds(odd) == Absent()


def test_what_the_account_states_of_itself() -> None:
    assert tbank.TBank.currencies == {"RUB"}
    assert tbank.TBank.minimum_minor == {"RUB": 100}
    assert tbank.TBank.refund_key_life_s == tbank.TBank.collect_key_life_s == 86_400
    assert tbank.TBank.kept_headers == ()
    for key, live in (("123DEMO", False), ("123", True)):
        there = tbank.address(tbank.Settings(terminal_key=key, password=Secret("s")))
        assert (there.live, there.base_url) == (live, "https://securepay.tinkoff.ru/v2")


def _is(got: object, said: Any) -> None:
    if isinstance(said, Taken):
        assert isinstance(got, PaymentFact)
        assert got.taken is said
    elif isinstance(said, type):
        assert isinstance(got, said), got
    else:
        assert isinstance(got, Declined), got
        assert got.code == said
