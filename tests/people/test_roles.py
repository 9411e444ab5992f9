"""Every route as every role, and as Chandra with Asha's ids. A new route fails here until it is
said who may call it."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from litestar.routes import HTTPRoute

from coinslot.people import invitations
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.people.device_keys import DeviceKeyRequest, register
from coinslot.people.members import Role
from coinslot.people.roles import INSTALLATION, PERMISSIONS, ROLES
from tests.people.conftest import Staffed
from tests.people.test_factors import enrolled
from tests.sales.test_order_refunds import paid_order

ADMIN, EVERYONE = {"admin"}, {*ROLES, INSTALLATION}
OPERATORS = {"admin", "operator"}
READERS = {*OPERATORS, "viewer"}
BOARD = {*OPERATORS, "staff"}
# Who may call a route, besides the ways in that are below.
WHO: Mapping[str, set[str]] = {
    "GET /auth/profile": EVERYONE,
    "POST /auth/logout": EVERYONE,
    "POST /auth/logout-everywhere": EVERYONE,
    "POST /auth/step-up": EVERYONE,
    "POST /auth/password": EVERYONE,
    "GET /auth/sessions": EVERYONE,
    "DELETE /auth/sessions/{session}": EVERYONE,
    "GET /auth/factors": EVERYONE,
    "POST /auth/factors/totp": EVERYONE,
    "POST /auth/factors/totp/{factor}/confirm": EVERYONE,
    "POST /auth/factors/passkey": EVERYONE,
    "POST /auth/factors/passkey/confirm": EVERYONE,
    "DELETE /auth/factors/{factor}": EVERYONE,
    "POST /auth/recovery-codes": EVERYONE,
    "GET /people": ADMIN,
    "PATCH /people/{person}": ADMIN,
    "DELETE /people/{person}": ADMIN,
    "POST /people/invitations": ADMIN,
    "GET /people/invitations": ADMIN,
    "DELETE /people/invitations/{invitation}": ADMIN,
    "GET /people/security": ADMIN,
    "PUT /people/security": ADMIN,
    "GET /audit-log": ADMIN,
    "POST /auth/register-machine": ADMIN,
    "GET /auth/device-keys": ADMIN,
    "POST /auth/device-keys/{key}/rotate": ADMIN,
    "DELETE /auth/device-keys/{key}": ADMIN,
    "POST /machines/onboard": OPERATORS,
    "GET /machines/{machine}/config": READERS,
    "PUT /machines/{machine}/config": OPERATORS,
    "GET /machines/{machine}/status": READERS,
    "POST /machines/{machine}/provision-device": ADMIN,
    "DELETE /machines/{machine}/decommission": OPERATORS,
    "GET /machines/{machine}/stock": READERS,
    "POST /machines/{machine}/refills": OPERATORS,
    "GET /machines/{machine}/health": READERS,
    "GET /machines/{machine}/logs": READERS,
    "POST /machines/{machine}/unlock": OPERATORS,
    "GET /machines/{machine}/dex": READERS,
    "POST /machines/{machine}/dex": OPERATORS,
    "GET /machines/near": READERS,
    "GET /templates": READERS,
    "PUT /templates/{template}": OPERATORS,
    "POST /templates/{template}/apply": OPERATORS,
    "GET /slots": READERS,
    "POST /slots/preview": OPERATORS,
    "POST /slots/apply": OPERATORS,
    "GET /picklists": READERS,
    "GET /routes": READERS,
    "PUT /routes/{route}": OPERATORS,
    "DELETE /routes/{route}": OPERATORS,
    "GET /firmware/keys": READERS,
    "POST /firmware/keys": ADMIN,
    "DELETE /firmware/keys/{key}": ADMIN,
    "GET /firmware": READERS,
    "POST /firmware": ADMIN,
    "GET /rollouts": READERS,
    "POST /rollouts": OPERATORS,
    "GET /rollouts/{rollout}": READERS,
    "POST /rollouts/{rollout}/start": ADMIN,
    "POST /rollouts/{rollout}/pause": OPERATORS,
    "POST /rollouts/{rollout}/resume": ADMIN,
    "POST /rollouts/{rollout}/abort": OPERATORS,
    "POST /rollouts/{rollout}/machines/{machine}/give-up": OPERATORS,
    "GET /orders": READERS,
    "GET /orders/{order}": READERS,
    "GET /orders/{order}/refunds": READERS,
    "POST /orders/{order}/refunds": OPERATORS,
    "GET /api/staff/orders": BOARD,
    "POST /api/staff/orders/{order}/status": BOARD,
    "POST /api/staff/orders/{order}/complete": BOARD,
}
# Of machines: a person's token is nobody there.
DEVICES = {"GET /auth/device-profile"}
# Whoever calls these has not signed in yet, or shows another secret.
ANYONE = {
    "POST /auth/login", "POST /auth/refresh", "POST /auth/challenge",
    "POST /auth/invitations/accept", "POST /auth/first-run", "POST /auth/password-reset",
    "POST /auth/device-token",
}  # fmt: skip
# Of a merchant's server: an API key, never a person's token.
BY_KEY = ("/payments", "/refunds", "/events", "/webhook_")
# Of customers, gateways, probes: they have no sign-in at all.
OPEN = ("/q", "/m/", "/pictures/", "/o/", "/health", "/metrics", "/webhooks/", "/docs",
        "/openapi.json", "/static/", "/schema", "/s/", "/api/stores/", "/api/checkout-session",
        "/v1/pay", "/.well-known/", "/callbacks/", "/printers/",
        "/wall/", "/driver/", "/firmware/downloads/")  # fmt: skip
LOGINS = {"admin": "asha", "operator": "boris", "viewer": "vera", "staff": "ravi",
          INSTALLATION: "meera"}  # fmt: skip


def routes(staffed: Staffed) -> Iterator[tuple[str, str]]:
    """Method and path of every route for programs; tests/console visits the pages for people."""
    for route in staffed.app.routes:
        if isinstance(route, HTTPRoute) and not route.path_format.startswith("/console"):
            for method in route.methods - {"OPTIONS", "HEAD"}:
                yield method, route.path_format


def is_open(path: str) -> bool:
    return path == "/" or path.startswith(OPEN)


def filled(path: str, ids: Mapping[str, Any] | None = None) -> str:
    """With ids in it: those that are given, else of nothing."""
    for name in ("session", "factor", "person", "invitation", "key", "payment", "refund",
                 "endpoint", "delivery", "event", "machine", "order", "rollout",
                 "route"):  # fmt: skip
        path = path.replace("{" + name + "}", str((ids or {}).get(name, uuid4())))
    return path


async def test_it_is_said_of_every_route_who_may_call_it(staffed: Staffed) -> None:
    unsaid = [
        f"{method} {path}"
        for method, path in routes(staffed)
        if f"{method} {path}" not in {*WHO, *DEVICES, *ANYONE}
        and not path.startswith(BY_KEY)
        and not is_open(path)
    ]
    assert unsaid == []
    there = {f"{method} {path}" for method, path in routes(staffed)}
    assert {*WHO, *DEVICES, *ANYONE} <= there


@pytest.mark.parametrize("role", [*ROLES, INSTALLATION])
async def test_a_role_may_call_what_is_said_and_nothing_else(staffed: Staffed, role: str) -> None:
    for method, path in routes(staffed):
        name = f"{method} {path}"
        if is_open(path) or name in ANYONE:
            continue
        token = await staffed.token(LOGINS[role])
        answer = await staffed.call(token, method, filled(path), {} if method != "GET" else None)
        if name in WHO:
            wanted = role in WHO[name]
            assert (answer.status_code != 403) is wanted, (name, role, answer.text)
            # A wrong code or password is 401 too, but never for want of a sign-in.
            assert answer.status_code != 401 or "invalid_token" not in answer.text, (name, role)
        else:
            assert answer.status_code == 401, (name, role, answer.text)


async def test_nobody_may_call_anything_that_needs_somebody(staffed: Staffed) -> None:
    async with staffed.client() as client:
        for method, path in routes(staffed):
            if is_open(path) or f"{method} {path}" in ANYONE:
                continue
            answer = await client.request(method, filled(path), json={})
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.headers["www-authenticate"] == "Bearer", (method, path)


async def test_what_changes_people_or_keys_needs_a_fresh_proof(staffed: Staffed) -> None:
    tokens = (await staffed.login("asha")).json()
    staffed.later(601)
    async with staffed.client() as client:
        body = {"refresh_token": tokens["refresh_token"]}
        token = (await client.post("/auth/refresh", json=body)).json()["access_token"]
    stale = set()
    for name in WHO:
        method, path = name.split()
        if path in ("/auth/logout", "/auth/logout-everywhere", "/auth/step-up"):
            continue
        answer = await staffed.call(token, method, filled(path), {} if method != "GET" else None)
        if "step_up_required" in answer.text:
            stale.add(name)
    assert stale == {
        "POST /auth/password", "POST /auth/factors/totp", "POST /auth/factors/passkey",
        "POST /auth/factors/passkey/confirm", "DELETE /auth/factors/{factor}",
        "POST /auth/recovery-codes", "PATCH /people/{person}", "DELETE /people/{person}",
        "POST /people/invitations", "DELETE /people/invitations/{invitation}",
        "PUT /people/security", "POST /auth/register-machine",
        "POST /auth/device-keys/{key}/rotate", "DELETE /auth/device-keys/{key}",
        "POST /machines/{machine}/provision-device", "POST /firmware/keys",
        "POST /rollouts/{rollout}/start", "POST /rollouts/{rollout}/resume",
    }  # fmt: skip


async def of_ashas(staffed: Staffed) -> dict[str, Any]:
    """Ids of everything that a route can name, of Asha's."""
    await enrolled(staffed, "asha")
    wanted = invitations.Wanted(
        merchant=staffed.merchant, address="gita@asha.example", role=Role(role="viewer")
    )
    invitation = await invitations.invite(staffed.auth, COMMAND_LINE, wanted)
    wish = DeviceKeyRequest(machine="M01")
    key = await register(staffed.auth, COMMAND_LINE, staffed.merchant, wish)
    token, route = await staffed.token("boris"), {"machines": ["M01"]}
    said = await staffed.call(token, "PUT", "/routes/North", route)
    assert said.status_code == 200
    async with staffed.stage.context.db.system_transaction() as conn:
        session = await conn.fetchval(
            "SELECT id FROM sessions WHERE person_id = $1", staffed.people["boris"]
        )
        factor = await conn.fetchval("SELECT id FROM second_factors")
    return {
        "person": staffed.people["boris"], "session": session, "factor": factor,
        "invitation": invitation.id, "key": key.id, "machine": "M01", "route": "North",
        "order": await paid_order(staffed.stage),
    }  # fmt: skip


