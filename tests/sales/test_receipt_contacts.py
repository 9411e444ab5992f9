"""A merchant's own server names where the receipt of its payment goes: it goes there with the money
and with what goes back, is in nothing else, and is forgotten."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.kit.money import Money
from coinslot.payments import merchant_api
from coinslot.payments.attempts import PaymentRequest
from coinslot.payments.merchant_api import RefundRequest
from coinslot.payments.receipt_contact import ContactError, contact
from coinslot.worker.prune import prune
from tests.sales.receipting import DONE, ReceiptTill, receipting
from tests.sales.stage import Stage
from tests.sales.taking import confirmed, once

ASK = PaymentRequest(
    money=Money(5000, "INR"), description="Basket 7", receipt_contact="ivan@example.com"
)


@pytest.fixture
async def till(stage: Stage) -> ReceiptTill:
    return await receipting(stage)


async def paid(stage: Stage, till: ReceiptTill, ask: PaymentRequest = ASK) -> UUID:
    answer = await merchant_api.create(stage.context, once(stage, "create", "k", 5000), ask)
    payment = UUID(answer.body["id"])
    await confirmed(stage, payment)
    charge = till.asked[-1]
    fact = till.payer_pays(charge.key, charge.mark, charge.money)
    await stage.webhook(fact, event="paid")
    return payment


async def test_the_address_that_a_server_names_goes_with_the_receipts_of_its_payment(
    stage: Stage, till: ReceiptTill
) -> None:
    payment = await paid(stage, till)
    back = RefundRequest(amount=1500)
    await merchant_api.request_refund(stage.context, once(stage, "refund", "r"), payment, back)
    await stage.sweep()
    assert till.asked[0].receipt is not None
    assert till.sent[0].receipt is not None
    assert [till.asked[0].receipt.contact, till.sent[0].receipt.contact] == ["ivan@example.com"] * 2


async def test_without_one_the_receipt_goes_to_the_accounts_own_address(
    stage: Stage, till: ReceiptTill
) -> None:
    await paid(stage, till, replace(ASK, receipt_contact=None))
    assert till.asked[0].receipt is not None
    assert till.asked[0].receipt.contact == "till@shop.example"


async def test_an_address_that_a_server_named_is_told_to_nobody_and_is_forgotten(
    stage: Stage, till: ReceiptTill
) -> None:
    till.answer = DONE
    payment = await paid(stage, till)
    stage.later(60)
    await stage.sweep()
    shown = await merchant_api.payment(stage.context, stage.merchant, payment)
    told = ("events", "exchanges", "inbox", "idempotency_keys", "deliveries", "audit_log")
    rows = [await stage.rows(f"SELECT * FROM {table}") for table in told]
    assert "ivan@" not in f"{shown}{rows}"
    stage.later(29 * 86_400)
    await prune(stage.context, "receipt_contacts")
    assert await stage.value("SELECT receipt_contact FROM payments") == "ivan@example.com"
    stage.later(2 * 86_400)
    await prune(stage.context, "receipt_contacts")
    assert await stage.value("SELECT receipt_contact FROM payments") is None


async def test_while_a_receipt_of_it_waits_the_address_is_kept(
    stage: Stage, till: ReceiptTill
) -> None:
    await paid(stage, till)  # its receipt is not registered
    stage.later(60 * 86_400)
    await prune(stage.context, "receipt_contacts")
    assert await stage.value("SELECT receipt_contact FROM payments") == "ivan@example.com"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" ivan@example.com ", "ivan@example.com"), (f"{'i' * 64}@a.ru", f"{'i' * 64}@a.ru"),
        (f"ivan@{'a' * 246}.ru", f"ivan@{'a' * 246}.ru"), ("ivan@a.b-c.ru", "ivan@a.b-c.ru"),
        ("+7 (916) 123-45.67", "+79161234567"), ("8 916\u00a0123 45 67", "+79161234567"),
        ("79161234567", "+79161234567"), ("9161234567", "+79161234567"),
        ("+1234567", "+1234567"), ("+123456789012345", "+123456789012345"),
        ("+81234567890", "+81234567890"), ("+9161234567", "+9161234567"),
    ],
)  # fmt: skip
def test_an_address_is_kept_as_typed_and_a_number_with_its_country(text: str, kept: str) -> None:
    assert contact(text) == kept


@pytest.mark.parametrize(
    "text",
    ["", "ivan", "9161234567890", "+7 916", "ivan@localhost", "ivan@a.r", f"{'i' * 65}@a.ru",
     f"ivan@{'a' * 247}.ru", "+123456", "+1234567890123456", "++79161234567", "+7916123456x",
     "59161234567", "8161234567", "91612345678", "916123456",
     "+" + "\u0667" * 7],
)  # fmt: skip
def test_what_is_no_address_is_none(text: str) -> None:
    with pytest.raises(ContactError):
        contact(text)
