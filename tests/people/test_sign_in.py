"""Signing in: what it gives, and what it does not let through."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import jwt
import msgspec
import pytest
from argon2 import PasswordHasher

from coinslot.people import members, sign_in
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.people.authentication import Authentication, SignInError
from coinslot.people.limits import TooOftenError
from coinslot.people.passwords import BusyError, Passwords
from coinslot.people.tokens import Tokens, signing_key
from tests.people.conftest import HERE, PASSWORD, Staffed, at, code_of

ELSEWHERE = "198.51.100.9"


class CountingHasher(PasswordHasher):
    """Counts what is verified, and how many at once. As cheap as argon2 allows."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = self.running = self.most = 0

    def verify(self, *said: Any) -> Any:
        self.running += 1
        self.verified += 1
        self.most = max(self.most, self.running)
        try:
            return super().verify(*said)
        finally:
            self.running -= 1


async def test_a_login_gives_tokens_with_the_fields_that_were_agreed(staffed: Staffed) -> None:
    answer = await staffed.login("boris")
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "refresh_token", "expires_in"}
    assert answer.headers["cache-control"] == "no-store"
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert set(claims) == {"sub", "tenantId", "role", "permissions", "iat", "exp", "sid"}
    assert claims["sub"] == str(staffed.people["boris"])
    assert claims["tenantId"] == str(staffed.merchant)
    assert (claims["role"], claims["exp"] - claims["iat"]) == ("operator", 600)
    assert "refunds:write" in claims["permissions"]
    assert "people:write" not in claims["permissions"]


async def test_the_profile_says_who_is_signed_in(staffed: Staffed) -> None:
    answer = await staffed.call(await staffed.token("ravi"), "GET", "/auth/profile")
    shown = answer.json()
    assert (shown["login"], shown["role"], shown["outlets"]) == ("ravi", "staff", ["M01"])
    assert (shown["tenantId"], shown["merchant"]) == (str(staffed.merchant), "Asha")
    meera = await staffed.call(await staffed.token("meera"), "GET", "/auth/profile")
    assert (meera.json()["tenantId"], meera.json()["role"]) == (None, "installation")


async def test_a_login_has_no_case(staffed: Staffed) -> None:
    assert (await staffed.login(" BORIS ")).status_code == 200


async def test_a_wrong_password_and_an_unknown_login_are_answered_alike(staffed: Staffed) -> None:
    wrong = await staffed.login("boris", password="warm masala cola")
    unknown = await staffed.login("nobody", password="warm masala cola")
    told = []
    for answer in (wrong, unknown):
        body = answer.json()
        del body["error"]["timestamp"], body["error"]["requestId"]
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        told.append((answer.status_code, body, headers))
    assert told[0] == told[1]
    assert (wrong.status_code, code_of(wrong)) == (401, "invalid_credentials")


async def test_an_unknown_login_costs_as_many_hashes_as_a_known_one(staffed: Staffed) -> None:
    hasher = staffed.stage.context.hasher = CountingHasher()
    auth = Authentication(staffed.stage.context, "http://x")
    counts = []
    for login in ("boris", "nobody"):
        with pytest.raises(SignInError):
            await sign_in.sign_in(auth, sign_in.Attempt(login=login, password="wrong"), at())
        counts.append(hasher.verified)
    assert counts == [1, 2]


async def test_after_ten_wrong_passwords_the_right_one_is_not_checked_for_a_while(
    staffed: Staffed,
) -> None:
    for _ in range(10):
        assert (await staffed.login("boris", password="wrong")).status_code == 401
    answer = await staffed.login("boris")
    assert (answer.status_code, code_of(answer)) == (429, "too_many_tries")
    assert int(answer.headers["retry-after"]) == 900
    assert (await staffed.login("vera")).status_code == 200
    assert (await staffed.login("boris", ELSEWHERE)).status_code == 200
    staffed.later(901)
    assert (await staffed.login("boris")).status_code == 200


