"""Money given back for goods that were handed over: a column of its own, capped by what was paid,
and neither a debt, nor a correction, nor a discrepancy."""

import asyncio
import random
from uuid import UUID

import pytest

from coinslot.orders import order_refunds
from coinslot.orders.order_refunds import MoreThanLeftError, OrderRefund, OrderRefundView
from coinslot.oversight import cases
from coinslot.oversight.cases import Person
from coinslot.payments.merchant_api import RuledOutError
from tests.sales.breaks import accepted, contradicted, jammed, sold
from tests.sales.stage import Stage

PRICE = 4000


async def order_of(stage: Stage) -> UUID:
    return UUID(str(await stage.value("SELECT id FROM orders")))


async def give(stage: Stage, amount: int | None = None, key: str = "k") -> OrderRefundView:
    wanted = OrderRefund(
        order=await order_of(stage), key=key, by="asha", reason="it was warm", amount=amount
    )
    return await order_refunds.refund(stage.context, stage.merchant, wanted)


async def sums(stage: Stage) -> tuple[int, int, int]:
    (row,) = await stage.rows("SELECT fulfilled, refund_due, goodwill FROM captures")
    return row["fulfilled"], row["refund_due"], row["goodwill"]


async def test_what_is_given_back_after_the_hand_over_is_goodwill_and_no_debt(stage: Stage) -> None:
    await sold(stage)
    await give(stage, 1500)
    await stage.sweep()
    assert await sums(stage) == (2500, 0, 1500)
    assert stage.refunded() == 1500
    assert await stage.value("SELECT made_by FROM order_refunds") == "asha"
    booked = await stage.value("SELECT sum(amount) FROM ledger WHERE why = 'goodwill'"
                               " AND account = 'sales'")  # fmt: skip
    assert booked == 1500


async def test_goodwill_is_neither_a_correction_nor_a_discrepancy_nor_a_case(stage: Stage) -> None:
    await sold(stage)
    await give(stage)
    await stage.sweep()
    for table in ("corrections", "discrepancies", "cases"):
        assert await stage.value(f"SELECT count(*) FROM {table}") == 0, table


async def test_a_refund_before_the_hand_over_is_a_debt_and_no_goodwill(stage: Stage) -> None:
    await stage.sell()
    await give(stage)
    await stage.sweep()
    assert await sums(stage) == (0, PRICE, 0)


@pytest.mark.parametrize(
    ("ends", "expected"), [(sold, (2500, 0, 1500)), (jammed, (0, PRICE, 0))], ids=["sold", "jammed"]
)
async def test_one_that_waited_for_the_machine_is_goodwill_only_where_it_dropped(
    stage: Stage, ends: object, expected: tuple[int, int, int]
) -> None:
    await accepted(stage)
    await give(stage, 1500)
    await stage.started()
    if ends is sold:
        await stage.result(evidence={"drop": "yes", "counter_before": 7, "counter_after": 8})
    else:
        await stage.result("FAILED", drop="no", failure_code="JAM")
    await stage.sweep()
    assert await sums(stage) == expected


async def test_of_two_people_who_give_all_of_it_back_at_once_one_does(stage: Stage) -> None:
    await sold(stage)
    answers = await asyncio.gather(
        *(give(stage, PRICE, key=f"k{n}") for n in range(5)), return_exceptions=True
    )
    given = [answer for answer in answers if isinstance(answer, OrderRefundView)]
    assert len(given) == 1
    assert all(isinstance(a, RuledOutError) for a in answers if a is not given[0])
    await stage.sweep()
    assert await sums(stage) == (0, 0, PRICE)
    assert stage.refunded() == PRICE


async def test_goodwill_is_never_more_than_was_paid(stage: Stage) -> None:
    await sold(stage)
    await give(stage, 3000, key="first")
    with pytest.raises(MoreThanLeftError) as caught:
        await give(stage, 1001, key="second")
    assert caught.value.left == 1000


async def test_what_goes_back_because_a_machine_denies_its_drop_is_the_rest_beside_the_goodwill(
    stage: Stage,
) -> None:
    await sold(stage)
    await give(stage, 1500)
    await stage.result("FAILED", drop="no", event_seq=3)
    await stage.sweep()
    assert await sums(stage) == (2500, 0, 1500)
    (case,) = await cases.listed(stage.context)
    await cases.refund(stage.context, case.id, Person("boris", "seen on the camera"))
    await stage.sweep()
    assert await sums(stage) == (0, 2500, 1500)


async def test_a_proof_of_an_order_with_goodwill_balances(stage: Stage) -> None:
    await contradicted(stage)
    await give(stage, 700)
    await stage.sweep()
    assert (await stage.audit()).ok


@pytest.mark.parametrize("seed", range(3))
async def test_any_split_of_goodwill_sums_to_what_was_given(stage: Stage, seed: int) -> None:
    await sold(stage)
    chance, given = random.Random(seed), 0
    for n in range(6):
        amount = chance.randint(1, PRICE - given)
        given += amount
        await give(stage, amount, key=f"k{n}")
        assert await sums(stage) == (PRICE - given, 0, given)
        if given == PRICE:
            break
    await stage.sweep()
    assert stage.refunded() == given
