"""What is special to Twilio: causes by code, callbacks, prices, words that are said."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec.structs import replace
from twilio.request_validator import RequestValidator

from coinslot.kit.clock import SystemClock
from coinslot.kit.secrets import Secret
from coinslot.notices import twilio
from coinslot.notices.base import (
    Absent,
    Cause,
    Cost,
    Forged,
    Form,
    Inbound,
    Notice,
    Notifier,
    Refused,
    Report,
    Sent,
    Stage,
    Unclear,
    Unreadable,
)
from coinslot.notices.twilio import Settings, Twilio, signature, twiml
from sandbox.twilio.calls import said_by
from tests.gateways.canned import Asked, Canned, serving
from tests.notices.rigs import Trouble, TwilioRig, notice
from tests.sandbox.receiver import Received, Receiver
from tests.sandbox.running import until

ACCOUNT, MESSAGE = f"AC{1:032d}", f"SM{1:032d}"
URL = "https://pay.example.com/webhooks/twilio/sms?order=ord_1"
SETTINGS = Settings(
    account_sid=ACCOUNT, auth_token=Secret("twilio-auth-token-test"), sender="+15005550006",
    connect_s=0.5, read_s=0.5,
)  # fmt: skip
SAID = {
    "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "From": "+15005550006",
    "MessageSid": MESSAGE, "SmsSid": MESSAGE, "MessageStatus": "delivered",
    "SmsStatus": "delivered", "To": "+14155550100",
}  # fmt: skip
SHA1, SHA256 = "nn9eKSm+51XLQJ7KhJwXqh6W+ZE=", "9/CBLm8x8J2qKNmPMnjr7+FKRboZzeUTwIa/RW9QH9Q="
SMS = Form.SMS
DRIVER = Twilio(SETTINGS)  # to read callbacks; each one made loads the system's certificates


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@asynccontextmanager
async def told(*answers: Canned) -> AsyncIterator[tuple[Twilio, list[Asked]]]:
    """A driver whose service gives these answers."""
    async with serving(*answers) as (url, asked):
        driver = Twilio(replace(SETTINGS, base_url=url))
        yield driver, asked
        await driver.close()


def text(**more: Any) -> Any:
    return replace(notice(_Rig(), callback=URL), **more)


class _Rig:
    """Only an address: these notices go to canned answers."""

    form, to = SMS, "+14155550100"
    driver: Notifier = DRIVER

    def trouble(self, kind: Trouble) -> None: ...
    def delivered(self) -> list[str]:
        return []

    def unreached(self) -> Notifier | None:
        return None

    stranger = unreached


def error(status: int, code: int) -> Canned:
    return Canned(status, {"code": code, "message": "no", "more_info": "x", "status": status})


def made(status: str = "queued", **more: Any) -> Canned:
    return Canned(201, {"sid": MESSAGE, "status": status, "price": None} | more)


def signed(said: dict[str, str], token: str = "twilio-auth-token-test") -> dict[str, str]:
    return {"x-twilio-signature": RequestValidator(token).compute_signature(URL, said)}


def read(said: dict[str, str], headers: dict[str, str] | None = None) -> Any:
    headers = signed(said) if headers is None else headers
    return DRIVER.read_callback(URL, headers, urlencode(said).encode())


async def test_each_message_has_a_connection_of_its_own() -> None:
    """One that was kept may be closed by the other end just now, and nobody knew what was sent."""
    calls: list[int] = []
    body = json.dumps({"sid": MESSAGE, "status": "queued", "price": None}).encode()
    head = f"HTTP/1.1 201 Created\r\ncontent-length: {len(body)}\r\n\r\n".encode()

    async def keeps_it_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(0)
        number = len(calls) - 1
        with suppress(asyncio.IncompleteReadError):
            while asked := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"content-length: (\d+)", asked.lower())
                await reader.readexactly(int(length[1]) if length else 0)
                calls[number] += 1
                writer.write(head + body)
        writer.close()

    async with await asyncio.start_server(keeps_it_open, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        driver = Twilio(replace(SETTINGS, base_url=url))
        for _ in range(3):
            assert isinstance(await driver.send(SMS, text()), Sent)
        await driver.close()
    assert calls == [1, 1, 1]


@pytest.mark.parametrize(
    ("answer", "cause", "permanent"),
    [
        (error(401, 20003), Cause.ACCOUNT, True),
        (error(404, 20404), Cause.ACCOUNT, True),
        (error(429, 20429), Cause.BUSY, False),
        (Canned(429, b"slow down"), Cause.BUSY, False),
        (error(400, 21211), Cause.RECIPIENT, True),
        (error(400, 21408), Cause.RECIPIENT, True),
        (error(400, 21612), Cause.RECIPIENT, True),
        (error(400, 21614), Cause.RECIPIENT, True),
        (error(400, 21217), Cause.RECIPIENT, True),
        (error(400, 21999), Cause.RECIPIENT, True),  # not known: by its class
        (error(400, 21606), Cause.ACCOUNT, True),
        (error(400, 21608), Cause.ACCOUNT, True),
        (error(400, 21610), Cause.OPTED_OUT, True),
        (error(400, 21611), Cause.BUSY, False),
        (error(400, 21617), Cause.CONTENT, True),
        (error(400, 99999), Cause.ACCOUNT, True),
        (Canned(403, b"<html>"), Cause.ACCOUNT, True),
    ],
)
async def test_a_code_says_whose_fault_it_is(answer: Canned, cause: Cause, permanent: bool) -> None:
    async with told(answer) as (driver, asked):
        said = await driver.send(SMS, text())
    assert isinstance(said, Refused)
    assert (said.cause, said.permanent) == (cause, permanent)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "answer",
    [Canned(500), Canned(503), Canned(302, b""), Canned(408),
     Canned(300, {"sid": MESSAGE, "status": "queued"}), Canned(201, b"<html>"),
     Canned(201, {}), Canned(201, {"sid": 7, "status": "queued"}),
     Canned(201, {"sid": "../x", "status": "queued"}), Canned(201, b"[" * 100_000), Canned(0),
     Canned(201, b"{}" + b" " * 40, delay_s=0.05)],
)  # fmt: skip
async def test_whatever_proves_nothing_is_unclear_and_sent_once(answer: Canned) -> None:
    async with told(answer) as (driver, asked):
        assert isinstance(await driver.send(SMS, text()), Unclear)
        assert len(asked) == 1
        assert isinstance(await driver.look(SMS, MESSAGE), Unclear)
        assert isinstance(await driver.find(SMS, text(), SystemClock().now()), Unclear)


@pytest.mark.parametrize(("chars", "kind"), [(300_000, Sent), (6_000_000, Unclear)])
async def test_an_answer_is_read_in_its_parts_up_to_five_megabytes(chars: int, kind: type) -> None:
    async with told(made(note="x" * chars)) as (driver, _):
        assert isinstance(await driver.send(SMS, text()), kind)


async def test_a_message_goes_as_a_form_with_a_short_life() -> None:
    async with told(made()) as (driver, asked):
        assert await driver.send(SMS, text(valid_s=600)) == Sent(
            reference=MESSAGE, stage=Stage.QUEUED
        )
    (one,) = asked
    assert one.line == f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1"
    assert one.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(one.body.decode()) == {
        "To": ["+14155550100"], "From": ["+15005550006"], "Body": ["Order A42 is ready"],
        "StatusCallback": [URL], "ValidityPeriod": ["600"],
    }  # fmt: skip


@pytest.mark.parametrize(("valid_s", "said"), [(-5, "1"), (0, "1"), (86_400, "36000")])
async def test_a_life_is_kept_within_what_twilio_takes(valid_s: int, said: str) -> None:
    async with told(made()) as (driver, asked):
        await driver.send(SMS, text(valid_s=valid_s))
    assert parse_qs(asked[0].body.decode())["ValidityPeriod"] == [said]


async def test_an_api_key_and_a_messaging_service_take_their_places() -> None:
    settings = {"api_key": "SK1", "api_secret": Secret("s"), "service": "MG1"}
    async with serving(made()) as (url, asked):
        driver = Twilio(replace(SETTINGS, base_url=url, **settings))
        await driver.send(SMS, text())
        await driver.close()
    form = parse_qs(asked[0].body.decode())
    assert (form["MessagingServiceSid"], "From" in form) == (["MG1"], False)
    assert asked[0].headers["authorization"] == "Basic U0sxOnM="


async def test_a_call_says_its_words_twice_and_digits_one_by_one(phone: TwilioRig) -> None:
    wanted = notice(phone, text='Order 42 & "4829" <now>\r\n')
    assert isinstance(await phone.driver.send(Form.CALL, wanted), Sent)
    (call,) = phone.sandbox.ask("GET", "/books")["twilio"]["calls"][-1:]
    assert call["said"].split() == ["Order", "42", "&", '"4', "8", "2", '9"', "<now>"]


def called(words: str, language: str) -> Notice:
    return Notice(key="k", to="+14155550100", text=words, language=language)


@given(st.text(max_size=30), st.text(max_size=5))
def test_every_text_makes_xml_that_says_it(words: str, language: str) -> None:
    said = said_by(twiml(called(words, language)))
    assert "application error" not in said or "application error" in words
    assert 'language="en-US"' in twiml(called(words, "xx"))
    assert 'language="ru-RU"' in twiml(called(words, "ru"))


async def test_a_message_is_followed_to_its_end_and_its_price(
    phone: TwilioRig, receiver: Receiver
) -> None:
    url = receiver.url + "?order=ord_1"
    sent = await phone.driver.send(SMS, notice(phone, callback=url))
    assert isinstance(sent, Sent)
    reports = [_read(phone, url, one) for one in receiver.wait(2)]
    assert [(one.reference, one.stage) for one in reports] == [
        (sent.reference, Stage.SENT), (sent.reference, Stage.DELIVERED),
    ]  # fmt: skip

    def priced() -> bool:
        row = phone.sandbox.http.get(
            f"/twilio/2010-04-01/Accounts/{phone.settings.account_sid}/Messages/{sent.reference}.json",
            auth=(phone.settings.account_sid, phone.settings.auth_token.reveal()),
        ).json()
        return row["price"] is not None

    until(priced)
    report = await phone.twilio.look(SMS, sent.reference)
    assert isinstance(report, Report)
    assert (report.stage, report.cost) == (Stage.DELIVERED, Cost("0.00750", "USD"))


async def test_a_forged_callback_is_told_from_a_true_one(
    phone: TwilioRig, receiver: Receiver
) -> None:
    phone.sandbox.weather(webhooks={"forge": 1})
    await phone.driver.send(SMS, notice(phone, callback=receiver.url))
    verdicts = [_read(phone, receiver.url, one) for one in receiver.wait(4)]
    assert sorted(type(one).__name__ for one in verdicts) == ["Forged"] * 2 + ["Report"] * 2


async def test_a_failure_says_whether_it_may_pass(phone: TwilioRig, receiver: Receiver) -> None:
    for code, again in ((30003, True), (30006, False)):
        wanted = {"number": phone.to, "sms": "undelivered", "error_code": code}
        phone.sandbox.ask("POST", "/twilio/phones", wanted)
        seen = len(receiver.received)
        await phone.driver.send(SMS, notice(phone, callback=receiver.url))
        # Reports pass each other on the way.
        told = [_read(phone, receiver.url, one) for one in receiver.wait(seen + 2)[seen:]]
        (failed,) = (r for r in told if isinstance(r, Report) and r.stage is Stage.FAILED)
        assert (failed.code, failed.again) == (str(code), again)


async def test_a_call_that_nobody_takes_failed(phone: TwilioRig, receiver: Receiver) -> None:
    phone.sandbox.ask("POST", "/twilio/phones", {"number": phone.to, "call": "no-answer"})
    await phone.driver.send(Form.CALL, notice(phone, callback=receiver.url))
    stages = [_read(phone, receiver.url, one).stage for one in receiver.wait(2)]
    assert stages == [Stage.SENT, Stage.FAILED]


async def test_who_writes_stop_opts_out(phone: TwilioRig, receiver: Receiver) -> None:
    phone.account(webhook_url=receiver.url)
    said = {"account_id": phone.settings.account_sid, "sender": phone.to}
    for body, wish in (("STOP", True), ("hello", None), ("START", False)):
        seen = len(receiver.received)
        phone.sandbox.ask("POST", "/twilio/reply", said | {"body": body})
        verdict = _read(phone, receiver.url, receiver.wait(seen + 1)[-1])
        assert isinstance(verdict, Inbound)
        assert (verdict.sender, verdict.text, verdict.opts_out) == (phone.to, body, wish)
        if wish:
            answer = await phone.driver.send(SMS, notice(phone))
            assert isinstance(answer, Refused)
            assert answer.cause is Cause.OPTED_OUT


def _read(phone: TwilioRig, url: str, delivery: Received) -> Any:
    return phone.twilio.read_callback(url, delivery.headers, delivery.body.encode())


async def test_only_notices_like_this_one_are_found(phone: TwilioRig) -> None:
    since = SystemClock().now()
    wanted = notice(phone)
    for one in (wanted, replace(wanted, text="another"), wanted):
        assert isinstance(await phone.driver.send(SMS, one), Sent)
    found = await phone.twilio.find(SMS, wanted, since)
    assert isinstance(found, tuple)
    assert len(found) == 2
    assert await phone.twilio.find(SMS, wanted, since + timedelta(hours=1)) == ()
    assert await phone.twilio.find(SMS, replace(wanted, to="+14150000000"), since) == ()


async def test_a_list_that_is_cut_off_finds_nothing_for_sure() -> None:
    at = "Fri, 24 May 2019 17:44:46 +0000"
    row = {"sid": MESSAGE, "status": "sent", "body": "x", "date_created": at,
           "direction": "outbound-api"}  # fmt: skip
    since = SystemClock().now()
    page = {"messages": [row], "next_page_uri": "/2010-04-01/x"}
    async with told(Canned(200, page)) as (driver, _):
        assert await driver.find(SMS, text(), since) == ()  # the rest is older still
        assert isinstance(await driver.find(SMS, text(), since - timedelta(days=9_000)), Unclear)
    async with told(Canned(200, {"messages": [row | {"date_created": "soon"}]})) as (driver, _):
        assert isinstance(await driver.find(SMS, text(), since), Unclear)


@pytest.mark.parametrize("price", ["x", "NaN", "Infinity", ""])
async def test_a_price_that_is_none_is_no_cost(price: str) -> None:
    async with told(Canned(200, {"sid": MESSAGE, "status": "sent", "price": price})) as (driver, _):
        report = await driver.look(SMS, MESSAGE)
    assert isinstance(report, Report)
    assert report.cost is None


async def test_a_failure_that_is_looked_up_says_why() -> None:
    answer = {"sid": MESSAGE, "status": "failed", "error_code": 30006}
    async with told(Canned(200, answer)) as (driver, _):
        report = await driver.look(SMS, MESSAGE)
    assert report == Report(reference=MESSAGE, stage=Stage.FAILED, code="30006")


async def test_a_notice_that_is_not_there_is_absent() -> None:
    async with told(error(404, 20404)) as (driver, _):
        assert await driver.look(SMS, MESSAGE) == Absent()


def test_signatures_are_the_published_ones() -> None:
    published = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234",
                 "From": "+14158675309", "To": "+18005551212"}  # fmt: skip
    address = "https://mycompany.com/myapp.php?foo=1&bar=2"
    made = signature(Secret("12345"), address, published.items())
    assert made == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    token = Secret("twilio-auth-token-test")
    assert signature(token, URL, SAID.items()) == SHA1
    assert signature(token, URL, SAID.items(), "HMAC_SHA256") == SHA256


def test_a_callback_is_read_by_the_token_an_old_one_or_a_shared_key() -> None:
    expected = Report(reference=MESSAGE, stage=Stage.DELIVERED)
    assert read(SAID, {"x-twilio-signature": SHA1}) == expected
    changed = replace(
        SETTINGS, auth_token=Secret("new"), old_tokens=(SETTINGS.auth_token,),
        shared_keys={"k1": SETTINGS.auth_token},
    )  # fmt: skip
    body = urlencode(SAID).encode()
    old = Twilio(changed).read_callback(URL, {"x-twilio-signature": SHA1}, body)
    named = {"x-twilio-signature": SHA256,
             "x-twilio-webhooks-signature-settings": "key=k1, algorithm=HMAC_SHA256"}  # fmt: skip
    assert old == Twilio(changed).read_callback(URL, named, body) == expected
    for wrong in ("key=k2,algorithm=HMAC_SHA256", "key=k1,algorithm=MD5", "key=k1"):
        headers = named | {"x-twilio-webhooks-signature-settings": wrong}
        assert isinstance(Twilio(changed).read_callback(URL, headers, body), Forged)


@pytest.mark.parametrize("given_", ["", "x", SHA256, SHA1.lower(), SHA1 + " ", "\u0660"])
def test_no_other_signature_will_do(given_: str) -> None:
    assert isinstance(read(SAID, {"x-twilio-signature": given_}), Forged)
    assert isinstance(read(SAID, {}), Forged)


def test_a_callback_says_why_a_notice_failed() -> None:
    said = {**SAID, "MessageStatus": "undelivered", "ErrorCode": "30006"}
    headers = {"x-twilio-signature": signature(SETTINGS.auth_token, URL, said.items())}
    assert read(said, headers) == Report(reference=MESSAGE, stage=Stage.FAILED, code="30006")


def test_a_connection_is_waited_for_as_long_as_the_settings_say_and_an_answer_too() -> None:
    driver = Twilio(replace(SETTINGS, connect_s=1.5, read_s=7))
    assert driver._http.timeout == httpx.Timeout(7, connect=1.5)


def test_an_empty_token_signs_nothing() -> None:
    driver = Twilio(replace(SETTINGS, auth_token=Secret("")))
    headers = {"x-twilio-signature": signature(Secret(""), URL, SAID.items())}
    assert isinstance(driver.read_callback(URL, headers, urlencode(SAID).encode()), Forged)


def test_the_usual_port_may_stand_in_the_url_or_not() -> None:
    other = URL.replace(".com/", ".com:443/")
    headers = {"x-twilio-signature": RequestValidator("twilio-auth-token-test").compute_signature(
        other, SAID)}  # fmt: skip
    assert isinstance(read(SAID, headers), Report)
    plain = URL.replace("https", "http")
    body = urlencode(SAID).encode()
    assert isinstance(Twilio(SETTINGS).read_callback(plain, headers, body), Forged)


def test_a_repeated_parameter_counts_once_for_each_of_its_values() -> None:
    pairs = [*SAID.items(), ("x", "2"), ("x", "1"), ("x", "1")]

    class Many(dict[str, str]):
        def getlist(self, name: str) -> list[str]:
            return [value for key, value in pairs if key == name]

    sign = RequestValidator("twilio-auth-token-test").compute_signature(URL, Many(pairs))
    driver, body = Twilio(SETTINGS), urlencode(pairs).encode()
    assert isinstance(driver.read_callback(URL, {"x-twilio-signature": sign}, body), Report)


def test_a_json_body_is_proved_by_its_hash() -> None:
    digest = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    url = f"https://pay.example.com/hook?bodySHA256={digest}"
    headers = {"x-twilio-signature": "qNRPCEnztMtDKC8on+F2fOFO38g="}
    driver = Twilio(SETTINGS)
    assert isinstance(driver.read_callback(url, headers, b'{"a":1}'), Unreadable)  # genuine
    assert isinstance(driver.read_callback(url, headers, b'{"a":2}'), Forged)


@pytest.mark.parametrize(
    "more",
    [{"MessageStatus": "eaten"}, {"MessageStatus": "", "SmsStatus": ""}, {"MessageSid": "x"},
     {"AccountSid": f"AC{2:032d}"}, {"SmsStatus": "received", "From": "nobody"}],
)  # fmt: skip
def test_what_is_signed_and_not_known_is_unreadable(more: dict[str, str]) -> None:
    assert isinstance(read(SAID | more), Unreadable)


def test_parameters_that_nobody_heard_of_do_no_harm() -> None:
    assert isinstance(read(SAID | {"Unheralded": "ж & я", "Empty": ""}), Report)


@given(st.binary(max_size=60), st.dictionaries(st.text(max_size=9), st.text(max_size=9)))
def test_no_callback_makes_the_driver_raise(body: bytes, headers: dict[str, str]) -> None:
    assert isinstance(DRIVER.read_callback(URL, headers, body), Forged)


def test_a_flood_of_parameters_is_refused() -> None:
    body = "&".join(f"p{number}=1" for number in range(5_000)).encode()
    assert isinstance(DRIVER.read_callback(URL, {}, body), Forged)


def test_the_token_is_in_no_repr() -> None:
    assert "twilio-auth-token-test" not in repr(SETTINGS) + repr(twilio) + json.dumps(str(SETTINGS))
