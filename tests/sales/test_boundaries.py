"""Every window of time at its very end: a microsecond before it, at it, and a microsecond after.

A window is over at its end, not after it. Each row drives the verb itself to the moment and says
what can be seen from outside.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from coinslot.gateways.breaker import Breaker, Position, Rules
from coinslot.orders import outlet_pages
from coinslot.oversight import cases
from coinslot.payments import idempotency as calls
from coinslot.payments.idempotency import KeyBusyError
from coinslot.payments.provision import decommission
from coinslot.worker.prune import prune
from tests.sales.stage import START, Stage
from tests.sales.taking import confirmed, made, once, taking
from tests.sales.test_page_orders import order, pay, placed
from tests.sales.weather import LOST, in_weather

MICRO = timedelta(microseconds=1)
DAY = timedelta(days=1)

Window = Callable[[Stage, timedelta], Awaitable[object]]


def go_to(stage: Stage, moment: datetime) -> None:
    stage.clock.advance(moment - stage.clock.now())


async def unit_at(stage: Stage, moment: datetime) -> object:
    """State and basis after the sweeper has come at that moment."""
    go_to(stage, moment)
    await stage.sweep("fulfillments")
    (row,) = await stage.rows("SELECT state, basis FROM fulfillments")
    return row["basis"] or row["state"]


async def dispatch_window(stage: Stage, by: timedelta) -> object:
    await stage.sell()  # and no machine is heard of
    end = await stage.value("SELECT dispatch_by FROM fulfillments")
    return await unit_at(stage, end + by)


async def dispatch_window_as_a_machine_comes(stage: Stage, by: timedelta) -> object:
    await stage.sell()
    end = await stage.value("SELECT dispatch_by FROM fulfillments")
    go_to(stage, end + by)
    await stage.hello()
    return await stage.value("SELECT state FROM fulfillments")


async def dispatch_window_as_a_machine_accepts(stage: Stage, by: timedelta) -> object:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    end = await stage.value("SELECT dispatch_by FROM fulfillments")
    go_to(stage, end + by)
    await stage.accept()
    return await stage.value("SELECT sent_at IS NOT NULL FROM fulfillments")


async def offer(stage: Stage, by: timedelta) -> object:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    before = len(stage.line.sent)
    go_to(stage, await stage.value("SELECT offered_at FROM vend_units"))
    stage.clock.advance(stage.context.windows.span("offer_s") + by)
    await stage.sweep("fulfillments")
    return len(stage.line.sent) - before


async def run_after_the_lease(stage: Stage, by: timedelta) -> object:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    end = await stage.value("SELECT lease_end FROM vend_units")
    return await unit_at(stage, end + stage.context.windows.span("run_s") + by)


async def in_doubt(stage: Stage, by: timedelta) -> object:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    end = await stage.value("SELECT hard_deadline FROM fulfillments")
    assert await unit_at(stage, end - 10 * MICRO) == "in_doubt"
    return await unit_at(stage, end + by)


async def order_until_it_is_paid(stage: Stage, by: timedelta) -> object:
    token = await placed(stage)
    end = (await order(stage, token))["expires_at"]
    paid = await pay(stage, token)
    go_to(stage, end + timedelta(seconds=1))  # nobody swept
    await stage.webhook(replace(paid, at=end + by))
    return (await order(stage, token))["state"]


async def order_that_nobody_pays(stage: Stage, by: timedelta) -> object:
    token = await placed(stage)
    go_to(stage, (await order(stage, token))["expires_at"] + by)
    await stage.sweep("orders")
    return (await order(stage, token))["state"]


async def printed_code(stage: Stage, by: timedelta) -> object:
    """It is retired in the middle of a second."""
    paid = await stage.pay()
    stage.later(0.5)
    await decommission(stage.context, "M01")
    retired = stage.clock.now()
    stage.later(1)
    await stage.webhook(replace(paid, at=retired + by))
    return await stage.value("SELECT coalesce(reason, 'sold') FROM captures")


async def key_of_a_refund(stage: Stage, by: timedelta) -> object:
    """Whether its key is sent as the one that lives, or as a new one after a look."""
    weather = in_weather(stage)
    weather.fails("give_back", LOST, LOST)
    await stage.sell()
    stage.later(stage.context.windows.dispatch_s)
    await stage.sweep("fulfillments", "refunds")
    sent = await stage.value("SELECT key_sent_at FROM refunds")
    go_to(stage, sent + timedelta(seconds=stage.gateway.refund_key_life_s) + by)
    await stage.sweep("refunds")
    again = await stage.value("SELECT key_sent_at FROM refunds")
    return "the same" if again == sent else "anew"


async def answer_of_a_call(stage: Stage, by: timedelta) -> object:
    """Who began died: the key can be gone on with once the call may run no longer."""
    call = once(stage, "create", "k")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await calls.begin(conn, stage.context, call)
    stage.clock.advance(stage.context.windows.span("answer_s") + by)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        try:
            return type(await calls.begin(conn, stage.context, call)).__name__
        except KeyBusyError:
            return "busy"


async def key_of_a_call(stage: Stage, by: timedelta) -> object:
    taking(stage)
    payment = await made(stage)
    await confirmed(stage, payment)
    await stage.sweep()
    stage.clock.advance(
        stage.context.windows.span("keys_kept_s") - stage.context.windows.span("answer_s")
    )
    stage.clock.advance(2 * stage.context.windows.span("answer_s") + by)
    return await prune(stage.context, "keys")


async def processing(stage: Stage, by: timedelta) -> object:
    gateway = taking(stage)
    for verb in ("collect", "find_charge"):
        gateway.fails(verb, *[LOST] * 40)
    payment = await made(stage)
    await confirmed(stage, payment)
    end = await stage.value("SELECT processing_deadline_at FROM payments WHERE id = $1", payment)
    go_to(stage, end + by)
    await stage.sweep("payments")
    return [case.kind for case in await cases.listed(stage.context)]


async def machine_online(stage: Stage, by: timedelta) -> object:
    await stage.hello()
    stage.clock.advance(stage.context.windows.span("online_s") + by)
    view = await outlet_pages.outlet(stage.context, "M01")
    assert view is not None
    return view.why_not.value or "ready"


OPEN_CASE = ["payment_unresolved"]


@pytest.mark.parametrize(
    ("window", "seen"),
    [
        (dispatch_window, ("queued", "never_sent", "never_sent")),
        (dispatch_window_as_a_machine_comes, ("offered", "queued", "queued")),
        (dispatch_window_as_a_machine_accepts, (True, False, False)),
        (offer, (0, 1, 1)),
        (run_after_the_lease, ("going", "in_doubt", "in_doubt")),
        (in_doubt, ("in_doubt", "policy", "policy")),
        (order_until_it_is_paid, ("paid", "expired", "expired")),
        (order_that_nobody_pays, ("placed", "expired", "expired")),
        (printed_code, ("sold", "qr_retired", "qr_retired")),
        (key_of_a_refund, ("the same", "anew", "anew")),
        (answer_of_a_call, ("busy", "Resumed", "Resumed")),
        (key_of_a_call, (0, 0, 2)),  # kept as long as it is told, to the last moment
        (processing, ([], OPEN_CASE, OPEN_CASE)),
        (machine_online, ("ready", "ready", "offline")),  # heard just so long ago is heard
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
@pytest.mark.parametrize("moment", ["before", "at", "after"])
async def test_a_window_ends_at_its_end(
    stage: Stage, window: Window, seen: tuple[object, ...], moment: str
) -> None:
    """`seen` is what is seen before, at and after the end."""
    which = ("before", "at", "after").index(moment)
    assert await window(stage, (which - 1) * MICRO) == seen[which]


@pytest.mark.parametrize(
    ("by", "lets"), [(-MICRO, False), (timedelta(0), True), (MICRO, True)], ids=str
)
def test_a_breakers_pause_ends_at_its_end(by: timedelta, lets: bool) -> None:
    rules = Rules(failures=1, window=timedelta(seconds=60), pause=timedelta(seconds=30))
    breaker = Breaker("mock/boundary")
    breaker.record(False, START, rules)
    assert breaker.position is Position.OPEN
    assert breaker.enter(START + rules.pause + by, rules) is lets
    breaker.record(True, START + DAY, rules)


@pytest.mark.parametrize(
    ("by", "opens"), [(-MICRO, True), (timedelta(0), True), (MICRO, False)], ids=str
)
def test_a_breaker_counts_what_failed_within_its_window(by: timedelta, opens: bool) -> None:
    rules = Rules(failures=2, window=timedelta(seconds=60), pause=timedelta(seconds=30))
    breaker = Breaker("mock/boundary")
    breaker.record(False, START, rules)
    breaker.record(False, START + rules.window + by, rules)
    assert (breaker.position is Position.OPEN) is opens
    breaker.record(True, START + DAY, rules)
