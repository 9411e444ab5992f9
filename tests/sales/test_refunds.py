"""Money back exactly once: through lost answers, crashes around every call, and dashboards."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.db.pool import Database
from coinslot.gateways.base import Declined, Mark, PaymentFact, RefundFact, RefundStage
from coinslot.kit.money import Money
from coinslot.worker import sweep
from coinslot.worker.sweep import Pace
from tests.conftest import DatabaseUrls
from tests.sales.stage import Stage, set_stage
from tests.sales.weather import (
    DIES_AFTER,
    DIES_BEFORE,
    DONE_AND_LOST,
    LOST,
    Weather,
    in_weather,
)


async def owing(stage: Stage) -> tuple[Weather, PaymentFact]:
    """A payment that buys nothing and has to go back."""
    weather = in_weather(stage)
    paid = await stage.pay()
    await stage.webhook(paid)
    stage.later(121)
    await stage.sweep("fulfillments")
    assert await states(stage) == ["pending"]
    return weather, paid


async def states(stage: Stage) -> list[str]:
    """Our own refunds, in the order of their making."""
    rows = await stage.rows(
        "SELECT state FROM refunds WHERE origin = 'ours' ORDER BY created_at, replaces NULLS FIRST"
    )
    return [row["state"] for row in rows]


async def work(stage: Stage, times: int = 12) -> None:
    """The refunds' own pauses pass."""
    for _ in range(times):
        await stage.sweep("refunds")
        stage.later(400)


async def crash(stage: Stage, *tables: str) -> None:
    """The process dies in the middle; its leases end."""
    with pytest.raises(asyncio.CancelledError):
        await stage.sweep(*tables)
    await leases_end(stage)


