"""What of a list is news to the nightly comparison, and what is not."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import PaymentFact, RefundStage, Taken
from coinslot.kit.money import Money
from coinslot.oversight import cases
from coinslot.oversight.reconcile import Compared, Span, compare, every_account
from tests.sales.nightly import Nightly, nightly_gateway
from tests.sales.stage import Stage


@pytest.fixture
def gateway(stage: Stage) -> Nightly:
    return nightly_gateway(stage)


def span(stage: Stage) -> Span:
    now = stage.clock.now()
    return Span(now - timedelta(days=2), now + timedelta(seconds=1))


async def compared(stage: Stage) -> Compared:
    return await compare(stage.context, stage.account, span(stage))


def tells(gateway: Nightly, paid: PaymentFact, fee: int | None) -> None:
    money = None if fee is None else Money(fee, "INR")
    gateway.books.payments[paid.gateway_payment_id] = replace(paid, fee=money)


async def test_a_fee_that_only_a_list_tells_is_booked_and_again_when_it_changes(
    stage: Stage, gateway: Nightly
) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    for fee, booked in ((None, None), (90, 90), (90, 90), (None, 90), (0, 0), (95, 95)):
        tells(gateway, paid, fee)
        assert await compared(stage) == Compared()
        assert await stage.value("SELECT fee_minor FROM captures") == booked


async def test_what_is_only_held_or_failed_there_is_no_money(
    stage: Stage, gateway: Nightly
) -> None:
    paid = await stage.pay()
    for taken in (Taken.AUTHORIZED, Taken.FAILED):
        gateway.books.payments[paid.gateway_payment_id] = replace(paid, taken=taken)
        assert await compared(stage) == Compared()
    assert await stage.rows("SELECT FROM captures") == []
    gateway.books.payments[paid.gateway_payment_id] = paid
    assert (await compared(stage)).found == 1


async def test_a_refund_is_news_when_it_ended_in_another_way_than_we_know(
    stage: Stage, gateway: Nightly
) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    back = gateway.refund_in_dashboard(paid, 1500, RefundStage.PENDING)
    gateway.books.payments[paid.gateway_payment_id] = paid  # it does not count what is on its way
    assert await compared(stage) == Compared()
    gateway.end_refund(back.gateway_refund_id, RefundStage.PROCESSED)
    gateway._refunded(back, 1)
    assert (await compared(stage)).news == (
        f"refund {back.gateway_refund_id} of payment {paid.gateway_payment_id}, 15.00 INR:"
        " refunded outside",
    )
    stage.later(1)
    assert await compared(stage) == Compared()
    gateway.end_refund(back.gateway_refund_id, RefundStage.FAILED)
    await compared(stage)
    (known,) = await stage.rows("SELECT state FROM refunds WHERE origin = 'gateway'")
    assert known["state"] == "failed"


async def test_each_account_is_compared_under_its_name(stage: Stage, gateway: Nightly) -> None:
    await stage.pay()
    done = await every_account(stage.context, span(stage))
    assert {name: one.found for name, one in done.items()} == {"mock/asha-mock": 1}


async def test_the_queue_says_how_many_cases_it_opened(stage: Stage, gateway: Nightly) -> None:
    assert await cases.update(stage.context) == 0
    paid = await stage.pay()
    await stage.webhook(paid)
    await stage.hello()
    await stage.sweep("fulfillments")
    await stage.accept()
    await stage.result()
    gateway.refund_in_dashboard(paid, 4000)
    await compared(stage)
    assert await cases.update(stage.context) == 1
    assert await cases.update(stage.context) == 0
    queue = await cases.of_merchant(stage.context, stage.merchant)
    assert (queue.total, [case.age_s for case in queue.cases]) == (1, [0])
    stage.later(61.5)
    (case,) = (await cases.of_merchant(stage.context, stage.merchant)).cases
    assert case.age_s == 61
    assert await cases.one(stage.context, stage.merchant, case.id) == case
    assert await cases.one(stage.context, stage.merchant, case.id + 1) is None
