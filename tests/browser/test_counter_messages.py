"""A customer leaves a phone, is told of the order, has the code sent again, and finds the order
without an account."""

import re

import pytest
from playwright.sync_api import expect

from coinslot.notices.base import Form
from tests.browser.conftest import PageAt
from tests.browser.test_counter import PHONE, CounterServed, well_made
from tests.browser.test_counter import served as served
from tests.browser.test_counter import shop as shop
from tests.counter.stage import Counter
from tests.counter.telling import EMAIL, service, swept, texts
from tests.counter.telling import PHONE as NUMBER

pytestmark = pytest.mark.browser


def test_a_customer_leaves_a_phone_and_is_told(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    sent = service(shop)
    page = page_at(PHONE)
    page.goto(f"{served.url}/s/corner")
    page.get_by_role("link", name="Tea").click()
    page.get_by_role("button", name="Add for").click()
    well_made(page)
    page.get_by_label("Mobile number").fill("+49 151 000000 99")
    page.get_by_label("E-mail, for the receipt").fill(EMAIL)
    page.get_by_role("button", name=re.compile("^Pay")).first.click()
    expect(page.get_by_role("alert")).to_contain_text("tick that we may write")
    expect(page.get_by_label("Mobile number")).to_have_value("+49 151 000000 99")
    well_made(page)
    page.get_by_label(re.compile("may write to me and call me")).check()
    page.get_by_role("button", name=re.compile("^Pay")).first.click()
    expect(page.get_by_role("heading", name="Paid. They have your order")).to_be_visible()
    served.tell(swept(shop))
    shop.stage.later(6)
    served.tell(swept(shop))
    page.reload()
    card = page.locator("section", has=page.get_by_role("heading", name="Messages to you"))
    expect(card).to_contain_text("…099")
    expect(card).to_contain_text("arrived")
    well_made(page)
    shop.stage.later(61)
    page.reload()
    page.get_by_role("button", name="Send the code again").click()
    served.tell(swept(shop))
    assert len(texts(sent)) == 2
    order = page.locator(".which").first.inner_text()
    page.goto(f"{served.url}/s/corner/orders")
    well_made(page)
    page.get_by_label("Phone or e-mail of the order").fill(NUMBER)
    page.get_by_role("button", name="Send the code").click()
    well_made(page)
    served.tell(swept(shop))
    code = next(m[1] for t in reversed(texts(sent)) if (m := re.search(r"([0-9]{6}) shows", t)))
    page.get_by_label("Code from the text message").fill(code)
    page.get_by_role("button", name="Show my orders").click()
    well_made(page)
    number = order.split()[-1]
    page.get_by_role("link", name=f"Order {number}").click()
    expect(page.locator(".which").first).to_contain_text(number)
    assert Form.SMS in shop.stage.context.notifiers
