"""GET, PUT, PATCH, POST and DELETE of a node, as their documents describe them."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sandbox.clock import now_ms
from sandbox.firebase import query, tree
from sandbox.firebase.refusals import RefusedError, unreadable
from sandbox.front import Answered
from sandbox.store import Change

_DIGITS = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request of an administrator. Names of headers are small."""

    verb: str
    database: str
    path: tree.Path
    asked: Mapping[str, str]  # what stood behind the question mark
    headers: Mapping[str, str]
    body: bytes

    def read(self) -> Any:
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, RecursionError) as problem:
            raise unreadable() from problem


def get(change: Change, call: Call) -> Answered:
    found = tree.read(change, call.database, call.path)
    if call.asked.get("shallow") == "true":
        if len(set(call.asked) - {"ns", "print", "access_token"}) > 1:
            raise RefusedError(400, "Mixing 'shallow' and querying parameters is not supported")
        return said(call, dict.fromkeys(_children(found), True) or found)
    tag = etag(found)
    if call.headers.get("if-none-match") == tag:
        return Answered(304, b"", headers={"ETag": tag})
    return said(call, query.chosen(found, call.asked), tag)


def put(change: Change, call: Call) -> Answered:
    value = call.read()
    _as_expected(change, call)
    tree.write(change, call.database, call.path, value)
    now = tree.read(change, call.database, call.path)
    return said(call, now, etag(now))


def patch(change: Change, call: Call) -> Answered:
    value = call.read()
    if not isinstance(value, dict):
        raise unreadable()
    if "if-match" in call.headers:
        raise RefusedError(400, "if-match is not supported for PATCH")
    tree.update(change, call.database, call.path, value)
    return said(call, value)


def post(change: Change, call: Call) -> Answered:
    """The path ends in a key that the door has made up."""
    tree.write(change, call.database, call.path, call.read())
    return said(call, {"name": call.path[-1]})


def delete(change: Change, call: Call) -> Answered:
    _as_expected(change, call)
    tree.write(change, call.database, call.path, None)
    return said(call, None, etag(None))


VERBS: Mapping[str, Callable[[Change, Call], Answered]] = {
    "GET": get,
    "PUT": put,
    "PATCH": patch,
    "POST": post,
    "DELETE": delete,
}


def said(call: Call, value: Any, tag: str | None = None) -> Answered:
    """The answer, in the size that was asked for."""
    asks = {"x-firebase-etag", "if-match", "if-none-match"}
    headers = {"ETag": tag} if tag is not None and asks & set(call.headers) else {}
    if call.asked.get("print") == "silent" and call.verb != "GET":
        return Answered(204, b"", headers=headers)
    body = msgspec.json.encode(value)
    if call.asked.get("print") == "pretty":
        body = msgspec.json.format(body, indent=2)
    return Answered(200, body, headers=headers)


def etag(value: Any) -> str:
    """One name for one content; what is not there has its own."""
    if value is None:
        return "null_etag"
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:28]


def push_id(change: Change) -> str:
    """Twenty characters that sort by time: eight tell it, twelve are chance and then counted on."""
    row = change.one("SELECT body FROM facts WHERE name = 'firebase.pushed'")
    at, tail = msgspec.json.decode(row["body"], type=tuple[int, int]) if row else (0, 0)
    now = max(now_ms(), at)
    tail = tail + 1 if now == at else secrets.randbelow(1 << 71)
    change.run(
        "INSERT INTO facts VALUES ('firebase.pushed', ?)"
        " ON CONFLICT DO UPDATE SET body = excluded.body",
        (msgspec.json.encode((now, tail)),),
    )
    return _written(now, 8) + _written(tail, 12)


def _written(number: int, length: int) -> str:
    return "".join(_DIGITS[number >> (6 * place) & 63] for place in reversed(range(length)))


def _as_expected(change: Change, call: Call) -> None:
    """412 with what is there, unless it is what the caller has seen."""
    wanted = call.headers.get("if-match")
    if wanted is None:
        return
    found = tree.read(change, call.database, call.path)
    if etag(found) != wanted:
        raise ChangedError(found)


class ChangedError(RefusedError):
    """The body is what stands there now, and the tag its name."""

    def __init__(self, found: Any) -> None:
        super().__init__(412, "ETag mismatch")
        self.found = found

    def answered(self) -> Answered:
        return Answered(412, msgspec.json.encode(self.found), headers={"ETag": etag(self.found)})


def _children(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(place) for place, item in enumerate(value) if item is not None]
    return list(value) if isinstance(value, dict) else []
