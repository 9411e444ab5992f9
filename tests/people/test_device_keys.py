"""API keys of devices: they end, are listed, rotated and revoked, and are one merchant's."""

from typing import Any

import httpx
import jwt
import pytest

from tests.people.conftest import Staffed, code_of


async def made(staffed: Staffed, login: str = "asha", **more: Any) -> dict[str, Any]:
    body = {"machineId": "M01" if login == "asha" else "C01", **more}
    answer = await staffed.call(await staffed.token(login), "POST", "/auth/register-machine", body)
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def token_for(staffed: Staffed, key: str) -> httpx.Response:
    async with staffed.client() as client:
        return await client.post("/auth/device-token", json={"key": key})


async def profile(staffed: Staffed, token: str) -> httpx.Response:
    return await staffed.call(token, "GET", "/auth/device-profile")


async def test_a_key_has_the_fields_that_were_agreed_and_gives_tokens(staffed: Staffed) -> None:
    key = await made(staffed, permissions=["telemetry:write"], expiresInS=3600)
    assert {"keyId", "machineId", "tenantId", "permissions", "expiresAt"} <= set(key)
    answer = await token_for(staffed, key["key"])
    assert answer.json()["expires_in"] == 600
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert set(claims) == {"sub", "tenantId", "role", "permissions", "iat", "exp", "sid"}
    assert (claims["sub"], claims["role"], claims["sid"]) == ("M01", "device", key["keyId"])
    shown = (await profile(staffed, answer.json()["access_token"])).json()
    assert (shown["machineId"], shown["permissions"]) == ("M01", ["telemetry:write"])


async def test_a_key_ends_and_no_token_outlives_it(staffed: Staffed) -> None:
    key = await made(staffed, expiresInS=300)
    answer = (await token_for(staffed, key["key"])).json()
    assert answer["expires_in"] == 300
    staffed.later(300)
    assert (await profile(staffed, answer["access_token"])).status_code == 401
    assert code_of(await token_for(staffed, key["key"])) == "invalid_token"


async def test_no_key_is_good_for_longer_than_the_setting(staffed: Staffed) -> None:
    key = await made(staffed, expiresInS=10**9)
    staffed.later(365 * 86400)
    assert (await token_for(staffed, key["key"])).status_code == 401


async def test_a_revoked_key_ends_its_tokens_at_once(staffed: Staffed) -> None:
    key, other = await made(staffed), await made(staffed)
    token = (await token_for(staffed, key["key"])).json()["access_token"]
    asha = await staffed.token("asha")
    path = f"/auth/device-keys/{key['keyId']}"
    assert (await staffed.call(asha, "DELETE", path)).status_code == 204
    assert (await profile(staffed, token)).status_code == 401
    assert (await token_for(staffed, key["key"])).status_code == 401
    assert (await token_for(staffed, other["key"])).status_code == 200
    listed = (await staffed.call(asha, "GET", "/auth/device-keys")).json()["data"]
    ended = {one["keyId"]: one["revokedAt"] is not None for one in listed}
    assert ended == {key["keyId"]: True, other["keyId"]: False}
    assert [one["key"] for one in listed] == [None, None]


async def test_a_rotated_key_works_a_day_longer_beside_the_new_one(staffed: Staffed) -> None:
    old, asha = await made(staffed, name="telemetry"), await staffed.token("asha")
    path = f"/auth/device-keys/{old['keyId']}/rotate"
    new = (await staffed.call(asha, "POST", path)).json()
    assert (new["machineId"], new["name"]) == ("M01", "telemetry")
    assert (await staffed.call(asha, "POST", path)).status_code == 404
    for key in (old, new):
        assert (await token_for(staffed, key["key"])).status_code == 200
    staffed.later(86400)
    assert (await token_for(staffed, old["key"])).status_code == 401
    assert (await token_for(staffed, new["key"])).status_code == 200


async def test_a_machine_out_of_service_calls_no_more(staffed: Staffed) -> None:
    key = await made(staffed)
    token = (await token_for(staffed, key["key"])).json()["access_token"]
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("UPDATE outlets SET decommissioned_at = now() WHERE id = 'M01'")
    assert (await profile(staffed, token)).status_code == 401
    assert (await token_for(staffed, key["key"])).status_code == 401
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("UPDATE outlets SET decommissioned_at = NULL WHERE id = 'M01'")


async def test_no_key_is_made_for_another_merchants_machine(staffed: Staffed) -> None:
    asha = await staffed.token("asha")
    answer = await staffed.call(asha, "POST", "/auth/register-machine", {"machineId": "C01"})
    assert (answer.status_code, code_of(answer)) == (422, "unknown_outlet")
    wide = {"machineId": "M01", "permissions": ["people:write"]}
    answer = await staffed.call(asha, "POST", "/auth/register-machine", wide)
    assert (answer.status_code, code_of(answer)) == (422, "unknown_permission")


async def test_a_device_is_no_person_and_a_person_no_device(staffed: Staffed) -> None:
    key = await made(staffed)
    device = (await token_for(staffed, key["key"])).json()["access_token"]
    person = await staffed.token("asha")
    for path in ("/auth/profile", "/people", "/auth/device-keys", "/audit-log"):
        assert (await staffed.call(device, "GET", path)).status_code == 401
    assert (await profile(staffed, person)).status_code == 401
    assert (await profile(staffed, key["key"])).status_code == 401
    assert (await token_for(staffed, person[:128])).status_code == 401


@pytest.mark.parametrize(
    "change", [{"sub": "C01"}, {"sid": "01a1ff00-0000-7000-8000-000000000000"}]
)
async def test_a_device_token_of_another_machine_or_key_is_refused(
    staffed: Staffed, change: dict[str, str]
) -> None:
    key = await made(staffed)
    token = (await token_for(staffed, key["key"])).json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    signed = jwt.encode({**claims, **change}, staffed.stage.context.signing_key.reveal())
    assert (await profile(staffed, signed)).status_code == 401


async def test_a_key_is_nowhere_to_be_read_again(staffed: Staffed) -> None:
    key = await made(staffed)
    async with staffed.stage.context.db.system_transaction() as conn:
        kept = await conn.fetchval("SELECT string_agg(k::text, ' ') FROM device_api_keys k")
        log = await conn.fetchval("SELECT string_agg(l::text, ' ') FROM audit_log l")
    assert key["key"][10:] not in kept + log
    assert key["begins"] in kept


async def test_keys_of_one_machine_are_bounded(staffed: Staffed) -> None:
    for _ in range(20):
        await made(staffed)
    body = {"machineId": "M01"}
    answer = await staffed.call(await staffed.token("asha"), "POST", "/auth/register-machine", body)
    assert (answer.status_code, code_of(answer)) == (422, "too_many_keys")
