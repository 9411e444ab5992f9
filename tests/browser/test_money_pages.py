"""Money and Proof in Chromium: nothing keeps anyone out, at both sizes, in the dark, from right to
left; charts have their table; a filter and a download work by keyboard and without JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from coinslot.oversight import day_sums
from tests.browser.axe import on_each
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.browser.console_served import ConsoleServed
from tests.browser.test_console import DARK_PHONE_AND_DESK, signed_in
from tests.console.test_money import DAY_S
from tests.console.test_money import sold as sell

pytestmark = pytest.mark.browser

ASHAS = (
    "money", "money/reports", "money/profit", "money/analytics", "money/profits", "money/orders",
    "money/payments", "money/refunds", "money/payouts", "money/fees", "money/machines", "privacy",
    "offers",
)  # fmt: skip
MEERAS = ("proof", "proof/owed")


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[ConsoleServed]:
    with ConsoleServed(postgres, template) as served:
        served.tell(_three_days(served))
        yield served


async def _three_days(served: ConsoleServed) -> None:
    """Cans that dropped, one that did not, and one that is owed."""
    staffed = served.staffed
    for outcomes in (("VENDED", "VENDED"), ("FAILED",), ("VENDED",)):
        for outcome in outcomes:
            await sell(staffed, outcome)
        staffed.later(DAY_S)
    await staffed.stage.sell()
    await day_sums.due(staffed.stage.context)


def test_nothing_in_money_and_proof_keeps_anyone_out(
    served: ConsoleServed, page_at: PageAt
) -> None:
    found = []
    for login, paths in (("asha", (*ASHAS, _proof_of_an_order(served))), ("meera", MEERAS)):
        page = signed_in(served, page_at(PHONE), login)
        for path in paths:
            page.goto(f"{served.url}/console/{path}")
            for size, _, rules in on_each(page, DARK_PHONE_AND_DESK):
                found += [(rule, path, size) for rule in rules]
    assert found == []


def _proof_of_an_order(served: ConsoleServed) -> str:
    sql = "SELECT id FROM orders ORDER BY id LIMIT 1"
    return f"orders/{served.tell(served.staffed.stage.value(sql))}/proof"


def test_each_chart_is_one_picture_with_a_name_and_stays_within_the_page_from_right_to_left(
    served: ConsoleServed, page_at: PageAt
) -> None:
    page = signed_in(served, page_at(PHONE))
    page.goto(f"{served.url}/console/money/reports")
    charts = page.locator("figure svg[role=img]")
    expect(charts).to_have_count(3)
    page.evaluate("document.documentElement.dir = 'rtl'")
    for at in range(3):
        box = charts.nth(at).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
        first = charts.nth(at).locator("rect").first.bounding_box()
        last = charts.nth(at).locator("rect").last.bounding_box()
        assert first is not None
        assert last is not None
        assert first["x"] <= last["x"]  # time runs on from left to right
    expect(page.get_by_role("region", name="By day")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_a_machine_is_chosen_by_keyboard_and_its_list_is_downloaded(
    served: ConsoleServed, page_at: PageAt, javascript: bool
) -> None:
    page: Page = signed_in(served, page_at(DESK, javascript))
    page.goto(f"{served.url}/console/money/orders")
    page.locator(".filter summary").press("Enter")
    page.get_by_label("Machine").select_option("M01")
    page.get_by_role("button", name="Show").press("Enter")
    page.wait_for_url(re.compile("machine=M01"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename.startswith("orders-")
