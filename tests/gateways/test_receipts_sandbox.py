"""Receipts over sockets: what our drivers send is registered by the emulated gateways as by the
real ones, and what is wrong is refused by name."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Absent, Declined, Genuine, ReceiptFact, RefundFact
from coinslot.gateways.collecting import Pending
from coinslot.gateways.receipts import (
    Agent,
    NotRegistered,
    Receipt,
    ReceiptLine,
    ReceiptOrder,
    ReceiptQuestion,
    Registered,
)
from coinslot.gateways.registering import MakesReceipts, TakesReceipts
from coinslot.gateways.tbank.fiscal import Receipts as OfTBank
from coinslot.gateways.yookassa.fiscal import Receipts as OfYooKassa
from coinslot.kit.money import Money
from tests.gateways.tbank_shop import TBankShop
from tests.gateways.test_tbank_sandbox import refund as tbank_refund
from tests.gateways.test_yookassa_sandbox import refund_order
from tests.gateways.yookassa_shop import YooKassaShop

AGENT = Agent(
    kind="commissioner", supplier="ООО «Зерно»", inn="7701234567", phone="+74951234567"
)  # fmt: skip


def lines(*prices: int, vat: str = "22") -> tuple[ReceiptLine, ...]:
    return tuple(
        ReceiptLine(
            name=f"Напиток {number}", quantity=1, price=price, vat=vat, subject="commodity",
            mode="full_payment", agent=AGENT,
        )
        for number, price in enumerate(prices, 1)
    )  # fmt: skip


def receipt(*prices: int, contact: str = "ivan@example.com", vat: str = "22") -> Receipt:
    return Receipt(contact=contact, lines=lines(*prices, vat=vat), tax_system="usn_income")


async def eventually(ask: Callable[[], Awaitable[object]], kind: type) -> object:
    async with asyncio.timeout(10):
        while True:
            found = await ask()
            if isinstance(found, kind):
                return found
            await asyncio.sleep(0.05)


async def yookassa(at: YooKassaShop, **more: object) -> YooKassaShop:
    await at.sign_up(receipts=True, **more)
    settings = OfYooKassa(email="till@shop.example", vat_code=11, tax_system_code=2)
    at.till = at.opened(replace(at.settings, receipts=settings))
    return at


async def tbank(at: TBankShop, **more: object) -> TBankShop:
    await at.sign_up(receipts=True, **more)
    settings = OfTBank(email="till@shop.example", taxation="usn_income", tax="vat22")
    at.till = at.opened(replace(at.settings, receipts=settings))
    return at


@pytest.mark.parametrize("contact", ["ivan@example.com", "+79161234567"])
async def test_yookassa_registers_what_was_paid_and_what_went_back(
    at_yookassa: YooKassaShop, contact: str
) -> None:
    shop = await yookassa(at_yookassa)
    assert [isinstance(shop.till, one) for one in (MakesReceipts, TakesReceipts)] == [True, True]
    charge = replace(shop.charge(), receipt=receipt(1500, 2500, contact=contact))
    pending = await shop.till.collect(charge)
    assert isinstance(pending, Pending)
    unpaid = ReceiptQuestion(gateway_payment_id=pending.reference)
    assert isinstance(await shop.till.receipt_of(unpaid), Absent)
    payment = await shop.pay(pending.reference)
    paid = ReceiptQuestion(gateway_payment_id=payment)
    found = await eventually(lambda: shop.till.receipt_of(paid), Registered)
    assert isinstance(found, Registered)
    assert {"document", "storage", "attribute", "registered_at"} == set(found.numbers)
    by_id = ReceiptQuestion(gateway_payment_id=payment, receipt_id=found.receipt_id)
    assert await shop.till.receipt_of(by_id) == found
    back = replace(refund_order(payment, "15.00"), receipt=receipt(1500, contact=contact))
    fact = await shop.till.give_back(back)
    assert isinstance(fact, RefundFact)
    of_it = ReceiptQuestion(
        gateway_payment_id=payment, gateway_refund_id=fact.gateway_refund_id
    )  # fmt: skip
    registered = await eventually(lambda: shop.till.receipt_of(of_it), Registered)
    assert registered != found


@pytest.mark.parametrize(
    "wrong",
    [receipt(1500, 2499), receipt(4001), receipt(4000, contact="nobody@nowhere")],
)
async def test_yookassa_refuses_a_receipt_that_is_wrong_and_takes_no_money(
    at_yookassa: YooKassaShop, wrong: Receipt
) -> None:
    shop = await yookassa(at_yookassa)
    answer = await shop.till.collect(replace(shop.charge(), receipt=wrong))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("receipt", True)


async def test_yookassa_refuses_a_refund_for_its_receipt_and_makes_it_without(
    at_yookassa: YooKassaShop,
) -> None:
    shop = at_yookassa
    await shop.sign_up(receipts_refused=["refund"])
    settings = OfYooKassa(email="till@shop.example")
    till = shop.opened(replace(shop.settings, receipts=settings))
    pending = await till.collect(shop.charge())
    assert isinstance(pending, Pending)
    payment = await shop.pay(pending.reference)
    order = replace(refund_order(payment, "15.00"), receipt=receipt(1500, vat="none"))
    refused = await till.give_back(order)
    assert isinstance(refused, Declined)
    assert refused.code == "receipt"
    without = replace(order, key=f"{order.key}-2", receipt=None, without_receipt=True)
    assert isinstance(await till.give_back(without), RefundFact)


async def test_yookassa_takes_a_receipt_by_itself_once_per_key(
    at_yookassa: YooKassaShop,
) -> None:
    shop = await yookassa(at_yookassa, receipts_refused=["till"])
    pending = await shop.till.collect(replace(shop.charge(), receipt=receipt(4000)))
    assert isinstance(pending, Pending)
    payment = await shop.pay(pending.reference)
    about = ReceiptQuestion(gateway_payment_id=payment)
    await eventually(lambda: shop.till.receipt_of(about), NotRegistered)
    await shop.sign_up(receipts=True)  # the till is mended
    order = ReceiptOrder(about=about, receipt=receipt(4000), key="rc_1", currency="RUB")
    first = await shop.till.send_receipt(order)
    again = await shop.till.send_receipt(order)
    assert first == again
    await eventually(lambda: shop.till.receipt_of(about), Registered)
    bad = replace(order, key="rc_2", about=ReceiptQuestion(gateway_payment_id="nothing"))
    assert isinstance(await shop.till.send_receipt(bad), Declined)


async def test_tbank_tells_that_receipts_of_payments_and_refunds_are_registered(
    at_tbank: TBankShop,
) -> None:
    shop = await tbank(at_tbank)
    assert [isinstance(shop.till, one) for one in (MakesReceipts, TakesReceipts)] == [True, False]
    charge = replace(shop.charge(), receipt=receipt(1500, 2500, contact="+79161234567"))
    pending = await shop.till.collect(charge)
    assert isinstance(pending, Pending)
    await shop.pay(pending.reference)
    (paid,) = await told_of(shop, pending.reference)
    assert (paid.refund, paid.registered) == (False, True)
    assert {"document", "storage", "attribute", "url"} <= set(paid.numbers)
    order = replace(tbank_refund(pending.reference, "15.00"), receipt=receipt(1500))
    assert isinstance(await shop.till.give_back(order), RefundFact)
    (back,) = await told_of(shop, pending.reference)
    assert (back.refund, back.money) == (True, Money(1500, "RUB"))


async def told_of(shop: TBankShop, reference: str) -> list[ReceiptFact]:
    """The receipt in the next fiscal notification."""
    headers, body = (await shop.told_until(reference, "RECEIPT"))[-1]
    verdict = shop.till.read_webhook(headers, body)
    assert isinstance(verdict, Genuine)
    return [fact for fact in verdict.facts if isinstance(fact, ReceiptFact)]


@pytest.mark.parametrize("wrong", [receipt(3999), receipt(4001), receipt(1, 4000)])
async def test_tbank_refuses_a_receipt_of_another_sum(at_tbank: TBankShop, wrong: Receipt) -> None:
    shop = await tbank(at_tbank)
    answer = await shop.till.collect(replace(shop.charge(), receipt=wrong))
    assert isinstance(answer, Declined)
    assert answer.code == "receipt"


async def test_tbank_refuses_a_refund_for_its_receipt_and_makes_it_without(
    at_tbank: TBankShop,
) -> None:
    shop = at_tbank
    await shop.sign_up(receipts_refused=["refund"])
    settings = OfTBank(email="till@shop.example", taxation="osn")
    till = shop.opened(replace(shop.settings, receipts=settings))
    pending = await till.collect(shop.charge())
    assert isinstance(pending, Pending)
    await shop.pay(pending.reference)
    order = replace(tbank_refund(pending.reference, "15.00"), receipt=receipt(1500))
    refused = await till.give_back(order)
    assert isinstance(refused, Declined)
    assert refused.code == "receipt"
    without = replace(order, key=f"{order.key}-2", receipt=None, without_receipt=True)
    assert isinstance(await till.give_back(without), RefundFact)
