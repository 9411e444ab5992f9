"""Whole rows of mail about accounts, of a business that opens, of what a privacy page says, and of
whoever runs the installation."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from coinslot.people import business, invitations, members, privacy_settings, resets
from coinslot.people.audit_log import Actor
from coinslot.people.authentication import Client
from coinslot.people.business import NewBusiness
from coinslot.people.invitations import Wanted
from coinslot.people.limits import (
    Limit,
    TooOftenError,
    count,
    give_back,
    of_account,
    of_person,
    uncount,
)
from coinslot.people.members import Member, Person, Role, RoleChange
from coinslot.people.outbox import Letter, post, sealed_as
from coinslot.people.privacy_settings import Privacy
from tests.notices.telling import Told
from tests.people.authenticator import Authenticator
from tests.people.conftest import CHEAP, Staffed, at, refusal
from tests.people.test_letters import told as told
from tests.people.test_whole_proofs import HOME, kept, strong, with_app
from tests.people.test_whole_rows import Log, entry, rows
from tests.people.test_whole_sessions import member
from tests.web.serving import SITE

NEW, WEEK = "gita@shop.example", timedelta(days=7)
HOUR = timedelta(hours=1)
WAITS: dict[str, Any] = {
    "tries": 0, "outcome": None, "failure": None, "ended_at": None, "leased_until": None,
    "lease": 0, "permission": "", "link": "", "person_id": None, "sealed": None,
}  # fmt: skip


def invited_by(staffed: Staffed) -> Actor:
    return Actor(person=staffed.people["asha"])


@pytest.mark.parametrize("of_merchant", [True, False])
async def test_an_invitation_is_mailed_sealed_and_is_good_as_long_as_it(
    told: Told, of_merchant: bool
) -> None:
    staffed, context = told.staffed, told.context
    merchant = staffed.merchant if of_merchant else None
    role = Role(role="viewer") if of_merchant else Role(role="installation")
    who = invited_by(staffed) if of_merchant else Actor(person=staffed.people["meera"])
    wanted = Wanted(merchant=merchant, address=f" {NEW} ", role=role, language="ru")
    made = await invitations.invite(staffed.auth, who, wanted)
    assert made.mailed
    began = staffed.auth.now()
    (notice,) = await rows(staffed, "notices")
    name = "Asha" if of_merchant else "127.0.0.1"
    assert notice == {
        **WAITS, "id": notice["id"], "merchant_id": merchant, "purpose": "invitation",
        "channel": "email", "target": NEW, "dedup": notice["dedup"],
        "subject": f"Приглашение: {name}", "body": "", "sealed": notice["sealed"],
        "language": "ru", "created_at": began, "expires_at": began + WEEK, "due_at": began,
    }  # fmt: skip
    text = context.vault.open(notice["sealed"], sealed_as(notice["id"])).decode()
    above, link = text.split("\n\n")
    assert link == f"{SITE.base_url}/console/join?token={made.token}"
    assert name in above
    assert f"{began + WEEK:%Y-%m-%d %H:%M} UTC" in above


async def test_whoever_cannot_be_mailed_is_invited_all_the_same(told: Told) -> None:
    staffed = told.staffed
    for address in ("gita", f"<{NEW}>"):
        wanted = Wanted(merchant=staffed.merchant, address=address, role=Role(role="viewer"))
        made = await invitations.invite(staffed.auth, invited_by(staffed), wanted)
        assert (made.mailed, made.address) == (False, address)
    assert await rows(staffed, "notices") == []
    assert [one for one in await rows(staffed, "sign_in_tries", "1")
            if one["subject"].startswith("invite")] == []  # fmt: skip


async def test_a_reset_that_is_asked_for_waits_whoever_asks(told: Told) -> None:
    staffed, auth = told.staffed, told.staffed.auth
    began = auth.now()
    for login, target in ((" BORIS ", "BORIS"), ("  ", "-"), ("x" * 300, "x" * 254)):
        await resets.ask(auth, login, at(login), "hi")
        (notice,) = [one for one in await rows(staffed, "notices") if one["target"] == target]
        assert notice == {
            **WAITS, "id": notice["id"], "merchant_id": None, "purpose": "reset_asked",
            "channel": "email", "target": target, "dedup": notice["dedup"], "subject": "",
            "body": "", "language": "hi", "created_at": began, "expires_at": began + HOUR,
            "due_at": began,
        }  # fmt: skip
    asked = await rows(staffed, "sign_in_tries", "subject")
    assert sorted((one["subject"].split(":")[0], one["tries"]) for one in asked) == [
        *[("reset", 1)] * 3, *[("reset-from", 1)] * 3,  # a login that reads like a network is none
    ]  # fmt: skip
    assert len({one["dedup"] for one in await rows(staffed, "notices")}) == 3


@pytest.mark.parametrize(("by", "most"), [("login", 3), ("network", 20)])
async def test_a_reset_is_asked_for_so_often(told: Told, by: str, most: int) -> None:
    auth = told.staffed.auth

    async def asks(n: int) -> None:
        login, network = ("boris", f"10.0.0.{n}") if by == "login" else (f"b{n}", "10.0.0.1")
        client = Client(address="x", network=network)
        await resets.ask(auth, f" {login.upper()} " if n % 2 else login, client, "en")

    for n in range(most):
        await asks(n)
    with pytest.raises(TooOftenError) as refused:
        await asks(most)
    assert refused.value.retry_after_s == 900
    told.staffed.later(900)
    await asks(most)


async def test_the_mail_of_a_reset_goes_where_its_owner_reads(told: Told) -> None:
    staffed, auth = told.staffed, told.staffed.auth
    boris = staffed.people["boris"]
    async with auth.db.as_person(boris) as conn:
        await conn.execute("UPDATE people SET name = 'x' WHERE id = $1", boris)
        changed = await conn.execute(
            "UPDATE notice_settings SET address = 'b@shop.example', language = 'hi'"
            " WHERE person_id = $1",
            boris,
        )
        assert changed == "UPDATE 1"
    assert await resets.mail_for(auth, "nobody", "ru") is None
    found = await resets.mail_for(auth, " BORIS ", "ru")
    assert found is not None
    address, subject, text = found
    assert (address, subject) == ("b@shop.example", "नया पासवर्ड")
    above, link = text.split("\n\n")
    assert "boris" in above
    begins = f"{SITE.base_url}/console/reset?token="
    assert (link[: len(begins)], len(link) - len(begins)) == (begins, 43)
    (kept,) = await rows(staffed, "password_resets")
    assert (kept["person_id"], kept["drops_factors"]) == (boris, False)
    await resets.reset(auth, link[len(begins) :], "ten cold bottles", at())
    assert (await staffed.login("boris", password="ten cold bottles")).status_code == 200


async def test_a_notice_is_written_once_whole_and_due_when_it_is_said(staffed: Staffed) -> None:
    auth, boris = staffed.auth, staffed.people["boris"]
    now = auth.now()
    due = now + 2 * HOUR
    letter = Letter(
        purpose="p", channel="push", target="t", dedup="d", subject=" a\n b\x07 ", body="b\nc",
        link="/l", language="ru", merchant=staffed.merchant, person=boris, permission="money:read",
        due_at=due, life=HOUR,
    )  # fmt: skip
    plain = Letter(purpose="q", channel="email", target="u", dedup="e", subject="s", body="")
    async with auth.db.system_transaction() as conn:
        assert await post(conn, letter, now)
        assert not await post(conn, letter, now)
        assert await post(conn, plain, now, row=UUID(int=7), sealed=b"sealed")
    found = {one["dedup"]: one for one in await rows(staffed, "notices")}
    assert found["d"] == {
        **WAITS, "id": found["d"]["id"], "merchant_id": staffed.merchant, "person_id": boris,
        "purpose": "p", "channel": "push", "target": "t", "dedup": "d", "permission": "money:read",
        "subject": "a b", "body": "b\nc", "link": "/l", "language": "ru", "created_at": now,
        "expires_at": due + HOUR, "due_at": due,
    }  # fmt: skip
    assert found["e"] == {
        **WAITS, "id": UUID(int=7), "merchant_id": None, "purpose": "q", "channel": "email",
        "target": "u", "dedup": "e", "subject": "s", "body": "", "sealed": b"sealed",
        "language": "en", "created_at": now, "expires_at": now + timedelta(days=1), "due_at": now,
    }  # fmt: skip


async def test_tries_are_counted_for_each_subject_and_window(staffed: Staffed) -> None:
    context, began = staffed.auth.context, staffed.auth.now()
    one, day = Limit("pair:a", 2), Limit("day:a", 3, timedelta(days=1))

    async def tries() -> dict[str, tuple[int, float]]:
        return {row["subject"]: (row["tries"], (row["since"] - began).total_seconds())
                for row in await rows(staffed, "sign_in_tries", "1")}  # fmt: skip

    for n in (1, 2):
        await count(context, [one, day])
        assert await tries() == {"pair:a": (n, 0), "day:a": (n, 0)}
    staffed.later(0.5)
    with pytest.raises(TooOftenError) as refused:
        await count(context, [one, day])
    assert refused.value.retry_after_s == 900
    assert await tries() == {"pair:a": (3, 0), "day:a": (2, 0)}, "the wider one was not reached"
    await give_back(context, [one, day])
    assert await tries() == {"pair:a": (2, 0), "day:a": (1, 0)}
    await uncount(context, [one, day])
    assert await tries() == {"pair:a": (0, 0), "day:a": (0, 0)}
    await uncount(context, [day])
    await give_back(context, [one])
    assert await tries() == {"pair:a": (0, 0), "day:a": (0, 0)}
    staffed.later(899.5)
    await count(context, [one, day])
    assert await tries() == {"pair:a": (1, 900), "day:a": (1, 0)}


async def test_a_business_opens_once_with_its_first_admin_and_a_name_of_its_own(
    staffed: Staffed,
) -> None:
    auth, log = staffed.auth, Log(staffed)
    who = await member(staffed, "meera")

    def wanted(number: int, name: str) -> NewBusiness:
        return NewBusiness(id=UUID(int=number), name=name, contact="c@d", zone="Riga",
                           currency="EUR")  # fmt: skip

    before = {one["id"] for one in await rows(staffed, "merchants")}
    await log.new()
    assert not await business.is_wanted(auth)
    for number, name, slug in (
        (1, " Ünder  the Bridge! ", "under-the-bridge"), (2, "Кофе", "business"),
        (3, "a" * 39 + " b", "a" * 39),
    ):  # fmt: skip
        await business.open_business(auth, who, wanted(number, name))
        (made,) = [one for one in await rows(staffed, "merchants") if one["id"].int == number]
        told = {"id": UUID(int=number), "name": name, "slug": slug, "contact": "c@d",
                "zone": "Europe/Riga", "currency": "EUR", "created_at": auth.now()}  # fmt: skip
        assert made == {**made, **told}
        (works,) = [one for one in await rows(staffed, "memberships", "1")
                    if one["merchant_id"].int == number]  # fmt: skip
        assert works == {
            **works, "person_id": who.person, "role": "admin", "outlets": [], "version": 1,
            "created_at": auth.now(), "ended_at": None,
        }  # fmt: skip
        assert await log.new() == [
            entry(staffed, who.actor, "merchant.opened", merchant_id=UUID(int=number),
                  subject=slug, after={"name": name}),
        ]  # fmt: skip
    await business.open_business(auth, who, wanted(1, "Else"))
    assert await log.new() == []
    await business.open_business(auth, who, wanted(4, "Кофе"))
    added = {one["id"].int: one["slug"] for one in await rows(staffed, "merchants")
             if one["id"] not in before}  # fmt: skip
    assert added.keys() == {1, 2, 3, 4}
    assert (added[4][:9], len(added[4])) == ("business-", 13)
    assert added[4] == added[4].lower()
    stranger = await member(staffed, "vera")
    with pytest.raises(asyncpg.UniqueViolationError):
        await business.open_business(auth, stranger, wanted(1, "Mine"))


async def test_who_is_responsible_for_data_is_kept_for_its_merchant_and_on_record(
    staffed: Staffed,
) -> None:
    auth, log = staffed.auth, Log(staffed)
    asha, chandra = await member(staffed, "asha"), await member(staffed, "chandra")
    await log.new()

    async def saved(who: Any, said: Privacy) -> list[dict[str, Any]]:
        async with auth.db.as_merchant(who.merchant) as conn:
            await privacy_settings.save(conn, who, said, auth.now())
            assert await privacy_settings.read(conn) == said
        return await log.new()

    async with auth.db.as_merchant(staffed.merchant) as conn:
        assert await privacy_settings.read(conn) == Privacy()
    await saved(chandra, Privacy(controller="Hers"))
    for n in (1, 2):
        staffed.later(1)
        said = Privacy(controller=f"C{n}", address=f"a{n}", contact=f"c{n}", more=f"m{n}")
        assert await saved(asha, said) == [
            entry(staffed, asha.actor, "privacy.set",
                  after={"controller": f"C{n}", "contact": f"c{n}"}),
        ]  # fmt: skip
        (row,) = [one for one in await rows(staffed, "merchant_privacy", "1")
                  if one["merchant_id"] == staffed.merchant]  # fmt: skip
        assert row == {"merchant_id": staffed.merchant, "controller": f"C{n}", "address": f"a{n}",
                       "contact": f"c{n}", "more": f"m{n}", "updated_at": auth.now()}  # fmt: skip


async def test_whoever_runs_the_installation_stops_once_with_their_invitations(
    staffed: Staffed,
) -> None:
    auth, log, meera = staffed.auth, Log(staffed), staffed.people["meera"]
    who = Actor(person=meera, address="x")
    for merchant, address in ((None, "a@b"), (None, "c@d")):
        wanted = Wanted(merchant=merchant, address=address, role=Role(role="installation"))
        await invitations.invite(auth, who, wanted)
    boris, asha = staffed.people["boris"], invited_by(staffed)
    await invitations.invite(
        auth, asha, Wanted(merchant=staffed.merchant, address="e@f", role=Role(role="viewer"))
    )
    await log.new()
    assert not await members.stop_running(auth.db, asha, boris, auth.now())
    assert await log.new() == []
    assert await members.stop_running(auth.db, asha, meera, auth.now())
    said = await log.new()
    assert said[0] == entry(
        staffed, asha, "installation_admin.removed", merchant_id=None, subject=str(meera)
    )
    assert sorted(said[1:], key=lambda one: str(one["subject"])) == [
        entry(staffed, asha, "invitation.revoked", merchant_id=None, subject=one)
        for one in ("a@b", "c@d")
    ]  # fmt: skip
    assert not await members.stop_running(auth.db, asha, meera, auth.now())
    assert [one["address"] for one in await rows(staffed, "invitations")
            if one["revoked_at"] is None] == ["e@f"]  # fmt: skip
    async with auth.db.system_transaction() as conn:
        await members.run_installation(conn, meera, auth.now())
    (runs,) = await rows(staffed, "installation_admins", "1")
    assert (runs["person_id"], runs["version"], runs["ended_at"]) == (meera, 3, None)
    refused = await refusal(
        invitations.invite(auth, Actor(person=boris), Wanted(
            merchant=None, address="g@h", role=Role(role="installation")
        ))
    )  # fmt: skip
    assert refused.code == "forbidden"


@pytest.mark.parametrize(
    ("role", "outlets", "code"),
    [
        ("owner", (), "unknown_role"), ("staff", (), "outlets_of_staff"),
        ("viewer", ("M01",), "outlets_of_staff"), ("staff", ("M01", "C01"), "unknown_outlet"),
        ("staff", ("M99",), "unknown_outlet"),
    ],
)  # fmt: skip
async def test_a_role_fits_its_merchant_or_nothing_changes(
    staffed: Staffed, role: str, outlets: tuple[str, ...], code: str
) -> None:
    db, vera, wrong = staffed.auth.db, staffed.people["vera"], Role(role=role, outlets=outlets)
    before = await rows(staffed, "memberships", "person_id, merchant_id")
    wanted = RoleChange(merchant=staffed.merchant, person=vera, role=wrong)
    changing = members.change_role(db, invited_by(staffed), wanted, staffed.auth.now())
    assert (await refusal(changing)).code == code
    inviting = Wanted(merchant=staffed.merchant, address="a@b", role=wrong)
    invited = invitations.invite(staffed.auth, invited_by(staffed), inviting)
    assert (await refusal(invited)).code == code
    async with db.as_merchant(staffed.merchant) as conn:
        again = members.join(conn, vera, staffed.merchant, Role(role="admin"), staffed.auth.now())
        assert (await refusal(again)).code == "already_member"
    assert await rows(staffed, "memberships", "person_id, merchant_id") == before
    assert await rows(staffed, "invitations") == []


async def test_everyone_of_the_installation_is_listed_whole(staffed: Staffed) -> None:
    auth, who = staffed.auth, staffed.people
    boris = await member(staffed, "boris")
    await with_app(staffed, boris)
    await kept(staffed, strong(boris), Authenticator(HOME))
    began = auth.now() - timedelta(seconds=60)
    async with auth.db.as_person(who["vera"]) as conn:
        await conn.execute("UPDATE people SET disabled_at = now() WHERE id = $1", who["vera"])
    async with auth.db.as_merchant(staffed.chandra) as conn:
        await members.join(conn, who["meera"], staffed.chandra, Role(role="viewer"), auth.now())
    roles = {
        "asha": ("asha admin",), "boris": ("asha operator",), "chandra": ("chandra admin",),
        "dinesh": ("chandra operator",), "esha": ("chandra viewer",),
        "farid": ("chandra staff",), "meera": ("installation", "chandra viewer"),
        "ravi": ("asha staff",), "vera": ("asha viewer",),
    }  # fmt: skip
    assert await members.everyone(auth.db) == [
        Person(
            id=who[login], login=login, roles=said, disabled=login == "vera",
            second_factors=("passkey", "totp") if login == "boris" else (),
            used_at=began if login == "boris" else None,
        )
        for login, said in roles.items()
    ]  # fmt: skip
    assert await members.colleagues(auth.db, staffed.chandra) == [
        Member(id=who[login], login=login, name="", role=role, outlets=outlets, since=since)
        for login, role, outlets, since in (
            ("chandra", "admin", (), began), ("dinesh", "operator", (), began),
            ("esha", "viewer", (), began), ("farid", "staff", ("C01",), began),
            ("meera", "viewer", (), auth.now()),
        )
    ]  # fmt: skip
    assert await members.person_named(auth.db, " BORIS ") == who["boris"]
    assert await members.person_named(auth.db, "nobody") is None


def test_tries_are_counted_by_network_account_and_both(staffed: Staffed) -> None:
    context = staffed.auth.context

    def subjects(login: str, network: str) -> list[str]:
        found = of_account(context, login, network)
        assert [(one.subject.split(":")[0], one.most, one.window) for one in found] == [
            ("network", 60, None), ("pair", 10, None), ("account", 100, None),
        ]  # fmt: skip
        return [one.subject for one in found]

    here = subjects("boris", "n")
    assert subjects("  BORIS ", "n") == here
    for login, network, same in (("vera", "n", [True, False, False]),
                                 ("boris", "m", [False, False, True])):  # fmt: skip
        other = subjects(login, network)
        assert [one == this for one, this in zip(other, here, strict=True)] == same
    assert not any("boris" in one for one in here), "what was typed is not kept"
    person = staffed.people["boris"]
    assert of_person(context, person) == [Limit(f"pair:{person}", 10)]


@pytest.mark.parametrize("drops", [True, False])
async def test_a_reset_ends_factors_where_it_says_so_and_its_owner_is_told(
    staffed: Staffed, drops: bool
) -> None:
    auth, log, tables = staffed.auth, Log(staffed), ("second_factors", "recovery_codes", "people")
    boris, vera = await member(staffed, "boris"), await member(staffed, "vera")
    for who in (boris, vera):
        await with_app(staffed, who)
    secret = await resets.offer(
        auth, invited_by(staffed), boris.person, drops_factors=drops
    )  # fmt: skip
    before = {one: await rows(staffed, one, "1, 2") for one in tables}
    await log.new()
    staffed.later(5)
    await resets.reset(auth, secret, "ten cold bottles", at())
    hashed = [one["password_hash"] for one in await rows(staffed, "people")
              if one["id"] == boris.person]  # fmt: skip
    assert CHEAP.verify(hashed[0], "ten cold bottles")
    ended = {"second_factors": "removed_at", "recovery_codes": "used_at"}
    for table, was in before.items():
        for row in was:
            if table == "people" and row["id"] == boris.person:
                row |= {"version": row["version"] + 1, "password_hash": hashed[0]}
            elif drops and row.get("person_id") == boris.person:
                row[ended[table]] = auth.now()
    assert {one: await rows(staffed, one, "1, 2") for one in tables} == before
    told = await rows(staffed, "alerts")
    assert [(one["person_id"], one["kind"], one["data"], one["opened_at"]) for one in told] == [
        (boris.person, "factor_removed", {"kind": "all"}, auth.now()),
    ] * drops  # fmt: skip
    by = Actor(person=boris.person, address=at().address)
    assert await log.new() == [
        entry(staffed, by, "password.reset", merchant_id=None, subject=str(boris.person),
              after={"drops_factors": drops}),
    ]  # fmt: skip
    again = resets.reset(auth, secret, "nine cold bottles", at())
    assert (await refusal(again)).code == "invalid_token"
