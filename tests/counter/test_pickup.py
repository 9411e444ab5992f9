"""Orders for later: their minutes of work, their time on the board, and a closed counter."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from coinslot.counter import board, pickup, staff
from coinslot.counter.basket import BasketError, Wish
from coinslot.counter.hours import SpecialDay, WeekInterval
from coinslot.counter.ordering import ClosedError
from coinslot.counter.pickup import NoSlotError, OpeningHours, SlotFullError
from coinslot.counter.staff import CounterError, Why
from coinslot.orders import checkout
from coinslot.orders.checkout import WayTap
from coinslot.orders.page_views import Progress
from tests.counter.stage import Counter

ALWAYS = OpeningHours(days_ahead=1, lead_min=20)
BUSY = OpeningHours(days_ahead=1, lead_min=10, slot_min=60, slot_work_min=30)


async def opens(counter: Counter, hours: OpeningHours) -> None:
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        assert await pickup.set_hours(conn, "S01", hours)


async def work_of(counter: Counter, sku: str, minutes: int) -> None:
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        await conn.execute(
            "UPDATE counter_items SET prep_min = $2 WHERE product_id ="
            " (SELECT id FROM products WHERE sku = $1)", sku, minutes,
        )  # fmt: skip


async def slots(counter: Counter) -> list[datetime]:
    at = await counter.store()
    return at.hours.slots(at.now)


async def on_board(counter: Counter) -> list[UUID]:
    return [one.id for one in await board.orders(counter.stage.context, counter.who)]


async def test_an_order_for_later_reaches_the_board_when_it_is_to_be_begun(
    counter: Counter,
) -> None:
    await opens(counter, ALWAYS)
    wanted = (await slots(counter))[16]
    order = await counter.paid(Wish(sku="cake"), wanted_at=wanted)
    assert (await counter.view(order)).wanted_at == wanted
    begins = wanted - timedelta(minutes=20)
    assert begins - counter.stage.clock.now() > timedelta(hours=3)
    counter.stage.later((begins - counter.stage.clock.now()).total_seconds() - 1)
    await counter.stage.sweep()
    assert await on_board(counter) == []
    counter.stage.later(1)
    await counter.stage.sweep()
    assert await on_board(counter) == [order]
    (shown,) = await board.orders(counter.stage.context, counter.who)
    assert (shown.wanted_at, shown.since) == (wanted, begins)
    counter.stage.later(599)
    await counter.stage.sweep()
    await staff.accept(counter.stage.context, counter.who, order)
    await staff.ready(counter.stage.context, counter.who, order)
    counter.stage.later((wanted - counter.stage.clock.now()).total_seconds() + 3599)
    await counter.stage.sweep()
    assert (await counter.view(order)).progress is Progress.WORKING
    await counter.complete(order)
    assert await counter.ends(order) == [("picked_up", "code", None)]


async def test_a_counter_that_names_no_time_to_prepare_takes_orders_for_a_moment_ahead(
    counter: Counter,
) -> None:
    await opens(counter, OpeningHours(days_ahead=1))
    first, second = (await slots(counter))[:2]
    assert second - first == timedelta(minutes=15)
    counter.stage.later((first - counter.stage.clock.now()).total_seconds() - 1)
    assert (await slots(counter))[0] == first
    counter.stage.later(1)
    assert (await slots(counter))[0] == second


async def test_an_order_for_later_that_nobody_accepts_goes_back_after_its_time_to_be_accepted(
    counter: Counter,
) -> None:
    await opens(counter, ALWAYS)
    wanted = (await slots(counter))[8]
    order = await counter.paid(Wish(sku="cake"), wanted_at=wanted)
    begins = wanted - timedelta(minutes=20)
    counter.stage.later((begins - counter.stage.clock.now()).total_seconds() + 599)
    await counter.stage.sweep()
    assert counter.stage.refunded() == 0
    counter.stage.later(2)
    await refused_late(counter, order)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("not_picked_up", "never_sent", "not_accepted")]
    assert counter.stage.refunded() == 420
    assert not (await counter.stage.audit()).red


async def refused_late(counter: Counter, order: UUID) -> None:
    with pytest.raises(CounterError) as caught:
        await staff.accept(counter.stage.context, counter.who, order)
    assert caught.value.why is Why.TOO_LATE


async def test_an_order_for_later_that_is_made_early_is_kept_until_it_is_wanted(
    counter: Counter,
) -> None:
    await opens(counter, ALWAYS)
    await counter.board_open(80)
    wanted = (await slots(counter))[40]
    order = await counter.paid(Wish(sku="cake"), wanted_at=wanted)
    await staff.accept(counter.stage.context, counter.who, order)
    await staff.undo(counter.stage.context, counter.who, order, staff.Status.PLACED)
    await staff.accept(counter.stage.context, counter.who, order)
    await staff.ready(counter.stage.context, counter.who, order)
    counter.stage.later((wanted - counter.stage.clock.now()).total_seconds() + 7199)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("to_pick_up", None, None)]
    counter.stage.later(2)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("not_picked_up", "never_sent", "not_fetched")]


async def test_its_customer_cancels_an_order_for_later_and_its_minutes_are_free_again(
    counter: Counter,
) -> None:
    await opens(counter, BUSY)
    await work_of(counter, "cake", 30)
    wanted = (await slots(counter))[4]
    order = await counter.paid(Wish(sku="cake"), wanted_at=wanted)
    with pytest.raises(SlotFullError):
        await counter.place(Wish(sku="cake"), wanted_at=wanted)
    await staff.cancel(counter.stage.context, (await counter.view(order)).token)
    await counter.stage.sweep()
    await counter.place(Wish(sku="cake"), wanted_at=wanted)


async def test_of_orders_that_race_for_a_slot_as_many_are_placed_as_it_has_minutes_for(
    counter: Counter,
) -> None:
    await opens(counter, BUSY)
    await work_of(counter, "tea", 10)
    wanted = (await slots(counter))[3]
    answers = await asyncio.gather(
        *(counter.place(Wish(sku="tea"), wanted_at=wanted) for _ in range(12)),
        return_exceptions=True,
    )
    placed = [answer for answer in answers if isinstance(answer, str)]
    full = [answer for answer in answers if isinstance(answer, SlotFullError)]
    assert (len(placed), len(full)) == (3, 9), answers
    assert {error.following for error in full} == {(await slots(counter))[4]}
    counter.stage.later(1801)  # none was paid
    await counter.stage.sweep()
    await counter.place(Wish(sku="tea", quantity=3), wanted_at=wanted)


async def test_an_order_for_now_takes_minutes_too_and_is_told_the_next_free_time(
    counter: Counter,
) -> None:
    await opens(counter, BUSY)
    await work_of(counter, "tea", 10)
    await counter.place(Wish(sku="tea", quantity=3))
    with pytest.raises(SlotFullError) as caught:
        await counter.place(Wish(sku="tea"))
    assert caught.value.following == (await slots(counter))[1]
    await counter.place(Wish(sku="latte"))  # which is no work


async def test_an_order_of_more_work_than_a_slot_has_is_alone_in_it(counter: Counter) -> None:
    await opens(counter, BUSY)
    await work_of(counter, "tea", 10)
    first, second = (await slots(counter))[3:5]
    await counter.place(Wish(sku="tea", quantity=9), wanted_at=first)
    with pytest.raises(SlotFullError):
        await counter.place(Wish(sku="tea"), wanted_at=first)
    await counter.place(Wish(sku="tea"), wanted_at=second)
    with pytest.raises(SlotFullError):
        await counter.place(Wish(sku="tea", quantity=9), wanted_at=second)


async def test_a_closed_counter_takes_orders_for_chosen_times_only(counter: Counter) -> None:
    now = counter.stage.clock.now()
    today = now.astimezone((await counter.store()).hours.zone)
    later = (today.hour + 2) % 24
    week = tuple(
        WeekInterval(day=day, opens=later * 60, closes=(later + 2) % 24 * 60) for day in range(7)
    )
    await opens(counter, OpeningHours(week=week, days_ahead=1))
    with pytest.raises(ClosedError):
        await counter.place(Wish(sku="tea"))
    (first, *_) = await slots(counter)
    await counter.place(Wish(sku="tea"), wanted_at=first)
    for wrong in (first - timedelta(minutes=15), first + timedelta(minutes=1), now):
        with pytest.raises(NoSlotError):
            await counter.place(Wish(sku="tea"), wanted_at=wrong)
    await opens(counter, OpeningHours(week=week))
    with pytest.raises(NoSlotError):
        await counter.place(Wish(sku="tea"), wanted_at=first)


async def test_what_was_placed_in_time_is_paid_after_closing(counter: Counter) -> None:
    token = await counter.place(Wish(sku="tea"))
    zone: ZoneInfo = (await counter.store()).hours.zone
    day = counter.stage.clock.now().astimezone(zone).date()
    days = tuple(SpecialDay(date=day + timedelta(days=n)) for n in (-1, 0, 1))
    await opens(counter, OpeningHours(special=days))
    with pytest.raises(ClosedError):
        await counter.place(Wish(sku="tea"))
    await checkout.pay(counter.stage.context, WayTap(order=token))
    assert (await counter.order(token)).state == "paid"


async def test_an_item_with_hours_is_ordered_for_a_time_in_them(counter: Counter) -> None:
    await opens(counter, ALWAYS)
    at = await counter.store()
    soon = (await slots(counter))[8].astimezone(at.hours.zone)
    minute = soon.hour * 60 + soon.minute
    hours = [{"day": day, "opens": minute, "closes": (minute + 30) % 1440} for day in range(7)]
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        await conn.execute("UPDATE counter_items SET hours = $1", hours)
    with pytest.raises(BasketError):
        await counter.place(Wish(sku="tea"))
    await counter.place(Wish(sku="tea"), wanted_at=soon)
