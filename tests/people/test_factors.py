"""Second factors that are typed: they are asked for, they are good once, and a stolen password adds
none."""

import asyncio
from typing import Any

import httpx
import pyotp
import pytest

from coinslot.kit.secrets import Vault
from tests.people.conftest import PASSWORD, Staffed, code_of


async def enrolled(staffed: Staffed, login: str = "boris") -> tuple[pyotp.TOTP, list[str]]:
    """An app, and the recovery codes that came with it. The step of its first code is over."""
    token = await staffed.token(login)
    begun = await staffed.call(token, "POST", "/auth/factors/totp", {"name": "phone"})
    assert begun.status_code == 201, begun.text
    app = pyotp.TOTP(begun.json()["secret"])
    assert begun.json()["uri"] == app.provisioning_uri(name=login, issuer_name="127.0.0.1")
    path = f"/auth/factors/totp/{begun.json()['id']}/confirm"
    done = await staffed.call(token, "POST", path, {"code": now(staffed, app)})
    assert done.status_code == 200, done.text
    staffed.later(60)
    return app, done.json()["recovery_codes"]


def now(staffed: Staffed, app: pyotp.TOTP, later_s: int = 0) -> str:
    return app.at(int(staffed.stage.clock.now().timestamp()) + later_s)


async def challenged(staffed: Staffed, login: str = "boris") -> str:
    answer = await staffed.login(login)
    assert (answer.status_code, code_of(answer)) == (401, "second_factor_required")
    return str(answer.json()["error"]["details"]["challenge"])


async def answered(staffed: Staffed, challenge: str, **shown: Any) -> httpx.Response:
    async with staffed.client() as client:
        return await client.post("/auth/login", json={"challenge": challenge, **shown})


async def strong(staffed: Staffed, app: pyotp.TOTP, login: str = "boris") -> str:
    """An access token of someone who showed both factors."""
    code = now(staffed, app)
    answer = await answered(staffed, await challenged(staffed, login), code=code)
    assert answer.status_code == 200, answer.text
    staffed.later(60)
    return str(answer.json()["access_token"])


