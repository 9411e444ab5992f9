"""A menu that its owner edits, in a browser: by hand, by keyboard, and as the customer then sees
it. Where COINSLOT_PICTURES_OF_PAGES names a folder, each page is kept there to be looked at."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from coinslot.counter import menu, pickup
from coinslot.counter.hours import WeekInterval
from coinslot.counter.menu import MenuItem
from coinslot.counter.pickup import OpeningHours
from coinslot.pages.texts import MIRROR
from tests.browser.axe import violations, violations_of_colours
from tests.browser.conftest import DESK, PageAt
from tests.browser.test_console import signed_in
from tests.browser.test_counter import PHONE, CounterServed, well_made
from tests.counter.stage import Counter, set_counter

pytestmark = pytest.mark.browser
_PICTURES = os.environ.get("COINSLOT_PICTURES_OF_PAGES", "")
_OVER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[CounterServed]:
    served = CounterServed(postgres, template)
    with served:
        yield served


@pytest.fixture(scope="module")
def shop(served: CounterServed) -> Counter:
    made: Counter = served.tell(set_counter(served.staffed.stage))
    return made


def items(served: CounterServed) -> list[MenuItem]:
    async def read() -> list[MenuItem]:
        stage = served.staffed.stage
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            return await menu.menu(conn, "S01")

    found: list[MenuItem] = served.tell(read())
    return found


def kept(page: Page, name: str) -> None:
    if _PICTURES:
        page.screenshot(path=str(Path(_PICTURES) / f"{name}.png"), full_page=True)


def test_every_page_of_a_menu_is_clean_on_a_phone_and_at_a_desk_in_every_language(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    page = page_at(PHONE)
    signed_in(served, page)
    latte = items(served)[0].id
    paths = {
        "menu": "menu/S01", "item": f"menu/S01/items/{latte}", "new-item": "menu/S01/new-item",
        "hours": "menu/S01/hours", "rules": "menu/S01/rules", "delivery": "menu/S01/delivery",
        "codes": "menu/S01/codes?tables=1-3&layout=a6",
        "new-counter": "new-counter",
    }  # fmt: skip
    for name, path in paths.items():
        glue = "&" if "?" in path else "?"
        for language in ("en", "hi", "ru", MIRROR.code):
            page.goto(f"{served.url}/console/{path}{glue}lang={language}")
            for size, told in ((PHONE, "phone"), (DESK, "desk")):
                page.set_viewport_size({"width": size[0], "height": size[1]})
                assert not page.evaluate(_OVER), (name, language, told)
                kept(page, f"{name}-{language}-{told}")
            if language == "en":
                assert violations(page) == [], name
                page.emulate_media(color_scheme="dark")
                assert violations_of_colours(page) == [], (name, "dark")
                kept(page, f"{name}-dark")
                page.emulate_media(color_scheme="light")


def test_items_are_sorted_by_keyboard_and_by_hand(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    page = page_at(DESK)
    signed_in(served, page)
    page.goto(f"{served.url}/console/menu/S01")
    assert [item.sku for item in items(served)] == ["latte", "tea", "cake", "bowl"]
    page.get_by_role("button", name="Down: Latte").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-item] strong").first).to_have_text("Tea")
    expect(page.get_by_role("button", name="Up: Latte")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement !== document.body")
    bowl = page.locator("[data-item]", has_text="Lunch bowl")
    bowl.drag_to(page.locator("[data-item]", has_text="Tea"))
    expect(page.locator("[data-item] strong").first).to_have_text("Lunch bowl")
    first = items(served)[0]
    assert (first.sku, first.section) == ("bowl", "Drinks")


def test_a_menu_is_filled_in_and_seen_as_a_customer_sees_it(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    page, phone = page_at(DESK), page_at(PHONE)
    signed_in(served, page)
    page.goto(f"{served.url}/console/menu/S01")
    page.get_by_label("One on a line").fill("Juices\nApple juice 2.90")
    page.get_by_role("button", name="Add to the menu").click()
    expect(page.get_by_role("link", name="Apple juice")).to_be_visible()
    page.get_by_role("link", name="Apple juice").click()
    page.get_by_label("Left", exact=True).first.fill("4")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("4 left")).to_be_visible()
    phone.goto(f"{served.url}/s/corner?spot=7")
    expect(phone.get_by_text("Table 7")).to_be_visible()
    expect(phone.get_by_text("4 left")).to_be_visible()
    kept(phone, "customer-menu")
    phone.get_by_role("link", name="Apple juice").click()
    phone.get_by_role("button", name="Add for").click()
    expect(phone.get_by_text("Table 7")).to_be_visible()
    well_made(phone)


def test_a_closed_counter_says_when_it_opens_and_offers_times(
    served: CounterServed, shop: Counter, page_at: PageAt
) -> None:
    stage = served.staffed.stage
    hour = (stage.clock.now() + timedelta(hours=2)).astimezone(
        served.tell(menu.store_of(stage.context, "corner")).hours.zone
    ).hour  # fmt: skip
    week = tuple(
        WeekInterval(day=day, opens=hour * 60, closes=(hour + 3) % 24 * 60) for day in range(7)
    )

    async def opens(hours: OpeningHours) -> None:
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            await pickup.set_hours(conn, "S01", hours)

    served.tell(opens(OpeningHours(days_ahead=0)))
    phone = page_at(PHONE)
    phone.goto(f"{served.url}/s/corner/basket?line=tea~1~~")
    expect(phone.get_by_label("Pick up")).to_be_visible()
    phone.get_by_role("button", name="Pay").click()
    expect(phone.get_by_text("They have your order")).to_be_visible()
    served.tell(opens(OpeningHours(week=week, days_ahead=1)))
    phone.goto(f"{served.url}/s/corner")
    expect(phone.get_by_text("Opens")).to_be_visible()
    kept(phone, "customer-closed")
    well_made(phone)
    phone.get_by_role("link", name="Tea").click()
    phone.get_by_role("button", name="Add for").click()
    expect(phone.get_by_label("Pick up")).to_be_visible()
    kept(phone, "customer-later")
    well_made(phone)
    pay = phone.get_by_role("button", name="Pay")
    pay.click()
    assert "/basket" in phone.url, "a time has to be chosen"
    phone.get_by_label("Pick up").select_option(index=2)
    pay.click()
    expect(phone.get_by_text("They have your order")).to_be_visible()
    expect(phone.get_by_text("For ")).to_be_visible()
    kept(phone, "customer-ordered-for-later")
    well_made(phone)
