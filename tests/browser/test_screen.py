"""The machine's own screen in a real browser: it follows the machine, stays when the network goes,
and comes back by itself."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, expect

from coinslot import pages
from coinslot.kit import qr
from coinslot.orders.page_views import WhyNot
from tests.browser.axe import shown_at, violations, violations_of_colours
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.web import cast
from tests.web.serving import Served

pytestmark = pytest.mark.browser

M02 = cast.outlets()["M02"]
WARM = replace(M02, ready=False, why_not=WhyNot.TOO_WARM)


def test_a_screen_shows_the_code_what_is_sold_and_how_the_machine_is(
    served: Served, page_at: PageAt
) -> None:
    page = page_at(PHONE)
    page.goto(f"{served.url}/m/M02/screen")
    for size in (PHONE, DESK):
        shown_at(page, size, "light")
        assert violations(page) == [], size
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shown_at(page, size, "dark")
        assert violations_of_colours(page) == [], (size, "dark")
    code = page.locator(".code svg").screenshot()
    assert qr.read(code) == "http://127.0.0.1:8000/q/M02"
    expect(page.locator("#items tr")).to_have_count(len(M02.items))
    expect(page.locator("tr.gone")).to_have_count(1)


def test_without_javascript_it_shows_the_same_and_comes_again(
    served: Served, page_at: PageAt
) -> None:
    page = page_at(DESK, javascript=False)
    page.goto(f"{served.url}/m/M02/screen?lang=ru")
    expect(page.locator("#items tr")).to_have_count(len(M02.items))
    assert '<meta http-equiv="refresh" content="60">' in page.content()


def test_a_screen_follows_its_machine_through_a_loss_of_network(
    served: Served, browser: Browser
) -> None:
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{served.url}/m/M02/screen")
    title, away = page.locator("#title"), page.locator("#away")
    expect(away).to_be_hidden()
    served.backend.outlets["M02"] = WARM
    expect(title).to_contain_text("too warm")
    expect(page.locator("tr.gone")).to_have_count(len(M02.items))
    context.set_offline(True)
    expect(away).to_be_visible()
    expect(page.locator("#items tr")).to_have_count(len(M02.items))
    served.backend.outlets["M02"] = replace(M02, busy=True)
    context.set_offline(False)
    expect(away).to_be_hidden()
    expect(title).not_to_contain_text("too warm")
    assert page.locator("#state").get_attribute("class") == "busy"
    assert errors == []
    context.close()
    served.refill()


# Until the worker runs and has both, the page and its script.
_KEPT = """async () => {
    const has = async () => Promise.all((await caches.keys()).map(async (name) =>
        (await (await caches.open(name)).keys()).length));
    while (!(await has()).includes(2) || !navigator.serviceWorker.controller)
        await new Promise((then) => setTimeout(then, 20));
}"""


def test_a_tablet_that_is_switched_on_without_a_network_shows_its_page_and_says_so(
    served: Served, page_at: PageAt
) -> None:
    page = page_at(DESK, service_workers="allow")
    address = f"{served.url}/m/M02/screen?lang=ru"
    page.goto(address)
    page.evaluate(_KEPT)
    page.context.set_offline(True)
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#items tr")).to_have_count(len(M02.items))
    assert qr.read(page.locator(".code svg").screenshot()) == "http://127.0.0.1:8000/q/M02"
    expect(page.locator("#away")).to_be_visible()
    page.context.set_offline(False)
    # Nothing has changed: that it is back is known before a wait of 25 s is over.
    expect(page.locator("#away")).to_be_hidden(timeout=20_000)


def test_its_script_is_one_that_old_tablets_read() -> None:
    script = (Path(pages.__file__).parent / "static" / "screen.js").read_text()
    code = re.sub(r"//.*", "", script)
    newer = re.findall(
        r"=>|`|\b(?:let|const|class|async|await|fetch|Promise|of)\b|\?\.|\.\.\.", code
    )
    assert newer == []