async def test_someone_with_an_app_is_asked_for_its_code(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    refused = await staffed.login("boris")
    details = refused.json()["error"]["details"]
    assert (refused.status_code, code_of(refused)) == (401, "second_factor_required")
    assert (details["factors"], details["passkey"]) == (["recovery_code", "totp"], None)
    answer = await answered(staffed, details["challenge"], code=now(staffed, app))
    assert answer.status_code == 200
    shown = await staffed.call(answer.json()["access_token"], "GET", "/auth/profile")
    assert shown.json()["factors"] == ["password", "totp"]


async def test_the_code_may_come_with_the_password(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    assert (await staffed.login("boris", code=now(staffed, app))).status_code == 200


async def test_a_wrong_password_is_not_told_whether_there_is_a_second_factor(
    staffed: Staffed,
) -> None:
    app, _ = await enrolled(staffed)
    answer = await staffed.login("boris", password="wrong", code=now(staffed, app))
    assert code_of(answer) == "invalid_credentials"
    assert answer.json()["error"]["details"] == {}


async def test_a_code_is_good_once(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    code = now(staffed, app)
    assert (await answered(staffed, await challenged(staffed), code=code)).status_code == 200
    replayed = await answered(staffed, await challenged(staffed), code=code)
    assert (replayed.status_code, code_of(replayed)) == (401, "invalid_code")


async def test_a_code_before_the_last_one_is_used_up_too(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    assert (await staffed.login("boris", code=now(staffed, app))).status_code == 200
    before = await staffed.login("boris", code=now(staffed, app, -30))
    assert code_of(before) == "invalid_code"
    assert (await staffed.login("boris", code=now(staffed, app, 30))).status_code == 200


async def test_a_phone_may_be_half_a_minute_off_and_no_more(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    for off_s, status in ((-60, 401), (60, 401), (-30, 200)):
        assert (await staffed.login("boris", code=now(staffed, app, off_s))).status_code == status


async def test_of_sign_ins_that_race_with_one_code_one_is_let_in(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    code, challenges = now(staffed, app), [await challenged(staffed) for _ in range(4)]
    tried = await asyncio.gather(*(answered(staffed, one, code=code) for one in challenges))
    assert sorted(one.status_code for one in tried) == [200, 401, 401, 401]


async def test_of_sign_ins_that_race_with_one_challenge_one_is_let_in(staffed: Staffed) -> None:
    _, codes = await enrolled(staffed)
    challenge = await challenged(staffed)
    tried = await asyncio.gather(*(answered(staffed, challenge, code=one) for one in codes[:4]))
    assert sorted(one.status_code for one in tried) == [200, 401, 401, 401]


async def test_a_recovery_code_is_good_once_however_it_is_typed(staffed: Staffed) -> None:
    _, codes = await enrolled(staffed)
    assert len(set(codes)) == 10
    typed = f" {codes[0].lower().replace('-', ' ')} "
    assert (await answered(staffed, await challenged(staffed), code=typed)).status_code == 200
    assert (await answered(staffed, await challenged(staffed), code=codes[0])).status_code == 401
    assert (await answered(staffed, await challenged(staffed), code=codes[1])).status_code == 200


async def test_codes_and_apps_outlive_the_key_that_secrets_are_sealed_with(
    staffed: Staffed,
) -> None:
    """A new key goes first, the old one stays to open what it sealed."""
    app, codes = await enrolled(staffed)
    staffed.stage.context.vault = Vault({"2": b"n" * 32, "1": b"k" * 32}, "2")
    assert (await staffed.login("boris", code=codes[0])).status_code == 200
    assert (await staffed.login("boris", code=now(staffed, app))).status_code == 200


async def test_a_recovery_code_of_one_is_nothing_to_another(staffed: Staffed) -> None:
    _, codes = await enrolled(staffed)
    await enrolled(staffed, "vera")
    answer = await answered(staffed, await challenged(staffed, "vera"), code=codes[0])
    assert answer.status_code == 401


async def test_codes_are_not_to_be_guessed(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    right = now(staffed, app)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    for _ in range(10):
        tried = await answered(staffed, await challenged(staffed), code=wrong)
        assert code_of(tried) == "invalid_code"
    for address in ("203.0.113.7", "198.51.100.77"):
        answer = await staffed.login("boris", address, code=right)
        assert (answer.status_code, code_of(answer)) == (429, "too_many_tries")


async def test_a_challenge_ends_after_five_minutes_and_with_a_new_password(
    staffed: Staffed,
) -> None:
    app, _ = await enrolled(staffed)
    late = await challenged(staffed)
    staffed.later(300)
    answer = await answered(staffed, late, code=now(staffed, app))
    assert code_of(answer) == "challenge_expired"
    token, before = await strong(staffed, app), await challenged(staffed)
    changed = await staffed.call(token, "POST", "/auth/password", {"password": "ten bottles"})
    assert changed.status_code == 200
    answer = await answered(staffed, before, code=now(staffed, app))
    assert code_of(answer) == "invalid_credentials"


async def test_who_is_disabled_between_password_and_code_stays_out(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    before = await challenged(staffed)
    boris = staffed.people["boris"]
    async with staffed.stage.context.db.as_person(boris) as conn:
        await conn.execute("UPDATE people SET disabled_at = now() WHERE id = $1", boris)
    answer = await answered(staffed, before, code=now(staffed, app))
    assert (answer.status_code, code_of(answer)) == (401, "invalid_credentials")


async def test_a_challenge_alone_lets_nobody_in(staffed: Staffed) -> None:
    await enrolled(staffed)
    answer = await answered(staffed, await challenged(staffed))
    assert code_of(answer) == "second_factor_required"
    for bad in ("x", "e30.e30.e30"):
        assert code_of(await answered(staffed, bad, code="123456")) == "challenge_expired"


async def test_a_stolen_password_adds_no_factor(staffed: Staffed) -> None:
    """The thief was signed in with the password before its owner added an app."""
    thief = await staffed.token("boris")
    begun = await staffed.call(thief, "POST", "/auth/factors/totp", {"name": "thief"})
    stolen = pyotp.TOTP(begun.json()["secret"])
    await enrolled(staffed)
    path = f"/auth/factors/totp/{begun.json()['id']}/confirm"
    refused = await staffed.call(thief, "POST", path, {"code": now(staffed, stolen)})
    assert code_of(refused) == "second_factor_needed"
    for method, path, body in (
        ("POST", "/auth/factors/totp", {"name": "thief"}),
        ("POST", "/auth/factors/passkey", None),
        ("POST", "/auth/recovery-codes", None),
        ("POST", "/auth/password", {"password": "mine from now on"}),
    ):
        refused = await staffed.call(thief, method, path, body)
        assert (refused.status_code, code_of(refused)) == (403, "step_up_required"), path
    [factor] = (await staffed.call(thief, "GET", "/auth/factors")).json()["factors"]
    refused = await staffed.call(thief, "DELETE", f"/auth/factors/{factor['id']}")
    assert code_of(refused) == "step_up_required"


async def test_the_password_is_no_fresh_proof_of_someone_with_an_app(staffed: Staffed) -> None:
    app, _ = await enrolled(staffed)
    token = await strong(staffed, app)
    refused = await staffed.call(token, "POST", "/auth/step-up", {"password": PASSWORD})
    assert code_of(refused) == "second_factor_required"
    stepped = await staffed.call(token, "POST", "/auth/step-up", {"code": now(staffed, app)})
    assert stepped.status_code == 200
    staffed.later(60)
    replayed = await staffed.call(
        stepped.json()["access_token"], "POST", "/auth/step-up", {"code": now(staffed, app, -60)}
    )
    assert code_of(replayed) == "invalid_code"


async def test_the_challenge_of_a_fresh_proof_opens_no_session(staffed: Staffed) -> None:
    """Whoever found an open session asked for it, and was signed in anew without any proof."""
    app, _ = await enrolled(staffed)
    token = await strong(staffed, app)
    refused = await staffed.call(token, "POST", "/auth/step-up", {})
    challenge = refused.json()["error"]["details"]["challenge"]
    assert code_of(await answered(staffed, challenge)) == "second_factor_required"
    half = await answered(staffed, challenge, code=now(staffed, app))
    assert code_of(half) == "second_factor_required"


async def test_without_a_factor_left_recovery_codes_end_too(staffed: Staffed) -> None:
    app, codes = await enrolled(staffed)
    token = await strong(staffed, app)
    shown = (await staffed.call(token, "GET", "/auth/factors")).json()
    assert (len(shown["factors"]), shown["recovery_codes_left"]) == (1, 10)
    path = f"/auth/factors/{shown['factors'][0]['id']}"
    assert (await staffed.call(token, "DELETE", path)).status_code == 204
    assert (await staffed.call(token, "DELETE", path)).status_code == 404
    assert (await staffed.login("boris")).status_code == 200
    async with staffed.stage.context.db.system_transaction() as conn:
        left = await conn.fetchval("SELECT count(*) FROM recovery_codes WHERE used_at IS NULL")
    assert (len(codes), left) == (10, 0)
    assert [one["action"] for one in await staffed.log("factor.removed")] == ["factor.removed"]


async def test_new_recovery_codes_end_the_old_ones(staffed: Staffed) -> None:
    app, codes = await enrolled(staffed)
    token = await strong(staffed, app)
    made = (await staffed.call(token, "POST", "/auth/recovery-codes")).json()["recovery_codes"]
    assert not set(made) & set(codes)
    assert (await staffed.login("boris", code=codes[0])).status_code == 401
    assert (await staffed.login("boris", code=made[0])).status_code == 200


async def test_an_app_that_was_not_confirmed_counts_for_nothing(staffed: Staffed) -> None:
    token = await staffed.token("boris")
    begun = (await staffed.call(token, "POST", "/auth/factors/totp", {})).json()
    wrong = await staffed.call(
        token, "POST", f"/auth/factors/totp/{begun['id']}/confirm", {"code": "000000"}
    )
    assert wrong.status_code == 401
    assert (await staffed.login("boris")).status_code == 200
    assert (await staffed.call(token, "GET", "/auth/factors")).json()["factors"] == []


@pytest.mark.parametrize("kept", ["secret", "digest"])
async def test_what_proves_someone_does_not_rest_as_it_is(staffed: Staffed, kept: str) -> None:
    app, codes = await enrolled(staffed)
    table = "second_factors" if kept == "secret" else "recovery_codes"
    async with staffed.stage.context.db.system_transaction() as conn:
        rows = await conn.fetch(f"SELECT t::text AS kept FROM {table} t")
    for row in rows:
        assert app.secret not in row["kept"]
        assert not any(one in row["kept"] for one in codes)


async def test_a_merchant_that_wants_two_factors_lets_its_people_do_nothing_with_one(
    staffed: Staffed,
) -> None:
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("UPDATE merchants SET second_factor_required = true")
    token = await staffed.token("asha")
    shown = (await staffed.call(token, "GET", "/auth/profile")).json()
    assert (shown["second_factor_missing"], shown["permissions"]) == (True, [])
    app, _ = await enrolled(staffed, "asha")
    shown = (await staffed.call(token, "GET", "/auth/profile")).json()
    assert shown["permissions"] == []
    shown = (await staffed.call(await strong(staffed, app, "asha"), "GET", "/auth/profile")).json()
    assert (shown["second_factor_missing"], "people:write" in shown["permissions"]) == (False, True)
