"""One refund that comes to us in two ways is one refund, told once: the gateway's own that stands
for one of ours, and ours whose webhook came before the answer to our call."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.events import public
from coinslot.gateways.base import PaymentFact, RefundFact, RefundStage
from coinslot.payments import api_views, merchant_api
from coinslot.payments.merchant_api import RefundRequest
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, made, once, taking
from tests.sales.weather import DONE_AND_LOST, LOST


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


async def asked_back(stage: Stage, minor: int, of: int = 5000) -> tuple[UUID, PaymentFact]:
    """A payment of which `minor` is to go back; nothing was sent yet."""
    payment = await made(stage, of)
    await confirmed(stage, payment)
    await merchant_api.request_refund(
        stage.context,
        once(stage, "refund", f"r{minor}", minor),
        payment,
        RefundRequest(amount=minor),
    )
    name = await stage.value("SELECT gateway_payment_id FROM captures")
    return payment, stage.books.payments[name]


async def listed(stage: Stage, payment: UUID) -> list[api_views.RefundStatement]:
    return await merchant_api.refunds(stage.context, stage.merchant, payment)


async def told(stage: Stage) -> list[tuple[str, UUID]]:
    """What merchants hear of refunds, in order."""
    rows = await stage.rows("SELECT * FROM events WHERE machine = 'refund' ORDER BY seq")
    heard: list[tuple[str, UUID]] = []
    for row in rows:
        changed = row["state"] is not None and row["state"] != row["was"]
        state = row["state"] if changed else public.TOLD.get(("refund", row["event"]))
        if state is not None:
            heard.append((state, row["subject_id"]))
    return heard


async def work(stage: Stage, rounds: int = 4) -> None:
    for _ in range(rounds):
        await stage.sweep("refunds")
        stage.later(601)


async def dashboard(stage: Stage, gateway: Taking, paid: PaymentFact, minor: int) -> RefundFact:
    fact = gateway.refund_in_dashboard(paid, minor)
    await stage.webhook(fact, event=f"refund.processed {fact.gateway_refund_id}")
    return fact


async def one_refund(stage: Stage, payment: UUID, there: str | None = None) -> None:
    """The merchant sees one refund of 5000, and heard of its end once."""
    (shown,) = await listed(stage, payment)
    assert (shown.status, shown.amount) == ("succeeded", 5000)
    assert shown.gateway_refund_id is not None
    assert there is None or shown.gateway_refund_id == there
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert (found.refunds, found.amount_refunded) == ([shown.id], 5000)
    assert await told(stage) == [("pending", shown.id), ("succeeded", shown.id)]
    assert stage.refunded() == 5000


@pytest.mark.parametrize("of", [5000, 8000])
async def test_ours_and_the_same_made_in_the_dashboard_are_one_refund(
    stage: Stage, gateway: Taking, of: int
) -> None:
    payment, paid = await asked_back(stage, 5000, of)
    fact = await dashboard(stage, gateway, paid, 5000)
    await work(stage)
    assert gateway.sent == []
    await one_refund(stage, payment, fact.gateway_refund_id)


async def test_ours_that_the_gateway_refuses_and_the_dashboard_made_are_one_refund(
    stage: Stage, gateway: Taking
) -> None:
    """Made there while our call was on its way: it is declined, owed, and then found paid."""
    payment, paid = await asked_back(stage, 5000)
    fact = gateway.refund_in_dashboard(paid, 5000)
    gateway.fails("refunds", *[LOST] * 1)
    await stage.sweep("refunds")
    await stage.webhook(fact, event="refund.processed")
    await work(stage)
    await one_refund(stage, payment, fact.gateway_refund_id)


@pytest.mark.parametrize("of", [5000, 8000])
@pytest.mark.parametrize("marked", [True, False])
async def test_ours_whose_webhook_comes_before_the_answer_to_our_call_is_one_refund(
    stage: Stage, gateway: Taking, of: int, marked: bool
) -> None:
    payment, _ = await asked_back(stage, 5000, of)
    calm = gateway.give_back

    async def told_first(order: Any) -> Any:
        answer = await calm(order)
        assert isinstance(answer, RefundFact)
        fact = answer if marked else replace(answer, mark=None)
        await stage.webhook(fact, event="refund.processed")
        return answer

    gateway.give_back = told_first  # type: ignore[method-assign]
    await work(stage)
    await one_refund(stage, payment)


async def test_ours_whose_answer_is_lost_and_whose_webhook_bears_no_mark_is_one_refund(
    stage: Stage, gateway: Taking
) -> None:
    payment, _ = await asked_back(stage, 5000, 8000)
    gateway.fails("give_back", DONE_AND_LOST)
    await stage.sweep("refunds")
    (fact,) = gateway.books.refunds.values()
    await stage.webhook(replace(fact, mark=None), event="refund.processed")
    await work(stage)
    await one_refund(stage, payment)


async def test_two_refunds_that_were_both_made_are_two_and_both_are_told(
    stage: Stage, gateway: Taking
) -> None:
    """Ours was at the gateway already, under its own id, when the dashboard made the like."""
    payment, paid = await asked_back(stage, 4000, 8000)
    gateway.fails("give_back", DONE_AND_LOST)
    await stage.sweep("refunds")
    await dashboard(stage, gateway, paid, 4000)
    assert [state for state, _ in await told(stage)] == ["pending"]  # not known yet whose it is
    await work(stage)
    shown = await listed(stage, payment)
    assert [(r.status, r.amount) for r in shown] == [("succeeded", 4000)] * 2
    assert len({r.gateway_refund_id for r in shown}) == 2
    assert sorted(state for state, _ in await told(stage)) == ["pending", "succeeded", "succeeded"]
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert (found.amount_refunded, stage.refunded()) == (8000, 8000)


async def test_one_in_the_dashboard_pays_two_of_ours_and_stands_beside_none(
    stage: Stage, gateway: Taking
) -> None:
    payment, paid = await asked_back(stage, 3000)
    await merchant_api.request_refund(
        stage.context, once(stage, "refund", "x", 2), payment, RefundRequest(amount=2000)
    )
    await dashboard(stage, gateway, paid, 5000)
    await work(stage)
    shown = await listed(stage, payment)
    assert sorted((r.status, r.amount) for r in shown) == [("succeeded", 2000), ("succeeded", 3000)]
    assert len({r.gateway_refund_id for r in shown}) == 1
    assert gateway.sent == []


async def test_ours_fails_with_the_one_in_the_dashboard_that_had_paid_it_and_is_replaced(
    stage: Stage, gateway: Taking
) -> None:
    payment, paid = await asked_back(stage, 5000)
    await dashboard(stage, gateway, paid, 5000)
    await work(stage)
    (first,) = await listed(stage, payment)
    ((key, _),) = gateway.books.refunds.items()
    await stage.webhook(gateway.end_refund(key, RefundStage.FAILED), event="refund.failed")
    await work(stage)
    shown = {refund.id: refund for refund in await listed(stage, payment)}
    replaced = shown[first.id].replaced_by
    assert shown[first.id].status == "failed"
    assert replaced is not None
    assert [r.id for r in shown.values() if r.status == "succeeded"] == [replaced]
    assert [state for state, one in await told(stage) if one == first.id] == [
        "pending", "succeeded", "failed",
    ]  # fmt: skip
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert (found.amount_refunded, stage.refunded()) == (5000, 5000)


async def test_one_in_the_dashboard_without_one_of_ours_is_told_at_once(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage)
    await confirmed(stage, payment)
    paid = stage.books.payments[await stage.value("SELECT gateway_payment_id FROM captures")]
    fact = await dashboard(stage, gateway, paid, 5000)
    (shown,) = await listed(stage, payment)
    assert shown.gateway_refund_id == fact.gateway_refund_id
    assert await told(stage) == [("succeeded", shown.id)]
