"""A machine that does not answer offers is left alone for a while, then tried by one; and one that
somebody works at."""

from msgspec.structs import replace

from coinslot.channels.messages import Refusal
from coinslot.context import Windows
from coinslot.fleet import maintenance
from coinslot.fleet.config import Editor
from coinslot.orders.page_views import WhyNot
from tests.sales.stage import Stage
from tests.sales.test_food_lock import why_not
from tests.sales.test_machines import offers, reject


def patient(stage: Stage) -> Windows:
    """Nine offers in a row, and units that wait for an hour."""
    stage.context.windows = replace(stage.context.windows, dispatch_s=3600, online_s=9999)
    return stage.context.windows


async def unanswered(stage: Stage, times: int) -> None:
    for _ in range(times):
        stage.later(stage.context.windows.offer_s)
        await stage.sweep("fulfillments")


async def test_a_machine_that_answers_no_offer_sells_nothing_for_a_while_then_is_tried(
    stage: Stage,
) -> None:
    windows = patient(stage)
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    while await why_not(stage) is WhyNot.READY:
        assert len(offers(stage)) <= windows.silent_offers
        await unanswered(stage, 1)
    assert await why_not(stage) is WhyNot.OFFLINE
    assert len(offers(stage)) == windows.silent_offers
    await unanswered(stage, 4)
    assert len(offers(stage)) == windows.silent_offers, "left alone"
    stage.later(windows.silent_pause_s)
    assert await why_not(stage) is WhyNot.READY
    await stage.sweep("fulfillments")
    assert len(offers(stage)) == windows.silent_offers + 1, "tried"
    await unanswered(stage, 1)
    assert await why_not(stage) is WhyNot.OFFLINE, "one silence more, and it rests again"


async def test_an_answer_begins_the_count_anew(stage: Stage) -> None:
    windows = patient(stage)
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    for refusal in (Refusal.BUSY, Refusal.DOOR_OPEN, Refusal.STALE_SEQ):
        while len(offers(stage)) % windows.silent_offers:
            await unanswered(stage, 1)
        await reject(stage, refusal)
        assert await stage.value("SELECT count FROM outlet_stops") == 0
        await unanswered(stage, 1)
    assert await stage.accept() != []
    assert await stage.value("SELECT count FROM outlet_stops") == 0
    await stage.result(event_seq=1)
    await stage.sweep()
    assert (await stage.audit()).red == frozenset()


async def test_a_machine_that_accepts_after_a_silence_has_answered(stage: Stage) -> None:
    """Once each time, and never nine in a row: it is not left alone, and takes the short way."""
    windows = patient(stage)
    await stage.hello()
    for number in range(windows.silent_offers + 1):
        await stage.sell()
        await stage.sweep("fulfillments")
        await unanswered(stage, 1)
        assert await stage.value("SELECT count FROM outlet_stops") == 1
        assert await stage.accept() != []
        assert await stage.value("SELECT count FROM outlet_stops") == 0
        await stage.result(event_seq=number + 1)
        assert await why_not(stage) is (
            WhyNot.READY if number < windows.silent_offers else WhyNot.SOLD_OUT
        )


async def test_a_machine_that_starts_anew_is_tried_at_once(stage: Stage) -> None:
    windows = patient(stage)
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    while await why_not(stage) is WhyNot.READY:
        await unanswered(stage, 1)
    before = len(offers(stage))
    await stage.hello(boot="b2")
    assert await why_not(stage) is WhyNot.READY
    assert len(offers(stage)) == before + 1
    assert windows.silent_offers == before


async def test_money_of_a_machine_that_never_answers_goes_back_within_its_window(
    stage: Stage,
) -> None:
    stage.context.windows = replace(stage.context.windows, online_s=9999)
    await stage.hello()
    await stage.sell()
    await unanswered(stage, 25)
    await stage.sweep()
    assert stage.refunded() == 4000
    assert (await stage.audit()).red == frozenset()


async def test_a_machine_that_somebody_works_at_sells_nothing_until_it_is_done(
    stage: Stage,
) -> None:
    asha = Editor(stage.merchant, "asha")
    await stage.hello()
    await maintenance.begin(stage.context, asha, "M01", "new motor")
    await maintenance.begin(stage.context, asha, "M01", "again")
    assert await why_not(stage) is WhyNot.OUT_OF_SERVICE
    await stage.sell()
    await stage.sweep()
    assert (offers(stage), stage.refunded()) == ([], 0), "what was paid by its code waits"
    await maintenance.end(stage.context, asha, "M01")
    await maintenance.end(stage.context, asha, "M01")
    assert await why_not(stage) is WhyNot.READY
    stage.later(5)
    await stage.sweep()
    assert len(offers(stage)) == 1
    acts = await stage.rows("SELECT action FROM audit_log ORDER BY seq")
    assert [act["action"] for act in acts] == [
        "machine.maintenance_begun", "machine.maintenance_ended",
    ]  # fmt: skip


async def test_money_of_a_machine_that_is_worked_at_for_long_goes_back(stage: Stage) -> None:
    await stage.hello()
    await maintenance.begin(stage.context, Editor(stage.merchant, "asha"), "M01", "")
    await stage.sell()
    stage.later(stage.context.windows.dispatch_s)
    await stage.sweep()
    assert stage.refunded() == 4000
