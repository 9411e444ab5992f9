"""The official SDK judges the emulated receipts: what it sends is taken, what it reads is whole."""

from typing import Any

import pytest
from yookassa import Payment, Receipt, Refund
from yookassa.domain.exceptions import BadRequestError

from coinslot.gateways.receipts import Receipt as Ours
from coinslot.gateways.receipts import ReceiptOrder, ReceiptQuestion
from coinslot.gateways.yookassa import build
from tests.gateways.test_receipts_sandbox import lines
from tests.sandbox.running import until
from tests.sandbox.test_yookassa_sdk import WANTED, Shop, partly
from tests.sandbox.test_yookassa_sdk import shop as shop


def ours(*prices: int, contact: str = "ivan@example.com") -> dict[str, Any]:
    """As our driver writes it."""
    return build.receipt_of(Ours(contact=contact, lines=lines(*prices)), "RUB")


def registered(kind: str, **of: str) -> Any:
    """The receipt, once the till has registered it."""
    found: list[Any] = []

    def is_there() -> bool:
        found[:] = [one for one in Receipt.list(of).items if one.type == kind]
        return bool(found) and found[0].status == "succeeded"

    until(is_there)
    return found[0]


def test_a_receipt_that_went_with_its_payment_is_registered_after_a_while(shop: Shop) -> None:
    reference = shop.paid(receipt=ours(10000, 5000))
    receipt = registered("payment", payment_id=reference)
    assert Receipt.find_one(receipt.id).fiscal_document_number == receipt.fiscal_document_number
    assert receipt.fiscal_attribute
    assert [item.payment_mode for item in receipt.items] == ["full_payment", "full_payment"]
    assert [item.supplier.inn for item in receipt.items] == ["7701234567", "7701234567"]
    assert Payment.find_one(reference).receipt_registration == "succeeded"


def test_a_receipt_of_each_part_that_goes_back(shop: Shop) -> None:
    reference = shop.paid(receipt=ours(15000))
    back = Refund.create(partly(reference, "50.00") | {"receipt": ours(5000)})
    assert back.receipt_registration == "pending"
    receipt = registered("refund", refund_id=back.id)
    assert [str(item.amount.value) for item in receipt.items] == ["50.00"]


@pytest.mark.parametrize("contact", ["+79161234567", "ivan@example.com"])
def test_a_receipt_is_taken_by_itself_in_our_words_and_in_the_sdks(
    shop: Shop, contact: str
) -> None:
    reference = shop.paid()
    order = ReceiptOrder(
        about=ReceiptQuestion(gateway_payment_id=reference), key="k", currency="RUB",
        receipt=Ours(contact=contact, lines=lines(15000)),
    )  # fmt: skip
    made = Receipt.create(build.receipt_alone(order), "a key of its own")
    assert made.id == Receipt.create(build.receipt_alone(order), "a key of its own").id
    assert registered("payment", payment_id=reference).id == made.id


@pytest.mark.parametrize(
    "change",
    [
        {"settlements": [{"type": "cashless", "amount": {"value": "1.00", "currency": "RUB"}}]},
        {"customer": {"phone": "+79161234567"}},  # digits alone
        {"customer": {"email": "nobody@nowhere.example "}},
        {"payment_id": "00000000-000f-5000-8000-000000000000"},
        {"items": []},
    ],
)
def test_what_is_wrong_in_a_receipt_is_refused(shop: Shop, change: dict[str, Any]) -> None:
    reference = shop.paid()
    order = ReceiptOrder(
        about=ReceiptQuestion(gateway_payment_id=reference), key="k", currency="RUB",
        receipt=Ours(contact="ivan@example.com", lines=lines(15000)),
    )  # fmt: skip
    with pytest.raises((BadRequestError, ValueError)):
        Receipt.create(build.receipt_alone(order) | change)


def test_a_till_that_gives_up_cancels_the_receipt_and_the_money_stays(shop: Shop) -> None:
    shop.change(receipts_refused=["till"])
    reference = shop.paid(receipt=ours(15000))
    until(lambda: Payment.find_one(reference).receipt_registration == "canceled")
    assert Payment.find_one(reference).status == "succeeded"


def test_a_shop_can_be_told_to_refuse_what_is_right(shop: Shop) -> None:
    shop.change(receipts_refused=["payment", "refund"])
    with pytest.raises(BadRequestError, match="Receipt is missing or illegal"):
        Payment.create(WANTED | {"receipt": ours(15000)})
    reference = shop.paid()
    with pytest.raises(BadRequestError, match="Receipt is missing or illegal"):
        Refund.create(partly(reference, "50.00") | {"receipt": ours(5000)})
    assert Refund.create(partly(reference, "50.00")).status == "succeeded"
