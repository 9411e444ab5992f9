"""T-Bank's tokens against its published vectors, our order ids, and what notifications mean."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from coinslot.gateways import tbank
from coinslot.gateways.base import (
    Forged,
    Genuine,
    Hint,
    Mark,
    PaymentFact,
    ReceiptFact,
    RefundOrder,
    Taken,
    Unreadable,
)
from coinslot.gateways.collecting import Charge
from coinslot.gateways.tbank import build, order_ids
from coinslot.gateways.tbank.fiscal import Receipts
from coinslot.kit.clock import SettableClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret, redact
from tests.gateways.rigs import silent_wire

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY, PASSWORD = "TestTerminal", "tbank-password-1"


class Vector(NamedTuple):
    said: dict[str, Any]
    password: str
    token: str


def told(**more: Any) -> dict[str, Any]:
    return {"Success": True, "Status": "AUTHORIZED", "ErrorCode": "0", **more}


# Of the bank's own pages, of a recorded real notification, and two that were computed by hand.
VECTORS = {
    "init of the documents": Vector(
        {
            "TerminalKey": "MerchantTerminalKey",
            "Amount": 19200,
            "OrderId": "21090",
            "Description": "Подарочная карта на 1000 рублей",
            "DATA": {"Phone": "+71234567890", "Email": "a@test.com"},
            "Receipt": {"Email": "a@test.ru", "Taxation": "osn"},
        },
        "usaf8fw8fsw21g",
        "0024a00af7c350a3a67ca168ce06502aa72772456662e38696d48b56ee9c97d9",
    ),
    "notification of the documents": Vector(
        told(
            TerminalKey="1321054611234DEMO",
            OrderId="201709",
            PaymentId=8742591,
            Amount=9855,
            CardId=322264,
            Pan="430000******0777",
            ExpDate="1122",
            RebillId=101709,
        ),
        "Dfsfh56dgKl",
        "b906d28e76c6428e37b25fcf86c0adc52c63d503013fdd632e300593d165766b",
    ),
    "notification of the page of 2026": Vector(
        told(
            TerminalKey="1234567890DEMO",
            OrderId="000000",
            PaymentId="0000000",
            Amount="1111",
            CardId="000000",
            Pan="200000******0000",
            ExpDate="1111",
            RebillId="000000",
        ),
        "11111111111",
        "1c0964277d0213349243065a0d5b838b8e90d2d25f740d0f2767836e710e80c8",
    ),
    "recorded notification": Vector(
        told(
            TerminalKey="1726675329428DEMO",
            OrderId="9863471b-8d42-4617-9073-11339159aba9",
            PaymentId=5974256058,
            Amount=19900,
            CardId=475738102,
            Pan="430000******0777",
            ExpDate="1230",
            RebillId=1741204285536,
        ),
        "x" * 16,
        "16cfc8cd6e8f8fc1d404e3f9984c8058ecdf6eab622a9cc73c2e3824e47124ac",
    ),
    "init of our own": Vector(
        {
            "TerminalKey": KEY,
            "Amount": 15000,
            "OrderId": "ord-1",
            "Description": "Кофе",
            "PayType": "O",
            "NotificationURL": "https://pay.example.com/webhooks/tbank",
        },
        PASSWORD,
        "d01a3d9846f7d5f07a8d63dbc2fafe0b93f7b89172b83fc56233de77e20910a2",
    ),
    "notification of our own": Vector(
        told(
            TerminalKey=KEY,
            OrderId="ord-1",
            Status="CONFIRMED",
            PaymentId=700001,
            Amount=15000,
            CardId=1,
            Pan="220138******0013",
            ExpDate="1230",
            Data={"source": "cards"},
        ),
        PASSWORD,
        "b61411995087b659de596e3414e73a73c1377838362fbc8706fe020fda2193ad",
    ),
}


def charge(**more: Any) -> Charge:
    made = Charge(
        money=Money.parse("150.00", "RUB"),
        key="a-key",
        mark=Mark(installation="here", payment=str(uuid4())),
        description="Кофе",
        return_url="https://shop.example/thanks",
    )
    return replace(made, **more)


@cache
def terminal(key: str = KEY, password: str = PASSWORD, *older: str) -> tbank.TBank:
    settings = tbank.Settings(
        terminal_key=key,
        password=Secret(password),
        old_passwords=tuple(Secret(text) for text in older),
    )
    return tbank.TBank(settings, silent_wire(), SettableClock(NOON))


def signed(said: dict[str, Any], password: str = PASSWORD) -> bytes:
    return json.dumps(said | {"Token": build.token(said, password)}).encode()


def confirmed(**more: Any) -> dict[str, Any]:
    return VECTORS["notification of our own"].said | more


@pytest.mark.parametrize("name", VECTORS)
def test_a_token_is_the_published_one(name: str) -> None:
    said, password, token = VECTORS[name]
    assert build.token(said, password) == token
    assert build.token(said | {"Token": "theirs", "Nothing": None}, password) == token


@pytest.mark.parametrize("name", [name for name in VECTORS if "notification" in name])
def test_a_notification_with_the_published_token_is_genuine(name: str) -> None:
    said, password, token = VECTORS[name]
    body = json.dumps(said | {"Token": token}).encode()
    verdict = terminal(said["TerminalKey"], password).read_webhook({}, body)
    assert isinstance(verdict, Genuine)
    (fact,) = verdict.facts
    assert isinstance(fact, PaymentFact)
    assert fact.gateway_payment_id == str(said["PaymentId"])
    assert fact.money == Money(int(said["Amount"]), "RUB")
    assert fact.gateway_order_id == said["OrderId"]
    assert fact.mark is None  # nobody's order ids are ours by accident


def test_a_number_is_signed_as_it_was_written() -> None:
    body = signed(confirmed(Amount="15000.00")).replace(b'"15000.00"', b"15000.00")
    verdict = terminal().read_webhook({}, body)
    assert not isinstance(verdict, Forged)
    assert isinstance(terminal().read_webhook({}, body.replace(b".00", b".0")), Forged)


def test_an_altered_notification_is_forged() -> None:
    body = signed(confirmed())
    till = terminal()
    for was, said in (
        (b"15000", b"150"),
        (b'"CONFIRMED"', b'"REJECTED"'),
        (b"700001", b"700002"),
        (b"ord-1", b"ord-2"),
        (b"true", b"false"),
        (b'"Success"', b'"Extra": 1, "Success"'),
    ):
        assert body.count(was) >= 1
        assert isinstance(till.read_webhook({}, body.replace(was, said)), Forged), was


def test_a_notification_of_another_terminal_states_nothing() -> None:
    verdict = terminal(key="OtherTerminal").read_webhook({}, signed(confirmed()))
    assert isinstance(verdict, Unreadable)


def test_a_notification_under_another_password_is_forged() -> None:
    body = signed(confirmed())
    assert isinstance(terminal(password="other").read_webhook({}, body), Forged)
    assert isinstance(terminal(password="").read_webhook({}, signed(confirmed(), "")), Forged)
    assert isinstance(terminal().read_webhook({}, json.dumps(confirmed()).encode()), Forged)


def test_a_password_that_was_replaced_is_still_believed() -> None:
    body = signed(confirmed())
    assert isinstance(terminal(KEY, "new", PASSWORD).read_webhook({}, body), Genuine)


@given(some.binary() | some.dictionaries(some.text(), some.text()).map(json.dumps).map(str.encode))
def test_any_bytes_are_judged_and_none_are_believed(body: bytes) -> None:
    assert isinstance(terminal().read_webhook({}, body), Forged)


@given(
    some.dictionaries(
        some.sampled_from(
            ["Status", "PaymentId", "Amount", "Success", "OrderId", "NotificationType"]
        ),
        some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    )
)
def test_any_signed_notification_is_judged_without_an_accident(said: dict[str, Any]) -> None:
    written = json.loads(json.dumps(said), parse_int=str, parse_float=str, parse_constant=str)
    token = build.token(written | {"TerminalKey": KEY}, PASSWORD)
    body = json.dumps(said | {"TerminalKey": KEY, "Token": token}).encode()
    assert isinstance(terminal().read_webhook({}, body), Genuine | Hint | Unreadable)


def test_deep_nesting_is_no_accident() -> None:
    assert isinstance(terminal().read_webhook({}, b"[" * 100_000), Forged)


@pytest.mark.parametrize(
    ("status", "taken"),
    [
        ("AUTHORIZED", Taken.AUTHORIZED),
        ("CONFIRMED", Taken.CAPTURED),
        ("REJECTED", Taken.FAILED),
        ("CANCELED", Taken.FAILED),
        ("DEADLINE_EXPIRED", Taken.FAILED),
    ],
)
def test_a_notification_states_how_far_the_money_has_come(status: str, taken: Taken) -> None:
    made = charge()
    order = order_ids.order_id(made)
    said = confirmed(Status=status, OrderId=order, Success=status != "REJECTED")
    verdict = terminal().read_webhook({}, signed(said))
    assert isinstance(verdict, Genuine)
    (fact,) = verdict.facts
    assert isinstance(fact, PaymentFact)
    assert (fact.taken, fact.money, fact.mark, fact.at) == (taken, made.money, made.mark, NOON)


@pytest.mark.parametrize(
    "status", ["PARTIAL_REFUNDED", "REFUNDED", "REVERSED", "PARTIAL_REVERSED", "WHAT_IS_THIS"]
)
def test_an_amount_that_may_be_a_rest_is_asked_about(status: str) -> None:
    verdict = terminal().read_webhook({}, signed(confirmed(Status=status, Amount=5000)))
    assert isinstance(verdict, Hint)
    assert (verdict.event, verdict.reference) == (status, "700001")
    assert verdict == terminal().read_webhook({}, signed(confirmed(Status=status, Amount=5000)))


def test_a_confirmation_that_did_not_succeed_is_asked_about() -> None:
    verdict = terminal().read_webhook({}, signed(confirmed(Success=False)))
    assert isinstance(verdict, Hint)


@pytest.mark.parametrize(
    "said",
    [
        confirmed(Status="RECEIPT", Receipt={"Items": []}),
        {"TerminalKey": KEY, "NotificationType": "LINKACCOUNT", "Success": True},
    ],
)
def test_a_notification_of_something_else_changes_nothing(said: dict[str, Any]) -> None:
    verdict = terminal().read_webhook({}, signed(said))
    assert isinstance(verdict, Genuine)
    assert verdict.facts == ()


RECEIPT = {
    "Status": "RECEIPT", "FiscalNumber": 12, "FiscalDocumentNumber": 3986, "FnNumber": "9289",
    "FiscalDocumentAttribute": 1618, "ReceiptDatetime": "2026-03-01T12:00:00+03:00",
    "Url": "https://receipts.example/1", "Receipt": {"Email": "ivan@example.com"},
}  # fmt: skip


def test_a_fiscal_notification_says_that_a_receipt_is_registered() -> None:
    verdict = terminal().read_webhook({}, signed(confirmed(**RECEIPT)))
    assert isinstance(verdict, Genuine)
    (fact,) = verdict.facts
    assert isinstance(fact, ReceiptFact)
    assert (fact.gateway_payment_id, fact.refund) == ("700001", False)
    assert fact.registered
    assert fact.numbers == {
        "document": "3986", "storage": "9289", "attribute": "1618", "number": "12",
        "registered_at": "2026-03-01T12:00:00+03:00", "url": "https://receipts.example/1",
    }  # fmt: skip
    assert verdict.kept is not None
    assert "ivan" not in f"{fact} {verdict.kept!r}"
    again = terminal().read_webhook({}, verdict.kept)
    assert isinstance(again, Genuine)
    assert again == verdict


def test_the_receipt_of_a_refund_is_told_apart_by_its_type_and_sum() -> None:
    back = confirmed(**RECEIPT, Type="IncomeReturn", Amount=1500)
    verdict = terminal().read_webhook({}, signed(back))
    assert isinstance(verdict, Genuine)
    (fact,) = verdict.facts
    assert isinstance(fact, ReceiptFact)
    assert (fact.refund, fact.money) == (True, Money(1500, "RUB"))


def test_a_fiscal_notification_may_say_that_a_receipt_failed() -> None:
    said = confirmed(Status="RECEIPT", Success=False, ErrorCode="1", Message="no till")
    verdict = terminal().read_webhook({}, signed(said))
    assert isinstance(verdict, Genuine)
    (fact,) = verdict.facts
    assert isinstance(fact, ReceiptFact)
    assert (fact.registered, fact.reason) == (False, "no till, code 1")


def test_told_again_it_is_the_same_and_another_step_is_another() -> None:
    till = terminal()
    first, again = (till.read_webhook({}, signed(confirmed(CardId=n))) for n in (1, 2))
    held = till.read_webhook({}, signed(confirmed(Status="AUTHORIZED")))
    assert isinstance(first, Genuine)
    assert isinstance(held, Genuine)
    assert first == again  # an old one, with whatever card: it can do nothing twice
    assert held.delivery_id != first.delivery_id


def test_an_order_id_holds_mark_and_amount_and_fits() -> None:
    made = charge()
    said = order_ids.order_id(made)
    assert len(said) == 36
    assert order_ids.mark_of(said) == made.mark
    assert order_ids.ordered(said) == made.money
    assert order_ids.order_id(made) == said


@given(some.uuids(), some.integers(1, order_ids.LARGEST_MINOR), some.text(), some.booleans())
def test_any_order_id_is_read_back(thing: Any, minor: int, key: str, printed: bool) -> None:
    mark = Mark(installation="abc123", **{"qr" if printed else "payment": str(thing)})
    said = order_ids.order_id(charge(mark=mark, money=Money(minor, "RUB"), key=key))
    assert (order_ids.mark_of(said), order_ids.ordered(said)) == (mark, Money(minor, "RUB"))


def test_another_key_mark_or_amount_is_another_order() -> None:
    made = charge()
    others = (
        replace(made, key="b-key"),
        replace(made, mark=replace(made.mark, payment=str(uuid4()))),
        replace(made, mark=replace(made.mark, installation="elsewhere")),
        replace(made, money=Money(15001, "RUB")),
    )
    assert len({order_ids.order_id(one) for one in (made, *others)}) == 5


def test_a_mark_without_an_id_of_ours_is_still_one_order() -> None:
    made = charge(mark=Mark(installation="here"), key="№ 7")
    assert len(order_ids.order_id(made)) == 36
    assert order_ids.order_id(made) == order_ids.order_id(made)
    assert order_ids.mark_of(order_ids.order_id(made)) == Mark(installation="here")


@pytest.mark.parametrize("said", ["", "ord-1", str(UUID(int=7)), "x" * 36, "🪙" * 36, "a" * 37])
def test_an_order_id_of_others_is_not_ours(said: str) -> None:
    assert order_ids.mark_of(said) is None
    assert order_ids.ordered(said) is None


def test_what_t_bank_has_no_room_for_is_cut() -> None:
    pairs = {"x" * 21: "too long a name"} | {f"n{n}": "v" * 200 for n in range(30)}
    body = build.init(charge(metadata=pairs, description="д" * 300), None, None)
    data = body["DATA"]
    assert isinstance(data, dict)
    assert data.keys() >= {"coinslot", "payment"}
    assert len(data) == build.LIMITS.pairs + 2 <= 20
    assert {len(value) for name, value in data.items() if name[0] == "n"} == {100}
    assert body["Description"] == "д" * 140


def test_a_link_lives_to_an_hour_of_moscow() -> None:
    body = build.init(charge(expires_at=NOON), None, None)
    assert body["RedirectDueDate"] == "2026-03-01T15:00:00+03:00"


def test_the_lines_of_a_receipt_add_up_to_the_amount() -> None:
    wanted = Receipts(email="shop@example.com", taxation="osn", tax="vat20")
    body = build.init(charge(), wanted, None)
    assert body["Receipt"] == {
        "Email": "shop@example.com",
        "Taxation": "osn",
        "Items": [
            {
                "Name": "Кофе",
                "Price": 15000,
                "Quantity": 1,
                "Amount": 15000,
                "Tax": "vat20",
                "PaymentMethod": "full_payment",
                "PaymentObject": "commodity",
            }
        ],
    }


def test_a_refund_in_part_brings_its_receipt_and_a_whole_one_none() -> None:
    wanted = Receipts(email="shop@example.com", taxation="osn")
    order = RefundOrder(
        gateway_payment_id="1", money=Money(1000, "RUB"), key="№ 7", mark=Mark(installation="here")
    )
    assert "Receipt" in build.cancel(order, False, wanted)
    assert "Receipt" not in build.cancel(order, True, wanted)
    assert "Receipt" not in build.cancel(order, False, None)
    assert len(str(build.cancel(order, True, None)["ExternalRequestId"])) == 64


def test_a_token_is_not_kept_with_an_exchange() -> None:
    kept = redact({"Token": "abc", "Amount": 1}, ("token", "password"))
    assert kept == {"Token": "***", "Amount": 1}
