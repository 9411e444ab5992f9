"""From an empty installation to a first sold can, without JavaScript: each step is looked up, may
be left and taken up again, sent twice, or typed wrongly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from coinslot.app.machine_bridge import EdgeLink, MachineBridge
from coinslot.app.routes import build
from coinslot.channels.practice import Practice
from coinslot.device.edge import Edge, EdgeOptions
from coinslot.fleet.practice import KeptMachines
from coinslot.merchants.accounts import Accounts
from coinslot.orders import checkout
from coinslot.orders.page_views import NotNowError
from tests.console.conftest import OURS, Browser, a_browser, form, signed_in
from tests.console.test_business import BUSINESS, first_account
from tests.people.conftest import Staffed
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

START = "/console/start"
MACHINE = {"code": "P01", "name": "Drawn", "place": "My desk"}
PRODUCTS = {"slot1": "A1", "product1": "Masala cola", "price1": "40", "count1": "8",
            "slot2": "A2", "product2": "Lime soda", "price2": "35.50", "count2": "3"}  # fmt: skip


@pytest.fixture
async def staffed(staffed: Staffed, tmp_path: Path) -> AsyncIterator[Staffed]:
    """With real accounts, and a folder to practise in."""
    stage = staffed.stage
    before = stage.context.accounts
    accounts = Accounts(stage.context.db, stage.context.vault, stage.clock, timeout_s=2)
    stage.context.accounts = accounts
    site = msgspec.structs.replace(SITE, practice_folder=str(tmp_path / "data"))
    staffed.app = build(FakeBackend(), site, stage.clock, stage.context)
    yield staffed
    stage.context.accounts = before
    await accounts.close()


async def gita(staffed: Staffed, urls: Any) -> Browser:
    """She has just named her business."""
    browser, page = await first_account(staffed, urls)
    answer = await browser.press(page, "/console/business", BUSINESS)
    assert answer.headers["location"] == START
    return browser


async def stepped(
    browser: Browser, verb: str, fields: dict[str, str] | None = None
) -> httpx.Response:
    """The step's form, filled in and sent; the page after it."""
    page = await browser.look(START)
    answer = await browser.press(page, f"{START}/{verb}", fields)
    assert answer.status_code == 303, answer.text
    return await browser.look(answer.headers["location"])


@asynccontextmanager
async def played(staffed: Staffed) -> AsyncIterator[None]:
    """The installation's own machines run."""
    context, clock = staffed.stage.context, staffed.stage.clock
    channel = Practice(KeptMachines(context.db, context.vault), clock, run_s=0)
    line = EdgeLink([channel])
    edge = Edge(MachineBridge(context), [channel], clock, EdgeOptions(heartbeats_every_s=0.02))
    line.edge, context.line = edge, line
    task = asyncio.create_task(edge.run())
    try:
        async with asyncio.timeout(20):
            while not channel.reaches("P01"):  # noqa: ASYNC110  claimed at its next look
                await asyncio.sleep(0.01)
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until(browser: Browser, text: str) -> httpx.Response:
    async with asyncio.timeout(20):
        while True:
            page = await browser.look(f"{START}?step=sell")
            if text in page.text:
                return page
            await asyncio.sleep(0.05)


async def buys(staffed: Staffed, key: str = "k" * 20) -> None:
    wish = checkout.OrderRequest(outlet="P01", slot="A1", key=key)
    async with asyncio.timeout(20):
        while True:
            try:
                token = await checkout.place(staffed.stage.context, wish)
                break
            except NotNowError:  # not heard yet
                await asyncio.sleep(0.05)
    await checkout.pay(staffed.stage.context, checkout.WayTap(order=token))
    await staffed.stage.sweep("attempts", "fulfillments")


