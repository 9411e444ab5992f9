"""Whole rows of sessions: what each way in, each change and each end leaves behind, beside sessions
of others that stay as they are."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import msgspec
import pytest

from coinslot.people import members, sessions, sign_in
from coinslot.people.audit_log import Actor
from coinslot.people.authentication import Client, ForbiddenError
from coinslot.people.roles import PERMISSIONS
from coinslot.people.sessions import Device, Grant, Opened, SignedIn
from coinslot.people.sign_in import Attempt
from coinslot.people.tokens import hashed
from tests.people.conftest import CHEAP, HERE, PASSWORD, Staffed, at, refusal
from tests.people.test_sign_in import change, works_for_both
from tests.people.test_whole_rows import Log, entry, rows
from tests.sales.stage import START

THERE = Client(address="198.51.100.9", network="198.51.100.0/24", agent="b" * 301)
SECRET_CHARS = 43  # of 32 bytes in base64
SPAN = timedelta(days=90)
Rows = dict[UUID, dict[str, Any]]


async def opened_as(
    staffed: Staffed, login: str, client: Client = THERE, kind: str = "cookie", merchant: str = ""
) -> Opened:
    attempt = Attempt(login=login, password=PASSWORD, merchant=merchant)
    return await sign_in.sign_in(staffed.auth, attempt, client, kind)


async def member(staffed: Staffed, login: str, merchant: str = "") -> SignedIn:
    """Signed in by a cookie, as a console's handler is given them."""
    opened = await opened_as(staffed, login, merchant=merchant)
    return await sessions.by_cookie(staffed.auth, opened.cookie, THERE)


async def all_sessions(staffed: Staffed) -> Rows:
    return {one["id"]: one for one in await rows(staffed, "sessions")}


async def refused(call: Awaitable[object]) -> str:
    return (await refusal(call)).code


async def aged(staffed: Staffed, login: str) -> None:
    """Their version is 3, their role's 2: neither is the other, nor new."""
    person = staffed.people[login]
    async with staffed.auth.db.as_person(person) as conn:
        await conn.execute("UPDATE people SET version = 3, name = 'B. Roy' WHERE id = $1", person)
    await change(staffed, login, members.Role(role="operator"))


def session(staffed: Staffed, person: str, made: UUID, **more: Any) -> dict[str, Any]:
    now = staffed.auth.now()
    return {
        "id": made, "person_id": staffed.people[person], "for_merchant": staffed.merchant,
        "kind": "token", "secret_hash": None, "factors": ["password"], "person_version": 3,
        "grant_version": 2, "address": "198.51.100.9", "agent": "b" * 300, "created_at": now,
        "proved_at": now, "used_at": now, "expires_at": now + SPAN, "ended_at": None,
        "ended_because": None, "push_endpoint": None, "network": "198.51.100.0/24",
        "tablet_id": None, **more,
    }  # fmt: skip


async def test_tokens_open_a_session_and_say_what_it_is(staffed: Staffed) -> None:
    auth, boris, log = staffed.auth, staffed.people["boris"], Log(staffed)
    await aged(staffed, "boris")
    await log.new()
    made = await opened_as(staffed, "boris", kind="token")
    assert await all_sessions(staffed) == {made.session: session(staffed, "boris", made.session)}
    assert (made.expires_in, made.cookie, len(made.refresh_token)) == (600, "", SECRET_CHARS)
    (kept,) = await rows(staffed, "refresh_tokens", "hash")
    assert kept == {
        "hash": hashed(made.refresh_token), "person_id": boris, "session_id": made.session,
        "issued_at": auth.now(), "used_at": None, "successor": None,
    }  # fmt: skip
    since = int(auth.now().timestamp())
    assert jwt.decode(made.access_token, options={"verify_signature": False}) == {
        "sub": str(boris), "tenantId": str(staffed.merchant), "role": "operator", "iat": since,
        "exp": since + 600, "sid": str(made.session),
        "permissions": sorted(PERMISSIONS["operator"]),
    }  # fmt: skip
    who = await sessions.by_access_token(auth, made.access_token, at("203.0.113.9"))
    assert who == SignedIn(
        session=made.session, kind="token", person=boris, login="boris", name="B. Roy",
        merchant=staffed.merchant, merchant_name="Asha", role="operator", outlets=(),
        factors=("password",), permissions=PERMISSIONS["operator"], second_factor_missing=False,
        proved_at=auth.now(), strongly=True, address="203.0.113.9",
    )  # fmt: skip
    by = Actor(person=boris, session=made.session, factors=("password",), address="198.51.100.9")
    assert await log.new() == [entry(staffed, by, "signed_in")]


