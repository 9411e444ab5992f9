"""Every state, at both sizes, in every language: clean, whole, reachable by thumb, and light."""

import gzip
import re

import httpx
import pytest

from coinslot.pages.assets import load
from tests.browser.axe import violations
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


@pytest.mark.parametrize(
    ("size", "scheme"),
    [(PHONE, "light"), (PHONE, "dark"), (DESK, "light")],
    ids=["phone", "phone-dark", "desk"],
)
def test_nothing_keeps_anyone_out(
    served: Served, page_at: PageAt, size: tuple[int, int], scheme: str
) -> None:
    page = page_at(size, color_scheme=scheme, reduced_motion="reduce")
    found = []
    for path in PATHS:
        page.goto(served.url + path)
        found += [(path, rule) for rule in violations(page)]
    assert found == []


@pytest.mark.parametrize("lang", ["hi", "ru", "ar-XB"])
def test_other_languages_keep_nobody_out_either(served: Served, page_at: PageAt, lang: str) -> None:
    page = page_at(PHONE, reduced_motion="reduce")
    found = []
    for path in ("/", "/q/M01", "/q/M02", "/o/scan", "/o/checking", "/o/refunded"):
        page.goto(f"{served.url}{path}?lang={lang}")
        found += [(path, rule) for rule in violations(page)]
    assert found == []


@pytest.mark.parametrize("lang", ["en", "hi", "ru", "ar-XB"])
def test_no_page_scrolls_sideways_at_any_width(served: Served, page_at: PageAt, lang: str) -> None:
    page = page_at()
    for path in PATHS:
        page.goto(f"{served.url}{path}{'&' if '?' in path else '?'}lang={lang}")
        for width, height in (DESK, PHONE, NARROWEST):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
                path,
                width,
            )


def test_everything_to_tap_is_large_enough_for_a_wet_thumb(served: Served, page_at: PageAt) -> None:
    page = page_at(PHONE)
    small = []
    for path in PATHS:
        page.goto(served.url + path)
        small += page.evaluate(_SMALL, _THUMB_PX)
    assert small == []


@pytest.mark.parametrize("lang", ["en", "hi", "ru"])
def test_the_first_screen_at_a_machine_needs_no_scrolling(
    served: Served, page_at: PageAt, lang: str
) -> None:
    page = page_at(PHONE)
    for code in ("M01", "S01", "X-offline"):
        page.goto(f"{served.url}/q/{code}?lang={lang}")
        for part in (".plate", "h1", ".place", ".state", ".contact a"):
            box = page.locator(part).bounding_box()
            assert box, (code, part)
            assert box["y"] + box["height"] <= PHONE[1], (code, part)
        shown = ".pay, .promise" if code != "X-offline" else ".why .lead, .nearest"
        for one in page.locator(shown).all():
            box = one.bounding_box()
            assert box
            assert box["y"] + box["height"] <= PHONE[1], code


@pytest.mark.parametrize("lang", ["en", "hi", "ru"])
def test_a_page_is_light(served: Served, lang: str) -> None:
    for path in PATHS:
        url = f"{served.url}{path}{'&' if '?' in path else '?'}lang={lang}"
        text = httpx.get(url, headers={"accept": "text/html"}).text
        assert len(gzip.compress(text.encode(), 6)) <= _HTML_MAX_BYTES, path
        scripts = re.findall(r'<script[^>]* src="/static/([^"?]+)', text)
        assert sum(len(load(name).body) for name in scripts) <= _SCRIPT_MAX_BYTES
        assert not re.search(r"<link[^>]+stylesheet|@import|@font-face", text)


def test_nothing_is_fetched_from_elsewhere(served: Served, page_at: PageAt) -> None:
    page = page_at()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in (*PATHS, "/docs"):
        page.goto(served.url + path)
    foreign = [url for url in asked if not url.startswith((served.url, "data:"))]
    assert foreign == []


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
