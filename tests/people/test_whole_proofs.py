"""Whole rows and whole answers of what proves someone: passkeys, codes of apps, recovery codes, and
what is said to whoever showed too little."""

from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pyotp
import pytest

from coinslot.people import factors, passkeys, sign_in
from coinslot.people.audit_log import Actor
from coinslot.people.authentication import NotAllowedError, NotThereError
from coinslot.people.factors import Factor, Factors
from coinslot.people.passkeys import NewPasskey, Question, Shown
from coinslot.people.passwords import BusyError
from coinslot.people.sessions import Proof, SignedIn
from coinslot.people.sign_in import Attempt
from coinslot.people.tokens import Challenge
from tests.people.authenticator import Authenticator, b64
from tests.people.conftest import PASSWORD, Staffed, at, refusal
from tests.people.test_factors import now
from tests.people.test_guesses import FullPasswords
from tests.people.test_sign_in import works_for_both
from tests.people.test_whole_rows import Log, entry, rows
from tests.people.test_whole_sessions import THERE, all_sessions, member
from tests.web.serving import SITE

HOME = SITE.base_url
PREFERRED = {"residentKey": "preferred", "requireResidentKey": False,
             "userVerification": "preferred"}  # fmt: skip


async def kept(staffed: Staffed, who: SignedIn, key: Authenticator, name: str = "") -> list[str]:
    asked = await passkeys.begin(staffed.auth, who)
    answer = NewPasskey(challenge=asked.challenge, passkey=key.create(asked.passkey), name=name)
    return await passkeys.confirm(staffed.auth, who, answer)


async def with_app(staffed: Staffed, who: SignedIn) -> tuple[UUID, pyotp.TOTP, list[str]]:
    begun = await factors.begin_totp(staffed.auth, who, "phone")
    app = pyotp.TOTP(begun.secret)
    codes = await factors.confirm_totp(staffed.auth, who, begun.id, now(staffed, app))
    staffed.later(60)
    return begun.id, app, codes


def strong(who: SignedIn) -> SignedIn:
    return msgspec.structs.replace(who, factors=("passkey",))


def challenge_in(staffed: Staffed, text: object, purpose: str = passkeys.SIGN_IN) -> Challenge:
    found = staffed.auth.tokens.read_challenge(str(text), purpose, staffed.auth.now())
    assert found is not None
    return found


async def test_a_passkey_is_asked_for_and_kept_with_all_that_it_is(staffed: Staffed) -> None:
    auth, log = staffed.auth, Log(staffed)
    who = msgspec.structs.replace(await member(staffed, "boris"), name="B. Roy")
    key, began = Authenticator(HOME, signed=5), auth.now()
    await log.new()
    first = await passkeys.begin(auth, who)
    challenge = challenge_in(staffed, first.challenge, "enrol")
    ends = int(began.timestamp()) + 300
    assert challenge == Challenge(
        exp=ends, purpose="enrol", jti=challenge.jti, sub=who.person, version=0, factors=()
    )
    asked = {
        "rp": {"name": "127.0.0.1", "id": "127.0.0.1"},
        "user": {"id": b64(who.person.bytes), "name": "boris", "displayName": "B. Roy"},
        "challenge": b64(challenge.nonce), "pubKeyCredParams": first.passkey["pubKeyCredParams"],
        "timeout": 60000, "excludeCredentials": [], "authenticatorSelection": PREFERRED,
        "attestation": "none",
    }  # fmt: skip
    assert first.passkey == asked
    codes = await passkeys.confirm(
        auth, who, NewPasskey(challenge=first.challenge, passkey=key.create(first.passkey),
                              name="laptop"),
    )  # fmt: skip
    assert len(set(codes)) == 10
    (row,) = await rows(staffed, "second_factors")
    assert row == {
        "id": row["id"], "person_id": who.person, "kind": "passkey", "name": "laptop",
        "secret": None, "last_step": 0, "credential_id": key.credential,
        "public_key": row["public_key"], "sign_count": 5, "created_at": began,
        "confirmed_at": began, "used_at": None, "removed_at": None,
    }  # fmt: skip
    assert await rows(staffed, "used_challenges") == [
        {"id": challenge.jti, "person_id": who.person, "at": began}
    ]
    assert await log.new() == [
        entry(staffed, who.actor, "factor.added", merchant_id=None, subject=str(row["id"]),
              after={"kind": "passkey"}),
    ]  # fmt: skip
    nameless = msgspec.structs.replace(strong(who), name="")
    second = (await passkeys.begin(auth, nameless)).passkey
    assert second == {
        **asked, "challenge": second["challenge"],
        "user": {"id": b64(who.person.bytes), "name": "boris", "displayName": "boris"},
        "excludeCredentials": [{"id": b64(key.credential), "type": "public-key"}],
    }  # fmt: skip
    hers = await member(staffed, "vera")
    assert (await passkeys.begin(auth, hers)).passkey["excludeCredentials"] == []