async def leases_end(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        for table in ("refunds", "fulfillments", "captures", "qr_codes", "orders"):
            await conn.execute(f"UPDATE {table} SET leased_until = NULL")


async def test_a_refund_whose_answer_was_lost_is_found_and_not_sent_again(stage: Stage) -> None:
    weather, _ = await owing(stage)
    weather.fails("give_back", DONE_AND_LOST)
    await work(stage)
    assert await states(stage) == ["succeeded"]
    assert len(weather.sent) == 1
    assert stage.refunded() == 4000


async def test_a_lost_refund_is_sent_again_under_the_same_key(stage: Stage) -> None:
    weather, _ = await owing(stage)
    weather.fails("give_back", LOST, LOST, LOST)
    await work(stage)
    assert len(weather.sent) == 4
    assert len({(order.key, order.money, order.mark) for order in weather.sent}) == 1
    assert stage.refunded() == 4000


async def test_nothing_is_sent_while_the_list_cannot_be_read(stage: Stage) -> None:
    weather, _ = await owing(stage)
    weather.fails("give_back", DONE_AND_LOST)
    await stage.sweep("refunds")
    weather.fails("refunds", *[LOST] * 4)
    stage.later(100_000)  # the key's life is over
    await work(stage, 6)
    assert len(weather.sent) == 1
    assert await states(stage) == ["succeeded"]


async def test_the_first_sending_of_a_key_is_remembered(stage: Stage) -> None:
    weather, _ = await owing(stage)
    weather.fails("give_back", LOST, LOST)
    began = stage.clock.now()
    await stage.sweep("refunds")
    stage.later(10)
    await stage.sweep("refunds")
    assert await stage.value("SELECT key_sent_at FROM refunds") == began
    stage.later(weather.refund_key_life_s)
    await stage.sweep("refunds")
    assert await stage.value("SELECT key_sent_at FROM refunds") > began + timedelta(days=1)
    assert stage.refunded() == 4000


async def test_a_refund_that_fails_later_is_made_anew_once_with_a_new_key(stage: Stage) -> None:
    weather, _ = await owing(stage)
    await work(stage, 1)
    failed = weather.end_refund(weather.sent[0].key, RefundStage.FAILED)
    for number in range(3):
        await stage.webhook(failed, event=f"refund.failed {number}")
    await work(stage)
    assert await states(stage) == ["failed", "succeeded"]
    assert len({order.key for order in weather.sent}) == 2
    assert stage.refunded() == 4000


async def test_each_after_the_first_that_dies_waits_longer(stage: Stage) -> None:
    weather, _ = await owing(stage)
    pauses = []
    for number in range(4):
        await work(stage, 2)
        await stage.webhook(weather.end_refund(weather.sent[number].key, RefundStage.FAILED))
        due = await stage.value("SELECT due_at FROM refunds WHERE state = 'pending'")
        pauses.append((due - stage.clock.now()).total_seconds())
    assert pauses == [0, 5, 10, 20]


async def test_a_pending_refund_is_looked_at_until_it_is_processed(stage: Stage) -> None:
    weather, _ = await owing(stage)
    weather.pending_first = True
    await work(stage, 5)
    assert await states(stage) == ["pending"]
    weather.end_refund(weather.sent[0].key, RefundStage.PROCESSED)
    await work(stage)
    assert await states(stage) == ["succeeded"]
    assert len(weather.sent) == 1


async def test_a_pending_refund_that_fails_is_replaced(stage: Stage) -> None:
    weather, _ = await owing(stage)
    weather.pending_first = True
    await work(stage, 2)
    weather.pending_first = False
    weather.end_refund(weather.sent[0].key, RefundStage.FAILED)
    await work(stage)
    assert await states(stage) == ["failed", "succeeded"]
    assert stage.refunded() == 4000


async def test_a_dead_refund_that_comes_alive_is_a_discrepancy(stage: Stage) -> None:
    weather, _ = await owing(stage)
    await work(stage, 1)
    failed = weather.end_refund(weather.sent[0].key, RefundStage.FAILED)
    await stage.webhook(failed, event="refund.failed")
    await stage.webhook(replace(failed, stage=RefundStage.PROCESSED), event="refund.processed")
    assert await stage.value("SELECT kind FROM discrepancies") == "dead_refund_paid"
    await work(stage)


async def test_a_refund_refused_for_good_is_owed_and_never_sent_again(stage: Stage) -> None:
    weather, _ = await owing(stage)
    weather.fails("give_back", Declined("too old"))
    await work(stage)
    assert await states(stage) == ["owed"]
    assert len(weather.sent) == 1
    assert await stage.value("SELECT failure FROM refunds") == "too old"


async def test_an_empty_balance_is_waited_for_then_a_person_is_called(stage: Stage) -> None:
    weather, _ = await owing(stage)
    empty = Declined("no balance", permanent=False)
    weather.fails("give_back", empty, empty)
    await stage.sweep("refunds")
    assert await states(stage) == ["pending"]
    weather.fails("give_back", *[empty] * 99)
    await work(stage, 30)
    assert await states(stage) == ["owed"]


async def told(stage: Stage, fact: RefundFact) -> None:
    await stage.webhook(fact, event=f"refund.{fact.stage}")


async def test_an_owed_refund_made_in_the_dashboard_is_paid_and_owed_no_more(
    stage: Stage,
) -> None:
    weather, paid = await owing(stage)
    weather.fails("give_back", Declined("no balance"))
    await work(stage, 2)
    await told(stage, weather.refund_in_dashboard(paid, 4000))
    assert await states(stage) == ["succeeded"]
    assert await outside(stage) == (4000, 4000)


async def outside(stage: Stage) -> tuple[int, int]:
    (row,) = await stage.rows("SELECT outside, outside_used FROM captures")
    return row["outside"], row["outside_used"]


async def test_an_owed_refund_made_in_part_is_owed_for_the_rest_only(stage: Stage) -> None:
    weather, paid = await owing(stage)
    weather.fails("give_back", Declined("no balance"))
    await work(stage, 2)
    await told(stage, weather.refund_in_dashboard(paid, 1500))
    await work(stage)
    assert await states(stage) == ["failed", "succeeded"]
    assert weather.sent[-1].money.minor == 2500
    assert stage.refunded() == 4000


async def test_money_given_back_in_the_dashboard_stops_a_queued_unit(stage: Stage) -> None:
    weather = in_weather(stage)
    paid = await stage.pay()
    await stage.webhook(paid)
    await told(stage, weather.refund_in_dashboard(paid, 4000))
    await stage.hello()
    await stage.sweep()
    assert await stage.value("SELECT basis FROM fulfillments") == "never_sent"
    assert not [m for m in stage.line.sent if m["type"] == "OFFER"]
    assert await states(stage) == []
    assert stage.refunded() == 4000


async def test_a_part_given_back_in_the_dashboard_brings_the_rest_back_too(stage: Stage) -> None:
    weather = in_weather(stage)
    paid = await stage.pay()
    await stage.webhook(paid)
    await told(stage, weather.refund_in_dashboard(paid, 1500))
    await work(stage)
    assert await states(stage) == ["succeeded"]
    assert weather.sent[0].money.minor == 2500
    assert stage.refunded() == 4000


async def test_money_given_back_in_the_dashboard_after_go_is_not_given_twice(stage: Stage) -> None:
    weather = in_weather(stage)
    await stage.hello()
    paid = await stage.pay()
    await stage.webhook(paid)
    await stage.sweep("fulfillments")
    await stage.accept()
    await told(stage, weather.refund_in_dashboard(paid, 4000))
    assert await stage.value("SELECT state FROM fulfillments") == "going"
    await stage.result("FAILED", drop="no")
    await work(stage)
    assert weather.sent == []
    assert stage.refunded() == 4000
    assert await stage.value("SELECT count(*) FROM discrepancies") == 0


@pytest.mark.parametrize("first", ["goods", "money"])
async def test_goods_and_a_refund_in_the_dashboard_are_a_discrepancy(
    stage: Stage, first: str
) -> None:
    weather = in_weather(stage)
    await stage.hello()
    paid = await stage.pay()
    await stage.webhook(paid)
    await stage.sweep("fulfillments")
    await stage.accept()
    fact = weather.refund_in_dashboard(paid, 4000)
    if first == "goods":
        await stage.result()
        await told(stage, fact)
    else:
        await told(stage, fact)
        await stage.result()
    kinds = await stage.rows("SELECT DISTINCT kind FROM discrepancies")
    assert kinds == [{"kind": "refunded_outside_and_handed_over"}]
    assert weather.sent == []


async def test_money_given_back_in_the_dashboard_meanwhile_is_not_sent_again(
    stage: Stage,
) -> None:
    weather, paid = await owing(stage)
    weather.refund_in_dashboard(paid, 4000)  # and no webhook tells of it
    await work(stage)
    assert weather.sent == []
    assert await states(stage) == ["succeeded"]
    assert await outside(stage) == (4000, 4000)


async def test_a_part_given_back_in_the_dashboard_meanwhile_leaves_the_rest_to_us(
    stage: Stage,
) -> None:
    weather, paid = await owing(stage)
    weather.refund_in_dashboard(paid, 1000)
    await work(stage)
    assert [order.money.minor for order in weather.sent] == [3000]
    assert await states(stage) == ["failed", "succeeded"]
    assert stage.refunded() == 4000


async def test_a_dashboard_refund_that_fails_later_is_made_up_for_by_us(stage: Stage) -> None:
    weather, paid = await owing(stage)
    fact = weather.refund_in_dashboard(paid, 4000)
    await work(stage, 1)
    weather.end_refund(fact.gateway_refund_id, RefundStage.FAILED)
    for number in range(2):
        failed = replace(fact, stage=RefundStage.FAILED)
        await stage.webhook(failed, event=f"refund.failed {number}")
    await work(stage)
    assert [order.money.minor for order in weather.sent] == [4000]
    assert stage.refunded() == 4000
    assert await outside(stage) == (0, 0)


async def test_more_than_was_paid_is_booked_as_it_is_and_stands_in_the_audit(
    database: Database, urls: DatabaseUrls
) -> None:
    """No gateway should do it; a fact is a fact all the same."""
    stage = await set_stage(database)
    stage.owner_url = urls.owner
    weather, paid = await owing(stage)
    await work(stage, 1)
    await told(stage, weather.refund_in_dashboard(paid, 4000))
    assert await outside(stage) == (4000, 0)
    kinds = await stage.rows("SELECT kind, amount_minor FROM discrepancies")
    assert kinds == [{"kind": "refunded_twice", "amount_minor": 4000}]
    await stage.sweep()
    broken = [check.name for check in (await stage.audit()).checks if not check.ok]
    assert broken == ["refunds_do_not_exceed_captures"]


CRASHES: list[tuple[str, Any]] = [
    (verb, word) for verb in ("refunds", "give_back") for word in (DIES_BEFORE, DIES_AFTER)
]


@pytest.mark.parametrize(("verb", "word"), CRASHES)
async def test_a_crash_around_any_call_gives_the_money_back_once(
    stage: Stage, verb: str, word: str
) -> None:
    weather, _ = await owing(stage)
    weather.fails(verb, word, word, word)
    for _ in range(3):
        if weather.script[verb] and await states(stage) == ["pending"]:
            try:
                await stage.sweep("refunds")
            except asyncio.CancelledError:
                await leases_end(stage)
    weather.script.clear()
    await work(stage)
    assert await states(stage) == ["succeeded"]
    assert stage.refunded() == 4000
    assert len(weather.books.refunds) == 1


async def test_two_workers_at_one_refund_give_it_back_once(stage: Stage) -> None:
    weather, _ = await owing(stage)
    no_lease = Pace(lease_s=0)
    await asyncio.gather(*(sweep.sweep_once(stage.context, "refunds", no_lease) for _ in range(4)))
    await work(stage)
    assert {order.key for order in weather.sent} == {weather.sent[0].key}
    assert stage.refunded() == 4000
    assert await stage.value("SELECT sum(amount) FROM ledger WHERE account = 'gateway'") == 0


async def test_a_late_refusal_of_a_second_sending_does_not_unmake_a_refund(stage: Stage) -> None:
    weather, _ = await owing(stage)
    (row,) = await stage.rows("SELECT * FROM refunds")
    weather.fails("give_back", Declined("exceeds"))
    calm = weather.give_back

    async def told_meanwhile(order: Any) -> Any:
        made = await super(Weather, weather).give_back(order)
        assert isinstance(made, RefundFact)
        await told(stage, made)
        return await calm(order)

    weather.give_back = told_meanwhile  # type: ignore[method-assign]
    await stage.sweep("refunds")
    assert row["state"] == "pending"
    assert await states(stage) == ["succeeded"]
    assert await stage.value("SELECT count(*) FROM strays") == 0


async def test_our_mark_on_another_payment_or_sum_proves_nothing(stage: Stage) -> None:
    weather, paid = await owing(stage)
    other = await stage.pay()
    await stage.webhook(other)
    ours = await stage.value("SELECT id::text FROM refunds")
    mark = Mark(installation=stage.context.installation, refund=ours)
    for payment, minor in ((other, 4000), (paid, 100)):
        copied = replace(weather.refund_in_dashboard(payment, minor), mark=mark)
        weather.books.refunds[copied.gateway_refund_id] = copied
        await stage.webhook(copied, event=f"refund.processed {minor}")
    assert await states(stage) == ["pending"]
    await work(stage)
    assert weather.books.payments[paid.gateway_payment_id].refunded == Money(4000, "INR")
    assert weather.books.payments[other.gateway_payment_id].refunded == Money(4000, "INR")
