"""A case and a slot are found as the merchant of whoever acts: another's are not there."""

import pytest

from coinslot.outlets.machines import UnknownSlotError, refill
from coinslot.oversight import cases
from coinslot.oversight.cases import CaseError, Person
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage


async def test_no_verb_ends_a_case_of_another_merchant(stage: Stage) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        case = await conn.fetchval(
            "INSERT INTO cases (merchant_id, source, kind, subject, owner, data, since, opened_at)"
            " VALUES ($1, 'books', 'unknown_payment', 'pay_1', 'operator', '{}', $2, $2)"
            " RETURNING id",
            stage.merchant, stage.context.now(),
        )  # fmt: skip
    stranger = Person("chandra", "mine now", chandra)
    for verb in (cases.close, cases.call_off, cases.paid_by_hand, cases.refund, cases.leave):
        with pytest.raises(CaseError, match="there is no open case"):
            await verb(stage.context, case, stranger)
    with pytest.raises(CaseError, match="there is no open case"):
        await cases.find(stage.context, case, "pay_1", stranger)
    await cases.close(stage.context, case, Person("asha", "seen", stage.merchant))
    assert (await cases.of_merchant(stage.context, stage.merchant)).total == 0


async def test_nobody_fills_the_slots_of_another_merchant(stage: Stage) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    with pytest.raises(UnknownSlotError):
        await refill(stage.context.db, "M01", "A1", 99, chandra)
    assert await stage.value("SELECT stock FROM slots WHERE slot = 'A1'") == 10
    assert await refill(stage.context.db, "M01", "A1", 12, stage.merchant) == ["A1"]
