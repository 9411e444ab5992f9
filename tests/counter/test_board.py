"""The board in the console: two people at once, a code that is wrong, pieces that there are not."""

import re
from uuid import UUID

import httpx
import pytest

from coinslot.counter import staff
from coinslot.counter.basket import Wish
from coinslot.kit.ids import uuid7
from coinslot.people import members
from tests.console.conftest import Browser, a_browser
from tests.console.conftest import browser as browser
from tests.counter.stage import Counter, set_counter
from tests.people.conftest import HASHED, Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

BOARD = "/console/board"


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    made = await set_counter(staffed.stage)
    person, now = uuid7(staffed.stage.clock.now()), staffed.stage.clock.now()
    async with staffed.stage.context.db.as_person(person, staffed.merchant) as conn:
        await members.add_person(conn, person, "lena", HASHED, now)
        role = members.Role(role="staff", outlets=("S01",))
        await members.join(conn, person, staffed.merchant, role, now)
    return made


async def board(browser: Browser, login: str = "lena") -> httpx.Response:
    await browser.sign_in(login)
    page = await browser.look(BOARD)
    assert page.status_code == 200
    return page


def column(page: httpx.Response, stage: str) -> str:
    found = re.search(rf'<section id="board-{stage}".*?</section>', page.text, re.S)
    assert found is not None
    return found[0]


async def number(shop: Counter, order: UUID) -> str:
    return str(await shop.stage.value("SELECT number FROM orders WHERE id = $1", order))