async def test_a_login_that_does_not_exist_is_limited_like_one_that_does(staffed: Staffed) -> None:
    said = []
    for login in ("nobody", "boris"):
        said.append([(await staffed.login(login, password="wrong")).status_code for _ in range(11)])
    assert said[0] == said[1] == [401] * 10 + [429]


async def test_right_passwords_do_not_count(staffed: Staffed) -> None:
    for _ in range(15):
        assert (await staffed.login("boris")).status_code == 200


async def test_guesses_that_come_at_once_are_counted_before_they_are_checked(
    staffed: Staffed,
) -> None:
    hasher = staffed.stage.context.hasher = CountingHasher()
    auth = Authentication(staffed.stage.context, "http://x")
    guesses = [
        sign_in.sign_in(auth, sign_in.Attempt(login="boris", password=f"guess {n}"), at())
        for n in range(30)
    ]
    ended = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(one, SignInError) for one in ended) == 10
    assert sum(isinstance(one, TooOftenError) for one in ended) == 20
    assert hasher.verified == 10


async def test_many_networks_together_cannot_guess_on_either(staffed: Staffed) -> None:
    auth = staffed.auth
    refused = 0
    for n in range(110):
        try:
            attempt = sign_in.Attempt(login="boris", password="wrong")
            await sign_in.sign_in(auth, attempt, at(f"10.0.0.{n}"))
        except TooOftenError:
            refused += 1
        except SignInError:
            pass
    assert refused == 10


async def test_what_a_blocked_network_goes_on_to_send_does_not_lock_the_account(
    staffed: Staffed,
) -> None:
    auth = staffed.auth
    for _ in range(200):
        attempt = sign_in.Attempt(login="boris", password="wrong")
        with pytest.raises((SignInError, TooOftenError)):
            await sign_in.sign_in(auth, attempt, at(ELSEWHERE))
    assert (await staffed.login("boris")).status_code == 200


async def test_few_passwords_are_hashed_at_once_and_few_wait() -> None:
    hasher = CountingHasher()
    slow = Passwords(PasswordHasher(time_cost=1, memory_cost=8192), waiting=8)
    tries = [slow.fits(None, "wrong") for _ in range(30)]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, BusyError) for one in ended) == 22
    assert not await slow.fits(None, "wrong")  # there is room again
    passwords = Passwords(hasher)
    await asyncio.gather(*(passwords.fits(None, "wrong") for _ in range(20)))
    assert (hasher.verified, hasher.most <= 2) == (20, True)


async def test_a_hash_of_older_parameters_is_replaced_at_the_next_sign_in(
    staffed: Staffed,
) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with staffed.stage.context.db.as_person(staffed.people["boris"]) as conn:
        await conn.execute("UPDATE people SET password_hash = $1 WHERE id = the_person()", old)
    token = await staffed.token("boris")
    async with staffed.stage.context.db.system_transaction() as conn:
        now = await conn.fetchval("SELECT password_hash FROM people WHERE login = 'boris'")
    assert now != old
    assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 200
    assert (await staffed.login("boris")).status_code == 200


async def works_for_both(staffed: Staffed) -> None:
    async with staffed.stage.context.db.as_merchant(staffed.chandra) as conn:
        role = members.Role(role="viewer")
        now = staffed.stage.clock.now()
        await members.join(conn, staffed.people["boris"], staffed.chandra, role, now)


async def test_someone_of_two_merchants_is_told_which_and_names_one(staffed: Staffed) -> None:
    await works_for_both(staffed)
    answer = await staffed.login("boris")
    assert (answer.status_code, code_of(answer)) == (422, "merchant_required")
    details = answer.json()["error"]["details"]
    assert [one["slug"] for one in details["merchants"]] == ["asha", "chandra"]
    async with staffed.client() as client:
        again = {"challenge": details["challenge"], "merchant": details["merchants"][1]["id"]}
        answer = await client.post("/auth/login", json=again)
        assert answer.status_code == 200
        claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
        assert (claims["tenantId"], claims["role"]) == (str(staffed.chandra), "viewer")
        replayed = await client.post("/auth/login", json=again)
        assert (replayed.status_code, code_of(replayed)) == (401, "challenge_expired")
    assert (await staffed.login("boris", merchant="asha")).status_code == 200


