"""Every URL of the emulated API, and the lists with their pages."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from sandbox.shelf import Thing, everything, find
from sandbox.twilio import calls, messages, wire
from sandbox.twilio.desk import Desk
from sandbox.twilio.messages import Form, one
from sandbox.twilio.refusals import ApiError
from sandbox.twilio.settings import Account
from sandbox.twilio.things import Call, Message

LARGEST_PAGE = 1_000
PATH = re.compile(r"/(Messages|Calls)(?:/([A-Za-z0-9]{1,64}))?\.json")
T = TypeVar("T", Message, Call)


class Asked(msgspec.Struct, frozen=True):
    """One request of a known account: its parameters stand in the body or in the query."""

    desk: Desk
    account: Account
    method: str
    path: str  # below the account
    form: Form


def answer(asked: Asked) -> tuple[int, Any]:
    """The status and the answer's body; None has none."""
    found = PATH.fullmatch(asked.path)
    if found is None:
        raise ApiError(20404, asked.path[:80])
    kind, sid = found.groups()
    if kind == "Messages":
        return _messages(asked, sid)
    return _calls(asked, sid)


def _messages(asked: Asked, sid: str | None) -> tuple[int, Any]:
    desk, form = asked.desk, asked.form
    match asked.method, sid:
        case "POST", None:
            return 201, wire.message(messages.send(desk, asked.account, form))
        case "GET", None:
            return 200, _page(asked, Message, "messages", wire.message)
        case "GET", _:
            return 200, wire.message(_own(asked, Message, sid))
        case "POST", _:
            return 200, wire.message(messages.change(desk, _own(asked, Message, sid), form))
        case "DELETE", str():
            messages.delete(desk, _own(asked, Message, sid))
            return 204, None
        case _:
            raise ApiError(20404)


def _calls(asked: Asked, sid: str | None) -> tuple[int, Any]:
    desk, form = asked.desk, asked.form
    match asked.method, sid:
        case "POST", None:
            return 201, wire.call(calls.dial(desk, asked.account, form))
        case "GET", None:
            return 200, _page(asked, Call, "calls", wire.call)
        case "GET", _:
            return 200, wire.call(_own(asked, Call, sid))
        case "POST", _:
            return 200, wire.call(calls.change(desk, _own(asked, Call, sid), form))
        case _:
            raise ApiError(20404)


def _own(asked: Asked, kind: type[T], sid: str | None) -> T:
    """The account's own; another's, and one that was deleted, does not exist."""
    found = find(asked.desk.change, kind, sid or "", asked.account.account_id)
    if found is None or found.deleted:
        raise ApiError(20404)
    return found


def _page(
    asked: Asked, kind: type[T], name: str, write: Callable[[T], dict[str, Any]]
) -> dict[str, Any]:
    """Newest first. What has no date yet is in no list that asks for dates."""
    size, number = _whole(asked.form, "PageSize", 50), _whole(asked.form, "Page", 0)
    size = min(max(size, 1), LARGEST_PAGE)
    own = [
        thing
        for thing in reversed(everything(asked.desk.change, kind))
        if thing.account_id == asked.account.account_id
        and not thing.deleted
        and _matches(asked.form, thing)
    ]
    start = number * size
    shown = own[start : start + size]
    root = f"/{wire.VERSION}/Accounts/{asked.account.account_id}{asked.path}"
    mine = ("Page", "PageSize", "PageToken")
    kept: list[tuple[str, object]] = [
        (key, value) for key, values in asked.form.items() for value in values if key not in mine
    ]

    def uri(page: int) -> str:
        return f"{root}?{urlencode([*kept, ('PageSize', size), ('Page', page)])}"

    return {
        name: [write(thing) for thing in shown],
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + len(shown) - 1 if shown else start,
        "uri": uri(number),
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1) if start + size < len(own) else None,
        "previous_page_uri": uri(number - 1) if number else None,
    }


def _matches(form: Form, thing: Thing) -> bool:
    at = thing.sent_at if isinstance(thing, Message) else getattr(thing, "started_at", None)
    word = "DateSent" if isinstance(thing, Message) else "StartTime"
    same = {"To": getattr(thing, "to", ""), "From": getattr(thing, "sender", "")}
    if isinstance(thing, Call):
        same["Status"] = thing.status
    if any(one(form, key) not in ("", value) for key, value in same.items()):
        return False
    for sign in ("", "<", ">"):
        text = one(form, word + sign)
        if text and (at is None or not _in_time(sign, _moment(text), at)):
            return False
    return True


def _in_time(sign: str, wanted: datetime, at: int) -> bool:
    moment = datetime.fromtimestamp(at, UTC)
    if sign == "<":
        return moment <= wanted
    if sign == ">":
        return moment >= wanted
    return wanted <= moment < wanted + timedelta(days=1)


def _moment(text: str) -> datetime:
    """A date, or a moment by ISO 8601."""
    try:
        if len(text) == len("2026-03-01"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError as problem:
        raise ApiError(20001, "a date is YYYY-MM-DD") from problem


def _whole(form: Form, name: str, otherwise: int) -> int:
    text = one(form, name)
    if not text:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise ApiError(20001, f"{name} is a whole number")
    return int(text)