async def test_a_passkey_is_kept_for_its_own_fresh_challenge_and_by_who_may_add_one(
    staffed: Staffed,
) -> None:
    auth = staffed.auth
    boris, vera = await member(staffed, "boris"), await member(staffed, "vera")

    async def sent(who: SignedIn, asked: Question, key: Authenticator) -> NotAllowedError:
        answer = NewPasskey(challenge=asked.challenge, passkey=key.create(asked.passkey))
        return await refusal(passkeys.confirm(auth, who, answer))

    hers = await passkeys.begin(auth, vera)
    assert (await sent(boris, hers, Authenticator(HOME))).code == "challenge_expired"
    mine = await passkeys.begin(auth, boris)
    to_sign_in = await passkeys.ask(auth, Proof(
        person=boris.person, version=1, factors=("password",), has_second=False
    ))  # fmt: skip
    of_another = msgspec.structs.replace(mine, challenge=to_sign_in.challenge)
    assert (await sent(boris, of_another, Authenticator(HOME))).code == "challenge_expired"
    key, later = Authenticator(HOME), await passkeys.begin(auth, boris)
    staffed.later(299)
    answer = NewPasskey(challenge=mine.challenge, passkey=key.create(mine.passkey))
    await passkeys.confirm(auth, boris, answer)
    before = [await rows(staffed, one, "1") for one in ("second_factors", "used_challenges")]
    assert [len(one) for one in before] == [1, 1]
    assert (await sent(boris, later, Authenticator(HOME))).code == "second_factor_needed"
    used = await sent(strong(boris), mine, Authenticator(HOME))
    assert (used.code, type(used).__name__) == ("challenge_expired", "SignInError")
    again = await passkeys.begin(auth, strong(boris))
    assert (await sent(strong(boris), again, key)).code == "bad_passkey"
    staffed.later(1)
    assert (await sent(strong(boris), later, Authenticator(HOME))).code == "challenge_expired"
    assert before == [
        await rows(staffed, one, "1") for one in ("second_factors", "used_challenges")
    ]


async def test_someone_has_ten_factors_at_most(staffed: Staffed) -> None:
    auth, who = staffed.auth, await member(staffed, "boris")
    assert len(await kept(staffed, who, Authenticator(HOME))) == 10
    refused = [
        (await refusal(call)).code
        for call in (passkeys.begin(auth, who), factors.begin_totp(auth, who, "phone"))
    ]  # fmt: skip
    for _ in range(8):
        assert await kept(staffed, strong(who), Authenticator(HOME)) == []
    begun = await factors.begin_totp(auth, strong(who), "phone")
    waiting = await passkeys.begin(auth, strong(who))
    await kept(staffed, strong(who), Authenticator(HOME))
    key = Authenticator(HOME)
    answer = NewPasskey(challenge=waiting.challenge, passkey=key.create(waiting.passkey))
    code = now(staffed, pyotp.TOTP(begun.secret))
    for call in (
        passkeys.begin(auth, strong(who)), passkeys.confirm(auth, strong(who), answer),
        factors.begin_totp(auth, strong(who), "phone"),
        factors.confirm_totp(auth, strong(who), begun.id, code),
    ):  # fmt: skip
        refused.append((await refusal(call)).code)
    assert refused == ["second_factor_needed"] * 2 + ["too_many_factors"] * 4
    assert len((await factors.listed(auth, who)).factors) == 10


