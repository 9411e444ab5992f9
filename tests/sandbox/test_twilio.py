"""The emulated Twilio, driven by the official SDK, whose validator judges the callbacks."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from requests import ConnectionError as CutError
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from sandbox.clock import now_s
from sandbox.twilio import wire
from sandbox.twilio.accounts import signature
from sandbox.twilio.calls import said_by
from tests.sandbox.receiver import Received, Receiver
from tests.sandbox.running import SandboxProcess, until

numbers = count(1)
SENDER = "+15005550006"
TWIML = "<Response><Say>Your order 4 2 is ready &amp; waiting</Say></Response>"
FAST = {"sent_ms": 20, "delivered_ms": 20, "ring_ms": 20, "answer_ms": 20, "talk_ms": 20,
        "price_ms": 20, "second_ms": 100, "retry_base_ms": 30}  # fmt: skip


class Redirected:
    """The SDK's own client, led to the sandbox: it has no option for another address."""

    def __init__(self, base_url: str) -> None:
        self._http: Any = TwilioHttpClient()
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
        here = url.replace("https://api.twilio.com", f"{self._base_url}/twilio")
        return self._http.request(method, here, *args, **more)


class Desk:
    """An account of the test's own, its SDK, a customer's phone, and where callbacks go."""

    def __init__(self, sandbox: SandboxProcess, receiver: Receiver) -> None:
        number = next(numbers)
        self.sandbox, self.receiver = sandbox, receiver
        self.sid, self.token = f"AC{number:032x}", f"token-{number}"
        self.to = f"+1415555{number:04d}"
        self.url = receiver.url.replace("razorpay", "twilio?order=ord_1")
        self.setup()
        self.client = self.as_user(self.sid, self.token)

    def setup(self, **more: Any) -> None:
        account = {"account_id": self.sid, "auth_token": self.token} | more
        self.sandbox.ask("POST", "/twilio/accounts", account)

    def as_user(self, user: str, password: str) -> Any:
        http = Redirected(self.sandbox.base_url)
        return Client(user, password, account_sid=self.sid, http_client=http)

    def send(self, **more: Any) -> Any:
        wanted = {"to": self.to, "from_": SENDER, "body": "Code 482913", **more}
        return self.client.messages.create(**wanted)

    def dial(self, **more: Any) -> Any:
        wanted = {"to": self.to, "from_": SENDER, "twiml": TWIML, **more}
        return self.client.calls.create(**wanted)

    def phone(self, **wanted: Any) -> None:
        self.sandbox.ask("POST", "/twilio/phones", {"number": self.to, **wanted})

    def message(self, sid: str, status: str) -> Any:
        """The message, once it has this status."""
        return until(lambda: (m := self.client.messages(sid).fetch()).status == status and m)

    def call(self, sid: str, status: str) -> Any:
        return until(lambda: (c := self.client.calls(sid).fetch()).status == status and c)

    def told(self, name: str) -> list[str]:
        return [params(one)[name] for one in self.receiver.received]

    def book(self, part: str) -> list[dict[str, Any]]:
        rows = self.sandbox.ask("GET", "/books")["twilio"][part]
        return [row for row in rows if row["to"] == self.to]


def params(delivery: Received) -> dict[str, str]:
    return dict(parse_qsl(delivery.body, keep_blank_values=True))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("twilio")
    with SandboxProcess(folder / "s", folder / "m", twilio={"tempo": FAST}) as sandbox:
        yield sandbox


@pytest.fixture
def desk(kept: SandboxProcess, receiver: Receiver) -> Desk:
    fair = {"lose": 0, "repeat": 0, "reorder": 0, "forge": 0, "hold": False}
    kept.weather(webhooks=fair, api={"error_5xx": 0, "drop_response": 0}, seed=1)
    return Desk(kept, receiver)


