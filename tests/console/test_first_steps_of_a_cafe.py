"""A café's owner sets up a counter, and nobody leads them to a vending machine after that."""

from typing import Any

from tests.console.test_wizard import gita, staffed  # noqa: F401
from tests.people.conftest import Staffed

CAFE = {"name": "Gita's corner", "place": "Pune", "currency": "INR", "account": "practice",
        "tax": "included"}  # fmt: skip


async def test_after_a_counter_the_next_step_is_a_gateway_and_no_practice_machine(
    staffed: Staffed,  # noqa: F811
    urls: Any,
) -> None:
    browser = await gita(staffed, urls)
    before = (await browser.look("/console/today")).text
    assert "Done: 1 of 8." in before
    assert "Empty slots" in before
    page = await browser.look("/console/new-counter")
    answer = await browser.press(page, "/console/new-counter", CAFE)
    assert answer.headers["location"] == "/console/menu/S01"
    today = (await browser.look("/console/today")).text
    assert "Done: 2 of 3." in today
    assert "For real: a gateway" in today
    assert "practice machine" not in today
    assert "Empty slots" not in today, "it has no slot"
    assert "printed from its menu" in (await browser.look("/console/codes")).text
    assert "practice machine" not in (await browser.look("/console/start")).text
