"""Nothing leaves before its commit, and of two that want a unit at once one finds it changed."""

import asyncio
from datetime import timedelta

import pytest

from coinslot.channels import messages as wire
from coinslot.kit.faults import no_fault
from coinslot.orders import fulfillment
from coinslot.vending import dispatch, machine_messages
from tests.sales.stage import Stage


class DiedError(Exception):
    """The process is gone."""


async def dies(stage: Stage, point: str, doing: object) -> None:
    """Work it in a process that dies when it reaches the point."""
    assert asyncio.iscoroutine(doing)

    def reached(here: str) -> None:
        if here == point:
            raise DiedError

    stage.context.db.reached = reached
    with pytest.raises(DiedError):
        await doing
    stage.context.db.reached = no_fault


async def offered(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    assert stage.offered()


async def test_who_dies_before_the_commit_of_an_offer_has_sent_none(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await dies(stage, "before_commit", dispatch.offer_next(stage.context, stage.merchant, "M01"))
    assert stage.line.sent == []


async def test_who_dies_before_the_commit_of_go_has_sent_none(stage: Stage) -> None:
    await offered(stage)
    before = list(stage.line.sent)
    await dies(stage, "before_commit", stage.accept())
    assert stage.line.sent == before
    (go,) = await stage.accept()
    assert go.seq == stage.offered()["seq"], "the machine says it again, and nothing is lost"


async def test_who_dies_between_the_commit_of_go_and_its_sending_sends_the_same(
    stage: Stage,
) -> None:
    await offered(stage)
    await dies(stage, "after_commit", stage.accept())
    kept = await stage.value("SELECT go_message FROM vend_units")
    stage.later(1)
    (go,) = await stage.accept()
    assert go.hmac == kept["hmac"]


async def test_who_dies_before_the_commit_of_a_result_has_acknowledged_nothing(
    stage: Stage,
) -> None:
    await offered(stage)
    await stage.accept()
    await stage.started()
    before = list(stage.line.sent)
    await dies(stage, "before_commit", stage.result())
    assert stage.line.sent == before
    assert await stage.value("SELECT state FROM fulfillments") == "started"
    (evack,) = await stage.result()
    assert evack.through == 2
    assert await stage.value("SELECT state FROM fulfillments") == "vended"


async def test_an_accept_and_the_end_of_the_window_at_once_are_goods_or_money(
    stage: Stage,
) -> None:
    """Both come before either may write, and both believe that the unit is only offered."""
    await offered(stage)
    async with stage.context.db.as_merchant(stage.merchant) as holder:
        row = await holder.fetchrow(
            "SELECT * FROM fulfillments JOIN vend_units v USING (id) FOR UPDATE"
        )
        assert row is not None
        accept = wire.Accept(
            unit_id=row["id"], seq=row["seq"], journal_id="j1", boot_id="b1", mono_ms=2000
        )
        machine = machine_messages.Machine("M01", stage.merchant)
        in_time = row["dispatch_by"] - timedelta(seconds=0.1)
        accepting = asyncio.create_task(
            machine_messages.receive(stage.context, machine, accept, in_time)
        )
        await waiting_for_locks(stage, 1)
        stage.later(121)
        giving_up = asyncio.create_task(fulfillment.drive(stage.context, row))
        await waiting_for_locks(stage, 2)
    downs, _ = await asyncio.gather(accepting, giving_up)
    (unit,) = await stage.rows("SELECT settlement, sent_at FROM fulfillments")
    assert unit["settlement"] == (None if downs else "refund_due")
    assert (unit["sent_at"] is not None) == bool(downs)


async def waiting_for_locks(stage: Stage, number: int) -> None:
    """Until so many others of this database wait for a lock; they have no event to await."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with asyncio.timeout(10):
        while await stage.context.db.app.fetchval(waiting) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