async def test_which_merchants_there_are_is_told_after_the_password_only(staffed: Staffed) -> None:
    await works_for_both(staffed)
    answer = await staffed.login("boris", password="wrong", merchant="chandra")
    assert code_of(answer) == "invalid_credentials"
    assert answer.json()["error"]["details"] == {}


async def test_someone_elses_merchant_is_not_to_be_had_by_naming_it(staffed: Staffed) -> None:
    answer = await staffed.login("boris", merchant="chandra")
    assert (answer.status_code, code_of(answer)) == (422, "merchant_required")
    assert [one["slug"] for one in answer.json()["error"]["details"]["merchants"]] == ["asha"]
    answer = await staffed.login("boris", merchant="installation")
    assert code_of(answer) == "merchant_required"


def forged(token: str, key: str, algorithm: str = "HS256", **change: Any) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode({**claims, **change}, key, algorithm=algorithm)


def unsigned(token: str, algorithm: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    return ".".join((head.decode().rstrip("="), token.split(".")[1], ""))


async def test_a_forged_token_lets_nobody_in(staffed: Staffed) -> None:
    token = await staffed.token("boris")
    key = staffed.stage.context.signing_key.reveal()
    other = str(staffed.people["asha"])
    head, body, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False})
    changed = base64.urlsafe_b64encode(json.dumps({**claims, "role": "admin"}).encode()).decode()
    forgeries = {
        "no algorithm": unsigned(token, "none"),
        "no signature": unsigned(token, "HS256"),
        "another key": forged(token, "k" * 40),
        "another algorithm": forged(token, key, "HS512"),
        "changed": f"{head}.{changed.rstrip('=')}.{signature}",
        "expired": forged(token, key, exp=claims["iat"]),
        "without an end": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, key),
        "someone else's": forged(token, key, sub=other),
        "another merchant's": forged(token, key, tenantId=str(staffed.chandra)),
        "of no session": forged(token, key, sid=other),
        "no text": "x", "half": f"{head}.{body}", "odd": "\xff", "empty": "",
    }  # fmt: skip
    for name, text in forgeries.items():
        async with staffed.client() as client:
            headers = [(b"authorization", b"Bearer " + text.encode("latin-1"))]
            answer = await client.get("/auth/profile", headers=headers)
        assert (answer.status_code, code_of(answer)) == (401, "invalid_token"), name
        assert answer.headers["www-authenticate"] == "Bearer"
    assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 200


async def test_a_token_says_nothing_that_the_session_does_not(staffed: Staffed) -> None:
    """Whoever has the key could write any role into a token: the row decides."""
    token = await staffed.token("vera")
    key = staffed.stage.context.signing_key.reveal()
    grander = forged(token, key, role="admin", permissions=["people:write"])
    shown = (await staffed.call(grander, "GET", "/auth/profile")).json()
    assert shown["role"] == "viewer"
    assert "people:write" not in shown["permissions"]


async def test_a_challenge_is_no_access_token(staffed: Staffed) -> None:
    await works_for_both(staffed)
    challenge = (await staffed.login("boris")).json()["error"]["details"]["challenge"]
    assert (await staffed.call(challenge, "GET", "/auth/profile")).status_code == 401


async def test_an_access_token_expires_after_ten_minutes(staffed: Staffed) -> None:
    token = await staffed.token("boris")
    staffed.later(599)
    assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 200
    staffed.later(1)
    assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 401


async def change(staffed: Staffed, person: str, role: members.Role | None) -> None:
    wanted = members.RoleChange(
        merchant=staffed.merchant, person=staffed.people[person], role=role, reason="test"
    )
    now = staffed.stage.clock.now()
    await members.change_role(staffed.stage.context.db, COMMAND_LINE, wanted, now)