async def test_a_passkey_that_answers_says_who_and_is_counted(staffed: Staffed) -> None:
    auth, keys, who = staffed.auth, {}, {}
    for login, verifies in (("boris", True), ("vera", False)):
        keys[login], who[login] = Authenticator(HOME, verifies=verifies), await member(
            staffed, login
        )  # fmt: skip
        await kept(staffed, who[login], keys[login])
    before = {one["credential_id"]: one for one in await rows(staffed, "second_factors")}
    staffed.later(7)
    for login, factor in (("boris", "passkey"), ("vera", "security_key")):
        asked = await passkeys.ask(auth, None)
        challenge = challenge_in(staffed, asked.challenge)
        assert challenge == Challenge(
            exp=int(auth.now().timestamp()) + 300, purpose="sign-in", jti=challenge.jti
        )
        assert asked.passkey == {
            "challenge": b64(challenge.nonce), "timeout": 60000, "rpId": "127.0.0.1",
            "allowCredentials": [], "userVerification": "required",
        }  # fmt: skip
        shown = await passkeys.check(auth, challenge, keys[login].answer(asked.passkey))
        assert shown == Shown(staffed.people[login], factor)
        before[keys[login].credential] |= {"sign_count": 1, "used_at": auth.now()}
    after = {one["credential_id"]: one for one in await rows(staffed, "second_factors")}
    assert after == before
    proof = Proof(person=staffed.people["vera"], version=7, factors=("password",), has_second=True)
    hers = await passkeys.ask(auth, proof)
    challenge = challenge_in(staffed, hers.challenge)
    assert (challenge.sub, challenge.version, challenge.factors) == (
        proof.person, 7, ("password",),
    )  # fmt: skip
    assert hers.passkey["allowCredentials"] == [
        {"id": b64(keys["vera"].credential), "type": "public-key"}
    ]
    answer = keys["boris"].answer(hers.passkey)
    assert (await refusal(passkeys.check(auth, challenge, answer))).code == "invalid_passkey"
    _, app, _ = await with_app(staffed, strong(who["boris"]))
    code = now(staffed, app)
    assert await factors.check_code(auth, staffed.people["boris"], code) == "totp", "behind a key"


async def test_whoever_shows_a_password_alone_is_told_what_else_to_show(staffed: Staffed) -> None:
    auth, who = staffed.auth, await member(staffed, "boris")
    key, attempt = Authenticator(HOME), Attempt(login="boris", password=PASSWORD)
    _, app, codes = await with_app(staffed, who)

    async def told(call: Awaitable[object]) -> tuple[Challenge, dict[str, Any]]:
        refused = await refusal(call)
        assert refused.code == "second_factor_required"
        details: dict[str, Any] = refused.details
        return challenge_in(staffed, details.pop("challenge")), details

    challenge, details = await told(sign_in.sign_in(auth, attempt, THERE))
    assert details == {"factors": ["recovery_code", "totp"], "passkey": None}
    assert challenge == Challenge(
        exp=int(auth.now().timestamp()) + 300, purpose="sign-in", jti=challenge.jti,
        sub=who.person, version=1, factors=("password",),
    )  # fmt: skip
    await kept(staffed, strong(who), key)
    challenge, details = await told(sign_in.verified(auth, attempt, THERE))
    options = {
        "challenge": b64(challenge.nonce), "timeout": 60000, "rpId": "127.0.0.1",
        "allowCredentials": [{"id": b64(key.credential), "type": "public-key"}],
        "userVerification": "preferred",
    }  # fmt: skip
    assert details == {"factors": ["passkey", "recovery_code", "totp"], "passkey": options}
    shown = msgspec.structs.replace(who, factors=("password", "totp"))
    challenge, details = await told(sign_in.step_up(auth, shown, Attempt(), THERE))
    assert (challenge.sub, challenge.factors) == (who.person, ())
    assert details["passkey"] == {
        **options, "challenge": b64(challenge.nonce), "userVerification": "required"
    }  # fmt: skip
    proof = await sign_in.verified(
        auth, Attempt(login="boris", password=PASSWORD, code=now(staffed, app)), THERE
    )
    assert proof == Proof(
        person=who.person, version=1, factors=("password", "totp"), has_second=True
    )
    made = await sign_in.step_up(auth, shown, Attempt(code=codes[0]), THERE)
    opened = (await all_sessions(staffed))[made.session]
    assert opened["factors"] == ["password", "totp", "recovery"]