def code_of(verb: Callable[[], Any]) -> tuple[int, int | None]:
    with pytest.raises(TwilioRestException) as caught:
        verb()
    return caught.value.status, caught.value.code


def test_a_message_is_queued_sent_delivered_and_priced_later(desk: Desk) -> None:
    made = desk.send(status_callback=desk.url)
    assert (made.status, made.price, made.num_segments) == ("queued", None, "1")
    assert made.sid.startswith("SM")
    desk.receiver.wait(2)
    assert sorted(desk.told("MessageStatus")) == ["delivered", "sent"]
    done = until(lambda: (m := desk.client.messages(made.sid).fetch()).price and m)
    assert (done.price, done.price_unit, done.error_code) == ("-0.00750", "USD", None)
    assert done.date_sent.tzinfo is not None
    (row,) = desk.book("messages")
    assert (row["body"], row["sid"], row["status"]) == ("Code 482913", made.sid, "delivered")


def test_the_sdks_validator_accepts_every_callback(desk: Desk) -> None:
    desk.send(status_callback=desk.url)
    desk.dial(status_callback=desk.url, status_callback_event=["initiated", "answered"])
    validator = RequestValidator(desk.token)
    for one in desk.receiver.wait(4):
        given_ = one.headers["x-twilio-signature"]
        assert validator.validate(desk.url, params(one), given_)
        assert not validator.validate(desk.url, params(one) | {"To": "+1"}, given_)
        assert not validator.validate(desk.url + "&x=1", params(one), given_)
        assert not RequestValidator("another").validate(desk.url, params(one), given_)
    assert "parameters are added without notice" in desk.receiver.received[0].body.replace("+", " ")


def test_an_account_may_sign_by_sha_256(desk: Desk) -> None:
    desk.setup(shared_key=["webhooks_sharedkey_1", "shared"])
    desk.send(status_callback=desk.url)
    for one in desk.receiver.wait(2):
        said = one.headers["x-twilio-webhooks-signature-settings"]
        assert said == "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
        sign = one.headers["x-twilio-signature"]
        assert RequestValidator("shared").validate(desk.url, params(one), sign, "HMAC_SHA256")


@pytest.mark.parametrize(
    ("token", "url", "said", "digest", "expected"),
    [
        (
            "12345",
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234",
             "From": "+14158675309", "To": "+18005551212"},
            "sha1",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        *(
            (
                "twilio-auth-token-test",
                "https://pay.example.com/webhooks/twilio/sms?order=ord_1",
                {"AccountSid": f"AC{1:032d}", "ApiVersion": "2010-04-01",
                 "From": "+15005550006", "MessageSid": f"SM{1:032d}", "SmsSid": f"SM{1:032d}",
                 "MessageStatus": "delivered", "SmsStatus": "delivered", "To": "+14155550100"},
                digest,
                expected,
            )
            for digest, expected in (
                ("sha1", "nn9eKSm+51XLQJ7KhJwXqh6W+ZE="),
                ("sha256", "9/CBLm8x8J2qKNmPMnjr7+FKRboZzeUTwIa/RW9QH9Q="),
            )
        ),
    ],
)  # fmt: skip
def test_a_signature_is_the_published_one(
    token: str, url: str, said: dict[str, str], digest: str, expected: str
) -> None:
    assert signature(token, url, said.items(), digest) == expected


def test_two_equal_messages_are_two_messages(desk: Desk) -> None:
    first, second = desk.send(), desk.send()
    assert first.sid != second.sid
    assert [row["sid"] for row in desk.book("messages")] == [first.sid, second.sid]


def test_an_answer_may_be_lost_after_the_message_was_taken(desk: Desk) -> None:
    desk.sandbox.weather(api={"drop_response": 1})
    with pytest.raises(CutError):
        desk.send()
    desk.sandbox.weather(api={"drop_response": 0})
    (found,) = desk.client.messages.list(to=desk.to)
    assert found.body == "Code 482913"


