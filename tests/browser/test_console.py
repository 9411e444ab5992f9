"""The console in Chromium: signing in, every page at both sizes, a refund by keyboard alone, and
the same without JavaScript."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import Scheme, Size, on_each
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.browser.console_served import ConsoleServed
from tests.people.conftest import PASSWORD

pytestmark = pytest.mark.browser

PATHS = (
    "today",
    "inbox",
    "find",
    "machines",
    "machines/M01",
    "products",
    "products/cola",
    "new-product",
    "codes",
    "codes/ready?pick=M01/page&layout=a6&spoken=en",
    "people",
    "log",
    "settings/brand",
    "account",
)
# A phone by day is where every page is visited.
DARK_PHONE_AND_DESK: tuple[tuple[Size, Scheme], ...] = ((PHONE, "dark"), (DESK, "light"))
SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
_PACKED_MAX_BYTES = 15 * 1024


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[ConsoleServed]:
    with ConsoleServed(postgres, template) as served:
        yield served


def signed_in(served: ConsoleServed, page: Page, login: str = "asha") -> Page:
    page.goto(f"{served.url}/console")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Parts of the console")).to_be_visible()
    return page


def sold(served: ConsoleServed) -> str:
    """A can that was paid and dropped; its order's page."""

    async def sell() -> str:
        stage = served.staffed.stage
        stage.later(1)  # a later order has a later id
        await stage.hello(boot=f"b{stage.paid}")
        await stage.sell()
        await stage.sweep()
        await stage.accept(boot=f"b{stage.paid - 1}")
        await stage.started(event_seq=2 * stage.paid - 1)
        await stage.result(event_seq=2 * stage.paid)
        order = await stage.value("SELECT id FROM orders ORDER BY id DESC LIMIT 1")
        return f"{served.url}/console/orders/{order}"

    return str(served.tell(sell()))


def test_nothing_in_the_console_keeps_anyone_out(served: ConsoleServed, page_at: PageAt) -> None:
    page = page_at(PHONE)
    page.goto(f"{served.url}/console/sign-in")
    found = _kept_out(page)
    signed_in(served, page)
    for path in [*(f"{served.url}/console/{one}" for one in PATHS), sold(served)]:
        page.goto(path)
        found += _kept_out(page)
    assert found == []


def _kept_out(page: Page) -> list[tuple[str, str, Size]]:
    return [(rule, page.url, size) for size, _, rules in on_each(page, DARK_PHONE_AND_DESK)
            for rule in rules]  # fmt: skip


@SIZES
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_a_refund_from_sign_in_to_the_notice(
    served: ConsoleServed, page_at: PageAt, size: tuple[int, int], javascript: bool
) -> None:
    order = sold(served)
    page = signed_in(served, page_at(size, javascript), "boris")
    page.goto(order)
    page.get_by_label("Why").fill("it was warm")
    page.get_by_role("button", name="Give back").click()
    expect(page.get_by_text("The refund is made")).to_be_visible()
    expect(page.get_by_text("boris: it was warm")).to_be_visible()
    expect(page.get_by_role("button", name="Give back")).to_have_count(0)


def test_by_keyboard_alone_a_slot_goes_out_of_sale_and_the_notice_has_the_focus(
    served: ConsoleServed, page_at: PageAt
) -> None:
    page = signed_in(served, page_at(DESK), "boris")
    page.goto(f"{served.url}/console/machines/M01")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the main part")).to_be_focused()
    page.locator("#slot-A1 summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take out of sale").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The slot is changed.")).to_be_focused()
    expect(page.get_by_text("taken out of sale")).to_be_visible()
    page.locator("#slot-A1 summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Put back on sale").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#slot-A1").get_by_text("selling")).to_be_visible()


def test_an_answer_that_is_lost_says_so_and_the_same_button_may_be_pressed_again(
    served: ConsoleServed, page_at: PageAt
) -> None:
    order = sold(served)
    page = signed_in(served, page_at(PHONE), "boris")
    page.goto(order)
    page.get_by_label("Why").fill("lost")
    page.route("**/refund", lambda route: (route.fetch(), route.abort()))
    page.get_by_role("button", name="Give back").click()
    expect(page.get_by_text("This page does not reach the server").first).to_be_visible()
    page.unroute("**/refund")
    page.get_by_role("button", name="Give back").click()
    expect(page.get_by_text("boris: lost")).to_have_count(1)


def test_today_changes_by_itself(served: ConsoleServed, page_at: PageAt) -> None:
    page = signed_in(served, page_at(PHONE), "boris")
    before = page.locator("#today").get_attribute("data-live")
    sold(served)
    expect(page.locator("#today")).not_to_have_attribute("data-live", before or "")


def test_every_page_is_light(served: ConsoleServed) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        headers = {"sec-fetch-site": "same-origin", "accept-encoding": "gzip"}
        client.post(
            "/console/sign-in", data={"login": "asha", "password": PASSWORD}, headers=headers
        )
        for path in PATHS:
            with client.stream("GET", f"/console/{path}", headers=headers) as answer:
                assert answer.status_code == 200
                assert sum(map(len, answer.iter_raw())) <= _PACKED_MAX_BYTES, path
