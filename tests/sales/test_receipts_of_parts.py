"""A part of held money is captured with the lines of what was held, each with its share, to the
last minor unit."""

import pytest

from coinslot.gateways.base import Taken
from coinslot.kit.money import Money
from coinslot.payments import merchant_api
from tests.sales.receipting import DONE, ReceiptTill, receipting
from tests.sales.stage import Stage
from tests.sales.taking import once
from tests.sales.test_held import captured, held, voided
from tests.sales.test_receipts import looks_again, open_cases
from tests.sales.weather import DONE_AND_LOST


@pytest.fixture
async def till(stage: Stage) -> ReceiptTill:
    return await receipting(stage)


async def receipts(stage: Stage) -> list[tuple[str, int]]:
    rows = await stage.rows(
        "SELECT state, amount_minor FROM receipts ORDER BY state = 'void' DESC, amount_minor DESC"
    )
    return [(row["state"], row["amount_minor"]) for row in rows]


def last(till: ReceiptTill) -> tuple[int, int]:
    """The money that was captured, and what its receipt came to."""
    money, receipt = till.taken[-1]
    assert receipt is not None
    return money.minor, sum(line.total for line in receipt.lines)


async def test_a_part_is_captured_with_a_receipt_that_comes_to_it(
    stage: Stage, till: ReceiptTill
) -> None:
    till.answer = DONE
    payment = await held(stage)
    await captured(stage, payment, 3001)
    assert last(till) == (3001, 3001)
    await looks_again(stage, 60)
    assert await receipts(stage) == [("void", 5000), ("registered", 3001)]
    assert till.alone == [], "it went with the money, and not a second time"
    assert await open_cases(stage) == []


async def test_the_whole_is_captured_with_the_receipt_that_it_was_held_with(
    stage: Stage, till: ReceiptTill
) -> None:
    payment = await held(stage)
    await captured(stage, payment)
    assert last(till) == (5000, 5000)
    assert till.taken[-1][1] == till.asked[0].receipt
    assert await receipts(stage) == [("due", 5000)]


async def test_a_capture_that_is_sent_again_brings_the_same_receipt(
    stage: Stage, till: ReceiptTill
) -> None:
    payment = await held(stage)
    till.fails("take", DONE_AND_LOST)
    await captured(stage, payment, 3001)
    stage.later(61)
    await stage.sweep()
    assert await receipts(stage) == [("void", 5000), ("due", 3001)]
    assert {money.minor for money, _ in till.taken} == {3001}


async def test_a_capture_that_is_refused_for_its_receipt_takes_nothing_and_may_be_another_one(
    stage: Stage, till: ReceiptTill
) -> None:
    till.refuses_of_captures = True
    payment = await held(stage)
    with pytest.raises(merchant_api.RuledOutError, match="Receipt is missing"):
        await captured(stage, payment, 3001)
    assert await open_cases(stage) == ["receipt_refused"]
    till.refuses_of_captures = False
    await captured(stage, payment, 4999, "again")
    assert last(till) == (4999, 4999)
    assert (await receipts(stage))[-1] == ("due", 4999)
    assert await open_cases(stage) == []


async def test_a_hold_that_is_let_go_needs_no_receipt(stage: Stage, till: ReceiptTill) -> None:
    payment = await held(stage)
    await voided(stage, payment)
    await looks_again(stage, 5 * 3600)
    assert await receipts(stage) == [("void", 5000)]
    assert till.taken == []


async def test_a_part_that_was_captured_elsewhere_is_for_a_person(
    stage: Stage, till: ReceiptTill
) -> None:
    """In the dashboard: nobody here knows which of the goods were meant."""
    await held(stage)
    (fact,) = [one for one in till.books.payments.values() if one.taken is Taken.AUTHORIZED]
    await till.capture(fact.gateway_payment_id, Money(2000, "INR"), "dashboard")
    await stage.webhook(till.books.payments[fact.gateway_payment_id], event="captured there")
    await looks_again(stage, 60)
    assert await receipts(stage) == [("refused", 5000)]
    assert await open_cases(stage) == ["receipt_refused"]


async def test_what_goes_back_of_a_part_has_lines_of_that_part(
    stage: Stage, till: ReceiptTill
) -> None:
    payment = await held(stage)
    await captured(stage, payment, 3000)
    await merchant_api.request_refund(
        stage.context, once(stage, "r", "r"), payment, merchant_api.RefundRequest(amount=3000)
    )
    await stage.sweep()
    (sent,) = till.sent
    assert sent.receipt is not None
    assert sum(line.total for line in sent.receipt.lines) == 3000
