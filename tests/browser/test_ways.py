"""Choosing a way to pay on a phone: the tap leads to the gateway's own page, which is of another
site, and back; the link stands before the code."""

import re

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.web import cast
from tests.web.serving import Served

pytestmark = pytest.mark.browser

SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
BANK = "<!doctype html><html lang=en><title>Bank</title><h1>Pay the bank</h1>"


@pytest.fixture
def phone(served: Served, page_at: PageAt) -> PageAt:
    """Pages that meet the gateway's page at its address."""

    def at(*size: object, **more: object) -> Page:
        page = page_at(*size, **more)
        page.route(
            f"{cast.PAGE}*",
            lambda route: route.fulfill(body=BANK, content_type="text/html; charset=utf-8"),
        )
        return page

    served.backend.when_wanted = replace(served.backend.orders["link"], token="to_pay")
    return at


@SCRIPTS
def test_a_tap_leads_to_the_gateways_page_and_back_to_the_order(
    served: Served, phone: PageAt, javascript: bool
) -> None:
    page = phone(PHONE, javascript)
    page.goto(f"{served.url}/o/to_pay")
    page.get_by_role("button", name="Pay ₹40.00 with Razorpay").click()
    expect(page.get_by_role("heading", name="Pay the bank")).to_be_visible()
    page.go_back()  # our page does not send the customer there again
    expect(page.get_by_role("link", name="Continue to Razorpay")).to_be_visible()
    assert "go=1" not in page.url
    page.get_by_role("link", name="Continue to Razorpay").click()
    expect(page.get_by_role("heading", name="Pay the bank")).to_be_visible()
    assert [said for said in served.backend.asked if said[0] == "pay"] == [
        ("pay", "to_pay", "link-razorpay")
    ]


def test_two_taps_lead_from_the_scan_to_the_gateway(served: Served, phone: PageAt) -> None:
    served.backend.orders["order-1"] = replace(served.backend.orders["to_pay"], token="order-1")
    served.backend.when_wanted = replace(served.backend.orders["link"], token="order-1")
    page = phone(PHONE)
    page.goto(f"{served.url}/q/M01")
    page.get_by_role("button", name="Pay").click()
    page.get_by_role("button", name="with Razorpay").click()
    expect(page.get_by_role("heading", name="Pay the bank")).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, (320, 640), DESK], ids=["phone", "narrow", "desk"])
def test_the_link_stands_above_the_code_and_is_reached_without_scrolling(
    served: Served, phone: PageAt, size: tuple[int, int]
) -> None:
    page = phone(size)
    page.goto(f"{served.url}/o/link")
    link = page.get_by_role("link", name="Continue to Razorpay").bounding_box()
    code = page.get_by_role("img", name="Payment code for ₹40.00").bounding_box()
    assert link is not None
    assert code is not None
    assert link["y"] + link["height"] <= min(code["y"], size[1])
    assert link["height"] >= 48
    assert violations(page) == []


def test_the_buttons_of_all_ways_are_seen_without_scrolling(served: Served, phone: PageAt) -> None:
    page = phone(PHONE)
    page.goto(f"{served.url}/o/to_pay")
    names = [button.inner_text() for button in page.locator("form.way button").all()]
    assert names == [
        "Pay ₹40.00 with Razorpay", "Pay ₹40.00 with Stripe", "Show a code to scan (Razorpay)",
    ]  # fmt: skip
    last = page.locator("form.way button").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= PHONE[1]


@SCRIPTS
def test_another_way_is_chosen_while_one_is_under_way(
    served: Served, phone: PageAt, javascript: bool
) -> None:
    served.backend.when_wanted = replace(served.backend.orders["scan"], token="link")
    page = phone(PHONE, javascript)
    page.goto(f"{served.url}/o/link")
    page.get_by_role("button", name="Show a code to scan").click()
    expect(page.get_by_role("img", name="Payment code for ₹40.00")).to_be_visible()
    assert ("pay", "link", "code-razorpay") in served.backend.asked


def test_a_double_tap_sends_one_key(served: Served, phone: PageAt) -> None:
    served.backend.when_wanted = None
    page = phone(PHONE)
    page.goto(f"{served.url}/o/to_pay")
    page.get_by_role("button", name="with Stripe").dblclick(no_wait_after=True)
    page.wait_for_url(re.compile("/o/to_pay"))
    expect(page.get_by_role("button", name="with Stripe")).to_be_visible()
    assert len(set(served.backend.keys)) == 1


def test_what_was_paid_elsewhere_shows_as_a_refund_below_the_link(
    served: Served, phone: PageAt
) -> None:
    back = replace(served.backend.orders["refunded"].refunds[0], surplus=True)
    served.backend.orders["link"] = replace(served.backend.orders["link"], refunds=(back,))
    served.backend.orders["done"] = replace(served.backend.orders["done"], refunds=(back,))
    page = phone(PHONE)
    page.goto(f"{served.url}/o/link")
    expect(page.get_by_role("link", name="Continue to Razorpay")).to_be_visible()
    expect(page.get_by_text("rfnd_TESTTEST000001")).to_be_visible()
    page.goto(f"{served.url}/o/done")
    expect(page.get_by_role("heading", level=1)).to_have_text("Take your item")
    expect(page.get_by_text("rfnd_TESTTEST000001")).to_be_visible()
