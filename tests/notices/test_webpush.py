"""Web Push: what a browser opens, whom the service believes, and what an answer means."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pywebpush import WebPusher

from coinslot.events.notices import browsers
from coinslot.events.webhooks.safe_http import SafeHttp
from coinslot.kit.clock import SettableClock
from coinslot.notices.base import Cause, Form, Notice, Refused, Sent, Unclear
from coinslot.notices.webpush import WebPush, encrypted, subscription
from coinslot.worker import sweep
from tests.console.conftest import Browser, signed_in
from tests.notices.push_receiver import PushService, unb64
from tests.notices.rigs import NOW
from tests.notices.telling import PACE, Told, telling
from tests.people.conftest import PASSWORD, Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

# RFC 8291, section 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
UA_PUBLIC = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
AUTH, SALT = "BTBZMqHH6r4Tts7J_aSIgg", "DGv6ra1nlYgDCS1FRnbzlw"
AS_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECORD = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6"
    "TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy"
    "4a-fN"
)
NOTICE = Notice(
    key="n1", to="", subject="M01 is silent", text="M01 is silent\nSince 12:00",
    link="https://coins.example/console/machines/M01",
)  # fmt: skip


def test_the_record_is_that_of_the_standard() -> None:
    own = ec.derive_private_key(int.from_bytes(unb64(AS_PRIVATE), "big"), ec.SECP256R1())
    browser = subscription("https://push.example.net/x", UA_PUBLIC, AUTH)
    assert encrypted(browser, PLAIN, own, unb64(SALT)) == unb64(RECORD)


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with PushService().listening() as found:
        yield found


@pytest.fixture
async def push() -> AsyncIterator[WebPush]:
    made = driver(private=True)
    yield made
    await made.close()


def driver(*, private: bool, timeout_s: float = 5) -> WebPush:
    key = ec.generate_private_key(ec.SECP256R1())
    reach = SafeHttp(timeout_s=timeout_s, private=private)
    return WebPush(key, "mailto:coins@shop.example", reach, SettableClock(NOW))


def to(service: PushService, **more: Any) -> Notice:
    return Notice(
        key=NOTICE.key, to=more.get("to", service.to), subject=NOTICE.subject, text=NOTICE.text,
        link=NOTICE.link,
    )  # fmt: skip


async def test_the_browser_opens_what_was_said_and_the_service_knows_who_sent_it(
    service: PushService, push: WebPush
) -> None:
    assert isinstance(await push.send(Form.PUSH, to(service)), Sent)
    shown = service.opened()
    assert (shown["title"], shown["body"]) == ("M01 is silent", "Since 12:00")
    assert shown["url"] == NOTICE.link
    claims = service.claims()
    assert claims["aud"] == service.origin
    assert claims["sub"] == "mailto:coins@shop.example"
    assert claims["exp"] <= (NOW + timedelta(hours=24)).timestamp()
    headers = service.got[0][0]
    assert headers["content-encoding"] == "aes128gcm"
    assert 0 < int(headers["ttl"]) <= 28 * 86400
    key = headers["authorization"].partition(", k=")[2]
    assert key == push.public_key
    assert Vapid02.verify(headers["authorization"].replace(", k=", ",k="))


async def test_it_is_what_the_library_of_others_sends(service: PushService, push: WebPush) -> None:
    await push.send(Form.PUSH, to(service))
    keys = {"p256dh": service.p256dh, "auth": service.to.split(" ")[2]}
    theirs = WebPusher({"endpoint": service.endpoint, "keys": keys}).encode(b"{}")
    ours = service.got[0][1]
    # Salt and key are new each time: the frame around them is the same.
    assert ours[16:21] == theirs["body"][16:21] == (4096).to_bytes(4, "big") + bytes([65])


async def test_a_notice_that_is_sent_again_takes_the_place_of_the_first(
    service: PushService, push: WebPush
) -> None:
    for _ in range(2):
        await push.send(Form.PUSH, to(service))
    first, second = (headers["topic"] for headers, _ in service.got)
    assert first == second
    assert len(first) == 32
    assert service.opened(0)["tag"] == service.opened(1)["tag"]


@pytest.mark.parametrize(
    ("status", "cause"),
    [(404, Cause.RECIPIENT), (410, Cause.RECIPIENT), (413, Cause.CONTENT), (429, Cause.BUSY),
     (403, Cause.ACCOUNT)],
)  # fmt: skip
async def test_a_refusal_says_whose_fault_it_is(
    service: PushService, push: WebPush, status: int, cause: Cause
) -> None:
    service.status = status
    answer = await push.send(Form.PUSH, to(service))
    assert isinstance(answer, Refused)
    assert answer.cause is cause


async def test_no_answer_and_a_broken_service_are_unclear(service: PushService) -> None:
    push = driver(private=True, timeout_s=0.2)
    service.status = 502
    assert isinstance(await push.send(Form.PUSH, to(service)), Unclear)
    service.answers.clear()
    assert isinstance(await push.send(Form.PUSH, to(service)), Unclear)
    await push.close()


async def test_where_nobody_listens_nothing_was_sent(service: PushService, push: WebPush) -> None:
    gone = service.to.replace(service.origin, "http://127.0.0.1:9")
    answer = await push.send(Form.PUSH, to(service, to=gone))
    assert isinstance(answer, Refused)
    assert answer.cause is Cause.UNREACHED


async def test_an_address_inside_is_not_called(service: PushService) -> None:
    """A name of a stranger's may lead inside by the time of the call."""
    push = driver(private=False)
    answer = await push.send(Form.PUSH, to(service))
    assert isinstance(answer, Refused)
    assert answer.cause is Cause.RECIPIENT
    assert service.got == []
    await push.close()


