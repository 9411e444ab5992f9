"""What an order's page says at each stage: by when something has to happen, that the code is a new
one, and what became of the money after the hand-over."""

import html
from uuid import UUID

import httpx
import pytest

from coinslot.counter import staff
from coinslot.counter.staff import CounterError, Status, Why
from tests.console.conftest import Browser
from tests.console.conftest import browser as browser
from tests.counter.stage import Counter
from tests.counter.test_board import BOARD, board, shop
from tests.counter.test_delivery_pages import HTML, driver_of, to_door
from tests.counter.test_pages import phone as phone
from tests.counter.test_pages import web as web
from tests.counter.test_profit import goodwill, sold
from tests.counter.test_pushing import pushing
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

__all__ = ["pushing", "shop"]
Phone = httpx.AsyncClient


async def page_of(counter: Counter, phone: Phone, order: UUID, lang: str = "en") -> str:
    token = (await counter.view(order)).token
    return html.unescape((await phone.get(f"/o/{token}?lang={lang}")).text)


async def test_the_page_names_what_has_to_happen_by_then(counter: Counter, phone: Phone) -> None:
    order = await counter.paid()
    for lang, said in (
        ("en", "Not accepted by"),
        ("hi", "तक स्वीकार नहीं हुआ"),
        ("ru", "Не приняли до"),
    ):
        assert said in await page_of(counter, phone, order, lang)
    await staff.accept(counter.stage.context, counter.who, order)
    made = (("en", "Not ready by"), ("hi", "तक तैयार नहीं हुआ"), ("ru", "Не готово до"))
    for lang, said in made:
        assert said in await page_of(counter, phone, order, lang)
    await staff.ready(counter.stage.context, counter.who, order)
    page = await page_of(counter, phone, order)
    assert "Not handed over by" in page
    assert "Not accepted by" not in page


async def test_the_page_says_that_the_code_is_new_when_it_is(
    counter: Counter, phone: Phone
) -> None:
    order = await counter.preparing()
    assert "It is new since" not in await page_of(counter, phone, order)
    await staff.ready(counter.stage.context, counter.who, order)
    for lang, said in (("en", "It is new since"), ("hi", "यह नया बना है"), ("ru", "Он новый")):
        assert said in await page_of(counter, phone, order, lang)


async def test_a_code_of_before_is_called_so_and_costs_a_try_as_any_wrong_one(
    counter: Counter,
) -> None:
    """A stranger who has it learns nothing of the new one, and gets no guess for nothing."""
    order = await counter.preparing()
    first = await counter.code(order)
    await staff.ready(counter.stage.context, counter.who, order)
    wrong = {first, await counter.code(order)}
    other = next(f"{n:06}" for n in range(3) if f"{n:06}" not in wrong)
    for typed, left, was_before in ((other, 4, False), (first, 3, True)):
        with pytest.raises(CounterError) as refused:
            await counter.complete(order, typed)
        found = refused.value
        assert (found.why, found.left, found.was_before) == (Why.WRONG_CODE, left, was_before)
    await staff.undo(counter.stage.context, counter.who, order, Status.PREPARING)
    second = await counter.code(order)
    await staff.ready(counter.stage.context, counter.who, order)
    for typed in (first, second):
        with pytest.raises(CounterError) as refused:
            await counter.complete(order, typed)
        assert refused.value.was_before
    await counter.complete(order)


async def test_whoever_types_the_code_of_before_is_told_to_ask_for_the_new_one(
    staffed: Staffed, shop: Counter
) -> None:
    order = await shop.preparing(deliver=await to_door(shop))
    first = await shop.code(order)
    await staff.ready(shop.stage.context, shop.who, order)
    async with staffed.client() as driver:
        path = f"/driver/{await driver_of(shop)}/handed"
        answer = await driver.post(path, data={"code": first}, headers=HTML)
        assert "until the order was ready" in answer.text
        assert "Tries left: 4" in answer.text
    boris = await staffed.token("boris")
    complete = f"/api/staff/orders/{order}/complete"
    api = await staffed.call(boris, "POST", complete, {"code": first})
    assert api.json()["error"]["details"] == {"triesLeft": 3, "wasBeforeReady": True}


async def test_the_board_says_that_a_code_is_the_one_of_before(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order = await shop.preparing()
    first = await shop.code(order)
    await staff.ready(shop.stage.context, shop.who, order)
    page = await board(browser)
    told = await browser.press(page, f"{BOARD}/{order}/complete", {"code": first})
    assert told.status_code == 409
    assert "This was the code until the order was ready" in told.text


async def test_each_step_of_a_refund_after_the_hand_over_changes_the_version_of_an_open_page(
    counter: Counter, phone: Phone
) -> None:
    order = await sold(counter)
    done = await counter.view(order)
    await goodwill(counter, order, 100)
    after = await counter.view(order)
    assert after.version > done.version
    fragment = await phone.get(f"/o/{after.token}/fragment?seen={done.version}")
    assert fragment.status_code == 200
    assert after.credits[0].number in fragment.text
    assert "Refund" in fragment.text
    same = await phone.get(f"/o/{after.token}/fragment?seen={after.version}")
    assert same.status_code == 204


async def test_a_notice_is_offered_for_as_long_as_there_is_something_to_wait_for(
    counter: Counter, pushing: None, phone: Phone
) -> None:
    order = await counter.paid()
    token = (await counter.view(order)).token
    page = await phone.get(f"/o/{token}")
    assert 'id="push"' in page.text
    offered = [" data-pushes" in page.text]
    for step in (staff.accept, staff.ready):
        await step(counter.stage.context, counter.who, order)
        offered.append(" data-pushes" in (await phone.get(f"/o/{token}/fragment")).text)
    await counter.complete(order)
    offered.append(" data-pushes" in (await phone.get(f"/o/{token}/fragment")).text)
    assert offered == [True, True, False, False]