def test_a_phone_decides_how_a_message_ends(desk: Desk) -> None:
    desk.phone(sms="undelivered", error_code=30006)
    gone = desk.message(desk.send(status_callback=desk.url).sid, "undelivered")
    assert gone.error_code == 30006
    desk.receiver.wait(2)
    assert params(desk.receiver.received[-1])["ErrorCode"] == "30006"
    desk.phone(sms="sent")
    stuck = desk.send()
    desk.message(stuck.sid, "sent")
    assert desk.book("messages")[-1]["status"] == "sent"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"to": "+15005550001"}, 400, 21211),
        ({"to": "+15005550002"}, 400, 21612),
        ({"to": "+15005550003"}, 400, 21408),
        ({"to": "+15005550004"}, 400, 21610),
        ({"to": "+15005550009"}, 400, 21614),
        ({"to": "4155550100"}, 400, 21211),
        ({"to": "+1415٣٣٣٣٣٣٣"}, 400, 21211),
        ({"to": ""}, 400, 21604),
        ({"from_": "+15005550001"}, 400, 21212),
        ({"from_": "+15005550007"}, 400, 21606),
        ({"from_": "+15005550008"}, 400, 21611),
        ({"from_": "+14155559999"}, 400, 21606),
        ({"from_": "CAFE"}, 400, 21212),
        ({"from_": ""}, 400, 21603),
        ({"from_": "", "messaging_service_sid": "MG0"}, 404, 20404),
        ({"body": ""}, 400, 21602),
        ({"body": "x" * 1601}, 400, 21617),
        ({"status_callback": "http://a_b.example/x"}, 400, 21609),
        ({"status_callback": "soon"}, 400, 21609),
        ({"validity_period": 0}, 400, 21623),
        ({"validity_period": 36_001}, 400, 21623),
    ],
)
def test_a_message_that_cannot_go_is_refused_by_its_code(
    desk: Desk, more: dict[str, Any], status: int, code: int
) -> None:
    assert code_of(lambda: desk.send(**more)) == (status, code)
    assert desk.book("messages") == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"to": "+15005550001"}, 21217),
        ({"to": "+15005550002"}, 21214),
        ({"to": "+15005550003"}, 21215),
        ({"to": "+15005550004"}, 21216),
        ({"to": "soon"}, 21217),
        ({"to": ""}, 21201),
        ({"from_": ""}, 21213),
        ({"from_": "+14155559999"}, 21210),
        ({"twiml": ""}, 21205),
        ({"twiml": "<Response>" + "x" * 4_000}, 21205),
        ({"status_callback_event": ["sometimes"]}, 21626),
        ({"timeout": 601}, 21222),
    ],
)
def test_a_call_that_cannot_be_made_is_refused_by_its_code(
    desk: Desk, more: dict[str, Any], code: int
) -> None:
    assert code_of(lambda: desk.dial(**more)) == (400, code)
    assert desk.book("calls") == []


def test_nobody_sends_without_the_accounts_own_token(desk: Desk, receiver: Receiver) -> None:
    chandra = Desk(desk.sandbox, receiver)
    for user, password in ((desk.sid, "wrong"), ("SK1", "x"), (chandra.sid, chandra.token)):
        stranger = desk.as_user(user, password)
        send = stranger.messages.create
        wanted = {"to": desk.to, "from_": SENDER, "body": "x"}
        assert code_of(lambda send=send, w=wanted: send(**w)) == (401, 20003)  # type: ignore[misc]
    made = desk.send()
    assert code_of(chandra.client.messages(made.sid).fetch) == (404, 20404)


def test_an_api_key_opens_its_account(desk: Desk) -> None:
    desk.setup(api_keys={"SK1": "key-secret"})
    opened = desk.as_user("SK1", "key-secret")
    assert opened.messages.create(to=desk.to, from_=SENDER, body="x").status == "queued"


