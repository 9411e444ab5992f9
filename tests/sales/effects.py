"""What a verb does, to the last column: the rows that it made, changed and took away, and what it
wrote into the record. Ids, secrets and the computer's own time are left out."""

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from coinslot.db.pool import RawConnection
from tests.sales.stage import START
from tests.sales.twins import COPIED

PLACE = Path(__file__).with_name("effects.json")
_TABLES = (*COPIED, "events", "exposures", "inbox")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,}")
_TOKEN = re.compile(r"(?=.*[A-Z])[\w-]{27}")  # as `kit.ids.token` makes them
# Made at random, counted by the database, or of its own clock.
_LEFT_OUT = frozenset(
    {
        "id", "seq", "number", "token", "key", "secret", "broker_hash", "txn", "leased_until",
        "go_message", "nonce", "delivery_id", "body", "headers", "request_hash", "next_secret",
        "next_hash", "version", "lease", "said", "key_hash", "page_key", "browser",
    }
)  # fmt: skip
Rows = dict[str, dict[Any, dict[str, Any]]]


async def everything(conn: RawConnection) -> Rows:
    """Every row, by table and by what it is known by."""
    found: Rows = {}
    for table in _TABLES:
        rows = [dict(row) for row in await conn.fetch(f"SELECT * FROM {table}")]
        found[table] = {_known_by(row): row for row in rows}
    return found


def _known_by(row: dict[str, Any]) -> Any:
    for name in ("id", "seq"):
        if name in row:
            return row[name]
    ends = ("_id", "event_seq", "slot", "key")
    return tuple(str(value) for name, value in row.items() if name.endswith(ends))


def between(before: Rows, after: Rows) -> dict[str, list[Any]]:
    """By table, in an order that does not depend on ids."""
    found: dict[str, list[Any]] = {}
    for table in _TABLES:
        old, new = before[table], after[table]
        done: list[Any] = [{"gone": True} for key in old if key not in new]
        for key, row in new.items():
            was = old.get(key)
            plain = {
                name: _plain(value) if was is None else [_plain(was[name]), _plain(value)]
                for name, value in row.items()
                if name not in _LEFT_OUT and (value is not None if was is None
                                              else was[name] != value)
            }  # fmt: skip
            if plain:
                done.append({"made": plain} if was is None else {"changed": plain})
        if done:
            found[table] = sorted(done, key=lambda one: json.dumps(one, sort_keys=True))
    return found


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            seconds = (value - START).total_seconds()
            return "computer's time" if value.microsecond % 1000 else f"{seconds:+g} s"
        case str():
            return "a token" if _TOKEN.fullmatch(value) else _UUID.sub("an id", value)
        case bool() | int() | None:
            return value
        case dict():
            return {key: _plain(one) for key, one in value.items() if key not in _LEFT_OUT}
        case list() | tuple():
            return [_plain(one) for one in value]
        case bytes():
            return "bytes"
        case _:
            return _UUID.sub("an id", str(value))


def written(scene: str, done: dict[str, list[Any]]) -> list[str]:
    """What stands in the file of a scene, where `python -m tests.write_effects` has put it."""
    told: dict[str, list[str]] = json.loads(PLACE.read_text("utf-8"))
    if "COINSLOT_WRITES_EFFECTS" in os.environ:
        told[scene] = lines(done)
        PLACE.write_text(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return told.get(scene, [])


def lines(done: dict[str, list[Any]]) -> list[str]:
    """One for each row."""
    return [
        f"{table}: {json.dumps(row, sort_keys=True, ensure_ascii=False)}"
        for table, rows in done.items()
        for row in rows
    ]
