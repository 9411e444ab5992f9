"""The brand's page in Chromium: the look shows the colours that were chosen, by hand and by
keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from coinslot.pages import colours
from tests.browser.conftest import DESK, PageAt
from tests.browser.console_served import ConsoleServed
from tests.browser.test_console import signed_in

pytestmark = pytest.mark.browser
_PAINTED = "one => getComputedStyle(one).backgroundColor"


@pytest.fixture(scope="module")
def served(postgres: str, template: str) -> Iterator[ConsoleServed]:
    with ConsoleServed(postgres, template) as served:
        yield served


def test_a_look_paints_the_preview_and_save_keeps_it(
    served: ConsoleServed, page_at: PageAt
) -> None:
    page = signed_in(served, page_at(DESK))
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    page.goto(f"{served.url}/console/settings/brand")
    page.get_by_label("Name", exact=True).fill("Chai & Cans")
    page.get_by_label("Colour of buttons and links").fill("#ffee00")
    page.get_by_role("button", name="Look first").click()
    expect(page.get_by_text("hard to read")).to_be_visible()
    corrected = colours.palette("#ffee00", None).light.go or ""
    red, green, blue = (int(corrected[n : n + 2], 16) for n in (1, 3, 5))
    painted = page.locator(".brand_light .shown-pay").evaluate(_PAINTED)
    assert painted == f"rgb({red}, {green}, {blue})"
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_text("Customers see it from now on.")).to_be_visible()
    assert page.get_by_label("Name", exact=True).input_value() == "Chai & Cans"
    assert refused == []
