"""A refund whose debt was paid without it, by hand or in the dashboard: what the gateway says of it
afterwards starts no second payment, and one that came alive all the same is never silent."""

from uuid import UUID

import pytest

from coinslot.gateways.base import Declined, PaymentFact, RefundFact, RefundStage
from coinslot.oversight import cases
from coinslot.oversight.cases import Person
from coinslot.payments import merchant_api
from tests.sales.stage import Stage
from tests.sales.taking import Taking, taking
from tests.sales.test_told_twice import asked_back, dashboard, listed, told, work

ASHA = Person("asha", "by bank transfer")


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


async def owed(stage: Stage, gateway: Taking) -> tuple[UUID, PaymentFact]:
    """4000 of 8000 are to go back, and the gateway says that it will not."""
    payment, paid = await asked_back(stage, 4000, 8000)
    gateway.fails("give_back", Declined("not now", "refused"))
    await stage.sweep("refunds")
    assert await stage.value("SELECT state FROM refunds") == "owed"
    await cases.update(stage.context)
    return payment, paid


async def paid_otherwise(stage: Stage, gateway: Taking, how: str) -> UUID:
    payment, paid = await owed(stage, gateway)
    if how == "by hand":
        (case,) = await cases.listed(stage.context)
        await cases.paid_by_hand(stage.context, case.id, ASHA)
    else:
        await dashboard(stage, gateway, paid, 4000)
    assert await stage.value("SELECT state FROM refunds WHERE origin = 'ours'") == "succeeded"
    return payment


async def the_first_call(stage: Stage, gateway: Taking, end: RefundStage) -> None:
    """What the gateway had refused lives there after all, under our mark, and ends so."""
    sent = gateway.sent[0]
    fact = RefundFact(
        gateway_refund_id="late", gateway_payment_id=sent.gateway_payment_id, money=sent.money,
        stage=end, at=stage.clock.now(), mark=sent.mark,
    )  # fmt: skip
    stage.books.refunds[sent.key] = fact
    for number in range(2):
        await stage.webhook(fact, event=f"refund.{end} {number}")


@pytest.mark.parametrize("how", ["by hand", "in the dashboard"])
async def test_what_failed_there_is_not_paid_again(stage: Stage, gateway: Taking, how: str) -> None:
    payment = await paid_otherwise(stage, gateway, how)
    before = stage.refunded()
    await the_first_call(stage, gateway, RefundStage.FAILED)
    await work(stage)
    assert len(gateway.sent) == 1
    assert stage.refunded() == before
    (shown,) = await listed(stage, payment)
    assert (shown.status, shown.amount) == ("succeeded", 4000)


@pytest.mark.parametrize("how", ["by hand", "in the dashboard"])
async def test_what_came_alive_there_is_a_second_refund_and_a_persons_case(
    stage: Stage, gateway: Taking, how: str
) -> None:
    payment = await paid_otherwise(stage, gateway, how)
    await the_first_call(stage, gateway, RefundStage.PROCESSED)
    await work(stage)
    await stage.sweep()
    wanted = [(case.kind, case.amount) for case in await cases.listed(stage.context)]
    assert wanted == [("refunded_twice", 4000)]
    shown = await listed(stage, payment)
    assert [(refund.status, refund.amount) for refund in shown] == [("succeeded", 4000)] * 2
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert found.amount_refunded == 8000
    # Nobody asked for the second one: the other half of the sale is the merchant's still.
    assert await stage.value("SELECT fulfilled FROM captures") == 4000


async def test_one_that_came_alive_and_died_again_leaves_no_debt(
    stage: Stage, gateway: Taking
) -> None:
    await paid_otherwise(stage, gateway, "by hand")
    await the_first_call(stage, gateway, RefundStage.PROCESSED)
    await the_first_call(stage, gateway, RefundStage.FAILED)
    await work(stage)
    assert (len(gateway.sent), stage.refunded()) == (1, 0)


async def test_one_that_was_taken_up_there_before_it_was_paid_by_hand_keeps_its_number_apart(
    stage: Stage, gateway: Taking
) -> None:
    payment, _ = await asked_back(stage, 4000, 8000)
    gateway.pending_first = True
    await stage.sweep("refunds")
    ((key, pending),) = gateway.books.refunds.items()
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        refund = await conn.fetchval("SELECT id FROM refunds")
        await conn.execute(
            "SELECT transition_refund($1, 'REFUSED', '{}', $2)", refund, stage.clock.now()
        )
    await cases.update(stage.context)
    (case,) = await cases.listed(stage.context)
    await cases.paid_by_hand(stage.context, case.id, ASHA)
    await stage.webhook(gateway.end_refund(key, RefundStage.PROCESSED), event="refund.processed")
    await stage.sweep()
    assert [case.kind for case in await cases.listed(stage.context)] == ["refunded_twice"]
    ids = {shown.gateway_refund_id for shown in await listed(stage, payment)}
    assert ids == {None, pending.gateway_refund_id}


async def test_a_refund_in_the_dashboard_that_failed_is_not_told_as_made(
    stage: Stage, gateway: Taking
) -> None:
    """It would have stood for ours, which then went out by itself."""
    payment, paid = await asked_back(stage, 5000)
    fact = await dashboard(stage, gateway, paid, 5000)
    await stage.webhook(_fails(gateway, fact), event="refund.failed")
    await work(stage)
    (failed,) = await stage.rows("SELECT id FROM refunds WHERE origin = 'gateway'")
    assert ("succeeded", failed["id"]) not in await told(stage)
    assert [r.status for r in await listed(stage, payment) if r.id != failed["id"]] == ["succeeded"]
    assert stage.refunded() == 5000


async def test_the_second_in_the_dashboard_stands_for_ours_after_the_first_failed(
    stage: Stage, gateway: Taking
) -> None:
    _, paid = await asked_back(stage, 5000)
    fact = await dashboard(stage, gateway, paid, 5000)
    await stage.webhook(_fails(gateway, fact), event="refund.failed")
    second = await dashboard(stage, gateway, paid, 5000)
    await work(stage)
    made = await stage.value(
        "SELECT id FROM refunds WHERE gateway_refund_id = $1", second.gateway_refund_id
    )
    assert ("succeeded", made) not in await told(stage)
    assert (gateway.sent, stage.refunded()) == ([], 5000)


def _fails(gateway: Taking, fact: RefundFact) -> RefundFact:
    key = next(
        key
        for key, made in gateway.books.refunds.items()
        if made.gateway_refund_id == fact.gateway_refund_id
    )
    return gateway.end_refund(key, RefundStage.FAILED)
