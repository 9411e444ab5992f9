"""What a customer does, with JavaScript and without."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from coinslot.kit.clock import SystemClock
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.web.serving import Served

pytestmark = pytest.mark.browser

SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])


def title(page: Page, words: str) -> None:
    expect(page.locator("h1")).to_have_text(words)


def seconds(shown: str) -> int:
    minutes, rest = shown.split(":")
    return 60 * int(minutes) + int(rest)


@SIZES
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_from_the_scan_to_the_can(
    served: Served, page_at: PageAt, size: tuple[int, int], javascript: bool
) -> None:
    page = page_at(size, javascript, reduced_motion="no-preference" if javascript else "reduce")
    cast = served.backend.orders
    served.backend.orders["order-1"] = replace(cast["to_pay"], token="order-1")
    served.backend.when_wanted = replace(cast["scan"], token="order-1")
    page.goto(f"{served.url}/q/M01")
    page.get_by_role("button", name="Pay ₹40.00 for Lime soda").click()
    page.get_by_role("button", name="Show a code to scan").click()
    title(page, "Pay ₹40.00")
    expect(page.get_by_role("img", name="Payment code for ₹40.00")).to_be_visible()
    for state, words in (
        ("sending", "Paid. Asking the machine"),
        ("working", "The machine is on it"),
        ("done", "Take your item"),
    ):
        served.show(cast[state], token="order-1")
        title(page, words)
    expect(page.locator(".steps .done")).to_have_count(4)
    expect(page.locator(".receipt")).to_contain_text("pay_TESTTEST000001")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_a_jam_gives_the_money_back_before_the_customers_eyes(
    served: Served, page_at: PageAt, javascript: bool
) -> None:
    page = page_at(PHONE, javascript)
    cast = served.backend.orders
    page.goto(f"{served.url}/o/working")
    title(page, "The machine is on it")
    served.show(cast["refunding"], token="working")
    title(page, "Your money is going back")
    served.show(cast["refunded"], token="working")
    title(page, "Money back")
    expect(page.locator(".facts").first).to_contain_text("rfnd_TESTTEST000001")


def test_double_taps_and_back_and_forward_place_one_order(served: Served, page_at: PageAt) -> None:
    page = page_at(PHONE)
    served.backend.orders["order-1"] = replace(served.backend.orders["scan"], token="order-1")
    page.goto(f"{served.url}/q/M01")
    page.get_by_role("button").dblclick(no_wait_after=True)
    page.wait_for_url("**/o/order-1")
    page.go_back()
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url("**/o/order-1")
    page.go_back()
    page.go_forward()
    title(page, "Pay ₹40.00")
    assert len(served.backend.placed) == 1


def test_a_new_scan_is_a_new_order(served: Served, page_at: PageAt) -> None:
    page = page_at(PHONE)
    for number in (1, 2):
        token = f"order-{number}"
        served.backend.orders[token] = replace(served.backend.orders["scan"], token=token)
        page.goto(f"{served.url}/q/M01")
        page.get_by_role("button").click()
        page.wait_for_url(f"**/o/{token}")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_a_lost_webhook_is_made_up_for_by_the_page_itself(
    served: Served, page_at: PageAt, javascript: bool
) -> None:
    page = page_at(PHONE, javascript)
    served.backend.paid_when_asked = replace(served.backend.orders["sending"], token="scan")
    page.goto(f"{served.url}/o/scan")
    title(page, "Pay ₹40.00")
    title(page, "Paid. Asking the machine")
    assert ("ask_gateway", "scan") in served.backend.asked


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_nothing_came_out_asks_the_machine_at_once(
    served: Served, page_at: PageAt, javascript: bool
) -> None:
    page = page_at(PHONE, javascript)
    page.goto(f"{served.url}/o/checking")
    page.get_by_role("button", name="Nothing came out").click()
    expect(page.get_by_text("We are asking the machine now.")).to_be_visible()
    assert ("ask_machine", "checking") in served.backend.asked
    served.show(served.backend.orders["refunding"], token="checking")
    title(page, "Your money is going back")


def test_where_events_are_blocked_the_page_polls(served: Served, page_at: PageAt) -> None:
    page = page_at(PHONE)
    page.route(re.compile(r"/live\?"), lambda route: route.fulfill(status=503))
    page.goto(f"{served.url}/o/sending")
    served.show(served.backend.orders["done"], token="sending")
    title(page, "Take your item")


def test_a_hidden_page_lets_go_and_comes_back_to_the_newest_state(
    served: Served, page_at: PageAt
) -> None:
    page = page_at(PHONE)
    with page.expect_request("**/live*"):
        page.goto(f"{served.url}/o/sending")
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    served.tell(served.backend.left())
    served.show(served.backend.orders["done"], token="sending")
    title(page, "Paid. Asking the machine")
    page.evaluate(hide, False)
    title(page, "Take your item")


def test_the_countdown_runs_and_is_said_in_words_without_javascript(
    served: Served, page_at: PageAt
) -> None:
    soon = SystemClock().now() + timedelta(seconds=75)
    served.backend.orders["working"] = replace(served.backend.orders["working"], refund_by=soon)
    page = page_at(PHONE)
    page.goto(f"{served.url}/o/working")
    clock = page.locator(".countdown .clock")
    expect(clock).to_have_text(re.compile(r"^\d:\d\d$"))
    first = seconds(clock.inner_text())
    assert (soon - SystemClock().now()).total_seconds() - 1 <= first <= 75
    expect(clock).not_to_have_text(f"{first // 60}:{first % 60:02}")
    assert seconds(clock.inner_text()) < first
    plain = page_at(PHONE, javascript=False)
    plain.goto(f"{served.url}/o/working")
    expect(plain.locator(".countdown")).to_contain_text("Refunded automatically.")
    expect(plain.locator(".countdown .clock")).to_be_hidden()


def test_a_change_is_read_aloud_once_and_keeps_the_focus(served: Served, page_at: PageAt) -> None:
    page = page_at(PHONE)
    page.goto(f"{served.url}/o/sending")
    page.get_by_role("button", name="Nothing came out").focus()
    served.show(served.backend.orders["working"], token="sending")
    expect(page.get_by_role("status").first).to_have_text("The machine is on it")
    expect(page.get_by_role("button", name="Nothing came out")).to_be_focused()


def test_the_whole_way_can_be_gone_by_keyboard(served: Served, page_at: PageAt) -> None:
    page = page_at(DESK)
    served.backend.orders["order-1"] = replace(served.backend.orders["scan"], token="order-1")
    page.goto(f"{served.url}/q/M01")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the main part")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Pay")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/o/order-1")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_a_payment_without_a_link_is_told_to_anyone_and_opened_by_its_payer(
    served: Served, page_at: PageAt, javascript: bool
) -> None:
    page = page_at(PHONE, javascript)
    page.goto(f"{served.url}/q/M01")
    page.get_by_role("link", name="Paid, but nothing came out?").click()
    page.get_by_label("Amount you paid").fill("40")
    page.get_by_label("Time of the payment").fill("12:00")
    page.get_by_role("button", name="Find it").click()
    expect(page.get_by_text("Paid. Waiting for the machine")).to_be_visible()
    page.get_by_label("Reference of the payment").fill("pay_TESTTEST000001")
    page.get_by_role("button", name="Open my order").click()
    expect(page.locator(".receipt")).to_be_visible()


def test_a_typed_code_leads_to_the_machine_in_the_chosen_language(
    served: Served, page_at: PageAt
) -> None:
    page = page_at(PHONE)
    page.goto(served.url)
    page.get_by_role("link", name="हिन्दी").click()
    page.get_by_label("मशीन पर लिखा कोड").fill("m01")
    page.keyboard.press("Enter")
    expect(page.get_by_text("ऑनलाइन, तैयार")).to_be_visible()
