"""A tree kept as its leaves: a node is what stands at its path and below. Null and empty objects
are nothing at all, and dense numbered children come back as an array, as they do there."""

import re
from typing import Any

import msgspec

from sandbox.clock import now_ms
from sandbox.firebase.refusals import RefusedError, bad_path, unreadable
from sandbox.store import Change

Path = tuple[str, ...]

KEY_BYTES, DEPTH, STRING_BYTES = 768, 32, 10_000_000
_NOT_IN_A_KEY = re.compile(r"[.$#\[\]/\x00-\x1f\x7f]")
_NUMBER = re.compile(r"0|[1-9]\d{0,8}")


def path_of(text: str) -> Path:
    """The keys of a path such as `orders/o1`. Raises RefusedError."""
    keys = tuple(key for key in text.split("/") if key)
    if len(keys) > DEPTH or any(not _is_key(key) for key in keys):
        raise bad_path(text)
    return keys


def read(look: Change, database: str, path: Path) -> Any:
    """The node as JSON would say it; None is no node."""
    at = _text(path)
    rows = look.all(
        "SELECT path, value FROM leaves WHERE database = ?"
        " AND (path = ? OR (path >= ? AND path < ?))",
        (database, at, f"{at}/", f"{at}0"),
    )
    found: Any = None
    for row in rows:
        value = msgspec.json.decode(row["value"])
        keys = row["path"][len(at) + 1 :].split("/") if row["path"] != at else []
        if not keys:
            return value
        found = {} if found is None else found
        branch = found
        for key in keys[:-1]:
            branch = branch.setdefault(key, {})
        branch[keys[-1]] = value
    return _with_arrays(found)


def write(change: Change, database: str, path: Path, value: Any) -> None:
    """Put this value in place of whatever was there. Raises RefusedError."""
    value = _resolved(change, database, path, value)
    at = _text(path)
    for length in range(len(path)):  # a plain value cannot have children: it gives way
        above = _text(path[:length])
        change.run("DELETE FROM leaves WHERE database = ? AND path = ?", (database, above))
    change.run(
        "DELETE FROM leaves WHERE database = ? AND (path = ? OR (path >= ? AND path < ?))",
        (database, at, f"{at}/", f"{at}0"),
    )
    for place, leaf in _leaves(path, value):
        change.run(
            "INSERT INTO leaves VALUES (?, ?, ?)",
            (database, _text(place), msgspec.json.encode(leaf)),
        )


def update(change: Change, database: str, path: Path, children: dict[str, Any]) -> None:
    """Write several paths below this one, all or none. Raises RefusedError."""
    places = {(*path, *path_of(key)): value for key, value in children.items()}
    for place in places:
        if place == path or any(place[:length] in places for length in range(len(place))):
            raise RefusedError(400, f"{_text(place)} cannot be updated beside the others")
    for place, value in places.items():
        write(change, database, place, value)


def databases(look: Change) -> dict[str, int]:
    """Every database that holds something, and how many plain values."""
    rows = look.all("SELECT database, count(*) AS n FROM leaves GROUP BY database")
    return {row["database"]: row["n"] for row in rows}


def _text(path: Path) -> str:
    return "".join(f"/{key}" for key in path)


def _is_key(key: str) -> bool:
    return (
        0 < len(key.encode("utf-8", "replace")) <= KEY_BYTES and _NOT_IN_A_KEY.search(key) is None
    )


def _leaves(path: Path, value: Any) -> list[tuple[Path, Any]]:
    """Every plain value with its path. Raises RefusedError for keys that cannot be."""
    if value is None:
        return []
    if isinstance(value, list):
        value = {str(place): item for place, item in enumerate(value)}
    if isinstance(value, dict):
        if any(not _is_key(key) for key in value) or len(path) >= DEPTH:
            raise unreadable()
        return [leaf for key, item in value.items() for leaf in _leaves((*path, key), item)]
    if isinstance(value, str) and len(value.encode("utf-8", "replace")) > STRING_BYTES:
        raise RefusedError(400, "Data to write exceeds the maximum size of a string.")
    return [(path, value)]


def _resolved(change: Change, database: str, path: Path, value: Any) -> Any:
    """With values that the server fills in: its time, or what is there and so much more."""
    if not isinstance(value, dict):
        return value
    if len(path) >= DEPTH:
        raise unreadable()
    if set(value) == {".sv"}:
        wanted = value[".sv"]
        if wanted == "timestamp":
            return now_ms()
        more = wanted.get("increment") if isinstance(wanted, dict) else None
        if not isinstance(more, int | float):
            raise unreadable()
        before = read(change, database, path)
        return more + (before if isinstance(before, int | float) else 0)
    return {key: _resolved(change, database, (*path, key), item) for key, item in value.items()}


def _with_arrays(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    made = {key: _with_arrays(item) for key, item in value.items()}
    if not all(_NUMBER.fullmatch(key) for key in made):
        return made
    last = max(int(key) for key in made)
    if 2 * len(made) <= last + 1:
        return made
    return [made.get(str(place)) for place in range(last + 1)]
