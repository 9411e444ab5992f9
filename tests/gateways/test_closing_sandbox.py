"""The second receipt of what was paid in advance, at the emulated YooKassa and T-Bank, which take
no other than a right one; and the receipt of a part that is captured."""

from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Declined, PaymentFact, RefundFact
from coinslot.gateways.collecting import Pending
from coinslot.gateways.receipts import (
    BeingRegistered,
    Receipt,
    ReceiptOrder,
    ReceiptQuestion,
    Registered,
)
from coinslot.gateways.registering import ClosesReceipts
from tests.gateways.tbank_shop import TBankShop
from tests.gateways.test_receipts_sandbox import eventually, receipt, tbank, told_of, yookassa
from tests.gateways.test_tbank_sandbox import refund as tbank_refund
from tests.gateways.test_tbank_sandbox import roubles
from tests.gateways.yookassa_shop import YooKassaShop


def prepaid(*prices: int) -> Receipt:
    whole = receipt(*prices, vat="22/122")
    lines = tuple(replace(line, mode="full_prepayment") for line in whole.lines)
    return replace(whole, lines=lines)


def closing(payment: str, *prices: int, key: str = "rc_2", **more: object) -> ReceiptOrder:
    about = ReceiptQuestion(gateway_payment_id=payment, closing=True)
    known = receipt(*prices)
    known = replace(known, lines=tuple(replace(line, **more) for line in known.lines))
    return ReceiptOrder(about=about, receipt=known, key=key, currency="RUB")


async def paid_at_yookassa(shop: YooKassaShop, brought: Receipt) -> str:
    pending = await shop.till.collect(replace(shop.charge(), receipt=brought))
    assert isinstance(pending, Pending)
    return await shop.pay(pending.reference)


async def paid_at_tbank(shop: TBankShop, brought: Receipt) -> str:
    pending = await shop.till.collect(replace(shop.charge(), receipt=brought))
    assert isinstance(pending, Pending)
    await shop.pay(pending.reference)
    return pending.reference


async def test_yookassa_tells_the_second_receipt_of_a_payment_from_the_first(
    at_yookassa: YooKassaShop,
) -> None:
    shop = await yookassa(at_yookassa)
    assert [isinstance(shop.till, one) for one in (ClosesReceipts,)] == [True]
    payment = await paid_at_yookassa(shop, prepaid(1500, 2500))
    order = closing(payment, 1500, 2500)
    first = ReceiptQuestion(gateway_payment_id=payment)
    before = await eventually(lambda: shop.till.receipt_of(first), Registered)
    assert not isinstance(await shop.till.receipt_of(order.about), Registered | BeingRegistered)
    sent = [await shop.till.close_receipt(order) for _ in range(2)]
    assert sent[0] == sent[1], "one for a key"
    after = await eventually(lambda: shop.till.receipt_of(order.about), Registered)
    assert after != before
    assert await shop.till.receipt_of(first) == before


@pytest.mark.parametrize(
    ("brought", "wrong"),
    [(receipt(4000), {}),  # nothing was paid in advance
     (prepaid(4000), {"mode": "full_prepayment"}),
     (prepaid(4000), {"price": 4001})],
    ids=["not-prepaid", "not-a-full-payment", "more-than-was-paid"],
)  # fmt: skip
async def test_no_gateway_takes_a_second_receipt_that_is_wrong(
    at_yookassa: YooKassaShop, at_tbank: TBankShop, brought: Receipt, wrong: dict[str, object]
) -> None:
    yoo, bank = await yookassa(at_yookassa), await tbank(at_tbank)
    payment = await paid_at_yookassa(yoo, brought)
    refused = await yoo.till.close_receipt(closing(payment, 4000, **wrong))  # type: ignore[arg-type]
    assert isinstance(refused, Declined)
    assert refused.permanent
    reference = await paid_at_tbank(bank, brought)
    refused = await bank.till.close_receipt(closing(reference, 4000, **wrong))  # type: ignore[arg-type]
    assert isinstance(refused, Declined)
    assert (refused.code, refused.permanent) == ("receipt", True)


