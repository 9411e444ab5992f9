"""Twilio: text messages, calls that say a text, and the signed callbacks that tell their end.

It knows no idempotency key: what is sent twice comes twice. After Unclear, `find` looks first."""

import asyncio
import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import ClassVar, Final, TypeVar
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.sax.saxutils import escape, quoteattr

import httpx
import msgspec
from msgspec import Struct

from coinslot.kit.clock import Clock
from coinslot.kit.secrets import Secret
from coinslot.kit.tls import trusted
from coinslot.notices.base import (
    Absent,
    Cause,
    Cost,
    Forged,
    Form,
    Inbound,
    Notice,
    Notifier,
    Powers,
    Pressed,
    Refused,
    Report,
    Sent,
    Stage,
    Unclear,
    Unreadable,
)

name: Final = "twilio"

T = TypeVar("T")

VERSION = "2010-04-01"
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
SID = re.compile(r"(SM|MM|CA)[0-9a-f]{32}")
LONGEST_SMS, LONGEST_TWIML, LONGEST_VALID_S, PAGE = 1_600, 4_000, 36_000, 100
ANSWER_BYTES, MOST_FIELDS = 5_000_000, 200
KINDS = {Form.SMS: "Messages", Form.CALL: "Calls"}
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)

# Causes by code. A 21xxx that is not here is the recipient's, any other code the account's.
CAUSES: Mapping[int, Cause] = {
    **dict.fromkeys((20003, 20404, 21205, 21210, 21212, 21213, 21603, 21606, 21608, 21609),
                    Cause.ACCOUNT),
    **dict.fromkeys((20429, 21611), Cause.BUSY),
    **dict.fromkeys((21602, 21617), Cause.CONTENT),
    21610: Cause.OPTED_OUT,
}  # fmt: skip
STAGES: Mapping[str, Stage] = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "initiated"), Stage.QUEUED),
    **dict.fromkeys(("sent", "partially_delivered", "ringing", "in-progress"), Stage.SENT),
    **dict.fromkeys(("delivered", "read", "completed"), Stage.DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled", "busy", "no-answer"), Stage.FAILED),
}
_XML = '<?xml version="1.0" encoding="UTF-8"?>'
VOICES = {"en": "en-US", "hi": "hi-IN", "ru": "ru-RU"}


class Settings(Struct, frozen=True, kw_only=True):
    """One account. An API key may take the place of the token in calls; callbacks are signed by
    the token, or by a shared key of the account."""

    account_sid: str
    auth_token: Secret
    sender: str  # a number of the account
    old_tokens: tuple[Secret, ...] = ()  # still good for callbacks while a token is changed
    api_key: str = ""
    api_secret: Secret = Secret("")
    service: str = ""  # a messaging service, for text messages instead of the number
    shared_keys: Mapping[str, Secret] = {}
    base_url: str = "https://api.twilio.com"
    connect_s: float = 3
    read_s: float = 10
    ring_s: int = 25


class _Said(Struct):
    """A message or a call as the API writes it; of all that is in it only this is read."""

    sid: str
    status: str
    to: str = ""
    body: str = ""
    date_created: str | None = None
    direction: str = ""
    error_code: int | None = None
    price: str | None = None
    price_unit: str | None = None


class _Page(Struct):
    messages: list[_Said] | None = None
    calls: list[_Said] | None = None
    next_page_uri: str | None = None


class _Error(Struct):
    code: int = 0
    message: str = ""


class _Reply(Struct, frozen=True):
    status: int
    body: bytes


def open(settings: Struct, clock: Clock) -> Notifier:
    assert isinstance(settings, Settings)
    return Twilio(settings)


