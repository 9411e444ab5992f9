"""The page behind the code on a machine's screen, over HTTP: a GET makes nothing, a POST places the
one order, and another phone sees its state alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace

from coinslot.channels.tmetr import Drink, Heartbeat, NoPrice, Refused, Silent, Size, Taken, Unclear
from coinslot.coffee.rules import Rule, Rules, save_rules
from coinslot.kit.money import Money
from tests.coffee.stage import DEVICE, DRINK, PRICE, Cafe
from tests.kept_app import customers_app

Phone = httpx.AsyncClient
CODE = "20250317110122659ba6d7-9ace-cndn"


@pytest.fixture
def web(cafe: Cafe) -> Litestar:
    return customers_app(cafe.stage.context)


@pytest.fixture
async def phone(web: Litestar) -> AsyncIterator[Phone]:
    async with a_phone(web) as client:
        yield client


def a_phone(web: Litestar) -> Phone:
    wire = httpx.ASGITransport(web, raise_app_exceptions=False)  # type: ignore[arg-type]
    headers = {"accept": "text/html"}
    return httpx.AsyncClient(transport=wire, base_url="http://coinslot.test", headers=headers)


def address(cafe: Cafe, **more: object) -> str:
    """As the machine's screen shows it."""
    query = {
        "deviceUuid": DEVICE, "drinkNo": DRINK, "size": 1, "random": "AbCdEf",
        "ts": int(cafe.stage.clock.now().timestamp()), "salt": "0" * 32, "drinkName": "Латте",
        "uuid": CODE, "price": 1,
    }  # fmt: skip
    return f"/v1/pay?{urlencode(query | more)}"


def form(page: httpx.Response, **more: str) -> tuple[str, dict[str, str]]:
    """The page's form as a browser would send it: where to, and what."""
    said = page.text
    action = re.search(r'<form class="card item" action="([^"]+)"', said)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', said))
    way = re.search(r'name="way" value="([^"]+)"', said)
    assert action is not None, re.sub(r"(?s)<style.*</style>", "", said)
    assert way is not None
    return action[1].replace("&amp;", "&"), {**fields, "way": way[1], "contact": "", **more}


async def orders(cafe: Cafe) -> list[dict[str, object]]:
    return await cafe.stage.rows("SELECT * FROM orders")


async def test_the_code_leads_to_the_drink_and_one_tap_pays_for_it(
    cafe: Cafe, phone: Phone
) -> None:
    cafe.makes_receipts()
    page = await phone.get(address(cafe))
    assert page.status_code == 200
    assert "Капучино" in page.text
    assert "Латте" not in page.text, "the name is the vendor's, not the query's"
    assert "₽" in page.text or "RUB" in page.text
    assert await orders(cafe) == [], "a GET makes nothing"
    where, fields = form(page, contact="Ivan@Example.com")
    assert "drinkName" not in where
    tapped = await phone.post(where, data=fields)
    assert tapped.status_code == 303
    (order,) = await orders(cafe)
    assert tapped.headers["location"] == f"/o/{order['token']}?go=1"
    assert (order["amount_minor"], order["currency"]) == (PRICE, "RUB")
    assert order["receipt_contact"] == "Ivan@Example.com"
    assert order["expires_at"] == order["ends_by"]
    assert (await phone.get(tapped.headers["location"])).status_code == 200
    await cafe.stage.sweep("fulfillments")
    assert [make.order for make in cafe.roaster.makes] == [CODE]


async def test_price_and_drink_are_asked_of_the_vendor_by_the_codes_own_ids(
    cafe: Cafe, phone: Phone
) -> None:
    await phone.get(address(cafe, size=2))
    assert cafe.roaster.asked == [(DEVICE, DRINK, Size.BIG)]


