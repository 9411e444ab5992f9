"""What a machine's configuration says of its device, as fields of a form and back. What a plain
field cannot say stands in one of JSON, so that nothing is lost by a look at the page."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from coinslot.console.forms import Form
from coinslot.fleet.config import DEVICE_BYTES_AT_MOST
from coinslot.kit.numbers import decimal
from coinslot.telemetry.food import FOOD_LOCK, FoodRule

FORM_CHARS: Final = 4 * DEVICE_BYTES_AT_MOST  # with spaces and ends of lines
_PARTS: Final = ";"
_NAME: Final = re.compile(r"[^=;\n]{1,64}")


class DeviceFieldError(Exception):
    """What was typed into a field cannot be read; `text` names why."""

    def __init__(self, text: str, field: str, line: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.field = field
        self.line = line

    def said(self, texts: Mapping[str, str]) -> str:
        return texts[self.text].format(field=texts[f"dev_{self.field}"], line=self.line)


class DeviceText(Struct, frozen=True, kw_only=True):
    """The fields as they are shown, by name; `rest` is what they do not say."""

    plain: Mapping[str, str]
    maintenance: bool
    locks: bool
    rest: str


def shown(device: Mapping[str, Any]) -> DeviceText:
    left, plain = dict(device), {}
    for name, (write, parse) in _FIELDS.items():
        text = _written(write, parse, left.get(name))
        plain[name] = text or ""
        if text:
            del left[name]
    gps = left.pop("gps", None)
    plain["lat"], plain["lng"] = _degrees(gps)
    if gps is not None and not plain["lat"]:
        left["gps"] = gps
    rule, plain["limit_c"] = left.get(FOOD_LOCK), ""
    if locks := isinstance(rule, dict):
        plain["limit_c"] = _number(rule.get("limit_c", FoodRule().limit_c))
        left.pop(FOOD_LOCK)
    maintenance = left.get("maintenance") is True
    if isinstance(left.get("maintenance"), bool):
        del left["maintenance"]
    rest = msgspec.json.format(msgspec.json.encode(left), indent=2).decode() if left else ""
    return DeviceText(plain=plain, maintenance=maintenance, locks=locks, rest=rest)


def typed_device(form: Form) -> DeviceText:
    """The fields as they were typed, to be shown once more."""
    names = (*_FIELDS, "lat", "lng", "limit_c")
    return DeviceText(
        plain={name: form.raw(name) for name in names},
        maintenance=bool(form.one("maintenance")), locks=bool(form.one("locks")),
        rest=form.raw("rest"),
    )  # fmt: skip


def read(form: Form, before: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says of the device. Of the food lock it says whether and above which
    temperature; its other limits stay as they were. Raises DeviceFieldError."""
    found: dict[str, Any] = {}
    for name, (_, parse) in _FIELDS.items():
        if text := form.raw(name).replace("\r\n", "\n").strip():
            found[name] = parse(name, text)
    if form.one("lat", 40) or form.one("lng", 40):
        found["gps"] = {"lat": _typed_number(form, "lat"), "lng": _typed_number(form, "lng")}
    if form.one("maintenance"):
        found["maintenance"] = True
    if form.one("locks"):
        rule = before.get(FOOD_LOCK)
        kept = dict(rule) if isinstance(rule, dict) else {}
        if form.one("limit_c", 40):
            kept["limit_c"] = _typed_number(form, "limit_c")
        found[FOOD_LOCK] = kept
    rest = _rest(form)
    if twice := sorted(rest.keys() & found.keys()):
        raise DeviceFieldError("problem_dev_twice", _FIELD_OF.get(twice[0], twice[0]))
    return rest | found


def _rest(form: Form) -> dict[str, Any]:
    text = form.raw("rest").strip()
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise DeviceFieldError("problem_dev_rest", "rest") from None


def _written(
    write: Callable[[Any], str], parse: Callable[[str, str], Any], value: Any
) -> str | None:
    """The value as its field shows it; None where that would not be read as the same."""
    try:
        text = write(value)
        same: bool = bool(text) and parse("", text.strip()) == value
        return text if same else None
    except (DeviceFieldError, TypeError, AttributeError, ValueError):
        return None


def _degrees(gps: Any) -> tuple[str, str]:
    if not isinstance(gps, dict) or gps.keys() != {"lat", "lng"}:
        return "", ""
    return _number(gps["lat"]), _number(gps["lng"])


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, int | float) else ""


def _typed_number(form: Form, name: str) -> float:
    found = decimal(form.one(name, 40))
    if found is None:
        raise DeviceFieldError("problem_dev_number", name)
    return found


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _parsed_word(_field: str, text: str) -> str:
    return text


def _words(value: Sequence[str]) -> str:
    return ", ".join(map(_word, value))


def _parsed_words(_field: str, text: str) -> list[str]:
    return [one for part in text.replace("\n", ",").split(",") if (one := part.strip())]


def _named(value: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} = {_value(one)}" for name, one in value.items())


def _parsed_named(field: str, text: str) -> dict[str, Any]:
    return dict(_pair(field, line, n) for n, line in _lines(text))


def _listed(value: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(
        f"{_PARTS} ".join(f"{name} = {_value(v)}" for name, v in one.items()) for one in value
    )


def _parsed_list(field: str, text: str) -> list[dict[str, Any]]:
    return [
        dict(_pair(field, part, n) for part in line.split(_PARTS) if part.strip())
        for n, line in _lines(text)
    ]


def _lines(text: str) -> list[tuple[int, str]]:
    return [(n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _pair(field: str, text: str, line: int) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    name, value = name.strip(), value.strip()
    if not sign or not value or not _NAME.fullmatch(name):
        raise DeviceFieldError("problem_dev_line", field, line)
    return name, _parsed_value(value)


def _value(value: Any) -> str:
    """A word as it is, anything else as JSON."""
    if isinstance(value, str) and _parsed_value(value.strip()) == value:
        return value
    return msgspec.json.encode(value).decode()


def _parsed_value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return text


# By the name in the configuration: how a value is written into its field, and read from there.
_FIELDS: Final[Mapping[str, tuple[Callable[[Any], str], Callable[[str, str], Any]]]] = {
    "deviceType": (_word, _parsed_word),
    "uiTheme": (_word, _parsed_word),
    "features": (_words, _parsed_words),
    "pins": (_named, _parsed_named),
    "sensors": (_listed, _parsed_list),
    "actuators": (_listed, _parsed_list),
    "paymentHardware": (_named, _parsed_named),
}
_FIELD_OF: Final = {"gps": "lat", FOOD_LOCK: "limit_c"}
