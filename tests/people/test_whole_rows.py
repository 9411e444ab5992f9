"""Whole rows: what acts on people, keys and invitations leave behind, column by column, and what
calls of them answer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pyotp
import pytest

from coinslot.merchants.keys import SHOWN_CHARS
from coinslot.people import (
    api_keys,
    device_keys,
    factors,
    first_run,
    invitations,
    members,
    resets,
    sessions,
    sign_in,
)
from coinslot.people.api_keys import NewKey
from coinslot.people.audit_log import Actor
from coinslot.people.authentication import NotThereError, RuleError, SignInError
from coinslot.people.device_keys import DeviceKeyRequest
from coinslot.people.first_run import FirstAccount
from coinslot.people.invitations import Acceptance, Wanted
from coinslot.people.members import NewMember, Role, RoleChange
from coinslot.people.tokens import hashed
from tests.people.conftest import CHEAP, PASSWORD, Staffed, at
from tests.people.test_factors import now
from tests.people.test_members import nobody_runs_it

NEW = "gita@asha.example"
DAY = timedelta(days=1)


def asha(staffed: Staffed) -> Actor:
    return Actor(person=staffed.people["asha"], address="198.51.100.4", factors=("password",))


async def rows(staffed: Staffed, table: str, order: str = "id") -> list[dict[str, Any]]:
    async with staffed.stage.context.db.system_transaction() as conn:
        return [dict(row) for row in await conn.fetch(f"SELECT * FROM {table} ORDER BY {order}")]


class Log:
    """What is on record since it was last asked."""

    def __init__(self, staffed: Staffed) -> None:
        self.staffed, self.read = staffed, 0

    async def new(self) -> list[dict[str, Any]]:
        found = [one for one in await rows(self.staffed, "audit_log", "seq")
                 if one["seq"] > self.read]  # fmt: skip
        self.read = max([self.read, *(one["seq"] for one in found)])
        return [{name: value for name, value in one.items() if name != "seq"} for one in found]


def entry(staffed: Staffed, who: Actor, action: str, **more: Any) -> dict[str, Any]:
    return {
        "merchant_id": staffed.merchant, "person_id": who.person, "session_id": who.session,
        "factors": list(who.factors), "address": who.address, "action": action, "subject": "",
        "before": None, "after": None, "reason": "", "at": staffed.auth.now(), **more,
    }  # fmt: skip


def over(struct: Any, **more: Any) -> Mapping[str, Any]:
    return {**msgspec.structs.asdict(struct), **more}


async def works_here(staffed: Staffed, gita: UUID) -> None:
    """Whole rows of somebody who just took an invitation up."""
    (person,) = [one for one in await rows(staffed, "people") if one["id"] == gita]
    assert person == {
        **person, "login": NEW, "name": "", "created_at": staffed.auth.now(), "version": 1,
        "disabled_at": None,
    }  # fmt: skip
    assert CHEAP.verify(person["password_hash"], PASSWORD)
    (works,) = [
        one for one in await rows(staffed, "memberships", "person_id") if one["person_id"] == gita
    ]
    assert works == {
        **works, "merchant_id": staffed.merchant, "role": "staff", "outlets": ["M01"],
        "version": 1, "created_at": staffed.auth.now(), "ended_at": None,
    }  # fmt: skip


async def test_an_invitation_from_first_to_last(staffed: Staffed) -> None:
    who, log, began = asha(staffed), Log(staffed), staffed.auth.now()
    ends = began + timedelta(days=7)
    await log.new()
    wanted = Wanted(
        merchant=staffed.merchant, address=f" {NEW} ", role=Role(role="staff", outlets=("M01",))
    )
    made = await invitations.invite(staffed.auth, who, wanted)
    assert made.token is not None
    assert made.code is not None
    assert over(made, token=None, code=None) == {
        "id": made.id, "address": NEW, "role": "staff", "outlets": ("M01",), "token": None,
        "created_at": began, "expires_at": ends, "code": None, "mailed": False,
    }  # fmt: skip
    assert (len(made.code), made.code[4]) == (9, "-")
    told = {"role": "staff", "outlets": ["M01"]}
    assert await log.new() == [entry(staffed, who, "invited", subject=NEW, after=told)]
    (waits,) = await rows(staffed, "invitations")
    assert waits == {
        "id": made.id, "merchant_id": staffed.merchant, "address": NEW, "role": "staff",
        "outlets": ["M01"], "token_hash": hashed(made.token),
        "code_digest": waits["code_digest"], "invited_by": who.person, "created_at": began,
        "expires_at": ends, "accepted_at": None, "accepted_by": None, "revoked_at": None,
    }  # fmt: skip
    plain = msgspec.structs.replace(made, token=None, code=None)
    assert await invitations.waiting(staffed.auth, staffed.merchant) == [plain]
    assert await invitations.look(staffed.auth, made.token) == plain
    staffed.later(60)
    shown = Acceptance(login=f" {NEW.upper()} ", password=PASSWORD, code=made.code.lower())
    gita = await invitations.accept(staffed.auth, shown, at("198.51.100.9"))
    her = Actor(person=gita, address="198.51.100.9")
    assert await log.new() == [
        entry(staffed, her, "invitation.accepted", subject=NEW, after=told)
    ]  # fmt: skip
    (taken,) = await rows(staffed, "invitations")
    assert taken == {**waits, "accepted_at": staffed.auth.now(), "accepted_by": gita}
    await works_here(staffed, gita)
    assert await invitations.waiting(staffed.auth, staffed.merchant) == []
    assert await invitations.look(staffed.auth, made.token) is None
    assert not await invitations.revoke(staffed.auth, who, staffed.merchant, made.id)
    assert await log.new() == []


@pytest.mark.parametrize("age_s", [7 * 86400 - 1, 7 * 86400])
async def test_an_invitation_is_good_for_a_week(staffed: Staffed, age_s: int) -> None:
    wanted = Wanted(merchant=staffed.merchant, address=NEW, role=Role(role="viewer"))
    made = await invitations.invite(staffed.auth, asha(staffed), wanted)
    staffed.later(age_s)
    shown = Acceptance(login=NEW, password=PASSWORD, token=made.token or "")
    if age_s < 7 * 86400:
        await invitations.accept(staffed.auth, shown, at())
    else:
        with pytest.raises(SignInError, match="unknown, used, or too old"):
            await invitations.accept(staffed.auth, shown, at())


async def test_what_becomes_of_a_role_is_on_record_with_what_it_was(staffed: Staffed) -> None:
    who, log, db = asha(staffed), Log(staffed), staffed.auth.db
    vera = staffed.people["vera"]
    invited = Wanted(merchant=staffed.merchant, address=NEW, role=Role(role="viewer"))

    async def change(role: Role | None, reason: str = "") -> list[dict[str, Any]]:
        wanted = RoleChange(merchant=staffed.merchant, person=vera, role=role, reason=reason)
        await members.change_role(db, who, wanted, staffed.auth.now())
        return await log.new()

    def about(action: str, **more: Any) -> dict[str, Any]:
        return entry(staffed, who, action, subject=str(vera), **more)

    await log.new()
    viewer: dict[str, Any] = {"role": "viewer", "outlets": []}
    admin: dict[str, Any] = {"role": "admin", "outlets": []}
    staff = {"role": "staff", "outlets": ["M01"]}
    assert await change(Role(role="admin"), "helps") == [
        about("member.changed", before=viewer, after=admin, reason="helps")
    ]
    await invitations.invite(staffed.auth, Actor(person=vera, address="x"), invited)
    await log.new()
    assert await change(Role(role="staff", outlets=("M01",)), "moved") == [
        about("member.changed", before=admin, after=staff, reason="moved"),
        entry(staffed, who, "invitation.revoked", subject=NEW, reason="moved"),
    ]
    staffed.later(5)
    assert await change(None, "left") == [about("member.removed", before=staff, reason="left")]
    (ended,) = [
        one for one in await rows(staffed, "memberships", "person_id") if one["person_id"] == vera
    ]
    assert ended == {**ended, **staff, "version": 4, "ended_at": staffed.auth.now()}
    with pytest.raises(NotThereError):
        await change(None)
    wanted = RoleChange(
        merchant=staffed.merchant, person=staffed.people["asha"], role=Role(role="viewer")
    )
    with pytest.raises(RuleError, match="name another first"):
        await members.change_role(db, who, wanted, staffed.auth.now())


async def test_somebody_who_is_added_again_by_the_command_line_stays_as_they_are(
    staffed: Staffed,
) -> None:
    before = {table: await rows(staffed, table, "1, 2") for table in ("people", "memberships")}
    again = NewMember(login=" BORIS ", password="another cold cola", role="admin")
    db, when = staffed.auth.db, staffed.auth.now()
    await members.add_member(db, staffed.auth.passwords, staffed.merchant, again, when)
    assert {table: await rows(staffed, table, "1, 2") for table in before} == before
    fresh = NewMember(login="gopal", password="another cold cola", role="staff", outlets=("M01",))
    await members.add_member(db, staffed.auth.passwords, staffed.merchant, fresh, when)
    (gopal,) = [
        one for one in await members.colleagues(db, staffed.merchant) if one.login == "gopal"
    ]
    assert over(gopal, id=None) == {
        "id": None, "login": "gopal", "name": "", "role": "staff", "outlets": ("M01",),
        "since": when,
    }  # fmt: skip
    assert (await staffed.login("gopal", password="another cold cola")).status_code == 200
    await members.add_installation_admin(db, staffed.auth.passwords, again, when)
    await members.add_installation_admin(
        db, staffed.auth.passwords,
        NewMember(login="hari", password="another cold cola", role="installation"), when,
    )  # fmt: skip
    run = {one.login: one.roles for one in await members.everyone(db)}
    assert (run["boris"][0], run["hari"]) == (run["meera"][0], run["meera"])
    assert (await staffed.login("boris", password="another cold cola")).status_code == 401


async def test_the_first_account_has_a_login_that_nobody_has(staffed: Staffed, urls: Any) -> None:
    log = Log(staffed)
    assert not await first_run.is_open(staffed.auth)
    await nobody_runs_it(staffed, urls)
    assert await first_run.is_open(staffed.auth)
    printed = await first_run.offer(staffed.auth) or ""
    await log.new()
    for login, code in ((" ", "no_address"), (" BORIS ", "login_taken")):
        wanted = FirstAccount(token=printed, login=login, password=PASSWORD)
        with pytest.raises(RuleError) as refused:
            await first_run.make_first(staffed.auth, wanted, at())
        assert refused.value.code == code
    assert await log.new() == []
    wanted = FirstAccount(token=printed, login=" first ", password=PASSWORD)
    made = await first_run.make_first(staffed.auth, wanted, at("198.51.100.9"))
    her = Actor(person=made, address="198.51.100.9")
    assert await log.new() == [
        entry(staffed, her, "first_account", merchant_id=None, subject="first")
    ]


async def test_a_reset_is_on_record_whoever_asked_for_it(staffed: Staffed) -> None:
    who, log, boris = asha(staffed), Log(staffed), staffed.people["boris"]
    hour = timedelta(hours=1)
    await log.new()

    def offered(actor: Actor, *, drops: bool) -> dict[str, Any]:
        return entry(
            staffed, actor, "reset.offered", merchant_id=None, subject=str(boris),
            after={"drops_factors": drops},
        )  # fmt: skip

    first = await resets.offer(staffed.auth, who, boris, drops_factors=True)
    assert await log.new() == [offered(who, drops=True)]
    (kept,) = await rows(staffed, "password_resets")
    assert kept == {
        "id": kept["id"], "person_id": boris, "token_hash": hashed(first), "drops_factors": True,
        "created_at": staffed.auth.now(), "expires_at": staffed.auth.now() + hour, "used_at": None,
    }  # fmt: skip
    mailed = await resets._offer_by_mail(staffed.auth, boris)
    assert await log.new() == [offered(Actor(address="by mail"), drops=False)]
    (by_mail,) = [one for one in await rows(staffed, "password_resets") if one != kept]
    assert by_mail == {
        **kept, "id": by_mail["id"], "token_hash": hashed(mailed), "drops_factors": False,
    }  # fmt: skip
    staffed.later(5)
    await resets.reset(staffed.auth, first, "a colder masala cola", at("198.51.100.9"))
    assert await log.new() == [
        entry(staffed, Actor(person=boris, address="198.51.100.9"), "password.reset",
              merchant_id=None, subject=str(boris), after={"drops_factors": True}),
    ]  # fmt: skip
    used = {one["used_at"] for one in await rows(staffed, "password_resets")}
    assert used == {staffed.auth.now()}, "the other one too"


async def test_of_apps_that_wait_only_the_newest_can_be_confirmed(staffed: Staffed) -> None:
    attempt = sign_in.Attempt(login="boris", password=PASSWORD)
    opened = await sign_in.sign_in(staffed.auth, attempt, at(), kind="cookie")
    boris = await sessions.by_cookie(staffed.auth, opened.cookie, at())
    log = Log(staffed)
    older = await factors.begin_totp(staffed.auth, boris, "old phone")
    staffed.later(5)
    newer = await factors.begin_totp(staffed.auth, boris, "phone")
    first, second = await rows(staffed, "second_factors", "created_at")
    assert (first["id"], first["removed_at"]) == (older.id, staffed.auth.now())
    waits = {
        "id": newer.id, "person_id": boris.person, "kind": "totp", "name": "phone",
        "created_at": staffed.auth.now(), "confirmed_at": None, "removed_at": None,
        "last_step": 0,
    }  # fmt: skip
    assert {name: second[name] for name in waits} == waits
    with pytest.raises(NotThereError):
        await factors.confirm_totp(
            staffed.auth, boris, older.id, now(staffed, pyotp.TOTP(older.secret))
        )
    await log.new()
    app = pyotp.TOTP(newer.secret)
    codes = await factors.confirm_totp(staffed.auth, boris, newer.id, now(staffed, app))
    assert len(set(codes)) == 10
    _, counts = await rows(staffed, "second_factors", "created_at")
    step = int(staffed.auth.now().timestamp()) // 30
    assert counts == {**second, "confirmed_at": staffed.auth.now(), "last_step": step}
    assert await log.new() == [
        entry(staffed, boris.actor, "factor.added", merchant_id=None, subject=str(newer.id),
              after={"kind": "totp"}),
    ]  # fmt: skip


NAMED = ("payments:read", "events:read")


async def test_an_api_key_is_made_replaced_and_ended_with_its_name_scopes_and_life(
    staffed: Staffed,
) -> None:
    who, log, context = asha(staffed), Log(staffed), staffed.auth.context
    began, overlap = staffed.auth.now(), context.windows.span("api_key_overlap_s")
    await log.new()
    wish = NewKey(name="till", scopes=NAMED, live=False, lasts=30 * DAY)
    made = await api_keys.make(context, who, staffed.merchant, wish)
    assert over(made, key=None) == {"name": "till", "key": None, "old_until": None}
    begins = made.key[:SHOWN_CHARS]
    assert await log.new() == [
        entry(staffed, who, "api_key.made", subject=begins,
              after={"name": "till", "scopes": list(NAMED), "live": False}),
    ]  # fmt: skip
    key = (await api_keys.listed(context, staffed.merchant))[0]
    assert over(key) == {
        **over(key), "name": "till", "scopes": NAMED, "created_at": began,
        "expires_at": began + 30 * DAY, "revoked_at": None, "replaced_by": None, "begins": begins,
        "last_used_at": None,
    }  # fmt: skip
    staffed.later(DAY.total_seconds())
    newer = await api_keys.rotate(context, who, staffed.merchant, key.id)
    ends = staffed.auth.now() + overlap
    assert over(newer, key=None) == {"name": "till", "key": None, "old_until": ends}
    assert await log.new() == [
        entry(staffed, who, "api_key.rotated", subject=begins,
              after={"begins": newer.key[:SHOWN_CHARS]}),
    ]  # fmt: skip
    found = {one.begins: one for one in await api_keys.listed(context, staffed.merchant)}
    second = found[newer.key[:SHOWN_CHARS]]
    assert second == msgspec.structs.replace(
        key, id=second.id, begins=second.begins, created_at=staffed.auth.now(),
        expires_at=staffed.auth.now() + 30 * DAY,
    )  # fmt: skip
    assert found[begins] == msgspec.structs.replace(key, expires_at=ends, replaced_by=second.id)
    with pytest.raises(RuleError) as refused:
        await api_keys.rotate(context, who, staffed.merchant, key.id)
    assert refused.value.code == "key_replaced"
    await api_keys.revoke(context, who, staffed.merchant, key.id)
    assert await log.new() == [entry(staffed, who, "api_key.revoked", subject=begins)]
    staffed.later(1)
    await api_keys.revoke(context, who, staffed.merchant, key.id)
    assert await log.new() == [], "again changes nothing"
    with pytest.raises(NotThereError):
        await api_keys.rotate(context, who, staffed.merchant, key.id)
    with pytest.raises(NotThereError):
        await api_keys.revoke(context, who, staffed.chandra, key.id)


@pytest.mark.parametrize(
    ("lasts", "taken"),
    [(None, True), (timedelta(0), False), (timedelta(seconds=1), True), (3660 * DAY, True),
     (3660 * DAY + timedelta(seconds=1), False)],
)  # fmt: skip
async def test_an_api_key_is_good_for_ten_years_at_most(
    staffed: Staffed, lasts: timedelta | None, taken: bool
) -> None:
    wish = NewKey(name="till", scopes=NAMED, live=False, lasts=lasts)
    made = api_keys.make(staffed.auth.context, asha(staffed), staffed.merchant, wish)
    if taken:
        await made
        return
    with pytest.raises(RuleError) as refused:
        await made
    assert refused.value.code == "bad_expiry"


async def test_so_many_keys_of_a_merchant_and_of_a_machine_are_in_use_at_once(
    staffed: Staffed,
) -> None:
    context, who = staffed.auth.context, asha(staffed)
    wish = NewKey(name="till", scopes=NAMED, live=False, lasts=DAY)
    there = len(await api_keys.listed(context, staffed.merchant))
    for _ in range(100 - there):
        last = await api_keys.make(context, who, staffed.merchant, wish)
    refused = []
    for _ in range(2):
        with pytest.raises(RuleError) as one:
            await api_keys.make(context, who, staffed.merchant, wish)
        refused.append(one.value.code)
    found = {key.begins: key for key in await api_keys.listed(context, staffed.merchant)}
    with pytest.raises(RuleError):
        await api_keys.rotate(
            context, who, staffed.merchant, found[last.key[:SHOWN_CHARS]].id
        )  # fmt: skip
    staffed.later(DAY.total_seconds())  # they are over
    await api_keys.make(context, who, staffed.merchant, wish)
    for _ in range(20):
        key = await device_keys.register(
            staffed.auth, who, staffed.merchant, DeviceKeyRequest(machine="M01")
        )
    with pytest.raises(RuleError) as one:
        await device_keys.register(
            staffed.auth, who, staffed.merchant, DeviceKeyRequest(machine="M01")
        )
    assert [*refused, one.value.code] == ["too_many_keys"] * 3
    assert await device_keys.revoke(staffed.auth, who, staffed.merchant, key.id)
    await device_keys.register(staffed.auth, who, staffed.merchant, DeviceKeyRequest(machine="M01"))


GAUGE = DeviceKeyRequest(
    machine="M01", name="gauge", permissions=("telemetry:write", "config:read"), expires_in_s=86400
)
MAY = ("config:read", "telemetry:write")


async def test_a_key_of_a_device_is_made_with_its_name_rights_and_life(staffed: Staffed) -> None:
    who, log, auth = asha(staffed), Log(staffed), staffed.auth
    await log.new()
    made = await device_keys.register(auth, who, staffed.merchant, GAUGE)
    key = made.key or ""
    assert over(made) == {
        "id": made.id, "machine": "M01", "merchant": staffed.merchant, "name": "gauge",
        "begins": key[:7], "permissions": MAY, "created_at": auth.now(),
        "expires_at": auth.now() + DAY, "last_used_at": None, "revoked_at": None, "key": key,
    }  # fmt: skip
    assert key.startswith("dk_")
    plain = msgspec.structs.replace(made, key=None)
    assert await device_keys.listed(auth, staffed.merchant) == [plain]
    assert await device_keys.listed(auth, staffed.chandra) == []
    assert await log.new() == [
        entry(staffed, who, "device_key.made", subject="M01",
              after={"key": str(made.id), "permissions": list(MAY)}),
    ]  # fmt: skip
    (row,) = await rows(staffed, "device_api_keys")
    assert (row["hash"], row["made_by"], row["replaced_by"]) == (hashed(key), who.person, None)


async def test_a_token_of_a_device_says_whose_it_is_and_its_use_is_noted_once_a_minute(
    staffed: Staffed,
) -> None:
    auth, began = staffed.auth, staffed.auth.now()
    made = await device_keys.register(auth, asha(staffed), staffed.merchant, GAUGE)
    key = made.key or ""
    said = await device_keys.device_token(auth, key)
    assert said.expires_in == 600
    assert over(await device_keys.by_device_token(auth, said.access_token)) == {
        "key": made.id, "machine": "M01", "merchant": staffed.merchant,
        "permissions": frozenset(MAY), "expires_at": began + DAY,
    }  # fmt: skip
    used = []
    for later in (0, 60, 1):
        staffed.later(later)
        await device_keys.device_token(auth, key)
        (one,) = await device_keys.listed(auth, staffed.merchant)
        used.append((one.last_used_at or began) - began)
    assert used == [timedelta(0), timedelta(0), timedelta(seconds=61)]
    staffed.later(DAY.total_seconds() - 61 - 5)
    assert (await device_keys.device_token(auth, key)).expires_in == 5, "no longer than its key"
    staffed.later(5)
    with pytest.raises(SignInError):
        await device_keys.device_token(auth, key)


async def test_a_key_of_a_device_is_replaced_with_overlap_and_ended_once(staffed: Staffed) -> None:
    who, log, auth, began = asha(staffed), Log(staffed), staffed.auth, staffed.auth.now()
    made = await device_keys.register(auth, who, staffed.merchant, GAUGE)
    await log.new()
    staffed.later(61)
    rotated = await device_keys.rotate(auth, who, staffed.merchant, made.id)
    assert rotated is not None
    assert rotated == msgspec.structs.replace(
        made, id=rotated.id, begins=rotated.begins, key=rotated.key, created_at=auth.now(),
        expires_at=auth.now() + DAY,
    )  # fmt: skip
    assert await log.new() == [
        entry(staffed, who, "device_key.rotated", subject="M01", before={"key": str(made.id)},
              after={"key": str(rotated.id)}),
    ]  # fmt: skip
    (old,) = [one for one in await rows(staffed, "device_api_keys") if one["id"] == made.id]
    assert (old["replaced_by"], old["expires_at"]) == (rotated.id, began + DAY), "it ends before"
    assert await device_keys.rotate(auth, who, staffed.merchant, made.id) is None
    assert await device_keys.revoke(auth, who, staffed.merchant, rotated.id)
    assert await log.new() == [
        entry(staffed, who, "device_key.revoked", subject="M01", before={"key": str(rotated.id)}),
    ]  # fmt: skip
    assert not await device_keys.revoke(auth, who, staffed.merchant, rotated.id)
    assert await log.new() == []
