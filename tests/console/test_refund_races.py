"""A click on "give it back" at the very moment in which something else settles the same money: the
customer has the goods or the money, and each side is told what became of its wish."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from coinslot.orders import fulfillment
from tests.console.conftest import Browser, form, signed_in
from tests.people.conftest import Staffed
from tests.sales.test_order_refunds import earned, going, handed_over, in_this_order, paid_order
from tests.sales.test_refunds import told
from tests.sales.weather import in_weather

Call = Callable[[], Awaitable[object]]


async def click(staffed: Staffed, order: UUID, login: str = "boris") -> Call:
    """Someone who has the page before them, with all of the order ticked."""
    browser: Browser = await signed_in(staffed, login)
    place = f"/console/orders/{order}/refund"
    hidden = form(await browser.look(f"/console/orders/{order}"), place)
    unit = await staffed.stage.value("SELECT id::text FROM fulfillments WHERE order_id = $1", order)

    async def pressed() -> int:
        fields = hidden | {"unit": unit, "reason": "warm"}
        return (await browser.send(place, fields)).status_code

    return pressed


async def given_back_once(staffed: Staffed) -> None:
    stage = staffed.stage
    await stage.sweep()
    assert stage.refunded() == 4000
    assert await earned(stage) == 0
    assert await stage.value("SELECT count(*) FROM refunds WHERE state = 'succeeded'") == 1
    assert (await stage.audit()).ok


@pytest.mark.parametrize("click_is_first", [True, False])
async def test_a_click_and_the_sweepers_own_refund_give_the_money_back_once(
    staffed: Staffed, click_is_first: bool
) -> None:
    stage, order = staffed.stage, await paid_order(staffed.stage)
    pressed = await click(staffed, order)
    stage.later(121)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        row = await conn.fetchrow("SELECT * FROM fulfillments")
    assert row is not None
    calls: list[Call] = [pressed, lambda: fulfillment.drive(stage.context, row)]
    answers = await in_this_order(stage, *(calls if click_is_first else reversed(calls)))
    assert answers[0 if click_is_first else 1] == (303 if click_is_first else 422)
    assert len(await staffed.log("order.refunded")) == click_is_first
    await given_back_once(staffed)


@pytest.mark.parametrize("outcome", ["VENDED", "FAILED"])
@pytest.mark.parametrize("click_is_first", [True, False])
async def test_a_click_and_a_machines_result_give_the_money_back_once(
    staffed: Staffed, click_is_first: bool, outcome: str
) -> None:
    stage, order = staffed.stage, await going(staffed.stage)
    pressed = await click(staffed, order)

    async def reported() -> None:
        await stage.result(outcome, drop="yes" if outcome == "VENDED" else "no")

    calls: list[Call] = [pressed, reported]
    answers = await in_this_order(stage, *(calls if click_is_first else reversed(calls)))
    done = click_is_first or outcome == "VENDED"  # else the machine's own report gave it back
    assert answers[0 if click_is_first else 1] == (303 if done else 422)
    assert len(await staffed.log("order.refunded")) == done
    state = await stage.value("SELECT state FROM orders")
    assert state == ("completed" if outcome == "VENDED" else "failed")
    await given_back_once(staffed)


@pytest.mark.parametrize("click_is_first", [True, False])
async def test_a_click_and_a_refund_in_the_dashboard_give_the_money_back_once(
    staffed: Staffed, click_is_first: bool
) -> None:
    stage = staffed.stage
    weather = in_weather(stage)
    order = await handed_over(stage)
    pressed = await click(staffed, order)
    made = weather.refund_in_dashboard(next(iter(stage.books.payments.values())), 4000)
    calls: list[Call] = [pressed, lambda: told(stage, made)]
    answers = await in_this_order(stage, *(calls if click_is_first else reversed(calls)))
    assert answers[0 if click_is_first else 1] == 303
    await stage.sweep()
    assert (stage.refunded(), await earned(stage), weather.sent) == (4000, 0, [])
    assert await stage.value("SELECT count(*) FROM discrepancies WHERE closed_at IS NULL") == 0
    assert (await stage.audit()).ok


async def test_two_people_who_click_at_once_give_it_back_once_and_one_reads_that_nothing_is_left(
    staffed: Staffed,
) -> None:
    order = await handed_over(staffed.stage)
    calls = [await click(staffed, order, "asha"), await click(staffed, order)]
    assert await in_this_order(staffed.stage, *calls) == [303, 422]
    assert len(await staffed.log("order.refunded")) == 1
    await given_back_once(staffed)


async def test_a_person_in_two_tabs_takes_two_parts_and_never_more_than_there_is(
    staffed: Staffed,
) -> None:
    """Both pages are older than what the other one did."""
    stage, order = staffed.stage, await handed_over(staffed.stage)
    boris = await signed_in(staffed, "boris")
    place = f"/console/orders/{order}/refund"
    unit = await stage.value("SELECT id::text FROM fulfillments")
    pages = [await boris.look(f"/console/orders/{order}") for _ in range(3)]
    fields = [
        form(page, place) | {"unit": unit, "amount": "15", "reason": "warm"} for page in pages
    ]
    answers = await asyncio.gather(*(boris.send(place, one) for one in fields))
    assert sorted(answer.status_code for answer in answers) == [303, 303, 422]
    await stage.sweep()
    assert (stage.refunded(), await earned(stage)) == (3000, 1000)
    assert len(await staffed.log("order.refunded")) == 2
