"""A customer's phone and the staff's board, both in a browser: from the menu to the hand-over."""

from collections.abc import Iterator

import pytest
from litestar import Litestar
from msgspec.structs import replace
from playwright.sync_api import Geolocation, Page, expect

from coinslot.app.kinds import KINDS
from coinslot.app.page_backend import ContextBackend
from coinslot.counter import accounts, contacts
from coinslot.counter.history import Proved
from tests.browser.axe import violations
from tests.browser.conftest import DESK, PageAt
from tests.browser.console_served import ConsoleServed
from tests.browser.test_console import signed_in
from tests.counter.stage import Counter, set_counter
from tests.counter.telling import PHONE as TOLD
from tests.counter.telling import reach
from tests.counter.test_arrivals import asks, noted
from tests.kept_app import served_app
from tests.sales.stage import Stage
from tests.web.serving import SITE

pytestmark = pytest.mark.browser
PHONE = (390, 844)
_OVER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


class CounterServed(ConsoleServed):
    """Customers' pages over the real rows beside the console."""

    def _app(self, stage: Stage) -> Litestar:
        site = replace(SITE, texts={name: kind.texts for name, kind in KINDS.items()})
        backend = ContextBackend(stage.context, "1", None)
        return served_app(backend, site, stage)


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[CounterServed]:
    served = CounterServed(postgres, template)
    with served:
        yield served


@pytest.fixture(scope="module")
def shop(served: CounterServed) -> Counter:
    made: Counter = served.tell(set_counter(served.staffed.stage))
    return made


def well_made(page: Page) -> None:
    assert violations(page) == []
    assert not page.evaluate(_OVER)