async def test_a_cookie_opens_a_session_that_has_no_tokens(staffed: Staffed) -> None:
    await aged(staffed, "boris")
    made = await opened_as(staffed, "boris")
    assert msgspec.structs.asdict(made) == {
        "session": made.session, "access_token": "", "refresh_token": "", "expires_in": 0,
        "cookie": made.cookie,
    }  # fmt: skip
    assert len(made.cookie) == SECRET_CHARS
    (kept,) = (await all_sessions(staffed)).values()
    assert kept == session(
        staffed, "boris", made.session, kind="cookie", secret_hash=hashed(made.cookie)
    )
    assert await rows(staffed, "refresh_tokens", "hash") == []
    who = await sessions.by_cookie(staffed.auth, made.cookie, THERE)
    assert (who.session, who.kind, who.person) == (made.session, "cookie", staffed.people["boris"])
    assert await refused(sessions.by_cookie(staffed.auth, "x", THERE)) == "invalid_token"


async def test_a_role_that_there_is_not_or_another_kind_of_session_is_no_token(
    staffed: Staffed,
) -> None:
    auth = staffed.auth
    tokens, cookie = await opened_as(staffed, "boris", kind="token"), await member(staffed, "boris")
    claims = auth.tokens.read_access(tokens.access_token, auth.now())
    assert claims is not None
    for good, said in (
        (True, {"role": "viewer"}), (False, {"role": "device"}), (False, {"role": ""}),
        (False, {"sid": cookie.session}), (False, {"sub": str(staffed.people["vera"])}),
        (False, {"tenant": staffed.chandra}), (False, {"tenant": None}),
        (False, {"exp": int(auth.now().timestamp())}),
    ):  # fmt: skip
        text = auth.tokens.access(msgspec.structs.replace(claims, **said))
        if good:
            assert (await sessions.by_access_token(auth, text, THERE)).role == "operator"
        else:
            assert await refused(sessions.by_access_token(auth, text, THERE)) == "invalid_token"


async def test_its_use_is_noted_once_a_minute_and_that_of_another_never(staffed: Staffed) -> None:
    auth, made = staffed.auth, await opened_as(staffed, "boris")
    await opened_as(staffed, "vera")
    before = await all_sessions(staffed)
    for later_s, noted in ((60, False), (0.001, True), (60, False)):
        staffed.later(later_s)
        await sessions.by_cookie(auth, made.cookie, THERE)
        if noted:
            before[made.session]["used_at"] = auth.now()
        assert await all_sessions(staffed) == before, later_s


async def test_those_that_are_still_open_are_told_and_their_use_is_not_noted(
    staffed: Staffed,
) -> None:
    auth, idle = staffed.auth, staffed.auth.context.windows.span("session_idle_s")
    lazy = await opened_as(staffed, "vera")
    staffed.later(0.001)
    here, gone, meera = [
        await member(staffed, login) for login in ("boris", "boris", "meera")
    ]  # fmt: skip
    await sessions.end(auth, here, gone.session)
    staffed.later(idle.total_seconds() - 0.001)
    before = await all_sessions(staffed)
    every = [lazy.session, here.session, gone.session, meera.session, UUID(int=1)]
    assert await sessions.still_open(auth, every) == {here.session, meera.session}
    assert await sessions.still_open(auth, every[:1]) == frozenset()
    assert await sessions.still_open(auth, [meera.session]) == {meera.session}
    assert await all_sessions(staffed) == before
    assert await sessions.devices(auth, here) == [
        Device(id=here.session, kind="cookie", merchant=staffed.merchant, address="198.51.100.9",
               agent="b" * 300, created_at=here.proved_at, used_at=here.proved_at, current=True),
    ]  # fmt: skip
    staffed.later(0.001)
    assert await sessions.still_open(auth, every) == frozenset()
    assert await sessions.devices(auth, here) == []


