"""What a driver says of its settings to the person who fills them in: the gateway's own word for
each, where to find it there, and what is a secret.

A setting that says nothing of itself is not asked for: it has a default, or is set by a file."""

from collections.abc import Mapping
from typing import Annotated, Final, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from coinslot.kit.secrets import Secret

LANGUAGES: Final = ("en", "hi", "ru")
_SAYS: Final = "coinslot.field"
_MOST_CHARS: Final = 500


class Field(Struct, frozen=True, kw_only=True):
    """One field of a gateway's form. `help` is in LANGUAGES, and says where the value is found.

    `former`: the setting that lists secrets which still prove a webhook after they were
    replaced."""

    name: str
    label: str
    help: tuple[str, str, str]
    secret: bool = False
    required: bool = False
    many: bool = False  # the setting is a list; the form asks for the one that is used from now on
    former: str = ""
    choices: tuple[str, ...] = ()


def asked(
    label: str, help_: tuple[str, str, str], *, former: str = "", choices: tuple[str, ...] = ()
) -> Meta:
    """Beside the type of a setting: ask for it."""
    return Meta(extra={_SAYS: (label, help_, former, choices)})


def fields(settings: type[Struct]) -> tuple[Field, ...]:
    """The form, in the order of the settings."""
    hints = get_type_hints(settings, include_extras=True)
    found = []
    for known in msgspec.structs.fields(settings):
        kind, said = _said(hints[known.name])
        if said is None:
            continue
        label, help_, former, choices = said
        many = get_origin(kind) is tuple
        found.append(
            Field(
                name=known.name, label=label, help=help_, former=former, choices=choices,
                many=many, secret=kind is Secret or (many and Secret in get_args(kind)),
                required=known.required,
            )
        )  # fmt: skip
    return tuple(found)


class FieldError(ValueError):
    """A field cannot be used. `code`: missing, too_long, not_plain or not_a_choice."""

    def __init__(self, field: Field, code: str) -> None:
        super().__init__(f"{field.label}: {code.replace('_', ' ')}")
        self.field = field
        self.code = code


def filled(
    settings: type[Struct], typed: Mapping[str, str], before: Struct | None = None
) -> dict[str, object]:
    """The settings that were typed, by name. Of an account that was there before, a secret that was
    left empty stays, and so does what the form did not have.

    Raises FieldError."""
    found: dict[str, object] = {}
    for field in fields(settings):
        text = typed.get(field.name, "").strip()
        if len(text) > _MOST_CHARS:
            raise FieldError(field, "too_long")
        if not text.isprintable() or (text and not text.isascii()):
            raise FieldError(field, "not_plain")
        if field.choices and text not in ("", *field.choices):
            raise FieldError(field, "not_a_choice")
        if before is not None and (field.name not in typed or (field.secret and not text)):
            continue
        if not text and field.required:
            raise FieldError(field, "missing")
        value: object = Secret(text) if field.secret else text or None
        found[field.name] = (() if not text else (value,)) if field.many else value
    return found


def _said(
    hint: object,
) -> tuple[object, tuple[str, tuple[str, str, str], str, tuple[str, ...]] | None]:
    if get_origin(hint) is not Annotated:
        return hint, None
    kind, *more = get_args(hint)
    for one in more:
        if isinstance(one, Meta) and one.extra and _SAYS in one.extra:
            return kind, one.extra[_SAYS]
    return kind, None
