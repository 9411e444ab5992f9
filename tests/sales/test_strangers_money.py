"""Money that is not ours, or not in its own currency: whatever is told of it books nothing."""

from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import (
    DisputeFact,
    DisputeStage,
    Mark,
    PaymentFact,
    RefundFact,
    RefundStage,
)
from coinslot.kit.money import Money
from tests.sales.stage import Stage


def back(paid: PaymentFact, money: Money, name: str = "theirs", **more: Any) -> RefundFact:
    return RefundFact(
        gateway_refund_id=name, gateway_payment_id=paid.gateway_payment_id,
        stage=RefundStage.PROCESSED, money=money, at=paid.at, **more,
    )  # fmt: skip


def claim(paid: PaymentFact, stage: DisputeStage) -> DisputeFact:
    return DisputeFact(
        gateway_dispute_id=f"of {paid.gateway_payment_id}", stage=stage, reason="fraud",
        gateway_payment_id=paid.gateway_payment_id, money=paid.money, at=paid.at,
    )  # fmt: skip


async def booked(stage: Stage) -> tuple[int, int]:
    """Refunds and disputes on our record."""
    return (
        await stage.value("SELECT count(*) FROM refunds"),
        await stage.value("SELECT count(*) FROM disputes"),
    )


@pytest.mark.parametrize("minor", [1, 4000])
async def test_what_becomes_of_a_strangers_payment_is_his_own(stage: Stage, minor: int) -> None:
    paid = replace(await stage.pay(), qr_code_id=None, mark=None, money=Money(minor, "INR"))
    stage.books.payments[paid.gateway_payment_id] = paid
    await stage.webhook(paid)
    stage.later(6)
    await stage.sweep()
    assert await stage.value("SELECT foreign_amount FROM captures") == minor
    await stage.webhook(back(paid, paid.money), event="refund.processed")
    for number, told in enumerate((DisputeStage.OPEN, DisputeStage.LOST)):
        await stage.webhook(claim(paid, told), event=f"dispute {number}")
    assert await booked(stage) == (0, 0)
    assert await stage.value("SELECT outside FROM captures") == 0
    assert await stage.value("SELECT count(*) FROM ledger WHERE account = 'refunds_outside'") == 0


async def test_a_refund_in_another_currency_is_not_set_against_the_payment(stage: Stage) -> None:
    await stage.sell()
    paid = stage.books.payments["pay_1"]
    await stage.webhook(back(paid, Money(4000, "USD")), event="refund in dollars")
    assert await stage.value("SELECT outside FROM captures") == 0
    assert await booked(stage) == (0, 0)
    await stage.webhook(back(paid, Money(1000, "INR"), "other"), event="refund in rupees")
    assert await stage.value("SELECT outside FROM captures") == 1000


async def test_a_mark_of_another_installation_does_not_make_a_refund_ours(stage: Stage) -> None:
    await stage.webhook(await stage.pay(5000))  # another sum than was asked for: it goes back
    refund = await stage.value("SELECT id FROM refunds")
    paid = stage.books.payments["pay_1"]
    theirs = Mark(installation="another", refund=str(refund))
    await stage.webhook(back(paid, Money(5000, "INR"), mark=theirs), event="refund.processed")
    rows = await stage.rows("SELECT origin, gateway_refund_id FROM refunds ORDER BY origin")
    assert rows[0] == {"origin": "gateway", "gateway_refund_id": "theirs"}


async def test_a_dispute_of_one_payment_holds_no_refund_of_another(stage: Stage) -> None:
    for _ in range(2):
        await stage.webhook(await stage.pay(5000))
    first, second = (stage.books.payments[name] for name in ("pay_1", "pay_2"))
    await stage.webhook(claim(first, DisputeStage.OPEN), event="open one")
    await stage.webhook(claim(second, DisputeStage.OPEN), event="open two")
    await stage.sweep("refunds")
    assert stage.refunded() == 0, "both are held"
    await stage.webhook(claim(second, DisputeStage.WON), event="won two")
    due = await stage.rows(
        "SELECT c.gateway_payment_id AS paid, r.due_at FROM refunds r"
        " JOIN captures c ON c.id = r.capture_id ORDER BY 1"
    )
    assert [row["due_at"] > stage.clock.now() for row in due] == [True, False]


async def test_a_fee_of_nothing_is_known_and_books_nothing(stage: Stage) -> None:
    paid = await stage.pay()
    await stage.webhook(replace(paid, fee=Money(0, "INR")))
    assert await stage.value("SELECT fee_minor FROM captures") == 0
    fees = "SELECT count(*) FROM ledger WHERE account = 'fees'"
    assert await stage.value(fees) == 0
    await stage.webhook(replace(paid, fee=Money(80, "INR")), event="a fee")
    await stage.webhook(replace(paid, fee=Money(80, "INR")), event="the same fee")
    assert await stage.value(fees) == 1
    await stage.webhook(replace(paid, fee=Money(50, "INR")), event="a smaller fee")
    assert await stage.value(fees) == 2