async def test_the_places_of_one_person_are_the_last_used_first(staffed: Staffed) -> None:
    auth, made = staffed.auth, []
    await works_for_both(staffed)
    for merchant in ("asha", "chandra", "asha"):
        made.append(await opened_as(staffed, "boris", at(merchant), merchant=merchant))
    await opened_as(staffed, "vera")
    began = auth.now()
    staffed.later(61)
    who = await sessions.by_cookie(auth, made[1].cookie, THERE)
    first, last = sorted((made[0].session, made[2].session))
    assert await sessions.devices(auth, who) == [
        Device(id=one, kind="cookie", merchant=merchant, address=where, agent="a browser",
               created_at=began, used_at=used, current=one == who.session)
        for one, merchant, where, used in (
            (who.session, staffed.chandra, "chandra", auth.now()),
            (first, staffed.merchant, "asha", began), (last, staffed.merchant, "asha", began),
        )
    ]  # fmt: skip


async def test_a_network_that_is_new_to_someone_is_told_to_them_alone(staffed: Staffed) -> None:
    boris, at_home = staffed.people["boris"], at(HERE)
    for login, client, told in (
        ("vera", THERE, 0), ("boris", at_home, 0), ("boris", THERE, 1), ("boris", at_home, 1),
        ("boris", THERE, 1), ("vera", at_home, 2),
    ):  # fmt: skip
        await opened_as(staffed, login, client)
        assert len(await rows(staffed, "alerts")) == told, (login, client)
    told_to = {one["person_id"]: one for one in await rows(staffed, "alerts")}
    alert, hers = told_to[boris], told_to[staffed.people["vera"]]
    assert alert == {
        "id": alert["id"], "merchant_id": None, "person_id": boris, "kind": "new_place",
        "subject": "", "data": {"address": "198.51.100.9"}, "opened_at": staffed.auth.now(),
        "back_since": None, "ended_at": staffed.auth.now(), "told_at": None, "end_told_at": None,
    }  # fmt: skip
    assert hers["data"] == {"address": HERE}


async def test_a_refresh_gives_one_successor_and_moves_nothing_of_others(staffed: Staffed) -> None:
    auth, boris, log = staffed.auth, staffed.people["boris"], Log(staffed)
    first = await opened_as(staffed, "boris", kind="token")
    await opened_as(staffed, "boris", kind="token")
    hers = await opened_as(staffed, "vera", kind="token")
    before, began = await all_sessions(staffed), auth.now()
    staffed.later(20)
    await log.new()
    second = await sessions.refresh(auth, first.refresh_token, THERE)
    assert second == Opened(
        session=first.session, access_token=second.access_token, expires_in=600,
        refresh_token=second.refresh_token,
    )  # fmt: skip
    assert len(second.refresh_token) == SECRET_CHARS
    before[first.session]["used_at"] = auth.now()
    assert await all_sessions(staffed) == before
    by_hash = {one["hash"]: one for one in await rows(staffed, "refresh_tokens", "hash")}
    of_boris = {"person_id": boris, "session_id": first.session}
    old = by_hash[hashed(first.refresh_token)]
    assert old == {
        "hash": hashed(first.refresh_token), **of_boris, "issued_at": began, "used_at": auth.now(),
        "successor": old["successor"],
    }  # fmt: skip
    assert by_hash[hashed(second.refresh_token)] == {
        "hash": hashed(second.refresh_token), **of_boris, "issued_at": auth.now(), "used_at": None,
        "successor": None,
    }  # fmt: skip
    assert by_hash[hashed(hers.refresh_token)]["used_at"] is None
    staffed.later(30)
    again = await sessions.refresh(auth, first.refresh_token, THERE)
    assert (again.session, again.refresh_token) == (second.session, second.refresh_token)
    assert len(await rows(staffed, "refresh_tokens", "hash")) == len(by_hash)
    assert await log.new() == []
    staffed.later(0.001)
    before = await all_sessions(staffed)
    assert await refused(sessions.refresh(auth, first.refresh_token, THERE)) == "invalid_token"
    before[first.session] |= {"ended_at": auth.now(), "ended_because": "refresh_token_reused"}
    assert await all_sessions(staffed) == before
    thief = Actor(person=boris, session=first.session)
    assert await log.new() == [
        entry(staffed, thief, "refresh_token_reused", merchant_id=None, subject=str(first.session)),
    ]  # fmt: skip


