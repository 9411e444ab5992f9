"""Every state, at both sizes, in every language: clean, whole, reachable by thumb, and light."""

import gzip
import re

import httpx
import pytest

from coinslot.pages.assets import load
from tests.browser.axe import shown_at, violations, violations_of_colours
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.web import cast
from tests.web.serving import Served

pytestmark = pytest.mark.browser

ORDERS = [f"/o/{token}" for token in sorted(cast.orders(cast.NOON))]
OUTLETS = [f"/q/{code}" for code in ("M01", "M02", "S01", "X-offline", "X-sold_out")]
OTHERS = [
    "/",
    "/q/M01/help",
    "/q/M01/help?amount=40&time=12:00",
    "/nowhere",
    "/o/done?asked=machine",
]
PATHS = OUTLETS + ORDERS + OTHERS
LOOKED_AT_IN_OTHER_LANGUAGES = ("/", "/q/M01", "/q/M02", "/o/scan", "/o/checking", "/o/refunded")
NARROWEST = (320, 640)

_HTML_MAX_BYTES = 15 * 1024
_SCRIPT_MAX_BYTES = 20 * 1024
_THUMB_PX = 48
_SMALL = """(least) =>
    [...document.querySelectorAll("a[href]:not(.skip), button, input:not([type=hidden])")]
        .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
        .filter(([, box]) => box.height < least || box.width < least)
        .map(([html, box]) => `${location.pathname} ${html} ${box.width}x${box.height}`)
"""
_SCROLLS = "document.documentElement.scrollWidth > innerWidth"
# What of the parts, of which there is one each, and of the others is not seen without scrolling.
_BELOW = """([parts, others]) => {
    const seen = (one) => {
        const box = one.getBoundingClientRect();
        return box.height > 0 && box.bottom <= innerHeight;
    };
    const found = parts.filter((part) => {
        const all = document.querySelectorAll(part);
        return all.length !== 1 || !seen(all[0]);
    });
    const rest = [...document.querySelectorAll(others)].filter((one) => !seen(one));
    return [...found, ...rest.map((one) => one.outerHTML.slice(0, 80))];
}"""


def test_every_page_is_whole_and_keeps_nobody_out(served: Served, page_at: PageAt) -> None:
    """Each is visited once, and looked at on every screen."""
    page = page_at(PHONE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    found: list[tuple[str, str, str]] = []
    for path in PATHS:
        shown_at(page, PHONE, "light")
        page.goto(served.url + path)
        found += [("phone", path, rule) for rule in violations(page)]
        found += [("thumb", path, small) for small in page.evaluate(_SMALL, _THUMB_PX)]
        for size in (PHONE, NARROWEST, DESK):
            shown_at(page, size)
            if page.evaluate(_SCROLLS):
                found.append(("scrolls sideways", path, str(size)))
        found += [("desk", path, rule) for rule in violations(page)]
        shown_at(page, PHONE, "dark")
        found += [("dark", path, rule) for rule in violations_of_colours(page)]
    page.goto(f"{served.url}/docs")
    found += [("from elsewhere", page.url, url) for url in asked
              if not url.startswith((served.url, "data:"))]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("lang", ["hi", "ru", "ar-XB"])
def test_other_languages_keep_nobody_out_either(served: Served, page_at: PageAt, lang: str) -> None:
    page = page_at(PHONE)
    found = []
    sizes = [PHONE, NARROWEST, DESK]
    for path in PATHS:
        page.goto(f"{served.url}{path}{'&' if '?' in path else '?'}lang={lang}")
        for size in sizes:
            shown_at(page, size)
            if page.evaluate(_SCROLLS):
                found.append((path, f"scrolls sideways at {size[0]}"))
            if size == PHONE and path in LOOKED_AT_IN_OTHER_LANGUAGES:
                found += [(path, rule) for rule in violations(page)]
        sizes.reverse()  # the next page is drawn as it stands
    assert found == []


@pytest.mark.parametrize("lang", ["en", "hi", "ru"])
def test_the_first_screen_at_a_machine_needs_no_scrolling(
    served: Served, page_at: PageAt, lang: str
) -> None:
    page = page_at(PHONE)
    for code in ("M01", "S01", "X-offline"):
        page.goto(f"{served.url}/q/{code}?lang={lang}")
        shown = ".pay, .promise" if code != "X-offline" else ".why .lead, .nearest"
        parts = [".plate", "h1", ".place", ".state", ".contact a"]
        assert page.evaluate(_BELOW, [parts, shown]) == [], code


@pytest.mark.parametrize("lang", ["en", "hi", "ru"])
def test_a_page_is_light(served: Served, lang: str) -> None:
    with httpx.Client(headers={"accept": "text/html"}, trust_env=False) as client:
        for path in PATHS:
            url = f"{served.url}{path}{'&' if '?' in path else '?'}lang={lang}"
            text = client.get(url).text
            assert len(gzip.compress(text.encode(), 6)) <= _HTML_MAX_BYTES, path
            scripts = re.findall(r'<script[^>]* src="/static/([^"?]+)', text)
            assert sum(len(load(name).body) for name in scripts) <= _SCRIPT_MAX_BYTES
            assert not re.search(r"<link[^>]+stylesheet|@import|@font-face", text)


def test_the_apis_page_works_under_its_policy(served: Served, page_at: PageAt) -> None:
    page = page_at(DESK)
    page.goto(f"{served.url}/docs")
    page.locator("#swagger").get_by_text("/webhooks/{gateway}", exact=True).click()
    page.get_by_text("Responses").first.wait_for()


def test_on_a_slow_line_the_apis_page_loads_its_console_only_when_asked(
    served: Served, page_at: PageAt
) -> None:
    page = page_at(PHONE)
    page.add_init_script(
        "Object.defineProperty(navigator, 'connection', { value: { effectiveType: '3g' } })"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.url}/docs")
    page.get_by_text("/webhooks/{gateway}", exact=True).wait_for()
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "swagger" in url]
    page.get_by_role("button", name="Try it in the console").click()
    page.locator("#swagger").get_by_text("/webhooks/{gateway}", exact=True).wait_for()
