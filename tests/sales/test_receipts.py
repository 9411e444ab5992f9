"""A fiscal receipt goes with its payment and its refund and is followed to its end; money never
waits for it."""

from typing import Any

import msgspec
import pytest
import structlog

from coinslot.gateways.base import Absent, Declined, ReceiptFact, RefundStage, Unclear
from coinslot.gateways.receipts import BeingRegistered, NotRegistered
from coinslot.orders.order_refunds import OrderRefund, refund
from coinslot.orders.pricing import Discount, Extra, ExtraKind
from coinslot.oversight import cases
from coinslot.worker.prune import prune
from tests.sales.receipting import (
    DONE,
    ReceiptTill,
    bought,
    minor,
    pays,
    place,
    receipting,
    tap,
)
from tests.sales.stage import Stage
from tests.sales.taking import confirmed, made
from tests.sales.test_partly import drop, jam
from tests.sales.weather import DONE_AND_LOST, LOST

TIP = Extra(ExtraKind.TIP, 500)


@pytest.fixture
async def till(stage: Stage) -> ReceiptTill:
    return await receipting(stage)


async def states(stage: Stage) -> list[tuple[str, str]]:
    rows = await stage.rows("SELECT kind, state FROM receipts ORDER BY created_at, id")
    return [(row["kind"], row["state"]) for row in rows]


async def open_cases(stage: Stage) -> list[str]:
    await cases.update(stage.context)
    return sorted(case.kind for case in await cases.listed(stage.context))


async def looks_again(stage: Stage, seconds: float = 3601) -> None:
    stage.later(seconds)
    await stage.sweep("receipts")


async def given_back(stage: Stage) -> None:
    """Its machine stays silent, and all of the money goes back."""
    stage.later(121)
    await stage.sweep()


async def test_a_receipt_goes_with_the_payment_and_is_read_back_as_registered(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till, TIP, pieces=2, discounts=(Discount(1),))
    (charge,) = till.asked
    assert charge.receipt is not None
    assert charge.receipt.contact == "ivan@example.com"
    assert [(one.name, one.quantity, one.price, one.vat) for one in charge.receipt.lines] == [
        ("Cola", 1, 3999, "22"), ("Cola", 1, 4000, "22"), ("Чаевые", 1, 500, "22"),
    ]  # fmt: skip
    # A tip is no thing that is handed over: the law has another word for it.
    assert [one.subject for one in charge.receipt.lines] == ["commodity", "commodity", "service"]
    assert sum(one.total for one in charge.receipt.lines) == charge.money.minor == 8499
    await looks_again(stage, 11)
    assert await states(stage) == [("payment", "sent")]
    till.answer = DONE
    await looks_again(stage, 60)
    assert await states(stage) == [("payment", "registered")]
    (row,) = await stage.rows("SELECT * FROM receipts")
    assert row["fiscal"] == {"document": "3986", "attribute": "1618"}
    assert (row["due_at"], row["amount_minor"]) == (None, 8499)
    assert row["gateway_receipt_id"] == "rt-1"
    assert await open_cases(stage) == []


async def test_a_repeated_charge_brings_the_same_receipt(stage: Stage, till: ReceiptTill) -> None:
    till.fails("collect", LOST, DONE_AND_LOST)
    placed = await place(stage)
    await tap(stage, placed.token)
    stage.later(60)
    await stage.sweep("attempts")
    stage.later(60)
    await stage.sweep("attempts")
    await pays(stage, till)
    assert len(await states(stage)) == 1
    assert len({msgspec.json.encode(charge.receipt) for charge in till.asked}) == 1


async def test_without_an_address_the_receipt_goes_to_that_of_the_account(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till, contact=None)
    assert till.asked[0].receipt is not None
    assert till.asked[0].receipt.contact == "till@shop.example"