async def test_what_is_over_is_not_continued_and_changes_nothing(staffed: Staffed) -> None:
    auth = staffed.auth
    made = await opened_as(staffed, "boris", kind="token")
    who = await sessions.by_access_token(auth, made.access_token, THERE)
    assert await sessions.end(auth, who, who.session)

    async def all_rows() -> list[Any]:
        return [await all_sessions(staffed), await rows(staffed, "refresh_tokens", "hash")]

    before = await all_rows()
    for text in (made.refresh_token, "x", ""):
        assert await refused(sessions.refresh(auth, text, THERE)) == "invalid_token"
    assert await all_rows() == before


async def test_from_a_network_that_is_not_listed_nothing_is_opened_or_used(
    staffed: Staffed,
) -> None:
    auth = staffed.auth
    tokens, cookie = await opened_as(staffed, "boris", kind="token"), await opened_as(
        staffed, "boris"
    )  # fmt: skip
    async with auth.db.as_merchant(staffed.merchant) as conn:
        await conn.execute(
            "UPDATE merchants SET allowed_networks = '{203.0.113.0/24}' WHERE id = $1",
            staffed.merchant,
        )
    before = [await all_sessions(staffed), await rows(staffed, "refresh_tokens", "hash")]
    for call in (
        opened_as(staffed, "boris"),
        sessions.refresh(auth, tokens.refresh_token, THERE),
        sessions.by_access_token(auth, tokens.access_token, THERE),
        sessions.by_cookie(auth, cookie.cookie, THERE),
    ):
        with pytest.raises(ForbiddenError) as error:
            await call
        assert error.value.code == "address_not_allowed"
    assert before == [await all_sessions(staffed), await rows(staffed, "refresh_tokens", "hash")]
    assert (await sessions.by_cookie(auth, cookie.cookie, at())).address == HERE
    await opened_as(staffed, "boris", at())


async def test_one_ends_one_of_ones_own_and_it_is_on_record(staffed: Staffed) -> None:
    auth, log = staffed.auth, Log(staffed)
    here, other, hers = [await member(staffed, one) for one in ("boris", "boris", "vera")]
    await log.new()
    staffed.later(5)
    rest = await all_sessions(staffed)
    assert not await sessions.end(auth, here, hers.session)
    assert await sessions.end(auth, here, other.session, "left")
    assert not await sessions.end(auth, here, other.session)
    rest[other.session] |= {"ended_at": auth.now(), "ended_because": "left"}
    assert await all_sessions(staffed) == rest
    assert await log.new() == [entry(staffed, here.actor, "left", subject=str(other.session))]
    assert await sessions.end(auth, here, here.session)
    assert [one["action"] for one in await log.new()] == ["signed_out"]
    people = {one["id"]: one for one in await rows(staffed, "people")}
    await sessions.end_everywhere(auth, hers)
    people[hers.person]["version"] += 1
    assert {one["id"]: one for one in await rows(staffed, "people")} == people
    assert await log.new() == [entry(staffed, hers.actor, "signed_out_everywhere")]


async def test_a_fresh_proof_takes_the_place_of_the_session(staffed: Staffed) -> None:
    auth, log = staffed.auth, Log(staffed)
    await aged(staffed, "boris")
    who, other = await member(staffed, "boris"), await member(staffed, "boris")
    async with auth.db.as_person(who.person) as conn:
        await conn.execute("UPDATE sessions SET push_endpoint = 'https://p/' || id")
    await log.new()
    staffed.later(700)
    before = await all_sessions(staffed)
    # Whatever an app shows at another's counter counts beside the password that is shown now.
    shown = msgspec.structs.replace(who, factors=("pin",))
    attempt = Attempt(login="vera", password=PASSWORD)
    made = await sign_in.step_up(auth, shown, attempt, THERE)
    by = Actor(
        person=who.person, session=made.session, factors=("pin", "password"), address=THERE.address
    )
    assert await log.new() == [entry(staffed, by, "stepped_up")]
    after = await all_sessions(staffed)
    assert after.pop(made.session) == session(
        staffed, "boris", made.session, kind="cookie", secret_hash=hashed(made.cookie),
        factors=["pin", "password"], push_endpoint=f"https://p/{who.session}",
    )  # fmt: skip
    before[who.session] |= {"ended_at": auth.now(), "ended_because": "stepped_up"}
    assert after == before
    assert await refused(sign_in.step_up(auth, shown, attempt, THERE)) == "invalid_token"
    wrong = Attempt(login="vera", password="another")
    assert await refused(sign_in.step_up(auth, other, wrong, THERE)) == "invalid_credentials"
    assert {one["action"] for one in await log.new()} == {"sign_in.failed"}
    assert (await all_sessions(staffed)).keys() == {*before, made.session}