async def test_yookassa_closes_no_more_than_was_paid_however_often(
    at_yookassa: YooKassaShop,
) -> None:
    shop = await yookassa(at_yookassa)
    payment = await paid_at_yookassa(shop, prepaid(1500, 2500))
    assert isinstance(await shop.till.close_receipt(closing(payment, 2500)), BeingRegistered)
    again = await shop.till.close_receipt(closing(payment, 2500, key="rc_3"))
    assert isinstance(again, Declined)
    assert isinstance(
        await shop.till.close_receipt(closing(payment, 1500, key="rc_4")), BeingRegistered
    )


async def test_tbank_takes_one_second_receipt_and_tells_of_it(at_tbank: TBankShop) -> None:
    shop = await tbank(at_tbank)
    assert [isinstance(shop.till, one) for one in (ClosesReceipts,)] == [True]
    reference = await paid_at_tbank(shop, prepaid(4000))
    (first,) = await told_of(shop, reference)
    assert isinstance(await shop.till.close_receipt(closing(reference, 4000)), BeingRegistered)
    (second,) = await told_of(shop, reference)
    assert second.money is not None
    assert (second.refund, second.registered, second.money.minor) == (False, True, 4000)
    assert (first.mode, second.mode) == ("full_prepayment", "full_payment")
    assert second.numbers["document"] != first.numbers["document"]
    assert isinstance(await shop.till.close_receipt(closing(reference, 4000)), Declined)


async def test_tbank_takes_none_once_a_part_has_gone_back(at_tbank: TBankShop) -> None:
    """Its documents have it so: the session has to be confirmed. That may pass, they say not."""
    shop = await tbank(at_tbank)
    reference = await paid_at_tbank(shop, prepaid(1500, 2500))
    order = replace(tbank_refund(reference, "15.00"), receipt=receipt(1500))
    assert isinstance(await shop.till.give_back(order), RefundFact)
    refused = await shop.till.close_receipt(closing(reference, 2500))
    assert isinstance(refused, Declined)
    assert not refused.permanent


async def test_a_part_is_captured_at_yookassa_with_the_receipt_of_that_part_or_not_at_all(
    at_yookassa: YooKassaShop,
) -> None:
    shop = await yookassa(at_yookassa)
    charge = replace(shop.charge(), capture=False, receipt=receipt(1500, 2500))
    pending = await shop.till.collect(charge)
    assert isinstance(pending, Pending)
    payment = await shop.pay(pending.reference)
    wrong = await shop.till.capture(payment, roubles("30.00"), "take-1", receipt(1500, 2500))
    assert isinstance(wrong, Declined)
    assert wrong.code == "receipt"
    taken = await shop.till.capture(payment, roubles("30.00"), "take-2", receipt(1500, 1500))
    assert isinstance(taken, PaymentFact)
    (book,) = await shop.books()
    brought: Any = book["receipt"]
    assert [item["amount"]["value"] for item in brought["items"]] == ["15.00", "15.00"]


async def test_the_whole_is_captured_with_what_came_with_the_payment(
    at_yookassa: YooKassaShop, at_tbank: TBankShop
) -> None:
    """At YooKassa nothing more is sent, at T-Bank the same again: each wants it so."""
    yoo, bank = await yookassa(at_yookassa), await tbank(at_tbank)
    brought = receipt(1500, 2500)
    pending = await yoo.till.collect(replace(yoo.charge(), capture=False, receipt=brought))
    assert isinstance(pending, Pending)
    payment = await yoo.pay(pending.reference)
    before = (await yoo.books())[0]["receipt"]
    assert isinstance(
        await yoo.till.capture(payment, roubles("40.00"), "take", brought), PaymentFact
    )
    assert (await yoo.books())[0]["receipt"] == before
    held = await bank.till.collect(replace(bank.charge(), capture=False, receipt=brought))
    assert isinstance(held, Pending)
    await bank.pay(held.reference)
    taken = await bank.till.capture(held.reference, roubles("40.00"), "take", brought)
    assert isinstance(taken, PaymentFact)
