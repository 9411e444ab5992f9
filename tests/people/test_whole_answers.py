"""Whole answers of the calls of people over HTTP: every field, that nothing keeps them, and how
long what is sent may be."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pyotp
import pytest

from coinslot.people import invitations, security
from coinslot.people.audit_log import Actor
from coinslot.people.members import Role
from coinslot.people.roles import PERMISSIONS
from coinslot.people.security import SecurityRules
from coinslot.people.tokens import hashed
from tests.people.authenticator import Authenticator
from tests.people.conftest import HERE, PASSWORD, Staffed, code_of, refusal
from tests.people.test_factors import now
from tests.people.test_sign_in import works_for_both
from tests.people.test_whole_proofs import HOME
from tests.people.test_whole_rows import Log, entry, rows
from tests.people.test_whole_sessions import aged, member

DAY = timedelta(days=1)


def when(moment: Any) -> str:
    return str(moment.isoformat()).replace("+00:00", "Z")


def told(answer: httpx.Response, status: int = 200) -> Any:
    """What is said; the answer is kept nowhere on its way."""
    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
    return answer.json()


async def test_who_and_where_one_is_signed_in_is_told_whole(staffed: Staffed) -> None:
    await aged(staffed, "boris")
    await works_for_both(staffed)
    first = told(await staffed.login("boris", merchant="chandra"))
    began = staffed.auth.now()
    staffed.later(61)
    opened = told(await staffed.login("ravi"))
    assert opened == {**opened, "expires_in": 600}
    assert opened.keys() == {"access_token", "refresh_token", "expires_in"}
    sid = jwt.decode(opened["access_token"], options={"verify_signature": False})["sid"]
    assert told(await staffed.call(opened["access_token"], "GET", "/auth/profile")) == {
        "sub": str(staffed.people["ravi"]), "tenantId": str(staffed.merchant), "role": "staff",
        "permissions": sorted(PERMISSIONS["staff"]), "sid": sid, "login": "ravi", "name": "",
        "merchant": "Asha", "outlets": ["M01"], "factors": ["password"],
        "second_factor_missing": False, "proved_at": when(staffed.auth.now()),
    }  # fmt: skip
    token = await staffed.token("boris", merchant="asha")
    profile = told(await staffed.call(token, "GET", "/auth/profile"))
    assert (profile["name"], profile["permissions"]) == (
        "B. Roy", sorted(PERMISSIONS["operator"]),
    )  # fmt: skip
    chandra = jwt.decode(first["access_token"], options={"verify_signature": False})["sid"]
    place = {"kind": "token", "address": HERE, "agent": "python-httpx/" + httpx.__version__}
    assert told(await staffed.call(token, "GET", "/auth/sessions")) == {
        "data": [
            {"id": profile["sid"], "merchant": str(staffed.merchant), **place, "current": True,
             "created_at": when(staffed.auth.now()), "used_at": when(staffed.auth.now())},
            {"id": chandra, "merchant": str(staffed.chandra), **place, "current": False,
             "created_at": when(began), "used_at": when(began)},
        ],
    }  # fmt: skip
    refreshed = await staffed.call("", "POST", "/auth/refresh",
                                   {"refresh_token": first["refresh_token"]})  # fmt: skip
    assert told(refreshed).keys() == opened.keys()


async def test_factors_are_told_and_made_whole(staffed: Staffed) -> None:
    token, began = await staffed.token("boris"), staffed.auth.now()
    begun = told(await staffed.call(token, "POST", "/auth/factors/totp", {"name": "phone"}), 201)
    app = pyotp.TOTP(begun["secret"])
    assert begun == {
        "id": begun["id"], "secret": app.secret,
        "uri": app.provisioning_uri(name="boris", issuer_name="127.0.0.1"),
    }  # fmt: skip
    path = f"/auth/factors/totp/{begun['id']}/confirm"
    made = told(await staffed.call(token, "POST", path, {"code": now(staffed, app)}))
    assert (made.keys(), len(set(made["recovery_codes"]))) == ({"recovery_codes"}, 10)
    staffed.later(60)
    strong = told(await staffed.login("boris", code=now(staffed, app)))["access_token"]
    asked = told(await staffed.call(strong, "POST", "/auth/factors/passkey"))
    assert asked.keys() == {"challenge", "passkey"}
    body = {"challenge": asked["challenge"], "name": "laptop",
            "passkey": Authenticator(HOME).create(asked["passkey"])}  # fmt: skip
    kept = await staffed.call(strong, "POST", "/auth/factors/passkey/confirm", body)
    assert told(kept) == {"recovery_codes": []}
    found = told(await staffed.call(strong, "GET", "/auth/factors"))
    at_once = when(staffed.auth.now())
    assert found == {
        "recovery_codes_left": 10,
        "factors": [
            {"id": begun["id"], "kind": "totp", "name": "phone", "created_at": when(began),
             "used_at": at_once},
            {"id": found["factors"][1]["id"], "kind": "passkey", "name": "laptop",
             "created_at": at_once, "used_at": None},
        ],
    }  # fmt: skip
    renewed = told(await staffed.call(strong, "POST", "/auth/recovery-codes"), 201)
    assert renewed["recovery_codes"] != made["recovery_codes"]
    again = told(
        await staffed.call(strong, "POST", "/auth/step-up", {"code": now(staffed, app, 30)})
    )
    assert again["expires_in"] == 600
    async with staffed.client() as client:
        question = told(await client.post("/auth/challenge"))
    assert question.keys() == {"challenge", "passkey"}


async def used(staffed: Staffed, key: str, key_id: str, ends: datetime) -> None:
    """A device's program takes a token with its key, and asks who it is."""
    async with staffed.client() as client:
        token = told(await client.post("/auth/device-token", json={"key": key}))
    assert token == {"access_token": token["access_token"], "expires_in": 600}
    claims = jwt.decode(token["access_token"], options={"verify_signature": False})
    since = int(staffed.auth.now().timestamp())
    assert claims == {
        "sub": "M01", "tenantId": str(staffed.merchant), "role": "device", "iat": since,
        "exp": since + 600, "sid": key_id,
        "permissions": ["config:read", "telemetry:write"],
    }  # fmt: skip
    profile = await staffed.call(token["access_token"], "GET", "/auth/device-profile")
    assert told(profile) == {
        "keyId": key_id, "machineId": "M01", "tenantId": str(staffed.merchant),
        "permissions": ["config:read", "telemetry:write"],
        "expiresAt": when(ends),
    }  # fmt: skip