async def rows_of_ashas(staffed: Staffed) -> dict[str, list[str]]:
    """Every row of Asha's merchant and of her people."""
    people = [staffed.people[one] for one in ("asha", "boris", "vera", "ravi")]
    found: dict[str, list[str]] = {}
    async with staffed.stage.context.db.system_transaction() as conn:
        for column, values in (("merchant_id", [staffed.merchant]), ("person_id", people)):
            tables = await conn.fetch(
                "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
                " AND a.attname = $1 AND NOT a.attisdropped ORDER BY 1",
                column,
            )
            for table in (row["relname"] for row in tables):
                rows = await conn.fetch(
                    f"SELECT t::text AS row FROM {table} t WHERE {column} = ANY ($1) ORDER BY 1",
                    values,
                )
                found[f"{table} by {column}"] = [row["row"] for row in rows]
    return found


@pytest.mark.parametrize("login", ["chandra", "dinesh", "esha", "farid", "meera"])
async def test_chandra_and_her_people_do_nothing_with_ashas_ids(
    staffed: Staffed, login: str
) -> None:
    """Her own rights are the widest that there are; what she names is not hers."""
    ids = await of_ashas(staffed)
    before = await rows_of_ashas(staffed)
    bodies: dict[str, Any] = {
        "PATCH /people/{person}": {"role": "viewer"},
        "POST /auth/register-machine": {"machineId": "M01"},
        "POST /people/invitations": {"address": "x", "role": "staff", "outlets": ["M01"]},
        "POST /auth/factors/totp/{factor}/confirm": {"code": "123456"},
        "PUT /machines/{machine}/config": {"name": "mine", "slots": []},
        "POST /machines/{machine}/provision-device": {},
        "POST /machines/{machine}/refills": {"slots": [{"slot": "A1", "before": 0, "after": 9}]},
        "POST /machines/{machine}/unlock": {"note": "mine"},
        "POST /machines/{machine}/dex": {"file": "ST*001*0001\r\nPA1*A1*1\r\n"},
        "PUT /routes/{route}": {"machines": ["M01"]},
        "PUT /templates/{template}": {"machine": "M01"},
        "POST /templates/{template}/apply": {"machines": ["M01"]},
        "POST /slots/preview": {"table": "machine,slot,par\nM01,A1,9\n"},
        "POST /slots/apply": {"table": "machine,slot,par\nM01,A1,9\n", "versions": {"M01": 1}},
        "POST /rollouts/{rollout}/resume": {},
        "POST /rollouts/{rollout}/abort": {},
        "POST /rollouts/{rollout}/machines/{machine}/give-up": {},
        "POST /orders/{order}/refunds": {"reason": "mine"},
        "POST /api/staff/orders/{order}/status": {"status": "PREPARING"},
        "POST /api/staff/orders/{order}/complete": {"code": "123456"},
    }
    for name in WHO:
        method, path = name.split()
        if "{" not in path and name not in bodies:
            continue
        token = await staffed.token(login)
        answer = await staffed.call(token, method, filled(path, ids), bodies.get(name))
        # 428: it was not said which version is to be changed, which is asked before anything else.
        assert answer.status_code in (403, 404, 422, 428), (name, answer.text)
    assert await rows_of_ashas(staffed) == before


