"""A coffee, from the drawn machine's screen to the cup: on a phone, paid at YooKassa and through
SBP at T-Bank, with everything running; and the pages that say no."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import shown_at, violations
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.scenarios.running import DemoProcess, until

pytestmark = pytest.mark.browser
DEVICE = "20250317-espresso"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    running = DemoProcess(tmp_path_factory.mktemp("coffee") / "data")
    try:
        yield running.start()
    finally:
        running.stop()


def choose(demo: DemoProcess, drink: str = "Капучино", size: str = "MEDIUM") -> dict[str, str]:
    body = {"device": DEVICE, "drink": drink, "size": size}
    answer = demo.http.post(f"{demo.facts['sandbox_url']}/tmetr/screen", json=body)
    answer.raise_for_status()
    shown: dict[str, str] = answer.json()
    return shown


def fault(demo: DemoProcess, **wanted: Any) -> None:
    url = f"{demo.facts['sandbox_url']}/tmetr/devices/{DEVICE}/fault"
    demo.http.post(url, json=wanted).raise_for_status()


def book(demo: DemoProcess, party: str, part: str) -> list[dict[str, Any]]:
    answer = demo.http.get(f"{demo.facts['sandbox_url']}/books").json()
    rows: list[dict[str, Any]] = answer[party][part]
    return rows


def cups(demo: DemoProcess, order: str) -> int:
    return [cup["order_id"] for cup in book(demo, "tmetr", "cups")].count(order)


def books_are_right(demo: DemoProcess) -> None:
    """In a thread: Playwright has a loop in this one."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(demo.assert_books_are_right).result()


def well_made(page: Page) -> None:
    """Nobody is kept out, and nothing stands beside the screen."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_coffee_is_paid_at_yookassa_by_card_and_enjoyed(
    demo: DemoProcess, page_at: PageAt
) -> None:
    shown = choose(demo)
    page = page_at(PHONE, locale="ru")
    page.goto(shown["url"])
    expect(page.get_by_role("heading", name="Это ваш напиток?")).to_be_visible()
    well_made(page)
    page.get_by_label("Почта или телефон для чека").fill("8 916 123-45-67")
    page.get_by_role("button", name="Оплатить 175,00 ₽: YooKassa").click()
    page.get_by_role("button", name="Pay").first.click()
    expect(page.get_by_role("heading", name="Напиток готовится")).to_be_visible()
    well_made(page)
    page.get_by_role("button", name="Да, получил").click()
    expect(page.get_by_role("heading", name="Приятного кофе!")).to_be_visible()
    assert cups(demo, shown["order_id"]) == 1
    page.goto(choose(demo)["url"])
    expect(page.get_by_label("Почта или телефон для чека")).to_have_value("+79161234567")
    books_are_right(demo)


def test_a_coffee_is_paid_through_sbp_at_t_bank_without_a_script_and_its_grace_ends(
    demo: DemoProcess, page_at: PageAt
) -> None:
    shown = choose(demo, "Латте", "BIG")
    page = page_at(PHONE, javascript=False)
    page.goto(shown["url"])
    page.get_by_label("E-mail or phone for the receipt").fill("ivan@example.com")
    page.get_by_role("button", name="with T-Bank").click()
    page.get_by_label("Pay by").select_option("sbp")
    page.get_by_role("button", name="Pay").first.click()
    expect(page.locator("[data-phase=working], [data-phase=done]")).to_be_visible()
    expect(page.get_by_role("heading", name="Enjoy your drink")).to_be_visible()
    assert cups(demo, shown["order_id"]) == 1
    (paid,) = [row for row in book(demo, "tbank", "payments") if row["amount"] == 22_000]
    assert (paid["captured"], paid["refunded"]) == (22_000, 0)
    books_are_right(demo)


def test_a_customer_who_got_nothing_says_so_and_sees_the_money_go_back(
    demo: DemoProcess, page_at: PageAt
) -> None:
    shown = choose(demo, "Эспрессо", "SMALL")
    fault(demo, no_water=True)
    page = page_at(DESK)
    page.goto(shown["url"])
    well_made(page)
    page.get_by_label("E-mail or phone for the receipt").fill("ivan@example.com")
    page.get_by_role("button", name="with YooKassa").click()
    page.get_by_role("button", name="Pay").first.click()
    page.get_by_role("button", name="I did not get it").click()
    expect(page.get_by_role("heading", name="Money back")).to_be_visible()
    fault(demo, no_water=False)
    assert cups(demo, shown["order_id"]) == 0
    (paid,) = [row for row in book(demo, "yookassa", "payments") if row["amount"] == 9_000]
    until(lambda: book_of(demo, paid["reference"])["refunded"] == 9_000, 20)
    books_are_right(demo)


def book_of(demo: DemoProcess, reference: str) -> dict[str, Any]:
    rows = book(demo, "yookassa", "payments")
    return next(row for row in rows if row["reference"] == reference)


def test_a_second_phone_sees_the_state_of_the_code_alone(
    demo: DemoProcess, page_at: PageAt
) -> None:
    shown = choose(demo)
    first, second = page_at(PHONE), page_at(PHONE)
    first.goto(shown["url"])
    first.get_by_role("button", name="with Practice gateway").click()
    second.goto(shown["url"])
    expect(second.get_by_role("heading", name="Someone else has this code")).to_be_visible()
    token = first.url.partition("/o/")[2].partition("?")[0]
    assert token
    assert token not in second.content()
    well_made(second)


def test_a_silent_machine_says_so_and_takes_no_money(demo: DemoProcess, page_at: PageAt) -> None:
    shown = choose(demo)
    fault(demo, offline=True, silent_s=900)
    page = page_at(PHONE)
    page.goto(shown["url"])
    expect(page.get_by_role("heading", name="The machine cannot be heard")).to_be_visible()
    well_made(page)
    fault(demo, offline=False, silent_s=0)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="Is this your drink?")).to_be_visible()


def test_the_pages_of_coffee_in_the_console_keep_nobody_out(
    demo: DemoProcess, page_at: PageAt
) -> None:
    """With a machine and its orders; a table is previewed, and a machine is changed by keyboard."""
    page = page_at(PHONE)
    base, machine = demo.facts["base_url"], "C01"
    page.goto(f"{base}/console/sign-in")
    page.get_by_role("button", name="Sign in as Asha").click()
    page.wait_for_url("**/console/today")
    for path in ("", "/machines", f"/machines/{machine}", "/drinks", "/setup"):
        page.goto(f"{base}/console/coffee{path}")
        for size in (DESK, PHONE):
            shown_at(page, size)
            well_made(page)
    page.goto(f"{base}/console/coffee/machines")
    page.get_by_text("Many machines at once").click()
    page.get_by_label("One a line").fill(f"{machine},{DEVICE},Espresso bar,Hall\nC 9,x,y,\n")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    for size in (PHONE, DESK):
        shown_at(page, size)
        well_made(page)
    page.goto(f"{base}/console/coffee/machines/{machine}")
    page.get_by_label("Place").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Hall 2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("Saved.")
    expect(page.get_by_label("Place")).to_have_value("Hall 2")
