"""Reads the fields of a request strictly, as the API does: what it does not know is refused."""

from collections.abc import Mapping
from typing import Any

from sandbox.razorpay.refusals import ApiError, unexpected
from sandbox.shelf import Window

NOTES_LIMIT, NOTE_CHARS_LIMIT = 15, 256
COUNT_DEFAULT, COUNT_LIMIT = 10, 100
LARGEST_WHOLE = 1_000_000_000_000


class Fields:
    """The JSON object of a request, with one reader per type."""

    def __init__(self, body: Mapping[str, Any], known: frozenset[str]) -> None:
        unknown = sorted(set(body) - known)
        if unknown:
            raise unexpected(unknown)
        self._body = body

    def whole(self, name: str, *, at_least: int = 1) -> int | None:
        """An integer, or None when it is not given."""
        value = self._body.get(name)
        if value is None:
            return None
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ApiError(f"The {name} must be an integer.", field=name)
        if value < at_least:
            raise ApiError(f"The {name} must be at least {at_least}.", field=name)
        if value > LARGEST_WHOLE:
            raise ApiError(f"The {name} may not be greater than {LARGEST_WHOLE}.", field=name)
        return value

    def needed_whole(self, name: str, *, at_least: int = 1) -> int:
        value = self.whole(name, at_least=at_least)
        if value is None:
            raise ApiError(f"The {name} field is required.", field=name)
        return value

    def text(self, name: str, *, at_most: int = 2_048) -> str | None:
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise ApiError(f"The {name} must be a string.", field=name)
        if len(value) > at_most:
            raise ApiError(f"The {name} may not be greater than {at_most} characters.", field=name)
        return value

    def choice(self, name: str, options: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(name) or default
        if value is None:
            raise ApiError(f"The {name} field is required.", field=name)
        if value not in options:
            raise ApiError(f"The selected {name} is invalid.", field=name)
        return value

    def flag(self, name: str) -> bool:
        value = self._body.get(name, False)
        if value in (True, False, 1, 0, "1", "0"):
            return value in (True, 1, "1")
        raise ApiError(f"The {name} field must be true or false.", field=name)

    def notes(self) -> dict[str, str]:
        """Pairs of texts; an empty list means none, as the API itself writes it."""
        value = self._body.get("notes")
        if value in (None, [], {}):
            return {}
        if not isinstance(value, dict):
            raise ApiError("The notes must be an array.", field="notes")
        if len(value) > NOTES_LIMIT:
            raise ApiError("notes should not have more than 15 fields", field="notes")
        pairs = {str(key): _note(item) for key, item in value.items()}
        if any(len(text) > NOTE_CHARS_LIMIT for pair in pairs.items() for text in pair):
            raise ApiError("notes values should not exceed 256 characters", field="notes")
        return pairs


def _note(item: object) -> str:
    if isinstance(item, str | int) and not isinstance(item, bool):
        return str(item)
    raise ApiError("The notes values must be strings.", field="notes")


def window(query: Mapping[str, str], *, also: tuple[str, ...] = ()) -> Window:
    """The paging of a list; `also` names the filters that it knows beside."""
    fields = Fields(query, frozenset({"from", "to", "count", "skip", "expand[]", *also}))
    count = fields.whole("count") or COUNT_DEFAULT
    if count > COUNT_LIMIT:
        raise ApiError("The count may not be greater than 100.", field="count")
    until = fields.whole("to", at_least=0)
    return Window(
        since=fields.whole("from", at_least=0) or 0,
        until=Window().until if until is None else until,
        count=count,
        skip=fields.whole("skip", at_least=0) or 0,
    )