async def test_staff_land_on_the_board_and_take_an_order_all_the_way(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order = await shop.paid(Wish(sku="latte", choices=("oat",), note="very hot"), name="Maria")
    page = await browser.look((await browser.sign_in("lena")).headers["location"])
    assert page.url.path == BOARD
    new = column(page, "PLACED")
    assert await number(shop, order) in new
    assert "Maria" in new
    assert "Oat" in new
    assert "very hot" in new
    page = await browser.look(
        (await browser.press(page, f"{BOARD}/{order}/accept")).headers["location"]
    )
    assert "Latte" in column(page, "PREPARING")
    unit = (await shop.view(order)).units[0].unit_id
    tick = {"unit": str(unit), "done": "1"}
    await browser.press(page, f"{BOARD}/{order}/tick", tick)
    page = await browser.look(BOARD)
    assert 'aria-pressed="true"' in column(page, "PREPARING")
    await browser.press(page, f"{BOARD}/{order}/ready")
    page = await browser.look(BOARD)
    assert "Latte" in column(page, "READY")
    code = await shop.code(order)
    assert code not in page.text
    assert (await shop.view(order)).token not in page.text
    refused = await browser.press(
        page, f"{BOARD}/{order}/complete", {"code": await shop.wrong_code(order)}
    )
    assert refused.status_code == 409
    assert "Tries left: 4" in refused.text
    done = await browser.press(refused, f"{BOARD}/{order}/complete", {"code": code})
    assert done.status_code == 303
    page = await browser.look(BOARD)
    assert "Latte" not in column(page, "READY")
    assert await shop.ends(order) == [("picked_up", "code", None)]


async def test_the_picture_on_a_customers_page_hands_over_too(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    first, second = await shop.ready(), await shop.ready()
    page = await board(browser)
    held = await shop.view(second)
    assert held.code_text is not None
    await browser.press(page, f"{BOARD}/{first}/complete", {"code": held.code_text})
    assert await shop.ends(first) == [("to_pick_up", None, None)]
    assert await shop.ends(second) == [("picked_up", "code", None)]


async def test_two_boards_that_accept_one_order_agree(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order, other = await shop.paid(), a_browser(staffed)
    pages = [await board(browser), await board(other, "boris")]
    for one, page in zip((browser, other), pages, strict=True):
        assert (await one.press(page, f"{BOARD}/{order}/accept")).status_code == 303
    events = await shop.stage.rows("SELECT event FROM events WHERE event = 'ACCEPTED'")
    assert len(events) == 1
    for one in (browser, other):
        assert await number(shop, order) in column(await one.look(BOARD), "PREPARING")


async def test_a_step_that_somebody_else_took_meanwhile_is_said_so(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order = await shop.ready()
    page = await board(browser)
    await shop.complete(order)
    said = await browser.press(page, f"{BOARD}/{order}/back")
    assert said.status_code == 409
    assert "This order is over" in said.text


async def test_a_piece_that_there_is_not_is_rejected_and_the_card_shows_the_rest(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order = await shop.preparing(Wish(sku="latte"), Wish(sku="tea"))
    page = await board(browser)
    tea = next(u.unit_id for u in (await shop.view(order)).units if u.name == "Tea")
    said = {"unit": str(tea), "reason": "No tea left"}
    assert (await browser.press(page, f"{BOARD}/{order}/reject", said)).status_code == 303
    shown = column(await browser.look(BOARD), "PREPARING")
    assert "Latte" in shown
    assert "Tea" not in shown
    await shop.stage.sweep()
    assert shop.stage.refunded() == 250


async def test_a_locked_order_is_handed_over_by_name_after_a_fresh_proof(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order = await shop.ready()
    for _ in range(5):
        with pytest.raises(staff.CounterError):
            await shop.complete(order, await shop.wrong_code(order))
    page = await board(browser)
    assert "five wrong codes" in column(page, "READY")
    staffed.later(601)
    reason = {"reason": "She showed her page"}
    asked = await browser.press(await browser.look(BOARD), f"{BOARD}/{order}/vouch", reason)
    assert await shop.ends(order) == [("to_pick_up", None, None)], "an old proof is none"
    assert asked.status_code in (200, 403)
    await browser.sign_in("lena")
    await browser.press(await browser.look(BOARD), f"{BOARD}/{order}/vouch", reason)
    assert await shop.ends(order) == [("picked_up", "staff_word", None)]


async def test_sold_out_and_pause_reach_the_menu(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    page = await board(browser)
    cake = await shop.stage.value(
        "SELECT i.id FROM counter_items i JOIN products p ON p.id = product_id WHERE sku = 'cake'"
    )
    where = f"{BOARD}/stores/S01/items/{cake}"
    await browser.press(page, where)
    assert "Sold out" in (await browser.look("/s/corner")).text
    page = await browser.look(BOARD)
    bad = await browser.press(page, where, {"stock": "many"})
    assert bad.status_code == 422
    await browser.press(page, where, {"stock": "7"})
    assert await shop.left("cake") == 7
    await browser.press(await browser.look(BOARD), f"{BOARD}/stores/S01/pause")
    assert "Not taking orders" in (await browser.look("/s/corner")).text
    page = await browser.look(BOARD)
    assert "takes no orders now" in page.text
    await browser.press(page, f"{BOARD}/stores/S01/pause")
    assert "Not taking orders" not in (await browser.look("/s/corner")).text


async def test_a_pause_ends_by_itself_at_the_time_that_was_said(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    page = await board(browser)
    await browser.press(page, f"{BOARD}/stores/S01/pause", {"minutes": "15"})
    assert "Not taking orders" in (await browser.look("/s/corner")).text
    assert "It takes them again at" in (await browser.look(BOARD)).text
    staffed.later(15 * 60)
    assert "Not taking orders" not in (await browser.look("/s/corner")).text
    assert "takes no orders now" not in (await browser.look(BOARD)).text


async def test_the_board_is_shown_to_whoever_has_a_counter(
    staffed: Staffed, browser: Browser
) -> None:
    await browser.sign_in("boris")
    assert f'href="{BOARD}"' not in (await browser.look("/console/today")).text
    await set_counter(staffed.stage)
    assert f'href="{BOARD}"' in (await browser.look("/console/today")).text


async def test_staff_of_another_outlet_see_and_move_nothing(
    staffed: Staffed, shop: Counter, browser: Browser
) -> None:
    order, theirs = await shop.paid(), a_browser(staffed)
    page = await board(browser)
    seen = await board(theirs, "ravi")
    assert await number(shop, order) not in seen.text
    token = re.search(r'name="form_token" value="([^"]+)"', seen.text)
    assert token is not None
    form = {"form_token": token[1], "key": "k" * 20}
    for where in (f"{BOARD}/{order}/accept", f"{BOARD}/stores/S01/pause"):
        said = await theirs.send(where, form | {"paused": "1"})
        assert said.status_code == 409
    assert await number(shop, order) in column(await browser.look(BOARD), "PLACED")
    assert page.status_code == 200
