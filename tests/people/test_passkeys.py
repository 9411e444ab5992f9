"""Passkeys: one that verified its user is two factors, and none is good for another address."""

import asyncio
from typing import Any

import httpx
import pytest

from coinslot.people import passkeys
from coinslot.people.sessions import Proof
from tests.people.authenticator import Authenticator, Json, b64
from tests.people.conftest import Staffed, code_of
from tests.people.test_factors import answered, enrolled, strong
from tests.web.serving import SITE

HOME = SITE.base_url


async def added(staffed: Staffed, key: Authenticator, token: str | None = None) -> httpx.Response:
    token = token or await staffed.token("boris")
    asked = await staffed.call(token, "POST", "/auth/factors/passkey")
    assert asked.status_code == 200, asked.text
    body = {
        "challenge": asked.json()["challenge"], "name": "laptop",
        "passkey": key.create(asked.json()["passkey"]),
    }  # fmt: skip
    return await staffed.call(token, "POST", "/auth/factors/passkey/confirm", body)


async def question(staffed: Staffed) -> Json:
    async with staffed.client() as client:
        asked: Json = (await client.post("/auth/challenge")).json()
        return asked


async def shown(staffed: Staffed, key: Authenticator, asked: Json | None = None) -> httpx.Response:
    """A sign-in by a passkey alone."""
    asked = asked or await question(staffed)
    return await answered(staffed, asked["challenge"], passkey=key.answer(asked["passkey"]))


async def test_a_passkey_that_verified_its_user_signs_in_alone(staffed: Staffed) -> None:
    key = Authenticator(HOME)
    made = await added(staffed, key)
    assert (made.status_code, len(made.json()["recovery_codes"])) == (200, 10)
    answer = await shown(staffed, key)
    assert answer.status_code == 200, answer.text
    profile = await staffed.call(answer.json()["access_token"], "GET", "/auth/profile")
    assert (profile.json()["login"], profile.json()["factors"]) == ("boris", ["passkey"])


async def test_a_password_guessed_at_from_everywhere_does_not_keep_a_passkey_out(
    staffed: Staffed,
) -> None:
    key = Authenticator(HOME)
    await added(staffed, key)
    for _ in range(11):
        await staffed.login("boris", password="wrong")
    assert (await staffed.login("boris")).status_code == 429
    assert (await shown(staffed, key)).status_code == 200


async def test_a_plain_security_key_is_a_second_factor_only(staffed: Staffed) -> None:
    key = Authenticator(HOME, verifies=False)
    await added(staffed, key)
    alone = await shown(staffed, key)
    assert (alone.status_code, code_of(alone)) == (401, "second_factor_required")
    asked = (await staffed.login("boris")).json()["error"]["details"]
    assert asked["factors"] == ["passkey", "recovery_code"]
    answer = await answered(staffed, asked["challenge"], passkey=key.answer(asked["passkey"]))
    assert answer.status_code == 200
    profile = await staffed.call(answer.json()["access_token"], "GET", "/auth/profile")
    assert profile.json()["factors"] == ["password", "security_key"]


@pytest.mark.parametrize(
    ("factors", "wanted"),
    [(None, "required"), (("recovery_code",), "required"), (("password",), "preferred")],
)
async def test_a_passkey_has_to_verify_its_user_unless_a_password_was_shown(
    staffed: Staffed, factors: tuple[str, ...] | None, wanted: str
) -> None:
    key = Authenticator(HOME)
    await added(staffed, key)
    proof = None if factors is None else Proof(
        person=staffed.people["boris"], version=1, factors=factors, has_second=True
    )  # fmt: skip
    asked = (await passkeys.ask(staffed.auth, proof)).passkey
    assert asked["userVerification"] == wanted
    assert [one["id"] for one in asked["allowCredentials"]] == [b64(key.credential)] * (
        proof is not None
    )


async def test_an_answer_is_good_once(staffed: Staffed) -> None:
    key = Authenticator(HOME, counts=False)
    await added(staffed, key)
    asked = await question(staffed)
    sent = key.answer(asked["passkey"])
    assert (await answered(staffed, asked["challenge"], passkey=sent)).status_code == 200
    replayed = await answered(staffed, asked["challenge"], passkey=sent)
    assert (replayed.status_code, code_of(replayed)) == (401, "challenge_expired")
    other = await question(staffed)
    moved = await answered(staffed, other["challenge"], passkey=sent)
    assert code_of(moved) == "invalid_passkey"


async def test_of_two_who_send_one_answer_at_once_one_is_let_in(staffed: Staffed) -> None:
    key = Authenticator(HOME, counts=False)
    await added(staffed, key)
    asked = await question(staffed)
    sent = key.answer(asked["passkey"])
    tried = await asyncio.gather(
        *(answered(staffed, asked["challenge"], passkey=sent) for _ in range(3))
    )
    assert sorted(one.status_code for one in tried) == [200, 401, 401]


async def test_a_copy_of_a_key_that_counts_is_noticed(staffed: Staffed) -> None:
    key = Authenticator(HOME)
    await added(staffed, key)
    for _ in range(3):
        assert (await shown(staffed, key)).status_code == 200
    key.signed = 1  # the copy was made then
    assert code_of(await shown(staffed, key)) == "invalid_passkey"


