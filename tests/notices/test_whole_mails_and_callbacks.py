"""Each header of a mail, and what a callback of Twilio is signed with and says, whole."""

import base64
import hashlib
import hmac
from email import message_from_bytes
from email.policy import default
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from coinslot.kit.clock import SettableClock
from coinslot.kit.secrets import Secret
from coinslot.notices import smtp, twilio
from coinslot.notices.base import (
    Cause,
    Forged,
    Inbound,
    Notice,
    Pressed,
    Refused,
    Report,
    Stage,
    Unreadable,
)
from tests.sales.by_hand import NOW

URL = "https://coinslot.example/notices/twilio"
SID, CALL = f"SM{1:032x}", f"CA{2:032x}"
ACCOUNT = twilio.Settings(account_sid=f"AC{1:032x}", auth_token=Secret("token"), sender="+1500")
MAILER = smtp.Settings(host="mail.example", sender="cafe@shop.example")
MAIL = Notice(key="n-1", to="asha@home.example", subject="Hello", text="Look\n", language="ru")


def read(settings: twilio.Settings, said: dict[str, str], signed: dict[str, str]) -> object:
    """What is read of a callback that says this, and is signed as if it said that; signed here by
    Twilio's own rules: the address, then each name and value in the order of names."""
    message = URL + "".join(name + signed[name] for name in sorted(signed))
    mac = hmac.new(b"token", message.encode(), hashlib.sha1).digest()
    headers = {"x-twilio-signature": base64.b64encode(mac).decode()}
    return twilio.Twilio(settings).read_callback(URL, headers, urlencode(said).encode())


def callback(**said: str) -> object:
    said = {"AccountSid": ACCOUNT.account_sid, **said}
    return read(ACCOUNT, said, said)


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        ({"MessageSid": SID, "MessageStatus": "sent"}, Report(reference=SID, stage=Stage.SENT)),
        ({"MessageSid": SID, "MessageStatus": "delivered", "ErrorCode": "", "To": ""},
         Report(reference=SID, stage=Stage.DELIVERED)),
        ({"MessageSid": SID, "MessageStatus": "undelivered", "ErrorCode": "30003"},
         Report(reference=SID, stage=Stage.FAILED, code="30003", again=True)),
        ({"CallSid": CALL, "CallStatus": "busy"},
         Report(reference=CALL, stage=Stage.FAILED)),
        ({"CallSid": CALL, "CallStatus": "completed", "MessageStatus": ""},
         Report(reference=CALL, stage=Stage.DELIVERED)),
        ({"CallSid": CALL, "Digits": "1#*"}, Pressed(reference=CALL, keys="1#*")),
        ({"CallSid": CALL, "Digits": ""}, Unreadable("keys of no call")),
        ({"CallSid": "", "Digits": "1"}, Unreadable("keys of no call")),
        ({"MessageSid": SID, "SmsStatus": "received", "From": "+14155550100", "Body": ""},
         Inbound(reference=SID, sender="+14155550100", text="")),
        ({"MessageSid": SID, "SmsStatus": "received", "From": "+14155550100", "Body": "Stop it",
          "OptOutType": "stop"},
         Inbound(reference=SID, sender="+14155550100", text="Stop it", opts_out=True)),
        ({"MessageSid": SID, "SmsStatus": "received", "From": "+14155550100",
          "OptOutType": "START"},
         Inbound(reference=SID, sender="+14155550100", text="", opts_out=False)),
        ({"MessageSid": SID, "SmsStatus": "received", "From": ""},
         Unreadable("a message from nobody")),
        ({"MessageSid": "", "SmsStatus": "received", "From": "+14155550100"},
         Unreadable("a message from nobody")),
        ({"MessageSid": "", "MessageStatus": "sent"},
         Unreadable("no status of a message or call")),
        ({"MessageSid": SID, "MessageStatus": ""}, Unreadable("no status of a message or call")),
        ({"AccountSid": "", "MessageSid": SID, "MessageStatus": "sent"},
         Unreadable("of another account")),
    ],
)  # fmt: skip
def test_a_callback_is_read_whole_and_what_is_empty_in_it_is_signed_too(
    said: dict[str, str], read_as: object
) -> None:
    assert callback(**said) == read_as