async def test_from_an_empty_installation_to_a_can_that_dropped_and_its_record(
    staffed: Staffed, urls: Any
) -> None:
    browser = await gita(staffed, urls)
    page = await browser.look("/console/today")
    assert "Done: 1 of 8." in page.text
    page = await stepped(browser, "practice")
    page = await stepped(browser, "machine", MACHINE)
    page = await stepped(browser, "products", PRODUCTS)
    assert "Waiting for you to buy" in page.text
    async with played(staffed):
        await buys(staffed)
        page = await until(browser, "It dropped.")
    answer = await browser.press(page, f"{START}/books")
    record = await browser.look(answer.headers["location"])
    assert "/console/orders/" in answer.headers["location"]
    assert "₹40.00" in record.text
    assert "vended" in record.text
    today = await browser.look("/console/today")
    assert "Done: 6 of 8." in today.text
    assert "All of it is practice money" in today.text
    away = await browser.press(await browser.look(START), f"{START}/away")
    assert away.headers["location"] == "/console/today"
    assert 'id="setup"' in today.text
    assert 'id="setup"' not in (await browser.look("/console/today")).text
    assert (await browser.look("/console/machines/P01")).text.count("<svg") > 1  # it is drawn
    assert (await staffed.stage.audit()).ok


async def test_a_machine_that_is_filled_is_not_asked_for_again_but_shown(
    staffed: Staffed, urls: Any
) -> None:
    browser = await gita(staffed, urls)
    await stepped(browser, "practice")
    await stepped(browser, "machine", MACHINE)
    await stepped(browser, "products", PRODUCTS)
    page = await browser.look(f"{START}?step=products")
    assert "P01 is filled." in page.text
    assert 'name="product1"' not in page.text
    assert 'href="/console/machines/P01"' in page.text
    assert "Practice machine" in (await browser.look("/console/machines")).text
    another = await browser.look(f"{START}?step=machine")
    await browser.press(another, f"{START}/machine", {**MACHINE, "code": "P02"})
    assert 'name="product1"' in (await browser.look(f"{START}?step=products")).text


async def test_prices_are_kept_as_they_were_typed(staffed: Staffed, urls: Any) -> None:
    browser = await gita(staffed, urls)
    await stepped(browser, "practice")
    await stepped(browser, "machine", MACHINE)
    await stepped(browser, "products", PRODUCTS)
    async with staffed.stage.context.db.system_transaction() as conn:
        rows = await conn.fetch(
            "SELECT slot, price_minor, stock FROM slots WHERE outlet_id = 'P01' ORDER BY slot"
        )
    assert [tuple(row) for row in rows] == [("A1", 4000, 8), ("A2", 3550, 3)]


async def test_each_step_sent_twice_is_done_once_and_one_comes_back_to_where_one_was(
    staffed: Staffed, urls: Any
) -> None:
    browser = await gita(staffed, urls)
    for verb, fields in (("practice", {}), ("machine", MACHINE), ("products", PRODUCTS)):
        page = await browser.look(START)
        sent = form(page, f"{START}/{verb}") | fields
        answers = await asyncio.gather(
            *(browser.client.post(f"{START}/{verb}", data=sent, headers=OURS) for _ in range(2))
        )
        assert {one.status_code for one in answers} == {303}, verb
    async with staffed.stage.context.db.system_transaction() as conn:
        assert await conn.fetchval("SELECT count(*) FROM practice_machines") == 1
        assert (
            await conn.fetchval(
                "SELECT count(*) FROM gateway_accounts WHERE slug LIKE 'practice-%'"
            )
            == 1
        )
    again = a_browser(staffed)
    await again.sign_in("gita", merchant="gita-s-coolers")
    assert "Buy the first can" in (await again.look(START)).text


