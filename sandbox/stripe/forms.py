"""Reads a request as Stripe does: a flat form whose names are nested by brackets, strictly."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.refusals import invalid

STEP = re.compile(r"\[([^\[\]]*)\]")
DEPTH_LIMIT = 8
METADATA_LIMIT, NAME_CHARS_LIMIT, VALUE_CHARS_LIMIT = 50, 40, 500
LARGEST_MINOR = 99_999_999
Tree = dict[str, Any]


def unflattened(text: str) -> Tree:
    """`a[b][0]=x` as nested dicts and lists; a body that is no form at all is refused."""
    tree: Tree = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, bracket, rest = name.partition("[")
        steps = [first, *STEP.findall(bracket + rest)]
        if len(steps) > DEPTH_LIMIT or not first:
            raise invalid(f"Invalid parameter name: {name[:80]}")
        _put(tree, steps, value)
    return {name: _with_lists(value) for name, value in tree.items()}


def _put(tree: Tree, steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            raise invalid("Invalid object", param=steps[0])
        tree = inner
    last = steps[-1] if steps[-1] else str(len(tree))  # `expand[]` counts by itself
    tree[last] = value


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _with_lists(one) for name, one in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


class Fields:
    """One level of a request, with one reader per type. What nobody read is unknown: refused."""

    def __init__(self, tree: Tree, inside: str = "") -> None:
        self._tree = tree
        self._inside = inside
        self._read: set[str] = {"expand"}

    def name(self, name: str) -> str:
        return f"{self._inside}[{name}]" if self._inside else name

    def raw(self, name: str) -> Any:
        self._read.add(name)
        return self._tree.get(name)

    def text(self, name: str, *, at_most: int = 5_000) -> str | None:
        value = self.raw(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > at_most:
            raise invalid(f"Invalid string: {name}", self.name(name))
        return value

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise self.missing(name)
        return value

    def missing(self, name: str) -> Exception:
        full = self.name(name)
        return invalid(f"Missing required param: {full}.", full, "parameter_missing")

    def whole(self, name: str, *, at_least: int = 1) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?[0-9]{1,12}", value):
            raise invalid(f"Invalid integer: {value}", self.name(name), "parameter_invalid_integer")
        if not at_least <= int(value):
            said = "This value must be greater than or equal to 1."
            raise invalid(said, self.name(name), "parameter_invalid_integer")
        return int(value)

    def amount(self, name: str) -> int | None:
        value = self.whole(name)
        if value is not None and value > LARGEST_MINOR:
            said = "Amount must be no more than $999,999.99"
            raise invalid(said, self.name(name), "amount_too_large")
        return value

    def choice(self, name: str, options: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(name) or default
        if value is None:
            raise self.missing(name)
        if value not in options:
            said = f"Invalid {self.name(name)}: must be one of {', '.join(options)}"
            raise invalid(said, self.name(name))
        return value

    def inner(self, name: str) -> "Fields":
        value = self.raw(name) or {}
        if not isinstance(value, dict):
            raise invalid("Invalid object", self.name(name))
        return Fields(value, self.name(name))

    def metadata(self) -> dict[str, str]:
        value = self.raw("metadata") or {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise invalid("Invalid object", self.name("metadata"))
        if len(value) > METADATA_LIMIT:
            raise invalid("Metadata can have up to 50 keys", self.name("metadata"))
        for key, text in value.items():
            if len(key) > NAME_CHARS_LIMIT or len(text) > VALUE_CHARS_LIMIT:
                raise invalid("Metadata is too long", self.name(f"metadata[{key}]"))
        return {key: text for key, text in value.items() if text}

    def end(self) -> None:
        """Refuse what was sent and nobody asked for."""
        for name in self._tree:
            if name not in self._read:
                full = self.name(name)
                raise invalid(f"Received unknown parameter: {full}", full, "parameter_unknown")
