"""A refund that was dead comes alive at its gateway: the payer has that money, and it is booked."""

import pytest
from msgspec.structs import replace

from coinslot.db.pool import Database
from coinslot.gateways.base import DisputeStage, PaymentFact, RefundFact, RefundStage
from coinslot.payments.gateway_webhooks import work_facts
from tests.conftest import DatabaseUrls
from tests.sales.stage import Stage, set_stage
from tests.sales.taking import Taking, collected, taking
from tests.sales.test_disputes import dispute, tell
from tests.sales.test_refunds import outside, owing, states, told, work
from tests.sales.weather import Weather


@pytest.fixture
async def spoilt(database: Database, urls: DatabaseUrls) -> Stage:
    """A stage of which the books do not close: a gateway gave money back twice."""
    stage = await set_stage(database)
    stage.owner_url = urls.owner
    return stage


async def died(stage: Stage) -> tuple[Weather, RefundFact, PaymentFact]:
    """The first refund failed there, and the next one waits."""
    weather, paid = await owing(stage)
    await work(stage, 1)
    failed = weather.end_refund(weather.sent[0].key, RefundStage.FAILED)
    await told(stage, failed)
    assert await states(stage) == ["failed", "pending"]
    return weather, failed, paid


async def comes_alive(stage: Stage, weather: Weather, number: int = 0) -> RefundFact:
    made = weather.end_refund(weather.sent[number].key, RefundStage.PROCESSED)
    weather._refunded(made, 1)
    await told(stage, made)
    return made


async def at_the_gateway(stage: Stage) -> int:
    held: int = await stage.value("SELECT sum(amount) FROM ledger WHERE account = 'gateway'")
    return held


async def open_kinds(stage: Stage) -> set[str]:
    rows = await stage.rows("SELECT DISTINCT kind FROM discrepancies")
    return {row["kind"] for row in rows}


async def test_a_dead_refund_that_is_made_after_all_pays_the_one_that_follows_it(
    stage: Stage,
) -> None:
    weather, _, _ = await died(stage)
    await comes_alive(stage, weather)
    assert await at_the_gateway(stage) == 0
    await work(stage)
    assert len(weather.sent) == 1
    assert stage.refunded() == 4000
    assert await states(stage) == ["failed", "succeeded"]
    assert await outside(stage) == (4000, 4000)
    assert await open_kinds(stage) == {"dead_refund_paid"}


async def test_it_is_booked_once_however_often_it_is_told(stage: Stage) -> None:
    weather, _, _ = await died(stage)
    made = await comes_alive(stage, weather)
    for number in range(3):
        await stage.webhook(made, event=f"refund.processed {number}")
    await work_facts(stage.context, stage.account, (replace(made, mark=None),))
    assert await outside(stage) == (4000, 0)
    await work(stage)
    assert await at_the_gateway(stage) == 0


async def test_one_that_dies_again_is_owed_again_and_made_by_the_one_that_follows(
    stage: Stage,
) -> None:
    weather, _, _ = await died(stage)
    await comes_alive(stage, weather)
    await work(stage)
    failed = weather.end_refund(weather.sent[0].key, RefundStage.FAILED)
    await stage.webhook(failed, event="refund.failed again")
    await work(stage)
    assert len({order.key for order in weather.sent}) == 2
    assert stage.refunded() == 4000
    assert await at_the_gateway(stage) == 0


async def test_one_that_lives_and_dies_more_than_once_is_booked_each_time(stage: Stage) -> None:
    weather, _, _ = await died(stage)
    for number in range(2):
        await comes_alive(stage, weather)
        failed = weather.end_refund(weather.sent[0].key, RefundStage.FAILED)
        await stage.webhook(failed, event=f"refund.failed again {number}")
    assert await at_the_gateway(stage) == 4000
    await comes_alive(stage, weather)
    await work(stage)
    assert len(weather.sent) == 1
    assert await at_the_gateway(stage) == 0


async def test_an_old_word_that_it_was_made_does_not_keep_the_payer_from_the_money(
    stage: Stage,
) -> None:
    weather, failed, _ = await died(stage)
    await told(stage, replace(failed, stage=RefundStage.PROCESSED))  # sent before it failed
    await work(stage)
    assert len(weather.sent) == 2
    assert stage.refunded() == 4000
    assert await at_the_gateway(stage) == 0


async def test_beside_one_that_was_made_too_it_is_a_second_refund_and_the_books_say_so(
    spoilt: Stage,
) -> None:
    stage = spoilt
    weather, _, _ = await died(stage)
    await work(stage)
    assert stage.refunded() == 4000
    await comes_alive(stage, weather)
    assert await at_the_gateway(stage) == -4000
    assert await outside(stage) == (4000, 0)
    assert await open_kinds(stage) == {"dead_refund_paid", "refunded_twice"}
    await stage.sweep()
    assert (await stage.audit()).red == {"refunds_do_not_exceed_captures"}


async def test_a_merchants_sale_is_not_given_up_for_a_refund_that_came_alive(
    stage: Stage,
) -> None:
    gateway: Taking = taking(stage)
    await collected(stage)
    payment = await stage.value("SELECT id FROM payments WHERE source = 'api'")
    await stage.value("SELECT ask_refund($1, 1000, 'late', $2)", payment, stage.clock.now())
    await work(stage, 1)
    (key,) = gateway.books.refunds
    failed = replace(gateway.books.refunds[key], stage=RefundStage.FAILED)
    await told(stage, failed)
    await told(stage, replace(failed, stage=RefundStage.PROCESSED))
    await work(stage)
    total = await stage.value("SELECT captured FROM captures")
    assert await stage.value("SELECT fulfilled FROM captures") == total - 1000
    assert await at_the_gateway(stage) == total - 1000


async def test_a_dispute_that_is_lost_after_it_was_won_is_money_that_is_gone(stage: Stage) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    for number, end in enumerate((DisputeStage.LOST, DisputeStage.WON, DisputeStage.LOST)):
        stage.later(1)
        await tell(stage, replace(dispute(paid, end), at=stage.clock.now()), number)
        assert await at_the_gateway(stage) == (4000 if end is DisputeStage.WON else 0)
    await work(stage)
    assert stage.refunded() == 0
    assert await at_the_gateway(stage) == 0
