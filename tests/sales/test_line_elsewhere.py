"""Several processes work one queue, and only one of them holds a machine's line."""

from typing import Any

from msgspec.structs import replace

from coinslot.context import Context, NoMachineLink
from coinslot.payments.webhook_batch import WebhookBatch
from coinslot.vending import machine_messages
from coinslot.worker import sweep
from coinslot.worker.sweep import Pace
from tests.sales.stage import Stage


def worker_of(stage: Stage) -> Context:
    """A process without machines, over the same database."""
    context = stage.context
    return Context(
        context.db,
        context.clock,
        context.windows,
        context.accounts,
        context.vault,
        context.installation,
        WebhookBatch,
        kinds=context.kinds,
    )


async def unit(stage: Stage) -> dict[str, Any]:
    (row,) = await stage.rows("SELECT * FROM fulfillments JOIN vend_units v USING (id)")
    return row


async def going(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()


async def heard(stage: Stage) -> None:
    """The machine is connected to another process, which hears its heartbeat."""
    await machine_messages.record_heartbeats(stage.context, {"M01": stage.context.now()})


def sent(stage: Stage, kind: str) -> int:
    return sum(message["type"] == kind for message in stage.line.sent)


async def test_who_does_not_hold_the_line_uses_no_question_up(stage: Stage) -> None:
    await going(stage)
    stage.later(12)
    stage.line.connected = False
    for _ in range(10):
        await heard(stage)
        await stage.sweep("fulfillments")
        stage.later(1)
    assert (await unit(stage))["queries"] == 0
    stage.line.connected = True
    await stage.sweep("fulfillments")
    assert (await unit(stage))["queries"] == 1
    assert sent(stage, "QUERY") == 1


async def test_who_does_not_hold_the_line_uses_no_offer_up(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    stage.line.connected = False
    for _ in range(10):
        stage.later(5)
        await heard(stage)
        await stage.sweep("fulfillments")
    assert (await unit(stage))["offers"] == 1
    stage.line.connected = True
    stage.later(1)
    await stage.sweep("fulfillments")
    assert sent(stage, "OFFER") == 2


async def test_without_anyone_who_holds_the_line_all_windows_end_all_the_same(
    stage: Stage,
) -> None:
    await going(stage)
    stage.line.connected = False
    for _ in range(70):
        stage.later(10)
        await stage.sweep()
    assert (await unit(stage))["basis"] == "policy"
    assert stage.refunded() == 4000


async def test_a_queued_unit_of_a_machine_connected_elsewhere_is_looked_at_again_in_a_moment(
    stage: Stage,
) -> None:
    await stage.hello()
    stage.line.connected = False
    await stage.sell()
    await stage.sweep("fulfillments")
    waits = (await unit(stage))["due_at"] - stage.context.now()
    assert 0 < waits.total_seconds() <= 1
    stage.later(30)
    await stage.sweep("fulfillments")
    waits = (await unit(stage))["due_at"] - stage.context.now()
    assert waits.total_seconds() == stage.context.windows.offer_s, "the machine is nowhere now"


async def test_a_process_without_machines_takes_a_unit_only_when_nobody_with_them_did(
    stage: Stage,
) -> None:
    worker, pace = worker_of(stage), replace(Pace(), late_s=2.0)
    assert isinstance(worker.line, NoMachineLink)
    await going(stage)
    stage.later(12)
    assert await sweep.sweep_once(worker, "fulfillments", pace) == 0
    stage.later(2)
    assert await sweep.sweep_once(worker, "fulfillments", pace) == 1
    assert (await unit(stage))["queries"] == 0
    await stage.sell()
    stage.later(121)
    await sweep.sweep_once(worker, "fulfillments", pace)
    bases = await stage.rows("SELECT basis FROM fulfillments ORDER BY queued_at")
    assert bases == [{"basis": None}, {"basis": "never_sent"}]
