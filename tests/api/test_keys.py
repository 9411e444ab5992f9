"""API keys: what each may do, and that one is worth nothing once it is revoked."""

from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from coinslot.gateways import drivers
from coinslot.kit.secrets import Secret
from coinslot.merchants.keys import (
    LARGE_REFUNDS,
    SCOPES,
    KeyRequest,
    UnknownKeyError,
    issue_key,
    listed,
    revoke,
)
from tests.sales.stage import MockAccounts, Stage

Client = httpx.AsyncClient
CALLS = {
    "payments:read": ("GET", "/payments"),
    "payments:write": ("POST", "/payments"),
    "refunds:write": ("POST", "/payments/01a1ff00-0000-7000-8000-000000000000/refunds"),
    "events:read": ("GET", "/events"),
    "webhooks:write": ("GET", "/webhook_endpoints"),
    "machines:read": ("GET", "/machines/M01/status"),
    "machines:write": ("DELETE", "/machines/M99/decommission"),
    "orders:read": ("GET", "/orders"),
    "devices:write": ("POST", "/machines/M99/provision-device"),
}


async def status(api: Client, key: str, method: str, path: str) -> int:
    headers = {"authorization": f"Bearer {key}", "idempotency-key": "k"}
    body = {"amount": 5000, "currency": "INR"} if path == "/payments" else {}
    answer = await api.request(
        method, path, headers=headers, json=body if method == "POST" else None
    )
    return answer.status_code


async def test_each_call_needs_the_scope_that_names_it_and_no_other(
    stage: Stage, api: Client
) -> None:
    assert {*CALLS, LARGE_REFUNDS} == set(SCOPES)  # that one lifts a limit
    for scope, call in CALLS.items():
        only = KeyRequest(scopes=(scope,))
        others = KeyRequest(scopes=tuple(set(SCOPES) - {scope}))
        may = await issue_key(stage.context.db, stage.merchant, stage.clock.now(), only)
        may_not = await issue_key(stage.context.db, stage.merchant, stage.clock.now(), others)
        assert await status(api, may, *call) in (200, 201, 404)
        assert await status(api, may_not, *call) == 403


async def test_a_revoked_key_lets_nobody_in(stage: Stage, api: Client) -> None:
    key = await issue_key(
        stage.context.db, stage.merchant, stage.clock.now(), KeyRequest(name="till")
    )
    assert await status(api, key, "GET", "/payments") == 200
    await revoke(stage.context.db, key[:12], stage.clock.now())
    assert await status(api, key, "GET", "/payments") == 401
    [row] = [one for one in await listed(stage.context.db) if one.name == "till"]
    assert (row.revoked_at, row.last_used_at) == (stage.clock.now(), stage.clock.now())
    with pytest.raises(UnknownKeyError):
        await revoke(stage.context.db, key, stage.clock.now())


async def test_a_key_is_nowhere_to_be_read_again(stage: Stage, api: Client) -> None:
    key = await issue_key(stage.context.db, stage.merchant, stage.clock.now())
    assert key.startswith("sk_test_")
    rows = await stage.rows("SELECT k::text AS kept FROM api_keys k")
    assert not any(key[13:] in row["kept"] for row in rows)
    assert not any(key[13:] in str(row) for row in await listed(stage.context.db))


async def test_a_scope_that_there_is_not_is_refused(stage: Stage) -> None:
    with pytest.raises(ValueError, match="everything"):
        await issue_key(
            stage.context.db, stage.merchant, stage.clock.now(), KeyRequest(scopes=("everything",))
        )


async def test_a_test_key_moves_no_real_money_and_reaches_no_live_payment(
    stage: Stage, api: Client
) -> None:
    stage.account = replace(stage.account, live=True)
    stage.context.accounts = MockAccounts(stage.account)
    key = await issue_key(
        stage.context.db, stage.merchant, stage.clock.now(), KeyRequest(live=True)
    )
    assert key.startswith("sk_live_")

    async def post(path: str, key: str | None, idempotency: str, body: object) -> httpx.Response:
        headers = {"idempotency-key": idempotency}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        return await api.post(path, headers=headers, json=body)

    asked = {"amount": 5000, "currency": "INR"}
    tried = (await post("/payments", None, "a", asked)).json()
    refused = await post(f"/payments/{tried['id']}/confirm", None, "b", {})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "no_gateway")
    real = (await post("/payments", key, "a", asked)).json()
    assert (tried["live"], real["live"]) == (False, True)
    assert (await post(f"/payments/{real['id']}/confirm", None, "b", {})).status_code == 404
    paid = await post(f"/payments/{real['id']}/confirm", key, "b", {})
    assert paid.json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("gateway", "credentials", "live"),
    [
        ("stripe", {"secret_key": Secret("sk_live_1")}, True),
        ("stripe", {"secret_key": Secret("rk_test_1")}, False),
        ("razorpay", {"key_id": "rzp_live_1", "key_secret": Secret("x")}, True),
        ("razorpay", {"key_id": "rzp_test_1", "key_secret": Secret("x")}, False),
        ("yookassa", {"shop_id": "1", "secret_key": Secret("live_1")}, True),
        ("yookassa", {"shop_id": "1", "secret_key": Secret("test_1")}, False),
        ("yookassa", {"shop_id": "1", "secret_key": Secret("other")}, None),
        ("tbank", {"terminal_key": "1", "password": Secret("x")}, True),
        ("tbank", {"terminal_key": "1DEMO", "password": Secret("x")}, False),
        ("mock", {}, False),
        ("flaky", {}, False),
    ],
)
def test_an_accounts_credentials_tell_whether_its_money_is_real(
    gateway: str, credentials: dict[str, Any], live: bool | None
) -> None:
    driver = drivers()[gateway]
    assert driver.address(driver.Settings(**credentials)).live is live


async def test_a_whole_key_is_revoked_whatever_others_begin_alike(stage: Stage) -> None:
    key = await issue_key(stage.context.db, stage.merchant, stage.clock.now())
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO api_keys (id, merchant_id, prefix, hash, created_at)"
            " SELECT gen_random_uuid(), merchant_id, prefix, '\\x00', created_at FROM api_keys"
        )
    with pytest.raises(UnknownKeyError, match="more than one"):
        await revoke(stage.context.db, key[:12], stage.clock.now())
    with pytest.raises(UnknownKeyError, match="too short"):
        await revoke(stage.context.db, key[:8], stage.clock.now())
    await revoke(stage.context.db, key, stage.clock.now())
    left = await stage.rows("SELECT hash FROM api_keys WHERE revoked_at IS NULL")
    assert [row["hash"] for row in left] == [b"\x00"]


async def test_who_may_not_read_events_cannot_have_them_sent(stage: Stage, api: Client) -> None:
    wish = KeyRequest(scopes=("webhooks:write",))
    key = await issue_key(stage.context.db, stage.merchant, stage.clock.now(), wish)
    headers = {"authorization": f"Bearer {key}", "idempotency-key": "k"}
    span = {"since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"}
    here = "/webhook_endpoints/01a1ff00-0000-7000-8000-000000000000/replay"
    for path, body in (("/webhook_endpoints", {"url": "https://shop.example/"}), (here, span)):
        answer = await api.post(path, json=body, headers=headers)
        assert answer.status_code == 403, answer.text
