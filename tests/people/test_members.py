"""Who comes, who changes what they are, who goes; and the log that tells it."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from coinslot.people import first_run, invitations, resets
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.people.members import Role, RoleChange, change_role, colleagues
from coinslot.people.roles import INSTALLATION
from tests.people.conftest import HERE, PASSWORD, Staffed, code_of
from tests.people.test_factors import enrolled, now, strong

NEW = "gita@asha.example"


async def invited(staffed: Staffed, **more: Any) -> dict[str, Any]:
    body = {"address": NEW, "role": "operator", **more}
    made = await staffed.call(await staffed.token("asha"), "POST", "/people/invitations", body)
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = made.json()
    return shown


async def accept(staffed: Staffed, **shown: Any) -> httpx.Response:
    async with staffed.client() as client:
        body = {"login": NEW, "password": PASSWORD, **shown}
        return await client.post("/auth/invitations/accept", json=body)


async def test_an_invitation_is_taken_up_and_opens_what_it_said(staffed: Staffed) -> None:
    made = await invited(staffed)
    assert (await accept(staffed, token=made["token"])).status_code == 201
    shown = await staffed.call(await staffed.token(NEW), "GET", "/auth/profile")
    assert (shown.json()["role"], shown.json()["merchant"]) == ("operator", "Asha")
    again = await accept(staffed, token=made["token"])
    assert (again.status_code, code_of(again)) == (401, "invalid_invitation")


async def test_a_code_is_another_way_to_take_it_up(staffed: Staffed) -> None:
    made = await invited(staffed, role="staff", outlets=["M01"])
    typed = made["code"].lower().replace("-", " ")
    assert (await accept(staffed, code=typed)).status_code == 201
    shown = (await staffed.call(await staffed.token(NEW), "GET", "/auth/profile")).json()
    assert (shown["role"], shown["outlets"]) == ("staff", ["M01"])


async def test_codes_of_invitations_are_not_to_be_guessed(staffed: Staffed) -> None:
    made = await invited(staffed)
    tried = [await accept(staffed, code="AAAA-AAAA") for _ in range(10)]
    assert {code_of(one) for one in tried} == {"invalid_invitation"}
    answer = await accept(staffed, code=made["code"])
    assert (answer.status_code, code_of(answer)) == (429, "too_many_tries")
    assert (await accept(staffed, token=made["token"])).status_code == 201


async def test_looking_at_an_invitation_uses_nothing_up(staffed: Staffed) -> None:
    """Mail scanners open every link before the person does."""
    made = await invited(staffed)
    for _ in range(3):
        seen = await invitations.look(staffed.auth, made["token"])
        assert seen is not None
        assert (seen.address, seen.token, seen.code) == (NEW, None, None)
    assert (await accept(staffed, token=made["token"])).status_code == 201
    assert await invitations.look(staffed.auth, made["token"]) is None


async def test_a_forwarded_link_makes_no_account_under_another_address(staffed: Staffed) -> None:
    made = await invited(staffed)
    answer = await accept(staffed, token=made["token"], login="thief@elsewhere.example")
    assert (answer.status_code, code_of(answer)) == (422, "another_address")
    answer = await accept(staffed, code=made["code"], login="thief@elsewhere.example")
    assert code_of(answer) == "invalid_invitation"


async def test_someone_who_signs_in_already_shows_the_password_that_they_have(
    staffed: Staffed,
) -> None:
    made = await invited(staffed, address="chandra", role="viewer")
    wrong = await accept(staffed, token=made["token"], login="chandra", password="my own choice")
    assert (wrong.status_code, code_of(wrong)) == (401, "invalid_credentials")
    right = await accept(staffed, token=made["token"], login="chandra")
    assert right.status_code == 201
    assert code_of(await staffed.login("chandra")) == "merchant_required"


async def test_a_password_alone_takes_up_nothing_for_someone_with_an_app(
    staffed: Staffed,
) -> None:
    app, _ = await enrolled(staffed, "chandra")
    made = await invited(staffed, address="chandra", role="viewer")
    half = await accept(staffed, token=made["token"], login="chandra")
    assert (half.status_code, code_of(half)) == (401, "second_factor_required")
    both = await accept(
        staffed, token=made["token"], login="chandra", second_factor=now(staffed, app)
    )
    assert both.status_code == 201


async def test_of_two_who_accept_at_once_one_is_taken(staffed: Staffed) -> None:
    made = await invited(staffed)
    both = await asyncio.gather(*(accept(staffed, token=made["token"]) for _ in range(3)))
    assert sorted(one.status_code for one in both) in (
        [201, 401, 401],
        [201, 401, 422],
        [201, 422, 422],
    )
    async with staffed.stage.context.db.system_transaction() as conn:
        assert await conn.fetchval("SELECT count(*) FROM people WHERE login = $1", NEW) == 1
        assert await conn.fetchval(
            "SELECT count(*) FROM memberships m JOIN people p ON p.id = m.person_id"
            " WHERE p.login = $1", NEW,
        ) == 1  # fmt: skip


async def test_an_invitation_ends_when_it_is_old_or_taken_back(staffed: Staffed) -> None:
    old = await invited(staffed)
    staffed.later(7 * 86400)
    assert code_of(await accept(staffed, token=old["token"])) == "invalid_invitation"
    made, token = await invited(staffed), await staffed.token("asha")
    listed = (await staffed.call(token, "GET", "/people/invitations")).json()["data"]
    assert [(one["id"], one["token"], one["code"]) for one in listed] == [(made["id"], None, None)]
    path = f"/people/invitations/{made['id']}"
    assert (await staffed.call(token, "DELETE", path)).status_code == 204
    assert (await staffed.call(token, "DELETE", path)).status_code == 404
    assert code_of(await accept(staffed, token=made["token"])) == "invalid_invitation"


async def test_nothing_of_an_invitation_rests_as_it_is(staffed: Staffed) -> None:
    made = await invited(staffed)
    async with staffed.stage.context.db.system_transaction() as conn:
        row = await conn.fetchval("SELECT i::text FROM invitations i")
        log = await conn.fetchval("SELECT string_agg(l::text, ' ') FROM audit_log l")
    for secret in (made["token"], made["code"], made["code"].replace("-", "")):
        assert secret not in row + log


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"role": "staff"}, "outlets_of_staff"),
        ({"role": "viewer", "outlets": ["M01"]}, "outlets_of_staff"),
        ({"role": "staff", "outlets": ["C01"]}, "unknown_outlet"),
        ({"address": "  "}, "no_address"),
    ],
)
async def test_an_invitation_that_makes_no_sense_is_refused(
    staffed: Staffed, body: dict[str, Any], code: str
) -> None:
    wish = {"address": NEW, "role": "operator", **body}
    answer = await staffed.call(await staffed.token("asha"), "POST", "/people/invitations", wish)
    assert (answer.status_code, code_of(answer)) == (422, code)


async def test_an_invitation_does_not_change_the_role_of_who_works_here(staffed: Staffed) -> None:
    """The last admin could be made a viewer by it."""
    made = await invited(staffed, address="asha", role="viewer")
    answer = await accept(staffed, token=made["token"], login="asha")
    assert (answer.status_code, code_of(answer)) == (422, "already_member")
    shown = await staffed.call(await staffed.token("asha"), "GET", "/auth/profile")
    assert shown.json()["role"] == "admin"


async def test_an_admin_sees_changes_and_removes_people(staffed: Staffed) -> None:
    token = await staffed.token("asha")
    listed = (await staffed.call(token, "GET", "/people")).json()["data"]
    assert [(one["login"], one["role"]) for one in listed] == [
        ("asha", "admin"), ("boris", "operator"), ("ravi", "staff"), ("vera", "viewer"),
    ]  # fmt: skip
    path = f"/people/{staffed.people['boris']}"
    body = {"role": "staff", "outlets": ["M01"], "reason": "moved"}
    assert (await staffed.call(token, "PATCH", path, body)).status_code == 204
    assert (
        await staffed.call(token, "DELETE", f"/people/{staffed.people['vera']}")
    ).status_code == 204
    listed = (await staffed.call(token, "GET", "/people")).json()["data"]
    assert [(one["login"], one["role"]) for one in listed] == [
        ("asha", "admin"), ("boris", "staff"), ("ravi", "staff"),
    ]  # fmt: skip
    log = (await staffed.call(token, "GET", "/audit-log", None)).json()["data"]
    assert [one["action"] for one in log[:2]] == ["member.removed", "member.changed"]
    assert (log[1]["login"], log[1]["address"], log[1]["reason"]) == ("asha", HERE, "moved")
    assert log[1]["before"] == {"role": "operator", "outlets": []}
    assert log[1]["after"] == {"role": "staff", "outlets": ["M01"]}
    assert log[1]["factors"] == ["password"]


async def test_others_change_where_every_admin_is_locked_out(staffed: Staffed) -> None:
    db, now = staffed.stage.context.db, staffed.stage.context.now()
    assert staffed.stage.owner is not None
    await staffed.stage.owner.execute(
        "UPDATE people SET disabled_at = $2 WHERE id = $1", staffed.people["asha"], now
    )
    change = RoleChange(
        merchant=staffed.merchant, person=staffed.people["boris"],
        role=Role(role="viewer", outlets=()), reason="moved",
    )  # fmt: skip
    await change_role(db, COMMAND_LINE, change, now)
    listed = await colleagues(db, staffed.merchant)
    assert {one.login: one.role for one in listed}["boris"] == "viewer"


async def test_the_last_admin_stays(staffed: Staffed) -> None:
    token, path = await staffed.token("asha"), f"/people/{staffed.people['asha']}"
    for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
        answer = await staffed.call(token, method, path, body)
        assert (answer.status_code, code_of(answer)) == (422, "last_admin")
    boris = f"/people/{staffed.people['boris']}"
    assert (await staffed.call(token, "PATCH", boris, {"role": "admin"})).status_code == 204
    assert (await staffed.call(token, "DELETE", path)).status_code == 204


async def test_two_admins_who_dismiss_each_other_leave_one(staffed: Staffed) -> None:
    token = await staffed.token("asha")
    boris = f"/people/{staffed.people['boris']}"
    await staffed.call(token, "PATCH", boris, {"role": "admin"})
    other = await staffed.token("boris")
    both = await asyncio.gather(
        staffed.call(token, "DELETE", boris),
        staffed.call(other, "DELETE", f"/people/{staffed.people['asha']}"),
    )
    # The second one is either too late to be signed in, or the last.
    assert sorted(one.status_code for one in both) in ([204, 401], [204, 422])


async def test_the_log_goes_page_by_page(staffed: Staffed) -> None:
    token = await staffed.token("asha")
    for _ in range(3):
        await staffed.login("boris")
    page = (await staffed.call(token, "GET", "/audit-log?limit=2")).json()
    rest = (await staffed.call(token, "GET", f"/audit-log?before={page['next']}")).json()
    seqs = [one["seq"] for one in [*page["data"], *rest["data"]]]
    assert len(seqs) == 4
    assert seqs == sorted(seqs, reverse=True)
    mine = await staffed.call(token, "GET", f"/audit-log?person={staffed.people['boris']}")
    assert {one["login"] for one in mine.json()["data"]} == {"boris"}
    none = await staffed.call(token, "GET", "/audit-log?action=invited")
    assert none.json() == {"data": [], "next": None}


@pytest.mark.parametrize("verb", ["UPDATE audit_log SET reason = ''", "DELETE FROM audit_log",
                                  "TRUNCATE audit_log"])  # fmt: skip
async def test_the_log_is_never_rewritten(staffed: Staffed, verb: str) -> None:
    await staffed.login("boris")
    db = staffed.stage.context.db
    for opened in (
        db.system_transaction(),
        db.as_person(staffed.people["boris"], staffed.merchant),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with opened as conn:
                await conn.execute(verb)


async def set_rules(staffed: Staffed, token: str, **rules: Any) -> httpx.Response:
    body = {"second_factor_required": False, "allowed_networks": [], **rules}
    return await staffed.call(token, "PUT", "/people/security", body)


async def test_from_other_addresses_nobody_of_the_merchant_is_let_in(staffed: Staffed) -> None:
    token, away = await staffed.token("asha"), "198.51.100.9"
    boris = (await staffed.login("boris", away)).json()
    done = await set_rules(staffed, token, allowed_networks=["203.0.113.7", "2001:db8::/32"])
    assert done.json()["allowed_networks"] == ["203.0.113.7/32", "2001:db8::/32"]
    answer = await staffed.call(boris["access_token"], "GET", "/auth/profile", None, away)
    assert (answer.status_code, code_of(answer)) == (403, "address_not_allowed")
    answer = await staffed.login("boris", away)
    assert (answer.status_code, code_of(answer)) == (403, "address_not_allowed")
    assert (await staffed.login("boris", "2001:db8::7")).status_code == 200
    assert (await staffed.login("boris")).status_code == 200
    assert (await staffed.login("chandra", away)).status_code == 200
    assert (await set_rules(staffed, token)).status_code == 200
    assert (await staffed.login("boris", away)).status_code == 200


async def test_rules_do_not_lock_out_who_sets_them(staffed: Staffed) -> None:
    token = await staffed.token("asha")
    answer = await set_rules(staffed, token, allowed_networks=["10.0.0.0/8"])
    assert (answer.status_code, code_of(answer)) == (422, "locks_you_out")
    answer = await set_rules(staffed, token, second_factor_required=True)
    assert (answer.status_code, code_of(answer)) == (422, "locks_you_out")
    answer = await set_rules(staffed, token, allowed_networks=["everywhere"])
    assert (answer.status_code, code_of(answer)) == (422, "bad_network")
    app, _ = await enrolled(staffed, "asha")
    both = await strong(staffed, app, "asha")
    assert (await set_rules(staffed, both, second_factor_required=True)).status_code == 200
    shown = await staffed.call(await staffed.token("boris"), "GET", "/auth/profile")
    assert shown.json()["second_factor_missing"] is True
    refused = await staffed.call(await staffed.token("vera"), "GET", "/people")
    assert code_of(refused) == "second_factor_missing"


async def test_a_header_that_anyone_may_write_is_no_address(staffed: Staffed) -> None:
    await set_rules(staffed, await staffed.token("asha"), allowed_networks=[HERE])
    async with staffed.client("198.51.100.9") as client:
        body = {"login": "boris", "password": PASSWORD}
        for name in ("x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip"):
            answer = await client.post("/auth/login", json=body, headers={name: HERE})
            assert code_of(answer) == "address_not_allowed"


async def first(staffed: Staffed, token: str, login: str = "first") -> httpx.Response:
    async with staffed.client() as client:
        body = {"token": token, "login": login, "password": PASSWORD}
        return await client.post("/auth/first-run", json=body)


async def nobody_runs_it(staffed: Staffed, urls: Any) -> None:
    conn = await asyncpg.connect(urls.superuser)
    await conn.execute("DELETE FROM installation_admins")
    await conn.close()


async def test_the_first_account_is_made_once_with_the_token_that_was_printed(
    staffed: Staffed, urls: Any
) -> None:
    assert await first_run.offer(staffed.auth) is None  # Meera runs it
    await nobody_runs_it(staffed, urls)
    printed = [await first_run.offer(staffed.auth) for _ in range(2)]  # by two processes
    assert (await first(staffed, "guess")).status_code == 401
    assert code_of(await first(staffed, printed[0] or "", "asha")) == "login_taken"
    tried = await asyncio.gather(
        *(first(staffed, token or "", f"first{n}") for n, token in enumerate(printed * 2))
    )
    assert sorted(one.status_code for one in tried) == [201, 401, 401, 401]
    async with staffed.stage.context.db.system_transaction() as conn:
        assert await conn.fetchval("SELECT count(*) FROM installation_admins") == 1
    [made] = await staffed.log("first_account")
    shown = await staffed.call(await staffed.token(made["subject"]), "GET", "/auth/profile")
    assert (shown.json()["role"], shown.json()["tenantId"]) == (INSTALLATION, None)
    assert await first_run.offer(staffed.auth) is None
    assert (await first(staffed, printed[1] or "", "second")).status_code == 401


async def reset(staffed: Staffed, token: str, password: str) -> httpx.Response:
    async with staffed.client() as client:
        body = {"token": token, "password": password}
        return await client.post("/auth/password-reset", json=body)


async def test_a_reset_sets_a_password_once_and_ends_every_session(staffed: Staffed) -> None:
    token = await staffed.token("boris")
    old = await resets.offer(staffed.auth, COMMAND_LINE, staffed.people["boris"])
    made = await resets.offer(staffed.auth, COMMAND_LINE, staffed.people["boris"])
    assert (await reset(staffed, old, "ten bottles")).status_code == 401
    assert code_of(await reset(staffed, made, "short")) == "weak_password"
    assert (await reset(staffed, made, "ten bottles")).status_code == 204
    assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 401
    assert (await staffed.login("boris", password="ten bottles")).status_code == 200
    assert (await reset(staffed, made, "eleven bottles")).status_code == 401
    assert [one["person_id"] for one in await staffed.log("password.reset")] == [
        staffed.people["boris"]
    ]


async def test_a_new_password_ends_what_was_given_out_for_the_one_before(
    staffed: Staffed,
) -> None:
    made = await resets.offer(staffed.auth, COMMAND_LINE, staffed.people["boris"])
    token, body = await staffed.token("boris"), {"password": "ten bottles"}
    assert (await staffed.call(token, "POST", "/auth/password", body)).status_code == 200
    assert (await reset(staffed, made, "eleven bottles")).status_code == 401


async def test_of_two_who_reset_with_one_token_one_does(staffed: Staffed) -> None:
    made = await resets.offer(staffed.auth, COMMAND_LINE, staffed.people["boris"])
    both = await asyncio.gather(*(reset(staffed, made, f"bottles no {n}") for n in range(3)))
    assert sorted(one.status_code for one in both) == [204, 401, 401]


async def test_a_reset_ends_after_an_hour_and_keeps_second_factors_unless_it_drops_them(
    staffed: Staffed,
) -> None:
    await enrolled(staffed)
    late = await resets.offer(staffed.auth, COMMAND_LINE, staffed.people["boris"])
    staffed.later(3600)
    assert (await reset(staffed, late, "ten bottles")).status_code == 401
    plain = await resets.offer(staffed.auth, COMMAND_LINE, staffed.people["boris"])
    assert (await reset(staffed, plain, "ten bottles")).status_code == 204
    answer = await staffed.login("boris", password="ten bottles")
    assert code_of(answer) == "second_factor_required"
    lost = await resets.offer(
        staffed.auth, COMMAND_LINE, staffed.people["boris"], drops_factors=True
    )
    assert (await reset(staffed, lost, "ten bottles")).status_code == 204
    assert (await staffed.login("boris", password="ten bottles")).status_code == 200


async def test_an_invitation_to_run_the_installation_is_none_of_a_merchants(
    staffed: Staffed,
) -> None:
    wanted = invitations.Wanted(merchant=None, address=NEW, role=Role(role=INSTALLATION))
    made = await invitations.invite(staffed.auth, COMMAND_LINE, wanted)
    assert (await accept(staffed, token=made.token)).status_code == 201
    shown = await staffed.call(await staffed.token(NEW), "GET", "/auth/profile")
    assert shown.json()["role"] == INSTALLATION
    asha = await staffed.token("asha")
    assert (await staffed.call(asha, "GET", "/people/invitations")).json()["data"] == []


async def test_the_application_makes_nobody_an_admin_of_the_installation(staffed: Staffed) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with staffed.stage.context.db.as_person(staffed.people["boris"]) as conn:
            await conn.execute(
                "INSERT INTO installation_admins VALUES (the_person(), 1, now(), NULL)"
            )
