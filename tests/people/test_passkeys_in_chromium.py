"""Passkeys as a real browser makes them, with the authenticator that Chromium emulates: our own one
in software does not prove how browsers behave."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from msgspec.structs import replace
from playwright.async_api import Page, async_playwright

from coinslot.app.routes import build
from tests.browser.conftest import _FLAGS, _NAMES, INSTALL
from tests.people.conftest import PASSWORD, Staffed
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

pytestmark = pytest.mark.browser

CREATE = """async (options) => (await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON()"""
ANSWER = """async (options) => (await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON()"""
PHONE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


class _Server(uvicorn.Server):
    """Signals stay the test's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
async def home(staffed: Staffed) -> AsyncIterator[str]:
    """The installation at localhost: browsers give passkeys to no address in numbers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        context = staffed.stage.context
        app = build(FakeBackend(), replace(SITE, base_url=url), context.clock, context)
        server = _Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve([listener]))
        yield url
        server.should_exit = True
        await serving


@pytest.fixture
async def page(home: str) -> AsyncIterator[Page]:
    """A page of the installation, in a browser with an authenticator."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium here; as root: {INSTALL}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_FLAGS)
        page = await browser.new_page()
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("WebAuthn.enable")
        await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})
        await page.goto(f"{home}/health/live")
        yield page
        await browser.close()


async def test_a_passkey_that_a_browser_made_signs_in_alone(home: str, page: Page) -> None:
    async with httpx.AsyncClient(base_url=home, trust_env=False) as client:

        async def post(path: str, body: Any = None, status: int = 200) -> Any:
            answer = await client.post(path, json=body)
            assert answer.status_code == status, answer.text
            return answer.json()

        tokens = await post("/auth/login", {"login": "boris", "password": PASSWORD})
        client.headers["authorization"] = f"Bearer {tokens['access_token']}"
        asked = await post("/auth/factors/passkey")
        made = await page.evaluate(CREATE, asked["passkey"])
        body = {"challenge": asked["challenge"], "passkey": made, "name": "phone"}
        assert len((await post("/auth/factors/passkey/confirm", body))["recovery_codes"]) == 10
        del client.headers["authorization"]

        asked = await post("/auth/challenge")
        shown = await page.evaluate(ANSWER, asked["passkey"])
        signed = {"challenge": asked["challenge"], "passkey": shown}
        tokens = await post("/auth/login", signed)
        await post("/auth/login", signed, status=401)
        client.headers["authorization"] = f"Bearer {tokens['access_token']}"
        profile = (await client.get("/auth/profile")).json()
        assert (profile["login"], profile["factors"]) == ("boris", ["passkey"])
