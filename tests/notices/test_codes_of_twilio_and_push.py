"""What each answer of Twilio and of a push service means, from code to code and at both sides of
each bound."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from coinslot.events.webhooks.safe_http import TryOutcome
from coinslot.kit.clock import SettableClock
from coinslot.kit.secrets import Secret
from coinslot.notices import twilio, webpush
from coinslot.notices.base import (
    Cause,
    Cost,
    Form,
    Inbound,
    Notice,
    Pressed,
    Refused,
    Report,
    Sent,
    Stage,
    Unclear,
    Unreadable,
)
from coinslot.notices.twilio import Settings

CALL, SMS = f"CA{3:032x}", f"SM{1:032x}"
PHONE = "+14155550100"
ACCOUNT, BUSY, CONTENT, RECIPIENT = Cause.ACCOUNT, Cause.BUSY, Cause.CONTENT, Cause.RECIPIENT


def reply(status: int, body: object = None) -> twilio._Reply:
    return twilio._Reply(status, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        *[(400, code, ACCOUNT) for code in (
            0, 1, 20003, 20404, 20999, 21205, 21210, 21212, 21213, 21603, 21606, 21608, 21609,
            22000, 30001)],
        *[(400, code, RECIPIENT) for code in (
            21000, 21204, 21206, 21211, 21214, 21217, 21408, 21604, 21605, 21607, 21612, 21614,
            21999)],
        *[(400, code, BUSY) for code in (20429, 21611)],
        *[(400, code, CONTENT) for code in (21602, 21617)],
        (400, 21610, Cause.OPTED_OUT),
        *[(429, code, BUSY) for code in (0, 21211, 20003)],
        (428, 0, ACCOUNT), (430, 0, ACCOUNT),
    ],
)  # fmt: skip
def test_each_code_of_twilio_says_whose_fault_it_is(status: int, code: int, cause: Cause) -> None:
    said = twilio._refusal(reply(status, {"code": code, "message": "m" * 300}))
    kept = str(code) if code else ""
    assert said == Refused(cause=cause, reason=f"HTTP {status} {'m' * 200}", code=kept)
    bare = twilio._refusal(reply(status, "no object"))
    otherwise = BUSY if status == 429 else ACCOUNT
    assert bare == Refused(cause=otherwise, reason=f"HTTP {status}", code="")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (199, Unclear), (200, Sent), (299, Sent), (300, Unclear), (399, Unclear), (400, Refused),
        (407, Refused), (408, Unclear), (409, Refused), (499, Refused), (500, Unclear),
    ],
)  # fmt: skip
def test_an_answer_is_read_by_the_class_of_its_status(status: int, kind: type) -> None:
    said = twilio._taken(reply(status, {"sid": SMS, "status": "sent", "code": 21211}))
    assert type(said) is kind
    if isinstance(said, Sent):
        assert said == Sent(reference=SMS, stage=Stage.SENT)
    pushed = webpush._read(tried(status), "n1")
    assert type(pushed) is kind


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("accepted scheduled queued sending initiated", Stage.QUEUED),
        ("sent partially_delivered ringing in-progress", Stage.SENT),
        ("delivered read completed", Stage.DELIVERED),
        ("undelivered failed canceled busy no-answer", Stage.FAILED),
    ],
)
def test_each_word_of_twilio_is_a_stage(words: str, stage: Stage) -> None:
    for word in words.split():
        assert twilio._report(twilio._Said(sid=SMS, status=word)) == Report(
            reference=SMS, stage=stage
        )
        assert twilio._taken(reply(201, {"sid": SMS, "status": word})) == Sent(
            reference=SMS, stage=stage
        )
    assert twilio._taken(reply(201, {"sid": SMS, "status": "new"})) == Sent(
        reference=SMS, stage=Stage.QUEUED
    )
    for wrong in (twilio._Said(sid=SMS, status="new"), twilio._Said(sid="x", status="sent")):
        assert isinstance(twilio._report(wrong), Unclear)


@pytest.mark.parametrize(
    ("code", "again"),
    [
        (None, False), (0, False), (30001, True), (30002, True), (30003, True), (30004, False),
        (30005, False), (30006, False), (30007, False), (30008, True), (30033, True),
        (30034, False), (30035, True), (21211, False), (13000, False),
    ],
)  # fmt: skip
def test_what_failed_on_its_way_may_be_sent_again_unless_it_lasts(
    code: int | None, again: bool
) -> None:
    failed = twilio._Said(sid=SMS, status="failed", error_code=code)
    expected = Report(reference=SMS, stage=Stage.FAILED, code=str(code or ""), again=again)
    assert twilio._report(failed) == expected
    sent = twilio._Said(sid=SMS, status="sent", error_code=code)
    assert twilio._report(sent) == Report(reference=SMS, stage=Stage.SENT, code=expected.code)


@pytest.mark.parametrize(
    ("price", "unit", "cost"),
    [
        (None, "USD", None), ("-0.0075", "USD", Cost("0.0075", "USD")),
        ("0.0075", "EUR", Cost("0.0075", "EUR")), ("-1", None, Cost("1", "USD")),
        ("-1", "", Cost("1", "USD")), ("1E-3", "USD", Cost("0.001", "USD")), ("x", "USD", None),
        ("-Infinity", "USD", None), ("0", "USD", Cost("0", "USD")),
    ],
)  # fmt: skip
def test_a_price_comes_below_zero_and_in_dollars_where_nothing_else_is_said(
    price: str | None, unit: str | None, cost: Cost | None
) -> None:
    assert twilio._cost(twilio._Said(sid=SMS, status="x", price=price, price_unit=unit)) == cost


@pytest.mark.parametrize(
    ("more", "wish"),
    [
        ({}, None), ({"OptOutType": "STOP"}, True), ({"OptOutType": "stop"}, True),
        ({"OptOutType": "START"}, False), ({"OptOutType": "HELP"}, None),
    ],
)  # fmt: skip
def test_who_writes_to_us_is_told_with_their_words_and_their_wish(
    more: dict[str, str], wish: bool | None
) -> None:
    said = {"MessageSid": SMS, "From": PHONE, "Body": "hello", **more}
    assert twilio._inbound(said) == Inbound(
        reference=SMS, sender=PHONE, text="hello", opts_out=wish
    )
    for wrong in ({**said, "MessageSid": "x"}, {**said, "From": "x"}, {"From": PHONE},
                  {"MessageSid": SMS}):  # fmt: skip
        assert isinstance(twilio._inbound(wrong), Unreadable)
    assert twilio._inbound({"MessageSid": SMS, "From": PHONE}) == Inbound(
        reference=SMS, sender=PHONE, text="", opts_out=None
    )


@pytest.mark.parametrize(
    ("keys", "taken"),
    [("1", True), ("0", True), ("9*#", True), ("1" * 20, True), ("1" * 21, False), ("", False),
     ("a", False), ("1 2", False)],
)  # fmt: skip
def test_keys_are_those_of_a_phone(keys: str, taken: bool) -> None:
    found = twilio._pressed({"CallSid": CALL, "Digits": keys})
    assert found == (Pressed(reference=CALL, keys=keys) if taken else Unreadable("keys of no call"))
    assert isinstance(twilio._pressed({"CallSid": "x", "Digits": "1"}), Unreadable)
    assert isinstance(twilio._pressed({"Digits": "1"}), Unreadable)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Fri, 24 May 2019 17:44:46 +0000", datetime(2019, 5, 24, 17, 44, 46, tzinfo=UTC)),
        ("Fri, 24 May 2019 17:44:46 -0000", datetime(2019, 5, 24, 17, 44, 46, tzinfo=UTC)),
        ("Fri, 24 May 2019 17:44:46 +0200", datetime(2019, 5, 24, 15, 44, 46, tzinfo=UTC)),
        ("soon", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_moment_without_a_zone_is_in_that_of_the_world(
    text: str | None, moment: datetime | None
) -> None:
    assert twilio._moment(text) == moment


@pytest.mark.parametrize(
    ("url", "also"),
    [
        ("https://a.example/x?y", "https://a.example:443/x?y"),
        ("https://a.example:443/x?y", "https://a.example/x?y"),
        ("http://a.example/x", "http://a.example:80/x"),
        ("http://a.example:80/x", "http://a.example/x"),
        ("https://a.example:80/x", None), ("http://a.example:443/x", None),
        ("ftp://a.example/x", None), ("https:///x", None),
    ],
)  # fmt: skip
def test_an_address_is_signed_with_its_usual_port_and_without(url: str, also: str | None) -> None:
    assert twilio._addresses(url) == ([url] if also is None else [url, also])


SETTINGS = Settings(account_sid="AC1", auth_token=Secret("t"), sender="+15005550006", ring_s=17)


def notice(**more: Any) -> Notice:
    usual = {
        "key": "k",
        "to": PHONE,
        "text": "Order A42",
        "language": "ru",
        "callback": "https://x",
    }
    return Notice(**{**usual, **more})


SAID_TWICE = '<Say loop="2" language="ru-RU">Order A42</Say>'
XML = '<?xml version="1.0" encoding="UTF-8"?>'


@pytest.mark.parametrize(
    ("form", "more", "built"),
    [
        (Form.SMS, {}, {"Body": "Order A42", "ValidityPeriod": "36000"}),
        (Form.SMS, {"valid_s": 1}, {"Body": "Order A42", "ValidityPeriod": "1"}),
        (Form.SMS, {"valid_s": 36_000}, {"Body": "Order A42", "ValidityPeriod": "36000"}),
        (Form.SMS, {"text": "x" * 1600}, {"Body": "x" * 1600, "ValidityPeriod": "36000"}),
        (Form.CALL, {}, {
            "Twiml": f"{XML}<Response>{SAID_TWICE}</Response>", "Timeout": "17",
            "StatusCallbackEvent": ["ringing", "answered", "completed"]}),
        (Form.CALL, {"keys_to": "https://y?a&b", "press": "Press 1"}, {
            "Twiml": f'{XML}<Response><Gather action="https://y?a&amp;b" numDigits="1" timeout="6">'
            f'{SAID_TWICE}<Say loop="1" language="ru-RU">Press 1</Say></Gather></Response>',
            "Timeout": "17", "StatusCallbackEvent": ["ringing", "answered", "completed"]}),
        (Form.CALL, {"keys_to": "https://y"}, {
            "Twiml": f'{XML}<Response><Gather action="https://y" numDigits="1" timeout="6">'
            f"{SAID_TWICE}</Gather></Response>",
            "Timeout": "17", "StatusCallbackEvent": ["ringing", "answered", "completed"]}),
    ],
)  # fmt: skip
def test_a_message_and_a_call_are_asked_for_with_these_fields(
    form: Form, more: dict[str, Any], built: dict[str, Any]
) -> None:
    usual = {"To": PHONE, "From": "+15005550006", "StatusCallback": "https://x"}
    wanted = notice(**{"valid_s": 86_400, **more})
    assert twilio._form(SETTINGS, form, wanted) == {**usual, **built}


@pytest.mark.parametrize(
    ("form", "more", "cause", "why"),
    [
        (Form.EMAIL, {}, CONTENT, "Twilio sends no email"),
        (Form.SMS, {"to": "123"}, RECIPIENT, "the number is not one by E.164"),
        (Form.SMS, {"to": "+1234567"}, None, ""),
        (Form.SMS, {"to": "+123456"}, RECIPIENT, "the number is not one by E.164"),
        (Form.SMS, {"to": "+123456789012345"}, None, ""),
        (Form.SMS, {"to": "+1234567890123456"}, RECIPIENT, "the number is not one by E.164"),
        (Form.SMS, {"to": "+0234567"}, RECIPIENT, "the number is not one by E.164"),
        (Form.SMS, {"text": " "}, CONTENT, "the text is empty or too long"),
        (Form.SMS, {"text": "x" * 1601}, CONTENT, "the text is empty or too long"),
        (Form.CALL, {"text": "x" * 3000}, None, ""),
        (Form.CALL, {"text": "x" * 3001}, CONTENT, "the text is empty or too long"),
        (Form.SMS, {"text": "\ud800"}, CONTENT, "the text has half a character in it"),
        (Form.CALL, {"text": "&" * 1000}, CONTENT, "the text is too long to be said"),
    ],
)  # fmt: skip
def test_what_twilio_would_not_take_is_not_sent(
    form: Form, more: dict[str, Any], cause: Cause | None, why: str
) -> None:
    built = twilio._form(SETTINGS, form, notice(**more))
    if cause is None:
        assert isinstance(built, dict)
    else:
        assert built == Refused(cause=cause, reason=why)


# Web Push.


def tried(status: int | None, failure: str | None = None) -> TryOutcome:
    return TryOutcome(status=status, failure=failure, response=None, took_ms=1)


@pytest.mark.parametrize(
    ("status", "cause"),
    [(400, CONTENT), (401, ACCOUNT), (403, ACCOUNT), (404, RECIPIENT), (405, ACCOUNT),
     (409, ACCOUNT), (410, RECIPIENT), (411, ACCOUNT), (413, CONTENT), (414, ACCOUNT),
     (429, BUSY), (430, ACCOUNT), (499, ACCOUNT)],
)  # fmt: skip
def test_a_push_service_refuses_with_a_status(status: int, cause: Cause) -> None:
    assert webpush._read(tried(status), "n1") == Refused(
        cause=cause, reason=f"HTTP {status}", code=str(status)
    )


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("NotPublicError: x", Refused(cause=RECIPIENT, reason="NotPublicError: x")),
        ("ConnectError: x", Refused(cause=Cause.UNREACHED, reason="ConnectError: x")),
        ("ConnectTimeout", Refused(cause=Cause.UNREACHED, reason="ConnectTimeout")),
        ("ReadError", Unclear("ReadError")), (None, Unclear("")),
    ],
)  # fmt: skip
def test_where_no_answer_came_it_is_said_whether_anything_was_sent(
    failure: str | None, said: object
) -> None:
    assert webpush._read(tried(None, failure), "n1") == said
    assert webpush._read(tried(201), "n1") == Sent(reference="n1", stage=Stage.SENT)
    assert webpush._read(tried(408), "n1") == Unclear("HTTP 408")


KEY = ec.derive_private_key(7, ec.SECP256R1())
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Post:
    """A service that takes everything, and keeps it."""

    private = True

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> TryOutcome:
        self.got.append((url, headers, body))
        return tried(201)

    async def close(self) -> None:
        pass


P256DH = webpush._base64(webpush._point(KEY.public_key()))
AUTH = webpush._base64(b"a" * 16)
TO = f"https://push.example/x {P256DH} {AUTH}"


@pytest.mark.parametrize(
    ("valid_s", "ttl"), [(60, "60"), (28 * 86400, "2419200"), (28 * 86400 + 1, "2419200")]
)
async def test_a_push_goes_with_these_headers(valid_s: int, ttl: str) -> None:
    post = Post()
    made = webpush.WebPush(KEY, "mailto:x@y.example", post, SettableClock(NOW))
    wanted = Notice(key="n1", to=TO, subject="s", text="s\nt", valid_s=valid_s)
    assert await made.send(Form.PUSH, wanted) == Sent(reference="n1", stage=Stage.SENT)
    ((url, headers, _),) = post.got
    assert url == "https://push.example/x"
    signed, _, key = headers.pop("authorization").removeprefix("vapid t=").partition(", k=")
    assert key == made.public_key == P256DH
    assert headers == {
        "content-encoding": "aes128gcm", "content-type": "application/octet-stream", "ttl": ttl,
        "urgency": "high", "topic": webpush._topic("n1"),
    }  # fmt: skip
    claims = jwt.decode(signed, options={"verify_signature": False})
    assert claims == {
        "aud": "https://push.example", "sub": "mailto:x@y.example",
        "exp": int((NOW + timedelta(hours=12)).timestamp()),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("form", "more", "cause"),
    [
        (Form.SMS, {}, CONTENT), (Form.PUSH, {"text": " "}, CONTENT),
        (Form.PUSH, {"text": "x" * 20_000}, None), (Form.PUSH, {"text": "x" * 20_001}, CONTENT),
        (Form.PUSH, {"to": "x"}, RECIPIENT), (Form.PUSH, {"to": f"{TO} more"}, RECIPIENT),
        (Form.PUSH, {"to": TO[:-4]}, RECIPIENT), (Form.PUSH, {"to": f"x {P256DH[:-4]} {AUTH}"},
                                                  RECIPIENT),
        (Form.PUSH, {"to": f"x {P256DH} {'é' * 22}"}, RECIPIENT),
        (Form.PUSH, {"to": f"x {P256DH} {'A' * 201}"}, RECIPIENT),
    ],
)  # fmt: skip
async def test_what_is_no_push_is_not_sent(
    form: Form, more: dict[str, Any], cause: Cause | None
) -> None:
    post = Post()
    made = webpush.WebPush(KEY, "mailto:x@y.example", post, SettableClock(NOW))
    said = await made.send(form, Notice(**{"key": "n1", "to": TO, "text": "t", **more}))
    assert len(post.got) == (cause is None)
    assert (said.cause if isinstance(said, Refused) else None) is cause


def test_a_push_shows_so_much_and_no_more() -> None:
    long = Notice(
        key="n1", to=TO, subject="s" * 999, text="s" * 999 + " \n" + "t" * 9999, link="https://l",
        language="hi",
    )  # fmt: skip
    shown = json.loads(webpush._shown(long, "tag"))
    title, body = "s" * webpush._TITLE_CHARS, "t" * webpush._BODY_CHARS
    assert shown == {"title": title, "body": body, "url": "https://l", "tag": "tag", "lang": "hi"}
    assert len(webpush._shown(long, "tag" * 11)) < 4096 - 103, "a service takes 4096 bytes"