async def test_a_payment_of_the_merchants_own_server_has_one_line(
    stage: Stage, till: ReceiptTill
) -> None:
    await confirmed(stage, await made(stage))
    (charge,) = till.asked
    assert charge.receipt is not None
    (line,) = charge.receipt.lines
    assert (line.total, line.name) == (5000, "Товар")


async def test_an_account_without_fiscal_settings_has_no_receipts(
    stage: Stage, till: ReceiptTill
) -> None:
    till.receipt_terms = None
    await bought(stage, till)
    await given_back(stage)
    assert till.asked[0].receipt is None
    assert await states(stage) == []
    assert stage.refunded() == 4000


async def test_a_product_brings_its_own_rate(stage: Stage, till: ReceiptTill) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE products SET vat = '10'")
    await bought(stage, till)
    assert till.asked[0].receipt is not None
    assert [line.vat for line in till.asked[0].receipt.lines] == ["10"]


async def test_a_receipt_goes_with_each_part_that_goes_back(
    stage: Stage, till: ReceiptTill
) -> None:
    order = await bought(stage, till, pieces=2, discounts=(Discount(1),))
    await stage.sweep()
    await drop(stage, 1)
    await jam(stage, 2)
    wanted = OrderRefund(order=order, key="k", by="asha", reason="cold", amount=1500)
    await refund(stage.context, stage.merchant, wanted)
    await stage.sweep()
    back = [(one.money.minor, minor(one)) for one in till.sent]
    assert all(money == receipt for money, receipt in back)
    assert len(back) == 2
    assert 1500 in {money for money, _ in back}
    for sent in till.sent:
        assert sent.receipt is not None
        assert sent.receipt.contact == "ivan@example.com"
        assert {line.name for line in sent.receipt.lines} == {"Cola"}
    till.answer = DONE
    await looks_again(stage)
    assert {state for _, state in await states(stage)} == {"registered"}
    asked = {one.gateway_refund_id for one in till.looked}
    assert {str(row["gateway_refund_id"]) for row in await stage.rows(
        "SELECT gateway_refund_id FROM refunds")} <= asked  # fmt: skip


