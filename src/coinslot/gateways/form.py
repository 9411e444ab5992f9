"""What a driver says of its settings to the person who fills them in: the gateway's own word for
each, where it is found there, what is a secret. A setting that says nothing of itself is not asked
for. Settings that belong together, such as those of receipts, are a struct, and a group of the
form: where all of it is left empty there is none."""

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from coinslot.kit.secrets import Secret

LANGUAGES: Final = ("en", "hi", "ru")
_SAYS: Final = "coinslot.field"
_MOST_CHARS: Final = 500
Words = tuple[str, str, str]  # in LANGUAGES


def read_at(language: str) -> int:
    """The place of a language in `Words`; English for one that drivers have no words in."""
    return LANGUAGES.index(language) if language in LANGUAGES else 0


class Choice(Struct, frozen=True):
    """A value of a list, and what it means."""

    value: str
    words: Words


class Field(Struct, frozen=True, kw_only=True):
    """One field of a gateway's form. `label` and `help` are in LANGUAGES; `help` says where the
    value is found. `name` is a path: `receipts.email` is a setting in the struct `receipts`.

    `former`: the setting that lists secrets which still prove a webhook after they were
    replaced. `group`: the words of the group that it belongs to. `empty`: what leaving it empty
    means."""

    name: str
    label: Words
    help: Words
    secret: bool = False
    required: bool = False
    many: bool = False  # the setting is a list; the form asks for the one that is used from now on
    former: str = ""
    choices: tuple[Choice, ...] = ()
    group: "Group | None" = None
    empty: Words | None = None
    any_script: bool = False  # a name that people read, not a code

    def value_of(self, settings: Struct) -> Any:
        """None where the group is left out."""
        value: Any = settings
        for part in self.name.split("."):
            value = None if value is None else getattr(value, part)
        return value

    def shown_as(self, settings: Struct) -> str:
        """The value as the form has it. A secret is never shown."""
        return "" if self.secret else str(self.value_of(settings) or "")


class Group(Struct, frozen=True, kw_only=True):
    """Settings that are all given, or none of them."""

    title: Words
    lead: Words


def asked(
    label: str | Words,
    help_: Words,
    *,
    former: str = "",
    choices: Iterable[str | Choice] = (),
    empty: Words | None = None,
) -> Meta:
    """Beside the type of a setting: ask for it. A label that is one text is the gateway's own
    name for it, in every language."""
    said = {
        "label": _in_each(label), "help": help_, "former": former, "empty": empty,
        "choices": tuple(
            one if isinstance(one, Choice) else Choice(one, _in_each(one)) for one in choices
        ),
    }  # fmt: skip
    return Meta(extra={_SAYS: said})


def asked_name(label: Words, help_: Words) -> Meta:
    """The same of a name that people read, in whatever script."""
    return Meta(extra={_SAYS: {"label": label, "help": help_, "any_script": True}})


def grouped(title: Words, lead: Words) -> Meta:
    """Beside the type of a setting that is a struct: ask for what is in it."""
    return Meta(extra={_SAYS: Group(title=title, lead=lead)})


def fields(settings: type[Struct]) -> tuple[Field, ...]:
    """The form, in the order of the settings."""
    return tuple(_fields(settings, "", None))


def _fields(settings: type[Struct], path: str, group: Group | None) -> Iterable[Field]:
    hints = get_type_hints(settings, include_extras=True)
    for known in msgspec.structs.fields(settings):
        kind, said = _said(hints[known.name])
        if isinstance(said, Group):
            yield from _fields(_struct_in(kind), f"{path}{known.name}.", said)
        elif said is not None:
            many = get_origin(kind) is tuple
            yield Field(
                name=f"{path}{known.name}", many=many, required=known.required, group=group,
                secret=kind is Secret or (many and Secret in get_args(kind)), **said,
            )  # fmt: skip


class FieldError(ValueError):
    """A field cannot be used. `code`: missing, too_long, not_plain or not_a_choice."""

    def __init__(self, field: Field, code: str) -> None:
        super().__init__(f"{field.label[0]}: {code.replace('_', ' ')}")
        self.field = field
        self.code = code


def filled(
    settings: type[Struct], typed: Mapping[str, str], before: Struct | None = None
) -> dict[str, object]:
    """The settings that were typed, by name. Of an account that was there before, a secret that was
    left empty stays, and so does what the form did not have.

    Raises FieldError."""
    found: dict[str, object] = {}
    groups: dict[str, list[tuple[Field, str]]] = {}
    for field in fields(settings):
        text = _read(field, typed.get(field.name, "").strip())
        if before is not None and (field.name not in typed or (field.secret and not text)):
            continue
        if field.group is not None:
            groups.setdefault(field.name.partition(".")[0], []).append((field, text))
            continue
        if not text and field.required:
            raise FieldError(field, "missing")
        value: object = Secret(text) if field.secret else text or None
        found[field.name] = (() if not text else (value,)) if field.many else value
    for name, given in groups.items():
        found[name] = _group(settings, name, given)
    return found


def _read(field: Field, text: str) -> str:
    """Raises FieldError."""
    if len(text) > _MOST_CHARS:
        raise FieldError(field, "too_long")
    if not text.isprintable() or (text and not field.any_script and not text.isascii()):
        raise FieldError(field, "not_plain")
    if field.choices and text not in ("", *(one.value for one in field.choices)):
        raise FieldError(field, "not_a_choice")
    return text


def _group(settings: type[Struct], name: str, given: list[tuple[Field, str]]) -> Struct | None:
    """What is left empty has its default. Raises FieldError."""
    said = {field.name.partition(".")[2]: text for field, text in given if text}
    if not said:
        return None
    for field, text in given:
        if field.required and not text:
            raise FieldError(field, "missing")
    kind, _ = _said(get_type_hints(settings, include_extras=True)[name])
    try:
        made: Struct = msgspec.convert(said, _struct_in(kind), strict=False)
    except msgspec.ValidationError as error:
        wrong = next((one for one, _ in given if f"$.{one.name.partition('.')[2]}`" in str(error)),
                     given[0][0])  # fmt: skip
        raise FieldError(wrong, "not_a_choice") from error
    return made


def _struct_in(kind: object) -> type[Struct]:
    """Of `X | None`, X."""
    inner = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    (found,) = [one for one in inner if isinstance(one, type) and issubclass(one, Struct)]
    return found


def _in_each(text: str | Words) -> Words:
    return (text, text, text) if isinstance(text, str) else text


def _said(hint: object) -> tuple[object, Any]:
    """The type of a setting, and what it says of itself to the form."""
    if get_origin(hint) is not Annotated:
        return hint, None
    kind, *more = get_args(hint)
    for one in more:
        if isinstance(one, Meta) and one.extra and _SAYS in one.extra:
            return kind, one.extra[_SAYS]
    return kind, None