class Twilio:
    """One account at Twilio."""

    name: ClassVar[str] = name
    powers: ClassVar[Mapping[Form, Powers]] = {
        Form.SMS: Powers(
            most_chars=LONGEST_SMS, looks=True, priced=True,
            proves_delivery=True,
        ),
        # A mailbox may have answered the call, so its end proves no listener.
        Form.CALL: Powers(most_chars=3_000, looks=True, priced=True),
    }  # fmt: skip

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        user = settings.api_key or settings.account_sid
        password = settings.api_secret if settings.api_key else settings.auth_token
        self._http = httpx.AsyncClient(
            base_url=settings.base_url.rstrip("/"),
            auth=(user, password.reveal()),
            timeout=httpx.Timeout(settings.read_s, connect=settings.connect_s),
            # A kept connection that the other end just closes would leave a message in doubt.
            limits=httpx.Limits(max_keepalive_connections=0),
            follow_redirects=False,
            verify=trusted(),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def send(self, form: Form, notice: Notice) -> Sent | Refused | Unclear:
        built = _form(self._settings, form, notice)
        if isinstance(built, Refused):
            return built
        try:
            reply = await self._ask("POST", KINDS[form], data=built)
        except NOT_SENT as error:
            return Refused(cause=Cause.UNREACHED, reason=_named(error))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return Unclear(_named(error))
        return _taken(reply)

    async def look(self, form: Form, reference: str) -> Report | Absent | Unclear:
        if not SID.fullmatch(reference):
            return Absent()
        reply = await self._read(f"{KINDS[form]}/{reference}")
        if isinstance(reply, Unclear):
            return reply
        if reply.status == 404:
            return Absent()
        said = _read_as(reply, _Said)
        return said if isinstance(said, Unclear) else _report(said)

    async def find(
        self, form: Form, notice: Notice, since: datetime
    ) -> tuple[Report, ...] | Unclear:
        """By phone, text and time of creation: a message that waits has no date of sending yet."""
        reply = await self._read(KINDS[form], {"To": notice.to, "PageSize": str(PAGE)})
        page = _read_as(reply, _Page) if isinstance(reply, _Reply) else reply
        if isinstance(page, Unclear):
            return page
        listed = page.messages if form is Form.SMS else page.calls
        if listed is None:
            return Unclear("an answer without a list")
        found: list[Report] = []
        for said in listed:
            made_at = _moment(said.date_created)
            if made_at is None:
                return Unclear("a list without dates")
            same = form is Form.CALL or said.body == notice.text
            if made_at < since.replace(microsecond=0):
                return tuple(found[::-1])  # newest first: the rest is older
            if same and said.direction.startswith("outbound"):
                report = _report(said)
                if isinstance(report, Unclear):
                    return report
                found.append(report)
        if page.next_page_uri:
            return Unclear(f"more than {PAGE} notices since then")
        return tuple(found[::-1])

    def read_callback(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> Report | Inbound | Pressed | Forged | Unreadable:
        problem = self._forged(url, headers, body)
        if problem is not None:
            return problem
        if _is_json(url):
            return Unreadable("not the form of a status")
        said = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if said.get("AccountSid") != self._settings.account_sid:
            return Unreadable("of another account")
        if said.get("SmsStatus") == "received":
            return _inbound(said)
        if "Digits" in said:
            return _pressed(said)
        stage = STAGES.get(said.get("MessageStatus") or said.get("CallStatus") or "")
        reference = said.get("MessageSid") or said.get("CallSid") or ""
        if stage is None or not SID.fullmatch(reference):
            return Unreadable("no status of a message or call")
        code = said.get("ErrorCode", "")
        return Report(reference=reference, stage=stage, code=code, again=_again(stage, code))

    def says(self, text: str, language: str) -> tuple[str, str]:
        spoken = _say(text, language) if text else "<Hangup/>"
        return "text/xml", f"{_XML}<Response>{spoken}</Response>"

    def _forged(self, url: str, headers: Mapping[str, str], body: bytes) -> Forged | None:
        """Whether it bears none of our signatures."""
        given = headers.get("x-twilio-signature", "").encode(errors="replace")
        said = dict(
            part.strip().partition("=")[::2]
            for part in headers.get("x-twilio-webhooks-signature-settings", "").split(",")
        )
        algorithm = said.get("algorithm", "HMAC_SHA1").upper()
        tokens = [self._settings.auth_token, *self._settings.old_tokens]
        if "key" in said:
            shared = self._settings.shared_keys.get(said["key"])
            tokens = [] if shared is None else [shared]
        try:
            pairs = [] if _is_json(url) else parse_qsl(
                body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS
            )  # fmt: skip
            made = [
                signature(token, address, pairs, algorithm).encode()
                for token in tokens
                if token
                for address in _addresses(url)
            ]
        except ValueError as error:
            return Forged(f"cannot be signed: {error}")
        if _is_json(url) and not _same_hash(url, body):
            return Forged("the body is another one than was signed")
        # Each is compared, whichever fits, so that the time taken tells nothing.
        fits = [hmac.compare_digest(one, given) for one in made]
        if not any(fits):
            return Forged("the signature is missing or of another account")
        return None

    async def _read(self, path: str, params: Mapping[str, str] | None = None) -> _Reply | Unclear:
        try:
            return await self._ask("GET", path, params=params)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return Unclear(_named(error))

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, str | list[str]] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> _Reply:
        """httpx limits each read, not their sum: one who trickles would hold us for ever."""
        url = f"/{VERSION}/Accounts/{self._settings.account_sid}/{path}.json"
        async with (
            asyncio.timeout(self._settings.connect_s + self._settings.read_s),
            self._http.stream(method, url, data=data, params=params) as answer,
        ):
            came = bytearray()
            async for part in answer.aiter_bytes():
                came += part
                if len(came) > ANSWER_BYTES:
                    break
            return _Reply(answer.status_code, bytes(came))


def signature(
    secret: Secret, url: str, pairs: Iterable[tuple[str, str]], algorithm: str = "HMAC_SHA1"
) -> str:
    """Base64 of the HMAC over the URL and the sorted parameters, each pair once. Raises ValueError
    for an algorithm that is not known."""
    digests = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
    if algorithm not in digests:
        raise ValueError(f"no algorithm {algorithm[:40]!r}")
    message = url + "".join(pair_name + value for pair_name, value in sorted(set(pairs)))
    key = secret.reveal().encode()
    made = hmac.digest(key, message.encode(errors="surrogatepass"), digests[algorithm])
    return base64.b64encode(made).decode()


def twiml(notice: Notice) -> str:
    """The text said twice; digits one by one, so that a code is not read as a million. With
    `keys_to` a key that is pressed meanwhile is told there."""
    said = _say(notice.text, notice.language, loop=2)
    if notice.keys_to is not None:
        press = _say(notice.press, notice.language) if notice.press else ""
        action = quoteattr(notice.keys_to)
        said = f'<Gather action={action} numDigits="1" timeout="6">{said}{press}</Gather>'
    return f"{_XML}<Response>{said}</Response>"


def _say(text: str, language: str, *, loop: int = 1) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    spoken = re.sub(r"[0-9]{3,}", lambda found: " ".join(found[0]), printable)
    voice = quoteattr(VOICES.get(language, VOICES["en"]))
    return f'<Say loop="{loop}" language={voice}>{escape(spoken)}</Say>'


def _form(settings: Settings, form: Form, notice: Notice) -> dict[str, str | list[str]] | Refused:
    if form not in KINDS:
        return Refused(cause=Cause.CONTENT, reason=f"Twilio sends no {form}")
    if not E164.fullmatch(notice.to):
        return Refused(cause=Cause.RECIPIENT, reason="the number is not one by E.164")
    if not notice.text.strip() or len(notice.text) > Twilio.powers[form].most_chars:
        return Refused(cause=Cause.CONTENT, reason="the text is empty or too long")
    try:
        notice.text.encode()
    except UnicodeEncodeError:
        return Refused(cause=Cause.CONTENT, reason="the text has half a character in it")
    said: dict[str, str | list[str]] = {"To": notice.to, "From": settings.sender}
    if notice.callback is not None:
        said["StatusCallback"] = notice.callback
    if form is Form.CALL:
        said["Twiml"] = twiml(notice)
        if len(said["Twiml"]) > LONGEST_TWIML:
            return Refused(cause=Cause.CONTENT, reason="the text is too long to be said")
        said["Timeout"] = str(settings.ring_s)
        said["StatusCallbackEvent"] = ["ringing", "answered", "completed"]
        return said
    if settings.service:
        del said["From"]
        said["MessagingServiceSid"] = settings.service
    said["Body"] = notice.text
    said["ValidityPeriod"] = str(min(max(notice.valid_s, 1), LONGEST_VALID_S))
    return said


def _taken(reply: _Reply) -> Sent | Refused | Unclear:
    if 400 <= reply.status < 500 and reply.status != 408:
        return _refusal(reply)
    if not 200 <= reply.status < 300:
        return Unclear(f"HTTP {reply.status}")
    said = _read_as(reply, _Said)
    if isinstance(said, Unclear):
        return said
    if not SID.fullmatch(said.sid):
        return Unclear("an answer without the notice's id")
    return Sent(reference=said.sid, stage=STAGES.get(said.status, Stage.QUEUED))


def _refusal(reply: _Reply) -> Refused:
    try:
        error = msgspec.json.decode(reply.body, type=_Error)
    except (ValueError, RecursionError):
        error = _Error()
    if reply.status == 429:
        cause = Cause.BUSY
    else:
        otherwise = Cause.RECIPIENT if 21_000 <= error.code < 22_000 else Cause.ACCOUNT
        cause = CAUSES.get(error.code, otherwise)
    reason = f"HTTP {reply.status} {error.message[:200]}".rstrip()
    return Refused(cause=cause, reason=reason, code=str(error.code or ""))


def _report(said: _Said) -> Report | Unclear:
    stage = STAGES.get(said.status)
    if stage is None or not SID.fullmatch(said.sid):
        return Unclear(f"a notice that is {said.status[:40]!r}")
    code = str(said.error_code or "")
    return Report(
        reference=said.sid, stage=stage, code=code, again=_again(stage, code), cost=_cost(said)
    )


def _cost(said: _Said) -> Cost | None:
    """Prices come below zero, and only some time after the end."""
    if said.price is None:
        return None
    try:
        amount = abs(Decimal(said.price))
    except InvalidOperation:
        return None
    return Cost(f"{amount:f}", said.price_unit or "USD") if amount.is_finite() else None


def _again(stage: Stage, code: str) -> bool:
    """After it was taken, a 30xxx may pass; what blocks, filters or has no such phone does not."""
    lasting = {"30004", "30005", "30006", "30007", "30034"}
    return stage is Stage.FAILED and code.startswith("30") and code not in lasting


def _inbound(said: Mapping[str, str]) -> Inbound | Unreadable:
    reference, sender = said.get("MessageSid", ""), said.get("From", "")
    if not SID.fullmatch(reference) or not E164.fullmatch(sender):
        return Unreadable("a message from nobody")
    wish = {"STOP": True, "START": False}.get(said.get("OptOutType", "").upper())
    return Inbound(reference=reference, sender=sender, text=said.get("Body", ""), opts_out=wish)


def _pressed(said: Mapping[str, str]) -> Pressed | Unreadable:
    reference, keys = said.get("CallSid", ""), said["Digits"]
    if not SID.fullmatch(reference) or not re.fullmatch(r"[0-9*#]{1,20}", keys):
        return Unreadable("keys of no call")
    return Pressed(reference=reference, keys=keys)


def _read_as(reply: _Reply, kind: type[T]) -> T | Unclear:
    if not 200 <= reply.status < 300:
        return Unclear(f"HTTP {reply.status}")
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (ValueError, RecursionError) as error:
        return Unclear(f"an unreadable answer: {error}"[:200])


def _moment(text: str | None) -> datetime | None:
    try:
        made = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return made if made.tzinfo is not None else made.replace(tzinfo=UTC)


def _addresses(url: str) -> list[str]:
    """Twilio signs with the usual port in the URL or without: both are its own."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    if parts.port is None and parts.netloc and usual is not None:
        return [url, parts._replace(netloc=f"{parts.netloc}:{usual}").geturl()]
    if parts.port is not None and parts.port == usual:
        return [url, parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()]
    return [url]


def _is_json(url: str) -> bool:
    return "bodySHA256" in parse_qs(urlsplit(url).query)


def _same_hash(url: str, body: bytes) -> bool:
    said = parse_qs(urlsplit(url).query)["bodySHA256"][0]
    return hmac.compare_digest(said.encode(), sha256(body).hexdigest().encode())


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
