"""A page meets nothing of the test before."""

import pytest
from playwright.sync_api import Browser

from tests.browser.contexts import Contexts
from tests.web.serving import Served

pytestmark = pytest.mark.browser
OPTIONS = {"service_workers": "block", "locale": "en-IN"}


def test_nothing_stays_in_a_context_that_is_lent_again(served: Served, browser: Browser) -> None:
    contexts = Contexts(browser)
    first = contexts.lend(**OPTIONS)
    page = first.new_page()
    page.goto(f"{served.url}/q/M01")
    page.evaluate("localStorage.left = 1; document.cookie = 'left=1; path=/'")
    first.route("**/*", lambda route: route.abort())
    contexts.take_back(first)
    again = contexts.lend(**OPTIONS)
    assert again is first
    page = again.new_page()
    page.goto(f"{served.url}/q/M01")
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    contexts.take_back(again)


def test_two_customers_of_one_test_share_nothing(browser: Browser) -> None:
    contexts = Contexts(browser)
    assert contexts.lend(**OPTIONS) is not contexts.lend(**OPTIONS)


@pytest.mark.parametrize("more", [{"service_workers": "allow"}, {"timezone_id": "Asia/Kolkata"}])
def test_one_that_may_differ_in_the_next_test_is_closed(
    browser: Browser, more: dict[str, str]
) -> None:
    contexts = Contexts(browser)
    lent = contexts.lend(**OPTIONS | more)
    contexts.take_back(lent)
    assert lent not in browser.contexts