def test_what_is_empty_in_a_callback_cannot_be_left_out_or_added() -> None:
    whole = {"AccountSid": ACCOUNT.account_sid, "Body": "", "MessageSid": SID,
             "MessageStatus": "sent"}  # fmt: skip
    less = {name: value for name, value in whole.items() if name != "Body"}
    forged = Forged("the signature is missing or of another account")
    assert read(ACCOUNT, whole, whole) == read(ACCOUNT, less, less)
    assert read(ACCOUNT, {**whole, "Body": "x"}, whole) == forged
    # A name is signed though its value is empty, and is not where it is left out.
    assert read(ACCOUNT, whole, less) == read(ACCOUNT, less, whole) == forged
    assert read(replace(ACCOUNT, auth_token=Secret("other")), whole, whole) == forged
    old = replace(ACCOUNT, auth_token=Secret("new"), old_tokens=(Secret("x"), Secret("token")))
    assert read(old, whole, whole) == Report(reference=SID, stage=Stage.SENT)


def built(settings: smtp.Settings = MAILER, **given: Any) -> Any:
    made = smtp.Smtp(settings, SettableClock(NOW))._message(replace(MAIL, **given))
    return made if isinstance(made, Refused) else message_from_bytes(bytes(made), policy=default)


def test_a_mail_has_these_headers_and_no_other() -> None:
    assert dict(built().items()) == {
        "From": "cafe@shop.example", "To": "asha@home.example", "Subject": "Hello",
        "Date": "Sat, 21 Nov 2026 12:00:00 +0000", "Message-ID": "<n-1@shop.example>",
        "Auto-Submitted": "auto-generated", "Content-Language": "ru", "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"', "Content-Transfer-Encoding": "7bit",
    }  # fmt: skip
    assert built().get_content().split() == ["Look"]
    both = built(html="<p>Look</p>")
    parts = [(part.get_content_type(), part.get_content().strip()) for part in both.iter_parts()]
    assert parts == [("text/plain", "Look"), ("text/html", "<p>Look</p>")]
    assert (both["Message-ID"], both["Content-Language"]) == ("<n-1@shop.example>", "ru")


@pytest.mark.parametrize(
    "named", ["Asha", "Machines of Asha", "Asha, Boris", "Аша", 'The "Bean" Bar', "A\\B", "a@b <c>"]
)
def test_whoever_writes_has_the_name_that_was_given(named: str) -> None:
    (sender,) = built(replace(MAILER, sender_name=named))["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (named, "cafe@shop.example")


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"to": "a" * 64 + "@b"}, None), ({"to": "a" * 65 + "@b"}, Cause.RECIPIENT),
        ({"to": "a@" + "b" * 255}, None), ({"to": "a@" + "b" * 256}, Cause.RECIPIENT),
        ({"to": "a@b\u200b"}, Cause.RECIPIENT), ({"to": "a"}, Cause.RECIPIENT),
        ({"to": "a@b@c"}, Cause.RECIPIENT), ({"to": "a b@c"}, Cause.RECIPIENT),
        ({"text": " \n"}, Cause.CONTENT), ({"text": "x" * 100_000}, None),
        ({"text": "x" * 100_001}, Cause.CONTENT), ({"key": ""}, Cause.CONTENT),
        ({"key": "x" * 200}, None), ({"key": "x" * 201}, Cause.CONTENT),
        ({"key": "a b"}, Cause.CONTENT), ({"subject": "a\nBcc: b@c"}, Cause.CONTENT),
        ({"subject": ""}, None), ({"text": "\ud800"}, Cause.CONTENT),
        ({"language": "en\nBcc: b@c"}, Cause.CONTENT),
    ],
)  # fmt: skip
def test_what_makes_no_mail_is_refused_and_its_bounds_are_these(
    given: dict[str, Any], cause: Cause | None
) -> None:
    found = built(**given)
    assert (found.cause if isinstance(found, Refused) else None) == cause


@pytest.mark.parametrize(
    ("security", "wanted"),
    [("tls", (True, False)), ("starttls", (False, True)), ("none", (False, False))],
)
def test_a_connection_is_encrypted_as_the_settings_say(security: Any, wanted: object) -> None:
    settings = replace(MAILER, security=security, port=26, user="u", password=Secret("p"))
    client = smtp.Smtp(settings, SettableClock(NOW))._client()
    assert (client.use_tls, client._start_tls_on_connect) == wanted
    assert (client.hostname, client.port, client.timeout) == ("mail.example", 26, 20)
    assert (client._login_username, client._login_password) == ("u", "p")
    assert client.local_hostname == "shop.example"
    assert (client.tls_context is None) == (security == "none")
    alone = smtp.Smtp(replace(settings, user=""), SettableClock(NOW))._client()
    assert (alone._login_username, alone._login_password) == (None, None)
