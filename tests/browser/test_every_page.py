"""Every page of the console, from the table of routes, in each language and in the right-to-left
mirror, on a phone and at a desk: nothing runs over the side, axe finds nothing, and the focus is
seen. A new page is visited as soon as it has a route."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.axe import shown_at, violations
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.browser.console_served import ConsoleServed
from tests.browser.test_console import signed_in, sold
from tests.console.test_roles import served as routes_of

pytestmark = pytest.mark.browser

MIRROR = "ar-XB"
LANGUAGES = ("en", "hi", "ru", MIRROR)
_FILES = re.compile(r"\.(webmanifest|js|png|svg|pdf|csv|xlsx)$|/live$|/export|/file$|/sheet$")
# What goes over the side of the screen, by its first words; or that it runs the wrong way.
_OVER = """mirrored => {
  const {clientWidth: wide, dir, scrollWidth} = document.documentElement;
  if ((dir === "rtl") !== mirrored) return [`direction: ${dir}`];
  if (scrollWidth <= wide) return [];
  return [...document.querySelectorAll("body *")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width && (box.right > wide + 1 || box.left < -1) &&
      !one.closest(".table, .tabs, .unseen, .skip");
  }).slice(0, 3).map((one) => one.outerHTML.slice(0, 120));
}"""


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[ConsoleServed]:
    with ConsoleServed(postgres, template) as served:
        yield served


def paths(served: ConsoleServed, order: str) -> list[str]:
    """Every page that can be looked at, with what Asha has filled in; others are of no merchant."""
    ids = {"machine": "M01", "order": order}
    found = []
    for route in routes_of(served.staffed.app):
        method, path = route.split(" ")
        names = set(re.findall(r"\{(\w+)\}", path))
        if method == "GET" and not _FILES.search(path) and names <= set(ids):
            found.append(re.sub(r"\{(\w+)\}", lambda name: ids[name[1]], path))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_in_every_language_and_turned_around(
    served: ConsoleServed, page_at: PageAt, language: str
) -> None:
    page = page_at(PHONE)
    if language == "en":
        for address in ("sign-in", "forgot", "reset?token=x", "first-run?token=x"):
            page.goto(f"{served.url}/console/{address}")
            assert violations(page) == [], address
    signed_in(served, page)
    order = sold(served).rpartition("/")[2]
    faults: list[tuple[str, object, object]] = []
    looked, sizes = 0, [PHONE, DESK]
    for path in paths(served, order):
        answer = page.goto(f"{served.url}{path}?lang={language}", wait_until="domcontentloaded")
        if answer is None or answer.status in (403, 404):
            continue  # of the installation's admin, or of something that is not there
        if answer.status != 200:
            faults.append((path, "status", answer.status))
        looked += 1
        for size in sizes:
            shown_at(page, size)
            faults += [(path, size, one) for one in page.evaluate(_OVER, language == MIRROR)]
            if language == "en" and size == PHONE:
                faults += [(path, "axe", one) for one in violations(page)]
            if language == "en" and size == DESK and not _focus_is_seen(page):
                faults.append((path, "focus", ""))
        sizes.reverse()  # the next page is drawn as it stands
    assert looked >= 12
    assert faults == []


def _focus_is_seen(page: Page) -> bool:
    """The first three stops of the Tab key have an outline."""
    for _ in range(3):
        page.keyboard.press("Tab")
        style = page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement);"
            " return [s.outlineStyle, parseFloat(s.outlineWidth)]; }"
        )
        if style[0] == "none" or style[1] < 2:
            return False
    return True
