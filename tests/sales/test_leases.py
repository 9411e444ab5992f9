"""One worker inside a row: slow gateways, frozen processes, hints that come while it works."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace as changed

from coinslot.db.pool import Database
from coinslot.gateways.base import Mark, PaymentFact, Taken
from coinslot.gateways.collecting import Pending
from coinslot.kit.money import Money
from coinslot.payments import qr_codes
from coinslot.worker import sweep
from coinslot.worker.sweep import Pace, Sweeper
from tests.conftest import DatabaseUrls
from tests.sales.stage import PACE, Stage
from tests.sales.taking import confirmed, made, taking
from tests.sales.weather import Weather, in_weather

SHORT = Pace(lease_s=0.4)
LONG_S = 30.0


class Held:
    """A verb of the gateway that answers when it is told to."""

    def __init__(self, verb: Callable[..., Awaitable[Any]], *, before: bool = False) -> None:
        self.asked, self.goes_on = asyncio.Event(), asyncio.Event()
        self.calls = 0
        self._verb, self._before = verb, before

    async def __call__(self, *values: Any) -> Any:
        self.calls += 1
        answer = None if self._before else await self._verb(*values)
        self.asked.set()
        await self.goes_on.wait()
        return await self._verb(*values) if self._before else answer


async def owing(stage: Stage) -> Weather:
    weather = in_weather(stage)
    await stage.webhook(await stage.pay(700))
    return weather


async def lease_of(stage: Stage, table: str = "refunds") -> Any:
    return await stage.value(f"SELECT leased_until FROM {table}")


async def renewed(stage: Stage, times: int) -> None:
    """The lease was renewed so often, from now."""
    seen = {await lease_of(stage)}
    async with asyncio.timeout(LONG_S):
        while len(seen) <= times:
            seen.add(await lease_of(stage))


async def test_a_call_slower_than_the_lease_keeps_its_row_to_itself(stage: Stage) -> None:
    weather = await owing(stage)
    slow = Held(weather.give_back)
    weather.give_back = slow  # type: ignore[method-assign,assignment]
    working = asyncio.create_task(sweep.sweep_once(stage.context, "refunds", SHORT))
    await slow.asked.wait()
    began = await lease_of(stage)
    await renewed(stage, 6)  # each is a quarter of a lease
    assert await lease_of(stage) - began > timedelta(seconds=SHORT.lease_s / 2)
    assert await sweep.sweep_once(stage.context, "refunds", PACE) == 0
    slow.goes_on.set()
    assert await working == 1
    assert slow.calls == 1
    assert await stage.value("SELECT state FROM refunds") == "succeeded"
    assert stage.refunded() == 700


class Frozen:
    """Stops the whole process at one of its commits or calls, as SIGSTOP does: nothing is renewed.
    Meanwhile a worker of another process takes the row and works it to its end."""

    def __init__(self, stage: Stage, urls: DatabaseUrls, at: int) -> None:
        self._stage, self._urls, self._left = stage, urls, at
        self.happened = False

    def here(self, point: str = "") -> None:
        if point not in ("", "after_commit"):
            return
        self._left -= 1
        if self._left == 0:
            self.happened = True
            other = threading.Thread(target=lambda: asyncio.run(self._another()))
            other.start()
            other.join()

    async def _another(self) -> None:
        db = await Database.open(self._urls.app, self._urls.door, size=2)
        try:
            context = replace(self._stage.context, db=db)
            left = "SELECT count(*) FROM refunds WHERE state = 'pending'"
            async with asyncio.timeout(LONG_S):
                while await db.system_pool.fetchval(left):  # until the lease has ended
                    await sweep.sweep_once(context, "refunds", PACE)
        finally:
            await db.close()


@pytest.mark.parametrize("step", range(1, 9))
async def test_a_worker_that_wakes_up_with_another_at_its_row_sends_and_writes_nothing(
    stage: Stage, urls: DatabaseUrls, step: int
) -> None:
    """Frozen after each of its commits, and inside each of its calls, in turn."""
    weather = await owing(stage)
    frozen = Frozen(stage, urls, step)
    main = threading.current_thread()

    def freezes(verb: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*values: Any) -> Any:
            answer = await verb(*values)
            if threading.current_thread() is main:
                frozen.here()
            return answer

        return call

    weather.refunds = freezes(weather.refunds)  # type: ignore[method-assign,assignment]
    weather.give_back = freezes(weather.give_back)  # type: ignore[method-assign,assignment]
    stage.context.db.reached = frozen.here
    await sweep.sweep_once(stage.context, "refunds", SHORT)
    stage.context.db.reached = lambda _point: None
    assert len(weather.sent) == 1
    assert stage.refunded() == 700
    assert await stage.value("SELECT state FROM refunds") == "succeeded"
    ended = "SELECT count(*) FROM events WHERE machine = 'refund' AND was <> state"
    assert await stage.value(ended) == 1
    assert frozen.happened or step > 6
    assert await stage.value("SELECT count(*) FROM strays") == 0


async def test_the_steps_at_which_a_worker_is_frozen_are_all_of_its_steps(
    stage: Stage, urls: DatabaseUrls
) -> None:
    await owing(stage)
    commits: list[str] = []
    stage.context.db.reached = lambda point: commits.append(point)
    await sweep.sweep_once(stage.context, "refunds", SHORT)
    calls = 2  # the list, and the sending
    assert 4 <= commits.count("after_commit") + calls <= 8


async def test_what_a_gateway_said_to_a_worker_that_lost_its_row_is_kept_all_the_same(
    stage: Stage,
) -> None:
    weather = await owing(stage)
    slow = Held(weather.give_back)
    weather.give_back = slow  # type: ignore[method-assign,assignment]
    working = asyncio.create_task(sweep.sweep_once(stage.context, "refunds", PACE))
    await slow.asked.wait()
    await another_claims(stage)
    slow.goes_on.set()
    await working
    row = (await stage.rows("SELECT state, gateway_refund_id, tries FROM refunds"))[0]
    assert row["state"] == "succeeded"
    assert row["gateway_refund_id"] is not None
    assert row["tries"] == 1  # of the sending; its outcome was another's to count


async def test_a_refusal_heard_by_a_worker_that_lost_its_row_ends_nothing(stage: Stage) -> None:
    weather = await owing(stage)
    weather.fails("give_back", None, "lost")
    slow = Held(weather.refunds)
    weather.refunds = slow  # type: ignore[method-assign,assignment]
    working = asyncio.create_task(sweep.sweep_once(stage.context, "refunds", PACE))
    await slow.asked.wait()
    await another_claims(stage)
    slow.goes_on.set()
    await working
    assert weather.sent == []
    assert await stage.value("SELECT state FROM refunds") == "pending"


async def another_claims(stage: Stage) -> None:
    async with stage.context.db.system_transaction() as conn:
        await conn.execute("UPDATE refunds SET lease = lease + 1")


@asynccontextmanager
async def sweeping(stage: Stage, table: str, pace: Pace) -> AsyncIterator[asyncio.Task[None]]:
    running = asyncio.create_task(Sweeper(stage.context, table, pace).run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_process_that_stops_leaves_its_rows_to_others_at_once(stage: Stage) -> None:
    weather = await owing(stage)
    calm = weather.give_back
    hangs = Held(calm, before=True)
    weather.give_back = hangs  # type: ignore[method-assign,assignment]
    async with sweeping(stage, "refunds", Pace(grace_s=0.01)):
        await hangs.asked.wait()
        assert await lease_of(stage) is not None
    assert await lease_of(stage) is None
    weather.give_back = calm  # type: ignore[method-assign]
    assert await sweep.sweep_once(stage.context, "refunds", PACE) == 1
    assert stage.refunded() == 700


async def test_what_is_under_way_when_a_process_stops_may_come_to_its_end(stage: Stage) -> None:
    weather = await owing(stage)
    slow = Held(weather.give_back)
    weather.give_back = slow  # type: ignore[method-assign,assignment]
    async with sweeping(stage, "refunds", Pace(grace_s=LONG_S)) as running:
        await slow.asked.wait()
        running.cancel()
        asyncio.get_running_loop().call_later(0.05, slow.goes_on.set)
        await asyncio.gather(running, return_exceptions=True)
    assert await stage.value("SELECT state FROM refunds") == "succeeded"


async def test_a_merchants_own_call_and_the_sweeper_never_charge_side_by_side(
    stage: Stage,
) -> None:
    """The call takes longer than the time after which the sweeper would take its attempt over."""
    gateway = taking(stage)
    slow = Held(gateway.collect)
    gateway.collect = slow  # type: ignore[method-assign,assignment]
    calling = asyncio.create_task(confirmed(stage, await made(stage)))
    await slow.asked.wait()
    stage.later(stage.context.windows.answer_s + 1)
    assert await sweep.sweep_once(stage.context, "attempts", PACE) == 0
    slow.goes_on.set()
    answer = await calling
    assert answer.body["status"] == "succeeded"
    assert slow.calls == 1


async def test_an_answer_from_before_a_hint_does_not_put_the_hint_off(stage: Stage) -> None:
    gateway = taking(stage)
    payment = await made(stage, 5010)
    await confirmed(stage, payment)
    (key,) = gateway.charges
    before = gateway.charges[key]
    assert isinstance(before, Pending)
    stage.later(6)
    slow = Held(gateway.follow)
    gateway.follow = slow  # type: ignore[method-assign,assignment]
    working = asyncio.create_task(sweep.sweep_once(stage.context, "attempts", PACE))
    await slow.asked.wait()
    fact = PaymentFact(
        gateway_payment_id=f"pay_{key}", taken=Taken.CAPTURED, money=Money(5010, "INR"),
        at=stage.clock.now(), mark=Mark(installation="test", payment=str(payment)),
        gateway_order_id=before.reference,
    )  # fmt: skip
    gateway.charges[key] = fact
    gateway.books.payments[fact.gateway_payment_id] = fact
    await stage.webhook(changed(fact, taken=Taken.AUTHORIZED), event="payment.authorized")
    slow.goes_on.set()
    await working
    await stage.sweep("attempts")
    assert await stage.value("SELECT state FROM payments") == "succeeded"


async def test_two_who_make_one_code_at_once_make_one(stage: Stage) -> None:
    weather = in_weather(stage)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        key = await conn.fetchval(
            "UPDATE qr_codes SET stage = 'wanted', qr_code_id = NULL, asked_at = NULL, due_at = $1"
            " RETURNING id", stage.clock.now(),
        )  # fmt: skip
    weather.books.qr_codes.clear()
    slow = Held(weather.find_qr)
    weather.find_qr = slow  # type: ignore[method-assign,assignment]
    first = asyncio.create_task(qr_codes.drive_now(stage.context, key))
    await slow.asked.wait()
    assert not await qr_codes.drive_now(stage.context, key)
    assert await sweep.sweep_once(stage.context, "qr_codes", PACE) == 0
    slow.goes_on.set()
    assert await first
    assert len(weather.books.qr_codes) == 1