async def test_what_chandra_reads_has_nothing_of_ashas(staffed: Staffed) -> None:
    ids = await of_ashas(staffed)
    secret_names = ["asha", "boris", "vera", "ravi", "gita", "M01", str(staffed.merchant),
                    *(str(one) for one in ids.values())]  # fmt: skip
    token = await staffed.token("chandra")
    for name in WHO:
        method, path = name.split()
        if method == "GET" and "{" not in path:
            asked = "?lat=18.5&lng=73.8" if path == "/machines/near" else ""
            answer = await staffed.call(token, method, path + asked)
            assert answer.status_code == 200
            assert not [one for one in secret_names if one in answer.text], name


async def test_asha_does_with_her_own_ids_what_chandra_could_not(staffed: Staffed) -> None:
    """Else the test above would prove nothing."""
    ids = await of_ashas(staffed)
    async with staffed.stage.context.db.as_person(staffed.people["asha"]) as conn:
        await conn.execute("UPDATE second_factors SET removed_at = now()")
    for name in ("PATCH /people/{person}", "DELETE /people/{person}",
                 "DELETE /people/invitations/{invitation}", "POST /auth/device-keys/{key}/rotate",
                 "DELETE /auth/device-keys/{key}"):  # fmt: skip
        method, path = name.split()
        body = {"role": "viewer"} if method == "PATCH" else None
        token = await staffed.token("asha")
        answer = await staffed.call(token, method, filled(path, ids), body)
        assert answer.status_code in (201, 204), (name, answer.text)


def test_no_role_has_less_than_the_one_below_it_and_the_installation_none_of_a_merchants() -> None:
    assert PERMISSIONS["viewer"] < PERMISSIONS["operator"] < PERMISSIONS["admin"]
    assert PERMISSIONS["staff"] < PERMISSIONS["operator"]
    assert not PERMISSIONS[INSTALLATION] & PERMISSIONS["admin"]
