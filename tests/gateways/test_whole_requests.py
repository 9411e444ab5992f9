"""What is sent to YooKassa and to T-Bank, whole: each field of a charge, a refund and a receipt,
and both sides of each limit. No socket is opened."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Declined, Mark, RefundOrder
from coinslot.gateways.collecting import Charge, Limits
from coinslot.gateways.receipts import (
    Agent,
    Receipt,
    ReceiptLine,
    ReceiptOrder,
    ReceiptQuestion,
)
from coinslot.gateways.tbank import build as tbank
from coinslot.gateways.tbank.fiscal import Receipts as TBankReceipts
from coinslot.gateways.tbank.order_ids import LARGEST_MINOR, order_id
from coinslot.gateways.yookassa import build as yookassa
from coinslot.gateways.yookassa.fiscal import Receipts as YooKassaReceipts
from coinslot.kit.money import Money

AT = datetime(2026, 3, 1, 12, 30, 59, 999_999, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAYMENT = "0193c3f0-0000-7000-8000-000000000001"
MARK = Mark(installation="here", payment=PAYMENT)
BACK = Mark(installation="here", refund="r1")
PRICE = Money(15001, "RUB")
CHARGE = Charge(money=PRICE, key="key-1", mark=MARK, description="Cola",
                return_url="https://shop.example/thanks", metadata={"table": "7"})  # fmt: skip
SIGN = hashlib.sha256(b"key-1").hexdigest()[:32]
REFUND = RefundOrder(gateway_payment_id="pay_1", money=PRICE, key="rf_1", mark=BACK,
                     reason="no drop")  # fmt: skip
LINE = ReceiptLine(name="Cola", quantity=2, price=5000, vat="22/122", subject="commodity",
                   mode="full_prepayment")  # fmt: skip
SOLD_FOR = replace(LINE, name="Tea", quantity=1, price=5001, vat="10", agent=Agent(
    kind="payment_agent", supplier="Ivanov", inn="7707083893", phone="+79161234567",
))  # fmt: skip
RECEIPT = Receipt(contact="a@b.example", lines=(LINE, SOLD_FOR), tax_system="patent")
BY_PHONE = replace(RECEIPT, contact="+79161234567", tax_system=None)
Row = dict[str, Any]

AMOUNT = {"value": "150.01", "currency": "RUB"}
OURS = {"coinslot": "here", "payment": PAYMENT}
YOOKASSA_ITEMS = [
    {"description": "Cola", "quantity": 2, "amount": {"value": "50.00", "currency": "RUB"},
     "vat_code": 12, "payment_subject": "commodity", "payment_mode": "full_prepayment"},
    {"description": "Tea", "quantity": 1, "amount": {"value": "50.01", "currency": "RUB"},
     "vat_code": 3, "payment_subject": "commodity", "payment_mode": "full_prepayment",
     "agent_type": "payment_agent",
     "supplier": {"name": "Ivanov", "inn": "7707083893", "phone": "79161234567"}},
]  # fmt: skip


def test_a_charge_at_yookassa() -> None:
    whole = {
        "amount": AMOUNT, "capture": True,
        "confirmation": {"type": "redirect", "return_url": "https://shop.example/thanks"},
        "metadata": {**OURS, "charge": SIGN, "table": "7"}, "description": "Cola",
    }  # fmt: skip
    assert yookassa.payment(CHARGE, None) == whole
    assert yookassa.payment(replace(CHARGE, capture=False), "bank_card") == {
        **whole, "capture": False, "payment_method_data": {"type": "bank_card"},
    }  # fmt: skip
    assert yookassa.payment(CHARGE, "sbp") == {**whole, "payment_method_data": {"type": "sbp"}}
    assert yookassa.payment(CHARGE, "sbp_qr") == {
        **whole, "payment_method_data": {"type": "sbp"},
        "confirmation": {"type": "qr", "return_url": "https://shop.example/thanks"},
    }  # fmt: skip
    without = {name: said for name, said in whole.items() if name != "description"}
    assert yookassa.payment(replace(CHARGE, description=""), None) == without
    for chars in (127, 128, 129):
        long: Any = yookassa.payment(replace(CHARGE, description="д" * chars), None)
        assert long["description"] == "д" * min(chars, 128)


def test_a_refund_and_its_receipt_at_yookassa() -> None:
    whole: Row = {"payment_id": "pay_1", "amount": AMOUNT, "description": "no drop",
                  "metadata": {"coinslot": "here", "refund": "r1"}}  # fmt: skip
    assert yookassa.refund(REFUND) == whole
    without = {name: said for name, said in whole.items() if name != "description"}
    assert yookassa.refund(replace(REFUND, reason="")) == without
    for chars in (128, 129):
        long: Any = yookassa.refund(replace(REFUND, reason="d" * chars))
        assert long["description"] == "d" * 128
    receipt = {"customer": {"email": "a@b.example"}, "items": YOOKASSA_ITEMS, "tax_system_code": 6}
    assert yookassa.receipt_of(RECEIPT, "RUB") == receipt
    by_phone = {"customer": {"phone": "79161234567"}, "items": YOOKASSA_ITEMS}
    assert yookassa.receipt_of(BY_PHONE, "RUB") == by_phone
    known = replace(SOLD_FOR, agent=Agent(kind="agent", inn="7707083893"))
    of_one = yookassa.receipt_of(replace(RECEIPT, lines=(known,)), "RUB")
    assert of_one["items"] == [{**YOOKASSA_ITEMS[1], "agent_type": "agent",
                                "supplier": {"inn": "7707083893"}}]  # fmt: skip


def test_a_receipt_by_itself_at_yookassa() -> None:
    for about, named, kind in (
        (ReceiptQuestion(gateway_payment_id="pay_1"), {"type": "payment", "payment_id": "pay_1"},
         "cashless"),
        (ReceiptQuestion(gateway_payment_id="pay_1", closing=True),
         {"type": "payment", "payment_id": "pay_1"}, "prepayment"),
        (ReceiptQuestion(gateway_payment_id="pay_1", gateway_refund_id="rf_1"),
         {"type": "refund", "refund_id": "rf_1"}, "cashless"),
    ):  # fmt: skip
        order = ReceiptOrder(about=about, receipt=RECEIPT, key="k", currency="RUB")
        assert yookassa.receipt_alone(order) == {
            **named, "send": True, "settlements": [{"type": kind, "amount": AMOUNT}],
            "customer": {"email": "a@b.example"}, "items": YOOKASSA_ITEMS, "tax_system_code": 6,
        }  # fmt: skip
        asked = {name: said for name, said in named.items() if name != "type"}
        assert yookassa.receipts_about(about) == asked


TERMS_THERE = YooKassaReceipts(
    email="till@shop.example", tax_system_code=2, vat_code=11, payment_subject="service",
    payment_mode="full_prepayment",
)  # fmt: skip


def test_a_charge_of_which_nobody_said_more_has_one_line() -> None:
    line = {"description": "Cola", "quantity": 1, "amount": AMOUNT, "vat_code": 11,
            "payment_subject": "service", "payment_mode": "full_prepayment"}  # fmt: skip
    customer = {"customer": {"email": "till@shop.example"}}
    assert yookassa.receipt(TERMS_THERE, "Cola", PRICE) == {
        "receipt": {**customer, "items": [line], "tax_system_code": 2}
    }
    assert yookassa.receipt(None, "Cola", PRICE) == {}
    for name, shown in (("", "Товар"), ("c" * 128, "c" * 128), ("c" * 129, "c" * 128)):
        made: Any = yookassa.receipt(TERMS_THERE, name, PRICE)
        assert made["receipt"]["items"] == [{**line, "description": shown}]


def test_a_call_of_yookassa_has_its_key_and_its_list_a_span() -> None:
    call = yookassa.post("/payments", "k", {"a": 1})
    assert (call.method, call.path, call.body, call.headers) == (
        "POST", "/payments", {"a": 1}, {"Idempotence-Key": "k"},
    )  # fmt: skip
    assert yookassa.created(AT, AT + HOUR) == {
        "created_at.gte": "2026-03-01T12:30:59.000Z", "created_at.lt": "2026-03-01T13:30:59.000Z",
    }  # fmt: skip
    now = AT + 60 * HOUR
    begins = datetime(2013, 1, 1, tzinfo=UTC)
    nameless = replace(CHARGE, mark=Mark(installation="here"))
    assert yookassa.span_of(nameless, now) == (begins - HOUR, now + HOUR)
    for sent, ends in ((now - 23 * HOUR, now), (now - 24 * HOUR, now - HOUR), (now, now)):
        span = yookassa.span_of(replace(CHARGE, sent_at=sent), now)
        assert span == (sent - HOUR, ends + HOUR)


LIMITS: tuple[tuple[Limits, int, int, int, int], ...] = (
    (yookassa.LIMITS, 13, 32, 512, 128), (tbank.LIMITS, 17, 20, 100, 140),
)  # fmt: skip


@pytest.mark.parametrize(("limits", "pairs", "name", "value", "description"), LIMITS)
def test_a_merchants_text_may_be_so_long(
    limits: Limits, pairs: int, name: int, value: int, description: int
) -> None:
    fits = {f"n{number}": "t" for number in range(pairs)}
    assert limits.flaws(fits, "d" * description) == {}
    assert limits.flaws({"n" * name: "t" * value}, "") == {}
    assert limits.flaws(fits | {"more": "t"}, "d" * (description + 1)) == {
        "description": f"at most {description} characters", "metadata": f"at most {pairs} entries",
    }  # fmt: skip
    long = "n" * (name + 1)
    assert limits.flaws({long: "t", "n": "t" * (value + 1), "": "t"}, "") == {
        f"metadata.{long}": f"a name of 1 to {name} characters",
        "metadata.": f"a name of 1 to {name} characters",
        "metadata.n": f"a text of at most {value} characters",
    }  # fmt: skip
    ours = dict.fromkeys(("coinslot", "qr", "refund", "payment", "charge"), "t" * 999)
    assert limits.flaws(fits | ours, "") == {}
    sent = limits.fitting({**ours, **fits, long: "t", "more": "t"})
    assert sent == fits
    assert limits.fitting({"n": "t" * (value + 1)}) == {"n": "t" * value}


TBANK_ITEMS = [
    {"Name": "Cola", "Price": 5000, "Quantity": 2, "Amount": 10000, "Tax": "vat122",
     "PaymentMethod": "full_prepayment", "PaymentObject": "commodity"},
    {"Name": "Tea", "Price": 5001, "Quantity": 1, "Amount": 5001, "Tax": "vat10",
     "PaymentMethod": "full_prepayment", "PaymentObject": "commodity",
     "AgentData": {"AgentSign": "paying_agent"},
     "SupplierInfo": {"Name": "Ivanov", "Inn": "7707083893", "Phones": ["+79161234567"]}},
]  # fmt: skip
TBANK_RECEIPT = {"Email": "a@b.example", "Taxation": "patent", "Items": TBANK_ITEMS}
TILL = TBankReceipts(email="till@shop.example", taxation="osn", tax="vat22",
                     payment_object="service", payment_method="full_payment")  # fmt: skip


def alone(name: str, minor: int = 15001) -> Row:
    return {"Receipt": {"Email": "till@shop.example", "Taxation": "osn", "Items": [
        {"Name": name, "Price": minor, "Quantity": 1, "Amount": minor, "Tax": "vat22",
         "PaymentMethod": "full_payment", "PaymentObject": "service"},
    ]}}  # fmt: skip


def test_a_session_at_t_bank() -> None:
    whole: Row = {
        "Amount": 15001, "OrderId": order_id(CHARGE), "PayType": "O",
        "SuccessURL": "https://shop.example/thanks", "FailURL": "https://shop.example/thanks",
        "DATA": {**OURS, "table": "7"}, "Description": "Cola",
    }  # fmt: skip
    assert tbank.init(CHARGE, None, None) == whole
    later = replace(CHARGE, capture=False, expires_at=AT, receipt=RECEIPT)
    assert tbank.init(later, TILL, "https://us.example/hook") == {
        **whole, "PayType": "T", "NotificationURL": "https://us.example/hook",
        "RedirectDueDate": "2026-03-01T15:30:59+03:00", "Receipt": TBANK_RECEIPT,
    }  # fmt: skip
    assert tbank.init(CHARGE, TILL, None) == {**whole, **alone("Cola")}
    without = {name: said for name, said in whole.items() if name != "Description"}
    assert tbank.init(replace(CHARGE, description=""), None, None) == without
    for chars in (139, 140, 141):
        long = tbank.init(replace(CHARGE, description="д" * chars), None, None)
        assert long["Description"] == "д" * min(chars, 140)
    for name, shown in (("", "Товар"), ("c" * 128, "c" * 128), ("c" * 129, "c" * 128)):
        made = tbank.init(replace(CHARGE, description=name), TILL, None)
        assert made["Receipt"] == alone(shown)["Receipt"]


def test_what_follows_a_session_at_t_bank() -> None:
    body = {"PaymentId": "p1", "Amount": 15001}
    assert tbank.confirm("p1", PRICE, None, None) == body
    assert tbank.confirm("p1", PRICE, RECEIPT, TILL) == {**body, "Receipt": TBANK_RECEIPT}
    assert tbank.confirm("p1", PRICE, None, TILL) == {**body, **alone("Товар")}
    about = ReceiptQuestion(gateway_payment_id="p1", closing=True)
    order = ReceiptOrder(about=about, receipt=RECEIPT, key="k", currency="RUB")
    assert tbank.closing(order) == {"PaymentId": "p1", "Receipt": TBANK_RECEIPT}
    back = {"PaymentId": "pay_1", "Amount": 15001, "ExternalRequestId": "rf_1"}
    with_receipt = replace(REFUND, receipt=RECEIPT)
    assert tbank.cancel(with_receipt, False, TILL) == {**back, "Receipt": TBANK_RECEIPT}
    assert tbank.cancel(with_receipt, True, TILL) == back
    assert tbank.cancel(replace(with_receipt, without_receipt=True), False, TILL) == back
    assert tbank.cancel(REFUND, False, None) == back
    assert tbank.cancel(REFUND, False, TILL) == {**back, **alone("no drop")}
    by_phone = {"Phone": "+79161234567", "Taxation": None, "Items": TBANK_ITEMS}
    assert tbank.receipt_of(BY_PHONE) == by_phone
    known = replace(SOLD_FOR, vat="vat77", agent=Agent(kind="other", supplier="Ivanov"))
    assert tbank.receipt_of(replace(RECEIPT, lines=(known,)))["Items"] == [{
        **TBANK_ITEMS[1], "Tax": "vat77", "AgentData": {"AgentSign": "other"},
        "SupplierInfo": {"Name": "Ivanov"}}]  # fmt: skip


@pytest.mark.parametrize(("key", "sent"), [
    ("k", "k"), ("k" * 100, "k" * 100), ("k" * 101, None), ("", None), ("ключ", None),
])  # fmt: skip
def test_a_key_that_t_bank_has_no_room_for_is_sent_as_its_hash(key: str, sent: str | None) -> None:
    assert tbank.request_id(key) == (sent or hashlib.sha256(key.encode()).hexdigest())


def test_what_t_bank_cannot_take_is_not_sent() -> None:
    assert tbank.impossible(PRICE) is None
    assert tbank.impossible(Money(LARGEST_MINOR, "RUB")) is None
    assert tbank.impossible(Money(LARGEST_MINOR + 1, "RUB")) == Declined(
        "our order ids have no room for this amount", "amount_out_of_range"
    )
    assert tbank.impossible(Money(1, "USD")) == Declined("T-Bank knows roubles alone", "currency")


def test_a_token_is_of_all_that_is_plain_and_of_the_password() -> None:
    said = {"Amount": 19200, "OrderId": "21050", "Yes": True, "No": False, "Nothing": None,
            "DATA": {"a": "b"}, "List": [1], "Token": "old"}  # fmt: skip
    joined = "19200" + "false" + "21050" + "secret" + "true"
    assert tbank.token(said, "secret") == hashlib.sha256(joined.encode()).hexdigest()
