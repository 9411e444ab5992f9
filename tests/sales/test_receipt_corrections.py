"""What a person does about a receipt that was refused or is late, and what nobody can do twice."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from coinslot.gateways.base import Absent, Declined, Unclear
from coinslot.gateways.receipts import BeingRegistered, NotRegistered, Registered
from coinslot.oversight import cases
from coinslot.payments import receipt_corrections, receipt_records
from coinslot.payments.receipt_corrections import (
    Correction,
    ReceiptRefusedError,
    UnknownReceiptError,
    contact_of,
)
from coinslot.payments.receipt_records import ReceiptFilter, masked
from coinslot.people.audit_log import Actor
from tests.sales.by_hand import Rows
from tests.sales.receipting import DONE, ReceiptTill, bought, place, receipting, tap
from tests.sales.stage import Stage
from tests.sales.test_receipts import given_back, looks_again, open_cases, states

ASHA = Actor(address="192.0.2.1")
NOT_THERE = NotRegistered(reason="the till is out of paper", receipt_id="rt-1")


@pytest.fixture
async def till(stage: Stage) -> ReceiptTill:
    return await receipting(stage)


async def refused_payment(stage: Stage, till: ReceiptTill) -> UUID:
    """Paid, and the till gave the receipt up."""
    await bought(stage, till)
    till.answer = NOT_THERE
    await looks_again(stage, 11)
    return await the(stage, "refused")


async def the(stage: Stage, state: str) -> UUID:
    found: UUID = await stage.value("SELECT id FROM receipts WHERE state = $1", state)
    return found


async def again(stage: Stage, receipt: UUID, **wish: str) -> UUID:
    return await receipt_corrections.send_again(
        stage.context, ASHA, stage.merchant, receipt, Correction(**wish)
    )


async def test_a_corrected_receipt_is_sent_by_itself_and_registered(
    stage: Stage, till: ReceiptTill
) -> None:
    old = await refused_payment(stage, till)
    made = await again(stage, old, contact="8 916 123-45-67", vat="10")
    await stage.sweep("receipts")
    (sent,) = till.alone
    assert sent.receipt.contact == "+79161234567"
    assert [(line.name, line.vat, line.total) for line in sent.receipt.lines] == [
        ("Cola", "10", 4000),
    ]  # fmt: skip
    assert sent.about.gateway_payment_id == await stage.value(
        "SELECT gateway_payment_id FROM captures"
    )
    assert await states(stage) == [("payment", "void"), ("payment", "sent")]
    till.answer = DONE
    await looks_again(stage)
    assert till.looked[-1].receipt_id == "rt-2"
    record = await receipt_records.one(stage.context, stage.merchant, made, in_full=True)
    assert record is not None
    assert (record.state, record.replaces, record.contact) == ("registered", old, "+79161234567")
    assert await open_cases(stage) == []
    assert "9161234567" not in str(await stage.rows("SELECT * FROM audit_log"))
    assert "ivan" not in str(await stage.rows("SELECT * FROM audit_log"))


async def test_the_receipt_of_a_refund_that_went_without_one_is_of_the_refund_that_went(
    stage: Stage, till: ReceiptTill
) -> None:
    await bought(stage, till)
    till.answer, till.refuses_of_refunds = DONE, True
    await given_back(stage)
    till.answer = Absent()
    await again(stage, await the(stage, "refused"))
    await stage.sweep("receipts")
    (sent,) = till.alone
    went = await stage.value("SELECT gateway_refund_id FROM refunds WHERE state = 'succeeded'")
    assert sent.about.gateway_refund_id == went
    assert sum(line.total for line in sent.receipt.lines) == 4000
    assert (await stage.audit()).ok


async def test_a_lost_answer_sends_the_same_receipt_under_the_same_key(
    stage: Stage, till: ReceiptTill
) -> None:
    old = await refused_payment(stage, till)
    till.answer_alone = Unclear("time-out")
    await again(stage, old)
    await stage.sweep("receipts")
    till.answer_alone = Registered(receipt_id="rt-2", numbers={"document": "1"})
    await looks_again(stage, 30)
    first, second = till.alone
    assert (first.key, first.receipt) == (second.key, second.receipt)
    assert ("payment", "registered") in await states(stage)


async def test_a_receipt_whose_key_is_too_old_is_looked_for_before_it_is_sent_again(
    stage: Stage, till: ReceiptTill
) -> None:
    old = await refused_payment(stage, till)
    till.answer_alone = Unclear("time-out")
    await again(stage, old)
    await stage.sweep("receipts")
    till.answer = DONE
    await looks_again(stage, 24 * 3600)
    assert len(till.alone) == 1
    assert ("payment", "registered") in await states(stage)


async def test_a_correction_that_is_refused_too_is_a_case_again(
    stage: Stage, till: ReceiptTill
) -> None:
    old = await refused_payment(stage, till)
    till.answer_alone = Declined("Invalid vat_code", "invalid_request")
    made = await again(stage, old)
    await stage.sweep("receipts")
    assert await the(stage, "refused") == made
    (case,) = [one for one in await _cases(stage) if one.kind == "receipt_refused"]
    assert case.subject == str(made)


async def _cases(stage: Stage) -> list[cases.Case]:
    await cases.update(stage.context)
    return list(await cases.listed(stage.context))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (BeingRegistered(receipt_id="rt-1"), "in_work"),
        (DONE, "registered"),
        (Unclear("time-out"), "not_answered"),
    ],
)
async def test_what_may_still_be_registered_is_not_sent_a_second_time(
    stage: Stage, till: ReceiptTill, answer: BeingRegistered, code: str
) -> None:
    old = await refused_payment(stage, till)
    till.answer = answer
    with pytest.raises(ReceiptRefusedError) as refused:
        await again(stage, old)
    assert refused.value.code == code
    await stage.sweep("receipts")
    assert till.alone == []


async def test_two_people_at_once_send_one_receipt(stage: Stage, till: ReceiptTill) -> None:
    old = await refused_payment(stage, till)
    done = await asyncio.gather(
        *(again(stage, old) for _ in range(3)), return_exceptions=True
    )  # fmt: skip
    assert len([one for one in done if isinstance(one, UUID)]) == 1
    assert {one.code for one in done if isinstance(one, ReceiptRefusedError)} == {"not_a_case"}
    await stage.sweep("receipts")
    assert len(till.alone) == 1


async def test_a_receipt_without_money_or_of_a_stranger_is_not_sent(
    stage: Stage, till: ReceiptTill
) -> None:
    till.refuses_of_charges = True
    await tap(stage, (await place(stage)).token)
    with pytest.raises(ReceiptRefusedError) as refused:
        await again(stage, await the(stage, "refused"))
    assert refused.value.code == "no_money"
    with pytest.raises(UnknownReceiptError):
        await again(stage, UUID(int=7))


async def test_one_that_is_well_is_no_case(stage: Stage, till: ReceiptTill) -> None:
    await bought(stage, till)
    till.answer = DONE
    await looks_again(stage, 11)
    with pytest.raises(ReceiptRefusedError) as refused:
        await again(stage, await the(stage, "registered"))
    assert refused.value.code == "not_a_case"


async def test_a_receipt_that_was_made_elsewhere_has_its_number_and_is_no_case_any_more(
    stage: Stage, till: ReceiptTill
) -> None:
    old = await refused_payment(stage, till)
    assert await open_cases(stage) == ["receipt_refused"]
    with pytest.raises(ReceiptRefusedError):
        await receipt_corrections.made_by_hand(stage.context, ASHA, stage.merchant, old, " ")
    await receipt_corrections.made_by_hand(stage.context, ASHA, stage.merchant, old, "3986")
    record = await receipt_records.one(stage.context, stage.merchant, old, in_full=False)
    assert record is not None
    assert (record.state, record.fiscal["document"]) == ("registered", "3986")
    assert record.contact == "i•••@example.com"
    assert await open_cases(stage) == []


async def test_receipts_are_listed_newest_first_and_filtered(
    stage: Stage, till: ReceiptTill
) -> None:
    till.answer = DONE
    orders = []
    for _ in range(2):
        orders.append(await bought(stage, till))
        await looks_again(stage, 121)
        await stage.sweep()
    context, merchant = stage.context, stage.merchant
    found = await receipt_records.listed(context, merchant, ReceiptFilter(), None, 50)
    assert [one.created_at for one in found] == sorted(
        (one.created_at for one in found), reverse=True
    )
    first = await receipt_records.listed(context, merchant, ReceiptFilter(), None, 1)
    rest = await receipt_records.listed(context, merchant, ReceiptFilter(), first[0].id, 50)
    assert [*first, *rest] == found
    refunds = await receipt_records.listed(
        context, merchant, ReceiptFilter(kind="refund"), None, 50
    )
    assert {one.kind for one in refunds} == {"refund"}
    number = await stage.value("SELECT number FROM orders WHERE id = $1", orders[0])
    named = await receipt_records.listed(context, merchant, ReceiptFilter(text=number), None, 50)
    assert {one.order for one in named} == {orders[0]}
    assert await receipt_records.of_order(context, merchant, orders[0]) == named[::-1]
    nothing = ReceiptFilter(wanting=True)
    assert await receipt_records.listed(context, merchant, nothing, None, 50) == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" ivan@example.com ", "ivan@example.com"),
        ("+7 (916) 123-45-67", "+79161234567"),
        ("8 916 123 45 67", "+79161234567"),
        ("79161234567", "+79161234567"),
    ],
)
def test_an_address_is_kept_as_gateways_take_it(typed: str, kept: str) -> None:
    assert contact_of(typed) == kept


@pytest.mark.parametrize("typed", ["", "ivan", "ivan@example", "a b@c.example", "12", "x" * 300])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ReceiptRefusedError, match="bad_contact"):
        contact_of(typed)


def test_an_address_is_masked_so_that_its_owner_knows_it() -> None:
    assert masked("ivan@example.com") == "i•••@example.com"
    assert masked("+79161234567") == "+7•••4567"
    assert masked(None) == ""


PAID, BACK, CAME_BACK = (UUID(int=n) for n in (1, 2, 3))
OF_A_PAYMENT: dict[str, Any] = {
    "kind": "payment", "attempt_state": "succeeded", "captured": 4000, "amount_minor": 4000,
    "refund_id": None,
}  # fmt: skip
OF_A_REFUND = {**OF_A_PAYMENT, "kind": "refund", "attempt_state": None, "refund_id": BACK}
WENT = {"id": BACK, "state": "succeeded", "gateway_refund_id": "rf_1"}


@pytest.mark.parametrize(
    ("known", "refunds", "found"),
    [
        (OF_A_PAYMENT, (), None),
        ({**OF_A_PAYMENT, "captured": None}, (), None),
        ({**OF_A_PAYMENT, "captured": 3999}, (), "by_hand_only"),
        ({**OF_A_PAYMENT, "captured": 3999, "kind": "closing"}, (), None),  # its lines are its own
        ({**OF_A_PAYMENT, "attempt_state": "failed"}, (), "no_money"),
        ({**OF_A_PAYMENT, "attempt_state": "failed", "kind": "closing"}, (), "no_money"),
        (OF_A_REFUND, (), "no_money"),
        (OF_A_REFUND, (WENT,), BACK),
        ({**OF_A_REFUND, "captured": 3999}, (WENT,), BACK),
        (OF_A_REFUND, ({**WENT, "state": "pending"},), "no_money"),
        (OF_A_REFUND, ({**WENT, "gateway_refund_id": None},), "no_money"),
        (OF_A_REFUND, ({**WENT, "id": CAME_BACK},), "no_money"),
        (OF_A_REFUND, ({**WENT, "state": "failed"}, {**WENT, "id": CAME_BACK, "replaces": BACK}),
         CAME_BACK),
        (OF_A_REFUND, ({**WENT, "state": "failed"}, {**WENT, "id": CAME_BACK, "replaces": PAID}),
         "no_money"),
    ],
)  # fmt: skip
async def test_only_what_was_paid_or_went_back_whole_has_a_receipt_sent_again(
    rows: Rows, known: Any, refunds: tuple[dict[str, Any], ...], found: UUID | str | None
) -> None:
    conn: Any = rows.conn
    for number, refund in enumerate(refunds):
        its = {"key": f"k{number}", "gateway_refund_id": f"rf_{number}", "origin": "ours"}
        await rows.put("refunds", **{**its, **refund, "account_id": UUID(int=10 + number)})
    if isinstance(found, str):
        with pytest.raises(ReceiptRefusedError) as refused:
            await receipt_corrections._money_of(conn, known)
        assert refused.value.code == found
    else:
        assert await receipt_corrections._money_of(conn, known) == found
