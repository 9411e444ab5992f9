"""A customer's browser that shows a notice when the order is ready."""

from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from coinslot.counter import staff
from coinslot.events.webhooks.safe_http import SafeHttp
from coinslot.notices.base import Form
from coinslot.notices.webpush import WebPush
from tests.counter.stage import Counter
from tests.counter.telling import stages, swept
from tests.counter.test_pages import phone as phone
from tests.counter.test_pages import web as web
from tests.notices.push_receiver import PushService

Phone = httpx.AsyncClient


@pytest.fixture
def pushing(counter: Counter) -> None:
    stage = counter.stage
    key, reach = ec.generate_private_key(ec.SECP256R1()), SafeHttp(timeout_s=5, private=True)
    made = WebPush(key, "mailto:coins@shop.example", reach, stage.clock)
    stage.context.notifiers = {Form.PUSH: made}
    stage.context.public_url = "https://pay.example"


async def subscribed(counter: Counter, phone: Phone, order: UUID, service: PushService) -> None:
    token = (await counter.view(order)).token
    answer = await phone.post(f"/o/{token}/push", data={"subscription": service.json})
    assert answer.status_code == 200, answer.text


async def test_a_browser_that_was_asked_shows_when_the_order_is_ready(
    counter: Counter, pushing: None, phone: Phone
) -> None:
    async with PushService().listening() as service:
        order = await counter.preparing()
        view = await counter.view(order)
        page = await phone.get(f"/o/{view.token}")
        assert view.push_key
        assert view.push_key in page.text
        for _ in range(2):
            await subscribed(counter, phone, order, service)
        await staff.ready(counter.stage.context, counter.who, order)
        await swept(counter)
        told = service.opened()
        assert told["url"] == f"https://pay.example/o/{view.token}"
        assert view.number in told["title"]
        assert len(service.got) == 1
    assert await counter.code(order) not in str(told), "the page has it"
    assert (await stages(counter, order))["ready push"] == ("sent", None)
    consents = await counter.stage.rows("SELECT form FROM counter_consents")
    assert {row["form"] for row in consents} == {"push"}


async def test_a_browser_that_is_gone_ends_there_and_holds_up_nothing(
    counter: Counter, pushing: None, phone: Phone
) -> None:
    async with PushService().listening() as service:
        order = await counter.preparing()
        await subscribed(counter, phone, order, service)
        service.status = 410
        await staff.ready(counter.stage.context, counter.who, order)
        await swept(counter)
    assert (await stages(counter, order))["ready push"] == ("failed", "recipient")
    await counter.complete(order)


async def test_an_address_that_no_browser_wrote_is_refused(
    counter: Counter, pushing: None, phone: Phone
) -> None:
    token = (await counter.view(await counter.paid())).token
    for text in (
        "",
        "{}",
        '{"endpoint": "file:///x", "keys": {"p256dh": "", "auth": ""}}',
    ):
        answer = await phone.post(f"/o/{token}/push", data={"subscription": text})
        assert answer.status_code == 400
    async with PushService().listening() as service:
        answer = await phone.post("/o/nobodys/push", data={"subscription": service.json})
    assert answer.status_code == 404
    worker = await phone.get("/o/worker.js")
    assert worker.headers["service-worker-allowed"] == "/o/"
    assert "showNotification" in worker.text
