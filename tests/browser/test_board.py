"""The board behind a counter as its staff have it: it rings, says when it cannot, goes on reading
without a network, and two of them agree."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from coinslot.counter import staff
from tests.browser.conftest import DESK, PageAt
from tests.browser.test_console import signed_in
from tests.browser.test_counter import CounterServed, well_made
from tests.counter.stage import Counter, set_counter

pytestmark = pytest.mark.browser
TABLET = (1024, 768)


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[CounterServed]:
    served = CounterServed(postgres, template)
    with served:
        yield served


@pytest.fixture(scope="module")
def shop(served: CounterServed) -> Counter:
    made: Counter = served.tell(set_counter(served.staffed.stage))
    return made


def board(served: CounterServed, page: Page) -> Page:
    signed_in(served, page)
    page.goto(f"{served.url}/console/board")
    return page


def test_a_board_rings_until_somebody_accepts_and_says_when_it_cannot(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    old = served.tell(shop.paid(name="Old"))
    page, other = board(served, page_at(TABLET)), board(served, page_at(DESK))
    expect(page.get_by_text("This board is silent until you start.")).to_be_visible()
    well_made(page)
    assert served.tell(shop.stage.value("SELECT count(*) FROM counter_presence")) == 0
    page.get_by_role("button", name="Start shift").click()
    expect(page.get_by_text("Sound is on. New orders ring.")).to_be_visible()
    well_made(page)
    shift = page.locator("#shift")
    expect(shift).to_have_attribute("data-played", re.compile("^new"))
    heard = str(shift.get_attribute("data-played"))
    new = served.tell(shop.paid(name="Noor"))
    expect(page.locator("#board-PLACED")).to_contain_text("Noor")
    reached = "SELECT reached_at FROM counter_orders WHERE order_id = $1"
    for _ in range(100):
        if served.tell(shop.stage.value(reached, new)) is not None:
            break
        page.wait_for_timeout(50)
    assert served.tell(shop.stage.value(reached, new)) is not None
    assert served.tell(shop.stage.value("SELECT count(*) FROM counter_presence")) == 1
    expect(shift).not_to_have_attribute("data-played", heard)
    card = page.locator(f"#order-{new}")
    card.get_by_role("button", name="Accept").click()
    expect(other.locator("#board-PREPARING")).to_contain_text("Noor")
    accepted = other.locator(f"#order-{new}")
    accepted.get_by_role("button", name="Ready").click()
    expect(page.locator("#board-READY")).to_contain_text("Noor")
    token = served.tell(shop.view(old)).token
    served.tell(staff.cancel(shop.stage.context, token))
    expect(page.locator("#shift")).to_have_attribute("data-played", re.compile("^cancelled"))


def test_without_a_network_it_goes_on_reading_says_so_and_offers_no_step(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    order = served.tell(shop.ready(name="Ira"))
    page = board(served, page_at(TABLET))
    expect(page.locator("#board-READY")).to_contain_text("Ira")
    page.context.set_offline(True)
    expect(page.get_by_text(re.compile("No network"))).to_be_visible()
    expect(page.locator("#board-READY")).to_contain_text("Ira")
    assert page.locator(f"#order-{order} form").first.evaluate("form => form.inert")
    page.context.set_offline(False)
    expect(page.get_by_text(re.compile("No network"))).to_be_hidden()
    assert not page.locator(f"#order-{order} form").first.evaluate("form => form.inert")


def test_the_code_is_typed_on_large_keys_and_sends_itself(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    order = served.tell(shop.ready(name="Kim"))
    page = board(served, page_at((390, 844), has_touch=True))
    card = page.locator(f"#order-{order}")
    card.get_by_label("Code of the customer").tap()
    for key in card.locator("[data-digit]").all():
        box = key.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 48
    for digit in served.tell(shop.code(order)):
        card.get_by_role("button", name=digit, exact=True).tap()
    expect(page.locator(f"#order-{order}")).to_have_count(0)
    assert served.tell(shop.ends(order)) == [("picked_up", "code", None)]


def test_without_a_script_the_board_comes_back_by_itself(
    served: CounterServed, page_at: PageAt
) -> None:
    page = board(served, page_at(TABLET, javascript=False))
    assert page.locator("meta[http-equiv=refresh]").count() == 1
    expect(page.locator("#shift p").first).to_be_hidden()


def test_kitchen_walk_ins_printers_and_the_wall_are_well_made(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    served.tell(shop.preparing(name="Kitchen guest"))
    wall = served.tell(shop.stage.value("SELECT wall FROM counter_stores"))
    page = board(served, page_at((390, 844)))
    page.get_by_role("link", name="Add an order").click()
    well_made(page)
    page.get_by_label("Carrot cake").select_option("1")
    page.get_by_role("button", name="Send to the kitchen").click()
    expect(page.locator("#board-PREPARING")).to_contain_text("Paid at the till")
    well_made(page)
    for path in ("board/kitchen", "board/printers"):
        page.goto(f"{served.url}/console/{path}")
        well_made(page)
    page.get_by_label("Name").fill("K1")
    page.get_by_label("Kind").select_option("star")
    page.get_by_role("button", name="Add the printer").click()
    expect(page.get_by_text("/printers/")).to_be_visible()
    well_made(page)
    page.goto(f"{served.url}/console/board/tablets")
    well_made(page)
    page.get_by_label("PIN", exact=True).fill("2580")
    page.get_by_role("button", name="Save the PIN").click()
    expect(page.get_by_text("Your PIN is set.")).to_be_visible()  # what is typed before is lost
    page.get_by_label("Name").fill("Counter")
    page.get_by_role("button", name="This is a tablet of the counter").click()
    expect(page.get_by_text("This one")).to_be_visible()
    well_made(page)
    page.goto(f"{served.url}/console/pin")
    expect(page.get_by_label("asha")).to_be_visible()
    well_made(page)
    page.goto(f"{served.url}/wall/{wall}")
    expect(page.get_by_text("Kitchen guest")).to_be_visible()
    well_made(page)
    for language in ("hi", "ru", "ar-XB"):
        for path in ("board", "board/kitchen", "board/printers", "board/stores/S01/walk-in",
                     "board/tablets", "pin"):  # fmt: skip
            page.goto(f"{served.url}/console/{path}?lang={language}")
            assert not page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            ), (path, language)
