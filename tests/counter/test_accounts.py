"""Customers who stay signed in: what they see, who else sees nothing, and how it ends."""

import re
from collections.abc import AsyncIterator
from urllib.parse import unquote

import httpx
import pytest
from litestar import Litestar

from coinslot.counter import accounts, messages, offers
from coinslot.counter.basket import Wish
from coinslot.counter.history import Proved
from coinslot.counter.offers import Offer
from coinslot.notices.base import Report, Stage
from coinslot.notices.mock import Mock
from coinslot.oversight import privacy
from tests.counter.stage import Counter
from tests.counter.telling import EMAIL, PHONE, reach, swept
from tests.counter.test_history import STRANGER, asked, code_sent, lookup_of
from tests.counter.test_history import sent as sent
from tests.counter.test_offers import CARD, collects
from tests.counter.test_pages import phone as phone
from tests.counter.test_pages import web as web

Phone = httpx.AsyncClient
ACCOUNT = "/s/corner/account"


@pytest.fixture
async def tablet(web: Litestar) -> AsyncIterator[Phone]:
    """Another device of the same customer."""
    wire = httpx.ASGITransport(web, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=wire, base_url="http://coinslot.test") as client:
        yield client


async def sign_in(counter: Counter, sent: Mock, device: Phone, contact: str = PHONE) -> None:
    page = await asked(device, contact)
    code = await code_sent(counter, sent)
    answer = await device.post(
        f"/s/corner/orders/{lookup_of(page)}", data={"code": code, "stay": "1"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, ACCOUNT)


async def test_who_stays_signed_in_sees_their_orders_without_another_code(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    mine = await counter.view(await counter.paid(contact=reach()))
    others = await counter.view(await counter.paid(contact=reach(phone=STRANGER)))
    assert (await phone.get(ACCOUNT)).headers["location"] == "/s/corner/orders"
    await sign_in(counter, sent, phone)
    page = await phone.get(ACCOUNT)
    assert mine.token in page.text
    assert others.token not in page.text
    assert (await phone.get("/s/corner/orders")).headers["location"] == ACCOUNT
    counter.stage.later(accounts.LIFE.total_seconds())
    assert (await phone.get(ACCOUNT)).status_code == 303, "it ends by itself"


async def test_the_cookie_is_of_one_merchant_and_no_script_and_no_other_site_has_it(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    await counter.paid(contact=reach())
    page = await asked(phone, PHONE)
    code = await code_sent(counter, sent)
    answer = await phone.post(
        f"/s/corner/orders/{lookup_of(page)}", data={"code": code, "stay": "1"}
    )
    cookie = next(c for c in answer.headers.get_list("set-cookie") if "guest" in c).lower()
    assert counter.stage.merchant.hex in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=15552000" in cookie
    value = cookie.partition("=")[2].partition(";")[0]
    kept = await counter.stage.value("SELECT token_digest FROM counter_sessions")
    assert value not in kept, "who reads the table cannot sign in with it"


async def test_nobody_is_signed_in_who_did_not_ask_for_it_or_has_no_right_code(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    await counter.paid(contact=reach())
    page = await asked(phone, PHONE)
    code = await code_sent(counter, sent)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    answer = await phone.post(
        f"/s/corner/orders/{lookup_of(page)}", data={"code": wrong, "stay": "1"}
    )
    assert answer.status_code == 422
    await phone.post(f"/s/corner/orders/{lookup_of(page)}", data={"code": code})
    assert await counter.stage.value("SELECT count(*) FROM counter_accounts") == 0
    assert (await phone.get(ACCOUNT)).status_code == 303
    phone.cookies.set(f"coinslot_guest_{counter.stage.merchant.hex}", "x" * 27)
    assert (await phone.get(ACCOUNT)).status_code == 303


async def test_what_is_saved_is_filled_in_where_they_order_until_they_take_it_out(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    await counter.paid(contact=reach())
    await sign_in(counter, sent, phone)
    await phone.post(ACCOUNT, data={"name": "Maria", "note": "no nuts"})
    assert 'value="no nuts"' in (await phone.get("/s/corner/latte")).text
    basket = "/s/corner/basket?line=latte~1~~"
    assert 'value="Maria"' in (await phone.get(basket)).text
    await phone.post(ACCOUNT, data={"name": "", "note": ""})
    assert 'value="Maria"' not in (await phone.get(basket)).text


async def test_ordering_again_is_a_basket_at_todays_prices_and_says_what_is_not_sold(
    counter: Counter, phone: Phone
) -> None:
    await counter.stage.rows("UPDATE counter_items SET stock = 10 WHERE stock = 3 RETURNING id")
    wishes = (Wish(sku="latte", quantity=2, choices=("oat",), note="hot"), Wish(sku="cake"))
    view = await counter.view(await counter.paid(*wishes))
    await counter.stage.rows(
        "UPDATE counter_items SET price_minor = 400 WHERE price_minor = 350 RETURNING id"
    )
    await counter.stage.rows("UPDATE counter_items SET stock = 0 WHERE stock = 9 RETURNING id")
    answer = await phone.get(f"/s/corner/again/{view.token}")
    assert unquote(answer.headers["location"]).endswith("line=latte~2~oat~hot&line=cake~1~~")
    page = await phone.get(answer.headers["location"])
    assert "9.00" in page.text
    assert "Carrot cake" in page.text
    assert (await phone.get("/s/corner/again/nobody-knows-this")).status_code == 404


async def test_signing_out_everywhere_ends_every_device_and_one_sign_out_only_its_own(
    counter: Counter, sent: Mock, phone: Phone, tablet: Phone
) -> None:
    await counter.paid(contact=reach())
    await sign_in(counter, sent, phone)
    await sign_in(counter, sent, tablet)
    assert await counter.stage.value("SELECT count(*) FROM counter_accounts") == 1
    await phone.post(f"{ACCOUNT}/out", data={})
    assert (await phone.get(ACCOUNT)).status_code == 303
    assert (await tablet.get(ACCOUNT)).status_code == 200
    await sign_in(counter, sent, phone)
    kept = dict(tablet.cookies)
    await phone.post(f"{ACCOUNT}/out", data={"everywhere": "1"})
    assert (await tablet.get(ACCOUNT)).status_code == 303
    assert dict(tablet.cookies) == kept, "the cookie alone opens nothing any more"


async def test_the_card_of_a_browser_comes_into_the_account_and_is_on_its_other_devices(
    counter: Counter, sent: Mock, phone: Phone, tablet: Phone
) -> None:
    await collects(counter)
    await counter.paid(contact=reach())
    await phone.post("/s/corner/card")
    await sign_in(counter, sent, phone)
    await sign_in(counter, sent, tablet)
    mine = {device.cookies["coinslot_browser"] for device in (phone, tablet)}
    assert len(mine) == 1
    assert "<progress" in (await tablet.get("/s/corner/card")).text
    await tablet.post(f"{ACCOUNT}/out", data={"everywhere": "1"})
    assert "<progress" not in (await tablet.get("/s/corner/card")).text
    assert "<progress" not in (await phone.get("/s/corner/card")).text, "its token is another"
    await sign_in(counter, sent, phone)
    assert "<progress" in (await phone.get("/s/corner/card")).text


async def test_a_browser_with_something_on_its_card_keeps_it_beside_the_card_of_the_account(
    counter: Counter,
) -> None:
    context, at, them = counter.stage.context, await counter.store(), Proved("sms", "a phone")
    await collects(counter)

    async def card(held: str) -> str:
        return (await accounts.begin(context, at, them, held)).card

    mine = await card(CARD)
    assert mine not in ("", CARD), "what was on it is in the account"
    await offers.begin_card(context, at, "the browser at work")
    assert await card("the browser at work") == mine, "nothing was on that one"
    await counter.complete(
        await counter.ready(Wish(sku="latte"), offer=Offer(card="the browser at work"))
    )
    assert await card("the browser at work") == "", "its own, which nobody takes away"
    for held in ("", "no card", mine):
        assert await card(held) == mine


async def test_who_deletes_the_account_is_named_nowhere_and_the_order_stays(
    counter: Counter, sent: Mock, phone: Phone, tablet: Phone
) -> None:
    order = await counter.ready(contact=reach(), name="Maria")
    await collects(counter)
    await phone.post("/s/corner/card")
    await swept(counter)
    await sign_in(counter, sent, phone)
    await sign_in(counter, sent, tablet)
    assert "<progress" in (await tablet.get("/s/corner/card")).text
    await phone.post(ACCOUNT, data={"name": "Maria", "note": "no nuts"})
    await phone.post(f"{ACCOUNT}/delete", data={})
    assert (await phone.get(ACCOUNT)).status_code == 200, "not by one wrong tap"
    await phone.post(f"{ACCOUNT}/delete", data={"sure": "1"})
    assert (await tablet.get(ACCOUNT)).status_code == 303
    open_ = "SELECT count(*) FROM counter_sessions WHERE ended_at IS NULL"
    assert await counter.stage.value(open_) == 0
    assert "<progress" not in (await tablet.get("/s/corner/card")).text, "nobody holds the card"
    await counter.complete(order)
    for row in await counter.stage.rows("SELECT * FROM counter_messages WHERE ended_at IS NULL"):
        told = Report(reference=row["reference"], stage=Stage.DELIVERED)
        await messages.reported(counter.stage.context, row, told)  # type: ignore[arg-type]
    await swept(counter)
    await privacy.forget_waiting(counter.stage.context)
    row = (await counter.stage.rows("SELECT digest, name, note FROM counter_accounts"))[0]
    assert set(dict(row).values()) == {""}
    assert await counter.stage.value("SELECT person_left($1)", order) == 0
    assert await counter.stage.value("SELECT count(*) FROM orders WHERE state = 'completed'") == 1


async def test_a_merchant_who_forgets_a_person_ends_their_account(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    order = await counter.ready(contact=reach())
    await counter.complete(order)
    await swept(counter)
    await sign_in(counter, sent, phone)
    await phone.post(ACCOUNT, data={"name": "Maria"})
    await counter.stage.rows(
        "INSERT INTO forgotten_orders (order_id, merchant_id, asked_by, reason, asked_at)"
        " VALUES ($1, $2, 'asha', 'asked', $3) RETURNING order_id",
        order, counter.stage.merchant, counter.stage.clock.now(),
    )  # fmt: skip
    assert await counter.stage.value("SELECT person_left($1)", order) > 0
    await privacy.forget_waiting(counter.stage.context)
    assert (await phone.get(ACCOUNT)).status_code == 303
    assert await counter.stage.value("SELECT max(name) FROM counter_accounts") == ""


async def test_a_link_of_a_mail_signs_in_as_well(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    await counter.paid(contact=reach(email=EMAIL))
    await asked(phone, EMAIL)
    await swept(counter)
    mail = next(box.notice.text for box in sent.sent if "key=" in box.notice.text)
    where = re.search(r"/s/corner/orders/[0-9a-f-]{36}\?key=(\w+)", mail)
    assert where is not None
    page = await phone.get(where[0])
    assert 'name="stay"' in page.text
    await phone.post(where[0].partition("?")[0], data={"code": where[1], "stay": "1"})
    assert (await phone.get(ACCOUNT)).status_code == 200
