"""How often a silent machine is asked, and that no pause outlasts a deadline."""

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from coinslot.channels import messages as wire
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage


async def going(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()


def asked(stage: Stage) -> int:
    return len([m for m in stage.line.sent if m["type"] == "QUERY"])


async def pass_time(stage: Stage, seconds: int) -> int:
    """Second by second; how many questions went out."""
    before = asked(stage)
    for _ in range(seconds):
        stage.later(1)
        await stage.sweep("fulfillments")
    return asked(stage) - before


async def state(stage: Stage) -> str:
    return str(await stage.value("SELECT state FROM fulfillments"))


async def test_a_machine_in_doubt_is_asked_twelve_times_as_rarely(stage: Stage) -> None:
    await going(stage)
    stage.later(12)
    running = await pass_time(stage, 20)
    assert running == 4  # every five seconds, while it may be running
    await pass_time(stage, 30)
    assert await state(stage) == "in_doubt"
    assert await pass_time(stage, 120) == 2


async def test_doubt_ends_at_its_deadline_however_long_the_pauses_are(stage: Stage) -> None:
    stage.context.windows = replace(stage.context.windows, query_s=12, in_doubt_s=45)
    await going(stage)
    await pass_time(stage, 44)
    assert await state(stage) == "going"
    await pass_time(stage, 2)
    assert await state(stage) == "failed"
    assert await stage.value("SELECT basis FROM fulfillments") == "policy"


async def test_a_refusal_near_the_end_of_the_window_leaves_no_unit_beyond_it(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    end = await stage.value("SELECT dispatch_by FROM fulfillments")
    stage.clock.advance(end - stage.clock.now() - timedelta(seconds=2))
    await stage.hello()
    await stage.sweep("fulfillments")
    offer = stage.offered()
    no = wire.Reject(
        unit_id=UUID(offer["unit_id"]), seq=offer["seq"], journal_id="j1", code=wire.Refusal.BUSY
    )
    await stage.hear(no)
    assert await stage.value("SELECT due_at FROM fulfillments") == end


async def test_the_stock_falls_by_one_with_each_can_and_never_below_nothing(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE slots SET stock = 1")
    for left in (0, 0):
        await going(stage)
        await stage.result(event_seq=2 + len(stage.line.sent))
        assert await stage.value("SELECT stock FROM slots") == left
        stage.later(1)


async def test_waiting_for_one_machine_puts_off_no_unit_of_another(stage: Stage) -> None:
    second = await a_second_machine(stage)
    stage.line.connected = False
    await stage.sell()
    due = "SELECT due_at FROM fulfillments"
    first = await stage.value(due)
    stage.later(1)
    await stage.sweep("fulfillments")
    assert await stage.value(due) > first
    assert second.outlet == "M02"