@pytest.mark.parametrize("role", [members.Role(role="viewer"), None])
async def test_a_stale_role_is_worth_nothing_at_once(
    staffed: Staffed, role: members.Role | None
) -> None:
    answer = (await staffed.login("boris")).json()
    await change(staffed, "boris", role)
    assert (await staffed.call(answer["access_token"], "GET", "/auth/profile")).status_code == 401
    assert (await refreshed(staffed, answer["refresh_token"])).status_code == 401
    again = await staffed.login("boris")
    if role is None:
        assert (again.status_code, code_of(again)) == (403, "no_membership")
    else:
        shown = await staffed.call(again.json()["access_token"], "GET", "/auth/profile")
        assert shown.json()["role"] == "viewer"


async def test_who_comes_back_does_not_bring_old_sessions_along(staffed: Staffed) -> None:
    token = await staffed.token("boris")
    await change(staffed, "boris", None)
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        role, now = members.Role(role="operator"), staffed.stage.clock.now()
        await members.join(conn, staffed.people["boris"], staffed.merchant, role, now)
    assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 401


async def test_someone_who_was_disabled_is_told_what_a_stranger_is_told(staffed: Staffed) -> None:
    token = await staffed.token("boris")
    async with staffed.stage.context.db.as_person(staffed.people["boris"]) as conn:
        await conn.execute("UPDATE people SET disabled_at = now() WHERE id = the_person()")
    assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 401
    assert code_of(await staffed.login("boris")) == "invalid_credentials"


async def refreshed(staffed: Staffed, token: str) -> httpx.Response:
    async with staffed.client() as client:
        return await client.post("/auth/refresh", json={"refresh_token": token})


async def test_refresh_tokens_rotate(staffed: Staffed) -> None:
    first = (await staffed.login("boris")).json()
    second = (await refreshed(staffed, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await staffed.call(second["access_token"], "GET", "/auth/profile")).status_code == 200
    third = await refreshed(staffed, second["refresh_token"])
    assert third.status_code == 200


async def test_a_lost_answer_is_given_again_for_half_a_minute(staffed: Staffed) -> None:
    first = (await staffed.login("boris")).json()["refresh_token"]
    second = (await refreshed(staffed, first)).json()["refresh_token"]
    staffed.later(30)
    again = await refreshed(staffed, first)
    assert again.json()["refresh_token"] == second
    assert (await refreshed(staffed, second)).status_code == 200


async def test_a_token_that_was_used_long_ago_ends_its_whole_family(staffed: Staffed) -> None:
    """Of thief and owner one comes second, and both are signed out."""
    first = (await staffed.login("boris")).json()["refresh_token"]
    second = (await refreshed(staffed, first)).json()
    staffed.later(31)
    assert code_of(await refreshed(staffed, first)) == "invalid_token"
    assert (await refreshed(staffed, second["refresh_token"])).status_code == 401
    assert (await staffed.call(second["access_token"], "GET", "/auth/profile")).status_code == 401
    assert len(await staffed.log("refresh_token_reused")) == 1


async def test_of_refreshes_that_race_all_get_the_same_successor(staffed: Staffed) -> None:
    first = (await staffed.login("boris")).json()["refresh_token"]
    answers = await asyncio.gather(*(refreshed(staffed, first) for _ in range(8)))
    assert {one.status_code for one in answers} == {200}
    assert len({one.json()["refresh_token"] for one in answers}) == 1
    async with staffed.stage.context.db.system_transaction() as conn:
        assert await conn.fetchval("SELECT count(*) FROM refresh_tokens") == 2


async def test_a_refresh_token_is_no_access_token_and_nothing_else_is_one(
    staffed: Staffed,
) -> None:
    tokens = (await staffed.login("boris")).json()
    bad = await staffed.call(tokens["refresh_token"], "GET", "/auth/profile")
    assert bad.status_code == 401
    for other in (tokens["access_token"][:128], "x", ""):
        assert (await refreshed(staffed, other)).status_code == 401


async def test_signing_out_ends_both_tokens_and_no_other_session(staffed: Staffed) -> None:
    here, there = (await staffed.login("boris")).json(), (await staffed.login("boris")).json()
    assert (await staffed.call(here["access_token"], "POST", "/auth/logout")).status_code == 204
    assert (await staffed.call(here["access_token"], "GET", "/auth/profile")).status_code == 401
    assert (await refreshed(staffed, here["refresh_token"])).status_code == 401
    assert (await staffed.call(there["access_token"], "GET", "/auth/profile")).status_code == 200


async def test_signing_out_everywhere_ends_all_of_ones_own(staffed: Staffed) -> None:
    tokens = [await staffed.token("boris") for _ in range(3)]
    vera = await staffed.token("vera")
    done = await staffed.call(tokens[0], "POST", "/auth/logout-everywhere")
    assert done.status_code == 204
    for token in tokens:
        assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 401
    assert (await staffed.call(vera, "GET", "/auth/profile")).status_code == 200


async def test_one_sees_where_one_is_signed_in_and_ends_one_place(staffed: Staffed) -> None:
    here, there = await staffed.token("boris"), await staffed.token("boris")
    places = (await staffed.call(here, "GET", "/auth/sessions")).json()["data"]
    assert [one["address"] for one in places] == [HERE, HERE]
    [other] = [one["id"] for one in places if not one["current"]]
    assert (await staffed.call(here, "DELETE", f"/auth/sessions/{other}")).status_code == 204
    assert (await staffed.call(there, "GET", "/auth/profile")).status_code == 401
    assert (await staffed.call(here, "DELETE", f"/auth/sessions/{other}")).status_code == 404


async def test_chandra_ends_no_session_of_ashas(staffed: Staffed) -> None:
    asha, chandra = await staffed.token("asha"), await staffed.token("chandra")
    places = (await staffed.call(asha, "GET", "/auth/sessions")).json()["data"]
    path = f"/auth/sessions/{places[0]['id']}"
    assert (await staffed.call(chandra, "DELETE", path)).status_code == 404
    assert (await staffed.call(asha, "GET", "/auth/profile")).status_code == 200


async def test_a_session_that_nobody_uses_ends_and_so_does_any_session(staffed: Staffed) -> None:
    day = timedelta(days=1).total_seconds()
    token = (await staffed.login("boris")).json()["refresh_token"]
    for _ in range(8):  # used every ten days, it lives for ninety
        staffed.later(10 * day)
        answer = await refreshed(staffed, token)
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]
    staffed.later(10 * day)
    assert (await refreshed(staffed, token)).status_code == 401
    idle = (await staffed.login("vera")).json()["refresh_token"]
    staffed.later(14 * day)
    assert (await refreshed(staffed, idle)).status_code == 401


