"""A refill in a browser, on a phone at the machine. Where COINSLOT_PICTURES_OF_PAGES names a
folder, each page is kept there to be looked at."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from coinslot.pages.texts import MIRROR
from tests.browser.axe import violations
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.browser.console_served import ConsoleServed
from tests.browser.test_console import signed_in

pytestmark = pytest.mark.browser
_OVER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
_PICTURES = os.environ.get("COINSLOT_PICTURES_OF_PAGES", "")


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[ConsoleServed]:
    with ConsoleServed(postgres, template) as served:
        yield served


async def _shelf(served: ConsoleServed) -> None:
    """Six slots, of which two are low, one is empty, and one is known."""
    stage = served.staffed.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE slots SET par = 20, capacity = 24, stock = 4")
        for number, (name, stock) in enumerate(
            (("Lime soda", 20), ("Salted peanuts", 0), ("Chocolate bar with hazelnuts", 7),
             ("Water 0.5 l", 18), ("Iced tea, peach", 11)), start=2,
        ):  # fmt: skip
            product = await conn.fetchval(
                "INSERT INTO products (id, merchant_id, sku, name, price_minor, currency)"
                " SELECT gen_random_uuid(), id, $1, $2, 4000, 'INR' FROM merchants"
                " WHERE id = $3 RETURNING id", f"sku{number}", name, stage.merchant,
            )  # fmt: skip
            await conn.execute(
                "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock,"
                " par) VALUES ($1, 'M01', $2, $3, 4000, $4, 20)",
                stage.merchant, f"A{number}", product, stock,
            )  # fmt: skip
        await conn.execute(
            "INSERT INTO slot_demand (outlet_id, slot, merchant_id, product_id, sales, days, held,"
            " through) SELECT outlet_id, slot, merchant_id, product_id, 22, 10, 0, 0 FROM slots"
        )
        await conn.execute(
            "INSERT INTO routes (merchant_id, name, machines, made_by, changed_at)"
            " VALUES ($1, 'North', '{M01}', 'asha', now())", stage.merchant,
        )  # fmt: skip


def kept(page: Page, name: str) -> None:
    if _PICTURES:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=str(Path(_PICTURES) / f"{name}-{scheme}.png"), full_page=True)
        page.emulate_media(color_scheme="light")


def test_a_machine_is_refilled_on_a_phone_by_keyboard_alone(
    served: ConsoleServed, page_at: PageAt
) -> None:
    served.tell(_shelf(served))
    page = page_at(PHONE)
    signed_in(served, page)
    page.goto(f"{served.url}/console/refills?route=North")
    kept(page, "refills-phone")
    page.get_by_role("link", name="Refill").last.click()
    kept(page, "refill-phone")
    page.get_by_label("Now A1").focus()
    page.keyboard.type("20")
    page.get_by_label("Now A1").press("Tab")
    page.keyboard.press("Enter")  # what lies behind the count
    page.get_by_label("Before A1").fill("3")
    page.get_by_label("good until A1").fill("2027-01-31")
    page.get_by_role("button", name="Save the refill").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The refill is saved")).to_be_visible()
    assert violations(page) == []
    kept(page, "stock-phone")
    for language in ("en", "hi", "ru", MIRROR.code):
        for name, path in (
            ("refills", "refills"), ("refill", "machines/M01/refill"),
            ("stock", "machines/M01/stock"), ("routes", "refills/routes"),
        ):  # fmt: skip
            page.goto(f"{served.url}/console/{path}?lang={language}")
            for width, where in ((PHONE, "phone"), (DESK, "desk")):
                page.set_viewport_size({"width": width[0], "height": width[1]})
                kept(page, f"{name}-{where}-{language}")
                assert not page.evaluate(_OVER), (name, language, where)
                if language == "en":
                    assert violations(page) == [], (name, where)