async def test_a_passkey_used_at_another_address_is_nothing_here(staffed: Staffed) -> None:
    key = Authenticator(HOME)
    await added(staffed, key)
    key.origin = "http://127.0.0.1.evil.example"
    assert code_of(await shown(staffed, key)) == "invalid_passkey"
    made_elsewhere = Authenticator("https://evil.example")
    refused = await added(staffed, made_elsewhere, await staffed.token("vera"))
    assert (refused.status_code, code_of(refused)) == (422, "bad_passkey")


async def test_another_host_in_a_header_changes_nothing(staffed: Staffed) -> None:
    async with staffed.client() as client:
        headers = {"host": "evil.example", "x-forwarded-host": "evil.example"}
        asked = (await client.post("/auth/challenge", headers=headers)).json()
    assert asked["passkey"]["rpId"] == "127.0.0.1"


async def test_a_passkey_of_one_person_answers_no_challenge_of_another(staffed: Staffed) -> None:
    mine, theirs = Authenticator(HOME), Authenticator(HOME)
    await added(staffed, mine)
    await added(staffed, theirs, await staffed.token("vera"))
    asked = (await staffed.login("boris")).json()["error"]["details"]
    answer = await answered(staffed, asked["challenge"], passkey=theirs.answer(asked["passkey"]))
    assert code_of(answer) == "invalid_passkey"


async def test_nobody_keeps_a_passkey_that_another_has(staffed: Staffed) -> None:
    key = Authenticator(HOME)
    assert (await added(staffed, key)).status_code == 200
    assert code_of(await added(staffed, key, await staffed.token("vera"))) == "bad_passkey"


async def test_a_challenge_for_adding_is_no_challenge_for_signing_in(staffed: Staffed) -> None:
    key = Authenticator(HOME)
    token = await staffed.token("boris")
    await added(staffed, key, token)
    fresh = (await shown(staffed, key)).json()["access_token"]
    asked = (await staffed.call(fresh, "POST", "/auth/factors/passkey")).json()
    options = {"challenge": asked["passkey"]["challenge"], "rpId": "127.0.0.1"}
    answer = await answered(staffed, asked["challenge"], passkey=key.answer(options))
    assert code_of(answer) == "challenge_expired"


async def test_a_passkey_is_added_by_who_has_shown_another_factor(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    token = await strong(staffed, app)
    made = await added(staffed, Authenticator(HOME), token)
    assert (made.status_code, made.json()["recovery_codes"]) == (200, [])


async def test_a_passkey_is_a_fresh_proof(staffed: Staffed) -> None:
    key = Authenticator(HOME)
    await added(staffed, key)
    token = (await shown(staffed, key)).json()["access_token"]
    asked = await question(staffed)
    body = {"challenge": asked["challenge"], "passkey": key.answer(asked["passkey"])}
    stepped = await staffed.call(token, "POST", "/auth/step-up", body)
    assert stepped.status_code == 200
    assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 401


async def test_a_removed_passkey_signs_nobody_in(staffed: Staffed) -> None:
    key = Authenticator(HOME)
    await added(staffed, key)
    token = (await shown(staffed, key)).json()["access_token"]
    [factor] = (await staffed.call(token, "GET", "/auth/factors")).json()["factors"]
    removed = await staffed.call(token, "DELETE", f"/auth/factors/{factor['id']}")
    assert removed.status_code == 204
    assert code_of(await shown(staffed, key)) == "invalid_passkey"


@pytest.mark.parametrize(
    "answer",
    [
        {}, {"rawId": "x"}, {"rawId": 7}, {"rawId": "AAAA", "response": None},
        {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}},
    ],
)  # fmt: skip
async def test_nonsense_is_refused_and_no_fault_of_ours(
    staffed: Staffed, answer: dict[str, Any]
) -> None:
    key = Authenticator(HOME)
    await added(staffed, key)
    asked = await question(staffed)
    refused = await answered(staffed, asked["challenge"], passkey=answer)
    assert (refused.status_code, code_of(refused)) == (401, "invalid_passkey")
    broken = {**key.answer(asked["passkey"]), "response": {"signature": "x"}}
    refused = await answered(staffed, asked["challenge"], passkey=broken)
    assert (refused.status_code, code_of(refused)) == (401, "invalid_passkey")


NO_KEYS: list[Any] = [
    [], 5, None, {}, {1: 2}, {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)},
    {1: 2, 3: -7, -1: 99, -2: bytes(32), -3: bytes(32)},
    {1: 2, 3: -7, -1: 1, -2: 5, -3: []}, {1: 3, 3: -257, -1: b"", -2: b""},
    {1: 1, 3: -8, -1: 6, -2: b"short"}, {1: 2, 3: -999, -1: 1, -2: bytes(32), -3: bytes(32)},
]  # fmt: skip


async def test_what_is_no_key_is_refused_and_is_no_fault_of_ours(staffed: Staffed) -> None:
    token = await staffed.token("boris")
    for cose in NO_KEYS:
        key = Authenticator(HOME)
        asked = (await staffed.call(token, "POST", "/auth/factors/passkey")).json()
        body = {"challenge": asked["challenge"], "passkey": key.create(asked["passkey"], cose)}
        answer = await staffed.call(token, "POST", "/auth/factors/passkey/confirm", body)
        assert (answer.status_code, code_of(answer)) == (422, "bad_passkey"), cose
