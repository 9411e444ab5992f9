"""A customer of the demo pays a machine's page at every emulated gateway: the can drops, and each
gateway's own books say the same as ours."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from tests.scenarios.running import DemoProcess, until

PAGES = [("M01", "Razorpay"), ("M01", "Stripe"), ("M06", "YooKassa"), ("M06", "T-Bank")]
BOOKS = {"Razorpay": "razorpay", "Stripe": "stripe", "YooKassa": "yookassa", "T-Bank": "tbank"}


@pytest.fixture(scope="module")
def browser() -> Iterator[httpx.Client]:
    """Without scripts. Who has paid before may try as often as a machine's page allows."""
    with httpx.Client(trust_env=False, timeout=20, headers={"accept": "text/html"}) as client:
        yield client


class Customer:
    """In front of a machine."""

    def __init__(self, demo: DemoProcess, browser: httpx.Client, outlet: str) -> None:
        self.base = demo.facts["base_url"]
        self.http = browser
        page = self.http.get(f"{self.base}/q/{outlet}").text
        form = dict(re.findall(r'name="(slot|key)" value="([^"]+)"', page)[:2])
        placed = self.http.post(f"{self.base}/q/{outlet}", data=form)
        self.order = urljoin(self.base, placed.headers["location"])

    def page(self) -> str:
        return unescape(self.http.get(self.order).text)

    def tap(self, words: str) -> str:
        """The page after a tap on the button with these words."""
        forms = re.findall(r"<form class=\"way\".*?</form>", self.page())
        form = next(one for one in forms if words in one)
        tapped = dict(re.findall(r'name="(way|key)" value="([^"]+)"', form))
        answer = self.http.post(f"{self.order}/pay", data=tapped)
        assert answer.status_code == 303
        return unescape(self.http.get(urljoin(self.base, answer.headers["location"])).text)

    def pays(self, page: str) -> httpx.Response:
        """Is led to the gateway's page and pays there; what it answers."""
        leads = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page)
        assert leads is not None
        assert self.http.get(leads[1]).status_code == 200
        return self.http.post(leads[1], data={"method": "card"} if "/tbank/" in leads[1] else {})

    def state(self) -> str:
        found = re.search(r'data-phase="(\w+)"', self.page())
        assert found is not None
        return found[1]


def books(demo: DemoProcess, title: str) -> list[dict[str, Any]]:
    answer = demo.http.get(f"{demo.facts['sandbox_url']}/books.json").json()
    rows: list[dict[str, Any]] = answer[BOOKS[title]]["payments"]
    return rows


@pytest.mark.parametrize(("outlet", "gateway"), PAGES, ids=lambda value: value)
def test_an_order_is_paid_at_the_gateways_page_and_the_can_drops(
    demo: DemoProcess, browser: httpx.Client, outlet: str, gateway: str
) -> None:
    before = len(demo.dropped(outlet))
    known = {row["reference"] for row in books(demo, gateway)}
    customer = Customer(demo, browser, outlet)
    answer = customer.pays(customer.tap(f"with {gateway}"))
    assert answer.headers["location"].startswith(customer.order)  # it leads back to the order
    until(lambda: customer.state() == "done", 20)
    assert len(demo.dropped(outlet)) == before + 1
    (mine,) = [row for row in books(demo, gateway) if row["reference"] not in known]
    assert (mine["captured"], mine["refunded"]) == (demo.outlet(outlet)["amount"], 0)
    demo.assert_books_are_right()


@pytest.mark.parametrize(("outlet", "gateway"), PAGES, ids=lambda value: value)
def test_a_page_can_be_paid_by_its_address_and_later(
    demo: DemoProcess, browser: httpx.Client, outlet: str, gateway: str
) -> None:
    customer = Customer(demo, browser, outlet)
    leads = re.search(r'content="0;url=([^"]+)"', customer.tap(f"with {gateway}"))
    assert leads is not None
    demo.http.post(
        f"{demo.facts['sandbox_url']}/{BOOKS[gateway]}/pay", json={"url": leads[1], "as": "later"}
    ).raise_for_status()
    assert customer.state() == "link"
    until(lambda: customer.state() == "done", 20)
    demo.assert_books_are_right()


def test_a_way_that_asks_nobody_is_paid_by_the_tap(
    demo: DemoProcess, browser: httpx.Client
) -> None:
    customer = Customer(demo, browser, "M06")
    customer.tap("with practice money")
    until(lambda: customer.state() == "done", 20)
    demo.assert_books_are_right()


def test_the_code_of_an_order_is_scanned_after_its_link_was_left(
    demo: DemoProcess, browser: httpx.Client
) -> None:
    customer = Customer(demo, browser, "M01")
    left = customer.tap("with Razorpay")
    customer.tap("code to scan")
    link = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', left)
    assert link is not None
    until(lambda: "This link is closed: cancelled" in customer.http.get(link[1]).text, 20)
    picture = re.search(r'class="qr" src="([^"]+)"', customer.page())
    assert picture is not None
    codes = demo.http.get(f"{demo.facts['sandbox_url']}/razorpay/qr_codes").json()
    code = next(one["id"] for one in codes if one["image_url"] == picture[1])
    demo.http.post(
        f"{demo.facts['sandbox_url']}/razorpay/scan", json={"qr_code_id": code}
    ).raise_for_status()
    until(lambda: customer.state() == "done", 20)
    demo.assert_books_are_right()


def test_what_is_paid_at_a_page_that_was_left_goes_back(
    demo: DemoProcess, browser: httpx.Client
) -> None:
    """YooKassa cannot end a payment that waits for its payer."""
    customer = Customer(demo, browser, "M06")
    left = customer.tap("with YooKassa")
    page = customer.tap("with T-Bank")
    before = len(demo.dropped("M06"))
    customer.pays(left)
    until(lambda: sum(row["refunded"] for row in books(demo, "YooKassa")) == 9000, 30)
    assert len(demo.dropped("M06")) == before
    assert customer.state() == "link"
    customer.pays(page)
    until(lambda: customer.state() == "done", 20)
    assert len(demo.dropped("M06")) == before + 1
    demo.assert_books_are_right()