async def test_another_merchant_takes_the_place_of_the_first_with_the_older_proof(
    staffed: Staffed,
) -> None:
    auth, log = staffed.auth, Log(staffed)
    await works_for_both(staffed)
    await aged(staffed, "boris")
    who = await member(staffed, "boris", "asha")
    assert await sign_in.choices(auth, who) == [
        Grant(merchant=staffed.chandra, name="Chandra", slug="chandra", version=1)
    ]
    await log.new()
    staffed.later(700)
    before = await all_sessions(staffed)
    made = await sign_in.switch(auth, who, staffed.chandra, at())
    after = await all_sessions(staffed)
    assert after.pop(made.session) == session(
        staffed, "boris", made.session, kind="cookie", secret_hash=hashed(made.cookie),
        for_merchant=staffed.chandra, grant_version=1, proved_at=who.proved_at, address=HERE,
        network=HERE, agent="a browser",
    )  # fmt: skip
    before[who.session] |= {"ended_at": auth.now(), "ended_because": "switched"}
    assert after == before
    by = Actor(person=who.person, session=made.session, factors=who.factors, address=HERE)
    assert await log.new() == [entry(staffed, by, "switched", merchant_id=staffed.chandra)]
    now = await sessions.by_cookie(auth, made.cookie, THERE)
    assert (now.merchant_name, now.role) == ("Chandra", "viewer")
    (asha,) = await sign_in.choices(auth, now)
    assert (asha.merchant, asha.name, asha.slug, asha.version) == (
        staffed.merchant, "Asha", "asha", 2,
    )  # fmt: skip
    for elsewhere in (None, UUID(int=1)):
        assert await refused(sign_in.switch(auth, now, elsewhere, THERE)) == "no_membership"


@pytest.mark.parametrize("gone", ["disabled", "dismissed"])
async def test_whoever_is_gone_neither_goes_on_nor_elsewhere(staffed: Staffed, gone: str) -> None:
    auth = staffed.auth
    await works_for_both(staffed)
    who = await member(staffed, "boris", "asha")
    if gone == "dismissed":
        await change(staffed, "boris", None)
    else:
        async with auth.db.as_person(who.person) as conn:
            await conn.execute(
                "UPDATE people SET disabled_at = $2 WHERE id = $1", who.person, auth.now()
            )
    before = await all_sessions(staffed)
    shown = Attempt(password=PASSWORD)
    assert await refused(sign_in.step_up(auth, who, shown, THERE)) == "invalid_credentials"
    away = sign_in.switch(auth, who, staffed.merchant, THERE)
    assert await refused(away) == {
        "disabled": "invalid_credentials", "dismissed": "no_membership"
    }[gone]  # fmt: skip
    stranger = msgspec.structs.replace(who, person=UUID(int=1))
    for call in (
        sign_in.step_up(auth, stranger, shown, THERE),
        sign_in.switch(auth, stranger, staffed.chandra, THERE),
    ):
        assert await refused(call) == "invalid_credentials"
    assert await all_sessions(staffed) == before