def test_a_busy_account_is_told_to_slow_down(desk: Desk) -> None:
    desk.setup(busy=True)
    assert code_of(desk.send) == (429, 20429)


def test_a_trial_account_sends_to_verified_numbers_alone(desk: Desk) -> None:
    desk.setup(trial=True)
    assert code_of(desk.send) == (400, 21608)
    desk.setup(trial=True, verified=[desk.to])
    assert desk.send().status == "queued"


def test_who_wrote_stop_gets_no_more_messages_until_start(desk: Desk) -> None:
    desk.setup(webhook_url=desk.url)
    reply = {"account_id": desk.sid, "sender": desk.to}
    desk.sandbox.ask("POST", "/twilio/reply", reply | {"body": " Stop "})
    (told,) = desk.receiver.wait(1)
    assert (params(told)["OptOutType"], params(told)["From"]) == ("STOP", desk.to)
    assert RequestValidator(desk.token).validate(
        desk.url, params(told), told.headers["x-twilio-signature"]
    )
    assert code_of(desk.send) == (400, 21610)
    assert desk.dial().status == "queued"  # a call is no message
    desk.sandbox.ask("POST", "/twilio/reply", reply | {"body": "start"})
    assert desk.send().status == "queued"


def test_a_call_rings_is_answered_and_says_its_words(desk: Desk) -> None:
    events = ["initiated", "ringing", "answered", "completed"]
    made = desk.dial(status_callback=desk.url, status_callback_event=events)
    assert (made.status, made.duration, made.direction) == ("queued", None, "outbound-api")
    desk.receiver.wait(4)
    # Each is a request of its own, so that one may overtake another: their numbers have the order.
    told = sorted(zip(desk.told("SequenceNumber"), desk.told("CallStatus"), strict=True))
    assert told == [("0", "initiated"), ("1", "ringing"), ("2", "in-progress"), ("3", "completed")]
    done = desk.call(made.sid, "completed")
    assert int(done.duration) >= 1
    (row,) = desk.book("calls")
    assert (row["sid"], row["said"]) == (made.sid, "Your order 4 2 is ready & waiting")


def test_a_call_tells_its_end_alone_unless_more_is_asked_for(desk: Desk) -> None:
    desk.phone(call="busy")
    made = desk.dial(status_callback=desk.url)
    desk.call(made.sid, "busy")
    desk.receiver.wait(1)
    assert desk.told("CallStatus") == ["busy"]


@pytest.mark.parametrize("ends", ["failed", "no-answer"])
def test_a_phone_decides_how_a_call_ends(desk: Desk, ends: str) -> None:
    desk.phone(call=ends)
    assert desk.call(desk.dial().sid, ends).duration is None


def test_a_phone_may_ring_until_somebody_answers(desk: Desk) -> None:
    desk.phone(call="rings")
    made = desk.dial(timeout=60)
    desk.call(made.sid, "ringing")
    desk.sandbox.ask("POST", "/twilio/answer", {"reference": made.sid})
    desk.call(made.sid, "completed")
    again = desk.dial(timeout=1)
    desk.call(again.sid, "no-answer")
    late = desk.sandbox.http.post("/twilio/answer", json={"reference": again.sid})
    assert late.status_code == 409


def test_a_ringing_call_can_be_hung_up(desk: Desk) -> None:
    desk.phone(call="rings")
    made = desk.dial()
    desk.call(made.sid, "ringing")
    assert desk.client.calls(made.sid).update(status="completed").status == "canceled"
    assert code_of(lambda: desk.client.calls(made.sid).update(status="canceled")) == (400, 21220)