async def test_a_refund_that_is_refused_for_its_receipt_goes_again_without_one_under_a_new_key(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    till.answer, till.refuses_of_refunds = DONE, True
    await given_back(stage)
    assert stage.refunded() == 4000
    first, second = till.sent
    assert first.receipt is not None
    assert (second.receipt, second.without_receipt) == (None, True)
    assert first.key != second.key
    assert first.money == second.money
    assert ("refund", "refused") in await states(stage)
    assert await open_cases(stage) == ["receipt_refused"]
    states_of = {row["key"]: row["state"] for row in await stage.rows("SELECT * FROM refunds")}
    assert states_of == {first.key: "failed", second.key: "succeeded"}


async def test_a_refund_that_is_refused_without_a_receipt_too_is_owed(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    till.refuses_of_refunds = till.refuses_refunds_alone = True
    await given_back(stage)
    assert (stage.refunded(), len(till.sent)) == (0, 2)
    assert await open_cases(stage) == ["receipt_refused", "refund_owed"]


async def test_a_refund_of_another_refusal_is_not_sent_without_its_receipt(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    till.fails("give_back", Declined("the card is closed", "card_closed"))
    await given_back(stage)
    assert len(till.sent) == 1
    assert await open_cases(stage) == ["refund_owed"]


async def test_a_refund_whose_answer_was_lost_is_not_sent_without_its_receipt(
    stage: Stage, till: ReceiptTill
) -> None:
    """Only the gateway's word that it made nothing is a proof."""
    await bought(stage, till)
    till.fails("give_back", LOST)
    await given_back(stage)
    stage.later(60)
    await stage.sweep()
    assert {(one.key, one.without_receipt) for one in till.sent} == {(till.sent[0].key, False)}
    assert stage.refunded() == 4000


async def test_the_refund_after_one_that_failed_there_has_a_receipt_of_its_own(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    await given_back(stage)
    failed = till.end_refund(till.sent[0].key, RefundStage.FAILED)
    await stage.webhook(failed, event="refund.failed")
    await stage.sweep()
    first, second = till.sent
    assert minor(first) == minor(second) == 4000
    till.answer = DONE
    await looks_again(stage)
    assert sorted(await states(stage)) == [
        ("payment", "registered"), ("refund", "registered"), ("refund", "void"),
    ]  # fmt: skip


async def test_a_payment_that_is_refused_for_its_receipt_takes_no_money_and_calls_a_person(
    stage: Stage, till: ReceiptTill
) -> None:
    till.refuses_of_charges = True
    placed = await place(stage)
    await tap(stage, placed.token)
    assert await stage.value("SELECT state FROM attempts") == "failed"
    assert await states(stage) == [("payment", "refused")]
    assert await open_cases(stage) == ["receipt_refused"]


async def test_a_receipt_that_the_gateway_gave_up_is_a_case(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    till.answer = NotRegistered(reason="the till is out of paper", receipt_id="rt-1")
    await looks_again(stage, 11)
    assert await states(stage) == [("payment", "refused")]
    await cases.update(stage.context)
    (case,) = await cases.listed(stage.context)
    assert (case.kind, case.data["failure"]) == ("receipt_refused", "the till is out of paper")
    assert await stage.rows("SELECT gateway_receipt_id, due_at FROM receipts") == [
        {"gateway_receipt_id": "rt-1", "due_at": None}
    ]


@pytest.mark.parametrize("answer", [BeingRegistered(), Absent(), Unclear("time-out")])
async def test_a_receipt_that_is_not_registered_in_time_is_overdue_and_may_still_be(
    stage: Stage, till: ReceiptTill, answer: Any
) -> None:
    await bought(stage, till)
    till.answer = answer
    await stage.sweep()
    for _ in range(5):
        await looks_again(stage)
    assert await states(stage) == [("payment", "overdue")]
    await stage.sweep()
    assert "receipt_overdue" in await open_cases(stage)
    assert (await stage.audit()).ok
    till.answer = DONE
    await looks_again(stage)
    assert ("payment", "registered") in await states(stage)
    assert await open_cases(stage) == []


async def test_a_late_receipt_is_known_to_be_late_at_that_moment_however_long_looks_are_apart(
    stage: Stage, till: ReceiptTill
) -> None:
    """After an hour of looks they are an hour apart; a person hears of it no later for that."""
    await bought(stage, till)
    till.answer = BeingRegistered()
    await stage.sweep()
    await looks_again(stage, 11)
    late = await stage.value("SELECT late_at FROM receipts")
    for _ in range(20):
        due = await stage.value("SELECT due_at FROM receipts")
        assert due <= late
        await looks_again(stage, (due - stage.context.now()).total_seconds())
        if stage.context.now() == late:
            break
    assert await states(stage) == [("payment", "overdue")]


async def test_the_receipt_of_a_payment_that_never_came_is_not_needed(
    stage: Stage, till: ReceiptTill
) -> None:
    placed = await place(stage)
    await tap(stage, placed.token)
    stage.later(1000)
    await stage.sweep()
    assert await states(stage) == [("payment", "due")]
    await looks_again(stage, 5 * 3600)
    assert await states(stage) == [("payment", "void")]
    assert till.looked == []


async def test_a_gateway_that_tells_of_receipts_by_itself_is_believed(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    payment = await stage.value("SELECT gateway_payment_id FROM captures")
    fact = ReceiptFact(
        gateway_payment_id=payment, refund=False, money=None, registered=True,
        at=stage.clock.now(), numbers={"document": "77"},
    )  # fmt: skip
    other = msgspec.structs.replace(fact, gateway_payment_id="another")
    await stage.webhook(other, event="receipt of another")
    assert await states(stage) == [("payment", "due")]
    await stage.webhook(fact, event="receipt")
    await stage.webhook(fact, event="receipt again")
    assert await states(stage) == [("payment", "registered")]
    assert await stage.value("SELECT fiscal FROM receipts") == {"document": "77"}


async def test_a_receipt_that_its_gateway_refuses_later_by_itself_is_a_case(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    await given_back(stage)
    payment = await stage.value("SELECT gateway_payment_id FROM captures")
    fact = ReceiptFact(
        gateway_payment_id=payment, refund=True, money=till.sent[0].money, registered=False,
        at=stage.clock.now(), reason="no till",
    )  # fmt: skip
    await stage.webhook(fact, event="receipt")
    assert ("refund", "refused") in await states(stage)
    assert await open_cases(stage) == ["receipt_refused"]


async def test_an_account_that_makes_no_receipts_any_more_leaves_that_of_a_refund_to_a_person(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    till.receipt_terms = None
    till.answer = DONE
    await given_back(stage)
    assert stage.refunded() == 4000
    assert sorted(await states(stage)) == [("payment", "registered"), ("refund", "refused")]


async def test_where_a_receipt_went_is_in_no_event_exchange_or_log_and_is_forgotten(
    stage: Stage, till: ReceiptTill
) -> None:
    with structlog.testing.capture_logs() as logged:
        await bought(stage, till)
        till.answer, till.refuses_of_refunds = DONE, True
        await given_back(stage)
        await looks_again(stage)
    tables = ("events", "exchanges", "inbox", "strays", "cases", "ledger", "audit_log")
    rows = [await stage.rows(f"SELECT * FROM {table}") for table in tables]
    assert "ivan@" not in str(rows) + str(logged)
    stage.later(31 * 86_400)
    await prune(stage.context, "receipt_contacts")
    kept = await stage.rows("SELECT kind, contact FROM receipts ORDER BY created_at")
    # That of the refund was refused: who sends it again needs the address.
    assert [row["contact"] for row in kept] == [None, "ivan@example.com"]
    assert await stage.value("SELECT receipt_contact FROM orders") == "ivan@example.com"
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "SELECT transition_receipt(id, 'MADE_BY_HAND',"
            " jsonb_build_object('ended_at', $1::timestamptz), $1) FROM receipts"
            " WHERE state = 'refused'", stage.clock.now(),
        )  # fmt: skip
    stage.later(31 * 86_400)
    await prune(stage.context, "receipt_contacts")
    assert await stage.value("SELECT count(*) FROM receipts WHERE contact IS NOT NULL") == 0
    assert await stage.value("SELECT receipt_contact FROM orders") is None


async def test_money_that_came_too_late_goes_back_with_a_receipt_of_its_own(
    stage: Stage, till: ReceiptTill
) -> None:
    placed = await place(stage)
    await tap(stage, placed.token)
    stage.later(1000)
    await stage.sweep()
    till.answer = DONE
    await pays(stage, till)
    await stage.sweep()
    await looks_again(stage)
    assert stage.refunded() == 4000
    assert [minor(one) for one in till.sent] == [4000]
    assert sorted(await states(stage)) == [("payment", "registered"), ("refund", "registered")]


async def test_the_address_of_a_receipt_that_a_person_gave_up_is_forgotten_too(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    till.answer = NotRegistered(reason="no till")
    await looks_again(stage, 11)
    await stage.sweep()
    await given_back(stage)
    await looks_again(stage)
    await cases.update(stage.context)
    for case in await cases.listed(stage.context):
        await cases.close(stage.context, case.id, cases.Person("asha", "told the tax office"))
    stage.later(20 * 86_400)
    await stage.sweep()
    await prune(stage.context, "receipt_contacts")
    assert await stage.value("SELECT count(*) FROM receipts WHERE contact IS NOT NULL") > 0
    stage.later(40 * 86_400)
    await prune(stage.context, "receipt_contacts")
    assert await stage.value("SELECT count(*) FROM receipts WHERE contact IS NOT NULL") == 0
    assert await stage.value("SELECT receipt_contact FROM orders") is None
