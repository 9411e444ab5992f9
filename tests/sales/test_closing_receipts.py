"""Goods that were paid for in advance have a second receipt when they are handed over: the full
payment, against the prepayment. Money waits for it no more than for the first."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Absent, Declined, ReceiptFact, Unclear
from coinslot.gateways.receipts import BeingRegistered, NotRegistered, Registered
from coinslot.kit.money import Money
from coinslot.orders.order_refunds import OrderRefund, refund
from coinslot.orders.pricing import Extra, ExtraKind
from coinslot.payments import receipt_corrections
from coinslot.payments.receipt_corrections import Correction
from coinslot.payments.receipts import drive
from coinslot.people.audit_log import COMMAND_LINE
from tests.sales.receipting import DONE, TERMS, ReceiptTill, TellingTill, behind, bought, receipting
from tests.sales.stage import Stage
from tests.sales.test_partly import drop, jam
from tests.sales.test_receipts import given_back, looks_again, open_cases
from tests.sales.test_receipts import states as states_in_order

PREPAID = replace(TERMS, mode="full_prepayment", vat="22/122")
TIP = Extra(ExtraKind.TIP, 500)


@pytest.fixture
async def till(stage: Stage) -> ReceiptTill:
    made = await receipting(stage)
    made.receipt_terms, made.answer = PREPAID, DONE
    return made


@pytest.fixture
async def telling(stage: Stage) -> TellingTill:
    made = TellingTill(stage)
    made.receipt_terms = PREPAID
    await behind(stage, made)
    return made


async def states(stage: Stage) -> list[tuple[str, str]]:
    """By kind: two of one moment have no order."""
    return sorted(await states_in_order(stage))


async def handed_over(stage: Stage, till: TellingTill, *extras: Extra, pieces: int = 1) -> UUID:
    order = await bought(stage, till, *extras, pieces=pieces)
    await stage.sweep()
    for number in range(1, pieces + 1):
        await drop(stage, number)
    return order


async def tells(
    stage: Stage, number: str, minor: int = 4000, *, ok: bool = True, mode: str = ""
) -> None:
    """The gateway tells of a receipt of the payment by itself."""
    payment = await stage.value("SELECT gateway_payment_id FROM captures")
    fact = ReceiptFact(
        gateway_payment_id=payment, refund=False, money=Money(minor, "INR"), registered=ok,
        at=stage.clock.now(), numbers={"document": number} if ok else {}, reason="no till",
        mode=mode,
    )  # fmt: skip
    await stage.webhook(fact, event=f"receipt {number}")


async def test_what_is_handed_over_has_a_second_receipt_of_the_full_payment(
    stage: Stage, till: ReceiptTill
) -> None:
    await handed_over(stage, till, TIP)
    await stage.sweep()
    assert till.asked[0].receipt is not None
    assert {(line.mode, line.vat) for line in till.asked[0].receipt.lines} == {
        ("full_prepayment", "22/122")
    }
    await looks_again(stage, 60)
    (closing,) = till.closed
    assert closing.about.closing
    assert closing.receipt.contact == "ivan@example.com"
    assert [(line.name, line.total, line.mode, line.vat) for line in closing.receipt.lines] == [
        ("Cola", 4000, "full_payment", "22"), ("Чаевые", 500, "full_payment", "22"),
    ]  # fmt: skip
    await looks_again(stage, 60)
    assert await states(stage) == [("closing", "registered"), ("payment", "registered")]
    assert await open_cases(stage) == []


async def test_what_is_paid_in_full_at_once_has_one_receipt(
    stage: Stage, till: ReceiptTill
) -> None:
    till.receipt_terms = TERMS
    await handed_over(stage, till)
    await looks_again(stage)
    assert (till.closed, await states(stage)) == ([], [("payment", "registered")])


async def test_what_goes_back_unsold_has_no_second_receipt_of_a_sale(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    await given_back(stage)
    await looks_again(stage)
    assert till.closed == []
    (back,) = till.sent
    assert back.receipt is not None
    assert [line.mode for line in back.receipt.lines] == ["full_prepayment"]


async def test_only_what_was_handed_over_stands_in_it(stage: Stage, till: ReceiptTill) -> None:
    await bought(stage, till, pieces=3)
    await stage.sweep()
    await drop(stage, 1)
    await jam(stage, 2)
    await drop(stage, 3)
    await stage.sweep()
    await looks_again(stage, 60)
    (closing,) = till.closed
    assert [(line.quantity, line.price) for line in closing.receipt.lines] == [(2, 4000)]
    assert stage.refunded() == 4000


async def test_it_follows_the_first_and_is_late_when_that_one_never_comes(
    stage: Stage, till: ReceiptTill
) -> None:
    till.answer = NotRegistered(reason="no till")
    await handed_over(stage, till)
    await looks_again(stage, 60)
    assert till.closed == []
    await looks_again(stage, 5 * 3600)
    assert await states(stage) == [("closing", "overdue"), ("payment", "refused")]
    assert await open_cases(stage) == ["receipt_overdue", "receipt_refused"]
    # A person has the first one made elsewhere: now the second is sent by itself.
    first = await stage.value("SELECT id FROM receipts WHERE kind = 'payment'")
    await receipt_corrections.made_by_hand(
        stage.context, COMMAND_LINE, stage.merchant, first, "77"
    )  # fmt: skip
    till.answer = DONE
    await looks_again(stage)
    assert len(till.closed) == 1
    await looks_again(stage)
    assert await states(stage) == [("closing", "registered"), ("payment", "registered")]


async def test_a_lost_answer_sends_the_same_one_under_the_same_key(
    stage: Stage, till: ReceiptTill
) -> None:
    till.answer_closing = Unclear("it timed out")
    await handed_over(stage, till)
    await looks_again(stage, 60)
    till.answer_closing = Registered(receipt_id="rt-9", numbers={"document": "9"})
    await looks_again(stage, 60)
    assert len({(one.key, one.receipt) for one in till.closed}) == 1
    assert len(till.closed) > 1
    assert await states(stage) == [("closing", "registered"), ("payment", "registered")]


async def test_one_whose_key_is_too_old_is_looked_for_before_it_is_sent_again(
    stage: Stage, till: ReceiptTill
) -> None:
    till.answer_closing = Unclear("it timed out")
    await handed_over(stage, till)
    await looks_again(stage, 60)
    sent = len(till.closed)
    stage.later(24 * 3600)
    await stage.sweep("receipts")
    assert len(till.closed) == sent, "the gateway has it"
    assert till.looked[-1].closing


async def test_one_that_is_refused_is_a_case_and_money_does_not_wait(
    stage: Stage, till: ReceiptTill
) -> None:
    till.answer_closing = Declined("Receipt is missing or illegal", "receipt")
    order = await handed_over(stage, till)
    await looks_again(stage, 60)
    assert await states(stage) == [("closing", "refused"), ("payment", "registered")]
    assert await open_cases(stage) == ["receipt_refused"]
    wanted = OrderRefund(order=order, key="k", by="asha", reason="cold", amount=1500)
    await refund(stage.context, stage.merchant, wanted)
    await stage.sweep()
    assert stage.refunded() == 1500
    # Corrected and sent again by a person, as a second receipt and not as a first.
    till.answer, till.answer_closing = Absent(), BeingRegistered(receipt_id="rt-8")
    closing = await stage.value("SELECT id FROM receipts WHERE kind = 'closing'")
    await receipt_corrections.send_again(
        stage.context, COMMAND_LINE, stage.merchant, closing, Correction(vat="10")
    )
    till.answer = DONE
    await looks_again(stage)
    assert till.alone == []
    assert [line.vat for line in till.closed[-1].receipt.lines] == ["10"]


async def test_what_a_person_gives_back_after_it_is_the_return_of_a_full_payment(
    stage: Stage, till: ReceiptTill
) -> None:
    order = await handed_over(stage, till)
    await looks_again(stage, 60)
    await refund(
        stage.context, stage.merchant, OrderRefund(order=order, key="k", by="asha", reason="cold")
    )
    await stage.sweep()
    (back,) = till.sent
    assert back.receipt is not None
    assert [(line.mode, line.vat) for line in back.receipt.lines] == [("full_payment", "22")]


async def test_where_nobody_can_ask_it_is_sent_once_whatever_became_of_the_answer(
    stage: Stage, telling: TellingTill
) -> None:
    telling.answer_closing = Unclear("it timed out")
    await handed_over(stage, telling)
    await looks_again(stage, 60)
    await looks_again(stage, 600)
    assert len(telling.closed) == 1
    await tells(stage, "1")
    await tells(stage, "2")
    assert await states(stage) == [("closing", "registered"), ("payment", "registered")]


async def test_one_that_was_never_heard_of_is_a_case(stage: Stage, telling: TellingTill) -> None:
    await handed_over(stage, telling)
    await looks_again(stage, 60)
    await tells(stage, "1")
    await tells(stage, "1")  # told once more, it is the same one
    await looks_again(stage, 5 * 3600)
    assert await states(stage) == [("closing", "overdue"), ("payment", "registered")]
    assert await open_cases(stage) == ["receipt_overdue"]
    assert len(telling.closed) == 1


async def test_a_second_receipt_is_not_taken_for_the_first_whose_word_was_lost(
    stage: Stage, telling: TellingTill
) -> None:
    """The till gave the first one up, and nobody heard it; then it registered the second."""
    await handed_over(stage, telling)
    await looks_again(stage, 60)
    await tells(stage, "2", mode="full_payment")
    assert await states(stage) == [("closing", "registered"), ("payment", "sent")]
    await tells(stage, "", ok=False, mode="full_prepayment")
    assert await states(stage) == [("closing", "registered"), ("payment", "refused")]


async def test_a_no_for_now_is_tried_again_where_nobody_can_ask(
    stage: Stage, telling: TellingTill
) -> None:
    """It is the gateway's word that nothing was made."""
    telling.answer_closing = Declined("not now", permanent=False)
    await handed_over(stage, telling)
    await looks_again(stage, 60)
    telling.answer_closing = BeingRegistered()
    await looks_again(stage, 60)
    assert len(telling.closed) > 1
    sent = len(telling.closed)
    await looks_again(stage, 60)
    assert len(telling.closed) == sent, "it has it"