async def test_keys_of_devices_are_told_whole_and_shown_once(staffed: Staffed) -> None:
    asha, began = await staffed.token("asha"), staffed.auth.now()
    body = {"machineId": "M01", "name": "gauge", "permissions": ["telemetry:write", "config:read"],
            "expiresInS": 7200}  # fmt: skip
    made = told(await staffed.call(asha, "POST", "/auth/register-machine", body), 201)
    key = made.pop("key")
    first = {
        "keyId": made["keyId"], "machineId": "M01", "tenantId": str(staffed.merchant),
        "name": "gauge", "begins": key[:7], "permissions": ["config:read", "telemetry:write"],
        "createdAt": when(began), "expiresAt": when(began + timedelta(hours=2)),
        "lastUsedAt": None, "revokedAt": None,
    }  # fmt: skip
    assert made == first
    staffed.later(5)
    await used(staffed, key, made["keyId"], began + timedelta(hours=2))
    rotated = told(
        await staffed.call(asha, "POST", f"/auth/device-keys/{made['keyId']}/rotate"), 201
    )
    newer = rotated.pop("key")
    assert newer not in ("", None, key)
    second = {
        **first, "keyId": rotated["keyId"], "begins": newer[:7],
        "createdAt": when(staffed.auth.now()),
        "expiresAt": when(staffed.auth.now() + timedelta(hours=2)),
    }  # fmt: skip
    assert rotated == second
    staffed.later(5)
    ended = await staffed.call(asha, "DELETE", f"/auth/device-keys/{rotated['keyId']}")
    assert ended.status_code == 204
    assert told(await staffed.call(asha, "GET", "/auth/device-keys")) == {
        "data": [
            {**second, "key": None, "revokedAt": when(staffed.auth.now())},
            {**first, "key": None, "lastUsedAt": when(began + timedelta(seconds=5))},
        ],
    }  # fmt: skip
    for path in (f"/auth/device-keys/{rotated['keyId']}", f"/auth/device-keys/{UUID(int=1)}"):
        assert (await staffed.call(asha, "DELETE", path)).status_code == 404
        assert (await staffed.call(asha, "POST", f"{path}/rotate")).status_code == 404


