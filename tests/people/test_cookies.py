"""A browser's session: a new secret at each sign-in and each fresh proof, and no form of another
site."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from litestar import Litestar, Response, get, post

from coinslot.pages import cookies
from coinslot.pages.access import Access, allowed, client_of, signed_in
from coinslot.pages.errors import Errors
from coinslot.pages.rendering import AnyRequest, Renderer
from coinslot.people import sessions, sign_in
from coinslot.people.authentication import Authentication
from coinslot.people.sessions import Opened
from tests.people.conftest import PASSWORD, Staffed, code_of
from tests.web.serving import SITE

LIFE = timedelta(days=90)


def pages(auth: Authentication) -> Litestar:
    """A few pages that sign in with a cookie, as a console would."""
    access = Access(auth, cookies=True)

    def signed(opened: Opened) -> Response[Any]:
        response: Response[Any] = Response(None)
        cookies.put(response, auth.base_url, opened.cookie, LIFE)
        return response

    @post("/sign-in")
    async def enter(request: AnyRequest) -> Response[Any]:
        attempt = sign_in.Attempt(login="boris", password=PASSWORD)
        entering = sign_in.sign_in(auth, attempt, client_of(request), "cookie")
        return signed(await allowed(entering))

    @post("/prove", guards=[access.may()])
    async def prove(request: AnyRequest) -> Response[Any]:
        attempt = sign_in.Attempt(password=PASSWORD)
        proving = sign_in.step_up(auth, signed_in(request), attempt, client_of(request))
        return signed(await allowed(proving))

    @get("/me", guards=[access.may()])
    async def me(request: AnyRequest) -> str:
        return signed_in(request).login

    @post("/refund", guards=[access.may("refunds:write")])
    async def refund(request: AnyRequest) -> str:
        return "done"

    @post("/sign-out", guards=[access.may()])
    async def leave(request: AnyRequest) -> Response[Any]:
        who = signed_in(request)
        await sessions.end(auth, who, who.session)
        response: Response[Any] = Response(None)
        cookies.remove(response, auth.base_url)
        return response

    errors = Errors(Renderer(SITE), auth.context.clock)
    return Litestar(
        [enter, prove, me, refund, leave], exception_handlers={Exception: errors.answer},
        openapi_config=None,
    )  # fmt: skip


@asynccontextmanager
async def browser(staffed: Staffed, base_url: str = "https://pay.test") -> AsyncIterator[Any]:
    app: Any = pages(Authentication(staffed.stage.context, base_url))
    wire = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=wire, base_url=base_url) as client:
        client.headers["sec-fetch-site"] = "same-origin"
        yield client


async def test_a_session_is_a_cookie_that_only_this_host_can_set(staffed: Staffed) -> None:
    async with browser(staffed) as one:
        entered = await one.post("/sign-in")
        cookie = entered.headers["set-cookie"]
        assert cookie.startswith("__Host-coinslot=")
        for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert part in cookie
        assert "Domain" not in cookie
        assert (await one.get("/me")).text == "boris"
        secret = one.cookies["__Host-coinslot"]
    assert len(secret) >= 43  # 256 bits
    async with staffed.stage.context.db.system_transaction() as conn:
        kept = await conn.fetchval("SELECT s::text FROM sessions s")
    assert secret not in kept


async def test_the_demo_on_http_has_a_cookie_that_browsers_take(staffed: Staffed) -> None:
    async with browser(staffed, "http://127.0.0.1:8000") as one:
        cookie = (await one.post("/sign-in")).headers["set-cookie"]
        assert cookie.startswith("coinslot=")
        assert "Secure" not in cookie
        assert (await one.get("/me")).text == "boris"


async def test_over_https_a_cookie_by_the_plain_name_counts_for_nothing(staffed: Staffed) -> None:
    async with browser(staffed) as one:
        await one.post("/sign-in")
        secret = one.cookies["__Host-coinslot"]
        one.cookies.clear()
        one.cookies.set("coinslot", secret, domain="pay.test")
        assert (await one.get("/me")).status_code == 401


async def test_a_cookie_that_somebody_else_put_there_is_not_kept(staffed: Staffed) -> None:
    """Fixation: who knows the cookie before the sign-in must not be signed in by it."""
    async with browser(staffed) as one:
        known = "k" * 43
        one.cookies.set("__Host-coinslot", known, domain="pay.test")
        entered = await one.post("/sign-in")
        assert known not in entered.headers["set-cookie"]
        one.cookies.clear()
        one.cookies.set("__Host-coinslot", known, domain="pay.test")
        assert (await one.get("/me")).status_code == 401


async def test_each_sign_in_and_each_fresh_proof_has_a_new_secret(staffed: Staffed) -> None:
    async with browser(staffed) as one:
        secrets = []
        for path in ("/sign-in", "/sign-in", "/prove"):
            assert (await one.post(path)).status_code == 201
            secrets.append(one.cookies["__Host-coinslot"])
        assert len(set(secrets)) == 3
        assert (await one.get("/me")).status_code == 200
        one.cookies.clear()
        one.cookies.set("__Host-coinslot", secrets[1], domain="pay.test")
        assert (await one.get("/me")).status_code == 401  # replaced by the proof


async def test_after_signing_out_the_cookie_is_gone_and_worth_nothing(staffed: Staffed) -> None:
    async with browser(staffed) as one:
        await one.post("/sign-in")
        secret = one.cookies["__Host-coinslot"]
        assert (await one.post("/sign-out")).status_code == 201
        assert "__Host-coinslot" not in one.cookies
        one.cookies.set("__Host-coinslot", secret, domain="pay.test")
        assert (await one.get("/me")).status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense", ""])
async def test_a_form_of_another_site_does_nothing(staffed: Staffed, site: str) -> None:
    async with browser(staffed) as one:
        await one.post("/sign-in")
        token = cookies.form_token(one.cookies["__Host-coinslot"])
        answer = await one.post("/refund", headers={"sec-fetch-site": site, "x-form-token": token})
        assert (answer.status_code, code_of(answer)) == (403, "cross_site")
        assert (await one.get("/me", headers={"sec-fetch-site": site})).status_code == 200


async def test_without_word_of_where_it_comes_from_a_form_needs_its_sessions_token(
    staffed: Staffed,
) -> None:
    async with browser(staffed) as one, browser(staffed) as other:
        await one.post("/sign-in")
        await other.post("/sign-in")
        del one.headers["sec-fetch-site"]
        right = cookies.form_token(one.cookies["__Host-coinslot"])
        foreign = cookies.form_token(other.cookies["__Host-coinslot"])
        for form in ({}, {"form_token": ""}, {"form_token": foreign}, {"form_token": right[:-1]}):
            answer = await one.post("/refund", data=form)
            assert (answer.status_code, code_of(answer)) == (403, "cross_site")
        assert (await one.post("/refund", data={"form_token": right})).status_code == 201
        answer = await one.post("/refund", headers={"x-form-token": right})
        assert answer.status_code == 201
        answer = await one.post("/refund", json={"form_token": right})
        assert answer.status_code == 403


async def test_a_cookie_is_no_token_and_a_token_no_cookie(staffed: Staffed) -> None:
    token = await staffed.token("boris")
    async with browser(staffed) as one:
        await one.post("/sign-in")
        secret = one.cookies["__Host-coinslot"]
        assert (await staffed.call(secret, "GET", "/auth/profile")).status_code == 401
        one.cookies.clear()
        assert (
            await one.get("/me", headers={"authorization": f"Bearer {token}"})
        ).status_code == 401
        one.cookies.set("__Host-coinslot", token, domain="pay.test")
        assert (await one.get("/me")).status_code == 401
    async with staffed.client() as client:
        client.cookies.set("coinslot", secret)
        client.cookies.set("__Host-coinslot", secret)
        assert (await client.get("/auth/profile")).status_code == 401
