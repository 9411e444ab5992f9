"""A real Chromium. Where none is the tests are skipped, which in CI is a failure."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.contexts import Contexts
from tests.web.serving import Served

PHONE = (412, 915)
DESK = (1440, 900)
INSTALL = "apt-get install -y --no-install-recommends chromium fonts-liberation"

# The shell of Chromium first, which has no windows: a page costs it half as much.
_NAMES = (
    os.environ.get("COINSLOT_CHROMIUM", ""), "chromium-headless-shell", "chromium",
    "chromium-browser", "google-chrome",
)  # fmt: skip
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]

PageAt = Callable[..., Page]

# A page without JavaScript comes back every five seconds, and a busy machine is slow.
expect.set_options(timeout=20_000)


# Not of the session: while Playwright's loop lives, no asynchronous test can run in this process.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium here; as root: {INSTALL}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Contexts:
    return Contexts(browser)


@pytest.fixture
def page_at(contexts: Contexts) -> Iterator[PageAt]:
    """`page_at(PHONE)`, `page_at(DESK, javascript=False)`; what else a context takes, by name.
    What moves for the eye alone is painted sixty times a second, so nothing does unless asked for.

    A page that wrote to its console (a refused style, a script that broke) fails the test."""
    complaints: list[str] = []
    lent = []

    def page_at(size: tuple[int, int] = PHONE, javascript: bool = True, **more: object) -> Page:
        width, height = size
        options = {
            "viewport": {"width": width, "height": height}, "java_script_enabled": javascript,
            "locale": "en-IN", "has_touch": size == PHONE, "service_workers": "block",
            "reduced_motion": "reduce", **more,
        }  # fmt: skip
        context = contexts.lend(**options)
        lent.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        return page

    yield page_at
    for context in lent:
        contexts.take_back(context)
    # A 404 or a 503 that was asked for is written there too; that no worker is to run; and advice
    # for forms of a password alone, as a link in a mail leads to.
    expected = ("Failed to load resource", "Service Worker registration blocked", "[DOM] Password")
    assert [said for said in complaints if not any(one in said for one in expected)] == []


@pytest.fixture(scope="package")
def _served() -> Iterator[Served]:
    with Served() as served:
        yield served


@pytest.fixture
def served(_served: Served) -> Served:
    """The web over a FakeDesk, with every outlet and order of the cast fresh."""
    _served.refill()
    return _served