async def test_a_new_password_ends_every_other_session_and_needs_a_fresh_proof(
    staffed: Staffed,
) -> None:
    here, there = await staffed.token("boris"), await staffed.token("boris")
    staffed.later(500)
    weak = await staffed.call(here, "POST", "/auth/password", {"password": "short"})
    assert (weak.status_code, code_of(weak)) == (422, "weak_password")
    changed = await staffed.call(here, "POST", "/auth/password", {"password": "ten bottles"})
    assert changed.status_code == 200
    for token in (here, there):
        assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 401
    now = changed.json()["access_token"]
    assert (await staffed.call(now, "GET", "/auth/profile")).status_code == 200
    assert (await staffed.login("boris")).status_code == 401
    assert (await staffed.login("boris", password="ten bottles")).status_code == 200


async def test_an_open_session_alone_changes_no_password(staffed: Staffed) -> None:
    tokens = (await staffed.login("boris")).json()
    staffed.later(601)
    token = (await refreshed(staffed, tokens["refresh_token"])).json()["access_token"]
    refused = await staffed.call(token, "POST", "/auth/password", {"password": "ten bottles"})
    assert (refused.status_code, code_of(refused)) == (403, "step_up_required")
    wrong = await staffed.call(token, "POST", "/auth/step-up", {"password": "wrong"})
    assert code_of(wrong) == "invalid_credentials"
    stepped = await staffed.call(token, "POST", "/auth/step-up", {"password": PASSWORD})
    assert stepped.status_code == 200
    assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 401
    newer = stepped.json()["access_token"]
    done = await staffed.call(newer, "POST", "/auth/password", {"password": "ten bottles"})
    assert done.status_code == 200


