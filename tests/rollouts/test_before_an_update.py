"""A machine that never has a moment without a customer sells nothing new for a while, so that it
can be updated: late, bounded, ended by itself, and nobody who has paid is left with nothing."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.kit.faults import no_fault
from coinslot.orders import checkout
from coinslot.orders.checkout import OrderRequest, WayTap
from coinslot.orders.page_views import NotNowError
from coinslot.rollouts import rollouts
from coinslot.rollouts.plan import DEFAULT_RULES, Rules
from tests.rollouts.fleet import FAST, Fleet
from tests.rollouts.test_killed import DiedError, dies_at

RULES = replace(FAST, idle_s=86_400, off_sale_after_s=600, off_sale_s=180, stage_s=86_400)


async def is_closed(fleet: Fleet, code: str) -> bool:
    """To new customers."""
    now = fleet.stage.clock.now()
    return await fleet.stage.value("SELECT outlet_closed($1, $2)", code, now) is not None


async def _is_well(fleet: Fleet) -> bool:
    """By the auditor; the code of the stage's own machine is polled by nobody here."""
    return (await fleet.stage.audit()).red <= {"nothing_is_overdue"}


class Queue:
    """Customers without end at one machine: whenever its page sells, one has just paid."""

    def __init__(self, fleet: Fleet, code: str) -> None:
        self.fleet, self.code = fleet, code
        self.units: list[UUID] = []
        self.closed_s = 0.0

    async def stands(self, seconds: float, step: float = 20) -> None:
        for _ in range(int(seconds / step)):
            self.fleet.stage.clock.advance(timedelta(seconds=step))
            await self.fleet.beat()
            if await is_closed(self.fleet, self.code):
                self.closed_s += step
            else:
                self.units.append(await self.fleet.sell(self.code))
            await self.fleet.stage.sweep("rollouts", "machine_updates")
            await self.fleet.settle()

    async def all_fell(self) -> bool:
        states = {await self.fleet.unit_state(unit) for unit in self.units}
        drops = self.fleet.machines[self.code].drops()
        return states <= {"vended"} and len(drops) == len(set(drops)) == len(self.units)


async def _busy(fleet: Fleet, rules: Rules = RULES) -> Queue:
    (code,) = await fleet.add(1)
    queue = Queue(fleet, code)
    queue.units.append(await fleet.sell(code))
    await fleet.roll_out(await fleet.upload(), rules)
    await queue.stands(60)
    assert await fleet.state_of(code) == "verified"
    return queue


async def test_a_machine_that_is_always_busy_is_off_sale_for_a_moment_and_is_updated(
    fleet: Fleet,
) -> None:
    queue = await _busy(fleet)
    await queue.stands(RULES.off_sale_after_s - 120)
    assert queue.closed_s == 0, "it is given time to find a moment by itself"
    await queue.stands(240)
    assert await fleet.state_of(queue.code) == "confirmed"
    assert 0 < queue.closed_s <= RULES.off_sale_s
    assert not await is_closed(fleet, queue.code)
    assert await queue.all_fell()
    assert await _is_well(fleet)


@pytest.mark.parametrize(
    "rules", [replace(RULES, off_sale_s=0), replace(RULES, off_sale_after_s=7200)], ids=str
)
async def test_it_is_left_alone_where_a_roll_out_says_so(fleet: Fleet, rules: Rules) -> None:
    queue = await _busy(fleet, rules)
    await queue.stands(RULES.off_sale_after_s * 2, step=30)
    assert (await fleet.state_of(queue.code), queue.closed_s) == ("verified", 0)


def test_by_default_it_comes_after_six_hours_and_lasts_ten_minutes_at_most() -> None:
    assert (DEFAULT_RULES.off_sale_after_s, DEFAULT_RULES.off_sale_s) == (6 * 3600, 600)
    assert DEFAULT_RULES.off_sale_after_s < DEFAULT_RULES.idle_s


async def _until_closed(queue: Queue) -> None:
    """Customers come, until one has just paid and nobody new may."""
    fleet = queue.fleet
    for _ in range(100):
        fleet.stage.later(10)
        await fleet.beat()
        queue.units.append(await fleet.sell(queue.code))
        await fleet.stage.sweep("rollouts", "machine_updates")
        if await is_closed(fleet, queue.code):
            return
        await fleet.settle()
    raise AssertionError("it sells on")


async def _closed(fleet: Fleet, rules: Rules = RULES) -> Queue:
    queue = await _busy(fleet, rules)
    fleet.stage.later(rules.off_sale_after_s - 90)
    await _until_closed(queue)
    return queue