async def test_a_code_that_nobody_asked_for_is_not_looked_at(staffed: Staffed) -> None:
    auth = staffed.auth
    await works_for_both(staffed)
    attempt = Attempt(login="boris", password=PASSWORD, code="000000")
    refused = await refusal(sign_in.sign_in(auth, attempt, THERE))
    assert refused.code == "merchant_required"
    details: dict[str, Any] = refused.details
    assert details["merchants"] == [
        {"id": staffed.merchant, "name": "Asha", "slug": "asha"},
        {"id": staffed.chandra, "name": "Chandra", "slug": "chandra"},
    ]
    challenge = challenge_in(staffed, details["challenge"])
    assert (challenge.sub, challenge.version, challenge.factors) == (
        staffed.people["boris"], 1, ("password",),
    )  # fmt: skip
    for named in ("nobody", "sha", str(UUID(int=1)), "installation"):
        wrong = Attempt(login="boris", password=PASSWORD, merchant=named)
        assert (await refusal(sign_in.sign_in(auth, wrong, THERE))).code == "merchant_required"
    again = Attempt(challenge=details["challenge"], code="000000", merchant=" CHANDRA ")
    made = await sign_in.sign_in(auth, again, THERE)
    opened = (await all_sessions(staffed))[made.session]
    assert (opened["for_merchant"], opened["factors"]) == (staffed.chandra, ["password"])
    assert [one["id"] for one in await rows(staffed, "used_challenges")] == [challenge.jti]
    by_id = Attempt(login="boris", password=PASSWORD, merchant=str(staffed.merchant))
    made = await sign_in.sign_in(auth, by_id, THERE)
    assert (await all_sessions(staffed))[made.session]["for_merchant"] == staffed.merchant


async def test_anothers_passkey_is_no_fresh_proof_and_opens_nothing(staffed: Staffed) -> None:
    auth, hers, mine = staffed.auth, Authenticator(HOME), Authenticator(HOME)
    who, vera = await member(staffed, "boris"), await member(staffed, "vera")
    await kept(staffed, vera, hers)
    await kept(staffed, who, mine)
    before = await all_sessions(staffed)

    async def attempt(key: Authenticator) -> Attempt:
        asked = await passkeys.ask(auth, None)
        return Attempt(challenge=asked.challenge, passkey=key.answer(asked.passkey))

    refused = await refusal(sign_in.step_up(auth, who, await attempt(hers), THERE))
    assert refused.code == "invalid_credentials"
    late = await attempt(mine)
    staffed.later(300)
    for call in (sign_in.step_up(auth, who, late, THERE), sign_in.sign_in(auth, late, THERE)):
        assert (await refusal(call)).code == "challenge_expired"
    async with auth.db.as_person(vera.person) as conn:
        await conn.execute("UPDATE people SET disabled_at = now() WHERE id = $1", vera.person)
    refused = await refusal(sign_in.sign_in(auth, await attempt(hers), THERE))
    assert refused.code == "invalid_credentials"
    assert await all_sessions(staffed) == before
    made = await sign_in.step_up(auth, who, await attempt(mine), THERE)
    assert (await all_sessions(staffed))[made.session]["factors"] == ["password", "passkey"]


