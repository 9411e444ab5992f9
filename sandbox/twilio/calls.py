"""Calls: queued, ringing, answered or not; what is said is read from the TwiML that came along."""

import re
import secrets
from typing import Annotated, Literal, NamedTuple
from xml.etree import ElementTree

import msgspec

from sandbox import chores
from sandbox.clock import now_s
from sandbox.errors import RefusedError
from sandbox.shelf import find, put
from sandbox.twilio import wire
from sandbox.twilio.desk import Desk
from sandbox.twilio.messages import PRICED, Form, callback_of, one, refuse_number
from sandbox.twilio.refusals import ApiError
from sandbox.twilio.settings import Account
from sandbox.twilio.things import CALL_ENDS, Call

LONGEST_TWIML, LONGEST_RING_S = 4_000, 600
TO_MAGIC = {
    "+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216,
}  # fmt: skip
EVENTS = ("initiated", "ringing", "answered", "completed")
RINGS, ANSWERED, ENDED, UNANSWERED = (
    "twilio.rings", "twilio.answered", "twilio.ended", "twilio.unanswered",
)  # fmt: skip


class Asks(NamedTuple):
    """Where pressed keys are told, and for how long somebody may press one."""

    action: str
    timeout_s: int


class Key(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What somebody who listens to a call presses."""

    reference: str
    digits: Annotated[str, msgspec.Meta(pattern=r"^[0-9*#]{1,20}$")]


class Answer(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What somebody does at a phone that rings."""

    reference: str
    ends: Literal["answered", "busy", "no-answer"] = "answered"


def dial(desk: Desk, account: Account, form: Form) -> Call:
    to, sender = one(form, "To"), one(form, "From")
    if not to:
        raise ApiError(21201)
    if not sender:
        raise ApiError(21213)
    refuse_number(desk, account, to, TO_MAGIC)
    if sender not in account.numbers and sender not in account.verified:
        raise ApiError(21210)
    call = Call(
        id=f"CA{secrets.token_hex(16)}", account_id=account.account_id, created_at=now_s(),
        updated_at=now_s(), to=to, sender=sender, status="queued", twiml=_twiml(form),
        said=said_by(_twiml(form)), callback=callback_of(form), events=_events(form),
        timeout_s=_timeout_s(one(form, "Timeout")),
    )  # fmt: skip
    put(desk.change, call)
    chores.later(desk.change, RINGS, call.id, desk.tempo.ring_ms)
    desk.change.tell(f"call to {to}: queued")
    return call


def _twiml(form: Form) -> str:
    """With a Url beside it the TwiML is ignored; what a Url would answer is not fetched here."""
    if one(form, "Url") or one(form, "ApplicationSid"):
        return ""
    twiml = one(form, "Twiml")
    if not twiml or len(twiml) > LONGEST_TWIML:
        raise ApiError(21205)
    return twiml


def _events(form: Form) -> tuple[str, ...]:
    wanted = [word for text in form.get("StatusCallbackEvent", []) for word in text.split()]
    if any(word not in EVENTS for word in wanted):
        raise ApiError(21626, "StatusCallbackEvent")
    return tuple(wanted) or ("completed",)


def _timeout_s(text: str) -> int:
    if not text:
        return 60
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= LONGEST_RING_S:
        raise ApiError(21222, "Timeout")
    return int(text)


def asks_by(twiml: str) -> Asks | None:
    """The first Gather of this TwiML."""
    if not twiml or "<!" in twiml:
        return None
    try:
        found = ElementTree.fromstring(twiml).find("Gather")
    except ElementTree.ParseError:
        return None
    if found is None or not found.get("action"):
        return None
    seconds = found.get("timeout", "5")
    return Asks(found.get("action", ""), int(seconds) if seconds.isdecimal() else 5)


def said_by(twiml: str) -> str:
    """The words of the verbs Say; of TwiML that is no XML a caller hears only an error."""
    if not twiml:
        return ""
    try:
        if "<!" in twiml:
            raise ElementTree.ParseError("no declarations in TwiML")
        response = ElementTree.fromstring(twiml)
    except ElementTree.ParseError:
        return "We are sorry, an application error has occurred. Goodbye."
    if response.tag != "Response":
        return "We are sorry, an application error has occurred. Goodbye."
    words = ["".join(say.itertext()).strip() for say in response.iter("Say")]
    return " ".join(words)


def rings(desk: Desk, call_id: str) -> None:
    call = find(desk.change, Call, call_id)
    if call is None or call.status != "queued":
        return
    _told(desk, call, "initiated", "initiated")
    ends = desk.phone(call.to).call
    if ends == "failed":
        _finish(desk, call, "failed")
        return
    call.status = "ringing"
    _told(desk, call, "ringing", "ringing")
    match ends:
        case "completed":
            chores.later(desk.change, ANSWERED, call.id, desk.tempo.answer_ms)
        case "busy":
            _finish(desk, call, "busy")
        case "no-answer":
            chores.later(desk.change, UNANSWERED, call.id, desk.tempo.answer_ms)
        case "rings":
            wait_ms = call.timeout_s * desk.tempo.second_ms
            chores.later(desk.change, UNANSWERED, call.id, wait_ms)


def answered(desk: Desk, call_id: str, talk_ms: int | None = None) -> None:
    call = find(desk.change, Call, call_id)
    if call is None or call.status != "ringing":
        return
    call.status, call.started_at = "in-progress", now_s()
    _told(desk, call, "answered", "in-progress")
    chores.later(desk.change, ENDED, call.id, desk.tempo.talk_ms if talk_ms is None else talk_ms)


def unanswered(desk: Desk, call_id: str) -> None:
    call = find(desk.change, Call, call_id)
    if call is not None and call.status == "ringing":
        _finish(desk, call, "no-answer")


def ended(desk: Desk, call_id: str) -> None:
    call = find(desk.change, Call, call_id)
    if call is not None and call.status == "in-progress":
        call.duration_s = max(now_s() - (call.started_at or now_s()), 1)
        _finish(desk, call, "completed")


def pick_up(desk: Desk, wanted: Answer) -> Call:
    """Somebody at the phone answers it, or does not."""
    call = find(desk.change, Call, wanted.reference)
    if call is None or call.status != "ringing":
        raise RefusedError(f"no call {wanted.reference} rings")
    if wanted.ends == "answered":
        asks = asks_by(call.twiml)  # a person listens, and has the time to press a key
        answered(desk, call.id, asks.timeout_s * desk.tempo.second_ms if asks else None)
    else:
        _finish(desk, call, wanted.ends)
    return find(desk.change, Call, call.id) or call


def pressed(desk: Desk, wanted: Key) -> tuple[str, dict[str, str], Call]:
    """Where the key is told, with which parameters. The caller posts them, as what is answered is
    what the listener hears next."""
    call = find(desk.change, Call, wanted.reference)
    asks = None if call is None else asks_by(call.twiml)
    if call is None or asks is None or call.status != "in-progress":
        raise RefusedError(f"no call {wanted.reference} waits for a key")
    desk.change.tell(f"{call.to} presses {wanted.digits}")
    return asks.action, {**_said(call, "in-progress"), "Digits": wanted.digits}, call


def goes_on(desk: Desk, call_id: str, twiml: str) -> Call:
    """The call goes on with this TwiML; where it asks for no key, it ends after its words."""
    call = find(desk.change, Call, call_id)
    if call is None:
        raise RefusedError(f"no call {call_id}")
    call.said = f"{call.said} {said_by(twiml)}".strip()
    call.twiml = twiml
    put(desk.change, call)
    if asks_by(twiml) is None and call.status == "in-progress":
        ended(desk, call.id)
    return find(desk.change, Call, call_id) or call


def change(desk: Desk, call: Call, form: Form) -> Call:
    """Hang up: `completed` at any time, `canceled` before somebody answers."""
    status = one(form, "Status")
    if status not in ("completed", "canceled"):
        raise ApiError(21219, "Status")
    if call.status in CALL_ENDS or (status == "canceled" and call.status == "in-progress"):
        raise ApiError(21220)
    if call.status == "in-progress":
        ended(desk, call.id)
    else:
        _finish(desk, call, "canceled")
    return find(desk.change, Call, call.id) or call


def _finish(desk: Desk, call: Call, status: str) -> None:
    call.status, call.ended_at = status, now_s()
    _told(desk, call, "completed", status)
    chores.later(desk.change, PRICED, call.id, desk.tempo.price_ms)


def priced(desk: Desk, call: Call) -> None:
    call.price = "-0.01400" if call.duration_s else "0.00000"
    put(desk.change, call)


def _told(desk: Desk, call: Call, event: str, status: str) -> None:
    """Keep the call, and tell of it if this event was asked for."""
    call.updated_at = now_s()
    desk.change.tell(f"call to {call.to}: {status}")
    if call.callback and event in call.events:
        said = {
            **_said(call, status),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(call.told),
            "Timestamp": wire.stamp(now_s()) or "",
        }
        if call.duration_s is not None:
            said |= {"CallDuration": str(call.duration_s), "Duration": "1"}
        call.told += 1
        desk.tell(call.account_id, call.callback, f"call {status}", said)
    put(desk.change, call)


def _said(call: Call, status: str) -> dict[str, str]:
    return {
        "AccountSid": call.account_id, "ApiVersion": wire.VERSION, "From": call.sender,
        "To": call.to, "CallSid": call.id, "CallStatus": status, "Direction": "outbound-api",
    }  # fmt: skip