async def test_nobody_new_may_pay_and_who_has_paid_gets_goods(fleet: Fleet) -> None:
    queue = await _closed(fleet)
    with pytest.raises(NotNowError):
        await checkout.place(
            fleet.stage.context, OrderRequest(outlet=queue.code, slot="A1", key="k")
        )
    printed = await fleet.sell(queue.code)  # a printed code takes money all the same
    queue.units.append(printed)
    await fleet.wait(60)
    assert await queue.all_fell()
    assert await fleet.state_of(queue.code) == "confirmed"


async def test_a_customer_who_is_at_the_payment_is_waited_for(fleet: Fleet) -> None:
    queue = await _busy(fleet)
    context = fleet.stage.context
    fleet.stage.later(RULES.off_sale_after_s)
    await fleet.beat()
    token = await checkout.place(context, OrderRequest(outlet=queue.code, slot="A1", key="k"))
    await checkout.pay(context, WayTap(order=token))
    await fleet.stage.sweep("machine_updates")
    assert await is_closed(fleet, queue.code)
    await fleet.wait(context.windows.hold_s - 30)
    assert await fleet.state_of(queue.code) == "verified"
    await fleet.wait(60)
    assert await fleet.state_of(queue.code) == "confirmed"


async def test_it_ends_by_itself_when_no_server_runs_and_comes_again_only_after_the_pause(
    fleet: Fleet,
) -> None:
    queue = await _closed(fleet)
    await fleet.stage.sweep("fulfillments")
    await fleet.deliver()
    fleet.stage.later(RULES.off_sale_s - 1)
    assert await is_closed(fleet, queue.code)
    fleet.stage.later(2)
    assert not await is_closed(fleet, queue.code)
    ended = fleet.stage.clock.now()
    fleet.stage.later(RULES.off_sale_after_s - 60)
    await _until_closed(queue)
    pause = (fleet.stage.clock.now() - ended).total_seconds()
    assert RULES.off_sale_after_s - 20 <= pause <= RULES.off_sale_after_s + 20
    await fleet.settle()
    assert await queue.all_fell()


@pytest.mark.parametrize("why", ["pause", "abort", "hours", "silence"])
async def test_it_ends_at_once_when_the_machine_may_not_install_any_more(
    fleet: Fleet, why: str
) -> None:
    queue = await _closed(fleet)
    context, editor = fleet.stage.context, fleet.editor
    if why == "pause":
        await rollouts.pause(context, editor, fleet.rollout)
    elif why == "abort":
        await rollouts.abort(context, editor, fleet.rollout)
    elif why == "hours":
        rule = '{"window": ["01:00", "01:01"]}'
        await fleet.stage.rows(f"UPDATE rollouts SET rules = rules || '{rule}' RETURNING 1")
    if why != "silence":
        fleet.stage.later(6)
        await fleet.beat()
    else:
        fleet.stage.later(context.windows.online_s + 1)
    await fleet.stage.sweep("machine_updates")
    assert not await is_closed(fleet, queue.code)
    await fleet.settle()
    assert await queue.all_fell()


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
async def test_a_server_that_dies_at_any_commit_leaves_no_outlet_closed_and_no_unit_stranded(
    fleet: Fleet, point: str
) -> None:
    queue = await _busy(fleet, replace(RULES, off_sale_after_s=60, off_sale_s=120))
    died: list[int] = []
    for life in range(14):
        fleet.stage.clock.advance(timedelta(seconds=20))
        await fleet.beat()
        if not await is_closed(fleet, queue.code):
            queue.units.append(await fleet.sell(queue.code))
        fleet.stage.context.db.reached = dies_at(point, 1 + life % 4, died)
        with suppress(DiedError):
            await fleet.stage.sweep("rollouts", "machine_updates", "fulfillments")
            await fleet.deliver()
        fleet.stage.context.db.reached = no_fault
        for table in ("rollouts", "machine_updates", "fulfillments"):
            await fleet.stage.rows(
                f"UPDATE {table} SET leased_until = NULL WHERE leased_until IS NOT NULL RETURNING 1"
            )
        if await fleet.state_of(queue.code) == "confirmed":
            break
    assert len(died) > 3
    await fleet.wait(600, step=60)
    assert await fleet.state_of(queue.code) == "confirmed"
    assert not await is_closed(fleet, queue.code)
    owed = await fleet.stage.value("SELECT count(*) FROM fulfillments WHERE settlement IS NULL")
    assert owed == 0
    drops = fleet.machines[queue.code].drops()
    assert len(drops) == len(set(drops))
    assert await _is_well(fleet)