async def test_a_new_password_ends_what_was_and_opens_one_again(staffed: Staffed) -> None:
    auth, log = staffed.auth, Log(staffed)
    await aged(staffed, "boris")
    who, hers = await member(staffed, "boris"), await member(staffed, "vera")
    people = {one["id"]: one for one in await rows(staffed, "people")}
    before = await all_sessions(staffed)
    await log.new()
    staffed.later(9)
    made = await sign_in.change_password(auth, who, "ten cold bottles", at())
    after = {one["id"]: one for one in await rows(staffed, "people")}
    kept = after[who.person].pop("password_hash")
    assert CHEAP.verify(kept, "ten cold bottles")
    people[who.person].pop("password_hash")
    people[who.person]["version"] = 4
    assert after == people
    now = await all_sessions(staffed)
    assert now.pop(made.session) == session(
        staffed, "boris", made.session, kind="cookie", secret_hash=hashed(made.cookie),
        person_version=4, address=HERE, network=HERE, agent="a browser",
    )  # fmt: skip
    before[who.session] |= {"ended_at": auth.now(), "ended_because": "signed_in_again"}
    assert now == before
    by = Actor(person=who.person, session=made.session, factors=who.factors, address=HERE)
    assert await log.new() == [
        entry(staffed, who.actor, "password.changed", merchant_id=None, subject=str(who.person)),
        entry(staffed, by, "signed_in_again"),
    ]  # fmt: skip
    await sign_in.set_password(auth, hers.person, "nine cold bottles", who.actor)
    (told,) = await log.new()
    changed = msgspec.structs.replace(who.actor, person=hers.person)
    assert told == entry(
        staffed, changed, "password.changed", merchant_id=None, subject=str(hers.person)
    )


ROW: dict[str, Any] = {
    "id": UUID(int=1), "kind": "cookie", "person_id": UUID(int=2), "login": "boris", "name": "B",
    "for_merchant": UUID(int=3), "merchant_name": "Asha", "role": "operator", "outlets": [],
    "factors": ["password"], "proved_at": START, "tablet_id": None, "tablet_outlets": None,
    "second_factor_required": False, "has_second": False,
}  # fmt: skip
TABLET = {"tablet_id": UUID(int=4), "tablet_outlets": ["M2", "M1"], "factors": ["pin"]}
BOARD, WRITES = PERMISSIONS["staff"], PERMISSIONS["operator"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, ("operator", (), WRITES, False, True)),
        ({"has_second": True}, ("operator", (), WRITES, False, False)),
        ({"has_second": True, "factors": ["passkey"]}, ("operator", (), WRITES, False, True)),
        ({"second_factor_required": True}, ("operator", (), frozenset(), True, True)),
        ({"second_factor_required": True, "factors": ["password", "totp"]},
         ("operator", (), WRITES, False, True)),
        ({"second_factor_required": None}, ("operator", (), WRITES, False, True)),
        ({"role": "staff", "outlets": ["M1", "M3"]}, ("staff", ("M1", "M3"), BOARD, False, True)),
        (TABLET, ("staff", ("M2", "M1"), BOARD, False, False)),
        ({**TABLET, "second_factor_required": True, "has_second": True},
         ("staff", ("M2", "M1"), BOARD, False, False)),
        ({**TABLET, "role": "staff", "outlets": ["M1", "M3"]},
         ("staff", ("M1",), BOARD, False, False)),
        ({**TABLET, "role": "viewer"}, ("staff", ("M2", "M1"), frozenset(), False, False)),
        ({**TABLET, "factors": ["pin", "passkey"]}, ("staff", ("M2", "M1"), BOARD, False, False)),
    ],
)  # fmt: skip
def test_a_session_lets_someone_do_what_their_role_tablet_and_factors_say(
    row: dict[str, Any], said: tuple[str, tuple[str, ...], frozenset[str], bool, bool]
) -> None:
    found: Any = {**ROW, **row}
    role, outlets, may, missing, strongly = said
    who = sessions._read(found, THERE)
    factors = tuple(found["factors"])
    assert who == SignedIn(
        session=UUID(int=1), kind="cookie", person=UUID(int=2), login="boris", name="B",
        merchant=UUID(int=3), merchant_name="Asha", role=role, outlets=outlets, factors=factors,
        permissions=may, second_factor_missing=missing, proved_at=START, strongly=strongly,
        address=THERE.address,
    )  # fmt: skip
    once: Any = object()
    assert msgspec.structs.replace(who, once=once).actor == Actor(
        person=UUID(int=2), session=UUID(int=1), factors=factors, address=THERE.address, once=once
    )
