"""The shelf on which every emulated gateway keeps its things: put, found, listed by page."""

import secrets
import string
from typing import ClassVar, TypeVar

import msgspec

from sandbox.store import Change

ALPHANUMERICS = string.ascii_letters + string.digits


class Thing(msgspec.Struct, kw_only=True):
    """Anything with an id that no other gateway gives. `account_id` is the merchant's.

    `kind` is unique in the whole sandbox."""

    kind: ClassVar[str] = ""
    id: str
    account_id: str
    created_at: int
    notes: dict[str, str] = {}  # the merchant's own pairs; some gateways call them metadata

    @property
    def parent(self) -> str | None:
        """The thing this one belongs to, for lists."""
        return None


T = TypeVar("T", bound=Thing)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list: seconds from and to, both included, newest first."""

    since: int = 0
    until: int = 1 << 40
    count: int = 10
    skip: int = 0


def new_id(prefix: str, length: int = 14) -> str:
    return prefix + "".join(secrets.choice(ALPHANUMERICS) for _ in range(length))


def put(change: Change, thing: Thing) -> None:
    """Add the thing, or replace the one with its id."""
    change.run(
        "INSERT INTO things (id, kind, account_id, parent, created_at, body)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        (
            thing.id,
            thing.kind,
            thing.account_id,
            thing.parent,
            thing.created_at,
            msgspec.json.encode(thing),
        ),
    )


def find(change: Change, kind: type[T], thing_id: str, account_id: str | None = None) -> T | None:
    """The thing, if it is there and (when an account is given) belongs to that account."""
    row = change.one("SELECT * FROM things WHERE id = ? AND kind = ?", (thing_id, kind.kind))
    if row is None or account_id not in (None, row["account_id"]):
        return None
    return msgspec.json.decode(row["body"], type=kind)


def page(change: Change, kind: type[T], account_id: str, window: Window) -> list[T]:
    rows = change.all(
        "SELECT body FROM things WHERE kind = ? AND account_id = ?"
        " AND created_at BETWEEN ? AND ? ORDER BY seq DESC LIMIT ? OFFSET ?",
        (kind.kind, account_id, window.since, window.until, window.count, window.skip),
    )
    return [msgspec.json.decode(row["body"], type=kind) for row in rows]


def children(change: Change, kind: type[T], parent: str, window: Window) -> list[T]:
    rows = change.all(
        "SELECT body FROM things WHERE kind = ? AND parent = ?"
        " AND created_at BETWEEN ? AND ? ORDER BY seq DESC LIMIT ? OFFSET ?",
        (kind.kind, parent, window.since, window.until, window.count, window.skip),
    )
    return [msgspec.json.decode(row["body"], type=kind) for row in rows]


def matching(change: Change, kind: type[T], account_id: str, field: str, value: str) -> list[T]:
    """Those whose field of the body has this value, newest first."""
    rows = change.all(
        "SELECT body FROM things WHERE kind = ? AND account_id = ?"
        " AND json_extract(body, '$.' || ?) = ? ORDER BY seq DESC LIMIT 100",
        (kind.kind, account_id, field, value),
    )
    return [msgspec.json.decode(row["body"], type=kind) for row in rows]


def everything(change: Change, kind: type[T]) -> list[T]:
    """All of a kind, of every account, oldest first."""
    rows = change.all("SELECT body FROM things WHERE kind = ? ORDER BY seq", (kind.kind,))
    return [msgspec.json.decode(row["body"], type=kind) for row in rows]