@pytest.mark.parametrize(
    ("twiml", "said"),
    [
        ("<Response><Say>a &lt;b&gt;</Say><Say>c</Say></Response>", "a <b> c"),
        ('<Response><Say><say-as interpret-as="digits">42</say-as></Say></Response>', "42"),
        ("<Response><Say>a & b</Say></Response>", "application error"),
        ("<Say>a</Say>", "application error"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><Response/>", "application error"),
    ],
)
def test_what_a_caller_hears_is_what_the_twiml_says(twiml: str, said: str) -> None:
    assert said in said_by(twiml)


def test_a_callback_is_tried_once_more_and_only_without_an_answer(desk: Desk) -> None:
    desk.receiver.answer = lambda _: 500
    desk.phone(sms="sent")
    refused = desk.send(status_callback=desk.url).sid
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
    lost = desk.send(status_callback=closed).sid
    asked = desk.send(status_callback=f"{desk.url}#rc=3&rp=all").sid

    def ended() -> dict[str, Any]:
        rows = desk.sandbox.ask("GET", "/twilio/deliveries")
        mine = {row["reference"]: row for row in rows if row["state"] != "pending"}
        return mine if {refused, lost, asked} <= mine.keys() else {}

    rows = until(ended)
    assert {rows[sid]["state"] for sid in (refused, lost, asked)} == {"given up"}
    assert [rows[sid]["attempts"] for sid in (refused, lost, asked)] == [1, 2, 4]
    tokens = [one.headers.get("i-twilio-idempotency-token") for one in desk.receiver.received
              if asked in one.body]  # fmt: skip
    assert tokens[0] is None
    assert len(set(tokens[1:])) == 1


def test_callbacks_come_swapped_twice_forged_or_never(desk: Desk) -> None:
    desk.sandbox.weather(webhooks={"forge": 1, "repeat": 1})
    desk.send(status_callback=desk.url)
    validator = RequestValidator(desk.token)
    came = desk.receiver.wait(6)
    true = [validator.validate(desk.url, params(one), one.headers["x-twilio-signature"])
            for one in came]  # fmt: skip
    assert sorted(true) == [False] * 2 + [True] * 4
    forged = {params(one)["MessageStatus"] for one, ok in zip(came, true, strict=True) if not ok}
    assert forged == {"failed", "delivered"}
    desk.sandbox.weather(webhooks={"forge": 0, "repeat": 0, "lose": 1})
    lost = desk.send(status_callback=desk.url)
    desk.message(lost.sid, "delivered")
    assert all(lost.sid not in one.body for one in desk.receiver.received)
    desk.sandbox.weather(webhooks={"lose": 0})
    assert desk.sandbox.ask("POST", "/twilio/resend", {"reference": lost.sid})["events"] == 2


def test_messages_are_listed_by_phone_time_and_page(desk: Desk) -> None:
    sids = [desk.send(body=f"n{number}").sid for number in range(5)]
    for sid in sids:
        desk.message(sid, "delivered")
    desk.client.messages.create(to="+14155550199", from_=SENDER, body="another")
    listed = desk.client.messages.list(to=desk.to, page_size=2)
    assert [one.sid for one in listed] == sids[::-1]
    an_hour = timedelta(hours=1)
    now = datetime.fromtimestamp(now_s(), UTC)
    assert len(desk.client.messages.list(to=desk.to, date_sent_after=now - an_hour)) == 5
    assert desk.client.messages.list(to=desk.to, date_sent_before=now - an_hour) == []
    assert desk.client.messages.list(from_="+14155550199") == []


def test_a_message_can_be_emptied_and_deleted_but_not_from_the_book(desk: Desk) -> None:
    made = desk.send()
    desk.message(made.sid, "delivered")
    assert desk.client.messages(made.sid).update(body="").body == ""
    assert desk.client.messages(made.sid).delete()
    assert code_of(desk.client.messages(made.sid).fetch) == (404, 20404)
    assert [row["body"] for row in desk.book("messages")] == ["Code 482913"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [("x" * 160, 1), ("x" * 161, 2), ("x" * 307, 3), ("€" * 80, 1), ("€" * 81, 2), ("я" * 70, 1),
     ("я" * 71, 2), ("я" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2)],
)  # fmt: skip
def test_segments_are_counted_as_on_the_air(body: str, expected: int) -> None:
    assert wire.segments(body) == expected


def test_what_was_taken_outlives_a_kill_and_is_delivered_after_it(
    tmp_path: Path, receiver: Receiver
) -> None:
    tempo = FAST | {"sent_ms": 400}
    with SandboxProcess(tmp_path / "s", tmp_path / "m", twilio={"tempo": tempo}) as mortal:
        desk = Desk(mortal, receiver)
        made = desk.send(status_callback=desk.url)
        mortal.kill()
        mortal.start()
        desk.receiver.wait(2)
        assert sorted(desk.told("MessageStatus")) == ["delivered", "sent"]
        assert desk.message(made.sid, "delivered").body == "Code 482913"
        assert len(desk.book("messages")) == 1


ABSURD = st.text(max_size=12) | st.sampled_from(
    ["+14155550100", SENDER, "-1", "0", "completed", "https://a.example", "\x00", "\ud7ff", TWIML]
)
NAMES = [
    *("To", "From", "Body", "StatusCallback", "ValidityPeriod", "MessagingServiceSid", "Status"),
    *(
        "Twiml",
        "Url",
        "Timeout",
        "StatusCallbackEvent",
        "Page",
        "PageSize",
        "DateSent",
        "DateSent>",
    ),
]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    path=st.sampled_from(["Messages.json", "Calls.json", "Messages/SM0.json", "Calls/x", "x"]),
    form=st.dictionaries(st.sampled_from(NAMES), ABSURD),
    raw=st.none() | st.binary(max_size=20),
)
def test_anything_is_answered_in_twilios_form(
    desk: Desk, method: str, path: str, form: dict[str, str], raw: bytes | None
) -> None:
    answer = desk.sandbox.http.request(
        method, f"/twilio/2010-04-01/Accounts/{desk.sid}/{path}",
        auth=(desk.sid, desk.token), params=form if method == "GET" else None,
        **({"content": raw} if raw is not None else {"data": form if method != "GET" else None}),
    )  # fmt: skip
    assert answer.status_code < 500
    if answer.status_code >= 400:
        said = json.loads(answer.content)
        assert said["status"] == answer.status_code
        assert said["more_info"].endswith(str(said["code"]))