async def test_who_dies_between_the_hand_over_and_the_second_receipt_leaves_it_to_another(
    stage: Stage, till: ReceiptTill
) -> None:
    """Whatever is written of the first one meanwhile, the second stays due until it is written."""
    await bought(stage, till)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE receipts SET closes_at = $1", stage.clock.now())
        # Another process writes what it found before: that nothing is to be done any more.
        await conn.execute("UPDATE receipts SET due_at = NULL, leased_until = NULL")
        assert await conn.fetchval("SELECT due_at = closes_at FROM receipts")
    await stage.sweep()
    await drop(stage, 1)
    await looks_again(stage, 60)
    await looks_again(stage, 60)
    assert await states(stage) == [("closing", "registered"), ("payment", "registered")]


async def test_a_second_receipt_is_written_once_however_often_its_row_is_driven(
    stage: Stage, till: ReceiptTill
) -> None:
    await handed_over(stage, till)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        row = await conn.fetchrow("SELECT * FROM receipts")
    assert row is not None
    for _ in range(3):
        await drive(stage.context, row)
    assert [kind for kind, _ in await states(stage)] == ["closing", "payment"]


async def test_the_second_receipt_names_the_tax_system_of_the_first(
    stage: Stage, till: ReceiptTill
) -> None:
    till.receipt_terms = replace(PREPAID, tax_system="usn_income")
    await handed_over(stage, till)
    await stage.sweep()
    await looks_again(stage, 60)
    (closing,) = till.closed
    assert closing.receipt.tax_system == "usn_income"
