"""A gateway that has receipts registered, and an outlet whose customers pay at its page."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from msgspec.structs import replace

from coinslot.gateways.base import (
    Absent,
    Declined,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Unclear,
)
from coinslot.gateways.collecting import Charge, Progress
from coinslot.gateways.receipts import (
    BeingRegistered,
    Receipt,
    ReceiptLimits,
    ReceiptOrder,
    ReceiptQuestion,
    ReceiptStatus,
    ReceiptTerms,
    Registered,
)
from coinslot.kit.money import Money
from coinslot.orders import checkout, placing
from coinslot.orders.checkout import WayTap
from coinslot.orders.placing import NewLine, NewOrder, Placed
from coinslot.orders.pricing import Discount, Extra
from coinslot.payments import gateway_webhooks, ways_to_pay
from coinslot.payments.ways_to_pay import Form
from tests.sales.payers import Paypage
from tests.sales.stage import MockAccounts, Stage

TERMS = ReceiptTerms(contact="till@shop.example", tax_system="usn_income", vat="22")
REFUSED = Declined("Receipt is missing or illegal: receipt", "receipt")
DONE = Registered(receipt_id="rt-1", numbers={"document": "3986", "attribute": "1618"})


class TellingTill(Paypage):
    """It tells what became of a receipt by itself, and nobody can ask. Charges, refunds, captures
    and second receipts as they came are in `asked`, `sent`, `taken` and `closed`."""

    receipt_limits: ClassVar[ReceiptLimits] = ReceiptLimits(lines=80, name_chars=128)
    receipt_terms: ReceiptTerms | None = TERMS
    refuses_of_captures = False
    answer_closing: ReceiptStatus | Declined | Unclear = BeingRegistered(receipt_id="rt-3")
    taken: list[tuple[Money, Receipt | None]]
    closed: list[ReceiptOrder]

    async def _collect(self, charge: Charge) -> Progress | Declined:
        if charge.capture:
            return await super()._collect(charge)
        if charge.key not in self.charges:
            self.charges[charge.key] = self._paid(charge)
            self.asked.append(charge)
        return self._again(charge.key)

    async def capture(
        self, reference: str, money: Money, key: str, receipt: Receipt | None = None
    ) -> PaymentFact | Declined | Unclear:
        self.taken.append((money, receipt))
        if self.refuses_of_captures:
            return REFUSED
        return await super().capture(reference, money, key, receipt)

    async def close_receipt(self, order: ReceiptOrder) -> ReceiptStatus | Declined | Unclear:
        self.closed.append(order)
        return self.answer_closing


class ReceiptTill(TellingTill):
    """It can be asked, too, and takes receipts by themselves: these are in `alone`."""

    refuses_of_charges = False  # a charge, because of its receipt
    refuses_of_refunds = False  # a refund, because of its receipt
    refuses_refunds_alone = False  # a refund that has none
    answer: ReceiptStatus | Absent | Unclear = BeingRegistered()
    answer_alone: ReceiptStatus | Declined | Unclear = BeingRegistered(receipt_id="rt-2")
    alone: list[ReceiptOrder]
    looked: list[ReceiptQuestion]

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        if self.refuses_of_charges:
            self.asked.append(charge)
            return REFUSED
        return await super().collect(charge)

    async def give_back(self, order: RefundOrder) -> RefundFact | Declined | Unclear:
        bad = self.refuses_refunds_alone if order.receipt is None else self.refuses_of_refunds
        if bad:
            self.sent.append(order)
            return REFUSED
        return await super().give_back(order)

    async def receipt_of(self, about: ReceiptQuestion) -> ReceiptStatus | Absent | Unclear:
        self.looked.append(about)
        return self.answer

    async def send_receipt(self, order: ReceiptOrder) -> ReceiptStatus | Declined | Unclear:
        self.alone.append(order)
        return self.answer_alone


async def receipting(stage: Stage) -> ReceiptTill:
    """Put the stage's account behind it; its machine offers the account's page."""
    till = ReceiptTill(stage)
    till.alone, till.looked = [], []
    await behind(stage, till)
    return till


async def behind(stage: Stage, till: TellingTill) -> None:
    """The stage's account is at this gateway."""
    till.charges, till.asked, till.taken, till.closed = {}, [], [], []
    stage.gateway, stage.account = till, replace(stage.account, driver=till)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account
    way = [(stage.account.id, Form.LINK)]
    await ways_to_pay.offer(stage.context, stage.merchant, "M01", way)


async def place(
    stage: Stage,
    *extras: Extra,
    pieces: int = 1,
    discounts: Sequence[Discount] = (),
    contact: str | None = "ivan@example.com",
    currency: str = "INR",
) -> Placed:
    await stage.hello()
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        product = await conn.fetchrow("SELECT * FROM products")
        assert product is not None
        line = NewLine(
            product=product["id"], slot="A1", sku=product["sku"], name=product["name"],
            price=product["price_minor"], cost=0, quantity=pieces,
        )  # fmt: skip
        new = NewOrder(
            merchant=stage.merchant, outlet="M01", currency=currency, key=None,
            expires_at=stage.context.after("order_s"), lines=(line,), extras=extras,
            discounts=discounts, receipt_contact=contact,
        )  # fmt: skip
        return await placing.place(conn, stage.context, new)


async def tap(stage: Stage, order: str) -> None:
    """Its customer goes to the gateway's page."""
    name = f"{Form.LINK}-{stage.account.id.hex}"
    await checkout.pay(stage.context, WayTap(order=order, way=name, key=f"tap {order}"))
    await stage.sweep("attempts")


async def pays(stage: Stage, till: TellingTill) -> None:
    """At that page, and the gateway tells it."""
    charge = till.asked[-1]
    fact = till.payer_pays(charge.key, charge.mark, charge.money)
    headers, body = till.webhook(f"paid {charge.key}", fact)
    told = await gateway_webhooks.take_webhook(stage.context, stage.account, headers, body)
    assert told.status == 200


async def bought(
    stage: Stage,
    till: TellingTill,
    *extras: Extra,
    pieces: int = 1,
    discounts: Sequence[Discount] = (),
    contact: str | None = "ivan@example.com",
) -> UUID:
    """An order that is paid, with its receipt on its way."""
    placed = await place(stage, *extras, pieces=pieces, discounts=discounts, contact=contact)
    await tap(stage, placed.token)
    await pays(stage, till)
    return placed.id


def minor(order: RefundOrder) -> int | None:
    """What its receipt comes to."""
    return None if order.receipt is None else sum(line.total for line in order.receipt.lines)


def money(amount: int) -> Money:
    return Money(amount, "INR")
