"""A payer's bank claims money back: an open dispute is a case, a lost one money that went back."""

from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import (
    DisputeFact,
    DisputeStage,
    Fact,
    PaymentFact,
    RefundFact,
    RefundStage,
)
from coinslot.kit.money import Money
from coinslot.oversight import cases
from coinslot.oversight.cases import Person
from coinslot.payments import merchant_api
from coinslot.payments.merchant_api import RefundRequest
from tests.sales.stage import Stage
from tests.sales.taking import confirmed, made, once, taking
from tests.sales.test_permutations import SNAPSHOT
from tests.sales.weather import in_weather

OPEN, WON, LOST = DisputeStage.OPEN, DisputeStage.WON, DisputeStage.LOST


def dispute(paid: PaymentFact, stage: DisputeStage, minor: int | None = None) -> DisputeFact:
    return DisputeFact(
        gateway_dispute_id=f"disp_{paid.gateway_payment_id}",
        gateway_payment_id=paid.gateway_payment_id, stage=stage,
        money=paid.money if minor is None else Money(minor, paid.money.currency),
        reason="fraudulent", at=paid.at,
    )  # fmt: skip


async def tell(stage: Stage, fact: Fact, number: int = 0) -> None:
    await stage.webhook(fact, event=f"told {number} {fact}"[:200])


async def kinds(stage: Stage) -> list[str]:
    await cases.update(stage.context)
    return [case.kind for case in await cases.listed(stage.context)]


async def log(stage: Stage) -> list[str]:
    rows = await stage.rows("SELECT event FROM events WHERE machine = 'dispute' ORDER BY seq")
    return [row["event"] for row in rows]


async def handed_over(stage: Stage) -> PaymentFact:
    paid = await stage.pay()
    await stage.hello()
    await stage.webhook(paid)
    await stage.sweep()
    await stage.accept()
    await stage.started()
    await stage.result()
    return paid


async def test_an_open_dispute_is_a_case_until_it_is_won_and_moves_no_money(stage: Stage) -> None:
    paid = await handed_over(stage)
    await tell(stage, dispute(paid, OPEN))
    assert await kinds(stage) == ["dispute_open"]
    await tell(stage, dispute(paid, WON))
    assert await kinds(stage) == []
    assert await log(stage) == ["OPENED", "WON"]
    assert await stage.value("SELECT outside FROM captures") == 0


async def test_a_lost_dispute_after_the_goods_were_handed_over_is_a_loss_for_a_person(
    stage: Stage,
) -> None:
    paid = await handed_over(stage)
    await tell(stage, dispute(paid, OPEN))
    assert await kinds(stage) == ["dispute_open"]
    await tell(stage, dispute(paid, LOST))
    assert await kinds(stage) == ["refunded_outside_and_handed_over"]
    (ended,) = [c for c in await cases.listed(stage.context, closed=True) if c.closed_at]
    assert (ended.kind, ended.how, ended.closed_by) == ("dispute_open", "lost", None)
    assert await log(stage) == ["OPENED", "LOST"]
    (refund,) = await stage.rows("SELECT origin, reason, state, amount_minor FROM refunds")
    assert tuple(refund.values()) == ("gateway", "disputed", "succeeded", 4000)


async def test_what_a_lost_dispute_took_is_not_handed_out_and_not_refunded_again(
    stage: Stage,
) -> None:
    in_weather(stage)
    paid = await stage.pay()
    await stage.webhook(paid)
    await tell(stage, dispute(paid, LOST))
    await stage.sweep()
    assert await stage.value("SELECT state FROM fulfillments") == "failed"
    assert stage.refunded() == 0
    assert await stage.value("SELECT count(*) FROM refunds WHERE origin = 'ours'") == 0


async def test_a_lost_dispute_covers_a_refund_of_ours_that_is_still_owed(stage: Stage) -> None:
    weather = in_weather(stage)
    paid = await stage.pay(5000)
    weather.fails("give_back", *["lost"] * 3)
    await stage.webhook(paid)
    await tell(stage, dispute(paid, LOST))
    stage.later(600)
    await stage.sweep()
    states = await stage.rows("SELECT origin, state FROM refunds ORDER BY origin")
    assert [tuple(row.values()) for row in states] == [
        ("gateway", "succeeded"), ("ours", "succeeded"),
    ]  # fmt: skip
    assert stage.refunded() == 0


@pytest.mark.parametrize(("end", "sent"), [(WON, 5000), (LOST, 0)])
async def test_a_refund_of_ours_is_held_until_the_bank_has_decided(
    stage: Stage, end: DisputeStage, sent: int
) -> None:
    in_weather(stage)
    paid = await stage.pay(5000)
    await stage.webhook(paid)
    await tell(stage, dispute(paid, OPEN))
    for _ in range(12):
        await stage.sweep("refunds")
        stage.later(600)
    assert stage.refunded() == 0
    assert await kinds(stage) == ["dispute_open"]
    await tell(stage, dispute(paid, end))
    await stage.sweep("refunds")
    assert stage.refunded() == sent
    assert await stage.value("SELECT state FROM refunds WHERE origin = 'ours'") == "succeeded"


