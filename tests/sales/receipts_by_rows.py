"""Gateways that have receipts registered, without a stage, and what verbs about receipts write
of rows by hand."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID

from msgspec import json
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.gateways.base import Absent
from coinslot.gateways.receipts import (
    ReceiptLimits,
    ReceiptLine,
    ReceiptOrder,
    ReceiptQuestion,
    ReceiptTerms,
)
from coinslot.payments.receipts import ReceiptBody
from tests.fleet.shop import context, woken
from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ACCOUNT,
    ASHA,
    BESIDE,
    FACTS,
    FIRST,
    NEXT,
    OF_ORDER,
    PART,
    REFUND,
    Given,
    Row,
    capture,
)
from tests.sales.wrote import wrote

SECOND, MOMENT, HOUR = timedelta(seconds=1), timedelta(microseconds=1), timedelta(hours=1)
RECEIPT, ATTEMPT, OTHER_RECEIPT, SODA = (UUID(int=n) for n in range(30, 34))
LATE, LOOK = NOW + 4 * HOUR, NOW + 80 * SECOND  # 10 s, doubled three times
TERMS = ReceiptTerms(contact="till@shop.example", tax_system="usn_income", vat="22")
COLA = ReceiptLine(name="Cola", quantity=1, price=5000, vat="22", subject="commodity",
                   mode="full_payment")  # fmt: skip
ADVANCE = replace(COLA, mode="full_prepayment", vat="22/122")
Does = Callable[[Context], Awaitable[Any]]


class Maker:
    """A gateway that registers receipts with payments, and says nothing of them."""

    receipt_limits: ClassVar[ReceiptLimits] = ReceiptLimits(lines=3, name_chars=20)

    def __init__(self, answer: Any = None, terms: ReceiptTerms | None = TERMS) -> None:
        self.receipt_terms = terms
        self.answer = answer
        self.sent: list[tuple[str, ReceiptOrder]] = []
        self.asked: list[ReceiptQuestion] = []


class Closer(Maker):
    """It takes second receipts, too."""

    async def close_receipt(self, order: ReceiptOrder) -> Any:
        self.sent.append(("close", order))
        return self.answer


class Till(Closer):
    """It can be asked, and takes receipts by themselves."""

    found: Any = Absent()

    async def receipt_of(self, about: ReceiptQuestion) -> Any:
        self.asked.append(about)
        return self.found if self.found != Absent() else self.answer

    async def send_receipt(self, order: ReceiptOrder) -> Any:
        self.sent.append(("send", order))
        return self.answer


class Looked(Till):
    """It has no receipt of which it is asked."""

    async def receipt_of(self, about: ReceiptQuestion) -> Any:
        self.asked.append(about)
        return self.found


def account(driver: Any) -> Any:
    return SimpleNamespace(id=ACCOUNT, merchant_id=ASHA, driver=driver)


def body(*lines: ReceiptLine, tax: str | None = "usn_income") -> Row:
    made: Row = json.decode(json.encode(ReceiptBody(lines=lines, tax_system=tax)))
    return made


def receipt(key: UUID = RECEIPT, /, **given: Any) -> tuple[str, Row]:
    row = {**FACTS, "id": key, "kind": "payment", "state": "due", "amount_minor": 5000,
           "body": body(COLA), "contact": "a@b.example", "created_at": NOW - SECOND, "tries": 3,
           "due_at": NOW, **given}  # fmt: skip
    return "receipts", row if "refund_id" in row else {"attempt_id": ATTEMPT, **row}


def attempt(key: UUID = ATTEMPT, /, **given: Any) -> tuple[str, Row]:
    return "attempts", {**FACTS, "id": key, "payment_id": PART, "number": key.int,
                        "state": "succeeded", "reference": "pay_1", **given}  # fmt: skip


BESIDES: Given = [
    receipt(OTHER_RECEIPT, attempt_id=BESIDE), attempt(BESIDE, payment_id=NEXT, reference="pay_2"),
    capture(FIRST, order_id=OF_ORDER, gateway_payment_id="pay_2"),
]  # fmt: skip


async def does(
    rows: Rows, driver: Any, given: Given, verb: Does
) -> tuple[Any, list[Any], set[str]]:
    """What it returned, what it wrote of receipts, and whom it woke."""
    seen: set[str] = set()

    async def run(conn: Any) -> Any:
        accounts = SimpleNamespace(by_id=by_id)
        here = context(conn, accounts=accounts)
        said = await verb(here)
        seen.update(woken(here))
        return said

    async def by_id(key: UUID) -> Any:
        assert key == ACCOUNT
        return account(driver)

    said, found = await wrote(rows, [*BESIDES, *given], ["receipts"], run)
    return said, found.get("receipts", []), seen


OF_REFUND: Row = {"kind": "refund", "refund_id": REFUND, "amount_minor": 500}