async def test_a_machine_whose_setting_up_was_cut_off_before_its_way_to_pay_is_completed(
    staffed: Staffed, urls: Any
) -> None:
    browser = await gita(staffed, urls)
    await stepped(browser, "practice")
    await stepped(browser, "machine", MACHINE)
    page = await browser.look(START)
    await browser.press(page, f"{START}/products", PRODUCTS)
    async with staffed.stage.context.db.system_transaction() as conn:
        merchant = await conn.fetchval("SELECT merchant_id FROM outlets WHERE id = 'P01'")
    async with staffed.stage.context.db.as_merchant(merchant) as conn:
        await conn.execute("UPDATE ways_to_pay SET place = NULL WHERE outlet_id = 'P01'")
    page = await browser.look(START)
    assert "Switch it on" in page.text
    answer = await browser.press(page, f"{START}/products", PRODUCTS)
    assert answer.status_code == 303, answer.text
    assert "Waiting for you to buy" in (await browser.look(START)).text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"price1": "forty"}, "Line 1: type a price"),
        ({"price2": "1.234"}, "Line 2: type a price"),
        ({"price1": "0"}, "Line 1: type a price"),
        ({"slot2": "A1"}, "Line 2: a slot has"),
        ({"slot1": "a slot"}, "Line 1: a slot has"),
        ({"count1": "many"}, "Line 1: type how many"),
        ({"product1": "", "price1": "", "product2": "", "price2": ""}, "Name one product"),
        ({"product2": ""}, "Line 2: name the product"),
    ],
)
async def test_what_cannot_be_read_is_named_by_its_line_and_what_was_typed_is_kept(
    staffed: Staffed, urls: Any, wrong: dict[str, str], said: str
) -> None:
    browser = await gita(staffed, urls)
    await stepped(browser, "practice")
    await stepped(browser, "machine", MACHINE)
    page = await browser.look(START)
    answer = await browser.press(page, f"{START}/products", PRODUCTS | wrong)
    assert (answer.status_code, said in answer.text) == (422, True)
    if "product1" not in wrong:
        assert "Masala cola" in answer.text
    async with staffed.stage.context.db.system_transaction() as conn:
        assert await conn.fetchval("SELECT count(*) FROM practice_machines") == 0


async def test_a_code_that_is_taken_is_asked_for_again(staffed: Staffed, urls: Any) -> None:
    browser = await gita(staffed, urls)
    await stepped(browser, "practice")
    await stepped(browser, "machine", {**MACHINE, "code": "M01"})  # Asha's
    page = await browser.look(START)
    answer = await browser.press(page, f"{START}/products", PRODUCTS)
    assert "Another machine has this code" in answer.text
    await browser.press(answer, f"{START}/machine", MACHINE)
    await stepped(browser, "products", PRODUCTS)


async def test_a_broken_machine_gives_the_money_back_and_the_page_says_so(
    staffed: Staffed, urls: Any
) -> None:
    browser = await gita(staffed, urls)
    for verb, fields in (("practice", {}), ("machine", MACHINE), ("products", PRODUCTS)):
        page = await stepped(browser, verb, fields)
    breaks = "/console/machines/P01/practice"
    await browser.press(page, breaks, {"broken": "jam"})
    async with played(staffed):
        await buys(staffed)
        page = await until(browser, "the money goes back")
        await staffed.stage.sweep("refunds")
        assert "Its sensor sees that" in page.text
        await browser.press(page, breaks, {"broken": "no"})
    entry = (await staffed.log("practice.broken"))[-1]
    assert entry["after"] == {"broken": "no"}


async def test_nobody_else_breaks_it_and_a_real_machine_cannot_be_broken(
    staffed: Staffed, urls: Any
) -> None:
    await gita(staffed, urls)
    asha = await signed_in(staffed, "asha")
    fields = form(await asha.look("/console/today"), "/console/sign-out")
    fields |= {"key": "k" * 20, "broken": "jam"}
    for machine in ("M01", "P01", "X9"):
        answer = await asha.send(f"/console/machines/{machine}/practice", fields)
        assert answer.status_code == 404, machine


async def test_a_first_counter_is_set_up_with_practice_money_and_pressed_twice_it_is_one(
    staffed: Staffed, urls: Any
) -> None:
    browser = await gita(staffed, urls)
    page = await browser.look("/console/new-counter")
    typed = {"name": "Gita's bar", "currency": "EUR", "account": "practice", "tax": "included"}
    for _ in range(2):
        answer = await browser.press(page, "/console/new-counter", typed)
        assert answer.headers["location"] == "/console/menu/S01"
    lines = "\n".join(f"Dish {n} {n}.50" for n in range(1, 11))
    menu = await browser.look("/console/menu")
    await browser.press(menu, "/console/menu/S01/lines", {"lines": lines, "tax": ""})
    page = await browser.look("/s/gita-s-bar")
    assert "Dish 10" in page.text
    basket = await browser.look("/s/gita-s-bar/basket?line=dish-1~1~~")
    assert 'name="way" value="link-' in basket.text
