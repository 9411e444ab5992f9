"""API keys of a merchant over rows: what making, replacing and ending one writes and says, whole,
beside keys of another merchant; and each refusal in its words."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.context import Context
from coinslot.merchants.keys import SHOWN_CHARS
from coinslot.people import api_keys
from coinslot.people.api_keys import NewKey
from coinslot.people.authentication import NotThereError, RuleError
from tests.fleet.shop import ACTOR, ASHA, CHANDRA, Given, Row, acted, noted
from tests.sales.by_hand import NOW, Rows

KEY, HERS, OTHER, SUCCESSOR = (UUID(int=n) for n in range(31, 35))
DAY, SOME = timedelta(days=1), timedelta(microseconds=1)
TABLES = ("api_keys", "audit_log")
OF_KEY: Row = {
    "id": KEY, "merchant_id": ASHA, "prefix": "sk_live_abcd", "hash": b"h", "name": "till",
    "scopes": ["orders:read", "payments:read"], "created_at": NOW - 10 * DAY,
}  # fmt: skip
Verb = Callable[[Context], Awaitable[Any]]


def shop(*keys: Row) -> Given:
    some = keys or ({},)
    return [
        ("merchants", {"id": ASHA, "slug": "asha"}), ("merchants", {"id": CHANDRA, "slug": "hers"}),
        ("api_keys", {**OF_KEY, "id": HERS, "merchant_id": CHANDRA, "hash": b"i"}),
        ("api_keys", {**OF_KEY, "id": OTHER, "hash": b"j", "revoked_at": NOW}),
        *(("api_keys", {**OF_KEY, **key}) for key in some),
    ]  # fmt: skip


def rotate(merchant: UUID = ASHA, key: UUID = KEY) -> Verb:
    return lambda here: api_keys.rotate(here, ACTOR, merchant, key)


def new_row(key: str, /, **given: Any) -> Row:
    return {
        "merchant_id": ASHA, "prefix": key[:SHOWN_CHARS],
        "hash": hashlib.sha256(key.encode()).digest(), "name": "till",
        "scopes": ["orders:read", "payments:read"], "created_at": NOW, **given,
    }  # fmt: skip


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("expires", "new_expires", "old_ends"),
    [
        (None, None, NOW + DAY),
        (NOW + 20 * DAY, NOW + 30 * DAY, NOW + DAY),
        (NOW + DAY, NOW + 11 * DAY, NOW + DAY),
        (NOW + SOME, NOW + 10 * DAY + SOME, NOW + SOME),
    ],
)
async def test_a_key_is_replaced_by_one_that_may_the_same_for_as_long(
    rows: Rows, expires: datetime | None, new_expires: datetime | None, old_ends: datetime,
    *, live: bool,
) -> None:  # fmt: skip
    begins = "sk_live_abcd" if live else "sk_test_abcd"
    given = shop({"expires_at": expires, "prefix": begins})
    said, found, awake = await acted(rows, rotate(), TABLES, given)
    assert said == api_keys.MadeKey(name="till", key=said.key, old_until=old_ends)
    assert said.key.startswith("sk_live_" if live else "sk_test_")
    old, new = found["api_keys"]
    changed: Row = {"replaced_by": "new api_keys"}
    if expires != old_ends:
        changed["expires_at"] = old_ends
    assert old == (KEY, changed)
    assert new == new_row(said.key, **{} if new_expires is None else {"expires_at": new_expires})
    after = {"begins": said.key[:SHOWN_CHARS]}
    assert found["audit_log"] == [noted("api_key.rotated", begins, after=after)]
    assert awake == set()


@pytest.mark.parametrize("lasts", [None, 3 * DAY])
@pytest.mark.parametrize("live", [True, False])
async def test_a_key_is_made_as_it_is_wanted(
    rows: Rows, lasts: timedelta | None, *, live: bool
) -> None:
    wish = NewKey(name="till", scopes=("orders:read", "payments:read"), live=live, lasts=lasts)
    said, found, _ = await acted(
        rows, lambda here: api_keys.make(here, ACTOR, ASHA, wish), TABLES, shop()
    )
    assert said == api_keys.MadeKey(name="till", key=said.key, old_until=None)
    assert said.key.startswith("sk_live_" if live else "sk_test_")
    until = {} if lasts is None else {"expires_at": NOW + lasts}
    assert found["api_keys"] == [new_row(said.key, **until)]
    after = {"name": "till", "scopes": ["orders:read", "payments:read"], "live": live}
    assert found["audit_log"] == [noted("api_key.made", said.key[:SHOWN_CHARS], after=after)]


async def test_a_key_ends_once(rows: Rows) -> None:
    def verb(here: Context) -> Awaitable[None]:
        return api_keys.revoke(here, ACTOR, ASHA, KEY)

    _, found, _ = await acted(rows, verb, TABLES, shop())
    assert found == {
        "api_keys": [(KEY, {"revoked_at": NOW})],
        "audit_log": [noted("api_key.revoked", "sk_live_abcd")],
    }
    _, found, _ = await acted(rows, verb, TABLES, shop({"revoked_at": NOW - DAY}))
    assert found == {}


MANY = [{"id": UUID(int=100 + n), "hash": bytes([n])} for n in range(99)]
FULL = shop({}, *MANY)
NOT_IN_USE: Sequence[Row] = (
    {"revoked_at": NOW}, {"expires_at": NOW}, {"merchant_id": CHANDRA},
)  # fmt: skip
WISH = NewKey(name="till", scopes=("orders:read",), live=False)
SCOPES = (
    "payments:read, payments:write, refunds:write, events:read, webhooks:write, machines:read,"
    " machines:write, devices:write, orders:read, refunds:large"
)


def made(**more: Any) -> Verb:
    wish = NewKey(**{"name": "till", "scopes": ("orders:read",), "live": False, **more})
    return lambda here: api_keys.make(here, ACTOR, ASHA, wish)


REFUSED: Sequence[tuple[Verb, Given, str, str]] = (
    (rotate(), FULL, "too_many_keys", "100 keys are in use: revoke some first."),
    (made(), FULL, "too_many_keys", "100 keys are in use: revoke some first."),
    (rotate(), shop({"replaced_by": SUCCESSOR}), "key_replaced", "This key was replaced already."),
    (made(scopes=()), shop(), "bad_scopes", f"Choose what it may do, of {SCOPES}."),
    (made(scopes=("orders:read", "all")), shop(), "bad_scopes",
     f"Choose what it may do, of {SCOPES}."),
    (made(lasts=timedelta(0)), shop(), "bad_expiry", "It may be good for ten years at most."),
    (made(lasts=3660 * DAY + SOME), shop(), "bad_expiry", "It may be good for ten years at most."),
    (rotate(key=SUCCESSOR), shop(), "not_found", "There is no such key."),
    (rotate(CHANDRA), shop(), "not_found", "There is no such key."),
    (rotate(), shop({"revoked_at": NOW + DAY}), "not_found", "There is no such key in use."),
    (rotate(), shop({"expires_at": NOW}), "not_found", "There is no such key in use."),
    (rotate(), shop({"expires_at": NOW, "replaced_by": SUCCESSOR}), "not_found",
     "There is no such key in use."),
    (lambda here: api_keys.revoke(here, ACTOR, CHANDRA, KEY), shop(), "not_found",
     "There is no such key."),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(REFUSED)))
async def test_what_is_refused_is_refused_in_a_sentence(rows: Rows, case: int) -> None:
    verb, given, code, said = REFUSED[case]
    with pytest.raises((RuleError, NotThereError)) as refused:
        await acted(rows, verb, (), given)
    assert str(refused.value) == said
    assert getattr(refused.value, "code", "") == code


@pytest.mark.parametrize("other", NOT_IN_USE)
async def test_a_key_that_is_not_in_use_leaves_room_for_another(rows: Rows, other: Row) -> None:
    given = shop({}, *MANY[1:], {**MANY[0], **other})
    said, _, _ = await acted(rows, rotate(), (), given)
    assert said.name == "till"
    barely = shop({}, *MANY[1:], {**MANY[0], "expires_at": NOW + SOME})
    with pytest.raises(RuleError):
        await acted(rows, rotate(), (), barely)


async def test_keys_are_listed_those_in_use_first_and_the_newest_of_them(rows: Rows) -> None:
    given = shop(
        {}, {"id": UUID(int=40), "hash": b"k", "created_at": NOW - 11 * DAY},
        {"id": UUID(int=41), "hash": b"l"}, {"id": UUID(int=42), "hash": b"m", "created_at": NOW},
    )  # fmt: skip
    said, _, _ = await acted(rows, lambda here: api_keys.listed(here, ASHA), (), given)
    assert [one.id.int for one in said] == [42, 41, KEY.int, 40, OTHER.int]
    assert {one.merchant for one in said} == {"asha"}