async def test_a_second_tap_and_a_second_scan_of_one_phone_find_the_same_order(
    cafe: Cafe, phone: Phone
) -> None:
    where, fields = form(await phone.get(address(cafe)))
    answers = await asyncio.gather(*(phone.post(where, data=fields) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {303}
    (order,) = await orders(cafe)
    again = await phone.get(address(cafe))
    assert (again.status_code, again.headers["location"]) == (303, f"/o/{order['token']}")
    assert len(await cafe.stage.rows("SELECT id FROM captures")) == 1


async def test_another_phone_sees_the_state_and_never_the_link(
    cafe: Cafe, web: Litestar, phone: Phone
) -> None:
    async with a_phone(web) as other:
        theirs = form(await other.get(address(cafe)))
        where, fields = form(await phone.get(address(cafe)))
        await phone.post(where, data=fields)
        (order,) = await orders(cafe)
        for answer in (await other.get(address(cafe)), await other.post(theirs[0], data=theirs[1])):
            assert answer.status_code == 409
            assert 'data-status="paid"' in answer.text
            assert str(order["token"]) not in answer.text + str(answer.headers)
            assert str(order["number"]) not in answer.text
    async with a_phone(web) as nobody:
        seen = await nobody.get(address(cafe))
    assert (seen.status_code, str(order["token"]) in seen.text) == (409, False)
    assert len(await orders(cafe)) == 1


async def test_two_phones_that_tap_at_once_place_one_order(cafe: Cafe, web: Litestar) -> None:
    async with a_phone(web) as one, a_phone(web) as two:
        forms = [(each, *form(await each.get(address(cafe)))) for each in (one, two)]
        answers = await asyncio.gather(
            *(each.post(where, data=fields) for each, where, fields in forms)
        )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert len(await orders(cafe)) == 1


@pytest.mark.parametrize(
    ("query", "status", "why"),
    [({"deviceUuid": "nobody"}, 404, "unknown_machine"),
     ({"ts": 1_700_000_000}, 410, "too_old"),
     ({"ts": 4_000_000_000}, 410, "too_old"),
     ({"size": 3}, 400, "unreadable"),
     ({"uuid": ""}, 400, "unreadable"),
     ({"deviceUuid": "a/b"}, 404, "unknown_machine"),
     ({"ts": "now"}, 400, "unreadable"),
     ({"uuid": "x" * 256}, 400, "unreadable")],
)  # fmt: skip
async def test_a_code_that_sells_nothing_says_why(
    cafe: Cafe, phone: Phone, query: dict[str, object], status: int, why: str
) -> None:
    said = await phone.get(address(cafe, **query))
    assert (said.status_code, f'data-why="{why}"' in said.text) == (status, True)
    posted = await phone.post(address(cafe, **query), data={"price": str(PRICE), "key": "k" * 20})
    assert posted.status_code == said.status_code
    assert await orders(cafe) == []


@pytest.mark.parametrize("minor", [PRICE - 2500, PRICE + 2500])
async def test_a_price_that_is_another_by_now_is_shown_before_it_is_charged(
    cafe: Cafe, phone: Phone, minor: int
) -> None:
    """A lower one, too: what the customer pays is what the page said."""
    where, fields = form(await phone.get(address(cafe)))
    cafe.roaster.price = Drink("Капучино", Money(minor, "RUB"))
    told = await phone.post(where, data=fields)
    assert await orders(cafe) == []
    where, fields = form(told)
    assert fields["price"] == str(minor)
    assert (await phone.post(where, data=fields)).status_code == 303
    assert [order["amount_minor"] for order in await orders(cafe)] == [minor]


async def test_a_code_is_good_until_the_life_of_an_order_is_over(cafe: Cafe, phone: Phone) -> None:
    at = address(cafe)
    cafe.stage.later(899)
    assert (await phone.get(at)).status_code == 200
    cafe.stage.later(1)
    assert (await phone.get(at)).status_code == 410


async def refused(cafe: Cafe, phone: Phone, why: str, status: int) -> None:
    said = await phone.get(address(cafe))
    assert (said.status_code, f'data-why="{why}"' in said.text) == (status, True)
    posted = await phone.post(address(cafe), data={"price": str(PRICE), "key": "k" * 20})
    assert (posted.status_code, f'data-why="{why}"' in posted.text) == (status, True)
    assert await orders(cafe) == []


@pytest.mark.parametrize("price", [NoPrice(), Refused("HTTP 404 no such drink", 404)])
async def test_a_drink_without_a_price_is_refused_and_never_gets_a_default(
    cafe: Cafe, phone: Phone, price: NoPrice | Refused
) -> None:
    cafe.roaster.price = price
    await refused(cafe, phone, "no_price", 422)


@pytest.mark.parametrize("ago_s", [None, 300, 86_400])
async def test_a_silent_machine_takes_no_money(cafe: Cafe, phone: Phone, ago_s: int | None) -> None:
    now = cafe.stage.clock.now()
    cafe.roaster.beat = Silent() if ago_s is None else Heartbeat(now - timedelta(seconds=ago_s))
    await refused(cafe, phone, "silent", 503)


@pytest.mark.parametrize("answer", [Unclear("HTTP 500"), Refused("HTTP 401", 401, alarm=True)])
async def test_a_vendor_that_does_not_answer_sells_nothing(
    cafe: Cafe, phone: Phone, answer: Unclear | Refused
) -> None:
    cafe.roaster.price = answer
    await refused(cafe, phone, "away", 503)
    cafe.roaster.price, cafe.roaster.beat = Drink("Капучино", Money(PRICE, "RUB")), answer
    await refused(cafe, phone, "away", 503)


async def test_a_machine_out_of_service_and_a_paused_merchant_take_no_money(
    cafe: Cafe, phone: Phone
) -> None:
    now = cafe.stage.clock.now()
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await conn.execute("UPDATE outlets SET decommissioned_at = $1 WHERE id = 'K01'", now)
    await refused(cafe, phone, "closed", 410)
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await conn.execute("UPDATE outlets SET decommissioned_at = NULL")
        await conn.execute("UPDATE merchants SET paused_at = $1", now)
    await refused(cafe, phone, "closed", 410)


async def test_a_price_that_changed_meanwhile_is_shown_before_anything_is_placed(
    cafe: Cafe, phone: Phone
) -> None:
    cafe.makes_receipts()
    where, fields = form(await phone.get(address(cafe)), contact="ivan@example.com")
    cafe.roaster.price = Drink("Капучино", Money(19_000, "RUB"))
    said = await phone.post(where, data=fields)
    assert (said.status_code, await orders(cafe)) == (409, [])
    assert "190" in said.text
    where, fields = form(said, contact="ivan@example.com")
    assert fields["price"] == "19000"
    assert 'value="ivan@example.com"' in said.text
    assert (await phone.post(where, data=fields)).status_code == 303


async def test_a_contact_that_is_none_is_asked_for_again_and_nothing_is_placed(
    cafe: Cafe, phone: Phone
) -> None:
    cafe.makes_receipts()
    where, fields = form(await phone.get(address(cafe)), contact="Ivan")
    said = await phone.post(where, data=fields)
    assert (said.status_code, await orders(cafe)) == (422, [])
    assert 'value="Ivan"' in said.text
    assert 'aria-invalid="true"' in said.text


async def test_a_contact_is_remembered_on_the_phone_and_on_no_other(
    cafe: Cafe, web: Litestar, phone: Phone
) -> None:
    cafe.makes_receipts()
    where, fields = form(await phone.get(address(cafe)), contact="8 916 123-45-67")
    await phone.post(where, data=fields)
    assert (await orders(cafe))[0]["receipt_contact"] == "+79161234567"
    again = await phone.get(address(cafe, uuid="another"))
    assert 'value="+79161234567"' in again.text
    async with a_phone(web) as other:
        assert "+79161234567" not in (await other.get(address(cafe, uuid="third"))).text


async def test_the_page_keeps_its_code_when_the_language_changes(cafe: Cafe, phone: Phone) -> None:
    page = await phone.get(address(cafe))
    (link,) = re.findall(r'href="(\?[^"]*lang=ru)"', page.text)
    russian = await phone.get(f"/v1/pay{link.replace('&amp;', '&')}")
    assert "Это ваш напиток?" in russian.text


async def test_a_browser_with_many_unpaid_orders_pays_one_first(cafe: Cafe, phone: Phone) -> None:
    context = cafe.stage.context
    context.windows = replace(context.windows, browser_orders=1)
    account = await context.accounts.by_id(cafe.stage.account.id)
    account.driver._method = None  # type: ignore[attr-defined]  # the payer's turn: stays unpaid
    where, fields = form(await phone.get(address(cafe)))
    assert (await phone.post(where, data=fields)).status_code == 303
    where, fields = form(await phone.get(address(cafe, uuid="next")))
    said = await phone.post(where, data=fields)
    assert (said.status_code, 'data-why="busy"' in said.text) == (429, True)


async def test_the_machines_own_page_says_where_to_choose(cafe: Cafe, phone: Phone) -> None:
    page = await phone.get("/q/K01")
    assert page.status_code == 200
    assert "Choose at the machine" in page.text


async def test_only_the_customer_knows_and_is_asked(cafe: Cafe, phone: Phone) -> None:
    where, fields = form(await phone.get(address(cafe)))
    link = (await phone.post(where, data=fields)).headers["location"].partition("?")[0]
    await cafe.stage.sweep("fulfillments")
    page = await phone.get(link)
    assert 'data-phase="working"' in page.text
    assert f'action="{link}/came"' in page.text
    assert f'action="{link}/help"' in page.text
    await phone.post(f"{link}/came")
    assert 'data-phase="done"' in (await phone.get(link)).text


def steps_of(page: httpx.Response) -> list[str]:
    """Those of the timeline that are told with a time: they have happened."""
    found = re.findall(r"<li class=\"(\w+)\"[^>]*><span>([^<]+)</span>( <time)?", page.text)
    return [text for _, text, at in found if at]


@pytest.mark.parametrize(
    ("answer", "said"),
    [(Taken(), True), (Unclear("HTTP 500"), False), (Refused("HTTP 404", 404), False)],
)
async def test_a_page_says_that_the_machine_has_the_order_only_where_it_said_so(
    cafe: Cafe, phone: Phone, answer: Taken | Unclear | Refused, said: bool
) -> None:
    cafe.roaster.answer = answer
    where, fields = form(await phone.get(address(cafe)))
    link = (await phone.post(where, data=fields)).headers["location"].partition("?")[0]
    await cafe.stage.sweep()
    page = await phone.get(link)
    assert ("The machine confirmed" in steps_of(page)) is said
    if isinstance(answer, Refused):
        assert 'data-phase="refunded"' in page.text


async def test_who_has_the_drink_is_not_asked_again_whether_it_came(
    cafe: Cafe, phone: Phone
) -> None:
    """And who said nothing is told whom to ask."""
    for count, says in enumerate((True, False)):
        where, fields = form(await phone.get(address(cafe, uuid=f"{CODE}-{count}")))
        link = (await phone.post(where, data=fields)).headers["location"].partition("?")[0]
        await cafe.stage.sweep("fulfillments")
        if says:
            await phone.post(f"{link}/came")
        cafe.stage.later(181)
        await cafe.stage.sweep()
        page = await phone.get(link)
        assert 'data-phase="done"' in page.text
        assert (f'action="{link}/help"' in page.text) is not says


async def test_who_said_that_nothing_came_is_told_the_day_by_which_a_person_decides(
    cafe: Cafe, phone: Phone
) -> None:
    """The hour alone would be that of today."""
    async with cafe.stage.context.db.as_merchant(cafe.stage.merchant) as conn:
        await save_rules(conn, cafe.stage.merchant, Rules(denied=Rule.PERSON))
    where, fields = form(await phone.get(address(cafe)))
    link = (await phone.post(where, data=fields)).headers["location"].partition("?")[0]
    await cafe.stage.sweep("fulfillments")
    await phone.post(f"{link}/help")
    page = await phone.get(link)
    assert 'data-phase="checking"' in page.text
    assert "22 Nov 2026" in page.text
    assert f'action="{link}/help"' not in page.text, "it was said once, and counts"
