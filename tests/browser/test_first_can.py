"""Only with what `coinslot serve` printed: from an empty installation to a can that dropped in the
drawn machine, its record, and the money of a jam; on a phone, by keyboard where one is."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import PageAt
from tests.ports import free_port

pytestmark = pytest.mark.browser

SMALL = (390, 844)
PASSWORD = "cold masala cola"
_READY_S, _STOP_S = 90, 20


@pytest.fixture
def link(shared_folder: Path) -> Iterator[str]:
    """The first-run link of an installation that was never started before."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COINSLOT_")},
        "COINSLOT_MQTT_PORT": str(free_port()),
    }
    data = shared_folder / "first-can"
    server = subprocess.Popen(
        [sys.executable, "-m", "coinslot", "serve", "--data", str(data),
         "--port", str(free_port())],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        start_new_session=True,
    )  # fmt: skip
    too_late = threading.Timer(_READY_S, server.kill)
    too_late.start()
    try:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if "Coinslot ready" in line:
                break
        found = re.search(r"http\S+/console/first-run\?token=\S+", said)
        assert found is not None, said
        yield found[0]
    finally:
        too_late.cancel()
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(_STOP_S)
        finally:
            server.kill()


def sent(page: Page, **fields: str) -> None:
    """The step's fields, by their labels, and Enter."""
    step = page.locator("main")
    for label, text in fields.items():
        box = step.get_by_label(label.replace("_", " "), exact=label[-1] != "1")
        box.focus()
        page.keyboard.press("Control+A")
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def clean(page: Page) -> None:
    """Nobody is kept out of this page, and nothing of it is cut off."""
    assert violations(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL[0]


def test_from_the_printed_link_to_the_can_the_record_and_the_money_back(
    link: str, page_at: PageAt
) -> None:
    page = page_at(SMALL, timezone_id="Asia/Kolkata", has_touch=True)
    page.goto(link)
    clean(page)
    sent(page, Login="gita", **{"Password, at least 10 characters": PASSWORD})
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Currency")).to_have_value("INR")
    clean(page)
    sent(page, Name="Gita's Coolers")
    expect(page.get_by_role("button", name="Practise")).to_be_visible()
    clean(page)
    page.get_by_role("button", name="Practise").press("Enter")
    expect(page.get_by_label("Code", exact=True)).to_have_value("P01")
    clean(page)
    sent(page, Name="Front desk")
    sent(page, Product_1="Masala cola", **{"Price (INR) 1": "40"})
    expect(page.locator("#watch")).to_contain_text("READY")
    clean(page)
    customer = bought(page)
    expect(page.locator("#watch")).to_contain_text("It dropped.")
    expect(customer.locator("h1")).to_have_text("Take your item")
    customer.close()
    page.get_by_role("button", name="See its record").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Order")
    expect(page.get_by_text("₹40.00").first).to_be_visible()
    page.goto(f"{link.partition('/console')[0]}/console/start?step=sell")
    page.get_by_role("button", name="Jam").press("Enter")
    expect(page.get_by_text("Its sensor sees that")).to_be_visible()
    customer = bought(page)
    expect(page.locator("#watch")).to_contain_text("the money goes back")
    expect(customer.locator("h1")).to_have_text("Money back")


def bought(page: Page) -> Page:
    """The customer's page in a tab of its own, after its two taps."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the customer's page").press("Enter")
    customer = opened.value
    customer.get_by_role("button", name="Pay ₹40.00 for Masala cola").click()
    expect(customer.get_by_text("This is practice: nobody is charged.")).to_be_visible()
    customer.get_by_role("button", name=re.compile("practice money")).click()
    page.bring_to_front()
    return customer