async def test_an_app_is_kept_and_its_codes_and_those_for_recovery_are_used_once(
    staffed: Staffed,
) -> None:
    auth = staffed.auth
    who, vera = await member(staffed, "boris"), await member(staffed, "vera")
    began = auth.now()
    phone, app, codes = await with_app(staffed, who)
    await with_app(staffed, vera)
    mine = Factor(id=phone, kind="totp", name="phone", created_at=began, used_at=None)
    assert await factors.listed(auth, who) == Factors(factors=[mine], recovery_codes_left=10)
    before = {one["id"]: one for one in await rows(staffed, "second_factors")}
    spent = await rows(staffed, "recovery_codes", "digest")
    assert len(spent) == 20
    assert {(one["person_id"], one["created_at"], one["used_at"]) for one in spent} == {
        (who.person, began, None), (vera.person, began + timedelta(seconds=60), None),
    }  # fmt: skip
    assert all(len(one) == 19 and one[4::5] == "---" for one in codes)
    assert await factors.check_code(auth, who.person, now(staffed, app, 30)) == "totp"
    step = int(auth.now().timestamp()) // 30 + 1
    before[phone] |= {"last_step": step, "used_at": auth.now()}
    assert {one["id"]: one for one in await rows(staffed, "second_factors")} == before
    assert await factors.check_code(auth, who.person, codes[3].lower()) == "recovery"
    (used,) = [one for one in await rows(staffed, "recovery_codes", "1") if one["used_at"]]
    assert (used["person_id"], used["used_at"]) == (who.person, auth.now())
    assert await factors.listed(auth, who) == Factors(
        factors=[msgspec.structs.replace(mine, used_at=auth.now())], recovery_codes_left=9
    )
    for code in (codes[3], now(staffed, app, -30), now(staffed, app, 90), "", "1"):
        assert (await refusal(factors.check_code(auth, who.person, code))).code == "invalid_code"


async def test_a_factor_is_removed_by_its_owner_who_alone_is_told(staffed: Staffed) -> None:
    auth, log = staffed.auth, Log(staffed)
    who, vera = await member(staffed, "boris"), await member(staffed, "vera")
    phone, _, codes = await with_app(staffed, who)
    await with_app(staffed, vera)
    before = {one["id"]: one for one in await rows(staffed, "second_factors")}
    await log.new()
    with pytest.raises(NotThereError):
        await factors.remove(auth, vera, phone)
    assert await log.new() == []
    staffed.later(3)
    renewed = await factors.renew_recovery_codes(auth, who)
    assert (len(set(renewed)), len({*renewed, *codes})) == (10, 20)
    assert (await factors.listed(auth, who)).recovery_codes_left == 10
    assert await log.new() == [
        entry(staffed, who.actor, "recovery_codes.renewed", merchant_id=None)
    ]
    await kept(staffed, strong(who), Authenticator(HOME))
    await log.new()
    await factors.remove(auth, who, phone)
    assert (await factors.listed(auth, who)).recovery_codes_left == 10, "a passkey is left"
    before[phone] |= {"removed_at": auth.now()}
    after = {one["id"]: one for one in await rows(staffed, "second_factors")}
    (passkey,) = after.keys() - before.keys()
    after.pop(passkey)
    assert after == before
    kind = {"kind": "totp"}
    assert await log.new() == [
        entry(staffed, who.actor, "factor.removed", merchant_id=None, subject=str(phone),
              before=kind),
    ]  # fmt: skip
    (alert,) = await rows(staffed, "alerts")
    assert (alert["person_id"], alert["kind"], alert["data"], alert["opened_at"]) == (
        who.person, "factor_removed", kind, auth.now(),
    )  # fmt: skip
    with pytest.raises(NotThereError):
        await factors.remove(auth, who, phone)
    await factors.remove(auth, who, passkey)
    assert await factors.listed(auth, who) == Factors(factors=[], recovery_codes_left=0)
    assert (await factors.listed(auth, vera)).recovery_codes_left == 10
    assert (await refusal(factors.renew_recovery_codes(auth, who))).code == "no_such_factor"