def test_a_customer_orders_and_staff_hand_it_over(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    phone, desk = page_at(PHONE), page_at(DESK)
    phone.goto(f"{served.url}/s/corner")
    well_made(phone)
    phone.get_by_role("link", name="Latte").click()
    well_made(phone)
    phone.get_by_label("Oat").check()
    phone.get_by_label("Syrup").check()
    phone.get_by_label("A wish for the kitchen").fill("very hot")
    phone.get_by_role("button", name="Add for").click()
    well_made(phone)
    phone.get_by_role("link", name="Add something else").click()
    phone.get_by_role("link", name="Carrot cake").click()
    phone.get_by_role("button", name="Add for").click()
    phone.get_by_role("link", name="10 %").click()
    phone.get_by_label("Your name").fill("Maria")
    well_made(phone)
    phone.get_by_role("button", name="Pay €9.02").click()
    expect(phone.get_by_role("heading", name="They have your order")).to_be_visible()
    well_made(phone)

    signed_in(served, desk)
    desk.goto(f"{served.url}/console/board")
    expect(desk.locator("#board-PLACED")).to_contain_text("very hot")
    well_made(desk)
    desk.locator("#board-PLACED").get_by_role("button", name="Accept").click()
    desk.locator("#board-PREPARING").get_by_role("button", name="Done: Latte").click()
    expect(desk.get_by_role("button", name="Not done: Latte")).to_be_visible()
    well_made(desk)
    desk.locator("#board-PREPARING").get_by_role("button", name="Ready").click()
    expect(desk.locator("#board-READY")).to_contain_text("Maria")
    well_made(desk)

    phone.reload()
    expect(phone.get_by_role("heading", name="Ready: pick it up")).to_be_visible()
    well_made(phone)
    digits = phone.locator(".code bdi").inner_text()
    field = desk.get_by_label("Code of the customer")
    field.fill("000000" if digits.replace(" ", "") != "000000" else "111111")
    field.press("Enter")
    expect(desk.get_by_role("alert")).to_contain_text("This is not the code")
    desk.get_by_label("Code of the customer").fill(digits)
    desk.get_by_label("Code of the customer").press("Enter")
    expect(desk.locator("#board-READY")).to_contain_text("Nothing here")
    phone.reload()
    expect(phone.get_by_role("heading", name="Enjoy")).to_be_visible()
    well_made(phone)


def test_a_new_order_comes_to_an_open_board_by_itself_and_its_customer_cancels_it(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    desk, phone = page_at(PHONE), page_at(PHONE)
    signed_in(served, desk)
    desk.goto(f"{served.url}/console/board")
    well_made(desk)
    order = served.tell(shop.paid(name="Noor"))
    expect(desk.locator("#board-PLACED")).to_contain_text("Noor")
    phone.goto(f"{served.url}/o/{served.tell(shop.view(order)).token}")
    phone.get_by_role("button", name="Cancel the order").click()
    expect(phone.get_by_role("heading", name="Your money is going back")).to_be_visible()
    expect(desk.locator("#board-PLACED")).to_contain_text("Nothing here")


def test_a_phone_is_asked_where_it_is_at_the_tap_and_one_that_does_not_say_sends_the_word(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    served.tell(asks(shop))
    cafe: Geolocation = {"latitude": 48.1371, "longitude": 11.575, "accuracy": 12}
    home: Geolocation = {**cafe, "latitude": 48.1577}
    moves = page_at(PHONE, permissions=["geolocation"], geolocation=home)
    order = served.tell(shop.ready(name="Noor"))
    moves.goto(f"{served.url}/o/{served.tell(shop.view(order)).token}")
    well_made(moves)
    moves.get_by_label("Where are you?").fill("blue car")
    moves.get_by_role("button", name="I am here").click()
    expect(moves.get_by_role("heading", name="You seem to be 2.3 km away")).to_be_visible()
    well_made(moves)
    moves.context.set_geolocation(cafe)
    moves.get_by_role("button", name="I am here", exact=True).click()
    expect(moves.get_by_text("They know that you are here.")).to_be_visible()
    assert served.tell(noted(shop, order)) == (True, "near")
    assert served.tell(shop.stage.value("SELECT here_note FROM counter_orders"
        " WHERE order_id = $1", order)) == "blue car"  # fmt: skip

    denies, other = page_at(PHONE), served.tell(shop.ready(name="Lev"))
    denies.goto(f"{served.url}/o/{served.tell(shop.view(other)).token}")
    denies.get_by_role("button", name="I am here").click()
    expect(denies.get_by_text("They know that you are here.")).to_be_visible()
    assert served.tell(noted(shop, other)) == (True, "said")
    for one in (order, other):
        served.tell(shop.complete(one))


def test_a_browser_whose_question_nobody_answers_sends_the_word_after_a_while_and_once(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    served.tell(asks(shop))
    page, order = page_at(PHONE), served.tell(shop.ready(name="Noor"))
    page.add_init_script("navigator.geolocation.getCurrentPosition = () => {}")
    page.clock.install()
    page.goto(f"{served.url}/o/{served.tell(shop.view(order)).token}")
    for _ in range(2):
        page.locator("form[data-where] button").click()
    expect(page.get_by_role("button", name="Looking where you are")).to_be_visible()
    assert served.tell(noted(shop, order)) == (False, None)
    page.clock.run_for(20_000)
    expect(page.get_by_text("They know that you are here.")).to_be_visible()
    assert served.tell(noted(shop, order)) == (True, "said")
    assert served.tell(shop.stage.value("SELECT here_changes FROM counter_orders"
        " WHERE order_id = $1", order)) == 1  # fmt: skip
    served.tell(shop.complete(order))


@pytest.mark.parametrize("language", ["hi", "ru", "ar-XB"])
def test_pages_of_a_counter_fit_in_every_language(
    served: CounterServed, shop: Counter, page_at: PageAt, language: str
) -> None:
    page, order = page_at(PHONE), served.tell(shop.ready())
    token = served.tell(shop.view(order)).token
    signed_in(served, page)
    line = "line=latte~2~oat,syrup~very%20hot&line=cake~1~~"
    for address in ("s/corner", "s/corner/latte", f"s/corner/basket?{line}", f"o/{token}",
                    "console/board"):  # fmt: skip
        glue = "&" if "?" in address else "?"
        page.goto(f"{served.url}/{address}{glue}lang={language}")
        assert not page.evaluate(_OVER), address
    served.tell(shop.complete(order))


def test_a_customer_who_stays_signed_in_sees_orders_and_saves_a_name(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    async def begun() -> str:
        context, at = shop.stage.context, await shop.store()
        await shop.paid(contact=reach())
        who = Proved("sms", contacts.phone_digest(context.vault, TOLD))
        return (await accounts.begin(context, at, who, "")).session

    page = page_at(PHONE)
    held = served.tell(begun())
    name = f"coinslot_guest_{shop.stage.merchant.hex}"
    page.context.add_cookies([{"name": name, "value": held, "url": served.url}])
    page.goto(f"{served.url}/s/corner/orders")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    well_made(page)
    page.get_by_label("Name on the order").fill("Maria")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    page.get_by_role("link", name="Order again").first.click()
    expect(page.get_by_label("Your name")).to_have_value("Maria")
    well_made(page)
