"""An order of nothing: no payment, no capture, and it is handed over all the same."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest

from coinslot.orders import checkout, order_records, order_refunds, outlet_pages, store
from coinslot.orders.order_refunds import OrderRefund, Outcome
from coinslot.orders.outlet_windows import set_windows
from coinslot.orders.page_views import NotNowError, WhyNot
from coinslot.orders.placing import Placed
from coinslot.orders.pricing import Discount, Extra, ExtraKind
from coinslot.oversight import cases
from coinslot.oversight.cases import CaseError, Person
from coinslot.pages import order_progress
from coinslot.pages.order_progress import Phase
from coinslot.payments.merchant_api import RuledOutError
from coinslot.vending import machine_messages
from tests.sales.stage import Stage
from tests.sales.test_around_a_commit import dies
from tests.sales.test_extras import ordered, place
from tests.sales.test_partly import drop, jam, told

EVERYTHING = (Discount(10**9),)
NO_EXTRAS: Sequence[Extra] = ()


async def free(stage: Stage, pieces: int = 1) -> Placed:
    await stage.hello()
    placed = await place(stage, pieces, EVERYTHING, NO_EXTRAS, 0)
    await stage.sweep()
    return placed


async def state(stage: Stage) -> str:
    found: str = await stage.value("SELECT state FROM orders")
    return found


async def phase(stage: Stage, placed: Placed) -> Phase:
    view = await outlet_pages.order(stage.context, placed.token)
    assert view is not None
    return order_progress.phase(view, stage.clock.now())


async def nothing_moved(stage: Stage) -> None:
    for table in ("payments", "captures", "refunds", "ledger"):
        assert await stage.value(f"SELECT count(*) FROM {table}") == 0, table


async def test_it_is_handed_over_without_payment_and_capture(stage: Stage) -> None:
    placed = await free(stage)
    assert placed.price.total == 0
    assert await state(stage) == "paid"
    await drop(stage, 1)
    assert await state(stage) == "completed"
    assert await phase(stage, placed) is Phase.DONE
    assert await stage.value("SELECT stock FROM slots") == 9
    await nothing_moved(stage)
    assert (await told(stage, "order.completed"))["amount"] == 0


async def test_it_is_paid_the_moment_it_is_placed_and_each_piece_waits_for_its_machine(
    stage: Stage,
) -> None:
    placed = await place(stage, 2, EVERYTHING, NO_EXTRAS, 0)
    now, windows = stage.clock.now(), stage.context.windows
    until = now + windows.span("dispatch_s")
    (order,) = await stage.rows("SELECT * FROM orders")
    written = {
        "id": placed.id, "merchant_id": stage.merchant, "outlet_id": "M01", "state": "paid",
        "version": 2, "token": placed.token, "source": "page", "amount_minor": 0,
        "currency": "INR", "placed_at": now, "paid_at": now, "dispatch_by": until,
        "expires_at": until, "due_at": None, "ended_at": None, "browser": None, "network": None,
        "receipt_contact": None, "ends_by": None,
    }  # fmt: skip
    assert {name: order[name] for name in written} == written
    (line,) = await stage.rows("SELECT * FROM order_lines")
    written = {
        "order_id": placed.id, "slot": "A1", "sku": "cola", "name": "Cola", "quantity": 2,
        "price_minor": 4000, "cost_minor": 0, "unit_minor": [0, 0], "tax_minor": [0, 0],
    }  # fmt: skip
    assert {name: line[name] for name in written} == written
    units = await stage.rows("SELECT * FROM fulfillments")
    unit = {
        "order_id": placed.id, "line_id": line["id"], "capture_id": None, "amount_minor": 0,
        "state": "queued", "queued_at": now, "dispatch_by": until, "due_at": now,
    }  # fmt: skip
    assert [{name: one[name] for name in unit} for one in units] == [unit, unit]
    told = await stage.rows(
        "SELECT event, state, at FROM events WHERE machine = 'order' ORDER BY seq"
    )
    assert [tuple(one.values()) for one in told] == [("PLACED", None, now), ("PAID", "paid", now)]


async def test_one_that_fails_ends_and_its_page_promises_no_money(stage: Stage) -> None:
    placed = await free(stage)
    await jam(stage, 1)
    assert await state(stage) == "failed"
    assert await phase(stage, placed) is Phase.NOTHING_DUE
    await nothing_moved(stage)


async def test_one_that_no_machine_takes_ends_within_the_machines_own_window(
    stage: Stage,
) -> None:
    await set_windows(stage.context, "M01", {"dispatch_s": 300})
    await place(stage, 1, EVERYTHING, NO_EXTRAS, 0)
    stage.later(299)
    await stage.sweep()
    assert await state(stage) == "paid"
    stage.later(1)
    await stage.sweep()
    assert await state(stage) == "failed"


async def test_one_that_no_machine_takes_ends_within_the_dispatch_window(stage: Stage) -> None:
    await place(stage, 2, EVERYTHING, NO_EXTRAS, 0)
    stage.later(119)
    await stage.sweep()
    assert await state(stage) == "paid"
    stage.later(2)
    await stage.sweep()
    assert await state(stage) == "failed"
    await nothing_moved(stage)


async def test_silence_after_go_is_settled_by_policy_and_flagged(stage: Stage) -> None:
    await free(stage)
    await stage.accept()
    await stage.silence()
    assert await state(stage) == "failed"
    assert await stage.value("SELECT amount_minor FROM exposures") == 0
    await nothing_moved(stage)


async def test_some_of_it_handed_over_completes_it(stage: Stage) -> None:
    placed = await free(stage, 2)
    await jam(stage, 1)
    assert await state(stage) == "paid"
    await drop(stage, 2)
    assert await state(stage) == "completed"
    assert await phase(stage, placed) is Phase.DONE
    await nothing_moved(stage)


async def test_the_simple_dialect_hands_it_over_too(simple_stage: Stage) -> None:
    stage = simple_stage
    await machine_messages.record_heartbeats(stage.context, {"M01": stage.clock.now()})
    placed = await place(stage, 1, EVERYTHING, NO_EXTRAS, 0)
    await stage.sweep("fulfillments")
    assert stage.line.sent[-1]["orderId"] == str(placed.id)


async def test_of_two_who_order_the_last_one_for_nothing_one_is_told_that_it_is_gone(
    stage: Stage,
) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE slots SET stock = 1")
    both = [place(stage, 1, EVERYTHING, NO_EXTRAS, 0) for _ in range(2)]
    made = await asyncio.gather(*both, return_exceptions=True)
    refused = [one for one in made if isinstance(one, NotNowError)]
    assert [one.why_not for one in refused] == [WhyNot.SOLD_OUT]
    assert await stage.value("SELECT count(*) FROM orders") == 1


async def test_a_process_that_dies_before_its_commit_has_given_nothing_away(stage: Stage) -> None:
    await dies(stage, "before_commit", place(stage, 1, EVERYTHING, NO_EXTRAS, 0))
    assert await stage.value("SELECT count(*) FROM fulfillments") == 0


async def test_it_cannot_be_paid_and_gives_nothing_back(stage: Stage) -> None:
    placed = await free(stage)
    assert await checkout.pay(stage.context, checkout.WayTap(order=placed.token)) is None
    wanted = OrderRefund(order=placed.id, key="k", by="asha", reason="why")
    with pytest.raises(RuledOutError) as caught:
        await order_refunds.refund(stage.context, stage.merchant, wanted)
    assert caught.value.code == "not_paid"
    record = await order_records.order(stage.context, stage.merchant, placed.id)
    assert record is not None
    assert (record.left, record.gateway_payment_id) == (0, None)
    await nothing_moved(stage)


async def test_who_was_given_something_is_not_known_as_one_who_pays(stage: Stage) -> None:
    await free(stage)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE orders SET browser = 'b'")
        assert await conn.fetchval(store.HAS_PAID, "b") is False


async def test_a_machine_that_denies_a_free_drop_is_a_case_in_which_no_money_moves(
    stage: Stage,
) -> None:
    await free(stage)
    await drop(stage, 1)
    await stage.result("FAILED", drop="no", event_seq=2)
    await stage.sweep()
    (case,) = await cases.listed(stage.context)
    assert case.kind == "no_drop_after_fulfilled"
    with pytest.raises(CaseError):
        await cases.refund(stage.context, case.id, Person("asha", "seen"))
    await cases.leave(stage.context, case.id, Person("asha", "seen"))
    await nothing_moved(stage)


async def test_a_drop_after_a_free_order_failed_is_noted(stage: Stage) -> None:
    await free(stage)
    await jam(stage, 1)
    await stage.result(event_seq=2)
    assert await stage.value("SELECT kind FROM discrepancies") == "dropped_after_refund"


# What costs nothing in an order that costs something.


async def test_goods_for_a_tip_alone_are_handed_over_and_the_tip_is_earned(stage: Stage) -> None:
    tip = Extra(ExtraKind.TIP, 500)
    await ordered(stage, tip, discounts=EVERYTHING)
    await drop(stage, 1)
    assert await state(stage) == "completed"
    assert await stage.value("SELECT fulfilled FROM captures") == 500


async def test_the_tip_goes_back_when_goods_that_cost_nothing_fail(stage: Stage) -> None:
    await ordered(stage, Extra(ExtraKind.TIP, 500), discounts=EVERYTHING)
    await jam(stage, 1)
    assert await state(stage) == "failed"
    assert stage.refunded() == 500


async def test_a_refund_of_all_withdraws_what_costs_nothing_too(stage: Stage) -> None:
    order: UUID = await ordered(stage, Extra(ExtraKind.TIP, 500), discounts=EVERYTHING)
    wanted = OrderRefund(order=order, key="k", by="asha", reason="why")
    made = await order_refunds.refund(stage.context, stage.merchant, wanted)
    assert sorted((part.amount, part.outcome) for part in made.parts) == [
        (0, Outcome.WITHDRAWN), (500, Outcome.WITHDRAWN),
    ]  # fmt: skip
    await stage.sweep()
    assert await state(stage) == "failed"
    assert stage.refunded() == 500


async def test_what_costs_money_has_a_capture_whoever_asks(stage: Stage) -> None:
    await free(stage)
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            await conn.execute("UPDATE fulfillments SET amount_minor = 1")
    await jam(stage, 1)