async def test_an_app_that_waits_is_confirmed_by_its_owner_with_its_own_code(
    staffed: Staffed,
) -> None:
    auth = staffed.auth
    who, vera = await member(staffed, "boris"), await member(staffed, "vera")
    begun, hers = [await factors.begin_totp(auth, one, "phone") for one in (who, vera)]
    assert (begun.uri, len(begun.secret)) == (
        pyotp.TOTP(begun.secret).provisioning_uri(name="boris", issuer_name="127.0.0.1"), 32,
    )  # fmt: skip
    code = now(staffed, pyotp.TOTP(begun.secret))
    before = await rows(staffed, "second_factors")
    with pytest.raises(NotThereError):
        await factors.confirm_totp(auth, vera, begun.id, code)
    refused = await refusal(factors.confirm_totp(auth, vera, hers.id, code))
    assert refused.code == "invalid_code"
    assert await rows(staffed, "second_factors") == before
    tries = {one["subject"]: one["tries"] for one in await rows(staffed, "sign_in_tries", "1")}
    assert tries[f"pair:{vera.person}"] == 2
    assert f"pair:{who.person}" not in tries
    assert len(await factors.confirm_totp(auth, who, begun.id, f" {code[:3]} {code[3:]}")) == 10
    with pytest.raises(NotThereError):
        await factors.confirm_totp(auth, strong(who), begun.id, code)


async def test_tries_are_counted_before_and_forgotten_as_far_as_they_were_right(
    staffed: Staffed,
) -> None:
    auth, log = staffed.auth, Log(staffed)

    async def tried(login: str, password: str) -> list[tuple[str, int]]:
        with suppress(NotAllowedError, BusyError):
            await sign_in.verified(auth, Attempt(login=login, password=password), THERE)
        found = await rows(staffed, "sign_in_tries", "subject")
        return sorted((one["subject"].split(":")[0], one["tries"]) for one in found)

    async def noted(person: UUID | None) -> bool:
        by = Actor(person=person, address=THERE.address)
        return await log.new() == [entry(staffed, by, "sign_in.failed", merchant_id=None)]

    await log.new()
    wrong, boris = "cold masala tea", staffed.people["boris"]
    for n in (1, 2):
        assert await tried(" BORIS ", wrong) == [("account", n), ("network", n), ("pair", n)]
        assert await noted(boris)
    assert await tried("boris", PASSWORD) == [("account", 2), ("network", 2), ("pair", 0)]
    auth._passwords = FullPasswords()
    assert await tried("boris", PASSWORD) == [("account", 2), ("network", 2), ("pair", 0)]
    auth._passwords = None
    assert await log.new() == []
    more = [("account", 1), ("account", 2), ("network", 3), ("pair", 0), ("pair", 1)]
    assert await tried("nobody", PASSWORD) == more
    assert await noted(None)
    async with auth.db.as_person(boris) as conn:
        await conn.execute("UPDATE people SET disabled_at = now() WHERE id = $1", boris)
    assert await tried("boris", PASSWORD) == [
        ("account", 1), ("account", 3), ("network", 4), ("pair", 1), ("pair", 1),
    ]  # fmt: skip
    assert await noted(boris)
    since = {one["since"] for one in await rows(staffed, "sign_in_tries", "1")}
    assert since == {auth.now()}
    assert at().network not in {one["subject"] for one in await rows(staffed, "sign_in_tries", "1")}
