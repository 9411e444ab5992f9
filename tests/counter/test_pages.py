"""Menu, basket and order over HTTP, as a phone without scripts uses them."""

import gzip
import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace

from coinslot.app.kinds import KINDS
from coinslot.counter import menu, staff
from coinslot.counter.basket import Wish
from tests.counter.stage import MENU, Counter
from tests.kept_app import customers_app
from tests.web.serving import SITE

Phone = httpx.AsyncClient


@pytest.fixture
def web(counter: Counter) -> Litestar:
    context = counter.stage.context
    site = replace(SITE, texts={name: kind.texts for name, kind in KINDS.items()})
    return customers_app(context, site)


@pytest.fixture
async def phone(web: Litestar) -> AsyncIterator[Phone]:
    wire = httpx.ASGITransport(web, raise_app_exceptions=False)  # type: ignore[arg-type]
    headers = {"accept": "text/html"}
    async with httpx.AsyncClient(
        transport=wire, base_url="http://coinslot.test", headers=headers
    ) as client:
        yield client


def links(page: httpx.Response) -> list[str]:
    return [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', page.text)]


def fields(page: httpx.Response) -> dict[str, str | list[str]]:
    """The hidden fields of the form that orders, or adds; in an empty basket there is none."""
    form = page.text.partition('<form class="card item"')[2]
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    lines = [value.replace("&#34;", '"') for name, value in found if name == "line"]
    rest = {name: value for name, value in found if name != "line"}
    way = re.search(r'name="way" value="([^"]+)"', page.text)
    return {**rest, "line": lines, "way": way[1] if way else ""}


async def added(
    phone: Phone, sku: str, page: httpx.Response | None = None, **more: str
) -> httpx.Response:
    """The basket, after that was added to the one of this page."""
    kept = fields(page)["line"] if page else []
    query = {"line": kept, "sku": sku, "quantity": "1", **more}
    answer = await phone.get(f"/s/corner/basket?{urlencode(query, doseq=True)}")
    assert answer.status_code == 303, answer.text[-2000:]
    shown = await phone.get(answer.headers["location"])
    assert shown.status_code == 200
    return shown


async def orders(counter: Counter) -> list[dict[str, object]]:
    return await counter.stage.rows("SELECT * FROM orders")


async def test_a_phone_without_scripts_orders_pays_and_sees_the_code(
    counter: Counter, phone: Phone
) -> None:
    page = await phone.get("/s/corner")
    assert page.status_code == 200
    assert "Carrot cake" in page.text
    assert "3 left" in page.text
    assert "costCents" not in page.text
    assert "/s/corner/latte" in links(page)
    item = await phone.get("/s/corner/latte")
    assert "Oat" in item.text
    assert "milk" in item.text
    basket = await added(phone, "latte", choice="oat", note="very hot", quantity="2")
    basket = await added(phone, "cake", basket)
    assert "very hot" in basket.text
    with_tip = next(link for link in links(basket) if link.endswith("tip=10"))
    basket = await phone.get(with_tip)
    assert await orders(counter) == [], "a basket makes nothing"
    form = fields(basket) | {"name": " Maria  Lopez "}
    assert form["shown"] == str(2 * 400 + 420 + 122)
    paid = await phone.post("/s/corner", data=form)
    assert paid.status_code == 303
    (order,) = await orders(counter)
    assert paid.headers["location"] == f"/o/{order['token']}?go=1"
    assert (order["amount_minor"], order["state"]) == (1342, "paid")
    shown = await phone.get(f"/o/{order['token']}")
    assert "They have your order" in shown.text
    assert f'action="/o/{order["token"]}/cancel"' in shown.text
    order_id = await counter.id_of(str(order["token"]))
    context = counter.stage.context
    await staff.accept(context, counter.who, order_id)
    await staff.ready(context, counter.who, order_id)
    code = await counter.code(order_id)
    shown = await phone.get(f"/o/{order['token']}")
    assert f"{code[:3]} {code[3:]}" in shown.text
    assert 'class="qr small"' in shown.text
    assert await counter.stage.value("SELECT name FROM counter_orders") == "Maria Lopez"


async def test_two_taps_on_one_button_place_one_order(counter: Counter, phone: Phone) -> None:
    form = fields(await added(phone, "tea"))
    first, second = [await phone.post("/s/corner", data=form) for _ in range(2)]
    assert (first.status_code, second.status_code) == (303, 303)
    assert len(await orders(counter)) == 1


async def test_a_price_that_changed_is_shown_with_both_sums_and_one_button(
    counter: Counter, phone: Phone
) -> None:
    form = fields(await added(phone, "tea"))
    await counter.stage.rows("UPDATE counter_items SET price_minor = price_minor + 25 RETURNING id")
    said = await phone.post("/s/corner", data=form)
    assert said.status_code == 409
    assert "2.75" in said.text
    assert "2.50" in said.text
    assert await orders(counter) == []
    assert (await phone.post("/s/corner", data=fields(said))).status_code == 303
    assert (await orders(counter))[0]["amount_minor"] == 275


async def test_a_price_that_a_client_made_up_buys_nothing(counter: Counter, phone: Phone) -> None:
    form = fields(await added(phone, "bowl")) | {"shown": "1"}
    assert (await phone.post("/s/corner", data=form)).status_code == 409
    assert await orders(counter) == []


@pytest.mark.parametrize(
    ("sku", "more"),
    [("latte", {"quantity": "11"}), ("latte", {"quantity": "0"}), ("latte", {"choice": "gold"}),
     ("cake", {"quantity": "4"}), ("tea", {"choice": "oat"}), ("tea", {"note": "x" * 300})],
)  # fmt: skip
async def test_what_the_menu_does_not_offer_is_refused_with_a_sentence(
    phone: Phone, sku: str, more: dict[str, str]
) -> None:
    said = await phone.get("/s/corner/basket", params={"sku": sku, **more})
    assert said.status_code == 422
    assert 'role="alert"' in said.text


async def test_what_is_sold_out_or_paused_cannot_be_ordered(counter: Counter, phone: Phone) -> None:
    form = fields(await added(phone, "cake"))
    context = counter.stage.context
    async with context.db.as_merchant(counter.who.merchant) as conn:
        cake = next(item for item in await menu.menu(conn, "S01") if item.sku == "cake")
        await menu.sold_out(conn, "S01", cake.id, context.now())
    page = await phone.get("/s/corner")
    assert "Sold out" in page.text
    assert "/s/corner/cake" not in links(page)
    said = await phone.post("/s/corner", data=form)
    assert said.status_code == 409
    assert "Carrot cake is sold out" in said.text
    async with context.db.as_merchant(counter.who.merchant) as conn:
        await menu.back_on_sale(conn, "S01", cake.id, 1)
        await menu.pause(conn, "S01", context.now())
    assert "Not taking orders" in (await phone.get("/s/corner")).text
    await phone.post("/s/corner", data=form)
    assert await orders(counter) == []


async def test_an_item_that_left_the_menu_is_gone_and_an_old_order_keeps_its_name(
    counter: Counter, phone: Phone
) -> None:
    await phone.post("/s/corner", data=fields(await added(phone, "tea")))
    context = counter.stage.context
    async with context.db.as_merchant(counter.who.merchant) as conn:
        await menu.write_menu(conn, context, counter.who.merchant, "S01", MENU[:1])
    assert (await phone.get("/s/corner/tea")).status_code == 404
    (order,) = await orders(counter)
    assert "Tea" in (await phone.get(f"/o/{order['token']}")).text


async def test_tax_that_is_added_is_rounded_once_for_each_rate(
    counter: Counter, phone: Phone
) -> None:
    await counter.stage.rows("UPDATE counter_stores SET tax_added = true RETURNING slug")
    basket = await added(phone, "tea", quantity="3")
    basket = await added(phone, "latte", basket)
    basket = await added(phone, "cake", basket)
    goods, tax = 3 * 250 + 350 + 420, 209 + 29  # 19 % of 1100, 7 % of 420
    assert fields(basket)["shown"] == str(goods + tax)
    await phone.post("/s/corner", data=fields(basket))
    (extra,) = await counter.stage.rows("SELECT kind, amount_minor FROM order_extras")
    assert (extra["kind"], extra["amount_minor"]) == ("added_tax", tax)


async def test_the_code_printed_for_the_outlet_leads_to_the_menu(phone: Phone) -> None:
    answer = await phone.get("/q/S01")
    assert (answer.status_code, answer.headers["location"]) == (303, "/s/corner")


async def test_nobody_elses_address_and_no_made_up_basket_is_a_fault_of_ours(phone: Phone) -> None:
    assert (await phone.get("/s/nobody")).status_code == 404
    assert (await phone.get("/s/corner/gold")).status_code == 404
    assert (await phone.get("/s/corner/basket", params={"line": "???"})).status_code == 400
    assert (await phone.get("/s/corner/basket", params={"sku": "gold"})).status_code == 404
    assert (await phone.get("/s/corner/basket")).status_code == 200
    assert (await phone.post("/o/nothing/cancel")).status_code == 404
    empty = {"key": "k" * 20, "shown": "0"}
    assert (await phone.post("/s/corner", data=empty)).status_code == 409


async def test_the_customers_pages_are_small_in_every_language(phone: Phone) -> None:
    basket = await added(phone, "latte", choice="oat")
    for address in ("/s/corner", "/s/corner/latte", basket.request.url.raw_path.decode()):
        for language in ("en", "hi", "ru"):
            page = await phone.get(f"{address}{'&' if '?' in address else '?'}lang={language}")
            assert f'lang="{language}"' in page.text
            assert len(gzip.compress(page.content, 6)) < 15_000


async def test_a_piece_that_is_rejected_leaves_the_code_and_the_rest_of_the_order(
    counter: Counter, phone: Phone
) -> None:
    order = await counter.preparing(Wish(sku="latte"), Wish(sku="cake"))
    cake = next(u.unit_id for u in (await counter.view(order)).units if u.name == "Carrot cake")
    await staff.reject(counter.stage.context, counter.who, order, "None left", [cake])
    await counter.stage.sweep()
    for ready in (False, True):
        if ready:
            await staff.ready(counter.stage.context, counter.who, order)
        code = await counter.code(order)
        page = (await phone.get(f"/o/{(await counter.view(order)).token}")).text
        assert f"{code[:3]} {code[3:]}" in page
        assert "Not handed over: <bdi>Carrot cake</bdi>" in page
        assert '<dd class="sum">€4.20</dd>' in page
        assert "Money back" not in page
        assert "data-final" not in page
    await counter.complete(order)
    assert (
        "A part was not available"
        in (await phone.get(f"/o/{(await counter.view(order)).token}")).text
    )