async def test_a_payment_given_back_and_lost_as_well_is_told_as_given_back_twice(
    stage: Stage,
) -> None:
    in_weather(stage)
    paid = await stage.pay(5000)
    await stage.webhook(paid)
    await stage.sweep()
    assert stage.refunded() == 5000
    await tell(stage, dispute(paid, LOST))
    assert await kinds(stage) == ["refunded_twice"]


async def test_a_dispute_told_before_its_payment_waits_for_it(stage: Stage) -> None:
    paid = await stage.pay()
    await tell(stage, dispute(paid, LOST))
    assert await stage.value("SELECT count(*) FROM disputes") == 0
    await stage.webhook(paid)
    assert await stage.value("SELECT stage FROM disputes") == "lost"
    assert await stage.value("SELECT state FROM fulfillments") == "failed"


async def test_a_merchants_sale_is_lost_with_its_dispute_and_earned_again_when_it_is_won(
    stage: Stage,
) -> None:
    gateway = taking(stage)
    payment = await made(stage)
    await confirmed(stage, payment)
    (paid,) = gateway.books.payments.values()
    await merchant_api.request_refund(
        stage.context, once(stage, "refund", "r"), payment, RefundRequest(amount=1000)
    )
    await stage.sweep()
    await tell(stage, dispute(paid, LOST, 4000))
    sales = "SELECT sum(amount)::bigint FROM ledger WHERE account = 'sales'"
    assert await stage.value(sales) == 0
    stage.later(60)
    await tell(stage, replace(dispute(paid, WON, 4000), at=stage.clock.now()))
    await stage.sweep()
    assert await stage.value(sales) == -4000
    assert (stage.refunded(), await log(stage)) == (1000, ["OPENED", "LOST", "WON"])


async def test_a_dispute_in_another_currency_is_a_persons(stage: Stage) -> None:
    paid = await handed_over(stage)
    await tell(stage, replace(dispute(paid, LOST), money=Money(50, "USD")))
    assert await kinds(stage) == ["dispute_in_another_currency"]
    assert await stage.value("SELECT outside FROM captures") == 0


def history(paid: PaymentFact, end: DisputeStage, back: int) -> list[Fact]:
    refunded = RefundFact(
        gateway_refund_id=f"rfnd_{paid.gateway_payment_id}",
        gateway_payment_id=paid.gateway_payment_id, stage=RefundStage.PROCESSED,
        money=Money(back, "INR"), at=paid.at,
    )  # fmt: skip
    whole: list[Fact] = [paid, dispute(paid, OPEN, 2500), dispute(paid, end, 2500)]
    return [*whole, refunded] if back else whole


@pytest.mark.parametrize(("end", "back"), [(LOST, 0), (WON, 0), (LOST, 1500), (WON, 1500)])
async def test_any_order_of_capture_refund_and_dispute_ends_the_same(
    stage: Stage, end: DisputeStage, back: int
) -> None:
    in_weather(stage)
    size = len(history(await stage.pay(), end, back))
    told = []
    for order in permutations(range(size)):
        paid = await stage.pay()
        told.append(paid.gateway_payment_id)
        facts = history(paid, end, back)
        for number, index in enumerate((*order, order[0])):
            await tell(stage, facts[index], number)
    await stage.sweep("refunds")  # what one part of the money covers is seen by the next look
    ends: list[dict[str, Any]] = []
    for payment in told:
        (state,) = await stage.rows(SNAPSHOT, payment)
        state.pop("refunds")  # how our own, covered ones were cut depends on what came first
        (found,) = await stage.rows(
            "SELECT stage, amount_minor FROM disputes d JOIN captures c ON c.id = d.capture_id"
            " WHERE c.gateway_payment_id = $1", payment,
        )  # fmt: skip
        ends.append({**state, **found})
    assert all(found == ends[0] for found in ends)
    assert ends[0]["stage"] == str(end)
    assert ends[0]["outside"] == (2500 if end is LOST else 0) + back


async def test_a_refund_that_is_held_for_a_dispute_stays_in_sight_when_its_case_is_closed(
    stage: Stage,
) -> None:
    """The bank's decision may never reach us: held money must not be forgotten."""
    paid = await stage.pay()
    await stage.webhook(paid)
    await tell(stage, dispute(paid, OPEN))
    stage.later(121)
    await stage.sweep("fulfillments", "refunds")
    stage.later(3601)
    assert await kinds(stage) == ["dispute_open"]
    (case,) = await cases.listed(stage.context)
    await cases.close(stage.context, case.id, Person("asha", "answered the bank"))
    assert await kinds(stage) == ["refund_not_taken_up"]
    assert stage.refunded() == 0
    await tell(stage, dispute(paid, WON))
    await stage.sweep("refunds")
    assert await kinds(stage) == []
    assert stage.refunded() == 4000
