"""An order at a café with everything running: paid on the emulated Stripe page, made by people at
two boards, handed over against the code; and what happens when a webhook is lost, when the store
has closed meanwhile, and when a stranger tries the code."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESK, PageAt
from tests.scenarios.running import DemoProcess, until

pytestmark = pytest.mark.browser
PHONE = (390, 844)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    running = DemoProcess(tmp_path_factory.mktemp("counter") / "data")
    try:
        yield running.start()
    finally:
        running.stop()


def weather(demo: DemoProcess, **webhooks: Any) -> None:
    url = f"{demo.facts['sandbox_url']}/weather"
    demo.http.post(url, json={"webhooks": webhooks}).raise_for_status()


def books_are_right(demo: DemoProcess) -> None:
    """In a thread: Playwright has a loop in this one."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(demo.assert_books_are_right).result()


def refunded(demo: DemoProcess, amount: int) -> list[int]:
    rows = demo.http.get(f"{demo.facts['sandbox_url']}/books").json()["stripe"]["payments"]
    return [row["refunded"] for row in rows if row["captured"] == amount]


def basket(phone: Page, demo: DemoProcess, *wanted: str) -> None:
    """From the menu to the basket, by taps."""
    phone.goto(demo.outlet("S01")["url"])
    for n, name in enumerate(wanted):
        if n:
            phone.get_by_role("link", name="Add something else").click()
        phone.get_by_role("link", name=name).click()
        phone.get_by_role("button", name="Add for").click()


def pay(phone: Page) -> None:
    phone.get_by_role("button", name="with Stripe").click()
    phone.get_by_role("button", name="Pay").first.click()
    expect(phone.get_by_role("heading", name="They have your order")).to_be_visible()


def board(demo: DemoProcess, page: Page, login: str = "boris") -> Page:
    base = demo.facts["base_url"]
    page.goto(f"{base}/console/sign-in")
    (password,) = [m["password"] for m in demo.facts["members"] if m["login"] == login]
    page.get_by_label("Login", exact=True).fill(login)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(f"{base}/console/board")
    return page


def number(phone: Page) -> str:
    found = re.search(r"[A-Z0-9]{4}$", phone.locator(".which").inner_text().strip())
    assert found is not None
    return found[0]


def ticket(page: Page, stage: str, order: str) -> Any:
    return page.locator(f"#board-{stage} .ticket", has_text=order)


def test_an_order_is_paid_at_stripe_and_handed_over_by_one_of_two_boards(
    demo: DemoProcess, page_at: PageAt
) -> None:
    phone, first, second = page_at(PHONE), page_at(DESK), page_at(PHONE)
    basket(phone, demo, "Carrot cake", "Vada pav")
    phone.get_by_label("Your name").fill("Maria")
    assert violations(phone) == []
    pay(phone)
    order = number(phone)
    board(demo, first)
    board(demo, second, "asha")
    expect(ticket(first, "PLACED", order)).to_contain_text("Maria")
    ticket(first, "PLACED", order).get_by_role("button", name="Accept").click()
    expect(ticket(second, "PREPARING", order)).to_be_visible()
    assert violations(first) == []
    ticket(second, "PREPARING", order).get_by_role("button", name="Ready").click()
    expect(ticket(first, "READY", order)).to_be_visible()
    phone.reload()
    expect(phone.get_by_role("heading", name="Ready: pick it up")).to_be_visible()
    assert violations(phone) == []
    digits = phone.locator(".code bdi").inner_text().replace(" ", "")
    _a_stranger_gets_nothing(demo, order, digits)
    field = ticket(first, "READY", order).get_by_label("Code of the customer")
    field.fill(f"{(int(digits) + 1) % 10**6:06}")
    field.press("Enter")
    expect(first.get_by_role("alert")).to_contain_text("This is not the code")
    again = ticket(first, "READY", order).get_by_label("Code of the customer")
    again.fill(digits)
    again.press("Enter")
    expect(ticket(first, "READY", order)).to_have_count(0)
    expect(ticket(second, "READY", order)).to_have_count(0)
    phone.reload()
    expect(phone.get_by_role("heading", name="Enjoy")).to_be_visible()
    assert refunded(demo, 23_000) == [0]
    books_are_right(demo)


def _a_stranger_gets_nothing(demo: DemoProcess, order: str, digits: str) -> None:
    """Chandra has a merchant of her own: the right code opens nothing of Asha's."""
    base = demo.facts["base_url"]
    tokens = {}
    for login in ("boris", "chandra"):
        (password,) = [m["password"] for m in demo.facts["members"] if m["login"] == login]
        answer = demo.http.post(f"{base}/auth/login", json={"login": login, "password": password})
        tokens[login] = {"authorization": f"Bearer {answer.json()['access_token']}"}
    found = demo.http.get(f"{base}/api/staff/orders", headers=tokens["boris"]).json()["orders"]
    (one,) = [row["id"] for row in found if row["orderNumber"] == order]
    url = f"{base}/api/staff/orders/{one}/complete"
    tried = demo.http.post(url, json={"code": digits}, headers=tokens["chandra"])
    assert tried.status_code == 404
    assert demo.http.post(url, json={"code": digits}).status_code == 401


def test_a_lost_webhook_is_asked_for_and_the_order_reaches_the_board(
    demo: DemoProcess, page_at: PageAt
) -> None:
    phone, desk = page_at(PHONE), page_at(DESK)
    weather(demo, lose=1)
    try:
        basket(phone, demo, "Carrot cake")
        pay(phone)
    finally:
        weather(demo, lose=0)
    order = number(phone)
    board(demo, desk)
    expect(ticket(desk, "PLACED", order)).to_be_visible()
    phone.get_by_role("button", name="Cancel the order").click()
    expect(phone.locator("[data-phase=refunding], [data-phase=refunded]")).to_be_visible()
    until(lambda: refunded(demo, 18_000) == [18_000], 30)
    books_are_right(demo)


def test_what_is_paid_after_the_store_closed_is_seen_by_staff_who_give_it_back(
    demo: DemoProcess, page_at: PageAt
) -> None:
    phone, desk = page_at(PHONE), page_at(DESK)
    basket(phone, demo, "Mango lassi")
    phone.get_by_role("button", name="with Stripe").click()
    expect(phone.get_by_role("button", name="Pay").first).to_be_visible()
    board(demo, desk)
    desk.get_by_text("Sold out, pause: Corner café").click()
    desk.get_by_role("button", name="Pause: take no orders").click()
    expect(desk.get_by_text("takes no orders now")).to_be_visible()
    phone.get_by_role("button", name="Pay").first.click()
    expect(phone.get_by_role("heading", name="They have your order")).to_be_visible()
    order = number(phone)
    expect(ticket(desk, "PLACED", order)).to_be_visible()
    card = ticket(desk, "PLACED", order)
    card.get_by_text("Not possible?").click()
    card.get_by_label("Why").fill("We have closed")
    card.get_by_role("button", name="Give the money back").click()
    expect(ticket(desk, "PLACED", order)).to_have_count(0)
    phone.reload()
    expect(phone.locator("[data-phase=refunding], [data-phase=refunded]")).to_be_visible()
    until(lambda: refunded(demo, 12_000) == [12_000], 30)
    books_are_right(demo)
