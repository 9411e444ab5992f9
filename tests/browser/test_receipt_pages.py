"""Receipts in Chromium: nothing keeps anyone out, at both sizes, light and dark; a receipt is
corrected by keyboard and without JavaScript."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from coinslot.gateways.base import Absent
from coinslot.gateways.receipts import NotRegistered
from tests.browser.axe import Scheme, Size, on_each
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.browser.console_served import ConsoleServed
from tests.browser.test_console import signed_in
from tests.sales.receipting import DONE, ReceiptTill, bought, receipting

pytestmark = pytest.mark.browser

_PICTURES = os.environ.get("COINSLOT_PICTURES_OF_PAGES", "")  # a folder to look at them in
# Each language on two screens, so that each screen has both its colours.
SCREENS: dict[str, list[tuple[Size, Scheme]]] = {
    "en": [(PHONE, "light"), (DESK, "dark")],
    "ru": [(PHONE, "dark"), (DESK, "light")],
}
_GIVEN_UP = NotRegistered(reason="the till is out of paper", receipt_id="rt-1")


class Scene:
    """A payment whose receipt is registered, a refund and another payment whose are not."""

    def __init__(self, served: ConsoleServed) -> None:
        self.served = served
        self.till: ReceiptTill = served.tell(receipting(served.staffed.stage))
        served.tell(self._play())

    async def _play(self) -> None:
        stage = self.served.staffed.stage
        self.till.answer, self.till.refuses_of_refunds = DONE, True
        await bought(stage, self.till, pieces=2, contact="+79161234567")
        self.served.staffed.later(121)
        await stage.sweep()
        await bought(stage, self.till)
        self.till.answer = _GIVEN_UP
        self.served.staffed.later(60)
        await stage.sweep()

    def receipt(self, state: str, kind: str) -> UUID:
        sql = "SELECT id FROM receipts WHERE state = $1 AND kind = $2 ORDER BY created_at LIMIT 1"
        found: UUID = self.served.tell(self.served.staffed.stage.value(sql, state, kind))
        return found

    def order(self) -> str:
        sql = "SELECT id::text FROM orders ORDER BY placed_at LIMIT 1"
        return str(self.served.tell(self.served.staffed.stage.value(sql)))


@pytest.fixture(scope="module")
def scene(postgres: str, template: str) -> Iterator[Scene]:
    with ConsoleServed(postgres, template) as served:
        yield Scene(served)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_nothing_in_receipts_keeps_anyone_out(scene: Scene, page_at: PageAt, language: str) -> None:
    page = signed_in(scene.served, page_at(PHONE))
    found = []
    for path in (
        "receipts", "receipts?state=wanting", "receipts?state=due", "inbox",
        f"receipts/{scene.receipt('registered', 'payment')}",
        f"receipts/{scene.receipt('refused', 'refund')}", f"orders/{scene.order()}",
        "gateways/new/yookassa", "gateways/new/tbank",
    ):  # fmt: skip
        mark = "&" if "?" in path else "?"
        page.goto(f"{scene.served.url}/console/{path}{mark}lang={language}")
        for details in page.locator("main details").all():
            details.evaluate("one => one.open = true")
        for size, scheme, rules in on_each(page, SCREENS[language]):
            found += [(rule, path, size, scheme) for rule in rules]
            _look(page, f"{path.partition('?')[0]}-{size[0]}-{scheme}-{language}")
    assert found == []


def _look(page: Page, name: str) -> None:
    if _PICTURES:
        path = Path(_PICTURES) / f"{name.replace('/', '-')}.png"
        page.screenshot(path=str(path), full_page=True)


def test_a_receipt_is_corrected_by_keyboard_and_without_javascript(
    scene: Scene, page_at: PageAt
) -> None:
    page = signed_in(scene.served, page_at(PHONE, javascript=False))
    page.goto(f"{scene.served.url}/console/receipts?state=wanting")
    refused = scene.receipt("refused", "payment")
    page.locator(f'a[href*="{refused}"]').press("Enter")
    scene.till.answer = Absent()
    field = page.locator('input[name="contact"]')
    field.fill("nobody")
    field.press("Enter")
    expect(page.locator("#problem")).to_contain_text("Type an e-mail address")
    field.fill("8 916 123-45-67")
    field.press("Enter")
    expect(page.locator("main")).to_contain_text("It is sent again.")
    expect(page.locator("main")).to_contain_text("+79161234567")
    scene.served.tell(scene.served.staffed.stage.sweep("receipts"))
    assert [one.receipt.contact for one in scene.till.alone] == ["+79161234567"]
