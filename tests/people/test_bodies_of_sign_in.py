"""What the calls of signing in take: which fields there are, what they are when they are left out,
how long each may be, and which characters are kept."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from coinslot.api.sign_in import (
    Credentials,
    NewPassword,
    NewTotp,
    PasskeyAnswer,
    RefreshRequest,
    StepUp,
    TypedCode,
)

# By name: how long it may be; whether a zero character is refused, since it is written somewhere.
LOGIN, PASSWORD, CODE = (254, True), (1024, False), (64, True)
SIGNED, NAME, REFRESH = (4096, False), (100, True), (128, False)
BODIES: Mapping[type[msgspec.Struct], Mapping[str, tuple[int, bool]]] = {
    Credentials: {"login": LOGIN, "password": PASSWORD, "challenge": SIGNED, "code": CODE,
                  "merchant": LOGIN},
    StepUp: {"password": PASSWORD, "challenge": SIGNED, "code": CODE},
    RefreshRequest: {"refresh_token": REFRESH},
    NewPassword: {"password": PASSWORD},
    NewTotp: {"name": NAME},
    TypedCode: {"code": CODE},
    PasskeyAnswer: {"challenge": SIGNED, "name": NAME},
}  # fmt: skip
NEEDED: Mapping[type[msgspec.Struct], Mapping[str, Any]] = {
    RefreshRequest: {"refresh_token": "t"}, NewPassword: {"password": "p"},
    TypedCode: {"code": "1"}, PasskeyAnswer: {"challenge": "c", "passkey": {}},
}  # fmt: skip
LEFT_OUT: Mapping[type[msgspec.Struct], Mapping[str, Any]] = {
    Credentials: {"login": "", "password": "", "challenge": "", "code": "", "passkey": None,
                  "merchant": ""},
    StepUp: {"password": "", "challenge": "", "code": "", "passkey": None},
    NewTotp: {"name": ""},
    PasskeyAnswer: {"name": ""},
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_what_is_left_out_is_empty_and_what_is_needed_is_asked_for(
    body: type[msgspec.Struct],
) -> None:
    needed = NEEDED.get(body, {})
    found = msgspec.structs.asdict(msgspec.convert(dict(needed), body))
    assert found == {**needed, **LEFT_OUT.get(body, {})}
    for name in needed:
        less = {other: value for other, value in needed.items() if other != name}
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert(less, body)
    with pytest.raises(msgspec.ValidationError, match="unknown field `more`"):
        msgspec.convert({**needed, "more": ""}, body)


@pytest.mark.parametrize(
    ("body", "name"), [(body, name) for body, fields in BODIES.items() for name in fields]
)
def test_each_field_is_so_long_at_most(body: type[msgspec.Struct], name: str) -> None:
    most, stored = BODIES[body][name]
    needed = NEEDED.get(body, {})

    def taken(value: object) -> bool:
        try:
            made = msgspec.convert({**needed, name: value}, body)
        except msgspec.ValidationError as error:
            return f"$.{name}`" not in str(error)
        return bool(getattr(made, name) == value)

    assert taken("x" * most)
    assert not taken("x" * (most + 1))
    assert taken("")
    assert taken("a\nb ü")
    assert taken("a\x00") is not stored
    assert not taken(7)
    assert not taken(None)


@pytest.mark.parametrize("body", [Credentials, StepUp, PasskeyAnswer])
def test_a_passkey_is_an_object(body: type[msgspec.Struct]) -> None:
    needed = NEEDED.get(body, {})
    made = msgspec.convert({**needed, "passkey": {"id": "x", "any": [1]}}, body)
    assert msgspec.structs.asdict(made)["passkey"] == {"id": "x", "any": [1]}
    with pytest.raises(msgspec.ValidationError, match="passkey"):
        msgspec.convert({**needed, "passkey": "x"}, body)
