"""The console as an app on a phone: it can be installed, says that it is offline, and keeps
nothing."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, PageAt
from tests.browser.console_served import ConsoleServed
from tests.browser.test_console import signed_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[ConsoleServed]:
    with ConsoleServed(postgres, template) as served:
        yield served


def test_a_phone_without_a_connection_says_so_and_shows_no_old_money(
    served: ConsoleServed, page_at: PageAt
) -> None:
    page = signed_in(served, page_at(PHONE, service_workers="allow"), "boris")
    page.evaluate("navigator.serviceWorker.ready.then((one) => one.scope)")
    page.reload()
    page.context.set_offline(True)
    page.goto(f"{served.url}/console/today", wait_until="commit")
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    assert page.evaluate("caches.keys()") == []
    page.context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("navigation", name="Parts of the console")).to_be_visible()


def test_the_manifest_names_the_installation_and_pictures_that_are_there(
    served: ConsoleServed,
) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        manifest = client.get("/console/manifest.webmanifest").json()
        assert (manifest["name"], manifest["scope"]) == ("Coinslot", "/console")
        for one in manifest["icons"]:
            picture = client.get(one["src"])
            assert picture.headers["content-type"] == "image/png"
            width = int.from_bytes(picture.content[16:20], "big")
            assert one["sizes"] == f"{width}x{width}"
        worker = client.get("/console/worker.js")
        assert worker.headers["service-worker-allowed"] == "/console"
        assert "caches" not in worker.text
        assert "connect-src 'self'" in worker.headers["content-security-policy"]