@pytest.fixture
async def told(staffed: Staffed) -> Told:
    return await telling(staffed)


@pytest.fixture
async def pushed(told: Told, push: WebPush, service: PushService) -> Told:
    """Boris's browser is subscribed."""
    told.context.notifiers = {**told.context.notifiers, Form.PUSH: push}
    await subscribe(told, service, "boris")
    return told


async def subscribe(told: Told, service: PushService, login: str) -> Any:
    browser = await signed_in(told.staffed, login)
    page = await browser.look("/console/notices")
    answer = await browser.send("/console/notices/browsers", {"subscription": service.json})
    assert answer.status_code == 303, answer.text
    return page


async def sent(told: Told) -> None:
    while await sweep.sweep_once(told.context, "notices", PACE):
        pass


async def test_a_subscribed_browser_hears_of_a_silent_machine(
    pushed: Told, service: PushService
) -> None:
    await pushed.heard("M01")
    await pushed.pass_(1200, step=300)
    assert [service.opened(n)["title"] for n in range(len(service.got))] == [
        "M01 (Platform 1) is silent since 21 Nov 12:00"
    ]


async def test_a_browser_that_is_gone_is_forgotten(pushed: Told, service: PushService) -> None:
    service.status = 410
    await pushed.heard("M01")
    await pushed.pass_(1200, step=300)
    (row,) = await pushed.rows("SELECT ended_because FROM push_subscriptions")
    assert row["ended_because"] == "gone"


async def test_signed_out_everywhere_no_browser_shows_notices(
    pushed: Told, service: PushService
) -> None:
    boris = await signed_in(pushed.staffed, "boris")
    await boris.press(await boris.look("/console/account"), "/console/sign-out-everywhere")
    await pushed.heard("M01")
    await pushed.pass_(1200, step=300)
    assert service.got == []


async def other_place_ended(pushed: Told) -> Browser:
    """Boris ends the session that subscribed from another place; that place's browser."""
    boris = await signed_in(pushed.staffed, "boris")
    account = await boris.look("/console/account")
    (other,) = re.findall(r'action="(/console/account/sessions/[^"]+)"', account.text)
    assert "notices/browsers/" in (await boris.look("/console/notices")).text
    assert (await boris.press(account, other)).status_code == 303
    assert "notices/browsers/" not in (await boris.look("/console/notices")).text
    return boris


async def test_the_end_of_one_session_is_that_of_its_browsers_notices(
    pushed: Told, service: PushService
) -> None:
    await other_place_ended(pushed)
    await pushed.heard("M01")
    await pushed.pass_(1200, step=300)
    assert service.got == []


async def test_a_browser_that_asks_again_shows_them_and_a_fresh_proof_ends_none(
    pushed: Told, service: PushService
) -> None:
    boris = await other_place_ended(pushed)
    await boris.send("/console/notices/browsers", {"subscription": service.json})
    proved = await boris.send("/console/step-up", {"password": PASSWORD})
    assert proved.status_code == 303, proved.text
    await pushed.heard("M01")
    await pushed.pass_(1200, step=300)
    assert len(service.got) == 1


async def test_a_browser_shows_the_notices_of_who_signed_in_last(
    pushed: Told, service: PushService
) -> None:
    await subscribe(pushed, service, "chandra")
    await pushed.heard("M01")
    await pushed.pass_(1200, step=300)
    assert service.got == []  # Asha's machine is none of Chandra's


@pytest.mark.parametrize(
    "endpoint",
    ["http://push.example/x", "https://10.0.0.1/x", "https://169.254.169.254/latest", "file:///x",
     "https://user@push.example/x", ""],
)  # fmt: skip
async def test_a_subscription_that_leads_inside_is_refused(told: Told, endpoint: str) -> None:
    service = PushService()
    told.context.notifiers = {Form.PUSH: driver(private=False)}
    boris = await signed_in(told.staffed, "boris")
    text = service.json.replace(service.endpoint, endpoint)
    answer = await boris.send("/console/notices/browsers", {"subscription": text})
    assert answer.status_code == 400
    assert await told.rows("SELECT 1 FROM push_subscriptions") == []


async def test_the_key_is_made_once_and_sealed(told: Told) -> None:
    db, vault = told.context.db, told.context.vault
    first = await browsers.signing_key(db, vault)
    again = await browsers.signing_key(db, vault)
    assert first.private_numbers() == again.private_numbers()
    (row,) = await told.rows("SELECT push_key FROM installation")
    number = first.private_numbers().private_value.to_bytes(32, "big")
    assert number not in row["push_key"]