async def test_people_and_invitations_are_told_whole(staffed: Staffed) -> None:
    asha, began = await staffed.token("asha"), staffed.auth.now()

    def member(login: str, role: str, *outlets: str) -> dict[str, Any]:
        return {"id": str(staffed.people[login]), "login": login, "name": "", "role": role,
                "outlets": list(outlets), "since": when(began)}  # fmt: skip

    everyone = [
        member("asha", "admin"), member("boris", "operator"), member("ravi", "staff", "M01"),
        member("vera", "viewer"),
    ]  # fmt: skip
    assert told(await staffed.call(asha, "GET", "/people")) == {"data": everyone}
    path = f"/people/{staffed.people['vera']}"
    changed = {"role": "staff", "outlets": ["M01"], "reason": "moved"}
    assert (await staffed.call(asha, "PATCH", path, changed)).status_code == 204
    removed = await staffed.call(asha, "DELETE", f"/people/{staffed.people['boris']}")
    assert removed.status_code == 204
    found = told(await staffed.call(asha, "GET", "/people"))
    assert found == {"data": [everyone[0], everyone[2], member("vera", "staff", "M01")]}
    body = {"address": "gita@asha.example", "role": "staff", "outlets": ["M01"]}
    made = told(await staffed.call(asha, "POST", "/people/invitations", body), 201)
    waits = {
        "id": made["id"], **body, "created_at": when(began), "expires_at": when(began + 7 * DAY),
        "token": None, "code": None,
    }  # fmt: skip
    assert made == {**waits, "token": made["token"], "code": made["code"]}
    assert (len(made["token"]), len(made["code"])) == (43, 9)
    (row,) = await rows(staffed, "invitations")
    assert row["token_hash"] == hashed(made["token"])
    assert told(await staffed.call(asha, "GET", "/people/invitations")) == {"data": [waits]}
    async with staffed.client() as client:
        taken = told(await client.post("/auth/invitations/accept", json={
            "login": "gita@asha.example", "password": PASSWORD, "token": made["token"],
        }), 201)  # fmt: skip
    (gita,) = [one["id"] for one in await rows(staffed, "people") if "@" in one["login"]]
    assert taken == {"person": str(gita)}
    back = told(await staffed.call(asha, "POST", "/people/invitations", body | {
        "address": "hari@asha.example"
    }), 201)  # fmt: skip
    place = f"/people/invitations/{back['id']}"
    statuses = [(await staffed.call(asha, "DELETE", place)).status_code for _ in range(2)]
    assert statuses == [204, 404]
    assert told(await staffed.call(asha, "GET", "/people/invitations")) == {"data": []}


async def test_the_log_is_told_whole_and_says_whether_there_is_more(staffed: Staffed) -> None:
    asha, vera = await staffed.token("asha"), staffed.people["vera"]
    path = f"/people/{vera}"
    for role in ("admin", "viewer", "operator"):
        body = {"role": role, "reason": f"now {role}"}
        assert (await staffed.call(asha, "PATCH", path, body)).status_code == 204
    kept = [one for one in await rows(staffed, "audit_log", "seq DESC")
            if one["action"] == "member.changed"]  # fmt: skip
    lines = [
        {"seq": one["seq"], "at": when(staffed.auth.now()), "person": str(staffed.people["asha"]),
         "login": "asha", "session": str(one["session_id"]), "factors": ["password"],
         "address": HERE, "action": "member.changed", "subject": str(vera),
         "before": {"role": was, "outlets": []}, "after": {"role": role, "outlets": []},
         "reason": f"now {role}"}
        for one, was, role in zip(
            kept, ("viewer", "admin", "viewer"), ("operator", "viewer", "admin"), strict=True
        )
    ]  # fmt: skip
    asked = "/audit-log?action=member.changed"
    for limit, data, following in ((4, lines, None), (3, lines, lines[-1]["seq"]),
                                   (2, lines[:2], lines[1]["seq"])):  # fmt: skip
        found = told(await staffed.call(asha, "GET", f"{asked}&limit={limit}"))
        assert found == {"data": data, "next": following}
    older = await staffed.call(asha, "GET", f"{asked}&before={lines[1]['seq']}")
    assert told(older) == {"data": lines[2:], "next": None}
    nobody = await staffed.call(asha, "GET", f"{asked}&person={vera}")
    assert told(nobody) == {"data": [], "next": None}


