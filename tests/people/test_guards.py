"""The guards of routes, asked themselves: what each kind of token or cookie opens, with which
permission and how fresh a proof, and in which order it is refused."""

from types import SimpleNamespace
from typing import Any

import pytest

from coinslot.pages import access, cookies
from coinslot.pages.access import Access
from coinslot.pages.errors import RefusedError
from coinslot.people import device_keys
from coinslot.people.authentication import Client
from coinslot.people.device_keys import DeviceKeyRequest
from tests.people.conftest import HERE, Staffed
from tests.people.test_sign_in import change
from tests.people.test_whole_rows import asha
from tests.people.test_whole_sessions import all_sessions, opened_as
from tests.web.serving import SITE

NAME = "coinslot"  # of the cookie, over http


def asks(
    token: str | None = None, cookie: str | None = None, method: str = "GET", **headers: str
) -> Any:
    if token is not None:
        headers["authorization"] = f"Bearer {token}"

    async def form() -> dict[str, str]:
        return {}

    return SimpleNamespace(
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        cookies={} if cookie is None else {NAME: cookie}, method=method, form=form,
        client=SimpleNamespace(host=HERE), scope={"state": {}},
    )  # fmt: skip


async def answer(guard: Any, request: Any) -> tuple[int, str]:
    """(200, "") where it lets in."""
    refused = None
    try:
        await guard(request, None)
    except RefusedError as error:
        refused = error
    if refused is None:
        return 200, ""
    is_unknown = refused.status == 401
    assert dict(refused.headers) == ({"WWW-Authenticate": "Bearer"} if is_unknown else {})
    return refused.status, refused.code


async def test_a_token_opens_what_its_owner_may_and_a_cookie_nothing_there(
    staffed: Staffed,
) -> None:
    may = Access(staffed.auth).may
    assert SITE.base_url.startswith("http:")
    boris = (await opened_as(staffed, "boris", kind="token")).access_token
    cookie = (await opened_as(staffed, "boris")).cookie
    staffed.later(400)
    for request, permission, fresh, said in (
        (asks(), None, False, (401, "invalid_token")),
        (asks(cookie=cookie), None, False, (401, "invalid_token")),
        (asks("x"), None, False, (401, "invalid_token")),
        (asks(cookie), None, False, (401, "invalid_token")),
        (asks(boris), None, False, (200, "")),
        (asks(boris), "refunds:write", False, (200, "")),
        (asks(boris), "refunds:write", True, (200, "")),
        (asks(boris, method="POST"), "refunds:write", True, (200, "")),
        (asks(boris), "people:write", False, (403, "forbidden")),
        (asks(boris), "people:write", True, (403, "forbidden")),
    ):
        assert await answer(may(permission, fresh=fresh), request) == said
        if said[0] != 401:
            who = access.signed_in(request)
            assert (who.login, who.address) == ("boris", HERE)
        else:
            assert request.scope["state"] == {}
    staffed.later(199)
    assert await answer(may(fresh=True), asks(boris)) == (200, "")
    staffed.later(2)
    again = (await opened_as(staffed, "boris", kind="token")).access_token
    assert await answer(may(fresh=True), asks(again)) == (200, "")
    assert await answer(may(fresh=True), asks(boris)) == (401, "invalid_token")


async def test_a_cookie_opens_the_console_for_pages_of_ours_alone(staffed: Staffed) -> None:
    may = Access(staffed.auth, cookies=True).may
    token = (await opened_as(staffed, "boris", kind="token")).access_token
    cookie = (await opened_as(staffed, "boris")).cookie
    own = cookies.form_token(cookie)
    for request, permission, fresh, said in (
        (asks(), None, False, (401, "invalid_token")),
        (asks(token), None, False, (401, "invalid_token")),
        (asks(cookie=""), None, False, (401, "invalid_token")),
        (asks(cookie="x"), None, False, (401, "invalid_token")),
        (asks(cookie=token), None, False, (401, "invalid_token")),
        (asks(cookie=cookie), "refunds:write", True, (200, "")),
        (asks(cookie=cookie), "people:write", False, (403, "forbidden")),
        (asks(cookie=cookie, method="POST"), None, False, (403, "cross_site")),
        (asks(cookie=cookie, method="POST", x_form_token=own), None, False, (200, "")),
        (asks(cookie=cookie, method="POST", x_form_token="x"), None, False, (403, "cross_site")),
        (asks(cookie=cookie, method="POST", sec_fetch_site="same-origin"), None, False, (200, "")),
        (asks(cookie=cookie, method="POST", sec_fetch_site="cross-site"), "people:write", True,
         (403, "cross_site")),
    ):  # fmt: skip
        assert await answer(may(permission, fresh=fresh), request) == said
        assert bool(request.scope["state"]) is (said[1] in ("", "forbidden"))
    staffed.later(601)
    assert await answer(may(), asks(cookie=cookie)) == (200, "")
    assert await answer(may(fresh=True), asks(cookie=cookie)) == (403, "step_up_required")
    await change(staffed, "boris", None)
    assert await answer(may(), asks(cookie=cookie)) == (401, "invalid_token")


async def test_a_device_opens_what_its_key_may_and_nothing_of_people(staffed: Staffed) -> None:
    auth, both = staffed.auth, Access(staffed.auth)
    wish = DeviceKeyRequest(machine="M01", permissions=("config:read",))
    made = await device_keys.register(auth, asha(staffed), staffed.merchant, wish)
    device = (await device_keys.device_token(auth, made.key or "")).access_token
    boris = (await opened_as(staffed, "boris", kind="token")).access_token
    for token, permission, said in (
        (None, None, (401, "invalid_token")), ("x", None, (401, "invalid_token")),
        (boris, None, (401, "invalid_token")), (made.key, None, (401, "invalid_token")),
        (device, None, (200, "")), (device, "config:read", (200, "")),
        (device, "telemetry:write", (403, "forbidden")),
    ):  # fmt: skip
        request = asks(token)
        assert await answer(both.device(permission), request) == said
        if said[0] != 401:
            assert access.device_of(request).machine == "M01"
        else:
            assert request.scope["state"] == {}
    assert await answer(both.may(), asks(device)) == (401, "invalid_token")
    assert await device_keys.revoke(auth, asha(staffed), staffed.merchant, made.id)
    assert await answer(both.device(), asks(device)) == (401, "invalid_token")


async def test_whose_merchant_asks_for_two_factors_may_only_add_one(staffed: Staffed) -> None:
    may = Access(staffed.auth).may
    boris = (await opened_as(staffed, "boris", kind="token")).access_token
    async with staffed.auth.db.as_merchant(staffed.merchant) as conn:
        await conn.execute(
            "UPDATE merchants SET second_factor_required = true WHERE id = $1", staffed.merchant
        )
    assert await answer(may(), asks(boris)) == (200, "")
    assert await answer(may("money:read"), asks(boris)) == (403, "second_factor_missing")
    assert len(await all_sessions(staffed)) == 1


@pytest.mark.parametrize(("agent", "kept"), [("a browser", "a browser"), (None, "")])
def test_a_client_is_told_by_address_network_and_browser(agent: str | None, kept: str) -> None:
    request = asks() if agent is None else asks(user_agent=agent)
    request.client.host = "2001:db8:1:2:3::7"
    assert access.client_of(request) == Client(
        address="2001:db8:1:2:3::7", network="2001:db8:1:2::/64", agent=kept
    )
