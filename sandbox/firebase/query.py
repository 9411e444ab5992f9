"""Queries: children in an order, from, to and so many. Every path counts as indexed here."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox.firebase.refusals import RefusedError

RANGES = ("startAt", "endAt", "equalTo")
LIMITS = ("limitToFirst", "limitToLast")
Rank = tuple[int, Any]


def chosen(found: Any, asked: Mapping[str, str]) -> Any:
    """The children that were asked for; all of it when nothing was. Raises RefusedError."""
    bounds = {name: _decoded(name, asked[name]) for name in (*RANGES, *LIMITS) if name in asked}
    if "orderBy" not in asked:
        if bounds:
            raise RefusedError(400, "orderBy must be defined when other query parameters are")
        return found
    order = _decoded("orderBy", asked["orderBy"])
    if not isinstance(order, str):
        raise RefusedError(400, "orderBy must be a valid JSON encoded path")
    if isinstance(found, list):
        found = {str(place): item for place, item in enumerate(found) if item is not None}
    if not isinstance(found, dict):
        return found
    ranked = sorted(((_rank(_sorted_by(order, key, value)), key) for key, value in found.items()))
    kept = [key for rank, key in ranked if _within(rank, bounds)]
    return {key: found[key] for key in _limited(kept, bounds)}


def _decoded(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError as problem:
        raise RefusedError(400, f"{name} must be a valid JSON encoded value") from problem


def _sorted_by(order: str, key: str, value: Any) -> Any:
    if order == "$key":
        return int(key) if key.isdecimal() else key
    if order == "$value":
        return value
    for part in order.split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _rank(value: Any) -> Rank:
    """Nothing, false, true, numbers, words, objects: so they stand in line."""
    match value:
        case None:
            return 0, 0
        case bool():
            return 1, value
        case int() | float():
            return 2, value
        case str():
            return 3, value
        case _:
            return 4, 0


def _within(rank: Rank, bounds: Mapping[str, Any]) -> bool:
    if "equalTo" in bounds and rank != _rank(bounds["equalTo"]):
        return False
    if "startAt" in bounds and rank < _rank(bounds["startAt"]):
        return False
    return not ("endAt" in bounds and rank > _rank(bounds["endAt"]))


def _limited(keys: list[str], bounds: Mapping[str, Any]) -> list[str]:
    first, last = bounds.get("limitToFirst"), bounds.get("limitToLast")
    for limit in (first, last):
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            raise RefusedError(400, "a limit must be a positive number")
    if first is not None and last is not None:
        raise RefusedError(400, "cannot set both limitToFirst and limitToLast")
    if first is not None:
        return keys[:first]
    return keys[-last:] if last is not None else keys