async def test_rules_are_told_set_and_kept_whole(staffed: Staffed) -> None:
    asha = await staffed.token("asha")
    free = {"second_factor_required": False, "allowed_networks": []}
    assert told(await staffed.call(asha, "GET", "/people/security")) == free
    body = {"second_factor_required": False, "allowed_networks": [f"{HERE}/24", "10.0.0.1"]}
    kept = {"second_factor_required": False, "allowed_networks": ["203.0.113.0/24", "10.0.0.1/32"]}
    before = {one["id"]: one for one in await rows(staffed, "merchants")}
    assert told(await staffed.call(asha, "PUT", "/people/security", body)) == kept
    assert told(await staffed.call(asha, "GET", "/people/security")) == kept
    before[staffed.merchant] |= {"allowed_networks": kept["allowed_networks"]}
    assert {one["id"]: one for one in await rows(staffed, "merchants")} == before


async def test_of_two_who_set_rules_the_second_is_told_and_both_are_on_record(
    staffed: Staffed,
) -> None:
    db, log, merchant = staffed.auth.db, Log(staffed), staffed.merchant
    asha, nobody = await member(staffed, "asha"), SecurityRules()
    assert (nobody.second_factor_required, nobody.allowed_networks) == (False, ())
    here = SecurityRules(allowed_networks=(f"{asha.address}/32",))
    await log.new()

    async def sets(wanted: SecurityRules, seen: SecurityRules | None, **who: Any) -> SecurityRules:
        by = type(asha)(**{name: getattr(asha, name) for name in asha.__struct_fields__} | who)
        now = staffed.auth.now()
        return await security.set_rules(db, by, merchant, wanted, now, seen=seen)

    assert await sets(here, nobody) == here
    assert (await refusal(sets(nobody, nobody))).code == "stale_settings"
    both = SecurityRules(second_factor_required=True)
    assert (await refusal(sets(both, here))).code == "locks_you_out"
    away = SecurityRules(allowed_networks=("10.0.0.0/8",))
    assert (await refusal(sets(away, here))).code == "locks_you_out"
    assert await security.rules(db, merchant) == here
    assert await sets(both, None, factors=("passkey",)) == both
    assert await security.rules(db, merchant) == both
    assert await security.rules(db, staffed.chandra) == nobody
    plain = {"second_factor_required": False, "allowed_networks": []}
    said = [plain, {**plain, "allowed_networks": [f"{asha.address}/32"]},
            {**plain, "second_factor_required": True}]  # fmt: skip
    about = {"subject": str(merchant)}
    strong = Actor(person=asha.person, session=asha.session, factors=("passkey",),
                   address=asha.address)  # fmt: skip
    assert await log.new() == [
        entry(staffed, asha.actor, "security.changed", **about, before=said[0], after=said[1]),
        entry(staffed, strong, "security.changed", **about, before=said[1], after=said[2]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "field", "most", "whole"),
    [
        ("/auth/login", "login", 254, False),
        ("/auth/login", "password", 1024, None),
        ("/auth/login", "challenge", 4096, None),
        ("/auth/login", "code", 64, False),
        ("/auth/login", "merchant", 254, False),
        ("/auth/refresh", "refresh_token", 128, None),
        ("/auth/factors/totp", "name", 100, False),
        ("/auth/step-up", "code", 64, False),
        ("/auth/password-reset", "token", 4096, None),
        ("/auth/invitations/accept", "code", 32, None),
        ("/auth/device-token", "key", 128, None),
    ],
)
async def test_what_is_sent_is_so_long_at_most_and_has_no_zero_character(
    staffed: Staffed, path: str, field: str, most: int, whole: bool | None
) -> None:
    """`whole` None: nothing of it is ever written, so any character may stand in it."""
    token = await staffed.token("boris")
    needed: dict[str, dict[str, str]] = {
        "/auth/password-reset": {"token": "t", "password": "p"},
        "/auth/invitations/accept": {"login": "x", "password": "p"},
    }

    async def fits(value: str) -> bool:
        body = {**needed.get(path, {}), field: value}
        answer = await staffed.call(token, "POST", path, body)
        assert answer.status_code < 500
        return code_of(answer) != "bad_request" if answer.status_code >= 400 else True

    assert await fits("x" * most)
    assert not await fits("x" * (most + 1))
    assert await fits("x\0") is not (whole is False)


async def test_an_invitation_names_an_address(staffed: Staffed) -> None:
    who, role = Actor(person=staffed.people["asha"]), Role(role="viewer")
    wanted = invitations.Wanted(merchant=staffed.merchant, address="  ", role=role)
    assert (await refusal(invitations.invite(staffed.auth, who, wanted))).code == "no_address"
    assert await rows(staffed, "invitations") == []
