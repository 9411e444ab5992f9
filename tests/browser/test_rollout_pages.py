"""A roll-out as people see it, in a browser: the wave and the one number that decides. Where
COINSLOT_PICTURES_OF_PAGES names a folder, each page is kept there to be looked at."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.browser.console_served import ConsoleServed
from tests.browser.test_console import served as served
from tests.browser.test_console import signed_in
from tests.rollouts.fleet import FAST, Fleet

pytestmark = pytest.mark.browser
_PICTURES = os.environ.get("COINSLOT_PICTURES_OF_PAGES", "")


def kept(page: Page, name: str) -> None:
    if _PICTURES:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=str(Path(_PICTURES) / f"{name}-{scheme}.png"), full_page=True)
        page.emulate_media(color_scheme="light")


async def _waves(fleet: Fleet) -> tuple[str, str]:
    """One that stopped for want of sales, and a draft."""
    await fleet.add(24)
    build = await fleet.upload("1.5.0")
    first = await fleet.roll_out(build)
    await fleet.wait(30)
    await fleet.wait(FAST.soak_s + 60, step=220)
    return str(first), str(build)


def test_a_wave_is_read_at_a_glance_on_a_phone_and_at_a_desk(
    served: ConsoleServed, page_at: PageAt, tmp_path: Path
) -> None:
    fleet = Fleet(served.staffed.stage, tmp_path)
    rollout, _build = served.tell(_waves(fleet))
    page = page_at(PHONE)
    signed_in(served, page)
    for language in ("en", "ru", "hi"):
        for name, path in (("rollouts", "rollouts"), ("rollout", f"rollouts/{rollout}")):
            page.goto(f"{served.url}/console/{path}?lang={language}")
            for size, where in ((PHONE, "phone"), (DESK, "desk")):
                page.set_viewport_size({"width": size[0], "height": size[1]})
                kept(page, f"{name}-{where}-{language}")
                assert violations(page) == [], (name, where, language)
                over = "document.documentElement.scrollWidth > innerWidth"
                assert not page.evaluate(over), (name, where, language)
    page.goto(f"{served.url}/console/rollouts/{rollout}")
    expect(page.get_by_text("Too few sales to tell")).to_be_visible()
    page.get_by_role("button", name="Resume this stage").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It goes on.")).to_be_visible()