@pytest.mark.parametrize(
    "wrong",
    [{}, {"number": "5"}, {"number": 5}, {"number": "+14155550100", "sms": "eaten"},
     {"number": "+14155550100", "colour": "red"}, {"number": "+14155550100", "rejects": "x"}],
)  # fmt: skip
def test_a_phone_is_changed_by_what_it_has(desk: Desk, wrong: dict[str, Any]) -> None:
    assert desk.sandbox.http.post("/twilio/phones", json=wrong).status_code == 400


def test_keys_that_a_listener_presses_are_told_signed_and_the_call_goes_on(desk: Desk) -> None:
    asking = (
        f'<Response><Gather action="{desk.url}" numDigits="1" timeout="30">'
        "<Say>Press 1</Say></Gather></Response>"
    )
    desk.phone(call="rings")
    call = desk.dial(twiml=asking)
    desk.call(call.sid, "ringing")
    desk.sandbox.ask("POST", "/twilio/answer", {"reference": call.sid})
    assert desk.call(call.sid, "in-progress")
    heard = desk.sandbox.ask("POST", "/twilio/press", {"reference": call.sid, "digits": "1"})
    assert (heard["status"], heard["said"].startswith("Press 1")) == ("completed", True)
    (told,) = desk.receiver.wait(1)
    said = params(told)
    assert (said["Digits"], said["CallSid"]) == ("1", call.sid)
    given = told.headers["x-twilio-signature"]
    assert RequestValidator(desk.token).validate(desk.url, said, given)
