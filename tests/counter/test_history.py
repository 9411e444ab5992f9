"""Orders found again by phone or mail: by who has the phone, and by nobody else."""

import re
from uuid import UUID

import httpx
import pytest

from coinslot.counter import history
from coinslot.notices.base import Form
from coinslot.notices.mock import Mock
from tests.counter.stage import Counter
from tests.counter.telling import EMAIL, PHONE, reach, service, swept, texts
from tests.counter.test_pages import phone as phone
from tests.counter.test_pages import web as web

Phone = httpx.AsyncClient
STRANGER = "+4915100000077"


@pytest.fixture
def sent(counter: Counter) -> Mock:
    return service(counter)


async def asked(phone: Phone, contact: str) -> httpx.Response:
    return await phone.post("/s/corner/orders", data={"contact": contact})


def lookup_of(page: httpx.Response) -> UUID:
    found = re.search(r"/s/corner/orders/([0-9a-f-]{36})", page.text)
    assert found is not None
    return UUID(found[1])


async def shown(phone: Phone, page: httpx.Response, code: str) -> httpx.Response:
    return await phone.post(f"/s/corner/orders/{lookup_of(page)}", data={"code": code})


async def code_sent(counter: Counter, sent: Mock) -> str:
    await swept(counter)
    found = [m[1] for text in texts(sent) if (m := re.search(r": ([0-9]{6}) shows", text))]
    return found[-1]


async def test_who_has_the_phone_sees_its_orders_and_no_others(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    mine = await counter.view(await counter.paid(contact=reach()))
    others = await counter.view(await counter.paid(contact=reach(phone=STRANGER)))
    page = await asked(phone, "0049 151 00000099")
    code = await code_sent(counter, sent)
    list_ = await shown(phone, page, code)
    assert mine.token in list_.text
    assert others.token not in list_.text
    assert (await shown(phone, page, code)).status_code == 422, "a code opens once"


async def test_asking_has_the_same_answer_and_sends_nothing_where_there_are_no_orders(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    await counter.paid(contact=reach())
    await swept(counter)
    before = len(sent.sent)
    pages = [await asked(phone, contact) for contact in (PHONE, STRANGER)]
    plain = [re.sub(r"[0-9a-f-]{36}", "", page.text) for page in pages]
    without_nonce = [re.sub(r'nonce="[^"]*"', "", text) for text in plain]
    assert without_nonce[0] == without_nonce[1]
    assert pages[0].status_code == pages[1].status_code == 200
    await swept(counter)
    assert [box.notice.to for box in sent.sent[before:]] == [PHONE]
    await counter.place(contact=reach(phone="+4915100000055"))
    await asked(phone, "+4915100000055")
    await swept(counter)
    assert len(sent.sent) == before + 1, "an order that nobody paid is none"


async def test_five_tries_and_fifteen_minutes_are_all_that_a_code_has(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    await counter.paid(contact=reach())
    page = await asked(phone, PHONE)
    code = await code_sent(counter, sent)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(5):
        assert (await shown(phone, page, wrong)).status_code == 422
    assert (await shown(phone, page, code)).status_code == 422, "the right one, too late"
    page = await asked(phone, PHONE)
    code = await code_sent(counter, sent)
    counter.stage.later(history.LIFE.total_seconds())
    assert (await shown(phone, page, code)).status_code == 422


async def test_nobody_has_a_phone_flooded(counter: Counter, sent: Mock, phone: Phone) -> None:
    await counter.paid(contact=reach())
    await swept(counter)
    before = len(sent.sent)
    answers = [(await asked(phone, PHONE)).status_code for _ in range(21)]
    await swept(counter)
    assert len(sent.sent) == before + 3
    assert answers == [200] * 20 + [429]


async def test_a_mail_has_a_link_that_shows_a_button_first(
    counter: Counter, sent: Mock, phone: Phone
) -> None:
    mine = await counter.view(await counter.paid(contact=reach(phone="", email=EMAIL)))
    page = await asked(phone, EMAIL.upper())
    assert page.status_code == 200
    await swept(counter)
    mails = "".join(texts(sent, Form.EMAIL))
    link = re.search(r"https://pay\.example(/s/\S+)", mails)
    assert link is not None
    for _ in range(2):  # whoever looks into mails first
        button = await phone.get(link[1])
        assert mine.token not in button.text
    key = re.search(r'name="code" value="([^"]+)"', button.text)
    assert key is not None
    assert mine.token in (await shown(phone, button, key[1])).text


async def test_what_is_no_phone_and_no_mail_is_said(counter: Counter, phone: Phone) -> None:
    assert (await asked(phone, "Maria")).status_code == 422
    assert (await phone.get("/s/corner/orders")).status_code == 200
