"""The engineer's pages in Chromium: none keeps anyone out, at both sizes, light and dark; a gateway
is added by keyboard alone, and a key is made without JavaScript."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import Scheme, Size, on_each
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.browser.console_served import ConsoleServed
from tests.browser.test_receipt_pages import SCREENS
from tests.people.conftest import PASSWORD

pytestmark = pytest.mark.browser

_LOOK = os.environ.get("COINSLOT_SCREENSHOTS")  # a folder: pictures of every page


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[ConsoleServed]:
    with ConsoleServed(postgres, template) as served:
        yield served


def signed_in(served: ConsoleServed, page: Page, lang: str = "en") -> Page:
    page.goto(f"{served.url}/console?lang={lang}" if lang != "en" else f"{served.url}/console")
    page.locator("input[name=login]").fill("asha")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("nav.tabs")).to_be_visible()
    return page


def added_webhook(served: ConsoleServed, page: Page) -> str:
    page.goto(f"{served.url}/console/webhooks")
    page.get_by_label("URL").fill("https://shop.example/hooks")
    page.get_by_label("What it is for").fill("web shop")
    page.get_by_role("button", name="Add an address").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    return str(page.locator("form[action$='/rotate']").get_attribute("action")).rpartition("/")[0]


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_no_page_of_the_engineer_keeps_anyone_out(
    served: ConsoleServed, page_at: PageAt, lang: str
) -> None:
    page = page_at(PHONE)
    signed_in(served, page)
    hook = added_webhook(served, page)
    account = served.tell(served.staffed.stage.value("SELECT id FROM gateway_accounts LIMIT 1"))
    paths = (
        "/console/gateways", "/console/gateways/new/razorpay", "/console/gateways/new/tbank",
        f"/console/gateways/{account}", f"/console/gateways/{account}/change", "/console/keys",
        "/console/webhooks", hook, "/console/settings/business", "/console/settings/windows",
        "/console/settings/selling",
        "/console/account",
    )  # fmt: skip
    found = []
    for path in paths:
        page.goto(f"{served.url}{path}?lang={lang}")
        found += _kept_out(page, path, lang)
    page.locator("form[action*='factors/totp'] button").click()
    expect(page.locator(".scan svg")).to_be_visible()
    found += _kept_out(page, "/console/app", lang)
    assert found == []


def _kept_out(page: Page, path: str, lang: str) -> list[tuple[str, str, Size, Scheme]]:
    found = []
    for size, scheme, rules in on_each(page, SCREENS[lang]):
        found += [(rule, path, size, scheme) for rule in rules]
        _shot(page, path, size, scheme, lang)
    return found


def _shot(page: Page, path: str, size: Size, scheme: Scheme, lang: str) -> None:
    if _LOOK:
        name = path.removeprefix("/console/").replace("/", "-")
        page.screenshot(path=f"{_LOOK}/{name}.{size[0]}.{scheme}.{lang}.png", full_page=True)


def test_by_keyboard_alone_a_gateway_is_added_and_disabled(
    served: ConsoleServed, page_at: PageAt
) -> None:
    page = signed_in(served, page_at(DESK))
    page.goto(f"{served.url}/console/gateways")
    page.get_by_role("link", name="Practice gateway", exact=True).focus()
    page.keyboard.press("Enter")
    name = page.get_by_label("Name in the webhook's address")
    name.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("by-keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The gateway takes these credentials.")).to_be_focused()
    expect(page.get_by_text("/webhooks/mock/by-keyboard")).to_be_visible()
    page.get_by_role("button", name="Disable").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It takes no new payments.")).to_be_focused()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_a_key_is_made_and_seen_once(
    served: ConsoleServed, page_at: PageAt, javascript: bool
) -> None:
    page = signed_in(served, page_at(PHONE, javascript))
    page.goto(f"{served.url}/console/keys")
    page.get_by_label("What it is for").fill(f"till {javascript}")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    expect(page.locator("#new-key")).to_contain_text("sk_test_")
    page.goto(f"{served.url}/console/keys")
    expect(page.get_by_text(f"till {javascript}").first).to_be_visible()
    expect(page.locator("#new-key")).to_have_count(0)
