"""For every driver: signed webhooks that cannot be worked, what in them may be ours, and what
distinguishes one delivery from another.

Nothing here trusts a form: the text is searched as it came, JSON or not."""

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from coinslot.gateways import marks
from coinslot.gateways.base import Mark, Unread, Unreadable

T = TypeVar("T")

NAMES_AT_MOST = 1000  # a true event holds a hundred texts
_NAME = re.compile(rb'"([A-Za-z0-9_.:-]{4,255})"|(?<=[\s:\[,])([0-9]{6,20})(?=[\s,}\]])')
_MARK = re.compile(rb'"coinslot"\s*:\s*"([^"\\\x00-\x1f]{1,255})"')


def delivery_id(body: bytes) -> str:
    """The same for the same content, in whatever order a gateway writes it when it sends it
    again."""
    with contextlib.suppress(ValueError, RecursionError):  # no JSON: the bytes as they are
        body = msgspec.json.encode(msgspec.json.decode(body), order="deterministic")
    return hashlib.sha256(body).hexdigest()


def unreadable(
    body: bytes, error: Exception | str, *, event: str = "", mark: Mark | None = None
) -> Unreadable:
    """For a signed body that cannot be read. `mark`: our mark, where it is not a pair."""
    reason = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    return Unreadable(
        delivery_id=delivery_id(body),
        event=marks.clean(event)[:100],
        reason=marks.clean(reason)[:500],
        names=_names(body),
        mark=mark or _mark(body),
    )


def read_each(
    items: Iterable[object], read_one: Callable[[object], T | None]
) -> tuple[list[T], list[Unread]]:
    """What can be read of a list, and what cannot: one odd item must not hide a whole day."""
    facts: list[T] = []
    unread: list[Unread] = []
    for item in items:
        try:
            fact = read_one(item)
        except ValueError as error:
            unread.append(_item(item, error))
        else:
            facts += [] if fact is None else [fact]
    return facts, unread


def _item(item: object, error: ValueError) -> Unread:
    body = msgspec.json.encode(item)
    named = item.get("id") if isinstance(item, dict) else None
    return Unread(
        name=marks.clean(str(named))[:100],
        reason=marks.clean(str(error))[:200],
        names=_names(body),
        mark=_mark(body),
    )


def elsewhere(body: bytes, reason: str, *, event: str = "") -> Unreadable:
    """For a signed event of another account, or of the other mode. A mark in it proves nothing: it
    may be one that we made there."""
    found = unreadable(body, reason, event=event)
    return msgspec.structs.replace(found, mark=None)


def event_of(body: bytes, field: str) -> str:
    """What an event calls itself, when as much as that can be read."""
    try:
        said = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return ""
    named = said.get(field) if isinstance(said, dict) else None
    return named if isinstance(named, str) else ""


def _names(body: bytes) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _NAME.finditer(body):
        found[(match[1] or match[2]).decode()] = None
        if len(found) == NAMES_AT_MOST:
            break
    return tuple(found)


def _mark(body: bytes) -> Mark | None:
    found = _MARK.search(body)
    return Mark(installation=found[1].decode(errors="replace")) if found else None
