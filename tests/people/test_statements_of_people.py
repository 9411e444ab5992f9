"""What each statement about people finds or changes: its own row, as long as nothing differs from
what it asks for. Each case differs in one thing."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from coinslot.people import (
    api_keys,
    audit_log,
    device_keys,
    factors,
    invitations,
    limits,
    members,
    passkeys,
    resets,
    sessions,
    sign_in,
)
from coinslot.people.roles import INSTALLATION
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
IDLE = NOW - timedelta(hours=1)
BORIS, ASHA, CHANDRA, HERS = (UUID(int=n) for n in (1, 2, 3, 4))  # two people, two merchants
THING, ANOTHER = UUID(int=10), UUID(int=11)


PERSON = {"id": BORIS, "login": "boris", "version": 3}
SESSION = {
    "id": THING, "person_id": BORIS, "for_merchant": ASHA, "kind": "token", "person_version": 3,
    "grant_version": 5, "expires_at": NOW + MOMENT, "used_at": IDLE + MOMENT,
}  # fmt: skip
WORKS = {"person_id": BORIS, "merchant_id": ASHA, "role": "operator", "version": 5}
RUNS = {"person_id": BORIS, "version": 5}
ENDED = {"sessions.ended_at": NOW, "sessions.ended_because": "x"}
OF_SESSION: Sequence[Mapping[str, Any]] = (
    {"sessions.id": ANOTHER}, ENDED, {"sessions.expires_at": NOW}, {"sessions.used_at": IDLE},
    {"people.version": 4}, {"people.disabled_at": NOW}, {"people.id": ANOTHER},
)  # fmt: skip
COOKIE = {**SESSION, "kind": "cookie", "secret_hash": b"secret"}
FACTOR = {
    "id": THING, "person_id": BORIS, "kind": "totp", "secret": b"s", "confirmed_at": NOW,
    "last_step": 7,
}  # fmt: skip
KEY = {
    "id": THING, "person_id": BORIS, "kind": "passkey", "credential_id": b"c", "public_key": b"p",
    "confirmed_at": NOW, "sign_count": 7,
}  # fmt: skip
INVITATION = {
    "id": THING, "merchant_id": ASHA, "role": "viewer", "token_hash": b"t", "code_digest": "d",
    "address": "Boris@shop", "expires_at": NOW + MOMENT,
}  # fmt: skip
OVER: Sequence[Mapping[str, Any]] = (
    {"invitations.accepted_at": NOW, "invitations.accepted_by": BORIS},
    {"invitations.revoked_at": NOW},
)  # fmt: skip
RESET = {"id": THING, "person_id": BORIS, "token_hash": b"t", "expires_at": NOW + MOMENT,
         "drops_factors": False}  # fmt: skip
DEVICE = {"id": THING, "merchant_id": ASHA, "outlet_id": "M01", "hash": b"h",
          "expires_at": NOW + MOMENT}  # fmt: skip
API_KEY = {"id": THING, "merchant_id": ASHA, "expires_at": NOW + MOMENT}
OUTLET = {"id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt",
          "dialect": "leased"}  # fmt: skip

ASKED = (
    Asked("a session by its token", sessions.BY_ID, (THING, NOW, INSTALLATION, IDLE),
          {"sessions": SESSION, "people": PERSON, "memberships": WORKS, "merchants": {"id": ASHA}},
          (*OF_SESSION, {"sessions.kind": "cookie", "sessions.secret_hash": b"secret"},
           {"memberships.ended_at": NOW}, {"memberships.version": 6},
           {"memberships.person_id": ANOTHER}, {"memberships.merchant_id": CHANDRA},
           {"sessions.for_merchant": None}, {"sessions.for_merchant": CHANDRA})),
    Asked("a session of who runs the installation", sessions.BY_ID,
          (THING, NOW, INSTALLATION, IDLE),
          {"sessions": {**SESSION, "for_merchant": None}, "people": PERSON,
           "installation_admins": RUNS},
          (*OF_SESSION, {"installation_admins.ended_at": NOW}, {"installation_admins.version": 6},
           {"installation_admins.person_id": ANOTHER}, {"sessions.for_merchant": ASHA})),
    Asked("a session by its cookie", sessions.BY_SECRET, (b"secret", NOW, INSTALLATION, IDLE),
          {"sessions": COOKIE, "people": PERSON, "memberships": WORKS},
          (*OF_SESSION[1:], {"sessions.secret_hash": b"another"})),
    Asked("where someone is signed in", sessions._LISTED, (BORIS, NOW, IDLE),
          {"sessions": SESSION, "people": PERSON},
          (*OF_SESSION[1:5], {"sessions.person_id": ASHA})),
    Asked("a session ends", f"{sessions._END} RETURNING id", (THING, NOW, "why"),
          {"sessions": SESSION}, (ENDED, {"sessions.id": ANOTHER})),
    Asked("a person by login", sign_in.BY_LOGIN, ("BORIS",), {"people": PERSON},
          ({"people.login": "boris2"},), ({"people.login": "Boris"}, {"people.disabled_at": NOW})),
    Asked("a person by id", sign_in.BY_ID, (BORIS,), {"people": PERSON}, ({"people.id": ASHA},)),
    Asked("for whom someone works", sign_in.GRANTS, (BORIS, INSTALLATION),
          {"memberships": WORKS, "merchants": {"id": ASHA}},
          ({"memberships.ended_at": NOW}, {"memberships.person_id": ANOTHER},
           {"merchants.id": CHANDRA})),
    Asked("whether someone runs the installation", sign_in.GRANTS, (BORIS, INSTALLATION),
          {"installation_admins": RUNS},
          ({"installation_admins.ended_at": NOW}, {"installation_admins.person_id": ANOTHER})),
    Asked("factors", factors._OF_PERSON, (BORIS,), {"second_factors": FACTOR},
          ({"second_factors.person_id": ANOTHER}, {"second_factors.confirmed_at": None},
           {"second_factors.removed_at": NOW})),
    Asked("a code's step", f"{factors._STEP} RETURNING id", (THING, 8, NOW),
          {"second_factors": FACTOR},
          ({"second_factors.last_step": 8}, {"second_factors.last_step": 9},
           {"second_factors.removed_at": NOW}, {"second_factors.id": ANOTHER})),
    Asked("passkeys that someone has", passkeys._OF_PERSON, (BORIS,), {"second_factors": KEY},
          ({"second_factors.person_id": ANOTHER}, {"second_factors.removed_at": NOW},
           {"second_factors.kind": "totp", "second_factors.secret": b"s"})),
    Asked("a passkey by what it shows", passkeys._BY_CREDENTIAL, (b"c",), {"second_factors": KEY},
          ({"second_factors.credential_id": b"d"}, {"second_factors.removed_at": NOW},
           {"second_factors.confirmed_at": None})),
    Asked("a passkey that counts", f"{passkeys._USED} RETURNING id", (THING, 8, NOW),
          {"second_factors": KEY},
          ({"second_factors.id": ANOTHER}, {"second_factors.removed_at": NOW},
           {"second_factors.sign_count": 8}, {"second_factors.sign_count": 9})),
    Asked("a passkey that does not count", f"{passkeys._USED} RETURNING id", (THING, 0, NOW),
          {"second_factors": {**KEY, "sign_count": 0}}, ({"second_factors.sign_count": 1},)),
    Asked("an invitation by its link", invitations.BY_TOKEN, (NOW, b"t"),
          {"invitations": INVITATION},
          (*OVER, {"invitations.expires_at": NOW}, {"invitations.token_hash": b"u"})),
    Asked("an invitation by its code", invitations.BY_CODE, (NOW, "bORIS@shop", "d"),
          {"invitations": INVITATION},
          (*OVER, {"invitations.expires_at": NOW}, {"invitations.code_digest": "e"},
           {"invitations.address": "vera@shop"})),
    Asked("invitations that wait", invitations._LISTED, (NOW, ASHA), {"invitations": INVITATION},
          (*OVER, {"invitations.expires_at": NOW}, {"invitations.merchant_id": CHANDRA})),
    Asked("an invitation is taken up", f"{invitations._TAKEN} RETURNING id", (THING, NOW, BORIS),
          {"invitations": INVITATION}, (*OVER, {"invitations.id": ANOTHER})),
    Asked("a reset", resets._FOUND, (b"t", NOW), {"password_resets": RESET, "people": PERSON},
          ({"password_resets.token_hash": b"u"}, {"password_resets.used_at": NOW},
           {"password_resets.expires_at": NOW}, {"people.disabled_at": NOW},
           {"people.id": ANOTHER})),
    Asked("factors end", f"{resets._ENDED[0]} RETURNING id", (BORIS, NOW),
          {"second_factors": FACTOR},
          ({"second_factors.person_id": ANOTHER}, {"second_factors.removed_at": NOW})),
    Asked("recovery codes end", f"{resets._ENDED[1]} RETURNING digest", (BORIS, NOW),
          {"recovery_codes": {"person_id": BORIS}},
          ({"recovery_codes.person_id": ANOTHER}, {"recovery_codes.used_at": NOW})),
    Asked("a colleague", members._COLLEAGUES, (ASHA,), {"memberships": WORKS, "people": PERSON},
          ({"memberships.merchant_id": CHANDRA}, {"memberships.ended_at": NOW},
           {"people.id": ANOTHER})),
    Asked("someone's role", members._ONE, (BORIS, ASHA), {"memberships": WORKS},
          ({"memberships.merchant_id": CHANDRA}, {"memberships.ended_at": NOW},
           {"memberships.person_id": ANOTHER})),
    Asked("a role changes", f"{members._CHANGE} RETURNING role", (BORIS, ASHA, "viewer", [], None),
          {"memberships": WORKS},
          ({"memberships.merchant_id": CHANDRA}, {"memberships.person_id": ANOTHER})),
    Asked("who ran the installation ends", f"{members._END_ALL} RETURNING version", (BORIS, NOW),
          {"installation_admins": RUNS},
          ({"installation_admins.person_id": ANOTHER}, {"installation_admins.ended_at": NOW})),
    Asked("a device by its key", device_keys.BY_KEY, (b"h", NOW),
          {"device_api_keys": DEVICE, "outlets": OUTLET},
          ({"device_api_keys.hash": b"i"}, {"device_api_keys.revoked_at": NOW},
           {"device_api_keys.expires_at": NOW}, {"outlets.decommissioned_at": NOW},
           {"outlets.id": "M02"})),
    Asked("a device by its token", device_keys.BY_ID, (THING, NOW),
          {"device_api_keys": DEVICE, "outlets": OUTLET},
          ({"device_api_keys.id": ANOTHER}, {"device_api_keys.revoked_at": NOW},
           {"device_api_keys.expires_at": NOW}, {"outlets.decommissioned_at": NOW})),
    Asked("a device key to rotate", device_keys._OLD, (THING, NOW), {"device_api_keys": DEVICE},
          ({"device_api_keys.id": ANOTHER}, {"device_api_keys.revoked_at": NOW},
           {"device_api_keys.replaced_by": ANOTHER}, {"device_api_keys.expires_at": NOW})),
    Asked("a device key in use", f"{device_keys._IN_USE} AND k.id = $1", (THING, NOW),
          {"device_api_keys": DEVICE, "outlets": OUTLET},
          ({"device_api_keys.revoked_at": NOW}, {"device_api_keys.expires_at": NOW},
           {"outlets.decommissioned_at": NOW})),
    Asked("a merchant's API key", api_keys._ONE, (THING, ASHA),
          {"api_keys": API_KEY, "merchants": {"id": ASHA}},
          ({"api_keys.id": ANOTHER}, {"api_keys.merchant_id": CHANDRA}, {"merchants.id": CHANDRA})),
    Asked("API keys that are listed", api_keys._LISTED, (ASHA,),
          {"api_keys": API_KEY, "merchants": {"id": ASHA}},
          ({"api_keys.merchant_id": CHANDRA},), ({"api_keys.revoked_at": NOW},)),
    Asked("an API key that takes a place", f"SELECT FROM ({api_keys._IN_USE}) c (n) WHERE n = 1",
          (ASHA, NOW), {"api_keys": API_KEY},
          ({"api_keys.merchant_id": CHANDRA}, {"api_keys.revoked_at": NOW},
           {"api_keys.expires_at": NOW}), ({"api_keys.expires_at": None},)),
    Asked("an API key that is replaced", f"{api_keys._REPLACED} RETURNING id",
          (THING, ANOTHER, NOW), {"api_keys": API_KEY}, ({"api_keys.id": ANOTHER},)),
    Asked("an API key that is revoked", f"{api_keys._REVOKE} RETURNING id", (THING, NOW),
          {"api_keys": API_KEY}, ({"api_keys.id": ANOTHER},)),
    Asked("whoever invites works there", invitations._INVITER, (BORIS, ASHA),
          {"memberships": WORKS},
          ({"memberships.person_id": ANOTHER}, {"memberships.merchant_id": CHANDRA},
           {"memberships.ended_at": NOW})),
    Asked("whoever invites runs the installation", invitations._INVITING_ADMIN, (BORIS,),
          {"installation_admins": RUNS},
          ({"installation_admins.person_id": ANOTHER}, {"installation_admins.ended_at": NOW})),
    Asked("invitations of who leaves end", members._CLOSE_INVITATIONS, (BORIS, ASHA, NOW),
          {"invitations": {**INVITATION, "invited_by": BORIS}},
          (*OVER, {"invitations.merchant_id": CHANDRA},
           {"invitations.invited_by": ANOTHER})),
    Asked("invitations to run the installation end", members._CLOSE_INVITATIONS,
          (BORIS, None, NOW),
          {"invitations": {**INVITATION, "invited_by": BORIS, "merchant_id": None,
                           "role": INSTALLATION}},
          ({"invitations.merchant_id": ASHA, "invitations.role": "viewer"},)),
    Asked("where a person is reached", resets._REACHED, ("BORIS",),
          {"people": PERSON, "notice_settings": {"person_id": BORIS}},
          ({"people.login": "vera"}, {"people.disabled_at": NOW}),
          ({"notice_settings.person_id": ANOTHER}, {"people.login": "Boris"})),
    Asked("resets end", f"{resets._END_TOKENS} RETURNING id", (BORIS, NOW),
          {"password_resets": RESET},
          ({"password_resets.person_id": ANOTHER}, {"password_resets.used_at": NOW})),
    Asked("a session that is continued", sessions.REFRESH, (b"r",),
          {"refresh_tokens": {"hash": b"r"}}, ({"refresh_tokens.hash": b"s"},)),
    Asked("a new place", f"SELECT FROM ({sessions._IS_NEW_PLACE}) c (new) WHERE new",
          (BORIS, "10.0.0.0/24"), {"sessions": {**SESSION, "network": "10.0.1.0/24"}},
          ({"sessions.network": "10.0.0.0/24"}, {"sessions.network": ""},
           {"sessions.person_id": ANOTHER})),
    Asked("a line of the log", audit_log.READ, (ASHA, None, None, None, 9),
          {"audit_log": {"merchant_id": ASHA}}, ({"audit_log.merchant_id": CHANDRA},),
          ({"audit_log.person_id": BORIS},)),
    Asked("a line of the log of one person", audit_log.READ, (ASHA, None, BORIS, "left", 9),
          {"audit_log": {"merchant_id": ASHA, "person_id": BORIS, "action": "left"}},
          ({"audit_log.person_id": ANOTHER}, {"audit_log.action": "came"})),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def test_a_session_says_what_is_true_of_its_own_person_and_role(rows: Rows) -> None:
    await rows.put("people", **PERSON, name="Boris")
    await rows.put("people", id=ANOTHER, login="vera")
    await rows.put("merchants", id=ASHA, name="Asha", slug="asha", second_factor_required=True,
                   allowed_networks=["10.0.0.0/8"])  # fmt: skip
    await rows.put("merchants", id=CHANDRA, name="Chandra", slug="chandra")
    await rows.put("memberships", **{**WORKS, "role": "staff", "outlets": ["M01"]})
    await rows.put("memberships", **{**WORKS, "merchant_id": CHANDRA, "role": "admin"})
    await rows.put("memberships", **{**WORKS, "person_id": ANOTHER, "role": "admin"})
    await rows.put("installation_admins", **RUNS)
    await rows.put("sessions", **SESSION)

    async def said() -> dict[str, Any]:
        (row,) = await rows.conn.fetch(sessions.BY_ID, THING, NOW, INSTALLATION, IDLE)
        return dict(row)

    first = await said()
    assert (first["login"], first["name"], first["merchant_name"]) == ("boris", "Boris", "Asha")
    assert (first["role"], first["outlets"]) == ("staff", ["M01"])
    assert (first["second_factor_required"], first["has_second"]) == (True, False)
    assert first["allowed_networks"] == ["10.0.0.0/8"]
    for difference in ({"person_id": ANOTHER}, {"confirmed_at": None}, {"removed_at": NOW}):
        await rows.put("second_factors", **{**FACTOR, "id": UUID(int=len(str(difference)) + 50),
                                            **difference})  # fmt: skip
        assert not (await said())["has_second"], difference
        (person,) = await rows.conn.fetch(sign_in.BY_ID, BORIS)
        assert not person["has_second"], difference
    await rows.put("second_factors", **FACTOR)
    assert (await said())["has_second"]
    (person,) = await rows.conn.fetch(sign_in.BY_ID, BORIS)
    assert person["has_second"]
    await rows.conn.execute("UPDATE sessions SET for_merchant = NULL")
    of_installation = await said()
    assert (of_installation["role"], of_installation["outlets"]) == (INSTALLATION, [])
    assert of_installation["merchant_name"] is None


async def test_only_another_admin_who_works_and_may_sign_in_lets_the_last_one_go(
    rows: Rows,
) -> None:
    differences: Sequence[tuple[dict[str, Any], dict[str, Any]]] = (
        ({"merchant_id": CHANDRA}, {}), ({"role": "operator"}, {}), ({"ended_at": NOW}, {}),
        ({"person_id": BORIS}, {}), ({}, {"disabled_at": NOW}),
    )  # fmt: skip
    for works, person in ((({}), {}), *differences):
        await rows.conn.execute("BEGIN")
        await rows.put("people", **PERSON)
        await rows.put("people", **{"id": ANOTHER, "login": "vera", **person})
        await rows.put(
            "memberships",
            **{"person_id": ANOTHER, "merchant_id": ASHA, "role": "admin", **works},
        )
        others = await rows.conn.fetchval(members._OTHER_ADMINS, ASHA, BORIS)
        assert others == (0 if works or person else 1), (works, person)
        await rows.conn.execute("ROLLBACK")


async def test_lists_of_people_are_in_the_order_that_they_are_read_in(rows: Rows) -> None:
    """Logins without regard to case; sessions by when they were used; what is new below."""
    for number, login in enumerate(("Vera", "asha", "Boris")):
        person = UUID(int=100 - number)
        await rows.put("people", id=person, login=login, version=1, disabled_at=None)
        await rows.put("memberships", person_id=person, merchant_id=ASHA, role="viewer")
    colleagues = await rows.conn.fetch(members._COLLEAGUES, ASHA)
    assert [row["login"] for row in colleagues] == ["asha", "Boris", "Vera"]
    assert [row["login"] for row in await rows.conn.fetch(members._EVERYONE)] == [
        "asha", "Boris", "Vera",
    ]  # fmt: skip
    for number, age in ((31, 3), (33, 1), (32, 1)):
        used = NOW - age * MOMENT
        await rows.put("sessions", **{**SESSION, "id": UUID(int=number), "used_at": used,
                                      "person_id": UUID(int=100), "person_version": 1})  # fmt: skip
    places = await rows.conn.fetch(sessions._LISTED, UUID(int=100), NOW, IDLE)
    assert [row["id"].int for row in places] == [32, 33, 31]
    for number, age in ((41, 1), (43, 3), (42, 3)):
        made = {"id": UUID(int=number), "token_hash": bytes([number])}
        await rows.put("invitations", **{**INVITATION, **made, "created_at": NOW - age * MOMENT})
        await rows.put("second_factors", **{**FACTOR, "id": UUID(int=number),
                                            "created_at": NOW - age * MOMENT})  # fmt: skip
    waiting = await rows.conn.fetch(invitations._LISTED, NOW, ASHA)
    assert [row["id"].int for row in waiting] == [42, 43, 41]
    assert [row["id"].int for row in await rows.conn.fetch(factors._OF_PERSON, BORIS)] == [
        42, 43, 41,
    ]  # fmt: skip


async def test_grants_come_by_name_and_then_by_id(rows: Rows) -> None:
    for number, name in ((7, "Bazaar"), (6, "Bazaar"), (8, "Agra")):
        await rows.put("merchants", id=UUID(int=number), name=name, slug=f"m{number}")
        await rows.put("memberships", person_id=BORIS, merchant_id=UUID(int=number), role="viewer")
    await rows.put("installation_admins", person_id=BORIS)
    granted = await rows.conn.fetch(sign_in.GRANTS, BORIS, INSTALLATION)
    assert [row["merchant"] and row["merchant"].int for row in granted] == [8, 6, 7, None]


async def test_everyone_is_listed_with_what_they_are_now(rows: Rows) -> None:
    await rows.put("people", **PERSON)
    await rows.put("people", id=ANOTHER, login="vera", disabled_at=NOW)
    for merchant, slug in ((ASHA, "asha"), (CHANDRA, "chandra"), (HERS, "hers")):
        await rows.put("merchants", id=merchant, slug=slug)
    await rows.put("memberships", **{**WORKS, "merchant_id": CHANDRA, "role": "admin"})
    await rows.put("memberships", **WORKS)
    await rows.put("memberships", **{**WORKS, "merchant_id": HERS, "ended_at": NOW})
    await rows.put("installation_admins", **RUNS)
    await rows.put("installation_admins", person_id=ANOTHER, ended_at=NOW)
    others: Sequence[dict[str, Any]] = ({}, {}, {"confirmed_at": None}, {"removed_at": NOW})
    for number, difference in enumerate(others):
        more = {"kind": "passkey", "credential_id": bytes([number]), "public_key": b"p"}
        kept = {**FACTOR, "id": UUID(int=60 + number), **(more if number > 1 else {})}
        await rows.put("second_factors", **{**kept, **difference})
    for number, used in ((71, NOW - MOMENT), (72, NOW)):
        await rows.put("sessions", **{**SESSION, "id": UUID(int=number), "used_at": used})
    boris, vera = await rows.conn.fetch(members._EVERYONE)
    assert (boris["installation"], boris["roles"], boris["factors"], boris["used_at"]) == (
        True, ["asha operator", "chandra admin"], ["totp"], NOW,
    )  # fmt: skip
    assert (vera["installation"], vera["roles"], vera["factors"], vera["used_at"]) == (
        False, [], [], None,
    )  # fmt: skip
    assert (boris["disabled_at"], vera["disabled_at"]) == (None, NOW)


async def test_a_role_that_changes_or_comes_again_ends_the_sessions_of_before(rows: Rows) -> None:
    async def works() -> tuple[object, ...]:
        row = await rows.conn.fetchrow("SELECT role, outlets, version, ended_at FROM memberships")
        assert row is not None
        return tuple(row)

    await rows.put("memberships", **WORKS)
    joined = await rows.conn.execute(members._JOIN, BORIS, ASHA, "viewer", [], NOW)
    assert (joined, await works()) == ("INSERT 0 0", ("operator", [], 5, None))
    await rows.conn.execute(members._CHANGE, BORIS, ASHA, "staff", ["M01"], NOW)
    assert await works() == ("staff", ["M01"], 6, NOW)
    joined = await rows.conn.execute(members._JOIN, BORIS, ASHA, "viewer", [], NOW)
    assert (joined, await works()) == ("INSERT 0 1", ("viewer", [], 7, None))

    async def runs() -> tuple[object, ...]:
        row = await rows.conn.fetchrow("SELECT version, ended_at FROM installation_admins")
        assert row is not None
        return tuple(row)

    await rows.put("installation_admins", **RUNS)
    await rows.conn.execute(members._RUNS_AGAIN, BORIS, NOW)
    assert await runs() == (5, None)
    await rows.conn.execute(members._END_ALL, BORIS, NOW)
    assert await runs() == (6, NOW)
    await rows.conn.execute(members._RUNS, BORIS, NOW)
    assert await runs() == (6, NOW)
    await rows.conn.execute(members._RUNS_AGAIN, BORIS, NOW)
    assert await runs() == (7, None)


async def test_tries_are_counted_for_one_subject_and_anew_after_the_window(rows: Rows) -> None:
    async def count(subject: str, now: Any, since: Any) -> tuple[object, ...]:
        row = await rows.conn.fetchrow(limits.COUNT, subject, now, since)
        assert row is not None
        return tuple(row)

    before = NOW - timedelta(minutes=5)
    assert await count("boris", NOW, before) == (1, NOW)
    assert await count("vera", NOW, before) == (1, NOW)
    later = NOW + timedelta(minutes=5)
    assert await count("boris", later, NOW - MOMENT) == (2, NOW)
    assert await count("boris", later, NOW) == (1, later)
    assert await count("boris", later, NOW) == (2, later)
    assert await count("boris", later, NOW) == (3, later)
    await rows.conn.execute(limits._UNCOUNT, "boris", False)
    await rows.conn.execute(limits._GIVE_BACK, "boris")
    assert await count("boris", later, NOW) == (2, later)
    assert await count("vera", later, NOW - MOMENT) == (2, NOW)
    await rows.conn.execute(limits._UNCOUNT, "boris", True)
    assert await count("boris", later, NOW) == (1, later)
    for statement, values in ((limits._UNCOUNT, (False,)), (limits._GIVE_BACK, ())):
        for _ in range(3):
            await rows.conn.execute(statement, "boris", *values)
        assert await count("boris", later, NOW) == (1, later), "it never falls below nothing"


async def test_the_log_is_read_backwards_a_page_at_a_time(rows: Rows) -> None:
    await rows.put("people", **PERSON)
    for _ in range(4):
        await rows.put("audit_log", merchant_id=ASHA, person_id=BORIS)
    first = await rows.conn.fetch(audit_log.READ, ASHA, None, None, None, 2)
    assert [row["login"] for row in first] == ["boris", "boris"]
    then = await rows.conn.fetch(audit_log.READ, ASHA, first[-1]["seq"], None, None, 9)
    seqs = [row["seq"] for row in (*first, *then)]
    assert seqs == sorted(set(seqs), reverse=True)
    assert len(seqs) == 4
