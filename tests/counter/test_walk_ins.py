"""Orders that staff enter, what a station of the kitchen sees, and the screen on the wall."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from coinslot.counter import staff, walk_ins
from coinslot.counter.basket import BasketError, Wish
from coinslot.counter.staff import CounterError, Staff, Status
from coinslot.counter.walk_ins import Step
from coinslot.people.audit_log import COMMAND_LINE
from tests.console.conftest import Browser
from tests.console.conftest import browser as browser
from tests.counter.stage import Counter, set_counter
from tests.counter.test_board import BOARD, column, shop
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

__all__ = ["shop"]
CAKE = Wish(sku="cake")


async def test_it_takes_the_stock_and_no_money(counter: Counter) -> None:
    context, who = counter.stage.context, counter.who
    first = await walk_ins.enter(context, who, "S01", [Wish(sku="latte", choices=("oat",)), CAKE])
    counter.stage.later(1)
    second = await walk_ins.enter(context, who, "S01", [CAKE], "Ana")
    assert (first, second) == ("W1", "W2")
    assert await counter.left("cake") == 1
    shown = await walk_ins.listed(context, who)
    assert [(one.number, one.name, one.total.minor) for one in shown] == [
        ("W1", "", 820), ("W2", "Ana", 420),
    ]  # fmt: skip
    assert await counter.stage.value("SELECT count(*) FROM orders") == 0
    assert await counter.stage.value("SELECT count(*) FROM captures") == 0


async def test_numbers_begin_again_each_day_there_and_none_that_is_open_is_given_twice(
    counter: Counter,
) -> None:
    context, who = counter.stage.context, counter.who

    async def enters() -> str:
        return await walk_ins.enter(context, who, "S01", [Wish(sku="tea")])

    async def all_go() -> None:
        for one in await walk_ins.listed(context, who):
            await walk_ins.move(context, who, one.id, Step.HANDED)

    await counter.stage.rows(
        "UPDATE outlets SET zone = 'Asia/Kolkata' WHERE id = 'S01' RETURNING id"
    )
    now = counter.stage.clock.now()
    midnight = datetime(now.year, now.month, now.day, 18, 30, tzinfo=UTC)  # in Kolkata
    counter.stage.later((midnight - now) % timedelta(days=1) / timedelta(seconds=1) - 3600)
    assert [await enters() for _ in range(2)] == ["W1", "W2"]
    await all_go()
    counter.stage.later(3599)
    assert await enters() == "W3", "it is the same day"
    counter.stage.later(1)
    assert await enters() == "W4", "the third is still waited for"
    await all_go()
    assert await enters() == "W5", "of this day"
    await all_go()
    counter.stage.later(24 * 3600 - 1)
    assert await enters() == "W6"
    await all_go()
    counter.stage.later(1)
    assert await enters() == "W1", "a second later it is tomorrow"


async def test_the_last_piece_is_entered_once(counter: Counter) -> None:
    context, who = counter.stage.context, counter.who
    answers = await asyncio.gather(
        *(walk_ins.enter(context, who, "S01", [CAKE]) for _ in range(5)), return_exceptions=True
    )
    assert sorted(one for one in answers if isinstance(one, str)) == ["W1", "W2", "W3"]
    assert [one for one in answers if isinstance(one, BasketError)]
    assert await counter.left("cake") == 0


async def test_it_goes_on_and_back_and_ends_once(counter: Counter) -> None:
    context, who = counter.stage.context, counter.who
    await walk_ins.enter(context, who, "S01", [CAKE])
    [one] = await walk_ins.listed(context, who)
    for step, is_ready in ((Step.READY, True), (Step.BACK, False), (Step.READY, True)):
        await walk_ins.move(context, who, one.id, step)
        assert [each.ready for each in await walk_ins.listed(context, who)] == [is_ready]
    await walk_ins.move(context, who, one.id, Step.HANDED)
    assert await walk_ins.listed(context, who) == []
    with pytest.raises(CounterError):
        await walk_ins.move(context, who, one.id, Step.CANCELLED)


async def test_it_is_listed_for_a_day_and_its_name_is_cut(counter: Counter) -> None:
    context, who = counter.stage.context, counter.who
    await walk_ins.enter(context, who, "S01", [CAKE], "x" * 81)
    counter.stage.later(24 * 3600 - 1)
    [one] = await walk_ins.listed(context, who)
    assert (one.name, one.since) == ("x" * 80, counter.stage.clock.now() - timedelta(seconds=86399))
    await walk_ins.move(context, who, one.id, Step.READY)
    [one] = await walk_ins.listed(context, who)
    assert one.since == counter.stage.clock.now(), "ready since then"
    counter.stage.later(1)
    assert await walk_ins.listed(context, who) == []


async def test_a_cancelled_one_gives_back_what_it_took_and_nothing_that_is_counted_since(
    counter: Counter,
) -> None:
    context, who = counter.stage.context, counter.who
    await walk_ins.enter(context, who, "S01", [CAKE, Wish(sku="tea")])
    await counter.stage.rows(
        "UPDATE counter_items SET stock = 5 WHERE price_minor = 250 RETURNING id"
    )
    [one] = await walk_ins.listed(context, who)
    await walk_ins.move(context, who, one.id, Step.CANCELLED)
    assert [await counter.left(sku) for sku in ("cake", "tea")] == [3, 5]


async def test_staff_of_another_counter_enter_and_move_nothing(counter: Counter) -> None:
    context = counter.stage.context
    ravi = Staff(
        merchant=counter.stage.merchant, login="ravi", actor=COMMAND_LINE, outlets=("S99",)
    )
    with pytest.raises(CounterError):
        await walk_ins.enter(context, ravi, "S01", [CAKE])
    await walk_ins.enter(context, counter.who, "S01", [CAKE])
    [one] = await walk_ins.listed(context, counter.who)
    assert await walk_ins.listed(context, ravi) == []
    with pytest.raises(CounterError):
        await walk_ins.move(context, ravi, one.id, Step.HANDED)


async def test_staff_enter_one_in_the_console_and_it_says_how_it_is_paid(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    await browser.sign_in("lena")
    where = f"{BOARD}/stores/S01/walk-in"
    page = await browser.look(where)
    wrong = await browser.press(page, where, {})
    assert (wrong.status_code, "Say how many" in wrong.text) == (422, True)
    done = await browser.press(wrong, where, {"n.cake": "2", "name": "Ana", "note": "warm"})
    assert done.status_code == 303, done.text
    shown = column(await browser.look(BOARD), "PREPARING")
    for said in ("W1", "Ana", "2 × Carrot cake", "warm", "Paid at the till"):
        assert said in shown
    [one] = await walk_ins.listed(shop.stage.context, shop.who)
    step = f"{BOARD}/walk-ins/{one.id}"
    await browser.press(await browser.look(BOARD), step, {"step": "ready"})
    assert "W1" in column(await browser.look(BOARD), "READY")
    await browser.press(await browser.look(BOARD), step, {"step": "handed"})
    assert "W1" not in (await browser.look(BOARD)).text


async def test_a_station_sees_what_it_makes(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    await shop.stage.rows(
        "UPDATE counter_items SET station = CASE section WHEN 'Food' THEN 'kitchen' ELSE 'bar' END"
        " RETURNING id"
    )
    both = await shop.preparing(Wish(sku="latte"), CAKE, name="Maria")
    await shop.paid(Wish(sku="tea"), name="Waiting")
    await walk_ins.enter(shop.stage.context, shop.who, "S01", [CAKE])
    await browser.sign_in("lena")
    bar = (await browser.look(f"{BOARD}/kitchen?station=bar")).text
    assert ("Latte" in bar, "Carrot cake" in bar, "Waiting" in bar, "<h2>W1" in bar) == (
        True, False, False, False,
    )  # fmt: skip
    page = await browser.look(f"{BOARD}/kitchen")
    for said in ("Latte", "Carrot cake", "Maria", "<h2>W1"):
        assert said in page.text
    code, token = await shop.code(both), (await shop.view(both)).token
    assert code not in page.text
    assert token not in page.text
    unit = (await shop.view(both)).units[0].unit_id
    tick = {"unit": str(unit), "done": "1", "view": "kitchen", "station": "bar"}
    back = await browser.press(page, f"{BOARD}/{both}/tick", tick)
    assert back.headers["location"].endswith("/console/board/kitchen?station=bar")
    assert 'aria-pressed="true"' in (await browser.look(f"{BOARD}/kitchen")).text


async def test_the_wall_shows_numbers_and_names_and_nothing_that_opens_an_order(
    staffed: Staffed,
) -> None:
    shop = await set_counter(staffed.stage)
    making = await shop.preparing(name="Maria")
    ready = await shop.ready(name="Ira")
    waiting = await shop.paid(name="Nobody yet")
    await walk_ins.enter(shop.stage.context, shop.who, "S01", [CAKE], "Ana")
    secret = await shop.stage.value("SELECT wall FROM counter_stores")
    async with staffed.client() as client:
        page = await client.get(f"/wall/{secret}")
        assert (await client.get("/wall/unknown")).status_code == 404
    assert (page.status_code, page.headers["refresh"]) == (200, "5")
    is_ready, is_made = page.text.split('<section class="making"')
    assert "Ira" in is_ready
    assert ">Ready<" in is_ready
    assert ">Being prepared<" in is_made
    assert ("Maria" in is_made, "Ana" in is_made, "W1" in is_made) == (True, True, True)
    assert "Nobody yet" not in page.text
    for order in (making, ready, waiting):
        view = await shop.view(order)
        assert view.token not in page.text
        assert str(order) not in page.text
        assert await shop.code(order) not in page.text
    await staff.undo(shop.stage.context, shop.who, ready, Status.PREPARING)
    await shop.complete(ready)
    async with staffed.client() as client:
        assert "Ira" not in (await client.get(f"/wall/{secret}")).text