async def test_of_two_who_step_up_with_one_session_one_goes_on(staffed: Staffed) -> None:
    token = await staffed.token("boris")
    both = await asyncio.gather(
        *(staffed.call(token, "POST", "/auth/step-up", {"password": PASSWORD}) for _ in range(2))
    )
    assert sorted(one.status_code for one in both) == [200, 401]


async def test_sign_ins_that_race_have_sessions_of_their_own(staffed: Staffed) -> None:
    answers = await asyncio.gather(*(staffed.login("boris") for _ in range(4)))
    assert [one.status_code for one in answers] == [200] * 4
    claims = [
        jwt.decode(one.json()["access_token"], options={"verify_signature": False})
        for one in answers
    ]
    assert len({one["sid"] for one in claims}) == 4


async def test_the_log_has_who_signed_in_who_failed_and_no_strangers_words(
    staffed: Staffed,
) -> None:
    await staffed.login("boris")
    await staffed.login("boris", password="wrong")
    await staffed.login("my secret password", password="boris")
    [entry] = await staffed.log("signed_in")
    assert (entry["person_id"], entry["merchant_id"]) == (staffed.people["boris"], staffed.merchant)
    assert (entry["address"], entry["factors"]) == (HERE, ["password"])
    failed = await staffed.log("sign_in.failed")  # a stranger's costs as much as Boris's
    assert [one["person_id"] for one in failed] == [staffed.people["boris"], None]
    async with staffed.stage.context.db.system_transaction() as conn:
        rows = await conn.fetch("SELECT l::text AS kept FROM audit_log l")
        tries = await conn.fetch("SELECT t::text AS kept FROM sign_in_tries t")
    assert not any("my secret" in row["kept"] for row in [*rows, *tries])


async def test_no_secret_of_a_session_rests_in_the_database(staffed: Staffed) -> None:
    tokens = (await staffed.login("boris")).json()
    await refreshed(staffed, tokens["refresh_token"])
    async with staffed.stage.context.db.system_transaction() as conn:
        for table in ("sessions", "refresh_tokens", "audit_log"):
            rows = await conn.fetch(f"SELECT t::text AS kept FROM {table} t")
            for row in rows:
                assert tokens["refresh_token"] not in row["kept"]
                assert tokens["access_token"] not in row["kept"]


async def test_the_key_that_signs_is_made_once_and_rests_sealed(staffed: Staffed) -> None:
    context = staffed.stage.context
    made = await asyncio.gather(*(signing_key(context.db, context.vault) for _ in range(4)))
    assert len({one.reveal() for one in made}) == 1
    async with context.db.system_transaction() as conn:
        kept = await conn.fetchval("SELECT jwt_secret FROM installation")
    assert made[0].reveal().encode() not in kept
    assert Tokens(made[0]).read_access("x", context.now()) is None


async def test_a_key_that_is_there_is_read_without_a_lock(staffed: Staffed) -> None:
    """So a process starts on a server that takes no write for a while."""
    context = staffed.stage.context
    made = await signing_key(context.db, context.vault)
    async with context.db.system_transaction() as conn, asyncio.timeout(10):
        await conn.execute("SELECT FROM installation FOR UPDATE")
        read = await signing_key(context.db, context.vault)
    assert read.reveal() == made.reveal()


async def test_a_body_that_asks_for_more_than_there_is_is_refused(staffed: Staffed) -> None:
    async with staffed.client() as client:
        for body in (
            {"login": "boris", "password": "x", "role": "admin"},
            {"login": "b" * 300, "password": "x"},
            {"login": "boris", "password": "x" * 2000},
            {"login": "bo\0ris", "password": "x"},
        ):
            answer = await client.post("/auth/login", content=msgspec.json.encode(body),
                                       headers={"content-type": "application/json"})  # fmt: skip
            assert (answer.status_code, code_of(answer)) == (400, "bad_request")
